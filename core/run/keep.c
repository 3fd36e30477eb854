/* What outlives the run that made it: prepare's output for every workspace, declared artifacts for the next step. */
#include "run/ground.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "run/remove.h"

#define ENTRIES_MAX 200000

/* ---- prepare ---- */

static bool is_not_made(void *data, const char *path)
{
	const struct workspace *ws = data;
	const struct strs *include = &ws->pool->include;

	for (size_t i = 0; i < include->n; i++)
		if (path_is_within(path, include->v[i]))
			return true;
	return !strcmp(path, ".git") || slot_tracks(ws, path);
}

/* Directories of the tree were copied on the way; those in which nothing was made are not ours to make. */
static void prune(const struct mirror *m, const struct workspace *ws, int root)
{
	for (size_t i = m->n; i-- > 0;) {
		const char *name;
		AUTOCLOSE int fd = slot_tracks_below(ws, m->v[i].path) ?
				   dir_open_parent(root, m->v[i].path, OPEN_UP, &name) : -1;

		if (fd >= 0)
			(void)unlinkat(fd, name, AT_REMOVEDIR);
	}
}

static void clear_mirror(struct mirror *m)
{
	mirror_clear(m);
}

int pool_keep_prepared(struct pool *pool, struct workspace *ws, struct err *err)
{
	AUTOFREE char *new = path_join(pool->dir, "prepared.new"), *final = path_join(pool->dir, "prepared");
	CLEANUP(clear_mirror) struct mirror m = { 0 };
	AUTOFREE char *touched = NULL;
	AUTOCLOSE int fd = -1;
	struct mirror_spec spec = { .source = ws->cover ? ws->cover->upper : ws->root, .how = OPEN_UP, .skip = is_not_made, .data = ws };

	if (workspace_touched(ws, &touched, err) < 0)
		return err->code;
	if (touched)
		return err_set(err, ERR_REFUSED, "workspace.prepare changed the tracked file '%s'", touched);
	if (remove_tree(AT_FDCWD, new, 0, err) < 0 || io_mkdirs(new, 0700, err) < 0)
		return err->code;
	spec.target = fd = open(new, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open '%s'", new);
	if (mirror_sync(&m, &spec, err) < 0)
		return err_wrap(err, "cannot keep what workspace.prepare made");
	prune(&m, ws, fd);
	if (remove_tree(AT_FDCWD, final, 0, err) < 0)
		return err->code;
	if (rename(new, final) < 0)
		return err_errno(err, "cannot rename '%s'", new);
	pool->prepared = true;
	return 0;
}

/* ---- artifacts ---- */

struct copying {
	int source, target;
	mode_t mask;			/* modes lose these bits */
	int64_t bytes_left, entries;
	const struct workspace *to;	/* whose tracked files are in the way; NULL: none */
	struct strs dirs;		/* made, to lose their bits at the end */
};

static int copy_file(struct copying *c, const struct walk_entry *e, const struct stat *st, struct err *err)
{
	const char *name;
	AUTOCLOSE int fd = dir_open_parent(c->target, e->path, OPEN_UP, &name);

	if (fd < 0)
		return err_errno(err, "cannot open the directory of '%s'", e->path);
	if (st->st_size > c->bytes_left)
		return err_set(err, ERR_LIMIT, "'%s' is too large", e->path);
	c->bytes_left -= st->st_size;
	if (remove_tree(fd, name, 0, err) < 0)
		return err->code;
	return file_copy(e->dirfd, e->name, st, OPEN_UP, fd, name, st->st_mode & 0777 & ~c->mask, err);
}

static int copy_dir(struct copying *c, const char *path, struct err *err)
{
	if (dir_make(c->target, path, 0700, err) < 0)
		return err->code;
	if (!c->to || !slot_tracks_below(c->to, path))
		strs_add(&c->dirs, path);
	return WALK_ENTER;
}

static int copy_entry(void *data, const struct walk_entry *e, struct err *err)
{
	struct copying *c = data;
	struct stat st;

	if (fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? WALK_SKIP : err_errno(err, "cannot stat '%s'", e->path);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return WALK_SKIP;
	if (++c->entries > ENTRIES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d artifacts", ENTRIES_MAX);
	if (c->to && slot_tracks(c->to, e->path))
		return err_set(err, ERR_REFUSED, "artifact '%s' is a tracked file", e->path);
	if (S_ISREG(st.st_mode))
		return copy_file(c, e, &st, err) < 0 ? err->code : WALK_SKIP;
	return copy_dir(c, e->path, err);
}

static int copy_path(struct copying *c, const char *path, struct err *err)
{
	const char *name;
	AUTOCLOSE int fd = dir_open_parent(c->source, path, OPEN_UP, &name);
	struct walk_entry e = { .path = path, .dirfd = fd, .name = name };
	AUTOFREE char *up = path_dirname(path);
	struct stat st;
	int ret;

	if (!path_is_canonical(path))
		return err_set(err, ERR_INVALID, "'%s' is not a path of the workspace", path);
	if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (strcmp(up, ".") && dir_make(c->target, up, 0777, err) < 0)
		return err->code;
	ret = copy_entry(c, &e, err);
	return ret == WALK_ENTER ? walk(c->source, path, OPEN_UP, copy_entry, c, NULL, err) : ret;
}

static int copy_paths(struct copying *c, const struct strs *paths, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < paths->n && ret >= 0; i++)
		ret = copy_path(c, paths->v[i], err);
	for (size_t i = c->dirs.n; i-- > 0 && c->mask;) {
		const char *name;
		AUTOCLOSE int fd = dir_open_parent(c->target, c->dirs.v[i], AS_IS, &name);

		if (fd >= 0)
			(void)dir_chmod(fd, name, 0777 & ~c->mask);
	}
	strs_free(&c->dirs);
	return ret < 0 ? ret : 0;
}

int workspace_keep(struct workspace *from, const char *dir, const struct strs *paths, int64_t max, struct err *err)
{
	AUTOCLOSE int fd = -1;
	struct copying c = { .source = from->root, .bytes_left = max };

	if (remove_tree(AT_FDCWD, dir, 0, err) < 0 || io_mkdirs(dir, 0700, err) < 0)
		return err->code;
	c.target = fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open '%s'", dir);
	return copy_paths(&c, paths, err);
}

static int place(struct workspace *to, const char *dir, const struct strs *paths, mode_t mask, struct err *err)
{
	AUTOCLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct copying c = {
		.source = fd, .target = to->root, .mask = mask, .bytes_left = INT64_MAX, .to = to,
	};

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, "cannot open '%s'", dir);
	return copy_paths(&c, paths, err);
}

int workspace_place(struct workspace *to, const char *dir, const struct strs *paths, struct err *err)
{
	return place(to, dir, paths, 0222, err);
}

int workspace_restore(struct workspace *to, const char *dir, const struct strs *paths, struct err *err)
{
	return place(to, dir, paths, 0, err);
}
