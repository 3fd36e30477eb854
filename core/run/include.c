/* What `workspace.include` may name: untracked paths of the checkout that do not lead back into it. */
#include "run/slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/cli.h"

#define POINTER_MAX ((size_t)1 << 20)

struct checking {
	const char *checkout;
	char *real;		/* without links; programs write either */
	int root;
	const char *include;	/* being looked at */
	bool same_path;		/* what points at the checkout will mean the workspace */
};

static void checking_clear(struct checking *c)
{
	free(c->real);
	if (c->root >= 0)
		close(c->root);
}

/* Followed by the path's end or what cannot go on a name: /a/repo is not in /a/repository. */
static bool names_path(const char *text, size_t len, const char *path)
{
	size_t n = strlen(path);
	const char *at = text;

	while ((at = memmem(at, len - (size_t)(at - text), path, n))) {
		const char *end = at + n;

		if (end == text + len || strchr("/\n\r\"';: \t", *end))
			return true;
		at = end;
	}
	return false;
}

static bool may_point(const char *name)
{
	return ends_with(name, ".pth") || !strcmp(name, "direct_url.json") || !strcmp(name, "CMakeCache.txt");
}

static int points_back(const struct checking *c, const char *path, struct err *err)
{
	if (c->same_path)
		return WALK_SKIP;
	err_set(err, ERR_REFUSED, "cannot include '%s': '%s' points back at the checkout", c->include, path);
	return err_hint(err, "a run would measure the checkout, not its workspace; make it in workspace.prepare instead");
}

static int check_link(struct checking *c, const struct walk_entry *e, struct err *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->dirfd, e->name, target, sizeof(target) - 1);

	if (n < 0)
		return err_errno(err, "cannot read link '%s'", e->path);
	target[n] = '\0';
	if (path_is_within(target, c->checkout) || path_is_within(target, c->real))
		return points_back(c, e->path, err);
	return WALK_SKIP;
}

static int check_file(struct checking *c, const struct walk_entry *e, struct err *err)
{
	AUTOCLOSE int fd = openat(e->dirfd, e->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	STR text = STR_INIT;
	struct err ignored;

	if (fd < 0 || io_read_fd(fd, POINTER_MAX, &text, &ignored) < 0)
		return WALK_SKIP;
	if (names_path(text.buf, text.len, c->checkout) || names_path(text.buf, text.len, c->real))
		return points_back(c, e->path, err);
	return WALK_SKIP;
}

static int check_entry(void *data, const struct walk_entry *e, struct err *err)
{
	struct checking *c = data;

	if (e->type == DT_DIR)
		return WALK_ENTER;
	if (e->type == DT_LNK)
		return check_link(c, e, err);
	return e->type == DT_REG && may_point(e->name) ? check_file(c, e, err) : WALK_SKIP;
}

static int check_tracked(struct checking *c, struct err *err)
{
	const char *const env[] = { "GIT_LITERAL_PATHSPECS=1", NULL };
	const char *const args[] = { "ls-files", "-z", "--", c->include, NULL };
	STR out = STR_INIT;

	if (git_cli(&(struct git_run){ .dir = c->checkout, .env = env }, args, &out, err) < 0)
		return err->code;
	if (!out.len)
		return 0;
	err_set(err, ERR_REFUSED, "cannot include '%s': '%s' is tracked", c->include, out.buf);
	return err_hint(err, "tracked files are in every workspace already");
}

static int check_one(struct checking *c, struct err *err)
{
	const char *name;
	AUTOCLOSE int parent = dir_open_parent(c->root, c->include, AS_IS, &name);
	struct walk_entry e = { .path = c->include, .dirfd = parent, .name = name };
	struct stat st;
	int ret;

	if (parent < 0)
		return err_set(err, ERR_REFUSED, "cannot include '%s': it is not there, or leaves the checkout by a link",
			       c->include);
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(err, ERR_REFUSED, "cannot include '%s': it is not there", c->include);
	if (S_ISLNK(st.st_mode)) {
		err_set(err, ERR_REFUSED, "cannot include '%s': it is a link, and leaves the checkout", c->include);
		return err_hint(err, "workspace.read names places outside that a run may read");
	}
	if (check_tracked(c, err) < 0)
		return err->code;
	e.type = (unsigned char)IFTODT(st.st_mode);
	ret = check_entry(c, &e, err);
	return ret == WALK_ENTER ? walk(c->root, c->include, AS_IS, check_entry, c, NULL, err) : ret;
}

/* "a/b" is there already when "a" is included. */
static bool is_covered(const struct strs *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (path_is_within(path, l->v[i]))
			return true;
	return false;
}

static int canonical(const struct pool_spec *spec, struct strs *ret, struct err *err)
{
	CLEANUP(strs_free) struct strs all = { 0 };

	for (size_t i = 0; i < spec->include->n; i++) {
		const char *path = spec->include->v[i];
		size_t len = strlen(path);

		while (len > 1 && path[len - 1] == '/')
			len--;
		strs_take(&all, xstrndup(path, len));
		if (!path_is_canonical(all.v[i]) || path_is_within(all.v[i], ".git"))
			return err_set(err, ERR_REFUSED, "cannot include '%s': not a path of the checkout", path);
	}
	strs_sort(&all);	/* a directory before what is in it */
	for (size_t i = 0; i < all.n; i++)
		if (!is_covered(ret, all.v[i]))
			strs_add(ret, all.v[i]);
	return 0;
}

int include_check(const struct pool_spec *spec, bool same_path, struct strs *ret, struct err *err)
{
	CLEANUP(checking_clear) struct checking c = { .checkout = spec->checkout, .root = -1, .same_path = same_path };

	if (!spec->include || !spec->include->n)
		return 0;
	if (!spec->checkout)
		return err_set(err, ERR_REFUSED, "cannot include '%s': a bare repository has no checkout",
			       spec->include->v[0]);
	c.root = open(spec->checkout, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	c.real = realpath(spec->checkout, NULL);
	if (c.root < 0 || !c.real)
		return err_errno(err, "cannot open '%s'", spec->checkout);
	if (canonical(spec, ret, err) < 0)
		return err->code;
	for (size_t i = 0; i < ret->n; i++) {
		c.include = ret->v[i];
		if (check_one(&c, err) < 0)
			return err->code;
	}
	return 0;
}
