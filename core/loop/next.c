/* BUDGET, BASELINE, DONE: what comes next, and when it is over. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "loop/session.h"

static void end(struct loop *l, enum loop_end how, const char *why)
{
	l->result.end = how;
	if (!*l->result.why && why)
		snprintf(l->result.why, sizeof(l->result.why), "%s", why);
}

static int escalate_loop(struct loop *l, enum reason reason, struct err *err)
{
	EVENT act = { 0 };

	event_add(&act, "reason", reason_names[reason]);
	return loop_act(l, "escalate", &act, err);
}

/* The experiment has its directory and its number. */
static int open_number(struct experiment *x, enum kind kind, const struct oid *base, struct err *err)
{
	struct loop *l = x->loop;
	EVENT line = { 0 };

	x->kind = kind;
	x->base = *base;
	x->policy = l->h->policy_blob;
	if (tree_of_commit(l->repo, base, &x->base_tree, err) < 0)
		return err->code;
	if (kind == KIND_BASELINE)
		x->tree = x->base_tree;
	event_add(&line, "event", "open");
	event_add_int(&line, "experiment", x->number);
	event_add_int(&line, "slot", (int64_t)x->slot);
	event_add_int(&line, "kind", kind);
	event_add_oid(&line, "policy", &x->policy);
	event_add_oid(&line, "base", &x->base);
	event_add_oid(&line, "base_tree", &x->base_tree);
	if (kind != KIND_NEW)
		event_add_oid(&line, "tree", &x->tree);
	if (!oid_is_zero(&x->draft))
		event_add_oid(&line, "draft", &x->draft);
	if (x->reason == REASON_CONFLICT) {
		event_add_int(&line, "conflict", 1);
		event_add(&line, "why", x->why);
	}
	event_add_secs(&line, "elapsed", loop_elapsed(l));
	x->open = true;
	return experiment_journal(x, &line, false, err);
}

/* A person said yes to a candidate that is still to be measured: brought onto today's best, surface only. */
static int open_approved(struct experiment *x, const struct record *r, struct err *err)
{
	struct loop *l = x->loop;
	struct oid ours, theirs, base;
	AUTOFREE char *conflict = NULL;

	x->draft = r->commit;
	if (tree_of_commit(l->repo, &l->h->best, &ours, err) < 0 || tree_of_commit(l->repo, &r->base, &base, err) < 0)
		return err->code;
	theirs = r->tree;
	if (tree_merge(l->repo, &base, &ours, &theirs, &x->tree, &conflict, err) < 0)
		return err_wrap(err, "cannot bring experiment %d onto best", r->number);
	if (conflict) {
		AUTOFREE char *why = xasprintf("'%s' was changed on best meanwhile", conflict);

		x->tree = r->tree;
		experiment_blame(x, VERDICT_REJECT, REASON_CONFLICT, why);
	}
	if (history_lines(l->repo, l->h, r->number, &x->lines, err) < 0 || experiment_place(x, r->number, err) < 0 ||
	    open_number(x, KIND_APPROVED, &l->h->best, err) < 0 || experiment_hold(x, &x->tree, err) < 0)
		return err->code;
	return experiment_recall(x, err) < 0 ? err->code : experiment_post(x, MOVE_APPROVED);
}

static const struct record *owed(const struct loop *l)
{
	int i = 0;

	while ((i = history_next(l->h, i, RECORD_OWED)) >= 0 && loop_open_at(l, i))
		i++;
	return history_record(l->h, i);
}

static int finish(struct experiment *x, enum loop_end how, const char *why)
{
	end(x->loop, how, why);
	return experiment_post(x, MOVE_END);
}

static int budget_over(struct experiment *x, enum budget_end over, struct err *err)
{
	struct loop *l = x->loop;
	bool converged = over == BUDGET_PLATEAU || over == BUDGET_TARGET;
	AUTOFREE char *why = NULL;

	if (over == BUDGET_FAILURES) {
		if (!l->h->loop_waits && escalate_loop(l, REASON_FAILURES, err) < 0)
			return err->code;
		return finish(x, LOOP_ESCALATED, "too many failures in a row");
	}
	if (over == BUDGET_TARGET)
		why = xstrdup("the target is reached");
	else if (over == BUDGET_PLATEAU)
		why = xasprintf("no gain in %lld experiments", (long long)l->policy->budget.plateau);
	else
		why = xasprintf("the budget of %s is used", budget_end_names[over]);
	if (!converged && l->policy->escalate.not_converged) {
		if (!l->h->loop_waits && escalate_loop(l, REASON_NOT_CONVERGED, err) < 0)
			return err->code;
		return finish(x, LOOP_ESCALATED, "the budget is used and the search has not converged");
	}
	return finish(x, LOOP_ENDED, why);
}

static int stop_broken(struct experiment *x, struct err *err)
{
	if (escalate_loop(x->loop, REASON_EVALUATOR_BROKEN, err) < 0)
		return err->code;
	return finish(x, LOOP_BROKEN, "the evaluator cannot run");
}

static int open_baseline(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	struct oid at = !oid_is_zero(&l->advance_to) ? l->advance_to : l->h->last_baseline < 0 ? l->h->start : l->h->best;

	/* Behind all that was measured before it, so that numbers tell what it divides. */
	if (experiment_place(x, (int)l->h->n_records, err) < 0 || open_number(x, KIND_BASELINE, &at, err) < 0)
		return err->code;
	l->advance_to = (struct oid){ { 0 } };
	return experiment_post(x, MOVE_FIRST);
}

/* Asked for when the loop began; the experiment that was open then, or an answer, may have moved best since. */
static int check_advance(struct loop *l, struct err *err)
{
	bool holds;

	if (oid_is_zero(&l->advance_to))
		return 0;
	if (repo_descends(l->repo, &l->advance_to, &l->h->best, &holds, err) < 0)
		return err->code;
	if (holds && !oid_eq(&l->advance_to, &l->h->best))
		return 0;
	if (!holds)
		loop_say(l, "note: best has moved on, and HEAD does not hold it; merge it, then git harness start --advance");
	l->advance_to = (struct oid){ { 0 } };
	return 0;
}

static int open_new(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;

	if (experiment_place(x, loop_free_number(l), err) < 0 || open_number(x, KIND_NEW, &l->h->best, err) < 0)
		return err->code;
	return experiment_post(x, MOVE_GO);
}

/*
 * Nothing is owed: another experiment, unless a budget, a person or -n says no. What the others are about to record may say otherwise: the end
 * is the end only when nothing is open.
 */
static int go_on(struct experiment *x, bool others, struct err *err)
{
	struct loop *l = x->loop;
	struct spent spent = loop_spent(l);
	enum budget_end over = budget_check(l->policy, &spent, history_best_value(l->h));
	bool waits = l->policy->escalate.block == BLOCK_LOOP && history_waiting(l->h);
	int max = l->options.max_experiments;
	bool enough = max >= 0 && l->result.experiments + (int)loop_in_flight(l, KIND_NEW) >= max;

	if (others && (waits || over != BUDGET_GO || enough))
		return 0;
	if (waits)
		return finish(x, LOOP_ESCALATED, "an experiment waits for a person");
	if (over != BUDGET_GO)
		return budget_over(x, over, err);
	if (enough)
		return finish(x, LOOP_STOPPED, "as many as -n asked for");
	return open_new(x, err);
}

/* What must not begin, or end, while anything is measured. */
static bool waits_for_all(const struct loop *l)
{
	return l->stop_after || l->drain || l->h->needs_baseline || !oid_is_zero(&l->advance_to) || loop_in_flight(l, KIND_BASELINE);
}

/* A slot stays idle where it posts nothing: it is looked at again when another has ended. */
static int what_next(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;
	size_t others = loop_in_flight(l, KIND_ANY);
	const struct record *approved;

	if (l->broken)
		return others ? 0 : stop_broken(x, err);
	if (l->no_ideas)
		return finish(x, LOOP_ENDED, NULL);
	if (others && (others >= (size_t)l->policy->parallel.jobs || waits_for_all(l)))
		return 0;
	if (l->stop_after)
		return finish(x, LOOP_STOPPED, "stopped");
	if (l->h->needs_baseline || !oid_is_zero(&l->advance_to))
		return open_baseline(x, err);
	approved = owed(l);
	return approved ? open_approved(x, approved, err) : go_on(x, others > 0, err);
}

int enter_budget(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;

	experiment_reset(x);
	if (loop_serve(l, loop_in_flight(l, KIND_ANY) > 0, err) < 0 || check_advance(l, err) < 0)
		return err->code;
	return l->halting ? finish(x, l->result.end, "stopped") : what_next(x, err);
}

int enter_baseline(struct experiment *x, struct err *err)
{
	(void)err;
	return experiment_post(x, MOVE_READY);
}

int enter_done(struct experiment *x, struct err *err)
{
	struct loop *l = x->loop;

	if (x->open) {		/* no more ideas: the number was never used */
		l->result.end = LOOP_ENDED;
		l->no_ideas = l->wake = true;
		if (experiment_forget(x, err) < 0)
			return err->code;
		x->open = false;
	}
	if (l->halting)
		loop_stop_when_quiet(l);
	else if (!loop_in_flight(l, KIND_ANY))
		l->stop = true;
	return 0;
}
