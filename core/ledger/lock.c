#include "ledger/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"

#define OWNER_MAX 4096
#define ORPHAN_WAIT (2 * NS_PER_S)

struct lock {
	int fd;
};

static char *lock_path(const char *state_dir)
{
	return xasprintf("%s/lock", state_dir);
}

/*
 * An open-file-description lock: the kernel lets go of it when the last copy of the descriptor is closed, however its
 * process died, so a stale owner is simply a free lock. Unlike flock(2) it can be asked about without being taken.
 */
static struct flock whole_file(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

static int open_lock(const char *path, int flags, int *ret, struct err *err)
{
	*ret = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (*ret >= 0)
		return 0;
	if (errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "no lock file '%s'", path);
	return err_errno(err, "cannot open the lock '%s'", path);
}

static void read_first_line(const char *path, struct str *ret)
{
	struct err ignored;
	char *newline;

	if (io_read_file(path, OWNER_MAX, ret, &ignored) < 0)
		str_clear(ret);
	newline = memchr(ret->buf, '\n', ret->len);
	if (newline)
		str_truncate(ret, (size_t)(newline - ret->buf));
}

static void owner_text(const char *command, struct str *ret)
{
	EVENT owner = { 0 };
	STR boot = STR_INIT;
	char host[256] = "", since[CLOCK_TEXT];

	gethostname(host, sizeof(host) - 1);
	read_first_line("/proc/sys/kernel/random/boot_id", &boot);
	clock_format(clock_wall(), since);
	event_add_int(&owner, "pid", getpid());
	event_add(&owner, "boot", boot.len ? boot.buf : NULL);
	event_add(&owner, "host", host);
	event_add(&owner, "command", command);
	event_add(&owner, "since", since);
	event_format(&owner, ret);
	str_putc(ret, '\n');
}

static int held_by_another(const char *state_dir, struct err *err)
{
	EVENT owner = { 0 };
	struct err ignored;
	const char *slash = strrchr(state_dir, '/');
	const char *command, *pid, *since;
	bool held;

	if (lock_owner(state_dir, &held, &owner, &ignored) < 0)
		event_free(&owner);
	command = event_get(&owner, "command");
	pid = event_get(&owner, "pid");
	since = event_get(&owner, "since");
	err_set(err, ERR_LOCKED, "campaign '%s' is held by '%s' (pid %s, since %s)", slash ? slash + 1 : state_dir,
		command ? command : "another process", pid ? pid : "unknown", since ? since : "unknown");
	return err_hint(err, "git harness status tells what it does, git harness stop asks it to end");
}

/* Was the lock's owner a process of this machine that has ended? */
static bool owner_ended(const char *state_dir)
{
	EVENT owner = { 0 };
	STR boot = STR_INIT;
	struct err ignored;
	int64_t pid;
	bool held;

	if (lock_owner(state_dir, &held, &owner, &ignored) < 0 || !event_get_int(&owner, "pid", &pid) || pid <= 0)
		return false;
	read_first_line("/proc/sys/kernel/random/boot_id", &boot);
	return str_eq(event_get(&owner, "boot"), boot.buf) && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

/*
 * A killed owner may leave a child that was forked and has not closed its copy of the lock yet; that one lets go in a moment, and
 * whoever resumes right after a kill is not to be sent away for it.
 */
static int lock_file(int fd, const char *state_dir)
{
	struct flock want = whole_file(F_WRLCK);
	int64_t end = clock_mono() + ORPHAN_WAIT;
	int rc;

	do {
		rc = fcntl(fd, F_OFD_SETLK, &want);
	} while (rc < 0 && (errno == EAGAIN || errno == EACCES) && clock_mono() < end && owner_ended(state_dir) &&
		 !nanosleep(&(struct timespec){ .tv_nsec = 5 * NS_PER_MS }, NULL));
	return rc;
}

int lock_take(const char *state_dir, const char *command, struct lock **ret, struct err *err)
{
	AUTOFREE char *path = lock_path(state_dir);
	AUTOCLOSE int fd = -1;
	STR text = STR_INIT;

	if (io_mkdirs(state_dir, 0777, err) < 0 || open_lock(path, O_RDWR | O_CREAT, &fd, err) < 0)
		return err->code;
	if (lock_file(fd, state_dir) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			return held_by_another(state_dir, err);
		return err_errno(err, "cannot lock '%s'", path);
	}
	owner_text(command, &text);
	if (ftruncate(fd, 0) < 0)
		return err_errno(err, "cannot write '%s'", path);
	if (io_write_fd(fd, text.buf, text.len, err) < 0)
		return err_wrap(err, "cannot write '%s'", path);
	*ret = xmalloc(sizeof(**ret));
	(*ret)->fd = fd;
	fd = -1;
	return 0;
}

void lock_free(struct lock *lock)
{
	if (!lock)
		return;
	close(lock->fd);
	free(lock);
}

int lock_fd(const struct lock *lock)
{
	return lock->fd;
}

int lock_owner(const char *state_dir, bool *ret_held, struct event *ret_owner, struct err *err)
{
	AUTOFREE char *path = lock_path(state_dir);
	AUTOCLOSE int fd = -1;
	STR text = STR_INIT;
	struct flock ask = whole_file(F_WRLCK);

	*ret_owner = (struct event){ 0 };
	*ret_held = false;
	if (open_lock(path, O_RDONLY, &fd, err) < 0)
		return err->code == ERR_NOT_FOUND ? 0 : err->code;
	if (fcntl(fd, F_OFD_GETLK, &ask) < 0)
		return err_errno(err, "cannot ask about the lock '%s'", path);
	if (ask.l_type == F_UNLCK)
		return 0;
	*ret_held = true;
	read_first_line(path, &text);
	if (!event_parse(text.buf, text.len, ret_owner))
		*ret_owner = (struct event){ 0 };
	return 0;
}
