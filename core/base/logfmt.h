/*
 * logfmt.h - one event a line, key=value.
 * The form of every line in notes, ledger records, acts, the journal and requests. A value with a
 * space, quote, backslash, '=' , control or non-UTF-8 byte (or an empty one) is written in double
 * quotes with \" \\ \n \t \r and \xHH; so a line never holds a newline. Keys are
 * [A-Za-z_][A-Za-z0-9_./-]*. Order is kept; a key stands once in what we write, and the first wins
 * in what we read.
 *
 * Memory: struct event owns its pairs; event_free() accepts an empty one.
 * Errors: event_parse() answers false for a line that is not wholly of this form (foreign text in a
 * note).
 */
#ifndef BASE_LOGFMT_H
#define BASE_LOGFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/oid.h"
#include "base/str.h"

struct event {
	struct pair {
		char *key;
		char *value;
	} *pairs;
	size_t n;
	size_t alloc;
};

#define EVENT CLEANUP(event_free) struct event	/* EVENT e = { 0 }; needs base/mem.h */

void event_add(struct event *e, const char *key, const char *value);	/* value NULL: nothing is added */
void event_addf(struct event *e, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void event_add_int(struct event *e, const char *key, int64_t value);
void event_add_num(struct event *e, const char *key, double value);	/* num_format() */
void event_add_secs(struct event *e, const char *key, int64_t ns);	/* seconds, at most 3 decimals */
void event_add_oid(struct event *e, const char *key, const struct oid *oid);
void event_set(struct event *e, const char *key, const char *value);	/* replace or add */

const char *event_get(const struct event *e, const char *key);		/* NULL: not there */
bool event_is(const struct event *e, const char *key, const char *value);
bool event_get_int(const struct event *e, const char *key, int64_t *ret);
bool event_get_num(const struct event *e, const char *key, double *ret);
bool event_get_secs(const struct event *e, const char *key, int64_t *ret_ns);
bool event_get_oid(const struct event *e, const char *key, struct oid *ret);

void event_format(const struct event *e, struct str *ret);		/* without the newline */
bool event_parse(const char *ptr, size_t len, struct event *ret);	/* one line, with or without its newline */
void event_copy(const struct event *e, struct event *ret);
void event_free(struct event *e);

/* A list of lines. */
struct events {
	struct event *v;
	size_t n;
	size_t alloc;
};

struct event *events_push(struct events *l);	/* a new empty last one; valid until the next push */
void events_format(const struct events *l, struct str *ret);	/* each with its newline */
void events_free(struct events *l);

#endif
