/*
 * mirror.h - untracked things that every workspace has: includes of the checkout, and what `prepare` made.
 * Copies, kept per workspace and brought up to date by stat: what a run changed, and what changed at the source, is copied again, the
 * rest stays. Links are copied as links. Nothing written to a copy reaches the source.
 *
 * Memory: mirror_clear() accepts an empty mirror and leaves one.
 */
#ifndef RUN_MIRROR_H
#define RUN_MIRROR_H

#include "run/tracked.h"

struct mirror_entry {
	char *path;
	struct stat_key from, to;	/* as they were when copied; of a directory only the mode counts */
};
struct mirror {
	struct mirror_entry *v;		/* by path */
	size_t n, alloc;
};

struct mirror_spec {
	int source;			/* a directory */
	enum access how;		/* of the source */
	const struct strs *roots;	/* paths in it; NULL: all of it */
	int target;
	bool (*skip)(void *data, const char *path);	/* leave this path (and what is below it) out; may be NULL */
	void *data;
};

/* ERR_NOT_FOUND names a root that is not there. */
int mirror_sync(struct mirror *m, const struct mirror_spec *spec, struct err *err);
const struct mirror_entry *mirror_find(const struct mirror *m, const char *path);
/* Is this file (or directory) of the workspace still the copy that was made? */
bool mirror_same(const struct mirror_entry *e, const struct stat *st);
void mirror_clear(struct mirror *m);

#endif
