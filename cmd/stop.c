/*
 * git harness stop - ask the running loop to end.
 * The loop answers when it has heard, not when it has ended: `status --watch` shows the end.
 */
#include <string.h>

#include "base/logfmt.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "loop/loop.h"
#include "ledger/lock.h"

struct options {
	bool now, discard;
};

static const struct opt options[] = {
	FLAG(0, "now", struct options, now, "end the running step; the open experiment is kept for resume"),
	FLAG(0, "discard", struct options, discard, "with --now: record the open experiment as interrupted"),
	END,
};

static int nobody(const struct cmd_ctx *ctx, const struct options *o, struct err *err)
{
	STR numbers = STR_INIT;

	if (!o->discard) {
		printf("no loop is running for campaign '%s'\n", ctx->campaign);
		return 0;
	}
	if (loop_discard(ctx->repo, ctx->campaign, &numbers, err) < 0)
		return err->code;
	if (!numbers.len)
		printf("no loop is running for campaign '%s', and no experiment is open\n", ctx->campaign);
	else if (strchr(numbers.buf, ','))
		printf("experiments %s are recorded as interrupted\n", numbers.buf);
	else
		printf("experiment %s is recorded as interrupted\n", numbers.buf);
	return 0;
}

static int run(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	EVENT owner = { 0 }, request = { 0 }, answer = { 0 };
	const char *message;
	bool held;

	if (o->discard && !o->now)
		return err_set(err, ERR_USAGE, "--discard goes with --now");
	if (lock_owner(ctx->state_dir, &held, &owner, err) < 0)
		return err->code;
	if (!held)
		return nobody(ctx, o, err);
	event_add(&request, "ask", "stop");
	event_add_int(&request, "now", o->now);
	event_add_int(&request, "discard", o->discard);
	if (inbox_ask(ctx->state_dir, &request, &answer, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err->code;
		printf("the loop of campaign '%s' ended meanwhile\n", ctx->campaign);
		return 0;
	}
	message = event_get(&answer, "message");
	if (!event_is(&answer, "status", "ok"))
		return err_set(err, ERR_REFUSED, "%s", message ? message : "the loop does not stop and does not say why");
	printf("%s\n", message ? message : "stopping");
	return 0;
}

const struct cmd cmd_stop = {
	.name = "stop",
	.args = "",
	.summary = "ask the running loop to end after this experiment, or at once",
	.opts = options,
	.opts_size = sizeof(struct options),
	.needs = CMD_REPO | CMD_CAMPAIGN,
	.run = run,
};
