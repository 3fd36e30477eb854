/*
 * git harness replay - measure an experiment again and compare.
 * The same tree under the same policy, in fresh workspaces. Nothing is decided anew; that it was done, and how it came out, is an act in the ledger.
 */
#include "base/mem.h"
#include "base/num.h"
#include "cmd/cmd.h"
#include "loop/loop.h"

static void print_series(const struct record *r, const struct replay_result *now)
{
	for (size_t i = 0; i < r->measured.n; i++) {
		const char *name = r->measured.s[i].metric;
		double then, again;
		char a[NUM_TEXT], b[NUM_TEXT];

		if (!measured_value(&r->measured, name, &then))
			continue;
		num_format(then, a);
		if (measured_value(&now->measured, name, &again))
			num_format(again, b);
		else
			snprintf(b, sizeof(b), "-");
		printf("%s: then %s, now %s\n", name, a, b);
	}
}

static int replay(struct cmd_ctx *ctx, struct err *err)
{
	CLEANUP(replay_clear) struct replay_result now = { 0 };
	const struct record *r;

	if (cmd_number(ctx, ctx->argv[0], &r, err) < 0 ||
	    loop_replay(ctx->repo, ctx->campaign, r->number, &now, err) < 0)
		return err->code;
	print_series(r, &now);
	printf("then %s (%s), now %s (%s)%s%s: %s\n", verdict_names[now.then_verdict], reason_names[now.then_reason],
	       verdict_names[now.decision.verdict], reason_names[now.decision.reason], now.why ? ", " : "",
	       now.why ? now.why : "", now.agrees ? "agrees" : "disagrees");
	ctx->exit = now.agrees ? 0 : 1;
	return 0;
}

const struct cmd cmd_replay = {
	.name = "replay", .args = "<n>", .summary = "measure an experiment again and compare",
	.about = "Exit status 1 when the verdict or its reason comes out differently.\n",
	.min_args = 1, .max_args = 1, .needs = CMD_REPO | CMD_CAMPAIGN | CMD_HISTORY | CMD_PROGRESS, .run = replay,
};
