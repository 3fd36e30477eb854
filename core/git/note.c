#include "git/note.h"

#include <stdlib.h>

#include "git/note_kind.h"
#include "git/ref.h"

#define NOTE_MAX ((size_t)64 << 20)

static const struct oid none;

const char *note_ref(struct repo *repo)
{
	const char *name = repo_setting(repo, "harness.notesref");
	int valid = 0;

	if (repo->note_ref)
		return repo->note_ref;
	if (!name || !*name)
		name = "harness";
	if (starts_with(name, "refs/notes/"))
		repo->note_ref = xstrdup(name);
	else
		repo->note_ref = xasprintf("refs/notes/%s", starts_with(name, "notes/") ? name + 6 : name);
	if (git_reference_name_is_valid(&valid, repo->note_ref) < 0 || !valid) {
		free(repo->note_ref);
		repo->note_ref = xstrdup("refs/notes/harness");
	}
	return repo->note_ref;
}

static bool is_hex(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr("0123456789abcdef", s[i]))
			return false;
	return true;
}

enum note_kind note_kind(const struct tree_iter *it, int depth)
{
	if (!is_hex(it->name, it->name_len))
		return KIND_FOREIGN;
	if (it->entry.mode == TREE_DIR)
		return it->name_len == 2 && depth < NOTE_LEVELS ? KIND_SUBTREE : KIND_FOREIGN;
	return it->name_len == (size_t)(OID_HEX - 2 * depth) && (it->entry.mode & 0170000u) == 0100000u ? KIND_NOTE : KIND_FOREIGN;
}

int note_join(struct repo *repo, const struct oid *blob, struct str *ret, struct err *err)
{
	while (ret->len && ret->buf[ret->len - 1] == '\n')
		str_truncate(ret, ret->len - 1);
	if (ret->len)
		str_puts(ret, "\n\n");
	return repo_read_blob(repo, blob, NOTE_MAX, ret, err);
}

/* Appends the text of every note of this object at or below one directory; more than one only in trees of mixed depth. */
static int find(struct repo *repo, struct oid dir, const struct oid *object, struct str *ret, bool *found, struct err *err)
{
	const struct oid_hex hex = oid_hex(object);

	for (int depth = 0; !oid_is_zero(&dir); depth++) {
		CLEANUP(tree_iter_close) struct tree_iter it;
		const char *rest = hex.s + 2 * depth;
		int more;

		if (tree_iter_open(repo, &dir, &it, err) < 0)
			return err->code;
		dir = none;
		while ((more = tree_iter_next(&it, err)) > 0) {
			enum note_kind kind = memcmp(it.name, rest, it.name_len < 2 ? it.name_len : 2) ? KIND_FOREIGN : note_kind(&it, depth);

			if (kind == KIND_SUBTREE)
				dir = it.entry.id;
			if (kind != KIND_NOTE || memcmp(it.name, rest, it.name_len))
				continue;
			*found = true;
			if (note_join(repo, &it.entry.id, ret, err) < 0)
				return err->code;
		}
		if (more < 0)
			return more;
	}
	return 0;
}

int note_read_at(struct repo *repo, const struct oid *tip, const struct oid *object, struct str *ret, bool *found, struct err *err)
{
	struct oid tree;

	*found = false;
	if (oid_is_zero(tip))
		return 0;
	if (tree_of_commit(repo, tip, &tree, err) < 0)
		return err_wrap(err, "cannot read the notes in '%s'", note_ref(repo));
	return find(repo, tree, object, ret, found, err);
}

int note_read(struct repo *repo, const struct oid *object, struct str *ret, struct err *err)
{
	struct oid tip;
	bool found;

	if (ref_read(repo, note_ref(repo), &tip, err) < 0 || note_read_at(repo, &tip, object, ret, &found, err) < 0)
		return err->code;
	return found ? 0 : err_set(err, ERR_NOT_FOUND, "no note on %s in '%s'", oid_hex(object).s, note_ref(repo));
}

struct walk {
	struct repo *repo;
	note_walk_fn *fn;
	void *data;
};

static int walk_dir(struct walk *w, const struct oid *dir, char *hex, int depth, struct err *err)
{
	CLEANUP(tree_iter_close) struct tree_iter it;
	struct oid object;
	int more, rc = 0;

	if (tree_iter_open(w->repo, dir, &it, err) < 0)
		return err->code;
	while (!rc && (more = tree_iter_next(&it, err)) != 0) {
		enum note_kind kind = more < 0 ? KIND_FOREIGN : note_kind(&it, depth);

		if (more < 0)
			return more;
		if (kind == KIND_FOREIGN)
			continue;
		memcpy(hex + 2 * depth, it.name, it.name_len);
		if (kind == KIND_SUBTREE)
			rc = walk_dir(w, &it.entry.id, hex, depth + 1, err);
		else if (oid_parse(hex, &object))
			rc = w->fn(w->data, &object, &it.entry.id, err);
	}
	return rc;
}

int note_walk(struct repo *repo, const struct oid *tip, note_walk_fn *fn, void *data, struct err *err)
{
	struct walk w = { .repo = repo, .fn = fn, .data = data };
	char hex[OID_HEX + 1] = "";
	struct oid tree;

	if (oid_is_zero(tip))
		return 0;
	if (tree_of_commit(repo, tip, &tree, err) < 0)
		return err_wrap(err, "cannot read the notes in '%s'", note_ref(repo));
	return walk_dir(&w, &tree, hex, 0, err);
}

int note_apply(struct repo *repo, const struct note_edit *edits, size_t n, const struct ident *who, const char *message, struct err *err)
{
	for (;;) {
		struct oid tip, new;

		if (ref_read(repo, note_ref(repo), &tip, err) < 0 || note_build(repo, &tip, edits, n, who, message, &new, err) < 0)
			return err->code;
		if (oid_eq(&tip, &new))
			return 0;
		if (!ref_update(repo, note_ref(repo), &tip, &new, "notes: Notes added by 'git harness'", err))
			return 0;
		if (err->code != ERR_CONFLICT)	/* lost to another writer: again, on top of what he wrote */
			return err->code;
	}
}
