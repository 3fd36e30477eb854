#include "ledger/history.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/ref.h"
#include "git/tree.h"
#include "ledger/fold.h"
#include "ledger/names.h"
#include "ledger/store.h"

#define RECORD_MAX ((size_t)16 << 20)
#define CACHE_LEAST 256	/* so many experiments are read from the ledger faster than anybody looks */

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
	return number < 0 ? NULL : &store_get(h->store, number)->measured;
}

static void drop_entries(struct history *h)
{
	for (size_t i = 0; i < h->n_entries; i++)
		event_free(&h->entries[i].act);
	free(h->entries);
	h->entries = NULL;
	h->n_entries = h->alloc_entries = 0;
}

static void take_entries(struct history *h, struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++) {
		GROW(h->entries, h->n_entries, h->alloc_entries);
		h->entries[h->n_entries++] = chain->v[i].entry;
		chain->v[i].entry.act = (struct event){ 0 };
	}
}

static void find_measured(struct history *h)
{
	h->best_measured = measured_of(h, h->index->measured_number);
	h->baseline_measured = measured_of(h, h->index->baseline_number);
}

static int read_on(struct repo *repo, struct history *h, const struct oid *tip, struct err *err)
{
	CLEANUP(chain_free) struct chain chain = { 0 };

	if (chain_read(repo, h->campaign, tip, &h->tip, &chain, err) < 0)
		return err->code;
	store_forget(h->store);
	if (load_records(repo, h, &chain, err) < 0 || load_acts(repo, h, &chain, err) < 0 ||
	    load_policy(repo, h, &chain.v[chain.n - 1].tree, err) < 0 || fold_chain(repo, h, &chain, err) < 0)
		return err->code;
	take_entries(h, &chain);
	h->tip = *tip;
	return 0;
}

static struct history *history_new(const char *campaign)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->campaign = xstrdup(campaign);
	h->best_number = h->last_baseline = h->last_number = -1;
	h->needs_baseline = true;
	h->index = xcalloc(1, sizeof(*h->index));
	h->index->measured_number = h->index->baseline_number = -1;
	h->store = xcalloc(1, sizeof(*h->store));
	return h;
}

static void history_drop(struct history **h)
{
	history_free(*h);
}

/* ---- the cache ---- */

/* Ours to write: in somebody else's repository a reader leaves nothing behind. */
static bool may_write(const struct repo *repo)
{
	struct stat st;

	return stat(repo_common_dir(repo), &st) == 0 && st.st_uid == geteuid();
}

/* Much is in memory that the file does not hold, or not so. What the loop adds is written in ever larger portions, at a constant cost each. */
static bool is_stale(const struct history *h)
{
	return h->store->n_own >= CACHE_LEAST + h->n_records / 64;
}

static void renew(struct history *h)
{
	AUTOFREE char *dir = h->cache ? path_dirname(h->cache) : NULL;
	struct err ignored;

	if (!dir || io_mkdirs(dir, 0777, &ignored) < 0 || !cache_write(h->cache, h))
		return;
	find_measured(h);
	malloc_trim(0);	/* many small pieces of a long ledger were read */
}

void history_keep(struct history *h)
{
	if (h->store->n_own >= CACHE_LEAST / 4)
		renew(h);
}

static int read_cached(struct repo *repo, struct history *h, const struct oid *tip, struct err *err)
{
	struct oid tree;

	if (oid_eq(&h->tip, tip))
		return tree_of_commit(repo, tip, &tree, err) < 0 ? err->code : load_policy(repo, h, &tree, err);
	return read_on(repo, h, tip, err);
}

/* From the file and the few links behind it; where that does not work, from the ledger alone. */
int history_read(struct repo *repo, const char *campaign, struct history **ret, struct err *err)
{
	CLEANUP(history_drop) struct history *h = history_new(campaign);
	AUTOFREE char *dir = name_state_dir(repo, campaign);
	struct err ignored;
	struct oid tip;

	if (read_tip(repo, campaign, &tip, err) < 0)
		return err->code;
	h->cache = xasprintf("%s/cache", dir);
	if (!cache_read(h->cache, h) || read_cached(repo, h, &tip, &ignored) < 0) {
		history_free(h);
		h = history_new(campaign);
		h->cache = xasprintf("%s/cache", dir);
		if (read_on(repo, h, &tip, err) < 0)
			return err->code;
	}
	drop_entries(h);
	find_measured(h);
	if (!may_write(repo)) {
		free(h->cache);
		h->cache = NULL;
	} else if (is_stale(h)) {
		renew(h);
	}
	*ret = h;
	h = NULL;
	return 0;
}

int history_read_at(struct repo *repo, const char *campaign, const struct oid *tip, struct history **ret, struct err *err)
{
	CLEANUP(history_drop) struct history *h = history_new(campaign);

	if (read_on(repo, h, tip, err) < 0)
		return err->code;
	find_measured(h);
	*ret = h;
	h = NULL;
	return 0;
}

int history_refresh(struct repo *repo, struct history *h, struct err *err)
{
	struct oid tip;

	drop_entries(h);
	if (read_tip(repo, h->campaign, &tip, err) < 0)
		return err->code;
	if (oid_eq(&tip, &h->tip))
		return 0;
	if (read_on(repo, h, &tip, err) < 0)
		return err->code;
	find_measured(h);
	if (is_stale(h))
		renew(h);
	return 0;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	drop_entries(h);
	store_free(h->store);
	free(h->store);
	free(h->steps);
	free(h->campaign);
	free(h->cache);
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

static const struct record *is_there(const struct record *r)
{
	return r && !oid_is_zero(&r->commit) ? r : NULL;
}

const struct record *history_record(const struct history *h, int number)
{
	return is_there(store_get(h->store, number));
}

const struct record *history_look(const struct history *h, int number)
{
	return is_there(store_look(h->store, number));
}

int history_next(const struct history *h, int from, unsigned flags)
{
	for (size_t i = from < 0 ? 0 : (size_t)from; i < h->store->n; i++) {
		if (h->store->flags[i] & flags)
			return (int)i;
	}
	return -1;
}

int history_before(const struct history *h, int below, unsigned flags)
{
	for (int i = below; i-- > 0; ) {
		if ((size_t)i < h->store->n && h->store->flags[i] & flags)
			return i;
	}
	return -1;
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

static bool made(const struct record *r, const struct oid *commit)
{
	return oid_eq(&r->accepted, commit) || (r->baseline && oid_eq(&r->commit, commit));
}

const struct record *history_of_commit(const struct history *h, const struct oid *commit, int before)
{
	const unsigned flags = RECORD_WAS_BEST | RECORD_BASELINE;
	int i = before;

	while ((i = history_before(h, i, flags)) >= 0 && !made(history_record(h, i), commit))
		;
	if (i >= 0)
		return history_record(h, i);
	for (i = before; (i = history_next(h, i, flags)) >= 0 && !made(history_record(h, i), commit); i++)
		;
	return history_record(h, i);
}

const struct measured *history_measured_on(const struct history *h, const struct oid *commit, int before)
{
	const struct record *r = history_of_commit(h, commit, before);

	return r ? &r->measured : NULL;
}

static size_t count_of(const struct history *h, unsigned flags)
{
	size_t n = 0;

	for (size_t i = 0; i < h->store->n; i++)
		n += (h->store->flags[i] & flags) != 0;
	return n;
}

size_t history_accepted(const struct history *h)
{
	return count_of(h, RECORD_ACCEPTED);
}

size_t history_waiting(const struct history *h)
{
	return count_of(h, RECORD_WAITING);
}
