#include "run/task.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "run/orphans.h"
#include "run/proc.h"
#include "run/supervisor.h"

#define GRACE (5 * NS_PER_S)
#define SLACK (10 * NS_PER_S)	/* for a supervisor to do what it should have done */
#define CHUNK ((size_t)64 * 1024)

struct stream {
	struct task *task;
	enum task_stream which;
	int fd;
	struct watch *watch;
};

struct task {
	struct reactor *reactor;
	task_fn *fn;
	void *data;
	task_sink *sink;
	void *sink_data;
	struct stream streams[3];
	struct capture capture;
	pid_t pid;		/* the supervisor; 0: reaped */
	int pidfd, ctl;
	struct watch *end, *dog;
	int64_t started, grace;
	int64_t wall_ends;	/* INT64_MAX: never */
	int64_t too_late;	/* the supervisor should be gone by then */
	bool asked;		/* task_cancel() was called */
};

static int held = -1;

void task_hold(int fd)
{
	held = fd;
}

static int64_t later(int64_t now, int64_t span)
{
	return span > INT64_MAX - now ? INT64_MAX : now + span;
}

/* Only the child's ends; the harness's own are made by make_pipes(). */
struct ends {
	int in, stream[3], ctl, ready, ready_read;
};

static void ends_close(struct ends *e)
{
	int all[] = { e->in, e->stream[0], e->stream[1], e->stream[2], e->ctl, e->ready, e->ready_read };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] >= 0)
			close(all[i]);
}

static int write_input(int fd, const struct task_spec *spec, struct err *err)
{
	if (io_write_fd(fd, spec->in, spec->in_len, err) < 0)
		return err_wrap(err, "cannot write the standard input of a command");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, "cannot rewind the standard input of a command");
	return 0;
}

/* An unnamed file: no pipe that the command could leave full, and us waiting. */
static int input(const struct task_spec *spec, struct err *err)
{
	int fd;

	if (!spec->in) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? err_errno(err, "cannot open /dev/null") : fd;
	}
	fd = memfd_create("stdin", MFD_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot make the standard input of a command");
	if (write_input(fd, spec, err) < 0) {
		close(fd);
		return err->code;
	}
	return fd;
}

static int make_pipes(struct task *t, const struct task_spec *spec, struct ends *e, struct err *err)
{
	int fds[2];

	e->in = input(spec, err);
	if (e->in < 0)
		return err->code;
	for (int i = 0; i < 3; i++) {
		if (i == TASK_METRICS && !spec->metrics_fd)
			continue;
		if (pipe2(fds, O_CLOEXEC) < 0)
			return err_errno(err, "cannot make a pipe");
		t->streams[i].fd = fds[0];
		e->stream[i] = fds[1];
		if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)	/* our end alone: the command's stays as it expects */
			return err_errno(err, "cannot make a pipe");
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno(err, "cannot make a socket pair");
	t->ctl = fds[0];
	e->ctl = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "cannot make a pipe");
	e->ready_read = fds[0];
	e->ready = fds[1];
	return 0;
}

static void environment(const struct task_spec *spec, struct strs *ret)
{
	for (size_t i = 0; spec->env && i < spec->env->n; i++)
		strs_add(ret, spec->env->v[i]);
	if (spec->metrics_fd)
		strs_addf(ret, "GIT_HARNESS_METRICS_FD=%d", SUPERVISE_METRICS_FD);
}

static int entry_pipe(int *ret_read, int *ret_write, struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "cannot make a pipe");
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

/* The process we forked went in and left another in its place: that one is our child as well, and the supervisor. 0: it failed. */
static void await_entry(struct task *t, int from)
{
	pid_t entered = 0;
	ssize_t n;

	do
		n = read(from, &entered, sizeof(entered));
	while (n < 0 && errno == EINTR);
	while (waitpid(t->pid, NULL, 0) < 0 && errno == EINTR)
		;
	t->pid = n == (ssize_t)sizeof(entered) ? entered : 0;
}

/* Signals stay blocked across the fork: a handler of the harness must never run in the child. */
static int fork_supervisor(struct task *t, const struct task_spec *spec, const struct ends *e, struct err *err)
{
	CLEANUP(strs_free) struct strs env = { 0 };
	char *none[] = { NULL };
	struct supervise s = {
		.command = spec->command, .dir = spec->dir, .in = e->in, .out = e->stream[TASK_OUT],
		.err = e->stream[TASK_ERR], .metrics = e->stream[TASK_METRICS], .ctl = e->ctl, .ready = e->ready,
		.hold = held, .wall = spec->wall, .grace = t->grace, .enclosure = spec->enclosure, .tell = -1,
	};
	AUTOCLOSE int entered = -1;
	sigset_t all, old;

	environment(spec, &env);
	s.envp = env.n ? env.v : none;
	if (s.enclosure && entry_pipe(&entered, &s.tell, err) < 0)
		return err->code;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	t->pid = fork();
	if (!t->pid)
		supervise(&s);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (s.tell >= 0)
		close(s.tell);
	if (t->pid < 0) {
		t->pid = 0;
		return err_errno(err, "cannot start a process");
	}
	if (s.enclosure)
		await_entry(t, entered);
	if (!t->pid)	/* why not is in the ready pipe */
		return 0;
	orphans_expect(t->pid);
	t->pidfd = pidfd_open(t->pid, 0);
	return t->pidfd < 0 ? err_errno(err, "cannot watch process %d", (int)t->pid) : 0;
}

/* Waits for the command's exec, a millisecond: afterwards a failed set-up cannot be mistaken for a failed command. */
static int await_start(struct ends *e, struct err *err)
{
	struct set_up f;
	ssize_t n;

	close(e->ready);
	e->ready = -1;
	do
		n = read(e->ready_read, &f, sizeof(f));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(f))
		return 0;
	f.step[sizeof(f.step) - 1] = '\0';
	errno = f.error;
	return err_errno(err, "cannot start a command: step '%s'", f.step);
}

static void deliver(struct stream *s, const char *ptr, size_t len)
{
	if (s->which != TASK_METRICS)
		capture_add(&s->task->capture, ptr, len);
	if (s->task->sink)
		s->task->sink(s->task->sink_data, s->which, ptr, len);
}

static void stream_close(struct stream *s)
{
	watch_free(s->watch);
	s->watch = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* At most `max` bytes, then other descriptors have their turn. */
static void stream_read(struct stream *s, size_t max)
{
	static char buf[CHUNK];

	for (size_t done = 0; done < max;) {
		ssize_t n = read(s->fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			stream_close(s);
			return;
		}
		deliver(s, buf, (size_t)n);
		done += (size_t)n;
	}
}

static int on_output(void *data, struct err *err)
{
	(void)err;
	stream_read(data, 4 * CHUNK);
	return 0;
}

/*
 * The tree is dead, so what is in the pipes is all there will be. Not "until end of file": a descriptor could have been handed to a
 * process outside the tree, which would hold it open or go on writing; a pipe's size is as much as the dead can have left.
 */
static void drain(struct task *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(t->streams); i++) {
		struct stream *s = &t->streams[i];
		int size = s->fd >= 0 ? fcntl(s->fd, F_GETPIPE_SZ) : 0;

		if (s->fd >= 0)
			stream_read(s, size > 0 ? (size_t)size : CHUNK);
		stream_close(s);
	}
}

static void reap_supervisor(struct task *t)
{
	while (waitpid(t->pid, NULL, 0) < 0 && errno == EINTR)
		;
	orphans_forget(t->pid);
	t->pid = 0;
}

/* Killed by its own charge, or by us because it did not act: what it kept is ours now, and must still end. */
static int end_orphans(struct task *t, struct task_end *end, struct err *err)
{
	struct orphans_ended ended = { 0 };

	*end = (struct task_end){ .exit = 128 + SIGKILL, .signal = SIGKILL };
	end->timed_out = clock_mono() >= t->wall_ends;
	end->cancelled = t->asked && !end->timed_out;
	if (orphans_end(&ended, err) < 0)
		return err->code;
	end->wall = clock_mono() - t->started;
	end->cpu = ended.cpu;
	end->maxrss = ended.maxrss;
	end->killed = ended.n;
	return 0;
}

/* A word of ours that it had not read when it ended makes the first recv fail (ECONNRESET); what it told stands behind that. */
static bool was_told(const struct task *t, struct supervised *ret)
{
	for (int i = 0; i < 2; i++) {
		ssize_t n = recv(t->ctl, ret, sizeof(*ret), MSG_DONTWAIT);

		if (n >= 0 || errno != ECONNRESET)
			return n == (ssize_t)sizeof(*ret);
	}
	return false;
}

static int conclude(struct task *t, struct task_end *end, struct err *err)
{
	struct supervised told;

	reap_supervisor(t);
	if (!was_told(t, &told))
		return end_orphans(t, end, err);
	*end = (struct task_end){
		.timed_out = told.timed_out, .cancelled = told.cancelled, .wall = told.wall, .cpu = told.cpu,
		.maxrss = told.maxrss, .killed = told.killed,
	};
	if (WIFSIGNALED(told.status)) {
		end->signal = WTERMSIG(told.status);
		end->exit = 128 + end->signal;
	} else {
		end->exit = WEXITSTATUS(told.status);
	}
	return 0;
}

static int on_end(void *data, struct err *err)
{
	struct task *t = data;
	struct task_end end;

	watch_free(t->end);
	watch_free(t->dog);
	t->end = t->dog = NULL;
	if (conclude(t, &end, err) < 0)
		return err->code;
	drain(t);
	return t->fn(t->data, t, &end, err);	/* may free t */
}

static int set_dog(struct task *t, struct err *err);

/* A command under our user can stop or starve its supervisor; then the harness does the work itself. */
static int on_dog(void *data, struct err *err)
{
	struct task *t = data;
	siginfo_t si = { 0 };

	watch_free(t->dog);
	t->dog = NULL;
	if (waitid(P_PID, (id_t)t->pid, &si, WSTOPPED | WNOHANG | WNOWAIT) < 0)
		si.si_pid = 0;
	if (si.si_pid || clock_mono() >= t->too_late)
		(void)pidfd_send_signal(t->pidfd, SIGKILL, NULL, 0);
	return set_dog(t, err);
}

static int set_dog(struct task *t, struct err *err)
{
	return reactor_timer(t->reactor, clock_mono() + NS_PER_S, on_dog, t, &t->dog, err);
}

static int watch_all(struct task *t, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(t->streams); i++) {
		struct stream *s = &t->streams[i];

		if (s->fd >= 0 && reactor_fd(t->reactor, s->fd, EPOLLIN, on_output, s, &s->watch, err) < 0)
			return err->code;
	}
	if (reactor_fd(t->reactor, t->pidfd, EPOLLIN, on_end, t, &t->end, err) < 0)
		return err->code;
	return set_dog(t, err);
}

static struct task *task_new(struct reactor *r, const struct task_spec *spec, task_fn *fn, void *data)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->reactor = r;
	t->fn = fn;
	t->data = data;
	t->sink = spec->sink;
	t->sink_data = spec->sink_data;
	t->pidfd = t->ctl = -1;
	t->capture.limit = spec->output;
	t->grace = spec->grace > 0 ? spec->grace : GRACE;
	for (int i = 0; i < 3; i++)
		t->streams[i] = (struct stream){ .task = t, .which = (enum task_stream)i, .fd = -1 };
	return t;
}

static void free_task(struct task **t)
{
	task_free(*t);
}

int task_start(struct reactor *r, const struct task_spec *spec, task_fn *fn, void *data, struct task **ret,
	       struct err *err)
{
	CLEANUP(free_task) struct task *t = task_new(r, spec, fn, data);
	CLEANUP(ends_close) struct ends e = { -1, { -1, -1, -1 }, -1, -1, -1 };

	if (orphans_adopt(err) < 0)
		return err->code;
	if (make_pipes(t, spec, &e, err) < 0)
		return err->code;
	t->started = clock_mono();
	t->wall_ends = spec->wall > 0 ? later(t->started, spec->wall) : INT64_MAX;
	t->too_late = later(later(t->wall_ends, t->grace), SLACK);
	if (fork_supervisor(t, spec, &e, err) < 0)
		return err->code;
	if (await_start(&e, err) < 0)
		return err->code;
	if (!t->pid)
		return err_set(err, ERR_IO, "cannot start a command: its supervisor ended at once");
	if (watch_all(t, err) < 0)
		return err->code;
	*ret = t;
	t = NULL;
	return 0;
}

const struct capture *task_capture(const struct task *task)
{
	return &task->capture;
}

void task_cancel(struct task *task, bool at_once)
{
	char word = at_once ? SUPERVISE_KILL : SUPERVISE_TERM;
	int64_t limit = later(later(clock_mono(), at_once ? 0 : task->grace), SLACK);

	if (!task->pid)
		return;
	task->asked = true;
	if (limit < task->too_late)
		task->too_late = limit;
	(void)send(task->ctl, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);	/* fails when it has ended: that is told soon */
}

/* Kill now: by the supervisor, which knows its tree; without it where it does not obey. */
static void end_now(struct task *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };
	struct orphans_ended ended = { 0 };
	struct supervised told;
	struct err ignored;

	if (t->ctl >= 0)
		task_cancel(t, true);
	if (t->pidfd < 0 || poll(&p, 1, 3000) <= 0)
		kill(t->pid, SIGKILL);
	reap_supervisor(t);
	if (t->ctl < 0 || !was_told(t, &told))
		(void)orphans_end(&ended, &ignored);
}

void task_free(struct task *task)
{
	if (!task)
		return;
	if (task->pid)
		end_now(task);
	watch_free(task->end);
	watch_free(task->dog);
	for (size_t i = 0; i < ARRAY_SIZE(task->streams); i++)
		stream_close(&task->streams[i]);
	if (task->pidfd >= 0)
		close(task->pidfd);
	if (task->ctl >= 0)
		close(task->ctl);
	capture_free(&task->capture);
	free(task);
}
