/*
 * note_tree.c - a notes tree with some notes changed. Only the directories on the way are read and written; one that passes SPLIT
 * notes becomes up to 256 smaller ones, so that a note costs the same among a thousand and among a million.
 */
#include <stdlib.h>

#include "git/commit.h"
#include "git/note_kind.h"
#include "git/note.h"

#define SPLIT 256

static const struct oid none;

/* One note on its way to its place. */
struct put {
	struct oid_hex hex;
	struct oid blob;	/* zero: it goes */
	bool moved;		/* from the directory above, which is being split: joins what is there already */
};

struct puts {
	struct put *v;
	size_t n, alloc;
};

struct slot {
	const char *name;
	size_t len;
	struct tree_entry entry;
	enum note_kind kind;
};

/* One directory being rewritten. */
struct dir {
	struct repo *repo;
	struct err *err;
	int depth;
	struct slot *v;		/* what will be in it */
	size_t n, alloc;
	size_t notes;
	size_t sub[256];	/* 1 + place in v of the subdirectory of these two digits */
	bool blocked;		/* a foreign file has a subdirectory's name: no splitting here */
	struct puts down;	/* what goes to the subdirectories */
};

static void dir_free(struct dir *d)
{
	free(d->v);
	free(d->down.v);
}

static void puts_free(struct puts *p)
{
	free(p->v);
}

static size_t *sub_of(struct dir *d, const char *two)
{
	static const char digits[] = "0123456789abcdef";

	return &d->sub[(strchr(digits, two[0]) - digits) * 16 + (strchr(digits, two[1]) - digits)];
}

static struct slot *subtree(struct dir *d, const char *two)
{
	size_t at = *sub_of(d, two);

	return at ? &d->v[at - 1] : NULL;
}

static struct slot *add_slot(struct dir *d, const char *name, size_t len, struct tree_entry entry, enum note_kind kind)
{
	GROW(d->v, d->n, d->alloc);
	d->v[d->n] = (struct slot){ name, len, entry, kind };
	d->notes += kind == KIND_NOTE;
	if (kind == KIND_SUBTREE)
		*sub_of(d, name) = d->n + 1;
	return &d->v[d->n++];
}

static void add_put(struct puts *p, const struct put *put)
{
	GROW(p->v, p->n, p->alloc);
	p->v[p->n++] = *put;
}

static int by_hex(const void *a, const void *b)
{
	return memcmp(((const struct put *)a)->hex.s, ((const struct put *)b)->hex.s, OID_HEX);
}

static int by_name(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return tree_name_cmp(x->name, x->len, x->entry.mode == TREE_DIR, y->name, y->len, y->entry.mode == TREE_DIR);
}

static struct put *put_find(struct put *v, size_t n, const char *prefix, const struct tree_iter *it, int depth)
{
	struct put key = { .moved = false };

	if (!n)
		return NULL;
	memcpy(key.hex.s, prefix, (size_t)(2 * depth));
	memcpy(key.hex.s + 2 * depth, it->name, it->name_len);
	return bsearch(&key, v, n, sizeof(*v), by_hex);
}

/* Two notes of one object in a tree of mixed depth become one, the upper one first. */
static int join(struct dir *d, struct put *put, const struct oid *below)
{
	STR text = STR_INIT;

	if (note_join(d->repo, &put->blob, &text, d->err) < 0 || note_join(d->repo, below, &text, d->err) < 0)
		return d->err->code;
	return repo_write_blob(d->repo, text.buf, text.len, &put->blob, d->err);
}

/* What stands in the directory and stays, but for the notes that are written anew. */
static int keep(struct dir *d, struct tree_iter *it, struct put *v, size_t n)
{
	int more;

	while ((more = tree_iter_next(it, d->err)) > 0) {
		enum note_kind kind = note_kind(it, d->depth);
		struct put *put = kind == KIND_NOTE ? put_find(v, n, v->hex.s, it, d->depth) : NULL;

		if (put && put->moved && join(d, put, &it->entry.id) < 0)
			return d->err->code;
		if (put)
			continue;
		add_slot(d, it->name, it->name_len, it->entry, kind);
		d->blocked |= kind == KIND_FOREIGN && it->name_len == 2;
	}
	return more;
}

static void place(struct dir *d, struct put *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *rest = v[i].hex.s + 2 * d->depth;
		const struct tree_entry entry = { 0100644, v[i].blob };

		if (subtree(d, rest))
			add_put(&d->down, &v[i]);
		else if (!oid_is_zero(&v[i].blob))
			add_slot(d, rest, strlen(rest), entry, KIND_NOTE);
	}
}

/* All notes of this directory move down one level. */
static void split(struct dir *d, const char *prefix)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		struct put put = { .blob = d->v[i].entry.id, .moved = true };

		if (d->v[i].kind != KIND_NOTE) {
			d->v[n++] = d->v[i];
			if (d->v[i].kind == KIND_SUBTREE)
				*sub_of(d, d->v[i].name) = n;
			continue;
		}
		memcpy(put.hex.s, prefix, (size_t)(2 * d->depth));
		memcpy(put.hex.s + 2 * d->depth, d->v[i].name, d->v[i].len);
		add_put(&d->down, &put);
	}
	d->n = n;
	d->notes = 0;
}

static int build(struct repo *repo, const struct oid *old, int depth, struct put *v, size_t n, struct oid *ret, struct err *err);

static int descend(struct dir *d)
{
	struct put *v = d->down.v;
	size_t at = 2 * (size_t)d->depth, n;

	if (d->down.n)
		qsort(v, d->down.n, sizeof(*v), by_hex);
	for (size_t i = 0; i < d->down.n; i += n) {
		struct slot *s = subtree(d, v[i].hex.s + at);

		for (n = 1; i + n < d->down.n && !memcmp(v[i].hex.s + at, v[i + n].hex.s + at, 2); n++)
			;
		if (!s)
			s = add_slot(d, v[i].hex.s + at, 2, (struct tree_entry){ TREE_DIR, none }, KIND_SUBTREE);
		if (build(d->repo, &s->entry.id, d->depth + 1, v + i, n, &s->entry.id, d->err) < 0)
			return d->err->code;
	}
	return 0;
}

static int write_dir(struct dir *d, struct oid *ret)
{
	STR raw = STR_MAX((size_t)1 << 30);

	*ret = none;
	if (d->n)
		qsort(d->v, d->n, sizeof(*d->v), by_name);
	for (size_t i = 0; i < d->n; i++)
		if (!oid_is_zero(&d->v[i].entry.id))	/* a subdirectory that became empty is left out */
			tree_raw_add(&raw, d->v[i].entry.mode, d->v[i].name, d->v[i].len, &d->v[i].entry.id);
	return raw.len ? object_write(d->repo, GIT_OBJECT_TREE, raw.buf, raw.len, ret, d->err) : 0;
}

/* v: sorted, at least one, all below this directory. */
static int build(struct repo *repo, const struct oid *old, int depth, struct put *v, size_t n, struct oid *ret, struct err *err)
{
	CLEANUP(dir_free) struct dir d = { .repo = repo, .err = err, .depth = depth };
	CLEANUP(tree_iter_close) struct tree_iter it;

	if (tree_iter_open(repo, old, &it, err) < 0 || keep(&d, &it, v, n) < 0)
		return err->code;
	place(&d, v, n);
	if (d.notes > SPLIT && depth < NOTE_LEVELS && !d.blocked)
		split(&d, v->hex.s);
	if (descend(&d) < 0)
		return err->code;
	return write_dir(&d, ret);
}

static int by_object(const void *a, const void *b)
{
	const struct note_edit *const *x = a, *const *y = b;
	int cmp = memcmp((*x)->object.raw, (*y)->object.raw, sizeof((*x)->object.raw));

	return cmp ? cmp : (*x > *y) - (*x < *y);
}

/* One object's edits, in the caller's order, on its present text. */
static int edit(struct repo *repo, const struct oid *tip, const struct note_edit *const *v, size_t n, struct puts *puts, struct err *err)
{
	STR text = STR_INIT;
	struct put put = { .hex = oid_hex(&v[0]->object) };
	bool found, changed = false;

	if (note_read_at(repo, tip, &v[0]->object, &text, &found, err) < 0)
		return err->code;
	for (size_t i = 0; i < n; i++) {
		STR next = STR_INIT;
		int rc = v[i]->fn(v[i]->data, &v[i]->object, text.buf, text.len, &next, err);

		if (rc < 0)
			return rc;
		if (rc > 0)
			continue;
		if (next.cut)
			return err_set(err, ERR_LIMIT, "the note on %s is too long", put.hex.s);
		changed = true;
		str_clear(&text);
		str_add(&text, next.buf, next.len);
	}
	if (!changed)
		return 0;
	if (text.len && repo_write_blob(repo, text.buf, text.len, &put.blob, err) < 0)
		return err->code;
	add_put(puts, &put);
	return 0;
}

static int edit_all(struct repo *repo, const struct oid *tip, const struct note_edit *edits, size_t n, struct puts *puts, struct err *err)
{
	AUTOFREE const struct note_edit **v = xcalloc(n, sizeof(*v));
	size_t same;

	for (size_t i = 0; i < n; i++)
		v[i] = &edits[i];
	qsort(v, n, sizeof(*v), by_object);
	for (size_t i = 0; i < n; i += same) {
		for (same = 1; i + same < n && oid_eq(&v[i]->object, &v[i + same]->object); same++)
			;
		if (edit(repo, tip, v + i, same, puts, err) < 0)
			return err->code;
	}
	return 0;
}

int note_build(struct repo *repo, const struct oid *tip, const struct note_edit *edits, size_t n, const struct ident *who,
	       const char *message, struct oid *ret, struct err *err)
{
	CLEANUP(puts_free) struct puts puts = { 0 };
	AUTOFREE char *text = xasprintf("%s%s", message, ends_with(message, "\n") ? "" : "\n");
	struct commit_spec spec = { .author = who, .committer = who, .message = text };
	struct oid old = none;

	if (edit_all(repo, tip, edits, n, &puts, err) < 0)
		return err->code;
	if (!oid_is_zero(tip) && tree_of_commit(repo, tip, &old, err) < 0)
		return err->code;
	spec.tree = old;
	if (puts.n && build(repo, &old, 0, puts.v, puts.n, &spec.tree, err) < 0)
		return err->code;
	if (puts.n && oid_is_zero(&spec.tree) && object_write(repo, GIT_OBJECT_TREE, "", 0, &spec.tree, err) < 0)
		return err->code;
	if (oid_eq(&spec.tree, &old)) {
		*ret = *tip;
		return 0;
	}
	spec.parents = tip;
	spec.n_parents = !oid_is_zero(tip);
	return commit_write(repo, &spec, ret, err);
}
