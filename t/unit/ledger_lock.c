/* One owner a campaign, and the inbox through which others ask it. */
#include "git_room.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "ledger/lock.h"

static struct err err;

static void owned(bool want)
{
	EVENT owner = { 0 };
	bool held;

	OK(lock_owner("state", &held, &owner, &err));
	assert_int_equal(held, want);
	if (want)
		assert_string_equal(event_get(&owner, "command"), "git harness start");
}

static void one_owner(void **state)
{
	struct lock *lock = NULL, *second = NULL;
	char pid[32];

	(void)state;
	owned(false);
	OK(lock_take("state", "git harness start", &lock, &err));
	owned(true);
	assert_int_equal(lock_take("state", "git harness gc", &second, &err), ERR_LOCKED);
	snprintf(pid, sizeof(pid), "pid %d,", getpid());
	assert_non_null(strstr(err.msg, "campaign 'state' is held by 'git harness start'"));
	assert_non_null(strstr(err.msg, pid));
	assert_non_null(strstr(err.msg, "\nhint: "));
	lock_free(lock);
	owned(false);
	OK(lock_take("state", "git harness start", &lock, &err));
	lock_free(lock);
}

/* A fork, ready once it has written a byte. */
static pid_t child(int (*fn)(void), int *ret_fd)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		dup2(fds[1], 9);
		_exit(fn());
	}
	close(fds[1]);
	*ret_fd = fds[0];
	return pid;
}

static void wait_ready(int fd)
{
	char c;

	assert_int_equal(read(fd, &c, 1), 1);
}

static int hold_for_ever(void)
{
	struct lock *lock;
	struct err e;

	if (lock_take("state", "git harness start", &lock, &e) < 0 || write(9, "x", 1) != 1)
		return 1;
	for (;;)
		pause();
}

static void dead_owner(void **state)
{
	struct lock *lock = NULL;
	int fd;
	pid_t pid = child(hold_for_ever, &fd);

	(void)state;
	wait_ready(fd);
	owned(true);
	assert_int_equal(lock_take("state", "git harness start", &lock, &err), ERR_LOCKED);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	owned(false);
	OK(lock_take("state", "git harness start", &lock, &err));
	lock_free(lock);
	close(fd);
}

/* The owner is killed; what it had forked still holds a copy of the lock, for a moment. */
static int hold_with_a_child(void)
{
	struct lock *lock;
	struct err e;

	if (lock_take("state", "git harness start", &lock, &e) < 0)
		return 1;
	if (!fork()) {
		if (write(9, "x", 1) != 1)
			_exit(1);
		while (!access("state/owner-lives", F_OK))
			usleep(1000);
		usleep(50000);
		_exit(0);
	}
	for (;;)
		pause();
}

static void orphan_lets_go(void **state)
{
	struct lock *lock = NULL;
	int fd;
	pid_t pid;

	(void)state;
	sh("mkdir state && touch state/owner-lives");
	pid = child(hold_with_a_child, &fd);
	wait_ready(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	sh("rm state/owner-lives");
	OK(lock_take("state", "git harness start", &lock, &err));
	lock_free(lock);
	close(fd);
}

/* Answers `approve`, then one more request not at all, then ends. */
static int serve_one(void)
{
	struct lock *lock;
	struct err e;
	int watch, left = 1;

	if (lock_take("state", "git harness start", &lock, &e) < 0)
		return 1;
	watch = inbox_watch("state", &e);
	if (watch < 0 || write(9, "x", 1) != 1)
		return 2;
	while (left) {
		struct pollfd p = { .fd = watch, .events = POLLIN };
		CLEANUP(events_free) struct events requests = { 0 };
		CLEANUP(strs_free) struct strs ids = { 0 };
		char drop[4096];

		if (poll(&p, 1, 20000) != 1)
			return 3;
		while (read(watch, drop, sizeof(drop)) > 0)
			;
		if (inbox_read("state", &requests, &ids, &e) < 0)
			return 4;
		for (size_t i = 0; i < requests.n; i++) {
			EVENT answer = { 0 };

			if (!event_is(&requests.v[i], "ask", "approve"))
				return 0;
			event_add(&answer, "status", "ok");
			event_addf(&answer, "message", "%s is\napproved", event_get(&requests.v[i], "experiment"));
			if (inbox_answer("state", ids.v[i], &answer, &e) < 0)
				return 5;
		}
	}
	return 0;
}

static int ask(const char *what, struct event *ret)
{
	EVENT request = { 0 };

	event_add(&request, "ask", what);
	event_add_int(&request, "experiment", 7);
	event_add(&request, "by", "Ann <ann@example.com>");
	return inbox_ask("state", &request, ret, &err);
}

static void asked_and_answered(void **state)
{
	EVENT answer = { 0 }, none = { 0 };
	int fd, status;
	pid_t pid = child(serve_one, &fd);

	(void)state;
	wait_ready(fd);
	OK(ask("approve", &answer));
	assert_string_equal(event_get(&answer, "message"), "7 is\napproved");
	same("", "ls state/inbox");
	assert_int_equal(ask("stop", &none), ERR_NOT_FOUND);	/* it ended instead */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	same("", "ls state/inbox");
	close(fd);
}

static void nobody_there(void **state)
{
	EVENT answer = { 0 };

	(void)state;
	sh("mkdir state");
	assert_int_equal(ask("approve", &answer), ERR_NOT_FOUND);
	same("", "ls state/inbox");
}

/* What was left for an owner that died is not done by the next one; rubbish is nobody's. */
static void old_requests(void **state)
{
	CLEANUP(events_free) struct events requests = { 0 };
	CLEANUP(strs_free) struct strs ids = { 0 };
	int fd;

	(void)state;
	sh("mkdir -p state/inbox && echo ask=stop now=1 >state/inbox/1-1.request && echo status=ok >state/inbox/1-1.answer &&"
	   "touch -d yesterday state/inbox/1-1.answer");
	fd = inbox_watch("state", &err);
	assert_true(fd >= 0);
	same("", "ls state/inbox");
	sh("echo '=rubbish' >state/inbox/3-1.request && echo ask=b >state/inbox/2-1.request && echo ask=a >state/inbox/1-1.request &&"
	   "echo ask=c >state/inbox/.4-1.request && ln -s /dev/zero state/inbox/5-1.request");
	OK(inbox_read("state", &requests, &ids, &err));
	assert_int_equal(requests.n, 2);
	assert_string_equal(event_get(&requests.v[0], "ask"), "a");
	assert_string_equal(ids.v[1], "2-1");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(one_owner), ROOM_TEST(dead_owner), ROOM_TEST(orphan_lets_go), ROOM_TEST(asked_and_answered), ROOM_TEST(nobody_there),
		ROOM_TEST(old_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
