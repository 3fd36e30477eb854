/*
 * machine.h - the states of an experiment and the one table of moves between them.
 * States do, events say, the table decides. A slot begins in BUDGET, which says what comes next; one turn round the table
 * is one experiment. The manual prints this table and a test walks it.
 */
#ifndef LOOP_MACHINE_H
#define LOOP_MACHINE_H

#include <stddef.h>

#include "base/str.h"

enum state {
	BUDGET, BASELINE, PROPOSE, CHECK, EXECUTE, EVALUATE, DECIDE, ACCEPT, REJECT, ESCALATE, RECORD, DONE,
	STATE_N
};

enum move {
	MOVE_FIRST,		/* best must be measured before anything is proposed */
	MOVE_GO,		/* budget left: ask the agent */
	MOVE_APPROVED,		/* a person said yes to a candidate that is still to be measured */
	MOVE_END,		/* the campaign, or this session of it, is over */
	MOVE_READY,
	MOVE_PROPOSED,
	MOVE_NO_IDEAS,		/* the agent has converged */
	MOVE_FAILED,		/* agent, run or stage failed; the reason is in the record */
	MOVE_INSIDE,
	MOVE_REFUSED,		/* outside the surface, over a limit, known already */
	MOVE_ASK,		/* a person must answer */
	MOVE_RAN,
	MOVE_MEASURED,
	MOVE_BROKEN,		/* the evaluator fails on best too */
	MOVE_AGAIN,		/* measure once more: calibration, confirmation */
	MOVE_MOVED,		/* it beats its base, and best is another by now: brought onto it and measured again */
	MOVE_BETTER,
	MOVE_NOT_BETTER,
	MOVE_JUDGED,
	MOVE_RECORDED,
	MOVE_DISCARDED,		/* a person ended it with stop --now --discard */
	MOVE_N
};

struct edge {
	enum state in;
	enum move on;
	enum state to;
};

extern const struct edge edges[];
extern const size_t edges_n;
extern const char *const state_names[STATE_N];
extern const char *const move_names[MOVE_N];

const struct edge *edge_find(enum state in, enum move on);	/* NULL: there is none */
int state_parse(const char *name);				/* -1: no such state */
/* The table as text: "STATE  event  STATE" a line. */
void machine_print(struct str *ret);

#endif
