#include "run/reactor.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

struct watch {
	struct reactor *reactor;
	struct watch *prev, *next;
	watch_fn *fn;
	void *data;
	int fd;			/* -1: a timer */
	int64_t deadline;	/* -1: fired */
};

struct reactor {
	int epoll;
	struct watch *first;
};

int reactor_new(struct reactor **ret, struct err *err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	struct reactor *r;

	if (fd < 0)
		return err_errno(err, "cannot make an event queue");
	r = xcalloc(1, sizeof(*r));
	r->epoll = fd;
	*ret = r;
	return 0;
}

void reactor_free(struct reactor *r)
{
	if (!r)
		return;
	for (struct watch *w = r->first, *next; w; w = next) {
		next = w->next;
		watch_free(w);
	}
	close(r->epoll);
	free(r);
}

static struct watch *add(struct reactor *r, watch_fn *fn, void *data)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->reactor = r;
	w->fn = fn;
	w->data = data;
	w->fd = -1;
	w->deadline = -1;
	w->next = r->first;
	if (r->first)
		r->first->prev = w;
	r->first = w;
	return w;
}

int reactor_fd(struct reactor *r, int fd, uint32_t epoll_events, watch_fn *fn, void *data, struct watch **ret,
	       struct err *err)
{
	struct watch *w = add(r, fn, data);
	struct epoll_event ev = { .events = epoll_events, .data = { .ptr = w } };

	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		err_errno(err, "cannot watch descriptor %d", fd);
		watch_free(w);
		return err->code;
	}
	w->fd = fd;
	*ret = w;
	return 0;
}

int reactor_timer(struct reactor *r, int64_t deadline_mono_ns, watch_fn *fn, void *data, struct watch **ret,
		  struct err *err)
{
	(void)err;
	*ret = add(r, fn, data);
	(*ret)->deadline = deadline_mono_ns < 0 ? 0 : deadline_mono_ns;
	return 0;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	if (w->fd >= 0)		/* fails where the owner closed it first; then the kernel has forgotten it already */
		(void)epoll_ctl(w->reactor->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	if (w->prev)
		w->prev->next = w->next;
	else
		w->reactor->first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	free(w);
}

/* The timer that is due first; NULL: none. A handful of them live at once, so a list is enough. */
static struct watch *next_timer(struct reactor *r)
{
	struct watch *best = NULL;

	for (struct watch *w = r->first; w; w = w->next)
		if (w->fd < 0 && w->deadline >= 0 && (!best || w->deadline < best->deadline))
			best = w;
	return best;
}

static int timeout_ms(const struct watch *timer)
{
	int64_t left;

	if (!timer)
		return -1;
	left = timer->deadline - clock_mono();
	if (left <= 0)
		return 0;
	left = (left - 1) / NS_PER_MS + 1;	/* up: waking early would spin */
	return left > INT_MAX ? INT_MAX : (int)left;
}

static bool watches_descriptors(const struct reactor *r)
{
	for (const struct watch *w = r->first; w; w = w->next)
		if (w->fd >= 0)
			return true;
	return false;
}

/* One event at a time: a callback may free any watch, and a second event of the same batch could be one of them. */
static int step(struct reactor *r, struct err *err)
{
	struct watch *timer = next_timer(r);
	struct epoll_event ev;
	int n;

	if (!timer && !watches_descriptors(r))
		return err_set(err, ERR_BUG, "nothing to wait for");
	n = epoll_wait(r->epoll, &ev, 1, timeout_ms(timer));
	if (n < 0)
		return errno == EINTR ? 0 : err_errno(err, "cannot wait for events");
	/* A due timer goes first, or a descriptor that is always ready would starve it. */
	if (timer && timer->deadline <= clock_mono()) {
		timer->deadline = -1;
		return timer->fn(timer->data, err);
	}
	if (n == 1) {
		struct watch *w = ev.data.ptr;

		return w->fn(w->data, err);
	}
	return 0;
}

int reactor_run(struct reactor *r, const bool *stop, struct err *err)
{
	while (!*stop) {
		int ret = step(r, err);

		if (ret < 0)
			return ret;
	}
	return 0;
}
