#include "base/num.h"

#include <locale.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define DIGITS_MAX 17	/* enough for any double */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t span_digits(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && is_digit(*p))
		p++;
	return (size_t)(p - start);
}

/*
 * strtod() without the locale a program that embeds us may have set: "1.5" must not become 1 where
 * the point is a comma.
 */
static double c_strtod(const char *text)
{
	static locale_t c;

	if (!c)
		c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	return c ? strtod_l(text, NULL, c) : strtod(text, NULL);
}

/* Length of -?digits[.digits] at p, 0: none. */
static size_t plain_decimal(const char *p, const char *end)
{
	const char *at = p + (p < end && *p == '-');
	size_t n = span_digits(at, end);

	if (!n)
		return 0;
	at += n;
	if (at < end && *at == '.') {
		n = span_digits(at + 1, end);
		if (!n)
			return 0;
		at += n + 1;
	}
	return (size_t)(at - p);
}

static bool is_number(const char *p, const char *end)
{
	size_t n = plain_decimal(p, end);

	if (!n)
		return false;
	p += n;
	if (p == end)
		return true;
	if (*p != 'e' && *p != 'E')
		return false;
	p++;
	if (p < end && (*p == '+' || *p == '-'))
		p++;
	n = span_digits(p, end);
	return n && p + n == end;
}

bool num_parse(const char *ptr, size_t len, double *ret)
{
	char text[NUM_MAX + 1];
	double value;

	if (!len || len > NUM_MAX || !is_number(ptr, ptr + len))
		return false;
	memcpy(text, ptr, len);
	text[len] = '\0';
	value = c_strtod(text);
	if (!isfinite(value))
		return false;
	*ret = value;
	return true;
}

/* A decimal: 0.d1d2d3... times ten to the `exponent` + 1. No trailing zeros but for 0 itself. */
struct decimal {
	bool negative;
	char digits[DIGITS_MAX + 1];
	int n;
	int exponent;
};

/*
 * value rounded to n significant digits. printf's point is the locale's, so only its digits are
 * taken.
 */
static struct decimal round_to(double value, int n)
{
	struct decimal d = { .negative = value < 0 };
	char text[64];
	const char *p;

	snprintf(text, sizeof(text), "%.*e", n - 1, fabs(value));
	for (p = text; *p != 'e'; p++)
		if (is_digit(*p))
			d.digits[d.n++] = *p;
	d.exponent = (int)strtol(p + 1, NULL, 10);
	return d;
}

static void drop_zeros(struct decimal *d)
{
	while (d->n > 1 && d->digits[d->n - 1] == '0')
		d->n--;
	d->digits[d->n] = '\0';
}

static void layout(const struct decimal *d, char ret[NUM_TEXT])
{
	const char *sign = d->negative ? "-" : "", *digits = d->digits;
	int e = d->exponent;

	if (e < -5 || e >= 15) {
		snprintf(ret, NUM_TEXT, "%s%c%s%se%d", sign, digits[0], d->n > 1 ? "." : "",
			 digits + 1, e);
	} else if (e < 0) {
		snprintf(ret, NUM_TEXT, "%s0.%.*s%s", sign, -e - 1, "0000", digits);
	} else if (d->n <= e + 1) {
		snprintf(ret, NUM_TEXT, "%s%s%.*s", sign, digits, e + 1 - d->n, "00000000000000");
	} else {
		snprintf(ret, NUM_TEXT, "%s%.*s.%s", sign, e + 1, digits, digits + e + 1);
	}
}

static bool reads_back(struct decimal d, double value, char ret[NUM_TEXT])
{
	double again;

	drop_zeros(&d);
	layout(&d, ret);
	return num_parse(ret, strlen(ret), &again) && again == value;
}

/* One more in the last place; false where that would carry (a shorter decimal, tried before). */
static bool next_up(struct decimal *d)
{
	if (d->digits[d->n - 1] == '9')
		return false;
	d->digits[d->n - 1]++;
	return true;
}

/* 0 has no first digit, and the others have no digits. */
static bool format_special(double value, char ret[NUM_TEXT])
{
	if (isnan(value))
		strcpy(ret, "nan");
	else if (isinf(value))
		strcpy(ret, value < 0 ? "-inf" : "inf");
	else if (value == 0)
		strcpy(ret, "0");
	else
		return false;
	return true;
}

/*
 * What people and evaluators print has few decimals: value = whole / 10^n, both exact and the division rounded once, reads back. Below 15
 * digits no other decimal of that length does, so the first n that fits is the shortest.
 */
static bool format_plain(double value, char ret[NUM_TEXT])
{
	double magnitude = fabs(value), scale = 1;

	if (magnitude < 1e-5 || magnitude >= 1e14)
		return false;
	for (int n = 0; n <= 12 && magnitude * scale < 1e14; n++, scale *= 10) {
		double whole = round(magnitude * scale);
		char digits[32];
		int len;

		if (whole / scale != magnitude)
			continue;
		len = snprintf(digits, sizeof(digits), "%0*" PRIu64, n + 1, (uint64_t)whole);
		snprintf(ret, NUM_TEXT, "%s%.*s%s%s", value < 0 ? "-" : "", len - n, digits, n ? "." : "", digits + len - n);
		return true;
	}
	return false;
}

/*
 * The first number of digits at which the nearest decimal reads back. Just below a power of two
 * doubles lie twice as dense, so there the nearest decimal may read back as the neighbour while the
 * next one above is right and as short.
 */
void num_format(double value, char ret[NUM_TEXT])
{
	if (format_special(value, ret) || format_plain(value, ret))
		return;
	/* Up to 15 digits a decimal that reads back is the only one, and with its zeros dropped the shortest; not so among subnormals. */
	for (int n = isnormal(value) ? 15 : 1; n <= DIGITS_MAX; n++) {
		struct decimal d = round_to(value, n);

		if (reads_back(d, value, ret) || (next_up(&d) && reads_back(d, value, ret)))
			return;
	}
}

void num_format6(double value, char ret[NUM_TEXT])
{
	struct decimal d;

	if (format_special(value, ret))
		return;
	d = round_to(value, 6);
	drop_zeros(&d);
	layout(&d, ret);
}

bool num_parse_int(const char *ptr, size_t len, int64_t *ret)
{
	const char *end = ptr + len;
	bool negative = len && *ptr == '-';
	int64_t value = 0;

	ptr += negative;
	if (ptr == end)
		return false;
	for (; ptr < end; ptr++) {
		if (!is_digit(*ptr) || __builtin_mul_overflow(value, 10, &value))
			return false;
		/* Counted downwards: the lowest number has no positive counterpart. */
		if (__builtin_sub_overflow(value, *ptr - '0', &value))
			return false;
	}
	if (!negative && __builtin_mul_overflow(value, -1, &value))
		return false;
	*ret = value;
	return true;
}

struct unit {
	const char *name;
	int64_t size;
};

/* digits[.digits]unit, where the whole must come out as an integer. */
static bool parse_units(const char *text, const struct unit *units, int64_t *ret)
{
	const char *end = text + strlen(text);
	size_t n = plain_decimal(text, end), whole = span_digits(text, end);
	int64_t value, rest = 0, scale = 1;

	if (!n || !num_parse_int(text, whole, &value))
		return false;
	for (const char *p = text + whole + 1; p < text + n; p++) {
		if (__builtin_mul_overflow(scale, 10, &scale))
			return false;
		rest = rest * 10 + (*p - '0');	/* always less than scale */
	}
	for (; units->name; units++) {
		if (strcmp(text + n, units->name))
			continue;
		if (__builtin_mul_overflow(value, units->size, &value) ||
		    __builtin_mul_overflow(rest, units->size, &rest))
			return false;
		if (rest % scale || __builtin_add_overflow(value, rest / scale, &value))
			return false;
		*ret = value;
		return true;
	}
	return false;
}

bool num_parse_duration(const char *text, int64_t *ret_ns)
{
	static const struct unit units[] = {
		{ "ms", NS_PER_MS },	  { "s", NS_PER_S },	     { "m", 60 * NS_PER_S },
		{ "h", 3600 * NS_PER_S }, { "d", 86400 * NS_PER_S }, { NULL, 0 },
	};

	return parse_units(text, units, ret_ns);
}

bool num_parse_size(const char *text, int64_t *ret_bytes)
{
	static const struct unit units[] = {
		{ "", 1 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 },
		{ "T", INT64_C(1) << 40 }, { NULL, 0 },
	};

	return parse_units(text, units, ret_bytes);
}

bool num_parse_count(const char *text, int64_t *ret)
{
	static const struct unit units[] = {
		{ "", 1 }, { "k", 1000 }, { "M", 1000000 }, { "G", 1000000000 }, { NULL, 0 },
	};

	return parse_units(text, units, ret);
}

/* The exponent does the division: 0.7 / 100 in doubles is not 0.007. */
bool num_parse_percent(const char *text, double *ret_fraction)
{
	char number[NUM_MAX + sizeof("e-2")];
	size_t len = strlen(text);

	if (len < 2 || len > NUM_MAX || text[len - 1] != '%' ||
	    plain_decimal(text, text + len - 1) != len - 1)
		return false;
	snprintf(number, sizeof(number), "%.*se-2", (int)len - 1, text);
	*ret_fraction = c_strtod(number);
	return true;
}

void num_format_duration(int64_t ns, char ret[NUM_TEXT])
{
	const char *sign = ns < 0 ? "-" : "";
	uint64_t ms = (ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns) / NS_PER_MS, s = ms / 1000;
	unsigned long minutes = s / 60, hours = s / 3600;

	if (ms < 1000)
		snprintf(ret, NUM_TEXT, "%s%dms", ms ? sign : "", (int)ms);
	else if (s < 60)
		snprintf(ret, NUM_TEXT, "%s%d.%ds", sign, (int)s, (int)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(ret, NUM_TEXT, "%s%lum %02ds", sign, minutes, (int)(s % 60));
	else if (s < 86400)
		snprintf(ret, NUM_TEXT, "%s%luh %02lum", sign, hours, minutes % 60);
	else
		snprintf(ret, NUM_TEXT, "%s%lud %02luh", sign, hours / 24, hours % 24);
}
