#include "ledger/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

#define MESSAGE_MAX ((size_t)64 * 1024)
#define LOOK_MS 250		/* how often a waiting client looks whether the owner still lives */
#define ANSWER_KEPT_S 60	/* an answer nobody fetched */
#define REQUEST ".request"
#define ANSWER ".answer"

static char *inbox_path(const char *state_dir, const char *id, const char *suffix)
{
	return xasprintf("%s/inbox/%s%s", state_dir, id, suffix);
}

static int watch_dir(const char *state_dir, int *ret, struct err *err)
{
	AUTOFREE char *dir = inbox_path(state_dir, "", "");
	AUTOCLOSE int fd = -1;

	if (io_mkdirs(dir, 0777, err) < 0)
		return err->code;
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0 || inotify_add_watch(fd, dir, IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) < 0)
		return err_errno(err, "cannot watch '%s'", dir);
	*ret = fd;
	fd = -1;
	return 0;
}

/* Names in the inbox that end in suffix, without it, sorted. */
static int list(const char *state_dir, const char *suffix, struct strs *ret, struct err *err)
{
	AUTOFREE char *path = inbox_path(state_dir, "", "");
	DIR *dir = opendir(path);
	struct dirent *d;

	if (!dir)
		return errno == ENOENT ? 0 : err_errno(err, "cannot read '%s'", path);
	while ((d = readdir(dir))) {
		if (d->d_name[0] != '.' && ends_with(d->d_name, suffix))
			strs_take(ret, xstrndup(d->d_name, strlen(d->d_name) - strlen(suffix)));
	}
	closedir(dir);
	strs_sort(ret);
	return 0;
}

static int write_message(const char *path, const struct event *message, struct err *err)
{
	STR text = STR_INIT;

	event_format(message, &text);
	str_putc(&text, '\n');
	return io_replace(path, text.buf, text.len, 0666, 0, err);
}

static int read_message(const char *path, struct event *ret, struct err *err)
{
	STR text = STR_INIT;

	if (io_read_file(path, MESSAGE_MAX, &text, err) < 0)
		return err->code;
	if (!event_parse(text.buf, text.len, ret))
		return err_set(err, ERR_INVALID, "'%s' is not a message of ours", path);
	return 0;
}

/* Sorts by time of asking. The real clock, not the one tests replace: two processes have to agree on it. */
static char *new_id(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return xasprintf("%012jd%09ld-%d", (intmax_t)now.tv_sec, now.tv_nsec, (int)getpid());
}

/* 1: answered. 0: not yet. */
static int look(const char *answer_path, const char *request_path, struct event *ret_answer, struct err *err)
{
	/* In this order: the owner writes the answer before it removes the request. */
	bool pending = access(request_path, F_OK) == 0;

	if (read_message(answer_path, ret_answer, err) == 0) {
		unlink(answer_path);
		return 1;
	}
	if (err->code != ERR_NOT_FOUND)
		return err->code;
	return pending ? 0 : err_set(err, ERR_NOT_FOUND, "the request was dropped by a new owner of the campaign");
}

static void drain(int fd)
{
	char buf[4096];

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static int wait_for_answer(const char *state_dir, int fd, const char *answer, const char *request,
			   struct event *ret_answer, struct err *err)
{
	for (;;) {
		EVENT owner = { 0 };
		struct pollfd p = { .fd = fd, .events = POLLIN };
		bool held;
		int r;

		/* Asked before looking: an owner that answers and ends in between has answered. */
		if (lock_owner(state_dir, &held, &owner, err) < 0)
			return err->code;
		r = look(answer, request, ret_answer, err);
		if (r)
			return r < 0 ? r : 0;
		if (!held) {
			unlink(request);
			return err_set(err, ERR_NOT_FOUND, "the owner of the campaign ended without answering");
		}
		if (poll(&p, 1, LOOK_MS) > 0)
			drain(fd);
	}
}

int inbox_ask(const char *state_dir, const struct event *request, struct event *ret_answer, struct err *err)
{
	AUTOFREE char *id = new_id();
	AUTOFREE char *request_path = inbox_path(state_dir, id, REQUEST);
	AUTOFREE char *answer_path = inbox_path(state_dir, id, ANSWER);
	AUTOCLOSE int fd = -1;

	if (watch_dir(state_dir, &fd, err) < 0 || write_message(request_path, request, err) < 0)
		return err->code;
	return wait_for_answer(state_dir, fd, answer_path, request_path, ret_answer, err);
}

/* What was asked of an earlier owner is that client's to ask again; an old `stop` must not end a new loop. */
static int sweep(const char *state_dir, struct err *err)
{
	CLEANUP(strs_free) struct strs requests = { 0 }, answers = { 0 };
	time_t now = time(NULL);

	if (list(state_dir, REQUEST, &requests, err) < 0 || list(state_dir, ANSWER, &answers, err) < 0)
		return err->code;
	for (size_t i = 0; i < requests.n; i++) {
		AUTOFREE char *path = inbox_path(state_dir, requests.v[i], REQUEST);

		unlink(path);
	}
	for (size_t i = 0; i < answers.n; i++) {
		AUTOFREE char *path = inbox_path(state_dir, answers.v[i], ANSWER);
		struct stat st;

		if (!lstat(path, &st) && now - st.st_mtime > ANSWER_KEPT_S)
			unlink(path);
	}
	return 0;
}

int inbox_watch(const char *state_dir, struct err *err)
{
	int fd = -1;

	if (watch_dir(state_dir, &fd, err) < 0)
		return err->code;
	if (sweep(state_dir, err) < 0) {
		close(fd);
		return err->code;
	}
	return fd;
}

int inbox_read(const char *state_dir, struct events *ret, struct strs *ret_ids, struct err *err)
{
	CLEANUP(strs_free) struct strs ids = { 0 };

	if (list(state_dir, REQUEST, &ids, err) < 0)
		return err->code;
	for (size_t i = 0; i < ids.n; i++) {
		AUTOFREE char *path = inbox_path(state_dir, ids.v[i], REQUEST);
		struct event request = { 0 };
		struct err why;

		if (read_message(path, &request, &why) < 0) {
			event_free(&request);
			unlink(path);	/* gone meanwhile, or no request of ours */
			continue;
		}
		*events_push(ret) = request;
		strs_add(ret_ids, ids.v[i]);
	}
	return 0;
}

int inbox_answer(const char *state_dir, const char *id, const struct event *answer, struct err *err)
{
	AUTOFREE char *request_path = inbox_path(state_dir, id, REQUEST);
	AUTOFREE char *answer_path = inbox_path(state_dir, id, ANSWER);

	if (write_message(answer_path, answer, err) < 0)
		return err->code;
	unlink(request_path);
	return 0;
}
