/* Each kind of break is found and named. Ledgers are forged with plain git, as somebody with write access to the repository would. */
#include "ledger_room.h"

#define LEDGER "refs/harness/ledger/main"

static void reread(struct camp *c)
{
	int mended;

	history_free(c->h);
	repo_free(c->repo);
	c->h = NULL;
	OK(repo_open(NULL, &c->repo, &err));
	OK(history_read(c->repo, "main", &c->h, &err));
	/* a forger makes notes and best fit as well: what is found has to be found in the ledger */
	OK(ledger_mend(c->repo, c->h, &mended, &err));
}

/* The tip's commit object through sed, and the ref moved there. */
static void forge_commit(const char *sed)
{
	sh("git update-ref %s $(git cat-file commit %s | sed '%s' | git hash-object -t commit -w --stdin)", LEDGER, LEDGER, sed);
}

/* One file of the tip's tree through sed. */
static void forge_file(const char *path, const char *sed)
{
	sh("set -e; export GIT_INDEX_FILE=$PWD/../index; git read-tree %s; b=$(git cat-file blob %s:%s | sed '%s' |"
	   "git hash-object -w --stdin); git update-index --add --cacheinfo 100644,$b,%s; t=$(git write-tree);"
	   "git update-ref %s $(git cat-file commit %s | sed \"s/^tree .*/tree $t/\" | git hash-object -t commit -w --stdin)",
	   LEDGER, LEDGER, path, sed, path, LEDGER, LEDGER);
}

static void three(struct camp *c)
{
	camp_open(c);
	OK(value(c, "9"));
	OK(value(c, "8.75"));
	OK(value(c, "7,8"));
	all_well(c);
}

static void notes(void **state)
{
	CAMP c = { 0 };

	(void)state;
	three(&c);
	sh("git notes --ref=harness append -m 'foreign text' harness/best");
	all_well(&c);
	/* merged by sorting lines, as git notes merge can */
	sh("git notes --ref=harness show harness/best | sort -r | git notes --ref=harness add -f -F - harness/best 2>&1");
	all_well(&c);
	sh("git notes --ref=harness show harness/best | sed 's/score=7,8/score=7,7/' | git notes --ref=harness add -f -F - harness/best 2>&1");
	does_not_follow(&c, "main/3: the note of");
	does_not_follow(&c, "score=7,7', the ledger says");
	sh("git notes --ref=harness show harness/best | sed '/event=propose/d' | git notes --ref=harness add -f -F - harness/best 2>&1");
	does_not_follow(&c, "main/3: the note of");
	sh("git notes --ref=harness remove harness/best 2>&1");
	does_not_follow(&c, "main/3: commit");
	does_not_follow(&c, "has no note");
}

static void records(void **state)
{
	CAMP c = { 0 };

	(void)state;
	three(&c);
	forge_file("experiments/00xx/0003/record", "s/threshold=0.5/threshold=0.4/");
	reread(&c);
	does_not_follow(&c, "main/3: the record says threshold=0.4, the samples say 0.5");
	forge_file("experiments/00xx/0003/record", "s/threshold=0.4/threshold=0.5/;s/delta=-1.5/delta=-1.6/");
	reread(&c);
	does_not_follow(&c, "main/3: commit");
	does_not_follow(&c, "says 'Harness-Metric: score=7.5 best=9 delta=-1.5', the ledger says 'Harness-Metric: score=7.5 best=9 delta=-1.6'");
	forge_file("experiments/00xx/0003/record", "s/delta=-1.6/delta=-1.5/;s/ n=2 / n=7 /");
	reread(&c);
	does_not_follow(&c, "main/3: line ");
	forge_file("experiments/00xx/0003/record", "s/ n=7 / n=2 /;s/policy=.../policy=xyz/");
	reread(&c);
	does_not_follow(&c, "main/3: decided under policy xyz");
}

/* An old record changed in a new ledger commit: the tree only grows. */
static void history_rewritten(void **state)
{
	CAMP c = { 0 };

	(void)state;
	three(&c);
	forge_file("experiments/00xx/0002/record", "s/score=8.75/score=8.85/");
	reread(&c);
	does_not_follow(&c, "(experiment) changes 'experiments/00xx/0002/record', which is not its to change");
}

static void dropped(void **state)
{
	CAMP c = { 0 };

	(void)state;
	three(&c);
	sh("export GIT_INDEX_FILE=$PWD/../index; git read-tree " LEDGER " && git rm -q --cached experiments/00xx/0002/record &&"
	   "t=$(git write-tree) && git update-ref " LEDGER " $(git cat-file commit " LEDGER " | sed \"s/^tree .*/tree $t/\" |"
	   "git hash-object -t commit -w --stdin)");
	does_not_follow(&c, "main/2: the ledger holds no record of it");
	sh("git update-ref " LEDGER " " LEDGER "~2");	/* both gone, best left where it was */
	does_not_follow(&c, "branch 'harness/best' is at");
}

/* Number 2 left out of the chain, though its files are there; then the last two in the other order. */
static void reordered(void **state)
{
	CAMP c = { 0 };

	(void)state;
	three(&c);
	sh("git update-ref refs/harness/kept " LEDGER);
	forge_commit("0,/^parent/s/^parent .*/parent '$(git rev-parse " LEDGER "~2)'/");
	does_not_follow(&c, "'experiments/00xx/0002/agent.log' belongs to no recorded number");
	sh("export GIT_INDEX_FILE=$PWD/../index; git read-tree " LEDGER " && git rm -r -q --cached experiments/00xx/0002 &&"
	   "t=$(git write-tree) && git update-ref " LEDGER " $(git cat-file commit " LEDGER " | sed \"s/^tree .*/tree $t/\" |"
	   "git hash-object -t commit -w --stdin)");
	does_not_follow(&c, "records number 3 where 2 is due");
	sh("git update-ref " LEDGER " refs/harness/kept");
	forge_commit("s/^Harness-Experiment: 3/Harness-Experiment: 2/");
	does_not_follow(&c, "main");
	sh("git update-ref " LEDGER " refs/harness/kept");
	forge_commit("/^parent/{x;s/^/p/;/^pp$/{x;d};x}");
	does_not_follow(&c, "has the wrong number of parents");
	sh("git update-ref " LEDGER " refs/harness/kept");
	forge_commit("s/^Harness-Best: .*/Harness-Best: '$(git rev-parse harness/best^)'/");
	does_not_follow(&c, "says Harness-Best");
}

static void missing_commit(void **state)
{
	CAMP c = { 0 };

	(void)state;
	three(&c);
	sh("h=%s && rm -f .git/objects/$(echo $h | cut -c1-2)/$(echo $h | cut -c3-)", oid_hex(&history_record(c.h, 2)->commit).s);
	history_free(c.h);
	repo_free(c.repo);
	c.h = NULL;
	OK(repo_open(NULL, &c.repo, &err));
	does_not_follow(&c, "main/2: its commit ");
	does_not_follow(&c, " is missing");
}

/* The tip's experiment commit through sed, with ledger, best and notes made to fit. */
static void forge_experiment(const char *sed)
{
	sh("set -e; o=$(git rev-parse " LEDGER "^2); n=$(git cat-file commit $o | sed '%s' | git hash-object -t commit -w --stdin);"
	   "git update-ref " LEDGER " $(git cat-file commit " LEDGER " | sed \"s/$o/$n/\" | git hash-object -t commit -w --stdin);"
	   "test $(git rev-parse harness/best) != $o || git update-ref refs/heads/harness/best $n", sed);
}

static void trailers(void **state)
{
	CAMP c = { 0 };

	(void)state;
	three(&c);
	OK(try(&c, &(struct attempt){ .samples = "12", .subject = "Harness-v1.2: better", .body = "Harness-x y: z\n\nHarness-Verdict: accept\n" }));
	all_well(&c);	/* no trailer of ours has such a name */
	OK(value(&c, "6"));
	forge_experiment("s/^Harness-Metric: score=.*/Harness-Metric: score=1 best=9 delta=-8/");
	reread(&c);
	does_not_follow(&c, "says 'Harness-Metric: score=1 best=9 delta=-8', the ledger says 'Harness-Metric: score=6 best=7.5 delta=-1.5'");
	forge_experiment("/^Harness-Metric/d");
	reread(&c);
	does_not_follow(&c, "says 'Harness-Policy");
	forge_experiment("/^Harness-Policy/iHarness-Metric: score=6 best=7.5 delta=-1.5");
	reread(&c);
	all_well(&c);
	forge_experiment("/^Harness-Agent/aHarness-Approved-By: Boss <boss@example.com>");
	reread(&c);
	does_not_follow(&c, "has the trailer 'Harness-Approved-By: Boss <boss@example.com>', which the ledger does not give");
	forge_experiment("/^Harness-Ap/d;/^Harness-Agent/d");
	reread(&c);
	does_not_follow(&c, "lacks the trailer 'Harness-Agent: tune'");
}

static void other_tree(void **state)
{
	CAMP c = { 0 };
	AUTOFREE char *parent = NULL, *tree = NULL;

	(void)state;
	three(&c);
	tree = out("git rev-parse harness/best^^{tree}");
	sh("git update-ref refs/harness/kept " LEDGER);
	{
		AUTOFREE char *sed = xasprintf("s/^tree .*/tree %s/", tree);

		forge_experiment(sed);
	}
	reread(&c);
	does_not_follow(&c, "has the tree");
	sh("git update-ref " LEDGER " refs/harness/kept && git update-ref refs/heads/harness/best " LEDGER "^2");
	parent = out("git rev-parse harness/best~2");
	{
		AUTOFREE char *sed = xasprintf("s/^parent .*/parent %s/", parent);

		forge_experiment(sed);
	}
	reread(&c);
	does_not_follow(&c, "main/3: commit");
	does_not_follow(&c, "the record says it was judged against");
}

/* ---- a loop that lies: everything fits, and nothing follows ---- */

static void lies(void **state)
{
	static const struct {
		struct attempt a;
		const char *why;
	} cases[] = {
		{ { .samples = "9.75", .verdict = VERDICT_ACCEPT, .reason = REASON_BETTER },
		  "main/1: the record says accept (better), the samples say reject (no-gain)" },
		{ { .samples = "5", .verdict = VERDICT_REJECT, .reason = REASON_WORSE },
		  "main/1: the record says reject (worse), the samples say accept (better)" },
		{ { .samples = "5", .verdict = VERDICT_REJECT, .reason = REASON_CRASH },
		  "main/1: recorded as reject (crash), but every step ran to its end and every metric is there" },
		{ { .samples = "5", .path = "frozen", .text = "melted" }, "its tree changes 'frozen': " },
		{ { .samples = "5", .path = "harness.yaml", .text = "x" }, "its tree changes 'harness.yaml': " },
		{ { .text = "5", .verdict = VERDICT_REJECT, .reason = REASON_DUPLICATE }, "no number before it measured that tree" },
		{ { .text = "5", .verdict = VERDICT_REJECT, .reason = REASON_NO_OP }, "main/1: recorded as no-op, but its tree is not its base's" },
		{ { .text = "5", .verdict = VERDICT_ACCEPT, .reason = REASON_DENIED }, "accept (denied) is no verdict" },
		{ { .text = "5", .verdict = VERDICT_REJECT, .reason = REASON_DENIED }, "denial" },
		{ { .samples = "5", .verdict = VERDICT_ACCEPT, .reason = REASON_APPROVED }, "the samples say accept (better)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CAMP c = { 0 };

		camp_open(&c);
		OK(try(&c, &cases[i].a));
		does_not_follow(&c, cases[i].why);
		assert_int_equal(chdir(room_dir), 0);
		sh("rm -rf r");
	}
}

static void limits(void **state)
{
	CAMP c = { .policy = "guards: [{metric: score, max: 6, owner: infra}]" };

	(void)state;
	camp_open(&c);
	OK(value(&c, "8"));
	assert_string_equal(history_record(c.h, 1)->owner, "infra");
	assert_int_equal(history_record(c.h, 1)->reason, REASON_GUARD);
	OK(value(&c, "5"));
	all_well(&c);
	forge_file("experiments/00xx/0002/record", "s/value=5/value=5 owner=me/");
	reread(&c);
	does_not_follow(&c, "main/2: the record has owner=me, which does not follow from the samples");
}

static void reviews(void **state)
{
	CAMP c = { 0 };

	(void)state;
	camp_open(&c);
	OK(try(&c, &(struct attempt){ .text = "x", .path = "frozen", .verdict = VERDICT_ESCALATE, .reason = REASON_SURFACE }));
	same(oid_hex(&history_record(c.h, 1)->commit).s, "git rev-parse harness/review/main-1");
	assert_int_equal(history_waiting(c.h), 1);
	all_well(&c);
	sh("git update-ref refs/heads/harness/review/main-1 $(git commit-tree -p harness/review/main-1 -m more 'HEAD^{tree}')");
	all_well(&c);
	sh("git update-ref refs/heads/harness/review/main-1 HEAD");
	does_not_follow(&c, "main/1: branch 'harness/review/main-1' is at");
	sh("git update-ref -d refs/heads/harness/review/main-1");
	all_well(&c);
}

/* A flipped byte in an object: the hash tells. */
static void rotten(void **state)
{
	CAMP c = { 0 };

	(void)state;
	three(&c);
	sh("b=$(git rev-parse " LEDGER ":experiments/00xx/0001/record) && f=.git/objects/$(echo $b | cut -c1-2)/$(echo $b | cut -c3-) &&"
	   "chmod +w $f && printf x | dd of=$f bs=1 seek=20 conv=notrunc 2>/dev/null");
	history_free(c.h);
	repo_free(c.repo);
	c.h = NULL;
	OK(repo_open(NULL, &c.repo, &err));
	does_not_follow(&c, "main/1: cannot read its record");
}

static void nothing_there(void **state)
{
	CAMP c = { 0 };
	struct verify_result r;

	(void)state;
	camp_open(&c);
	assert_int_equal(verify_campaign(c.repo, "other", &r, &err), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(notes),    ROOM_TEST(records),    ROOM_TEST(history_rewritten), ROOM_TEST(dropped), ROOM_TEST(reordered),
		ROOM_TEST(missing_commit), ROOM_TEST(trailers), ROOM_TEST(other_tree), ROOM_TEST(lies),	  ROOM_TEST(limits),
		ROOM_TEST(reviews),  ROOM_TEST(rotten),	    ROOM_TEST(nothing_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
