#include "run/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- identity ---- */

static int close_with(int fd, int ret)
{
	int error = errno;

	close(fd);
	errno = error;
	return ret;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	return close_with(fd, write(fd, text, strlen(text)) < 0 ? -1 : 0);
}

/* `op` carries who we were: inside, before the maps are written, everybody is nobody. */
static int map_ids(const struct sandbox_op *op)
{
	char text[64];

	/* A kernel without it lets the map of groups be written all the same. */
	if (write_file("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
		return -1;
	snprintf(text, sizeof(text), "%d %d 1", SANDBOX_INSIDE(op->from), op->from);
	if (write_file("/proc/self/uid_map", text) < 0)
		return -1;
	snprintf(text, sizeof(text), "%d %d 1", SANDBOX_INSIDE(op->to), op->to);
	return write_file("/proc/self/gid_map", text);
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	for (unsigned long cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -1;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &header, none) < 0)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* ---- mounts ---- */

static int keep(struct sandbox_state *s, int to, int fd)
{
	if (fd < 0)
		return -1;
	s->handles[to] = fd;
	return 0;
}

static int set_number(int fs, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, text, 0);
}

/* From a configured file system to a detached mount; set-user-id programs and devices in it mean nothing. */
static int make_mount(int fs)
{
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* Never over a symbolic link: an experiment's tree may hold one where we mount. */
static int open_target(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static int attach(int mount_fd, const char *path)
{
	int target = open_target(path);

	if (target < 0)
		return -1;
	return close_with(target, move_mount(mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

static int new_tmpfs(int64_t size, int64_t inodes)
{
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0)
		return -1;
	if (set_number(fs, "size", size) < 0 || set_number(fs, "nr_inodes", inodes) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0) < 0)
		return close_with(fs, -1);
	return close_with(fs, make_mount(fs));
}

static int tmpfs(struct sandbox_state *s, const struct sandbox_op *op)
{
	int fd = new_tmpfs(op->size, op->inodes);

	return fd < 0 || attach(fd, op->path) < 0 ? -1 : keep(s, op->to, fd);
}

static int hide(const struct sandbox_op *op)
{
	int fd;

	if (access(op->path, F_OK) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	fd = new_tmpfs(1 << 20, 1024);
	return fd < 0 ? -1 : close_with(fd, attach(fd, op->path));
}

static int clone_mount(struct sandbox_state *s, const struct sandbox_op *op)
{
	const unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
	struct mount_attr ro = { .attr_set = MOUNT_ATTR_RDONLY };
	int fd = op->path ? open_tree(AT_FDCWD, op->path, flags | AT_SYMLINK_NOFOLLOW) :
			    open_tree(s->handles[op->from], "", flags | AT_EMPTY_PATH);

	if (fd >= 0 && op->ro && mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &ro, sizeof(ro)) < 0)
		return close_with(fd, -1);
	return keep(s, op->to, fd);
}

static int make_dir(struct sandbox_state *s, const struct sandbox_op *op)
{
	int from = s->handles[op->from];

	if (mkdirat(from, op->path, 0777) < 0)
		return -1;
	return keep(s, op->to, openat(from, op->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* Layers by descriptor: an option has 256 bytes, and a path may hold what layers are separated by. */
static int configure_overlay(int fs, const struct sandbox_state *s, const struct sandbox_op *op)
{
	char text[256], *at = text;

	for (int i = 0; i < op->n_layers; i++)
		at += sprintf(at, "%s/proc/self/fd/%d", i ? ":" : "", s->handles[op->layers[i]]);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", text, 0) < 0)
		return -1;
	sprintf(text, "/proc/self/fd/%d", s->handles[op->upper]);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "upperdir", text, 0) < 0)
		return -1;
	sprintf(text, "/proc/self/fd/%d", s->handles[op->work]);
	if (fsconfig(fs, FSCONFIG_SET_STRING, "workdir", text, 0) < 0)
		return -1;
	/* Without "xino": inode numbers with bit 63 set break programs that count in doubles. */
	return fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
}

static int overlay(struct sandbox_state *s, const struct sandbox_op *op)
{
	int fs = fsopen("overlay", FSOPEN_CLOEXEC);

	if (fs < 0)
		return -1;
	if (configure_overlay(fs, s, op) < 0)
		return close_with(fs, -1);
	return keep(s, op->to, close_with(fs, make_mount(fs)));
}

static int make_dirs(const char *path)
{
	char part[4096];
	size_t len = strlen(path);

	if (len >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		char was = part[i];

		if (was && was != '/')
			continue;
		part[i] = '\0';
		if (access(part, F_OK) < 0 && mkdir(part, 0755) < 0)
			return -1;
		part[i] = was;
	}
	return 0;
}

/* What fsmount() gave names a mount but cannot be read. */
static int tell(struct sandbox_state *s, int from)
{
	int fd = openat(s->handles[from], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	s->told[s->n_told++] = fd;
	return 0;
}

static int mount_proc(void)
{
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
		return 0;
	return errno == EPERM ? 0 : -1;
}

/* ---- the list ---- */

static int apply(struct sandbox_state *s, const struct sandbox_op *op)
{
	switch (op->kind) {
	case SANDBOX_MAP_IDS:
		return map_ids(op);
	case SANDBOX_PRIVATE:
		return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	case SANDBOX_OPEN:
		return keep(s, op->to, open(op->path, O_PATH | O_DIRECTORY | O_CLOEXEC));
	case SANDBOX_CLONE:
		return clone_mount(s, op);
	case SANDBOX_TMPFS:
		return tmpfs(s, op);
	case SANDBOX_DIR:
		return make_dir(s, op);
	case SANDBOX_OVERLAY:
		return overlay(s, op);
	case SANDBOX_HIDE:
		return hide(op);
	case SANDBOX_MKDIRS:
		return make_dirs(op->path);
	case SANDBOX_ATTACH:
		return attach(s->handles[op->from], op->path);
	case SANDBOX_TELL:
		return tell(s, op->from);
	case SANDBOX_PROC:
		return mount_proc();
	case SANDBOX_DROP:
		return drop_capabilities();
	}
	errno = EINVAL;
	return -1;
}

static const char *const steps[] = {
	[SANDBOX_MAP_IDS] = "map user and group", [SANDBOX_PRIVATE] = "private mounts", [SANDBOX_OPEN] = "open",
	[SANDBOX_CLONE] = "clone mount", [SANDBOX_TMPFS] = "mount tmpfs", [SANDBOX_DIR] = "make directory",
	[SANDBOX_OVERLAY] = "mount overlay", [SANDBOX_HIDE] = "hide", [SANDBOX_MKDIRS] = "make directories",
	[SANDBOX_ATTACH] = "attach mount", [SANDBOX_TELL] = "open for the harness", [SANDBOX_PROC] = "mount proc",
	[SANDBOX_DROP] = "drop capabilities",
};

int sandbox_apply(const struct sandbox_op *ops, size_t n, struct sandbox_state *state)
{
	for (size_t i = 0; i < n; i++) {
		if (!apply(state, &ops[i]))
			continue;
		state->failed.error = errno;
		strncpy(state->failed.step, steps[ops[i].kind], sizeof(state->failed.step) - 1);
		strncpy(state->failed.path, ops[i].path ? ops[i].path : "", sizeof(state->failed.path) - 1);
		return -1;
	}
	return 0;
}
