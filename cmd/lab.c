/*
 * lab.c - the throw-away repository in which doctor's attacks run, and running them there.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "cmd/doctor.h"
#include "git/cli.h"
#include "git/commit.h"
#include "ledger/names.h"
#include "run/remove.h"

extern char **environ;

/* Which repository the user meant must not be taken for the laboratory. */
static void forget_git_environment(void)
{
	for (char **e = environ; *e;) {
		AUTOFREE char *name = xstrndup(*e, strcspn(*e, "="));

		if (starts_with(name, "GIT_") && !starts_with(name, "GIT_HARNESS_"))
			unsetenv(name);	/* the next one has moved here */
		else
			e++;
	}
}

static int make_repository(struct lab *lab, struct err *err)
{
	AUTOFREE char *top = xasprintf("%s/repo", lab->dir), *spaces = xasprintf("%s/workspaces", lab->dir);
	AUTOFREE char *frozen = xasprintf("%s/frozen.sh", top), *open = xasprintf("%s/open.txt", top);
	const struct git_run run = { .dir = top };
	const char *const init[] = { "init", "-q", "--template=", ".", NULL };
	const char *const config[] = { "config", "harness.workspaces", spaces, NULL };
	const char *const add[] = { "add", ".", NULL };
	const char *const commit[] = { "-c", "user.name=doctor", "-c", "user.email=doctor@localhost", "-c", "commit.gpgSign=false",
				       "commit", "-q", "-m", "a patient", NULL };
	char *branch = NULL;

	if (io_mkdirs(top, 0700, err) < 0 || io_mkdirs(spaces, 0700, err) < 0 || git_cli(&run, init, NULL, err) < 0 ||
	    git_cli(&run, config, NULL, err) < 0)
		return err->code;
	if (io_replace(frozen, "exit 1\n", 7, 0755, 0, err) < 0 || io_replace(open, "10\n", 3, 0644, 0, err) < 0)
		return err->code;
	if (git_cli(&run, add, NULL, err) < 0 || git_cli(&run, commit, NULL, err) < 0)
		return err->code;
	if (repo_open(top, &lab->repo, err) < 0 || repo_head(lab->repo, &branch, &lab->commit, err) < 0)
		return err->code;
	free(branch);
	return 0;
}

static int make_pool(struct lab *lab, struct err *err)
{
	AUTOFREE char *state = name_state_dir(lab->repo, "main");
	const struct pool_spec spec = { .campaign = "main", .state_dir = state, .checkout = repo_work_dir(lab->repo) };
	struct commit commit = { 0 };

	if (commit_read(lab->repo, &lab->commit, &commit, err) < 0)
		return err->code;
	lab->tree = commit.tree;
	commit_free(&commit);
	if (io_mkdirs(state, 0700, err) < 0)
		return err->code;
	return pool_open(lab->repo, &spec, &lab->pool, err);
}

int lab_open(struct lab *ret, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	char program[PATH_MAX] = "";

	forget_git_environment();
	ret->dir = xasprintf("%s/git-harness-doctor.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	if (!mkdtemp(ret->dir)) {
		err_errno(err, "cannot make a directory '%s'", ret->dir);
		free(ret->dir);
		ret->dir = NULL;
		return err->code;
	}
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		return err_errno(err, "cannot find our own program");
	ret->program = xstrdup(program);
	ret->home = xasprintf("%s/home", ret->dir);
	if (io_mkdirs(ret->home, 0700, err) < 0 || make_repository(ret, err) < 0)
		return err->code;
	return make_pool(ret, err);
}

void lab_close(struct lab *lab)
{
	struct err ignored;

	pool_close(lab->pool);
	repo_free(lab->repo);
	if (lab->dir)
		remove_tree(AT_FDCWD, lab->dir, 0, &ignored);
	free(lab->dir);
	free(lab->home);
	free(lab->program);
	*lab = (struct lab){ 0 };
}

/* In single quotes for sh. */
static void quote(const char *text, struct str *ret)
{
	str_putc(ret, '\'');
	for (; *text; text++)
		if (*text == '\'')
			str_puts(ret, "'\\''");
		else
			str_putc(ret, *text);
	str_putc(ret, '\'');
}

int lab_assault(struct lab *lab, struct assault *a, struct err *err)
{
	STR command = STR_INIT, word = STR_INIT, log = STR_INIT;
	struct strs env = { 0 };
	struct task_spec spec = {
		.dir = a->ws ? workspace_dir(a->ws) : lab->home,
		.enclosure = a->ws ? workspace_enclosure(a->ws) : NULL,
		.env = &env,
		.wall = a->wall ? a->wall : 10 * NS_PER_S,
		.grace = NS_PER_S / 10,
		.output = a->output ? a->output : 1 << 20,
	};
	int ret;

	quote(lab->program, &command);
	str_puts(&command, " doctor --attack ");
	str_printf(&word, "%s:%s", a->attack, a->target ? a->target : "");
	quote(word.buf, &command);
	spec.command = command.buf;
	task_env(&(struct strs){ 0 }, lab->home, &env);
	ret = task_run(&spec, &a->end, &log, err);
	a->log_len = log.len;
	strs_free(&env);
	return ret;
}
