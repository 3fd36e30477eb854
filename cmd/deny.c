/*
 * git harness deny - a person says no to a candidate that waits, and why.
 */
#include "cmd/answer.h"

struct options {
	const char *why;
};

static const struct opt options[] = {
	STRING('m', "message", struct options, why, "<why>", "why, for the record"),
	END,
};

static int run(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	const struct record *r;

	if (!o->why || !*o->why)
		return err_set(err, ERR_USAGE, "a denial needs a reason: -m <why>");
	if (cmd_number(ctx, ctx->argv[0], &r, err) < 0)
		return err->code;
	return answer_send(ctx, "deny", r->number, o->why, err);
}

const struct cmd cmd_deny = {
	.name = "deny",
	.args = "<n> -m <why>",
	.summary = "say no to a candidate that waits for a person",
	.opts = options,
	.opts_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY,
	.run = run,
};
