/*
 * workspace.h - disposable worktrees behind one interface; the `worktree` backend (a pool of linked worktrees) is the first.
 * A workspace holds exactly one tree, plus includes and what `prepare` made. What is written in it is read by harvest, then evaporates. The user's checkout, index,
 * stash, configuration and hooks are never touched.
 *
 * Memory: workspace_release() gives it back (cleaned on its next use); pool_close() accepts NULL.
 */
#ifndef RUN_WORKSPACE_H
#define RUN_WORKSPACE_H

#include "git/attr.h"
#include "git/repo.h"
#include "git/tree.h"
#include "run/sandbox.h"

struct pool;
struct workspace;

struct pool_spec {
	const char *campaign;
	const char *state_dir;		/* <common>/harness/campaigns/<c> */
	const struct strs *include;	/* paths of the checkout, copied in; may be NULL */
	const char *checkout;		/* where includes come from; NULL in a bare repository */
	int64_t disk;			/* bytes that one run may write, where the policy says so; else 0 */
};

/* git config harness.workspaces, else ${XDG_CACHE_HOME:-~/.cache}/git-harness/, then a name made from repository and campaign. ERR_REFUSED with a hint where an include
 * points back at the checkout (*.pth, direct_url.json, CMakeCache.txt), is tracked, leaves the checkout, or is missing. */
int pool_open(struct repo *repo, const struct pool_spec *spec, struct pool **ret, struct err *err);
void pool_close(struct pool *pool);
/* Remove every workspace of this campaign from disk and from git's list. */
int pool_remove(struct pool *pool, struct err *err);
const char *pool_backend(const struct pool *pool);	/* "overlay" or "worktree" */
const char *pool_why(const struct pool *pool);		/* why it is not "overlay", though that was wished for; NULL */

/* A free workspace brought to `tree`, HEAD detached at `commit`, nothing else in it; a stat snapshot taken. */
int workspace_open(struct pool *pool, const struct oid *commit, const struct oid *tree, struct workspace **ret, struct err *err);
void workspace_release(struct workspace *ws);
/* Where its processes find it: the path of the checkout in an overlay's own mounts, which only they see; a directory of ours otherwise. */
const char *workspace_dir(const struct workspace *ws);
int workspace_root(const struct workspace *ws);			/* the same directory, open; ours to read, not to close */
const struct enclosure *workspace_enclosure(const struct workspace *ws);	/* for task_spec; NULL: none */
const char *workspace_tmp(const struct workspace *ws);		/* private TMPDIR beside it, emptied on each open */
const char *workspace_outside(const struct workspace *ws);	/* directory beside it for brief and proposal, emptied on each open */
/* The first tracked path that is no longer the tree's, or NULL (caller frees). Content decides, stat only saves reading. */
int workspace_touched(struct workspace *ws, char **ret_path, struct err *err);
/* prepare's output: what is in ws and not tracked becomes part of every later workspace. ERR_REFUSED when a tracked file was touched. */
int pool_keep_prepared(struct pool *pool, struct workspace *ws, struct err *err);
bool pool_is_prepared(const struct pool *pool);

/* What a finished process left. Nothing is followed: fd-based walk, caps on depth, entries and bytes; a planted nested `.git` is never entered. */
struct found {
	char *path;
	struct tree_entry old;		/* of the base; mode 0: untracked */
	uint32_t new_mode;		/* 0: gone; 0100644 0100755 0120000 0040000(nested repository: 0160000) */
	struct oid blob;		/* written blob, cleaned by the base's attributes; zero where not read */
	int64_t size;
	bool special;
	const char *refused_attr;	/* static text or NULL */
};
struct harvest {
	struct found *v;		/* changed tracked paths and wanted untracked ones, by path */
	size_t n, alloc;
	struct strs dropped;		/* untracked, not wanted: the first 50 paths, made visible */
	int64_t n_dropped;
	const char *over;		/* "depth", "entries" or "bytes": a cap was hit; NULL */
};
/* want(path): is this untracked path worth reading, or, where it ends in '/', may something below be? What the base ignores is never asked about. */
int workspace_harvest(struct workspace *ws, struct rules *rules, bool (*want)(void *data, const char *path), void *data,
		      struct harvest *ret, struct err *err);
void harvest_free(struct harvest *h);

/*
 * Declared outputs (regular files and directories only): kept in a directory of ours (emptied first), where they survive a crash of the
 * harness, and placed in another workspace, read-only. A declared path that is not there is no error. Beyond max bytes: ERR_LIMIT.
 */
int workspace_keep(struct workspace *from, const char *dir, const struct strs *paths, int64_t max, struct err *err);
int workspace_place(struct workspace *to, const char *dir, const struct strs *paths, struct err *err);
/* The same, writable: what an earlier run left is this one's to change. */
int workspace_restore(struct workspace *to, const char *dir, const struct strs *paths, struct err *err);
/* Remove one untracked path, never following links; not there: fine. */
int workspace_remove(struct workspace *ws, const char *path, struct err *err);

#endif
