/*
 * metric.h - what a process printed, as numbers.
 * A reader is fed the whole stream in pieces of any size and keeps what it needs only. DESIGN
 * section 6: lines "METRIC <name>=<number>" or "<name>: <number>", first on their line; or one JSON
 * object of numbers. Only names the policy uses count. The number grammar is base/num.h's. Printed
 * twice with one value is one value; with different values invalid.
 *
 * Memory: metric_reader_free() accepts NULL.
 */
#ifndef POLICY_METRIC_H
#define POLICY_METRIC_H

#include "base/err.h"
#include "base/str.h"

struct metric_reader;

/* names outlive the reader. json: one JSON object (at most 1 MiB) instead of lines. */
struct metric_reader *metric_reader_new(const struct strs *names, bool json);
void metric_reader_feed(struct metric_reader *r, const void *ptr, size_t len);
void metric_reader_end(struct metric_reader *r);	/* the last line needs no newline */
void metric_reader_free(struct metric_reader *r);

enum metric_state { METRIC_MISSING, METRIC_VALUE, METRIC_INVALID };
/*
 * After end. why: for METRIC_INVALID the line and what is wrong with it, made visible (owned by the
 * reader).
 */
enum metric_state metric_get(const struct metric_reader *r, const char *name, double *ret, const char **why);

#endif
