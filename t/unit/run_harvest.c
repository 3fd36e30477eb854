/* What is read of a workspace after a run: every change, nothing that is none, and nothing is followed or entered that could bite. */
#include "run_room.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

static void simple_repo(void)
{
	sh("git init -q . && mkdir -p src/deep frozen && echo 1 >src/a.c && echo 2 >src/deep/b.c && echo f >frozen/eval.sh &&"
	   "chmod +x frozen/eval.sh && ln -s ../src/a.c frozen/link && printf '*.o\nignored/\n' >.gitignore &&"
	   "git add -A && git commit -qm one");
}

/* The surface of these tests: src/ and what is below, and *.py anywhere. */
static bool want(void *data, const char *path)
{
	int *asked = data;

	if (asked)
		++*asked;
	assert_false(ends_with(path, ".o"));
	return !strcmp(path, "src") || starts_with(path, "src/") || ends_with(path, ".py");
}

/* One line a change: "path old new special size content"; then what was dropped. */
static char *harvested(struct bed *b, struct workspace *ws)
{
	CLEANUP(harvest_free) struct harvest h = { 0 };
	struct oid tree = id_of("HEAD^{tree}");
	struct rules *rules;
	struct err err = { 0 };
	STR text = STR_INIT;

	OK(rules_open(b->repo, &tree, &rules, &err));
	OK(workspace_harvest(ws, rules, want, NULL, &h, &err));
	rules_free(rules);
	for (size_t i = 0; i < h.n; i++) {
		struct found *f = &h.v[i];
		STR blob = STR_INIT;

		assert_true(!i || strcmp(h.v[i - 1].path, f->path) < 0);
		str_printf(&text, "%s %o %o%s", f->path, f->old.mode, f->new_mode, f->special ? " special" : "");
		if (!oid_is_zero(&f->blob) && !repo_read_blob(b->repo, &f->blob, 1000, &blob, &err))
			str_printf(&text, " '%s'", blob.buf);
		str_putc(&text, '\n');
	}
	for (size_t i = 0; i < h.dropped.n; i++)
		str_printf(&text, "dropped %s\n", h.dropped.v[i]);
	if (h.n_dropped)
		str_printf(&text, "%d dropped\n", (int)h.n_dropped);
	if (h.over)
		str_printf(&text, "over %s\n", h.over);
	return str_detach(&text);
}

struct c {
	const char *script, *want;
};

static const struct c cases[] = {
	{ "true", "" },
	{ "touch src/a.c frozen/eval.sh; cp src/a.c x && mv x src/a.c; chmod 600 src/a.c; chmod 700 frozen/eval.sh", "" },
	{ "git status >/dev/null; git add -A; git commit -qm x --allow-empty; git stash -q; true", "" },
	{ "printf 9 >src/a.c", "src/a.c 100644 100644 '9'\n" },
	/* A forged time and an index that says "unchanged" are not asked. */
	{ "touch -r src/a.c t; printf '9\n' >src/a.c; touch -r t src/a.c; rm t; git update-index --assume-unchanged src/a.c",
	  "src/a.c 100644 100644 '9\n'\n" },
	{ "git update-index --skip-worktree frozen/eval.sh; rm frozen/eval.sh", "frozen/eval.sh 100755 0\n" },
	{ "chmod +x src/a.c; chmod -x frozen/eval.sh; echo new >src/new; chmod 755 src/new",
	  "frozen/eval.sh 100755 100644 'f\n'\nsrc/a.c 100644 100755 '1\n'\nsrc/new 0 100755 'new\n'\n" },
	{ "rm src/a.c; mkdir -p src/x/y; echo y >src/x/y/z; mkdir src/empty", "src/a.c 100644 0\nsrc/x/y/z 0 100644 'y\n'\n" },
	{ "mkdir -p ignored/x junk/deep; touch ignored/x/y.py src/a.o junk/deep/j 'odd\nname' tool.py; touch $(printf 'esc\\033[1m')",
	  "tool.py 0 100644 ''\ndropped esc\\x1b[1m\ndropped junk/\ndropped odd\\x0aname\n3 dropped\n" },
	/* Links: on a file, on a directory, on a new name; never followed. */
	{ "rm src/a.c; ln -s ../frozen/eval.sh src/a.c; ln -s / src/root; ln -sf elsewhere frozen/link",
	  "frozen/link 120000 120000 'elsewhere'\nsrc/a.c 100644 120000 '../frozen/eval.sh'\nsrc/root 0 120000 '/'\n" },
	{ "mv src s; ln -s s src", "src 0 120000 's'\nsrc/a.c 100644 0\nsrc/deep/b.c 100644 0\ndropped s/\n1 dropped\n" },
	{ "rm -rf frozen; echo f >frozen", "frozen 0 100644 'f\n'\nfrozen/eval.sh 100755 0\nfrozen/link 120000 0\n" },
	{ "rm src/a.c; mkdir src/a.c; echo in >src/a.c/in", "src/a.c 100644 0\nsrc/a.c/in 0 100644 'in\n'\n" },
	{ "ln -f frozen/eval.sh src/a.c; ln src/deep/b.c src/hard", "src/a.c 100644 100755 'f\n'\nsrc/hard 0 100644 '2\n'\n" },
	/* Special files: looked at, never opened. */
	{ "mkfifo src/fifo fifo; rm src/a.c; mkfifo src/a.c", "src/a.c 100644 0 special\nsrc/fifo 0 0 special\ndropped fifo\n1 dropped\n" },
	/* Repositories in the repository. */
	{ "git init -q src/nested; touch src/nested/f; git init -q --bare src/bare; git init -q other; mkdir src/deep/.git; touch src/deep/.git/x",
	  "src/bare 0 160000\nsrc/deep/.git 0 160000\nsrc/nested 0 160000\ndropped other/\n1 dropped\n" },
	{ "rm src/a.c; git init -q src/a.c", "src/a.c 100644 160000\n" },
	{ "rm .git; git init -q .; git add -A; git -c user.name=x -c user.email=x commit -qm x", "" },
	/* Closed to their owner. */
	{ "echo 9 >src/a.c; mkdir src/d; echo d >src/d/d; chmod 000 src/a.c src/d/d src/d src frozen .",
	  "src/a.c 100644 100644 '9\n'\nsrc/d/d 0 100644 'd\n'\n" },
	/* Beyond the caps. */
	{ "truncate -s 1T src/sparse", "src/sparse 0 100644\nover bytes\n" },
	{ "truncate -s 1T src/a.c", "src/a.c 100644 100644\nover bytes\n" },
	{ "truncate -s 1T sparse; ln -s \"$PWD\" src/loop", "src/loop 0 120000 'W'\ndropped sparse\n1 dropped\n" },
};

static void every_change_is_found(void **state)
{
	struct bed b = { 0 };

	(void)state;
	simple_repo();
	bed_open(&b);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct workspace *ws = ws_open(&b, "HEAD");
		AUTOFREE char *got = NULL;
		char *at;

		try_in(workspace_dir(ws), cases[i].script);
		got = harvested(&b, ws);
		at = strstr(got, workspace_dir(ws));
		if (at) {
			*at = 'W';
			memmove(at + 1, at + strlen(workspace_dir(ws)), strlen(at + strlen(workspace_dir(ws))) + 1);
		}
		if (strcmp(got, cases[i].want))
			fail_msg("after %s\nexpected:\n%sgot:\n%s", cases[i].script, cases[i].want, got);
		workspace_release(ws);
		/* And the next one is whole again. */
		ws = ws_open(&b, "HEAD");
		holds_exactly(ws, "HEAD");
		workspace_release(ws);
	}
	bed_close(&b);
}

static void depth_and_number_are_bounded(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;
	AUTOFREE char *got = NULL, *many = NULL;

	(void)state;
	simple_repo();
	/* Two hundred thousand files are quicker made in memory. */
	sh("test ! -w /dev/shm || git config harness.workspaces \"$(mktemp -d /dev/shm/run_harvest.XXXXXX)\"");
	bed_open(&b);
	ws = ws_open(&b, "HEAD");
	sh("cd '%s/src' && perl -e 'for (1..3000) { mkdir(\"dddddddddd\") && chdir(\"dddddddddd\") or die }'", workspace_dir(ws));
	got = harvested(&b, ws);
	assert_string_equal(got, "over depth\n");
	workspace_release(ws);
	ws = ws_open(&b, "HEAD");
	holds_exactly(ws, "HEAD");
	sh("cd '%s/src' && perl -e 'for (1..200100) { open my $f, \">\", \"n$_.o\" or die }'", workspace_dir(ws));
	many = harvested(&b, ws);
	assert_non_null(strstr(many, "over entries\n"));
	workspace_release(ws);
	bed_close(&b);
	sh("rm -rf \"$(git config harness.workspaces)\"");
}

static void a_socket_is_special(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "src/sock" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct bed b = { 0 };
	struct workspace *ws;
	AUTOFREE char *got = NULL;

	(void)state;
	simple_repo();
	bed_open(&b);
	ws = ws_open(&b, "HEAD");
	assert_int_equal(chdir(workspace_dir(ws)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(chdir(room_dir), 0);
	close(fd);
	got = harvested(&b, ws);
	assert_string_equal(got, "src/sock 0 0 special\n");
	bed_close(&b);
}

static void the_executable_bit_may_mean_nothing(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;
	AUTOFREE char *got = NULL;

	(void)state;
	simple_repo();
	sh("git config core.fileMode false");
	bed_open(&b);
	ws = ws_open(&b, "HEAD");
	sh("cd '%s' && chmod +x src/a.c && chmod -x frozen/eval.sh && echo g >frozen/eval.sh && echo n >src/n && chmod +x src/n", workspace_dir(ws));
	got = harvested(&b, ws);
	assert_string_equal(got, "frozen/eval.sh 100755 100755 'g\n'\nsrc/n 0 100644 'n\n'\n");
	bed_close(&b);
}

static void line_endings_are_the_bases(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;
	AUTOFREE char *got = NULL;

	(void)state;
	/* wrong.txt was committed with CRLF against its own attribute: untouched, or written again as it was, it is no change. */
	sh("git init -q . && mkdir src && printf 'a\r\n' >src/wrong.txt && printf 'b\n' >src/b.txt && git add -A && "
	   "echo '*.txt text eol=crlf' >.gitattributes && git add .gitattributes && git commit -qm one");
	bed_open(&b);
	ws = ws_open(&b, "HEAD");
	same("b\r", "cat '%s/src/b.txt'", workspace_dir(ws));
	sh("cd '%s/src' && cp wrong.txt x && mv x wrong.txt && cp b.txt x && mv x b.txt && printf 'c\r\n' >c.txt &&"
	   "printf '*.txt -text\n' >.gitattributes", workspace_dir(ws));
	got = harvested(&b, ws);
	assert_string_equal(got, "src/.gitattributes 0 100644 '*.txt -text\n'\nsrc/c.txt 0 100644 'c\n'\n");
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(every_change_is_found),
		ROOM_TEST(depth_and_number_are_bounded),
		ROOM_TEST(a_socket_is_special),
		ROOM_TEST(the_executable_bit_may_mean_nothing),
		ROOM_TEST(line_endings_are_the_bases),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
