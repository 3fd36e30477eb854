/*
 * pager.c - long listings through the pager that git would use.
 * GIT_PAGER, core.pager, PAGER, else less; "cat" and "" mean none; pager.harness switches it off or names another. `git -p` and
 * `git --no-pager` reach us as git's own environment (GIT_PAGER_IN_USE, GIT_PAGER=cat).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/frame.h"

static pid_t pager_pid;
static int saved_err = -1;	/* the terminal, for what is said after the pager has ended */

bool pager_in_use(void)
{
	const char *by_git = getenv("GIT_PAGER_IN_USE");

	return pager_pid > 0 || (by_git && (!strcmp(by_git, "true") || !strcmp(by_git, "1")));
}

/* pager.harness as git reads pager.<command>: a boolean, or a command of its own. */
static bool is_word(const char *value, const char *const *words)
{
	for (; *words; words++)
		if (!strcasecmp(value, *words))
			return true;
	return false;
}

static const char *setting(struct repo *repo, const char *key)
{
	return repo ? repo_setting(repo, key) : NULL;
}

static const char *pager_command(struct repo *repo)
{
	static const char *const no[] = { "false", "no", "off", "0", NULL };
	static const char *const yes[] = { "true", "yes", "on", "1", "", NULL };
	const char *own = setting(repo, "pager.harness");
	const char *wishes[] = { getenv("GIT_PAGER"), own && !is_word(own, yes) ? own : NULL, setting(repo, "core.pager"),
				 getenv("PAGER"), "less" };
	const char *command = NULL;

	if (own && is_word(own, no))
		return NULL;
	for (size_t i = 0; !command; i++)
		command = wishes[i];
	return *command && strcmp(command, "cat") != 0 ? command : NULL;
}

static void exec_pager(const char *command, int in)
{
	dup2(in, STDIN_FILENO);
	close(in);
	setenv("LESS", "FRX", 0);
	setenv("LV", "-c", 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

void pager_start(struct cmd_ctx *ctx)
{
	const char *command;
	int ends[2];

	if (pager_in_use() || !isatty(STDOUT_FILENO))
		return;
	command = pager_command(ctx->repo);
	if (!command || pipe(ends) < 0)
		return;
	fflush(NULL);
	pager_pid = fork();
	if (pager_pid == 0) {
		close(ends[1]);
		exec_pager(command, ends[0]);
	}
	if (pager_pid > 0) {
		dup2(ends[1], STDOUT_FILENO);
		if (isatty(STDERR_FILENO)) {
			saved_err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
			dup2(ends[1], STDERR_FILENO);
		}
		atexit(pager_end);
	}
	close(ends[0]);
	close(ends[1]);
}

void pager_end(void)
{
	pid_t pid = pager_pid;

	if (pid <= 0)
		return;
	pager_pid = 0;
	fflush(NULL);
	/* The pager ends when its pipe has no writer any more. */
	close(STDOUT_FILENO);
	if (saved_err >= 0)
		dup2(saved_err, STDERR_FILENO);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
