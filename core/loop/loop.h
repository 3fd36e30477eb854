/*
 * loop.h - run a campaign: what start, resume and replay stand on.
 * loop_open() takes the lock, mends the record, prepares workspaces and agent, and reads the journal; loop_run() drives until the
 * campaign ends by its own rules, a person stops it, or a signal comes. kill -9 at any instant, then loop_open() again, loses no finished work.
 *
 * Memory: loop_free() ends children, lets go of the lock, accepts NULL. The repo stays the caller's.
 * Errors: of the harness only; ERR_EVALUATOR where the evaluator cannot run, ERR_LOCKED, ERR_REFUSED with hints.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdbool.h>

#include "git/repo.h"
#include "ledger/history.h"

struct loop;

struct loop_options {
	const char *campaign;
	const char *command;		/* "start", "resume": for the lock */
	int max_experiments;		/* -n: in this session; -1: none */
	bool must_exist;		/* resume */
	bool advance, adopt_policy;
	bool replay;			/* the pinned policy counts, HEAD is not looked at, the open experiment stays as it is */
	const char *hooks;		/* directory of the hooks given to the agent's git, or NULL */
	void (*tell)(void *data, const char *line);	/* one line for people: notes, warnings; may be NULL */
	/* Live state, on every change and about once a second: the line of <state>/live. May be NULL. */
	void (*live)(void *data, const struct event *live);
	/* A number was recorded. May be NULL. */
	void (*recorded)(void *data, const struct history *h, const struct record *r);
	void *data;
};

enum loop_end {
	LOOP_ENDED,		/* by the campaign's own rules: why says which */
	LOOP_STOPPED,		/* stop, or -n */
	LOOP_ESCALATED,		/* a loop-level escalation, or block: loop */
	LOOP_BROKEN,		/* evaluator-broken */
	LOOP_SIGNAL,
};

struct loop_result {
	enum loop_end end;
	char why[160];		/* "budget of 100 experiments used", ... */
	int signal;		/* LOOP_SIGNAL */
	int experiments, accepted;	/* of this session */
	bool gain;		/* best moved in this session */
};

int loop_open(struct repo *repo, const struct loop_options *o, struct loop **ret, struct err *err);
int loop_run(struct loop *loop, struct loop_result *ret, struct err *err);
const struct history *loop_history(const struct loop *loop);
void loop_free(struct loop *loop);

/* Open experiments that nobody runs: record them as reject (interrupted). "3, 4"; nothing: there was none. Takes the lock. */
int loop_discard(struct repo *repo, const char *campaign, struct str *ret_numbers, struct err *err);

struct replay_result {
	struct measured measured;
	struct decision decision;	/* against the best it was judged against */
	enum verdict then_verdict;	/* what the numbers gave when it was decided: a denial or a conflict came later */
	enum reason then_reason;
	bool agrees;			/* same verdict and reason */
	char *why;			/* of a failure; NULL */
};
int loop_replay(struct repo *repo, const char *campaign, int number, struct replay_result *ret, struct err *err);
void replay_clear(struct replay_result *r);

#endif
