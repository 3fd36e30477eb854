/*
 * orphans.h - processes that lost their supervisor.
 * The harness is a subreaper itself: when an experiment kills its supervisor, the rest of that tree becomes the harness's own
 * children. They are told from the harness's other children by having not been there before the first task, and by being no
 * supervisor; programs that the harness runs itself (git) are waited for before anyone looks here.
 */
#ifndef RUN_ORPHANS_H
#define RUN_ORPHANS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct orphans_ended {
	int64_t n;		/* processes killed */
	int64_t cpu, maxrss;	/* ns of all, bytes of the largest */
};

/* Before a supervisor is forked: become a subreaper and remember which children are the harness's own. ERR_IO without /proc. */
int orphans_adopt(struct err *err);
void orphans_expect(pid_t supervisor);
void orphans_forget(pid_t supervisor);
/* Kill and reap until none is left. ERR_IO names one that does not end within seconds. */
int orphans_end(struct orphans_ended *ret, struct err *err);

#endif
