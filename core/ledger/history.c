#include "ledger/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/ref.h"
#include "git/tree.h"
#include "ledger/fold.h"
#include "ledger/names.h"

#define RECORD_MAX ((size_t)16 << 20)

/* A clone has the branches and not what was recorded of them. */
static int no_campaign(struct repo *repo, const char *campaign, struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "no campaign '%s' in this repository", campaign);
	if (!repo_setting(repo, "remote.origin.url"))
		return err_hint(err, "git harness start begins one");
	err_hint(err, "git harness start begins one; one of the repository this is a clone of comes by");
	return err_hint(err, "  git fetch origin 'refs/harness/*:refs/harness/*' 'refs/notes/harness:refs/notes/harness'");
}

static int read_tip(struct repo *repo, const char *campaign, struct oid *ret, struct err *err)
{
	char ref[NAME_MAX_REF];

	name_ledger(campaign, ref);
	if (ref_read(repo, ref, ret, err) < 0)
		return err->code;
	return oid_is_zero(ret) ? no_campaign(repo, campaign, err) : 0;
}

static int load_policy(struct repo *repo, struct history *h, const struct oid *tree, struct err *err)
{
	STR text = STR_INIT;
	struct tree_entry entry;
	struct policy *policy;

	if (tree_lookup(repo, tree, "policy.yaml", &entry, err) < 0)
		return err->code;
	if (!entry.mode)
		return err_set(err, ERR_INVALID, "the ledger of campaign '%s' holds no policy", h->campaign);
	if (h->policy && oid_eq(&entry.id, &h->policy_blob))
		return 0;
	if (repo_read_blob(repo, &entry.id, POLICY_MAX, &text, err) < 0 ||
	    policy_parse("ledger:policy.yaml", text.buf, text.len, &policy, err) < 0)
		return err_wrap(err, "cannot read the policy of campaign '%s'", h->campaign);
	policy_free(h->policy);
	h->policy = policy;
	h->policy_blob = entry.id;
	return 0;
}

static const struct measured *measured_of(const struct history *h, int number)
{
	return number < 0 ? NULL : &h->records[number].measured;
}

static void take_entries(struct history *h, struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++) {
		GROW(h->entries, h->n_entries, h->alloc_entries);
		h->entries[h->n_entries++] = chain->v[i].entry;
		chain->v[i].entry.act = (struct event){ 0 };
	}
}

static int read_on(struct repo *repo, struct history *h, const struct oid *tip, struct err *err)
{
	CLEANUP(chain_free) struct chain chain = { 0 };

	if (chain_read(repo, h->campaign, tip, &h->tip, &chain, err) < 0 || load_records(repo, h, &chain, err) < 0 ||
	    load_acts(repo, h, &chain, err) < 0 || load_policy(repo, h, &chain.v[chain.n - 1].tree, err) < 0 ||
	    fold_chain(repo, h, &chain, err) < 0)
		return err->code;
	take_entries(h, &chain);
	h->tip = *tip;
	h->best_measured = measured_of(h, h->index->measured_number);
	h->baseline_measured = measured_of(h, h->index->baseline_number);
	return 0;
}

int history_read(struct repo *repo, const char *campaign, struct history **ret, struct err *err)
{
	struct history *h;
	struct oid tip;

	if (read_tip(repo, campaign, &tip, err) < 0)
		return err->code;
	h = xcalloc(1, sizeof(*h));
	h->campaign = xstrdup(campaign);
	h->best_number = h->last_baseline = -1;
	h->needs_baseline = true;
	h->index = xcalloc(1, sizeof(*h->index));
	h->index->measured_number = h->index->baseline_number = -1;
	if (read_on(repo, h, &tip, err) < 0) {
		history_free(h);
		return err->code;
	}
	*ret = h;
	return 0;
}

int history_refresh(struct repo *repo, struct history *h, struct err *err)
{
	struct oid tip;

	if (read_tip(repo, h->campaign, &tip, err) < 0)
		return err->code;
	return oid_eq(&tip, &h->tip) ? 0 : read_on(repo, h, &tip, err);
}

void history_free(struct history *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n_entries; i++)
		event_free(&h->entries[i].act);
	for (size_t i = 0; i < h->n_records; i++)
		record_clear(&h->records[i]);
	free(h->entries);
	free(h->records);
	free(h->campaign);
	policy_free(h->policy);
	index_free(h->index);
	free(h->index);
	free(h);
}

int history_lines(struct repo *repo, const struct history *h, int number, struct events *ret, struct err *err)
{
	const struct record *r = history_record(h, number);
	STR text = STR_INIT;

	if (!r)
		return err_set(err, ERR_NOT_FOUND, "campaign '%s' has no number %d", h->campaign, number);
	if (repo_read_blob(repo, &r->blob, RECORD_MAX, &text, err) < 0)
		return err_wrap(err, "%s/%d: cannot read its record", h->campaign, number);
	return record_parse(h->campaign, number, text.buf, text.len, ret, err);
}

const struct record *history_record(const struct history *h, int number)
{
	return number >= 0 && (size_t)number < h->n_records ? &h->records[number] : NULL;
}

double history_best_value(const struct history *h)
{
	double value;

	if (!h->best_measured || !measured_value(h->best_measured, h->policy->goal.metric, &value))
		return NAN;
	return value;
}

int history_measured(const struct history *h, const struct oid *base_tree, const struct oid *tree)
{
	return index_find(h->index, base_tree, tree);
}

const struct record *history_of_commit(const struct history *h, const struct oid *commit, int before)
{
	const struct record *ret = NULL;

	for (size_t i = 0; i < h->n_records; i++) {
		const struct record *r = &h->records[i];

		if (ret && r->number >= before)
			break;
		if (oid_eq(&r->accepted, commit) || (r->baseline && oid_eq(&r->commit, commit)))
			ret = r;
	}
	return ret;
}

const struct measured *history_measured_on(const struct history *h, const struct oid *commit, int before)
{
	const struct record *r = history_of_commit(h, commit, before);

	return r ? &r->measured : NULL;
}

size_t history_accepted(const struct history *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_records; i++)
		n += !h->records[i].baseline && h->records[i].verdict == VERDICT_ACCEPT;
	return n;
}

size_t history_waiting(const struct history *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_records; i++)
		n += h->records[i].waiting;
	return n;
}
