#include "ledger/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "git/commit.h"

const char *const entry_names[] = {
	[ENTRY_START] = "start", [ENTRY_EXPERIMENT] = "experiment", [ENTRY_BASELINE] = "baseline", [ENTRY_ACT] = "act",
};

/* Parents by kind: [previous, commit, drafts...]. */
static const struct {
	size_t min, max;
} parents[] = {
	[ENTRY_START] = { 0, 0 }, [ENTRY_EXPERIMENT] = { 2, SIZE_MAX }, [ENTRY_BASELINE] = { 1, 1 }, [ENTRY_ACT] = { 1, 2 },
};

/* Value of "<key>: " on a line of its own, up to the newline. The messages are ours: no folding, no second one. */
static const char *field(const char *message, const char *key, size_t *ret_len)
{
	size_t len = strlen(key);

	for (const char *at = message; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, key, len) && !strncmp(at + len, ": ", 2)) {
			at += len + 2;
			*ret_len = strcspn(at, "\n");
			return at;
		}
	}
	return NULL;
}

static bool field_oid(const char *message, const char *key, struct oid *ret)
{
	size_t len;
	const char *value = field(message, key, &len);

	if (!value)
		return true;
	return len == OID_HEX && oid_parse(value, ret);
}

static bool field_number(const char *message, int *ret)
{
	size_t len;
	const char *value = field(message, "Harness-Experiment", &len);
	int64_t n;

	*ret = -1;
	if (!value)
		return true;
	if (!num_parse_int(value, len, &n) || n < 0 || n > 999999999)
		return false;
	*ret = (int)n;
	return true;
}

static bool field_kind(const char *message, enum entry_kind *ret)
{
	size_t len;
	const char *value = field(message, "Harness-Entry", &len);

	for (size_t i = 0; value && i < ARRAY_SIZE(entry_names); i++) {
		if (strlen(entry_names[i]) == len && !memcmp(entry_names[i], value, len)) {
			*ret = (enum entry_kind)i;
			return true;
		}
	}
	return false;
}

static bool is_campaign(const char *message, const char *campaign)
{
	size_t len;
	const char *value = field(message, "Harness-Campaign", &len);

	return value && len == strlen(campaign) && !memcmp(value, campaign, len);
}

/* Does the presence of a field fit the kind? */
static bool number_fits(const struct entry *e)
{
	if (e->kind == ENTRY_ACT)
		return true;
	return (e->kind == ENTRY_START) == (e->number < 0);
}

static bool best_fits(const struct entry *e)
{
	if (e->kind == ENTRY_ACT)
		return true;
	return (e->kind == ENTRY_START) == oid_is_zero(&e->best);
}

static const char *fault(const struct commit *c, const char *campaign, struct link *l)
{
	struct entry *e = &l->entry;

	if (!is_campaign(c->message, campaign))
		return "is not this campaign's (Harness-Campaign)";
	if (!field_kind(c->message, &e->kind))
		return "has no Harness-Entry that is known";
	if (c->n_parents < parents[e->kind].min || c->n_parents > parents[e->kind].max)
		return "has the wrong number of parents";
	if (!field_number(c->message, &e->number) || !number_fits(e))
		return "has no valid Harness-Experiment";
	if (!field_oid(c->message, "Harness-Best", &e->best) || !best_fits(e) ||
	    !field_oid(c->message, "Harness-Best-Waits", &l->waits))
		return "has no valid Harness-Best";
	if (!field_oid(c->message, "Harness-Base", &l->base) || (e->kind == ENTRY_START) == oid_is_zero(&l->base))
		return "has no valid Harness-Base";
	return NULL;
}

static int read_link(struct repo *repo, const char *campaign, const struct oid *id, struct link *ret, struct err *err)
{
	CLEANUP(commit_free) struct commit c = { 0 };
	const char *why;

	*ret = (struct link){ 0 };
	if (commit_read(repo, id, &c, err) < 0)
		return err_wrap(err, "cannot read ledger commit %s of campaign '%s'", oid_hex(id).s, campaign);
	why = fault(&c, campaign, ret);
	if (why)
		return err_set(err, ERR_INVALID, "ledger commit %s of campaign '%s' %s", oid_hex(id).s, campaign, why);
	ret->entry.id = *id;
	ret->tree = c.tree;
	if (c.n_parents > 0)
		ret->entry.previous = c.parents[0];
	if (c.n_parents > 1)
		ret->entry.commit = c.parents[1];
	return 0;
}

static void reverse(struct chain *chain)
{
	for (size_t i = 0; i < chain->n / 2; i++) {
		struct link l = chain->v[i];

		chain->v[i] = chain->v[chain->n - 1 - i];
		chain->v[chain->n - 1 - i] = l;
	}
}

int chain_read(struct repo *repo, const char *campaign, const struct oid *tip, const struct oid *known, struct chain *ret, struct err *err)
{
	CLEANUP(chain_free) struct chain chain = { 0 };
	struct oid at = *tip;

	while (!oid_eq(&at, known)) {
		if (oid_is_zero(&at))	/* came to the start without meeting what we knew */
			return err_set(err, ERR_CONFLICT, "the ledger of campaign '%s' was rewritten: %s is no longer part of it",
				       campaign, oid_hex(known).s);
		GROW(chain.v, chain.n, chain.alloc);
		if (read_link(repo, campaign, &at, &chain.v[chain.n], err) < 0)
			return err->code;
		at = chain.v[chain.n++].entry.previous;
	}
	reverse(&chain);
	*ret = chain;
	chain = (struct chain){ 0 };
	return 0;
}

void chain_free(struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++)
		event_free(&chain->v[i].entry.act);
	free(chain->v);
	*chain = (struct chain){ 0 };
}
