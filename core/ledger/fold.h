/*
 * fold.h - what a history is made of. Private to core/ledger.
 * history.c opens and answers, load.c reads the records that a chain names, fold.c folds its links one by one.
 */
#ifndef LEDGER_FOLD_H
#define LEDGER_FOLD_H

#include "ledger/chain.h"
#include "ledger/record.h"

struct slot {			/* a measured (base tree, tree), by 64 bits of both; number -1: free */
	uint64_t tag;
	int number;
};

struct history_index {
	struct slot *slots;	/* open addressing, a power of two */
	size_t n_slots, used;
	const struct slot *filed;	/* of the cache file, not yet taken over */
	size_t n_filed;
	int next;		/* number after the last one folded */
	int epoch;		/* the first number measured as the present policy measures */
	int measured_number, baseline_number;	/* behind best_measured and baseline_measured; -1: none */
	struct oid commit, tree;	/* the last tree_of_commit() */
};

void index_clear(struct history_index *x);
void index_free(struct history_index *x);
void index_thaw(struct history_index *x);	/* takes over what is filed */
void index_add(struct history_index *x, const struct oid *base_tree, const struct oid *tree, int number);
int index_find(struct history_index *x, const struct oid *base_tree, const struct oid *tree);

/* Brings the records up to the chain: every number it names is read from the tip's tree. */
int load_records(struct repo *repo, struct history *h, struct chain *chain, struct err *err);
/* One number's record as it stood in that tree, without its subject. */
int load_record_at(struct repo *repo, const char *campaign, const struct oid *tree, int number, struct record *ret, struct err *err);
/* The chain's acts get their lines. */
int load_acts(struct repo *repo, struct history *h, struct chain *chain, struct err *err);

int fold_chain(struct repo *repo, struct history *h, const struct chain *chain, struct err *err);

#endif
