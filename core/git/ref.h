/*
 * ref.h - refs, by compare-and-swap only.
 * Only refs below refs/heads/harness/ and refs/harness/, and the notes ref, may be written; anything else is ERR_BUG.
 * An old value of zero means "must not exist".
 *
 * Errors: ERR_CONFLICT when the ref is not at its old value (the message shows both), ERR_LOCKED when its lock file is
 * held beyond about 2 s (names the .lock file), ERR_NOT_FOUND.
 */
#ifndef GIT_REF_H
#define GIT_REF_H

#include "git/repo.h"

int ref_read(struct repo *repo, const char *name, struct oid *ret, struct err *err);	/* zero where it does not exist */
int ref_update(struct repo *repo, const char *name, const struct oid *old, const struct oid *new, const char *reflog,
	       struct err *err);
int ref_delete(struct repo *repo, const char *name, const struct oid *old, struct err *err);

/* Names under a prefix ("refs/harness/ledger/"), sorted. */
int ref_list(struct repo *repo, const char *prefix, struct strs *ret, struct err *err);

/*
 * Several refs, locked first, read under the locks, then committed one by one in the order they were added.
 *   ref_plan_lock() for each; ref_plan_old() tells the value under the lock; ref_plan_set(); ref_plan_commit(); ref_plan_free()
 * (which lets go of all locks not committed). Dying in between leaves .lock files: ref_unlock_stale() removes the one of `name`.
 */
struct ref_plan;
struct ref_plan *ref_plan_new(struct repo *repo);
int ref_plan_lock(struct ref_plan *plan, const char *name, struct err *err);
const struct oid *ref_plan_old(const struct ref_plan *plan, const char *name);
int ref_plan_set(struct ref_plan *plan, const char *name, const struct oid *new, const char *reflog, struct err *err);
/* before(data, name) is called before each one's commit (fault injection, journal); may be NULL. */
int ref_plan_commit(struct ref_plan *plan, void (*before)(void *data, const char *name), void *data, struct err *err);
void ref_plan_free(struct ref_plan *plan);
int ref_unlock_stale(struct repo *repo, const char *name, struct err *err);

#endif
