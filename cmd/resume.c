/*
 * git harness resume - go on after a stop, a crash, an approval or a change of policy.
 * What the journal holds of an open experiment is not asked for, run or measured again.
 */
#include "cmd/cmd.h"
#include "cmd/drive.h"

struct options {
	int number;
	bool detach;
	bool adopt_policy;
};

static const struct opt options[] = {
	INT('n', "number", struct options, number, "<experiments>", "at most that many in this session"),
	FLAG(0, "detach", struct options, detach, "go on without the terminal"),
	FLAG(0, "adopt-policy", struct options, adopt_policy, "take HEAD's harness.yaml from here on; recorded with your name"),
	END,
};

static int resume(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	struct drive d = {
		.loop = { .command = "resume", .max_experiments = o->number, .must_exist = true,
			  .adopt_policy = o->adopt_policy },
		.detach = o->detach,
	};

	return drive(ctx, &d, err);
}

const struct cmd cmd_resume = {
	.name = "resume", .args = "", .summary = "go on after a stop, a crash, an approval or a change of policy",
	.opts = options, .opts_size = sizeof(struct options), .max_args = 0,
	.needs = CMD_REPO | CMD_CAMPAIGN | CMD_PROGRESS, .run = resume,
};
