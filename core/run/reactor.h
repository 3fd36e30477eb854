/*
 * reactor.h - the one epoll: descriptors and timers to callbacks.
 * Single-threaded. A callback's error ends reactor_run() with it. Callbacks may add and remove anything, themselves included.
 */
#ifndef RUN_REACTOR_H
#define RUN_REACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct reactor;
struct watch;	/* one descriptor or one timer */

typedef int watch_fn(void *data, struct err *err);

int reactor_new(struct reactor **ret, struct err *err);
void reactor_free(struct reactor *r);	/* watches too; descriptors stay the caller's */
int reactor_fd(struct reactor *r, int fd, uint32_t epoll_events, watch_fn *fn, void *data, struct watch **ret, struct err *err);
int reactor_timer(struct reactor *r, int64_t deadline_mono_ns, watch_fn *fn, void *data, struct watch **ret, struct err *err);
void watch_free(struct watch *w);	/* accepts NULL; a timer that fired is freed by its callback's owner all the same */
/* Until `*stop` is true after a callback (or before the first wait). */
int reactor_run(struct reactor *r, const bool *stop, struct err *err);

#endif
