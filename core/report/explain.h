/*
 * explain.h - why a number ended as it did, in sentences for a person who has not read the manual.
 */
#ifndef REPORT_EXPLAIN_H
#define REPORT_EXPLAIN_H

#include "base/logfmt.h"
#include "report/words.h"

/* decide: its last decide line, or NULL. Sentences on one line, safe text, without a newline. */
void explain_verdict(const struct history *h, const struct record *r, const struct event *decide, struct str *ret);
/* The commands a person may answer with, one a line, or nothing. */
void explain_answers(const struct history *h, const struct record *r, const char *indent, struct str *ret);
/* "git harness approve 5", with the campaign's name where it is not main. */
void explain_command(const struct history *h, const char *verb, int number, const char *rest, struct str *ret);
/* A loop-level escalation. */
const char *explain_loop(int reason);

#endif
