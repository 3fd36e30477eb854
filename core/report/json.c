#include "report/json.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"

static void number(struct json *j, const char *key, double value)
{
	if (isnan(value) || isinf(value))
		json_nil(j, key);
	else
		json_num(j, key, value);
}

static void count(struct json *j, const char *key, int64_t value)
{
	if (value < 0)
		json_nil(j, key);
	else
		json_int(j, key, value);
}

static void id(struct json *j, const char *key, const struct oid *oid)
{
	if (oid_is_zero(oid))
		json_nil(j, key);
	else
		json_str(j, key, oid_hex(oid).s);
}

/* At most 3 decimals. */
static void seconds(struct json *j, const char *key, int64_t ns)
{
	number(j, key, ns < 0 ? NAN : round((double)ns / 1e6) / 1e3);
}

static void metrics(struct json *j, const struct measured *m)
{
	json_begin_object(j, "metrics");
	for (size_t i = 0; i < m->n; i++) {
		const struct series *s = &m->s[i];

		json_begin_object(j, s->metric);
		number(j, "value", s->n > 0 ? stats_median(s->v, s->n) : NAN);
		json_begin_array(j, "samples");
		for (size_t k = 0; k < s->n; k++)
			number(j, NULL, s->v[k]);
		json_end_array(j);
		json_end_object(j);
	}
	json_end_object(j);
}

/* Keys whose values are numbers. By name: an id can look like one. */
static bool is_number(const char *key)
{
	static const char *const keys[] = {
		"n", "experiment", "files", "added", "deleted", "net", "dropped", "wall", "tokens_in", "tokens_out", "usd", "confidence",
		"exit", "cpu", "maxrss", "timeout", "confirm", "value", "best", "delta", "threshold", "level", "elapsed",
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

/* "0.5,0.7": the samples of a metric. */
static void samples(struct json *j, const char *key, const char *text)
{
	json_begin_array(j, key);
	for (;;) {
		size_t len = strcspn(text, ",");
		double v;

		number(j, NULL, num_parse(text, len, &v) ? v : NAN);
		if (!text[len])
			break;
		text += len + 1;
	}
	json_end_array(j);
}

static void pair(struct json *j, const struct event *e, const char *key, const char *value)
{
	double v;

	if (is_number(key) && num_parse(value, strlen(value), &v))
		json_num(j, key, v);
	else if (event_is(e, "event", "evaluate") && metric_name_ok(key))
		samples(j, key, value);
	else
		json_str(j, key, value);
}

static void event_lines(struct json *j, const struct events *events)
{
	json_begin_array(j, "events");
	for (size_t i = 0; i < events->n; i++) {
		json_begin_object(j, NULL);
		for (size_t k = 0; k < events->v[i].n; k++)
			pair(j, &events->v[i], events->v[i].pairs[k].key, events->v[i].pairs[k].value);
		json_end_object(j);
	}
	json_end_array(j);
}

/* value, best and delta are the goal's whatever decided; the record's own metric is a guard's where that did. */
static const char *metric_of(const struct history *h, const struct record *r)
{
	const char *goal = h->policy->goal.metric;

	return r->has_value && measured_find(&r->measured, goal) ? goal : r->metric;
}

static void judgement(struct json *j, const struct history *h, const struct record *r)
{
	bool judged = r->verdict != VERDICT_NONE;

	json_str(j, "verdict", judged ? verdict_names[r->verdict] : NULL);
	json_str(j, "reason", judged ? reason_names[r->reason] : NULL);
	json_str(j, "metric", metric_of(h, r));
	number(j, "value", r->has_value ? r->value : NAN);
	number(j, "best", r->has_best ? r->best : NAN);
	number(j, "delta", r->has_value && r->has_best ? r->delta : NAN);
	metrics(j, &r->measured);
}

void report_json_record(struct json *j, const struct history *h, const struct record *r, const struct events *events)
{
	char started[CLOCK_TEXT];

	json_begin_object(j, NULL);
	json_str(j, "campaign", h->campaign);
	json_int(j, "experiment", r->number);
	id(j, "commit", words_commit(r));
	id(j, "base", &r->base);
	json_str(j, "subject", r->subject);
	judgement(j, h, r);
	json_str(j, "agent", r->agent);
	json_begin_object(j, "usage");
	count(j, "tokens_in", r->tokens_in);
	count(j, "tokens_out", r->tokens_out);
	number(j, "usd", r->usd < 0 ? NAN : r->usd);
	json_end_object(j);
	clock_format(r->started, started);
	json_str(j, "started", r->started > 0 ? started : NULL);
	seconds(j, "wall", r->wall);
	count(j, "level", r->level);
	if (events)
		event_lines(j, events);
	json_end_object(j);
}

static void summary(struct json *j, const struct outline *o)
{
	json_str(j, "campaign", o->history->campaign);
	json_str(j, "metric", o->metric);
	json_str(j, "direction", o->minimize ? "minimize" : "maximize");
	id(j, "start", &o->history->start);
	id(j, "policy", &o->history->policy_blob);
	id(j, "ledger", &o->history->tip);
	id(j, "best", &o->history->best);
	number(j, "value", o->best);
	number(j, "baseline", o->baseline);
	number(j, "gain", o->gain);
	json_begin_object(j, "counts");
	json_int(j, "experiments", (int64_t)o->experiments);
	for (enum outcome w = OUTCOME_KEPT; w <= OUTCOME_WAITING; w++)
		json_int(j, outcome_word(w), (int64_t)o->counts[w]);
	json_end_object(j);
	seconds(j, "wall", o->wall);
	count(j, "tokens", o->tokens);
	number(j, "usd", o->usd < 0 ? NAN : o->usd);
}

void report_json(const struct outline *o, struct str *ret)
{
	struct json j;

	json_init(&j, ret, true);
	json_begin_object(&j, NULL);
	summary(&j, o);
	json_begin_array(&j, "experiments");
	for (size_t i = 0; i < o->n_points; i++)
		report_json_record(&j, o->history, o->points[i].record, NULL);
	json_end_array(&j);
	json_end_object(&j);
	str_putc(ret, '\n');
}
