/* Namespaces: built once a workspace, entered by each of its tasks. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "run/sandbox.h"

#define PASSED (SANDBOX_TOLD + 2)	/* and the two namespaces */

struct report {			/* what the builder says; descriptors travel beside it */
	char step[24], path[160];
	int error;		/* 0: built */
};

void enclosure_clear(struct enclosure *e)
{
	if (e->mnt_ns >= 0)
		close(e->mnt_ns);
	if (e->user_ns >= 0)
		close(e->user_ns);
	*e = (struct enclosure)ENCLOSURE_NONE;
}

/* ---- the builder ---- */

static void send_report(int to, struct report *r, const int *fds, int n)
{
	union {
		char buf[CMSG_SPACE(PASSED * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { r, sizeof(*r) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
		memset(control.buf, 0, sizeof(control.buf));
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, (size_t)n * sizeof(int));
	}
	if (sendmsg(to, &msg, MSG_NOSIGNAL) < 0)
		_exit(1);
}

static _Noreturn void build_failed(int to, const char *step)
{
	struct report r = { .error = errno };

	strncpy(r.step, step, sizeof(r.step) - 1);
	send_report(to, &r, NULL, 0);
	_exit(1);
}

static _Noreturn void build(const struct sandbox_op *ops, size_t n, int to)
{
	static struct sandbox_state s;
	struct report r = { .error = 0 };
	int fds[PASSED];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		build_failed(to, "new namespaces");
	if (sandbox_apply(ops, n, &s) < 0) {
		memcpy(r.step, s.failed.step, sizeof(r.step));
		memcpy(r.path, s.failed.path, sizeof(r.path));
		r.error = s.failed.error;
		send_report(to, &r, NULL, 0);
		_exit(1);
	}
	fds[0] = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	fds[1] = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (fds[0] < 0 || fds[1] < 0)
		build_failed(to, "open namespaces");
	memcpy(fds + 2, s.told, (size_t)s.n_told * sizeof(int));
	send_report(to, &r, fds, 2 + s.n_told);
	_exit(0);
}

/* ---- our side ---- */

static int receive(int from, struct report *r, int *fds)
{
	union {
		char buf[CMSG_SPACE(PASSED * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { r, sizeof(*r) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c;
	ssize_t n;
	int count = 0;

	do
		n = recvmsg(from, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*r)) {
		errno = n < 0 ? errno : EPIPE;
		return -1;
	}
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(c), (size_t)count * sizeof(int));
	}
	return count;
}

static int take_report(int from, struct enclosure *ret, int *ret_told, int n_told, struct err *err)
{
	struct report r = { .error = 0 };
	int fds[PASSED];
	int n = receive(from, &r, fds);

	if (n < 0)
		return err_errno(err, "cannot build a sandbox");
	if (r.error) {
		r.step[sizeof(r.step) - 1] = r.path[sizeof(r.path) - 1] = '\0';
		errno = r.error;
		return err_errno(err, "cannot build a sandbox: step '%s'%s%s%s", r.step, *r.path ? " at '" : "", r.path,
				 *r.path ? "'" : "");
	}
	if (n != 2 + n_told) {
		for (int i = 0; i < n; i++)
			close(fds[i]);
		return err_set(err, ERR_BUG, "a sandbox told %d descriptors, not %d", n - 2, n_told);
	}
	*ret = (struct enclosure){ fds[0], fds[1] };
	memcpy(ret_told, fds + 2, (size_t)n_told * sizeof(int));
	return 0;
}

int sandbox_build(const struct sandbox_op *ops, size_t n, struct enclosure *ret, int *ret_told, int n_told, struct err *err)
{
	sigset_t all, old;
	int pair[2], code;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_errno(err, "cannot make a socket pair");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (!pid)
		build(ops, n, pair[1]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(pair[1]);
	code = pid < 0 ? err_errno(err, "cannot start a process") : take_report(pair[0], ret, ret_told, n_told, err);
	close(pair[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return code;
}

/* ---- entering ---- */

int sandbox_enter(const struct enclosure *e, int tell, const char **ret_step)
{
	/* As a child of the harness, not of this one that is about to end: whoever started it waits for it. */
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_PARENT };
	pid_t pid;

	*ret_step = "enter user namespace";
	if (setns(e->user_ns, CLONE_NEWUSER) < 0)
		return -1;
	*ret_step = "enter mount namespace";
	if (setns(e->mnt_ns, CLONE_NEWNS) < 0)
		return -1;
	*ret_step = "new pid namespace";
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid <= 0)
		return (int)pid;
	_exit(write(tell, &pid, sizeof(pid)) == (ssize_t)sizeof(pid) ? 0 : 1);
}
