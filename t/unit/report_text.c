/*
 * Words, widths, tables: what people read on terminals, with names that try to be more than names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report_fixture.h"

#include "report/explain.h"
#include "report/table.h"
#include "report/width.h"

static void no_controls(const char *text)
{
	for (; *text; text++)
		assert_false(((unsigned char)*text < 0x20 && *text != '\n') || *text == 0x7f);
}

static void test_width(void **state)
{
	STR s = STR_INIT;

	(void)state;
	assert_int_equal(width_text("plain"), 5);
	assert_int_equal(width_text("\xe6\x97\xa5\xe6\x9c\xac"), 4);	/* two wide characters */
	assert_int_equal(width_text("e\xcc\x81"), 1);			/* e and a combining accent */
	assert_int_equal(width_text("\xc3\xa9"), 1);
	width_cut("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 4, &s);	/* 6 columns in 4: one wide and the ellipsis */
	assert_string_equal(s.buf, "\xe6\x97\xa5\xe2\x80\xa6");
	str_clear(&s);
	width_cut("short", 5, &s);
	assert_string_equal(s.buf, "short");
	str_clear(&s);
	width_cut("\xff\xfe", 1, &s);	/* not even UTF-8: cut, never read beyond the end */
	assert_int_equal(width_text("\xf0\x9f"), 2);
}

static void test_table(void **state)
{
	static const struct column columns[] = { { .title = "n", .right = true }, { .title = "what" }, { .title = "name", .grow = true } };
	CLEANUP(table_free) struct table t;
	STR out = STR_INIT, cut = STR_INIT;

	(void)state;
	table_init(&t, columns, 3);
	table_add(&t, "", "7");
	table_add(&t, COLOUR_GOOD, "\xe6\x97\xa5");
	table_add(&t, "", "a rather long hypothesis about learning rates");
	table_add(&t, "", "117");
	table_add(&t, "", "kept");
	table_add(&t, "", HOSTILE);
	table_format(&t, 0, false, &out);
	no_controls(out.buf);
	assert_non_null(strstr(out.buf, "  7  \xe6\x97\xa5    a rather long"));
	assert_int_equal(starts_with(out.buf, "  n  what  name\n"), 1);
	table_format(&t, 30, false, &cut);
	for (char *line = strtok(cut.buf, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(width_text(line) <= 30);
	str_clear(&out);
	table_format(&t, 0, true, &out);
	assert_non_null(strstr(out.buf, COLOUR_GOOD "\xe6\x97\xa5" COLOUR_OFF));
}

static void check_number(double v, const char *want)
{
	char text[NUM_TEXT];

	words_number(v, text);
	assert_string_equal(text, want);
}

static void check_percent(double v, const char *want)
{
	char text[NUM_TEXT];

	words_percent(v, text);
	assert_string_equal(text, want);
}

static void test_numbers(void **state)
{
	char text[NUM_TEXT];

	(void)state;
	check_number(NAN, "-");
	check_number(0.96968612345, "0.969686");
	check_number(1234567.8, "1234568");
	check_number(-0.0, "0");
	check_number(1e300, "1e+300");
	check_percent(0.0281, "2.81%");
	check_percent(-0.5, "-50.0%");
	check_percent(3, "300%");
	check_percent(0.00001, "0.001%");
	check_percent(INFINITY, "-");
	words_delta(-0.000747, text);
	assert_string_equal(text, "-0.000747");
	words_delta(12, text);
	assert_string_equal(text, "+12");
	words_bytes(47244640256, text);
	assert_string_equal(text, "44.0 GiB");
	words_bytes(-1, text);
	assert_string_equal(text, "-");
	words_bytes(512, text);
	assert_string_equal(text, "512 B");
}

/* Each reason has words of its own: a new one must not reach people as nothing. */
static void test_reasons(void **state)
{
	(void)state;
	for (enum reason r = REASON_NONE + 1; r < REASON_N; r++)
		assert_true(strlen(words_reason(VERDICT_REJECT, r)) > 5);
}

static void explain(struct history *h, const struct record *r, const char *decide, const char *want)
{
	STR out = STR_INIT;
	EVENT e = { 0 };

	assert_true(event_parse(decide, strlen(decide), &e));
	explain_verdict(h, r, &e, &out);
	if (strcmp(out.buf, want) != 0)
		fail_msg("said: %s", out.buf);
}

static void test_explain(void **state)
{
	struct history *h = fix_new("val_bpb", MINIMIZE);
	const struct record *r;

	(void)state;
	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, 1, NULL);
	r = fix_record(h, VERDICT_ACCEPT, REASON_BETTER, 0.875, "halve it");
	explain(h, r, "verdict=accept threshold=0.01",
		"val_bpb 0.875, best was 1: better by 0.125 (12.5%), and a gain must exceed 0.01.");
	r = fix_record(h, VERDICT_REJECT, REASON_NO_GAIN, 0.875, "halve it again");
	explain(h, r, "verdict=reject", "val_bpb 0.875, the same as best.");
	r = fix_record(h, VERDICT_REJECT, REASON_NO_GAIN, 0.8125, "a little");
	explain(h, r, "verdict=reject threshold=0.1", "val_bpb 0.8125, best was 0.875: better by 0.0625 (7.14%), but a gain must exceed 0.1.");
	r = fix_record(h, VERDICT_REJECT, REASON_CRASH, NAN, "break it");
	explain(h, r, "verdict=reject stage=score exit=139", "The run crashed in stage 'score', ended by signal 11.");
	r = fix_record(h, VERDICT_ESCALATE, REASON_SURFACE, NAN, "reach out");
	explain(h, r, "verdict=escalate path=\"eval/\\x1b[31m.py\" why=\"outside the surface\"",
		"It changed what is outside the surface: eval/\\x1b[31m.py (outside the surface).");
	fix_free(h);
}

/* A guard is told with what was measured and what it permits. */
static void test_guard(void **state)
{
	struct history *h = fix_new("val_bpb", MINIMIZE);
	struct guard guard = { .metric = (char *)"vram", .min = NAN, .max = 80 };
	struct record *r;

	(void)state;
	h->policy->guards = &guard;
	h->policy->n_guards = 1;
	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, 1, NULL);
	r = fix_record(h, VERDICT_REJECT, REASON_GUARD, 0.5, "more memory");
	free(r->metric);
	r->metric = xstrdup("vram");
	r->owner = xstrdup("infra");
	measured_add(&r->measured, "vram", 96);
	explain(h, r, "verdict=reject",
		"val_bpb 0.5, best was 1: better by 0.5 (50.0%). A guard did not hold on vram (measured 96, max 80). It belongs to infra.");
	fix_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_width), cmocka_unit_test(test_table), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_reasons), cmocka_unit_test(test_explain), cmocka_unit_test(test_guard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
