/*
 * probes.c - doctor's list. Each probe tries one thing and says what stopped it, what noticed it afterwards, or that nothing did.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/mem.h"
#include "cmd/doctor.h"
#include "git/cli.h"
#include "git/ref.h"

#define NO_WALL "commands run with all rights of the user who starts the harness"
static const char own_user[] = "run the harness as a user who owns nothing else, in a container or in a virtual machine";

static void say(struct finding *f, enum answer answer, const char *how, const char *remedy)
{
	f->answer = answer;
	snprintf(f->how, sizeof(f->how), "%s", how);
	f->remedy = remedy;
}

/* The common case: an attack that either gets through or is stopped by `mechanism`. */
static int simple(struct lab *lab, const char *attack, const char *target, const char *mechanism, const char *why_not,
		  struct finding *ret, struct err *err)
{
	struct assault a = { .attack = attack, .target = target };

	if (lab_assault(lab, &a, err) < 0)
		return err->code;
	if (a.end.exit == ATTACK_SUCCEEDED)
		say(ret, NOT_ENFORCED, why_not, own_user);
	else if (a.end.exit == ATTACK_STOPPED)
		say(ret, PREVENTED, mechanism, NULL);
	else
		say(ret, UNKNOWN, "the attack could not be tried here", NULL);
	return 0;
}

/* Run an attack on a path inside a fresh workspace; *ret_touched says which tracked file it changed, or NULL. */
static int in_workspace(struct lab *lab, const char *path, char **ret_touched, struct err *err)
{
	struct workspace *ws;
	struct assault a = { .attack = "write", .target = path };
	int ret;

	if (workspace_open(lab->pool, &lab->commit, &lab->tree, &ws, err) < 0)
		return err->code;
	a.ws = ws;
	ret = lab_assault(lab, &a, err);
	if (ret >= 0 && a.end.exit != ATTACK_SUCCEEDED)
		ret = err_set(err, ERR_IO, "a workspace could not be written to");
	if (ret >= 0)
		ret = workspace_touched(ws, ret_touched, err);
	workspace_release(ws);
	return ret;
}

static int probe_frozen(struct lab *lab, struct finding *ret, struct err *err)
{
	AUTOFREE char *touched = NULL;

	if (in_workspace(lab, "frozen.sh", &touched, err) < 0)
		return err->code;
	if (str_eq(touched, "frozen.sh"))
		say(ret, DETECTED, "comparing content with the base's tree, before anything is measured", NULL);
	else
		say(ret, NOT_ENFORCED, "the change was not seen", "this is a bug, please report it");
	return 0;
}

static int probe_leftovers(struct lab *lab, struct finding *ret, struct err *err)
{
	AUTOFREE char *touched = NULL;
	struct workspace *ws;

	if (in_workspace(lab, "left-behind", &touched, err) < 0 ||
	    workspace_open(lab->pool, &lab->commit, &lab->tree, &ws, err) < 0)
		return err->code;
	if (faccessat(workspace_root(ws), "left-behind", F_OK, AT_SYMLINK_NOFOLLOW))
		say(ret, PREVENTED, "a fresh workspace for each step", NULL);
	else
		say(ret, NOT_ENFORCED, "a file of an earlier step is still there", "this is a bug, please report it");
	workspace_release(ws);
	return 0;
}

static int probe_daemon(struct lab *lab, struct finding *ret, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/daemon", lab->home);
	struct assault a = { .attack = "daemon", .target = path };
	STR text = STR_INIT;
	pid_t pid;

	if (lab_assault(lab, &a, err) < 0 || io_read_file(path, 64, &text, err) < 0)
		return err->code;
	pid = (pid_t)atoi(text.buf);
	if (pid <= 1)
		return err_set(err, ERR_IO, "the daemon did not start");
	if (kill(pid, 0) < 0 && errno == ESRCH) {
		say(ret, PREVENTED, "a supervisor that adopts and kills the whole tree of processes", NULL);
		return 0;
	}
	kill(pid, SIGKILL);
	say(ret, NOT_ENFORCED, "a process outlived its step", "needs a kernel with PR_SET_CHILD_SUBREAPER");
	return 0;
}

static int probe_wall(struct lab *lab, struct finding *ret, struct err *err)
{
	struct assault a = { .attack = "forever", .wall = NS_PER_S / 5 };

	if (lab_assault(lab, &a, err) < 0)
		return err->code;
	if (a.end.timed_out && a.end.wall < 5 * NS_PER_S)
		say(ret, PREVENTED, "the deadline: TERM, a grace, then KILL", NULL);
	else
		say(ret, NOT_ENFORCED, "it was not ended in time", "this is a bug, please report it");
	return 0;
}

static int probe_output(struct lab *lab, struct finding *ret, struct err *err)
{
	struct assault a = { .attack = "chatter", .target = "8", .output = 64 << 10 };

	if (lab_assault(lab, &a, err) < 0)
		return err->code;
	if (a.end.exit == ATTACK_SUCCEEDED && a.log_len < (size_t)1 << 20)
		say(ret, PREVENTED, "draining it and keeping head and tail", NULL);
	else
		say(ret, NOT_ENFORCED, "all of it was kept, or the writer was hung up", "this is a bug, please report it");
	return 0;
}

static int probe_variables(struct lab *lab, struct finding *ret, struct err *err)
{
	setenv("HARNESS_DOCTOR_SECRET", "s3cret", 1);
	return simple(lab, "variable", "HARNESS_DOCTOR_SECRET", "a scrubbed environment", "the variable was passed on", ret, err);
}

static int probe_refs(struct lab *lab, struct finding *ret, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/refs/heads/planted", repo_common_dir(lab->repo));

	return simple(lab, "write", path, "access rights", "the repository's refs can be written; "
		      "best and the ledger are compared before each use, the user's own branches are not", ret, err);
}

static int probe_checkout(struct lab *lab, struct finding *ret, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/planted", repo_work_dir(lab->repo));

	return simple(lab, "write", path, "access rights", NO_WALL, ret, err);
}

static int probe_private(struct lab *lab, struct finding *ret, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/private", lab->home);

	if (io_replace(path, "s3cret\n", 7, 0600, 0, err) < 0)
		return err->code;
	return simple(lab, "read", path, "access rights", "what the user can read, HOME and a holdout included, commands can read", ret, err);
}

static int probe_tmp(struct lab *lab, struct finding *ret, struct err *err)
{
	AUTOFREE char *path = xasprintf("%s/planted", lab->dir);

	return simple(lab, "write", path, "access rights", "TMPDIR is private, the system's own temporary directory is not", ret, err);
}

static int probe_tcp(struct lab *lab, struct finding *ret, struct err *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	AUTOCLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at);
	char port[16];

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 4) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return err_errno(err, "cannot listen on the loopback address");
	snprintf(port, sizeof(port), "%d", ntohs(at.sin_port));
	return simple(lab, "tcp", port, "the kernel", "`network: off` has no wall behind it", ret, err);
}

static int probe_unix(struct lab *lab, struct finding *ret, struct err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	AUTOCLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", lab->dir) >= (int)sizeof(at.sun_path))
		return err_set(err, ERR_LIMIT, "the path of the socket would be too long");
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4) < 0)
		return err_errno(err, "cannot listen on '%s'", at.sun_path);
	return simple(lab, "unix", at.sun_path, "the kernel", "daemons of the user and of the system can be talked to", ret, err);
}

/* Attacks on the harness's own process. */
static int on_harness(struct lab *lab, const char *attack, const char *why_not, struct finding *ret, struct err *err)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	return simple(lab, attack, pid, "the kernel", why_not, ret, err);
}

static int probe_signal(struct lab *lab, struct finding *ret, struct err *err)
{
	return on_harness(lab, "signal", "processes of the same user can end each other; the journal survives that", ret, err);
}

static int probe_trace(struct lab *lab, struct finding *ret, struct err *err)
{
	return on_harness(lab, "trace", "processes of the same user can debug each other", ret, err);
}

static int probe_environ(struct lab *lab, struct finding *ret, struct err *err)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%ld/environ", (long)getpid());
	return simple(lab, "read", path, "the kernel", "/proc shows the variables of the user's processes", ret, err);
}

static int probe_terminal(struct lab *lab, struct finding *ret, struct err *err)
{
	return simple(lab, "terminal", "", "a session without a terminal", "the terminal can be opened", ret, err);
}

static int probe_limits(struct lab *lab, struct finding *ret, struct err *err)
{
	(void)lab;
	(void)err;
	say(ret, NOT_ENFORCED, "policy keys `memory`, `processes`, `disk` and `cpu` are read, and nothing limits them yet",
	    "start the harness under `systemd-run --user --scope -p MemoryMax=... -p TasksMax=...`");
	return 0;
}

const struct probe probes[] = {
	{ "frozen-file", "overwrite a frozen file", probe_frozen },
	{ "leftovers", "leave files for the next step", probe_leftovers },
	{ "daemon", "outlive the step as a daemon", probe_daemon },
	{ "wall", "outstay the wall time, deaf to TERM", probe_wall },
	{ "output", "flood the log", probe_output },
	{ "variables", "read a secret from its environment", probe_variables },
	{ "terminal", "type into the user's terminal", probe_terminal },
	{ "refs", "write a ref of the repository", probe_refs },
	{ "checkout", "write into the user's checkout", probe_checkout },
	{ "private-file", "read the user's private files", probe_private },
	{ "tmp", "leave a file outside its own TMPDIR", probe_tmp },
	{ "network-tcp", "open a TCP connection", probe_tcp },
	{ "network-unix", "open a Unix socket", probe_unix },
	{ "signal", "send a signal to the harness", probe_signal },
	{ "trace", "debug the harness", probe_trace },
	{ "environ", "read the harness's environment", probe_environ },
	{ "limits", "take all memory, processes and disk", probe_limits },
};
const size_t probes_n = ARRAY_SIZE(probes);
