/*
 * Commands that do not want to end. When the end is told, none of their processes may be left.
 * The hostile parts are this program itself, called again with a word (see main); each carries its room's name in its arguments,
 * so that survivors can be found whatever session or parent they have chosen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "run/task.h"

static char self[4096];
static char room[64];

/* Living processes with the room's name in their arguments, ourselves excepted. */
static int survivors(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d))) {
		AUTOFREE char *path = xasprintf("/proc/%s/cmdline", e->d_name);
		STR text = STR_INIT;
		struct err err;

		if (atoi(e->d_name) <= 0 || atoi(e->d_name) == getpid())
			continue;
		if (!io_read_file(path, 1 << 20, &text, &err) && memmem(text.buf, text.len, room, strlen(room)))
			n++;
	}
	closedir(d);
	return n;
}

static struct task_end run(const char *how, int64_t wall, int64_t grace)
{
	AUTOFREE char *command = xasprintf("exec '%s' %s %s", self, how, room);
	struct task_spec spec = { .command = command, .wall = wall, .grace = grace, .output = -1 };
	struct task_end end = { 0 };
	struct err err = { 0 };
	STR log = STR_INIT;

	if (task_run(&spec, &end, &log, &err) < 0)
		fail_msg("%s", err.msg);
	if (survivors())
		fail_msg("%s: %d processes survive", how, survivors());
	return end;
}

static void a_daemon_is_ended_with_its_command(void **state)
{
	struct task_end end = run("daemon", 0, 0);

	(void)state;
	assert_int_equal(end.exit, 0);
	assert_int_equal(end.killed, 1);
}

static void a_deaf_command_is_killed_after_its_grace(void **state)
{
	struct task_end end = run("deaf", 50 * NS_PER_MS, 50 * NS_PER_MS);

	(void)state;
	assert_true(end.timed_out);
	assert_true(end.wall >= 100 * NS_PER_MS);
	assert_int_equal(end.signal, SIGKILL);
}

static void a_polite_command_may_tidy_up(void **state)
{
	struct task_end end = run("polite", 50 * NS_PER_MS, 0);

	(void)state;
	assert_true(end.timed_out);
	assert_int_equal(end.exit, 7);
	assert_true(end.wall < 4 * NS_PER_S);
}

static void a_stopped_child_is_no_refuge(void **state)
{
	(void)state;
	assert_true(run("stopped", 50 * NS_PER_MS, 50 * NS_PER_MS).timed_out);
}

static void a_hydra_is_ended(void **state)
{
	(void)state;
	assert_int_equal(run("hydra", 0, 0).exit, 0);
	assert_true(run("hydra-stay", 50 * NS_PER_MS, 10 * NS_PER_MS).timed_out);
}

static void a_wide_tree_is_ended_soon(void **state)
{
	struct task_end end;
	int64_t before = clock_mono();

	(void)state;
	end = run("wide", 300 * NS_PER_MS, 10 * NS_PER_MS);
	assert_true(end.timed_out);
	assert_true(end.killed >= 200);
	assert_true(clock_mono() - before < 10 * NS_PER_S);
}

static void killing_the_supervisor_is_no_way_out(void **state)
{
	struct task_end end = run("kill-parent", 0, 0);

	(void)state;
	assert_int_equal(end.exit, 128 + SIGKILL);
	assert_int_equal(end.signal, SIGKILL);
	assert_true(end.killed >= 2);
	assert_false(end.timed_out);
}

static void stopping_the_supervisor_is_no_way_out(void **state)
{
	(void)state;
	assert_int_equal(run("stop-parent", 0, 0).exit, 128 + SIGKILL);
}

static void an_orphaned_hydra_is_ended(void **state)
{
	(void)state;
	assert_int_equal(run("kill-parent-hydra", 0, 0).exit, 128 + SIGKILL);
}

struct held {
	struct reactor *r;
	struct task *task;
	struct task_end end;
	int fd;
	bool done;
	bool at_once;
};

/* The command prints its pid; whoever holds its output open must not hold us up. */
static void take_output(void *data, enum task_stream stream, const void *ptr, size_t len)
{
	AUTOFREE char *text = xstrndup(ptr, len);
	AUTOFREE char *path = xasprintf("/proc/%d/fd/1", atoi(text));
	struct held *h = data;

	(void)stream;
	h->fd = open(path, O_WRONLY | O_CLOEXEC);
	if (h->task)
		task_cancel(h->task, h->at_once);
}

static int ended(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	struct held *h = data;

	(void)task;
	(void)err;
	h->end = *end;
	h->done = true;
	return 0;
}

static void held_run(struct held *h, const char *how, int64_t grace)
{
	AUTOFREE char *command = xasprintf("exec '%s' %s %s", self, how, room);
	struct task_spec spec = { .command = command, .sink = take_output, .sink_data = h, .output = -1, .grace = grace };
	struct err err = { 0 };

	assert_int_equal(reactor_new(&h->r, &err), 0);
	assert_int_equal(task_start(h->r, &spec, ended, h, &h->task, &err), 0);
	if (reactor_run(h->r, &h->done, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(survivors(), 0);
	task_free(h->task);
	reactor_free(h->r);
	if (h->fd >= 0)
		close(h->fd);
}

static void output_held_open_elsewhere_is_not_waited_for(void **state)
{
	struct held h = { .fd = -1 };

	(void)state;
	held_run(&h, "tell", NS_PER_S);
	assert_true(h.fd >= 0);
	assert_true(h.end.cancelled);
	assert_int_equal(h.end.signal, SIGTERM);
}

static void cancelling_at_once_waits_for_no_grace(void **state)
{
	struct held h = { .fd = -1, .at_once = true };

	(void)state;
	held_run(&h, "tell-deaf", INT64_MAX);
	assert_true(h.end.cancelled);
	assert_false(h.end.timed_out);
	assert_int_equal(h.end.signal, SIGKILL);
}

static void letting_go_of_a_task_ends_it(void **state)
{
	static const char *const hows[] = { "daemon-stay", "deaf", "kill-parent", "stop-parent", "wide" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		AUTOFREE char *command = xasprintf("exec '%s' %s %s", self, hows[i], room);
		struct task_spec spec = { .command = command, .grace = INT64_MAX };
		struct held h = { .fd = -1 };
		struct err err;

		assert_int_equal(reactor_new(&h.r, &err), 0);
		assert_int_equal(task_start(h.r, &spec, ended, &h, &h.task, &err), 0);
		task_free(h.task);
		reactor_free(h.r);
		assert_int_equal(survivors(), 0);
		assert_false(h.done);
	}
}

/* The harness is killed; its supervisor must end what runs. */
static void nothing_outlives_the_harness(void **state)
{
	pid_t harness = fork();

	(void)state;
	if (!harness) {
		AUTOFREE char *command = xasprintf("exec '%s' daemon-stay %s", self, room);
		struct task_spec spec = { .command = command, .grace = INT64_MAX };
		struct reactor *r;
		struct task *t;
		struct err err;

		if (reactor_new(&r, &err) < 0 || task_start(r, &spec, ended, NULL, &t, &err) < 0)
			_exit(1);
		while (survivors() < 2)
			usleep(1000);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(harness, NULL, 0), harness);
	for (int64_t until = clock_mono() + 20 * NS_PER_S; survivors() && clock_mono() < until;)
		usleep(1000);
	assert_int_equal(survivors(), 0);
}

/* Sessions of our own children, as a pager, are not taken for orphans. */
static void the_harness_own_children_live_on(void **state)
{
	pid_t own = fork();
	int status;

	(void)state;
	if (!own) {
		pause();
		_exit(0);
	}
	run("kill-parent", 0, 0);
	assert_int_equal(waitpid(own, &status, WNOHANG), 0);
	kill(own, SIGKILL);
	waitpid(own, &status, 0);
}

/* From here on: the hostile side. */

static void deaf(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
}

static _Noreturn void linger(void)
{
	for (;;)
		pause();
}

static pid_t daemon_of_ours(void)
{
	int ready[2];
	char c;

	if (pipe(ready) < 0)
		_exit(1);
	if (!fork()) {
		setsid();
		if (fork())
			_exit(0);
		setsid();
		deaf();
		if (write(ready[1], "x", 1) == 1)
			linger();
	}
	return read(ready[0], &c, 1) == 1 ? 0 : -1;
}

static _Noreturn void hydra(bool stay)
{
	if (!fork()) {
		deaf();
		for (;;) {
			usleep(200);
			setsid();
			if (fork())
				_exit(0);
		}
	}
	usleep(10000);
	if (stay)
		linger();
	_exit(0);
}

static void wide(void)
{
	deaf();
	signal(SIGCHLD, SIG_DFL);	/* ignored, the kernel would reap them uncounted */
	for (int i = 0; i < 20; i++) {
		if (fork())
			continue;
		for (int k = 0; k < 10; k++)
			if (!fork())
				linger();
		linger();
	}
}

static void polite(int sig)
{
	(void)sig;
	_exit(7);
}

static void against_parent(int sig)
{
	daemon_of_ours();
	deaf();
	kill(getppid(), sig);
}

static int hostile(const char *how)
{
	if (!strcmp(how, "daemon"))
		return daemon_of_ours();
	if (starts_with(how, "tell"))
		dprintf(1, "%d\n", (int)getpid());
	if (!strcmp(how, "daemon-stay"))
		daemon_of_ours();
	else if (ends_with(how, "deaf"))
		deaf();
	else if (!strcmp(how, "polite"))
		signal(SIGTERM, polite);
	else if (!strcmp(how, "stopped") && fork())
		raise(SIGSTOP);
	else if (!strcmp(how, "wide"))
		wide();
	else if (starts_with(how, "hydra"))
		hydra(!strcmp(how, "hydra-stay"));
	else if (!strcmp(how, "stop-parent"))
		against_parent(SIGSTOP);
	else if (starts_with(how, "kill-parent")) {
		prctl(PR_SET_PDEATHSIG, 0);
		against_parent(SIGKILL);
		if (!strcmp(how, "kill-parent-hydra"))
			hydra(false);
	}
	linger();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_daemon_is_ended_with_its_command),
		cmocka_unit_test(a_deaf_command_is_killed_after_its_grace),
		cmocka_unit_test(a_polite_command_may_tidy_up),
		cmocka_unit_test(a_stopped_child_is_no_refuge),
		cmocka_unit_test(a_hydra_is_ended),
		cmocka_unit_test(a_wide_tree_is_ended_soon),
		cmocka_unit_test(killing_the_supervisor_is_no_way_out),
		cmocka_unit_test(stopping_the_supervisor_is_no_way_out),
		cmocka_unit_test(an_orphaned_hydra_is_ended),
		cmocka_unit_test(output_held_open_elsewhere_is_not_waited_for),
		cmocka_unit_test(cancelling_at_once_waits_for_no_grace),
		cmocka_unit_test(letting_go_of_a_task_ends_it),
		cmocka_unit_test(nothing_outlives_the_harness),
		cmocka_unit_test(the_harness_own_children_live_on),
	};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (argc > 2)
		return hostile(argv[1]);
	assert_true(n > 0);
	snprintf(room, sizeof(room), "room-%d-%lld", (int)getpid(), (long long)clock_wall());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
