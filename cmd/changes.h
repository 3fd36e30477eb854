/*
 * changes.h - what a person's change is, in trees, and which of its paths are not open to experiments.
 * For check: the staged change against HEAD, a range against its merge base, or one commit of a push.
 *
 * Memory: change_free() accepts an empty one.
 */
#ifndef CMD_CHANGES_H
#define CMD_CHANGES_H

#include "git/tree.h"
#include "policy/surface.h"

struct refused_path {
	char *path;
	const char *why;	/* static text */
	bool added;
};

struct change {
	struct oid base;		/* commit whose policy judges and against which is compared; zero: there is none */
	struct oid tip;			/* zero: what is staged */
	struct oid base_tree;
	struct tree_changes paths;
	struct surface_counts counts;
	struct refused_path *refused;
	size_t n_refused, alloc_refused;
	const char *limit;		/* "max_files" ... that is exceeded, or NULL */
};

int change_staged(struct repo *repo, struct change *ret, struct err *err);
/* "A..B", "A...B" or "A" (up to HEAD); each from its merge base. */
int change_range(struct repo *repo, const char *range, struct change *ret, struct err *err);
/* What a commit changes against every one of its parents: a merge answers for what is in none of them. */
int change_commit(struct repo *repo, const struct oid *commit, struct change *ret, struct err *err);
int change_judge(struct repo *repo, const struct policy *policy, struct change *change, struct err *err);
void change_free(struct change *change);

#endif
