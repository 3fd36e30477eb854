/*
 * tree_update.c - a tree with some paths changed. Only the directories on the way to a change are read and written, each by
 * copying its bytes: git_tree_create_updated loads every entry of them into a table and refuses to turn a file into a directory.
 */
#include <stdlib.h>
#include <strings.h>

#include "base/path.h"
#include "git/internal.h"

static const struct oid none;

struct update {
	struct repo *repo;
	struct err *err;
	int depth;
};

/* The changes below one directory, in component order; `skip` bytes of each path are the directory's own. */
struct part {
	const struct tree_change **v;
	size_t n, skip;
};

/* All changes that start with one name here: `own` is about the name itself, `below` about paths in it. */
struct group {
	const char *name;
	size_t len;
	const struct tree_change *own;
	struct part below;
	struct tree_entry base;		/* what has that name now */
};

/* An entry on its way into the new tree. */
struct slot {
	const char *name;
	size_t len;
	struct tree_entry entry;
};

struct slots {
	struct slot *v;
	size_t n, alloc;
};

static void slots_free(struct slots *s)
{
	free(s->v);
}

static void put(struct slots *s, const char *name, size_t len, const struct tree_entry *entry)
{
	GROW(s->v, s->n, s->alloc);
	s->v[s->n++] = (struct slot){ name, len, *entry };
}

static int by_name(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return tree_name_cmp(x->name, x->len, x->entry.mode == TREE_DIR, y->name, y->len, y->entry.mode == TREE_DIR);
}

static bool names_git(const char *path)
{
	for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
		if (!strncasecmp(p, ".git", 4) && (!p[4] || p[4] == '/'))
			return true;
	return false;
}

/* What would make a broken or dangerous tree is refused here, whoever asks. */
static int check(struct repo *repo, const struct tree_change *c, const struct tree_change *last, struct err *err)
{
	if (!path_is_canonical(c->path) || names_git(c->path))
		return err_set(err, ERR_INVALID, "no tree may hold the path '%s'", c->path);
	if (last && !strcmp(last->path, c->path))
		return err_set(err, ERR_BUG, "'%s' is changed twice", c->path);
	if (!c->new.mode)
		return 0;
	if (!tree_is_mode(c->new.mode))
		return err_set(err, ERR_BUG, "'%s' has no mode of git's: %o", c->path, (unsigned)c->new.mode);
	if (c->new.mode != TREE_GITLINK && !repo_has(repo, &c->new.id))
		return err_set(err, ERR_NOT_FOUND, "no object %s for '%s'", oid_hex(&c->new.id).s, c->path);
	return 0;
}

/* '/' before every other byte, so that "a" and "a/b" stand together, not "a.c" between them. */
static int by_component(const void *a, const void *b)
{
	const unsigned char *x = (const unsigned char *)(*(const struct tree_change *const *)a)->path;
	const unsigned char *y = (const unsigned char *)(*(const struct tree_change *const *)b)->path;
	int p, q;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	p = *x == '/' ? 1 : *x ? *x + 1 : 0;
	q = *y == '/' ? 1 : *y ? *y + 1 : 0;
	return p - q;
}

static size_t split(const struct part *part, struct group *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < part->n; ret[n++].below.skip++) {
		const char *name = part->v[i]->path + part->skip;
		struct group *g = &ret[n];

		*g = (struct group){ .name = name, .len = strcspn(name, "/") };
		if (!name[g->len])
			g->own = part->v[i++];
		g->below = (struct part){ .v = part->v + i, .skip = part->skip + g->len };
		for (; i < part->n; i++, g->below.n++) {
			const char *next = part->v[i]->path + part->skip;

			if (strncmp(next, name, g->len) || next[g->len] != '/')
				break;
		}
	}
	return n;
}

static struct group *group_find(struct group *v, size_t n, const char *name, size_t len)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int cmp = tree_name_cmp(v[mid].name, v[mid].len, false, name, len, false);

		if (!cmp)
			return &v[mid];
		lo = cmp < 0 ? mid + 1 : lo;
		hi = cmp < 0 ? hi : mid;
	}
	return NULL;
}

static int build(struct update *u, const struct oid *base, const struct part *part, struct oid *ret);

static bool adds_any(const struct part *part)
{
	for (size_t i = 0; i < part->n; i++)
		if (part->v[i]->new.mode)
			return true;
	return false;
}

static const struct oid *dir_id(const struct tree_entry *e)
{
	return e->mode == TREE_DIR ? &e->id : &none;
}

/* What the name holds afterwards; mode 0: nothing. A deletion of the name beside additions below it makes room for a directory. */
static int resolve(struct update *u, const struct group *g, struct tree_entry *ret)
{
	bool adds = adds_any(&g->below), puts = g->own && g->own->new.mode;

	if (puts && adds)
		return err_set(u->err, ERR_INVALID, "'%s' cannot be a file and a directory", g->own->path);
	if (puts || (g->own && !g->below.n)) {
		*ret = g->own->new;
		return 0;
	}
	if (g->base.mode != TREE_DIR && !adds) {		/* deletions below what is no directory: they are already true */
		*ret = g->own ? (struct tree_entry){ 0 } : g->base;
		return 0;
	}
	ret->mode = TREE_DIR;
	if (build(u, dir_id(&g->base), &g->below, &ret->id) < 0)
		return u->err->code;
	if (oid_is_zero(&ret->id))
		ret->mode = 0;
	return 0;
}

/* Both lists are in git's order; so is what they make. Zero where nothing is left: a directory that is empty does not exist. */
static int write_merged(struct update *u, const struct slots *kept, const struct slots *fresh, struct oid *ret)
{
	STR raw = STR_MAX((size_t)1 << 30);
	size_t i = 0, j = 0;

	*ret = none;
	while (i < kept->n || j < fresh->n) {
		bool first = i < kept->n && (j >= fresh->n || by_name(&kept->v[i], &fresh->v[j]) < 0);
		const struct slot *s = first ? &kept->v[i++] : &fresh->v[j++];

		tree_raw_add(&raw, s->entry.mode, s->name, s->len, &s->entry.id);
	}
	return raw.len ? object_write(u->repo, GIT_OBJECT_TREE, raw.buf, raw.len, ret, u->err) : 0;
}

static int build(struct update *u, const struct oid *base, const struct part *part, struct oid *ret)
{
	CLEANUP(tree_iter_close) struct tree_iter it;
	CLEANUP(slots_free) struct slots kept = { 0 }, fresh = { 0 };
	AUTOFREE struct group *groups = xcalloc(part->n, sizeof(*groups));
	size_t n = split(part, groups);
	int more;

	if (tree_iter_open(u->repo, base, &it, u->err) < 0)
		return u->err->code;
	if (u->depth >= TREE_DEPTH)
		return err_set(u->err, ERR_LIMIT, "'%s' is more than %d directories deep", part->v[0]->path, TREE_DEPTH);
	u->depth++;
	while ((more = tree_iter_next(&it, u->err)) > 0) {
		struct group *g = group_find(groups, n, it.name, it.name_len);

		if (g)
			g->base = it.entry;
		else
			put(&kept, it.name, it.name_len, &it.entry);
	}
	if (more < 0)
		return more;
	for (size_t i = 0; i < n; i++) {
		struct tree_entry entry = { 0 };

		if (resolve(u, &groups[i], &entry) < 0)
			return u->err->code;
		if (entry.mode)
			put(&fresh, groups[i].name, groups[i].len, &entry);
	}
	u->depth--;
	if (fresh.n)
		qsort(fresh.v, fresh.n, sizeof(*fresh.v), by_name);
	return write_merged(u, &kept, &fresh, ret);
}

int tree_update(struct repo *repo, const struct oid *base, const struct tree_changes *changes, struct oid *ret, struct err *err)
{
	AUTOFREE const struct tree_change **v = xcalloc(changes->n, sizeof(*v));
	struct update u = { .repo = repo, .err = err };
	const struct part all = { .v = v, .n = changes->n };
	struct oid tree = *base;

	for (size_t i = 0; i < changes->n; i++)
		v[i] = &changes->v[i];
	qsort(v, changes->n, sizeof(*v), by_component);
	for (size_t i = 0; i < changes->n; i++)
		if (check(repo, v[i], i ? v[i - 1] : NULL, err) < 0)
			return err->code;
	if (changes->n && build(&u, base, &all, &tree) < 0)
		return err->code;
	if (oid_is_zero(&tree) && object_write(repo, GIT_OBJECT_TREE, "", 0, &tree, err) < 0)
		return err->code;
	*ret = tree;
	return 0;
}
