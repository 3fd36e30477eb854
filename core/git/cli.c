#include "git/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"

#define ERR_BYTES ((size_t)64 << 10)

extern char **environ;

/* Nothing a repository or a user could have set makes these children do more than they were asked. */
static const char *const quiet[] = {
	"--no-pager",
	"-c", "core.hooksPath=/dev/null",
	"-c", "core.fsmonitor=false",
	"-c", "gc.auto=0",
	"-c", "maintenance.auto=false",
	"-c", "submodule.recurse=false",
	"-c", "advice.detachedHead=false",
	NULL,
};

static const char *const own_env[] = {
	"LC_ALL=C", "LANGUAGE=", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true", "SSH_ASKPASS=true", "GIT_NO_REPLACE_OBJECTS=1", NULL,
};

/* The first executable `git` of the PATH this process started with; "git" itself where there is none, for the message. */
static const char *program(void)
{
	static char *found;
	const char *path = getenv("PATH");

	for (const char *p = path ? path : "/usr/bin:/bin"; p && !found; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
		size_t len = strcspn(p, ":");
		AUTOFREE char *file = xasprintf("%.*s/git", (int)len, p);

		if (*p == '/' && !access(file, X_OK))	/* a relative entry would be another one in each directory */
			found = xstrdup(file);
	}
	if (!found)
		found = xstrdup("git");
	return found;
}

static void build_args(const struct git_run *run, const char *const *args, struct strs *ret)
{
	strs_add(ret, program());
	for (size_t i = 0; !run->keep_env && quiet[i]; i++)
		strs_add(ret, quiet[i]);
	if (run->git_dir)
		strs_addf(ret, "--git-dir=%s", run->git_dir);
	for (size_t i = 0; args[i]; i++)
		strs_add(ret, args[i]);
}

static bool names_same(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return !strncmp(a, b, len) && b[len] == '=';
}

static bool overridden(const struct git_run *run, const char *var)
{
	for (size_t i = 0; own_env[i]; i++)
		if (names_same(own_env[i], var))
			return true;
	for (size_t i = 0; run->env && run->env[i]; i++)
		if (names_same(run->env[i], var))
			return true;
	return false;
}

static void build_env(const struct git_run *run, struct strs *ret)
{
	for (size_t i = 0; environ[i]; i++)
		if ((run->keep_env || !starts_with(environ[i], "GIT_")) && !overridden(run, environ[i]))
			strs_add(ret, environ[i]);
	for (size_t i = 0; own_env[i]; i++)
		strs_add(ret, own_env[i]);
	for (size_t i = 0; run->env && run->env[i]; i++)
		strs_add(ret, run->env[i]);
}

/* Input through an unnamed file: no pipe to fill, so no way to wait for each other. */
static int open_input(const struct git_run *run, struct err *err)
{
	int fd;

	if (!run->in) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? err_errno(err, "cannot open '/dev/null'") : fd;
	}
	fd = memfd_create("git-input", MFD_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot make git's input");
	if (io_write_fd(fd, run->in, run->in_len, err) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return err->code < 0 ? err->code : err_errno(err, "cannot make git's input");
	}
	return fd;
}

/* A process group of its own: a Ctrl-C is for the harness to understand, not for its helper to die of. */
static int spawn(const char *dir, const int fds[3], char **argv, char **envp, pid_t *ret)
{
	posix_spawn_file_actions_t acts;
	posix_spawnattr_t attr;
	sigset_t set;
	int rc;

	posix_spawn_file_actions_init(&acts);
	posix_spawnattr_init(&attr);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&acts, fds[i], i);
	if (dir)
		posix_spawn_file_actions_addchdir_np(&acts, dir);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			sigaddset(&set, sig);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(ret, argv[0], &acts, &attr, argv, envp);
	posix_spawn_file_actions_destroy(&acts);
	posix_spawnattr_destroy(&attr);
	return rc;
}

/* One read; false at the end of the stream. What is beyond s's ceiling is drained. */
static bool take(int fd, struct str *s)
{
	char buf[16384];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (s)
		str_add(s, buf, (size_t)n);
	return n > 0;
}

/* As poll(2): how many are ready, 0 where none was; -1: the deadline is over. */
static int ready(struct pollfd p[2], int64_t deadline)
{
	int64_t left = deadline ? deadline - clock_mono() : 0;
	int n;

	if (left < 0)
		return -1;
	n = poll(p, 2, deadline ? (int)(left / NS_PER_MS) + 1 : -1);
	return n < 0 ? 0 : n;
}

/* Until both streams end, or until there is no time left: false. */
static bool drain(int out, int errfd, int seconds, struct str *ret, struct str *text)
{
	struct pollfd p[2] = { { .fd = out, .events = POLLIN }, { .fd = errfd, .events = POLLIN } };
	int64_t deadline = seconds ? clock_mono() + seconds * NS_PER_S : 0;

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		int n = ready(p, deadline);

		if (n < 0)
			return false;
		if (!n)
			continue;
		if (p[0].fd >= 0 && p[0].revents && !take(out, ret))
			p[0].fd = -1;
		if (p[1].fd >= 0 && p[1].revents && !take(errfd, text))
			p[1].fd = -1;
	}
	return true;
}

static int run_child(const struct git_run *run, struct strs *argv, struct strs *envp, struct str *ret, struct str *text,
		     int *ret_status, struct err *err)
{
	AUTOCLOSE int in = -1;
	AUTOCLOSE int out_r = -1, out_w = -1, err_r = -1, err_w = -1;
	int p[2], rc;
	bool in_time;
	pid_t pid;

	err->code = 0;
	in = open_input(run, err);
	if (in < 0)
		return in;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_errno(err, "cannot make a pipe");
	out_r = p[0];
	out_w = p[1];
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_errno(err, "cannot make a pipe");
	err_r = p[0];
	err_w = p[1];
	rc = spawn(run->dir, (int[3]){ in, out_w, err_w }, argv->v, envp->v, &pid);
	if (rc) {
		errno = rc;
		err_errno(err, run->dir ? "cannot run '%s' in '%s'" : "cannot run '%s'", argv->v[0], run->dir);
		return rc == ENOENT && !run->dir ? err_hint(err, "is git in your PATH?") : err->code;
	}
	close(out_w);
	close(err_w);
	out_w = err_w = -1;
	in_time = drain(out_r, err_r, run->seconds, ret, text);
	if (!in_time)
		kill(-pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return err_errno(err, "cannot wait for git");
	return in_time ? 0 : err_set(err, ERR_GIT, "git came to no end within %d seconds", run->seconds);
}

/* git's own last word: the last line that says "fatal:" or "error:", else the last line. */
static void last_line(const struct str *text, struct str *ret)
{
	const char *best = NULL, *last = "no message";
	size_t len;

	for (const char *p = text->buf; *p; p += len + (p[len] == '\n')) {
		len = strcspn(p, "\n");
		if (len)
			last = p;
		if (starts_with(p, "fatal: ") || starts_with(p, "error: "))
			best = p + strlen("fatal: ");
	}
	best = best ? best : last;
	text_line(best, strcspn(best, "\n"), 300, ret);
}

static int explain(const char *const *args, int status, const struct str *text, struct err *err)
{
	STR line = STR_INIT;
	size_t i = 0;

	while (args[i] && args[i + 1] && str_eq(args[i], "-c"))
		i += 2;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_GIT, "git %s was ended by signal %d", args[i], WTERMSIG(status));
	last_line(text, &line);
	return err_set(err, ERR_GIT, "git %s: %s", args[i], line.buf);
}

int git_cli(const struct git_run *run, const char *const *args, struct str *ret, struct err *err)
{
	CLEANUP(strs_free) struct strs argv = { 0 };
	CLEANUP(strs_free) struct strs envp = { 0 };
	STR text = STR_MAX(ERR_BYTES);
	int status = 0;

	build_args(run, args, &argv);
	build_env(run, &envp);
	if (run_child(run, &argv, &envp, ret, &text, &status, err) < 0)
		return err->code;
	if (run->ret_err)
		str_add(run->ret_err, text.buf, text.len);
	if (run->ret_exit && WIFEXITED(status))
		*run->ret_exit = WEXITSTATUS(status);
	else if (status)
		return explain(args, status, &text, err);
	if (ret && ret->cut)
		return err_set(err, ERR_LIMIT, "git %s said more than can be held", args[0]);
	return 0;
}
