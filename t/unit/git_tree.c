/* Trees: compared, changed, merged, counted, patched; each answer held against plain git's. */
#include "git_room.h"

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
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

/* The tree of the working directory as git makes it. */
static struct oid snapshot(void)
{
	sh("git add -A -f . && git write-tree >.git/tree");
	char *hex = out("cat .git/tree");
	struct oid id;

	assert_true(oid_parse(hex, &id));
	free(hex);
	return id;
}

static struct tree_entry blob(const char *text, uint32_t mode)
{
	struct tree_entry e = { .mode = mode };

	OK(repo_write_blob(repo, text, strlen(text), &e.id, &err));
	return e;
}

static void put(struct tree_changes *l, const char *path, const char *text)
{
	struct tree_entry e = { 0 };

	if (text)
		e = blob(text, 0100644);
	tree_changes_add(l, path, NULL, &e);
}

static int list(void *data, const char *path, const struct tree_entry *e, struct err *ignored)
{
	(void)ignored;
	str_printf(data, "%06o %s\t%s\n", (unsigned)e->mode, oid_hex(&e->id).s, path);
	return 0;
}

static void is_tree(const struct oid *tree, const struct oid *want)
{
	assert_string_equal(oid_hex(tree).s, oid_hex(want).s);
}

static void look(void **state)
{
	STR text = STR_INIT;
	struct tree_entry e;
	struct oid tree;

	(void)state;
	sh("mkdir -p a/b 'sp ace' && echo 1 >a/b/c && echo 2 >a.c && echo 3 >a-b && echo 4 >'sp ace/\xc3\xa9\xe2\x80\xa8' && ln -s a.c link &&"
	   "chmod +x a.c && printf x >\"$(printf 'nl\\nq')\"");
	tree = snapshot();
	OK(tree_walk(repo, &tree, list, &text, &err));
	str_truncate(&text, text.len - 1);
	same(text.buf, "git ls-tree -r -z %s | awk 'BEGIN{RS=\"\\0\"}{printf \"%%s\\n\",$0}' | sed 's/ blob / /'", oid_hex(&tree).s);
	OK(tree_lookup(repo, &tree, "a/b/c", &e, &err));
	assert_int_equal(e.mode, 0100644);
	OK(tree_lookup(repo, &tree, "a/b", &e, &err));
	assert_int_equal(e.mode, 040000);
	OK(tree_lookup(repo, &tree, "a.c", &e, &err));
	assert_int_equal(e.mode, 0100755);
	OK(tree_lookup(repo, &tree, "a.c/x", &e, &err));
	assert_int_equal(e.mode, 0);
	OK(tree_lookup(repo, &tree, "nope/x", &e, &err));
	assert_int_equal(e.mode, 0);
	str_clear(&text);
	OK(tree_read(repo, &tree, "a/b/c", 10, &text, &err));
	assert_string_equal(text.buf, "1\n");
	assert_int_equal(tree_read(repo, &tree, "link", 10, &text, &err), ERR_NOT_FOUND);
	assert_int_equal(tree_read(repo, &tree, "a/b", 10, &text, &err), ERR_NOT_FOUND);
	sh("git commit -q -m x");
	tree = id_of("HEAD");
	OK(tree_of_commit(repo, &tree, &tree, &err));
	assert_int_equal(tree_of_commit(repo, &tree, &tree, &err), ERR_INVALID);
}

static void replace(void **state)
{
	CLEANUP(tree_changes_free) struct tree_changes l = { 0 };
	struct oid base, want, tree, none = { 0 };

	(void)state;
	sh("mkdir -p a/b d && echo 1 >a/b/c && echo 2 >a.c && echo 3 >f && echo 4 >d/x && echo 5 >d/y");
	base = snapshot();
	sh("rm -r a f d/x && echo 6 >a && mkdir f && echo 7 >f/g && mkdir -p n/m && echo 8 >n/m/o");
	want = snapshot();
	OK(tree_compare(repo, &base, &want, &l, &err));
	assert_int_equal(l.n, 6);
	OK(tree_update(repo, &base, &l, &tree, &err));
	is_tree(&tree, &want);
	tree_changes_free(&l);
	OK(tree_compare(repo, &want, &base, &l, &err));
	OK(tree_update(repo, &want, &l, &tree, &err));
	is_tree(&tree, &base);
	tree_changes_free(&l);
	OK(tree_compare(repo, &none, &want, &l, &err));
	OK(tree_update(repo, &none, &l, &tree, &err));
	is_tree(&tree, &want);
	tree_changes_free(&l);
	put(&l, "a", "file");		/* over a directory, implicitly */
	put(&l, "f/h", "below a file");
	put(&l, "d/x", NULL);
	put(&l, "d/y", NULL);
	put(&l, "gone/x", NULL);
	put(&l, "f/none/x", NULL);
	OK(tree_update(repo, &base, &l, &tree, &err));
	same("a\na.c\nf/h", "git ls-tree -r --name-only %s", oid_hex(&tree).s);
	tree_changes_free(&l);
	OK(tree_compare(repo, &want, &none, &l, &err));
	OK(tree_update(repo, &want, &l, &tree, &err));
	assert_string_equal(oid_hex(&tree).s, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
}

static void refuse(void **state)
{
	static const char *const bad[] = { "", "/a", "a/", "a//b", "./a", "a/..", ".git/config", "a/.GIT/x", ".git" };
	struct oid tree, none = { 0 };
	struct tree_entry lost = { .mode = 0100644, .id = { .raw = { 1, 2, 3 } } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(tree_changes_free) struct tree_changes l = { 0 };

		put(&l, bad[i], "x");
		assert_int_equal(tree_update(repo, &none, &l, &tree, &err), ERR_INVALID);
	}
	CLEANUP(tree_changes_free) struct tree_changes l = { 0 };
	put(&l, "a", "x");
	put(&l, "a/b", "x");
	assert_int_equal(tree_update(repo, &none, &l, &tree, &err), ERR_INVALID);
	tree_changes_free(&l);
	tree_changes_add(&l, "x", NULL, &lost);
	assert_int_equal(tree_update(repo, &none, &l, &tree, &err), ERR_NOT_FOUND);
}

static unsigned seed = 1;
static unsigned pick(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

/* A random tree of a few names that sort around '/': "a", "a.", "a0", "a-b". */
static struct oid random_tree(int files)
{
	static const char *const names[] = { "a", "a.", "a0", "a-b", "b", "a b" };
	CLEANUP(tree_changes_free) struct tree_changes l = { 0 };
	struct oid tree = { 0 };

	OK(tree_update(repo, &tree, &l, &tree, &err));
	for (int i = 0; i < files; i++) {
		char path[64] = "", text[512];
		unsigned depth = pick(3);

		for (unsigned d = 0; d <= depth; d++)
			snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s%s", d ? "/" : "", names[pick(6)]);
		/* nothing like another path's text: git merge-tree looks for renames whatever one says */
		snprintf(text, sizeof(text), "%s %u\n%s\n%s\n%s %u\n", path, pick(3), path, path, path, pick(2));
		put(&l, path, text);
		OK(tree_update(repo, &tree, &l, &tree, &err));	/* one at a time: later ones replace what is in their way */
		tree_changes_free(&l);
	}
	return tree;
}

static void random_pairs(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct oid a = random_tree(12), b = random_tree(12), tree;
		CLEANUP(tree_changes_free) struct tree_changes l = { 0 };
		STR ours = STR_INIT;

		OK(tree_compare(repo, &a, &b, &l, &err));
		for (size_t n = 0; n < l.n; n++)
			str_printf(&ours, "%s:%06o %06o %s %s %s", n ? "\n" : "", (unsigned)l.v[n].old.mode, (unsigned)l.v[n].new.mode,
				   oid_hex(&l.v[n].old.id).s, oid_hex(&l.v[n].new.id).s, l.v[n].path);
		same(ours.buf, "git diff-tree -r --no-renames %s %s | sed 's/ [AMDT]\t/ /'", oid_hex(&a).s, oid_hex(&b).s);
		OK(tree_update(repo, &a, &l, &tree, &err));
		is_tree(&tree, &b);
	}
}

static void random_merges(void **state)
{
	int clean = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct oid base = random_tree(6), side[2], tree;
		AUTOFREE char *conflict = NULL;
		char *theirs;
		int status;

		for (int s = 0; s < 2; s++) {
			struct oid other = random_tree(5);
			CLEANUP(tree_changes_free) struct tree_changes l = { 0 };
			CLEANUP(tree_changes_free) struct tree_changes some = { 0 };

			OK(tree_compare(repo, &base, &other, &l, &err));
			for (size_t n = 0; n < l.n; n++)
				if (!pick(3) && (l.v[n].new.mode || !pick(2)))
					tree_changes_add(&some, l.v[n].path, NULL, &l.v[n].new);
			side[s] = base;
			if (tree_update(repo, &base, &some, &side[s], &err) < 0)
				side[s] = other;
		}
		OK(tree_merge(repo, &base, &side[0], &side[1], &tree, &conflict, &err));
		theirs = out("b=$(git commit-tree -m b %s) && o=$(git commit-tree -m o -p $b %s) && t=$(git commit-tree -m t -p $b %s) &&"
			     "git merge-tree --write-tree $o $t >.git/merged && echo clean || echo conflict; head -1 .git/merged",
			     oid_hex(&base).s, oid_hex(&side[0]).s, oid_hex(&side[1]).s);
		status = strstr(theirs, "clean") != NULL;
		if (status != !conflict)
			fail_msg("merge %d: git says %s, we %s", i, theirs, conflict ? conflict : "clean");
		if (!conflict) {
			assert_string_equal(theirs + strlen("clean\n"), oid_hex(&tree).s);
			clean++;
		}
		free(theirs);
	}
	assert_true(clean > 5);
}

static void lines(void **state)
{
	CLEANUP(tree_changes_free) struct tree_changes l = { 0 };
	struct tree_lines n;
	struct oid a, b;
	char text[64];

	(void)state;
	sh("for i in 1 2 3 4 5 6 7 8; do awk -v s=$i 'BEGIN{srand(s);for(i=0;i<200;i++)print int(rand()*9)}' >f$i; done; printf 'a\\nb' >g;"
	   "printf 'x\\0y' >bin; echo del >h; : >empty; ln -s f1 l; printf 'a\\r\\nb\\r\\n' >crlf");
	a = snapshot();
	sh("for i in 1 2 3 4 5 6 7 8; do awk -v s=$i 'BEGIN{srand(s+1)}rand()>.2{print;if(rand()<.1)print \"new\"}' f$i >t && mv t f$i; done;"
	   "printf 'a\\nc\\nd' >g; printf 'x\\0z' >bin; rm h; echo one >empty; chmod +x f1; ln -sf f2 l; printf 'n\\nm' >k; printf 'a\\nb\\n' >crlf");
	b = snapshot();
	OK(tree_compare(repo, &a, &b, &l, &err));
	OK(tree_count_lines(repo, &l, &n, &err));
	snprintf(text, sizeof(text), "%lld %lld", (long long)n.added, (long long)n.deleted);
	same(text, "git diff-tree -r --numstat %s %s | awk '$3!=\"l\"{a+=$1;d+=$2}END{print a,d}'", oid_hex(&a).s, oid_hex(&b).s);
	snprintf(text, sizeof(text), "%lld", (long long)n.bytes);
	same(text, "cat f? g bin empty k crlf | wc -c");
}

static void shown(void **state)
{
	STR text = STR_INIT;
	struct oid a, b;

	(void)state;
	sh("seq 50 >old && echo x >y && git config diff.external 'touch ran' && git config diff.e.textconv 'touch ran;cat' &&"
	   "git config diff.e.command 'touch ran' && echo '* diff=e' >.git/info/attributes");
	a = snapshot();
	sh("git mv old n\xc3\xa9w && printf 'esc \\033[2J \\351\\n' >y");
	b = snapshot();
	OK(tree_diff_text(repo, &a, &b, &text, &err));
	assert_non_null(strstr(text.buf, "rename to n\xc3\xa9w\n"));
	assert_non_null(strstr(text.buf, "\n-x\n+esc \\x1b[2J \\xe9\n"));
	assert_int_equal(access("ran", F_OK), -1);
}

static void patched(void **state)
{
	AUTOFREE char *why = NULL;
	struct oid a, b, tree;

	(void)state;
	sh("mkdir d && seq 50 >f && seq 9 >d/g && printf '\\0\\1\\2' >bin && echo x >s");
	a = snapshot();
	sh("sed -i 's/^25$/twenty/' f && git mv d/g d/h && printf '\\3\\0' >bin && chmod +x s && mkdir n && printf 'no newline' >n/n &&"
	   "mv s s2 && mkdir s && mv s2 s/s");
	b = snapshot();
	AUTOFREE char *patch = out("git diff-tree -r -p --binary -M %s %s", oid_hex(&a).s, oid_hex(&b).s);
	AUTOFREE char *mail = xasprintf("From: someone\nSubject: x\n\ntext\n---\n%s\n-- \n2.39\n", patch);

	OK(tree_apply_patch(repo, &a, mail, strlen(mail), &tree, &why, &err));
	assert_null(why);
	is_tree(&tree, &b);
	OK(tree_apply_patch(repo, &b, mail, strlen(mail), &tree, &why, &err));
	assert_non_null(why);
	free(why);
	OK(tree_apply_patch(repo, &a, "rubbish", 7, &tree, &why, &err));
	assert_non_null(why);
	free(why);
	const char plain[] = "--- f.orig\t2020\n+++ f\t2020\n@@ -1,2 +1,2 @@\n-1\n+one\n 2\n";
	const char *const slashed = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-1\n+one\n 2\n";

	OK(tree_apply_patch(repo, &a, plain, sizeof(plain) - 1, &tree, &why, &err));
	assert_null(why);		/* git guesses how much of such names to leave out */
	OK(tree_apply_patch(repo, &a, slashed, strlen(slashed), &tree, &why, &err));
	assert_null(why);
	same("one", "git show %s:f | head -1", oid_hex(&tree).s);
	const char *const out_of = "--- /dev/null\n+++ b/../x\n@@ -0,0 +1 @@\n+one\n";

	OK(tree_apply_patch(repo, &a, out_of, strlen(out_of), &tree, &why, &err));
	assert_non_null(why);
	same("", "ls .git/harness");
}

static void many(void **state)
{
	CLEANUP(tree_changes_free) struct tree_changes l = { 0 };
	struct oid base = { 0 }, tree;
	struct tree_entry e = blob("x\n", 0100644);
	char path[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(path, sizeof(path), "%s%d/%d", i % 3 ? "d" : "", i % 97, i);
		tree_changes_add(&l, path, NULL, &e);
	}
	OK(tree_update(repo, &base, &l, &tree, &err));
	same("20000", "git ls-tree -r %s | wc -l", oid_hex(&tree).s);
	tree_changes_free(&l);
	OK(tree_compare(repo, &base, &tree, &l, &err));
	assert_int_equal(l.n, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(look), TREE_TEST(replace), TREE_TEST(refuse), TREE_TEST(random_pairs), TREE_TEST(random_merges),
		TREE_TEST(lines), TREE_TEST(shown), TREE_TEST(patched), TREE_TEST(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
