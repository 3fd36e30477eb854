/*
 * state_json.c - `status --json`.
 */
#include <math.h>

#include "base/mem.h"
#include "ledger/names.h"
#include "report/explain.h"
#include "report/json.h"
#include "report/state.h"

/* A kind without a limit has null for limit and left. */
static void kind(struct json *j, const char *name, double used, double limit)
{
	json_begin_object(j, name);
	json_num(j, "used", used);
	if (limit < 0) {
		json_nil(j, "limit");
		json_nil(j, "left");
	} else {
		json_num(j, "limit", limit);
		json_num(j, "left", limit > used ? limit - used : 0);
	}
	json_end_object(j);
}

static double seconds(int64_t ns)
{
	return ns < 0 ? -1 : round((double)ns / 1e6) / 1e3;
}

static void budget(struct json *j, const struct history *h)
{
	const struct policy *p = h->policy;
	const struct spent *s = &h->spent;

	json_begin_object(j, "budget");
	kind(j, "experiments", (double)s->experiments, (double)p->budget.experiments);
	kind(j, "wall", seconds(s->wall), seconds(p->budget.wall));
	kind(j, "tokens", (double)s->tokens, (double)p->budget.tokens);
	kind(j, "usd", s->usd, p->budget.usd);
	kind(j, "plateau", (double)s->plateau, (double)p->budget.plateau);
	kind(j, "failures", (double)s->failures, (double)p->escalate.failures);
	json_end_object(j);
}

static void command(struct json *j, const struct history *h, const char *key, const char *verb, int number, const char *rest)
{
	STR text = STR_INIT;

	explain_command(h, verb, number, rest, &text);
	json_str(j, key, text.buf);
}

static void waits(struct json *j, const struct history *h, const struct record *r)
{
	char ref[NAME_MAX_REF];

	name_review(h->campaign, r->number, ref);
	json_begin_object(j, NULL);
	json_int(j, "experiment", r->number);
	json_str(j, "reason", reason_names[r->reason]);
	json_str(j, "subject", r->subject);
	json_str(j, "owner", r->owner);
	json_str(j, "commit", oid_hex(&r->commit).s);
	json_str(j, "ref", ref);
	command(j, h, "approve", "approve", r->number, "");
	command(j, h, "deny", "deny", r->number, " -m '<why>'");
	json_end_object(j);
}

static void waiting(struct json *j, const struct history *h)
{
	json_begin_array(j, "waiting");
	if (h->loop_waits) {
		json_begin_object(j, NULL);
		json_nil(j, "experiment");
		json_str(j, "reason", reason_names[h->loop_waits]);
		command(j, h, "resume", "resume", -1, "");
		json_end_object(j);
	}
	for (int i = 0; (i = history_next(h, i, RECORD_WAITING)) >= 0; i++)
		waits(j, h, history_record(h, i));
	json_end_array(j);
}

void state_json(const struct state_in *in, struct str *ret)
{
	const struct history *h = in->history;
	CLEANUP(outline_free) struct outline o = { 0 };
	struct json j;

	outline_best(h, &o);
	json_init(&j, ret, true);
	json_begin_object(&j, NULL);
	json_str(&j, "campaign", h->campaign);
	json_str(&j, "state", state_word(state_of(in)));
	json_str(&j, "best", oid_is_zero(&h->best) ? NULL : oid_hex(&h->best).s);
	if (isnan(o.best))
		json_nil(&j, "value");
	else
		json_num(&j, "value", o.best);
	json_int(&j, "experiments", h->spent.experiments);
	json_int(&j, "accepted", (int64_t)history_accepted(h));
	budget(&j, h);
	waiting(&j, h);
	json_end_object(&j);
	str_putc(ret, '\n');
}
