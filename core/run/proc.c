#include "run/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct list {
	pid_t *v;
	size_t n, max;
};

static void add(struct list *l, pid_t pid)
{
	if (pid > 0 && l->n < l->max)
		l->v[l->n++] = pid;
}

/* snprintf is not safe after a fork of a threaded process; these paths are all that is needed. */
static char *put(char *at, const char *text)
{
	size_t len = strlen(text);

	memcpy(at, text, len + 1);
	return at + len;
}

static char *put_pid(char *at, pid_t pid)
{
	char digits[16];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + pid % 10);
	while (pid /= 10);
	while (n)
		*at++ = digits[--n];
	*at = '\0';
	return at;
}

static pid_t parse_pid(const char *text)
{
	int64_t pid = 0;

	if (*text < '0' || *text > '9')
		return 0;
	for (; *text >= '0' && *text <= '9' && pid < INT32_MAX / 10; text++)
		pid = pid * 10 + (*text - '0');
	return (pid_t)pid;
}

/* Numbers in a /proc directory: threads of a process, or all processes. */
static void numbers(const char *path, struct list *l)
{
	_Alignas(struct dirent64) char buf[8192];
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;

	if (fd < 0)
		return;
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent64 *d = (const struct dirent64 *)(void *)(buf + at);

			add(l, parse_pid(d->d_name));
			at += d->d_reclen;
		}
	}
	close(fd);
}

/* One "children" file: pids, each followed by a space. false: the kernel does not have it. */
static bool read_children(const char *path, struct list *l)
{
	char buf[4096], word[16];
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != ' ') {
				word[len < sizeof(word) - 1 ? len++ : len] = buf[i];
				continue;
			}
			word[len] = '\0';
			len = 0;
			add(l, parse_pid(word));
		}
	}
	close(fd);
	return true;
}

static pid_t parent_of(pid_t pid)
{
	char path[64], buf[512], *paren;
	ssize_t n;
	int fd;

	put(put_pid(put(path, "/proc/"), pid), "/stat");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	paren = strrchr(buf, ')');	/* the name may hold anything, even ')' */
	return paren && strlen(paren) > 4 ? parse_pid(paren + 4) : 0;
}

/* Kernels without CONFIG_PROC_CHILDREN: ask every process for its parent. */
static void children_by_parent(pid_t pid, struct list *l)
{
	static pid_t all[PROC_MAX];
	struct list every = { .v = all, .max = PROC_MAX };

	numbers("/proc", &every);
	for (size_t i = 0; i < every.n; i++)
		if (parent_of(all[i]) == pid)
			add(l, all[i]);
}

static void children(pid_t pid, struct list *l)
{
	pid_t threads[256];
	struct list tids = { .v = threads, .max = sizeof(threads) / sizeof(*threads) };
	char path[64], *task;
	bool known = false;

	task = put(put_pid(put(path, "/proc/"), pid), "/task/");
	numbers(path, &tids);
	for (size_t i = 0; i < tids.n; i++) {
		put(put_pid(task, threads[i]), "/children");
		known |= read_children(path, l);
	}
	if (tids.n && !known)
		children_by_parent(pid, l);
}

bool proc_readable(void)
{
	return parent_of(getpid()) > 0 || getpid() == 1;
}

size_t proc_children(pid_t pid, pid_t *ret, size_t max)
{
	struct list l = { .v = ret, .max = max };

	children(pid, &l);
	return l.n;
}

size_t proc_descendants(pid_t root, pid_t *ret, size_t max)
{
	struct list l = { .v = ret, .max = max };

	children(root, &l);
	for (size_t i = 0; i < l.n; i++)
		children(ret[i], &l);
	return l.n;
}
