/* From numbers to a verdict: the rule at its edges, the order of judgement, and what a person's word changes. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/verdict.h"

#define MEASURED CLEANUP(measured_free) struct measured

static struct policy plain(void)
{
	struct policy p = { 0 };

	p.goal.metric = (char *)"loss";
	p.goal.target = NAN;
	p.escalate.agent_confidence_below = NAN;
	return p;
}

/* One sample a side. */
static struct decision judged(const struct policy *p, double best, double value, bool fewer)
{
	MEASURED b = { 0 }, c = { 0 };
	struct decision_in in = { .policy = p, .candidate = &c, .best = &b, .baseline = &b, .confidence = NAN, .fewer_lines = fewer };
	struct decision d;

	measured_add(&b, "loss", best);
	measured_add(&c, "loss", value);
	decide(&in, &d);
	return d;
}

static void is(struct decision d, enum verdict verdict, enum reason reason, const char *metric)
{
	if (d.verdict != verdict || d.reason != reason || !str_eq(d.metric, metric))
		fail_msg("%s (%s) of %s", verdict_names[d.verdict], reason_names[d.reason], d.metric);
}

static void names(void **state)
{
	enum verdict v = VERDICT_NONE;
	enum reason r = REASON_NONE;

	(void)state;
	for (int i = 1; i <= VERDICT_ESCALATE; i++)
		assert_true(verdict_parse(verdict_names[i], &v) && v == (enum verdict)i);
	for (int i = 1; i < REASON_N; i++)
		assert_true(reason_parse(reason_names[i], &r) && r == (enum reason)i);
	assert_false(verdict_parse("none", &v));
	assert_false(reason_parse("none", &r));
	assert_false(verdict_parse("Accept", &v));
	assert_false(reason_parse("", &r));
	assert_true(v == VERDICT_ESCALATE && r == REASON_N - 1);
	assert_string_equal(reason_names[REASON_NO_GAIN], "no-gain");
	assert_string_equal(reason_names[REASON_METRIC_MISSING], "metric-missing");
}

static void failures(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_N; i++)
		assert_int_equal(reason_is_failure((enum reason)i), i == REASON_AGENT_FAILED || i == REASON_CRASH || i == REASON_TIMEOUT ||
				 i == REASON_METRIC_MISSING || i == REASON_METRIC_INVALID);
}

static void median_and_spread(void **state)
{
	static const struct {
		double v[6];
		size_t n;
		double median, spread;
	} cases[] = {
		{ { 3 }, 1, 3, 0 }, { { 4, 2 }, 2, 3, 1 }, { { 9, 1, 5 }, 3, 5, 4 }, { { 4, 1, 3, 2 }, 4, 2.5, 0.75 },
		{ { 5, 1, 4, 2, 3 }, 5, 3, 1 }, { { -1, -1, -1, -1, 100, 200 }, 6, -1, 37.875 }, { { 7, 7, 7, 7 }, 4, 7, 0 },
		{ { DBL_MAX, DBL_MAX }, 2, DBL_MAX, 0 }, { { DBL_MAX, -DBL_MAX }, 2, 0, DBL_MAX }, { { 0.1, 0.2 }, 2, (0.1 + 0.2) / 2, 0.05 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double copy[6];

		memcpy(copy, cases[i].v, sizeof(copy));
		assert_true(stats_median(copy, cases[i].n) == cases[i].median);
		assert_true(fabs(stats_spread(copy, cases[i].n) - cases[i].spread) <= 1e-15 * fabs(cases[i].spread));
		assert_memory_equal(copy, cases[i].v, sizeof(copy));
	}
}

static void samples(void **state)
{
	MEASURED m = { 0 }, copy = { 0 };
	double value = 42;

	(void)state;
	assert_null(measured_find(&m, "a"));
	assert_false(measured_value(&m, "a", &value));
	assert_true(value == 42);
	for (int i = 0; i < 9; i++) {
		AUTOFREE char *name = xasprintf("m%d", i);

		for (int k = 0; k <= i; k++)
			measured_add(&m, name, k);
	}
	assert_int_equal(measured_find(&m, "m8")->n, 9);
	measured_add(&copy, "old", 1);
	measured_copy(&m, &copy);
	assert_null(measured_find(&copy, "old"));
	assert_true(measured_value(&copy, "m7", &value) && value == 3.5);
	assert_ptr_not_equal(measured_find(&copy, "m7")->v, measured_find(&m, "m7")->v);
}

static void absolute_delta(void **state)
{
	struct policy p = plain();

	(void)state;
	is(judged(&p, 1, 0.5, false), VERDICT_ACCEPT, REASON_BETTER, "loss");
	is(judged(&p, 1, 1, false), VERDICT_REJECT, REASON_NO_GAIN, "loss");
	is(judged(&p, 1, nextafter(1, 2), false), VERDICT_REJECT, REASON_WORSE, "loss");
	is(judged(&p, 1, nextafter(1, 0), false), VERDICT_ACCEPT, REASON_BETTER, "loss");
	p.goal.min_delta = (struct amount){ 0.25, false, true };
	is(judged(&p, 1, 0.75, false), VERDICT_REJECT, REASON_NO_GAIN, "loss");	/* the gain must exceed it */
	is(judged(&p, 1, nextafter(0.75, 0), false), VERDICT_ACCEPT, REASON_BETTER, "loss");
	is(judged(&p, 1, 1.25, false), VERDICT_REJECT, REASON_NO_GAIN, "loss");
	is(judged(&p, 1, nextafter(1.25, 2), false), VERDICT_REJECT, REASON_WORSE, "loss");
	/* One subtraction of doubles, whatever decimals would say: 0.970433 - 0.970133 is a little less than 0.0003. */
	p.goal.min_delta.value = 0.0003;
	is(judged(&p, 0.970433, 0.969686, false), VERDICT_ACCEPT, REASON_BETTER, "loss");
	is(judged(&p, 0.970433, 0.970133, false), 0.970433 - 0.970133 > 0.0003 ? VERDICT_ACCEPT : VERDICT_REJECT,
	   0.970433 - 0.970133 > 0.0003 ? REASON_BETTER : REASON_NO_GAIN, "loss");
	p.goal.direction = MAXIMIZE;
	is(judged(&p, 1, 1.5, false), VERDICT_ACCEPT, REASON_BETTER, "loss");
	is(judged(&p, 1, 0.5, false), VERDICT_REJECT, REASON_WORSE, "loss");
	is(judged(&p, 1, 1.0002, false), VERDICT_REJECT, REASON_NO_GAIN, "loss");
	is(judged(&p, DBL_MAX, -DBL_MAX, false), VERDICT_REJECT, REASON_WORSE, "loss");
	is(judged(&p, -DBL_MAX, DBL_MAX, false), VERDICT_ACCEPT, REASON_BETTER, "loss");
}

static void relative_delta(void **state)
{
	struct policy p = plain();
	struct decision d;

	(void)state;
	p.goal.min_delta = (struct amount){ 0.25, true, true };
	is(judged(&p, 8, 6, false), VERDICT_REJECT, REASON_NO_GAIN, "loss");
	is(judged(&p, 8, 5.5, false), VERDICT_ACCEPT, REASON_BETTER, "loss");
	is(judged(&p, -8, -10, false), VERDICT_REJECT, REASON_NO_GAIN, "loss");	/* of |best| */
	is(judged(&p, -8, -10.5, false), VERDICT_ACCEPT, REASON_BETTER, "loss");
	is(judged(&p, -8, -5.5, false), VERDICT_REJECT, REASON_WORSE, "loss");
	is(judged(&p, 0, -5e-324, false), VERDICT_ACCEPT, REASON_BETTER, "loss");	/* a share of nothing is nothing */
	d = judged(&p, -8, -10.5, false);
	assert_true(d.threshold == 2 && d.has_value && d.has_best && d.value == -10.5 && d.best == -8 && d.delta == -2.5);
	assert_null(d.owner);
}

static void simpler(void **state)
{
	struct policy p = plain();

	(void)state;
	p.goal.min_delta = (struct amount){ 1, false, true };
	is(judged(&p, 5, 5.5, true), VERDICT_REJECT, REASON_NO_GAIN, "loss");
	p.goal.prefer_simpler = true;
	is(judged(&p, 5, 5.5, true), VERDICT_ACCEPT, REASON_SIMPLER, "loss");
	is(judged(&p, 5, 5.5, false), VERDICT_REJECT, REASON_NO_GAIN, "loss");
	is(judged(&p, 5, 6.5, true), VERDICT_REJECT, REASON_WORSE, "loss");
	is(judged(&p, 5, 3.5, true), VERDICT_ACCEPT, REASON_BETTER, "loss");
}

/* The whole of a case, in the open: three guards and more, any of which may be told to fail. */
struct scene {
	struct policy p;
	struct guard guards[3];
	struct range outside[2];
	struct human human[2];
	struct measured candidate, best, baseline;
	struct decision_in in;
};

static void scene_init(struct scene *s)
{
	*s = (struct scene){ .p = plain() };
	s->guards[0] = (struct guard){ .metric = (char *)"acc", .direction = MAXIMIZE, .min = NAN, .max = NAN, .on_violation = ON_ESCALATE,
				       .max_regression = { 0.005, true, true }, .owner = (char *)"compliance" };
	s->guards[1] = (struct guard){ .metric = (char *)"mem", .min = NAN, .max = 100, .owner = (char *)"infra" };
	s->guards[2] = (struct guard){ .metric = (char *)"size", .min = 1, .max = NAN, .max_regression = { 10, false, true } };
	s->outside[0] = (struct range){ (char *)"loss", 0.5, 2 };
	s->outside[1] = (struct range){ (char *)"temp", -10, 10 };
	s->human[0] = (struct human){ (char *)"tone", (char *)"?", (char *)"support" };
	s->human[1] = (struct human){ (char *)"law", (char *)"?", (char *)"legal" };
	s->p.guards = s->guards;
	s->p.n_guards = 3;
	s->p.escalate.outside = s->outside;
	s->p.escalate.n_outside = 2;
	s->in = (struct decision_in){ .policy = &s->p, .candidate = &s->candidate, .best = &s->best, .baseline = &s->baseline,
				      .confidence = NAN };
}

static void scene_clear(struct scene *s)
{
	measured_free(&s->candidate);
	measured_free(&s->best);
	measured_free(&s->baseline);
}

static void put(struct measured *m, double loss, double acc, double mem, double size, double temp)
{
	measured_free(m);
	measured_add(m, "loss", loss);
	measured_add(m, "acc", acc);
	measured_add(m, "mem", mem);
	measured_add(m, "size", size);
	measured_add(m, "temp", temp);
}

static void scene_put(struct scene *s, double loss, double acc, double mem, double size, double temp)
{
	put(&s->candidate, loss, acc, mem, size, temp);
	put(&s->best, 1, 0.9, 50, 100, 0);
	put(&s->baseline, 1.5, 0.89, 50, 200, 0);
}

static struct decision scene_judged(const struct scene *s)
{
	struct decision d;

	decide(&s->in, &d);
	return d;
}

static void guards(void **state)
{
	CLEANUP(scene_clear) struct scene s;
	struct decision d;

	(void)state;
	scene_init(&s);
	scene_put(&s, 0.9, 0.9, 50, 100, 0);
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_BETTER, "loss");
	scene_put(&s, 0.9, 0.8955, 100, 110, 10);	/* each exactly on its bound */
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_BETTER, "loss");
	scene_put(&s, 0.9, 0.8954, 100, 110, 10);
	d = scene_judged(&s);
	is(d, VERDICT_ESCALATE, REASON_GUARD, "acc");
	assert_string_equal(d.owner, "compliance");
	assert_true(d.has_value && d.value == 0.9 && d.best == 1);	/* the goal's, whatever decided */
	scene_put(&s, 0.9, 0.8954, nextafter(100, 200), 110, 10);	/* one that rejects goes first */
	d = scene_judged(&s);
	is(d, VERDICT_REJECT, REASON_GUARD, "mem");
	assert_string_equal(d.owner, "infra");
	scene_put(&s, 0.9, 0.9, 50, 110.001, 0);
	d = scene_judged(&s);
	is(d, VERDICT_REJECT, REASON_GUARD, "size");
	assert_null(d.owner);
	scene_put(&s, 0.9, 0.9, 50, 0.5, 0);
	is(scene_judged(&s), VERDICT_REJECT, REASON_GUARD, "size");
	scene_put(&s, 0.9, 0.9, 50, 1, 0);
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_BETTER, "loss");
}

/* Step by step, each within its bound of the last best, a guard would walk away; the baseline holds it. */
static void guards_hold_the_baseline(void **state)
{
	CLEANUP(scene_clear) struct scene s;

	(void)state;
	scene_init(&s);
	scene_put(&s, 0.9, 0.9, 50, 205, 0);
	put(&s.best, 1, 0.9, 50, 200, 0);
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_BETTER, "loss");
	put(&s.best, 1, 0.9, 50, 205, 0);
	scene_put(&s, 0.9, 0.9, 50, 215, 0);
	put(&s.best, 1, 0.9, 50, 209, 0);
	is(scene_judged(&s), VERDICT_REJECT, REASON_GUARD, "size");
	s.in.baseline = NULL;
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_BETTER, "loss");
}

static void missing_and_invalid(void **state)
{
	static const char *const all[] = { "loss", "acc", "mem", "size", "temp" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		CLEANUP(scene_clear) struct scene s;
		struct decision d;

		scene_init(&s);
		scene_put(&s, 5, 0, 500, 500, 99);	/* everything else would be refused as well */
		free(s.candidate.s[i].metric);
		s.candidate.s[i].metric = xstrdup("other");
		d = scene_judged(&s);
		is(d, VERDICT_REJECT, REASON_METRIC_MISSING, all[i]);
		assert_int_equal(d.has_value, i > 0);
		scene_put(&s, 5, 0, 500, 500, 99);
		measured_add(&s.candidate, all[i], i % 2 ? NAN : INFINITY);
		free(s.candidate.s[(i + 1) % 5].metric);
		s.candidate.s[(i + 1) % 5].metric = xstrdup("other");
		is(scene_judged(&s), VERDICT_REJECT, REASON_METRIC_INVALID, all[i]);
		s.in.approved = true;
		is(scene_judged(&s), VERDICT_REJECT, REASON_METRIC_INVALID, all[i]);
	}
}

static void missing_references(void **state)
{
	CLEANUP(scene_clear) struct scene s;

	(void)state;
	scene_init(&s);
	scene_put(&s, 0.9, 0.9, 50, 100, 0);
	measured_free(&s.best);
	is(scene_judged(&s), VERDICT_REJECT, REASON_METRIC_MISSING, "loss");
	measured_add(&s.best, "loss", 1);
	is(scene_judged(&s), VERDICT_REJECT, REASON_METRIC_MISSING, "size");
	measured_add(&s.best, "size", 100);
	is(scene_judged(&s), VERDICT_REJECT, REASON_METRIC_MISSING, "acc");
	measured_add(&s.best, "acc", 0.9);
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_BETTER, "loss");	/* mem has only an absolute bound */
	measured_free(&s.baseline);
	is(scene_judged(&s), VERDICT_REJECT, REASON_METRIC_MISSING, "size");
}

static void order(void **state)
{
	CLEANUP(scene_clear) struct scene s;
	struct decision d;

	(void)state;
	scene_init(&s);
	s.p.escalate.agent_confidence_below = 0.3;
	s.p.escalate.human = s.human;
	s.p.escalate.n_human = 2;
	s.in.confidence = 0.2;
	scene_put(&s, 3, 0, 500, 500, 99);
	is(scene_judged(&s), VERDICT_ESCALATE, REASON_OUT_OF_RANGE, "loss");
	scene_put(&s, 0.4, 0, 500, 500, 99);
	is(scene_judged(&s), VERDICT_ESCALATE, REASON_OUT_OF_RANGE, "loss");
	scene_put(&s, 2, 0, 500, 500, 99);
	is(scene_judged(&s), VERDICT_ESCALATE, REASON_OUT_OF_RANGE, "temp");
	scene_put(&s, 2, 0, 500, 500, -10);
	is(scene_judged(&s), VERDICT_REJECT, REASON_WORSE, "loss");
	scene_put(&s, 1, 0, 500, 500, 0);
	is(scene_judged(&s), VERDICT_REJECT, REASON_NO_GAIN, "loss");
	scene_put(&s, 0.5, 0, 500, 100, 0);
	is(scene_judged(&s), VERDICT_REJECT, REASON_GUARD, "mem");
	scene_put(&s, 0.5, 0, 50, 100, 0);
	is(scene_judged(&s), VERDICT_ESCALATE, REASON_GUARD, "acc");
	scene_put(&s, 0.5, 0.9, 50, 100, 0);
	is(scene_judged(&s), VERDICT_ESCALATE, REASON_LOW_CONFIDENCE, "loss");
	s.in.confidence = 0.3;
	d = scene_judged(&s);
	is(d, VERDICT_ESCALATE, REASON_HUMAN_CRITERIA, "loss");
	assert_string_equal(d.owner, "support");
	s.in.confidence = NAN;
	is(scene_judged(&s), VERDICT_ESCALATE, REASON_HUMAN_CRITERIA, "loss");
	s.p.escalate.n_human = 0;
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_BETTER, "loss");
	s.in.confidence = 0;
	s.p.escalate.agent_confidence_below = NAN;
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_BETTER, "loss");
}

/* A person's yes answers the questions; it does not make a number better. */
static void approved(void **state)
{
	CLEANUP(scene_clear) struct scene s;

	(void)state;
	scene_init(&s);
	s.in.approved = true;
	s.in.confidence = 0;
	s.p.escalate.agent_confidence_below = 0.3;
	s.p.escalate.human = s.human;
	s.p.escalate.n_human = 1;
	scene_put(&s, 0.4, 0, 50, 100, 99);
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_APPROVED, "loss");
	scene_put(&s, 0.4, 0, 500, 100, 99);
	is(scene_judged(&s), VERDICT_REJECT, REASON_GUARD, "mem");
	scene_put(&s, 3, 0, 50, 100, 99);
	is(scene_judged(&s), VERDICT_REJECT, REASON_WORSE, "loss");
	scene_put(&s, 1, 0, 50, 100, 99);
	is(scene_judged(&s), VERDICT_REJECT, REASON_NO_GAIN, "loss");
	s.p.goal.prefer_simpler = s.in.fewer_lines = true;
	is(scene_judged(&s), VERDICT_ACCEPT, REASON_APPROVED, "loss");
}

static void baselines(void **state)
{
	CLEANUP(scene_clear) struct scene s;
	struct decision d;

	(void)state;
	scene_init(&s);
	s.in.best = s.in.baseline = NULL;
	scene_put(&s, 99, 0, 500, 500, 99);
	d = scene_judged(&s);
	is(d, VERDICT_ACCEPT, REASON_BASELINE, "loss");
	assert_true(d.has_value && d.value == 99 && !d.has_best && d.delta == 0 && d.threshold == 0);
	measured_free(&s.candidate);
	is(scene_judged(&s), VERDICT_REJECT, REASON_METRIC_MISSING, "loss");
}

/* The middle of the samples decides, not the luckiest. */
static void medians(void **state)
{
	struct policy p = plain();
	MEASURED best = { 0 }, c = { 0 };
	struct decision_in in = { .policy = &p, .candidate = &c, .best = &best, .baseline = &best, .confidence = NAN };
	struct decision d;

	(void)state;
	measured_add(&best, "loss", 1);
	measured_add(&c, "loss", 0.1);
	measured_add(&c, "loss", 1.1);
	measured_add(&c, "loss", 1.2);
	decide(&in, &d);
	is(d, VERDICT_REJECT, REASON_WORSE, "loss");
	assert_true(d.value == 1.1);
	measured_add(&c, "loss", 0.2);
	decide(&in, &d);
	assert_true(d.value == (0.2 + 1.1) / 2);
	is(d, VERDICT_ACCEPT, REASON_BETTER, "loss");
}

/* Bounds that people write in decimals: standing on one is inside it, one thousandth of it beyond is outside. */
static void bounds_in_decimals(void **state)
{
	(void)state;
	srand(11);
	for (int i = 0; i < 20000; i++) {
		CLEANUP(scene_clear) struct scene s;
		int thousandths = 1 + rand() % 100000, per_mille = 1 + rand() % 50, up = rand() % 2;
		int64_t ref = (int64_t)thousandths * 1000, edge = ref + (up ? 1 : -1) * ref / 1000 * per_mille;
		int64_t beyond = edge + (up ? 1 : -1);

		scene_init(&s);
		s.guards[0].direction = up ? MINIMIZE : MAXIMIZE;
		s.guards[0].max_regression.value = per_mille / 1000.0;
		scene_put(&s, 0.9, (double)edge / 1e6, 50, 100, 0);
		measured_free(&s.best);
		put(&s.best, 1, (double)ref / 1e6, 50, 100, 0);
		s.in.baseline = NULL;
		is(scene_judged(&s), VERDICT_ACCEPT, REASON_BETTER, "loss");
		put(&s.candidate, 0.9, (double)beyond / 1e6, 50, 100, 0);
		is(scene_judged(&s), VERDICT_ESCALATE, REASON_GUARD, "acc");
	}
}

static void targets(void **state)
{
	struct policy p = plain();

	(void)state;
	assert_false(target_reached(&p, 0));
	p.goal.target = 0.95;
	assert_true(target_reached(&p, 0.95));
	assert_true(target_reached(&p, 0.9));
	assert_false(target_reached(&p, 0.96));
	assert_false(target_reached(&p, NAN));
	p.goal.direction = MAXIMIZE;
	assert_true(target_reached(&p, 0.95));
	assert_true(target_reached(&p, 0.96));
	assert_false(target_reached(&p, 0.9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names), cmocka_unit_test(failures), cmocka_unit_test(median_and_spread), cmocka_unit_test(samples),
		cmocka_unit_test(absolute_delta), cmocka_unit_test(relative_delta), cmocka_unit_test(simpler), cmocka_unit_test(guards),
		cmocka_unit_test(guards_hold_the_baseline), cmocka_unit_test(missing_and_invalid),
		cmocka_unit_test(missing_references), cmocka_unit_test(order), cmocka_unit_test(approved), cmocka_unit_test(baselines),
		cmocka_unit_test(medians), cmocka_unit_test(bounds_in_decimals), cmocka_unit_test(targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
