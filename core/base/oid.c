#include "base/oid.h"

#include <ctype.h>
#include <string.h>

struct oid_hex oid_hex(const struct oid *oid)
{
	static const char digit[] = "0123456789abcdef";
	struct oid_hex ret;

	for (int i = 0; i < 20; i++) {
		ret.s[2 * i] = digit[oid->raw[i] >> 4];
		ret.s[2 * i + 1] = digit[oid->raw[i] & 15];
	}
	ret.s[OID_HEX] = '\0';
	return ret;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool oid_parse(const char *hex, struct oid *ret)
{
	struct oid oid;

	for (int i = 0; i < 20; i++) {
		int hi = nibble(hex[2 * i]), lo = hi < 0 ? -1 : nibble(hex[2 * i + 1]);

		if (lo < 0)
			return false;
		oid.raw[i] = (uint8_t)(hi << 4 | lo);
	}
	if (isxdigit((unsigned char)hex[OID_HEX]))
		return false;
	*ret = oid;
	return true;
}

bool oid_eq(const struct oid *a, const struct oid *b)
{
	return !memcmp(a->raw, b->raw, sizeof(a->raw));
}

bool oid_is_zero(const struct oid *oid)
{
	static const struct oid zero;

	return oid_eq(oid, &zero);
}
