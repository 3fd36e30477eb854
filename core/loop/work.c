/* EXECUTE, EVALUATE, DECIDE: run the candidate, measure it, and let the pure function judge. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/session.h"
#include "loop/checkpoint.h"

#define LOG_SHOWN ((size_t)400)

static int run_line(void *data, const char *kind, struct event *line, struct err *err)
{
	return experiment_line(data, kind, line, err);
}

static int save_log(struct experiment *x, const char *name, const struct capture *log, struct err *err)
{
	STR text = STR_INIT;

	capture_text(log, &text);
	return text.len ? experiment_save(x, name, text.buf, text.len, err) : 0;
}

static int save_logs(struct experiment *x, struct err *err)
{
	if (save_log(x, "execute.log", &x->run.execute_log, err) < 0)
		return err->code;
	return save_log(x, "evaluate.log", &x->run.evaluate_log, err);
}

/* A baseline that fails is an error of the set-up: the command, how it ended, the end of its log. */
static int baseline_failed(struct experiment *x, struct err *err)
{
	const struct outcome *o = &x->run.outcome;
	const struct policy *p = x->loop->policy;
	const char *command = p->execute.command;
	STR log = STR_INIT;

	for (size_t i = 0; o->stage && i < p->n_stages; i++)
		if (!strcmp(p->stages[i].name, o->stage))
			command = p->stages[i].command;
	err_set(err, ERR_EVALUATOR, "cannot measure the starting commit: %s (%s)", reason_names[o->reason],
		o->why ? o->why : "the command failed");
	if (o->stage && o->exit >= 0)
		err_hint(err, "stage '%s': `%.200s` ended with exit status %d", o->stage, command, o->exit);
	else if (o->stage)
		err_hint(err, "stage '%s': `%.200s`", o->stage, command);
	capture_text(x->run.evaluate_log.total ? &x->run.evaluate_log : &x->run.execute_log, &log);
	return err_hint(err, "the end of its log:\n%s", log.len > LOG_SHOWN ? log.buf + log.len - LOG_SHOWN : log.buf);
}

static enum move blame_outcome(struct experiment *x, const struct outcome *o)
{
	experiment_blame(x, VERDICT_REJECT, o->reason, o->why);

	free(x->path);
	x->path = xstrdup(o->path);
	x->stage = o->stage;
	x->exit = o->exit;
	return MOVE_FAILED;
}

/* Where it keeps what one step hands to the next, and the device of its slot. */
static void equip(const struct experiment *x, struct measure *m)
{
	const struct strs *devices = &x->loop->policy->parallel.devices;

	m->number = x->number;
	m->keep = x->keep;
	m->keep_state = x->keep_state;
	m->device = devices->n ? devices->v[x->slot % devices->n] : NULL;
}

/* ---- a suspect evaluator is tried once on best ---- */

static int trial_over(struct experiment *x, struct err *err)
{
	struct outcome *o = &x->trial.outcome;
	bool broken = o->reason != REASON_NONE;

	if (broken) {
		AUTOFREE char *why = xasprintf("'%s' cannot be run on best either", x->blame.stage);

		experiment_blame(x, VERDICT_ESCALATE, REASON_EVALUATOR_BROKEN, why);
		x->stage = x->blame.stage;
		x->exit = x->blame.exit;
	} else {
		blame_outcome(x, &x->blame);
	}
	outcome_clear(&x->blame);
	measure_clear(&x->trial);
	x->on_trial = false;
	experiment_post(x, broken ? MOVE_BROKEN : MOVE_FAILED);
	return experiment_pump(x, err);
}

static int trial_ended(void *data, struct measure *m, struct err *err)
{
	struct experiment *x = data;

	if (m->cancelled)
		return loop_cancelled(x, err);
	if (m->outcome.reason == REASON_NONE && m->stages && m->stage == 0 && m->executed)
		return measure_evaluate(m, err);
	return trial_over(x, err);
}

/* The same steps up to the suspect one, on best, counted nowhere. */
static int try_on_best(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	size_t stages = 0;

	x->blame = x->run.outcome;
	x->run.outcome = (struct outcome){ .exit = -1 };
	for (size_t i = 0; i < l->policy->n_stages; i++)
		if (!strcmp(l->policy->stages[i].name, x->blame.stage))
			stages = i + 1;
	x->on_trial = true;
	measure_init(&x->trial, &l->bench, run_line, trial_ended, x);
	x->trial.trial = true;
	x->trial.stages = stages;
	equip(x, &x->trial);
	x->trial.commit = x->base;
	x->trial.tree = x->base_tree;
	x->trial.state = xstrdup(x->run.state);
	return measure_execute(&x->trial, err);
}

/* ---- the candidate's own run ---- */

static int run_failed(struct experiment *x, struct err *err)
{
	if (save_logs(x, err) < 0)
		return err->code;
	if (x->kind == KIND_BASELINE)
		return baseline_failed(x, err);
	if (x->run.outcome.suspect)
		return try_on_best(x, err);
	return experiment_post(x, blame_outcome(x, &x->run.outcome));
}

static int run_ended(void *data, struct measure *m, struct err *err)
{
	struct experiment *x = data;

	if (m->cancelled)
		return loop_cancelled(x, err);
	if (m->outcome.reason != REASON_NONE) {
		if (run_failed(x, err) < 0)
			return err->code;
	} else {
		if (save_logs(x, err) < 0)
			return err->code;
		experiment_post(x, x->state == EXECUTE ? MOVE_RAN : MOVE_MEASURED);
	}
	return experiment_pump(x, err);
}

int measure_of_experiment(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;

	if (x->run.bench)
		return 0;
	measure_init(&x->run, &l->bench, run_line, run_ended, x);
	equip(x, &x->run);
	x->run.commit = x->base;
	x->run.tree = x->tree;
	x->run.baseline = x->kind == KIND_BASELINE;
	if (!l->policy->execute.state.n)
		return 0;
	return checkpoint_of(l->repo, l->h, l->state_dir, &x->base, (int)l->h->n_records, &x->run.state, err);
}

int enter_execute(struct experiment *x, struct err *err)
{
	return measure_of_experiment(x, err) < 0 ? err->code : measure_execute(&x->run, err);
}

int enter_evaluate(struct experiment *x, struct err *err)
{
	return measure_of_experiment(x, err) < 0 ? err->code : measure_evaluate(&x->run, err);
}

/* ---- DECIDE ---- */

/* Net lines of what it is judged against, as its own record tells them; a baseline counts as 0. */
static int net_of_base(const struct experiment *x, int64_t *ret, struct err *err)
{
	const struct history *h = x->loop->h;
	CLEANUP(events_free) struct events lines = { 0 };

	*ret = 0;
	for (int i = (int)h->n_records; (i = history_before(h, i, RECORD_WAS_BEST)) >= 0; ) {
		const struct record *r = history_record(h, i);

		if (r->baseline || !oid_eq(&r->accepted, &x->base))
			continue;
		if (history_lines(x->loop->repo, h, i, &lines, err) < 0)
			return err->code;
		*ret = act_net(&lines);
		return 0;
	}
	return 0;
}

static enum move judged(struct experiment *x)
{
	switch (x->decision.verdict) {
	case VERDICT_ACCEPT:
		return MOVE_BETTER;
	case VERDICT_ESCALATE:
		return MOVE_ASK;
	default:
		return MOVE_NOT_BETTER;
	}
}

/* Brought onto a new best: measured again there, unless best has come to the same by another way. */
static int moved(struct experiment *x)
{
	if (!oid_eq(&x->tree, &x->base_tree))
		return experiment_post(x, MOVE_MOVED);
	experiment_blame(x, VERDICT_REJECT, REASON_NO_OP, "best has come to hold the same change");
	return experiment_post(x, MOVE_NOT_BETTER);
}

/*
 * It beats the base it was proposed on, and best has moved on meanwhile (a late approval, another job): brought onto the new best, as a
 * merge queue does, and measured again there. Both measurements are in its one record; the first draft stays reachable.
 */
static int rebase(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	AUTOFREE char *conflict = NULL;
	struct oid ours, merged;
	EVENT line = { 0 };

	if (tree_of_commit(l->repo, &l->h->best, &ours, err) < 0 ||
	    tree_merge(l->repo, &x->base_tree, &ours, &x->tree, &merged, &conflict, err) < 0)
		return err_wrap(err, "cannot bring experiment %d onto best", x->number);
	if (conflict) {		/* it keeps the base it was judged against, and is committed there */
		AUTOFREE char *why = xasprintf("'%s' was changed on best meanwhile", conflict);

		experiment_blame(x, VERDICT_REJECT, REASON_CONFLICT, why);
		return experiment_post(x, MOVE_NOT_BETTER);
	}
	if (experiment_draft(x, &x->draft, err) < 0)
		return err_wrap(err, "cannot keep the first draft of experiment %d", x->number);
	x->base = l->h->best;
	x->base_tree = ours;
	x->tree = merged;
	event_add_oid(&line, "base", &x->base);
	event_add_oid(&line, "tree", &x->tree);
	event_add_oid(&line, "draft", &x->draft);
	if (experiment_hold(x, &x->tree, err) < 0 || experiment_line(x, "rebase", &line, err) < 0)
		return err->code;
	measure_clear(&x->run);
	x->loop->wake = true;	/* who waits for its end on the old base waits in vain */
	return moved(x);
}

static int judge(struct experiment *x, struct err *err)
{
	const struct history *h = x->loop->h;
	struct decision_in in = {
		.policy = x->loop->policy, .candidate = &x->run.measured, .confidence = x->proposal.confidence,
		.approved = x->kind == KIND_APPROVED,
	};
	int64_t net;

	if (x->kind != KIND_BASELINE) {
		if (net_of_base(x, &net, err) < 0)
			return err->code;
		in.fewer_lines = x->net < net;
		in.best = oid_eq(&x->base, &h->best) ? h->best_measured : history_measured_on(h, &x->base, (int)h->n_records);
		in.baseline = h->baseline_measured;
		if (!in.best) {
			err_set(err, ERR_REFUSED, "experiment %d cannot be judged: %s was not measured under the present policy",
				x->number, oid_hex(&x->base).s);
			return err_hint(err, "git harness stop --now --discard records it as interrupted");
		}
	}
	decide(&in, &x->decision);
	x->reason = x->decision.reason;
	return 0;
}

/* Baselines are calibrated, would-be accepts confirmed: plain repetition, samples pooled. */
static bool wants_more(const struct experiment *x, bool would_be)
{
	const struct policy *p = x->loop->policy;

	if (x->kind == KIND_BASELINE)
		return x->run.round + 1 < p->decide.calibrate;
	return would_be && x->run.round < p->decide.confirm;
}

static bool is_moved(const struct experiment *x)
{
	return x->lines.n && event_is(&x->lines.v[x->lines.n - 1], "event", "rebase");
}

int enter_decide(struct experiment *x, struct err *err)
{
	bool would_be;

	if (is_moved(x))	/* it died before the move was made */
		return moved(x);
	if (judge(x, err) < 0)
		return err->code;
	would_be = x->decision.verdict == VERDICT_ACCEPT ||
		   (x->decision.verdict == VERDICT_ESCALATE && x->reason != REASON_OUT_OF_RANGE);
	if (wants_more(x, would_be)) {
		measure_again(&x->run);
		return experiment_post(x, MOVE_AGAIN);
	}
	if (would_be && x->kind != KIND_BASELINE && !oid_eq(&x->base, &x->loop->h->best))
		return rebase(x, err);
	return experiment_post(x, judged(x));
}
