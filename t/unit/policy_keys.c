/*
 * Every key of the table, by the table: a value of the wrong type, a bad unit, and a misspelled neighbour are refused where they
 * stand, naming the key; and the table itself is sound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/keys.h"

/* A place in the file: what opens the maps and lists around a key, what closes them, and the map's name in messages. */
struct place {
	struct str open, close, path;
};

static void place_free(struct place *p)
{
	str_free(&p->open);
	str_free(&p->close);
	str_free(&p->path);
}

static void place_into(const struct place *outer, const struct key *key, struct place *ret)
{
	bool list = key->type == KEY_MAPS, top = outer->path.len == 0;

	*ret = (struct place){ STR_INIT, STR_INIT, STR_INIT };
	str_printf(&ret->open, "%s%s: %s{", outer->open.buf, key->name, list ? "[" : "");
	str_printf(&ret->close, "}%s%s", list ? "]" : "", outer->close.buf);
	str_printf(&ret->path, "%s%s%s%s", outer->path.buf, top ? "" : ".", key->name, list ? "[0]" : "");
}

static void must_fail(const char *text, const char *expect)
{
	struct policy *p = NULL;
	struct err err = { 0 };

	if (policy_parse("harness.yaml", text, strlen(text), &p, &err) >= 0)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.code, ERR_INVALID);
	if (!strstr(err.msg, expect))
		fail_msg("%s\ngave: %s\nwanted: %s", text, err.msg, expect);
}

static void try_value(const struct place *at, const struct key *key, const char *value)
{
	STR text = STR_INIT;
	STR expect = STR_INIT;

	str_printf(&text, "%s%s: %s%s\n", at->open.buf, key->name, value, at->close.buf);
	str_printf(&expect, "'%s%s%s", at->path.buf, at->path.len ? "." : "", key->name);
	must_fail(text.buf, expect.buf);
	assert_true(starts_with(expect.buf, "'"));
}

static void each_key(const struct key *keys, const struct place *at, void (*fn)(const struct place *, const struct key *))
{
	for (const struct key *k = keys; k->name; k++) {
		CLEANUP(place_free) struct place inner = { STR_INIT, STR_INIT, STR_INIT };

		fn(at, k);
		if (!k->sub)
			continue;
		place_into(at, k, &inner);
		each_key(k->sub, &inner, fn);
	}
}

static void over_all(void (*fn)(const struct place *, const struct key *))
{
	struct place top = { STR_INIT, STR_INIT, STR_INIT };

	each_key(policy_keys, &top, fn);
}

static void wrong_type(const struct place *at, const struct key *key)
{
	bool list = key->type == KEY_STRINGS || key->type == KEY_MAPS;

	try_value(at, key, list ? "{a: b}" : "[a, b]");
	try_value(at, key, "~");
	try_value(at, key, "");
	if (key->type == KEY_MAP || key->type == KEY_RANGES || list)
		try_value(at, key, "word");
	else
		try_value(at, key, "{a: b}");
}

static void bad_value(const struct place *at, const struct key *key)
{
	static const char *const bad[][6] = {
		[KEY_BOOL] = { "no", "on", "1", "'true'", "True" },
		[KEY_INT] = { "many", "1.5", "'1'", "010", "-1", "0x1" },
		[KEY_COUNT] = { "5 M", "5m", "-3", "0", "1e3", "0400" },
		[KEY_NUMBER] = { ".5", "1_5", "'1'", ".inf", ".nan", "1:30" },
		[KEY_DURATION] = { "10", "10min", "-5s", "0s", "5 m", "1:30" },
		[KEY_SIZE] = { "48GB", "5k", "-1", "0", "1e6", "4 G" },
		[KEY_AMOUNT] = { "0.1 %", "-1", "-1%", "'%'", "1%%", "abc" },
		[KEY_WORD] = { "true", "nonsense", "1", "OFF", "~x", "''" },
		[KEY_STRING] = { "5", "'a\n\n b'", "''", "\"a\\nb\"", "\"\\0\"", "' '" },
		[KEY_TEXT] = { "5", "''", "' '", "~", "1e5", "-1" },
		[KEY_STRINGS] = { "[~]", "[[a]]", "['']", "[a, {b: c}]", "[\"a\\nb\"]", "[\"\\x01\"]" },
		[KEY_SAMPLES] = { "0", "'3'", "{min: 1}", "{min: 3, max: 2}", "{min: 1, max: 2, mid: 3}", "1.5" },
		[KEY_METRICS] = { "/etc/passwd", "a/../b", "''", "5", ".git/x", "\"a\\nb\"" },
		[KEY_RANGES] = { "{a: 1}", "{a: [1]}", "{a: [2, 1]}", "{wall: [1, 2]}", "{a: [x, y]}", "{a: ['1', 2]}" },
	};

	if (key->type == KEY_MAP || key->type == KEY_MAPS)
		return;
	for (size_t i = 0; i < 6 && bad[key->type][i]; i++)
		/* A control character is told by the reader, which knows no keys. */
		if (!strstr(bad[key->type][i], "\\0") && !strstr(bad[key->type][i], "\\x01"))
			try_value(at, key, bad[key->type][i]);
}

/* "metrix" instead of "metric": the misspelled word, its map and the right word are named. */
static void misspelled(const struct place *at, const struct key *key)
{
	STR word = STR_INIT;
	STR text = STR_INIT;
	STR expect = STR_INIT;

	str_printf(&word, "%sq", key->name);
	str_printf(&text, "%s%s: 1%s\n", at->open.buf, word.buf, at->close.buf);
	str_printf(&expect, "unknown key '%s'", word.buf);
	if (at->path.len)
		str_printf(&expect, " in '%s'", at->path.buf);
	str_printf(&expect, "\nhint: did you mean '%s'?", key->name);
	must_fail(text.buf, expect.buf);
}

/* What the reader relies on: help for each key, words where words are asked for, defaults that are themselves valid. */
static void sound(const struct place *at, const struct key *key)
{
	STR text = STR_INIT;
	struct policy *p = NULL;
	struct err err = { 0 };

	assert_non_null(key->help);
	assert_true(strlen(key->help) > 3 && key->help[strlen(key->help) - 1] != '.');
	assert_true(key->sub || key->type != KEY_MAP);
	assert_true(!!key->words == (key->type == KEY_WORD));
	assert_false((key->flags & KEY_REQUIRED) && key->fallback);
	if (!key->fallback)
		return;
	str_printf(&text, "%s%s: %s%s\n", at->open.buf, key->name, key->fallback, at->close.buf);
	if (policy_parse("p", text.buf, text.len, &p, &err) == 0)
		policy_free(p);
	else if (strstr(err.msg, "must be"))
		fail_msg("the default of %s: %s", key->name, err.msg);
}

static void test_wrong_types(void **state)
{
	(void)state;
	over_all(wrong_type);
}

static void test_bad_values(void **state)
{
	(void)state;
	over_all(bad_value);
}

static void test_misspelled(void **state)
{
	(void)state;
	over_all(misspelled);
}

static void test_sound(void **state)
{
	(void)state;
	over_all(sound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_misspelled),
		cmocka_unit_test(test_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
