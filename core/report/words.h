/*
 * words.h - the one place for how verdicts, numbers and times are called and coloured.
 * Every listing and picture asks here, so that an experiment is called the same wherever it is seen.
 */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include "base/num.h"
#include "ledger/history.h"

/* What became of a number: coarser than its verdict, as pictures need it. */
enum outcome {
	OUTCOME_BASELINE,
	OUTCOME_KEPT,
	OUTCOME_DISCARDED,	/* measured, or refused before it was */
	OUTCOME_FAILED,		/* its agent, its run or its numbers did not work */
	OUTCOME_WAITING,	/* for a person, or for the measurement a person asked for */
};
enum outcome outcome_of(const struct record *r);
const char *outcome_word(enum outcome o);	/* "baseline" "kept" "discarded" "failed" "waiting" */

/* The colours of terminals, as escape sequences; "" is none. */
#define COLOUR_OFF "\033[m"
#define COLOUR_BOLD "\033[1m"
#define COLOUR_DIM "\033[2m"
#define COLOUR_GOOD "\033[32m"
#define COLOUR_BAD "\033[31m"
#define COLOUR_ASK "\033[33m"
#define COLOUR_ID "\033[33m"
const char *outcome_colour(enum outcome o);

/* "accept (better)", "escalate (guard), approved" while its measurement is owed; "-" before a verdict. */
void words_verdict(const struct record *r, struct str *ret);
/* The reason in a few plain words: "no-gain" is "no gain beyond the threshold". */
const char *words_reason(enum verdict verdict, enum reason reason);

/* All take NaN or a negative "unknown" and write "-" then. */
void words_number(double value, char ret[NUM_TEXT]);
void words_delta(double delta, char ret[NUM_TEXT]);	/* with its sign */
void words_percent(double share, char ret[NUM_TEXT]);	/* 0.0281 is "2.81%", with '-' where negative */
void words_bytes(int64_t bytes, char ret[NUM_TEXT]);
void words_seconds(int64_t ns, char ret[NUM_TEXT]);

/* The goal's value of a record as the pictures use it; NaN where it was not (wholly) measured. */
double words_goal_value(const struct history *h, const struct record *r);
/* Larger is better or smaller is better: a gain is positive. */
double words_gain(const struct policy *p, double from, double to);
/* The commit to name for a number: the accepted one, else its own. */
const struct oid *words_commit(const struct record *r);
/* "baseline" for a baseline, "(no subject)" for none, else the subject: one safe line. */
void words_subject(const struct record *r, struct str *ret);

#endif
