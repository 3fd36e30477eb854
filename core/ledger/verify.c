#include "ledger/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/ref.h"
#include "ledger/ledger.h"
#include "ledger/names.h"
#include "ledger/verifying.h"

int broken(struct verify *v, const char *fmt, ...)
{
	STR text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	v->result->broken = true;
	free(v->result->what);
	v->result->what = str_detach(&text);
	return 1;
}

static void verify_clear(struct verify *v)
{
	free(v->hooks_path);
	free(v->bests);
	free(v->approved);
	free(v->seen);
	policy_free(v->policy);
	index_free(&v->measured);
}

static int verify_chain(struct verify *v, struct err *err)
{
	CLEANUP(chain_free) struct chain chain = { 0 };
	const struct oid none = { 0 };
	int r = 0;

	if (chain_read(v->repo, v->h->campaign, &v->h->tip, &none, &chain, err) < 0)
		return err->code;
	/* The acts' lines are the history's: both were read from one tip. */
	for (size_t i = 0; i < chain.n && i < v->h->n_entries && !r; i++) {
		v->link = &chain.v[i];
		v->act = &v->h->entries[i].act;
		r = verify_entry(v, err);
		v->tree = chain.v[i].tree;
		v->best = chain.v[i].entry.best;
	}
	v->link = NULL;		/* the chain ends here */
	return r;
}

/* refs/remotes/<some>/harness/best: what a clone has in the branch's place. *ret is empty where there is none. */
static int tracking_best(struct verify *v, const char *branch, struct str *ret, struct oid *at, struct err *err)
{
	CLEANUP(strs_free) struct strs refs = { 0 };

	if (ref_list(v->repo, "refs/remotes/", &refs, err) < 0)
		return err->code;
	for (size_t i = 0; i < refs.n; i++) {
		const char *remote = refs.v[i] + strlen("refs/remotes/"), *slash = strchr(remote, '/');

		if (!slash || strcmp(slash + 1, branch))
			continue;
		str_clear(ret);
		str_puts(ret, remote);
		if (ref_read(v->repo, refs.v[i], at, err) < 0)
			return err->code;
		if (oid_eq(at, &v->h->best))
			break;
	}
	return 0;
}

static int verify_best_ref(struct verify *v, struct err *err)
{
	char ref[NAME_MAX_REF];
	const char *branch = ref + strlen("refs/heads/");
	STR tracking = STR_INIT;
	struct oid at;

	name_best(v->h->campaign, ref);
	if (ref_read(v->repo, ref, &at, err) < 0 ||
	    (oid_is_zero(&at) && tracking_best(v, branch, &tracking, &at, err) < 0))
		return err->code;
	if (tracking.len)
		branch = tracking.buf;
	if (oid_eq(&at, &v->h->best) || (!oid_is_zero(&v->h->best_waits) && oid_eq(&at, &v->h->best_waits)))
		return 0;
	if (oid_is_zero(&at))
		return broken(v, "%s: branch '%s' is gone, the ledger says it is at %s", v->h->campaign, branch,
			      oid_hex(&v->h->best).s);
	return broken(v, "%s: branch '%s' is at %s, the ledger says it is at %s", v->h->campaign, branch, oid_hex(&at).s,
		      oid_hex(&v->h->best).s);
}

/* People may go on from a parked candidate; a branch that no longer holds it shows something else than what waits. */
static int verify_reviews(struct verify *v, struct err *err)
{
	for (int i = 0; (i = history_next(v->h, i, RECORD_WAITING)) >= 0; i++) {
		const struct record *r = history_record(v->h, i);
		char ref[NAME_MAX_REF];
		struct oid at;
		bool holds;

		name_review(v->h->campaign, r->number, ref);
		if (ref_read(v->repo, ref, &at, err) < 0)
			return err->code;
		if (oid_is_zero(&at))
			continue;
		if (repo_descends(v->repo, &at, &r->commit, &holds, err) < 0)
			return err->code;
		if (!holds)
			return broken(v, "%s/%d: branch '%s' is at %s, which does not hold the candidate %s", v->h->campaign, r->number,
				      ref + strlen("refs/heads/"), oid_hex(&at).s, oid_hex(&r->commit).s);
	}
	return 0;
}

/* The first two are about what is recorded, the others about what refs make of it. */
static int (*const checks[])(struct verify *v, struct err *err) = {
	verify_chain, verify_signatures, verify_notes, verify_best_ref, verify_reviews,
};
#define CHECKS_OF_LEDGER 2

static int run_checks(struct verify *v, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = checks[i](v, err);

		if (r)
			return r;
	}
	return 0;
}

/* What cannot be read or understood does not follow; a disk that fails is not the ledger's fault. */
static int as_break(struct verify *v, const char *campaign, struct err *err)
{
	if (err->code != ERR_INVALID && err->code != ERR_NOT_FOUND && err->code != ERR_GIT && err->code != ERR_CONFLICT)
		return err->code;
	broken(v, "%s: %s", campaign, err->msg);
	return 0;
}

static int verify_at(struct repo *repo, const char *campaign, const struct oid *tip, size_t n_checks, struct verify_result *ret,
		     struct err *err)
{
	CLEANUP(verify_clear) struct verify v = { .repo = repo, .result = ret, .baseline = -1 };
	struct history *h = NULL;
	int r = history_read_at(repo, campaign, tip, &h, err);

	*ret = (struct verify_result){ 0 };
	if (r < 0)
		return as_break(&v, campaign, err);
	v.h = h;
	v.hooks_path = repo_tracked_hooks(repo);
	v.approved = xcalloc(h->n_records + 1, sizeof(*v.approved));
	v.seen = xcalloc(h->n_records + 1, sizeof(*v.seen));
	r = run_checks(&v, n_checks, err);
	if (r < 0)
		r = as_break(&v, campaign, err);
	history_free(h);
	return r < 0 ? r : 0;
}

int verify_ledger(struct repo *repo, const char *campaign, const struct oid *tip, struct verify_result *ret, struct err *err)
{
	return verify_at(repo, campaign, tip, CHECKS_OF_LEDGER, ret, err);
}

int verify_campaign(struct repo *repo, const char *campaign, struct verify_result *ret, struct err *err)
{
	struct history *none;
	char ref[NAME_MAX_REF];
	struct oid tip;

	*ret = (struct verify_result){ 0 };
	name_ledger(campaign, ref);
	if (ref_read(repo, ref, &tip, err) < 0)
		return err->code;
	if (oid_is_zero(&tip))
		return history_read(repo, campaign, &none, err);	/* says what helps */
	return verify_at(repo, campaign, &tip, ARRAY_SIZE(checks), ret, err);
}
