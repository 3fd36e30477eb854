/*
 * receive.h - may this record stand here? For the repository that is pushed to, before a ref is moved.
 * A ledger goes forward only and follows from itself, as verify derives it; a note says nothing of a campaign that its ledger does not.
 *
 * Memory: ret_why is empty where the answer is yes; otherwise one line for people, foreign text made visible.
 */
#ifndef LEDGER_RECEIVE_H
#define LEDGER_RECEIVE_H

#include "ledger/history.h"

/* old or new zero: created, deleted. */
int receive_ledger(struct repo *repo, const char *campaign, const struct oid *old, const struct oid *new, struct str *ret_why,
		   struct err *err);
/* The notes at `notes` against that campaign's history. What a note lacks is no fault: it may be older. */
int receive_notes(struct repo *repo, const struct history *h, const struct oid *notes, struct str *ret_why, struct err *err);
/* Was this commit best, by any entry? */
bool receive_was_best(const struct history *h, const struct oid *commit);

#endif
