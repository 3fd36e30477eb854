/* Workspaces of repositories of every shape. */
#include "run_room.h"

#include "base/clock.h"

static void commit_some(void)
{
	sh("git init -q . && mkdir -p a/b && echo 1 >a/b/one && echo 2 >two && git add -A && git commit -qm one && git tag one");
}

static void from_a_linked_worktree(void **state)
{
	struct bed b = { 0 };

	(void)state;
	commit_some();
	sh("git worktree add -q ../linked && cd ../linked && echo 3 >three && git add . && git commit -qm two && git tag two");
	assert_int_equal(chdir("../linked"), 0);
	bed_open(&b);
	holds_exactly(ws_open(&b, "two"), "two");
	bed_close(&b);
	same("2", "git worktree list | wc -l");
	assert_int_equal(chdir("../room"), 0);
}

static void from_a_bare_main_repository(void **state)
{
	struct bed b = { 0 };

	(void)state;
	commit_some();
	sh("git clone -q --bare . ../bare.git");
	assert_int_equal(chdir("../bare.git"), 0);
	bed_open(&b);
	struct workspace *ws = ws_open(&b, "one");

	same("1 2 one", "cd '%s' && echo $(cat a/b/one two) $(git describe --tags) $(git status --porcelain)", workspace_dir(ws));
	bed_close(&b);
	same("1", "git worktree list | wc -l");
	sh("git fsck --strict");
	assert_int_equal(chdir("../room"), 0);
}

static void from_a_bare_main_with_a_linked_worktree(void **state)
{
	struct bed b = { 0 };

	(void)state;
	commit_some();
	sh("git clone -q --bare . ../bare.git && git -C ../bare.git worktree add -q ../co main");
	assert_int_equal(chdir("../co"), 0);
	bed_open(&b);
	holds_exactly(ws_open(&b, "one"), "one");
	bed_close(&b);
	assert_int_equal(chdir("../room"), 0);
}

static void with_worktree_config_and_a_sparse_checkout(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;
	AUTOFREE char *before = NULL;

	(void)state;
	commit_some();
	sh("git config extensions.worktreeConfig true && git config --worktree core.autocrlf input && git sparse-checkout set --sparse-index nothing && "
	   "test ! -e a/b/one");
	before = out("cat .git/config .git/config.worktree");
	bed_open(&b);
	for (int i = 0; i < 3; i++) {
		ws = ws_open(&b, "one");
		holds_exactly(ws, "one");
		same("input", "git -C '%s' config core.autocrlf", workspace_dir(ws));
		try_in(workspace_dir(ws), "git config --worktree core.autocrlf true; git sparse-checkout set x");
		workspace_release(ws);
	}
	bed_close(&b);
	same(before, "cat .git/config .git/config.worktree");
	assert_false(is_there("a/b/one"));
}

static void with_submodules(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;
	struct err err = { 0 };
	char *touched;

	(void)state;
	commit_some();
	sh("git init -q ../sub && cd ../sub && echo s >s && git add s && git commit -qm s");
	sh("git -c protocol.file.allow=always submodule --quiet add ../sub mod/sub 2>&1 && git commit -qm sub && git tag sub");
	bed_open(&b);
	for (int i = 0; i < 3; i++) {
		ws = ws_open(&b, "sub");
		same("", "ls -A '%s/mod/sub'", workspace_dir(ws));
		same("", "git -C '%s' status --porcelain --ignored", workspace_dir(ws));
		OK(workspace_touched(ws, &touched, &err));
		assert_null(touched);
		try_in(workspace_dir(ws), i == 0 ? "git -c protocol.file.allow=always submodule --quiet update --init" :
				   i == 1 ? "rm -rf mod" : "true");
		workspace_release(ws);
	}
	ws = ws_open(&b, "one");
	assert_false(is_there("%s/mod", workspace_dir(ws)));
	workspace_release(ws);
	bed_close(&b);
	/* And started inside the submodule's own checkout, whose configuration names a work tree. */
	assert_int_equal(chdir("mod/sub"), 0);
	bed_open(&b);
	holds_exactly(ws_open(&b, "HEAD"), "HEAD");
	bed_close(&b);
	assert_int_equal(chdir("../.."), 0);
}

static void with_odd_settings(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;

	(void)state;
	commit_some();
	sh("git config core.trustctime false && git config core.checkStat minimal && git config core.ignoreStat true && git config core.splitIndex true &&"
	   "git config core.untrackedCache true && git config core.fsmonitor 'touch \"$HOME\"/fsmonitor; false' && git config core.symlinks false &&"
	   "git config core.logAllRefUpdates always && git config worktree.useRelativePaths true && git config feature.manyFiles true &&"
	   "git config core.autocrlf true && mkdir hooks && for h in post-checkout post-index-change reference-transaction; do"
	   " printf '#!/bin/sh\ntouch \"$HOME\"/hook\n' >hooks/$h; chmod +x hooks/$h; done && ln -s two link && git add -A && git commit -qm two &&"
	   "git tag two && git config core.hooksPath hooks && rm -f \"$HOME/hook\" \"$HOME/fsmonitor\"");
	bed_open(&b);
	for (int i = 0; i < 3; i++) {
		ws = ws_open(&b, i % 2 ? "one" : "two");
		same(i % 2 ? "1\r" : "1\r 2\r", "cd '%s' && echo $(cat a/b/one) $(test -L link && cat link)", workspace_dir(ws));
		assert_false(is_there("%s/../hook", room_dir) || is_there("%s/../fsmonitor", room_dir));
		try_in(workspace_dir(ws), "touch -r two t; printf 'X\r\n' >two; touch -r t two");
		workspace_release(ws);
	}
	bed_close(&b);
}

static bool want_all(void *data, const char *path)
{
	(void)data;
	(void)path;
	return true;
}

/* The user's own smudge filter runs, as in his checkout; what it made is no change, and a change of it cannot be cleaned by us. */
static void with_a_filter(void **state)
{
	CLEANUP(harvest_free) struct harvest h = { 0 };
	struct bed b = { 0 };
	struct workspace *ws;
	struct rules *rules;
	struct oid tree;
	struct err err = { 0 };
	char *touched;

	(void)state;
	commit_some();
	sh("git config filter.up.smudge 'tr a-z A-Z' && git config filter.up.clean 'tr A-Z a-z' && git config filter.up.required true &&"
	   "echo '*.up filter=up' >.gitattributes && echo loud >x.up && git add -A && git commit -qm two && git tag two");
	tree = id_of("two^{tree}");
	bed_open(&b);
	for (int i = 0; i < 2; i++) {
		ws = ws_open(&b, "two");
		same("LOUD", "cat '%s/x.up'", workspace_dir(ws));
		holds_exactly(ws, "two");
		OK(workspace_touched(ws, &touched, &err));
		assert_null(touched);
		workspace_release(ws);
	}
	ws = ws_open(&b, "two");
	OK(rules_open(b.repo, &tree, &rules, &err));
	sh("cd '%s' && echo MORE >>x.up && echo 3 >two", workspace_dir(ws));
	OK(workspace_harvest(ws, rules, want_all, NULL, &h, &err));
	rules_free(rules);
	assert_int_equal(h.n, 2);
	assert_string_equal(h.v[1].path, "x.up");
	assert_string_equal(h.v[1].refused_attr, "filter");
	assert_null(h.v[0].refused_attr);
	bed_close(&b);
}

static void where_the_pool_is(void **state)
{
	struct bed b = { 0 }, c = { 0 };
	struct pool_spec spec = { .campaign = "other" };
	struct err err = { 0 };
	struct workspace *ws;

	(void)state;
	commit_some();
	sh("git config harness.workspaces '~/in here'");
	bed_open(&b);
	ws = ws_open(&b, "one");
	assert_true(starts_with(workspace_dir(ws), room_base));
	assert_non_null(strstr(workspace_dir(ws), "/in here/room-main-"));
	holds_exactly(ws, "one");
	OK(repo_open(".", &c.repo, &err));
	OK(pool_open(c.repo, &spec, &c.pool, &err));	/* another campaign at the same time */
	holds_exactly(ws_open(&c, "one"), "one");
	holds_exactly(ws, "one");
	bed_close(&c);
	bed_close(&b);
	sh("git config harness.workspaces relative/place");
	OK(repo_open(".", &c.repo, &err));
	assert_int_equal(pool_open(c.repo, &spec, &c.pool, &err), ERR_INVALID);
	repo_free(c.repo);
}

static int64_t took(int64_t since)
{
	return (clock_mono() - since) / NS_PER_MS;
}

/* Not a timed test: the figures are for who reads the log. */
static void of_twenty_thousand_files(void **state)
{
	struct bed b = { 0 };
	struct workspace *ws;
	int64_t first, again, edit, other, reset;
	struct err err = { 0 };
	char *touched;

	(void)state;
	sh("git init -q . && perl -e 'for my $d (1..200) { mkdir \"d$d\"; for (1..100) { open my $f, \">\", \"d$d/f$_\"; print $f \"$d $_\n\" } }' &&"
	   "git add -A && git commit -qm one && git tag one && echo x >d7/f7 && git commit -qam two && git tag two");
	bed_open(&b);
	first = clock_mono();
	ws = ws_open(&b, "one");
	first = took(first);
	workspace_release(ws);
	again = clock_mono();
	ws = ws_open(&b, "one");
	again = took(again);
	sh("echo y >'%s/d9/f9'", workspace_dir(ws));
	workspace_release(ws);
	edit = clock_mono();
	ws = ws_open(&b, "one");
	edit = took(edit);
	workspace_release(ws);
	other = clock_mono();
	ws = ws_open(&b, "two");
	other = took(other);
	holds_exactly(ws, "two");
	reset = clock_mono();
	sh("git -C '%s' reset -q --hard one", workspace_dir(ws));
	reset = took(reset);
	OK(workspace_touched(ws, &touched, &err));
	assert_string_equal(touched, "d7/f7");
	free(touched);
	bed_close(&b);
	print_message("20k files, ms: first %d, again %d, one edit %d, other commit %d; git reset --hard %d\n",
		      (int)first, (int)again, (int)edit, (int)other, (int)reset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(from_a_linked_worktree),
		ROOM_TEST(from_a_bare_main_repository),
		ROOM_TEST(from_a_bare_main_with_a_linked_worktree),
		ROOM_TEST(with_worktree_config_and_a_sparse_checkout),
		ROOM_TEST(with_submodules),
		ROOM_TEST(with_odd_settings),
		ROOM_TEST(with_a_filter),
		ROOM_TEST(where_the_pool_is),
		ROOM_TEST(of_twenty_thousand_files),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
