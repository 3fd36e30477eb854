/*
 * kind.h - what agent.c and the kinds of agent share.
 * Each kind embeds struct agent first and fills in its two functions.
 */
#ifndef AGENT_KIND_H
#define AGENT_KIND_H

#include "agent/agent.h"

struct agent {
	const char *name;	/* static text */
	int (*propose)(struct agent *a, const struct ask *ask, struct proposal *ret, struct err *err);
	void (*free)(struct agent *a);
};

int command_open(struct agent **ret);
int tune_open(struct repo *repo, const struct policy *policy, const struct oid *start, struct agent **ret, struct err *err);
int patches_open(struct repo *repo, const struct policy *policy, const struct oid *start, struct agent **ret, struct err *err);

#endif
