/*
 * sandbox.h - what the processes of a workspace see: a list of typed operations, applied in order.
 * sandbox_build() forks, unshares the user and mount namespaces and applies the list there; what is mounted lives as long as the
 * descriptors of the namespaces in the enclosure (or a process in them) do: nobody has to wait inside. Each task then enters them and gets
 * a pid namespace and a copy of the mounts of its own (sandbox_enter). Behind the fork nothing is allocated.
 *
 * Handles: numbers below SANDBOX_HANDLES under which operations keep descriptors for later ones: sources are opened before anything is
 * mounted over the paths that led to them.
 * Errors: ERR_IO naming step, path and errno.
 */
#ifndef RUN_SANDBOX_H
#define RUN_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define SANDBOX_HANDLES 64
#define SANDBOX_LAYERS 6
#define SANDBOX_TOLD 8

enum sandbox_kind {
	SANDBOX_MAP_IDS,	/* our user and group, and no other; root becomes user 1000, so that archives of strangers unpack */
	SANDBOX_PRIVATE,	/* mounts made here stay here */
	SANDBOX_OPEN,		/* to = the directory `path` */
	SANDBOX_CLONE,		/* to = a detached copy of the mount at `path` (NULL: of handle `from`), read-only where ro */
	SANDBOX_TMPFS,		/* a new one on `path`, at most `size` bytes and `inodes`; to = it */
	SANDBOX_DIR,		/* to = the new directory `path` in `from` */
	SANDBOX_OVERLAY,	/* to = a detached overlay of layers[0..n_layers), top first, under upper (with work) */
	SANDBOX_HIDE,		/* an empty place instead of what is at `path`; nothing there: nothing to hide */
	SANDBOX_MKDIRS,		/* mkdir -p `path`: in a hidden place */
	SANDBOX_ATTACH,		/* mount `from` (detached) at `path`, which is reached without links */
	SANDBOX_TELL,		/* hand the directory `from` to the builder */
	SANDBOX_PROC,		/* a /proc of this pid namespace; where the system hides parts of its own, the old one stays */
	SANDBOX_DROP,		/* every capability, for ever */
};

/* Of a user or group number of ours: what it is inside. */
#define SANDBOX_INSIDE(id) ((id) ? (id) : 1000)

struct sandbox_op {
	enum sandbox_kind kind;
	const char *path;
	int to, from;
	int upper, work;
	int layers[SANDBOX_LAYERS];
	int n_layers;
	int64_t size, inodes;
	bool ro;
};

struct sandbox_state {
	int handles[SANDBOX_HANDLES];
	int told[SANDBOX_TOLD];
	int n_told;
	struct {
		char step[24], path[160];
		int error;		/* errno */
	} failed;
};

struct enclosure {		/* the namespaces of a workspace, kept by their descriptors */
	int user_ns, mnt_ns;	/* -1: none */
};
#define ENCLOSURE_NONE { -1, -1 }

/* One operation after the other, in this process; -1 and state->failed at the first that fails. */
int sandbox_apply(const struct sandbox_op *ops, size_t n, struct sandbox_state *state);
/* The list in new namespaces; ret_told: what it told, in order, n_told descriptors. */
int sandbox_build(const struct sandbox_op *ops, size_t n, struct enclosure *ret, int *ret_told, int n_told, struct err *err);
void enclosure_clear(struct enclosure *e);

/*
 * In a fork of ours: enter, and become two. Returns 0 in the new process: 1 of its pid namespace, a child of our parent, with a copy of the mounts.
 * The other writes the new process's number, as the parent counts, to `tell` and exits. -1 and errno, *ret_step on failure.
 */
int sandbox_enter(const struct enclosure *e, int tell, const char **ret_step);

#endif
