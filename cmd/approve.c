/*
 * git harness approve - a person says yes to a candidate that waits.
 * What was measured on today's best is judged and committed at once; anything else the loop measures first.
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

	if (cmd_number(ctx, ctx->argv[0], &r, err) < 0)
		return err->code;
	return answer_send(ctx, "approve", r->number, o->why, err);
}

const struct cmd cmd_approve = {
	.name = "approve",
	.args = "<n>",
	.summary = "say yes to a candidate that waits for a person",
	.opts = options,
	.opts_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY,
	.run = run,
};
