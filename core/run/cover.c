/* One workspace of the overlay backend: mounted, read, let go. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/sealed.h"
#include "run/ground.h"
#include "run/remove.h"

#define DIR_MODE 040000

/* ---- the list ---- */

enum {
	SKEL, DELTA, PREPARED, TREE, GIT, STORE, OUTSIDE, QUOTA, UPPER, WORK, ROOT, GIT_UPPER, GIT_WORK, GIT_ROOT, TMP, TMP_MOUNT,
	INCLUDE_FROM, INCLUDE_UPPER, INCLUDE_WORK, INCLUDES,
};

struct plan {
	struct sandbox_op *v;
	size_t n, alloc;
	struct strs own;	/* paths that nobody else keeps */
};

static void plan_clear(struct plan *p)
{
	free(p->v);
	strs_free(&p->own);
}

static void add(struct plan *p, struct sandbox_op op)
{
	GROW(p->v, p->n, p->alloc);
	p->v[p->n++] = op;
}

static const char *own(struct plan *p, char *path)
{
	strs_take(&p->own, path);
	return path;
}

static void plan_sources(struct plan *p, const struct workspace *ws)
{
	const struct ground *g = ws->pool->ground;
	const struct cover *c = ws->cover;

	add(p, (struct sandbox_op){ .kind = SANDBOX_MAP_IDS, .from = (int)geteuid(), .to = (int)getegid() });
	add(p, (struct sandbox_op){ .kind = SANDBOX_PRIVATE });
	add(p, (struct sandbox_op){ .kind = SANDBOX_OPEN, .to = SKEL, .path = g->skel });
	if (c->has_delta)
		add(p, (struct sandbox_op){ .kind = SANDBOX_OPEN, .to = DELTA, .path = own(p, path_join(ws->home, "delta")) });
	if (ws->pool->prepared)
		add(p, (struct sandbox_op){ .kind = SANDBOX_OPEN, .to = PREPARED, .path = g->prepared });
	add(p, (struct sandbox_op){ .kind = SANDBOX_OPEN, .to = TREE, .path = own(p, path_join(c->base->dir, "tree")) });
	add(p, (struct sandbox_op){ .kind = SANDBOX_OPEN, .to = GIT, .path = own(p, path_join(c->base->dir, "git")) });
	add(p, (struct sandbox_op){ .kind = SANDBOX_CLONE, .to = STORE, .path = g->store, .ro = true });
	add(p, (struct sandbox_op){ .kind = SANDBOX_CLONE, .to = OUTSIDE, .path = ws->outside });
	add(p, (struct sandbox_op){ .kind = SANDBOX_TMPFS, .to = QUOTA, .path = own(p, path_join(ws->home, "quota")),
				    .size = g->size, .inodes = g->inodes });
}

static void plan_dir(struct plan *p, int to, const char *name)
{
	add(p, (struct sandbox_op){ .kind = SANDBOX_DIR, .from = QUOTA, .to = to, .path = name });
}

/* What the tree has stands above what prepare made: the tree is what is measured. */
static void plan_overlays(struct plan *p, const struct workspace *ws)
{
	struct sandbox_op files = { .kind = SANDBOX_OVERLAY, .to = ROOT, .upper = UPPER, .work = WORK };
	struct sandbox_op git = { .kind = SANDBOX_OVERLAY, .to = GIT_ROOT, .upper = GIT_UPPER, .work = GIT_WORK,
				  .layers = { GIT }, .n_layers = 1 };

	plan_dir(p, UPPER, "upper");
	plan_dir(p, WORK, "work");
	plan_dir(p, GIT_UPPER, "git-upper");
	plan_dir(p, GIT_WORK, "git-work");
	plan_dir(p, TMP, "tmp");
	files.layers[files.n_layers++] = SKEL;
	if (ws->cover->has_delta)
		files.layers[files.n_layers++] = DELTA;
	if (ws->pool->prepared)
		files.layers[files.n_layers++] = PREPARED;
	files.layers[files.n_layers++] = TREE;
	add(p, files);
	add(p, git);
	add(p, (struct sandbox_op){ .kind = SANDBOX_CLONE, .from = TMP, .to = TMP_MOUNT });
}

/* Writes to an included directory evaporate; a file is in a layer already. Returns how many. */
static int plan_includes(struct plan *p, const struct pool *pool)
{
	int n = 0;

	for (size_t i = 0; i < pool->include.n && INCLUDES + n < SANDBOX_HANDLES; i++) {
		if (pool->ground->file_keys[i].mode)
			continue;
		add(p, (struct sandbox_op){ .kind = SANDBOX_OPEN, .to = INCLUDE_FROM,
					    .path = own(p, path_join(pool->checkout, pool->include.v[i])) });
		plan_dir(p, INCLUDE_UPPER, own(p, xasprintf("include-%zu", i)));
		plan_dir(p, INCLUDE_WORK, own(p, xasprintf("include-work-%zu", i)));
		add(p, (struct sandbox_op){ .kind = SANDBOX_OVERLAY, .to = INCLUDES + n++, .layers = { INCLUDE_FROM },
					    .n_layers = 1, .upper = INCLUDE_UPPER, .work = INCLUDE_WORK });
	}
	return n;
}

static void plan_attach(struct plan *p, int from, const char *path)
{
	add(p, (struct sandbox_op){ .kind = SANDBOX_ATTACH, .from = from, .path = path });
}

/* First everything is hidden that is to be, then what is seen is put where it belongs, were it in a hidden place. */
static void plan_places(struct plan *p, const struct workspace *ws)
{
	const struct pool *pool = ws->pool;
	const struct ground *g = pool->ground;
	const char *const made[] = { g->at, ws->tmp, ws->outside };
	int n = 0;

	for (size_t i = 0; i < g->hide.n; i++)
		add(p, (struct sandbox_op){ .kind = SANDBOX_HIDE, .path = g->hide.v[i] });
	add(p, (struct sandbox_op){ .kind = SANDBOX_HIDE, .path = pool->dir });
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		add(p, (struct sandbox_op){ .kind = SANDBOX_MKDIRS, .path = made[i] });
	plan_attach(p, ROOT, g->at);
	plan_attach(p, GIT_ROOT, own(p, path_join(g->at, ".git")));
	plan_attach(p, STORE, own(p, path_join(g->at, ".git/base-objects")));
	plan_attach(p, TMP_MOUNT, ws->tmp);
	plan_attach(p, OUTSIDE, ws->outside);
	for (size_t i = 0; i < pool->include.n; i++)
		if (!g->file_keys[i].mode)
			plan_attach(p, INCLUDES + n++, own(p, path_join(g->at, pool->include.v[i])));
	add(p, (struct sandbox_op){ .kind = SANDBOX_TELL, .from = UPPER });
	add(p, (struct sandbox_op){ .kind = SANDBOX_TELL, .from = ROOT });
	add(p, (struct sandbox_op){ .kind = SANDBOX_TELL, .from = GIT_ROOT });
}

/* ---- open and close ---- */

static int mount_all(struct workspace *ws, struct err *err)
{
	CLEANUP(plan_clear) struct plan p = { 0 };
	struct cover *c = ws->cover;
	int told[3];

	plan_sources(&p, ws);
	plan_overlays(&p, ws);
	if (INCLUDES + plan_includes(&p, ws->pool) == SANDBOX_HANDLES)
		return err_set(err, ERR_LIMIT, "more than %d included directories", SANDBOX_HANDLES - INCLUDES - 1);
	plan_places(&p, ws);
	if (sandbox_build(p.v, p.n, &c->enclosure, told, 3, err) < 0)
		return err->code;
	c->upper = told[0];
	ws->root = told[1];
	c->git = told[2];
	return 0;
}

/* The index is the tree's, too: what is new is no untracked file. */
static int set_index(struct workspace *ws, const struct oid *tree, struct err *err)
{
	struct cover *c = ws->cover;
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	STR text = STR_MAX((size_t)1 << 30);
	const struct index_owner owner = { SANDBOX_INSIDE(geteuid()), SANDBOX_INSIDE(getegid()) };
	AUTOCLOSE int fd = -1;

	if (!c->has_delta)
		return 0;
	if (tree_compare(ws->pool->repo, &c->base->tree, tree, &changes, err) < 0 ||
	    split_index_write(c->base->index, &changes, ws->root, &owner, &text, err) < 0)
		return err->code;
	if (unlinkat(c->git, "index", 0) < 0)
		return err_errno(err, "cannot replace the index of a workspace");
	fd = openat(c->git, "index", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd < 0 ? err_errno(err, "cannot write the index of a workspace") : io_write_fd(fd, text.buf, text.len, err);
}

/* Its git at the commit, with the objects of the tree: a diff reads them. */
static int set_git(struct workspace *ws, const struct oid *commit, const struct oid *tree, struct err *err)
{
	struct cover *c = ws->cover;
	char objects[64];
	struct oid own_tree;

	if (!oid_eq(commit, &c->base->commit)) {
		AUTOFREE char *line = xasprintf("%s\n", oid_hex(commit).s);
		AUTOCLOSE int fd = openat(c->git, "HEAD", O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 || io_write_fd(fd, line, strlen(line), err) < 0)
			return fd < 0 ? err_errno(err, "cannot write HEAD of a workspace") : err->code;
	}
	if (tree_of_commit(ws->pool->repo, commit, &own_tree, err) < 0)
		return err->code;
	snprintf(objects, sizeof(objects), "/proc/self/fd/%d/objects", c->git);
	return tree_export(ws->pool->repo, &own_tree, tree, objects, err);
}

static int lay_delta(struct workspace *ws, const struct oid *tree, struct err *err)
{
	AUTOFREE char *dir = path_join(ws->home, "delta");

	if (!ws->cover->has_delta)
		return 0;
	/* As the directories that git makes: by our umask. */
	if (remove_tree(AT_FDCWD, dir, 0, err) < 0)
		return err->code;
	if (mkdir(dir, 0777) < 0)
		return err_errno(err, "cannot make '%s'", dir);
	return delta_write(ws->pool->ground, ws->cover->base, tree, dir, err);
}

static int places(struct workspace *ws, struct err *err)
{
	AUTOFREE char *quota = path_join(ws->home, "quota");

	if (io_mkdirs(quota, 0700, err) < 0 || remove_tree(AT_FDCWD, ws->outside, 0, err) < 0)
		return err->code;
	return mkdir(ws->outside, 0700) < 0 ? err_errno(err, "cannot make '%s'", ws->outside) : 0;
}

static int lay(struct workspace *ws, const struct oid *commit, const struct oid *tree, struct err *err)
{
	struct ground *g = ws->pool->ground;
	struct cover *c = ws->cover;

	if (base_take(g, commit, tree, &c->base, &c->has_delta, err) < 0)
		return err->code;
	if (places(ws, err) < 0 || lay_delta(ws, tree, err) < 0 || ground_refresh(g, err) < 0 || mount_all(ws, err) < 0)
		return err->code;
	return set_git(ws, commit, tree, err) < 0 ? err->code : set_index(ws, tree, err);
}

int cover_open(struct pool *pool, struct workspace *ws, const struct oid *commit, const struct oid *tree, struct err *err)
{
	ws->cover = xcalloc(1, sizeof(*ws->cover));
	ws->cover->enclosure = (struct enclosure)ENCLOSURE_NONE;
	ws->cover->upper = ws->cover->git = -1;
	free(ws->dir);
	ws->dir = xstrdup(pool->ground->at);
	ws->tracked.tree = *tree;
	if (lay(ws, commit, tree, err) >= 0)
		return 0;
	cover_close(ws);
	return err->code;
}

/* With the last descriptor the mounts go, and what was written in them. */
void cover_close(struct workspace *ws)
{
	struct cover *c = ws->cover;
	int *fds[] = { &ws->root, &c->upper, &c->git };
	AUTOFREE char *delta = path_join(ws->home, "delta");
	struct err ignored;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	enclosure_clear(&c->enclosure);
	if (c->has_delta)
		(void)remove_tree(AT_FDCWD, delta, 0, &ignored);	/* else before the next one is laid */
	if (c->base)
		c->base->users--;
	tracked_clear(&ws->tracked);
	rules_free(ws->rules);
	ws->rules = NULL;
	free(c);
	ws->cover = NULL;
}

/* ---- reading ---- */

static struct tree_entry entry_at(const struct workspace *ws, const char *path)
{
	struct tree_entry e = { 0 };

	if (!ws->cover->failed.code && tree_lookup(ws->pool->repo, &ws->tracked.tree, path, &e, &ws->cover->failed) < 0)
		e.mode = 0;
	return e;
}

bool slot_tracks(const struct workspace *ws, const char *path)
{
	uint32_t mode;

	if (!ws->cover)
		return tracked_find(&ws->tracked, path) != NULL;
	mode = entry_at(ws, path).mode;
	return mode && mode != DIR_MODE;
}

bool slot_tracks_below(const struct workspace *ws, const char *path)
{
	return ws->cover ? entry_at(ws, path).mode == DIR_MODE : tracked_below(&ws->tracked, path);
}

static bool stands(int root, const char *path)
{
	const char *name;
	AUTOCLOSE int fd = dir_open_parent(root, path, AS_IS, &name);
	struct stat st;

	return fd >= 0 && !fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW);
}

bool cover_gives(const struct workspace *ws, const char *path)
{
	const struct ground *g = ws->pool->ground;
	AUTOCLOSE int prepared = ws->pool->prepared ? open(g->prepared, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return stands(g->skel_fd, path) || (prepared >= 0 && stands(prepared, path));
}

bool cover_is_whiteout(const struct walk_entry *e)
{
	struct stat st;

	return e->type == DT_CHR && !fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) && !st.st_rdev;
}

static bool is_opaque(const struct walk_entry *e)
{
	AUTOCLOSE int fd = openat(e->dirfd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char value = 0;

	if (fd < 0 && !dir_chmod(e->dirfd, e->name, 0700))
		fd = openat(e->dirfd, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && fgetxattr(fd, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

struct surveying {
	struct workspace *ws;
	struct tracked *list;
	const char *below;	/* the directory being listed */
};

static int note(struct surveying *s, const char *path, const struct tree_entry *e)
{
	struct tracked *l = s->list;

	GROW(l->v, l->n, l->alloc);
	l->v[l->n++] = (struct tracked_file){ .path = xstrdup(path), .entry = *e };
	return 0;
}

static int note_below(void *data, const char *path, const struct tree_entry *e, struct err *err)
{
	struct surveying *s = data;
	AUTOFREE char *whole = path_join(s->below, path);

	(void)err;
	return note(s, whole, e);
}

/* The file there, or all files below there. */
static int note_all(struct surveying *s, const char *path, const struct tree_entry *e, struct err *err)
{
	if (!e->mode)
		return 0;
	if (e->mode != DIR_MODE)
		return note(s, path, e);
	s->below = path;
	return tree_walk(s->ws->pool->repo, &e->id, note_below, s, err);
}

/* A directory that is merged says nothing of what is below it in the tree; one that replaces what was there, and anything else, does. */
static int survey_one(void *data, const struct walk_entry *w, struct err *err)
{
	struct surveying *s = data;
	struct tree_entry e = { 0 };

	if (!strcmp(w->path, ".git"))
		return WALK_SKIP;
	if (tree_lookup(s->ws->pool->repo, &s->ws->tracked.tree, w->path, &e, err) < 0)
		return err->code;
	if (w->type != DT_DIR)
		return note_all(s, w->path, &e, err) < 0 ? err->code : WALK_SKIP;
	if ((e.mode != DIR_MODE || is_opaque(w)) && note_all(s, w->path, &e, err) < 0)
		return err->code;
	return WALK_ENTER;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tracked_file *)a)->path, ((const struct tracked_file *)b)->path);
}

/* A file in a replaced directory was met twice. */
static void sort(struct tracked *l)
{
	size_t n = 0;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_path);
	for (size_t i = 0; i < l->n; i++) {
		if (n && !strcmp(l->v[n - 1].path, l->v[i].path))
			free(l->v[i].path);
		else
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

int cover_survey(struct workspace *ws, struct err *err)
{
	struct tracked list = { .tree = ws->tracked.tree, .loaded = true };
	struct surveying s = { .ws = ws, .list = &list };

	if (walk(ws->cover->upper, "", OPEN_UP, survey_one, &s, NULL, err) < 0) {
		tracked_clear(&list);
		return err->code;
	}
	sort(&list);
	tracked_clear(&ws->tracked);
	ws->tracked = list;
	return 0;
}
