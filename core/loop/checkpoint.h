/*
 * checkpoint.h - what execute carries from one accepted experiment to the next (execute.state: checkpoints and the like).
 * Kept whole, by content, below <state dir>/state/<id>/, where <id> is the blob of its manifest; the manifest is in the ledger. An experiment
 * starts from the state of the commit it is judged against, so a rollback brings the old one back.
 *
 * Manifest: a line a file in path order, "<blob id of the content> <bytes> <octal mode> <path>".
 * Errors: ERR_REFUSED where a state that the record names is not on this machine; ERR_LIMIT beyond the size cap.
 */
#ifndef LOOP_CHECKPOINT_H
#define LOOP_CHECKPOINT_H

#include "git/repo.h"
#include "ledger/history.h"

/* The manifest of what lies in dir, written as a blob. Zero: nothing lies there. */
int checkpoint_manifest(struct repo *repo, const char *dir, struct oid *ret, struct err *err);
/* The directory of the state that the record of `commit` (history_of_commit()) ended with; NULL: it has none. Caller frees. */
int checkpoint_of(struct repo *repo, const struct history *h, const char *state_dir, const struct oid *commit, int before, char **ret,
	     struct err *err);
/* The manifest that these lines of a record name; zero: none. */
struct oid checkpoint_named(const struct events *lines);
/* Moves dir to its place by content; a repeat after a crash finds it there. */
int checkpoint_store(const char *state_dir, const char *dir, const struct oid *manifest, struct err *err);

#endif
