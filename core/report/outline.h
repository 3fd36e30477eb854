/*
 * outline.h - a campaign as pictures and summaries see it: its numbers as points, its best as a line of steps, its sums.
 * Made from the fold (ledger/history.h) alone, so that every format of `report` tells the same.
 *
 * Memory: outline_free() ends it; it points into the history, which must outlive it.
 */
#ifndef REPORT_OUTLINE_H
#define REPORT_OUTLINE_H

#include "report/words.h"

struct point {
	const struct record *record;
	enum outcome outcome;
	double value;		/* NaN: none */
};

struct step {			/* from number `at` on, best is `value` (a rollback makes it worse) */
	int at;
	double value;
};

struct outline {
	const struct history *history;
	const char *metric;
	bool minimize;
	struct point *points;	/* by number; what is not recorded has none */
	size_t n_points;
	struct step *steps;
	size_t n_steps, alloc_steps;
	size_t counts[OUTCOME_WAITING + 1];
	size_t experiments;	/* baselines left out */
	double baseline, best;	/* NaN: none */
	double gain, share;	/* of best over baseline, positive is better; share of |baseline|; NaN: none */
	int best_number;	/* -1: none */
	int64_t tokens;		/* -1: none known */
	double usd;		/* negative: none known */
	int64_t wall;		/* of the loop, ns */
};

void outline_make(const struct history *h, struct outline *ret);
/* Best and baseline only, without looking at each number: no points, steps and counts. */
void outline_best(const struct history *h, struct outline *ret);
struct point outline_point(const struct history *h, const struct record *r);
void outline_free(struct outline *o);

/* The best value before this number was judged, its gain over it; NaN: none. For lists of what was kept. */
double outline_gain(const struct outline *o, const struct point *p);
/* "val_bpb 0.9979 -> 0.9697 (2.83% better)", or what can be said before that. arrow: between the values. */
void outline_headline(const struct outline *o, const char *arrow, struct str *ret);
/* "126 experiments, 23 kept, 97 discarded, 6 failed" */
void outline_counts(const struct outline *o, struct str *ret);

#endif
