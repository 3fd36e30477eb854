#include "run/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/remove.h"

#define DIR_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

int dir_chmod(int dirfd, const char *name, mode_t mode)
{
	AUTOCLOSE int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	char path[40];

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode)) {
		errno = ELOOP;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return chmod(path, mode);
}

static int open_component(int dirfd, const char *name, enum access how)
{
	int fd = openat(dirfd, name, O_RDONLY | DIR_FLAGS);
	struct stat st;

	if (how == AS_IS)
		return fd;
	if (fd < 0 && errno == EACCES && !dir_chmod(dirfd, name, 0700))
		fd = openat(dirfd, name, O_RDONLY | DIR_FLAGS);
	if (fd >= 0 && !fstat(fd, &st) && (st.st_mode & 0700) != 0700)
		(void)fchmod(fd, st.st_mode | 0700);
	return fd;
}

/* Component by component: for closed directories, and for kernels (or sandboxes) without openat2. */
static int open_slowly(int root, const char *path, enum access how)
{
	AUTOFREE char *copy = xstrdup(path);
	AUTOCLOSE int at = openat(root, ".", O_RDONLY | DIR_FLAGS);
	struct stat top, st;

	if (at < 0 && errno == EACCES && how == OPEN_UP && !fchmod(root, 0700))
		at = openat(root, ".", O_RDONLY | DIR_FLAGS);
	if (at < 0 || fstat(at, &top) < 0)
		return -1;
	for (char *save, *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		int next = open_component(at, name, how);

		if (next < 0)
			return -1;
		close(at);
		at = next;
		if (fstat(at, &st) < 0 || st.st_dev != top.st_dev) {
			errno = EXDEV;
			return -1;
		}
	}
	return fcntl(at, F_DUPFD_CLOEXEC, 0);	/* ours is closed on the way out */
}

int dir_open(int root, const char *path, enum access how)
{
	struct open_how beneath = {
		.flags = O_RDONLY | DIR_FLAGS,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	struct stat st;
	int fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &beneath, sizeof(beneath));

	if (fd >= 0 && (how == AS_IS || (!fstat(fd, &st) && (st.st_mode & 0700) == 0700)))
		return fd;
	if (fd >= 0)
		close(fd);
	else if (errno != EACCES && errno != ENOSYS && errno != EPERM && errno != EAGAIN)
		return -1;
	return open_slowly(root, path, how);
}

int dir_open_parent(int root, const char *path, enum access how, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	AUTOFREE char *dir = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup("");

	*ret_name = slash ? slash + 1 : path;
	return dir_open(root, dir, how);
}

int dir_make(int root, const char *path, mode_t mode, struct err *err)
{
	AUTOFREE char *copy = xstrdup(path);
	AUTOCLOSE int at = dir_open(root, "", OPEN_UP);

	if (at < 0)
		return err_errno(err, "cannot open a directory");
	for (char *save, *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
		int next;

		if (mkdirat(at, name, mode) < 0 && errno != EEXIST)
			return err_errno(err, "cannot make directory '%s'", path);
		next = open_component(at, name, OPEN_UP);
		if (next < 0)
			return err_errno(err, "cannot make directory '%s'", path);
		close(at);
		at = next;
	}
	return 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

int dir_names(int dirfd, struct strs *ret, struct err *err)
{
	int fd = openat(dirfd, ".", O_RDONLY | DIR_FLAGS);
	CLEANUP(close_dir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return err_errno(err, "cannot read a directory");
	while ((errno = 0, e = readdir(d)))
		if (!is_dot(e->d_name))
			strs_add(ret, e->d_name);
	if (errno)
		return err_errno(err, "cannot read a directory");
	strs_sort(ret);
	return 0;
}

int dir_remove(int root, const char *path, struct err *err)
{
	const char *name;
	AUTOCLOSE int fd = dir_open_parent(root, path, OPEN_UP, &name);

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return err_errno(err, "cannot remove '%s'", path);
	return fd < 0 ? 0 : remove_tree(fd, name, 0, err);
}

/* ---- walking ---- */

struct walking {
	int root;
	enum access how;
	walk_fn *fn;
	void *data;
	const char **over;
	struct strs todo;	/* directories to read, last first */
};

static unsigned char type_of(int fd, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	return fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? DT_UNKNOWN : (unsigned char)IFTODT(st.st_mode);
}

/* The callback may remove the entry it is shown. */
static int read_one(struct walking *w, const char *dir, struct err *err)
{
	int fd = dir_open(w->root, dir, w->how), ret = 0;
	CLEANUP(close_dir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (fd < 0 && (errno == ENAMETOOLONG || errno == ENOENT)) {
		*w->over = errno == ENOENT ? *w->over : "depth";
		return 0;
	}
	if (!d)
		return err_errno(err, "cannot read directory '%s'", dir);
	while (!ret && (errno = 0, e = readdir(d))) {
		AUTOFREE char *path = *dir ? xasprintf("%s/%s", dir, e->d_name) : xstrdup(e->d_name);
		struct walk_entry we = { path, fd, e->d_name, type_of(fd, e) };

		if (is_dot(e->d_name))
			continue;
		ret = w->fn(w->data, &we, err);
		if (ret != WALK_ENTER)
			continue;
		ret = 0;
		strs_take(&w->todo, path);
		path = NULL;
	}
	return ret;
}

int walk(int root, const char *from, enum access how, walk_fn *fn, void *data, const char **over, struct err *err)
{
	const char *ignored = NULL;
	struct walking w = { .root = root, .how = how, .fn = fn, .data = data, .over = over ? over : &ignored };
	int ret = 0;

	strs_add(&w.todo, from);
	while (!ret && w.todo.n) {
		AUTOFREE char *dir = w.todo.v[--w.todo.n];

		ret = read_one(&w, dir, err);
	}
	strs_free(&w.todo);
	return ret < 0 ? ret : 0;
}
