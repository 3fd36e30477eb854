/* The pool of a campaign: its place, its lock, its slots. */
#include "run/ground.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "run/remove.h"
#include "run/task.h"

#define PATIENCE (10 * NS_PER_S)	/* a killed harness's supervisors need less to end their trees */

/* ---- place ---- */

static char *home_path(const char *rest, struct err *err)
{
	const char *home = getenv("HOME");

	if (home && *home == '/')
		return path_join(home, rest);
	err_set(err, ERR_NOT_FOUND, "no place for workspaces: HOME is not set");
	err_hint(err, "git config harness.workspaces <directory>");
	return NULL;
}

static char *base_dir(struct repo *repo, struct err *err)
{
	const char *set = repo_setting(repo, "harness.workspaces");
	const char *cache = getenv("XDG_CACHE_HOME");

	if (set && *set == '/')
		return xstrdup(set);
	if (set && starts_with(set, "~/"))
		return home_path(set + 2, err);
	if (set && *set) {
		err_set(err, ERR_INVALID, "harness.workspaces is '%s': neither absolute nor below ~/", set);
		return NULL;
	}
	if (cache && *cache == '/')
		return path_join(cache, "git-harness");
	return home_path(".cache/git-harness", err);
}

/* A readable name of the repository: for people who look what fills their disk. The hash makes it one. */
static void readable(const char *common, struct str *ret)
{
	AUTOFREE char *up = path_dirname(common);
	const char *name = !strcmp(path_basename(common), ".git") ? path_basename(up) : path_basename(common);

	for (size_t i = 0; i < 40 && name[i]; i++) {
		bool plain = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
			     (name[i] >= '0' && name[i] <= '9') || (i && strchr("._-", name[i]));

		str_putc(ret, plain ? name[i] : '_');
	}
}

int pool_place(struct repo *repo, const char *campaign, char **ret, struct err *err)
{
	const char *common = repo_common_dir(repo);
	AUTOFREE char *base = base_dir(repo, err);
	AUTOFREE char *real = NULL;
	STR name = STR_INIT;
	struct oid hash;

	if (!base || io_mkdirs(base, 0700, err) < 0)
		return err->code;
	real = realpath(base, NULL);	/* as git writes it into its own files */
	if (!real)
		return err_errno(err, "cannot find '%s'", base);
	repo_hash_blob(common, strlen(common), &hash);
	readable(common, &name);
	*ret = xasprintf("%s/%s-%s-%.12s", real, name.buf, campaign, oid_hex(&hash).s);
	return 0;
}

/* ---- lock ---- */

/* Supervisors inherit it: as long as one of an earlier harness's lives, its processes may write in these directories. */
static int take_lock(struct pool *pool, struct err *err)
{
	AUTOFREE char *file = path_join(pool->dir, "lock");
	const struct timespec moment = { .tv_nsec = 5 * NS_PER_MS };
	int64_t until = clock_mono() + PATIENCE;

	pool->lock = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (pool->lock < 0)
		return err_errno(err, "cannot open '%s'", file);
	while (flock(pool->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(err, "cannot lock '%s'", file);
		if (clock_mono() > until)
			return err_set(err, ERR_LOCKED, "the workspaces in '%s' are in use", pool->dir);
		nanosleep(&moment, NULL);
	}
	task_hold(pool->lock);
	return 0;
}

/* ---- open and close ---- */

static int make_private(const char *dir, struct err *err)
{
	struct stat st;

	if (io_mkdirs(dir, 0700, err) < 0)
		return err->code;
	if (lstat(dir, &st) < 0)
		return err_errno(err, "cannot read '%s'", dir);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return err_set(err, ERR_REFUSED, "'%s' is not a directory of yours", dir);
	return 0;
}

/* Slots of a harness that was killed, half-removed ones among them. What `prepare` made stays. */
static int remove_leftovers(struct pool *pool, bool everything, struct err *err)
{
	CLEANUP(strs_free) struct strs names = { 0 };
	AUTOCLOSE int fd = open(pool->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? slot_forget_below(pool->repo, pool->dir, err) :
					 err_errno(err, "cannot open '%s'", pool->dir);
	if (dir_names(fd, &names, err) < 0)
		return err->code;
	for (size_t i = 0; i < names.n; i++) {
		/* What worktrees' runs could have written to is not believed. */
		bool stays = !strcmp(names.v[i], "lock") || !strcmp(names.v[i], "prepared") ||
			     (pool->ground && (!strcmp(names.v[i], "base") || !strcmp(names.v[i], "store")));

		if ((everything || !stays) && remove_tree(fd, names.v[i], 0, err) < 0)
			return err->code;
	}
	return slot_forget_below(pool->repo, pool->dir, err);
}

/*
 * git config harness.backend: overlay wherever it can be done here and with this checkout; worktree, which is also what auto means as long
 * as the rest of the jail is not there: half a wall should be asked for.
 */
static int choose_backend(struct pool *pool, const struct pool_spec *spec, struct err *err)
{
	const char *set = repo_setting(pool->repo, "harness.backend");
	struct err why;

	if (!set || str_eq(set, "auto"))
		pool->why = xstrdup("git config harness.backend does not ask for it");
	if (pool->why || str_eq(set, "worktree"))
		return 0;
	if (strcmp(set, "overlay"))
		return err_set(err, ERR_INVALID, "harness.backend is '%s': not auto, overlay or worktree", set);
	if (ground_open(pool, spec, &pool->ground, &why) >= 0)
		return 0;
	*err = why;
	err_wrap(err, "no overlay workspaces, though harness.backend asks for them");
	return err_hint(err, "git config harness.backend worktree");
}

static bool is_directory(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode);
}

static mode_t current_umask(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return mask;
}

int pool_open(struct repo *repo, const struct pool_spec *spec, struct pool **ret, struct err *err)
{
	struct pool *pool = xcalloc(1, sizeof(*pool));
	AUTOFREE char *prepared = NULL;

	pool->repo = repo;
	pool->lock = -1;
	pool->campaign = xstrdup(spec->campaign);
	pool->checkout = xstrdup(spec->checkout);
	pool->umask = current_umask();
	pool->file_mode = repo_setting_bool(repo, "core.filemode", true);
	if (pool_place(repo, spec->campaign, &pool->dir, err) < 0 || make_private(pool->dir, err) < 0 ||
	    take_lock(pool, err) < 0 || choose_backend(pool, spec, err) < 0 || remove_leftovers(pool, false, err) < 0 ||
	    include_check(spec, pool->ground != NULL, &pool->include, err) < 0) {
		pool_close(pool);
		return err->code;
	}
	prepared = path_join(pool->dir, "prepared");
	pool->prepared = is_directory(prepared);
	*ret = pool;
	return 0;
}

static void drop_slots(struct pool *pool)
{
	struct err ignored;

	for (size_t i = 0; i < pool->n; i++) {
		(void)slot_discard(pool->slots[i], &ignored);	/* else the next one that opens the pool does it */
		slot_free(pool->slots[i]);
	}
	free(pool->slots);
	pool->slots = NULL;
	pool->n = pool->alloc = 0;
}

void pool_close(struct pool *pool)
{
	if (!pool)
		return;
	drop_slots(pool);
	if (pool->lock >= 0) {
		task_hold(-1);
		close(pool->lock);
	}
	ground_free(pool->ground);
	strs_free(&pool->include);
	free(pool->why);
	free(pool->campaign);
	free(pool->checkout);
	free(pool->dir);
	free(pool);
}

int pool_remove(struct pool *pool, struct err *err)
{
	drop_slots(pool);
	pool->prepared = false;
	ground_free(pool->ground);	/* it goes with the rest */
	pool->ground = NULL;
	if (remove_leftovers(pool, true, err) < 0)
		return err->code;
	if (rmdir(pool->dir) < 0 && errno != ENOENT)
		return err_errno(err, "cannot remove '%s'", pool->dir);
	return 0;
}

const char *pool_backend(const struct pool *pool)
{
	return pool->ground ? "overlay" : "worktree";
}

const char *pool_why(const struct pool *pool)
{
	return pool->why;
}

bool pool_is_prepared(const struct pool *pool)
{
	return pool->prepared;
}
