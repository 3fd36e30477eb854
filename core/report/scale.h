/*
 * scale.h - from values to pixels, and the round numbers on an axis.
 */
#ifndef REPORT_SCALE_H
#define REPORT_SCALE_H

#include "base/num.h"
#include "report/outline.h"

struct scale {
	double lo, hi;		/* values at the ends; lo < hi */
	double at_lo, at_hi;	/* pixels there */
	double step;		/* between ticks: 1, 2, 2.5 or 5 times a power of ten */
	double first;		/* the first tick */
	int ticks;
	int decimals;
	double unit;		/* labels are divided by it: 1, 1e3, 1e6, 1e9 */
	const char *suffix;	/* "", "k", "M", "G" */
};

/* About `want` ticks. whole: steps are whole numbers. lo == hi is widened. */
void scale_init(struct scale *s, double lo, double hi, int want, bool whole);
double scale_at(const struct scale *s, double value);	/* pixels, not clamped */
double scale_tick(const struct scale *s, int i);
void scale_label(const struct scale *s, double value, char ret[NUM_TEXT]);

/* The values worth showing: all of the best line, and the others as far as they do not dwarf it. false: nothing was measured. */
bool scale_range(const struct outline *o, double *ret_lo, double *ret_hi);

#endif
