/*
 * tree_text.c - trees as people see them: lines counted, differences shown, patches applied.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "git/cli.h"
#include "git/internal.h"

#define EMPTY_TREE "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
#define BINARY_PROBE ((size_t)8000)	/* as far as git looks for a NUL */

static int count_line(const git_diff_delta *delta, const git_diff_hunk *hunk, const git_diff_line *line, void *data)
{
	struct tree_lines *lines = data;

	(void)delta;
	(void)hunk;
	lines->added += line->origin == GIT_DIFF_LINE_ADDITION;
	lines->deleted += line->origin == GIT_DIFF_LINE_DELETION;
	return 0;
}

static bool binary(const struct object *o)
{
	return o->len && memchr(o->ptr, '\0', o->len < BINARY_PROBE ? o->len : BINARY_PROBE);
}

static int64_t lines_in(const struct object *o)
{
	int64_t n = o->len && o->ptr[o->len - 1] != '\n';

	for (const char *p = o->ptr, *end = p + o->len; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		n++;
	return n;
}

static int load(struct repo *repo, const struct tree_entry *e, struct object *ret, struct err *err)
{
	if ((e->mode & 0170000u) != 0100000u)
		return 0;
	return object_read(repo, &e->id, GIT_OBJECT_BLOB, ret, err);
}

static int count_change(struct repo *repo, const struct tree_change *c, struct tree_lines *ret, struct err *err)
{
	CLEANUP(object_drop) struct object old = { 0 };
	CLEANUP(object_drop) struct object new = { 0 };
	git_diff_options opts;
	int rc = 0;

	if (load(repo, &c->old, &old, err) < 0 || load(repo, &c->new, &new, err) < 0)
		return err->code;
	ret->bytes += (int64_t)new.len;
	if (binary(&old) || binary(&new) || (old.odb && new.odb && oid_eq(&c->old.id, &c->new.id)))
		return 0;
	if (!old.len || !new.len) {
		ret->added += lines_in(&new);
		ret->deleted += lines_in(&old);
		return 0;
	}
	git_diff_options_init(&opts, GIT_DIFF_OPTIONS_VERSION);
	opts.context_lines = 0;
	rc = git_diff_buffers(old.ptr, old.len, NULL, new.ptr, new.len, NULL, &opts, NULL, NULL, NULL, count_line, ret);
	return rc < 0 ? lib_fail(err, rc, "cannot compare the two sides of '%s'", c->path) : 0;
}

int tree_count_lines(struct repo *repo, const struct tree_changes *changes, struct tree_lines *ret, struct err *err)
{
	struct tree_lines lines = { 0 };

	for (size_t i = 0; i < changes->n; i++)
		if (count_change(repo, &changes->v[i], &lines, err) < 0)
			return err->code;
	*ret = lines;
	return 0;
}

static const char *tree_name(const struct oid *tree, struct oid_hex *hex)
{
	*hex = oid_hex(tree);
	return oid_is_zero(tree) ? EMPTY_TREE : hex->s;
}

/* git's own diff, with all that would run a program switched off: renames and hunk headers as people know them. */
int tree_diff_text(struct repo *repo, const struct oid *old, const struct oid *new, struct str *ret, struct err *err)
{
	struct oid_hex a, b;
	const char *const args[] = { "-c", "core.quotePath=false", "diff-tree", "-r", "-p", "-M", "--no-ext-diff", "--no-textconv",
				     "--no-color", "--src-prefix=a/", "--dst-prefix=b/", tree_name(old, &a), tree_name(new, &b), "--", NULL };
	STR raw = STR_INIT;

	if (git_cli(&(struct git_run){ .git_dir = repo->git_dir }, args, &raw, err) < 0)
		return err->code;
	text_visible(raw.buf, raw.len, true, ret);
	return 0;
}

/* A private index in a directory of its own, gone with the scope. */
struct scratch {
	char *dir;
	char *env;	/* GIT_INDEX_FILE=<dir>/index */
};

static void scratch_free(struct scratch *s)
{
	static const char *const names[] = { "index", "index.lock" };

	for (size_t i = 0; s->dir && i < ARRAY_SIZE(names); i++) {
		AUTOFREE char *path = path_join(s->dir, names[i]);

		unlink(path);
	}
	if (s->dir)
		rmdir(s->dir);
	free(s->dir);
	free(s->env);
}

static int scratch_make(struct repo *repo, struct scratch *s, struct err *err)
{
	if (io_mkdirs(repo->state_dir, 0777, err) < 0)
		return err->code;
	s->dir = xasprintf("%s/apply-XXXXXX", repo->state_dir);
	if (!mkdtemp(s->dir)) {
		err_errno(err, "cannot make a directory in '%s'", repo->state_dir);
		free(s->dir);
		s->dir = NULL;
		return err->code;
	}
	s->env = xasprintf("GIT_INDEX_FILE=%s/index", s->dir);
	return 0;
}

/*
 * git's own apply on a private index. libgit2's knows no patch without "diff --git", and places hunks by rules of its own; which
 * of two equal places a hunk changes must not depend on who applies it.
 */
int tree_apply_patch(struct repo *repo, const struct oid *base, const void *patch, size_t len,
		     struct oid *ret, char **ret_why, struct err *err)
{
	struct oid_hex hex;
	const char *const whole = "core.splitIndex=false";
	const char *const read[] = { "-c", whole, "-c", "index.sparse=false", "read-tree", tree_name(base, &hex), NULL };
	const char *const apply[] = { "-c", whole, "-c", "apply.ignoreWhitespace=no", "-c", "apply.whitespace=nowarn",
				      "apply", "--cached", "--whitespace=nowarn", "-", NULL };
	const char *const write[] = { "-c", whole, "write-tree", NULL };
	CLEANUP(scratch_free) struct scratch s = { 0 };
	STR said = STR_INIT;
	STR out = STR_INIT;
	int status = 0;

	if (scratch_make(repo, &s, err) < 0)
		return err->code;
	const char *const env[] = { s.env, NULL };
	struct git_run run = { .dir = s.dir, .git_dir = repo->git_dir, .env = env };

	if (git_cli(&run, read, NULL, err) < 0)
		return err->code;
	run.in = len ? patch : "";
	run.in_len = len;
	run.ret_exit = &status;
	run.ret_err = &said;
	if (git_cli(&run, apply, NULL, err) < 0)
		return err->code;
	if (status) {
		STR why = STR_INIT;

		text_line(said.buf, said.len, 300, &why);
		*ret_why = str_detach(&why);
		return 0;
	}
	if (git_cli(&(struct git_run){ .dir = s.dir, .git_dir = repo->git_dir, .env = env }, write, &out, err) < 0)
		return err->code;
	if (!oid_parse(out.buf, ret))
		return err_set(err, ERR_GIT, "git write-tree gave no id");
	*ret_why = NULL;
	return 0;
}
