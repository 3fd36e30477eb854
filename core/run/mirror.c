#include "run/mirror.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "run/remove.h"

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct mirror_entry *)a)->path, ((const struct mirror_entry *)b)->path);
}

const struct mirror_entry *mirror_find(const struct mirror *m, const char *path)
{
	struct mirror_entry key = { .path = (char *)(uintptr_t)path };

	return m->n ? bsearch(&key, m->v, m->n, sizeof(*m->v), by_path) : NULL;
}

bool mirror_same(const struct mirror_entry *e, const struct stat *st)
{
	struct stat_key now;

	if (S_ISDIR(e->to.mode))
		return S_ISDIR(st->st_mode);
	stat_key(st, &now);
	return stat_same(&e->to, &now);
}

void mirror_clear(struct mirror *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].path);
	free(m->v);
	*m = (struct mirror){ 0 };
}

struct sync {
	const struct mirror_spec *spec;
	const struct mirror *old;
	struct mirror next;
	char *dir;		/* the target directory last opened */
	int fd;
};

static void sync_clear(struct sync *s)
{
	mirror_clear(&s->next);
	free(s->dir);
	if (s->fd >= 0)
		close(s->fd);
}

static const char *target_at(struct sync *s, const char *path, struct err *err)
{
	AUTOFREE char *dir = path_dirname(path);

	if (!s->dir || strcmp(s->dir, dir)) {
		free(s->dir);
		if (s->fd >= 0)
			close(s->fd);
		s->dir = dir;
		dir = NULL;
		s->fd = dir_open(s->spec->target, !strcmp(s->dir, ".") ? "" : s->dir, OPEN_UP);
	}
	if (s->fd < 0) {
		err_errno(err, "cannot open directory '%s' of a workspace", s->dir);
		return NULL;
	}
	return path_basename(path);
}

static int copy_dir(struct sync *s, const char *name, const struct stat *st, struct err *err)
{
	struct stat there;

	if (!fstatat(s->fd, name, &there, AT_SYMLINK_NOFOLLOW) && !S_ISDIR(there.st_mode) &&
	    remove_tree(s->fd, name, 0, err) < 0)
		return err->code;
	if (mkdirat(s->fd, name, 0700) < 0 && errno != EEXIST)
		return err_errno(err, "cannot make directory '%s'", name);
	return dir_chmod(s->fd, name, (st->st_mode & 0777) | 0700) < 0 ?
	       err_errno(err, "cannot make directory '%s'", name) : 0;
}

/* Copied unless the copy and its source both are what they were. */
static int copy_one(struct sync *s, const char *path, int from, const char *from_name, const struct stat *st,
		    struct err *err)
{
	const struct mirror_entry *old = mirror_find(s->old, path);
	const char *name = target_at(s, path, err);
	struct mirror_entry *e;
	struct stat to;

	if (!name)
		return err->code;
	GROW(s->next.v, s->next.n, s->next.alloc);
	e = &s->next.v[s->next.n++];
	*e = (struct mirror_entry){ .path = xstrdup(path) };
	stat_key(st, &e->from);
	if (S_ISDIR(st->st_mode)) {
		if (copy_dir(s, name, st, err) < 0)
			return err->code;
	} else if (!old || !stat_same(&old->from, &e->from) || fstatat(s->fd, name, &to, AT_SYMLINK_NOFOLLOW) < 0 ||
		   !mirror_same(old, &to)) {
		if (remove_tree(s->fd, name, 0, err) < 0 ||
		    file_copy(from, from_name, st, s->spec->how, s->fd, name, st->st_mode & 0777, err) < 0)
			return err->code;
	}
	if (fstatat(s->fd, name, &to, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot stat '%s'", name);
	stat_key(&to, &e->to);
	return 0;
}

static int visit(void *data, const struct walk_entry *w, struct err *err)
{
	struct sync *s = data;
	struct stat st;

	if (s->spec->skip && s->spec->skip(s->spec->data, w->path))
		return WALK_SKIP;
	if (fstatat(w->dirfd, w->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? WALK_SKIP : err_errno(err, "cannot stat '%s'", w->path);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode) && !S_ISDIR(st.st_mode))
		return WALK_SKIP;	/* sockets and the like mean nothing in a copy */
	if (copy_one(s, w->path, w->dirfd, w->name, &st, err) < 0)
		return err_wrap(err, "cannot copy '%s'", w->path);
	return S_ISDIR(st.st_mode) ? WALK_ENTER : WALK_SKIP;
}

/* While the list grows it is not sorted. */
static bool is_listed(const struct mirror *m, const char *path)
{
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->v[i].path, path))
			return true;
	return false;
}

/* The directories above a root exist in the copy, too. */
static int parents(struct sync *s, const char *root, struct err *err)
{
	for (const char *slash = strchr(root, '/'); slash; slash = strchr(slash + 1, '/')) {
		AUTOFREE char *dir = xstrndup(root, (size_t)(slash - root));
		const char *name;
		AUTOCLOSE int fd = dir_open_parent(s->spec->source, dir, s->spec->how, &name);
		struct stat st;

		if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_set(err, ERR_NOT_FOUND, "cannot copy '%s': it is not there", root);
		if (!is_listed(&s->next, dir) && copy_one(s, dir, fd, name, &st, err) < 0)
			return err->code;
	}
	return 0;
}

static int sync_root(struct sync *s, const char *root, struct err *err)
{
	const char *name;
	AUTOCLOSE int fd = dir_open_parent(s->spec->source, root, s->spec->how, &name);
	struct walk_entry w = { .path = root, .dirfd = fd, .name = name };
	struct stat st;
	int ret;

	if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ERR_NOT_FOUND, "cannot copy '%s': it is not there", root);
	if (parents(s, root, err) < 0)
		return err->code;
	ret = visit(s, &w, err);
	return ret == WALK_ENTER ? walk(s->spec->source, root, s->spec->how, visit, s, NULL, err) : ret;
}

static void remove_if_empty(int root, const char *path)
{
	const char *name;
	AUTOCLOSE int fd = dir_open_parent(root, path, OPEN_UP, &name);

	if (fd >= 0)
		(void)unlinkat(fd, name, AT_REMOVEDIR);
}

/* What is no longer at the source; backwards, so that directories are empty when their turn comes (or hold tracked files, and stay). */
static int remove_stale(struct sync *s, struct err *err)
{
	for (size_t i = s->old->n; i-- > 0;) {
		const struct mirror_entry *e = &s->old->v[i];

		if (mirror_find(&s->next, e->path) || (s->spec->skip && s->spec->skip(s->spec->data, e->path)))
			continue;
		if (S_ISDIR(e->to.mode))
			remove_if_empty(s->spec->target, e->path);
		else if (dir_remove(s->spec->target, e->path, err) < 0)
			return err->code;
	}
	return 0;
}

int mirror_sync(struct mirror *m, const struct mirror_spec *spec, struct err *err)
{
	CLEANUP(sync_clear) struct sync s = { .spec = spec, .old = m, .fd = -1 };
	struct mirror old;

	if (!spec->roots && walk(spec->source, "", spec->how, visit, &s, NULL, err) < 0)
		return err->code;
	for (size_t i = 0; spec->roots && i < spec->roots->n; i++)
		if (sync_root(&s, spec->roots->v[i], err) < 0)
			return err->code;
	if (s.next.n)
		qsort(s.next.v, s.next.n, sizeof(*s.next.v), by_path);
	if (remove_stale(&s, err) < 0)
		return err->code;
	old = *m;
	*m = s.next;
	s.next = old;
	return 0;
}
