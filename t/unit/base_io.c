/* Files, paths and clocks. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"

static int enter_room(void **state)
{
	char *room = xstrdup("/tmp/harness-io-XXXXXX");

	*state = room;
	return mkdtemp(room) && !chdir(room) ? 0 : -1;
}

static int leave_room(void **state)
{
	AUTOFREE char *room = *state, *command = xasprintf("rm -rf %s", room);

	return chdir("/") || system(command);
}

static void assert_holds(const char *path, const char *expected)
{
	STR s = STR_INIT;
	struct err err;

	assert_int_equal(io_read_file(path, 1000, &s, &err), 0);
	assert_string_equal(s.buf, expected);
}

static void replaces(void **state)
{
	struct err err;
	struct stat st;

	(void)state;
	assert_int_equal(io_replace("f", "one", 3, 0600, 1, &err), 0);
	assert_holds("f", "one");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(io_replace("f", "", 0, 0644, 0, &err), 0);
	assert_holds("f", "");
	/* A link is replaced, not followed. */
	assert_int_equal(symlink("f", "link"), 0);
	assert_int_equal(io_replace("link", "new", 3, 0644, 0, &err), 0);
	assert_holds("f", "");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(io_replace("no/such", "x", 1, 0644, 0, &err), ERR_IO);
	assert_non_null(strstr(err.msg, "no/such"));
	assert_int_equal(mkdir("d", 0755), 0);
	assert_int_equal(io_replace("d", "x", 1, 0644, 1, &err), ERR_IO);
	/* Nothing is left behind by what failed. */
	assert_int_equal(system("test \"$(ls | sort | tr '\\n' ' ')\" = 'd f link '"), 0);
}

static void reads(void **state)
{
	STR s = STR_MAX(7);
	struct err err;
	int fd;

	(void)state;
	assert_int_equal(io_replace("f", "12345", 5, 0644, 0, &err), 0);
	assert_int_equal(io_read_file("f", 5, &s, &err), 0);
	assert_int_equal(s.len, 5);
	assert_int_equal(s.max, 7);
	assert_int_equal(io_read_file("f", 4, &s, &err), ERR_LIMIT);
	assert_string_equal(s.buf, "12345");	/* written on success only */
	assert_int_equal(io_read_file("f", 0, &s, &err), ERR_LIMIT);
	assert_int_equal(io_read_file("g", 5, &s, &err), ERR_NOT_FOUND);
	assert_int_equal(io_read_file("f/g", 5, &s, &err), ERR_NOT_FOUND);
	assert_int_equal(io_read_file(".", 5, &s, &err), ERR_IO);
	assert_non_null(strstr(err.msg, "cannot read '.'"));
	fd = open("f", O_RDONLY);
	assert_int_equal(io_read_head(fd, 3, &s, &err), 0);
	assert_string_equal(s.buf, "123");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(io_read_head(fd, 5, &s, &err), 0);
	assert_string_equal(s.buf, "12345");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(io_read_head(fd, 0, &s, &err), 0);
	assert_int_equal(s.len, 0);
	close(fd);
	assert_int_equal(io_read_head(fd, 5, &s, &err), ERR_IO);
	assert_int_equal(io_read_file("f", 5, &s, &err), 0);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	assert_int_equal(io_read_at(fd, "f", 100, &s, &err), 0);
	close(fd);
	assert_int_equal(io_read_fd(fd, 100, &s, &err), ERR_IO);
	assert_int_equal(io_write_fd(fd, "x", 1, &err), ERR_IO);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	alarm(20);
	assert_int_equal(io_read_file("fifo", 100, &s, &err), 0);
	assert_int_equal(s.len, 0);
	fd = open("fifo", O_RDWR);
	assert_int_equal(io_read_file("fifo", 100, &s, &err), ERR_IO);	/* held open, nothing in it */
	close(fd);
	alarm(0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(io_read_file("loop", 5, &s, &err), ERR_IO);
}

static void large(void **state)
{
	AUTOFREE char *data = xcalloc(1, 300000);
	STR s = STR_INIT;
	struct err err;

	(void)state;
	assert_int_equal(io_replace("big", data, 300000, 0644, 0, &err), 0);
	assert_int_equal(io_read_file("big", 300000, &s, &err), 0);
	assert_int_equal(s.len, 300000);
	assert_int_equal(io_read_file("big", 299999, &s, &err), ERR_LIMIT);
	/* The ceiling counts, not the file's length: /dev/zero has none. */
	assert_int_equal(io_read_file("/dev/zero", 1 << 20, &s, &err), ERR_LIMIT);
}

static void directories(void **state)
{
	struct err err;
	struct stat st;

	(void)state;
	assert_int_equal(io_mkdirs("a/b//c", 0755, &err), 0);
	assert_int_equal(io_mkdirs("a/b/c/", 0755, &err), 0);
	assert_int_equal(io_mkdirs("/", 0755, &err), 0);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_int_equal(io_replace("a/f", "x", 1, 0644, 0, &err), 0);
	assert_int_equal(io_mkdirs("a/f", 0755, &err), ERR_IO);
	assert_int_equal(io_mkdirs("a/f/g", 0755, &err), ERR_IO);
	assert_int_equal(io_sync_parent("a/b", &err), 0);
	assert_int_equal(io_sync_parent("f", &err), 0);
	assert_int_equal(io_sync_parent("none/f", &err), ERR_IO);
}

static void paths(void **state)
{
	static const char *const canonical[] = { "a", "a/b", "...", ".a", "a./b", "a b" };
	static const char *const crooked[] = { "", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/../b", "a/.." };
	static const struct {
		const char *path, *dir;
	} dirs[] = { { "a", "." }, { "a/b", "a" }, { "a/b/", "a" }, { "/a", "/" }, { "/", "/" }, { "a//b", "a" }, { "", "." },
		     { "//a", "/" } };
	static const struct {
		const char *dir, *name, *path;
	} joins[] = { { "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "", "b", "b" }, { "a", "/b", "/b" }, { "/", "b", "/b" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(canonical); i++)
		assert_true(path_is_canonical(canonical[i]));
	for (size_t i = 0; i < ARRAY_SIZE(crooked); i++)
		assert_false(path_is_canonical(crooked[i]));
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		AUTOFREE char *dir = path_dirname(dirs[i].path);

		assert_string_equal(dir, dirs[i].dir);
	}
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		AUTOFREE char *path = path_join(joins[i].dir, joins[i].name);

		assert_string_equal(path, joins[i].path);
	}
	assert_string_equal(path_basename("a/b"), "b");
	assert_string_equal(path_basename("b"), "b");
	assert_true(path_is_within("a", "a"));
	assert_true(path_is_within("a/b", "a"));
	assert_true(path_is_within("a/b", "a/"));
	assert_true(path_is_within("/b", "/"));
	assert_false(path_is_within("ab", "a"));
	assert_false(path_is_within("a", "a/b"));
}

static void clock_text(void **state)
{
	static const char *const bad[] = {
		"", "2026-11-22", "2026-11-22T07:10:03", "2026-11-22T07:10:03+00:00", "2026-11-22 07:10:03Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-22T24:00:00Z",
		"2026-11-22T07:60:00Z", "2026-11-22T07:10:60Z", "2026-11-22T07:10:03.1234567890Z", "2026-11-22T07:10:03Zx",
		"1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "02026-1-22T07:10:03Z", "2026-11-22T07:10:0xZ", "1900-02-29T00:00:00Z",
	};
	char text[CLOCK_TEXT];

	(void)state;
	clock_format(INT64_C(1795331403120481999), text);
	assert_string_equal(text, "2026-11-22T07:10:03.120481Z");
	assert_true(clock_parse(text) == INT64_C(1795331403120481000));
	assert_true(clock_parse("1970-01-01T00:00:00Z") == 0);
	assert_true(clock_parse("2000-02-29T12:00:00.5Z") == INT64_C(951825600500000000));
	assert_true(clock_parse("2026-11-22T07:10:03.000000001Z") == INT64_C(1795331403000000001));
	clock_format(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(clock_parse(bad[i]) == -1);
	for (int64_t day = 0; day < 106000; day += 1) {
		clock_format(day * 86400 * NS_PER_S, text);
		assert_true(clock_parse(text) == day * 86400 * NS_PER_S);
	}
}

static void clocks(void **state)
{
	int64_t mono = clock_mono(), wall;

	(void)state;
	assert_true(clock_mono() >= mono);
	setenv("GIT_HARNESS_TEST_CLOCK", "1795331403", 1);
	wall = clock_wall();
	assert_true(wall >= INT64_C(1795331403) * NS_PER_S && wall < INT64_C(1795331463) * NS_PER_S);
	unsetenv("GIT_HARNESS_TEST_CLOCK");
	assert_true(clock_wall() >= wall);	/* asked once: a clock that jumps back would be worse than a wrong one */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(replaces, enter_room, leave_room),
		cmocka_unit_test_setup_teardown(reads, enter_room, leave_room),
		cmocka_unit_test_setup_teardown(large, enter_room, leave_room),
		cmocka_unit_test_setup_teardown(directories, enter_room, leave_room),
		cmocka_unit_test(paths), cmocka_unit_test(clock_text), cmocka_unit_test(clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
