/* Lines to a record, and a record into a note. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ledger/record.h"

#define BASE "1111111111111111111111111111111111111111"
#define TREE "2222222222222222222222222222222222222222"
#define C " campaign=main experiment=7 "

static const char full[] =
	"t=2026-11-22T07:10:03.120481Z n=1" C "event=propose base=" BASE " agent=claude source=idea wall=41.2 tokens_in=10 tokens_out=5 "
	"usd=0.25 confidence=0.7\n"
	"t=2026-11-22T07:15:04.482113Z n=2" C "event=execute exit=0 wall=300.1 cpu=298 maxrss=4096\n"
	"t=2026-11-22T07:15:16.910002Z n=3" C "event=evaluate stage=score exit=0 wall=12.4 maxrss=8192 loss=3,1,2 acc=0.5\n"
	"t=2026-11-22T07:15:17.910002Z n=4" C "event=evaluate stage=score exit=0 wall=1 loss=2.5 confirm=1\n"
	"t=2026-11-22T07:15:18.911377Z n=5" C "event=decide verdict=escalate reason=guard metric=acc value=2.25 best=3 delta=-0.75 "
	"threshold=0 owner=infra base=" BASE " tree=" TREE " policy=" TREE " level=1 elapsed=400.5\n";

static struct err err;

static int parse(const char *text, struct record *r)
{
	CLEANUP(events_free) struct events lines = { 0 };

	*r = (struct record){ .number = 7 };
	if (record_parse("main", 7, text, strlen(text), &lines, &err) < 0)
		return err.code;
	return record_fold(&lines, r, &err);
}

static void folds(void **state)
{
	CLEANUP(record_clear) struct record r;

	(void)state;
	assert_int_equal(parse(full, &r), 0);
	assert_int_equal(r.verdict, VERDICT_ESCALATE);
	assert_int_equal(r.reason, REASON_GUARD);
	assert_true(r.waiting && r.run && !r.approved && !r.baseline);
	assert_string_equal(r.metric, "acc");
	assert_string_equal(r.owner, "infra");
	assert_string_equal(r.agent, "claude");
	assert_string_equal(r.source, "idea");
	assert_true(r.value == 2.25 && r.best == 3 && r.delta == -0.75 && r.confidence == 0.7 && r.usd == 0.25);
	assert_int_equal(r.tokens_in, 10);
	assert_int_equal(r.maxrss, 8192);
	assert_int_equal(r.wall, INT64_C(354700000000));
	assert_int_equal(r.elapsed, INT64_C(400500000000));
	assert_int_equal(measured_find(&r.measured, "loss")->n, 4);	/* confirmed: pooled */
	assert_null(measured_find(&r.measured, "stage"));
}

/* The order of lines is that of n, whatever a merge of notes made of it. */
static void any_order(void **state)
{
	CLEANUP(record_clear) struct record r;
	char turned[sizeof(full)] = "";
	const char *end = full + strlen(full);

	(void)state;
	while (end > full) {
		const char *start = end - 1;

		while (start > full && start[-1] != '\n')
			start--;
		strncat(turned, start, (size_t)(end - start));
		end = start;
	}
	assert_int_equal(parse(turned, &r), 0);
	assert_int_equal(r.reason, REASON_GUARD);
	assert_true(measured_find(&r.measured, "loss")->v[3] == 2.5);
}

static void answered(void **state)
{
	static const struct {
		const char *more;
		enum verdict verdict;
		enum reason reason;
		bool waiting, approved;
		size_t losses;
	} cases[] = {
		{ "n=6" C "event=approve by=Ann\n", VERDICT_ESCALATE, REASON_GUARD, false, true, 4 },
		{ "n=6" C "event=approve by=Ann commit=" BASE "\nn=7" C "event=decide verdict=accept reason=approved\n", VERDICT_ACCEPT,
		  REASON_APPROVED, false, false, 4 },
		{ "n=6" C "event=deny by=Ann\nn=7" C "event=decide verdict=reject reason=denied\n", VERDICT_REJECT, REASON_DENIED, false,
		  false, 4 },
		{ "n=6" C "event=approve by=Ann\nn=7" C "event=evaluate stage=score exit=0 loss=9,8\nn=8" C
		  "event=evaluate stage=more exit=0 acc=1\nn=9" C "event=decide verdict=reject reason=worse\n", VERDICT_REJECT, REASON_WORSE,
		  false, false, 2 },
		{ "n=6" C "event=something-new key=value\n", VERDICT_ESCALATE, REASON_GUARD, true, false, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(record_clear) struct record r;
		AUTOFREE char *text = xasprintf("%s%s", full, cases[i].more);

		assert_int_equal(parse(text, &r), 0);
		assert_int_equal(r.verdict, cases[i].verdict);
		assert_int_equal(r.reason, cases[i].reason);
		assert_int_equal(r.waiting, cases[i].waiting);
		assert_int_equal(r.approved, cases[i].approved);
		assert_int_equal(measured_find(&r.measured, "loss")->n, cases[i].losses);
	}
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"",
		"n=1" C "event=propose\n",
		"free text\n",
		"n=1" C "event=decide verdict=accept reason=better",
		"n=1 campaign=main experiment=8 event=decide verdict=accept reason=better\n",
		"n=1 campaign=other experiment=7 event=decide verdict=accept reason=better\n",
		"n=1" C "event=decide verdict=accept reason=because\n",
		"n=1" C "event=decide verdict=yes reason=better\n",
		"n=1" C "event=evaluate loss=1,nan\nn=2" C "event=decide verdict=accept reason=better\n",
		"n=1" C "event=evaluate loss=1,,2\nn=2" C "event=decide verdict=accept reason=better\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(record_clear) struct record r;

		if (parse(bad[i], &r) != ERR_INVALID)
			fail_msg("taken for a record: %s", bad[i]);
	}
}

static void splice(const char *old, const char *lines, const char *want)
{
	STR text = STR_INIT, ret = STR_INIT;
	bool changed;

	str_puts(&text, lines);
	changed = record_into_note("main", 7, old, strlen(old), &text, &ret);
	assert_string_equal(ret.buf, want);
	assert_int_equal(changed, strcmp(old, want) != 0);
}

/* Foreign text, other campaigns' and other numbers' lines stay byte for byte, and where they are. */
static void notes(void **state)
{
	static const char mine[] = "n=1" C "event=a\nn=2" C "event=b\n", other[] = "n=1 campaign=main experiment=70 event=a\n",
		camp[] = "n=1 campaign=speed experiment=7 event=a\n";
	AUTOFREE char *mixed = xasprintf("words\r\n\n%s%s\x1b[0m\n%stail", other, mine, camp);
	AUTOFREE char *old = xasprintf("words\r\n\n%sn=1" C "event=old\n\x1b[0m\n%stail", other, camp);
	AUTOFREE char *twice = xasprintf("n=1" C "event=x\nbetween\nn=2" C "event=y\n");
	AUTOFREE char *once = xasprintf("%sbetween\n", mine);
	STR own = STR_INIT;

	(void)state;
	splice("", mine, mine);
	splice(mine, mine, mine);
	splice(mixed, mine, mixed);
	splice(old, mine, mixed);
	splice(twice, mine, once);
	splice("no newline", "n=1" C "event=a\n", "no newline\nn=1" C "event=a\n");
	record_of_note("main", 7, mixed, strlen(mixed), &own);
	assert_string_equal(own.buf, mine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds),    cmocka_unit_test(any_order), cmocka_unit_test(answered),
		cmocka_unit_test(refused), cmocka_unit_test(notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
