#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "git/tree.h"
#include "ledger/names.h"
#include "ledger/verifying.h"

#define TEXT_MAX ((size_t)64 << 20)

const struct best_of *verify_best(const struct verify *v, const struct oid *commit)
{
	for (size_t i = v->n_bests; i-- > 0; ) {
		if (v->bests[i].number >= v->epoch && oid_eq(&v->bests[i].commit, commit))
			return &v->bests[i];
	}
	return NULL;
}

bool verify_was_best(const struct verify *v, const struct oid *commit)
{
	for (size_t i = v->n_bests; i-- > 0; ) {
		if (oid_eq(&v->bests[i].commit, commit))
			return true;
	}
	return false;
}

static void add_best(struct verify *v, const struct oid *commit, int number)
{
	GROW(v->bests, v->n_bests, v->alloc_bests);
	v->bests[v->n_bests++] = (struct best_of){ *commit, number };
}

static void claim_clear(struct claim *c)
{
	record_clear(&c->r);
	events_free(&c->lines);
}

static int claim_read(struct verify *v, int number, struct claim *ret, struct err *err)
{
	STR text = STR_INIT;

	if (load_record_at(v->repo, v->h->campaign, &v->link->tree, number, &ret->r, err) < 0 ||
	    repo_read_blob(v->repo, &ret->r.blob, TEXT_MAX, &text, err) < 0 ||
	    record_parse(v->h->campaign, number, text.buf, text.len, &ret->lines, err) < 0)
		return err->code;
	for (size_t i = 0; i < ret->lines.n; i++) {
		const struct event *line = &ret->lines.v[i];
		int64_t n;

		if (!event_get_int(line, "n", &n) || n != (int64_t)i + 1)
			return broken(v, "%s/%d: line %zu of the record has n=%s", v->h->campaign, number, i + 1,
				      event_get(line, "n") ? event_get(line, "n") : "");
		if (event_is(line, "event", "decide"))
			ret->decide = line;
	}
	return 0;
}

/* ---- what a ledger commit may change in the tree ---- */

static int check_appended(struct verify *v, const struct tree_change *t, size_t lines, struct err *err)
{
	STR old = STR_INIT, new = STR_INIT;
	size_t more = 0;

	if (t->old.mode && repo_read_blob(v->repo, &t->old.id, TEXT_MAX, &old, err) < 0)
		return err->code;
	if (t->new.mode && repo_read_blob(v->repo, &t->new.id, TEXT_MAX, &new, err) < 0)
		return err->code;
	for (size_t i = old.len; i < new.len; i++)
		more += new.buf[i] == '\n';
	if (new.len > old.len && !memcmp(new.buf, old.buf, old.len) && (!lines || more == lines))
		return 0;
	return broken(v, "%s: ledger commit %s rewrites '%s' instead of adding to it", v->h->campaign, oid_hex(&v->link->entry.id).s,
		      t->path);
}

static bool in_own_dir(const struct verify *v, const char *path, const char **ret_name)
{
	char dir[NAME_MAX_REF];
	size_t len;

	if (v->link->entry.number < 0)
		return false;
	name_experiment_dir(v->link->entry.number, dir);
	len = strlen(dir);
	if (strncmp(path, dir, len) != 0 || path[len] != '/')
		return false;
	*ret_name = path + len + 1;
	return true;
}

static int not_its(struct verify *v, const struct tree_change *t)
{
	const struct entry *e = &v->link->entry;
	STR path = STR_INIT;

	text_line(t->path, strlen(t->path), 200, &path);
	return broken(v, "%s: ledger commit %s (%s) changes '%s', which is not its to change", v->h->campaign, oid_hex(&e->id).s,
		      entry_names[e->kind], path.buf);
}

static int check_own_file(struct verify *v, const struct tree_change *t, const char *name, struct err *err)
{
	if (!t->old.mode)
		return 0;
	if (!strcmp(name, "record"))
		return check_appended(v, t, 0, err);
	/* logs of a measurement made late */
	return v->link->entry.kind == ENTRY_EXPERIMENT && t->new.mode ? 0 : not_its(v, t);
}

static int check_change(struct verify *v, const struct tree_change *t, struct err *err)
{
	const char *name;

	if (in_own_dir(v, t->path, &name))
		return check_own_file(v, t, name, err);
	if (v->link->entry.kind != ENTRY_ACT)
		return not_its(v, t);
	if (!strcmp(t->path, "acts"))
		return check_appended(v, t, 1, err);
	return !strcmp(t->path, "policy.yaml") && event_is(v->act, "event", "adopt-policy") ? 0 : not_its(v, t);
}

static int check_changes(struct verify *v, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };

	if (v->link->entry.kind == ENTRY_START)
		return 0;	/* there is nothing before it */
	if (tree_compare(v->repo, &v->tree, &v->link->tree, &changes, err) < 0)
		return err->code;
	for (size_t i = 0; i < changes.n; i++) {
		int r = check_change(v, &changes.v[i], err);

		if (r)
			return r;
	}
	return 0;
}

/* ---- entries ---- */

static int expect_best(struct verify *v, const struct oid *want)
{
	const struct entry *e = &v->link->entry;

	if (oid_eq(&e->best, want))
		return 0;
	return broken(v, "%s: ledger commit %s says Harness-Best %s, it should be %s", v->h->campaign, oid_hex(&e->id).s,
		      oid_hex(&e->best).s, oid_hex(want).s);
}

static int load_policy(struct verify *v, struct err *err)
{
	struct tree_entry entry;
	STR text = STR_INIT;
	struct policy *policy;

	if (tree_lookup(v->repo, &v->link->tree, "policy.yaml", &entry, err) < 0)
		return err->code;
	if (!entry.mode)
		return broken(v, "%s: ledger commit %s holds no policy", v->h->campaign, oid_hex(&v->link->entry.id).s);
	if (repo_read_blob(v->repo, &entry.id, POLICY_MAX, &text, err) < 0 ||
	    policy_parse("ledger:policy.yaml", text.buf, text.len, &policy, err) < 0)
		return err->code;
	policy_free(v->policy);
	v->policy = policy;
	v->policy_blob = entry.id;
	v->jobs = policy->parallel.jobs > v->jobs ? policy->parallel.jobs : v->jobs;
	return 0;
}

static int entry_start(struct verify *v, struct err *err)
{
	STR text = STR_INIT;
	EVENT line = { 0 };
	int r = load_policy(v, err);

	if (r)
		return r;
	if (tree_read(v->repo, &v->link->tree, "campaign", TEXT_MAX, &text, err) < 0)
		return err->code;
	if (!event_parse(text.buf, text.len, &line) || !event_is(&line, "campaign", v->h->campaign) ||
	    !event_is(&line, "base", oid_hex(&v->link->base).s) || !event_is(&line, "policy", oid_hex(&v->policy_blob).s))
		return broken(v, "%s: the start of the ledger does not say the campaign, base and policy that it began with",
			      v->h->campaign);
	return 0;
}

static int remember_run(struct verify *v, const struct claim *c, struct err *err)
{
	struct oid base_tree;

	if (!c->r.run)
		return 0;
	if (tree_of_commit(v->repo, &c->r.base, &base_tree, err) < 0)
		return err->code;
	index_add(&v->measured, &base_tree, &c->r.tree, c->r.number);
	return 0;
}

static int judge_experiment(struct verify *v, const struct claim *c, bool late, struct err *err)
{
	const struct entry *e = &v->link->entry;
	bool accepted = c->r.verdict == VERDICT_ACCEPT;
	int r = 0;

	if (late && !v->approved[e->number])
		return broken(v, "%s/%d: recorded a second time, though nobody had approved it", v->h->campaign, e->number);
	if (c->r.baseline)
		return broken(v, "%s/%d: recorded as an experiment, decided as a baseline", v->h->campaign, e->number);
	/* A conflict found on the way to a late measurement makes no commit: the parked one keeps its own verdict. */
	if (!late || !oid_eq(&e->commit, &history_record(v->h, e->number)->commit))
		r = verify_commit(v, c, &e->commit, err);
	if (!r)
		r = verify_decision(v, c, late, err);
	if (!r)
		r = expect_best(v, accepted ? &e->commit : &v->best);
	if (r)
		return r;
	v->approved[e->number] = false;
	if (accepted)
		add_best(v, &e->commit, e->number);
	return remember_run(v, c, err);
}

/* Numbers are given the smallest first, so those that it passed over were open when it was given. */
static int see_number(struct verify *v, int number)
{
	int due = v->baseline + 1;

	while (due < v->next && v->seen[due])
		due++;
	v->gaps += number < v->next ? -1 : number - v->next;
	if (v->gaps >= v->jobs)
		return broken(v, "%s: ledger commit %s records number %d where %d is due", v->h->campaign,
			      oid_hex(&v->link->entry.id).s, number, due);
	v->next = number < v->next ? v->next : number + 1;
	v->seen[number] = true;
	v->result->records++;
	return 0;
}

static int entry_experiment(struct verify *v, struct err *err)
{
	CLEANUP(claim_clear) struct claim c = { 0 };
	int number = v->link->entry.number;
	int r = claim_read(v, number, &c, err);

	if (!r)
		r = judge_experiment(v, &c, v->seen[number], err);
	if (r)
		return r;
	return v->seen[number] ? 0 : see_number(v, number);
}

static int check_baseline_commit(struct verify *v, const struct claim *c, struct err *err)
{
	const struct entry *e = &v->link->entry;
	struct oid tree;
	bool forward = true;

	if (!c->r.baseline)
		return broken(v, "%s/%d: recorded as a baseline, decided as %s (%s)", v->h->campaign, e->number,
			      verdict_names[c->r.verdict], reason_names[c->r.reason]);
	if (!oid_eq(&c->r.base, &e->best))
		return broken(v, "%s/%d: the baseline measured %s, but its ledger commit says best is %s", v->h->campaign, e->number,
			      oid_hex(&c->r.base).s, oid_hex(&e->best).s);
	if (oid_is_zero(&v->best) && !oid_eq(&e->best, &v->h->start))
		return broken(v, "%s/%d: the first baseline measured %s, the campaign starts from %s", v->h->campaign, e->number,
			      oid_hex(&e->best).s, oid_hex(&v->h->start).s);
	if (tree_of_commit(v->repo, &e->best, &tree, err) < 0 ||
	    (!oid_is_zero(&v->best) && repo_descends(v->repo, &e->best, &v->best, &forward, err) < 0))
		return err->code;
	if (!forward)
		return broken(v, "%s/%d: the baseline moved best from %s to %s, which does not hold it", v->h->campaign, e->number,
			      oid_hex(&v->best).s, oid_hex(&e->best).s);
	return oid_eq(&tree, &c->r.tree) ? 0
		: broken(v, "%s/%d: the record says tree %s, commit %s has %s", v->h->campaign, e->number, oid_hex(&c->r.tree).s,
			 oid_hex(&e->best).s, oid_hex(&tree).s);
}

static int entry_baseline(struct verify *v, struct err *err)
{
	CLEANUP(claim_clear) struct claim c = { 0 };
	const struct entry *e = &v->link->entry;
	int r = claim_read(v, e->number, &c, err);

	if (!r)
		r = check_baseline_commit(v, &c, err);
	if (!r)
		r = verify_decision(v, &c, false, err);
	if (r)
		return r;
	add_best(v, &e->best, e->number);
	v->baseline = e->number;
	v->next = e->number + 1;
	v->gaps = 0;
	v->seen[e->number] = true;
	index_clear(&v->measured);
	v->result->records++;
	return 0;
}

/* ---- acts ---- */

/* An approval that was judged: with a new commit, or without one where the samples still say no. */
static int approved_now(struct verify *v, const struct claim *c, struct err *err)
{
	const struct entry *e = &v->link->entry;
	bool commit = !oid_is_zero(&e->commit);
	int r = 0;

	if (commit != (c->r.verdict == VERDICT_ACCEPT))
		return broken(v, "%s/%d: approved and %s, but the ledger %s", v->h->campaign, e->number, verdict_names[c->r.verdict],
			      commit ? "holds a new commit" : "holds no new commit");
	if (commit && !event_is(v->act, "commit", oid_hex(&e->commit).s))
		return broken(v, "%s/%d: the approval's commit is %s, the act says %s", v->h->campaign, e->number,
			      oid_hex(&e->commit).s, event_get(v->act, "commit") ? event_get(v->act, "commit") : "(none)");
	if (commit)
		r = verify_commit(v, c, &e->commit, err);
	if (!r)
		r = verify_decision(v, c, true, err);
	if (!r && commit)
		add_best(v, &e->commit, e->number);
	return r ? r : expect_best(v, commit ? &e->commit : &v->best);
}

static int act_approve(struct verify *v, struct err *err)
{
	CLEANUP(claim_clear) struct claim c = { 0 };
	int number = v->link->entry.number;
	int r = claim_read(v, number, &c, err);

	if (r)
		return r;
	v->approved[number] = c.r.approved;
	return c.r.approved ? expect_best(v, &v->best) : approved_now(v, &c, err);
}

static int act_deny(struct verify *v, struct err *err)
{
	CLEANUP(claim_clear) struct claim c = { 0 };
	int r = claim_read(v, v->link->entry.number, &c, err);

	if (!r && c.r.reason != REASON_DENIED)
		r = broken(v, "%s/%d: denied, but the record says %s (%s)", v->h->campaign, c.r.number, verdict_names[c.r.verdict],
			   reason_names[c.r.reason]);
	if (!r)
		r = verify_decision(v, &c, false, err);
	return r ? r : expect_best(v, &v->best);
}

static int act_rollback(struct verify *v, struct err *err)
{
	const struct entry *e = &v->link->entry;
	int64_t to;

	(void)err;
	if (!event_is(v->act, "from", oid_hex(&v->best).s) || !event_is(v->act, "commit", oid_hex(&e->best).s))
		return broken(v, "%s: the rollback of ledger commit %s does not say from where to where best moved", v->h->campaign,
			      oid_hex(&e->id).s);
	if (!event_get_int(v->act, "to", &to) || to < 0 || to >= v->next || !v->seen[to] ||
	    !oid_eq(&history_record(v->h, (int)to)->accepted, &e->best) ||
	    !verify_was_best(v, &e->best))
		return broken(v, "%s: ledger commit %s rolls back to %s, which never was best", v->h->campaign, oid_hex(&e->id).s,
			      oid_hex(&e->best).s);
	return 0;
}

static int act_adopt(struct verify *v, struct err *err)
{
	struct policy *old = v->policy;
	struct oid old_blob = v->policy_blob;
	bool measure, said = event_is(v->act, "measure", "1");
	int r;

	v->policy = NULL;
	r = load_policy(v, err);
	measure = !r && (policy_compare(old, v->policy) & POLICY_MEASURE_AGAIN);
	policy_free(old);
	if (r)
		return r;
	if (!event_is(v->act, "policy", oid_hex(&v->policy_blob).s) || !event_is(v->act, "old", oid_hex(&old_blob).s))
		return broken(v, "%s: ledger commit %s adopts policy %s in place of %s, its act says otherwise", v->h->campaign,
			      oid_hex(&v->link->entry.id).s, oid_hex(&v->policy_blob).s, oid_hex(&old_blob).s);
	if (measure && !said)
		return broken(v, "%s: the policy that ledger commit %s adopts measures differently, but best was not to be measured anew",
			      v->h->campaign, oid_hex(&v->link->entry.id).s);
	if (said)
		v->epoch = v->next;
	return expect_best(v, &v->best);
}

static int act_advance(struct verify *v, struct err *err)
{
	const struct entry *e = &v->link->entry;
	bool forward = true;

	if (!oid_eq(&e->best, &v->best) && repo_descends(v->repo, &e->best, &v->best, &forward, err) < 0)
		return err->code;
	return forward ? 0 : expect_best(v, &v->best);
}

static int entry_act(struct verify *v, struct err *err)
{
	static const struct {
		const char *event;
		int (*fn)(struct verify *v, struct err *err);
		bool number;
	} acts[] = {
		{ "approve", act_approve, true },	  { "deny", act_deny, true },	     { "rollback", act_rollback, false },
		{ "adopt-policy", act_adopt, false }, { "advance", act_advance, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		if (!event_is(v->act, "event", acts[i].event))
			continue;
		if (acts[i].number != (v->link->entry.number >= 0))
			return broken(v, "%s: ledger commit %s is about the wrong number", v->h->campaign,
				      oid_hex(&v->link->entry.id).s);
		return acts[i].fn(v, err);
	}
	return expect_best(v, &v->best);
}

int verify_entry(struct verify *v, struct err *err)
{
	static int (*const by_kind[])(struct verify *v, struct err *err) = {
		[ENTRY_START] = entry_start, [ENTRY_EXPERIMENT] = entry_experiment,
		[ENTRY_BASELINE] = entry_baseline, [ENTRY_ACT] = entry_act,
	};
	int r = check_changes(v, err);

	return r ? r : by_kind[v->link->entry.kind](v, err);
}
