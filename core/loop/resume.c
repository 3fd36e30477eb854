/* The journal back to experiments. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/session.h"

static int read_proposal(struct experiment *x, struct err *err)
{
	STR text = STR_INIT;

	if (experiment_load(x, "proposal.md", &text, err) < 0)
		return err->code;
	proposal_clear(&x->proposal);
	if (text.len)
		proposal_parse(text.buf, text.len, &x->proposal);
	return 0;
}

static size_t slot_in(const struct event *line)
{
	int64_t slot;

	return event_get_int(line, "slot", &slot) && slot >= 0 && slot < PARALLEL_MAX ? (size_t)slot : 0;
}

/* event=open: which number, of what kind, against what. */
static int reopen(struct loop *l, const struct event *line, struct err *err)
{
	struct experiment *x = &l->slots[slot_in(line)];
	int64_t number, kind;

	experiment_reset(x);	/* what had the slot before was never begun */
	if (!event_get_int(line, "experiment", &number) || !event_get_int(line, "kind", &kind) ||
	    !event_get_oid(line, "base", &x->base) || !event_get_oid(line, "base_tree", &x->base_tree))
		return err_set(err, ERR_INVALID, "the journal's open experiment cannot be read");
	x->open = x->resumed = true;
	x->number = (int)number;
	experiment_set_place(x);
	x->kind = (enum kind)kind;
	event_get_oid(line, "policy", &x->policy);
	event_get_oid(line, "tree", &x->tree);
	event_get_oid(line, "draft", &x->draft);
	if (event_is(line, "conflict", "1"))
		experiment_blame(x, VERDICT_REJECT, REASON_CONFLICT, event_get(line, "why"));
	if (x->kind != KIND_APPROVED)
		return 0;
	/* its record goes on */
	return history_lines(l->repo, l->h, x->number, &x->lines, err) < 0 ? err->code : experiment_recall(x, err);
}

static int fold_verdict(struct experiment *x, const struct event *line, struct err *err)
{
	const char *stage = event_get(line, "stage");
	const struct policy *p = x->loop->policy;
	int64_t code = -1;

	reason_parse(event_get(line, "reason"), &x->reason);
	event_get_oid(line, "tree", &x->tree);
	for (size_t i = 0; stage && i < p->n_stages; i++)
		if (!strcmp(p->stages[i].name, stage))
			x->stage = p->stages[i].name;
	if (event_get_int(line, "exit", &code))
		x->exit = (int)code;
	(void)err;
	return 0;
}

static int fold_taken(struct experiment *x, const struct event *line, struct err *err)
{
	x->taken = true;
	event_free(&x->facts);
	event_copy(line, &x->facts);
	event_get_secs(line, "wall", &x->agent_wall);
	event_get_int(line, "dropped", &x->dropped);
	for (size_t i = 0; i < line->n; i++)
		if (!strcmp(line->pairs[i].key, "dropped_path"))
			strs_add(&x->dropped_paths, line->pairs[i].value);
	return read_proposal(x, err);
}

static int state_in(const struct event *line, const char *key)
{
	const char *name = event_get(line, key);

	return name ? state_parse(name) : -1;
}

static int fold_move(struct experiment *x, const struct event *line, struct err *err)
{
	int to = state_in(line, "to");

	if (to < 0)
		return err_set(err, ERR_INVALID, "the journal names no state of ours");
	x->state = (enum state)to;
	x->before = state_in(line, "from");
	event_get_oid(line, "tree", &x->tree);
	if (event_is(line, "on", move_names[MOVE_AGAIN]))
		measure_again(&x->run);
	return 0;
}

static int fold_propose(struct experiment *x, const struct event *line, struct err *err)
{
	(void)err;
	event_get_int(line, "net", &x->net);
	return 0;
}

static int fold_rebase(struct experiment *x, const struct event *line, struct err *err)
{
	event_get_oid(line, "base", &x->base);
	event_get_oid(line, "tree", &x->tree);
	event_get_oid(line, "draft", &x->draft);
	measure_clear(&x->run);
	return tree_of_commit(x->loop->repo, &x->base, &x->base_tree, err);
}

static int fold_work(struct experiment *x, const struct event *line, struct err *err)
{
	if (measure_of_experiment(x, err) < 0)
		return err->code;
	measure_replay(&x->run, event_get(line, "event"), line);
	return 0;
}

/* Lines of the open experiment; those of the record are kept as they stand. */
static const struct {
	const char *kind;
	int (*fold)(struct experiment *x, const struct event *line, struct err *err);
	bool of_record;
} lines_of_work[] = {
	{ "taken", fold_taken, false },	     { "move", fold_move, false },     { "sample", fold_work, false },
	{ "propose", fold_propose, true },   { "execute", fold_work, true },   { "evaluate", fold_work, true },
	{ "rebase", fold_rebase, true },     { "decide", fold_verdict, true },
};

static int refold(struct experiment *x, const struct event *line, struct err *err)
{
	const char *kind = event_get(line, "event");

	for (size_t i = 0; kind && i < ARRAY_SIZE(lines_of_work); i++) {
		if (strcmp(lines_of_work[i].kind, kind))
			continue;
		if (lines_of_work[i].fold(x, line, err) < 0)
			return err->code;
		if (lines_of_work[i].of_record)
			event_copy(line, events_push(&x->lines));
	}
	return 0;
}

/* Is what the journal holds of the candidate still in the object store? A gc --prune=now in between may have taken it. */
static bool objects_live(const struct experiment *x)
{
	struct oid whole;

	if (x->kind == KIND_APPROVED)
		return repo_has(x->loop->repo, &x->tree);
	if (x->kind != KIND_NEW || !x->taken)
		return true;
	return event_get_oid(&x->facts, "whole", &whole) && repo_has(x->loop->repo, &whole);
}

/* Recorded already (it died after the commit point); or its candidate is gone, or its samples count under no policy any more: begun again. */
static bool is_stale(const struct experiment *x)
{
	const struct history *h = x->loop->h;
	const struct record *done = history_record(h, x->number);

	if (done && (x->kind != KIND_APPROVED || !done->approved))
		return true;
	if (h->needs_baseline && !x->taken && !oid_eq(&x->policy, &h->policy_blob))
		return true;
	return !objects_live(x);
}

/* The move was made and the decision not yet put down: whoever made it makes it again, from the same facts. */
static void step_back(struct experiment *x)
{
	bool judged = x->state == ACCEPT || x->state == REJECT || x->state == ESCALATE;
	bool decided = x->lines.n && event_is(&x->lines.v[x->lines.n - 1], "event", "decide");

	if (judged && !decided && x->before >= 0)
		x->state = (enum state)x->before;
}

static int take_line(struct loop *l, const struct event *line, struct err *err)
{
	struct experiment *x;
	int64_t elapsed, number;

	if (event_get_secs(line, "elapsed", &elapsed) && elapsed > l->wall_before)
		l->wall_before = elapsed;
	if (event_is(line, "event", "open") && reopen(l, line, err) < 0)
		return err->code;
	x = event_get_int(line, "experiment", &number) ? loop_open_at(l, (int)number) : NULL;
	if (!x)
		return 0;
	event_copy(line, events_push(&x->journal));
	return refold(x, line, err);
}

/* In BUDGET it died before the first move: nothing was asked of anybody. */
static bool is_over(const struct experiment *x)
{
	return x->state == BUDGET || is_stale(x);
}

int experiment_resume(struct loop *l, const struct events *journal, struct err *err)
{
	size_t n = (size_t)l->policy->parallel.jobs;
	bool dropped = false;

	for (size_t i = 0; i < journal->n; i++)
		if (event_is(&journal->v[i], "event", "open") && slot_in(&journal->v[i]) >= n)
			n = slot_in(&journal->v[i]) + 1;
	loop_make_slots(l, n);
	for (size_t i = 0; i < journal->n; i++)
		if (take_line(l, &journal->v[i], err) < 0)
			return err->code;
	for (size_t i = 0; i < l->n_slots; i++) {
		struct experiment *x = &l->slots[i];

		if (!x->open)
			continue;
		step_back(x);
		if (!is_over(x))
			continue;
		experiment_reset(x);
		dropped = true;
	}
	if ((dropped && loop_tidy_journal(l, err) < 0) || loop_let_go(l, err) < 0)
		return err->code;
	return loop_clear_work(l, err);
}
