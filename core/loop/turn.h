/*
 * turn.h - who may measure now. `exclusive: true` on a stage: nothing else is measured meanwhile.
 * First come, first served: whoever waits to be alone is not overtaken by those that could still share. Agents that propose take no turn.
 *
 * A turn is taken in front of execute or of a stage and dropped behind it; fn starts the work, now or later from the reactor.
 */
#ifndef LOOP_TURN_H
#define LOOP_TURN_H

#include <stddef.h>

#include "run/reactor.h"

struct turn {
	struct turn *next;	/* in the queue */
	bool exclusive, held, queued;
	watch_fn *fn;
	void *data;
};

struct turns {
	struct reactor *reactor;
	struct turn *first, *last;
	size_t held;
	bool alone;		/* an exclusive one is held */
	struct watch *due;
};

int turn_take(struct turns *ts, struct turn *t, bool exclusive, watch_fn *fn, void *data, struct err *err);
/* Accepts one that is not taken. */
void turn_drop(struct turns *ts, struct turn *t);
void turns_clear(struct turns *ts);

#endif
