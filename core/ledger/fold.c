#include "ledger/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/tree.h"
#include "ledger/store.h"

struct fold {
	struct repo *repo;
	struct history *h;
	const struct link *link;
	bool later;		/* a later link touches this number again: its record is not what it was at this link */
};

static int base_tree_of(struct fold *f, const struct oid *commit, struct oid *ret, struct err *err)
{
	struct history_index *x = f->h->index;

	/* Experiments between two accepts share their base. */
	if (!oid_eq(commit, &x->commit)) {
		if (tree_of_commit(f->repo, commit, &x->tree, err) < 0)
			return err->code;
		x->commit = *commit;
	}
	*ret = x->tree;
	return 0;
}

static void set_best(struct history *h, int number)
{
	h->best_number = number;
	h->index->measured_number = number;
}

static void count_elapsed(struct history *h, const struct record *r)
{
	if (r->elapsed > h->spent.wall)
		h->spent.wall = r->elapsed;
}

static void count(struct history *h, const struct record *r)
{
	budget_count(&h->spent, r->verdict, r->reason);
	if (r->tokens_in > 0)
		h->spent.tokens += r->tokens_in;
	if (r->tokens_out > 0)
		h->spent.tokens += r->tokens_out;
	if (r->usd > 0)
		h->spent.usd += r->usd;
	h->agent_failures = r->reason == REASON_AGENT_FAILED ? h->agent_failures + 1 : 0;
	count_elapsed(h, r);
}

static void take_remade(struct record *r, const struct entry *e)
{
	if (!oid_is_zero(&e->commit) && !oid_eq(&e->commit, &r->commit))
		r->remade = e->commit;
}

/* The measurement that an approval owed: its number has been counted. */
static void count_late(struct fold *f, const struct record *then)
{
	count_elapsed(f->h, then);
	take_remade(store_edit(f->h->store, f->link->entry.number), &f->link->entry);
	if (then->verdict == VERDICT_ACCEPT)
		f->h->spent.plateau = 0;
}

static int fold_experiment_as(struct fold *f, const struct record *then, struct err *err)
{
	const struct entry *e = &f->link->entry;
	struct history *h = f->h;
	struct oid base_tree;

	if (then->reason == REASON_BASELINE)
		return err_set(err, ERR_INVALID, "%s/%d is recorded as an experiment and decided as a baseline", h->campaign,
			       e->number);
	if (then->run && !oid_is_zero(&then->base) && !oid_is_zero(&then->tree)) {
		if (base_tree_of(f, &then->base, &base_tree, err) < 0)
			return err_wrap(err, "%s/%d: its base %s", h->campaign, e->number, oid_hex(&then->base).s);
		index_add(h->index, &base_tree, &then->tree, e->number);
	}
	if (f->link->again)
		count_late(f, then);
	else
		count(h, then);
	if (then->verdict == VERDICT_ACCEPT) {
		store_edit(h->store, e->number)->accepted = e->commit;
		set_best(h, e->number);
	}
	return 0;
}

static int fold_experiment(struct fold *f, struct err *err)
{
	const struct entry *e = &f->link->entry;
	struct record then;
	int r;

	if (!f->later)
		return fold_experiment_as(f, store_get(f->h->store, e->number), err);
	if (load_record_at(f->repo, f->h->campaign, &f->link->tree, e->number, &then, err) < 0)
		return err->code;
	r = fold_experiment_as(f, &then, err);
	record_clear(&then);
	return r;
}

static int fold_baseline(struct fold *f, struct err *err)
{
	const struct entry *e = &f->link->entry;
	struct history *h = f->h;
	struct record *r = store_edit(h->store, e->number);
	int best = h->best_number;

	if (r->reason != REASON_BASELINE)
		return err_set(err, ERR_INVALID, "%s/%d is recorded as a baseline and decided as %s (%s)", h->campaign, e->number,
			       verdict_names[r->verdict], reason_names[r->reason]);
	r->accepted = r->commit;
	set_best(h, e->number);
	if (best >= 0 && oid_eq(&store_get(h->store, best)->accepted, &e->best))
		h->best_number = best;	/* measured anew, but still that experiment's commit */
	h->last_baseline = h->index->baseline_number = e->number;
	h->needs_baseline = false;
	index_clear(h->index);
	budget_count(&h->spent, r->verdict, r->reason);
	count_elapsed(h, r);
	return 0;
}

static void act_approve(struct fold *f)
{
	const struct entry *e = &f->link->entry;

	if (e->number < 0 || oid_is_zero(&e->commit))
		return;
	take_remade(store_edit(f->h->store, e->number), e);
	store_edit(f->h->store, e->number)->accepted = e->commit;
	f->h->spent.plateau = 0;
	set_best(f->h, e->number);
}

/* Back to a commit that was best: whose it is, and whether the present policy has measured it. */
static void act_rollback(struct fold *f)
{
	struct history *h = f->h;
	const struct oid *best = &f->link->entry.best;

	set_best(h, -1);
	for (int i = h->index->next; (i = history_before(h, i, RECORD_WAS_BEST)) >= 0; ) {
		const struct record *r = store_get(h->store, i);

		if (!oid_eq(&r->accepted, best))
			continue;
		if (h->index->measured_number < 0 && r->number >= h->index->epoch)
			h->index->measured_number = r->number;
		h->best_number = r->number;	/* the oldest is the one that made the commit */
	}
	h->needs_baseline = h->index->measured_number < 0;
}

static void unmeasured(struct history *h)
{
	h->needs_baseline = true;
	h->index->measured_number = -1;
}

static void act_adopt(struct fold *f)
{
	struct history *h = f->h;

	h->loop_waits = 0;
	if (!event_is(&f->link->entry.act, "measure", "1"))
		return;
	unmeasured(h);
	h->index->baseline_number = -1;
	h->index->epoch = h->index->next;
}

static void act_advance(struct fold *f)
{
	f->h->loop_waits = 0;
	unmeasured(f->h);
}

static void act_escalate(struct fold *f)
{
	const char *name = event_get(&f->link->entry.act, "reason");
	enum reason reason;

	f->h->loop_waits = name && reason_parse(name, &reason) ? (int)reason : REASON_FAILURES;
}

static void act_resume(struct fold *f)
{
	f->h->loop_waits = 0;
	/* Who goes on wants to see another experiment before the same escalation comes again. */
	f->h->spent.failures = 0;
	f->h->agent_failures = 0;
}

static const struct {
	const char *event;
	void (*fold)(struct fold *f);
} acts[] = {
	{ "approve", act_approve }, { "rollback", act_rollback }, { "adopt-policy", act_adopt },
	{ "advance", act_advance }, { "escalate", act_escalate }, { "resume", act_resume },
};

static int fold_act(struct fold *f, struct err *err)
{
	const struct entry *e = &f->link->entry;
	const char *name = event_get(&e->act, "event");

	if (!name)
		return err_set(err, ERR_INVALID, "campaign '%s': the act of ledger commit %s does not say what it was",
			       f->h->campaign, oid_hex(&e->id).s);
	if (e->number >= 0)
		count_elapsed(f->h, store_get(f->h->store, e->number));
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		if (!strcmp(acts[i].event, name))
			acts[i].fold(f);
	}
	return 0;
}

static int fold_start(struct fold *f, struct err *err)
{
	(void)err;
	f->h->start = f->link->base;
	return 0;
}

static int (*const by_kind[])(struct fold *f, struct err *err) = {
	[ENTRY_START] = fold_start, [ENTRY_EXPERIMENT] = fold_experiment, [ENTRY_BASELINE] = fold_baseline, [ENTRY_ACT] = fold_act,
};

/* ahead[n]: links of this chain on number n. */
static void count_ahead(const struct chain *chain, size_t *ahead)
{
	for (size_t i = 0; i < chain->n; i++) {
		if (chain->v[i].entry.number >= 0)
			ahead[chain->v[i].entry.number]++;
	}
}

static void add_step(struct history *h, const struct entry *e)
{
	if (oid_is_zero(&e->best) || (oid_eq(&e->best, &h->best) && e->kind != ENTRY_BASELINE))
		return;
	GROW(h->steps, h->n_steps, h->alloc_steps);
	h->steps[h->n_steps++] = (struct best_step){ .upto = h->index->next - 1, .best = e->best };
}

int fold_chain(struct repo *repo, struct history *h, const struct chain *chain, struct err *err)
{
	AUTOFREE size_t *ahead = xcalloc(h->n_records + 1, sizeof(*ahead));
	struct fold f = { .repo = repo, .h = h };

	count_ahead(chain, ahead);
	for (size_t i = 0; i < chain->n; i++) {
		const struct entry *e = &chain->v[i].entry;

		f.link = &chain->v[i];
		f.later = e->number >= 0 && --ahead[e->number] > 0;
		if (by_kind[e->kind](&f, err) < 0)
			return err->code;
		if (e->number >= h->index->next)
			h->index->next = e->number + 1;
		if (e->number >= 0)
			store_flag(h->store, e->number);
		add_step(h, e);
		h->last_kind = e->kind;
		h->last_number = e->number;
		h->previous_best = h->best;
		h->best = e->best;
		h->best_waits = f.link->waits;
	}
	if (h->free_number < h->last_baseline)
		h->free_number = h->last_baseline;
	while (history_record(h, h->free_number))
		h->free_number++;
	return 0;
}
