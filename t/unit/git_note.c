/* Notes: git reads what we write and we read what git writes, at every depth; nothing foreign is lost, nobody's note is. */
#include "git_room.h"

#include <sys/wait.h>

#include "git/note.h"
#include "git/ref.h"
#include "git/tree.h"

static struct err err;
static struct repo *repo;
static struct ident who = { .name = "N", .mail = "n@n", .when = 1700000000 };

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
#define NOTE_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

static int set(void *data, const struct oid *object, const char *old, size_t len, struct str *ret, struct err *ignored)
{
	(void)object;
	(void)old;
	(void)len;
	(void)ignored;
	str_puts(ret, data);
	return 0;
}

static int append(void *data, const struct oid *object, const char *old, size_t len, struct str *ret, struct err *ignored)
{
	(void)object;
	(void)ignored;
	str_add(ret, old, len);
	str_puts(ret, data);
	return 0;
}

static int leave_it(void *data, const struct oid *object, const char *old, size_t len, struct str *ret, struct err *ignored)
{
	str_puts(ret, "never");
	(void)data;
	(void)object;
	(void)old;
	(void)len;
	(void)ignored;
	return 1;
}

static struct oid nth(unsigned n)
{
	struct oid id = { 0 };
	char text[32];

	snprintf(text, sizeof(text), "object %u", n);
	repo_hash_blob(text, strlen(text), &id);
	return id;
}

static void one(const struct oid *object, note_edit_fn *fn, const char *text)
{
	struct note_edit e = { .object = *object, .fn = fn, .data = (void *)text };

	OK(note_apply(repo, &e, 1, &who, "notes", &err));
}

static void reads(const struct oid *object, const char *want)
{
	STR text = STR_INIT;

	if (!want) {
		assert_int_equal(note_read(repo, object, &text, &err), ERR_NOT_FOUND);
		return;
	}
	OK(note_read(repo, object, &text, &err));
	assert_string_equal(text.buf, want);
}

static void single(void **state)
{
	struct oid c, tip, again;
	struct note_edit e;

	(void)state;
	sh("git commit -q --allow-empty -m c");
	c = id_of("HEAD");
	reads(&c, NULL);
	one(&c, set, "first\n");
	one(&c, append, "second\n");
	reads(&c, "first\nsecond\n");
	same("first\nsecond", "git notes --ref=harness show HEAD");
	sh("git notes --ref=harness append -m 'by hand' HEAD");
	reads(&c, "first\nsecond\n\nby hand\n");
	OK(ref_read(repo, note_ref(repo), &tip, &err));
	one(&c, leave_it, NULL);
	e = (struct note_edit){ .object = c, .fn = append, .data = "" };
	OK(note_build(repo, &tip, &e, 1, &who, "same text", &again, &err));
	assert_true(oid_eq(&tip, &again));
	one(&c, set, "");		/* nothing left: no note */
	reads(&c, NULL);
	same("", "git notes --ref=harness list");
}

static void several(void **state)
{
	struct oid a = nth(1), b = nth(2);
	struct note_edit e[] = { { b, set, "b\n" }, { a, set, "a1\n" }, { a, append, "a2\n" }, { b, leave_it, NULL } };

	(void)state;
	OK(note_apply(repo, e, 4, &who, "both", &err));
	reads(&a, "a1\na2\n");
	reads(&b, "b\n");
	same("1", "git rev-list --count refs/notes/harness");
}

static int count(void *data, const struct oid *object, const struct oid *blob, struct err *ignored)
{
	(void)object;
	(void)ignored;
	assert_true(repo_has(repo, blob));
	++*(int *)data;
	return 0;
}

static int walked(void)
{
	struct oid tip;
	int n = 0;

	OK(ref_read(repo, note_ref(repo), &tip, &err));
	OK(note_walk(repo, &tip, count, &n, &err));
	return n;
}

/* The deepest note's directories, and the most entries a directory holds. */
static void shape(const char *want)
{
	same(want, "git ls-tree -r --name-only refs/notes/harness | awk -F/ '{if(NF>d)d=NF;p=$0;sub(/[^\\/]*$/,\"\",p);if(++n[p]>m)m=n[p]}"
		   "END{print d-1,(m<=256)}'");
}

static void grows(void **state)
{
	struct note_edit *bulk = xcalloc(3000, sizeof(*bulk));

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		struct oid id = nth(i);

		one(&id, set, "x\n");
	}
	shape("0 1");
	struct oid last = nth(256);
	one(&last, set, "x\n");
	shape("1 1");
	assert_int_equal(walked(), 257);
	for (unsigned i = 0; i < 3000; i++)
		bulk[i] = (struct note_edit){ nth(1000 + i), set, "y\n" };
	OK(note_apply(repo, bulk, 3000, &who, "bulk", &err));
	assert_int_equal(walked(), 3257);
	same("3257", "git notes --ref=harness list | wc -l");
	last = nth(3999);
	same("y", "git notes --ref=harness show %s 2>&1 || git cat-file -p $(git notes --ref=harness list | grep %s | cut -c1-40)", oid_hex(&last).s,
	     oid_hex(&last).s);
	for (unsigned i = 0; i < 3000; i++)
		bulk[i].data = "";
	OK(note_apply(repo, bulk, 3000, &who, "gone", &err));
	assert_int_equal(walked(), 257);
	free(bulk);
}

/* A notes tree made by hand in any shape: put `text` at `path`. */
static void plant(const char *path, const char *text)
{
	sh("export GIT_INDEX_FILE=.git/planted; h=$(printf '%s' | git hash-object -w --stdin) &&"
	   "git update-index --add --cacheinfo 100644,$h,'%s' && c=$(git commit-tree -m planted $(git write-tree)) &&"
	   "git update-ref refs/notes/harness $c", text, path);
}

static char *fan(const struct oid *id, int depth)
{
	char *ret = xcalloc(1, 64);
	struct oid_hex hex = oid_hex(id);

	for (int i = 0; i < depth; i++)
		sprintf(ret + strlen(ret), "%.2s/", hex.s + 2 * i);
	return strcat(ret, hex.s + 2 * depth);
}

static void depths(void **state)
{
	(void)state;
	for (int depth = 0; depth < 20; depth++) {
		struct oid id = nth((unsigned)depth);
		AUTOFREE char *path = fan(&id, depth);
		char text[16];

		snprintf(text, sizeof(text), "depth %d", depth);
		plant(path, text);
		reads(&id, text);
	}
	assert_int_equal(walked(), 20);
	for (int depth = 0; depth < 20; depth++) {
		struct oid id = nth((unsigned)depth);
		AUTOFREE char *path = fan(&id, depth);

		one(&id, append, "!");
		same("1", "git ls-tree -r --name-only refs/notes/harness | grep -c '^%s$'", path);	/* it stays where its like are */
	}
	same("20", "git notes --ref=harness list | wc -l");
}

static void twice(void **state)
{
	struct oid id = nth(7);
	AUTOFREE char *flat = fan(&id, 0);
	AUTOFREE char *deep = fan(&id, 1);

	(void)state;
	plant(flat, "upper\\n");
	plant(deep, "lower\\n");
	reads(&id, "upper\n\nlower\n");
	one(&id, append, "new\n");
	reads(&id, "upper\n\nlower\nnew\n");
	same("1", "git notes --ref=harness list | wc -l");
}

static void split_joins(void **state)
{
	struct oid id = nth(7);
	AUTOFREE char *flat = fan(&id, 0);
	AUTOFREE char *deep = fan(&id, 1);

	(void)state;
	plant(flat, "upper\\n");
	plant(deep, "lower\\n");
	for (unsigned i = 100; i < 400; i++) {
		struct oid other = nth(i);

		one(&other, set, "x\n");
	}
	reads(&id, "upper\n\nlower\n");
	assert_int_equal(walked(), 301);
}

static void foreign(void **state)
{
	AUTOFREE char *before = NULL;

	(void)state;
	plant("README", "hello");
	plant("ab/notes.txt", "x");
	plant("zz/y", "x");
	plant("0123456789", "hex but no note");
	plant("cd/0123456789012345678901234567890123456789", "too long");
	before = out("git ls-tree -r refs/notes/harness");
	for (unsigned i = 0; i < 600; i++) {
		struct oid id = nth(i);

		one(&id, set, "n\n");
	}
	same(before, "git ls-tree -r refs/notes/harness | grep -E 'README|notes.txt|zz/y|0123456789'");
	assert_int_equal(walked(), 600);
	for (unsigned i = 0; i < 600; i++) {
		struct oid id = nth(i);

		one(&id, set, "");
	}
	same(before, "git ls-tree -r refs/notes/harness");
}

/* git's own fanout, as git writes it, then ours on top, then git again. */
static void with_git(void **state)
{
	struct oid id = nth(5000);

	(void)state;
	sh("(for i in $(seq 700); do printf 'commit refs/heads/m\nmark :%%d\ncommitter N <n@n> %%d +0000\ndata 0\n' $i $i; done;"
	   "printf 'commit refs/notes/harness\ncommitter N <n@n> 1 +0000\ndata 0\n';"
	   "for i in $(seq 700); do printf 'N inline :%%d\ndata 2\nx\n' $i; done) | git fast-import --quiet");
	same("1", "git ls-tree -r --name-only refs/notes/harness | awk -F/ '{print NF-1;exit}'");
	struct oid first = id_of("m~600");
	reads(&first, "x\n");
	assert_int_equal(walked(), 700);
	sh("for i in 1 2 3; do git commit -q --allow-empty -m $i && git notes --ref=harness add -m n$i; done");
	one(&id, set, "ours\n");
	reads(&id, "ours\n");
	sh("git notes --ref=harness append -m more HEAD && git notes --ref=harness remove HEAD~1");
	reads(&id, "ours\n");
	struct oid head = id_of("HEAD");
	reads(&head, "n3\n\nmore\n");
	head = id_of("HEAD~1");
	reads(&head, NULL);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(note_ref(repo), "refs/notes/harness");
	sh("git config harness.notesRef notes/lab");
	repo_free(repo);
	OK(repo_open(".", &repo, &err));
	assert_string_equal(note_ref(repo), "refs/notes/lab");
	sh("git config harness.notesRef refs/heads/main");
	repo_free(repo);
	OK(repo_open(".", &repo, &err));
	assert_string_equal(note_ref(repo), "refs/notes/refs/heads/main");
	sh("git config harness.notesRef 'a..b'");
	repo_free(repo);
	OK(repo_open(".", &repo, &err));
	assert_string_equal(note_ref(repo), "refs/notes/harness");
}

static void writer(unsigned k)
{
	struct repo *own = NULL;

	if (repo_open(".", &own, &err) < 0)
		_exit(1);
	for (unsigned i = 0; i < 40; i++) {
		struct note_edit e[] = { { nth(k * 40 + i), set, "mine\n" }, { nth(9999), append, "+\n" } };

		if (note_apply(own, e, 2, &who, "one of many", &err) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			_exit(1);
		}
	}
	repo_free(own);
	_exit(0);
}

static void eight_writers(void **state)
{
	STR text = STR_INIT;
	struct oid shared = nth(9999);

	(void)state;
	fflush(NULL);
	for (unsigned k = 0; k < 8; k++)
		if (!fork())
			writer(k);
	for (int k = 0; k < 8; k++) {
		int status = 1;

		wait(&status);
		assert_int_equal(status, 0);
	}
	for (unsigned i = 0; i < 320; i++) {
		struct oid id = nth(i);

		reads(&id, "mine\n");
	}
	OK(note_read(repo, &shared, &text, &err));
	assert_int_equal(text.len, 640);	/* each of the 320 edits of the one note is there, too */
	same("321", "git notes --ref=harness list | wc -l");
	same("320", "git rev-list --count refs/notes/harness");
	same("", "find .git -name '*.lock'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NOTE_TEST(single), NOTE_TEST(several), NOTE_TEST(grows), NOTE_TEST(depths), NOTE_TEST(twice), NOTE_TEST(split_joins),
		NOTE_TEST(foreign), NOTE_TEST(with_git), NOTE_TEST(names), NOTE_TEST(eight_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
