/*
 * lock.h - one owner a campaign; and the inbox through which others ask the owner.
 * <state>/lock holds a descriptor lock (gone with its process, however that died) and tells pid, boot id, host and command for messages.
 * <state>/inbox/ holds one request a file, written whole by rename; the owner answers in <id>.answer and removes the request.
 */
#ifndef LEDGER_LOCK_H
#define LEDGER_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/logfmt.h"

struct lock;

/* ERR_LOCKED: held; the message names command, pid and since when; hint: git harness status / stop. Creates dir. */
int lock_take(const char *state_dir, const char *command, struct lock **ret, struct err *err);
void lock_free(struct lock *lock);
/* Is it held, and by whom? *ret_owner gets pid=, host=, command=, since= (empty when free). */
int lock_owner(const char *state_dir, bool *ret_held, struct event *ret_owner, struct err *err);
int lock_fd(const struct lock *lock);	/* children must not inherit it; it is O_CLOEXEC, forks must close it */

/* Client: leave a request (ask=approve experiment=7 by=...), wait for the answer while the owner lives. ERR_NOT_FOUND: the owner ended
 * without answering (the request was withdrawn: take the lock and do it). The answer: status=ok|error code= message=. */
int inbox_ask(const char *state_dir, const struct event *request, struct event *ret_answer, struct err *err);
/* Owner: a descriptor that becomes readable when something arrives (inotify); the requests there in order of arrival. */
int inbox_watch(const char *state_dir, struct err *err);
int inbox_read(const char *state_dir, struct events *ret, struct strs *ret_ids, struct err *err);
int inbox_answer(const char *state_dir, const char *id, const struct event *answer, struct err *err);

#endif
