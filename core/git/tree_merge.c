/*
 * tree_merge.c - three trees made one. Only what changed on a side is looked at; git_merge_trees walks all files and asks the
 * working directory's attributes how to merge them.
 */
#include <stdlib.h>

#include "base/path.h"
#include "git/internal.h"

#define BINARY_PROBE ((size_t)8000)	/* as far as git looks for a NUL */

struct merge {
	struct repo *repo;
	struct tree_changes ours, theirs;
	struct tree_changes todo;	/* to be applied to our tree */
	char *conflict;
	struct err *err;
};

static void merge_free(struct merge *m)
{
	tree_changes_free(&m->ours);
	tree_changes_free(&m->theirs);
	tree_changes_free(&m->todo);
	free(m->conflict);
}

static int conflict(struct merge *m, const char *path)
{
	m->conflict = xstrdup(path);
	return 1;
}

static int by_path(const void *key, const void *item)
{
	return strcmp(key, ((const struct tree_change *)item)->path);
}

static const struct tree_change *change_at(const struct tree_changes *l, const char *path)
{
	return l->n ? bsearch(path, l->v, l->n, sizeof(*l->v), by_path) : NULL;
}

static bool same(const struct tree_entry *a, const struct tree_entry *b)
{
	return a->mode == b->mode && oid_eq(&a->id, &b->id);
}

static bool regular(const struct tree_entry *e)
{
	return (e->mode & 0170000u) == 0100000u;
}

static int load(struct merge *m, const struct tree_entry *entry, struct object *ret)
{
	return entry->mode ? object_read(m->repo, &entry->id, GIT_OBJECT_BLOB, ret, m->err) : 0;
}

static bool binary(const struct object *o)
{
	return o->len && memchr(o->ptr, '\0', o->len < BINARY_PROBE ? o->len : BINARY_PROBE);
}

static git_merge_file_input input(const struct object *o)
{
	git_merge_file_input ret;

	git_merge_file_input_init(&ret, GIT_MERGE_FILE_INPUT_VERSION);
	ret.ptr = o->len ? o->ptr : "";
	ret.size = o->len;
	return ret;
}

/* 0 and *ret_id, 1 for a conflict. */
static int merge_text(struct merge *m, const struct object *base, const struct object *a, const struct object *b, struct oid *ret_id)
{
	const git_merge_file_input in[3] = { input(base), input(a), input(b) };
	git_merge_file_result out = { 0 };
	int rc = git_merge_file(&out, base->odb ? &in[0] : NULL, &in[1], &in[2], NULL);

	if (rc < 0)
		return lib_fail(m->err, rc, "cannot merge two texts");
	rc = out.automergeable ? 0 : 1;
	if (!rc && object_write(m->repo, GIT_OBJECT_BLOB, out.len ? out.ptr : "", out.len, ret_id, m->err) < 0)
		rc = m->err->code;
	git_merge_file_result_free(&out);
	return rc;
}

/* 0 and *ret, 1 for a conflict. */
static int merge_content(struct merge *m, const struct tree_change *a, const struct tree_change *b, struct oid *ret)
{
	CLEANUP(object_drop) struct object base = { 0 };
	CLEANUP(object_drop) struct object ours = { 0 };
	CLEANUP(object_drop) struct object theirs = { 0 };

	if (oid_eq(&a->new.id, &b->new.id) || oid_eq(&b->new.id, &b->old.id) || oid_eq(&a->new.id, &a->old.id)) {
		*ret = oid_eq(&a->new.id, &a->old.id) ? b->new.id : a->new.id;
		return 0;
	}
	if (load(m, &a->old, &base) < 0 || load(m, &a->new, &ours) < 0 || load(m, &b->new, &theirs) < 0)
		return m->err->code;
	if (binary(&base) || binary(&ours) || binary(&theirs))
		return 1;
	return merge_text(m, &base, &ours, &theirs, ret);
}

static int merge_mode(const struct tree_change *a, const struct tree_change *b, uint32_t *ret)
{
	if (a->new.mode == a->old.mode)
		*ret = b->new.mode;
	else if (b->new.mode == b->old.mode || b->new.mode == a->new.mode)
		*ret = a->new.mode;
	else
		return 1;
	return 0;
}

/* Both sides changed this path, and not alike. */
static int merge_file(struct merge *m, const struct tree_change *a, const struct tree_change *b)
{
	struct tree_entry made;
	int rc;

	if (!regular(&a->new) || !regular(&b->new) || (a->old.mode && !regular(&a->old)) || merge_mode(a, b, &made.mode))
		return conflict(m, a->path);
	rc = merge_content(m, a, b, &made.id);
	if (rc)
		return rc < 0 ? rc : conflict(m, a->path);
	tree_changes_add(&m->todo, a->path, &a->new, &made);
	return 0;
}

static bool todo_deletes(const struct merge *m, const char *path)
{
	const struct tree_change *c = change_at(&m->todo, path);

	return c && !c->new.mode;
}

static int stays(void *data, const char *path, const struct tree_entry *entry, struct err *err)
{
	const char *const *dir = ((const void **)data)[1];
	const struct merge *m = ((const void **)data)[0];
	AUTOFREE char *whole = path_join(*dir, path);

	(void)entry;
	(void)err;
	return !todo_deletes(m, whole);
}

/* A file where our side has a directory with something left in it, or a path below what is a file there and stays one. */
static int in_the_way(struct merge *m, const struct oid *ours, const char *path)
{
	AUTOFREE char *parent = xstrdup(path);
	const void *data[2] = { m, &path };
	struct tree_entry at;

	if (tree_lookup(m->repo, ours, path, &at, m->err) < 0)
		return m->err->code;
	if (at.mode == TREE_DIR)
		return tree_walk(m->repo, &at.id, stays, data, m->err);
	for (char *slash = strrchr(parent, '/'); slash; slash = strrchr(parent, '/')) {
		*slash = '\0';
		if (tree_lookup(m->repo, ours, parent, &at, m->err) < 0)
			return m->err->code;
		if (at.mode && at.mode != TREE_DIR)
			return !todo_deletes(m, parent);
	}
	return 0;
}

static int merge_all(struct merge *m, const struct oid *ours)
{
	int rc = 0;

	for (size_t i = 0; i < m->theirs.n && !rc; i++) {
		const struct tree_change *b = &m->theirs.v[i], *a = change_at(&m->ours, b->path);

		if (!a)
			tree_changes_add(&m->todo, b->path, &b->old, &b->new);
		else if (!same(&a->new, &b->new))
			rc = merge_file(m, a, b);
	}
	tree_changes_sort(&m->todo);
	for (size_t i = 0; i < m->todo.n && !rc; i++) {
		if (!m->todo.v[i].new.mode)
			continue;
		rc = in_the_way(m, ours, m->todo.v[i].path);
		if (rc > 0)
			conflict(m, m->todo.v[i].path);
	}
	return rc;
}

int tree_merge(struct repo *repo, const struct oid *base, const struct oid *ours, const struct oid *theirs,
	       struct oid *ret, char **ret_conflict, struct err *err)
{
	CLEANUP(merge_free) struct merge m = { .repo = repo, .err = err };
	int rc;

	if (tree_compare(repo, base, ours, &m.ours, err) < 0 || tree_compare(repo, base, theirs, &m.theirs, err) < 0)
		return err->code;
	tree_changes_sort(&m.ours);
	tree_changes_sort(&m.theirs);
	rc = merge_all(&m, ours);
	if (!rc)
		rc = tree_update(repo, ours, &m.todo, ret, err);
	if (rc < 0)
		return rc;
	*ret_conflict = m.conflict;
	m.conflict = NULL;
	return 0;
}
