/*
 * run_room.h - a repository, a pool and workspaces for the tests of core/run.
 */
#ifndef RUN_ROOM_H
#define RUN_ROOM_H

#include "git_room.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "git/tree.h"
#include "run/workspace.h"

struct bed {			/* what stands in a room */
	struct repo *repo;
	struct pool *pool;
	struct strs include;
};

static UNUSED void bed_open(struct bed *b)
{
	struct pool_spec spec = { .campaign = "main" };
	struct err err = { 0 };

	unsetenv("XDG_CACHE_HOME");
	if (!b->repo)
		OK(repo_open(".", &b->repo, &err));
	spec.include = &b->include;
	spec.checkout = repo_work_dir(b->repo);
	OK(pool_open(b->repo, &spec, &b->pool, &err));
}

static UNUSED void bed_close(struct bed *b)
{
	pool_close(b->pool);
	repo_free(b->repo);
	strs_free(&b->include);
	*b = (struct bed){ 0 };
}

static UNUSED struct workspace *ws_open(struct bed *b, const char *rev)
{
	AUTOFREE char *tree = xasprintf("%s^{tree}", rev);
	struct oid commit = id_of(rev), id = id_of(tree);
	struct workspace *ws;
	struct err err = { 0 };

	OK(workspace_open(b->pool, &commit, &id, &ws, &err));
	return ws;
}

/* Every file in it, ignored ones too, makes up exactly the tree: asked of plain git with an index of its own. */
static UNUSED void holds_exactly(struct workspace *ws, const char *rev)
{
	AUTOFREE char *made = out("rm -f \"$HOME/index\"; export GIT_INDEX_FILE=\"$HOME/index\" && "
				  "git --work-tree='%s' read-tree '%s' && cd '%s' && git add -A -f . && git write-tree",
				  workspace_dir(ws), rev, workspace_dir(ws));

	same(made, "git rev-parse '%s^{tree}'", rev);
	same("", "git -C '%s' status --porcelain --ignored --untracked-files=all", workspace_dir(ws));
	same("HEAD", "git -C '%s' rev-parse --abbrev-ref HEAD", workspace_dir(ws));
	AUTOFREE char *head = out("git -C '%s' rev-parse HEAD", workspace_dir(ws));

	same(head, "git rev-parse '%s'", rev);
}

/* A script with $O = ~/o, in a directory; whether it succeeds is its own affair. */
static UNUSED void try_in(const char *dir, const char *script)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		AUTOFREE char *o = xasprintf("%s/o", getenv("HOME"));

		setenv("O", o, 1);
		if (chdir(dir) == 0)
			execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static UNUSED bool is_there(const char *fmt, ...)
{
	struct stat st;
	char *path;
	va_list ap;
	int ret;

	va_start(ap, fmt);
	assert_true(vasprintf(&path, fmt, ap) >= 0);
	va_end(ap);
	ret = lstat(path, &st);
	free(path);
	return !ret;
}

#endif
