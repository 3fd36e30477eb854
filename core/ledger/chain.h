/*
 * chain.h - the commits of a ledger, as they stand. Private to core/ledger.
 * Message: a subject, then trailers Harness-Campaign, Harness-Entry (start, experiment, baseline, act), Harness-Experiment, Harness-Best;
 * the start has Harness-Base. Harness-Best-Waits: where best's branch was left because a worktree had it checked out.
 *
 * Memory: chain_free() accepts an empty one.
 * Errors: ERR_INVALID: a commit that is not of this form (names it).
 */
#ifndef LEDGER_CHAIN_H
#define LEDGER_CHAIN_H

#include "ledger/history.h"

struct link {
	struct entry entry;		/* without its act */
	struct oid tree, waits, base;	/* base: the start's */
	bool again;			/* its number was recorded before */
};

struct chain {
	struct link *v;			/* oldest first */
	size_t n, alloc;
};

extern const char *const entry_names[];	/* "start" "experiment" "baseline" "act" */

/* From `tip` back to the child of `known` (zero: to the parentless start). */
int chain_read(struct repo *repo, const char *campaign, const struct oid *tip, const struct oid *known, struct chain *ret, struct err *err);
void chain_free(struct chain *chain);

#endif
