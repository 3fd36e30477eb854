#include "loop/turn.h"

static bool admits(const struct turns *ts, const struct turn *t)
{
	return !ts->held || (!t->exclusive && !ts->alone);
}

static int give(struct turns *ts, struct turn *t, struct err *err)
{
	t->held = true;
	ts->held++;
	ts->alone = t->exclusive;
	return t->fn(t->data, err);
}

int turn_take(struct turns *ts, struct turn *t, bool exclusive, watch_fn *fn, void *data, struct err *err)
{
	*t = (struct turn){ .exclusive = exclusive, .fn = fn, .data = data };
	if (!ts->first && admits(ts, t))
		return give(ts, t, err);
	t->queued = true;
	if (ts->first)
		ts->last->next = t;
	else
		ts->first = t;
	ts->last = t;
	return 0;
}

static void unqueue(struct turns *ts, struct turn *t)
{
	struct turn *before = NULL;

	for (struct turn *at = ts->first; at != t; at = at->next)
		before = at;
	if (before)
		before->next = t->next;
	else
		ts->first = t->next;
	if (ts->last == t)
		ts->last = before;
	t->next = NULL;
	t->queued = false;
}

/* From the reactor, on an empty stack: who is let in may run into an end of its own at once. */
static int let_in(void *data, struct err *err)
{
	struct turns *ts = data;
	int rc = 0;

	watch_free(ts->due);
	ts->due = NULL;
	while (ts->first && admits(ts, ts->first) && rc >= 0) {
		struct turn *t = ts->first;

		unqueue(ts, t);
		rc = give(ts, t, err);
	}
	return rc;
}

void turn_drop(struct turns *ts, struct turn *t)
{
	struct err never;	/* a timer takes memory only */

	if (!t->held && !t->queued)
		return;
	if (t->queued)
		unqueue(ts, t);
	if (t->held) {
		t->held = false;
		ts->held--;
		ts->alone = false;
	}
	if (ts->first && !ts->due)
		(void)reactor_timer(ts->reactor, 0, let_in, ts, &ts->due, &never);
}

void turns_clear(struct turns *ts)
{
	watch_free(ts->due);
	ts->due = NULL;
}
