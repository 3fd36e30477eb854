/* What counts, and when the loop ends. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/budget.h"

static struct policy unbounded(void)
{
	struct policy p = { 0 };

	p.goal.target = NAN;
	p.escalate.failures = -1;
	p.budget.experiments = p.budget.wall = p.budget.tokens = p.budget.plateau = -1;
	p.budget.usd = -1;
	return p;
}

static void none(void **state)
{
	struct policy p = unbounded();
	struct spent s = { 1000000, 16, INT64_MAX, INT64_MAX, 1e9, 1000000, 1000000 };

	(void)state;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_GO);
	assert_int_equal(budget_check(&p, &s, NAN), BUDGET_GO);
}

static void each(void **state)
{
	struct policy p = unbounded();
	struct spent s = { 0 };

	(void)state;
	p.budget.experiments = 3;
	s.experiments = 2;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_GO);
	s.in_flight = 1;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_EXPERIMENTS);	/* what runs is as good as spent */
	s.experiments = 3;
	s.in_flight = 0;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_EXPERIMENTS);
	p = unbounded();
	p.budget.plateau = 3;
	s.plateau = 1;
	s.in_flight = 1;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_GO);
	s.in_flight = 2;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_PLATEAU);	/* should none of them gain, that is enough */
	s.in_flight = s.plateau = 0;
	p = unbounded();
	p.budget.wall = 10;
	s.wall = 9;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_GO);
	s.wall = 10;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_WALL);
	p = unbounded();
	p.budget.tokens = 10;
	s.tokens = 10;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_TOKENS);
	p = unbounded();
	p.budget.usd = 0.5;
	s.usd = 0.49;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_GO);
	s.usd = 0.5;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_USD);
	p.budget.usd = 0;
	s.usd = 0;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_USD);
	p = unbounded();
	p.budget.plateau = 2;
	s.plateau = 1;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_GO);
	s.plateau = 2;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_PLATEAU);
	p = unbounded();
	p.budget.experiments = 0;
	assert_int_equal(budget_check(&p, &(struct spent){ 0 }, 1), BUDGET_EXPERIMENTS);
}

static void together(void **state)
{
	struct policy p = unbounded();
	struct spent s = { 5, 0, 5, 5, 5, 5, 5 };

	(void)state;
	p.goal.target = 1;
	p.escalate.failures = 5;
	p.budget.experiments = p.budget.wall = p.budget.tokens = p.budget.plateau = 5;
	assert_int_equal(budget_check(&p, &s, 1), BUDGET_TARGET);
	assert_int_equal(budget_check(&p, &s, 1.1), BUDGET_FAILURES);
	s.failures = 4;
	assert_int_equal(budget_check(&p, &s, 1.1), BUDGET_EXPERIMENTS);
	p.escalate.failures = 0;
	s.failures = 0;
	assert_int_equal(budget_check(&p, &s, NAN), BUDGET_EXPERIMENTS);
	for (int i = BUDGET_GO; i <= BUDGET_FAILURES; i++)
		assert_non_null(budget_end_names[i]);
	assert_string_equal(budget_end_names[BUDGET_PLATEAU], "plateau");
}

static void counts(void **state)
{
	static const struct {
		enum verdict verdict;
		enum reason reason;
		int64_t experiments, plateau, failures;
	} story[] = {
		{ VERDICT_ACCEPT, REASON_BASELINE, 0, 0, 0 }, { VERDICT_REJECT, REASON_WORSE, 1, 1, 0 },
		{ VERDICT_REJECT, REASON_CRASH, 2, 2, 1 }, { VERDICT_REJECT, REASON_AGENT_FAILED, 3, 3, 2 },
		{ VERDICT_REJECT, REASON_METRIC_INVALID, 4, 4, 3 }, { VERDICT_REJECT, REASON_NO_OP, 5, 5, 0 },
		{ VERDICT_REJECT, REASON_DUPLICATE, 6, 6, 0 }, { VERDICT_ESCALATE, REASON_SURFACE, 7, 7, 0 },
		{ VERDICT_REJECT, REASON_TIMEOUT, 8, 8, 1 }, { VERDICT_ACCEPT, REASON_BETTER, 9, 0, 0 },
		{ VERDICT_REJECT, REASON_METRIC_MISSING, 10, 1, 1 }, { VERDICT_ACCEPT, REASON_BASELINE, 10, 0, 0 },
		{ VERDICT_ACCEPT, REASON_SIMPLER, 11, 0, 0 },
	};
	struct spent s = { .wall = 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(story); i++) {
		budget_count(&s, story[i].verdict, story[i].reason);
		assert_int_equal(s.experiments, story[i].experiments);
		assert_int_equal(s.plateau, story[i].plateau);
		assert_int_equal(s.failures, story[i].failures);
	}
	assert_int_equal(s.wall, 7);
}

static void pauses(void **state)
{
	static const int64_t seconds[] = { 0, 1, 2, 4, 8, 16, 32, 60, 60 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++)
		assert_true(budget_pause((int64_t)i) == seconds[i] * NS_PER_S);
	assert_true(budget_pause(INT64_MAX) == 60 * NS_PER_S);
	assert_true(budget_pause(-1) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none), cmocka_unit_test(each), cmocka_unit_test(together), cmocka_unit_test(counts),
		cmocka_unit_test(pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
