/*
 * tune.c - an agent without a model: it searches the parameters that the policy declares.
 * First a few random points near where the search stands, then a local search around the best: one or two parameters at a time,
 * each with a step of its own that grows when it gained, and turns round or shrinks when it did not. All of this is worked out
 * anew from the seed and the past attempts each time, so there is nothing to save; what is kept in between is only a cache.
 */
#include "agent/tune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/tree.h"

#define RANDOM_NEAR 0.1		/* how far a random start goes */
#define RANDOM_FAR 0.3
#define TRIES 64		/* at a new point, before looking elsewhere */
#define GRID 1000		/* places of a continuous parameter, when nothing but counting is left */

/* splitmix64 */
static uint64_t random_bits(struct search *s)
{
	uint64_t z = s->rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double random_unit(struct search *s)
{
	return (double)(random_bits(s) >> 11) / 9007199254740992.0;
}

static size_t random_below(struct search *s, size_t n)
{
	return (size_t)(random_unit(s) * (double)n);
}

/* ---- new points ---- */

static void set_text(struct strs *point, size_t i, const char *text)
{
	free(point->v[i]);
	point->v[i] = xstrdup(text);
}

/* The least used of the other choices. */
static bool move_choice(struct search *s, struct strs *point, size_t i)
{
	const struct param *p = knobs_param(s->t->knobs, i);
	size_t first = random_below(s, p->choices.n), best = p->choices.n;

	for (size_t c = 0; c < p->choices.n; c++) {
		size_t at = (first + c) % p->choices.n;

		if (strcmp(p->choices.v[at], s->now.v[i]) != 0 && (best == p->choices.n || s->knob[i].uses[at] < s->knob[i].uses[best]))
			best = at;
	}
	if (best == p->choices.n)
		return false;
	set_text(point, i, p->choices.v[best]);
	return true;
}

static bool move_number(struct search *s, struct strs *point, size_t i, double by)
{
	const struct param *p = knobs_param(s->t->knobs, i);
	double place = knob_place(p, s->now.v[i]), least = p->type == PARAM_INT && p->max > p->min ? 1 / (p->max - p->min) : 0;
	STR text = STR_INIT;

	if (fabs(by) < least)
		by = by < 0 ? -least : least;
	knob_text(p, place + by, &text);
	if (!strcmp(text.buf, s->now.v[i])) {
		str_clear(&text);
		knob_text(p, place - by, &text);
	}
	if (!strcmp(text.buf, s->now.v[i]))
		return false;
	set_text(point, i, text.buf);
	return true;
}

static bool move_random(struct search *s, struct strs *point, size_t i)
{
	double by = RANDOM_NEAR + (RANDOM_FAR - RANDOM_NEAR) * random_unit(s);

	if (knobs_param(s->t->knobs, i)->type == PARAM_CATEGORICAL)
		return move_choice(s, point, i);
	return move_number(s, point, i, random_unit(s) < 0.5 ? -by : by);
}

static bool move_local(struct search *s, struct strs *point, size_t i)
{
	const struct knob_state *k = &s->knob[i];
	int dir = k->dir ? k->dir : random_unit(s) < 0.5 ? -1 : 1;
	double by = dir * k->step * (0.7 + 0.6 * random_unit(s));

	if (knobs_param(s->t->knobs, i)->type == PARAM_CATEGORICAL)
		return move_choice(s, point, i);
	return move_number(s, point, i, by);
}

static void copy_point(const struct strs *from, struct strs *ret)
{
	strs_free(ret);
	for (size_t i = 0; i < from->n; i++)
		strs_add(ret, from->v[i]);
}

/* Two parameters at least, half of them at most. */
static void point_random(struct search *s, struct strs *ret)
{
	size_t n = s->t->n, more = n > 4 ? random_below(s, n / 2 - 1) : 0, want = n < 2 ? n : 2 + more;

	copy_point(&s->now, ret);
	for (size_t i = 0; i < n && want; i++)
		if (random_below(s, n - i) < want && (move_random(s, ret, i) || want > n - i - 1))
			want--;
}

/* Those that gained come again sooner, those that were tried often later. */
static size_t pick(struct search *s, size_t but)
{
	double most = -1;
	size_t ret = 0;

	for (size_t i = 0; i < s->t->n; i++) {
		const struct knob_state *k = &s->knob[i];
		double weight = (1.0 + k->gains) / (1.0 + k->tries) * (0.5 + random_unit(s));

		if (i != but && weight > most) {
			most = weight;
			ret = i;
		}
	}
	return ret;
}

static void point_local(struct search *s, struct strs *ret)
{
	size_t first = pick(s, s->t->n);
	bool two = s->t->n > 1 && random_unit(s) < 0.4;

	copy_point(&s->now, ret);
	move_local(s, ret, first);
	if (two)
		move_local(s, ret, pick(s, first));
}

static void point_anywhere(struct search *s, struct strs *ret)
{
	copy_point(&s->now, ret);
	for (size_t i = 0; i < s->t->n; i++) {
		const struct param *p = knobs_param(s->t->knobs, i);
		STR text = STR_INIT;

		if (p->type == PARAM_CATEGORICAL) {
			set_text(ret, i, p->choices.v[random_below(s, p->choices.n)]);
			continue;
		}
		knob_text(p, random_unit(s), &text);
		set_text(ret, i, text.buf);
	}
}

/* The step that gained last, once more. */
static bool point_again(struct search *s, struct strs *ret)
{
	const struct known *last;
	size_t n = s->ask->n_past;
	bool moved = false;

	while (n && s->ask->past[n - 1].verdict == VERDICT_NONE)
		n--;
	if (!n || s->ask->past[n - 1].verdict != VERDICT_ACCEPT)
		return false;
	last = &s->t->known[n - 1];
	if (last->n_moves > 2 || !oid_eq(&last->tree, &s->ask->base_tree))
		return false;
	copy_point(&s->now, ret);
	for (size_t m = 0; m < last->n_moves; m++) {
		size_t i = last->moves[m].knob;
		const struct param *p = knobs_param(s->t->knobs, i);
		double place = knob_place(p, s->now.v[i]);

		if (p->type == PARAM_CATEGORICAL || (last->moves[m].to > 0 ? place >= 1 : place <= 0))
			continue;
		moved |= move_number(s, ret, i, last->moves[m].to * s->knob[i].step);
	}
	return moved && !search_seen(s, ret);
}

static double radix(const struct param *p)
{
	if (p->type == PARAM_CATEGORICAL)
		return (double)p->choices.n;
	if (p->max <= p->min)
		return 1;
	return p->type == PARAM_INT ? floor(p->max) - ceil(p->min) + 1 : GRID;
}

/* Counting through the whole space: it ends at the first new point, so after as many steps as there are old ones, or at the end of the space. */
static bool point_counted(struct search *s, struct strs *ret)
{
	double total = 1;

	for (size_t i = 0; i < s->t->n; i++)
		total = fmin(total * radix(knobs_param(s->t->knobs, i)), 1e6);
	for (double nr = 0; nr < total; nr++) {
		double left = nr;

		copy_point(&s->now, ret);
		for (size_t i = 0; i < s->t->n; i++) {
			const struct param *p = knobs_param(s->t->knobs, i);
			double places = radix(p), at = fmod(left, places);
			STR text = STR_INIT;

			left = floor(left / places);
			if (p->type == PARAM_CATEGORICAL)
				str_puts(&text, p->choices.v[(size_t)at]);
			else
				knob_text(p, places > 1 ? at / (places - 1) : 0, &text);
			set_text(ret, i, text.buf);
		}
		if (!search_seen(s, ret))
			return true;
	}
	return false;
}

static bool new_point(struct search *s, struct strs *ret)
{
	int64_t budget = s->ask->policy->budget.experiments, start = 2 * (int64_t)s->t->n, tried = 0;

	if (budget >= 0 && budget / 3 < start)
		start = budget / 3;
	for (size_t i = 0; i < s->ask->n_past; i++)
		tried += !s->ask->past[i].baseline;
	s->how = "Random start, near the best point.";
	for (int i = 0; tried < start && i < TRIES; i++) {
		point_random(s, ret);
		if (!search_seen(s, ret))
			return true;
	}
	s->how = "Local search around the best point: the last step gained, so it is taken again.";
	if (point_again(s, ret))
		return true;
	s->how = "Local search around the best point.";
	for (int i = 0; i < TRIES; i++) {
		point_local(s, ret);
		if (!search_seen(s, ret))
			return true;
	}
	s->how = "All points near the best are known: one from anywhere in the space.";
	for (int i = 0; i < TRIES; i++) {
		point_anywhere(s, ret);
		if (!search_seen(s, ret))
			return true;
	}
	return point_counted(s, ret);
}

/* ---- the agent ---- */

static void describe(const struct search *s, const struct strs *point, struct proposal *ret)
{
	STR subject = STR_INIT;
	STR body = STR_INIT;
	STR key = STR_INIT;
	size_t changes = 0;

	str_puts(&body, s->how);
	for (size_t i = 0; i < s->t->n; i++) {
		const struct param *p = knobs_param(s->t->knobs, i);

		if (!strcmp(point->v[i], s->now.v[i]))
			continue;
		str_printf(&subject, "%s%s %s -> %s", changes++ ? ", " : "", p->name, s->now.v[i], point->v[i]);
		str_printf(&body, "%s- %s (tries %d, gains %d", changes == 1 ? "\n\n" : "\n", p->name, s->knob[i].tries, s->knob[i].gains);
		if (p->type != PARAM_CATEGORICAL)
			str_printf(&body, ", step %.2g of its range", s->knob[i].step);
		str_putc(&body, ')');
	}
	search_key(s->t, point, &key);
	ret->subject = str_detach(&subject);
	ret->body = str_detach(&body);
	ret->source = str_detach(&key);
}

static void search_init(struct search *s)
{
	s->knob = xcalloc(s->t->n, sizeof(*s->knob));
	for (size_t i = 0; i < s->t->n; i++) {
		s->knob[i].step = STEP_FIRST;
		s->knob[i].uses = xcalloc(knobs_param(s->t->knobs, i)->choices.n, sizeof(size_t));
	}
	s->rng = (uint64_t)s->ask->policy->agent.seed * UINT64_C(0xd1342543de82ef95) + (uint64_t)s->ask->number;
	random_bits(s);
}

static void search_clear(struct search *s)
{
	for (size_t i = 0; s->knob && i < s->t->n; i++)
		free(s->knob[i].uses);
	free(s->knob);
	strs_free(&s->now);
}

static int tune_propose(struct agent *a, const struct ask *ask, struct proposal *ret, struct err *err)
{
	CLEANUP(search_clear) struct search s = { .t = (struct tune *)a, .ask = ask };
	CLEANUP(strs_free) struct strs point = { 0 };
	struct err why;

	/* Best may have been moved on by people: what no longer holds the parameters is a failed proposal and no failure of ours. */
	if (knobs_read(s.t->knobs, ask->repo, &ask->base_tree, &s.now, &why) < 0) {
		ret->kind = PROPOSAL_FAILED;
		ret->why = xstrdup(why.msg);
		return 0;
	}
	search_init(&s);
	search_recall(&s);
	search_learn(&s);
	if (!new_point(&s, &point)) {
		ret->kind = PROPOSAL_NONE;
		return 0;
	}
	if (knobs_write(s.t->knobs, ask->repo, &ask->base_tree, &point, &ret->tree, err) < 0)
		return err->code;
	ret->kind = PROPOSAL_TREE;
	describe(&s, &point, ret);
	return 0;
}

static void tune_free(struct agent *a)
{
	struct tune *t = (struct tune *)a;

	for (size_t i = 0; i < t->n_known; i++)
		known_clear(&t->known[i]);
	free(t->known);
	knobs_close(t->knobs);
	free(t);
}

int tune_open(struct repo *repo, const struct policy *policy, const struct oid *start, struct agent **ret, struct err *err)
{
	struct tune *t = xcalloc(1, sizeof(*t));
	struct oid tree;

	t->agent = (struct agent){ .name = "tune", .propose = tune_propose, .free = tune_free };
	t->n = policy->agent.n_params;
	if (knobs_open(policy, &t->knobs, err) < 0 || tree_of_commit(repo, start, &tree, err) < 0 ||
	    knobs_check(t->knobs, repo, &tree, err) < 0) {
		tune_free(&t->agent);
		return err->code;
	}
	*ret = &t->agent;
	return 0;
}
