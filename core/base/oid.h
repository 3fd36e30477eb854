/*
 * oid.h - a SHA-1 object id as 20 raw bytes. All zero means "none".
 */
#ifndef BASE_OID_H
#define BASE_OID_H

#include <stdbool.h>
#include <stdint.h>

#define OID_HEX 40

struct oid {
	uint8_t raw[20];
};

struct oid_hex {
	char s[OID_HEX + 1];
};

struct oid_hex oid_hex(const struct oid *oid);		/* oid_hex(&x).s in an expression */
bool oid_parse(const char *hex, struct oid *ret);	/* exactly 40 hex digits, then NUL or a non-hex byte */
bool oid_eq(const struct oid *a, const struct oid *b);
bool oid_is_zero(const struct oid *oid);

#endif
