/* Decisions written down and read back: by us, by plain git, after a kill between any two refs, by eight writers at once. */
#include "ledger_room.h"

#include <sys/wait.h>

static void reopen(struct camp *c)
{
	history_free(c->h);
	repo_free(c->repo);
	OK(repo_open(NULL, &c->repo, &err));
	OK(history_read(c->repo, "main", &c->h, &err));
}

static void reads_well(void **state)
{
	CAMP c = { 0 };
	const struct record *r;

	(void)state;
	camp_open(&c);
	assert_false(c.h->needs_baseline);
	assert_int_equal(c.h->best_number, 0);
	OK(value(&c, "9"));
	OK(value(&c, "8.9"));
	OK(crash(&c));
	OK(crash(&c));
	OK(value(&c, "7,8,6"));
	for (int i = 0; i < 2; i++) {	/* as written, and as read anew */
		assert_int_equal(c.h->n_records, 6);
		assert_int_equal(c.h->best_number, 5);
		assert_true(history_best_value(c.h) == 7);
		assert_int_equal(c.h->spent.experiments, 5);
		assert_int_equal(c.h->spent.plateau, 0);
		assert_int_equal(c.h->spent.failures, 0);
		assert_int_equal(c.h->spent.wall, INT64_C(6000000000));
		assert_int_equal(history_accepted(c.h), 2);
		r = history_record(c.h, 2);
		assert_int_equal(r->reason, REASON_NO_GAIN);
		assert_true(oid_eq(&r->base, &history_record(c.h, 1)->accepted));
		assert_string_equal(r->subject, "experiment 2");
		assert_false(oid_is_zero(&r->agent_log));
		reopen(&c);
	}
	same(oid_hex(&c.h->best).s, "git rev-parse harness/best");
	same("experiment 5\nexperiment 1\nstart", "git log --format=%%s harness/best");
	same("1", "git notes --ref=harness show harness/best^ | grep -c 'event=decide verdict=accept reason=better metric=score value=9'");
	same("1", "git notes --ref=harness show harness/best~2 | grep -c ' experiment=0 event=decide verdict=accept reason=baseline'");
	same("score=7 best=9 delta=-2", "git log -1 --format='%%(trailers:key=Harness-Metric,valueonly,separator=)' harness/best");
	all_well(&c);
}

static void counts(void **state)
{
	CAMP c = { 0 };

	(void)state;
	camp_open(&c);
	OK(crash(&c));
	OK(try(&c, &(struct attempt){ .verdict = VERDICT_REJECT, .reason = REASON_AGENT_FAILED, .text = "10\n" }));
	OK(try(&c, &(struct attempt){ .verdict = VERDICT_REJECT, .reason = REASON_AGENT_FAILED, .text = "10\n" }));
	assert_int_equal(c.h->spent.failures, 3);
	assert_int_equal(c.h->agent_failures, 2);
	assert_int_equal(c.h->spent.plateau, 3);
	OK(value(&c, "12"));
	assert_int_equal(c.h->spent.failures, 0);
	assert_int_equal(c.h->agent_failures, 0);
	assert_int_equal(c.h->spent.plateau, 4);
	assert_int_equal(c.h->spent.experiments, 4);
}

static void duplicates(void **state)
{
	CAMP c = { 0 };
	struct oid base, tree;

	(void)state;
	camp_open(&c);
	OK(value(&c, "11"));
	OK(tree_of_commit(c.repo, &c.h->best, &base, &err));
	tree = tree_with(&c, &c.h->best, "value", "11");
	assert_int_equal(history_measured(c.h, &base, &tree), 1);
	assert_int_equal(history_measured(c.h, &tree, &base), -1);
	OK(value(&c, "12"));
	assert_int_equal(history_measured(c.h, &base, &tree), 1);
	OK(value(&c, "5"));	/* best moves: the same tree on another base is new */
	OK(tree_of_commit(c.repo, &c.h->best, &base, &err));
	assert_int_equal(history_measured(c.h, &base, &tree), -1);
	reopen(&c);
	OK(tree_of_commit(c.repo, &c.h->start, &base, &err));
	assert_int_equal(history_measured(c.h, &base, &tree), 1);
	OK(baseline(&c, &c.h->best, "5"));	/* measured anew: nothing before it counts */
	assert_int_equal(history_measured(c.h, &base, &tree), -1);
	assert_int_equal(c.h->best_number, 3);
	assert_int_equal(c.h->last_baseline, 4);
	all_well(&c);
}

static void kept_through_gc(void **state)
{
	CAMP c = { 0 };

	(void)state;
	camp_open(&c);
	for (int i = 0; i < 5; i++)
		OK(value(&c, i == 3 ? "8" : "20"));
	OK(try(&c, &(struct attempt){ .text = "x", .path = "frozen", .verdict = VERDICT_ESCALATE, .reason = REASON_SURFACE }));
	sh("git update-ref -d refs/heads/harness/review/main-6 && git reflog expire --expire=now --all && git gc -q --prune=now");
	reopen(&c);
	for (int i = 1; i <= 6; i++)
		assert_true(repo_has(c.repo, &history_record(c.h, (int)i)->commit));
	all_well(&c);
	OK(value(&c, "7"));
	all_well(&c);
}

/* The tree is cumulative, and each commit adds to it what is new. */
static void tree_of_the_ledger(void **state)
{
	CAMP c = { 0 };

	(void)state;
	camp_open(&c);
	OK(value(&c, "9"));
	OK(value(&c, "11"));
	same("campaign\nexperiments/00xx/0000/record\nexperiments/00xx/0001/agent.log\nexperiments/00xx/0001/record\n"
	     "experiments/00xx/0002/agent.log\nexperiments/00xx/0002/record\npolicy.yaml",
	     "git ls-tree -r --name-only refs/harness/ledger/main");
	same("", "git diff-tree -r --diff-filter=a refs/harness/ledger/main~2 refs/harness/ledger/main");
	same("2", "git log -1 --format=%%P refs/harness/ledger/main | wc -w");
	same("1", "git log -1 --format=%%P refs/harness/ledger/main~2 | wc -w");
	same("experiment", "git log -1 --format='%%(trailers:key=Harness-Entry,valueonly,separator=)' refs/harness/ledger/main");
}

/* ---- dying in between ---- */

static void die_before(void *data, const char *ref)
{
	if (!strcmp(data, ref))
		_exit(7);
}

static void die_at(const char *ref, const char *samples)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		CLEANUP(events_free) struct events none = { 0 };
		struct camp c = { .before = die_before, .before_data = (void *)ref };
		struct err e;

		if (repo_open(NULL, &c.repo, &e) < 0 || history_read(c.repo, "main", &c.h, &e) < 0 ||
		    journal_open("../journal", &c.journal, &none, &e) < 0)
			_exit(1);
		value(&c, samples);
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void open_again(struct camp *c, int *mended)
{
	CLEANUP(events_free) struct events lines = { 0 };
	struct journal *j;

	reopen(c);
	OK(journal_open("../journal", &j, &lines, &err));
	OK(ledger_unlock(c->repo, &lines, &err));
	journal_close(j);
	OK(ledger_mend(c->repo, c->h, mended, &err));
}

static void killed_between_refs(void **state)
{
	static const struct {
		const char *ref;
		size_t records;
		int mended;
	} cases[] = {
		{ "refs/harness/ledger/main", 2, 0 },	/* nothing happened */
		{ "refs/notes/harness", 3, 2 },		/* the note, best */
		{ "refs/heads/harness/best", 3, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CAMP c = { 0 };
		int mended;

		camp_open(&c);
		OK(value(&c, "9"));
		die_at(cases[i].ref, "8");
		sh("test -e .git/%s.lock", cases[i].ref);
		open_again(&c, &mended);
		assert_int_equal(c.h->n_records, cases[i].records);
		assert_int_equal(mended, cases[i].mended);
		same("", "find .git -name '*.lock'");
		all_well(&c);
		OK(value(&c, "7"));
		all_well(&c);
		sh("cd .. && rm -rf r journal");
		assert_int_equal(chdir(room_dir), 0);
	}
}

/* A lock that is not named in the journal is somebody else's. */
static void foreign_lock(void **state)
{
	CAMP c = { 0 };
	CLEANUP(events_free) struct events lines = { 0 };
	struct event *e = events_push(&lines);

	(void)state;
	camp_open(&c);
	sh("touch .git/refs/harness/ledger/main.lock .git/refs/notes/other.lock");
	OK(ledger_unlock(c.repo, &(struct events){ 0 }, &err));
	event_add(e, "event", "locks");
	event_add(e, "refs", "refs/notes/harness,refs/heads/harness/best");
	OK(ledger_unlock(c.repo, &lines, &err));
	sh("test -e .git/refs/harness/ledger/main.lock && test -e .git/refs/notes/other.lock");
	assert_int_equal(value(&c, "9"), ERR_LOCKED);
	assert_non_null(strstr(err.msg, "main.lock"));
	e = events_push(&lines);
	event_add(e, "event", "unlocked");
	event_add(e, "refs", "refs/notes/harness");
	sh("touch .git/refs/notes/harness.lock");
	OK(ledger_unlock(c.repo, &lines, &err));
	sh("test -e .git/refs/notes/harness.lock");
}

static void moved_by_hand(void **state)
{
	CAMP c = { 0 };
	int mended;

	(void)state;
	camp_open(&c);
	OK(value(&c, "9"));
	OK(value(&c, "8"));
	OK(value(&c, "20"));	/* best stayed: now no writer can have left it anywhere else */
	sh("git branch -f harness/best harness/best^");
	assert_int_equal(ledger_mend(c.repo, c.h, &mended, &err), ERR_REFUSED);
	assert_non_null(strstr(err.msg, "hint: git branch -f harness/best "));
	assert_int_equal(value(&c, "7"), ERR_REFUSED);
	does_not_follow(&c, "branch 'harness/best' is at");
	sh("git branch -f harness/best %s", oid_hex(&c.h->best).s);
	OK(ledger_mend(c.repo, c.h, &mended, &err));
	assert_int_equal(mended, 0);
	sh("git branch -D harness/best -q");
	assert_int_equal(ledger_mend(c.repo, c.h, &mended, &err), ERR_REFUSED);
	does_not_follow(&c, "is gone");
	sh("git branch harness/best %s", oid_hex(&c.h->best).s);
	all_well(&c);
}

static void best_in_use(void **state)
{
	CAMP c = { 0 };
	AUTOFREE char *path = NULL;
	struct oid before;
	int mended;

	(void)state;
	camp_open(&c);
	OK(value(&c, "9"));
	before = c.h->best;
	sh("git worktree add -q ../w harness/best 2>/dev/null");
	OK(value(&c, "8"));
	OK(value(&c, "20"));
	OK(value(&c, "7"));
	same(oid_hex(&before).s, "git rev-parse harness/best");
	same("", "git -C ../w status --porcelain");
	OK(ledger_best_waits(c.repo, c.h, &path, &err));
	assert_non_null(strstr(path, "/w"));
	all_well(&c);
	reopen(&c);
	OK(ledger_mend(c.repo, c.h, &mended, &err));
	same(oid_hex(&before).s, "git rev-parse harness/best");
	sh("git -C ../w switch -q --detach");
	reopen(&c);
	OK(ledger_mend(c.repo, c.h, &mended, &err));
	assert_int_equal(mended, 1);
	same(oid_hex(&c.h->best).s, "git rev-parse harness/best");
	all_well(&c);
}

/* ---- notes ---- */

static void notes_mended(void **state)
{
	CAMP c = { 0 };
	int mended;

	(void)state;
	camp_open(&c);
	OK(value(&c, "9"));
	OK(value(&c, "8"));
	OK(ledger_mend(c.repo, c.h, &mended, &err));
	assert_int_equal(mended, 0);
	sh("git notes --ref=harness append -m 'a person says: nice' harness/best && git notes --ref=harness remove harness/best^ 2>&1");
	OK(ledger_mend(c.repo, c.h, &mended, &err));
	assert_int_equal(mended, 1);
	same("1", "git notes --ref=harness show harness/best | grep -c 'a person says: nice'");
	sh("git notes --ref=harness show harness/best | sort >../was && git notes --ref=harness show harness/best | sed '/event=evaluate/d' |"
	   "git notes --ref=harness add -f -F - harness/best 2>&1");
	OK(ledger_mend(c.repo, c.h, &mended, &err));
	assert_int_equal(mended, 1);
	same("", "git notes --ref=harness show harness/best | sort | diff - ../was");
	sh("git update-ref -d refs/notes/harness");
	OK(ledger_mend(c.repo, c.h, &mended, &err));
	assert_int_equal(mended, 3);
	all_well(&c);
}

#define WRITERS 8
#define EACH 12

static void write_campaign(int i)
{
	AUTOFREE char *name = xasprintf("c%d", i);
	struct camp c = { 0 };
	struct oid head = id_of("HEAD"), policy = id_of("HEAD:harness.yaml");
	struct err e;

	if (repo_open(NULL, &c.repo, &e) < 0 || ledger_start(c.repo, name, &policy, &head, &e) < 0 ||
	    history_read(c.repo, name, &c.h, &e) < 0) {
		fprintf(stderr, "%s: %s\n", name, e.msg);
		_exit(1);
	}
	if (baseline(&c, &head, "10") < 0)
		_exit(2);
	for (int n = 0; n < EACH; n++) {
		if (value(&c, n % 2 ? "10" : "30") < 0)
			_exit(3);
	}
	_exit(0);
}

/* One campaign each, one notes ref for all. Each commit also carries the baseline's note of all campaigns. */
static void eight_writers(void **state)
{
	CAMP c = { 0 };
	pid_t pids[WRITERS];
	char want[32];

	(void)state;
	camp_open(&c);
	fflush(NULL);
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (!pids[i])
			write_campaign(i);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	snprintf(want, sizeof(want), "%d", WRITERS * (EACH + 1) + 1);
	same(want, "git notes --ref=harness list | while read note commit; do git notes --ref=harness show $commit; done |"
	     "grep -c event=decide");
	same("", "git fsck --strict --no-dangling 2>&1");
	for (int i = 0; i < WRITERS; i++) {
		AUTOFREE char *name = xasprintf("c%d", i);
		struct verify_result r;

		OK(verify_campaign(c.repo, name, &r, &err));
		if (r.broken)
			fail_msg("%s", r.what);
		assert_int_equal(r.notes, EACH + 1);
	}
}

static void refusals(void **state)
{
	CAMP c = { 0 };
	struct history *h = NULL;
	struct oid head;

	(void)state;
	camp_open(&c);
	head = id_of("HEAD");
	assert_int_equal(history_read(c.repo, "other", &h, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.msg, "hint: git harness start"));
	assert_true(ledger_start(c.repo, "main", &c.h->policy_blob, &head, &err) < 0);
	OK(value(&c, "9"));
	{	/* what was judged against an older best does not join the line */
		struct ledger_write w = { .kind = ENTRY_EXPERIMENT, .number = 2, .subject = "x", .best = head, .commit = head };
		CLEANUP(events_free) struct events lines = { 0 };

		line(&lines, &c, 2, "decide");
		w.lines = &lines;
		assert_int_equal(ledger_write(c.repo, c.h, NULL, &w, &err), ERR_CONFLICT);
		w.number = 1;	/* recorded */
		assert_int_equal(ledger_write(c.repo, c.h, NULL, &w, &err), ERR_BUG);
		w.number = 2 + PARALLEL_MAX;	/* so many are never open */
		assert_int_equal(ledger_write(c.repo, c.h, NULL, &w, &err), ERR_BUG);
	}
	sh("git update-ref refs/harness/ledger/main refs/harness/ledger/main^");
	assert_int_equal(value(&c, "8"), ERR_CONFLICT);
	assert_int_equal(history_refresh(c.repo, c.h, &err), ERR_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(reads_well),		ROOM_TEST(counts),	 ROOM_TEST(duplicates),	  ROOM_TEST(kept_through_gc),
		ROOM_TEST(tree_of_the_ledger), ROOM_TEST(killed_between_refs), ROOM_TEST(foreign_lock), ROOM_TEST(moved_by_hand),
		ROOM_TEST(best_in_use),	ROOM_TEST(notes_mended), ROOM_TEST(eight_writers), ROOM_TEST(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
