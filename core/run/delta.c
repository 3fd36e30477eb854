/* The layer between a base and another tree: new files as they are, a whiteout for each that is gone. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "run/ground.h"

#define BLOB_MAX ((size_t)1 << 31)
#define DIR_MODE 040000
#define GITLINK 0160000

struct writing {
	struct ground *g;
	const struct oid *tree;
	int root, prepared;	/* prepared: -1, or its directory */
	char *gone;		/* the directory last whited out */
};

static void writing_clear(struct writing *w)
{
	if (w->root >= 0)
		close(w->root);
	if (w->prepared >= 0)
		close(w->prepared);
	free(w->gone);
}

/* Directories by our umask, as git makes them. */
static int make_parents(const struct writing *w, const char *path, struct err *err)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		AUTOFREE char *dir = xstrndup(path, (size_t)(slash - path));

		if (mkdirat(w->root, dir, 0777) < 0 && errno != EEXIST)
			return err_errno(err, "cannot make directory '%s'", dir);
	}
	return 0;
}

static int write_blob(const struct writing *w, const char *path, const struct tree_entry *e, struct err *err)
{
	AUTOCLOSE int fd = -1;
	STR text = STR_MAX(BLOB_MAX);

	if (repo_read_blob(w->g->repo, &e->id, BLOB_MAX, &text, err) < 0)
		return err->code;
	if (S_ISLNK(e->mode))
		return symlinkat(text.buf, w->root, path) < 0 ? err_errno(err, "cannot make link '%s'", path) : 0;
	fd = openat(w->root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, e->mode & 0100 ? 0777 : 0666);
	if (fd < 0)
		return err_errno(err, "cannot create '%s'", path);
	return io_write_fd(fd, text.buf, text.len, err);
}

static int add(const struct writing *w, const char *path, const struct tree_entry *e, struct err *err)
{
	if (make_parents(w, path, err) < 0)
		return err->code;
	if (e->mode != GITLINK)
		return write_blob(w, path, e, err);
	return mkdirat(w->root, path, 0777) < 0 && errno != EEXIST ? err_errno(err, "cannot make directory '%s'", path) : 0;
}

static bool is_prepared(const struct writing *w, const char *path)
{
	struct stat st;

	return w->prepared >= 0 && !fstatat(w->prepared, path, &st, AT_SYMLINK_NOFOLLOW);
}

/* The topmost directory on the way that the tree no longer has and nothing else needs: git removes those that become empty. */
static int find_gone(struct writing *w, const char *path, char **ret, struct err *err)
{
	*ret = NULL;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		AUTOFREE char *dir = xstrndup(path, (size_t)(slash - path));
		struct tree_entry e;

		if (tree_lookup(w->g->repo, w->tree, dir, &e, err) < 0)
			return err->code;
		if (e.mode && e.mode != DIR_MODE)	/* a file stands there now: it covers what was below */
			break;
		if (e.mode || is_prepared(w, dir))
			continue;
		*ret = dir;
		dir = NULL;
		return 0;
	}
	return 0;
}

static int whiteout(const struct writing *w, const char *path, struct err *err)
{
	if (make_parents(w, path, err) < 0)
		return err->code;
	return mknodat(w->root, path, S_IFCHR, makedev(0, 0)) < 0 ? err_errno(err, "cannot make a whiteout '%s'", path) : 0;
}

/* Is it covered by a file that stands where one of its directories was? */
static int is_covered(const struct writing *w, const char *path, bool *ret, struct err *err)
{
	*ret = false;
	for (const char *slash = strchr(path, '/'); slash && !*ret; slash = strchr(slash + 1, '/')) {
		AUTOFREE char *dir = xstrndup(path, (size_t)(slash - path));
		struct tree_entry e;

		if (tree_lookup(w->g->repo, w->tree, dir, &e, err) < 0)
			return err->code;
		*ret = e.mode && e.mode != DIR_MODE;
	}
	return 0;
}

static int take_away(struct writing *w, const char *path, struct err *err)
{
	struct tree_entry there;
	char *gone;
	bool covered;

	if (w->gone && path_is_within(path, w->gone))
		return 0;
	if (tree_lookup(w->g->repo, w->tree, path, &there, err) < 0 || is_covered(w, path, &covered, err) < 0)
		return err->code;
	if (there.mode || covered)	/* a directory stands there now */
		return 0;
	if (find_gone(w, path, &gone, err) < 0)
		return err->code;
	if (!gone)
		return whiteout(w, path, err);
	free(w->gone);
	w->gone = gone;
	return whiteout(w, gone, err);
}

int delta_write(struct ground *g, const struct base *b, const struct oid *tree, const char *dir, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	CLEANUP(writing_clear) struct writing w = { .g = g, .tree = tree, .root = -1, .prepared = -1 };

	w.root = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w.root < 0)
		return err_errno(err, "cannot open '%s'", dir);
	if (g->pool->prepared)
		w.prepared = open(g->prepared, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree_compare(g->repo, &b->tree, tree, &changes, err) < 0)
		return err->code;
	for (size_t i = 0; i < changes.n; i++) {
		const struct tree_change *c = &changes.v[i];

		if (c->new.mode ? add(&w, c->path, &c->new, err) < 0 : take_away(&w, c->path, err) < 0)
			return err_wrap(err, "cannot lay out a tree");
	}
	return 0;
}

int delta_is_plain(struct ground *g, const struct oid *from, const struct oid *tree, bool *ret, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	struct rules *rules = NULL;
	int rc = 0;

	*ret = true;
	if (oid_eq(from, tree))
		return 0;
	if (tree_compare(g->repo, from, tree, &changes, err) < 0 || rules_open(g->repo, tree, &rules, err) < 0)
		return err->code;
	for (size_t i = 0; i < changes.n && *ret && rc >= 0; i++) {
		const struct tree_change *c = &changes.v[i];

		if (!strcmp(path_basename(c->path), ".gitattributes"))
			*ret = false;
		else if (S_ISREG(c->new.mode))
			rc = rules_plain(rules, c->path, ret, err);
	}
	rules_free(rules);
	return rc;
}
