/*
 * split_index.h - git's index of another tree, at the price of the difference.
 * git reads a small index that names a shared one and says which of its entries are gone and which are added (gitformat-index, "split
 * index"). The shared one is read once; writing costs what changed.
 *
 * Memory: shared_index_free() accepts NULL.
 * Errors: ERR_INVALID where the shared index is of a format that is not expected (version 2, with its checksum).
 */
#ifndef GIT_SPLIT_INDEX_H
#define GIT_SPLIT_INDEX_H

#include "git/tree.h"

struct shared_index;

int shared_index_open(const char *path, struct shared_index **ret, struct err *err);
void shared_index_free(struct shared_index *s);
/* "sharedindex.<checksum>": the name under which git looks for it. */
void shared_index_name(const struct shared_index *s, char ret[64]);
/* Owners as an index holds them: git compares them with what it sees. */
struct index_owner {
	uint32_t uid, gid;
};
/* The index of the shared one's tree with the changes; the new files' stat is taken below root. */
int split_index_write(const struct shared_index *s, const struct tree_changes *changes, int root, const struct index_owner *owner,
		      struct str *ret, struct err *err);
/* Make all entries of an index file theirs. */
int index_set_owner(const char *path, const struct index_owner *owner, struct err *err);

#endif
