#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/sign.h"
#include "ledger/verifying.h"

/* Signed commits in the order of the chain. */
struct signed_list {
	struct oid *v;
	int *numbers;		/* of an accepted commit; -1: the ledger's own */
	size_t n, alloc, alloc_numbers;
};

static void signed_clear(struct signed_list *l)
{
	free(l->v);
	free(l->numbers);
}

static void add(struct signed_list *l, const struct oid *commit, int number)
{
	GROW(l->v, l->n, l->alloc);
	l->v[l->n] = *commit;
	GROW(l->numbers, l->n, l->alloc_numbers);
	l->numbers[l->n++] = number;
}

/* A link that is signed vouches for all before it; so what begins unsigned may, and what was signed once stays signed. */
static int see_link(struct verify *v, const struct entry *e, const struct entry *since, struct signed_list *list, bool *ret, struct err *err)
{
	if (sign_present(v->repo, &e->id, ret, err) < 0)
		return err->code;
	if (*ret)
		add(list, &e->id, -1);
	else if (since)
		return broken(v, "%s: ledger commit %s is not signed, as those before it are from %s on", v->h->campaign,
			      oid_hex(&e->id).s, oid_hex(&since->id).s);
	return 0;
}

/* What joined best by this link. */
static int see_accepted(struct verify *v, const struct entry *e, bool wanted, struct signed_list *list, struct err *err)
{
	bool present;

	if (oid_is_zero(&e->commit) || !oid_eq(&e->commit, &e->best))
		return 0;
	if (sign_present(v->repo, &e->commit, &present, err) < 0)
		return err->code;
	if (present)
		add(list, &e->commit, e->number);
	else if (wanted)
		return broken(v, "%s/%d: its commit %s is not signed, as the ledger commit that accepts it is", v->h->campaign,
			      e->number, oid_hex(&e->commit).s);
	return 0;
}

static int list_signed(struct verify *v, struct signed_list *list, struct err *err)
{
	const struct entry *since = NULL;
	bool wanted, present = false;
	int r = 0;

	for (size_t i = 0; i < v->h->n_entries && !r; i++) {
		const struct entry *e = &v->h->entries[i];

		r = see_link(v, e, since, list, &present, err);
		if (!r)
			r = see_accepted(v, e, present, list, err);
		if (present && !since)
			since = e;
	}
	if (r)
		return r;
	if (sign_wanted(v->repo, &wanted, err) < 0)
		return err->code;
	return present || !wanted ? 0 : broken(v, "%s: ledger commit %s is not signed, and harness.sign asks for it", v->h->campaign,
					       oid_hex(&v->h->tip).s);
}

int verify_signatures(struct verify *v, struct err *err)
{
	CLEANUP(signed_clear) struct signed_list list = { 0 };
	STR why = STR_INIT;
	size_t bad;
	int r = list_signed(v, &list, err);

	if (r)
		return r;
	if (sign_check(v->repo, list.v, list.n, &bad, &why, err) < 0)
		return err->code;
	v->result->signatures = list.n;
	if (bad == list.n)
		return 0;
	if (list.numbers[bad] < 0)
		return broken(v, "%s: the signature of ledger commit %s is not good: %s", v->h->campaign, oid_hex(&list.v[bad]).s,
			      why.buf);
	return broken(v, "%s/%d: the signature of commit %s is not good: %s", v->h->campaign, list.numbers[bad],
		      oid_hex(&list.v[bad]).s, why.buf);
}
