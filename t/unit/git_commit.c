/* Commits written and read, trailers taken, added and stripped; git itself is the second reader. */
#include "git_room.h"

#include "git/commit.h"
#include "git/tree.h"

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
	sh("git fsck --strict --no-dangling 2>&1");
	repo_free(repo);
	repo = NULL;
	return room_leave(state);
}
#define COMMIT_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

static struct oid empty_tree(void)
{
	struct oid tree, none = { 0 };
	struct tree_changes l = { 0 };

	OK(tree_update(repo, &none, &l, &tree, &err));
	return tree;
}

static void written(void **state)
{
	struct ident who = { .name = "Bj\xc3\xb6rn <evil>\nauthor x", .mail = " <b@x>. ", .when = 1700000000, .offset = -210 };
	struct ident nobody = { .name = ",;", .mail = "", .when = -5, .offset = 60 };
	struct commit_spec spec = { .tree = empty_tree(), .author = &who, .committer = &nobody, .message = "one\n\nb\xc3\xb6" "dy\n" };
	CLEANUP(commit_free) struct commit c = { 0 };
	struct oid a, b, lost = { .raw = { 7 } };

	(void)state;
	OK(commit_write(repo, &spec, &a, &err));
	same("Bj\xc3\xb6rn evilauthor x|b@x|1700000000 -0330|unknown|unknown|0 +0100|one",
	     "git log -1 --date=raw --format='%%an|%%ae|%%ad|%%cn|%%ce|%%cd|%%s' %s", oid_hex(&a).s);
	spec.parents = (struct oid[]){ a, a };
	spec.n_parents = 1;
	OK(commit_write(repo, &spec, &b, &err));
	OK(commit_read(repo, &b, &c, &err));
	assert_int_equal(c.n_parents, 1);
	assert_true(oid_eq(&c.parents[0], &a) && oid_eq(&c.tree, &spec.tree) && oid_eq(&c.id, &b));
	assert_string_equal(c.author.name, "Bj\xc3\xb6rn evilauthor x");
	assert_string_equal(c.author.mail, "b@x");
	assert_int_equal(c.author.when, 1700000000);
	assert_int_equal(c.author.offset, -210);
	assert_string_equal(c.message, spec.message);
	spec.message = "bad \xff\n";
	assert_int_equal(commit_write(repo, &spec, &b, &err), ERR_INVALID);
	spec.message = "x\n";
	spec.parents = &lost;
	assert_int_equal(commit_write(repo, &spec, &b, &err), ERR_NOT_FOUND);
	assert_int_equal(commit_read(repo, &spec.tree, &c, &err), ERR_INVALID);
}

static void foreign(void **state)
{
	CLEANUP(commit_free) struct commit c = { 0 };
	struct oid id;

	(void)state;
	sh("printf 'caf\\351\\n' | git -c i18n.commitEncoding=ISO-8859-1 commit -q --allow-empty -F - --author='A U Thor <a@b>' --date='1600000000 +0530'");
	id = id_of("HEAD");
	OK(commit_read(repo, &id, &c, &err));
	assert_string_equal(c.message, "caf\xc3\xa9\n");
	assert_int_equal(c.author.offset, 330);
	assert_int_equal(c.author.when, 1600000000);
	commit_free(&c);
	sh("t=$(git write-tree) && printf 'tree %%s\\nauthor A <a@b> 1 +0000\\ncommitter A <a@b> 1 +0000\\ngpgsig -----BEGIN\\n parent 00\\n \\n -----END\\n\\n\\nx' $t >raw;"
	   "git update-ref refs/tags/odd $(git hash-object -w --literally -t commit raw)");
	id = id_of("odd");
	OK(commit_read(repo, &id, &c, &err));
	assert_int_equal(c.n_parents, 0);
	assert_string_equal(c.message, "\nx");
	sh("git tag -d odd && git prune");
}

static const char *const messages[] = {
	"title\n", "title", "", "Key: title\n", "title\n\nKey: v\n", "title\n\nbody\n\nKey: v\nkey: w\nOther: x\n",
	"title\n\nbody\nKey: v\n", "title\n\nKey: v\nSigned-off-by: a\nnot one\n", "title\n\nKey: v\n folded\n\tmore\nX: y\n",
	"title\n\nKey: v\n\nno trailer\n", "title\n\nKey : spaced\n", "title\nmore\nKey: v\n", "title\n\nKey: v\n\n\n",
	"title\n\n(cherry picked from commit 123)\nKey: v\na\nb\n", "title\n\nhttps://x.y\n", "title\n\nKey: v\n# comment\n",
	"title\n\n folded first\nKey: v\n", "title\n\nKey:\n", "title\n\nKey: v\r\n", "title\n\na_b: c\nKey: v\n", "title\n\n---\nKey: v\n",
	"title\n\nKey: v", "\n\ntitle\n\nKey: v\n", "title\n\n text\n\n \nKey: v\n",
	"title\n\nKey: 1\nSigned-off-by: s\nx\ny\nz\nw\nv\nu\n",
};

static void taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		char *file = out("mktemp ./m.XXXXXX");
		FILE *f = fopen(file, "w");
		AUTOFREE char *ours = trailer_get(messages[i], "KEY");

		fputs(messages[i], f);
		fclose(f);
		AUTOFREE char *theirs = out("git interpret-trailers --parse --no-divider <%s | sed -n 's/^[Kk]ey: *//p' | tail -1", file);

		if (strcmp(ours ? ours : "", theirs))
			fail_msg("'%s': git '%s', we '%s'", messages[i], theirs, ours);
		free(file);
	}
}

static void added(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		STR m = STR_INIT;

		str_puts(&m, messages[i]);
		trailer_add(&m, "Harness-Campaign", "main");
		trailer_add(&m, "Harness-Metric", "a=1 b=2");
		AUTOFREE char *got = trailer_get(m.buf, "harness-campaign");
		AUTOFREE char *last = trailer_get(m.buf, "Harness-Metric");
		AUTOFREE char *old = trailer_get(messages[i], "Key"), *now = trailer_get(m.buf, "Key");

		if (*messages[i]) {
			assert_string_equal(got, "main");
			assert_string_equal(last, "a=1 b=2");
		}
		if (old)
			assert_string_equal(now, old);
		assert_true(ends_with(m.buf, "Harness-Metric: a=1 b=2\n"));
	}
	STR m = STR_INIT;
	str_puts(&m, "title\n\nSigned-off-by: x\n");
	trailer_add(&m, "A", "b");
	assert_string_equal(m.buf, "title\n\nSigned-off-by: x\nA: b\n");
	str_clear(&m);
	str_puts(&m, "fix: title");
	trailer_add(&m, "A", "b");
	assert_string_equal(m.buf, "fix: title\n\nA: b\n");
}

static void stripped(void **state)
{
	STR m = STR_INIT;

	(void)state;
	trailers_strip("t\n\nHarness-Verdict: accept\nbody\n HARNESS-x: y\n\nOther: z\nharness-Metric : 1\n folded\n more\nHarness-Best:2", "Harness-", &m);
	assert_string_equal(m.buf, "t\n\nbody\n\nOther: z\n");
	str_clear(&m);
	trailers_strip("t\n\nHarness-A: b\r\n", "harness-", &m);
	assert_string_equal(m.buf, "t\n");
	str_clear(&m);
	trailers_strip("Harness-A: b\n", "harness-", &m);
	assert_string_equal(m.buf, "");
	str_clear(&m);
	trailers_strip("about Harness-A: b\nthe harness: good\nHarness- x\n", "Harness-", &m);
	assert_string_equal(m.buf, "about Harness-A: b\nthe harness: good\nHarness- x\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMMIT_TEST(written), COMMIT_TEST(foreign), COMMIT_TEST(taken), COMMIT_TEST(added), COMMIT_TEST(stripped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
