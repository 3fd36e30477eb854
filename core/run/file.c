/* Files of a workspace: are they still what they were, their bytes, their copies. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "run/dir.h"

static int64_t ns(struct timespec ts)
{
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void stat_key(const struct stat *st, struct stat_key *ret)
{
	*ret = (struct stat_key){
		.dev = (int64_t)st->st_dev, .ino = (int64_t)st->st_ino, .size = st->st_size,
		.mtime = ns(st->st_mtim), .ctime = ns(st->st_ctim), .mode = st->st_mode,
	};
}

bool stat_same(const struct stat_key *a, const struct stat_key *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->mtime == b->mtime &&
	       a->ctime == b->ctime && a->mode == b->mode;
}

/* The clock file times are taken from, not a finer one. */
int64_t stat_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	return ns(ts);
}

bool stat_racy(const struct stat_key *k, int64_t now)
{
	if (k->ctime % NS_PER_S == 0)	/* a file system of whole seconds; some count in twos */
		return k->ctime >= now - 2 * NS_PER_S;
	return k->ctime >= now;
}

static int read_link(int dirfd, const char *name, struct str *ret, struct err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

	if (n < 0)
		return err_errno(err, "cannot read link '%s'", name);
	str_clear(ret);
	str_add(ret, target, (size_t)n);
	return 0;
}

/* Opened up without touching the other bits: one of them could be a change that counts. */
static int open_file(int dirfd, const char *name, const struct stat *st, enum access how)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);

	if (fd < 0 && how == OPEN_UP && errno == EACCES && !dir_chmod(dirfd, name, (st->st_mode & 07777) | S_IRUSR))
		fd = openat(dirfd, name, flags);
	return fd;
}

int file_read(int dirfd, const char *name, const struct stat *st, size_t max, struct str *ret, struct err *err)
{
	AUTOCLOSE int fd = -1;
	struct stat now;

	if (S_ISLNK(st->st_mode))
		return read_link(dirfd, name, ret, err);
	fd = open_file(dirfd, name, st, OPEN_UP);
	if (fd < 0 || fstat(fd, &now) < 0)
		return err_errno(err, "cannot open '%s'", name);
	if (!S_ISREG(now.st_mode))
		return err_set(err, ERR_INVALID, "cannot read '%s': not a regular file", name);
	if (now.st_size > 0 && (uint64_t)now.st_size > max)	/* before a sparse terabyte is read */
		return err_set(err, ERR_LIMIT, "cannot read '%s': larger than %zu bytes", name, max);
	if (io_read_fd(fd, max, ret, err) < 0)
		return err_wrap(err, "cannot read '%s'", name);
	return 0;
}

static bool cannot_here(int error)
{
	return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

/* Shared blocks, else in the kernel, else by hand: some file systems know neither. */
static int copy_bytes(int in, int out, int64_t size, struct err *err)
{
	AUTOFREE char *buf = NULL;
	ssize_t n;

	if (size > 0 && !ioctl(out, FICLONE, in))
		return 0;
	while ((n = copy_file_range(in, NULL, out, NULL, (size_t)1 << 30, 0)) > 0)
		;
	if (n == 0)
		return 0;
	if (!cannot_here(errno))
		return err_errno(err, "copy failed");
	buf = xmalloc(1 << 16);
	while ((n = read(in, buf, 1 << 16)) > 0)
		if (io_write_fd(out, buf, (size_t)n, err) < 0)
			return err->code;
	return n < 0 ? err_errno(err, "read failed") : 0;
}

static int copy_link(int from, const char *name, const struct stat *st, int to, const char *to_name, struct err *err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	STR target = STR_INIT;

	if (read_link(from, name, &target, err) < 0)
		return err->code;
	if (symlinkat(target.buf, to, to_name) < 0)
		return err_errno(err, "cannot make link '%s'", to_name);
	(void)utimensat(to, to_name, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

int file_copy(int from, const char *name, const struct stat *st, enum access how, int to, const char *to_name, mode_t mode,
	      struct err *err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	AUTOCLOSE int in = -1, out = -1;

	if (S_ISLNK(st->st_mode))
		return copy_link(from, name, st, to, to_name, err);
	in = open_file(from, name, st, how);
	if (in < 0)
		return err_errno(err, "cannot open '%s'", name);
	out = openat(to, to_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return err_errno(err, "cannot create '%s'", to_name);
	if (copy_bytes(in, out, st->st_size, err) < 0)
		return err_wrap(err, "cannot copy '%s'", name);
	/* mtime too: make and Python's caches go by it. */
	if (fchmod(out, mode) < 0 || futimens(out, times) < 0)
		return err_errno(err, "cannot copy '%s'", name);
	return 0;
}
