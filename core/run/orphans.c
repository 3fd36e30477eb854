#include "run/orphans.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "run/proc.h"

#define PATIENCE (10 * NS_PER_S)

/* Our own children from before, and the supervisors that run. */
static struct {
	pid_t *v;
	size_t n, alloc;
	size_t supervisors;
} ours;

static bool is_ours(pid_t pid)
{
	for (size_t i = 0; i < ours.n; i++)
		if (ours.v[i] == pid)
			return true;
	return false;
}

void orphans_expect(pid_t supervisor)
{
	GROW(ours.v, ours.n, ours.alloc);
	ours.v[ours.n++] = supervisor;
	ours.supervisors++;
}

void orphans_forget(pid_t supervisor)
{
	for (size_t i = 0; i < ours.n; i++) {
		if (ours.v[i] != supervisor)
			continue;
		ours.v[i] = ours.v[--ours.n];
		ours.supervisors--;
		return;
	}
}

static pid_t *own_children(size_t *n)
{
	pid_t *list = xmalloc(PROC_MAX * sizeof(*list));

	*n = proc_children(getpid(), list, PROC_MAX);
	return list;
}

int orphans_adopt(struct err *err)
{
	struct sigaction sa;
	AUTOFREE pid_t *list = NULL;
	size_t n;

	if (ours.supervisors)
		return 0;
	if (!proc_readable())
		return err_set(err, ERR_IO, "cannot read /proc: processes could not be ended");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_errno(err, "cannot become a subreaper");
	/* Whoever started the harness may have left SIGCHLD ignored; then no child's end could be learnt. */
	if (!sigaction(SIGCHLD, NULL, &sa) && sa.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
	ours.n = 0;
	list = own_children(&n);
	for (size_t i = 0; i < n; i++) {
		GROW(ours.v, ours.n, ours.alloc);
		ours.v[ours.n++] = list[i];
	}
	return 0;
}

static void reap(pid_t pid, struct orphans_ended *ret)
{
	struct rusage ru;
	int64_t rss;

	if (wait4(pid, NULL, WNOHANG | __WALL, &ru) != pid)
		return;
	ret->n++;
	ret->cpu += ((int64_t)ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * NS_PER_S +
		    ((int64_t)ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000;
	rss = (int64_t)ru.ru_maxrss * 1024;
	if (rss > ret->maxrss)
		ret->maxrss = rss;
}

/* One pass over our children; returns one that is not ours and was there, 0: none. */
static pid_t end_some(struct orphans_ended *ret)
{
	size_t n;
	AUTOFREE pid_t *list = own_children(&n);
	pid_t one = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_ours(list[i]))
			continue;
		one = list[i];
		kill(one, SIGKILL);
		reap(one, ret);
	}
	return one;
}

int orphans_end(struct orphans_ended *ret, struct err *err)
{
	const struct timespec moment = { .tv_nsec = 200000 };
	int64_t until = clock_mono() + PATIENCE;
	pid_t left = 0;

	/* Twice nothing: what a dying process leaves is handed to us before it can be reaped, but a listing is not atomic. */
	for (int quiet = 0; quiet < 2;) {
		int64_t before = ret->n;

		left = end_some(ret);
		quiet = left ? 0 : quiet + 1;
		if (left && clock_mono() > until)
			return err_set(err, ERR_IO, "cannot end process %d", (int)left);
		if (left && ret->n == before)
			nanosleep(&moment, NULL);
	}
	return 0;
}
