/*
 * Every format of `report`, with one experiment and a thousand, with values that are hard to draw and names that want out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "report_fixture.h"

#include "report/chart.h"
#include "report/html.h"
#include "report/json.h"
#include "report/md.h"
#include "report/scale.h"
#include "report/tsv.h"

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void hides(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' is in:\n%s", part, text);
}

static void svg_alone(const struct outline *o, struct str *ret)
{
	chart_svg(o, true, ret);
}

static void write(const struct history *h, void (*fn)(const struct outline *o, struct str *ret), struct str *ret)
{
	CLEANUP(outline_free) struct outline o = { 0 };

	outline_make(h, &o);
	str_clear(ret);
	fn(&o, ret);
}

/* Balanced tags and quoted attributes, no entity but XML's own: enough of a parser to notice what text_xml exists to prevent. */
static void well_formed(const char *p)
{
	char names[64][16];
	size_t depth = 0;

	while ((p = strchr(p, '<'))) {
		const char *end = strchr(p, '>');
		char name[16] = "";

		assert_non_null(end);
		if (p[1] == '?' || p[1] == '!') {
			p = end;
			continue;
		}
		assert_int_equal(sscanf(p + (p[1] == '/' ? 2 : 1), "%15[a-z0-9]", name), 1);
		if (p[1] == '/') {
			assert_true(depth > 0);
			assert_string_equal(names[--depth], name);
		} else if (end[-1] != '/') {
			assert_true(depth < 64);
			memcpy(names[depth++], name, sizeof(name));
		}
		p = end;
	}
	assert_int_equal(depth, 0);
}

static struct history *mixed(void)
{
	struct history *h = fix_new("val_bpb", MINIMIZE);

	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, 0.9979, "the user's own commit");
	fix_record(h, VERDICT_ACCEPT, REASON_BETTER, 0.9932, "increase LR to 0.04");
	fix_record(h, VERDICT_REJECT, REASON_NO_GAIN, 1.005, "switch to GeLU\tactivation");
	fix_record(h, VERDICT_REJECT, REASON_CRASH, NAN, "double model width (OOM)");
	fix_record(h, VERDICT_REJECT, REASON_SURFACE, NAN, "edit the evaluator");
	fix_record(h, VERDICT_ESCALATE, REASON_GUARD, 0.99, HOSTILE);
	return h;
}

static void test_tsv(void **state)
{
	struct history *h = mixed();
	STR out = STR_INIT, want = STR_INIT;
	const char *rest;
	char id[6][OID_HEX + 1];

	(void)state;
	for (int i = 0; i < 6; i++)
		memcpy(id[i], oid_hex(&history_record(h, (int)i)->commit).s, OID_HEX + 1);
	measured_add(&store_edit(h->store, 1)->measured, "peak_vram_mb", 45060);
	write(h, report_tsv, &out);
	str_printf(&want, "commit\tval_bpb\tmemory_gb\tstatus\tdescription\n");
	str_printf(&want, "%.7s\t0.997900\t1.5\tkeep\tbaseline\n", id[0]);
	str_printf(&want, "%.7s\t0.993200\t44.0\tkeep\tincrease LR to 0.04\n", id[1]);
	str_printf(&want, "%.7s\t1.005000\t1.5\tdiscard\tswitch to GeLU activation\n", id[2]);
	str_printf(&want, "%.7s\t0.000000\t0.0\tcrash\tdouble model width (OOM)\n", id[3]);
	str_printf(&want, "%.7s\t0.000000\t0.0\tcrash\tedit the evaluator (surface)\n", id[4]);
	assert_true(starts_with(out.buf, want.buf));
	/* the hostile one: five fields, one line, nothing that moves a cursor */
	rest = out.buf + want.len;
	assert_ptr_equal(strchr(rest, '\n'), out.buf + out.len - 1);
	for (int tabs = 0; tabs < 4; tabs++, rest++)
		assert_non_null(rest = strchr(rest, '\t'));
	assert_null(strchr(rest, '\t'));
	assert_null(strchr(rest, '\033'));
	hides(rest, "\xe2\x80\xae");
	fix_free(h);
}

static void test_json(void **state)
{
	struct history *h = mixed();
	STR out = STR_INIT;

	(void)state;
	store_edit(h->store, 1)->usd = 0.25;
	store_edit(h->store, 1)->tokens_in = 12;
	write(h, report_json, &out);
	has(out.buf, "\"direction\": \"minimize\"");
	has(out.buf, "\"kept\": 1");
	has(out.buf, "\"tokens_in\": 12");
	has(out.buf, "\"usd\": 0.25");
	has(out.buf, "\"reason\": \"surface\"");
	has(out.buf, "\"value\": null");
	has(out.buf, "\"wall\": 307.4");
	assert_null(strchr(out.buf, '\033'));
	fix_free(h);
}

static void test_md(void **state)
{
	struct history *h = mixed();
	STR out = STR_INIT;

	(void)state;
	write(h, report_md, &out);
	has(out.buf, "## val\\_bpb 0.9979 \xe2\x86\x92 0.9932 (0.47% better)\n");
	has(out.buf, "| **kept** | increase LR to 0.04 |");
	has(out.buf, "| failed (crash) | double model width (OOM) |");
	hides(out.buf, "<script");
	hides(out.buf, "[l](");
	hides(out.buf, " `a` ");
	hides(out.buf, "@me");
	assert_null(strchr(out.buf, '\033'));
	for (const char *line = strstr(out.buf, "|--:|"); line && *line; line = strchr(line, '\n') + 1) {
		int bars = 0;

		for (const char *p = line; *p != '\n'; p++)
			bars += *p == '|' && p[-1] != '\\';
		assert_int_equal(bars, 7);
	}
	fix_free(h);
}

static void test_pictures(void **state)
{
	struct history *h = mixed();
	STR out = STR_INIT;

	(void)state;
	write(h, svg_alone, &out);
	well_formed(out.buf);
	has(out.buf, ">increase LR to 0.04</text>");
	has(out.buf, "1 kept");
	has(out.buf, "prefers-color-scheme:dark");
	hides(out.buf, "<script");
	hides(out.buf, "href");
	assert_null(strchr(out.buf, '\033'));
	write(h, report_html, &out);
	well_formed(out.buf);
	has(out.buf, "<td>edit the evaluator</td>");
	has(out.buf, "&lt;script&gt;");
	hides(out.buf, "<script");
	hides(out.buf, "\xe2\x80\xae");
	assert_null(strchr(out.buf, '\033'));
	fix_free(h);
}

static void draw(struct history *h)
{
	STR out = STR_INIT;

	write(h, svg_alone, &out);
	well_formed(out.buf);
	hides(out.buf, "nan");
	hides(out.buf, "inf");
	assert_true(out.len < 2000000);
	fix_free(h);
}

/* No measurement, one, a flat line, one wild value, numbers at both ends of what a double holds. */
static void test_hard_to_draw(void **state)
{
	static const double values[][4] = {
		{ 0, 0, 0, 0 }, { 5, 5, 5, 1e9 }, { -1, -2, -3, -1e-300 }, { 1e308, -1e308, 5e307, -5e307 },
		{ 1e-300, 1e-301, 1e-302, 0 }, { 123456789, 123456788, 123456787, 1 },
	};
	struct history *h = fix_new("score", MINIMIZE);

	(void)state;
	draw(h);
	h = fix_new("score", MAXIMIZE);
	fix_record(h, VERDICT_REJECT, REASON_CRASH, NAN, "x");
	draw(h);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		h = fix_new("score", i % 2 ? MAXIMIZE : MINIMIZE);
		fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, values[i][0], "x");
		fix_record(h, VERDICT_ACCEPT, REASON_BETTER, values[i][1], "y");
		fix_record(h, VERDICT_ACCEPT, REASON_APPROVED, values[i][2], "");
		fix_record(h, VERDICT_REJECT, REASON_WORSE, values[i][3], NULL);
		draw(h);
	}
}

static void test_thousand(void **state)
{
	struct history *h = fix_new("score", MINIMIZE);
	double best = 1000;

	(void)state;
	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, best, "x");
	for (int i = 1; i <= 1000; i++) {
		if (i % 3 == 0)
			fix_record(h, VERDICT_ACCEPT, REASON_BETTER, best -= 0.5, "a name that is quite long, as names of ideas are");
		else
			fix_record(h, VERDICT_REJECT, i % 5 ? REASON_WORSE : REASON_TIMEOUT, i % 5 ? best + i % 17 : NAN, "no");
	}
	draw(h);
}

/* One value far off must not flatten the rest. */
static void test_range(void **state)
{
	struct history *h = fix_new("score", MINIMIZE);
	CLEANUP(outline_free) struct outline o = { 0 };
	double lo, hi;

	(void)state;
	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, 10, "x");
	fix_record(h, VERDICT_ACCEPT, REASON_BETTER, 9, "y");
	fix_record(h, VERDICT_REJECT, REASON_WORSE, 10.5, "z");
	fix_record(h, VERDICT_REJECT, REASON_WORSE, 1e6, "z");
	outline_make(h, &o);
	assert_true(scale_range(&o, &lo, &hi));
	assert_true(lo < 9 && lo > 7);
	assert_true(hi > 10.5 && hi < 12);
	fix_free(h);
}

static void test_rollback(void **state)
{
	struct history *h = fix_new("score", MINIMIZE);
	CLEANUP(outline_free) struct outline o = { 0 };

	(void)state;
	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, 10, "x");
	fix_record(h, VERDICT_ACCEPT, REASON_BETTER, 8, "a");
	fix_record(h, VERDICT_ACCEPT, REASON_BETTER, 6, "b");
	fix_rollback(h, 1);
	fix_record(h, VERDICT_REJECT, REASON_WORSE, 9, "c");
	outline_make(h, &o);
	assert_int_equal(o.n_steps, 4);
	assert_true(o.steps[2].value == 6 && o.steps[3].value == 8 && o.steps[3].at == 2);
	assert_true(o.best == 8 && o.gain == 2);
	fix_free(h);
}

static void check_ticks(double lo, double hi, bool whole, const char *first, const char *second)
{
	struct scale s;
	char text[NUM_TEXT];

	scale_init(&s, lo, hi, 5, whole);
	assert_true(s.ticks >= 2 && s.ticks <= 12);
	scale_label(&s, scale_tick(&s, 0), text);
	assert_string_equal(text, first);
	scale_label(&s, scale_tick(&s, 1), text);
	assert_string_equal(text, second);
}

static void test_ticks(void **state)
{
	(void)state;
	check_ticks(0, 10, true, "0", "2");
	check_ticks(0, 1, true, "0", "1");
	check_ticks(0.961, 1.003, false, "0.97", "0.98");
	check_ticks(-0.3, 0.3, false, "-0.2", "0");
	check_ticks(0, 12e6, false, "0", "2.5M");
	check_ticks(1200, 1240, false, "1200", "1210");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tsv), cmocka_unit_test(test_json), cmocka_unit_test(test_md), cmocka_unit_test(test_pictures),
		cmocka_unit_test(test_hard_to_draw), cmocka_unit_test(test_thousand), cmocka_unit_test(test_range),
		cmocka_unit_test(test_rollback), cmocka_unit_test(test_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
