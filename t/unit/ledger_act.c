/* What people do: approve, deny, rollback; by themselves, and by a request to the owner of the lock. */
#include "ledger_room.h"

#include <poll.h>
#include <sys/wait.h>

#include "ledger/lock.h"
#include "ledger/names.h"

#define ANN "Ann <ann@example.com>"
#define GUARD "guards: [{metric: score, min: 6, owner: infra, on_violation: escalate}]"

static struct act ann(struct camp *c)
{
	return (struct act){ .repo = c->repo, .h = c->h, .by = ANN, .why = "looks right" };
}

static void read_anew(struct camp *c)
{
	history_free(c->h);
	OK(history_read(c->repo, "main", &c->h, &err));
}

static void says(struct str *said, const char *text)
{
	if (!strstr(said->buf, text))
		fail_msg("wanted '%s', got: %s", text, said->buf);
	str_clear(said);
}

/* Measured on today's best: judged at once, a new commit, both notes the whole record. */
static void approve_measured(void **state)
{
	CAMP c = { .policy = GUARD };
	STR said = STR_INIT;
	struct act a;

	(void)state;
	camp_open(&c);
	OK(value(&c, "20"));
	OK(try(&c, &(struct attempt){ .samples = "5", .subject = "an idea", .body = "text\n\nReviewed-by: R\n" }));
	assert_true(history_record(c.h, 2)->waiting);
	assert_int_equal(c.h->spent.plateau, 2);
	a = ann(&c);
	OK(act_approve(&a, 2, &said, &err));
	says(&said, "experiment 2: accept (approved)\nharness/best is at ");
	for (int i = 0; i < 2; i++) {
		const struct record *r = history_record(c.h, 2);

		assert_int_equal(r->verdict, VERDICT_ACCEPT);
		assert_int_equal(r->reason, REASON_APPROVED);
		assert_false(r->waiting || r->approved);
		assert_true(oid_eq(&r->accepted, &c.h->best) && oid_eq(&r->remade, &c.h->best));
		assert_false(oid_eq(&r->commit, &c.h->best));
		assert_int_equal(c.h->best_number, 2);
		assert_int_equal(c.h->spent.plateau, 0);
		assert_int_equal(c.h->spent.experiments, 2);
		assert_true(history_best_value(c.h) == 5);
		read_anew(&c);
	}
	all_well(&c);
	same("an idea", "git log -1 --format=%%s harness/best");
	same("accept (approved)", "git log -1 --format='%%(trailers:key=Harness-Verdict,valueonly,separator=)' harness/best");
	same(ANN, "git log -1 --format='%%(trailers:key=Harness-Approved-By,valueonly,separator=)' harness/best");
	same("R", "git log -1 --format='%%(trailers:key=Reviewed-By,valueonly,separator=)' harness/best");
	same("escalate (guard)", "git log -1 --format='%%(trailers:key=Harness-Verdict,valueonly,separator=)' harness/review/main-2");
	same("", "git notes --ref=harness show harness/best >../a && git notes --ref=harness show harness/review/main-2 | diff ../a -");
	same("1", "grep -c \"event=approve by=\\\"" ANN "\\\" commit=$(git rev-parse harness/best) why=\\\"looks right\\\"\" ../a");
	same("1", "git show refs/harness/ledger/main:acts | grep -c ' n=1 campaign=main experiment=2 event=approve '");
	a = ann(&c);
	OK(value(&c, "4.25"));	/* on the approved one; below the guard again */
	all_well(&c);
	assert_int_equal(act_approve(&a, 2, &said, &err), ERR_REFUSED);
	assert_int_equal(act_approve(&a, 1, &said, &err), ERR_REFUSED);
	assert_non_null(strstr(err.msg, "does not wait for an answer: reject (worse)"));
	assert_int_equal(act_approve(&a, 17, &said, &err), ERR_NOT_FOUND);
}

/* Out of range and worse as well: a yes is no gain. */
static void approve_worse(void **state)
{
	CAMP c = { .policy = "escalate: {outside: {score: [1, 15]}}" };
	STR said = STR_INIT;
	struct oid best;
	struct act a;

	(void)state;
	camp_open(&c);
	best = c.h->best;
	OK(value(&c, "16"));
	assert_int_equal(history_record(c.h, 1)->reason, REASON_OUT_OF_RANGE);
	a = ann(&c);
	OK(act_approve(&a, 1, &said, &err));
	says(&said, "experiment 1: reject (worse)");
	assert_true(oid_eq(&best, &c.h->best));
	assert_false(history_record(c.h, 1)->waiting || history_record(c.h, 1)->approved);
	all_well(&c);
}

/* What the loop does when it comes to an approval that is owed. */
static void measure_late(struct camp *c, int number, const char *samples)
{
	const struct record *r = history_record(c->h, number);
	CLEANUP(events_free) struct events lines = { 0 };
	CLEANUP(measured_free) struct measured m = { 0 };
	struct oid base = c->h->best, parked = r->commit, tree = tree_with(c, &base, "value", samples), notes[2];
	struct decision_in in = {
		.policy = c->h->policy, .candidate = &m, .best = c->h->best_measured, .baseline = c->h->baseline_measured,
		.confidence = NAN, .approved = true,
	};
	struct decision d;
	struct attempt again = { .subject = "measured late" };
	struct ledger_write w = {
		.kind = ENTRY_EXPERIMENT, .number = number, .lines = &lines, .annotate = notes, .n_annotate = 2, .best = base,
		.drafts = &parked, .n_drafts = 1, .subject = "late",
	};
	CLEANUP(record_clear) struct record folded = { .number = number };
	CLEANUP(ident_free) struct ident who = { 0 };
	STR message = STR_INIT;
	struct message_in in_message = {
		.record = &folded, .policy = c->h->policy, .campaign = "main", .policy_blob = &c->h->policy_blob,
		.subject = again.subject,
	};
	struct commit_spec spec = { .tree = tree, .parents = &base, .n_parents = 1, .author = &who, .committer = &who };

	OK(history_lines(c->repo, c->h, number, &lines, &err));
	evaluate_line(&lines, c, number, samples, &m);
	decide(&in, &d);
	decide_line(&lines, c, number, &d, &base, &tree);
	OK(record_fold(&lines, &folded, &err));
	OK(repo_ident(c->repo, &who, &err));
	if (d.verdict == VERDICT_ACCEPT)
		in_message.approved_by = ANN;
	ledger_message(&in_message, &message);
	spec.message = message.buf;
	OK(commit_write(c->repo, &spec, &w.commit, &err));
	notes[0] = w.commit;
	notes[1] = parked;
	if (d.verdict == VERDICT_ACCEPT)
		w.best = w.commit;
	OK(put_down(c, &w));
}

/* Best has moved on since, or it never ran: recorded, and owed. */
static void approve_owed(void **state)
{
	CAMP c = { .policy = GUARD };
	STR said = STR_INIT;
	struct oid best;
	struct act a;

	(void)state;
	camp_open(&c);
	OK(value(&c, "5"));	/* waits */
	OK(try(&c, &(struct attempt){ .path = "frozen", .text = "x", .verdict = VERDICT_ESCALATE, .reason = REASON_SURFACE }));
	OK(value(&c, "9"));
	best = c.h->best;
	a = ann(&c);
	for (int n = 1; n <= 2; n++) {
		OK(act_approve(&a, n, &said, &err));
		says(&said, "is approved; the loop measures it");
		assert_true(history_record(c.h, (int)n)->approved);
		assert_int_equal(act_approve(&a, n, &said, &err), ERR_REFUSED);
		assert_int_equal(act_deny(&a, n, &said, &err), ERR_REFUSED);
	}
	assert_true(oid_eq(&best, &c.h->best));
	assert_int_equal(history_waiting(c.h), 0);
	all_well(&c);
	read_anew(&c);
	measure_late(&c, 1, "4");
	assert_int_equal(c.h->spent.experiments, 3);
	assert_int_equal(c.h->best_number, 1);
	assert_true(history_best_value(c.h) == 4);
	all_well(&c);
	measure_late(&c, 2, "8");
	assert_int_equal(history_record(c.h, 2)->reason, REASON_WORSE);
	assert_int_equal(c.h->best_number, 1);
	all_well(&c);
	read_anew(&c);
	assert_int_equal(c.h->best_number, 1);
	assert_int_equal(c.h->spent.experiments, 3);
	assert_int_equal(c.h->n_records, 4);
	all_well(&c);
}

static void deny(void **state)
{
	CAMP c = { .policy = GUARD };
	STR said = STR_INIT;
	struct act a;

	(void)state;
	camp_open(&c);
	OK(value(&c, "5"));
	a = ann(&c);
	OK(act_deny(&a, 1, &said, &err));
	says(&said, "experiment 1: reject (denied)");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(history_record(c.h, 1)->reason, REASON_DENIED);
		assert_int_equal(history_waiting(c.h), 0);
		assert_int_equal(c.h->spent.plateau, 1);
		read_anew(&c);
	}
	all_well(&c);
	a.h = c.h;
	assert_int_equal(act_deny(&a, 1, &said, &err), ERR_REFUSED);
}

static void rollback(void **state)
{
	CAMP c = { 0 };
	STR said = STR_INIT;
	struct best_move move;
	struct act a;

	(void)state;
	camp_open(&c);
	assert_int_equal(act_plan_rollback(c.h, -1, &move, &err), ERR_REFUSED);
	OK(value(&c, "9"));
	OK(value(&c, "20"));
	OK(value(&c, "8"));
	OK(value(&c, "7"));
	assert_int_equal(act_plan_rollback(c.h, 2, &move, &err), ERR_REFUSED);
	assert_non_null(strstr(err.msg, "was never best: reject (worse)"));
	assert_int_equal(act_plan_rollback(c.h, 4, &move, &err), ERR_REFUSED);
	assert_int_equal(act_plan_rollback(c.h, 5, &move, &err), ERR_NOT_FOUND);
	OK(act_plan_rollback(c.h, -1, &move, &err));
	assert_int_equal(move.number, 3);
	OK(act_plan_rollback(c.h, 1, &move, &err));
	a = ann(&c);
	OK(act_rollback(&a, &move, &said, &err));
	says(&said, "refs/heads/harness/best ");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(c.h->best_number, 1);
		assert_true(history_best_value(c.h) == 9);
		assert_false(c.h->needs_baseline);
		assert_true(oid_eq(&c.h->best, &history_record(c.h, 1)->accepted));
		read_anew(&c);
		a.h = c.h;
	}
	same(oid_hex(&c.h->best).s, "git rev-parse harness/best");
	all_well(&c);
	OK(value(&c, "8.75"));
	OK(value(&c, "6"));
	all_well(&c);
	OK(act_plan_rollback(c.h, 4, &move, &err));	/* forward again, to the other line */
	OK(act_rollback(&a, &move, &said, &err));
	assert_int_equal(c.h->best_number, 4);
	assert_true(history_best_value(c.h) == 7);
	OK(act_plan_rollback(c.h, 0, &move, &err));
	OK(act_rollback(&a, &move, &said, &err));
	assert_int_equal(c.h->best_number, 0);
	same("start", "git log -1 --format=%%s harness/best");
	all_well(&c);
}

static void adopt(struct camp *c, const char *sed, bool measure)
{
	EVENT act = { 0 };
	struct ledger_write w = { .kind = ENTRY_ACT, .number = -1, .act = &act, .best = c->h->best, .subject = "adopt" };
	AUTOFREE char *hex = out("git cat-file blob %s | sed '%s' | git hash-object -w --stdin", oid_hex(&c->h->policy_blob).s, sed);

	assert_true(oid_parse(hex, &w.policy));
	act_begin(c->h, "adopt-policy", -1, ANN, &act);
	event_add_oid(&act, "policy", &w.policy);
	event_add_oid(&act, "old", &c->h->policy_blob);
	event_add_int(&act, "measure", measure);
	OK(put_down(c, &w));
}

/* Another policy, measured anew: what was measured before it is no measure of best any more. */
static void adopted(void **state)
{
	CAMP c = { .policy = GUARD };
	STR said = STR_INIT;
	struct best_move move;
	struct act a;

	(void)state;
	camp_open(&c);
	OK(value(&c, "9"));
	OK(value(&c, "5"));	/* waits */
	adopt(&c, "s/experiments: 100/experiments: 200/", false);
	assert_int_equal(c.h->policy->budget.experiments, 200);
	assert_false(c.h->needs_baseline);
	all_well(&c);
	adopt(&c, "s/min_delta: 0.5/min_delta: 0.25/", true);
	assert_true(c.h->needs_baseline);
	assert_null(c.h->best_measured);
	OK(baseline(&c, &c.h->best, "9.25"));
	assert_int_equal(c.h->best_number, 1);
	assert_true(history_best_value(c.h) == 9.25);
	all_well(&c);
	a = ann(&c);
	OK(act_approve(&a, 2, &said, &err));
	assert_true(history_record(c.h, 2)->approved);	/* its samples are another policy's */
	OK(value(&c, "8.75"));
	OK(act_plan_rollback(c.h, 1, &move, &err));
	OK(act_rollback(&a, &move, &said, &err));
	assert_true(history_best_value(c.h) == 9.25);	/* as the baseline measured that commit */
	all_well(&c);
	OK(act_plan_rollback(c.h, 0, &move, &err));
	OK(act_rollback(&a, &move, &said, &err));
	assert_true(c.h->needs_baseline);
	all_well(&c);
	read_anew(&c);
	assert_true(c.h->needs_baseline);
	assert_int_equal(c.h->best_number, 0);
	adopt(&c, "s/min_delta: 0.25/min_delta: 0.125/", false);
	does_not_follow(&c, "best was not to be measured anew");
}

static void loop_waits(void **state)
{
	CAMP c = { 0 };
	EVENT escalate = { 0 }, resume = { 0 };
	struct ledger_write w = { .kind = ENTRY_ACT, .number = -1, .act = &escalate, .subject = "x" };

	(void)state;
	camp_open(&c);
	w.best = c.h->best;
	OK(crash(&c));
	OK(crash(&c));
	act_begin(c.h, "escalate", -1, NULL, &escalate);
	event_add(&escalate, "reason", "failures");
	OK(put_down(&c, &w));
	assert_int_equal(c.h->loop_waits, REASON_FAILURES);
	read_anew(&c);
	assert_int_equal(c.h->loop_waits, REASON_FAILURES);
	assert_int_equal(c.h->spent.failures, 2);
	act_begin(c.h, "resume", -1, ANN, &resume);
	w.act = &resume;
	OK(put_down(&c, &w));
	assert_int_equal(c.h->loop_waits, 0);
	assert_int_equal(c.h->spent.failures, 0);
	same("2", "git show refs/harness/ledger/main:acts | wc -l");
	all_well(&c);
}

/* ---- requests ---- */

static struct event ask(const char *what, int number)
{
	struct event e = { 0 };

	event_add(&e, "ask", what);
	if (number >= 0)
		event_add_int(&e, "experiment", number);
	event_add(&e, "by", ANN);
	event_add(&e, "why", "because");
	return e;
}

/* A loop that answers `left` requests and then ends. */
static void serve(int left, int ready)
{
	struct camp c = { 0 };
	struct lock *lock;
	struct err e;
	int watch;

	if (repo_open(NULL, &c.repo, &e) < 0 || lock_take(".git/harness/campaigns/main", "git harness start", &lock, &e) < 0)
		_exit(1);
	watch = inbox_watch(".git/harness/campaigns/main", &e);
	if (watch < 0 || history_read(c.repo, "main", &c.h, &e) < 0 || write(ready, "x", 1) != 1)
		_exit(2);
	while (left) {
		struct pollfd p = { .fd = watch, .events = POLLIN };
		struct events requests = { 0 };
		struct strs ids = { 0 };
		char drop[4096];

		if (poll(&p, 1, 20000) != 1)
			_exit(3);
		while (read(watch, drop, sizeof(drop)) > 0)
			;
		if (inbox_read(".git/harness/campaigns/main", &requests, &ids, &e) < 0)
			_exit(4);
		for (size_t i = 0; i < requests.n; i++, left--) {
			struct event answer = { 0 };

			if (act_answer(c.repo, c.h, NULL, &requests.v[i], &answer, &e) < 0 ||
			    inbox_answer(".git/harness/campaigns/main", ids.v[i], &answer, &e) < 0)
				_exit(5);
		}
	}
	_exit(0);
}

static void requests(void **state)
{
	CAMP c = { .policy = GUARD };
	STR said = STR_INIT;
	int fds[2], status;
	pid_t pid;
	char x;

	(void)state;
	camp_open(&c);
	OK(value(&c, "9"));
	OK(value(&c, "5"));
	OK(value(&c, "4"));
	{	/* nobody there: done here */
		EVENT deny_it = ask("deny", 3);

		OK(act_request(c.repo, "main", &deny_it, &said, &err));
		says(&said, "experiment 3: reject (denied)");
	}
	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	if (!pid)
		serve(3, fds[1]);
	assert_int_equal(read(fds[0], &x, 1), 1);
	{
		EVENT approve_it = ask("approve", 2), again = ask("approve", 2), back = ask("rollback", -1);

		OK(act_request(c.repo, "main", &approve_it, &said, &err));
		says(&said, "experiment 2: accept (approved)");
		assert_int_equal(act_request(c.repo, "main", &again, &said, &err), ERR_REFUSED);
		assert_non_null(strstr(err.msg, "\nhint: "));
		OK(act_request(c.repo, "main", &back, &said, &err));
		says(&said, " -> ");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	{
		EVENT nonsense = ask("sing", 2);

		assert_int_equal(act_request(c.repo, "main", &nonsense, &said, &err), ERR_USAGE);
	}
	read_anew(&c);
	assert_int_equal(c.h->best_number, 1);
	all_well(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(approve_measured), ROOM_TEST(approve_worse), ROOM_TEST(approve_owed), ROOM_TEST(deny), ROOM_TEST(rollback),
		ROOM_TEST(adopted),	      ROOM_TEST(loop_waits),	  ROOM_TEST(requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
