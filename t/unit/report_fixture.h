/*
 * report_fixture.h - a campaign made by hand, as the reports' unit tests need it.
 * Lines of decide, hidden state and git stay away: reports stand on struct history alone.
 */
#ifndef REPORT_FIXTURE_H
#define REPORT_FIXTURE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/store.h"

static inline struct oid fix_oid(int n)
{
	struct oid id = { 0 };

	for (size_t i = 0; i < sizeof(id.raw); i++)
		id.raw[i] = (uint8_t)((n + 1) * 37 + (int)i * 11 + 5);
	return id;
}

static inline struct history *fix_new(const char *metric, enum direction direction)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->campaign = xstrdup("main");
	h->store = xcalloc(1, sizeof(*h->store));
	h->policy = xcalloc(1, sizeof(*h->policy));
	h->policy->goal.metric = xstrdup(metric);
	h->policy->goal.direction = direction;
	h->policy->goal.target = NAN;
	h->policy->budget.experiments = 100;
	h->policy->budget.wall = h->policy->budget.tokens = h->policy->budget.plateau = -1;
	h->policy->budget.usd = -1;
	h->policy->escalate.failures = 5;
	h->tip = fix_oid(4000);
	h->start = fix_oid(0);
	h->best_number = h->last_baseline = -1;
	return h;
}

static inline struct record *fix_record(struct history *h, enum verdict verdict, enum reason reason, double value, const char *subject)
{
	bool moves = verdict == VERDICT_ACCEPT;

	struct record *r = store_add(h->store);
	*r = (struct record){ .number = (int)h->n_records, .baseline = reason == REASON_BASELINE, .commit = fix_oid((int)h->n_records),
			      .base = h->best, .verdict = verdict, .reason = reason, .value = value, .best = NAN, .delta = NAN,
			      .has_value = !isnan(value), .confidence = NAN, .tokens_in = -1, .tokens_out = -1, .usd = -1,
			      .started = INT64_C(1795331403) * 1000000000 + (int64_t)h->n_records * 312000000000,
			      .wall = INT64_C(307400000000), .maxrss = INT64_C(3) << 29, .level = 1 };
	r->metric = xstrdup(h->policy->goal.metric);
	r->subject = xstrdup(subject);
	r->agent = xstrdup("tune");
	r->waiting = verdict == VERDICT_ESCALATE;
	if (r->has_value)
		measured_add(&r->measured, h->policy->goal.metric, value);
	if (h->best_number >= 0 && r->has_value) {
		r->has_best = true;
		r->best = history_record(h, h->best_number)->value;
		r->delta = value - r->best;
	}
	if (moves) {
		if (!r->baseline)
			r->accepted = r->commit;
		h->best = r->commit;
		h->best_number = r->number;
	}
	if (moves) {
		GROW(h->steps, h->n_steps, h->alloc_steps);
		h->steps[h->n_steps++] = (struct best_step){ .upto = r->number, .best = h->best };
	}
	store_flag(h->store, r->number);
	h->n_records++;
	h->spent.experiments += !r->baseline;
	h->spent.wall += r->wall;
	h->best_measured = h->best_number >= 0 ? &history_record(h, h->best_number)->measured : NULL;
	h->baseline_measured = h->n_records > 0 && history_record(h, 0)->baseline ? &history_record(h, 0)->measured : NULL;
	return r;
}

static inline void fix_rollback(struct history *h, int to)
{
	h->best = history_record(h, to)->commit;
	h->best_number = to;
	h->best_measured = &history_record(h, to)->measured;
	GROW(h->steps, h->n_steps, h->alloc_steps);
	h->steps[h->n_steps++] = (struct best_step){ .upto = (int)h->n_records - 1, .best = h->best };
}

static inline void fix_free(struct history *h)
{
	store_free(h->store);
	free(h->store);
	free(h->steps);
	free(h->policy->goal.metric);
	free(h->policy);
	free(h->campaign);
	free(h);
}

/* What an agent might call its idea to break out of whatever shows it. */
#define HOSTILE "</text><script>alert('x')</script> & \"q\"\t| `a` [l](javascript:x)\n\033[31mred\033]0;t\007 \xe2\x80\xae" "evil \xff\xfe @me #1"

#endif
