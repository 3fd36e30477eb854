#include "ledger/act.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "git/commit.h"
#include "git/sign.h"
#include "ledger/names.h"
#include "ledger/record.h"

void act_begin(const struct history *h, const char *event, int number, const char *by, struct event *ret)
{
	char now[CLOCK_TEXT];

	clock_format(clock_wall(), now);
	event_add(ret, "t", now);
	event_add_int(ret, "n", (int64_t)h->n_acts + 1);
	event_add(ret, "campaign", h->campaign);
	if (number >= 0)
		event_add_int(ret, "experiment", number);
	event_add(ret, "event", event);
	event_add(ret, "by", by);
}

/* A further line of a number's record. */
static struct event *record_line(const struct history *h, int number, const char *event, const char *by, struct events *lines)
{
	char text[NUM_TEXT];
	int64_t n = 0;
	struct event *line;

	if (lines->n)
		event_get_int(&lines->v[lines->n - 1], "n", &n);
	line = events_push(lines);
	act_begin(h, event, number, by, line);
	num_format((double)(n + 1), text);
	event_set(line, "n", text);
	return line;
}

static const struct record *find_waiting(const struct history *h, int number, struct err *err)
{
	const struct record *r = history_record(h, number);

	if (!r) {
		err_set(err, ERR_NOT_FOUND, "there is no experiment %d in campaign '%s'", number, h->campaign);
		return NULL;
	}
	if (r->waiting)
		return r;
	if (r->approved) {
		err_set(err, ERR_REFUSED, "experiment %d is approved already and waits to be measured", number);
		err_hint(err, "git harness resume measures it");
	} else {
		err_set(err, ERR_REFUSED, "experiment %d does not wait for an answer: %s (%s)", number, verdict_names[r->verdict],
			reason_names[r->reason]);
		err_hint(err, "git harness status lists what waits");
	}
	return NULL;
}

/* ---- approve ---- */

/* What was measured holds for today's best: same base, same policy, and it was measured at all. */
static bool is_measured(const struct history *h, const struct record *r)
{
	bool judged = r->reason == REASON_OUT_OF_RANGE || r->reason == REASON_GUARD || r->reason == REASON_LOW_CONFIDENCE ||
		      r->reason == REASON_HUMAN_CRITERIA;

	return judged && !h->needs_baseline && h->best_measured && r->number > h->last_baseline && oid_eq(&r->base, &h->best);
}

int64_t act_net(const struct events *lines)
{
	int64_t net = 0;

	for (size_t i = 0; i < lines->n; i++) {
		if (event_is(&lines->v[i], "event", "propose"))
			event_get_int(&lines->v[i], "net", &net);
	}
	return net;
}

static int fewer_lines(const struct act *a, const struct events *lines, bool *ret, struct err *err)
{
	CLEANUP(events_free) struct events best = { 0 };
	const struct record *r = history_record(a->h, a->h->best_number);

	if (r && !r->baseline && history_lines(a->repo, a->h, r->number, &best, err) < 0)
		return err->code;
	*ret = act_net(lines) < act_net(&best);
	return 0;
}

static int judge(const struct act *a, const struct record *r, const struct events *lines, struct decision *ret, struct err *err)
{
	struct decision_in in = {
		.policy = a->h->policy, .candidate = &r->measured, .best = a->h->best_measured,
		.baseline = a->h->baseline_measured, .confidence = r->confidence, .approved = true,
	};

	if (fewer_lines(a, lines, &in.fewer_lines, err) < 0)
		return err->code;
	decide(&in, ret);
	return 0;
}

static void decide_line(const struct history *h, const struct record *r, const struct decision *d, struct event *line)
{
	event_add(line, "verdict", verdict_names[d->verdict]);
	event_add(line, "reason", reason_names[d->reason]);
	record_decision(d, line);
	event_add_oid(line, "base", &h->best);
	event_add_oid(line, "tree", &r->tree);
	event_add_oid(line, "policy", &h->policy_blob);
	event_add_int(line, "level", r->level);
	event_add_secs(line, "elapsed", h->spent.wall);
}

/* The parked commit's own words and author, the new verdict, on today's best. */
static int commit_approved(const struct act *a, const struct record *r, const struct events *lines, struct oid *ret, struct err *err)
{
	CLEANUP(commit_free) struct commit parked = { 0 };
	CLEANUP(ident_free) struct ident who = { 0 };
	CLEANUP(record_clear) struct record folded = { .number = r->number };
	STR message = STR_INIT;
	struct message_in in = {
		.record = &folded, .policy = a->h->policy, .campaign = a->h->campaign, .policy_blob = &a->h->policy_blob,
		.approved_by = a->by,
	};
	struct commit_spec spec = { .tree = r->tree, .parents = &a->h->best, .n_parents = 1, .committer = &who };
	char *body;

	if (record_fold(lines, &folded, err) < 0 || repo_ident(a->repo, &who, err) < 0 ||
	    commit_read(a->repo, &r->commit, &parked, err) < 0 || sign_wanted(a->repo, &spec.sign, err) < 0)
		return err->code;
	body = strchr(parked.message, '\n');
	if (body)
		*body++ = '\0';
	in.subject = parked.message;
	in.body = body;
	ledger_message(&in, &message);
	spec.sign = spec.sign && folded.verdict == VERDICT_ACCEPT;
	spec.author = &parked.author;
	spec.message = message.buf;
	return commit_write(a->repo, &spec, ret, err);
}

struct answer {
	struct events lines;
	struct event act;
	struct ledger_write w;
	struct oid notes[2];
	char *subject;
};

static void answer_clear(struct answer *x)
{
	events_free(&x->lines);
	event_free(&x->act);
	free(x->subject);
}

static int answer_begin(const struct act *a, const struct record *r, const char *event, struct answer *x, struct err *err)
{
	if (history_lines(a->repo, a->h, r->number, &x->lines, err) < 0)
		return err->code;
	act_begin(a->h, event, r->number, a->by, &x->act);
	x->notes[0] = r->commit;
	x->w = (struct ledger_write){
		.kind = ENTRY_ACT, .number = r->number, .lines = &x->lines, .annotate = x->notes, .n_annotate = 1, .act = &x->act,
		.best = a->h->best,
	};
	return 0;
}

static int answer_write(const struct act *a, struct answer *x, struct err *err)
{
	event_add(&x->act, "why", a->why);
	x->w.subject = x->subject;
	return ledger_write(a->repo, a->h, a->journal, &x->w, err);
}

/* The approve line tells the new commit; the commit's message tells what the decide line behind it says. */
static int accept_now(const struct act *a, const struct record *r, const struct decision *d, struct answer *x, struct err *err)
{
	CLEANUP(events_free) struct events draft = { 0 };

	for (size_t i = 0; i < x->lines.n; i++)
		event_copy(&x->lines.v[i], events_push(&draft));
	decide_line(a->h, r, d, record_line(a->h, r->number, "decide", NULL, &draft));
	if (commit_approved(a, r, &draft, &x->w.commit, err) < 0)
		return err_wrap(err, "cannot commit experiment %d", r->number);
	x->w.best = x->notes[x->w.n_annotate++] = x->w.commit;
	return 0;
}

static int approve_measured(const struct act *a, const struct record *r, struct answer *x, struct str *ret_said, struct err *err)
{
	char best[NAME_MAX_REF];
	struct decision d;
	struct event *line;

	if (judge(a, r, &x->lines, &d, err) < 0)
		return err->code;
	if (d.verdict == VERDICT_ACCEPT && accept_now(a, r, &d, x, err) < 0)
		return err->code;
	line = record_line(a->h, r->number, "approve", a->by, &x->lines);
	if (!oid_is_zero(&x->w.commit)) {
		event_add_oid(line, "commit", &x->w.commit);
		event_add_oid(&x->act, "commit", &x->w.commit);
	}
	event_add(line, "why", a->why);
	decide_line(a->h, r, &d, record_line(a->h, r->number, "decide", NULL, &x->lines));
	x->subject = xasprintf("experiment %d: %s (%s)", r->number, verdict_names[d.verdict], reason_names[d.reason]);
	if (answer_write(a, x, err) < 0)
		return err->code;
	str_printf(ret_said, "%s\n", x->subject);
	if (oid_is_zero(&x->w.commit))
		return 0;
	name_best(a->h->campaign, best);
	str_printf(ret_said, "%s is at %.10s\n", best + strlen("refs/heads/"), oid_hex(&x->w.commit).s);
	return 0;
}

int act_approve(const struct act *a, int number, struct str *ret_said, struct err *err)
{
	CLEANUP(answer_clear) struct answer x = { 0 };
	const struct record *r = find_waiting(a->h, number, err);

	if (!r || answer_begin(a, r, "approve", &x, err) < 0)
		return err->code;
	if (is_measured(a->h, r))
		return approve_measured(a, r, &x, ret_said, err);
	event_add(record_line(a->h, number, "approve", a->by, &x.lines), "why", a->why);
	x.subject = xasprintf("experiment %d: approved, to be measured", number);
	if (answer_write(a, &x, err) < 0)
		return err->code;
	str_printf(ret_said, "experiment %d is approved; the loop measures it on the present best before it joins (git harness resume)\n", number);
	return 0;
}

/* ---- deny ---- */

int act_deny(const struct act *a, int number, struct str *ret_said, struct err *err)
{
	CLEANUP(answer_clear) struct answer x = { 0 };
	const struct record *r = find_waiting(a->h, number, err);
	struct decision d = { .verdict = VERDICT_REJECT, .reason = REASON_DENIED };
	struct event *line;

	if (!r || answer_begin(a, r, "deny", &x, err) < 0)
		return err->code;
	event_add(record_line(a->h, number, "deny", a->by, &x.lines), "why", a->why);
	line = record_line(a->h, number, "decide", NULL, &x.lines);
	decide_line(a->h, r, &d, line);
	event_set(line, "base", oid_hex(&r->base).s);
	x.subject = xasprintf("experiment %d: reject (denied)", number);
	if (answer_write(a, &x, err) < 0)
		return err->code;
	str_printf(ret_said, "%s\n", x.subject);
	return 0;
}

/* ---- rollback ---- */

static int before_best(const struct history *h)
{
	const struct record *best = history_record(h, h->best_number);

	const struct record *from = best && !best->baseline ? history_of_commit(h, &best->base, best->number) : NULL;

	return from ? from->number : -1;
}

int act_plan_rollback(const struct history *h, int number, struct best_move *ret, struct err *err)
{
	const struct record *r;

	if (number < 0)
		number = before_best(h);
	if (number < 0)
		return err_set(err, ERR_REFUSED, "best of campaign '%s' is where it started: there is nothing to go back to",
			       h->campaign);
	r = history_record(h, number);
	if (!r)
		return err_set(err, ERR_NOT_FOUND, "there is no experiment %d in campaign '%s'", number, h->campaign);
	if (oid_is_zero(&r->accepted)) {
		err_set(err, ERR_REFUSED, "experiment %d was never best: %s (%s)", number, verdict_names[r->verdict],
			reason_names[r->reason]);
		return err_hint(err, "git harness log lists the accepted ones");
	}
	if (oid_eq(&r->accepted, &h->best))
		return err_set(err, ERR_REFUSED, "best is at experiment %d already", number);
	*ret = (struct best_move){ .number = number, .from = h->best, .to = r->accepted };
	return 0;
}

int act_rollback(const struct act *a, const struct best_move *move, struct str *ret_said, struct err *err)
{
	AUTOFREE char *subject = xasprintf("rollback to experiment %d", move->number);
	AUTOFREE char *waits = NULL;
	EVENT act = { 0 };
	struct ledger_write w = { .kind = ENTRY_ACT, .number = -1, .act = &act, .best = move->to, .subject = subject };
	char best[NAME_MAX_REF];

	act_begin(a->h, "rollback", -1, a->by, &act);
	event_add_int(&act, "to", move->number);
	event_add_oid(&act, "commit", &move->to);
	event_add_oid(&act, "from", &move->from);
	event_add(&act, "why", a->why);
	if (ledger_write(a->repo, a->h, a->journal, &w, err) < 0 || ledger_best_waits(a->repo, a->h, &waits, err) < 0)
		return err->code;
	name_best(a->h->campaign, best);
	str_printf(ret_said, "%s %s -> %s\n", best, oid_hex(&move->from).s, oid_hex(&move->to).s);
	if (waits)
		str_printf(ret_said, "recorded; the branch itself waits, because it is checked out in '%s'\n", waits);
	return 0;
}
