/*
 * hold.c - the candidates of open experiments, kept from `git gc --prune=now`.
 * A proposal that was paid for is named by the journal alone until it is recorded, and git does not read our journal. While the loop runs
 * its workspace may keep the objects; after a stop nothing would. <n> is its tree, <n>-draft the commit that was measured on an earlier best.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "git/ref.h"
#include "ledger/names.h"
#include "loop/session.h"

#define DRAFT "-draft"

/* One owner a campaign: a lock file of this ref that we find is a dead owner's. */
static int held(struct loop *l, const char *name, struct oid *at, struct err *err)
{
	return ref_unlock_stale(l->repo, name, err) < 0 ? err->code : ref_read(l->repo, name, at, err);
}

static int hold(struct loop *l, const char *name, const struct oid *id, struct err *err)
{
	struct oid at;

	if (held(l, name, &at, err) < 0)
		return err->code;
	return oid_eq(&at, id) ? 0 : ref_update(l->repo, name, &at, id, "harness: open", err);
}

static int let_go(struct loop *l, const char *name, struct err *err)
{
	struct oid at;

	if (held(l, name, &at, err) < 0)
		return err->code;
	return oid_is_zero(&at) ? 0 : ref_delete(l->repo, name, &at, err);
}

/* The tree itself and no commit of it, so that nothing is left over. */
int experiment_hold(struct experiment *x, const struct oid *tree, struct err *err)
{
	char name[NAME_MAX_REF], draft[NAME_MAX_REF];

	name_open(x->loop->campaign, x->number, "", name);
	name_open(x->loop->campaign, x->number, DRAFT, draft);
	if ((!oid_is_zero(&x->draft) && hold(x->loop, draft, &x->draft, err) < 0) || hold(x->loop, name, tree, err) < 0)
		return err_wrap(err, "cannot keep the proposal of experiment %d", x->number);
	return 0;
}

int experiment_let_go(struct experiment *x, struct err *err)
{
	char name[NAME_MAX_REF];

	name_open(x->loop->campaign, x->number, "", name);
	if (let_go(x->loop, name, err) < 0)
		return err->code;
	if (oid_is_zero(&x->draft))
		return 0;
	name_open(x->loop->campaign, x->number, DRAFT, name);
	return let_go(x->loop, name, err);
}

int loop_let_go(struct loop *l, struct err *err)
{
	CLEANUP(strs_free) struct strs names = { 0 };
	char prefix[NAME_MAX_REF];

	name_open(l->campaign, -1, "", prefix);
	if (ref_list(l->repo, prefix, &names, err) < 0)
		return err->code;
	for (size_t i = 0; i < names.n; i++) {
		const char *number = names.v[i] + strlen(prefix);
		int64_t n;

		if (num_parse_int(number, strcspn(number, "-"), &n) && n <= INT_MAX && loop_open_at(l, (int)n))
			continue;
		if (let_go(l, names.v[i], err) < 0)
			return err->code;
	}
	return 0;
}
