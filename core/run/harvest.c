/* What a finished process left: tracked files by their stat, then everything else by a walk. */
#include "run/ground.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

#define DEPTH_MAX 64
#define ENTRIES_MAX 200000		/* beyond the tracked ones */
#define BYTES_MAX ((int64_t)256 << 20)
#define DROPPED_MAX 50
#define GITLINK 0160000

struct harvesting {
	struct workspace *ws;
	struct looking looking;
	bool (*want)(void *data, const char *path);
	void *data;
	struct harvest *found;
	int64_t entries;
};

void harvest_free(struct harvest *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->v[i].path);
	free(h->v);
	strs_free(&h->dropped);
	*h = (struct harvest){ 0 };
}

static struct found *report(struct harvesting *h, const char *path)
{
	struct harvest *l = h->found;

	GROW(l->v, l->n, l->alloc);
	l->v[l->n] = (struct found){ .path = xstrdup(path) };
	return &l->v[l->n++];
}

/* The first in order, not the first met: the next brief names them, and must not depend on how a directory is stored. */
static int drop(struct harvesting *h, const char *path, bool is_dir)
{
	struct strs *l = &h->found->dropped;
	STR text = STR_INIT;

	h->found->n_dropped++;
	text_record(path, strlen(path), &text);
	if (is_dir)
		str_putc(&text, '/');
	if (l->n == DROPPED_MAX && strcmp(text.buf, l->v[l->n - 1]) > 0)
		return WALK_SKIP;
	strs_add(l, text.buf);
	strs_sort(l);
	if (l->n > DROPPED_MAX) {
		free(l->v[--l->n]);
		l->v[l->n] = NULL;
	}
	return WALK_SKIP;
}

static int look_at(struct harvesting *h, const struct tracked_file *f, const char *path, int dirfd, const char *name,
		   const struct stat *st, struct look *ret, struct err *err)
{
	if (slot_look(&h->looking, f, path, dirfd, name, st, ret, err) < 0)
		return err->code;
	if (ret->over)
		h->found->over = "bytes";
	return 0;
}

static void describe(struct found *x, const struct look *l, const struct stat *st)
{
	x->new_mode = l->mode;
	x->blob = l->blob;
	x->special = l->special;
	x->refused_attr = l->refused_attr;
	x->size = st->st_size;
}

static int harvest_tracked(void *data, struct tracked_file *f, int dirfd, const char *name, const struct stat *st,
			   struct err *err)
{
	struct harvesting *h = data;
	struct look l = { 0 };
	struct found *x;

	if (st && tracked_same(f, dirfd, name, st))
		return 0;
	if (st && look_at(h, f, f->path, dirfd, name, st, &l, err) < 0)
		return err->code;
	if (st && l.same && l.mode == f->entry.mode)
		return 0;
	x = report(h, f->path);
	x->old = f->entry;
	if (st)
		describe(x, &l, st);
	return 0;
}

static bool has(int dirfd, const char *name, mode_t type)
{
	struct stat st;

	return !fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) && (!type || (st.st_mode & S_IFMT) == type);
}

/* A repository of its own, with a .git or bare: git would run its hooks and settings for who enters it. */
static bool is_repository(struct harvesting *h, const char *path)
{
	AUTOCLOSE int fd = dir_open(h->ws->root, path, OPEN_UP);

	if (fd < 0)
		return false;
	return has(fd, ".git", 0) || (has(fd, "HEAD", 0) && has(fd, "objects", S_IFDIR) && has(fd, "refs", S_IFDIR));
}

/* A tracked file that became a repository was reported as gone; it is one change, not two. */
static int report_repository(struct harvesting *h, const char *path, const struct tracked_file *f)
{
	struct found *x = NULL;

	for (size_t i = 0; f && i < h->found->n && !x; i++)
		if (!strcmp(h->found->v[i].path, path))
			x = &h->found->v[i];
	if (!x)
		x = report(h, path);
	x->new_mode = GITLINK;
	return WALK_SKIP;
}

static int depth_of(const char *path)
{
	int n = 1;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static int harvest_directory(struct harvesting *h, const struct walk_entry *e, const struct tracked_file *f,
			     struct err *err)
{
	AUTOFREE char *below = xasprintf("%s/", e->path);
	bool ignored;

	if (slot_tracks_below(h->ws, e->path))
		return WALK_ENTER;
	if (rules_ignored(h->looking.rules, e->path, true, &ignored, err) < 0)
		return err->code;
	if (ignored && !f)
		return WALK_SKIP;
	if (!h->want(h->data, below))
		return drop(h, e->path, true);
	if (is_repository(h, e->path))
		return h->want(h->data, e->path) ? report_repository(h, e->path, f) : drop(h, e->path, true);
	if (depth_of(e->path) < DEPTH_MAX)
		return WALK_ENTER;
	h->found->over = "depth";
	return WALK_SKIP;
}

/* Where a tracked directory was, a link or file of that name is reported whoever wants it: it explains what is gone. */
static int harvest_file(struct harvesting *h, const struct walk_entry *e, struct err *err)
{
	bool displaces = slot_tracks_below(h->ws, e->path);
	struct look l;
	struct stat st;
	bool ignored;

	if (rules_ignored(h->looking.rules, e->path, false, &ignored, err) < 0)
		return err->code;
	if (ignored && !displaces)
		return WALK_SKIP;
	if (!displaces && !h->want(h->data, e->path))
		return drop(h, e->path, false);
	if (fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot stat '%s'", e->path);
	if (look_at(h, NULL, e->path, e->dirfd, e->name, &st, &l, err) < 0)
		return err->code;
	describe(report(h, e->path), &l, &st);
	return WALK_SKIP;
}

static bool is_empty(struct harvesting *h, const char *path)
{
	CLEANUP(strs_free) struct strs names = { 0 };
	AUTOCLOSE int fd = dir_open(h->ws->root, path, OPEN_UP);
	struct err ignored;

	return fd < 0 || dir_names(fd, &names, &ignored) < 0 || !names.n;
}

/* A submodule's directory is empty in a workspace; what a run put there is not the commit's. */
static int harvest_submodule(struct harvesting *h, const struct walk_entry *e)
{
	return e->type != DT_DIR || is_empty(h, e->path) ? WALK_SKIP : drop(h, e->path, true);
}

static int harvest_given(const struct workspace *ws, const struct walk_entry *e)
{
	const struct strs *include = &ws->pool->include;

	for (size_t i = 0; i < include->n; i++)
		if (path_is_within(e->path, include->v[i]))
			return WALK_SKIP;
	return e->type == DT_DIR ? WALK_ENTER : WALK_SKIP;
}

/* git's own, and the marks of an upper layer. */
static bool is_no_entry(const struct harvesting *h, const struct walk_entry *e)
{
	return !strcmp(e->path, ".git") || (h->ws->cover && cover_is_whiteout(e));
}

static int harvest_one(void *data, const struct walk_entry *e, struct err *err)
{
	struct harvesting *h = data;
	const struct tracked_file *f = tracked_find(&h->ws->tracked, e->path);

	if (is_no_entry(h, e))
		return WALK_SKIP;
	if (f && f->entry.mode == GITLINK)
		return harvest_submodule(h, e);
	if (f && e->type != DT_DIR)
		return WALK_SKIP;
	if (slot_is_given(h->ws, e->path))
		return harvest_given(h->ws, e);
	if (++h->entries > ENTRIES_MAX) {
		h->found->over = "entries";
		return WALK_STOP;
	}
	if (!strcmp(e->name, ".git"))	/* planted in a directory of the tree */
		return h->want(h->data, e->path) ? report_repository(h, e->path, NULL) : drop(h, e->path, false);
	return e->type == DT_DIR ? harvest_directory(h, e, f, err) : harvest_file(h, e, err);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->path, ((const struct found *)b)->path);
}

int workspace_harvest(struct workspace *ws, struct rules *rules, bool (*want)(void *data, const char *path), void *data,
		      struct harvest *ret, struct err *err)
{
	CLEANUP(harvest_free) struct harvest found = { 0 };
	struct harvesting h = {
		.ws = ws, .want = want, .data = data, .found = &found,
		.looking = { .pool = ws->pool, .rules = rules, .bytes_left = BYTES_MAX, .write = true },
	};
	const char *over = NULL;

	/* With an overlay both go through what the upper layer holds: the list is short, and the walk is. */
	if (ws->cover && cover_survey(ws, err) < 0)
		return err_wrap(err, "cannot read what a run left");
	if (tracked_scan(&ws->tracked, ws->root, harvest_tracked, &h, err) < 0)
		return err_wrap(err, "cannot read what a run left");
	if (walk(ws->cover ? ws->cover->upper : ws->root, "", OPEN_UP, harvest_one, &h, &over, err) < 0)
		return err_wrap(err, "cannot read what a run left");
	if (ws->cover && ws->cover->failed.code) {
		*err = ws->cover->failed;
		return err->code;
	}
	if (over)
		found.over = over;
	if (found.n)
		qsort(found.v, found.n, sizeof(*found.v), by_path);
	*ret = found;
	found = (struct harvest){ 0 };
	return 0;
}
