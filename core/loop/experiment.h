/*
 * experiment.h - one experiment as a machine. Internal to core/loop.
 * An enter function starts a state's work and posts a move now or from a callback; experiment_pump() takes posted moves through the edge
 * table, journal first. Entering a state is safe to repeat: what has a line already is not done again.
 *
 *   propose.c PROPOSE          check.c  CHECK          work.c  EXECUTE, EVALUATE, DECIDE
 *   settle.c  ACCEPT, REJECT, ESCALATE, RECORD         next.c  BUDGET, BASELINE, DONE
 *   lines.c   what it puts down as it goes            resume.c  the journal back to experiments
 *   slots.c   several side by side                    turn.c    who may measure
 */
#ifndef LOOP_EXPERIMENT_H
#define LOOP_EXPERIMENT_H

#include "agent/agent.h"
#include "ledger/act.h"
#include "ledger/journal.h"
#include "ledger/ledger.h"
#include "ledger/lock.h"
#include "loop/loop.h"
#include "loop/machine.h"
#include "loop/measure.h"
#include "policy/surface.h"
#include "run/workspace.h"

enum kind { KIND_BASELINE, KIND_NEW, KIND_APPROVED, KIND_ANY };	/* the last only to ask for */

struct experiment {
	struct loop *loop;
	size_t slot;			/* of parallel.jobs */
	enum state state;
	int before;			/* resumed: the state before it, -1 */
	int posted;			/* enum move, -1: none */
	bool pumping;
	int64_t since;			/* mono ns, when this state was entered */
	bool open;			/* a number is taken */
	bool resumed;			/* from the journal, and not entered yet */
	bool waits;			/* at CHECK: another job measures this very tree */
	enum kind kind;
	int number;
	struct oid policy;		/* pinned when it was opened */
	struct oid base, base_tree;	/* commit it is judged against */
	struct oid tree;		/* candidate */
	struct oid draft;		/* an earlier commit of the same number (parked, or on an earlier best): kept reachable */

	struct proposal proposal;	/* subject, body, confidence, stop */
	bool taken;			/* the proposal is in the journal: */
	struct event facts;		/* its line there */
	struct tree_lines lines_of;	/* against base */
	int64_t files, net;		/* net: against the campaign's start */
	int64_t dropped;
	struct strs dropped_paths;
	int64_t agent_wall;
	struct task *agent;
	struct workspace *ws;		/* the agent's */
	struct watch *pause;

	struct events lines;		/* the record so far */
	struct events journal;		/* all that the journal holds of it */
	char *dir, *keep, *keep_state;	/* <state>/open/<number>, below it artifacts and execute.state between steps */
	struct measure run, trial;
	bool on_trial;			/* a suspect evaluator is being tried on best */
	struct outcome blame;		/* the candidate's outcome meanwhile */

	/* The verdict, from whoever gave it. */
	struct decision decision;
	enum reason reason;
	char *why, *path;
	const char *stage;
	int exit;
};

int experiment_post(struct experiment *x, enum move on);
int experiment_pump(struct experiment *x, struct err *err);
void experiment_reset(struct experiment *x);

/* Give the experiment its verdict by reason alone (the reason's own verdict), and say why. Returns the move. */
enum move experiment_blame(struct experiment *x, enum verdict verdict, enum reason reason, const char *why);

/* Enter functions: one a state. */
int enter_budget(struct experiment *x, struct err *err);
int enter_baseline(struct experiment *x, struct err *err);
int enter_propose(struct experiment *x, struct err *err);
int enter_check(struct experiment *x, struct err *err);
int enter_execute(struct experiment *x, struct err *err);
int enter_evaluate(struct experiment *x, struct err *err);
int enter_decide(struct experiment *x, struct err *err);
int enter_judged(struct experiment *x, struct err *err);	/* ACCEPT, REJECT, ESCALATE */
int enter_record(struct experiment *x, struct err *err);
int enter_done(struct experiment *x, struct err *err);

/* The record's first line, of x->tree and what it changed; repeating it adds nothing. */
int experiment_proposed(struct experiment *x, const struct tree_changes *changes, struct err *err);
/* One line of the record: common keys are put in front; it is journaled (results: durable) and kept. line is emptied. */
int experiment_line(struct experiment *x, const char *kind, struct event *line, struct err *err);
/* One line to the journal; kept in memory too, for as long as a number is taken. */
int experiment_journal(struct experiment *x, const struct event *line, bool durable, struct err *err);
/* It is recorded, or never was: its lines leave the journal, its files are removed. */
int experiment_forget(struct experiment *x, struct err *err);
/* A directory of its own, empty. */
int experiment_place(struct experiment *x, int number, struct err *err);
void experiment_set_place(struct experiment *x);
bool experiment_is_running(const struct experiment *x);	/* a process of it is */
bool experiment_is_measured(const struct experiment *x);
/* The journal's lines of the open experiments back to what they were; posts nothing. What is no longer open leaves the journal. */
int experiment_resume(struct loop *loop, const struct events *journal, struct err *err);
/* A candidate that was recorded before: its own words again, from the ledger. */
int experiment_recall(struct experiment *x, struct err *err);
/* Logs of an open experiment: files in its directory, written as the steps end, read when it is recorded. */
int experiment_save(struct experiment *x, const char *name, const void *ptr, size_t len, struct err *err);
int experiment_load(struct experiment *x, const char *name, struct str *ret, struct err *err);

int measure_of_experiment(struct experiment *x, struct err *err);	/* readies x->run for base or candidate */
/* A commit of the candidate as it stands, for people; no verdict yet. */
int experiment_draft(struct experiment *x, struct oid *ret, struct err *err);
/* Keep that candidate's objects from being pruned until it is recorded. */
int experiment_hold(struct experiment *x, const struct oid *tree, struct err *err);
int experiment_let_go(struct experiment *x, struct err *err);

#endif
