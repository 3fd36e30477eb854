/*
 * verify.h - does every decision follow?
 * Re-derives from ledger, notes, commits and policy: the chain's form and parents; each record's verdict through policy/verdict from its
 * raw samples and the samples of what was best then; derived numbers; trees inside the surface for accepted ones; each note equal to its record;
 * trailers equal to the record; best's line of first parents = the accepted commits; Harness-Best of each; review refs. Signatures: from the
 * first signed ledger commit on each is, and what it accepts; the tip where harness.sign is set; git finds each good. Mends nothing.
 */
#ifndef LEDGER_VERIFY_H
#define LEDGER_VERIFY_H

#include "ledger/history.h"

struct verify_result {
	size_t records, decisions, notes, signatures;	/* how many were checked */
	bool broken;
	char *what;	/* the first that does not follow: "main/117: note says ..., ledger says ..."; caller frees */
};
/* The chain up to that ledger commit alone, with what it names: for who is given a ledger that no ref holds yet. */
int verify_ledger(struct repo *repo, const char *campaign, const struct oid *tip, struct verify_result *ret, struct err *err);
int verify_campaign(struct repo *repo, const char *campaign, struct verify_result *ret, struct err *err);

#endif
