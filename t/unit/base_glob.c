/* Globs: what they match, what is refused, and that hostile ones end soon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/glob.h"
#include "base/mem.h"

static void matches(void **state)
{
	static const struct {
		const char *glob, *path;
		bool yes;
	} cases[] = {
		{ "train.py", "train.py", true }, { "train.py", "src/train.py", false }, { "train.py", "train.pyc", false },
		{ "train.py", "train.py/x", false }, { "train.py", "Train.py", false }, { "train.py", "", false },
		{ "*.c", "a.c", true }, { "*.c", ".c", true }, { "*.c", "a/b.c", false }, { "*", "a", true }, { "*", "a/b", false },
		{ "a*b*c", "abc", true }, { "a*b*c", "aXbYbZc", true }, { "a*b*c", "aXbYc/", false }, { "a*b*c", "acb", false },
		{ "a/*/c", "a/b/c", true }, { "a/*/c", "a/b/d/c", false }, { "a/*/c", "a//c", true },
		{ "?", "a", true }, { "?", "ab", false }, { "a?c", "a/c", false }, { "?", "\xc3\xa9", false },
		{ "[a-c]x", "bx", true }, { "[a-c]x", "dx", false }, { "[!a-c]x", "dx", true }, { "[!a-c]x", "ax", false },
		{ "[]a]", "]", true }, { "[]a]", "a", true }, { "[!]]", "a", true }, { "[!]]", "]", false }, { "[a-]", "-", true },
		{ "[-a]", "-", true }, { "[\\]]", "]", true }, { "[\\]]", "\\", false }, { "[+--]", ",", true }, { "[z-a]", "m", false },
		{ "a[!b]c", "a/c", false }, { "a[/]c", "a/c", false }, { "[a-z\\]]", "]", true }, { "[^a]", "b", true }, { "[^a]", "a", false },
		{ "[a^]", "^", true }, { "[^]]", "a", true },
		{ "\\*", "*", true }, { "\\*", "a", false }, { "a\\?b", "a?b", true }, { "\\[a]", "[a]", true }, { "\\a", "a", true },
		{ "src/**", "src/a", true }, { "src/**", "src/a/b/c", true }, { "src/**", "src", false }, { "src/**", "srcs/a", false },
		{ "**", "a", true }, { "**", "a/b", true }, { "**/*.c", "a.c", true }, { "**/*.c", "a/b/c.c", true },
		{ "**/*.c", "a/b.c/d", false }, { "**/a/**", "a/b", true }, { "**/a/**", "x/y/a/b/c", true }, { "**/a/**", "a", false },
		{ "a/**/b", "a/b", true }, { "a/**/b", "a/x/y/b", true }, { "a/**/b", "a/x", false }, { "a/**/b", "ab", false },
		{ "a/**/b/**/c", "a/b/x/b/c", true }, { "a/**/b/**/c", "a/c/b", false }, { "**/**/x", "x", true },
		{ "a/**/**", "a/b", true }, { "a/**/**", "a", false }, { "**/b/*/d", "b/c/b/x/d", true },
		{ "a**b", "aXb", true }, { "a**b", "a/b", false }, { "**a", "xa", true }, { "**a", "x/a", false },
		{ "a/**b", "a/xb", true }, { "a/**b", "a/x/b", false }, { "***", "ab", true }, { "***", "a/b", false },
		{ "\xc3\xa9/*", "\xc3\xa9/x", true }, { "*.\xff", "a.\xff", true }, { "", "", false }, { "", "a", false },
		{ "[\x80-\xff]", "\xa0", true }, { "[\x80-\xff]", "a", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (glob_match(cases[i].glob, cases[i].path) != cases[i].yes)
			fail_msg("'%s' and '%s' should%s match", cases[i].glob, cases[i].path, cases[i].yes ? "" : " not");
}

/* Every directory above a path that matches may hold one; and one that cannot is not entered. */
static void directories(void **state)
{
	static const char *const hold[][2] = {
		{ "src/**", "src" }, { "src/**", "src/a/b" }, { "**/*.c", "any/where" }, { "a/*/c", "a/b" }, { "a/*/c", "a" },
		{ "a/**/b/c", "a/x/y" }, { "[sr]*/x", "src" }, { "**", "a" },
	};
	static const char *const hold_none[][2] = {
		{ "src/**", "srcs" }, { "src/**", "lib/src" }, { "train.py", "train.py" }, { "*.c", "a" }, { "a/*/c", "a/b/c" },
		{ "a/*/c", "b" }, { "a/**/b", "x/a" }, { "a/b", "a/b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hold); i++)
		if (!glob_match_below(hold[i][0], hold[i][1]))
			fail_msg("'%s' may match below '%s'", hold[i][0], hold[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(hold_none); i++)
		if (glob_match_below(hold_none[i][0], hold_none[i][1]))
			fail_msg("'%s' cannot match below '%s'", hold_none[i][0], hold_none[i][1]);
}

static void names(void **state)
{
	(void)state;
	assert_true(glob_match_name("*.o", "x.o"));
	assert_true(glob_match_name("**", "x"));
	assert_false(glob_match_name("*.o", "x.c"));
	assert_true(glob_match_name("[!.]*", "x"));
}

static void refused(void **state)
{
	static const char *const good[] = {
		"a", "a/b", "**", "src/**", "**/*.c", "[]]", "[!]]", "a b", "-x", "...", "..a", ".x/y", "a\\\\", "\xff", "[a-z]*.?", "\\[a", "[:a]", "\\[[a]",
	};
	static const char *const bad[] = {
		"", "/a", "a/", "a//b", "/", ".", "..", "./a", "a/.", "a/../b", "../a", "a/..", ":(top)a", ":(", "[", "[a", "a[b/c]",
		"[]", "[!]", "[a\\]", "a\\", "a\\/b", "[\\", "x/[a/]", "[^]", "[[:alpha:]]", "[![:alpha:]]", "[a[:alpha:]]",
	};
	char long_one[5000];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (glob_check(good[i], &err))
			fail_msg("'%s' was refused: %s", good[i], err.msg);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (glob_check(bad[i], &err) != ERR_INVALID || err.code != ERR_INVALID)
			fail_msg("'%s' was not refused", bad[i]);
	memset(long_one, 'a', sizeof(long_one));
	long_one[4096] = '\0';
	assert_int_equal(glob_check(long_one, &err), 0);
	long_one[4096] = 'a';
	long_one[4097] = '\0';
	assert_int_equal(glob_check(long_one, &err), ERR_INVALID);
}

/* What makes a matcher that tries everything run for years. */
static void bounded(void **state)
{
	char glob[4097] = "", path[4097] = "";
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < 1300; i++)
		memcpy(glob + 3 * i, "*a*", 4);
	memset(path, 'a', 4096);
	path[4000] = 'b';
	strcat(glob, "c");
	assert_false(glob_match(glob, path));
	*glob = '\0';
	for (size_t i = 0; i < 800; i++)
		strcat(glob, "**/a/");
	strcat(glob, "c");
	for (size_t i = 0; i < 2048; i++)
		memcpy(path + 2 * i, "a/", 3);
	path[4095] = '\0';
	assert_false(glob_match(glob, path));
	assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches), cmocka_unit_test(names), cmocka_unit_test(directories), cmocka_unit_test(refused), cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
