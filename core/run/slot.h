/*
 * slot.h - inside the worktree backend: a pool of slots, each a linked worktree that is used again and again.
 *
 *   <pool>/lock            held (flock) while the pool is open, and by every supervisor while its processes live
 *   <pool>/prepared/       what `prepare` made; prepared.new/ while it is copied
 *   <pool>/<n>/<name>/     the worktree; its git directory is <common>/worktrees/<name>/
 *   <pool>/<n>/index       the index its checkouts go by: not the worktree's own one, which a run may write
 *   <pool>/<n>/tmp/ outside/
 *
 * Nothing of a slot is believed across processes: what an earlier one left is removed when the pool is opened.
 */
#ifndef RUN_SLOT_H
#define RUN_SLOT_H

#include "run/mirror.h"
#include "run/tracked.h"
#include "run/workspace.h"

struct ground;
struct cover;

struct workspace {		/* a slot */
	struct pool *pool;
	struct cover *cover;	/* the overlay backend's; NULL: a worktree */
	char *home, *dir, *tmp, *outside, *index;
	char *admin;		/* the git directory of the worktree */
	int root;		/* dir, open; -1: not made yet */
	struct stat_key dir_key, git_key, index_key;
	struct str config;	/* config.worktree as it was made; empty: none */
	bool known;		/* the lists below tell what is in dir; else it is to be emptied */
	bool dirty;		/* something tracked is missing */
	bool busy;
	struct tracked tracked;
	struct mirror included, prepared;
	struct rules *rules;	/* of tracked.tree, on demand */
};

struct pool {
	struct repo *repo;
	struct ground *ground;	/* NULL: worktrees */
	char *why;		/* not overlay; NULL: it is, or nobody asked for it */
	char *campaign;
	char *dir;
	char *checkout;
	struct strs include;
	int lock;
	mode_t umask;
	bool prepared;
	bool file_mode;		/* core.fileMode */
	struct workspace **slots;
	size_t n, alloc;
};

/* Where the pool of a campaign is; ERR_INVALID for a relative harness.workspaces, ERR_NOT_FOUND without a HOME. */
int pool_place(struct repo *repo, const char *campaign, char **ret, struct err *err);
/* Checks what may be included and brings the paths to canonical form. same_path: workspaces stand where the checkout does. */
int include_check(const struct pool_spec *spec, bool same_path, struct strs *ret, struct err *err);

/* Make what is not there: the directory and git's worktree at `commit`, without files. */
int slot_make(struct workspace *ws, const struct oid *commit, struct err *err);
/* Is it still the worktree that was made, linked to the git directory that was made? */
bool slot_is_sound(const struct workspace *ws);
/* Remove it from disk and from git's list; ws can be made again. */
int slot_discard(struct workspace *ws, struct err *err);
void slot_free(struct workspace *ws);	/* memory and descriptors only */
/* Remove git's entries for worktrees below dir. */
int slot_forget_below(struct repo *repo, const char *dir, struct err *err);

/* Remove what is not of the tree or its mirrors, and what of them was changed; ws->dirty tells that git must restore something. */
int slot_clean(struct workspace *ws, struct err *err);
/* The git directory as new, HEAD at commit; the files as in tree; their stat remembered. */
int slot_check_out(struct workspace *ws, const struct oid *commit, const struct oid *tree, struct err *err);
/* Of the workspace's tree, whatever is on disk: is there a file at this path; is there a directory? */
bool slot_tracks(const struct workspace *ws, const char *path);
bool slot_tracks_below(const struct workspace *ws, const char *path);
/* Is this path given to the workspace by us (an include or below one, or what prepare made)? */
bool slot_is_given(const struct workspace *ws, const char *path);

/* What is at dirfd/name, against what a tree has there (f NULL: nothing). */
struct look {
	uint32_t mode;		/* git's, of what is there now; 0: nothing that a tree can hold */
	bool special;		/* neither file nor link nor directory; a directory is mode 0 */
	bool same;		/* content is the blob's */
	bool over;		/* not read: larger than bytes_left */
	struct oid blob;	/* of what is there now; zero where not read */
	const char *refused_attr;
};
struct looking {
	const struct pool *pool;
	struct rules *rules;
	int64_t bytes_left;
	bool write;		/* the blob of what differs */
};
int slot_look(struct looking *l, const struct tracked_file *f, const char *path, int dirfd, const char *name, const struct stat *st,
	      struct look *ret, struct err *err);

#endif
