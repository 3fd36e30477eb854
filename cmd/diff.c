/*
 * git harness diff - what an experiment changed, or how two differ.
 * git itself shows it, with the user's pager and colours; drivers and filters that the repository might name are not run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "report/words.h"

struct options {
	bool stat;
};

static const struct opt options[] = {
	FLAG(0, "stat", struct options, stat, "only which files and how many lines"),
	END,
};

/* The commit that holds a number's tree. */
static int commit_of(struct cmd_ctx *ctx, const char *text, struct oid *ret_commit, struct oid *ret_base, struct err *err)
{
	const struct record *r;

	if (cmd_number(ctx, text, &r, err) < 0)
		return err->code;
	*ret_commit = *words_commit(r);
	*ret_base = r->baseline ? *ret_commit : r->base;
	if (oid_is_zero(ret_commit) || oid_is_zero(ret_base))
		return err_set(err, ERR_NOT_FOUND, "experiment %d has no commit", r->number);
	return 0;
}

static int run(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	struct oid from, to, unused;
	const struct record *r;

	if (ctx->argc == 1) {
		if (cmd_number(ctx, ctx->argv[0], &r, err) < 0)
			return err->code;
		if (r->baseline)
			return err_set(err, ERR_REFUSED, "%d is a baseline: it measured a commit and changed nothing", r->number);
		if (commit_of(ctx, ctx->argv[0], &to, &from, err) < 0)
			return err->code;
	} else if (commit_of(ctx, ctx->argv[0], &from, &unused, err) < 0 || commit_of(ctx, ctx->argv[1], &to, &unused, err) < 0) {
		return err->code;
	}
	struct oid_hex a = oid_hex(&from), b = oid_hex(&to);
	const char *argv[] = { "git", "diff", "--no-ext-diff", "--no-textconv", o->stat ? "--stat" : "--patch", a.s, b.s, "--", NULL };

	fflush(NULL);
	execvp("git", (char *const *)argv);
	return err_errno(err, "cannot run git diff");
}

const struct cmd cmd_diff = {
	.name = "diff", .args = "<n> [<m>]", .summary = "what an experiment changed, or how two differ",
	.about = "With one number: its change against the best it was judged against. With two: from the tree of the first to that of the\n"
		 "second. A number is 7 or, of another campaign, other/7.\n",
	.opts = options, .opts_size = sizeof(struct options), .min_args = 1, .max_args = 2,
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY | CMD_PAGER, .run = run,
};
