/*
 * tune.h - the search of `tune`: what it remembers of the past (recall.c) and how it goes on (tune.c).
 */
#ifndef AGENT_TUNE_H
#define AGENT_TUNE_H

#include "agent/kind.h"
#include "agent/knobs.h"

#define STEP_FIRST 0.15		/* of a parameter's range */

struct move {
	size_t knob;
	int to;		/* -1 or 1, or the index of the choice (-1: none of them) */
};

struct known {		/* what one past attempt says */
	struct oid tree, base_tree;
	char *key;	/* its point as text; NULL: not readable */
	uint64_t hash;
	struct move *moves;
	size_t n_moves;
};

struct tune {
	struct agent agent;
	struct knobs *knobs;
	size_t n;
	struct known *known;
	size_t n_known, alloc;
};

struct knob_state {
	double step;
	int dir;	/* 0: not known */
	int misses, tries, gains;
	size_t *uses;	/* of each choice */
};

struct search {
	struct tune *t;
	const struct ask *ask;
	struct strs now;	/* best's point */
	struct knob_state *knob;
	uint64_t rng;
	const char *how;
};

/* A point as text: "lr=0.02 width=64". */
void search_key(const struct tune *t, const struct strs *point, struct str *ret);
/* Read the points of all past attempts that are not known yet. */
void search_recall(struct search *s);
/* Was this point tried, or is it best's own? */
bool search_seen(const struct search *s, const struct strs *point);
/* Steps and directions of every parameter, from the past in its order. */
void search_learn(struct search *s);
void known_clear(struct known *k);

#endif
