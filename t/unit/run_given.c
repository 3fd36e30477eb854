/* Includes and what prepare made: in every workspace, never the worse for it, and the user's own files stay theirs. */
#include "run_room.h"

static void repo_with_data(void)
{
	sh("git init -q . && mkdir src && echo 1 >src/a && printf 'data\n.venv\nbuild\n' >.gitignore && git add -A && git commit -qm one &&"
	   "mkdir -p data/deep .venv/bin nested/cache && echo d1 >data/one && echo d2 >data/deep/two && chmod 755 data/deep/two &&"
	   "touch -d '2001-02-03 04:05:06' data/one && ln -s /usr/bin/env .venv/bin/python && ln -s python .venv/bin/python3 &&"
	   "echo 'import sys' >.venv/x.pth && echo c >nested/cache/c && mkdir ro && echo r >ro/r && chmod 555 ro && mkfifo data/fifo");
}

static bool nothing(void *data, const char *path)
{
	(void)data;
	fail_msg("asked about '%s'", path);
	return false;
}

static void finds_nothing(struct bed *b, struct workspace *ws)
{
	CLEANUP(harvest_free) struct harvest h = { 0 };
	struct oid tree = id_of("HEAD^{tree}");
	struct rules *rules;
	struct err err = { 0 };

	OK(rules_open(b->repo, &tree, &rules, &err));
	OK(workspace_harvest(ws, rules, nothing, NULL, &h, &err));
	rules_free(rules);
	assert_int_equal(h.n, 0);
	assert_int_equal(h.n_dropped, 0);
	assert_null(h.over);
}

static void listing_is_the_checkouts(struct workspace *ws)
{
	AUTOFREE char *ours = out("cd '%s' && find data .venv nested ro ! -type p -printf '%%p %%m %%y %%l\n' | sort; cat data/one ro/r", workspace_dir(ws));

	same(ours, "find data .venv nested ro ! -type p -printf '%%p %%m %%y %%l\n' | sed 's/^ro 555/ro 755/' | sort; cat data/one ro/r");
}

static void includes_are_copies(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;
	AUTOFREE char *before = NULL;
	static const char *const writes[] = {
		"true", "echo evil >data/one", "rm -rf data", "rm -rf .venv && ln -s \"$HOME\" .venv", "echo x >>ro/r; rm -f nested/cache/c; touch data/new ro/new",
		"touch -d '2001-02-03 04:05:06' t; printf 'dX\n' | dd of=data/one conv=notrunc 2>/dev/null; touch -r t data/one",
		"chmod 000 data/deep data; rm -rf nested; echo f >nested", "mv data/deep data/d; ln -s d data/deep", "chmod 777 data/one data",
	};

	(void)state;
	repo_with_data();
	before = out("find . -path ./.git -prune -o -printf '%%p %%m %%T@ %%s %%C@\n' | sort");
	strs_add(&b.include, "data");
	strs_add(&b.include, ".venv/");
	strs_add(&b.include, "data/deep");	/* in it already */
	strs_add(&b.include, "nested/cache");
	strs_add(&b.include, "ro");
	bed_open(&b);
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		ws = ws_open(&b, "HEAD");
		listing_is_the_checkouts(ws);
		same("2001-02-03", "stat -c %%y '%s/data/one' | cut -d' ' -f1", workspace_dir(ws));
		finds_nothing(&b, ws);
		try_in(workspace_dir(ws), writes[i]);
		workspace_release(ws);
		same(before, "find . -path ./.git -prune -o -printf '%%p %%m %%T@ %%s %%C@\n' | sort");
	}
	/* What changes at the source changes in the next workspace. */
	sh("echo new >data/one; rm -r data/deep nested/cache/c; mkdir data/deep.d; echo x >nested/cache/x");
	ws = ws_open(&b, "HEAD");
	listing_is_the_checkouts(ws);
	workspace_release(ws);
	bed_close(&b);
	sh("chmod 755 ro");
}

static void unchanged_includes_are_not_copied_again(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;
	AUTOFREE char *first = NULL;

	(void)state;
	repo_with_data();
	strs_add(&b.include, "data");
	bed_open(&b);
	ws = ws_open(&b, "HEAD");
	first = out("stat -c '%%i %%Z' '%s/data/one'", workspace_dir(ws));
	workspace_release(ws);
	ws = ws_open(&b, "HEAD");
	same(first, "stat -c '%%i %%Z' '%s/data/one'", workspace_dir(ws));
	bed_close(&b);
	sh("chmod 755 ro");
}

static void refused(const char *path, const char *why)
{
	struct bed b = { 0 };
	struct pool_spec spec = { .campaign = "main", .include = &b.include };
	struct err err = { 0 };

	unsetenv("XDG_CACHE_HOME");
	OK(repo_open(".", &b.repo, &err));
	spec.checkout = repo_work_dir(b.repo);
	strs_add(&b.include, path);
	if (pool_open(b.repo, &spec, &b.pool, &err) != ERR_REFUSED)
		fail_msg("'%s' is not refused", path);
	if (!strstr(err.msg, why))
		fail_msg("'%s': %s", path, err.msg);
	bed_close(&b);
}

static void includes_that_cannot_be(void **state)
{
	(void)state;
	repo_with_data();
	refused("src", "'src/a' is tracked");
	refused("src/a", "tracked");
	refused("nothing", "not there");
	refused("no/thing", "not there");
	refused("../outside", "not a path");
	refused("/etc", "not a path");
	refused(".git/hooks", "not a path");
	refused("", "not a path");
	sh("ln -s /usr link && ln -s data inner");
	refused("link", "link");
	refused("link/bin", "leaves");
	refused("inner", "link");
	sh("echo \"$PWD/src\" >.venv/editable.pth");
	refused(".venv", "'.venv/editable.pth' points back at the checkout");
	sh("printf '%%s' \"$PWD\" >.venv/editable.pth");
	refused(".venv", "points back");
	sh("echo \"$PWD-other/x\" >.venv/editable.pth; printf '{\"url\": \"file://%%s\"}' \"$PWD\" >.venv/direct_url.json");
	refused(".venv", "direct_url.json");
	sh("rm .venv/direct_url.json; ln -s \"$PWD/data\" .venv/d");
	refused(".venv", "'.venv/d' points back");
	sh("rm .venv/d; mkdir data/build; echo \"CMAKE_HOME_DIRECTORY:INTERNAL=$PWD\" >data/build/CMakeCache.txt");
	refused("data", "CMakeCache.txt");
	sh("chmod 755 ro");
}

static void a_tracked_file_wins_over_an_include(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;

	(void)state;
	repo_with_data();
	strs_add(&b.include, "data");
	bed_open(&b);
	ws = ws_open(&b, "HEAD");
	workspace_release(ws);
	sh("cp -r data keep && git checkout -q --detach && git add -f data/one && echo tracked >data/one && git add -f data/one && git commit -qm two &&"
	   "git tag two && git checkout -q main && rm -rf data && mv keep data");
	ws = ws_open(&b, "two");
	same("tracked d2", "cd '%s' && echo $(cat data/one data/deep/two)", workspace_dir(ws));
	workspace_release(ws);
	ws = ws_open(&b, "main");
	same("d1 d2", "cd '%s' && echo $(cat data/one data/deep/two)", workspace_dir(ws));
	bed_close(&b);
	sh("chmod 755 ro");
}

static void what_prepare_makes_is_everywhere(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws, *other;
	struct err err = { 0 };

	(void)state;
	repo_with_data();
	strs_add(&b.include, "data");
	bed_open(&b);
	assert_false(pool_is_prepared(b.pool));
	ws = ws_open(&b, "HEAD");
	other = ws_open(&b, "HEAD");
	workspace_release(other);	/* one that is there already gets it too */
	sh("cd '%s' && mkdir -p build/obj src/gen && echo o >build/obj/o && echo g >src/gen/g && ln -s obj build/link && echo x >data/x &&"
	   "git init -q vendor && echo v >vendor/v && chmod 700 build/obj/o", workspace_dir(ws));
	OK(pool_keep_prepared(b.pool, ws, &err));
	assert_true(pool_is_prepared(b.pool));
	workspace_release(ws);
	for (int i = 0; i < 4; i++) {
		if (i == 2) {
			bed_close(&b);
			strs_add(&b.include, "data");
			bed_open(&b);
			assert_true(pool_is_prepared(b.pool));
		}
		ws = ws_open(&b, "HEAD");
		same("o g v obj 700 d1 d2", "cd '%s' && echo $(cat build/obj/o src/gen/g vendor/v) $(readlink build/link) $(stat -c %%a build/obj/o)"
		     " $(cat data/one data/deep/two)", workspace_dir(ws));
		assert_false(is_there("%s/data/x", workspace_dir(ws)));
		finds_nothing(&b, ws);
		try_in(workspace_dir(ws), "rm -rf build vendor; echo evil >src/gen/g");
		workspace_release(ws);
	}
	ws = ws_open(&b, "HEAD");
	sh("echo 2 >'%s/src/a'", workspace_dir(ws));
	assert_int_equal(pool_keep_prepared(b.pool, ws, &err), ERR_REFUSED);
	assert_non_null(strstr(err.msg, "'src/a'"));
	workspace_release(ws);
	OK(pool_remove(b.pool, &err));
	assert_false(pool_is_prepared(b.pool));
	same("1", "git worktree list | wc -l; ls \"$HOME/.cache/git-harness\"");
	bed_close(&b);
	sh("chmod 755 ro");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(includes_are_copies),
		ROOM_TEST(unchanged_includes_are_not_copied_again),
		ROOM_TEST(includes_that_cannot_be),
		ROOM_TEST(a_tracked_file_wins_over_an_include),
		ROOM_TEST(what_prepare_makes_is_everywhere),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
