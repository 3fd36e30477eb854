/*
 * act.h - what a person does to a campaign: approve, deny, rollback. The loop acts through the inbox, a command with the lock in its own hands;
 * both come to the same functions here.
 *
 * An approval of a candidate that was measured on the present best, under the present policy, is judged at once (escalations and the guards that ask do
 * not apply again) and makes a new commit; any other is recorded as owed (record->approved): the loop measures it and commits.
 * Memory: ret_said gets one or more lines for people.
 * Errors: ERR_NOT_FOUND: no such number; ERR_REFUSED: it does not wait, was never accepted, best is there already.
 */
#ifndef LEDGER_ACT_H
#define LEDGER_ACT_H

#include "ledger/ledger.h"

/* An act's or a record's line begun: t n campaign experiment (number >= 0) event by (may be NULL). */
void act_begin(const struct history *h, const char *event, int number, const char *by, struct event *ret);

struct act {
	struct repo *repo;
	struct history *h;
	struct journal *journal;	/* may be NULL */
	const char *by;			/* "Name <mail>" */
	const char *why;		/* may be NULL; deny needs one */
};
int act_approve(const struct act *a, int number, struct str *ret_said, struct err *err);
int act_deny(const struct act *a, int number, struct str *ret_said, struct err *err);

/* Net lines of a record (its propose line's net=) against the campaign's start: what prefer_simpler compares; 0: none told. */
int64_t act_net(const struct events *lines);

struct best_move {
	int number;			/* whose commit `to` is */
	struct oid from, to;
};
/* number -1: to what best was made from. */
int act_plan_rollback(const struct history *h, int number, struct best_move *ret, struct err *err);
int act_rollback(const struct act *a, const struct best_move *move, struct str *ret_said, struct err *err);

/*
 * Owner of the lock: do what a request asks (ask=approve|deny|rollback experiment= by= why=). A request that cannot be done is an answer (status=error
 * code= message=); a failure to record is an err.
 */
int act_answer(struct repo *repo, struct history *h, struct journal *journal, const struct event *request, struct event *ret_answer,
	       struct err *err);
/* Command: have it done, by the owner of the campaign's lock or, where nobody holds it, here (after mending). */
int act_request(struct repo *repo, const char *campaign, const struct event *request, struct str *ret_said, struct err *err);

#endif
