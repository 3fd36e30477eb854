#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

#define PIECE ((size_t)1 << 16)

/* Up to max bytes into s, which holds none; *ret_more: there was one more. */
static int read_up_to(int fd, size_t max, struct str *s, bool *ret_more, struct err *err)
{
	AUTOFREE char *buf = xmalloc(PIECE);

	*ret_more = false;
	for (;;) {
		ssize_t n = read(fd, buf, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "read failed");
		*ret_more = (size_t)n > max - s->len;
		str_add(s, buf, *ret_more ? max - s->len : (size_t)n);
		if (!n || *ret_more)
			return 0;
	}
}

/* What was read is the caller's from here; `max` was the read's, not the string's. */
static void hand_over(struct str *s, struct str *ret)
{
	size_t ceiling = ret->max;

	str_free(ret);
	*ret = *s;
	ret->max = ceiling;
	*s = (struct str)STR_INIT;
}

int io_read_fd(int fd, size_t max, struct str *ret, struct err *err)
{
	STR s = STR_MAX(max ? max : 1);
	bool more;

	if (read_up_to(fd, max, &s, &more, err) < 0)
		return err->code;
	if (more)
		return err_set(err, ERR_LIMIT, "larger than %zu bytes", max);
	hand_over(&s, ret);
	return 0;
}

int io_read_head(int fd, size_t max, struct str *ret, struct err *err)
{
	STR s = STR_MAX(max ? max : 1);
	bool more;

	if (read_up_to(fd, max, &s, &more, err) < 0)
		return err->code;
	hand_over(&s, ret);
	return 0;
}

int io_read_at(int dirfd, const char *path, size_t max, struct str *ret, struct err *err)
{
	/* An agent may have left a FIFO where a file is expected: O_NONBLOCK, or we wait for ever. */
	AUTOCLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, ERR_NOT_FOUND, "no file '%s'", path);
	if (fd < 0)
		return err_errno(err, "cannot open '%s'", path);
	if (io_read_fd(fd, max, ret, err) < 0)
		return err_wrap(err, "cannot read '%s'", path);
	return 0;
}

int io_read_file(const char *path, size_t max, struct str *ret, struct err *err)
{
	return io_read_at(AT_FDCWD, path, max, ret, err);
}

int io_write_fd(int fd, const void *ptr, size_t len, struct err *err)
{
	const char *p = ptr;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "write failed");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A name in the same directory that no other process and no other call uses. */
static int open_temporary(const char *path, int mode, char **ret, struct err *err)
{
	static unsigned counter;

	for (int tries = 0; tries < 100; tries++) {
		AUTOFREE char *name = xasprintf("%s.%ld.%u.tmp", path, (long)getpid(), counter++);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

		if (fd >= 0) {
			*ret = name;
			name = NULL;
			return fd;
		}
		if (errno != EEXIST)
			return err_errno(err, "cannot create '%s'", name);
	}
	return err_set(err, ERR_IO, "cannot find a free temporary name beside '%s'", path);
}

static int fill_and_rename(int fd, const char *temporary, const char *path, const struct str *text,
			   int durable, struct err *err)
{
	if (io_write_fd(fd, text->buf, text->len, err) < 0)
		return err_wrap(err, "cannot write '%s'", temporary);
	if (durable && fdatasync(fd) < 0)
		return err_errno(err, "cannot flush '%s'", temporary);
	if (rename(temporary, path) < 0)
		return err_errno(err, "cannot rename '%s' to '%s'", temporary, path);
	return 0;
}

int io_replace(const char *path, const void *ptr, size_t len, int mode, int durable,
	       struct err *err)
{
	const struct str text = { .buf = (char *)ptr, .len = len };
	AUTOFREE char *temporary = NULL;
	AUTOCLOSE int fd = open_temporary(path, mode, &temporary, err);

	if (fd < 0)
		return err->code;
	if (fill_and_rename(fd, temporary, path, &text, durable, err) < 0) {
		unlink(temporary);
		return err->code;
	}
	return durable ? io_sync_parent(path, err) : 0;
}

static int make_one(const char *path, int mode, struct err *err)
{
	struct stat st;
	int saved;

	if (!mkdir(path, (mode_t)mode))
		return 0;
	saved = errno;
	/* Not EEXIST alone: a read-only parent answers EROFS for a directory that is there. */
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return 0;
	errno = saved;
	return err_errno(err, "cannot create directory '%s'", path);
}

int io_mkdirs(const char *path, int mode, struct err *err)
{
	AUTOFREE char *copy = xstrdup(path);

	for (char *slash = copy + strspn(copy, "/"); (slash = strchr(slash, '/')); ) {
		*slash = '\0';
		if (make_one(copy, mode, err) < 0)
			return err->code;
		*slash++ = '/';
		slash += strspn(slash, "/");
	}
	return make_one(copy, mode, err);
}

int io_sync_parent(const char *path, struct err *err)
{
	AUTOFREE char *dir = path_dirname(path);
	AUTOCLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, "cannot open directory '%s'", dir);
	/*
	 * Some file systems cannot flush a directory and say so with EINVAL; nothing more can be
	 * done there.
	 */
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		return err_errno(err, "cannot flush directory '%s'", dir);
	return 0;
}
