/*
 * str.h - a growing byte string with a ceiling, and a list of strings.
 * Always NUL-terminated, may hold NULs. Adding beyond the ceiling cuts there and sets `cut`; it never fails.
 *
 * Memory: struct str owns buf; str_free() ends it and accepts an empty one. str_detach() hands buf over.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
	char *buf;	/* never NULL after STR_INIT: an empty string until something is added */
	size_t len;
	size_t alloc;
	size_t max;	/* ceiling in bytes; 0 = 64 MiB */
	bool cut;
};

extern char str_empty[1];
#define STR_INIT { .buf = str_empty }
#define STR_MAX(n) { .buf = str_empty, .max = (n) }
#define STR CLEANUP(str_free) struct str	/* STR s = STR_INIT; needs base/mem.h */

void str_add(struct str *s, const void *ptr, size_t len);
void str_puts(struct str *s, const char *text);
void str_putc(struct str *s, char c);
void str_printf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void str_vprintf(struct str *s, const char *fmt, va_list ap);
void str_clear(struct str *s);			/* empty, memory kept */
void str_truncate(struct str *s, size_t len);
char *str_detach(struct str *s);		/* the caller frees it; s is empty afterwards */
void str_free(struct str *s);

bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);
bool str_eq(const char *a, const char *b);	/* NULL equals only NULL */

/* An owned list of owned strings. */
struct strs {
	char **v;	/* v[n] is NULL once something was added */
	size_t n;
	size_t alloc;
};

void strs_add(struct strs *l, const char *s);
void strs_take(struct strs *l, char *s);	/* takes ownership */
void strs_addf(struct strs *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool strs_has(const struct strs *l, const char *s);
void strs_sort(struct strs *l);
void strs_free(struct strs *l);

#endif
