#include "run/remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

#define REFILLED_MAX 1000

/*
 * Depth is flattened, not descended: a directory found inside is first moved up to the top under a name of ours, and emptied from
 * there. So no path grows, two descriptors are enough for any depth, and the move itself refuses what something is mounted on.
 */
struct removal {
	int top;
	unsigned long n;	/* of the next name of ours */
	int refilled;		/* how often somebody put something in a directory just emptied */
	struct err *err;
};

static int failed(struct removal *r, const char *what, const char *name)
{
	if (errno == EBUSY || errno == EXDEV)
		return err_set(r->err, ERR_REFUSED, "cannot remove '%.200s': something is mounted there", name);
	return err_errno(r->err, "cannot %s '%.200s'", what, name);
}

/* chmod without following a link; a mode-000 directory cannot be opened, so the way leads over its O_PATH descriptor. */
static int make_accessible(int dirfd, const char *name)
{
	AUTOCLOSE int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
	char path[40];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, 0700);
}

static int open_dir(int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);
	struct stat st;

	if (fd < 0 && errno == EACCES && !make_accessible(dirfd, name))
		fd = openat(dirfd, name, flags);
	if (fd >= 0 && !fstat(fd, &st) && (st.st_mode & 0700) != 0700)
		(void)fchmod(fd, 0700);	/* where it fails, so will what needs it, and say so */
	return fd;
}

/* Same file system and nothing mounted on it? A bind mount has the same st_dev, so the kernel is asked for mount roots. */
static bool is_mount(int fd, dev_t dev)
{
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &sx) < 0)
		return true;
	if ((sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) && (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return true;
	return makedev(sx.stx_dev_major, sx.stx_dev_minor) != dev;
}

/* Moving a directory changes its "..", so it must be writable itself. */
static int move_up(struct removal *r, int from, const char *name, char ours[40])
{
	struct stat st;

	if (!fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) && (st.st_mode & 0700) != 0700)
		(void)make_accessible(from, name);
	do {
		snprintf(ours, 40, ".removing-%lu", r->n++);
		if (!renameat2(from, name, r->top, ours, RENAME_NOREPLACE))
			return 0;
	} while (errno == EEXIST);
	return failed(r, "move", name);
}

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Unlink what is no directory in `fd` (closed here), move its directories up. */
static int flatten(struct removal *r, int fd)
{
	CLEANUP(close_dir) DIR *d = fdopendir(fd);
	struct dirent *e;
	char ours[40];

	if (!d) {
		close(fd);
		return err_errno(r->err, "cannot read a directory");
	}
	while ((errno = 0, e = readdir(d))) {
		if (is_dot(e->d_name))
			continue;
		if (e->d_type != DT_DIR && (!unlinkat(fd, e->d_name, 0) || errno == ENOENT))
			continue;
		if (e->d_type != DT_DIR && errno != EISDIR)
			return failed(r, "remove", e->d_name);
		if (move_up(r, fd, e->d_name, ours) < 0)
			return r->err->code;
	}
	return errno ? err_errno(r->err, "cannot read a directory") : 0;
}

/* 1: it is not empty any more, a process still writes there; the next pass finds it again. */
static int remove_emptied(struct removal *r, int dirfd, const char *name)
{
	if (!unlinkat(dirfd, name, AT_REMOVEDIR))
		return 0;
	return errno == ENOTEMPTY && r->refilled++ < REFILLED_MAX ? 1 : failed(r, "remove", name);
}

static int remove_flat(struct removal *r, const char *name, dev_t dev)
{
	char ours[40];
	int fd;

	/* Under the old name it could still have something mounted on it; the move tells. */
	if (move_up(r, r->top, name, ours) < 0)
		return r->err->code;
	fd = open_dir(r->top, ours);
	if (fd < 0)
		return failed(r, "open", name);
	if (is_mount(fd, dev)) {
		close(fd);
		return err_set(r->err, ERR_REFUSED, "cannot remove '%.200s': something is mounted there", name);
	}
	if (flatten(r, fd) < 0)
		return r->err->code;
	return remove_emptied(r, r->top, ours) < 0 ? r->err->code : 0;
}

/* One pass over the top; *ret_more when there was a directory, whose own ones may have come up meanwhile. */
static int pass(struct removal *r, dev_t dev, bool *ret_more)
{
	int fd = openat(r->top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(close_dir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	*ret_more = false;
	if (!d)
		return err_errno(r->err, "cannot read a directory");
	while ((errno = 0, e = readdir(d))) {
		if (is_dot(e->d_name))
			continue;
		if (e->d_type != DT_DIR && (!unlinkat(fd, e->d_name, 0) || errno == ENOENT))
			continue;
		if (e->d_type != DT_DIR && errno != EISDIR)
			return failed(r, "remove", e->d_name);
		*ret_more = true;
		if (remove_flat(r, e->d_name, dev) < 0)
			return r->err->code;
	}
	return errno ? err_errno(r->err, "cannot read a directory") : 0;
}

static int empty(struct removal *r)
{
	struct stat st;
	bool more = true;

	if (fstat(r->top, &st) < 0)
		return err_errno(r->err, "cannot read a directory");
	if (is_mount(r->top, st.st_dev))
		return err_set(r->err, ERR_REFUSED, "something is mounted there");
	while (more)
		if (pass(r, st.st_dev, &more) < 0)
			return r->err->code;
	return 0;
}

int remove_tree(int dirfd, const char *name, int keep_top, struct err *err)
{
	struct removal r = { .err = err };
	AUTOCLOSE int top = open_dir(dirfd, name);
	int left;

	if (top < 0 && (errno == ENOTDIR || errno == ELOOP)) {
		if (keep_top)
			return err_set(err, ERR_REFUSED, "cannot empty '%s': not a directory", name);
		return unlinkat(dirfd, name, 0) < 0 && errno != ENOENT ? failed(&r, "remove", name) : 0;
	}
	if (top < 0)
		return errno == ENOENT ? 0 : failed(&r, "open", name);
	r.top = top;
	do {
		if (empty(&r) < 0)
			return err_wrap(err, "cannot remove '%s'", name);
		left = keep_top ? 0 : remove_emptied(&r, dirfd, name);
	} while (left > 0);
	return left;
}
