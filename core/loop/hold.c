/*
 * hold.c - the candidate of the open experiment, kept from `git gc --prune=now`.
 * A proposal that was paid for is named by the journal alone until it is recorded, and git does not read our journal. While the loop runs
 * its workspace may keep the objects; after a stop nothing would.
 */
#include <stdio.h>

#include "git/commit.h"
#include "git/ref.h"
#include "ledger/names.h"
#include "loop/session.h"

/* One owner a campaign: a lock file of this ref that we find is a dead owner's. */
static int held(struct loop *l, char name[NAME_MAX_REF], struct oid *at, struct err *err)
{
	name_open(l->campaign, name);
	return ref_unlock_stale(l->repo, name, err) < 0 ? err->code : ref_read(l->repo, name, at, err);
}

int experiment_hold(struct experiment *x, const struct oid *tree, struct err *err)
{
	struct loop *l = x->loop;
	const struct commit_spec spec = {
		.tree = *tree, .parents = &x->draft, .n_parents = 1, .author = &l->me, .committer = &l->me,
		.message = "git harness: an experiment that is not recorded yet\n",
	};
	struct oid at, now = *tree;
	char name[NAME_MAX_REF];

	/* The tree itself, so that nothing is left over; a commit where a first draft is to be kept with it. */
	if (held(l, name, &at, err) < 0 || (!oid_is_zero(&x->draft) && commit_write(l->repo, &spec, &now, err) < 0) ||
	    (!oid_eq(&at, &now) && ref_update(l->repo, name, &at, &now, "harness: open", err) < 0))
		return err_wrap(err, "cannot keep the proposal of experiment %d", x->number);
	return 0;
}

int loop_let_go(struct loop *l, struct err *err)
{
	char name[NAME_MAX_REF];
	struct oid at;

	if (held(l, name, &at, err) < 0)
		return err->code;
	return oid_is_zero(&at) ? 0 : ref_delete(l->repo, name, &at, err);
}
