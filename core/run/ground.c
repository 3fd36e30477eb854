#include "run/ground.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/cli.h"
#include "git/sealed.h"
#include "run/remove.h"
#include "run/task.h"

#define SIZE_MAX_BYTES ((int64_t)512 << 20)
#define INODES 200000
#define FILE_MAX ((int64_t)64 << 20)	/* of an included file: it is copied into a layer */

/* ---- trying it out ---- */

enum { LOWER, QUOTA, UPPER, WORK, MERGED, N_TOLD = 2 };

static int lay_out_probe(const char *dir, struct err *err)
{
	AUTOFREE char *sub = path_join(dir, "lower/dir"), *file = path_join(dir, "lower/file"), *in = path_join(dir, "lower/dir/in");
	AUTOFREE char *quota = path_join(dir, "quota");

	if (io_mkdirs(sub, 0755, err) < 0 || io_mkdirs(quota, 0755, err) < 0 || io_replace(file, "x", 1, 0644, 0, err) < 0 ||
	    io_replace(in, "x", 1, 0644, 0, err) < 0)
		return err->code;
	return 0;
}

/* Deleting, replacing a directory, and what the layer then says of it: all that harvest goes by. */
static int try_overlay(int upper, int merged, struct err *err)
{
	struct stat st;
	char opaque = 0;
	AUTOCLOSE int dir = -1;

	if (unlinkat(merged, "file", 0) < 0 || unlinkat(merged, "dir/in", 0) < 0 || unlinkat(merged, "dir", AT_REMOVEDIR) < 0 ||
	    mkdirat(merged, "dir", 0755) < 0)
		return err_errno(err, "an overlay cannot be changed");
	if (fstatat(upper, "file", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev)
		return err_set(err, ERR_REFUSED, "an overlay does not tell what is deleted");
	dir = openat(upper, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || fgetxattr(dir, "user.overlay.opaque", &opaque, 1) != 1 || opaque != 'y')
		return err_set(err, ERR_REFUSED, "an overlay on tmpfs does not tell which directories are replaced");
	return 0;
}

static int probe_in(const char *dir, struct err *err)
{
	AUTOFREE char *lower = path_join(dir, "lower"), *quota = path_join(dir, "quota");
	const struct sandbox_op ops[] = {
		{ .kind = SANDBOX_MAP_IDS, .from = (int)geteuid(), .to = (int)getegid() },
		{ .kind = SANDBOX_PRIVATE },
		{ .kind = SANDBOX_OPEN, .path = lower, .to = LOWER },
		{ .kind = SANDBOX_TMPFS, .path = quota, .to = QUOTA, .size = 1 << 20, .inodes = 100 },
		{ .kind = SANDBOX_DIR, .path = "upper", .from = QUOTA, .to = UPPER },
		{ .kind = SANDBOX_DIR, .path = "work", .from = QUOTA, .to = WORK },
		{ .kind = SANDBOX_OVERLAY, .to = MERGED, .layers = { LOWER }, .n_layers = 1, .upper = UPPER, .work = WORK },
		{ .kind = SANDBOX_ATTACH, .from = MERGED, .path = quota },
		{ .kind = SANDBOX_TELL, .from = UPPER },
		{ .kind = SANDBOX_TELL, .from = MERGED },
	};
	CLEANUP(enclosure_clear) struct enclosure e = ENCLOSURE_NONE;
	const struct task_spec spec = { .command = "test ! -e dir/in", .dir = quota, .enclosure = &e, .output = -1 };
	int told[N_TOLD], code;
	struct task_end end;

	if (lay_out_probe(dir, err) < 0 || sandbox_build(ops, ARRAY_SIZE(ops), &e, told, N_TOLD, err) < 0)
		return err->code;
	code = try_overlay(told[0], told[1], err);
	close(told[0]);
	close(told[1]);
	if (code < 0 || task_run(&spec, &end, NULL, err) < 0)
		return err->code;
	return end.exit ? err_set(err, ERR_REFUSED, "a process in an overlay does not see it") : 0;
}

/* Does this machine do what is needed? */
static int probe(const char *dir, struct err *err)
{
	AUTOFREE char *place = path_join(dir, "probe");
	int code = probe_in(place, err);
	struct err ignored;

	(void)remove_tree(AT_FDCWD, place, 0, &ignored);
	return code;
}

/* ---- includes ---- */

static int place_include(const struct ground *g, const char *path, bool is_dir, struct err *err)
{
	AUTOFREE char *up = path_dirname(path);

	if (strcmp(up, ".") && dir_make(g->skel_fd, up, 0755, err) < 0)
		return err->code;
	return is_dir ? dir_make(g->skel_fd, path, 0755, err) : 0;
}

static int copy_include(struct ground *g, size_t i, int from, const char *name, const struct stat *st, struct err *err)
{
	const char *path = g->pool->include.v[i], *to_name;
	AUTOCLOSE int to = dir_open_parent(g->skel_fd, path, AS_IS, &to_name);
	struct stat_key now;

	stat_key(st, &now);
	if (stat_same(&now, &g->file_keys[i]))
		return 0;
	if (st->st_size > FILE_MAX)
		return err_set(err, ERR_LIMIT, "cannot include '%s': put a file of this size in a directory", path);
	if (to < 0)
		return err_errno(err, "cannot open the directory of '%s'", path);
	if (unlinkat(to, to_name, 0) < 0 && errno != ENOENT)
		return err_errno(err, "cannot remove '%s'", path);
	if (file_copy(from, name, st, AS_IS, to, to_name, st->st_mode & 0777, err) < 0)
		return err->code;
	g->file_keys[i] = now;
	return 0;
}

int ground_refresh(struct ground *g, struct err *err)
{
	const struct strs *include = &g->pool->include;
	AUTOCLOSE int root = -1;

	if (!include->n)
		return 0;
	if (!g->file_keys)
		g->file_keys = xcalloc(include->n, sizeof(*g->file_keys));
	root = open(g->pool->checkout, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_errno(err, "cannot open '%s'", g->pool->checkout);
	for (size_t i = 0; i < include->n; i++) {
		const char *name;
		AUTOCLOSE int fd = dir_open_parent(root, include->v[i], AS_IS, &name);
		struct stat st;

		if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_set(err, ERR_NOT_FOUND, "cannot include '%s': it is not there", include->v[i]);
		if (place_include(g, include->v[i], S_ISDIR(st.st_mode), err) < 0)
			return err->code;
		if (!S_ISDIR(st.st_mode) && copy_include(g, i, fd, name, &st, err) < 0)
			return err->code;
	}
	return 0;
}

/* ---- place ---- */

static char *real(const char *path)
{
	char *ret = realpath(path, NULL);

	return ret ? ret : xstrdup(path);
}

/* Where the repository can be reached besides at the mount: its common directory, its other worktrees. */
static int find_others(struct ground *g, struct err *err)
{
	const char *const args[] = { "worktree", "list", "--porcelain", NULL };
	AUTOFREE char *common = real(repo_common_dir(g->repo));
	STR out = STR_INIT;

	if (git_cli(&(struct git_run){ .git_dir = repo_common_dir(g->repo) }, args, &out, err) < 0)
		return err->code;
	if (!path_is_within(common, g->at))
		strs_add(&g->hide, common);
	for (char *save, *line = strtok_r(out.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		AUTOFREE char *path = starts_with(line, "worktree ") ? real(line + strlen("worktree ")) : NULL;

		/* The harness's own slots, and what the mount covers anyway. */
		if (path && !path_is_within(path, g->at) && !path_is_within(path, g->pool->dir) && !strs_has(&g->hide, path))
			strs_take(&g->hide, xstrdup(path));
	}
	return 0;
}

static int find_place(struct ground *g, struct err *err)
{
	struct pool *pool = g->pool;

	g->at = pool->checkout ? real(pool->checkout) : path_join(pool->dir, "work");
	if (!strcmp(g->at, "/"))
		return err_set(err, ERR_REFUSED, "the checkout is the root directory");
	if (pool->checkout && (path_is_within(pool->dir, g->at) || path_is_within(g->at, pool->dir)))
		return err_set(err, ERR_REFUSED, "the workspaces in '%s' and the checkout lie within each other", pool->dir);
	return find_others(g, err);
}

static int64_t default_size(void)
{
	struct sysinfo si;
	int64_t ram = sysinfo(&si) < 0 ? 0 : (int64_t)si.totalram * si.mem_unit;

	return ram && ram / 8 < SIZE_MAX_BYTES ? ram / 8 : SIZE_MAX_BYTES;
}

/* In memory all of it, so more than a quarter is not promised. */
static int set_size(struct ground *g, const struct pool_spec *spec, struct err *err)
{
	struct sysinfo si;

	g->inodes = INODES;
	g->size = spec->disk > 0 ? spec->disk : default_size();
	if (spec->disk > 0 && !sysinfo(&si) && spec->disk > (int64_t)si.totalram * si.mem_unit / 4)
		return err_set(err, ERR_REFUSED, "budget.disk is more than a quarter of the memory");
	return 0;
}

static int make_skel(struct ground *g, struct err *err)
{
	if (remove_tree(AT_FDCWD, g->skel, 0, err) < 0 || io_mkdirs(g->skel, 0755, err) < 0)
		return err->code;
	g->skel_fd = open(g->skel, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (g->skel_fd < 0)
		return err_errno(err, "cannot open '%s'", g->skel);
	/* The workspace's own directory has its mode from here. */
	if (fchmod(g->skel_fd, 0777 & ~g->pool->umask) < 0)
		return err_errno(err, "cannot change the mode of '%s'", g->skel);
	return dir_make(g->skel_fd, ".git", 0755, err);
}

int ground_open(struct pool *pool, const struct pool_spec *spec, struct ground **ret, struct err *err)
{
	struct ground *g = xcalloc(1, sizeof(*g));

	g->pool = pool;
	g->repo = pool->repo;
	g->dir = path_join(pool->dir, "base");
	g->skel = path_join(g->dir, "skel");
	g->prepared = path_join(pool->dir, "prepared");
	g->store = spec->state_dir ? path_join(spec->state_dir, "store") : path_join(pool->dir, "store");
	g->skel_fd = -1;
	if (repo_setting(pool->repo, "extensions.partialclone"))
		err_set(err, ERR_REFUSED, "this is a partial clone");
	else if (set_size(g, spec, err) >= 0 && find_place(g, err) >= 0 && io_mkdirs(g->dir, 0700, err) >= 0 && probe(g->dir, err) >= 0 &&
		 make_skel(g, err) >= 0) {
		base_find(g);
		*ret = g;
		return 0;
	}
	ground_free(g);
	return err->code;
}

void ground_free(struct ground *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n; i++) {
		shared_index_free(g->bases[i]->index);
		free(g->bases[i]->dir);
		free(g->bases[i]);
	}
	free(g->bases);
	if (g->skel_fd >= 0)
		close(g->skel_fd);
	strs_free(&g->hide);
	free(g->file_keys);
	free(g->dir);
	free(g->skel);
	free(g->prepared);
	free(g->store);
	free(g->at);
	free(g);
}
