/* One slot's worktree: made, checked, thrown away. */
#include "run/ground.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/cli.h"
#include "run/remove.h"

#define LINK_MAX 8192		/* bytes of a .git, gitdir or commondir file */

static void forget_content(struct workspace *ws)
{
	tracked_clear(&ws->tracked);
	mirror_clear(&ws->included);
	mirror_clear(&ws->prepared);
	rules_free(ws->rules);
	ws->rules = NULL;
	ws->known = false;
}

void slot_free(struct workspace *ws)
{
	if (!ws)
		return;
	forget_content(ws);
	if (ws->root >= 0)
		close(ws->root);
	str_free(&ws->config);
	free(ws->home);
	free(ws->dir);
	free(ws->tmp);
	free(ws->outside);
	free(ws->index);
	free(ws->admin);
	free(ws);
}

/* A small file of git's, without its newline; NULL where it is not a regular file of that kind. */
static char *read_line(int dirfd, const char *name)
{
	AUTOCLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	STR text = STR_INIT;
	struct stat st;
	struct err ignored;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || io_read_fd(fd, LINK_MAX, &text, &ignored) < 0)
		return NULL;
	while (text.len && text.buf[text.len - 1] == '\n')
		str_truncate(&text, text.len - 1);
	return str_detach(&text);
}

/* ---- made ---- */

static int find_admin(struct workspace *ws, struct err *err)
{
	AUTOFREE char *line = read_line(ws->root, ".git");
	const char *name = line && starts_with(line, "gitdir: ") ? path_basename(line) : NULL;

	if (!name || !*name)
		return err_set(err, ERR_GIT, "cannot find the git directory of worktree '%s'", ws->dir);
	free(ws->admin);
	ws->admin = xasprintf("%s/worktrees/%s", repo_common_dir(ws->pool->repo), name);
	return 0;
}

/*
 * With extensions.worktreeConfig git copies the checkout's own settings into the new worktree, sparse checkout among them; a
 * workspace is always whole.
 */
static int whole_config(struct workspace *ws, struct err *err)
{
	AUTOFREE char *file = path_join(ws->admin, "config.worktree");
	static const char *const off[] = { "core.sparseCheckout", "index.sparse" };

	str_clear(&ws->config);
	if (access(file, F_OK) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(off); i++) {
		const char *const args[] = { "config", "--file", file, off[i], "false", NULL };

		if (git_cli(&(struct git_run){ .dir = ws->home }, args, NULL, err) < 0)
			return err->code;
	}
	return io_read_file(file, 1 << 20, &ws->config, err);
}

static int add_worktree(struct workspace *ws, const struct oid *commit, struct err *err)
{
	struct oid_hex hex = oid_hex(commit);
	/* Relative links would switch on an extension in the user's configuration. */
	const char *const args[] = { "-c", "worktree.useRelativePaths=false", "worktree", "add", "--quiet", "--detach",
				     "--no-checkout", "--lock", "--", ws->dir, hex.s, NULL };
	const struct git_run run = { .dir = ws->home, .git_dir = repo_common_dir(ws->pool->repo) };
	struct stat st;

	if (git_cli(&run, args, NULL, err) < 0)
		return err->code;
	ws->root = open(ws->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ws->root < 0 || fstat(ws->root, &st) < 0)
		return err_errno(err, "cannot open '%s'", ws->dir);
	stat_key(&st, &ws->dir_key);
	if (find_admin(ws, err) < 0 || whole_config(ws, err) < 0)
		return err->code;
	if (fstatat(ws->root, ".git", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot read '%s/.git'", ws->dir);
	stat_key(&st, &ws->git_key);
	return 0;
}

int slot_make(struct workspace *ws, const struct oid *commit, struct err *err)
{
	if (io_mkdirs(ws->home, 0700, err) < 0)
		return err->code;
	if (add_worktree(ws, commit, err) < 0)
		return err_wrap(err, "cannot make a workspace");
	return 0;
}

/* ---- checked ---- */

static bool line_is(int dirfd, const char *name, const char *want)
{
	AUTOFREE char *line = read_line(dirfd, name);

	return str_eq(line, want);
}

bool slot_is_sound(const struct workspace *ws)
{
	AUTOFREE char *link = xasprintf("%s/.git", ws->dir);
	AUTOCLOSE int dir = open(ws->dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTOCLOSE int admin = open(ws->admin, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	struct stat_key now;

	if (dir < 0 || admin < 0 || fstat(dir, &st) < 0)
		return false;
	if ((int64_t)st.st_dev != ws->dir_key.dev || (int64_t)st.st_ino != ws->dir_key.ino)
		return false;
	if (fstatat(ws->root, ".git", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	stat_key(&st, &now);
	return stat_same(&now, &ws->git_key) && line_is(admin, "gitdir", link) && line_is(admin, "commondir", "../..");
}

/* ---- thrown away ---- */

int slot_discard(struct workspace *ws, struct err *err)
{
	if (ws->cover)
		cover_close(ws);
	forget_content(ws);
	if (ws->root >= 0)
		close(ws->root);
	ws->root = -1;
	if (remove_tree(AT_FDCWD, ws->home, 0, err) < 0)
		return err->code;
	if (ws->admin && remove_tree(AT_FDCWD, ws->admin, 0, err) < 0)
		return err->code;
	free(ws->admin);
	ws->admin = NULL;
	return 0;
}

int slot_forget_below(struct repo *repo, const char *dir, struct err *err)
{
	CLEANUP(strs_free) struct strs names = { 0 };
	AUTOFREE char *path = path_join(repo_common_dir(repo), "worktrees");
	AUTOCLOSE int all = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (all < 0)
		return errno == ENOENT ? 0 : err_errno(err, "cannot open '%s'", path);
	if (dir_names(all, &names, err) < 0)
		return err->code;
	for (size_t i = 0; i < names.n; i++) {
		AUTOFREE char *file = path_join(names.v[i], "gitdir");
		AUTOFREE char *link = read_line(all, file);

		if (link && path_is_within(link, dir) && remove_tree(all, names.v[i], 0, err) < 0)
			return err->code;
	}
	return 0;
}
