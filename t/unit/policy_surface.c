/* The surface: what may be changed, and every spelling of what may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/alias.h"
#include "policy/surface.h"

static char *allow_v[] = { "train.py", "src/**", "**/*.c", NULL };
static char *deny_v[] = { "src/eval/**", "**/secret.*", NULL };
static char *all_v[] = { "**", NULL };
static const struct strs allow = { allow_v, 3, 3 }, deny = { deny_v, 2, 2 }, all = { all_v, 1, 1 }, none = { NULL, 0, 0 };

static void judges_paths(void **state)
{
	static const struct {
		const char *path;
		enum surface_why why;
	} cases[] = {
		{ "train.py", SURFACE_OK }, { "src/a", SURFACE_OK }, { "src/a/b.py", SURFACE_OK }, { "x/y.c", SURFACE_OK },
		{ "a.c", SURFACE_OK }, { "src/\xc3\xa9t\xc3\xa9", SURFACE_OK }, { "src/a b", SURFACE_OK }, { "src/-rf", SURFACE_OK },
		{ "src/.gitignore", SURFACE_OK }, { "src/..x", SURFACE_OK }, { "src/a:b", SURFACE_OK },
		{ "eval.sh", SURFACE_OUTSIDE }, { "src", SURFACE_OUTSIDE }, { "sub/train.py", SURFACE_OUTSIDE },
		{ "Train.py", SURFACE_OUTSIDE }, { "train.py/x", SURFACE_OUTSIDE }, { "SRC/a", SURFACE_OUTSIDE },
		{ "src/eval/x", SURFACE_DENIED }, { "src/eval/a/b.c", SURFACE_DENIED }, { "src/secret.c", SURFACE_DENIED },
		{ "secret.c", SURFACE_DENIED }, { "other/secret.txt", SURFACE_DENIED }, { "src/eval", SURFACE_OK },
		{ "harness.yaml", SURFACE_CONTROL }, { "src/.git/config", SURFACE_CONTROL }, { "src/.gitattributes", SURFACE_CONTROL },
		{ "src/.gitmodules", SURFACE_CONTROL }, { ".githooks/pre-commit", SURFACE_CONTROL }, { ".githooks", SURFACE_CONTROL },
		{ ".GitHooks/x.c", SURFACE_CONTROL }, { ".githooksx/x.c", SURFACE_OK }, { ".githook/x.c", SURFACE_OK },
		{ "src/\nx", SURFACE_NAME }, { "src/\x1b[m", SURFACE_NAME }, { "src/\xff", SURFACE_NAME }, { "src/../x", SURFACE_NAME },
		{ "/src/x", SURFACE_NAME }, { "src//x", SURFACE_NAME }, { "src/", SURFACE_NAME }, { "", SURFACE_NAME },
		{ "./src/x", SURFACE_NAME }, { "src/\xe2\x80\xae" "c.py", SURFACE_NAME }, { "src/\x7f", SURFACE_NAME },
	};
	struct surface s = { &allow, &deny, ".githooks/" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (surface_path(&s, cases[i].path) != cases[i].why)
			fail_msg("'%s': %d", cases[i].path, surface_path(&s, cases[i].path));
}

static void nothing_allowed_is_nothing(void **state)
{
	struct surface s = { &none, &none, NULL };

	(void)state;
	assert_int_equal(surface_path(&s, "a"), SURFACE_OUTSIDE);
	s.allow = &all;
	assert_int_equal(surface_path(&s, "a"), SURFACE_OK);
	s.hooks_path = "/";
	assert_int_equal(surface_path(&s, "a"), SURFACE_OK);
	s.hooks_path = "";
	assert_int_equal(surface_path(&s, "a"), SURFACE_OK);
}

static void long_names(void **state)
{
	struct surface s = { &all, &none, NULL };
	char path[5000];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[255] = '\0';
	assert_int_equal(surface_path(&s, path), SURFACE_OK);
	path[255] = 'a';
	path[256] = '\0';
	assert_int_equal(surface_path(&s, path), SURFACE_NAME);
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 2 ? '/' : 'a';
	path[4095] = '\0';
	assert_int_equal(surface_path(&s, path), SURFACE_OK);
	path[4095] = '/';
	path[4097] = '\0';
	assert_int_equal(surface_path(&s, path), SURFACE_NAME);
}

/* git's own lists (t/t0060, t/helper/test-path-utils) and what they leave out. */
static const char *const hostile[] = {
	".git", ".GIT", ".Git", ".gIt/x", "a/.git", "a/.git/b", ".git ", ".git.", ".git. . ", ".git:stream", ".git::$INDEX_ALLOCATION",
	".git . :x", "git~1", "GIT~1", "git~1 ", "git~1.", "git~2", "git~1:x", "a\\.git\\b", ".git\\x", "a\\git~1",
	".g\xe2\x80\x8cit", ".gi\xe2\x80\x8dt", "\xef\xbb\xbf.git", ".git\xe2\x80\x8e", ".\xe2\x80\x8fgit", ".G\xe2\x81\xaaIT",
	".g\xe2\x81\xafit", ".g\xe2\x80\x8cit ", ".g\xc4\xb1t" "/../x", ".gitattributes", ".GITATTRIBUTES", ".gitattributes ",
	".gitattributes.", ".gitattributes:x", "gitatt~1", "GITATT~4", "gitatt~1.", "gi7d29~1", "GI7D29~9", "gi7d2~10", "gi~12345",
	"gi7d29~1 .", "a/b/.gitattributes", "a/.gitattributes/b", ".gitmodules", ".gitModules", "gitmod~1", "GITMOD~3", "gi7eba~1",
	"gi7eb~99", "g~123456", "~1000000", "a/.gitmodules", ".gitmodules . .", ".gitmodules\xe2\x80\x8c", ".git\xe2\x80\x8dmodules",
	".gitmodule\xc5\xbf", ".gitattribute\xc5\xbf", "\xe2\x80\x8c", "a/\xe2\x80\x8c/b", "a\\\\b", ".gi\xcc\x80\x01t",
	"a\nb", "\xc3", "\xc2\x85", "a/../b", "..", "/a", "",
};

static const char *const harmless[] = {
	"git", "gitx", ".gitignore", ".gitx", ".github/workflows/x", ".gi", "git~", "git~0", "git~a", "git~1a", "git~11", ".git~1", ".git x",
	".git-x", "x.git", "repo.git/HEAD", "a.git", ".gitattributesx", ".gitmodulesx", "gitattributes", "gitatt~0", "gitatt~1x",
	"gitmod~", "gi7d29~0", "gi7d29~1x", "gi7eba", "gi7eba~", "gi7eba~a", "gi7eb~9", "g~12345", "g~1234567", "gj7eba~1",
	".g\xc4\xb1t", "harness.yaml", "\xe2\x80\x8cx", "a\\b", "gi\xcc\x80t~1", "zz~10000", "gi7~1000x",
};

static void hostile_names(void **state)
{
	struct surface s = { &all, &none, NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		if (!surface_name_hostile(hostile[i]))
			fail_msg("'%s' passes", hostile[i]);
		assert_int_not_equal(surface_path(&s, hostile[i]), SURFACE_OK);
	}
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (surface_name_hostile(harmless[i]))
			fail_msg("'%s' is refused", harmless[i]);
}

static void policy_file(void **state)
{
	static const char *const frozen[] = { "harness.yaml", "Harness.YAML", "harness.yaml.", "harness.yaml ", "harness.yaml:x",
					      "harness.yaml/x", "har\xe2\x80\x8cness.yaml", "harne\xc5\xbf\xc5\xbf.yaml" };
	static const char *const free_ones[] = { "sub/harness.yaml", "harness.yamlx", "harness.yml", "xharness.yaml" };
	struct surface s = { &all, &none, NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(frozen); i++)
		if (surface_path(&s, frozen[i]) != SURFACE_CONTROL)
			fail_msg("'%s' is free", frozen[i]);
	for (size_t i = 0; i < ARRAY_SIZE(free_ones); i++)
		assert_int_equal(surface_path(&s, free_ones[i]), SURFACE_OK);
}

static void changes(void **state)
{
	static const struct {
		struct surface_change c;
		const char *why;
	} cases[] = {
		{ { .path = "src/a", .old_mode = 0100644, .new_mode = 0100644 }, NULL },
		{ { .path = "src/a", .new_mode = 0100644 }, NULL }, { { .path = "src/a", .new_mode = 0100755 }, NULL },
		{ { .path = "src/a", .old_mode = 0100644 }, NULL }, { { .path = "src/a", .old_mode = 0100755 }, NULL },
		{ { .path = "src/a", .old_mode = 0100664, .new_mode = 0100644 }, NULL },
		{ { .path = "src/a", .old_mode = 0100755, .new_mode = 0100755 }, NULL },
		{ { .path = "src/a", .old_mode = 0100644, .new_mode = 0100755 }, "mode changed" },
		{ { .path = "src/a", .old_mode = 0100755, .new_mode = 0100644 }, "mode changed" },
		{ { .path = "src/a", .new_mode = 0120000 }, "a symbolic link" },
		{ { .path = "src/a", .old_mode = 0100644, .new_mode = 0120000 }, "a symbolic link" },
		{ { .path = "src/a", .old_mode = 0120000, .new_mode = 0120000 }, "a symbolic link" },
		{ { .path = "src/a", .old_mode = 0120000, .new_mode = 0100644 }, "a symbolic link" },
		{ { .path = "src/a", .old_mode = 0120000 }, "a symbolic link" },
		{ { .path = "src/a", .new_mode = 0160000 }, "a submodule" }, { { .path = "src/a", .old_mode = 0160000 }, "a submodule" },
		{ { .path = "src/a", .special = true }, "a special file" },
		{ { .path = "src/a", .new_mode = 0100644, .refused_attr = "filter" }, "under a filter attribute" },
		{ { .path = "src/a", .new_mode = 0100644, .refused_attr = "working-tree-encoding" },
		  "under a working-tree-encoding attribute" },
		{ { .path = "x", .new_mode = 0120000 }, "outside the surface" },
		{ { .path = "x", .new_mode = 0100644, .special = true, .refused_attr = "filter" }, "outside the surface" },
		{ { .path = "src/eval/x", .new_mode = 0100644 }, "denied by the surface" },
		{ { .path = "src/.git/x", .new_mode = 0100644 }, "always frozen" },
		{ { .path = "src/\n", .new_mode = 0100644 }, "an unsafe name" },
	};
	struct surface s = { &allow, &deny, NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = surface_judge(&s, &cases[i].c);

		if (!str_eq(why, cases[i].why))
			fail_msg("case %zu: %s", i, why ? why : "inside");
	}
}

static void limits(void **state)
{
	struct policy p = { .surface = { .max_files = -1, .max_lines = -1, .max_bytes = -1 } };
	struct surface_counts c = { INT64_MAX, INT64_MAX, INT64_MAX };

	(void)state;
	assert_null(surface_limits(&p, &c));
	p.surface.max_bytes = 10;
	assert_string_equal(surface_limits(&p, &c), "max_bytes");
	p.surface.max_lines = 10;
	assert_string_equal(surface_limits(&p, &c), "max_lines");
	p.surface.max_files = 0;
	assert_string_equal(surface_limits(&p, &c), "max_files");
	c = (struct surface_counts){ 0, 10, 10 };
	assert_null(surface_limits(&p, &c));
	c.files = 1;
	assert_string_equal(surface_limits(&p, &c), "max_files");
}

static void of_policy(void **state)
{
	struct policy p = { .surface = { .allow = allow, .deny = deny } };
	struct surface s;

	(void)state;
	surface_of(&p, "hooks", &s);
	assert_ptr_equal(s.allow, &p.surface.allow);
	assert_ptr_equal(s.deny, &p.surface.deny);
	assert_string_equal(s.hooks_path, "hooks");
}

static void collisions(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "a", "A", true }, { "a", "b", false }, { "a", "aa", false }, { "", "", true }, { "", "a", false },
		{ "src/Eval.py", "SRC/eval.PY", true }, { "\xc3\xa9", "e\xcc\x81", true }, { "\xc3\x89", "e\xcc\x81", true },
		{ "\xce\xa3", "\xcf\x82", true }, { "\xd0\x96", "\xd0\xb6", true }, { "stra\xc3\x9f" "e", "STRASSE", true },
		{ "\xef\xac\x81x", "fix", true }, { "\xef\xac\x83", "FFI", true }, { "\xc5\x89", "\xca\xbcN", true }, { "\xea\xb0\x81", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", true },
		{ "\xea\xb0\x80", "\xe1\x84\x80\xe1\x85\xa1", true }, { "\xe2\x84\xab", "\xc3\xa5", true },
		{ "a\xcc\xa3\xcc\x87", "a\xcc\x87\xcc\xa3", true }, { "\xe1\xba\xa1\xcc\x87", "\xc8\xa7\xcc\xa3", true },
		{ "K", "\xe2\x84\xaa", true }, { "a\xe2\x80\x8d", "a", true }, { "\xff", "\xfe", false }, { "\xff", "\xff", true },
		{ "\xc4\xb1", "i", false }, { "\xc7\x84", "\xc7\x86", true }, { "\xc7\x85", "\xc7\x86", true },
		{ "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8", true }, { "\xc4\x80", "\xc4\x82", false }, { "\xc4\xa6", "\xc4\xa7", true },
		{ "e\xcc\x81", "e\xcc\x80", false }, { "\xe5\xad\x97", "\xe5\xad\x97", true }, { "x\xe5\xad\x97", "y\xe5\xad\x97", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(surface_collide(cases[i].a, cases[i].b), cases[i].same);
		assert_int_equal(surface_collide(cases[i].b, cases[i].a), cases[i].same);
	}
}

/* Both tables are looked up by halving. */
static void tables_in_order(void **state)
{
	(void)state;
	for (size_t i = 1; i < alias_n_splits; i++)
		assert_true(alias_splits[i - 1].from < alias_splits[i].from);
	for (size_t i = 0; i < alias_n_cases; i++) {
		assert_true(alias_cases[i].lo <= alias_cases[i].hi && alias_cases[i].stride > 0);
		assert_true(!i || alias_cases[i - 1].hi < alias_cases[i].lo);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_paths), cmocka_unit_test(nothing_allowed_is_nothing), cmocka_unit_test(long_names),
		cmocka_unit_test(hostile_names), cmocka_unit_test(policy_file), cmocka_unit_test(changes), cmocka_unit_test(limits),
		cmocka_unit_test(of_policy), cmocka_unit_test(collisions), cmocka_unit_test(tables_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
