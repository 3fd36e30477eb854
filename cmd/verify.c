/*
 * git harness verify - derive every decision again, from ledger, notes and policy.
 * Reads only, and stops at the first that does not follow: what comes behind it stands on it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "ledger/verify.h"

static void result_free(struct verify_result *r)
{
	free(r->what);
}

static int run(struct cmd_ctx *ctx, struct err *err)
{
	CLEANUP(result_free) struct verify_result r = { 0 };

	if (verify_campaign(ctx->repo, ctx->campaign, &r, err) < 0)
		return err->code;
	if (r.broken)
		return err_set(err, ERR_NEGATIVE, "%s", r.what);
	printf("%s: every decision follows (%zu records, %zu decisions, %zu notes", ctx->campaign, r.records, r.decisions, r.notes);
	if (r.signatures)
		printf(", %zu signatures", r.signatures);
	printf(")\n");
	return 0;
}

const struct cmd cmd_verify = {
	.name = "verify",
	.args = "",
	.summary = "derive every decision again from ledger, notes and policy",
	.about = "Exit status 1 and one line where something does not follow: what says so, and what it should be.",
	.needs = CMD_REPO | CMD_CAMPAIGN,
	.run = run,
};
