/*
 * internal.h - what the files of core/git share and nobody else sees: the repository's insides and libgit2's types.
 */
#ifndef GIT_INTERNAL_H
#define GIT_INTERNAL_H

#include <git2.h>
#include <string.h>

#include "base/mem.h"
#include "git/repo.h"
#include "git/tree.h"

struct setting {
	char *key;
	char *value;
	size_t nth;		/* order in which git told it: the last one wins */
};

struct repo {
	git_repository *git;
	git_odb *odb;
	char *common_dir, *git_dir, *work_dir, *prefix, *state_dir;
	bool keep_env;		/* the user typed this command: his GIT_* count for settings and identity */
	struct setting *settings;
	size_t n_settings;
	bool have_settings;
	struct ident ident;	/* name and mail, asked once */
	char *note_ref;
};

/* libgit2, once a process, closed to the outside. */
int lib_init(struct err *err);
/* libgit2's last error as ours; rc is what it returned. Returns err->code. */
int lib_fail(struct err *err, int rc, const char *fmt, ...) PRINTF(3, 4);

char *without_slash(const char *path);	/* NULL gives NULL */

static inline git_oid to_git(const struct oid *oid)
{
	git_oid ret = { { 0 } };

	memcpy(ret.id, oid->raw, sizeof(ret.id));
	return ret;
}

static inline struct oid from_git(const git_oid *oid)
{
	struct oid ret;

	memcpy(ret.raw, oid->id, sizeof(ret.raw));
	return ret;
}

/* An object's bytes. `object` is released with object_drop(). */
struct object {
	git_odb_object *odb;
	const char *ptr;
	size_t len;
	git_object_t type;
};
int object_read(struct repo *repo, const struct oid *id, git_object_t type, struct object *ret, struct err *err);
void object_drop(struct object *object);
int object_write(struct repo *repo, git_object_t type, const void *ptr, size_t len, struct oid *ret, struct err *err);

/* One step at a time through a tree object. An id of zero is the empty tree. Names are checked: no '/', "", "." or "..". */
struct tree_iter {
	struct object object;
	const char *at, *end;
	const char *name;	/* NUL-terminated in the object itself */
	size_t name_len;
	struct tree_entry entry;
};
int tree_iter_open(struct repo *repo, const struct oid *tree, struct tree_iter *ret, struct err *err);
/* 1: name and entry are the next one's; 0: that was the last. */
int tree_iter_next(struct tree_iter *it, struct err *err);
void tree_iter_close(struct tree_iter *it);
bool tree_is_mode(uint32_t mode);
void tree_raw_add(struct str *raw, uint32_t mode, const char *name, size_t len, const struct oid *id);
/* git's order of names in a tree: a directory sorts as if it ended in '/'. */
int tree_name_cmp(const char *a, size_t a_len, bool a_dir, const char *b, size_t b_len, bool b_dir);

#define TREE_DEPTH 1024		/* deeper trees are somebody's attack on our stack */
#define TREE_DIR 040000u
#define TREE_LINK 0120000u
#define TREE_GITLINK 0160000u

#endif
