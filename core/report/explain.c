#include "report/explain.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define DETAIL_MAX 400	/* characters of a path or of a `why` */

static void foreign(const char *text, struct str *ret)
{
	text_line(text, strlen(text), DETAIL_MAX, ret);
}

static const struct guard *guard_of(const struct policy *p, const char *metric)
{
	for (size_t i = 0; metric && i < p->n_guards; i++)
		if (!strcmp(p->guards[i].metric, metric))
			return &p->guards[i];
	return NULL;
}

/* ", and a gain must exceed 0.0003" */
static void threshold(const struct record *r, const struct event *decide, double gain, struct str *ret)
{
	char text[NUM_TEXT];
	double t;

	if (!decide || !event_get_num(decide, "threshold", &t) || t <= 0 || gain <= 0)
		return;
	words_number(t, text);
	str_printf(ret, ", %s a gain must exceed %s", r->reason == REASON_NO_GAIN ? "but" : "and", text);
}

/* "val_bpb 0.9697, best was 0.9704: better by 0.0007 (0.08%), and a gain must exceed 0.0003. " False: there is nothing to compare. */
static bool comparison(const struct history *h, const struct record *r, const struct event *decide, struct str *ret)
{
	char value[NUM_TEXT], best[NUM_TEXT], by[NUM_TEXT], share[NUM_TEXT];
	double goal = words_goal_value(h, r), gain;

	if (r->baseline || isnan(goal))
		return false;
	words_number(goal, value);
	str_printf(ret, "%s %s", h->policy->goal.metric, value);
	if (!r->has_best) {
		str_puts(ret, ". ");
		return false;
	}
	gain = words_gain(h->policy, r->best, goal);
	words_number(r->best, best);
	words_number(fabs(gain), by);
	words_percent(fabs(gain / r->best), share);
	if (gain == 0)
		str_printf(ret, ", the same as best");
	else
		str_printf(ret, ", best was %s: %s by %s", best, gain > 0 ? "better" : "worse", by);
	if (gain != 0 && r->best != 0)
		str_printf(ret, " (%s)", share);
	threshold(r, decide, gain, ret);
	str_puts(ret, ". ");
	return true;
}

static void bound(struct str *ret, const char *name, double value)
{
	char text[NUM_TEXT];

	if (isnan(value))
		return;
	words_number(value, text);
	str_printf(ret, ", %s %s", name, text);
}

static void about_guard(const struct history *h, const struct record *r, struct str *ret)
{
	const struct guard *g = guard_of(h->policy, r->metric);
	char text[NUM_TEXT];
	double v;

	if (!g)
		return;
	str_printf(ret, " on %s", g->metric);
	if (measured_value(&r->measured, g->metric, &v)) {
		words_number(v, text);
		str_printf(ret, " (measured %s", text);
		bound(ret, "min", g->min);
		bound(ret, "max", g->max);
		if (g->max_regression.set && g->max_regression.relative) {
			words_percent(g->max_regression.value, text);
			str_printf(ret, ", at most %s worse", text);
		} else if (g->max_regression.set) {
			bound(ret, "at most worse by", g->max_regression.value);
		}
		str_putc(ret, ')');
	}
}

static void about_range(const struct history *h, const struct record *r, struct str *ret)
{
	for (size_t i = 0; i < h->policy->escalate.n_outside; i++) {
		const struct range *range = &h->policy->escalate.outside[i];
		char min[NUM_TEXT], max[NUM_TEXT];

		if (!str_eq(range->metric, r->metric))
			continue;
		words_number(range->min, min);
		words_number(range->max, max);
		str_printf(ret, " (%s from %s to %s)", range->metric, min, max);
	}
}

static void about_step(const struct event *decide, struct str *ret)
{
	const char *stage = event_get(decide, "stage");
	int64_t status;

	if (stage) {
		str_puts(ret, " in stage '");
		foreign(stage, ret);
		str_putc(ret, '\'');
	}
	if (event_get_int(decide, "exit", &status) && status > 128)
		str_printf(ret, ", ended by signal %d", (int)status - 128);
	else if (event_get_int(decide, "exit", &status))
		str_printf(ret, ", exit status %d", (int)status);
}

static void details(const struct event *decide, bool with_why, struct str *ret)
{
	const char *path = event_get(decide, "path"), *why = with_why ? event_get(decide, "why") : NULL;

	about_step(decide, ret);
	if (path) {
		str_puts(ret, ": ");
		foreign(path, ret);
	}
	if (why) {
		str_puts(ret, path ? " (" : ": ");
		foreign(why, ret);
		str_puts(ret, path ? ")" : "");
	}
}

/* After the comparison a sentence on these would only repeat it. */
static bool says_it_all(enum reason reason)
{
	return reason == REASON_BETTER || reason == REASON_WORSE || reason == REASON_NO_GAIN;
}

void explain_verdict(const struct history *h, const struct record *r, const struct event *decide, struct str *ret)
{
	const char *reason = words_reason(r->verdict, r->reason);

	if (r->verdict == VERDICT_NONE) {
		str_puts(ret, "It is not decided yet.");
		return;
	}
	if (comparison(h, r, decide, ret) && says_it_all(r->reason)) {
		str_truncate(ret, ret->len - 1);
	} else {
		/* the phrases begin with a letter of ASCII */
		str_putc(ret, (char)(reason[0] - 'a' + 'A'));
		str_puts(ret, reason + 1);
		if (r->reason == REASON_GUARD)
			about_guard(h, r, ret);
		if (r->reason == REASON_OUT_OF_RANGE)
			about_range(h, r, ret);
		if (decide)
			details(decide, r->reason != REASON_NO_OP, ret);
		str_putc(ret, '.');
	}
	if (r->owner) {
		str_puts(ret, " It belongs to ");
		foreign(r->owner, ret);
		str_putc(ret, '.');
	}
	if (r->approved)
		str_puts(ret, " A person approved it; the loop measures it when it runs.");
}

void explain_command(const struct history *h, const char *verb, int number, const char *rest, struct str *ret)
{
	str_printf(ret, "git harness %s", verb);
	if (number >= 0 && strcmp(h->campaign, "main") != 0)
		str_printf(ret, " %s/%d", h->campaign, number);
	else if (number >= 0)
		str_printf(ret, " %d", number);
	else if (strcmp(h->campaign, "main") != 0)
		str_printf(ret, " --campaign=%s", h->campaign);
	str_puts(ret, rest);
}

void explain_answers(const struct history *h, const struct record *r, const char *indent, struct str *ret)
{
	if (!r->waiting)
		return;
	str_puts(ret, indent);
	explain_command(h, "approve", r->number, "", ret);
	str_printf(ret, "\n%s", indent);
	explain_command(h, "deny", r->number, " -m '<why>'", ret);
	str_putc(ret, '\n');
}

const char *explain_loop(int reason)
{
	switch (reason) {
	case REASON_FAILURES:
		return "too many experiments failed in a row";
	case REASON_EVALUATOR_BROKEN:
		return "the evaluator fails on the best commit too";
	case REASON_NOT_CONVERGED:
		return "the budget is used and the search has not converged";
	default:
		return "it waits for a person";
	}
}
