/*
 * supervisor.h - the process between the harness and a command.
 * Forked from the harness, never exec'd: it must not depend on a binary that an experiment may have replaced. All of it runs after a
 * fork, so it allocates nothing. With an enclosure it becomes process 1 of a pid namespace in there: nothing can leave its tree, and its
 * death is the death of all. It closes every descriptor but the ones named here, becomes a session of its own (a terminal's
 * SIGINT is not for it) and a subreaper (daemons cannot leave), and tells one struct supervised over `ctl` before it exits.
 */
#ifndef RUN_SUPERVISOR_H
#define RUN_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "run/sandbox.h"

/* What the harness says on ctl; its end closing means SUPERVISE_KILL. */
#define SUPERVISE_TERM 'T'	/* TERM to all, grace, KILL to all */
#define SUPERVISE_KILL 'K'

struct supervise {
	const char *command;
	char *const *envp;
	const char *dir;
	int in, out, err;
	int metrics;		/* -1: none; becomes SUPERVISE_METRICS_FD in the command */
	int ctl;		/* SOCK_SEQPACKET */
	int ready;		/* a struct set_up is written here when the command could not be started; else closed by exec */
	int hold;		/* stays open until the whole tree is dead; -1: none */
	int64_t wall, grace;	/* ns; wall <= 0: none */
	const struct enclosure *enclosure;	/* NULL: where the harness is */
	int tell;		/* with an enclosure: the supervisor's number is written here, and the first process exits */
};
#define SUPERVISE_METRICS_FD 3

struct set_up {			/* a step that failed */
	char step[24];
	int error;		/* errno */
};

struct supervised {
	int status;		/* of the command, as wait(2) gives it */
	bool timed_out, cancelled;
	int64_t wall, cpu, maxrss, killed;
};

/* The child's side; returns never. All signals must be blocked by the caller before the fork. */
_Noreturn void supervise(const struct supervise *s);

#endif
