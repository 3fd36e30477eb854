/* Ignore rules, attributes and what they do to bytes: random ones, each answer held against git's own. */
#include "git_room.h"

#include "git/rules.h"

static struct err err;
static struct repo *repo;

static int enter(void **state)
{
	if (room_enter(state) < 0)
		return -1;
	sh("git init -q .");
	return repo_open(".", &repo, &err);
}

static int leave(void **state)
{
	repo_free(repo);
	repo = NULL;
	return room_leave(state);
}
#define ATTR_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

static void close_rules(struct rules **r)
{
	rules_free(*r);
}
#define RULES CLEANUP(close_rules) struct rules

static struct oid snapshot(void)
{
	struct oid id;
	char *hex = out("git -c core.autocrlf=false add -A -f . && git write-tree");

	assert_true(oid_parse(hex, &id));
	free(hex);
	return id;
}

static unsigned seed = 7;
static unsigned pick(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static void write_file(const char *path, const char *ptr, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fwrite(ptr, 1, len, f);
	assert_int_equal(fclose(f), 0);
}

static const char *const paths[] = {
	"a", "ab", "a.c", "b/a", "b/ab", "b/a.c", "b/c/a", "b/c/ab", "b/c/d/a b", "b/c/d/x1", "c/A", "c/a-b", "c/[x]", "c/b/a", "c/b/b/b",
	"d/\xc3\xa9", "d/#x", "d/!x", "d/a ", "d/b/c", "e/f/g/h/i/j",
};
static const char *const dirs[] = { "b", "b/c", "b/c/d", "c", "c/b", "c/b/b", "d", "d/b", "e", "e/f", "e/f/g", "e/f/g/h", "e/f/g/h/i" };

static void random_pattern(struct str *s)
{
	static const char *const bits[] = { "a", "b", "c", "d", "x", "a.c", "*", "*", "**", "**/", "/**", "/**/", "/", "/", "?", "[ab]", "[!a]", "[^b]",
					    "[a-c]", "[[:alpha:]]", "[]-]", "[x", "\\a", "\\*", "\\", "-", " ", ".", "1", "\xc3\xa9", "A", "#", "***" };

	for (unsigned n = 1 + pick(5); n; n--)
		str_puts(s, bits[pick(ARRAY_SIZE(bits))]);
}

static void random_ignores(const char *path)
{
	STR text = STR_INIT;

	for (unsigned n = pick(5); n; n--) {
		str_puts(&text, pick(4) ? "" : "!");
		random_pattern(&text);
		str_puts(&text, pick(5) ? "" : "/");
		str_puts(&text, pick(9) ? "\n" : pick(2) ? "\r\n" : "  \n");
	}
	write_file(path, text.buf, text.len);
}

static void tree_of_files(void)
{
	sh("mkdir -p b/c/d c/b/b d/b e/f/g/h/i");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		write_file(paths[i], "x\n", 2);
}

static void ask_ignored(const struct oid *tree, struct str *ret)
{
	RULES *rules = NULL;
	bool yes;

	OK(rules_open(repo, tree, &rules, &err));
	for (size_t i = 0; i < ARRAY_SIZE(dirs) + ARRAY_SIZE(paths); i++) {
		bool dir = i < ARRAY_SIZE(dirs);
		const char *path = dir ? dirs[i] : paths[i - ARRAY_SIZE(dirs)];

		OK(rules_ignored(rules, path, dir, &yes, &err));
		if (yes)
			str_printf(ret, "%s\n", path);
	}
	if (ret->len)
		str_truncate(ret, ret->len - 1);
}

static void ignores(void **state)
{
	(void)state;
	tree_of_files();
	STR ask = STR_INIT;
	size_t seen = 0;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		str_printf(&ask, "%s%c", dirs[i], 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		str_printf(&ask, "%s%c", paths[i], 0);
	write_file(".git/ask", ask.buf, ask.len);
	sh("git config core.excludesFile '~/excludes'");
	for (int round = 0; round < 50; round++) {
		STR ours = STR_INIT;
		random_ignores(".gitignore");
		random_ignores("b/.gitignore");
		random_ignores("b/c/.gitignore");
		random_ignores("c/.gitignore");
		random_ignores(".git/info/exclude");
		random_ignores("../excludes");
		struct oid tree = snapshot();
		AUTOFREE char *theirs = out("git check-ignore --no-index -z --stdin <.git/ask | tr '\\0' '\\n'");

		sh("echo '*' >.gitignore; echo '!*' >b/.gitignore; rm c/.gitignore; echo '*' >d/.gitignore");	/* nobody asked the checkout */
		ask_ignored(&tree, &ours);
		if (strcmp(ours.buf, theirs))
			fail_msg("round %d: git:\n%s\nours:\n%s\n%s", round, theirs, ours.buf,
				 out("for f in .gitignore b/.gitignore b/c/.gitignore c/.gitignore; do echo \"== $f\"; git show %s:$f; done;"
				     "tail .git/info/exclude ../excludes", oid_hex(&tree).s));
		sh("rm d/.gitignore");
		seen += ours.len;
	}
	assert_true(seen > 2000);	/* the rounds did ask something */
}

static void linked_rules(void **state)
{
	RULES *rules = NULL;
	bool yes;

	(void)state;
	sh("echo '*' >rules && ln -s rules .gitignore && mkdir s && echo '\xef\xbb\xbf/x' >s/.gitignore");
	struct oid tree = snapshot();
	OK(rules_open(repo, &tree, &rules, &err));
	OK(rules_ignored(rules, "anything", false, &yes, &err));
	assert_false(yes);
	OK(rules_ignored(rules, "s/x", false, &yes, &err));
	assert_true(yes);
	OK(rules_ignored(rules, "s/y/x", false, &yes, &err));
	assert_false(yes);
	OK(rules_ignored(rules, "not/there/x", false, &yes, &err));
	assert_false(yes);
}

static const char *const names[] = { "text", "crlf", "eol", "ident", "filter", "working-tree-encoding", "mine", "binary" };

static void random_attrs(const char *path)
{
	static const char *const says[] = { "text", "-text", "!text", "text=auto", "text=input", "crlf", "-crlf", "eol=lf", "eol=crlf", "ident", "-ident",
					    "binary", "!binary", "-binary", "mine", "filter=x", "-filter", "working-tree-encoding=UTF-16", "=bad",
					    "b@d", "mine=", "own", "-own" };
	STR text = STR_INIT;

	for (unsigned n = pick(6); n; n--) {
		if (!pick(6))
			str_printf(&text, "[attr]%s", pick(3) ? "own" : "mine");
		else if (!pick(6))
			str_puts(&text, "\"d/\\303\\251\"");
		else
			random_pattern(&text);
		for (unsigned k = pick(4); k; k--)
			str_printf(&text, "%s%s", pick(5) ? " " : "\t ", says[pick(ARRAY_SIZE(says))]);
		str_puts(&text, pick(9) ? "\n" : "\r\n");
	}
	write_file(path, text.buf, text.len);
}

static void ask_attrs(const struct oid *tree, struct str *ret)
{
	static const char *const word[] = { "", "set", "unset", "unspecified", "" };
	struct attr v[ARRAY_SIZE(names)];
	RULES *rules = NULL;

	OK(rules_open(repo, tree, &rules, &err));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			v[k] = (struct attr){ .name = (char *)names[k] };
		OK(rules_enter(rules, paths[i], &err));
		attr_query(rules, paths[i], v, ARRAY_SIZE(names));
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			str_printf(ret, "%s\n%s\n%s\n", paths[i], names[k], v[k].state == ATTR_VALUE ? v[k].value : word[v[k].state]);
	}
	str_truncate(ret, ret->len - 1);
}

static void attributes(void **state)
{
	STR ask = STR_INIT;

	(void)state;
	tree_of_files();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		str_printf(&ask, "%s%c", paths[i], 0);
	write_file(".git/ask", ask.buf, ask.len);
	sh("git config core.attributesFile ../attributes");
	for (int round = 0; round < 40; round++) {
		STR ours = STR_INIT;

		random_attrs(".gitattributes");
		random_attrs("b/.gitattributes");
		random_attrs("b/c/.gitattributes");
		random_attrs("d/.gitattributes");
		random_attrs(".git/info/attributes");
		random_attrs("../attributes");
		AUTOFREE char *theirs = out("git check-attr -z --stdin text crlf eol ident filter working-tree-encoding mine binary <.git/ask 2>/dev/null |"
					    "tr '\\0' '\\n'");
		sh("rm -f .git/index; for f in .gitattributes b/.gitattributes b/c/.gitattributes d/.gitattributes; do"
		   " git update-index --add --cacheinfo 100644,$(git hash-object -w --no-filters $f),$f; done");
		AUTOFREE char *hex = out("git write-tree");
		struct oid tree;

		assert_true(oid_parse(hex, &tree));
		sh("echo '* -text filter=evil' >.gitattributes; rm b/.gitattributes; echo '* ident' >c/.gitattributes");
		ask_attrs(&tree, &ours);
		if (strcmp(ours.buf, theirs)) {
			write_file("/tmp/attr.ours", ours.buf, ours.len);
			write_file("/tmp/attr.theirs", theirs, strlen(theirs));
			fail_msg("round %d: %s\n%s", round, out("diff /tmp/attr.theirs /tmp/attr.ours | head; :"),
				 out("for f in .gitattributes b/.gitattributes b/c/.gitattributes d/.gitattributes; do echo \"== $f\"; git show %s:$f; done;"
				     "tail .git/info/attributes ../attributes", oid_hex(&tree).s));
		}
		sh("rm c/.gitattributes");
	}
}

static void random_text(struct str *s)
{
	static const char *const bits[] = { "a\n", "b\r\n", "c\r\n", "d\n", "\r\n", "$Id$", "$Id: x $", "$Id: no\n", "$Id", "$", "line", "\n" };
	unsigned odd = pick(8);

	for (unsigned n = pick(8); n; n--)
		str_puts(s, bits[pick(ARRAY_SIZE(bits))]);
	if (!odd)
		str_putc(s, '\0');
	if (odd == 1)
		str_puts(s, "\rx");
	if (odd == 2)
		str_puts(s, "\001\032");
	if (odd == 3)
		str_puts(s, "\r");
}

/* Base files with all ends of lines; then new content, cleaned by us against the base and by `git add` against its index. */
static void cleaned(void **state)
{
	static const char *const auto_crlf[] = { "false", "true", "input" };
	char name[32];

	(void)state;
	for (int round = 0; round < 24; round++) {
		RULES *rules = NULL;
		struct str text[24];

		sh("rm -rf * .gitattributes .git/index && git config core.autocrlf %s", auto_crlf[round % 3]);
		repo_free(repo);
		OK(repo_open(".", &repo, &err));
		write_file(".gitattributes", "", 0);
		random_attrs(".gitattributes");
		sh("sed -i -e 's/working-tree-encoding=UTF-16//' -e 's/^[^[]*\\( .*\\)/f*\\1/' .gitattributes && echo 'f1* text=auto' >>.gitattributes");
		for (int i = 0; i < 24; i++) {
			text[i] = (struct str)STR_INIT;
			random_text(&text[i]);
			snprintf(name, sizeof(name), "f%d", i);
			if (i % 3)
				write_file(name, text[i].buf, text[i].len);
			str_clear(&text[i]);
			random_text(&text[i]);
		}
		sh("mv .gitattributes .git/a; git -c core.autocrlf=false add -A . && mv .git/a .gitattributes && git add .gitattributes 2>&1");
		struct oid tree;
		AUTOFREE char *hex = out("git write-tree");
		assert_true(oid_parse(hex, &tree));
		for (int i = 0; i < 24; i++) {
			snprintf(name, sizeof(name), "f%d", i);
			write_file(name, text[i].buf, text[i].len);
		}
		sh("git add -A . 2>&1");
		OK(rules_open(repo, &tree, &rules, &err));
		for (int i = 0; i < 24; i++) {
			STR clean = STR_INIT;
			const char *refused;
			struct oid id;

			snprintf(name, sizeof(name), "f%d", i);
			OK(rules_clean(rules, name, text[i].buf, text[i].len, &clean, &refused, &err));
			repo_hash_blob(clean.buf, clean.len, &id);
			AUTOFREE char *theirs = out("git rev-parse :%s", name);
			if (!refused && strcmp(theirs, oid_hex(&id).s))
				fail_msg("round %d %s: %s", round, name, out("cat .gitattributes; od -c %s; git cat-file -p :%s | od -c", name, name));
			str_free(&text[i]);
		}
	}
}

static void refusals(void **state)
{
	RULES *rules = NULL;
	STR text = STR_INIT;
	const char *refused;

	(void)state;
	sh("printf '*.bin filter=lfs diff=lfs -text\\n*.w working-tree-encoding=UTF-16LE\\n*.u working-tree-encoding=utf-8\\n*.n -filter\\n' >.gitattributes");
	struct oid tree = snapshot();
	sh("rm .gitattributes");
	OK(rules_open(repo, &tree, &rules, &err));
	OK(rules_clean(rules, "d/x.bin", "a\r\n", 3, &text, &refused, &err));
	assert_string_equal(refused, "filter");
	assert_string_equal(text.buf, "a\r\n");
	OK(rules_clean(rules, "x.w", "a", 1, &text, &refused, &err));
	assert_string_equal(refused, "working-tree-encoding");
	OK(rules_clean(rules, "x.u", "a", 1, &text, &refused, &err));
	assert_null(refused);
	OK(rules_clean(rules, "x.n", "a", 1, &text, &refused, &err));
	assert_null(refused);
}

/* A pattern of many stars must not take for ever. */
static void hostile(void **state)
{
	char pattern[2048] = "", text[4096];

	(void)state;
	for (int i = 0; i < 300; i++)
		strcat(pattern, "*a/**/");
	strcat(pattern, "b");
	memset(text, 'a', sizeof(text));
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = '/';
	text[sizeof(text) - 1] = '\0';
	assert_false(wild_match(pattern, text, true, false));
	assert_false(wild_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text, false, false));
	assert_true(wild_match("[A-C]x[[:upper:]]", "bxy", true, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTR_TEST(ignores), ATTR_TEST(linked_rules), ATTR_TEST(attributes), ATTR_TEST(cleaned), ATTR_TEST(refusals), ATTR_TEST(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
