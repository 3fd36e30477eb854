/* What a run left in a slot is removed; what it changed too, for git to restore. */
#include "run/ground.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "run/remove.h"

bool slot_is_given(const struct workspace *ws, const char *path)
{
	const struct strs *include = &ws->pool->include;

	for (size_t i = 0; i < include->n; i++)
		if (path_is_within(path, include->v[i]))
			return true;
	if (ws->cover)
		return cover_gives(ws, path);
	return mirror_find(&ws->included, path) || mirror_find(&ws->prepared, path);
}

/* Access lists of a directory are handed down to what is made in it later. */
static void plain_attributes(int fd)
{
	static const char *const lists[] = { "system.posix_acl_access", "system.posix_acl_default" };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		(void)fremovexattr(fd, lists[i]);	/* mostly there is none */
}

static int plain_directory(const struct walk_entry *e, mode_t mode, struct err *err)
{
	AUTOCLOSE int fd = openat(e->dirfd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == EACCES && !dir_chmod(e->dirfd, e->name, 0700))
		fd = openat(e->dirfd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, "cannot open directory '%s'", e->path);
	plain_attributes(fd);
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return err_errno(err, "cannot change the mode of '%s'", e->path);
	return WALK_ENTER;
}

static int discard(const struct walk_entry *e, struct err *err)
{
	return remove_tree(e->dirfd, e->name, 0, err) < 0 ? err->code : WALK_SKIP;
}

static int clean_tracked(struct workspace *ws, struct tracked_file *f, const struct walk_entry *e, struct err *err)
{
	struct stat st;

	if (fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot stat '%s'", e->path);
	if (!tracked_same(f, e->dirfd, e->name, &st))
		return discard(e, err);
	f->seen = true;
	return S_ISDIR(st.st_mode) ? plain_directory(e, 0777 & ~ws->pool->umask, err) : WALK_SKIP;
}

static int clean_given(const struct mirror_entry *m, const struct walk_entry *e, struct err *err)
{
	struct stat st;

	if (fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot stat '%s'", e->path);
	if (!mirror_same(m, &st))
		return discard(e, err);
	return S_ISDIR(st.st_mode) ? plain_directory(e, m->to.mode & 0777, err) : WALK_SKIP;
}

static int clean_one(void *data, const struct walk_entry *e, struct err *err)
{
	struct workspace *ws = data;
	struct tracked_file *f = tracked_find(&ws->tracked, e->path);
	const struct mirror_entry *m;

	if (!strcmp(e->path, ".git"))
		return WALK_SKIP;
	if (f)
		return clean_tracked(ws, f, e, err);
	if (e->type == DT_DIR && tracked_below(&ws->tracked, e->path))
		return plain_directory(e, 0777 & ~ws->pool->umask, err);
	m = mirror_find(&ws->included, e->path);
	if (!m)
		m = mirror_find(&ws->prepared, e->path);
	return m ? clean_given(m, e, err) : discard(e, err);
}

int slot_clean(struct workspace *ws, struct err *err)
{
	struct tracked *t = &ws->tracked;

	for (size_t i = 0; i < t->n; i++)
		t->v[i].seen = false;
	plain_attributes(ws->root);
	if (fchmod(ws->root, ws->dir_key.mode & 07777) < 0)
		return err_errno(err, "cannot change the mode of '%s'", ws->dir);
	if (walk(ws->root, "", OPEN_UP, clean_one, ws, NULL, err) < 0)
		return err_wrap(err, "cannot clean workspace '%s'", ws->dir);
	ws->dirty = false;
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].seen)
			continue;
		tracked_forget(&t->v[i]);	/* changed (and removed) or missing: git restores it */
		ws->dirty = true;
	}
	return 0;
}
