#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "git/tree.h"
#include "ledger/act.h"
#include "ledger/verifying.h"

/* Reasons that decide() gives from samples alone. */
static bool from_samples(enum reason reason)
{
	static const bool yes[REASON_N] = {
		[REASON_BASELINE] = true, [REASON_BETTER] = true, [REASON_SIMPLER] = true, [REASON_APPROVED] = true,
		[REASON_WORSE] = true, [REASON_NO_GAIN] = true, [REASON_GUARD] = true, [REASON_LOW_CONFIDENCE] = true,
		[REASON_OUT_OF_RANGE] = true, [REASON_HUMAN_CRITERIA] = true,
	};

	return yes[reason];
}

/* Reasons that say that measuring ended early. */
static bool cut_short(enum reason reason)
{
	return reason == REASON_CRASH || reason == REASON_GATE || reason == REASON_TIMEOUT || reason == REASON_METRIC_MISSING ||
	       reason == REASON_INCONCLUSIVE;
}

static const struct stage *find_stage(const struct policy *p, const char *name)
{
	for (size_t i = 0; name && i < p->n_stages; i++) {
		if (!strcmp(p->stages[i].name, name))
			return &p->stages[i];
	}
	return NULL;
}

static size_t count_samples(const char *value)
{
	size_t n = 1;

	for (; *value; value++)
		n += *value == ',';
	return n;
}

static bool all_samples(const struct event *line, const struct stage *stage, const struct measured *m)
{
	for (size_t i = 0; i < line->n; i++) {
		if (measured_find(m, line->pairs[i].key) && count_samples(line->pairs[i].value) < (size_t)stage->samples_min)
			return false;
	}
	return true;
}

static bool ran_well(const struct event *line)
{
	return event_is(line, "exit", "0") && !event_get(line, "timeout");
}

/* Every step ran to a good end and every metric of the policy has all its samples. */
static bool is_whole(const struct verify *v, const struct claim *c)
{
	CLEANUP(strs_free) struct strs names = { 0 };
	size_t stages = 0;

	for (size_t i = 0; i < c->lines.n; i++) {
		const struct event *line = &c->lines.v[i];
		const struct stage *stage = find_stage(v->policy, event_get(line, "stage"));
		bool evaluate = event_is(line, "event", "evaluate");

		if (!evaluate && !event_is(line, "event", "execute"))
			continue;
		if (!ran_well(line) || (evaluate && (!stage || !all_samples(line, stage, &c->r.measured))))
			return false;
		stages += evaluate && !event_get(line, "confirm");
	}
	policy_metrics(v->policy, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (!measured_find(&c->r.measured, names.v[i]))
			return false;
	}
	return stages >= v->policy->n_stages;
}

static int check_text(struct verify *v, const struct claim *c, const char *key, const char *want)
{
	const char *have = event_get(c->decide, key);

	if (str_eq(want, have))
		return 0;
	if (!want)
		return broken(v, "%s/%d: the record has %s=%s, which does not follow from the samples", v->h->campaign, c->r.number, key,
			      have);
	return broken(v, "%s/%d: the record says %s=%s, the samples say %s", v->h->campaign, c->r.number, key, have ? have : "(nothing)",
		      want);
}

static int check_number(struct verify *v, const struct claim *c, const char *key, bool has, double value, bool derived)
{
	char text[NUM_TEXT], six[NUM_TEXT];

	if (!has)
		return check_text(v, c, key, NULL);
	num_format(value, text);
	num_format6(value, six);
	if (derived && event_is(c->decide, key, six))
		return 0;
	return check_text(v, c, key, derived && strcmp(key, "delta") == 0 ? six : text);
}

static int check_numbers(struct verify *v, const struct claim *c, const struct decision *d)
{
	bool both = d->has_value && d->has_best;
	int r = check_text(v, c, "metric", d->metric);

	if (!r)
		r = check_number(v, c, "value", d->has_value, d->value, false);
	if (!r)
		r = check_number(v, c, "best", d->has_best, d->best, false);
	if (!r)
		r = check_number(v, c, "delta", both, d->delta, true);
	if (!r)
		r = check_number(v, c, "threshold", both, d->threshold, true);
	return r ? r : check_text(v, c, "owner", d->owner);
}

static int fewer_lines(struct verify *v, const struct claim *c, const struct best_of *best, bool *ret, struct err *err)
{
	CLEANUP(events_free) struct events lines = { 0 };

	if (v->policy->goal.prefer_simpler && best && !history_record(v->h, best->number)->baseline &&
	    history_lines(v->repo, v->h, best->number, &lines, err) < 0)
		return err->code;
	*ret = act_net(&c->lines) < act_net(&lines);
	return 0;
}

static int derive(struct verify *v, const struct claim *c, bool approved, struct decision *ret, struct err *err)
{
	const struct best_of *best = c->r.baseline ? NULL : verify_best(v, &c->r.base);
	struct decision_in in = {
		.policy = v->policy, .candidate = &c->r.measured, .confidence = c->r.confidence, .approved = approved,
	};

	if (!c->r.baseline) {
		if (!best || v->baseline < 0)
			return broken(v, "%s/%d: judged against %s, which was not measured under that policy", v->h->campaign,
				      c->r.number, oid_hex(&c->r.base).s);
		in.best = &history_record(v->h, best->number)->measured;
		in.baseline = &history_record(v->h, v->baseline)->measured;
	}
	if (fewer_lines(v, c, best, &in.fewer_lines, err) < 0)
		return err->code;
	decide(&in, ret);
	return 0;
}

static int check_samples(struct verify *v, const struct claim *c, bool approved, struct err *err)
{
	struct decision d;
	int r = derive(v, c, approved, &d, err);

	if (r)
		return r;
	if (d.verdict != c->r.verdict || d.reason != c->r.reason)
		return broken(v, "%s/%d: the record says %s (%s), the samples say %s (%s)", v->h->campaign, c->r.number,
			      verdict_names[c->r.verdict], reason_names[c->r.reason], verdict_names[d.verdict],
			      reason_names[d.reason]);
	return check_numbers(v, c, &d);
}

static int check_duplicate(struct verify *v, const struct claim *c, struct err *err)
{
	struct oid base_tree;

	if (tree_of_commit(v->repo, &c->r.base, &base_tree, err) < 0)
		return err->code;
	if (index_find(&v->measured, &base_tree, &c->r.tree) >= 0)
		return 0;
	return broken(v, "%s/%d: recorded as duplicate, but no number before it measured that tree on that base", v->h->campaign,
		      c->r.number);
}

static bool was_denied(const struct claim *c)
{
	return c->lines.n > 1 && event_is(&c->lines.v[c->lines.n - 2], "event", "deny");
}

int verify_decision(struct verify *v, const struct claim *c, bool approved, struct err *err)
{
	v->result->decisions++;
	if (!event_is(c->decide, "policy", oid_hex(&v->policy_blob).s))
		return broken(v, "%s/%d: decided under policy %s, but %s was pinned then", v->h->campaign, c->r.number,
			      event_get(c->decide, "policy") ? event_get(c->decide, "policy") : "(none)",
			      oid_hex(&v->policy_blob).s);
	if (from_samples(c->r.reason))
		return check_samples(v, c, approved, err);
	if (cut_short(c->r.reason) && is_whole(v, c))
		return broken(v, "%s/%d: recorded as %s (%s), but every step ran to its end and every metric is there", v->h->campaign,
			      c->r.number, verdict_names[c->r.verdict], reason_names[c->r.reason]);
	if (c->r.verdict == VERDICT_ACCEPT)
		return broken(v, "%s/%d: accept (%s) is no verdict", v->h->campaign, c->r.number, reason_names[c->r.reason]);
	if ((c->r.reason == REASON_DENIED) != was_denied(c))
		return broken(v, "%s/%d: its denial and its verdict do not belong together", v->h->campaign, c->r.number);
	return c->r.reason == REASON_DUPLICATE ? check_duplicate(v, c, err) : 0;
}
