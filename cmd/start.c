/*
 * git harness start - run the loop to its end.
 * A new campaign begins at HEAD, by HEAD's policy; an existing one goes on where it stands.
 */
#include "cmd/cmd.h"
#include "cmd/drive.h"

struct options {
	int number;
	bool detach;
	bool advance;
	bool exit_code;
};

static const struct opt options[] = {
	INT('n', "number", struct options, number, "<experiments>", "at most that many in this session"),
	FLAG(0, "detach", struct options, detach, "go on without the terminal"),
	FLAG(0, "advance", struct options, advance, "measure HEAD anew and go on from there, where it holds what best has"),
	FLAG(0, "exit-code", struct options, exit_code, "exit with 1 when nothing was gained"),
	END,
};

static int start(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	struct drive d = {
		.loop = { .command = "start", .max_experiments = o->number, .advance = o->advance },
		.detach = o->detach, .exit_code = o->exit_code,
	};

	return drive(ctx, &d, err);
}

const struct cmd cmd_start = {
	.name = "start", .args = "", .summary = "run the loop to its end; on an existing campaign: go on",
	.about = "Runs what the committed harness.yaml names, as make would. Ctrl-C ends the running step and keeps the open\n"
		 "experiment for `git harness resume`; a second Ctrl-C ends at once.\n",
	.opts = options, .opts_size = sizeof(struct options), .max_args = 0,
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_PROGRESS, .run = start,
};
