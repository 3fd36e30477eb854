/*
 * dir.h - directories an experiment could write, looked at without trusting them.
 * No path is ever given to the kernel in a way that follows a link or leaves the root or its mount.
 */
#ifndef RUN_DIR_H
#define RUN_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/oid.h"
#include "base/str.h"

/* What is the user's is taken as it is; what is a workspace's is opened up where its owner has no access (chmod u+rwx). */
enum access { AS_IS, OPEN_UP };

/* chmod of `name` itself, never of what a link points to; -1 and errno. */
int dir_chmod(int dirfd, const char *name, mode_t mode);
/* The directory `path` below root ("" is root itself), as a descriptor; -1 and errno: ENOENT ENOTDIR ELOOP EXDEV ENAMETOOLONG ... */
int dir_open(int root, const char *path, enum access how);
/* mkdir -p below root, mode for each that is made. */
int dir_make(int root, const char *path, mode_t mode, struct err *err);
/* The directory that holds `path`, *ret_name its last component. */
int dir_open_parent(int root, const char *path, enum access how, const char **ret_name);
/* Names in a directory, sorted, without "." and "..". */
int dir_names(int dirfd, struct strs *ret, struct err *err);
/* Remove a path below root, whatever it is; not there, or behind a link: fine. */
int dir_remove(int root, const char *path, struct err *err);

/*
 * Walk what is below `root`, directories as they are entered by the callback's word. Not recursive; only the directory being read is
 * open, so nothing grows with depth but a list of paths. *over is set to "depth" where a path is too long to be entered.
 */
enum { WALK_SKIP, WALK_ENTER, WALK_STOP };
struct walk_entry {
	const char *path;	/* below the root */
	int dirfd;		/* of the directory it stands in */
	const char *name;
	unsigned char type;	/* DT_* */
};
typedef int walk_fn(void *data, const struct walk_entry *e, struct err *err);
int walk(int root, const char *from, enum access how, walk_fn *fn, void *data, const char **over, struct err *err);

/* What tells that a file is still the one that was looked at. */
struct stat_key {
	int64_t dev, ino, size, mtime, ctime;	/* times in ns */
	uint32_t mode;				/* 0: not there */
};
void stat_key(const struct stat *st, struct stat_key *ret);
bool stat_same(const struct stat_key *a, const struct stat_key *b);
/* Could a change that follows leave the same times? `now` from stat_now() before the file was looked at. */
int64_t stat_now(void);
bool stat_racy(const struct stat_key *k, int64_t now);

/* A workspace's regular file's bytes or a symbolic link's target, whole, up to max (ERR_LIMIT beyond). Never blocks on a FIFO, never follows. */
int file_read(int dirfd, const char *name, const struct stat *st, size_t max, struct str *ret, struct err *err);
/* Copy a regular file or a link to a new name; shares blocks where the file system can. Modes and mtime are kept. */
int file_copy(int from, const char *name, const struct stat *st, enum access how, int to, const char *to_name, mode_t mode,
	      struct err *err);

#endif
