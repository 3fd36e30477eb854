#include "agent/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define STEP_MOST 0.5
#define STEP_LEAST 0.002

void search_key(const struct tune *t, const struct strs *point, struct str *ret)
{
	for (size_t i = 0; i < t->n; i++)
		str_printf(ret, "%s%s=%s", i ? " " : "", knobs_param(t->knobs, i)->name, point->v[i]);
}

static uint64_t hash_text(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h;
}

static int choice_of(const struct param *p, const char *text)
{
	for (size_t i = 0; i < p->choices.n; i++)
		if (!strcmp(p->choices.v[i], text))
			return (int)i;
	return -1;
}

void known_clear(struct known *k)
{
	free(k->key);
	free(k->moves);
	*k = (struct known){ 0 };
}

static void known_fill(struct search *s, const struct attempt *past, struct known *ret)
{
	struct tune *t = s->t;
	CLEANUP(strs_free) struct strs point = { 0 }, base = { 0 };
	STR key = STR_INIT;
	struct err ignored;

	known_clear(ret);
	ret->tree = past->tree;
	ret->base_tree = past->base_tree;
	/* A tree that does not hold every parameter is not a point of this search (a change of policy, for one): it says nothing. */
	if (knobs_read(t->knobs, s->ask->repo, &past->tree, &point, &ignored) < 0)
		return;
	search_key(t, &point, &key);
	ret->key = str_detach(&key);
	ret->hash = hash_text(ret->key);
	if (past->baseline || knobs_read(t->knobs, s->ask->repo, &past->base_tree, &base, &ignored) < 0)
		return;
	ret->moves = xcalloc(t->n, sizeof(*ret->moves));
	for (size_t i = 0; i < t->n; i++) {
		const struct param *p = knobs_param(t->knobs, i);

		if (!strcmp(point.v[i], base.v[i]))
			continue;
		ret->moves[ret->n_moves++] = (struct move){ i, p->type == PARAM_CATEGORICAL ? choice_of(p, point.v[i])
					: knob_place(p, point.v[i]) < knob_place(p, base.v[i]) ? -1 : 1 };
	}
}

void search_recall(struct search *s)
{
	struct tune *t = s->t;

	for (size_t i = 0; i < s->ask->n_past; i++) {
		const struct attempt *past = &s->ask->past[i];

		GROW(t->known, i, t->alloc);
		if (i >= t->n_known)
			t->known[t->n_known++] = (struct known){ 0 };
		else if (oid_eq(&t->known[i].tree, &past->tree) && oid_eq(&t->known[i].base_tree, &past->base_tree))
			continue;
		known_fill(s, past, &t->known[i]);
	}
}

bool search_seen(const struct search *s, const struct strs *point)
{
	STR key = STR_INIT;
	uint64_t hash;

	search_key(s->t, point, &key);
	hash = hash_text(key.buf);
	for (size_t i = 0; i < s->ask->n_past; i++) {
		const struct known *k = &s->t->known[i];

		if (k->key && k->hash == hash && !strcmp(k->key, key.buf))
			return true;
		/* Brought onto another best it became another point; it was tried all the same. */
		if (str_eq(s->ask->past[i].source, key.buf))
			return true;
	}
	str_clear(&key);
	search_key(s->t, &s->now, &key);
	return hash_text(key.buf) == hash;	/* best itself, wherever it came from */
}

static void learn_number(struct knob_state *k, int dir, bool gained)
{
	k->dir = gained ? dir : -dir;
	if (gained) {
		k->step = fmin(k->step * 1.6, STEP_MOST);
		k->misses = 0;
		return;
	}
	/* One way is worse: not quite as far the other way. Both ways are: closer, and when that is closer than makes sense, far again. */
	k->step *= k->misses ? 0.5 : 0.7;
	k->misses = !k->misses;
	if (k->step < STEP_LEAST)
		k->step = 2 * STEP_FIRST;
}

void search_learn(struct search *s)
{
	for (size_t i = 0; i < s->ask->n_past; i++) {
		const struct known *a = &s->t->known[i];
		bool gained = s->ask->past[i].verdict == VERDICT_ACCEPT;

		for (size_t m = 0; m < a->n_moves; m++) {
			struct knob_state *k = &s->knob[a->moves[m].knob];
			bool choice = knobs_param(s->t->knobs, a->moves[m].knob)->type == PARAM_CATEGORICAL;

			if (choice && a->moves[m].to >= 0)
				k->uses[a->moves[m].to]++;
			if (s->ask->past[i].verdict == VERDICT_NONE)
				continue;
			/* Where many moved together and it failed, none of them is to blame. */
			if (a->n_moves > 2 && !gained)
				continue;
			k->tries++;
			k->gains += gained;
			if (!choice)
				learn_number(k, a->moves[m].to, gained);
		}
	}
}
