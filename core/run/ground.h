/*
 * ground.h - inside the overlay backend: what workspaces stand on, kept on disk from run to run.
 *
 *   <pool>/base/skel/         mount points: .git/, one for each include
 *   <pool>/base/<k>/tree/     a commit's files as git writes them; never written while a workspace stands on it
 *   <pool>/base/<k>/git/      the git directory its workspaces begin with, the index warm
 *   <pool>/base/<k>/stamp     of what commit, tree and settings it is; without it the base is rubble
 *   <pool>/prepared/          what `prepare` made
 *   <pool>/<n>/delta/         of one workspace: how its tree differs from the base
 *   <state>/store/            sealed objects (git/sealed.h)
 *
 * An experiment sees none of these paths: they are hidden in its mounts, so what is there is believed across processes.
 */
#ifndef RUN_GROUND_H
#define RUN_GROUND_H

#include "git/split_index.h"
#include "run/sandbox.h"
#include "run/slot.h"

struct base {
	char *dir;
	struct oid commit, tree;	/* zero: rubble */
	int users;
	struct shared_index *index;	/* of git/, on demand */
};

struct ground {
	struct pool *pool;
	struct repo *repo;
	char *dir;			/* <pool>/base */
	char *skel, *prepared, *store;
	char *at;			/* where workspaces are mounted: the checkout, or a place of ours */
	int skel_fd;
	struct strs hide;		/* other ways to the repository */
	struct stat_key *file_keys;	/* of includes that are files, as copied; mode 0: a directory */
	int64_t size, inodes;		/* of what one workspace may write */
	struct base **bases;
	size_t n, alloc;
};

struct cover {			/* a workspace's part */
	struct base *base;
	struct enclosure enclosure;
	int upper, git;		/* the layer with what was written; the workspace's .git */
	bool has_delta;
	struct err failed;	/* a question about the tree that could not be answered */
};

/* ERR_REFUSED and why, where it cannot be: the caller falls back, or gives up. */
int ground_open(struct pool *pool, const struct pool_spec *spec, struct ground **ret, struct err *err);
void ground_free(struct ground *g);
/* Copies of included files that changed at their source. */
int ground_refresh(struct ground *g, struct err *err);

/* Those that an earlier harness left. */
void base_find(struct ground *g);
/* A base for a workspace with this tree, its git at this commit; *ret_delta: they differ. One user more. */
int base_take(struct ground *g, const struct oid *commit, const struct oid *tree, struct base **ret, bool *ret_delta, struct err *err);
/* Written into the empty directory `dir`: what turns the base's files into tree's. */
int delta_write(struct ground *g, const struct base *b, const struct oid *tree, const char *dir, struct err *err);
/* Can the difference be written as it is stored? Not where line ends, filters or the attributes themselves change. */
int delta_is_plain(struct ground *g, const struct oid *from, const struct oid *tree, bool *ret, struct err *err);

int cover_open(struct pool *pool, struct workspace *ws, const struct oid *commit, const struct oid *tree, struct err *err);
void cover_close(struct workspace *ws);
/* Load ws->tracked with those tracked files that the upper layer says something about. */
int cover_survey(struct workspace *ws, struct err *err);
/* Is there something of this name in the layers that are neither the tree's nor the run's? */
bool cover_gives(const struct workspace *ws, const char *path);
bool cover_is_whiteout(const struct walk_entry *e);

#endif
