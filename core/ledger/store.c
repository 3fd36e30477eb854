#include "ledger/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "ledger/record.h"

#define OWN 0x80

static void drop(struct store *s, int number)
{
	if (!s->v[number])
		return;
	record_clear(s->v[number]);
	free(s->v[number]);
	s->v[number] = NULL;
}

void store_free(struct store *s)
{
	for (size_t i = 0; i < s->n; i++)
		drop(s, (int)i);
	record_clear(&s->looked);
	if (s->map)
		munmap((void *)(uintptr_t)s->map, s->map_size);
	free(s->v);
	free(s->flags);
	free(s->decoded);
	*s = (struct store){ 0 };
}

static bool is_own(const struct store *s, int number)
{
	return s->flags[number] & OWN;
}

struct record *store_add(struct store *s)
{
	size_t known = s->alloc;

	GROW(s->v, s->n, s->alloc);
	if (s->alloc != known)
		s->flags = xrealloc(s->flags, s->alloc);
	s->v[s->n] = xcalloc(1, sizeof(**s->v));
	s->v[s->n]->number = (int)s->n;
	s->flags[s->n] = OWN;
	s->n_own++;
	return s->v[s->n++];
}

static void decode(const struct store *s, int number, struct record *ret)
{
	size_t from = s->at[number], end = s->at[number + 1];

	/* The file's checksum was right: what cannot be read now is our own mistake. */
	if (end > s->map_size || from > end || !record_unpack(s->map + from, end - from, ret))
		abort();
}

const struct record *store_get(struct store *s, int number)
{
	if (number < 0 || (size_t)number >= s->n)
		return NULL;
	if (s->v[number])
		return s->v[number];
	s->v[number] = xcalloc(1, sizeof(**s->v));
	decode(s, number, s->v[number]);
	GROW(s->decoded, s->n_decoded, s->alloc_decoded);
	s->decoded[s->n_decoded++] = number;
	return s->v[number];
}

const struct record *store_look(struct store *s, int number)
{
	if (number < 0 || (size_t)number >= s->n)
		return NULL;
	if (s->v[number])
		return s->v[number];
	record_clear(&s->looked);
	decode(s, number, &s->looked);
	return &s->looked;
}

struct record *store_edit(struct store *s, int number)
{
	store_get(s, number);
	if (!is_own(s, number))
		s->n_own++;
	s->flags[number] |= OWN;
	return s->v[number];
}

void store_flag(struct store *s, int number)
{
	const struct record *r = store_get(s, number);
	unsigned flags = s->flags[number] & OWN;

	flags |= r->waiting ? RECORD_WAITING : 0;
	flags |= r->approved ? RECORD_OWED : 0;
	flags |= r->baseline ? RECORD_BASELINE : 0;
	flags |= r->verdict == VERDICT_ACCEPT && !r->baseline ? RECORD_ACCEPTED : 0;
	flags |= oid_is_zero(&r->accepted) ? 0 : RECORD_WAS_BEST;
	s->flags[number] = (uint8_t)flags;
}

void store_forget(struct store *s)
{
	for (size_t i = 0; i < s->n_decoded; i++) {
		if (!is_own(s, s->decoded[i]))
			drop(s, s->decoded[i]);
	}
	s->n_decoded = 0;
}
