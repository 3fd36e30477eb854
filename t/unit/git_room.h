/*
 * git_room.h - a directory of its own for each test of core/git, and plain git beside our code.
 */
#ifndef GIT_ROOM_H
#define GIT_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "git/repo.h"

#define UNUSED __attribute__((unused))

static char room_base[32], room_dir[64];

/* A shell command's output, last newline removed; without ret_status it must succeed. */
static UNUSED char *room_run(int *ret_status, const char *fmt, va_list ap)
{
	STR cmd = STR_INIT;
	STR text = STR_INIT;
	char buf[4096];
	size_t n;
	FILE *f;
	int status;

	str_vprintf(&cmd, fmt, ap);
	fflush(NULL);
	f = popen(cmd.buf, "r");
	assert_non_null(f);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add(&text, buf, n);
	status = pclose(f);
	if (ret_status)
		*ret_status = status;
	else if (status)
		fail_msg("status %d from: %s", status, cmd.buf);
	if (text.len && text.buf[text.len - 1] == '\n')
		str_truncate(&text, text.len - 1);
	return str_detach(&text);
}

static UNUSED PRINTF(1, 2) char *out(const char *fmt, ...)
{
	va_list ap;
	char *ret;

	va_start(ap, fmt);
	ret = room_run(NULL, fmt, ap);
	va_end(ap);
	return ret;
}

static UNUSED PRINTF(1, 2) void sh(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	free(room_run(NULL, fmt, ap));
	va_end(ap);
}

/* The same bytes as the shell prints? */
static UNUSED PRINTF(2, 3) void same(const char *ours, const char *fmt, ...)
{
	va_list ap;
	char *theirs;

	va_start(ap, fmt);
	theirs = room_run(NULL, fmt, ap);
	va_end(ap);
	assert_string_equal(ours, theirs);
	free(theirs);
}

static UNUSED struct oid id_of(const char *rev)
{
	char *hex = out("git rev-parse --verify '%s'", rev);
	struct oid id;

	assert_true(oid_parse(hex, &id));
	free(hex);
	return id;
}

static UNUSED int room_enter(void **state)
{
	(void)state;
	strcpy(room_base, "/tmp/git-room-XXXXXX");
	setenv("HOME", mkdtemp(room_base), 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("GIT_DIR");
	/* Tests reach into workspaces by path; what both backends have in common is in run_backends.c. */
	sh("git config --global harness.backend worktree");
	sh("git config --global user.name Ann && git config --global user.email ann@example.com &&"
	   "git config --global init.defaultBranch main && git config --global core.hooksPath /dev/null &&"
	   "git config --global gc.auto 0 && git config --global maintenance.auto false");	/* they would outlive the room */
	snprintf(room_dir, sizeof(room_dir), "%s/room", room_base);
	sh("mkdir %s", room_dir);
	return chdir(room_dir);
}

static UNUSED int room_leave(void **state)
{
	(void)state;
	return chdir("/") < 0 || (sh("chmod -R u+rwX '%s' && rm -rf '%s'", room_base, room_base), 0);
}

#define ROOM_TEST(f) cmocka_unit_test_setup_teardown(f, room_enter, room_leave)
#define OK(call) do { if ((call) < 0) fail_msg("%s: %s", #call, err.msg); } while (0)

#endif
