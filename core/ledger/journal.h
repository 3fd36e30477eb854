/*
 * journal.h - what the loop was about to do: one logfmt line a move, in <state>/journal.
 * Append only; each line ends in a checksum (crc=), so a torn last line is seen and dropped. Lines say what is about to be true, except
 * results (proposal, sample, decision), which are forced to disk (durable) before anything builds on them.
 *
 * Memory: journal_close() accepts NULL.
 * Errors: ERR_IO; ERR_INVALID for a damaged line that is not the last (file and line named; hint: deleting it loses the open experiment only).
 */
#ifndef LEDGER_JOURNAL_H
#define LEDGER_JOURNAL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/logfmt.h"

struct journal;

/* Opens or makes it; *ret_lines are the lines that stand in it, without their crc. */
int journal_open(const char *path, struct journal **ret, struct events *ret_lines, struct err *err);
int journal_add(struct journal *j, const struct event *line, bool durable, struct err *err);
/* Start anew with these lines (atomic replace). */
int journal_reset(struct journal *j, const struct events *keep, struct err *err);
void journal_close(struct journal *j);

#endif
