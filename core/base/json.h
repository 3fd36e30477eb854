/*
 * json.h - a writer for what we print, and a reader of one flat object of numbers.
 * The writer appends to a struct str and takes care of commas, escaping and numbers (NaN and
 * infinities as null). begin and nil, not plain object and null: those are jansson's names, and
 * ours would take their place in its own library.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct json {
	struct str *out;
	bool comma;	/* something stands before on this level */
	int depth;
	bool pretty;	/* newline and two spaces a level */
};

void json_init(struct json *j, struct str *out, bool pretty);
/* key NULL inside arrays and at the top. */
void json_begin_object(struct json *j, const char *key);
void json_begin_array(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_end_array(struct json *j);
void json_str(struct json *j, const char *key, const char *value);	/* NULL gives null; bytes that are no UTF-8 become U+FFFD */
void json_num(struct json *j, const char *key, double value);		/* shortest decimal */
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_nil(struct json *j, const char *key);

/* Calls fn for each member of one JSON object. A member's value is its number's text as written, or NULL where it is
 * not a number. Duplicate keys: fn is called for both. ERR_INVALID with line and column otherwise. */
typedef int json_member_fn(void *data, const char *key, const char *number, struct err *err);
int json_read_numbers(const char *ptr, size_t len, json_member_fn *fn, void *data, struct err *err);

#endif
