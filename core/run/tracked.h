/*
 * tracked.h - the files of one tree as a workspace holds them: what should be there, and the stat that says it still is.
 *
 * Memory: tracked_clear() accepts an empty list and leaves one.
 */
#ifndef RUN_TRACKED_H
#define RUN_TRACKED_H

#include "git/repo.h"
#include "git/tree.h"
#include "run/dir.h"

struct tracked_file {
	char *path;
	struct tree_entry entry;
	struct stat_key key;	/* after the checkout; mode 0: to be looked at */
	struct oid raw;		/* of its bytes on disk, where the stat alone could not prove them; else zero */
	bool seen;		/* for a walk */
};
struct tracked {
	struct tracked_file *v;	/* by path */
	size_t n, alloc;
	struct oid tree;
	bool loaded;
};

/* Become the list of `tree`; from a loaded one at the cost of the difference. *ret_rules: the trees' attributes differ, so files with
 * equal blobs may differ on disk. */
int tracked_load(struct tracked *t, struct repo *repo, const struct oid *tree, bool *ret_rules, struct err *err);
void tracked_clear(struct tracked *t);
struct tracked_file *tracked_find(const struct tracked *t, const char *path);	/* NULL: not tracked */
bool tracked_below(const struct tracked *t, const char *dir);			/* anything in this directory? */

/* Each file in order with its stat; st NULL: not there, or only behind a link. dirfd and name lead to it. */
typedef int tracked_fn(void *data, struct tracked_file *f, int dirfd, const char *name, const struct stat *st, struct err *err);
int tracked_scan(struct tracked *t, int root, tracked_fn *fn, void *data, struct err *err);
/* Remember how those look now of which it is not known. ERR_CONFLICT where one is missing or of another type: the checkout did not do its work. */
int tracked_remember(struct tracked *t, int root, struct err *err);
/* Unchanged for certain? What is not certain is to be read. */
void tracked_forget(struct tracked_file *f);
bool tracked_same(const struct tracked_file *f, int dirfd, const char *name, const struct stat *st);

#endif
