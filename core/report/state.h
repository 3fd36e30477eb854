/*
 * state.h - where a campaign stands now: for `status`, its --json, and the line that a watcher without a terminal gets.
 * Pure: the caller looks at the lock, at <state>/live and at the refs, and hands over what it saw.
 */
#ifndef REPORT_STATE_H
#define REPORT_STATE_H

#include "base/logfmt.h"
#include "report/outline.h"

enum state { STATE_RUNNING, STATE_STOPPED, STATE_WAITING, STATE_ENDED };

struct state_in {
	const struct history *history;
	bool running;			/* the lock is held */
	const struct event *live;	/* what the loop said last; empty or NULL: nothing. When none runs, only its end= counts */
	const struct strs *warnings;	/* found by the caller; may be NULL */
	size_t columns;			/* of the terminal; 0: no limit */
	size_t verdicts;		/* how many of the last to show */
	bool colour;
};

enum state state_of(const struct state_in *in);
const char *state_word(enum state s);		/* "running" "stopped" "waiting" "ended" */
/* "campaign main is running: experiment 8, evaluate score, sample 2, for 12s" */
void state_headline(const struct state_in *in, struct str *ret);
/* Every line ends within `columns`. */
void state_text(const struct state_in *in, struct str *ret);
/* DESIGN section 4: campaign state best value experiments accepted budget{} waiting[] */
void state_json(const struct state_in *in, struct str *ret);

#endif
