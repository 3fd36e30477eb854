/*
 * verdict.h - from numbers to a verdict.
 * Pure; the only place where a verdict is made.
 *
 * value = median of the samples (even count: mean of the middle two).
 * gain = best - value (minimize) or value - best (maximize), one double subtraction;
 * T = min_delta, or p * |best|; better iff gain > T, worse iff gain < -T, else no-gain.
 *
 * A guard's max_regression: no further than the amount from best's and the baseline's value, the
 * bound included and its last place forgiven (people write bounds in decimals).
 *
 * Order of judgement: metric-invalid, metric-missing; `outside` (escalate out-of-range); worse;
 * no-gain (unless simpler); guards that reject; guards that escalate; low-confidence;
 * human-criteria; better or simpler (or, where a person said yes before, approved).
 */
#ifndef POLICY_VERDICT_H
#define POLICY_VERDICT_H

#include "policy/policy.h"

enum verdict { VERDICT_NONE, VERDICT_ACCEPT, VERDICT_REJECT, VERDICT_ESCALATE };
extern const char *const verdict_names[];	/* "none" "accept" "reject" "escalate" */
bool verdict_parse(const char *name, enum verdict *ret);

enum reason {
	REASON_NONE,
	/* accept */
	REASON_BASELINE, REASON_BETTER, REASON_SIMPLER, REASON_APPROVED,
	/* reject */
	REASON_WORSE, REASON_NO_GAIN, REASON_INCONCLUSIVE, REASON_GUARD, REASON_GATE, REASON_SURFACE, REASON_LIMITS, REASON_NO_OP,
	REASON_DUPLICATE, REASON_CRASH, REASON_TIMEOUT, REASON_BUDGET, REASON_METRIC_MISSING, REASON_METRIC_INVALID,
	REASON_AGENT_FAILED, REASON_HOLDOUT, REASON_DENIED, REASON_CONFLICT, REASON_INTERRUPTED,
	/* escalate (with SURFACE and GUARD) */
	REASON_LOW_CONFIDENCE, REASON_OUT_OF_RANGE, REASON_HUMAN_CRITERIA, REASON_EVALUATOR_BROKEN, REASON_FAILURES,
	REASON_NOT_CONVERGED,
	REASON_N
};
extern const char *const reason_names[];
bool reason_parse(const char *name, enum reason *ret);
/* consecutive ones of these make `failures`: agent-failed crash timeout metric-* */
bool reason_is_failure(enum reason r);

/* Samples of the metrics of one measured tree. */
struct measured {
	struct series {
		char *metric;
		double *v;
		size_t n, alloc;
	} *s;
	size_t n, alloc;
};
void measured_add(struct measured *m, const char *metric, double value);
const struct series *measured_find(const struct measured *m, const char *metric);	/* NULL: none */
bool measured_value(const struct measured *m, const char *metric, double *ret);	/* the median */
void measured_copy(const struct measured *from, struct measured *ret);
void measured_free(struct measured *m);
double stats_median(const double *v, size_t n);		/* n > 0; v is not changed */
/*
 * Spread of samples: half the interquartile range for n >= 4, half of max - min below that; 0 for
 * one.
 */
double stats_spread(const double *v, size_t n);

struct decision_in {
	const struct policy *policy;
	const struct measured *candidate, *best, *baseline;	/* best and baseline NULL for a baseline */
	double confidence;		/* the agent's own word; NaN: none */
	bool fewer_lines;		/* than best, against the campaign's start */
	bool approved;			/* a person said yes: escalations and the escalated guards do not apply again */
};

struct decision {
	enum verdict verdict;
	enum reason reason;
	bool has_value, has_best;
	double value, best, delta;	/* of the goal, whatever decided; delta = value - best */
	double threshold;		/* T */
	const char *metric;		/* the guard's, range's or missing metric where that decided, else the goal's; owned by the policy */
	const char *owner;		/* of the guard or human criterion, or NULL */
};
void decide(const struct decision_in *in, struct decision *ret);
/* value reached policy->goal.target? false where there is none */
bool target_reached(const struct policy *p, double value);

#endif
