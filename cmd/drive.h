/*
 * drive.h - run a loop for start and resume: progress on the terminal, a line a verdict, exit status.
 */
#ifndef CMD_DRIVE_H
#define CMD_DRIVE_H

#include "cmd/cmd.h"
#include "loop/loop.h"

struct drive {
	struct loop_options loop;
	bool detach;
	bool exit_code;		/* 1 without a gain */
};

int drive(struct cmd_ctx *ctx, struct drive *d, struct err *err);

#endif
