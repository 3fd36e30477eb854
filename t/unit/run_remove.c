/* The remover against what experiments leave behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run/remove.h"

static char room[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(room, "/tmp/run_remove.XXXXXX");
	return mkdtemp(room) && !chdir(room) && !mkdir("keep", 0755) && !mkdir("w", 0755) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct err err;

	(void)state;
	return chdir("/") || remove_tree(AT_FDCWD, room, 0, &err) ? -1 : 0;
}

static void make(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static bool is_there(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static void removes(int keep_top)
{
	struct err err = { 0 };

	if (remove_tree(AT_FDCWD, "w", keep_top, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(is_there("w"), keep_top);
	if (keep_top)
		assert_int_equal(rmdir("w"), 0);
}

static void what_is_not_there_is_fine(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(remove_tree(AT_FDCWD, "nothing", 0, &err), 0);
	removes(1);
}

static void links_are_removed_not_followed(void **state)
{
	struct err err;

	(void)state;
	make("keep/file");
	assert_int_equal(symlink("../keep", "w/dir"), 0);
	assert_int_equal(symlink("../keep/file", "w/file"), 0);
	assert_int_equal(symlink("/nonexistent", "w/dangling"), 0);
	removes(0);
	assert_int_equal(symlink("keep", "w"), 0);
	assert_int_equal(remove_tree(AT_FDCWD, "w", 1, &err), ERR_REFUSED);
	removes(0);
	assert_true(is_there("keep/file"));
}

static void a_file_is_removed_too(void **state)
{
	(void)state;
	rmdir("w");
	make("w");
	removes(0);
}

static void special_files_and_odd_names(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "w/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char name[300] = "w/";

	(void)state;
	assert_int_equal(mkfifo("w/fifo", 0), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
	make("w/-rf");
	make("w/\n\033[31m\xff");
	assert_int_equal(mkdir("w/.removing-0", 0755), 0);	/* our own names, planted */
	assert_int_equal(mkdir("w/.removing-0/.removing-1", 0755), 0);
	make("w/.removing-1");
	memset(name + 2, 'x', 255);
	make(name);
	removes(0);
}

static void closed_directories_open(void **state)
{
	(void)state;
	assert_int_equal(mkdir("w/a", 0755), 0);
	assert_int_equal(mkdir("w/a/b", 0755), 0);
	make("w/a/b/c");
	assert_int_equal(chmod("w/a/b", 0), 0);
	assert_int_equal(chmod("w/a", 0), 0);
	assert_int_equal(chmod("w", 0), 0);
	removes(0);
}

/* Deeper than any path can say. */
static void depth_does_not_matter(void **state)
{
	(void)state;
	assert_int_equal(chdir("w"), 0);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdir("a-directory-name", 0755), 0);
		assert_int_equal(chdir("a-directory-name"), 0);
		make("file");
	}
	assert_int_equal(chdir(room), 0);
	removes(0);
}

static void a_wide_tree(void **state)
{
	char path[64];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "w/%d", i);
		assert_int_equal(mkdir(path, 0755), 0);
		for (int k = 0; k < 30; k++) {
			snprintf(path, sizeof(path), "w/%d/%d", i, k);
			assert_int_equal(mkdir(path, 0755), 0);
			snprintf(path, sizeof(path), "w/%d/%d/f", i, k);
			make(path);
		}
	}
	removes(1);
}

/* A process that goes on writing only delays the end. */
static void somebody_still_writes(void **state)
{
	int status, ready[2];
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		assert_int_equal(chdir("w"), 0);
		for (int i = 0; i < 3000 && (i != 50 || write(ready[1], "x", 1) == 1); i++) {
			char path[64];

			snprintf(path, sizeof(path), "d%d", i % 50);
			(void)mkdir(path, 0755);
			snprintf(path, sizeof(path), "d%d/f%d", i % 50, i);
			close(open(path, O_CREAT | O_WRONLY, 0644));
		}
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	removes(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
}

/* In a mount namespace of its own; where that is refused there is nothing to test. */
static void a_mount_is_in_the_way(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	make("keep/file");
	assert_int_equal(mkdir("w/a", 0755), 0);
	assert_int_equal(mkdir("w/a/data", 0755), 0);
	pid = fork();
	if (!pid) {
		struct err err = { 0 };

		if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("keep", "w/a/data", NULL, MS_BIND, NULL) < 0)
			_exit(77);
		if (remove_tree(AT_FDCWD, "w/a/data", 1, &err) != ERR_REFUSED)
			_exit(1);
		if (remove_tree(AT_FDCWD, "w", 0, &err) != ERR_REFUSED)
			_exit(2);
		_exit(is_there("keep/file") ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77 && !getenv("HARNESS_MUST_WORK"))
		skip();
	assert_int_equal(status, 0);
	assert_true(is_there("keep/file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_there_is_fine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(links_are_removed_not_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_is_removed_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(special_files_and_odd_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(closed_directories_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(depth_does_not_matter, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wide_tree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(somebody_still_writes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_mount_is_in_the_way, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
