#include "git/tree.h"

#include <stdlib.h>

#include "base/path.h"
#include "git/internal.h"

int tree_of_commit(struct repo *repo, const struct oid *commit, struct oid *ret, struct err *err)
{
	CLEANUP(object_drop) struct object object = { 0 };

	if (object_read(repo, commit, GIT_OBJECT_COMMIT, &object, err) < 0)
		return err->code;
	if (object.len < 5 + OID_HEX + 1 || memcmp(object.ptr, "tree ", 5) || !oid_parse(object.ptr + 5, ret))
		return err_set(err, ERR_INVALID, "commit %s is malformed", oid_hex(commit).s);
	return 0;
}

/* The entry of that name in one tree; mode 0 where there is none. */
static int find(struct repo *repo, const struct oid *tree, const char *name, size_t len, struct tree_entry *ret, struct err *err)
{
	CLEANUP(tree_iter_close) struct tree_iter it;
	int rc;

	if (tree_iter_open(repo, tree, &it, err) < 0)
		return err->code;
	while ((rc = tree_iter_next(&it, err)) > 0)
		if (it.name_len == len && !memcmp(it.name, name, len))
			break;
	if (rc >= 0)
		*ret = rc ? it.entry : (struct tree_entry){ 0 };
	return rc < 0 ? rc : 0;
}

int tree_lookup(struct repo *repo, const struct oid *tree, const char *path, struct tree_entry *ret, struct err *err)
{
	struct tree_entry at = { .mode = TREE_DIR, .id = *tree };

	for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
		if (at.mode != TREE_DIR) {
			at = (struct tree_entry){ 0 };
			break;
		}
		if (find(repo, &at.id, part, strcspn(part, "/"), &at, err) < 0)
			return err->code;
	}
	*ret = at;
	return 0;
}

int tree_read(struct repo *repo, const struct oid *tree, const char *path, size_t max, struct str *ret, struct err *err)
{
	struct tree_entry entry;

	if (tree_lookup(repo, tree, path, &entry, err) < 0)
		return err->code;
	if ((entry.mode & 0170000u) != 0100000u)
		return err_set(err, ERR_NOT_FOUND, "'%s' is %s", path, entry.mode ? "not a regular file" : "not there");
	return repo_read_blob(repo, &entry.id, max, ret, err);
}

struct walk {
	struct repo *repo;
	tree_walk_fn *fn;
	void *data;
	struct str path;
	int depth;
};

static void walk_free(struct walk *w)
{
	str_free(&w->path);
}

static int walk_dir(struct walk *w, const struct oid *tree, struct err *err)
{
	CLEANUP(tree_iter_close) struct tree_iter it;
	size_t len = w->path.len;
	int rc, stop = 0;

	if (w->depth >= TREE_DEPTH)
		return err_set(err, ERR_LIMIT, "a tree is more than %d directories deep", TREE_DEPTH);
	if (tree_iter_open(w->repo, tree, &it, err) < 0)
		return err->code;
	w->depth++;
	while (!stop && (rc = tree_iter_next(&it, err)) != 0) {
		if (rc < 0)
			return rc;
		str_add(&w->path, it.name, it.name_len);
		if (it.entry.mode == TREE_DIR) {
			str_putc(&w->path, '/');
			stop = walk_dir(w, &it.entry.id, err);
		} else {
			stop = w->fn(w->data, w->path.buf, &it.entry, err);
		}
		str_truncate(&w->path, len);
	}
	w->depth--;
	return stop;
}

int tree_walk(struct repo *repo, const struct oid *tree, tree_walk_fn *fn, void *data, struct err *err)
{
	CLEANUP(walk_free) struct walk w = { .repo = repo, .fn = fn, .data = data, .path = STR_INIT };

	return walk_dir(&w, tree, err);
}

void tree_changes_add(struct tree_changes *l, const char *path, const struct tree_entry *old, const struct tree_entry *new)
{
	static const struct tree_entry none;

	GROW(l->v, l->n, l->alloc);
	l->v[l->n++] = (struct tree_change){ .path = xstrdup(path), .old = old ? *old : none, .new = new ? *new : none };
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tree_change *)a)->path, ((const struct tree_change *)b)->path);
}

void tree_changes_sort(struct tree_changes *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_path);
}

void tree_changes_free(struct tree_changes *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].path);
	free(l->v);
	*l = (struct tree_changes){ 0 };
}

struct compare {
	struct repo *repo;
	struct tree_changes *list;
	struct str path;
	int depth;
};

static void compare_free(struct compare *c)
{
	str_free(&c->path);
}

static int compare_dirs(struct compare *c, const struct oid *old, const struct oid *new, struct err *err);

/* One name, on one side (the other NULL) or, when both are files or both directories, on both. */
static int compare_entry(struct compare *c, const struct tree_iter *old, const struct tree_iter *new, struct err *err)
{
	static const struct oid none;
	const struct tree_iter *any = old ? old : new;
	size_t len = c->path.len;
	int rc = 0;

	if (old && new && old->entry.mode == new->entry.mode && oid_eq(&old->entry.id, &new->entry.id))
		return 0;
	str_add(&c->path, any->name, any->name_len);
	if (any->entry.mode == TREE_DIR) {
		str_putc(&c->path, '/');
		rc = compare_dirs(c, old ? &old->entry.id : &none, new ? &new->entry.id : &none, err);
	} else {
		tree_changes_add(c->list, c->path.buf, old ? &old->entry : NULL, new ? &new->entry : NULL);
	}
	str_truncate(&c->path, len);
	return rc;
}

static int order(const struct tree_iter *a, int more_a, const struct tree_iter *b, int more_b)
{
	if (!more_a || !more_b)
		return more_a ? -1 : 1;
	return tree_name_cmp(a->name, a->name_len, a->entry.mode == TREE_DIR, b->name, b->name_len, b->entry.mode == TREE_DIR);
}

/* Both trees in step: the smaller name goes first, equal names go together. */
static int compare_steps(struct compare *c, struct tree_iter *a, struct tree_iter *b, struct err *err)
{
	int more_a = tree_iter_next(a, err), more_b = tree_iter_next(b, err);

	while (more_a >= 0 && more_b >= 0 && more_a + more_b) {
		int cmp = order(a, more_a, b, more_b);

		if (compare_entry(c, cmp <= 0 ? a : NULL, cmp >= 0 ? b : NULL, err) < 0)
			return err->code;
		if (cmp <= 0)
			more_a = tree_iter_next(a, err);
		if (cmp >= 0)
			more_b = tree_iter_next(b, err);
	}
	return more_a < 0 || more_b < 0 ? err->code : 0;
}

static int compare_dirs(struct compare *c, const struct oid *old, const struct oid *new, struct err *err)
{
	CLEANUP(tree_iter_close) struct tree_iter a = { 0 };
	CLEANUP(tree_iter_close) struct tree_iter b = { 0 };
	int rc;

	if (c->depth >= TREE_DEPTH)
		return err_set(err, ERR_LIMIT, "a tree is more than %d directories deep", TREE_DEPTH);
	if (tree_iter_open(c->repo, old, &a, err) < 0 || tree_iter_open(c->repo, new, &b, err) < 0)
		return err->code;
	c->depth++;
	rc = compare_steps(c, &a, &b, err);
	c->depth--;
	return rc;
}

int tree_compare(struct repo *repo, const struct oid *old, const struct oid *new, struct tree_changes *ret, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes list = { 0 };
	CLEANUP(compare_free) struct compare c = { .repo = repo, .list = &list, .path = STR_INIT };

	if (!oid_eq(old, new) && compare_dirs(&c, old, new, err) < 0)
		return err->code;
	tree_changes_free(ret);
	*ret = list;
	list = (struct tree_changes){ 0 };
	return 0;
}
