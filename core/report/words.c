#include "report/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define SUBJECT_MAX 1000	/* characters; a listing cuts further */

static const struct {
	const char *word, *colour;
} outcomes[] = {
	[OUTCOME_BASELINE] = { "baseline", "\033[36m" },
	[OUTCOME_KEPT] = { "kept", COLOUR_GOOD },
	[OUTCOME_DISCARDED] = { "discarded", "" },
	[OUTCOME_FAILED] = { "failed", COLOUR_BAD },
	[OUTCOME_WAITING] = { "waiting", COLOUR_ASK },
};

static const char *const reasons[REASON_N] = {
	[REASON_BASELINE] = "the measurement all others are judged against",
	[REASON_BETTER] = "better than the best before it",
	[REASON_SIMPLER] = "as good as the best before it, with fewer lines",
	[REASON_APPROVED] = "a person approved it",
	[REASON_WORSE] = "worse than the best",
	[REASON_NO_GAIN] = "no gain beyond the threshold",
	[REASON_INCONCLUSIVE] = "the measurement could not tell",
	[REASON_GUARD] = "a guard did not hold",
	[REASON_GATE] = "a stage refused it",
	[REASON_SURFACE] = "it changed what is outside the surface",
	[REASON_LIMITS] = "the change is larger than the surface permits",
	[REASON_NO_OP] = "it changed nothing",
	[REASON_DUPLICATE] = "the same change was measured before",
	[REASON_CRASH] = "the run crashed",
	[REASON_TIMEOUT] = "it took longer than its budget",
	[REASON_BUDGET] = "it used more than its budget",
	[REASON_METRIC_MISSING] = "a metric was not printed",
	[REASON_METRIC_INVALID] = "a metric was not a valid number",
	[REASON_AGENT_FAILED] = "the agent failed",
	[REASON_HOLDOUT] = "the holdout did not confirm it",
	[REASON_DENIED] = "a person denied it",
	[REASON_CONFLICT] = "it does not merge with the new best",
	[REASON_INTERRUPTED] = "it was interrupted",
	[REASON_LOW_CONFIDENCE] = "the agent itself has little confidence in it",
	[REASON_OUT_OF_RANGE] = "a value is outside the range that is believed",
	[REASON_HUMAN_CRITERIA] = "only a person can judge it",
	[REASON_EVALUATOR_BROKEN] = "the evaluator fails on the best commit too",
	[REASON_FAILURES] = "too many failures in a row",
	[REASON_NOT_CONVERGED] = "the budget ended before the search converged",
};

enum outcome outcome_of(const struct record *r)
{
	if (r->baseline)
		return OUTCOME_BASELINE;
	if (r->waiting || r->approved)
		return OUTCOME_WAITING;
	if (r->verdict == VERDICT_ACCEPT)
		return OUTCOME_KEPT;
	return reason_is_failure(r->reason) ? OUTCOME_FAILED : OUTCOME_DISCARDED;
}

const char *outcome_word(enum outcome o)
{
	return outcomes[o].word;
}

const char *outcome_colour(enum outcome o)
{
	return outcomes[o].colour;
}

void words_verdict(const struct record *r, struct str *ret)
{
	if (r->verdict == VERDICT_NONE)
		str_puts(ret, "-");
	else
		str_printf(ret, "%s (%s)%s", verdict_names[r->verdict], reason_names[r->reason], r->approved ? ", approved" : "");
}

const char *words_reason(enum verdict verdict, enum reason reason)
{
	if (verdict == VERDICT_ESCALATE && reason == REASON_GUARD)
		return "a guard asks for a person";
	if (reason < 0 || reason >= REASON_N || !reasons[reason])
		return "";
	return reasons[reason];
}

void words_number(double value, char ret[NUM_TEXT])
{
	if (isnan(value))
		snprintf(ret, NUM_TEXT, "-");
	else if (fabs(value) >= 1e5 && fabs(value) < 1e15)
		snprintf(ret, NUM_TEXT, "%.0f", value);
	else
		snprintf(ret, NUM_TEXT, "%.*g", fabs(value) < 1 ? 6 : 7, value == 0 ? 0.0 : value);
}

void words_delta(double delta, char ret[NUM_TEXT])
{
	if (isnan(delta))
		snprintf(ret, NUM_TEXT, "-");
	else if (delta == 0)
		snprintf(ret, NUM_TEXT, "0");
	else if (fabs(delta) >= 1e4 && fabs(delta) < 1e15)
		snprintf(ret, NUM_TEXT, "%+.0f", delta);
	else
		snprintf(ret, NUM_TEXT, "%+.4g", delta);
}

void words_percent(double share, char ret[NUM_TEXT])
{
	double p = share * 100;

	if (isnan(p) || isinf(p))
		snprintf(ret, NUM_TEXT, "-");
	else if (p == 0)
		snprintf(ret, NUM_TEXT, "0%%");
	else if (fabs(p) < 0.01)
		snprintf(ret, NUM_TEXT, "%.1g%%", p);
	else
		snprintf(ret, NUM_TEXT, "%.*f%%", fabs(p) < 10 ? 2 : fabs(p) < 100 ? 1 : 0, p);
}

void words_bytes(int64_t bytes, char ret[NUM_TEXT])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes;
	size_t u = 0;

	if (bytes < 0) {
		snprintf(ret, NUM_TEXT, "-");
		return;
	}
	for (; v >= 1024 && u + 1 < ARRAY_SIZE(units); u++)
		v /= 1024;
	snprintf(ret, NUM_TEXT, "%.*f %s", u > 0 && v < 100 ? 1 : 0, v, units[u]);
}

void words_seconds(int64_t ns, char ret[NUM_TEXT])
{
	if (ns < 0)
		snprintf(ret, NUM_TEXT, "-");
	else
		num_format_duration(ns, ret);
}

double words_goal_value(const struct history *h, const struct record *r)
{
	double v;

	if (r->has_value && h->policy && measured_value(&r->measured, h->policy->goal.metric, &v))
		return v;
	return NAN;
}

double words_gain(const struct policy *p, double from, double to)
{
	return p->goal.direction == MINIMIZE ? from - to : to - from;
}

const struct oid *words_commit(const struct record *r)
{
	return oid_is_zero(&r->accepted) ? &r->commit : &r->accepted;
}

void words_subject(const struct record *r, struct str *ret)
{
	if (r->baseline)
		str_puts(ret, "baseline");
	else if (!r->subject || !*r->subject)
		str_puts(ret, "(no subject)");
	else
		text_line(r->subject, strlen(r->subject), SUBJECT_MAX, ret);
}
