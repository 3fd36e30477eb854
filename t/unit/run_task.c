/* A command under its supervisor: what it is given, what is told of its end. Hostile ones: run_hostile.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "run/task.h"

static struct task_end run(const char *command, struct str *log)
{
	CLEANUP(strs_free) struct strs env = { 0 };
	struct task_spec spec = { .command = command, .dir = "/", .env = &env, .output = -1, .wall = 30 * NS_PER_S };
	struct task_end end = { 0 };
	struct err err = { 0 };

	strs_addf(&env, "PATH=%s", getenv("PATH"));
	if (task_run(&spec, &end, log, &err) < 0)
		fail_msg("%s", err.msg);
	return end;
}

static void exit_status_is_the_shells(void **state)
{
	struct task_end end;

	(void)state;
	end = run("exit 3", NULL);
	assert_int_equal(end.exit, 3);
	assert_int_equal(end.signal, 0);
	assert_false(end.timed_out);
	assert_int_equal(end.killed, 0);
	assert_int_equal(run("no-such-program-here", NULL).exit, 127);
	assert_int_equal(run("/etc/passwd", NULL).exit, 126);
	end = run("kill -USR1 $$", NULL);
	assert_int_equal(end.exit, 128 + 10);
	assert_int_equal(end.signal, 10);
}

static void a_set_up_that_fails_is_an_error(void **state)
{
	struct task_spec spec = { .command = "true", .dir = "/nonexistent" };
	struct task_end end;
	struct err err;

	(void)state;
	assert_int_equal(task_run(&spec, &end, NULL, &err), ERR_IO);
	assert_non_null(strstr(err.msg, "chdir"));
	assert_non_null(strstr(err.msg, "No such file"));
}

static void it_has_its_own_surroundings(void **state)
{
	STR log = STR_INIT;

	(void)state;
	/* Field 6 is the session, 7 the terminal. */
	run("set -- $(cat /proc/self/stat); echo $$ $6 $7; ulimit -c; cat; pwd; grep SigIgn: /proc/self/status", &log);
	long pid, session;
	int tty, n = 0;

	assert_int_equal(sscanf(log.buf, "%ld %ld %d\n%n", &pid, &session, &tty, &n), 3);
	assert_int_equal(pid, session);
	assert_int_equal(tty, 0);
	assert_string_equal(log.buf + n, "0\n/\nSigIgn:\t0000000000000000\n");
}

static void the_environment_is_exactly_the_given_one(void **state)
{
	CLEANUP(strs_free) struct strs pass = { 0 }, env = { 0 };
	STR all = STR_INIT;

	(void)state;
	setenv("PATH", "/usr/bin:/bin", 1);
	setenv("HOME", "/home/x", 1);
	setenv("LANG", "C.UTF-8", 1);
	unsetenv("TERM");
	unsetenv("TRACEPARENT");
	setenv("SECRET_KEY", "s", 1);
	setenv("WANTED", "a b=c", 1);
	setenv("GIT_DIR", "/elsewhere", 1);
	setenv("GIT_HARNESS_SEED", "7", 1);
	strs_add(&pass, "WANTED");
	strs_add(&pass, "HOME");
	strs_add(&pass, "ABSENT");
	strs_add(&pass, "GIT_DIR");
	strs_add(&pass, "GIT_HARNESS_SEED");
	task_env(&pass, "/tmp", &env);
	for (size_t i = 0; i < env.n; i++)
		str_printf(&all, "%s\n", env.v[i]);
	assert_string_equal(all.buf, "PATH=/usr/bin:/bin\nHOME=/home/x\nLANG=C.UTF-8\nTMPDIR=/tmp\nWANTED=a b=c\n");
	unsetenv("GIT_DIR");
}

struct seen {
	struct str out, err, metrics;
	int64_t bytes;
};

static void sink(void *data, enum task_stream stream, const void *ptr, size_t len)
{
	struct seen *s = data;

	s->bytes += (int64_t)len;
	str_add(stream == TASK_OUT ? &s->out : stream == TASK_ERR ? &s->err : &s->metrics, ptr, len);
}

static void seen_free(struct seen *s)
{
	str_free(&s->out);
	str_free(&s->err);
	str_free(&s->metrics);
}

#define SEEN { STR_MAX(1000), STR_MAX(1000), STR_MAX(1000), 0 }

static void streams_are_told_apart(void **state)
{
	CLEANUP(seen_free) struct seen s = SEEN;
	struct task_spec spec = {
		.command = "read x; echo out $x; echo err >&2; echo '{\"m\": 1}' >&$GIT_HARNESS_METRICS_FD; cat",
		.in = "first\nrest\0binary", .in_len = 17, .sink = sink, .sink_data = &s, .metrics_fd = true, .output = -1,
	};
	STR log = STR_INIT;
	struct task_end end;
	struct err err;

	(void)state;
	assert_int_equal(task_run(&spec, &end, &log, &err), 0);
	assert_int_equal(s.out.len, 10 + 11);
	assert_memory_equal(s.out.buf, "out first\nrest\0binary", 21);
	assert_string_equal(s.err.buf, "err\n");
	assert_string_equal(s.metrics.buf, "{\"m\": 1}\n");
	assert_int_equal(log.len, 21 + 4);
}

static void much_output_is_seen_whole_and_kept_in_part(void **state)
{
	CLEANUP(seen_free) struct seen s = SEEN;
	struct task_spec spec = {
		.command = "echo HEAD; head -c 300000000 /dev/zero; echo TAIL", .sink = sink, .sink_data = &s,
		.output = -1,
	};
	STR log = STR_INIT;
	struct task_end end;
	struct err err;

	(void)state;
	assert_int_equal(task_run(&spec, &end, &log, &err), 0);
	assert_int_equal(s.bytes, 300000010);
	assert_int_equal(end.exit, 0);
	assert_true(log.len < 2 * CAPTURE_SIDE + 100);
	assert_true(starts_with(log.buf, "HEAD\n"));
	assert_memory_equal(log.buf + log.len - 5, "TAIL\n", 5);
	assert_non_null(memmem(log.buf, log.len, "\n[... 299868938 bytes left out ...]\n", 35));
}

static void capture_keeps_what_it_says(void **state)
{
	static char block[3 * CAPTURE_SIDE];
	STR text = STR_INIT;

	(void)state;
	memset(block, 'a', sizeof(block));
	for (int by = 1; by < 5; by++) {	/* whole, in halves, in odd pieces: the same text */
		struct capture c = { .limit = -1 };
		size_t piece = by == 4 ? 7777 : sizeof(block) / (size_t)by;

		block[sizeof(block) - 1] = 'z';
		for (size_t at = 0; at < sizeof(block); at += piece)
			capture_add(&c, block + at, at + piece > sizeof(block) ? sizeof(block) - at : piece);
		str_clear(&text);
		capture_text(&c, &text);
		assert_int_equal(c.total, sizeof(block));
		assert_int_equal(text.len, 2 * CAPTURE_SIDE + strlen("\n[... 65536 bytes left out ...]\n"));
		assert_int_equal(text.buf[text.len - 1], 'z');
		capture_free(&c);
	}
	struct capture c = { .limit = 10 };

	capture_add(&c, "0123456789abcdef", 16);
	capture_add(&c, "ghi", 3);
	str_clear(&text);
	capture_text(&c, &text);
	assert_string_equal(text.buf, "0123456789\n[... 9 bytes left out ...]\n");
	capture_free(&c);
	str_clear(&text);
	capture_text(&c, &text);
	assert_string_equal(text.buf, "");
}

static void wall_time_is_a_deadline(void **state)
{
	struct task_spec spec = { .command = "sleep 1000 & sleep 1000", .wall = 30 * NS_PER_MS, .grace = INT64_MAX };
	struct task_end end;
	struct err err;

	(void)state;
	assert_int_equal(task_run(&spec, &end, NULL, &err), 0);
	assert_true(end.timed_out);
	assert_false(end.cancelled);
	assert_true(end.wall >= spec.wall && end.wall < 20 * NS_PER_S);
	spec = (struct task_spec){ .command = "true", .wall = INT64_MAX };
	assert_int_equal(task_run(&spec, &end, NULL, &err), 0);
	assert_false(end.timed_out);
}

static void the_cost_of_the_whole_tree_is_told(void **state)
{
	/* The burner is a daemon: nobody in the command waits for it. */
	struct task_end end = run("burn() { i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo x >&3; }\n"
				  "exec 3>&1; (setsid sh -c \"$(command -v true)\"; burn) | read x", NULL);

	(void)state;
	assert_true(end.cpu > 20 * NS_PER_MS);
	assert_true(end.wall >= 20 * NS_PER_MS);
	assert_true(end.maxrss > 100 * 1024);
}

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void nothing_leaks(void **state)
{
	int before;
	STR log = STR_INIT;
	struct err err;

	(void)state;
	run("true", NULL);
	before = count_fds();
	for (int i = 0; i < 200; i++) {
		struct task_spec spec = { .command = "true", .metrics_fd = i % 2, .in = "x", .in_len = (size_t)i % 2 };
		struct task_end end;

		if (i % 10 == 9)
			spec.dir = "/nonexistent";
		assert_int_equal(task_run(&spec, &end, NULL, &err), spec.dir ? ERR_IO : 0);
	}
	assert_int_equal(count_fds(), before);
	/* Nor into the command: only the three, and the one ls itself reads. */
	run("ls -1 /proc/self/fd", &log);
	assert_string_equal(log.buf, "0\n1\n2\n3\n");
}

static void closed_standard_streams_do_no_harm(void **state)
{
	STR log = STR_INIT;
	int kept = dup(0);

	(void)state;
	close(0);
	run("cat; echo ok", &log);
	dup2(kept, 0);
	close(kept);
	assert_string_equal(log.buf, "ok\n");
}

struct many {
	int left;
	bool done;
};

static int one_ended(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	struct many *m = data;

	(void)err;
	assert_int_equal(end->exit, 0);
	assert_int_equal(task_capture(task)->total, 100000);
	task_free(task);	/* from its own callback */
	m->done = !--m->left;
	return 0;
}

static void many_at_once(void **state)
{
	struct task_spec spec = { .command = "head -c 100000 /dev/zero", .output = -1 };
	struct many m = { .left = 32 };
	struct reactor *r;
	struct task *t;
	struct err err;

	(void)state;
	assert_int_equal(reactor_new(&r, &err), 0);
	for (int i = 0; i < 32; i++)
		assert_int_equal(task_start(r, &spec, one_ended, &m, &t, &err), 0);
	assert_int_equal(reactor_run(r, &m.done, &err), 0);
	reactor_free(r);
}

static int told(void *data, struct task *task, const struct task_end *end, struct err *err)
{
	struct many *m = data;

	(void)err;
	if (end->exit && !end->cancelled)
		fail_msg("cancelled as it ended: taken for exit status %d", end->exit);
	task_free(task);
	m->done = true;
	return 0;
}

static void a_cancel_that_meets_the_end_is_no_crash(void **state)
{
	struct task_spec spec = { .command = "exit 0", .output = -1 };
	struct reactor *r;
	struct task *t;
	struct err err;

	(void)state;
	assert_int_equal(reactor_new(&r, &err), 0);
	for (int i = 0; i < 400; i++) {
		struct many m = { .done = false };
		int64_t until;

		assert_int_equal(task_start(r, &spec, told, &m, &t, &err), 0);
		until = clock_mono() + i * (NS_PER_MS / 100);
		while (clock_mono() < until)
			;
		task_cancel(t, false);
		assert_int_equal(reactor_run(r, &m.done, &err), 0);
	}
	reactor_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_status_is_the_shells),
		cmocka_unit_test(a_set_up_that_fails_is_an_error),
		cmocka_unit_test(it_has_its_own_surroundings),
		cmocka_unit_test(the_environment_is_exactly_the_given_one),
		cmocka_unit_test(streams_are_told_apart),
		cmocka_unit_test(much_output_is_seen_whole_and_kept_in_part),
		cmocka_unit_test(capture_keeps_what_it_says),
		cmocka_unit_test(wall_time_is_a_deadline),
		cmocka_unit_test(the_cost_of_the_whole_tree_is_told),
		cmocka_unit_test(nothing_leaks),
		cmocka_unit_test(closed_standard_streams_do_no_harm),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(a_cancel_that_meets_the_end_is_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
