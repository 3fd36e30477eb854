/*
 * repo.h - the repository a command works in: where things are, settings, objects.
 * Opened once, by the recorded path, with environment GIT_DIR & co honoured as git does when the user typed the command
 * (repo_open) and ignored otherwise. libgit2 is initialised lazily here and nowhere else; its global, system and XDG
 * search paths are emptied, hash verification is on, owner validation as git's (safe.directory is honoured).
 *
 * Memory: repo_free() accepts NULL. Paths returned live as long as the repo.
 * Errors: ERR_GIT with one clear line, also for SHA-256, reftable and unknown extensions (names the extension).
 */
#ifndef GIT_REPO_H
#define GIT_REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/oid.h"
#include "base/str.h"
#include "git/ident.h"

struct repo;

/* start NULL: a command the user typed, here, with his GIT_* as git takes them. Otherwise that path, whatever the environment says. */
int repo_open(const char *start, struct repo **ret, struct err *err);
void repo_free(struct repo *repo);

const char *repo_common_dir(const struct repo *repo);	/* absolute, no trailing slash; shared by all worktrees */
const char *repo_git_dir(const struct repo *repo);	/* this worktree's own git directory */
const char *repo_work_dir(const struct repo *repo);	/* toplevel of this checkout; NULL in a bare repository */
const char *repo_prefix(const struct repo *repo);	/* where the command was typed, relative to work_dir, "" or "sub/" */
const char *repo_state_dir(const struct repo *repo);	/* <common dir>/harness */

/* Settings: read once through `git config -z --get-regexp`, so that -c, GIT_CONFIG_*, includes and config.worktree count. */
const char *repo_setting(struct repo *repo, const char *key);		/* lower-case key; last value or NULL */
bool repo_setting_bool(struct repo *repo, const char *key, bool fallback);
/* core.hooksPath as a path of the tree, canonical, where it lies inside the checkout; else NULL. The caller frees it. */
char *repo_tracked_hooks(struct repo *repo);
/* "Name <mail>" as git would use for the committer, or ERR_NOT_FOUND with git's own hint when it has none. */
int repo_ident(struct repo *repo, struct ident *ret, struct err *err);

/* HEAD: its branch's full name (NULL when detached) and commit (zero when unborn). */
int repo_head(struct repo *repo, char **ret_branch, struct oid *ret_commit, struct err *err);
/* Any revision git understands, peeled to a commit (through `git rev-parse --verify --end-of-options`). */
int repo_resolve(struct repo *repo, const char *rev, struct oid *ret, struct err *err);
/* The merge base of two commits; ERR_NOT_FOUND where there is none. descends: is `commit` `ancestor` or a descendant? */
int repo_merge_base(struct repo *repo, const struct oid *a, const struct oid *b, struct oid *ret, struct err *err);
int repo_descends(struct repo *repo, const struct oid *commit, const struct oid *ancestor, bool *ret, struct err *err);
/* Commits reachable from `tip` and from none of `hide` (ids that are zero or not here are passed over), newest first; ERR_LIMIT beyond max. */
int repo_commits(struct repo *repo, const struct oid *tip, const struct oid *hide, size_t n_hide, size_t max, struct oid **ret,
		 size_t *ret_n, struct err *err);

/* Worktrees of this repository that have `ref` checked out: the first one's path, or NULL (ret written either way; caller frees). */
int repo_checked_out(struct repo *repo, const char *ref, char **ret_path, struct err *err);

/* Objects. Blobs are byte-exact (no filters). */
int repo_read_blob(struct repo *repo, const struct oid *id, size_t max, struct str *ret, struct err *err);
int repo_blob_size(struct repo *repo, const struct oid *id, int64_t *ret, struct err *err);
int repo_write_blob(struct repo *repo, const void *ptr, size_t len, struct oid *ret, struct err *err);
/* The id a blob of these bytes would have; nothing is written. */
void repo_hash_blob(const void *ptr, size_t len, struct oid *ret);
bool repo_has(struct repo *repo, const struct oid *id);
/* Make all objects written so far durable (one flush, before a ref moves). */
int repo_flush(struct repo *repo, struct err *err);

#endif
