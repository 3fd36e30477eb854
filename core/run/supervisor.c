#include "run/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/proc.h"

/* Descriptors in the supervisor; the first four are the command's own. */
enum { FD_CTL = 4, FD_READY, FD_HOLD, FD_END };

enum phase { RUNNING, TERMINATING, KILLING, ENDED };

struct state {
	const struct supervise *spec;
	enum phase phase;
	pid_t worker;
	int64_t started;
	int64_t deadline;	/* of the phase; INT64_MAX: none */
	bool worker_ended;
	bool init;		/* process 1 of a namespace: "everything" is the tree */
	struct supervised told;
};

static _Noreturn void tell_failed(int to, const char *step)
{
	struct set_up f = { .error = errno };

	strncpy(f.step, step, sizeof(f.step) - 1);
	if (write(to, &f, sizeof(f)) < 0)
		_exit(126);
	_exit(127);
}

static _Noreturn void set_up_failed(const char *step)
{
	tell_failed(FD_READY, step);
}

static void furnish(const struct sandbox_op *op)
{
	static struct sandbox_state s;

	if (sandbox_apply(op, 1, &s) < 0) {
		errno = s.failed.error;
		set_up_failed(s.failed.step);
	}
}

static int64_t later(int64_t now, int64_t span)
{
	return span > INT64_MAX - now ? INT64_MAX : now + span;
}

/* First all out of the way of the numbers they are to have, then to those numbers. */
static void place_descriptors(const struct supervise *s)
{
	int from[FD_END] = { s->in, s->out, s->err, s->metrics, s->ctl, s->ready, s->hold };
	unsigned int first = FD_END;

	for (int i = 0; i < FD_END; i++) {
		if (from[i] < 0)
			continue;
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FD_END);
		if (from[i] < 0)
			_exit(126);
	}
	for (int i = 0; i < FD_END; i++) {
		if (from[i] < 0)
			close(i);
		else if (dup3(from[i], i, i < FD_CTL ? 0 : O_CLOEXEC) < 0)
			_exit(126);
	}
	/* The campaign's lock, the epoll, other tasks' pipes: nothing of the harness lives on in here. */
	if (close_range(first, ~0U, 0) < 0)
		for (int fd = FD_END; fd < 65536; fd++)
			close(fd);
}

static void no_op(int sig)
{
	(void)sig;
}

static void become_supervisor(const struct supervise *s)
{
	struct sigaction sa = { .sa_handler = no_op };

	place_descriptors(s);
	if (s->enclosure)
		furnish(&(struct sandbox_op){ .kind = SANDBOX_PROC });
	setsid();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		set_up_failed("subreaper");
	prctl(PR_SET_NAME, "harness-keeper", 0, 0, 0);
	/* The command runs under the same user: it must not trace us or reopen our descriptors. Its own exec undoes this for it. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	sigaction(SIGCHLD, &sa, NULL);	/* not ignored: children of an ignorer vanish unreaped */
	if (chdir("/") < 0)
		set_up_failed("chdir");
}

static void signals_as_new(void)
{
	sigset_t none;

	/* By the system call: libc keeps two real-time signals to itself, which some starters leave ignored. */
	for (int sig = 1; sig < NSIG; sig++)
		syscall(SYS_rt_sigaction, sig, (const uint64_t[4]){ 0 }, NULL, sizeof(uint64_t));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void work(const struct supervise *s, pid_t supervisor)
{
	const struct rlimit no_core = { 0, 0 };
	char *const argv[] = { "sh", "-c", (char *)(uintptr_t)s->command, NULL };

	setsid();		/* no terminal to read from or to write into */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != supervisor)
		_exit(127);
	setrlimit(RLIMIT_CORE, &no_core);
	/* A set-user-id program would be out of reach of our signals, and outlive its budget; capabilities could unmount. */
	if (s->enclosure)
		furnish(&(struct sandbox_op){ .kind = SANDBOX_DROP });
	else if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		set_up_failed("no_new_privs");
	if (s->dir && chdir(s->dir) < 0)
		set_up_failed("chdir");
	signals_as_new();
	execve("/bin/sh", argv, s->envp);
	set_up_failed("exec /bin/sh");
}

static void start_worker(struct state *st)
{
	pid_t self = getpid();

	st->started = clock_mono();
	st->deadline = st->spec->wall > 0 ? later(st->started, st->spec->wall) : INT64_MAX;
	st->worker = fork();
	if (st->worker < 0)
		set_up_failed("fork");
	if (!st->worker)
		work(st->spec, self);
	for (int fd = 0; fd < FD_CTL; fd++)	/* or the pipes would stay open with us */
		close(fd);
	close(FD_READY);
}

static void reap_one(struct state *st, pid_t pid, int status)
{
	if (pid == st->worker) {
		st->worker_ended = true;
		st->told.status = status;
		st->told.wall = clock_mono() - st->started;
	} else if (st->phase == KILLING && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
		st->told.killed++;
	}
}

/* How many were reaped; -1: there is no child left. */
static int reap(struct state *st)
{
	int status, n = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		reap_one(st, pid, status);
		n++;
	}
	return pid < 0 && errno == ECHILD ? -1 : n;
}

static void signal_all(const struct state *st, int sig)
{
	static pid_t found[PROC_MAX];
	size_t n = st->init ? 0 : proc_descendants(getpid(), found, PROC_MAX);

	if (st->init) {
		kill(-1, sig);
		if (sig == SIGTERM)
			kill(-1, SIGCONT);
	}
	for (size_t i = 0; i < n; i++) {
		kill(found[i], sig);
		if (sig == SIGTERM)
			kill(found[i], SIGCONT);	/* a stopped one could not act on it */
	}
}

static void kill_children(void)
{
	static pid_t found[PROC_MAX];
	size_t n = proc_children(getpid(), found, PROC_MAX);

	for (size_t i = 0; i < n; i++)
		kill(found[i], SIGKILL);
}

/*
 * What a dead process leaves becomes our child, so killing children again and again reaches everything. A process that forks and
 * exits faster than the whole tree can be read is only caught by the short pass; a wide tree is ended by the long one.
 */
static void kill_tree(struct state *st)
{
	const struct timespec moment = { .tv_nsec = 500000 };
	sigset_t child;
	int n;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (unsigned int round = 0; (n = reap(st)) >= 0; round++) {
		if (round % 8 == 0 || st->init)
			signal_all(st, SIGKILL);
		else
			kill_children();
		if (!n && round)	/* killed, but not dead yet: in the kernel, or waiting for a processor */
			sigtimedwait(&child, NULL, &moment);
	}
}

static void enter(struct state *st, enum phase phase)
{
	st->phase = phase;
	if (phase == TERMINATING) {
		st->deadline = later(clock_mono(), st->spec->grace);
		signal_all(st, SIGTERM);
	} else if (phase == KILLING) {
		kill_tree(st);
		st->phase = ENDED;
	}
}

/* A word from the harness, or its death. */
static void listen_to_harness(struct state *st)
{
	char word = SUPERVISE_KILL;
	ssize_t n = recv(FD_CTL, &word, 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		word = SUPERVISE_KILL;
	st->told.cancelled = !st->told.timed_out;
	if (word == SUPERVISE_KILL)
		enter(st, KILLING);
	else if (st->phase == RUNNING)
		enter(st, TERMINATING);
}

static void wait_for_something(struct state *st)
{
	struct pollfd p = { .fd = FD_CTL, .events = POLLIN };
	int64_t left = st->deadline == INT64_MAX ? INT64_MAX : st->deadline - clock_mono();
	struct timespec ts = { 0 };
	sigset_t but_child;

	if (left > 0) {
		ts.tv_sec = left / NS_PER_S;
		ts.tv_nsec = left % NS_PER_S;
	}
	sigfillset(&but_child);
	sigdelset(&but_child, SIGCHLD);
	if (ppoll(&p, 1, &ts, &but_child) > 0)
		listen_to_harness(st);
}

/* Reaping comes first: a command that ended just before its deadline was in time. */
static void step(struct state *st)
{
	int n = reap(st);

	if (n < 0)
		st->phase = ENDED;
	else if (st->phase == RUNNING && st->worker_ended)
		enter(st, KILLING);
	else if (clock_mono() < st->deadline)
		wait_for_something(st);
	else if (st->phase == TERMINATING)
		enter(st, KILLING);
	else {
		st->told.timed_out = true;
		enter(st, TERMINATING);
	}
}

static void tell(struct state *st)
{
	struct rusage ru;

	if (!getrusage(RUSAGE_CHILDREN, &ru)) {
		st->told.cpu = ((int64_t)ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * NS_PER_S +
			       ((int64_t)ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000;
		st->told.maxrss = (int64_t)ru.ru_maxrss * 1024;
	}
	(void)send(FD_CTL, &st->told, sizeof(st->told), MSG_NOSIGNAL | MSG_DONTWAIT);
}

_Noreturn void supervise(const struct supervise *s)
{
	struct state st = { .spec = s, .init = s->enclosure != NULL };
	const char *failed;

	if (s->enclosure && sandbox_enter(s->enclosure, s->tell, &failed) < 0)
		tell_failed(s->ready, failed);
	become_supervisor(s);
	start_worker(&st);
	while (st.phase != ENDED)
		step(&st);
	tell(&st);
	_exit(0);
}
