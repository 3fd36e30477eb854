#include "run/tracked.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"

#define GITLINK 0160000
#define READ_MAX ((size_t)1 << 32)	/* of one file, to prove its bytes */
#define CHEAP ((int64_t)1 << 20)	/* bytes that are faster read than waited for */

static struct tracked_file *push(struct tracked *t, const char *path, const struct tree_entry *entry)
{
	struct tracked_file *f;

	GROW(t->v, t->n, t->alloc);
	f = &t->v[t->n++];
	*f = (struct tracked_file){ .path = xstrdup(path), .entry = *entry };
	return f;
}

static int take_entry(void *data, const char *path, const struct tree_entry *entry, struct err *err)
{
	(void)err;
	push(data, path, entry);
	return 0;
}

void tracked_clear(struct tracked *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].path);
	free(t->v);
	*t = (struct tracked){ 0 };
}

static void clear_changes(struct tree_changes *l)
{
	tree_changes_free(l);
}

static bool is_attributes(const char *path)
{
	return !strcmp(path_basename(path), ".gitattributes");
}

/* Merge the old list and the changes, both by path. */
static void apply(struct tracked *t, const struct tree_changes *changes, bool *ret_rules)
{
	struct tracked next = { .loaded = true };
	size_t i = 0, k = 0;

	while (i < t->n || k < changes->n) {
		const struct tree_change *c = k < changes->n ? &changes->v[k] : NULL;
		int order = !c ? -1 : i == t->n ? 1 : strcmp(t->v[i].path, c->path);

		if (order < 0) {
			GROW(next.v, next.n, next.alloc);
			next.v[next.n++] = t->v[i];
			t->v[i++].path = NULL;
			continue;
		}
		*ret_rules |= is_attributes(c->path);
		if (c->new.mode)
			push(&next, c->path, &c->new);
		i += order == 0;
		k++;
	}
	tracked_clear(t);
	*t = next;
}

int tracked_load(struct tracked *t, struct repo *repo, const struct oid *tree, bool *ret_rules, struct err *err)
{
	CLEANUP(clear_changes) struct tree_changes changes = { 0 };

	*ret_rules = false;
	if (t->loaded && oid_eq(&t->tree, tree))
		return 0;
	if (t->loaded) {
		if (tree_compare(repo, &t->tree, tree, &changes, err) < 0)
			return err->code;
		apply(t, &changes, ret_rules);
	} else {
		tracked_clear(t);
		if (tree_walk(repo, tree, take_entry, t, err) < 0)
			return err->code;
	}
	t->tree = *tree;
	t->loaded = true;
	return 0;
}

/* The first index whose path is not less than `path`. */
static size_t lower_bound(const struct tracked *t, const char *path)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(t->v[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct tracked_file *tracked_find(const struct tracked *t, const char *path)
{
	size_t i = lower_bound(t, path);

	return i < t->n && !strcmp(t->v[i].path, path) ? &t->v[i] : NULL;
}

bool tracked_below(const struct tracked *t, const char *dir)
{
	AUTOFREE char *prefix = xasprintf("%s/", dir);
	size_t i = lower_bound(t, prefix);

	return i < t->n && starts_with(t->v[i].path, prefix);
}

/* The directory last opened; files come in path order, so it is mostly the next one's too. */
struct place {
	char *dir;
	int fd;
};

static void place_close(struct place *p)
{
	free(p->dir);
	if (p->fd >= 0)
		close(p->fd);
}

static const char *place_at(struct place *p, int root, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (p->dir && strlen(p->dir) == len && !memcmp(p->dir, path, len))
		return path + len + (len > 0);
	place_close(p);
	p->dir = xstrndup(path, len);
	p->fd = dir_open(root, p->dir, OPEN_UP);
	if (p->fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EXDEV) {
		err_errno(err, "cannot open directory '%s'", p->dir);
		return NULL;
	}
	return path + len + (len > 0);
}

static int scan(struct tracked *t, int root, bool (*pick)(const struct tracked_file *f), tracked_fn *fn, void *data,
		struct err *err)
{
	CLEANUP(place_close) struct place at = { NULL, -1 };

	for (size_t i = 0; i < t->n; i++) {
		const char *name;
		struct stat st;
		int ret;

		if (pick && !pick(&t->v[i]))
			continue;
		name = place_at(&at, root, t->v[i].path, err);
		if (!name)
			return err->code;
		if (at.fd < 0 || fstatat(at.fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			ret = fn(data, &t->v[i], -1, name, NULL, err);
		else
			ret = fn(data, &t->v[i], at.fd, name, &st, err);
		if (ret)
			return ret;
	}
	return 0;
}

int tracked_scan(struct tracked *t, int root, tracked_fn *fn, void *data, struct err *err)
{
	return scan(t, root, NULL, fn, data, err);
}

static int hash(int dirfd, const char *name, const struct stat *st, struct oid *ret, struct err *err)
{
	STR bytes = STR_INIT;

	if (file_read(dirfd, name, st, READ_MAX, &bytes, err) < 0)
		return err->code;
	repo_hash_blob(bytes.buf, bytes.len, ret);
	return 0;
}

struct remembering {
	int64_t now;
	int64_t racy;		/* bytes whose stat proves nothing yet */
};

static bool type_fits(uint32_t mode, const struct stat *st)
{
	return mode == GITLINK ? S_ISDIR(st->st_mode) : S_ISLNK(mode) ? S_ISLNK(st->st_mode) : S_ISREG(st->st_mode);
}

static int remember(void *data, struct tracked_file *f, int dirfd, const char *name, const struct stat *st,
		    struct err *err)
{
	struct remembering *r = data;

	(void)dirfd;
	(void)name;
	if (!st || !type_fits(f->entry.mode, st))
		return err_set(err, ERR_CONFLICT, "'%s' was not checked out", f->path);
	stat_key(st, &f->key);
	f->raw = (struct oid){ 0 };
	f->seen = f->entry.mode != GITLINK && stat_racy(&f->key, r->now);
	if (f->seen)
		r->racy += st->st_size;
	return 0;
}

static int remember_bytes(void *data, struct tracked_file *f, int dirfd, const char *name, const struct stat *st,
			  struct err *err)
{
	const struct remembering *r = data;

	return st && stat_racy(&f->key, r->now) ? hash(dirfd, name, st, &f->raw, err) : 0;
}

static bool is_unknown(const struct tracked_file *f)
{
	return !f->key.mode;
}

static bool is_racy(const struct tracked_file *f)
{
	return f->seen;
}

/*
 * A file written in this very tick of the clock could be written again without its times telling. Few such bytes are hashed; for
 * many the tick is waited out first.
 */
int tracked_remember(struct tracked *t, int root, struct err *err)
{
	const struct timespec tick = { .tv_nsec = 4 * NS_PER_MS };
	struct remembering r = { .now = stat_now() };

	for (size_t i = 0; i < t->n; i++)
		t->v[i].seen = false;
	if (scan(t, root, is_unknown, remember, &r, err) < 0)
		return err->code;
	for (int i = 0; i < 3 && r.racy > CHEAP; i++) {
		nanosleep(&tick, NULL);
		r = (struct remembering){ .now = stat_now() };
		if (scan(t, root, is_racy, remember, &r, err) < 0)
			return err->code;
	}
	return scan(t, root, is_racy, remember_bytes, &r, err) < 0 ? err->code : 0;
}

void tracked_forget(struct tracked_file *f)
{
	f->key = (struct stat_key){ 0 };
	f->raw = (struct oid){ 0 };
}

bool tracked_same(const struct tracked_file *f, int dirfd, const char *name, const struct stat *st)
{
	struct stat_key now;
	struct oid raw;
	struct err ignored;

	if (f->entry.mode == GITLINK)
		return S_ISDIR(st->st_mode);
	stat_key(st, &now);
	if (!stat_same(&f->key, &now))
		return false;
	return oid_is_zero(&f->raw) || (!hash(dirfd, name, st, &raw, &ignored) && oid_eq(&raw, &f->raw));
}
