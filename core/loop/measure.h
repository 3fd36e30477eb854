/*
 * measure.h - measure one tree: execute, then the stages, sample by sample.
 * Used for baselines, candidates, confirmations, trials on best and replays, so all are measured alike. Starts tasks on the bench's
 * reactor and returns; every finished piece is told through `line`, the end of execute and of evaluate through `end`, which may come
 * before the starting call returns.
 *
 * Lines (logfmt, without the common keys):
 *   execute   exit= wall= cpu= maxrss= timeout=1; a step that failed: reason= why= path=, and suspect=1 for exit status 126 and 127
 *   sample    stage= sample= exit= wall= cpu= maxrss= <metric>=<value>        (journal only)
 *   evaluate  stage= exit= wall= cpu= maxrss= timeout=1 <metric>=<v>,<v>      (the record's)
 * After a crash the caller feeds the lines it has back through measure_replay() before it starts anything: what was measured is not measured again.
 *
 * Memory: measure_clear() cancels what runs and ends everything inside; accepts an empty one.
 */
#ifndef LOOP_MEASURE_H
#define LOOP_MEASURE_H

#include "base/logfmt.h"
#include "loop/turn.h"
#include "policy/metric.h"
#include "policy/verdict.h"
#include "run/task.h"
#include "run/workspace.h"

/* Which stage printed which metrics at the baseline. */
struct expect {
	struct strs *stages;	/* one list a stage of the policy; NULL: not known yet (a baseline finds out) */
	int goal_stage;		/* -1: not known */
};
void expect_clear(struct expect *e, size_t n_stages);
/* From a baseline's evaluate lines. */
void expect_learn(const struct policy *p, const struct events *lines, struct expect *ret);

struct bench {
	struct repo *repo;
	const struct policy *policy;
	struct oid policy_blob;
	struct pool *pool;
	struct reactor *reactor;
	const char *campaign;
	const char *keep, *keep_state;	/* where a measure has none of its own */
	struct turns *turns;
	struct strs metrics;		/* names the policy uses */
	struct expect expect;
	int close_fds[2];		/* the lock, -1 */
};

struct outcome {
	enum reason reason;		/* REASON_NONE: all went well */
	bool suspect;			/* 126 or 127: try it on best before blaming the candidate */
	const char *stage;		/* "execute" or a stage's name; owned by the policy; NULL */
	int exit;			/* -1: none */
	char *why, *path;		/* owned; may be NULL */
};
void outcome_clear(struct outcome *o);

struct measure;
typedef int measure_line_fn(void *data, const char *kind, struct event *line, struct err *err);
typedef int measure_end_fn(void *data, struct measure *m, struct err *err);

struct measure {
	const struct bench *bench;
	int number;
	struct oid commit, tree;	/* HEAD and content of the workspaces */
	int round;			/* 0; 1.. for calibration and confirmation: samples go on counting */
	bool baseline;			/* any metric of the policy is welcome from any stage */
	bool trial;			/* on best, for a suspect evaluator: nothing is told through line */
	const char *keep;		/* directory for artifacts between execute and evaluate */
	const char *keep_state;		/* directory for what execute.state names */
	const char *device;		/* of its slot; NULL: none */
	size_t stages;			/* how many of the policy's stages; 0: execute only */
	measure_line_fn *line;
	measure_end_fn *end;
	void *data;

	bool cancelled;			/* told through end: measure_cancel() did it */
	char *state;			/* directory of the state to start from; owned; NULL: none */
	struct measured measured;	/* all rounds */
	struct outcome outcome;		/* of the last execute or evaluate */
	struct capture execute_log, evaluate_log;	/* head and tail, of all runs together */

	/* private */
	bool executed, rebuilding, failed;
	size_t stage, resume_stage;
	int sample;			/* samples of this stage that are done, in this round */
	struct measured pending;	/* of this stage */
	int64_t stage_wall, stage_cpu, stage_rss, evaluation;
	struct turn turn;
	struct workspace *ran, *ws;
	struct task *task;
	struct metric_reader *reader;
};

void measure_init(struct measure *m, const struct bench *bench, measure_line_fn *line, measure_end_fn *end, void *data);
void measure_replay(struct measure *m, const char *kind, const struct event *line);
int measure_execute(struct measure *m, struct err *err);
int measure_evaluate(struct measure *m, struct err *err);
/* Ready for the next round on the same tree: samples and logs are kept. */
void measure_again(struct measure *m);
void measure_cancel(struct measure *m, bool at_once);	/* ends the running task; `end` comes with cancelled set */
void measure_clear(struct measure *m);
const char *measure_phase(const struct measure *m, int *ret_sample);	/* for progress: the stage's name, NULL after the last */

#endif
