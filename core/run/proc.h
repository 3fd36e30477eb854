/*
 * proc.h - who descends from whom, read from /proc.
 * Allocates nothing and calls only what is safe after a fork, because the supervisor uses it. A listing is a moment's: callers loop
 * until waiting says that nothing is left.
 */
#ifndef RUN_PROC_H
#define RUN_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROC_MAX 16384		/* processes looked at in one pass; more are met in the next one */

bool proc_readable(void);	/* is there a /proc that tells children? */
/* Children of `pid` (of all its threads). */
size_t proc_children(pid_t pid, pid_t *ret, size_t max);
/* All below `root`, parents before their children; root itself is not among them. */
size_t proc_descendants(pid_t root, pid_t *ret, size_t max);

#endif
