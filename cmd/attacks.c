/*
 * attacks.c - what doctor's probes let loose. These run as a child of an experiment would, started by the harness in its place; each tries
 * one thing and tells by its exit status whether it succeeded. All are harmless to whoever is attacked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/doctor.h"

static int attack_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		return ATTACK_STOPPED;
	return write(fd, "x\n", 2) == 2 ? ATTACK_SUCCEEDED : ATTACK_STOPPED;
}

static int attack_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) == 1 ? ATTACK_SUCCEEDED : ATTACK_STOPPED;
}

static int attack_variable(const char *name)
{
	return getenv(name) ? ATTACK_SUCCEEDED : ATTACK_STOPPED;
}

static int attack_tcp(const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)atoi(port));
	return fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)) ? ATTACK_SUCCEEDED : ATTACK_STOPPED;
}

static int attack_unix(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(to.sun_path))
		return ATTACK_UNTRIED;
	memcpy(to.sun_path, path, strlen(path) + 1);
	return fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)) ? ATTACK_SUCCEEDED : ATTACK_STOPPED;
}

/* Signal 0: asked and not delivered. */
static int attack_signal(const char *pid)
{
	return kill((pid_t)atoi(pid), 0) ? ATTACK_STOPPED : ATTACK_SUCCEEDED;
}

/* SEIZE does not stop the other; the kernel detaches when we end. */
static int attack_trace(const char *pid)
{
	return ptrace(PTRACE_SEIZE, (pid_t)atoi(pid), NULL, NULL) ? ATTACK_STOPPED : ATTACK_SUCCEEDED;
}

/* Typing into the terminal of whoever started the harness; asked with a byte that is typed only where there is one. */
static int attack_terminal(const char *unused)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	(void)unused;
	return fd < 0 ? ATTACK_STOPPED : ATTACK_SUCCEEDED;
}

/* The classic daemon: twice forked, a session of its own, deaf to TERM and HUP. It says where it lives. */
static int attack_daemon(const char *path)
{
	pid_t pid = fork();
	FILE *f;

	if (pid < 0)
		return ATTACK_UNTRIED;
	if (pid > 0) {
		while (access(path, F_OK))
			usleep(1000);
		return ATTACK_SUCCEEDED;
	}
	setsid();
	if (fork() > 0)
		_exit(0);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	f = fopen(path, "w");
	if (f) {
		fprintf(f, "%ld\n", (long)getpid());
		fclose(f);
	}
	while (pause() < 0)
		;
	return ATTACK_SUCCEEDED;
}

static int attack_forever(const char *unused)
{
	(void)unused;
	signal(SIGTERM, SIG_IGN);
	while (pause() < 0)
		;
	return ATTACK_SUCCEEDED;
}

static int attack_chatter(const char *megabytes)
{
	static char block[1 << 16];

	memset(block, '#', sizeof(block));
	for (long n = atol(megabytes) * 16; n > 0; n--)
		if (write(STDOUT_FILENO, block, sizeof(block)) < 0)
			return ATTACK_STOPPED;
	return ATTACK_SUCCEEDED;
}

int attack_run(const char *attack)
{
	static const struct {
		const char *name;
		int (*fn)(const char *);
	} attacks[] = {
		{ "write", attack_write }, { "read", attack_read }, { "variable", attack_variable }, { "tcp", attack_tcp },
		{ "unix", attack_unix }, { "signal", attack_signal }, { "trace", attack_trace }, { "terminal", attack_terminal },
		{ "daemon", attack_daemon }, { "forever", attack_forever }, { "chatter", attack_chatter },
	};
	const char *colon = strchr(attack, ':');

	for (size_t i = 0; colon && i < ARRAY_SIZE(attacks); i++)
		if (strlen(attacks[i].name) == (size_t)(colon - attack) &&
		    !strncmp(attacks[i].name, attack, (size_t)(colon - attack)))
			return attacks[i].fn(colon + 1);
	return ATTACK_UNTRIED;
}
