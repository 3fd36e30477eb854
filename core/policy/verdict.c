#include "policy/verdict.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const char *const verdict_names[] = {
	[VERDICT_NONE] = "none",
	[VERDICT_ACCEPT] = "accept",
	[VERDICT_REJECT] = "reject",
	[VERDICT_ESCALATE] = "escalate",
};

const char *const reason_names[] = {
	[REASON_NONE] = "none",
	[REASON_BASELINE] = "baseline",
	[REASON_BETTER] = "better",
	[REASON_SIMPLER] = "simpler",
	[REASON_APPROVED] = "approved",
	[REASON_WORSE] = "worse",
	[REASON_NO_GAIN] = "no-gain",
	[REASON_INCONCLUSIVE] = "inconclusive",
	[REASON_GUARD] = "guard",
	[REASON_GATE] = "gate",
	[REASON_SURFACE] = "surface",
	[REASON_LIMITS] = "limits",
	[REASON_NO_OP] = "no-op",
	[REASON_DUPLICATE] = "duplicate",
	[REASON_CRASH] = "crash",
	[REASON_TIMEOUT] = "timeout",
	[REASON_BUDGET] = "budget",
	[REASON_METRIC_MISSING] = "metric-missing",
	[REASON_METRIC_INVALID] = "metric-invalid",
	[REASON_AGENT_FAILED] = "agent-failed",
	[REASON_HOLDOUT] = "holdout",
	[REASON_DENIED] = "denied",
	[REASON_CONFLICT] = "conflict",
	[REASON_INTERRUPTED] = "interrupted",
	[REASON_LOW_CONFIDENCE] = "low-confidence",
	[REASON_OUT_OF_RANGE] = "out-of-range",
	[REASON_HUMAN_CRITERIA] = "human-criteria",
	[REASON_EVALUATOR_BROKEN] = "evaluator-broken",
	[REASON_FAILURES] = "failures",
	[REASON_NOT_CONVERGED] = "not-converged",
};

/* Index of name in names[1..n-1]; 0: none of them ("none" itself is never written). */
static size_t find_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 1; i < n; i++)
		if (!strcmp(names[i], name))
			return i;
	return 0;
}

bool verdict_parse(const char *name, enum verdict *ret)
{
	size_t i = find_name(verdict_names, ARRAY_SIZE(verdict_names), name);

	if (i)
		*ret = (enum verdict)i;
	return i;
}

bool reason_parse(const char *name, enum reason *ret)
{
	size_t i = find_name(reason_names, REASON_N, name);

	if (i)
		*ret = (enum reason)i;
	return i;
}

bool reason_is_failure(enum reason r)
{
	return r == REASON_AGENT_FAILED || r == REASON_CRASH || r == REASON_TIMEOUT ||
	       r == REASON_METRIC_MISSING || r == REASON_METRIC_INVALID;
}

static struct series *find_series(const struct measured *m, const char *metric)
{
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->s[i].metric, metric))
			return &m->s[i];
	return NULL;
}

void measured_add(struct measured *m, const char *metric, double value)
{
	struct series *s = find_series(m, metric);

	if (!s) {
		GROW(m->s, m->n, m->alloc);
		s = &m->s[m->n++];
		*s = (struct series){ .metric = xstrdup(metric) };
	}
	GROW(s->v, s->n, s->alloc);
	s->v[s->n++] = value;
}

const struct series *measured_find(const struct measured *m, const char *metric)
{
	return find_series(m, metric);
}

bool measured_value(const struct measured *m, const char *metric, double *ret)
{
	const struct series *s = find_series(m, metric);

	if (s)
		*ret = stats_median(s->v, s->n);
	return s;
}

void measured_copy(const struct measured *from, struct measured *ret)
{
	struct measured copy = { 0 };

	for (size_t i = 0; i < from->n; i++)
		for (size_t k = 0; k < from->s[i].n; k++)
			measured_add(&copy, from->s[i].metric, from->s[i].v[k]);
	measured_free(ret);
	*ret = copy;
}

void measured_free(struct measured *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->s[i].metric);
		free(m->s[i].v);
	}
	free(m->s);
	*m = (struct measured){ 0 };
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double *sorted(const double *v, size_t n)
{
	double *copy = xmalloc(n * sizeof(*copy));

	memcpy(copy, v, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), by_value);
	return copy;
}

double stats_median(const double *v, size_t n)
{
	AUTOFREE double *s = sorted(v, n);
	double a = s[(n - 1) / 2], b = s[n / 2], sum = a + b;

	if (n % 2)
		return b;
	/* Two numbers near the end of the range have a mean, though no sum. */
	return isfinite(sum) ? sum / 2 : a / 2 + b / 2;
}

/* The value at a share of the way through sorted samples, between neighbours in proportion. */
static double quantile(const double *s, size_t n, double share)
{
	double at = share * (double)(n - 1);
	size_t i = (size_t)at;

	return s[i] + (at - (double)i) * (s[i + 1] - s[i]);
}

double stats_spread(const double *v, size_t n)
{
	AUTOFREE double *s = sorted(v, n);

	if (n < 4)
		return s[n - 1] / 2 - s[0] / 2;
	return (quantile(s, n, 0.75) - quantile(s, n, 0.25)) / 2;
}

static double amount_of(const struct amount *a, double reference)
{
	if (!a->set)
		return 0;
	return a->relative ? a->value * fabs(reference) : a->value;
}

/*
 * The rest is decide(), step by step: each answers whether it has decided, and then has filled ret.
 */

static bool settle(struct decision *ret, enum verdict verdict, enum reason reason,
		   const char *metric, const char *owner)
{
	ret->verdict = verdict;
	ret->reason = reason;
	ret->metric = metric;
	ret->owner = owner;
	return true;
}

static const char *metric_at(const struct policy *p, size_t i)
{
	if (!i--)
		return p->goal.metric;
	if (i < p->n_guards)
		return p->guards[i].metric;
	i -= p->n_guards;
	return i < p->escalate.n_outside ? p->escalate.outside[i].metric : NULL;
}

static bool is_finite_series(const struct series *s)
{
	for (size_t i = 0; s && i < s->n; i++)
		if (!isfinite(s->v[i]))
			return false;
	return true;
}

/*
 * Every number that the policy asks for is there; a reference that was never measured is missing as
 * well.
 */
static bool decide_numbers(const struct decision_in *in, struct decision *ret)
{
	const char *name;

	for (size_t i = 0; (name = metric_at(in->policy, i)); i++)
		if (!is_finite_series(measured_find(in->candidate, name)))
			return settle(ret, VERDICT_REJECT, REASON_METRIC_INVALID, name, NULL);
	for (size_t i = 0; (name = metric_at(in->policy, i)); i++)
		if (!measured_find(in->candidate, name))
			return settle(ret, VERDICT_REJECT, REASON_METRIC_MISSING, name, NULL);
	if (in->best && !measured_find(in->best, in->policy->goal.metric))
		return settle(ret, VERDICT_REJECT, REASON_METRIC_MISSING, in->policy->goal.metric,
			      NULL);
	return false;
}

static bool decide_outside(const struct decision_in *in, struct decision *ret)
{
	for (size_t i = 0; i < in->policy->escalate.n_outside; i++) {
		const struct range *r = &in->policy->escalate.outside[i];
		double value = 0;

		measured_value(in->candidate, r->metric, &value);
		if (value < r->min || value > r->max)
			return settle(ret, VERDICT_ESCALATE, REASON_OUT_OF_RANGE, r->metric, NULL);
	}
	return false;
}

/*
 * Worse and no-gain are decided here; what goes on is better, or as good with fewer lines
 * (*ret_simpler).
 */
static bool decide_gain(const struct decision_in *in, struct decision *ret, bool *ret_simpler)
{
	const struct policy *p = in->policy;
	double gain =
		p->goal.direction == MINIMIZE ? ret->best - ret->value : ret->value - ret->best;

	if (gain < -ret->threshold)
		return settle(ret, VERDICT_REJECT, REASON_WORSE, p->goal.metric, NULL);
	*ret_simpler = !(gain > ret->threshold);
	if (*ret_simpler && !(p->goal.prefer_simpler && in->fewer_lines))
		return settle(ret, VERDICT_REJECT, REASON_NO_GAIN, p->goal.metric, NULL);
	return false;
}

/*
 * Not further from the reference than allowed, the bound itself included. Compared on the bound's
 * side of the subtraction and with room for the last place: 0.8955 is 0.5% below 0.9 to the person
 * who wrote the policy, but in doubles 0.9 - 0.8955 is more than 0.005 * 0.9.
 */
static bool regression_passes(const struct guard *g, double value, double reference)
{
	double bound = amount_of(&g->max_regression, reference);
	double limit = g->direction == MINIMIZE ? reference + bound : reference - bound;
	double slack = 4 * DBL_EPSILON * fmax(fabs(limit), fabs(reference));

	return g->direction == MINIMIZE ? value <= limit + slack : value >= limit - slack;
}

enum guard_answer { GUARD_PASSES, GUARD_FAILS, GUARD_UNKNOWN };

static enum guard_answer guard_against(const struct guard *g, double value,
				       const struct measured *reference)
{
	double was;

	if (!g->max_regression.set || !reference)
		return GUARD_PASSES;
	if (!measured_value(reference, g->metric, &was))
		return GUARD_UNKNOWN;
	return regression_passes(g, value, was) ? GUARD_PASSES : GUARD_FAILS;
}

static enum guard_answer guard_judge(const struct guard *g, const struct decision_in *in)
{
	enum guard_answer best, baseline;
	double value = 0;

	measured_value(in->candidate, g->metric, &value);
	if (value < g->min || value > g->max)	/* NaN, for none, is never either */
		return GUARD_FAILS;
	best = guard_against(g, value, in->best);
	baseline = guard_against(g, value, in->baseline);
	return best == GUARD_PASSES ? baseline : best;
}

static bool decide_guards(const struct decision_in *in, enum on_violation kind,
			  struct decision *ret)
{
	enum verdict verdict = kind == ON_ESCALATE ? VERDICT_ESCALATE : VERDICT_REJECT;

	for (size_t i = 0; i < in->policy->n_guards; i++) {
		const struct guard *g = &in->policy->guards[i];
		enum guard_answer answer;

		if ((g->on_violation == ON_ESCALATE) != (kind == ON_ESCALATE))
			continue;
		answer = guard_judge(g, in);
		if (answer == GUARD_UNKNOWN)
			return settle(ret, VERDICT_REJECT, REASON_METRIC_MISSING, g->metric,
				      g->owner);
		if (answer == GUARD_FAILS)
			return settle(ret, verdict, REASON_GUARD, g->metric, g->owner);
	}
	return false;
}

/* What only a person can answer for a change that has passed everything else. */
static bool decide_people(const struct decision_in *in, struct decision *ret)
{
	const struct policy *p = in->policy;

	/* Either being NaN, for absent, makes this false. */
	if (in->confidence < p->escalate.agent_confidence_below)
		return settle(ret, VERDICT_ESCALATE, REASON_LOW_CONFIDENCE, p->goal.metric, NULL);
	if (p->escalate.n_human)
		return settle(ret, VERDICT_ESCALATE, REASON_HUMAN_CRITERIA, p->goal.metric,
			      p->escalate.human[0].owner);
	return false;
}

static void compare(const struct decision_in *in, struct decision *ret)
{
	const char *goal = in->policy->goal.metric;
	const struct series *s = measured_find(in->candidate, goal);

	ret->has_value =
		s && is_finite_series(s) && measured_value(in->candidate, goal, &ret->value);
	ret->has_best = in->best && measured_value(in->best, goal, &ret->best);
	if (ret->has_best)
		ret->threshold = amount_of(&in->policy->goal.min_delta, ret->best);
	if (ret->has_best && ret->has_value)
		ret->delta = ret->value - ret->best;
}

void decide(const struct decision_in *in, struct decision *ret)
{
	const char *goal = in->policy->goal.metric;
	bool simpler = false;

	*ret = (struct decision){ .verdict = VERDICT_NONE };
	compare(in, ret);
	if (decide_numbers(in, ret))
		return;
	if (!in->best) {
		settle(ret, VERDICT_ACCEPT, REASON_BASELINE, goal, NULL);
		return;
	}
	if (!in->approved && decide_outside(in, ret))
		return;
	if (decide_gain(in, ret, &simpler) || decide_guards(in, ON_REJECT, ret))
		return;
	if (!in->approved && (decide_guards(in, ON_ESCALATE, ret) || decide_people(in, ret)))
		return;
	settle(ret, VERDICT_ACCEPT,
	       in->approved ? REASON_APPROVED
	       : simpler    ? REASON_SIMPLER
			    : REASON_BETTER,
	       goal, NULL);
}

bool target_reached(const struct policy *p, double value)
{
	/* No target is NaN, and so is no value: neither compares. */
	return p->goal.direction == MINIMIZE ? value <= p->goal.target : value >= p->goal.target;
}
