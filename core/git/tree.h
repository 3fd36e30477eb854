/*
 * tree.h - trees without an index: look up, compare, change.
 * Modes are git's (0100644 0100755 0120000 0160000 040000). Paths are repository-relative bytes with '/'.
 * The comparison walks both trees in step and skips equal ids, so it costs what changed. No renames here.
 *
 * Memory: tree_changes_free() accepts an empty list.
 */
#ifndef GIT_TREE_H
#define GIT_TREE_H

#include "git/repo.h"

struct tree_entry {
	uint32_t mode;		/* 0: not there */
	struct oid id;
};

int tree_of_commit(struct repo *repo, const struct oid *commit, struct oid *ret, struct err *err);
/* mode 0 in *ret where nothing is at that path. */
int tree_lookup(struct repo *repo, const struct oid *tree, const char *path, struct tree_entry *ret, struct err *err);
/* Text of the blob at path; ERR_NOT_FOUND where it is not a regular file there. */
int tree_read(struct repo *repo, const struct oid *tree, const char *path, size_t max, struct str *ret, struct err *err);
/* Every non-tree entry below `tree`, in path order, whole paths. fn's non-zero return ends the walk and is returned. */
typedef int tree_walk_fn(void *data, const char *path, const struct tree_entry *entry, struct err *err);
int tree_walk(struct repo *repo, const struct oid *tree, tree_walk_fn *fn, void *data, struct err *err);

struct tree_change {
	char *path;
	struct tree_entry old;	/* mode 0: added */
	struct tree_entry new;	/* mode 0: deleted */
};

struct tree_changes {
	struct tree_change *v;	/* by path */
	size_t n;
	size_t alloc;
};

int tree_compare(struct repo *repo, const struct oid *old, const struct oid *new, struct tree_changes *ret, struct err *err);
void tree_changes_add(struct tree_changes *l, const char *path, const struct tree_entry *old, const struct tree_entry *new);
void tree_changes_sort(struct tree_changes *l);
void tree_changes_free(struct tree_changes *l);
/* base with each change's `new` side put in its place (mode 0 deletes; emptied directories vanish; a file may replace a directory and the
 * other way round). Old sides are not looked at. base zero: the empty tree. */
int tree_update(struct repo *repo, const struct oid *base, const struct tree_changes *changes, struct oid *ret, struct err *err);

/* Lines added and deleted between two trees over all regular files (binary files count 0). */
struct tree_lines {
	int64_t added;
	int64_t deleted;
	int64_t bytes;	/* sum of the new sides' sizes of changed files */
};
int tree_count_lines(struct repo *repo, const struct tree_changes *changes, struct tree_lines *ret, struct err *err);
/* A unified diff (with renames) for people, text made visible where it is not UTF-8. */
int tree_diff_text(struct repo *repo, const struct oid *old, const struct oid *new, struct str *ret, struct err *err);
/* Three-way merge. Conflict: returns 0, *ret_conflict is the first conflicting path (caller frees), otherwise NULL. */
int tree_merge(struct repo *repo, const struct oid *base, const struct oid *ours, const struct oid *theirs,
	       struct oid *ret, char **ret_conflict, struct err *err);
/* A unified diff applied to a tree. Does not apply: returns 0 and *ret_why (caller frees), otherwise NULL there. */
int tree_apply_patch(struct repo *repo, const struct oid *base, const void *patch, size_t len,
		     struct oid *ret, char **ret_why, struct err *err);

#endif
