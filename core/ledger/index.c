#include "ledger/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Object ids are evenly spread already; both take part, and in an order. Two pairs in 2^64 that look the same are no worry here. */
static uint64_t tag_of(const struct oid *base_tree, const struct oid *tree)
{
	uint64_t a, b;

	memcpy(&a, base_tree->raw, sizeof(a));
	memcpy(&b, tree->raw, sizeof(b));
	return a * UINT64_C(0x9e3779b97f4a7c15) ^ b;
}

void index_clear(struct history_index *x)
{
	for (size_t i = 0; i < x->n_slots; i++)
		x->slots[i].number = -1;
	x->used = 0;
	x->filed = NULL;
	x->n_filed = 0;
}

void index_free(struct history_index *x)
{
	free(x->slots);
	x->slots = NULL;
	x->n_slots = x->used = 0;
}

static void add(struct history_index *x, uint64_t tag, int number);

static void grow(struct history_index *x)
{
	struct slot *old = x->slots;
	size_t n_old = x->n_slots;

	x->n_slots = n_old ? n_old * 2 : 64;
	x->slots = xcalloc(x->n_slots, sizeof(*x->slots));
	index_clear(x);
	for (size_t i = 0; i < n_old; i++) {
		if (old[i].number >= 0)
			add(x, old[i].tag, old[i].number);
	}
	free(old);
}

/* The slot that holds the tag, or the free one where it belongs. */
static struct slot *find(const struct history_index *x, uint64_t tag)
{
	size_t at = (size_t)tag & (x->n_slots - 1);

	while (x->slots[at].number >= 0 && x->slots[at].tag != tag)
		at = (at + 1) & (x->n_slots - 1);
	return &x->slots[at];
}

static void add(struct history_index *x, uint64_t tag, int number)
{
	struct slot *s;

	if (x->used * 2 >= x->n_slots)
		grow(x);
	s = find(x, tag);
	if (s->number >= 0)
		return;	/* the first one that measured it is the one to name */
	*s = (struct slot){ tag, number };
	x->used++;
}

void index_thaw(struct history_index *x)
{
	const struct slot *filed = x->filed;
	size_t n = x->n_filed;

	x->filed = NULL;
	x->n_filed = 0;
	for (size_t i = 0; i < n; i++)
		add(x, filed[i].tag, filed[i].number);
}

void index_add(struct history_index *x, const struct oid *base_tree, const struct oid *tree, int number)
{
	index_thaw(x);
	add(x, tag_of(base_tree, tree), number);
}

int index_find(struct history_index *x, const struct oid *base_tree, const struct oid *tree)
{
	index_thaw(x);
	return x->n_slots ? find(x, tag_of(base_tree, tree))->number : -1;
}
