/*
 * command.c - an agent that is a program: the loop runs it in a workspace and harvests what it changed.
 */
#include "agent/kind.h"

#include <stdlib.h>

#include "base/mem.h"

static int command_propose(struct agent *a, const struct ask *ask, struct proposal *ret, struct err *err)
{
	(void)a;
	(void)ask;
	(void)err;
	ret->kind = PROPOSAL_PROCESS;
	return 0;
}

static void command_free(struct agent *a)
{
	free(a);
}

int command_open(struct agent **ret)
{
	struct agent *a = xcalloc(1, sizeof(*a));

	*a = (struct agent){ .name = "command", .propose = command_propose, .free = command_free };
	*ret = a;
	return 0;
}
