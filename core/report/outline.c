#include "report/outline.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* What best was worth when it stood at `commit` and numbers up to `upto` were known: its last baseline, else what it was accepted with. */
static double value_of(const struct outline *o, const struct oid *commit, int upto)
{
	for (size_t i = (size_t)upto < o->n_points ? (size_t)upto + 1 : o->n_points; i > 0; i--) {
		const struct record *r = o->points[i - 1].record;

		if (r->number <= upto && oid_eq(r->baseline ? &r->commit : &r->accepted, commit) && !isnan(o->points[i - 1].value))
			return o->points[i - 1].value;
	}
	return NAN;
}

static void add_step(struct outline *o, int at, double value)
{
	if (isnan(value))
		return;
	if (o->n_steps > 0 && o->steps[o->n_steps - 1].value == value)
		return;
	GROW(o->steps, o->n_steps, o->alloc_steps);
	o->steps[o->n_steps++] = (struct step){ at, value };
}

/* Best moves with accepts, baselines measured anew, approvals and rollbacks: the chain of the ledger tells them all, in order. */
static void make_steps(struct outline *o)
{
	const struct history *h = o->history;

	for (size_t i = 0; i < h->n_steps; i++)
		add_step(o, h->steps[i].upto, value_of(o, &h->steps[i].best, h->steps[i].upto));
}

struct point outline_point(const struct history *h, const struct record *r)
{
	return (struct point){ r, outcome_of(r), words_goal_value(h, r) };
}

static void make_points(struct outline *o)
{
	const struct history *h = o->history;

	o->points = xcalloc(h->n_records ? h->n_records : 1, sizeof(*o->points));
	for (size_t i = 0; i < h->n_records; i++) {
		const struct record *r = history_record(h, (int)i);

		if (!r)
			continue;
		o->points[o->n_points] = outline_point(h, r);
		o->counts[o->points[o->n_points++].outcome]++;
		o->experiments += !r->baseline;
		if (r->tokens_in >= 0 || r->tokens_out >= 0)
			o->tokens = (o->tokens < 0 ? 0 : o->tokens) + (r->tokens_in > 0 ? r->tokens_in : 0) +
				    (r->tokens_out > 0 ? r->tokens_out : 0);
		if (r->usd >= 0)
			o->usd = (o->usd < 0 ? 0 : o->usd) + r->usd;
	}
}

void outline_best(const struct history *h, struct outline *ret)
{
	double v;

	*ret = (struct outline){ .history = h, .metric = h->policy->goal.metric, .minimize = h->policy->goal.direction == MINIMIZE,
				 .baseline = NAN, .best = NAN, .gain = NAN, .share = NAN, .best_number = h->best_number,
				 .tokens = -1, .usd = -1, .wall = h->spent.wall };
	if (h->baseline_measured && measured_value(h->baseline_measured, ret->metric, &v))
		ret->baseline = v;
	if (h->best_measured && measured_value(h->best_measured, ret->metric, &v))
		ret->best = v;
	ret->gain = words_gain(h->policy, ret->baseline, ret->best);
	if (fabs(ret->baseline) > 0)
		ret->share = ret->gain / fabs(ret->baseline);
}

void outline_make(const struct history *h, struct outline *ret)
{
	outline_best(h, ret);
	make_points(ret);
	make_steps(ret);
}

void outline_free(struct outline *o)
{
	free(o->points);
	free(o->steps);
	*o = (struct outline){ 0 };
}

double outline_gain(const struct outline *o, const struct point *p)
{
	if (p->record->baseline || !p->record->has_best || isnan(p->value))
		return NAN;
	return words_gain(o->history->policy, p->record->best, p->value);
}

void outline_headline(const struct outline *o, const char *arrow, struct str *ret)
{
	char from[NUM_TEXT], to[NUM_TEXT], share[NUM_TEXT];

	words_number(o->baseline, from);
	words_number(o->best, to);
	words_percent(fabs(o->share), share);
	str_puts(ret, o->metric);
	if (isnan(o->best))
		str_puts(ret, ": not measured yet");
	else if (isnan(o->baseline) || o->gain == 0)
		str_printf(ret, " %s", to);
	else if (isnan(o->share))
		str_printf(ret, " %s %s %s", from, arrow, to);
	else
		str_printf(ret, " %s %s %s (%s %s)", from, arrow, to, share, o->gain > 0 ? "better" : "worse");
}

void outline_counts(const struct outline *o, struct str *ret)
{
	static const enum outcome told[] = { OUTCOME_KEPT, OUTCOME_DISCARDED, OUTCOME_FAILED, OUTCOME_WAITING };

	str_printf(ret, "%zu experiment%s", o->experiments, o->experiments == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (o->counts[told[i]] > 0)
			str_printf(ret, ", %zu %s", o->counts[told[i]], outcome_word(told[i]));
}
