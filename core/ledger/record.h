/*
 * record.h - the lines of one number, folded: for core/ledger, and for whoever has lines that are to be recorded.
 * A record file holds one number's event lines and nothing else; a note may hold foreign text and other numbers' lines too.
 *
 * Errors: ERR_INVALID: a line that is not ours, of another number, or with a value that is none.
 */
#ifndef LEDGER_RECORD_H
#define LEDGER_RECORD_H

#include "ledger/history.h"

/* A record file's text to lines, ordered by n. Appends nothing on failure. */
int record_parse(const char *campaign, int number, const char *ptr, size_t len, struct events *ret, struct err *err);
/* Folds lines into an empty r, whose number is set; commit, accepted, subject and blobs stay the caller's. */
int record_fold(const struct events *lines, struct record *r, struct err *err);
void record_clear(struct record *r);

/* The numbers of a decide line, from metric= to owner=. */
void record_decision(const struct decision *d, struct event *line);
/* "Name <mail>" of who approved last, or NULL; in lines. */
const char *record_approver(const struct events *lines);

/* A note's text with that number's lines replaced by `lines` (record text); everything else byte for byte. False: nothing to do. */
bool record_into_note(const char *campaign, int number, const char *old, size_t len, const struct str *lines, struct str *ret);
/* Only that number's lines of a note, as they stand there. */
void record_of_note(const char *campaign, int number, const char *ptr, size_t len, struct str *ret);

/* The commits whose notes carry a record: its own, the one that an approval made, a first draft. Returns how many (0 to 3). */
size_t record_annotates(const struct record *r, struct oid ret[3]);

#endif
