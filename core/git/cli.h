/*
 * cli.h - git as a program, where it is the better part (worktrees, settings, checkouts).
 * Runs `git` found once through the PATH the harness started with; every GIT_* variable of the caller is removed (repo_open's
 * own questions excepted), prompts are off, hooks, fsmonitor and maintenance are off, LC_ALL=C. Standard input is /dev/null.
 *
 * Errors: ERR_GIT with the last line of git's standard error when it exits non-zero.
 */
#ifndef GIT_CLI_H
#define GIT_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct git_run {
	const char *dir;		/* working directory; NULL: ours */
	const char *git_dir;		/* --git-dir, or NULL */
	const char *const *env;		/* further NAME=value, NULL-terminated, or NULL */
	const char *in;			/* standard input, or NULL */
	size_t in_len;
	bool keep_env;			/* keep the caller's GIT_* */
	int seconds;			/* longer: ended, ERR_GIT; 0: as long as it takes */
	int *ret_exit;			/* when set: exit status here, non-zero is no error */
	struct str *ret_err;		/* when set: standard error here, bounded to 64 KiB */
};

/* args: after "git", NULL-terminated. ret: standard output, may be NULL. */
int git_cli(const struct git_run *run, const char *const *args, struct str *ret, struct err *err);

#endif
