/*
 * task.h - one bounded process of an experiment: agent, execute, a stage's sample, prepare.
 * A supervisor (a fork of ours: own session, subreaper) starts `/bin/sh -c command`, holds the deadline, and ends the whole tree of processes:
 * TERM to all, grace, KILL to all, reaped, before the end is told. It also ends the tree when the harness dies (its control pipe closes).
 * When the command itself ends, what it left running is killed at once. The end comes as a callback from the reactor (pidfd and status pipe);
 * nothing here blocks. Output is drained to the end whatever its size; capture keeps head and tail.
 *
 * Memory: task_free() kills and reaps what still runs, synchronously, and accepts NULL. spec's strings are copied.
 * Errors: ERR_IO with step and errno when the process cannot be set up (not: command not found, which is exit 127).
 */
#ifndef RUN_TASK_H
#define RUN_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "run/reactor.h"
#include "run/sandbox.h"

#define CAPTURE_SIDE ((size_t)64 * 1024)	/* bytes of head and of tail */

struct capture {		/* head and tail of a stream */
	struct str head;
	char *tail;		/* ring */
	size_t tail_at, tail_len;
	int64_t total;
	int64_t limit;		/* bytes that count as kept at most (budget.output); beyond: counted only. -1 none */
};
void capture_add(struct capture *c, const void *ptr, size_t len);
void capture_text(const struct capture *c, struct str *ret);	/* head, "[... 1234 bytes left out ...]", tail */
void capture_free(struct capture *c);

enum task_stream { TASK_OUT, TASK_ERR, TASK_METRICS };
typedef void task_sink(void *data, enum task_stream stream, const void *ptr, size_t len);

struct task_spec {
	const char *command;
	const char *dir;
	const struct enclosure *enclosure;	/* the workspace's (workspace_enclosure), NULL: none; dir is a path in there */
	const struct strs *env;		/* the whole environment, NAME=value */
	const char *in;			/* standard input, or NULL: /dev/null */
	size_t in_len;
	int64_t wall;			/* ns; <= 0: none */
	int64_t grace;			/* ns between TERM and KILL; 0: 5 s */
	int64_t output;			/* bytes kept of output; -1: none */
	bool metrics_fd;		/* a pipe whose number is put in GIT_HARNESS_METRICS_FD; delivered as TASK_METRICS */
	const int *close_fds;		/* without effect: the supervisor closes all it was not given, the campaign's lock too */
	task_sink *sink;		/* sees every byte of out, err, metrics as it comes; may be NULL */
	void *sink_data;
};

struct task_end {
	bool timed_out;			/* wall; exit is then meaningless */
	bool cancelled;			/* by task_cancel */
	int exit;			/* 0-255, or 128 + signal */
	int signal;			/* 0: it exited */
	int64_t wall, cpu;		/* ns; cpu of the whole tree */
	int64_t maxrss;			/* bytes, largest process */
	int64_t killed;			/* processes that had to be killed after the command's own end */
};

struct task;
typedef int task_fn(void *data, struct task *task, const struct task_end *end, struct err *err);

int task_start(struct reactor *r, const struct task_spec *spec, task_fn *fn, void *data, struct task **ret, struct err *err);
const struct capture *task_capture(const struct task *task);	/* out and err together, as they came */
void task_cancel(struct task *task, bool at_once);	/* TERM, grace, KILL; at_once: KILL. The end still comes through fn */
void task_free(struct task *task);
/* A descriptor that every later supervisor keeps open until its tree is dead, and no command sees: the workspaces' lock, so that who comes
 * after a killed harness waits for its processes. -1: none. */
void task_hold(int fd);
/* Start, drive an own reactor, end: for prepare, replay and tests. */
int task_run(const struct task_spec *spec, struct task_end *ret, struct str *ret_log, struct err *err);

/* The environment of a run: scrubbed to PATH HOME LANG TERM TMPDIR TRACEPARENT of ours and the names in `pass`; then strs_add more. tmpdir becomes
 * TMPDIR and must exist. */
void task_env(const struct strs *pass, const char *tmpdir, struct strs *ret);

#endif
