/*
 * git harness gc - remove dead workspaces and expired data.
 * A workspace is dead when neither its campaign's lock nor its pool's is held; it is removed unless something was written in it since its
 * checkout. Nothing in it is run or believed: no git looks into it. What is recorded lies in the repository and is not touched.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cmd/cmd.h"
#include "git/cli.h"
#include "ledger/journal.h"
#include "ledger/lock.h"
#include "ledger/names.h"
#include "run/dir.h"
#include "run/remove.h"
#include "run/slot.h"

struct sweep {
	struct repo *repo;
	const char *campaign;
	struct strs worktrees;	/* every one that git lists */
	int removed, kept;
};

static int names_in(const char *path, struct strs *ret, struct err *err)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	if (!dir)
		return errno == ENOENT ? 0 : err_errno(err, "cannot read '%s'", path);
	while ((d = readdir(dir))) {
		if (d->d_name[0] != '.')
			strs_add(ret, d->d_name);
	}
	closedir(dir);
	strs_sort(ret);
	return 0;
}

/* ---- was anything written since the checkout? ---- */

struct since {
	struct timespec checkout;
	bool written;
};

static void look(struct since *s, const struct stat *st)
{
	if (st->st_mtim.tv_sec > s->checkout.tv_sec ||
	    (st->st_mtim.tv_sec == s->checkout.tv_sec && st->st_mtim.tv_nsec > s->checkout.tv_nsec))
		s->written = true;
}

static int look_at(void *data, const struct walk_entry *e, struct err *err)
{
	struct since *s = data;
	struct stat st;

	(void)err;
	if (fstatat(e->dirfd, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		s->written = true;
	else
		look(s, &st);
	if (s->written)
		return WALK_STOP;
	return e->type == DT_DIR ? WALK_ENTER : WALK_SKIP;
}

/* The index is written last by a checkout; what cannot be looked at counts as written. */
static bool is_dirty(const char *home, const char *worktree)
{
	AUTOFREE char *index = path_join(home, "index");
	AUTOCLOSE int root = open(worktree, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct since s = { .written = false };
	const char *over = NULL;
	struct err ignored;
	struct stat st;

	if (root < 0)
		return errno != ENOENT;
	if (lstat(index, &st) < 0)
		return true;
	s.checkout = st.st_mtim;
	if (fstat(root, &st) == 0)
		look(&s, &st);
	return s.written || walk(root, "", AS_IS, look_at, &s, &over, &ignored) < 0 || s.written || over;
}

/* ---- workspaces ---- */

static int list_worktrees(struct sweep *s, struct err *err)
{
	const char *const args[] = { "worktree", "list", "--porcelain", NULL };
	STR text = STR_INIT;

	if (git_cli(&(struct git_run){ .git_dir = repo_common_dir(s->repo) }, args, &text, err) < 0)
		return err->code;
	for (size_t at = 0; at < text.len;) {
		size_t len = strcspn(text.buf + at, "\n");

		if (starts_with(text.buf + at, "worktree "))
			strs_take(&s->worktrees, xstrndup(text.buf + at + strlen("worktree "), len - strlen("worktree ")));
		at += len + 1;
	}
	return 0;
}

/* The directory first: git then only forgets a worktree that is gone. */
static int remove_slot(struct sweep *s, const char *home, const char *worktree, struct err *err)
{
	const char *const args[] = { "worktree", "remove", "--force", "--force", "--", worktree, NULL };

	if (remove_tree(AT_FDCWD, home, 0, err) < 0)
		return err->code;
	if (worktree && git_cli(&(struct git_run){ .git_dir = repo_common_dir(s->repo) }, args, NULL, err) < 0)
		return err->code;
	s->removed++;
	printf("removed %s\n", home);
	return 0;
}

static const char *worktree_in(const struct sweep *s, const char *home)
{
	for (size_t i = 0; i < s->worktrees.n; i++) {
		if (path_is_within(s->worktrees.v[i], home))
			return s->worktrees.v[i];
	}
	return NULL;
}

static int sweep_slot(struct sweep *s, const char *home, struct err *err)
{
	const char *worktree = worktree_in(s, home);

	if (!worktree || !is_dirty(home, worktree))
		return remove_slot(s, home, worktree, err);
	s->kept++;
	printf("kept %s: it was written in since its checkout (git harness resume -c %s cleans it)\n", worktree, s->campaign);
	return 0;
}

/* Worktrees of a pool whose directory is gone, but which git still lists. */
static int forget_lost(struct sweep *s, const char *pool, struct err *err)
{
	for (size_t i = 0; i < s->worktrees.n; i++) {
		AUTOFREE char *home = path_dirname(s->worktrees.v[i]);

		if (!path_is_within(s->worktrees.v[i], pool) || access(s->worktrees.v[i], F_OK) == 0)
			continue;
		if (remove_slot(s, home, s->worktrees.v[i], err) < 0)
			return err->code;
	}
	return 0;
}

/* Supervisors of a killed loop hold the pool's lock until their processes have ended. */
static int lock_pool(const char *pool, int *ret, struct err *err)
{
	AUTOFREE char *file = path_join(pool, "lock");

	*ret = open(file, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (*ret < 0)
		return errno == ENOENT ? 0 : err_errno(err, "cannot open '%s'", file);
	if (flock(*ret, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, ERR_LOCKED, "processes still run in '%s'", pool);
	return 0;
}

static int sweep_pool(struct sweep *s, struct err *err)
{
	CLEANUP(strs_free) struct strs names = { 0 };
	AUTOFREE char *pool = NULL;
	AUTOCLOSE int lock = -1;

	if (pool_place(s->repo, s->campaign, &pool, err) < 0 || lock_pool(pool, &lock, err) < 0 || names_in(pool, &names, err) < 0)
		return err->code;
	if (forget_lost(s, pool, err) < 0)
		return err->code;
	for (size_t i = 0; i < names.n; i++) {
		AUTOFREE char *home = path_join(pool, names.v[i]);

		if (strspn(names.v[i], "0123456789") != strlen(names.v[i]) || access(home, F_OK) < 0)
			continue;
		if (sweep_slot(s, home, err) < 0)
			return err->code;
	}
	return 0;
}

/* ---- state ---- */

static void journal_drop(struct journal **j)
{
	journal_close(*j);
}

/* Answers nobody fetched; what a replay that was killed left; logs of an experiment that the journal no longer knows. */
static int sweep_state(const char *state_dir, struct err *err)
{
	CLEANUP(journal_drop) struct journal *j = NULL;
	CLEANUP(events_free) struct events lines = { 0 };
	AUTOFREE char *journal = path_join(state_dir, "journal");
	AUTOFREE char *open_dir = path_join(state_dir, "open");
	AUTOFREE char *replay_dir = path_join(state_dir, "replay");
	int fd = inbox_watch(state_dir, err);

	if (fd < 0)
		return err->code;
	close(fd);
	if (remove_tree(AT_FDCWD, replay_dir, 0, err) < 0)
		return err->code;
	if (access(journal, F_OK) < 0)
		return 0;
	if (journal_open(journal, &j, &lines, err) < 0)
		return err->code;
	return lines.n ? 0 : remove_tree(AT_FDCWD, open_dir, 0, err);
}

static void drop_lock(struct lock **lock)
{
	lock_free(*lock);
}

static int sweep_campaign(struct sweep *s, struct err *err)
{
	AUTOFREE char *state_dir = name_state_dir(s->repo, s->campaign);
	CLEANUP(drop_lock) struct lock *lock = NULL;

	if (lock_take(state_dir, "git harness gc", &lock, err) == 0 && sweep_pool(s, err) == 0)
		return sweep_state(state_dir, err);
	if (err->code != ERR_LOCKED)
		return err_wrap(err, "campaign '%s'", s->campaign);
	printf("campaign '%s' is in use and left as it is\n", s->campaign);
	return 0;
}

static int run(struct cmd_ctx *ctx, struct err *err)
{
	CLEANUP(strs_free) struct strs campaigns = { 0 };
	AUTOFREE char *dir = path_join(repo_state_dir(ctx->repo), "campaigns");
	struct sweep s = { .repo = ctx->repo };
	int rc = names_in(dir, &campaigns, err);

	if (rc >= 0)
		rc = list_worktrees(&s, err);
	for (size_t i = 0; rc >= 0 && i < campaigns.n; i++) {
		s.campaign = campaigns.v[i];
		rc = sweep_campaign(&s, err);
	}
	strs_free(&s.worktrees);
	if (rc >= 0 && !s.removed && !s.kept && !ctx->quiet)
		printf("nothing to remove\n");
	return rc;
}

const struct cmd cmd_gc = {
	.name = "gc",
	.args = "",
	.summary = "remove dead workspaces and expired data",
	.about = "Of every campaign that does not run. Never a workspace in which something was written, never a recorded object.",
	.needs = CMD_REPO,
	.run = run,
};
