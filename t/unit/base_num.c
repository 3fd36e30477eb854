/* Numbers: what is one, what is none, and that text and double agree. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/num.h"

static void grammar(void **state)
{
	static const struct {
		const char *text;
		double value;
	} good[] = {
		{ "0", 0 }, { "7", 7 }, { "-7", -7 }, { "007", 7 }, { "0.5", 0.5 }, { "-0.5", -0.5 }, { "1e3", 1000 },
		{ "1E3", 1000 }, { "1e+3", 1000 }, { "1e-3", 0.001 }, { "1.25e2", 125 }, { "0.1", 0.1 },
		{ "1.7976931348623157e308", DBL_MAX }, { "4.9e-324", 4.9e-324 }, { "1e-400", 0 }, { "-1e-400", 0 },
		{ "0000000000000000000000000000000000000000000000000000000000000001", 1 },
	};
	static const char *const bad[] = {
		"", "-", "+1", ".5", "5.", "1.e3", "1e", "1e+", "1e3.5", "1,5", "1 ", " 1", "1s", "0x10", "0b1", "1_000", "nan",
		"NaN", "inf", "-inf", "Infinity", "1e309", "-1e309", "--1", "1-", "1..2", "1.2.3", "1e5e5", "\xd9\xa1", "1\n",
		"00000000000000000000000000000000000000000000000000000000000000001",
	};
	double value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(num_parse(good[i].text, strlen(good[i].text), &value));
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		value = 42;
		assert_false(num_parse(bad[i], strlen(bad[i]), &value));
		assert_true(value == 42);
	}
	assert_false(num_parse("1\0", 2, &value));
	assert_true(num_parse("12", 1, &value));	/* no NUL is looked for */
	assert_true(value == 1);
}

static void format_of(double value, const char *expected)
{
	char text[NUM_TEXT];

	num_format(value, text);
	assert_string_equal(text, expected);
}

static void formats(void **state)
{
	(void)state;
	format_of(0, "0");
	format_of(-0.0, "0");
	format_of(0.1, "0.1");
	format_of(-0.969686, "-0.969686");
	format_of(1e-5, "0.00001");
	format_of(9.999e-6, "9.999e-6");
	format_of(100, "100");
	format_of(120.5, "120.5");
	format_of(999999999999999, "999999999999999");
	format_of(999999999999999.9, "999999999999999.9");
	format_of(1e15, "1e15");
	format_of(-1.5e300, "-1.5e300");
	format_of(0.1 + 0.2, "0.30000000000000004");
	format_of(DBL_MAX, "1.7976931348623157e308");
	format_of(4.9406564584124654e-324, "5e-324");
	format_of(0x1p-44, "5.684341886080802e-14");	/* the nearest 16 digits read back as its neighbour */
	format_of(9007199254740993.0, "9.007199254740992e15");
	format_of(NAN, "nan");
	format_of(INFINITY, "inf");
	format_of(-INFINITY, "-inf");
}

/* As printf and strtod see it, at every precision below: none shorter reads back. */
static void check_shortest(double value, const char *text)
{
	char other[64];
	size_t digits = 0;
	bool leading = true;

	for (const char *p = text; *p && *p != 'e'; p++) {
		leading = leading && (*p < '1' || *p > '9');
		digits += !leading && *p != '.';
	}
	if (!strchr(text, '.'))
		for (const char *p = text + strcspn(text, "e"); p > text && p[-1] == '0'; p--)
			digits--;
	if (digits < 2)
		return;
	snprintf(other, sizeof(other), "%.*e", (int)digits - 2, value);
	assert_true(strtod(other, NULL) != value);
}

static void round_trips(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15u;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		char text[NUM_TEXT];
		double value, again;
		uint64_t bits;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		/* All doubles, and more often those that people measure. */
		bits = i % 2 ? seed : (seed & 0x800fffffffffffffu) | (uint64_t)(1000 + seed % 60) << 52;
		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		num_format(value, text);
		assert_true(num_parse(text, strlen(text), &again));
		assert_true(again == value);
		assert_int_equal(!strchr(text, 'e'), (fabs(value) >= 1e-5 && fabs(value) < 1e15) || value == 0);
		check_shortest(value, text);
	}
}

static void six_digits(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ -0.000747, "-0.000747" }, { 0.1 + 0.2, "0.3" }, { 1234567, "1234570" }, { 0.000012345678, "0.0000123457" },
		{ 0, "0" }, { 1e20, "1e20" }, { 99999.99, "100000" }, { 999999.9e9, "1e15" }, { 9.9999999e-6, "0.00001" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[NUM_TEXT];

		num_format6(cases[i].value, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void integers(void **state)
{
	int64_t n;

	(void)state;
	assert_true(num_parse_int("9223372036854775807", 19, &n));
	assert_true(n == INT64_MAX);
	assert_true(num_parse_int("-9223372036854775808", 20, &n));
	assert_true(n == INT64_MIN);
	assert_true(num_parse_int("-0", 2, &n));
	assert_true(n == 0);
	assert_false(num_parse_int("9223372036854775808", 19, &n));
	assert_false(num_parse_int("-9223372036854775809", 20, &n));
	assert_false(num_parse_int("92233720368547758070", 20, &n));
	assert_false(num_parse_int("", 0, &n));
	assert_false(num_parse_int("-", 1, &n));
	assert_false(num_parse_int("+1", 2, &n));
	assert_false(num_parse_int("1.0", 3, &n));
	assert_false(num_parse_int("1 ", 2, &n));
}

typedef bool units_fn(const char *text, int64_t *ret);

static void units_of(units_fn *fn, const char *text, int64_t expected)
{
	int64_t n = -1;

	assert_true(fn(text, &n));
	assert_true(n == expected);
}

static void units(void **state)
{
	static const char *const bad_durations[] = {
		"", "5", "s", "-5s", "5 s", "5S", "5min", "5s ", "1h30m", "1e3s", "99999999999999999999s", "300000000000h", ".5s",
		"0.1234567890123456789012s", "0.0000000001s", "0.93000000000000000700000s",
	};
	static const char *const bad_sizes[] = { "", "5B", "5k", "5KB", "-1", "0x10", "0.3K", "9000000T", "1,5G", "1.5" };
	static const char *const bad_counts[] = { "", "5K", "1.5", "1.2345k", "m", "99999999999G", "5%" };
	int64_t n;

	(void)state;
	units_of(num_parse_duration, "90s", 90000000000);
	units_of(num_parse_duration, "5m", 300000000000);
	units_of(num_parse_duration, "8h", 28800000000000);
	units_of(num_parse_duration, "2d", 172800000000000);
	units_of(num_parse_duration, "250ms", 250000000);
	units_of(num_parse_duration, "0.5s", 500000000);
	units_of(num_parse_duration, "0s", 0);
	units_of(num_parse_size, "512K", 524288);
	units_of(num_parse_size, "48G", INT64_C(48) << 30);
	units_of(num_parse_size, "1.5M", 1572864);
	units_of(num_parse_size, "2T", INT64_C(2) << 40);
	units_of(num_parse_size, "4096", 4096);
	units_of(num_parse_count, "200k", 200000);
	units_of(num_parse_count, "5M", 5000000);
	units_of(num_parse_count, "1G", 1000000000);
	units_of(num_parse_count, "12", 12);
	for (size_t i = 0; i < ARRAY_SIZE(bad_durations); i++)
		assert_false(num_parse_duration(bad_durations[i], &n));
	for (size_t i = 0; i < ARRAY_SIZE(bad_sizes); i++)
		assert_false(num_parse_size(bad_sizes[i], &n));
	for (size_t i = 0; i < ARRAY_SIZE(bad_counts); i++)
		assert_false(num_parse_count(bad_counts[i], &n));
}

static void percentages(void **state)
{
	static const struct {
		const char *text;
		double fraction;
	} good[] = { { "0.5%", 0.005 }, { "0.7%", 0.007 }, { "100%", 1 }, { "0%", 0 }, { "-1%", -0.01 }, { "33.3%", 0.333 } };
	static const char *const bad[] = { "", "%", "0.5", "0.5 %", "1e1%", "0.5%%", " 1%", "+1%", ".5%" };
	double fraction;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(num_parse_percent(good[i].text, &fraction));
		assert_true(fraction == good[i].fraction);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(num_parse_percent(bad[i], &fraction));
}

static void durations(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0ms" }, { 999, "0ms" }, { -999, "0ms" }, { 250000000, "250ms" }, { 41200000000, "41.2s" },
		{ 59990000000, "59.9s" }, { 60000000000, "1m 00s" }, { 303000000000, "5m 03s" }, { 3720000000000, "1h 02m" },
		{ 183600000000000, "2d 03h" }, { -41200000000, "-41.2s" }, { INT64_MIN, "-106751d 23h" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[NUM_TEXT];

		num_format_duration(cases[i].ns, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* A library that sets the locale must change no measurement. */
static void comma_locale(void **state)
{
	double value;

	(void)state;
	if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
		skip();
	format_of(1234.5, "1234.5");
	assert_true(num_parse("0.5", 3, &value));
	assert_true(value == 0.5);
	assert_false(num_parse("0,5", 3, &value));
	setlocale(LC_ALL, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar), cmocka_unit_test(formats), cmocka_unit_test(round_trips), cmocka_unit_test(six_digits),
		cmocka_unit_test(integers), cmocka_unit_test(units), cmocka_unit_test(percentages), cmocka_unit_test(durations),
		cmocka_unit_test(comma_locale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
