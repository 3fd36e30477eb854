/*
 * git harness review - a branch for people to look at: best as it stands, or one experiment's change alone.
 * Nothing is pushed: the command that would is printed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "git/commit.h"
#include "git/ref.h"
#include "git/tree.h"
#include "ledger/names.h"

#define HEADS "refs/heads/"

static char *branch_name(const struct cmd_ctx *ctx, const struct record *r)
{
	return r ? xasprintf(HEADS "harness/review/%s-%d-alone", ctx->campaign, r->number)
		 : xasprintf(HEADS "harness/review/%s-best", ctx->campaign);
}

/* Measured was the experiment on its own base; what stands alone carries no verdict. */
static void alone_message(const struct cmd_ctx *ctx, const struct record *r, const char *message, struct str *ret)
{
	STR own = STR_INIT;

	trailers_strip(message, "Harness-", &own);
	while (own.len && own.buf[own.len - 1] == '\n')
		str_truncate(&own, own.len - 1);
	str_printf(ret, "%s\n\nThe change of experiment %s/%d alone, on the commit that campaign started from. It was\n"
			"measured on another base: see commit %s\nand its note.\n",
		   own.buf, ctx->campaign, r->number, oid_hex(&r->commit).s);
}

/* The same commit whenever it is asked for: people and times are the experiment's. */
static int alone_commit(struct cmd_ctx *ctx, const struct record *r, const struct oid *tree, struct oid *ret, struct err *err)
{
	CLEANUP(commit_free) struct commit c = { 0 };
	STR message = STR_INIT;
	struct commit_spec spec = { .tree = *tree, .parents = &ctx->history->start, .n_parents = 1 };

	if (commit_read(ctx->repo, &r->commit, &c, err) < 0)
		return err->code;
	alone_message(ctx, r, c.message, &message);
	spec.author = &c.author;
	spec.committer = &c.committer;
	spec.message = message.buf;
	return commit_write(ctx->repo, &spec, ret, err);
}

static int alone(struct cmd_ctx *ctx, const struct record *r, struct oid *ret, struct err *err)
{
	AUTOFREE char *conflict = NULL;
	struct oid base, start, tree;

	if (r->baseline)
		return err_set(err, ERR_REFUSED, "%d is a baseline: it changed nothing", r->number);
	if (tree_of_commit(ctx->repo, &r->base, &base, err) < 0 || tree_of_commit(ctx->repo, &ctx->history->start, &start, err) < 0)
		return err->code;
	if (oid_eq(&base, &r->tree))
		return err_set(err, ERR_REFUSED, "experiment %d changed nothing", r->number);
	if (tree_merge(ctx->repo, &base, &start, &r->tree, &tree, &conflict, err) < 0)
		return err->code;
	if (conflict) {
		err_set(err, ERR_REFUSED, "experiment %d cannot stand alone: '%s' was changed by what was accepted before it",
			r->number, conflict);
		return err_hint(err, "git harness diff %d shows it against its own base", r->number);
	}
	return alone_commit(ctx, r, &tree, ret, err);
}

/* People may have gone on from the branch: it is only moved along its own line. */
static int move_branch(struct cmd_ctx *ctx, const char *ref, const struct oid *to, struct err *err)
{
	const char *branch = ref + strlen(HEADS);
	AUTOFREE char *path = NULL;
	struct oid at;
	bool forward = true;

	if (ref_read(ctx->repo, ref, &at, err) < 0)
		return err->code;
	if (oid_eq(&at, to))
		return 0;
	if (!oid_is_zero(&at) && repo_descends(ctx->repo, to, &at, &forward, err) < 0)
		return err->code;
	if (!forward) {
		err_set(err, ERR_REFUSED, "branch '%s' stands at %.10s, which is no part of what it would show", branch,
			oid_hex(&at).s);
		return err_hint(err, "git branch -D %s makes room, if nobody needs what is there", branch);
	}
	if (repo_checked_out(ctx->repo, ref, &path, err) < 0)
		return err->code;
	if (path)
		return err_set(err, ERR_REFUSED, "branch '%s' is checked out in '%s'", branch, path);
	if (repo_flush(ctx->repo, err) < 0)
		return err->code;
	return ref_update(ctx->repo, ref, &at, to, "git harness review", err);
}

static int run(struct cmd_ctx *ctx, struct err *err)
{
	const struct record *r = NULL;
	AUTOFREE char *ref = NULL;
	const char *remote = repo_setting(ctx->repo, "remote.pushdefault");
	struct oid to;

	if (ctx->argc && cmd_number(ctx, ctx->argv[0], &r, err) < 0)
		return err->code;
	to = ctx->history->best;
	if (!r && oid_is_zero(&to))
		return err_set(err, ERR_REFUSED, "campaign '%s' has no best yet", ctx->campaign);
	if (r && alone(ctx, r, &to, err) < 0)
		return err->code;
	ref = branch_name(ctx, r);
	if (move_branch(ctx, ref, &to, err) < 0)
		return err->code;
	printf("%s is at %.10s\n", ref + strlen(HEADS), oid_hex(&to).s);
	printf("git push %s %s\n", remote && *remote ? remote : "origin", ref + strlen(HEADS));
	return 0;
}

const struct cmd cmd_review = {
	.name = "review",
	.args = "[<n>]",
	.summary = "make a branch for people: best, or one experiment's change alone",
	.about = "With <n>: that change alone, on the commit the campaign started from. Prints the command that pushes the branch.",
	.max_args = 1,
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY,
	.run = run,
};
