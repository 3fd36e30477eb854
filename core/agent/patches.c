/*
 * patches.c - an agent that proposes what people (or another machine) have prepared: patches or branches, one by one, each once.
 * Every one is judged on the best there is by then; what does not apply there any more is a failed proposal, and the next one is tried.
 */
#include "agent/kind.h"

#include <stdlib.h>
#include <string.h>

#include "agent/source.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/commit.h"
#include "git/tree.h"

struct patches {
	struct agent agent;
	const char *from;	/* the policy's */
};

static bool was_proposed(const struct ask *ask, const char *name)
{
	for (size_t i = 0; i < ask->n_past; i++)
		if (!ask->past[i].baseline && str_eq(ask->past[i].source, name))
			return true;
	return false;
}

static void failed(struct proposal *ret, char *why)
{
	ret->kind = PROPOSAL_FAILED;
	ret->why = why;
}

static void propose_file(const struct ask *ask, const char *name, struct proposal *ret)
{
	CLEANUP(mail_free) struct mail mail = { .patch = STR_INIT };
	AUTOFREE char *why = NULL;
	struct err err;

	/* One unreadable patch among many is that patch's failure. */
	if (source_read(ask->repo, name, &mail, &err) < 0) {
		failed(ret, xstrdup(err.msg));
		return;
	}
	ret->subject = xstrdup(mail.subject ? mail.subject : path_basename(name));
	ret->body = xstrdup(mail.body);
	if (tree_apply_patch(ask->repo, &ask->base_tree, mail.patch.buf, mail.patch.len, &ret->tree, &why, &err) < 0)
		failed(ret, xstrdup(err.msg));
	else if (why)
		failed(ret, xasprintf("'%s' does not apply to best: %s", name, why));
	else
		ret->kind = PROPOSAL_TREE;
}

/* Subject and body of the branch's last commit. */
static void take_message(const char *message, struct proposal *ret)
{
	const char *end = strchrnul(message, '\n');

	ret->subject = xstrndup(message, (size_t)(end - message));
	while (*end == '\n')
		end++;
	ret->body = *end ? xstrdup(end) : NULL;
}

/* What the branch changed since it parted from the campaign's start, on top of best. */
static int merge_branch(const struct ask *ask, const char *name, struct proposal *ret, struct err *err)
{
	CLEANUP(commit_free) struct commit tip = { 0 };
	AUTOFREE char *conflict = NULL;
	struct oid id, parted, parted_tree;

	if (repo_resolve(ask->repo, name, &id, err) < 0 || commit_read(ask->repo, &id, &tip, err) < 0)
		return err->code;
	take_message(tip.message, ret);
	if (repo_merge_base(ask->repo, &id, &ask->start_commit, &parted, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err->code;
		failed(ret, xasprintf("'%s' has no history in common with the campaign", name));
		return 0;
	}
	if (tree_of_commit(ask->repo, &parted, &parted_tree, err) < 0 ||
	    tree_merge(ask->repo, &parted_tree, &ask->base_tree, &tip.tree, &ret->tree, &conflict, err) < 0)
		return err->code;
	if (conflict)
		failed(ret, xasprintf("'%s' conflicts with best in '%s'", name, conflict));
	else
		ret->kind = PROPOSAL_TREE;
	return 0;
}

static int patches_propose(struct agent *a, const struct ask *ask, struct proposal *ret, struct err *err)
{
	const char *from = ((struct patches *)a)->from;
	CLEANUP(strs_free) struct strs names = { 0 };

	if (source_list(ask->repo, from, &names, err) < 0)
		return err->code;
	for (size_t i = 0; i < names.n; i++) {
		if (was_proposed(ask, names.v[i]))
			continue;
		ret->source = xstrdup(names.v[i]);
		if (source_is_branches(from))
			return merge_branch(ask, names.v[i], ret, err);
		propose_file(ask, names.v[i], ret);
		return 0;
	}
	ret->kind = PROPOSAL_NONE;
	return 0;
}

static void patches_free(struct agent *a)
{
	free(a);
}

int patches_open(struct repo *repo, const struct policy *policy, const struct oid *start, struct agent **ret, struct err *err)
{
	CLEANUP(strs_free) struct strs names = { 0 };
	struct patches *p;

	(void)start;
	if (source_list(repo, policy->agent.from, &names, err) < 0)
		return err->code;
	if (!names.n)
		return err_set(err, ERR_INVALID, "patches from '%s': there is nothing", policy->agent.from);
	p = xcalloc(1, sizeof(*p));
	p->agent = (struct agent){ .name = "patches", .propose = patches_propose, .free = patches_free };
	p->from = policy->agent.from;
	*ret = &p->agent;
	return 0;
}
