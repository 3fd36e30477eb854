/*
 * json.h - records as JSON, in the fields of `log --json`. Not measured or not known is null; times are RFC 3339 UTC, durations seconds.
 */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include "base/json.h"
#include "base/logfmt.h"
#include "report/outline.h"

/* One object; with its events as an array of objects where `events` is given; numbers are numbers, samples arrays of them. */
void report_json_record(struct json *j, const struct history *h, const struct record *r, const struct events *events);
/* The whole campaign: what outline says of it, and all its records as `experiments`. */
void report_json(const struct outline *o, struct str *ret);

#endif
