/* A commit's files and a git directory for them, made by git itself, then only looked at. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/cli.h"
#include "git/sealed.h"
#include "run/ground.h"
#include "run/remove.h"

#define FEW 2000

/* ---- files ---- */

static int run_git(const struct ground *g, const struct base *b, const char *const *command, struct err *err)
{
	AUTOFREE char *git_dir = xasprintf("GIT_DIR=%s", repo_common_dir(g->repo));
	AUTOFREE char *work_tree = xasprintf("GIT_WORK_TREE=%s/tree", b->dir);
	AUTOFREE char *index = xasprintf("GIT_INDEX_FILE=%s/git/index", b->dir);
	AUTOFREE char *dir = path_join(b->dir, "tree");
	const char *const env[] = { git_dir, work_tree, index, NULL };
	const char *args[32] = {
		"-c", "core.sparseCheckout=false", "-c", "index.sparse=false", "-c", "core.splitIndex=false",
		"-c", "core.untrackedCache=false", "-c", "core.trustctime=true", "-c",
		SANDBOX_INSIDE(geteuid()) == geteuid() ? "core.checkStat=default" : "core.checkStat=minimal",
		"-c", "core.ignoreStat=false", "-c", "core.symlinks=true", "-c", "index.version=2", "-c", "index.skipHash=false",
	};
	size_t n = 20;

	while (*command)
		args[n++] = *command++;
	return git_cli(&(struct git_run){ .dir = dir, .env = env }, args, NULL, err);
}

struct backdating {
	int root;
	struct timespec times[2];
};

static int backdate_one(void *data, const char *path, const struct tree_entry *entry, struct err *err)
{
	const struct backdating *d = data;

	(void)err;
	if (entry->mode != 0160000)
		(void)utimensat(d->root, path, d->times, AT_SYMLINK_NOFOLLOW);	/* a missing one is git's to complain about */
	return 0;
}

static int count_one(void *data, const char *path, const struct tree_entry *entry, struct err *err)
{
	(void)path;
	(void)entry;
	(void)err;
	return ++*(int *)data > FEW;
}

static void next_second(void)
{
	struct timespec now, left;

	clock_gettime(CLOCK_REALTIME, &now);
	left = (struct timespec){ .tv_nsec = 999999999 - now.tv_nsec };
	nanosleep(&left, NULL);
}

/*
 * As if they had been written a while ago: then the index is not racy, and no git of an experiment reads the whole tree again to be sure. Where
 * that is few files they may be read: it is quicker than waiting for the second to pass, within which git could not tell a change.
 */
static int backdate(const struct ground *g, const struct base *b, const struct oid *tree, struct err *err)
{
	AUTOFREE char *path = path_join(b->dir, "tree");
	AUTOCLOSE int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct timespec then = { .tv_sec = time(NULL) - 10 };
	struct backdating d = { root, { then, then } };
	int n = 0, few = tree_walk(g->repo, tree, count_one, &n, err);
	const char *const refresh[] = { "update-index", "-q", "--refresh", NULL };

	if (root < 0)
		return err_errno(err, "cannot open '%s'", path);
	if (few <= 0)
		return few;
	if (tree_walk(g->repo, tree, backdate_one, &d, err) < 0 || run_git(g, b, refresh, err) < 0)
		return err->code;
	next_second();
	return 0;
}

static int has_attributes(struct repo *repo, const struct oid *old, const struct oid *new, bool *ret, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };

	*ret = false;
	if (tree_compare(repo, old, new, &changes, err) < 0)
		return err->code;
	for (size_t i = 0; i < changes.n; i++)
		*ret |= !strcmp(path_basename(changes.v[i].path), ".gitattributes");
	return 0;
}

static int check_out(const struct ground *g, const struct base *b, const struct oid *tree, struct err *err)
{
	struct oid_hex hex = oid_hex(tree);
	const char *const read[] = { "read-tree", "--reset", "-u", hex.s, NULL };
	bool anew = oid_is_zero(&b->tree);
	AUTOFREE char *files = path_join(b->dir, "tree"), *git = path_join(b->dir, "git");

	/* Equal blobs may be other files under other attributes. */
	if (!anew && has_attributes(g->repo, &b->tree, tree, &anew, err) < 0)
		return err->code;
	if (anew && (remove_tree(AT_FDCWD, b->dir, 0, err) < 0 || io_mkdirs(b->dir, 0700, err) < 0 ||
		     io_mkdirs(git, 0755, err) < 0))
		return err->code;
	if (anew && mkdir(files, 0777) < 0)	/* by our umask, as git makes directories */
		return err_errno(err, "cannot make '%s'", files);
	if (run_git(g, b, read, err) < 0)
		return err->code;
	return anew ? backdate(g, b, tree, err) : 0;
}

/* ---- git directory ---- */

static int put(const struct base *b, const char *name, const struct str *text, struct err *err)
{
	AUTOFREE char *file = xasprintf("%s/git/%s", b->dir, name);

	return io_replace(file, text->buf, text->len, 0644, 0, err);
}

static void quote(struct str *ret, const char *value)
{
	str_putc(ret, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			str_putc(ret, '\\');
		if (*value == '\n')
			str_puts(ret, "\\n");
		else
			str_putc(ret, *value);
	}
	str_putc(ret, '"');
}

static void copy_setting(struct repo *repo, const char *key, const char *name, struct str *ret)
{
	const char *value = repo_setting(repo, key);

	if (!value)
		return;
	str_printf(ret, "\t%s = ", name);
	quote(ret, value);
	str_putc(ret, '\n');
}

/* What makes git read and write files as the user's does, and nothing that names a program, a remote or a secret. */
static void config(const struct ground *g, struct str *ret)
{
	str_puts(ret, "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tlogallrefupdates = true\n");
	copy_setting(g->repo, "core.filemode", "filemode", ret);
	copy_setting(g->repo, "core.ignorecase", "ignorecase", ret);
	copy_setting(g->repo, "core.precomposeunicode", "precomposeunicode", ret);
	copy_setting(g->repo, "core.autocrlf", "autocrlf", ret);
	copy_setting(g->repo, "core.eol", "eol", ret);
	copy_setting(g->repo, "core.safecrlf", "safecrlf", ret);
	copy_setting(g->repo, "core.quotepath", "quotepath", ret);
	str_puts(ret, "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[advice]\n\tdetachedHead = false\n[user]\n");
	copy_setting(g->repo, "user.name", "name", ret);
	copy_setting(g->repo, "user.email", "email", ret);
}

static void exclude(const struct ground *g, struct str *ret)
{
	AUTOFREE char *file = path_join(repo_common_dir(g->repo), "info/exclude");
	struct err ignored;

	(void)io_read_file(file, (size_t)1 << 20, ret, &ignored);
	if (ret->len && ret->buf[ret->len - 1] != '\n')
		str_putc(ret, '\n');
	for (size_t i = 0; i < g->pool->include.n; i++)
		str_printf(ret, "/%s\n", g->pool->include.v[i]);
}

static int shallow(const struct ground *g, const struct base *b, struct err *err)
{
	AUTOFREE char *file = path_join(repo_common_dir(g->repo), "shallow");
	STR text = STR_INIT;

	if (access(file, F_OK) < 0)
		return 0;
	return io_read_file(file, (size_t)16 << 20, &text, err) < 0 ? err->code : put(b, "shallow", &text, err);
}

static int furnish(const struct ground *g, const struct base *b, const struct oid *commit, struct err *err)
{
	static const char *const dirs[] = { "objects/info", "objects/pack", "refs/heads", "refs/tags", "hooks", "info",
					    "base-objects" };
	STR head = STR_INIT, settings = STR_INIT, refs = STR_INIT, excludes = STR_INIT, others = STR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		AUTOFREE char *dir = xasprintf("%s/git/%s", b->dir, dirs[i]);

		if (io_mkdirs(dir, 0755, err) < 0)
			return err->code;
	}
	str_printf(&head, "%s\n", oid_hex(commit).s);
	str_puts(&others, "../base-objects\n");
	config(g, &settings);
	exclude(g, &excludes);
	if (refs_behind(g->repo, commit, &refs, err) < 0 || shallow(g, b, err) < 0 || put(b, "HEAD", &head, err) < 0 ||
	    put(b, "config", &settings, err) < 0 || put(b, "packed-refs", &refs, err) < 0 ||
	    put(b, "info/exclude", &excludes, err) < 0 || put(b, "objects/info/alternates", &others, err) < 0)
		return err->code;
	return 0;
}

/* ---- bases ---- */

/* What the files would not be the same under. */
static char *stamp_text(const struct ground *g, const struct oid *commit, const struct oid *tree)
{
	const char *crlf = repo_setting(g->repo, "core.autocrlf"), *eol = repo_setting(g->repo, "core.eol");

	return xasprintf("%s %s %o %s %s\n", oid_hex(commit).s, oid_hex(tree).s, (unsigned)g->pool->umask, crlf ? crlf : "-",
			 eol ? eol : "-");
}

/* Root has another number inside; nobody else's files are read again for that. */
static int own_index(const struct base *b, struct err *err)
{
	AUTOFREE char *index = xasprintf("%s/git/index", b->dir);
	const struct index_owner owner = { SANDBOX_INSIDE(geteuid()), SANDBOX_INSIDE(getegid()) };

	return owner.uid == geteuid() && owner.gid == getegid() ? 0 : index_set_owner(index, &owner, err);
}

static int bring(struct ground *g, struct base *b, const struct oid *commit, const struct oid *tree, struct err *err)
{
	AUTOFREE char *stamp = path_join(b->dir, "stamp");
	AUTOFREE char *text = stamp_text(g, commit, tree);

	shared_index_free(b->index);
	b->index = NULL;
	if (unlink(stamp) < 0 && errno != ENOENT)
		return err_errno(err, "cannot remove '%s'", stamp);
	if (check_out(g, b, tree, err) < 0 || own_index(b, err) < 0 || furnish(g, b, commit, err) < 0) {
		b->commit = b->tree = (struct oid){ 0 };
		return err->code;
	}
	b->commit = *commit;
	b->tree = *tree;
	return io_replace(stamp, text, strlen(text), 0600, 0, err);
}

static struct base *base_new(struct ground *g)
{
	struct base *b = xcalloc(1, sizeof(*b));

	b->dir = xasprintf("%s/%zu", g->dir, g->n + 1);
	GROW(g->bases, g->n, g->alloc);
	g->bases[g->n++] = b;
	return b;
}

void base_find(struct ground *g)
{
	for (;;) {
		AUTOFREE char *file = xasprintf("%s/%zu/stamp", g->dir, g->n + 1);
		AUTOFREE char *want = NULL;
		STR text = STR_INIT;
		struct oid commit, tree;
		struct base *b;
		struct err ignored;

		if (io_read_file(file, 4096, &text, &ignored) < 0 || text.len < 2 * OID_HEX + 2)
			return;
		text.buf[OID_HEX] = text.buf[2 * OID_HEX + 1] = '\0';
		if (!oid_parse(text.buf, &commit) || !oid_parse(text.buf + OID_HEX + 1, &tree))
			return;
		text.buf[OID_HEX] = text.buf[2 * OID_HEX + 1] = ' ';
		b = base_new(g);
		want = stamp_text(g, &commit, &tree);
		if (!str_eq(want, text.buf))
			continue;
		b->commit = commit;
		b->tree = tree;
	}
}

/* The best one for the files as they are, else the best one to change. */
static struct base *choose(struct ground *g, const struct oid *commit, const struct oid *tree, bool plain)
{
	struct base *free_one = NULL;

	for (size_t i = 0; i < g->n; i++) {
		struct base *b = g->bases[i];

		if (oid_eq(&b->commit, commit) && (plain || oid_eq(&b->tree, tree)))
			return b;
		if (!b->users)
			free_one = b;
	}
	return free_one ? free_one : base_new(g);
}

/* git looks for it under a name made of its checksum. */
static int share_index(struct base *b, struct err *err)
{
	AUTOFREE char *index = xasprintf("%s/git/index", b->dir), *shared = NULL;
	char name[64];

	if (b->index)
		return 0;
	if (shared_index_open(index, &b->index, err) < 0)
		return err->code;
	shared_index_name(b->index, name);
	shared = xasprintf("%s/git/%s", b->dir, name);
	return link(index, shared) < 0 && errno != EEXIST ? err_errno(err, "cannot link '%s'", shared) : 0;
}

int base_take(struct ground *g, const struct oid *commit, const struct oid *tree, struct base **ret, bool *ret_delta, struct err *err)
{
	struct oid own;
	struct base *b;
	bool plain;

	if (tree_of_commit(g->repo, commit, &own, err) < 0 || delta_is_plain(g, &own, tree, &plain, err) < 0 ||
	    sealed_make(g->repo, g->store, commit, err) < 0 || sealed_add(g->repo, g->store, commit, err) < 0)
		return err->code;
	b = choose(g, commit, tree, plain);
	if (!oid_eq(&b->commit, commit) || (!plain && !oid_eq(&b->tree, tree)))
		if (bring(g, b, commit, plain ? &own : tree, err) < 0)
			return err_wrap(err, "cannot make the ground of a workspace");
	*ret_delta = !oid_eq(&b->tree, tree);
	if (*ret_delta && share_index(b, err) < 0)
		return err_wrap(err, "cannot make the ground of a workspace");
	*ret = b;
	b->users++;
	return 0;
}
