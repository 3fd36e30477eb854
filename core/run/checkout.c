/*
 * A slot brought to a commit. git writes the files, by an index of ours; whether they are still what git wrote is judged by our own
 * stat (slot_clean), because everything git would judge by lies where a run can write.
 */
#include "run/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/cli.h"
#include "run/remove.h"

static bool is_kept(const struct workspace *ws, const char *name)
{
	static const char *const always[] = { "gitdir", "commondir", "locked", "HEAD" };

	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (!strcmp(name, always[i]))
			return true;
	return ws->config.len && !strcmp(name, "config.worktree");
}

static int write_admin(struct workspace *ws, const char *name, const char *text, size_t len, struct err *err)
{
	AUTOFREE char *file = path_join(ws->admin, name);

	return io_replace(file, text, len, 0666, 0, err);
}

/* Merges, rebases, bisections, logs, sparse patterns, an index: whatever a run's git began in here is over. */
static int reset_admin(struct workspace *ws, const struct oid *commit, struct err *err)
{
	CLEANUP(strs_free) struct strs names = { 0 };
	AUTOCLOSE int fd = open(ws->admin, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTOFREE char *head = xasprintf("%s\n", oid_hex(commit).s);

	if (fd < 0)
		return err_errno(err, "cannot open '%s'", ws->admin);
	if (dir_names(fd, &names, err) < 0)
		return err->code;
	for (size_t i = 0; i < names.n; i++)
		if (!is_kept(ws, names.v[i]) && remove_tree(fd, names.v[i], 0, err) < 0)
			return err->code;
	if (ws->config.len && write_admin(ws, "config.worktree", ws->config.buf, ws->config.len, err) < 0)
		return err->code;
	return write_admin(ws, "HEAD", head, strlen(head), err);
}

static void key_of(const char *path, struct stat_key *ret)
{
	struct stat st;

	*ret = (struct stat_key){ 0 };
	if (!lstat(path, &st))
		stat_key(&st, ret);
}

/* An index that is not the one git left for us is not asked; without one, git writes every file. */
static int trust_index(struct workspace *ws, bool *ret_whole, struct err *err)
{
	struct stat_key now;
	AUTOFREE char *lock = xasprintf("%s.lock", ws->index);

	if (unlink(lock) < 0 && errno != ENOENT)
		return err_errno(err, "cannot remove '%s'", lock);
	key_of(ws->index, &now);
	if (ws->known && now.mode && stat_same(&now, &ws->index_key))
		return 0;
	*ret_whole = ws->dirty = true;
	for (size_t i = 0; i < ws->tracked.n; i++)
		tracked_forget(&ws->tracked.v[i]);
	if (unlink(ws->index) < 0 && errno != ENOENT)
		return err_errno(err, "cannot remove '%s'", ws->index);
	return 0;
}

static int run_git(struct workspace *ws, const char *const *command, const struct str *in, struct err *err)
{
	static const char *const settings[] = {
		"core.sparseCheckout=false", "index.sparse=false", "core.splitIndex=false", "core.untrackedCache=false",
		"core.trustctime=true", "core.checkStat=default", "core.ignoreStat=false", "core.symlinks=true",
	};
	AUTOFREE char *git_dir = xasprintf("GIT_DIR=%s", ws->admin);
	AUTOFREE char *common = xasprintf("GIT_COMMON_DIR=%s", repo_common_dir(ws->pool->repo));
	AUTOFREE char *work_tree = xasprintf("GIT_WORK_TREE=%s", ws->dir);
	AUTOFREE char *index = xasprintf("GIT_INDEX_FILE=%s", ws->index);
	const char *const env[] = { git_dir, common, work_tree, index, NULL };
	const struct git_run run = { .dir = ws->dir, .env = env, .in = in ? in->buf : NULL, .in_len = in ? in->len : 0 };
	CLEANUP(strs_free) struct strs args = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		strs_add(&args, "-c");
		strs_add(&args, settings[i]);
	}
	for (; *command; command++)
		strs_add(&args, *command);
	return git_cli(&run, (const char *const *)args.v, NULL, err);
}

/* Another tree, or nothing to go by: git compares every file. */
static int write_tree(struct workspace *ws, const struct oid *tree, struct err *err)
{
	struct oid_hex hex = oid_hex(tree);

	return run_git(ws, (const char *const[]){ "read-tree", "--reset", "-u", hex.s, NULL }, NULL, err);
}

/* The tree that is there already, but for what slot_clean removed: an eighth of the time. */
static int write_missing(struct workspace *ws, struct err *err)
{
	STR list = STR_MAX((size_t)1 << 30);

	for (size_t i = 0; i < ws->tracked.n; i++)
		if (!ws->tracked.v[i].key.mode)
			str_add(&list, ws->tracked.v[i].path, strlen(ws->tracked.v[i].path) + 1);
	return run_git(ws, (const char *const[]){ "checkout-index", "-u", "-f", "-q", "-z", "--stdin", NULL }, &list, err);
}

/* The run's own git gets a copy of the index, so that its status is quick; with its time, by which git knows racy entries. */
static int give_index(struct workspace *ws, struct err *err)
{
	AUTOFREE char *copy = path_join(ws->admin, "index");
	struct stat st;

	if (lstat(ws->index, &st) < 0)
		return err_errno(err, "cannot read '%s'", ws->index);
	if (remove_tree(AT_FDCWD, copy, 0, err) < 0)
		return err->code;
	return file_copy(AT_FDCWD, ws->index, &st, AS_IS, AT_FDCWD, copy, st.st_mode & 0777, err);
}

static int empty(struct workspace *ws, struct err *err)
{
	CLEANUP(strs_free) struct strs names = { 0 };

	if (dir_names(ws->root, &names, err) < 0)
		return err->code;
	for (size_t i = 0; i < names.n; i++)
		if (strcmp(names.v[i], ".git") && remove_tree(ws->root, names.v[i], 0, err) < 0)
			return err->code;
	for (size_t i = 0; i < ws->tracked.n; i++)
		tracked_forget(&ws->tracked.v[i]);
	mirror_clear(&ws->included);
	mirror_clear(&ws->prepared);
	ws->known = false;
	return 0;
}

static int load(struct workspace *ws, const struct oid *tree, bool *ret_whole, struct err *err)
{
	bool rules;

	if (!ws->tracked.loaded || !oid_eq(&ws->tracked.tree, tree)) {
		*ret_whole = ws->dirty = true;
		rules_free(ws->rules);
		ws->rules = NULL;
	}
	if (tracked_load(&ws->tracked, ws->pool->repo, tree, &rules, err) < 0)
		return err->code;
	return rules ? empty(ws, err) : 0;	/* equal blobs may be other files under other attributes */
}

static int write_files(struct workspace *ws, const struct oid *tree, bool whole, struct err *err)
{
	ws->known = false;
	if ((whole ? write_tree(ws, tree, err) : write_missing(ws, err)) < 0)
		return err->code;
	if (tracked_remember(&ws->tracked, ws->root, err) < 0)
		return err->code;
	key_of(ws->index, &ws->index_key);
	ws->known = true;
	ws->dirty = false;
	return 0;
}

int slot_check_out(struct workspace *ws, const struct oid *commit, const struct oid *tree, struct err *err)
{
	bool whole = false;

	if (reset_admin(ws, commit, err) < 0)
		return err->code;
	if (!ws->known && empty(ws, err) < 0)
		return err->code;
	if (load(ws, tree, &whole, err) < 0 || trust_index(ws, &whole, err) < 0)
		return err->code;
	if (ws->dirty && write_files(ws, tree, whole, err) < 0)
		return err->code;
	return give_index(ws, err);
}
