#include "run/workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "run/remove.h"
#include "run/ground.h"

static struct workspace *slot_new(struct pool *pool)
{
	struct workspace *ws = xcalloc(1, sizeof(*ws));

	ws->pool = pool;
	ws->root = -1;
	ws->config = (struct str)STR_INIT;
	ws->home = xasprintf("%s/%zu", pool->dir, pool->n + 1);
	ws->dir = xasprintf("%s/harness-%s-%zu", ws->home, pool->campaign, pool->n + 1);
	ws->tmp = path_join(ws->home, "tmp");
	ws->outside = path_join(ws->home, "outside");
	ws->index = path_join(ws->home, "index");
	GROW(pool->slots, pool->n, pool->alloc);
	pool->slots[pool->n++] = ws;
	return ws;
}

/* One that holds the wanted tree, if there is such a one. */
static struct workspace *free_slot(struct pool *pool, const struct oid *tree)
{
	struct workspace *any = NULL;

	for (size_t i = 0; i < pool->n; i++) {
		struct workspace *ws = pool->slots[i];

		if (ws->busy)
			continue;
		if (ws->known && oid_eq(&ws->tracked.tree, tree))
			return ws;
		if (!any)
			any = ws;
	}
	return any ? any : slot_new(pool);
}

static int fresh_directory(const char *path, struct err *err)
{
	if (remove_tree(AT_FDCWD, path, 0, err) < 0)
		return err->code;
	return mkdir(path, 0700) < 0 ? err_errno(err, "cannot make '%s'", path) : 0;
}

/* A tracked file of this tree where an include would go: the tree is what is measured. */
static bool is_tracked(void *data, const char *path)
{
	const struct workspace *ws = data;

	return tracked_find(&ws->tracked, path) != NULL;
}

static int give_includes(struct workspace *ws, struct err *err)
{
	struct pool *pool = ws->pool;
	AUTOCLOSE int source = -1;
	struct mirror_spec spec = { .how = AS_IS, .roots = &pool->include, .target = ws->root, .skip = is_tracked, .data = ws };

	if (!pool->include.n)
		return 0;
	spec.source = source = open(pool->checkout, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source < 0)
		return err_errno(err, "cannot open '%s'", pool->checkout);
	return mirror_sync(&ws->included, &spec, err);
}

static int give_prepared(struct workspace *ws, struct err *err)
{
	AUTOFREE char *dir = path_join(ws->pool->dir, "prepared");
	AUTOCLOSE int source = -1;
	struct mirror_spec spec = { .how = AS_IS, .target = ws->root, .skip = is_tracked, .data = ws };

	if (!ws->pool->prepared)
		return 0;
	spec.source = source = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (source < 0)
		return err_errno(err, "cannot open '%s'", dir);
	return mirror_sync(&ws->prepared, &spec, err);
}

static int bring(struct workspace *ws, const struct oid *commit, const struct oid *tree, struct err *err)
{
	if (ws->root >= 0 && ws->known && slot_is_sound(ws)) {
		if (slot_clean(ws, err) < 0)
			return err->code;
	} else if (slot_discard(ws, err) < 0 || slot_make(ws, commit, err) < 0) {
		return err->code;
	}
	if (slot_check_out(ws, commit, tree, err) < 0)
		return err->code;
	if (give_includes(ws, err) < 0 || give_prepared(ws, err) < 0)
		return err->code;
	if (fresh_directory(ws->tmp, err) < 0 || fresh_directory(ws->outside, err) < 0)
		return err->code;
	return 0;
}

int workspace_open(struct pool *pool, const struct oid *commit, const struct oid *tree, struct workspace **ret,
		   struct err *err)
{
	struct workspace *ws = free_slot(pool, tree);
	bool used = ws->known;
	int code = pool->ground ? cover_open(pool, ws, commit, tree, err) : bring(ws, commit, tree, err);

	/* Whatever a run did to a used slot that could not be mended, a new one does not have. */
	if (code < 0 && used && code != ERR_REFUSED) {
		ws->known = false;
		code = bring(ws, commit, tree, err);
	}
	if (code < 0) {
		ws->known = false;
		return err_wrap(err, "cannot bring a workspace to %.10s", oid_hex(commit).s);
	}
	ws->busy = true;
	*ret = ws;
	return 0;
}

void workspace_release(struct workspace *ws)
{
	if (!ws)
		return;
	if (ws->cover)
		cover_close(ws);
	ws->busy = false;
}

const char *workspace_dir(const struct workspace *ws)
{
	return ws->dir;
}

int workspace_root(const struct workspace *ws)
{
	return ws->root;
}

const struct enclosure *workspace_enclosure(const struct workspace *ws)
{
	return ws->cover ? &ws->cover->enclosure : NULL;
}

const char *workspace_tmp(const struct workspace *ws)
{
	return ws->tmp;
}

const char *workspace_outside(const struct workspace *ws)
{
	return ws->outside;
}

struct touching {
	struct looking looking;
	char *path;
};

static int touch_one(void *data, struct tracked_file *f, int dirfd, const char *name, const struct stat *st,
		     struct err *err)
{
	struct touching *t = data;
	struct look l = { 0 };

	if (st && tracked_same(f, dirfd, name, st))
		return 0;
	if (st && slot_look(&t->looking, f, f->path, dirfd, name, st, &l, err) < 0)
		return err->code;
	if (st && l.same && l.mode == f->entry.mode)
		return 0;
	t->path = xstrdup(f->path);
	return 1;
}

int workspace_touched(struct workspace *ws, char **ret_path, struct err *err)
{
	struct touching t = { .looking = { .pool = ws->pool, .bytes_left = INT64_MAX } };

	if (ws->cover && cover_survey(ws, err) < 0)
		return err->code;
	if (!ws->rules && rules_open(ws->pool->repo, &ws->tracked.tree, &ws->rules, err) < 0)
		return err->code;
	t.looking.rules = ws->rules;
	if (tracked_scan(&ws->tracked, ws->root, touch_one, &t, err) < 0)
		return err->code;
	*ret_path = t.path;
	return 0;
}

int workspace_remove(struct workspace *ws, const char *path, struct err *err)
{
	if (slot_tracks(ws, path) || slot_tracks_below(ws, path))
		return err_set(err, ERR_REFUSED, "cannot remove '%s': it is tracked", path);
	return dir_remove(ws->root, path, err);
}
