/* Refs moved by compare-and-swap, against a git that packs, locks, and keeps odd things in its place. */
#include "git_room.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "git/ref.h"

#define BEST "refs/heads/harness/best"

static struct err err;
static struct repo *repo;
static struct oid a, b, zero;

static int enter(void **state)
{
	if (room_enter(state) < 0)
		return -1;
	sh("git init -q . && git commit -q --allow-empty -m a && git commit -q --allow-empty -m b");
	a = id_of("HEAD~1");
	b = id_of("HEAD");
	return repo_open(".", &repo, &err);
}

static int leave(void **state)
{
	sh("git fsck --strict --no-dangling 2>&1");
	repo_free(repo);
	repo = NULL;
	return room_leave(state);
}
#define REF_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

static void at(const char *name, const struct oid *want)
{
	struct oid now;

	OK(ref_read(repo, name, &now, &err));
	assert_string_equal(oid_hex(&now).s, oid_hex(want).s);
	if (!oid_is_zero(want))
		same(oid_hex(want).s, "git rev-parse --verify %s", name);
}

static void swap(void **state)
{
	(void)state;
	at(BEST, &zero);
	assert_int_equal(ref_update(repo, BEST, &a, &b, "x", &err), ERR_CONFLICT);
	OK(ref_update(repo, BEST, &zero, &a, "harness: start", &err));
	at(BEST, &a);
	assert_int_equal(ref_update(repo, BEST, &zero, &b, "x", &err), ERR_CONFLICT);
	assert_int_equal(ref_update(repo, BEST, &b, &a, "x", &err), ERR_CONFLICT);
	assert_non_null(strstr(err.msg, oid_hex(&a).s));
	assert_non_null(strstr(err.msg, oid_hex(&b).s));
	sh("git pack-refs --all --prune");
	at(BEST, &a);
	OK(ref_update(repo, BEST, &a, &b, "harness: accept 1", &err));
	at(BEST, &b);
	same("harness: accept 1\nharness: start", "git reflog show --format=%%gs harness/best");
	same("Ann", "git log -1 -g --format=%%gn harness/best");
	sh("git pack-refs --all --prune");
	assert_int_equal(ref_delete(repo, BEST, &a, &err), ERR_CONFLICT);
	OK(ref_delete(repo, BEST, &b, &err));
	at(BEST, &zero);
	same("", "git for-each-ref refs/heads/harness");
	assert_int_equal(access(".git/logs/" BEST, F_OK), -1);
	assert_int_equal(ref_delete(repo, BEST, &b, &err), ERR_NOT_FOUND);
	same("", "find .git -name '*.lock'");
}

static void reflogs(void **state)
{
	(void)state;
	OK(ref_update(repo, "refs/harness/ledger/main", &zero, &a, "x", &err));
	assert_int_equal(access(".git/logs/refs/harness/ledger/main", F_OK), -1);
	sh("git config --unset core.logAllRefUpdates && git config --global core.logAllRefUpdates always");
	repo_free(repo);
	OK(repo_open(".", &repo, &err));
	OK(ref_update(repo, "refs/harness/ledger/main", &a, &b, "kept", &err));
	same("kept", "git reflog show --format=%%gs refs/harness/ledger/main");
	sh("git config --global --unset core.logAllRefUpdates && git checkout -q -b harness/best main~1");
	OK(ref_update(repo, BEST, &a, &b, "moved", &err));
	same("moved", "git log -1 -g --format=%%gs HEAD");
}

static void guarded(void **state)
{
	static const char *const bad[] = { "refs/heads/main", "refs/notes/commits", "HEAD", "refs/heads/harness", "refs/harness/../heads/main",
					   "refs/heads/harness/x.lock", "refs/heads/harness/-/..", "refs/tags/harness/x", "refs/harness/" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(ref_update(repo, bad[i], &zero, &a, "x", &err), ERR_BUG);
		assert_int_equal(ref_delete(repo, bad[i], &a, &err), ERR_BUG);
		assert_int_equal(ref_unlock_stale(repo, bad[i], &err), ERR_BUG);
	}
	a.raw[0] ^= 1;
	assert_int_equal(ref_update(repo, BEST, &zero, &a, "x", &err), ERR_NOT_FOUND);
	same("main", "git for-each-ref --format='%%(refname:short)'");
}

static void symbolic(void **state)
{
	(void)state;
	sh("git symbolic-ref " BEST " refs/heads/main");
	assert_int_equal(ref_update(repo, BEST, &b, &a, "x", &err), ERR_REFUSED);
	assert_int_equal(ref_delete(repo, BEST, &b, &err), ERR_REFUSED);
	at("refs/heads/main", &b);
	sh("rm .git/" BEST " && ln -s ../main .git/" BEST);
	assert_int_equal(ref_update(repo, BEST, &b, &a, "x", &err), ERR_REFUSED);
	sh("ln -sf ../nowhere .git/" BEST);
	assert_int_equal(ref_update(repo, BEST, &zero, &a, "x", &err), ERR_REFUSED);
	at("refs/heads/main", &b);
	assert_int_equal(access(".git/refs/heads/nowhere", F_OK), -1);
	sh("rm .git/" BEST);
}

static void in_the_way(void **state)
{
	(void)state;
	sh("git branch harness");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ref_update(repo, BEST, &zero, &a, "x", &err), ERR_EXISTS);
		assert_non_null(strstr(err.msg, "'refs/heads/harness'"));
		assert_non_null(strstr(err.msg, "\nhint: git branch -m harness harness-old"));
		sh("git pack-refs --all --prune");
	}
	sh("git branch -D -q harness && git branch harness/best/x");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ref_update(repo, BEST, &zero, &a, "x", &err), ERR_EXISTS);
		sh("git pack-refs --all --prune");
	}
	sh("git branch -D -q harness/best/x && mkdir -p .git/" BEST "/empty/dir .git/logs/" BEST "/empty");
	OK(ref_update(repo, BEST, &zero, &a, "x", &err));
	at(BEST, &a);
}

static void let_go(int sig)
{
	(void)sig;
	unlink(".git/" BEST ".lock");
}

static void locks(void **state)
{
	int fd;

	(void)state;
	OK(ref_update(repo, BEST, &zero, &a, "x", &err));
	fd = open(".git/" BEST ".lock", O_CREAT | O_EXCL | O_WRONLY, 0644);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(ref_update(repo, BEST, &a, &b, "x", &err), ERR_LOCKED);
	assert_non_null(strstr(err.msg, "/.git/" BEST ".lock'"));
	OK(ref_unlock_stale(repo, BEST, &err));
	OK(ref_unlock_stale(repo, BEST, &err));
	OK(ref_update(repo, BEST, &a, &b, "x", &err));
	sh("touch .git/" BEST ".lock");		/* somebody else's, for a moment */
	signal(SIGALRM, let_go);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { .tv_usec = 100000 } }, NULL);
	OK(ref_update(repo, BEST, &b, &a, "x", &err));
	at(BEST, &a);
}

static void note_order(void *data, const char *name)
{
	AUTOFREE char *now = out("git rev-parse -q --verify %s || :", name);

	str_printf(data, "%s %s\n", name, now);
}

static void plans(void **state)
{
	static const char *const names[] = { "refs/harness/ledger/main", "refs/notes/harness", BEST };
	struct ref_plan *plan = ref_plan_new(repo), *other = ref_plan_new(repo);
	STR order = STR_INIT;
	STR want = STR_INIT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OK(ref_plan_lock(plan, names[i], &err));
		assert_true(oid_is_zero(ref_plan_old(plan, names[i])));
		OK(ref_plan_set(plan, names[i], &a, "x", &err));
		str_printf(&want, "%s \n", names[i]);
	}
	assert_int_equal(ref_plan_set(plan, "refs/heads/harness/other", &a, "x", &err), ERR_BUG);
	assert_int_equal(ref_plan_lock(other, BEST, &err), ERR_LOCKED);
	OK(ref_plan_commit(plan, note_order, &order, &err));
	assert_string_equal(order.buf, want.buf);
	ref_plan_free(plan);
	for (size_t i = 0; i < 3; i++)
		at(names[i], &a);
	OK(ref_plan_lock(other, BEST, &err));
	assert_true(oid_eq(ref_plan_old(other, BEST), &a));
	OK(ref_plan_set(other, BEST, &b, "x", &err));
	ref_plan_free(other);		/* let go: nothing moved, nothing locked */
	at(BEST, &a);
	same("", "find .git -name '*.lock'");
}

static void listed(void **state)
{
	CLEANUP(strs_free) struct strs l = { 0 };

	(void)state;
	OK(ref_update(repo, "refs/harness/ledger/b", &zero, &a, "x", &err));
	sh("git pack-refs --all");
	OK(ref_update(repo, "refs/harness/ledger/a", &zero, &a, "x", &err));
	OK(ref_update(repo, "refs/harness/ledgers", &zero, &a, "x", &err));
	OK(ref_list(repo, "refs/harness/ledger/", &l, &err));
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0], "refs/harness/ledger/a");
	assert_string_equal(l.v[1], "refs/harness/ledger/b");
	strs_free(&l);
	OK(ref_list(repo, "refs/none/", &l, &err));
	assert_int_equal(l.n, 0);
}

/* Refs are shared: what a linked worktree writes is there for all. */
static void from_worktree(void **state)
{
	(void)state;
	sh("git worktree add -q --detach wt");
	repo_free(repo);
	OK(repo_open("wt", &repo, &err));
	OK(ref_update(repo, BEST, &zero, &a, "x", &err));
	at(BEST, &a);
	assert_int_equal(access(".git/" BEST, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REF_TEST(swap), REF_TEST(reflogs), REF_TEST(guarded), REF_TEST(symbolic), REF_TEST(in_the_way),
		REF_TEST(locks), REF_TEST(plans), REF_TEST(listed), REF_TEST(from_worktree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
