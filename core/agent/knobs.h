/*
 * knobs.h - the parameters of `tune` as text in the files of a tree: found by pattern, read, and written back.
 * A point is one text a parameter, in the policy's order, in canonical form (numbers with at most 4 significant digits).
 *
 * Units:  a number's place in its range goes from 0 to 1, evenly in its logarithm for `log`.
 * Memory: knobs_close() accepts NULL; the policy outlives the knobs. A point is an ordinary struct strs.
 * Errors: ERR_INVALID names the parameter, its file and its pattern.
 */
#ifndef AGENT_KNOBS_H
#define AGENT_KNOBS_H

#include "git/repo.h"
#include "policy/policy.h"

struct knobs;

int knobs_open(const struct policy *policy, struct knobs **ret, struct err *err);
void knobs_close(struct knobs *k);
const struct param *knobs_param(const struct knobs *k, size_t i);

int knobs_read(const struct knobs *k, struct repo *repo, const struct oid *tree, struct strs *ret, struct err *err);
/* Could every parameter be written and read back? Ends of ranges and all choices are tried, in memory. */
int knobs_check(const struct knobs *k, struct repo *repo, const struct oid *tree, struct err *err);
/* `tree` with the point put in; what the point does not change keeps its spelling. What was written is read back and must be the point. */
int knobs_write(const struct knobs *k, struct repo *repo, const struct oid *tree, const struct strs *point, struct oid *ret, struct err *err);

/* Numbers only. */
double knob_place(const struct param *p, const char *text);	/* 0 to 1, clamped */
void knob_text(const struct param *p, double place, struct str *ret);

#endif
