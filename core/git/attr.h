/*
 * attr.h - what the base commit's own rules say of a path: attributes and ignores.
 * Both are read from trees, never from a working directory an agent could write; plus the user's info/exclude,
 * core.excludesFile and info/attributes as git would.
 *
 * Memory: rules_free() accepts NULL.
 */
#ifndef GIT_ATTR_H
#define GIT_ATTR_H

#include "git/repo.h"

struct rules;	/* the rules of one tree, loaded on demand */

int rules_open(struct repo *repo, const struct oid *tree, struct rules **ret, struct err *err);
void rules_free(struct rules *rules);

/* gitignore(5): is this path (of a file, or of a directory) ignored? Parents are considered. */
int rules_ignored(struct rules *rules, const char *path, bool is_dir, bool *ret, struct err *err);
/* Bytes as found in a working directory to bytes as git would store them (text, eol, crlf, ident by the tree's attributes and core.autocrlf).
 * *ret_refused names the attribute ("filter", "working-tree-encoding") that makes a change of this path a violation, or NULL (static text). */
int rules_clean(struct rules *rules, const char *path, const void *ptr, size_t len, struct str *ret,
		const char **ret_refused, struct err *err);
/* Does git write a file of this path exactly as it is stored? Said of attributes and settings, not of bytes: "no" where it may be otherwise. */
int rules_plain(struct rules *rules, const char *path, bool *ret, struct err *err);

#endif
