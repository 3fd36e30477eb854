/*
 * answer.h - what approve, deny and rollback share: a request in the person's name, done by the running loop or here.
 */
#ifndef CMD_ANSWER_H
#define CMD_ANSWER_H

#include "cmd/cmd.h"

/* number -1: none. why may be NULL. Prints what was done. */
int answer_send(struct cmd_ctx *ctx, const char *ask, int number, const char *why, struct err *err);

#endif
