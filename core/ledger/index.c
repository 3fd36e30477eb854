#include "ledger/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Object ids are evenly spread already; both take part, and in an order. */
static size_t place(const struct oid *base_tree, const struct oid *tree, size_t n_slots)
{
	uint64_t a, b;

	memcpy(&a, base_tree->raw, sizeof(a));
	memcpy(&b, tree->raw, sizeof(b));
	return (size_t)((a * 31) ^ b) & (n_slots - 1);
}

void index_clear(struct history_index *x)
{
	for (size_t i = 0; i < x->n_slots; i++)
		x->slots[i].number = -1;
	x->used = 0;
}

void index_free(struct history_index *x)
{
	free(x->slots);
	x->slots = NULL;
	x->n_slots = x->used = 0;
}

static void grow(struct history_index *x)
{
	struct history_index old = *x;

	x->n_slots = old.n_slots ? old.n_slots * 2 : 64;
	x->slots = xcalloc(x->n_slots, sizeof(*x->slots));
	index_clear(x);
	for (size_t i = 0; i < old.n_slots; i++) {
		const struct slot *s = &old.slots[i];

		if (s->number >= 0)
			index_add(x, &s->base_tree, &s->tree, s->number);
	}
	free(old.slots);
}

/* The slot that holds the pair, or the free one where it belongs. */
static struct slot *find(const struct history_index *x, const struct oid *base_tree, const struct oid *tree)
{
	size_t at = place(base_tree, tree, x->n_slots);

	while (x->slots[at].number >= 0 &&
	       !(oid_eq(&x->slots[at].tree, tree) && oid_eq(&x->slots[at].base_tree, base_tree)))
		at = (at + 1) & (x->n_slots - 1);
	return &x->slots[at];
}

void index_add(struct history_index *x, const struct oid *base_tree, const struct oid *tree, int number)
{
	struct slot *s;

	if (x->used * 2 >= x->n_slots)
		grow(x);
	s = find(x, base_tree, tree);
	if (s->number >= 0)
		return;	/* the first one that measured it is the one to name */
	*s = (struct slot){ *base_tree, *tree, number };
	x->used++;
}

int index_find(const struct history_index *x, const struct oid *base_tree, const struct oid *tree)
{
	return x->n_slots ? find(x, base_tree, tree)->number : -1;
}
