/*
 * num.h - numbers to text and back, without a locale.
 * Grammar of a measured number (DESIGN section 6): -?digits[.digits][(e|E)[+-]digits], up to 64
 * characters, nothing before or after, finite as a double. A subnormal or zero result of a non-zero
 * text is accepted as that double; beyond the double's range is refused.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUM_MAX 64	/* characters of a number */
#define NUM_TEXT 40	/* room for any formatted number */

bool num_parse(const char *ptr, size_t len, double *ret);
/*
 * Shortest decimal that reads back to the same double; no exponent for 1e-5 <= |x| < 1e15 and for
 * 0. "-0" is "0".
 */
void num_format(double value, char ret[NUM_TEXT]);
/* 6 significant digits (derived numbers, as delta), trailing zeros dropped. */
void num_format6(double value, char ret[NUM_TEXT]);
bool num_parse_int(const char *ptr, size_t len, int64_t *ret);	/* -?digits, in range */

/* Units of the policy file. Whole text or false. */
bool num_parse_duration(const char *text, int64_t *ret_ns);	/* 90s 5m 8h 2d 250ms; a bare number is refused */
bool num_parse_size(const char *text, int64_t *ret_bytes);	/* 512K 48G (1024), or plain bytes */
bool num_parse_count(const char *text, int64_t *ret);		/* 200k 5M (1000), or plain */
bool num_parse_percent(const char *text, double *ret_fraction);	/* "0.5%" gives 0.005 */
/* "1h 02m", "41.2s", "250ms": for people. */
void num_format_duration(int64_t ns, char ret[NUM_TEXT]);

#endif
