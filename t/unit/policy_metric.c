/* What a process printed, as numbers: the protocol, and what people and attackers print instead. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/metric.h"

static char *names_v[] = { "loss", "acc", "a.b/c-d", NULL };
static const struct strs names = { names_v, 3, 3 };

/* "loss=0.5 acc=? a.b/c-d=!": what the reader holds, for any way of cutting the stream into pieces. */
static void hold(const struct metric_reader *r, struct str *ret)
{
	for (size_t i = 0; i < names.n; i++) {
		double value = 0;
		const char *why = "";

		str_printf(ret, "%s%s=", i ? " " : "", names.v[i]);
		switch (metric_get(r, names.v[i], &value, &why)) {
		case METRIC_VALUE:
			str_printf(ret, "%.17g", value);
			break;
		case METRIC_MISSING:
			str_putc(ret, '?');
			break;
		case METRIC_INVALID:
			str_printf(ret, "!{%s}", why);
			break;
		}
	}
}

static void fed(const char *text, size_t len, size_t piece, bool json, struct str *ret)
{
	struct metric_reader *r = metric_reader_new(&names, json);

	for (size_t at = 0; at < len; at += piece) {
		/* A piece of its own, so that a reader that looks beyond it is seen. */
		size_t n = len - at < piece ? len - at : piece;
		AUTOFREE char *copy = xmalloc(n);

		memcpy(copy, text + at, n);
		metric_reader_feed(r, copy, n);
	}
	metric_reader_end(r);
	hold(r, ret);
	metric_reader_free(r);
}

static void reads(const char *text, size_t len, bool json, const char *expected)
{
	for (size_t piece = 1; piece <= len + 1; piece = piece < 9 ? piece + 1 : piece * 3) {
		STR got = STR_INIT;

		fed(text, len, piece, json, &got);
		assert_string_equal(got.buf, expected);
	}
}

static const struct {
	const char *text, *loss;
} line_cases[] = {
	{ "", "?" }, { "METRIC loss=0.5\n", "0.5" }, { "METRIC loss=0.5", "0.5" }, { "loss: 0.5\n", "0.5" }, { "loss: 0.5\r\n", "0.5" },
	{ "METRIC loss=-1e3\r\n", "-1000" }, { "loss:          0.5\n", "0.5" }, { "loss:\t7\n", "7" },
	{ "noise\n\n\nMETRIC loss=1\nmore\n", "1" }, { "METRIC loss=1\nMETRIC loss=1.0\nloss: 1e0\n", "1" },
	{ "METRIC loss=0\nMETRIC loss=-0\n", "0" }, { "---\nloss: 3\n", "3" },
	/* not about loss at all */
	{ " METRIC loss=1\n", "?" }, { "\tloss: 1\n", "?" }, { "metric loss=1\n", "?" }, { "METRIC losses=1\n", "?" },
	{ "METRIC los=1\n", "?" }, { "METRICloss=1\n", "?" }, { "x METRIC loss=1\n", "?" }, { "loss 1\n", "?" }, { "loss=1\n", "?" },
	{ "Loss: 1\n", "?" }, { "loss.x: 1\n", "?" }, { "loss\n", "?" }, { "METRIC\n", "?" }, { "METRIC \n", "?" }, { "METRIC  =1\n", "?" },
	{ "x\rMETRIC loss=1\n", "?" }, { "loss\0: 1\n", "?" }, { "METRIC other=1\n", "?" }, { ": 1\n", "?" },
	/* about it, and no number */
	{ "METRIC loss=\n", "!{'METRIC loss=': not a plain finite decimal number}" },
	{ "METRIC loss\n", "!{'METRIC loss': expected METRIC <name>=<number>}" },
	{ "METRIC loss = 1\n", "!{'METRIC loss = 1': expected METRIC <name>=<number>}" },
	{ "METRIC  loss=1\n", "!{'METRIC loss=1': expected METRIC <name>=<number>}" },
	{ "METRIC\tloss=1\n", "!{'METRIC loss=1': expected METRIC <name>=<number>}" },
	{ "METRIC loss: 1\n", "!{'METRIC loss: 1': expected METRIC <name>=<number>}" },
	{ "METRIC loss= 1\n", "!{'METRIC loss= 1': not a plain finite decimal number}" },
	{ "METRIC loss=1 \n", "!{'METRIC loss=1': not a plain finite decimal number}" },
	{ "METRIC loss=1 METRIC acc=2\n", "!{'METRIC loss=1 METRIC acc=2': not a plain finite decimal number}" },
	{ "METRIC loss=0,5\n", "!{'METRIC loss=0,5': not a plain finite decimal number}" },
	{ "METRIC loss=5ms\n", "!{'METRIC loss=5ms': not a plain finite decimal number}" },
	{ "METRIC loss=+5\n", "!{'METRIC loss=+5': not a plain finite decimal number}" },
	{ "METRIC loss=0x10\n", "!{'METRIC loss=0x10': not a plain finite decimal number}" },
	{ "METRIC loss=nan\n", "!{'METRIC loss=nan': not a plain finite decimal number}" },
	{ "METRIC loss=-inf\n", "!{'METRIC loss=-inf': not a plain finite decimal number}" },
	{ "METRIC loss=1e999\n", "!{'METRIC loss=1e999': not a plain finite decimal number}" },
	{ "METRIC loss=1\r\r\n", "!{'METRIC loss=1': not a plain finite decimal number}" },
	{ "METRIC loss=1\x1b[0m\n", "!{'METRIC loss=1\\x1b[0m': not a plain finite decimal number}" },
	{ "METRIC loss=\r\n", "!{'METRIC loss=': not a plain finite decimal number}" },
	{ "loss:1\n", "!{'loss:1': expected <name>: <number>}" }, { "loss:\n", "!{'loss:': expected <name>: <number>}" },
	{ "loss: \n", "!{'loss:': not a plain finite decimal number}" },
	{ "loss:\r\n", "!{'loss:': expected <name>: <number>}" }, { "loss: \r\n", "!{'loss:': not a plain finite decimal number}" },
	{ "loss: 12 (best 10)\n", "!{'loss: 12 (best 10)': not a plain finite decimal number}" },
	{ "loss: computing\nloss: 1\n", "!{'loss: computing': not a plain finite decimal number}" },
	{ "loss: 1\nloss: x\nloss: y\n", "!{'loss: x': not a plain finite decimal number}" },
	{ "loss: 1\nMETRIC loss=2\nloss: 1\n", "!{printed twice with different values: '1' and '2'}" },
	{ "METRIC loss=0.5\nMETRIC loss=0.50000000000000011\n",
	  "!{printed twice with different values: '0.5' and '0.50000000000000011'}" },
};

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(line_cases); i++) {
		AUTOFREE char *expected = NULL;
		const char *text = line_cases[i].text;

		expected = xasprintf("loss=%s acc=%s a.b/c-d=?", line_cases[i].loss, "?");
		reads(text, strlen(text), false, expected);
	}
	/* A carriage return does not begin a line. */
	reads("\n\r\n\rloss: 3\nloss: 4", 19, false, "loss=4 acc=? a.b/c-d=?");
	reads("loss\0: 1\n", 9, false, "loss=? acc=? a.b/c-d=?");
	reads("METRIC loss=1\0\n", 15, false, "loss=!{'METRIC loss=1\\x00': not a plain finite decimal number} acc=? a.b/c-d=?");
	reads("METRIC a.b/c-d=1\nacc: 2\n", 24, false, "loss=? acc=2 a.b/c-d=1");
}

static void long_lines(void **state)
{
	static const struct {
		const char *begin;
		char fill;
		const char *end, *expected;
	} cases[] = {
		{ "METRIC loss=", '1', "\n", "loss=!" }, { "METRIC loss=1", ' ', "\n", "loss=!" }, { "loss:", ' ', "1\n", "loss=!" },
		{ "x", 'x', "\nMETRIC loss=1\n", "loss=1 " }, { "METRIC loss=1\n", 'x', "METRIC loss=2\n", "loss=1 " },
		{ "", 'l', "oss: 1\n", "loss=? " }, { "METRIC ", ' ', "loss=1\n", "loss=? " },
		{ "METRIC loss=1\r", '\r', "\n", "loss=!" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		STR text = STR_INIT, got = STR_INIT;

		str_puts(&text, cases[i].begin);
		for (int k = 0; k < 3000; k++)
			str_putc(&text, cases[i].fill);
		str_puts(&text, cases[i].end);
		for (size_t piece = 1; piece < 4000; piece *= 7) {
			str_clear(&got);
			fed(text.buf, text.len, piece, false, &got);
			if (!starts_with(got.buf, cases[i].expected))
				fail_msg("case %zu: %s", i, got.buf);
		}
	}
}

/* 1 GiB without a newline costs time, not memory; and what follows it is read. */
static void endless_line(void **state)
{
	AUTOFREE char *piece = xmalloc(1 << 20);
	struct metric_reader *r = metric_reader_new(&names, false);
	size_t before, after;
	double value;
	const char *why;

	(void)state;
	memset(piece, 'm', 1 << 20);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (int i = 0; i < 1024; i++)
		metric_reader_feed(r, piece, 1 << 20);
	after = mallinfo2().uordblks + mallinfo2().hblkhd;
	assert_true(after <= before + 4096);
	metric_reader_feed(r, "\nloss: 2", 8);
	metric_reader_feed(r, piece, 0);
	metric_reader_end(r);
	assert_int_equal(metric_get(r, "loss", &value, &why), METRIC_VALUE);
	assert_true(value == 2);
	metric_reader_free(r);
}

static void objects(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "loss=? acc=? a.b/c-d=?" }, { " \r\n", "loss=? acc=? a.b/c-d=?" }, { "{}", "loss=? acc=? a.b/c-d=?" },
		{ "{\"loss\": 0.5, \"acc\": 1e-2, \"x\": [1]}\n", "loss=0.5 acc=0.01 a.b/c-d=?" },
		{ "{\"loss\": 1, \"loss\": 1.0}", "loss=1 acc=? a.b/c-d=?" },
		{ "{\"loss\": 1, \"l\\u006fss\": 2}", "loss=!{printed twice with different values: '1' and '2'} acc=? a.b/c-d=?" },
		{ "{\"loss\": \"1\", \"acc\": 2}", "loss=!{'loss': not a number in the JSON object} acc=2 a.b/c-d=?" },
		{ "{\"loss\": null}", "loss=!{'loss': not a number in the JSON object} acc=? a.b/c-d=?" },
		{ "{\"nested\": {\"loss\": 1}}", "loss=? acc=? a.b/c-d=?" },
		{ "{\"loss\": 0.000000000000000000000000000000000000000000000000000000000000001}",
		  "loss=!{'0.000000000000000000000000000000000000000000000000000000000000001': not a plain finite decimal number} "
		  "acc=? a.b/c-d=?" },
		{ "METRIC loss=1\n", NULL }, { "{\"loss\": NaN}", NULL }, { "{\"loss\": 1e999}", NULL }, { "{\"loss\": 1", NULL },
		{ "[1]", NULL }, { "{\"loss\": 0,5}", NULL }, { "{\"loss\": 1} {\"loss\": 2}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		STR got = STR_INIT;

		if (cases[i].expected) {
			reads(cases[i].text, strlen(cases[i].text), true, cases[i].expected);
			continue;
		}
		fed(cases[i].text, strlen(cases[i].text), 3, true, &got);
		assert_non_null(strstr(got.buf, "loss=!"));
		assert_non_null(strstr(got.buf, "acc=!"));
		assert_non_null(strstr(got.buf, "line 1"));
	}
}

static void large_objects(void **state)
{
	STR text = STR_INIT, got = STR_INIT;

	(void)state;
	str_puts(&text, "{\"loss\": 1");
	while (text.len < (1 << 20) - 1)
		str_putc(&text, ' ');
	str_putc(&text, '}');
	fed(text.buf, text.len, 10000, true, &got);
	assert_true(starts_with(got.buf, "loss=1 "));
	str_clear(&got);
	text.buf[text.len - 1] = ' ';
	str_putc(&text, '}');
	fed(text.buf, text.len, 10000, true, &got);
	assert_true(starts_with(got.buf, "loss=!{'{\"loss\": 1': JSON object larger than 1 MiB} acc=!"));
}

static void invalid(void **state)
{
	struct metric_reader *r = metric_reader_new(&names, false);
	const char *why = "kept";
	double value = 7;

	(void)state;
	metric_reader_feed(r, "loss: 1\n", 8);
	metric_reader_feed(r, "a.b/c-d: x\nacc: y\n", 18);
	metric_reader_end(r);
	assert_int_equal(metric_get(r, "acc", &value, &why), METRIC_INVALID);
	assert_string_equal(why, "'acc: y': not a plain finite decimal number");
	why = "kept";
	assert_int_equal(metric_get(r, "unknown", &value, &why), METRIC_MISSING);
	assert_true(value == 7);
	assert_string_equal(why, "kept");
	metric_reader_free(r);
	metric_reader_free(NULL);
}

static void no_names(void **state)
{
	struct strs empty = { 0 };
	struct metric_reader *r = metric_reader_new(&empty, false);
	const char *why;
	double value;

	(void)state;
	metric_reader_feed(r, "loss: 1\n", 8);
	metric_reader_end(r);
	assert_int_equal(metric_get(r, "loss", &value, &why), METRIC_MISSING);
	metric_reader_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines), cmocka_unit_test(long_lines), cmocka_unit_test(endless_line), cmocka_unit_test(objects),
		cmocka_unit_test(large_objects), cmocka_unit_test(invalid), cmocka_unit_test(no_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
