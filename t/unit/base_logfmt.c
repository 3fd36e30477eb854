/* Lines of events: out and in again unchanged, whatever a value holds; and what is not ours is not taken for ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/logfmt.h"
#include "base/mem.h"

static void assert_line(const struct event *e, const char *expected)
{
	STR line = STR_INIT;

	event_format(e, &line);
	assert_string_equal(line.buf, expected);
}

static void writes(void **state)
{
	struct oid oid = { { 0xab } };
	EVENT e = { 0 };

	(void)state;
	event_add(&e, "event", "decide");
	event_add(&e, "none", NULL);
	event_add(&e, "event", "second");
	event_add_int(&e, "n", -3);
	event_add_num(&e, "value", 0.969686);
	event_addf(&e, "list", "%d,%d", 1, 2);
	event_add_oid(&e, "tree", &oid);
	event_add(&e, "why", "two words");
	event_add(&e, "empty", "");
	assert_line(&e, "event=decide n=-3 value=0.969686 list=1,2 tree=ab00000000000000000000000000000000000000 "
			"why=\"two words\" empty=\"\"");
	event_set(&e, "list", NULL);
	event_set(&e, "n", "4");
	event_set(&e, "last", "x");
	event_set(&e, "absent", NULL);
	event_set(&e, "why", event_get(&e, "why"));
	assert_line(&e, "event=decide n=4 value=0.969686 tree=ab00000000000000000000000000000000000000 "
			"why=\"two words\" empty=\"\" last=x");
}

static void quotes(void **state)
{
	static const struct {
		const char *value, *written;
	} cases[] = {
		{ "plain,1.5/x:y", "plain,1.5/x:y" }, { "a b", "\"a b\"" }, { "a=b", "\"a=b\"" }, { "a\"b", "\"a\\\"b\"" },
		{ "a\\b", "\"a\\\\b\"" }, { "a\nb\tc\rd", "\"a\\nb\\tc\\rd\"" }, { "\x1b[31m", "\"\\x1b[31m\"" },
		{ "\x7f", "\"\\x7f\"" }, { "\xff", "\"\\xff\"" }, { "\xc3\xa9", "\xc3\xa9" }, { "\xc3\xa9 \xc3", "\"\xc3\xa9 \\xc3\"" },
		{ "\xc2\x9b""31m", "\"\\xc2\\x9b31m\"" }, { "\xe2\x80\xae", "\"\\xe2\\x80\\xae\"" }, { "", "\"\"" },
		{ "x\nevent=decide verdict=accept", "\"x\\nevent=decide verdict=accept\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EVENT e = { 0 }, again = { 0 };
		STR line = STR_INIT;

		event_add(&e, "k", cases[i].value);
		event_format(&e, &line);
		assert_string_equal(line.buf + 2, cases[i].written);
		assert_true(event_parse(line.buf, line.len, &again));
		assert_string_equal(event_get(&again, "k"), cases[i].value);
	}
}

static void any_bytes(void **state)
{
	(void)state;
	srand(7);
	for (int i = 0; i < 20000; i++) {
		char value[24];
		size_t len = (size_t)(rand() % 23);
		EVENT e = { 0 }, again = { 0 };
		STR line = STR_INIT;

		for (size_t k = 0; k < len; k++)
			value[k] = (char)(rand() % 255 + 1);
		value[len] = '\0';
		event_add(&e, "a", "1");
		event_add(&e, "b", value);
		event_add(&e, "c", "3");
		event_format(&e, &line);
		assert_null(memchr(line.buf, '\n', line.len));
		assert_true(event_parse(line.buf, line.len, &again));
		assert_int_equal(again.n, 3);
		assert_string_equal(event_get(&again, "b"), value);
	}
}

/* A key is ours to choose; one that is not must not be able to end the line. */
static void bad_keys(void **state)
{
	EVENT e = { 0 };

	(void)state;
	event_add(&e, "a b\n=", "1");
	event_add(&e, "1x", "2");
	assert_line(&e, "a_b__=1 _x=2");
}

static void reads(void **state)
{
	static const char text[] = "t=x n=7 wall=41.2 id=0123456789012345678901234567890123456789 s=\"a \\x41\\\"\" n=8\n";
	EVENT e = { 0 }, copy = { 0 };
	struct oid oid;
	int64_t n, ns;
	double value;

	(void)state;
	assert_true(event_parse(text, strlen(text), &e));
	assert_true(event_get_int(&e, "n", &n) && n == 7);
	assert_true(event_get_num(&e, "wall", &value) && value == 41.2);
	assert_true(event_get_secs(&e, "wall", &ns) && ns == 41200000000);
	assert_true(event_get_oid(&e, "id", &oid));
	assert_string_equal(event_get(&e, "s"), "a A\"");
	assert_true(event_is(&e, "t", "x"));
	assert_false(event_is(&e, "t", "y"));
	assert_false(event_is(&e, "u", "y"));
	assert_false(event_is(&e, "t", NULL));
	assert_null(event_get(&e, "u"));
	assert_false(event_get_int(&e, "t", &n));
	assert_false(event_get_int(&e, "u", &n));
	assert_false(event_get_num(&e, "t", &value));
	assert_false(event_get_num(&e, "u", &value));
	assert_false(event_get_secs(&e, "t", &ns));
	assert_false(event_get_oid(&e, "t", &oid));
	assert_false(event_get_oid(&e, "u", &oid));
	event_copy(&e, &copy);
	assert_int_equal(copy.n, e.n);
	assert_string_equal(event_get(&copy, "s"), "a A\"");
}

static void not_ours(void **state)
{
	static const char *const lines[] = {
		"", "\n", "a", "a=", "=b", "a= b", "a=b ", " a=b", "a=b  c=d", "a=b\tc=d", "1a=b", "a b=c", "a=b=c", "a=b\"c",
		"a=\"b", "a=\"b\"c", "a=\"b\\\"", "a=\"\\q\"", "a=\"\\x4\"", "a=\"\\x4g\"", "a=\"\\xg4\"", "a=\"\\x00\"", "a=b\\c",
		"Signed-off-by: A <a@b>", "free text", "a=b\nc=d", "a=b\n\n", "a=\"b\nc\"", "a=\x01", "a=\xff", "a=\"\xff\"", "\xc3\xa9=1",
		"a=\x7f", "a=\"\x7f\"", "a=\"\\", "a=b,\"c\"", "a=b\r",
	};
	EVENT e = { 0 };

	(void)state;
	event_add(&e, "kept", "1");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (event_parse(lines[i], strlen(lines[i]), &e))
			fail_msg("took '%s' for a line of ours", lines[i]);
	assert_false(event_parse("a=b\0c", 5, &e));
	assert_false(event_parse("a=\"\\\0\"", 6, &e));
	assert_false(event_parse("a=\"b\\x4", 7, &e));
	assert_true(event_is(&e, "kept", "1"));
	assert_true(event_parse("a.b/c-d_E=\"\xc3\xa9 \"", strlen("a.b/c-d_E=\"\xc3\xa9 \""), &e));
	assert_null(event_get(&e, "kept"));
}

static void seconds(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 41200000000, "41.2" }, { 300 * NS_PER_S, "300" }, { 1500000, "0.002" }, { 499999, "0" },
		{ -1500 * NS_PER_MS, "-1.5" }, { -1, "0" }, { 12345678901234, "12345.679" }, { 10 * NS_PER_MS, "0.01" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		EVENT e = { 0 };
		int64_t ns;

		event_add_secs(&e, "wall", cases[i].ns);
		assert_string_equal(event_get(&e, "wall"), cases[i].text);
		assert_true(event_get_secs(&e, "wall", &ns));
		assert_true(llabs(ns - cases[i].ns) <= NS_PER_MS / 2);
	}
	EVENT e = { 0 };
	int64_t ns;

	event_add(&e, "wall", "1e300");
	assert_false(event_get_secs(&e, "wall", &ns));
}

static void lists(void **state)
{
	CLEANUP(events_free) struct events l = { 0 };
	STR text = STR_INIT;

	(void)state;
	for (int i = 0; i < 20; i++)
		event_add_int(events_push(&l), "n", i);
	events_format(&l, &text);
	assert_true(starts_with(text.buf, "n=0\nn=1\n"));
	assert_true(ends_with(text.buf, "\nn=19\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes), cmocka_unit_test(quotes), cmocka_unit_test(any_bytes), cmocka_unit_test(bad_keys),
		cmocka_unit_test(reads), cmocka_unit_test(not_ours), cmocka_unit_test(seconds), cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
