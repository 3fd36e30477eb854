/*
 * git harness rollback - move best back to an earlier accepted experiment.
 * One compare-and-swap and one ledger record; nothing is deleted, so it can be undone the same way.
 */
#include "cmd/answer.h"
#include "ledger/act.h"
#include "ledger/names.h"

struct options {
	bool dry_run;
	const char *why;
};

static const struct opt options[] = {
	FLAG('n', "dry-run", struct options, dry_run, "print the move, change nothing"),
	STRING('m', "message", struct options, why, "<why>", "why, for the record"),
	END,
};

static int run(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	const struct record *r = NULL;
	struct best_move move;
	char best[NAME_MAX_REF];

	if (ctx->argc && cmd_number(ctx, ctx->argv[0], &r, err) < 0)
		return err->code;
	if (!o->dry_run)
		return answer_send(ctx, "rollback", r ? r->number : -1, o->why, err);
	if (act_plan_rollback(ctx->history, r ? r->number : -1, &move, err) < 0)
		return err->code;
	name_best(ctx->campaign, best);
	printf("%s %s -> %s\n", best, oid_hex(&move.from).s, oid_hex(&move.to).s);
	return 0;
}

const struct cmd cmd_rollback = {
	.name = "rollback",
	.args = "[<n>]",
	.summary = "move best back to an earlier accepted experiment",
	.about = "By default to the one it was made from. Recorded; nothing is deleted, so it can be undone the same way.",
	.opts = options,
	.opts_size = sizeof(struct options),
	.max_args = 1,
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY,
	.run = run,
};
