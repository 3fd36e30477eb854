/* Measure an experiment again, as it was measured, and compare; and give an experiment that nobody runs its end. */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "loop/checkpoint.h"
#include "loop/session.h"
#include "run/remove.h"

struct replay {
	struct measure m;
	bool stop;
	int rounds;
};

void replay_clear(struct replay_result *r)
{
	measured_free(&r->measured);
	free(r->why);
	*r = (struct replay_result){ 0 };
}

static int no_line(void *data, const char *kind, struct event *line, struct err *err)
{
	(void)data;
	(void)kind;
	(void)line;
	(void)err;
	return 0;
}

static int ended(void *data, struct measure *m, struct err *err)
{
	struct replay *r = data;

	if (m->outcome.reason != REASON_NONE) {
		r->stop = true;
		return 0;
	}
	if (m->executed && m->stage < m->stages)
		return measure_evaluate(m, err);
	if (m->round + 1 < r->rounds) {
		measure_again(m);
		return measure_execute(m, err);
	}
	r->stop = true;
	return 0;
}

static const struct measured *baseline_then(const struct history *h, int number)
{
	const struct record *r = history_record(h, history_before(h, number, RECORD_BASELINE));

	return r ? &r->measured : NULL;
}

/*
 * The decision to compare with: the last that numbers gave. A denial and a conflict say nothing of the measurement; after an
 * approval what escalates does not apply again.
 */
static int decided_then(struct loop *l, const struct record *r, struct replay_result *ret, bool *approved, struct err *err)
{
	CLEANUP(events_free) struct events lines = { 0 };
	bool yes = false;

	ret->then_verdict = r->verdict;
	ret->then_reason = r->reason;
	*approved = false;
	if (history_lines(l->repo, l->h, r->number, &lines, err) < 0)
		return err->code;
	for (size_t i = 0; i < lines.n; i++) {
		const struct event *line = &lines.v[i];
		enum reason reason;

		yes = yes || event_is(line, "event", "approve");
		if (!event_is(line, "event", "decide") || !reason_parse(event_get(line, "reason"), &reason) ||
		    reason == REASON_DENIED || reason == REASON_CONFLICT)
			continue;
		ret->then_reason = reason;
		if (verdict_parse(event_get(line, "verdict"), &ret->then_verdict))
			*approved = yes;
	}
	return 0;
}

static int judge(struct loop *l, const struct record *r, struct replay *run, struct replay_result *ret, struct err *err)
{
	struct decision_in in = {
		.policy = l->policy, .candidate = &run->m.measured, .confidence = r->confidence,
		.fewer_lines = r->reason == REASON_SIMPLER,
	};

	if (decided_then(l, r, ret, &in.approved, err) < 0)
		return err->code;
	if (!r->baseline) {
		in.best = history_measured_on(l->h, &r->base, r->number);
		in.baseline = baseline_then(l->h, r->number);
	}
	measured_copy(&run->m.measured, &ret->measured);
	if (run->m.outcome.reason != REASON_NONE) {
		ret->decision = (struct decision){ .verdict = VERDICT_REJECT, .reason = run->m.outcome.reason };
		ret->why = xstrdup(run->m.outcome.why);
	} else {
		decide(&in, &ret->decision);
		if (in.approved && ret->decision.reason == REASON_BETTER)
			ret->decision.reason = REASON_APPROVED;
	}
	ret->agrees = ret->decision.verdict == ret->then_verdict && ret->decision.reason == ret->then_reason;
	return 0;
}

static int write_act(struct loop *l, int number, const struct replay_result *r, struct err *err)
{
	EVENT facts = { 0 };

	event_add_int(&facts, "of", number);
	event_add(&facts, "verdict", verdict_names[r->decision.verdict]);
	event_add(&facts, "reason", reason_names[r->decision.reason]);
	if (r->decision.has_value)
		event_add_num(&facts, "value", r->decision.value);
	event_add_int(&facts, "agrees", r->agrees);
	event_add_secs(&facts, "elapsed", loop_elapsed(l));
	return loop_act(l, "replay", &facts, err);
}

/* What the run left for its stages is nobody's after it. */
static int forget_output(const struct loop *l, struct err *err)
{
	AUTOFREE char *dir = path_dirname(l->keep_dir);

	return remove_tree(AT_FDCWD, dir, 0, err);
}

static int run_again(struct loop *l, const struct record *r, struct replay *run, struct err *err)
{
	measure_init(&run->m, &l->bench, no_line, ended, run);
	run->m.number = r->number;
	run->m.commit = r->base;
	run->m.tree = r->tree;
	run->m.baseline = r->baseline;
	run->rounds = r->baseline ? l->policy->decide.calibrate : 1;
	if (checkpoint_of(l->repo, l->h, l->state_dir, &r->base, r->number, &run->m.state, err) < 0 ||
	    measure_execute(&run->m, err) < 0)
		return err->code;
	return reactor_run(l->reactor, &run->stop, err);
}

int loop_replay(struct repo *repo, const char *campaign, int number, struct replay_result *ret, struct err *err)
{
	struct loop_options o = { .campaign = campaign, .command = "replay", .must_exist = true, .replay = true };
	struct replay run = { 0 };
	const struct record *r;
	struct loop *l;
	int rc;

	if (loop_open(repo, &o, &l, err) < 0)
		return err->code;
	r = history_record(l->h, number);
	if (!r)
		rc = err_set(err, ERR_NOT_FOUND, "there is no experiment %d", number);
	else if (!r->run)
		rc = err_set(err, ERR_REFUSED, "experiment %d was never measured (%s)", number, reason_names[r->reason]);
	else
		rc = run_again(l, r, &run, err);
	if (rc >= 0)
		rc = judge(l, r, &run, ret, err);
	measure_clear(&run.m);
	if (rc >= 0)
		rc = forget_output(l, err);
	if (rc >= 0)
		rc = write_act(l, number, ret, err);
	loop_free(l);
	return rc;
}

/* States that pass by themselves count as the one whose work they end. */
static bool discardable(struct experiment *x)
{
	if (x->state == CHECK)
		x->state = PROPOSE;
	else if (x->state == DECIDE)
		x->state = EVALUATE;
	return x->open && x->kind != KIND_BASELINE && (x->state == PROPOSE || x->state == EXECUTE || x->state == EVALUATE);
}

int loop_discard(struct repo *repo, const char *campaign, struct str *ret_numbers, struct err *err)
{
	struct loop_options o = { .campaign = campaign, .command = "stop", .must_exist = true, .replay = true };
	struct loop *l;
	int rc = 0;

	if (loop_open(repo, &o, &l, err) < 0)
		return err->code;
	l->discard = l->driving = true;		/* nothing is begun in their place */
	for (size_t i = 0; i < l->n_slots && rc >= 0; i++) {
		struct experiment *x = &l->slots[i];

		if (!discardable(x))
			continue;
		str_printf(ret_numbers, "%s%d", ret_numbers->len ? ", " : "", x->number);
		rc = loop_cancelled(x, err);
	}
	loop_free(l);
	return rc;
}
