/*
 * verifying.h - a verification on its way. Private to core/ledger.
 * Checks return 0: follows, 1: does not (result->what says what), or an error's code. verify.c walks, verify_entry.c judges the chain's
 * links, verify_decision.c the numbers, verify_commit.c commits and trees, verify_notes.c the notes, verify_sign.c signatures.
 */
#ifndef LEDGER_VERIFYING_H
#define LEDGER_VERIFYING_H

#include "ledger/fold.h"
#include "ledger/verify.h"
#include "policy/surface.h"

struct best_of {		/* a commit that was best, and which number's samples stand for it from then on */
	struct oid commit;
	int number;
};

struct verify {
	struct repo *repo;
	const struct history *h;
	struct verify_result *result;
	char *hooks_path;

	/* as the chain tells it up to the link at hand */
	const struct link *link;
	const struct event *act;	/* of an act */
	int next;			/* the number behind the highest recorded */
	bool *seen;			/* by number: recorded */
	int gaps, jobs;			/* numbers behind the last baseline that are not; the most that any policy let run side by side */
	struct oid tree;		/* of the link before */
	struct oid best;
	struct policy *policy;
	struct oid policy_blob;
	int baseline, epoch;		/* epoch: first number of the present policy's measuring */
	struct best_of *bests;		/* in order of becoming best */
	size_t n_bests, alloc_bests;
	bool *approved;			/* by number: answered, and its measurement still owed */
	struct history_index measured;	/* for duplicates */
};

/* One number as it stands at a link. */
struct claim {
	struct record r;
	struct events lines;
	const struct event *decide;	/* its last */
};

int broken(struct verify *v, const char *fmt, ...) PRINTF(2, 3);

int verify_entry(struct verify *v, struct err *err);
int verify_decision(struct verify *v, const struct claim *c, bool approved, struct err *err);
int verify_commit(struct verify *v, const struct claim *c, const struct oid *id, struct err *err);
int verify_notes(struct verify *v, struct err *err);
int verify_signatures(struct verify *v, struct err *err);

/* The latest that was measured as the present policy measures; NULL: none. */
const struct best_of *verify_best(const struct verify *v, const struct oid *commit);
bool verify_was_best(const struct verify *v, const struct oid *commit);

#endif
