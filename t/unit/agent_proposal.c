/* The proposal file of the command protocol: written by a stranger, so everything in it is only text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "agent/agent.h"
#include "base/mem.h"

struct wanted {
	const char *text, *subject, *body;
	double confidence;
	bool stop;
};

static void same_text(const char *got, const char *want)
{
	if (!got || !want)
		assert_true(got == want);
	else
		assert_string_equal(got, want);
}

static void check(const char *text, size_t len, const struct wanted *w)
{
	CLEANUP(proposal_clear) struct proposal p;

	proposal_parse(text, len, &p);
	assert_int_equal(p.kind, PROPOSAL_PROCESS);
	same_text(p.subject, w->subject);
	same_text(p.body, w->body);
	if (isnan(w->confidence))
		assert_true(isnan(p.confidence));
	else
		assert_true(p.confidence == w->confidence);
	assert_int_equal(p.stop, w->stop);
	assert_null(p.why);
	assert_null(p.source);
}

static void forms(void **state)
{
	static const struct wanted all[] = {
		{ "", NULL, NULL, NAN, false },
		{ "\n \n\t\n", NULL, NULL, NAN, false },
		{ "widen the net", "widen the net", NULL, NAN, false },
		{ "widen the net  \n", "widen the net", NULL, NAN, false },
		{ "\n\nwiden the net\n\n\nIt has room.\n\nAnd time.\n\n", "widen the net", "It has room.\n\nAnd time.", NAN, false },
		{ "one\ntwo\n", "one", "two", NAN, false },
		{ "one\r\n\r\ntwo\r\nthree\r\n", "one", "two\nthree", NAN, false },
		/* trailers */
		{ "one\n\nConfidence: 0.7\n", "one", NULL, 0.7, false },
		{ "one\nConfidence: 0.7\nStop: true\n", "one", NULL, 0.7, true },
		{ "one\n\ntwo\n\nconfidence: 1\nSTOP: True", "one", "two", 1, true },
		{ "one\n\nConfidence: 0.7\nCo-authored-by: B <b@x>\nStop: true\n", "one", "Co-authored-by: B <b@x>", 0.7, true },
		{ "one\n\ntwo\nSigned-off-by: A <a@x>\nConfidence: 0\n", "one", "two\nSigned-off-by: A <a@x>", 0, false },
		{ "one\n\nConfidence: 0.2\nConfidence: 0.9\nStop: false\n", "one", NULL, 0.9, false },
		/* no trailers of ours: they stay what they are, text */
		{ "one\n\nConfidence: 0.7\n\nmore\n", "one", "Confidence: 0.7\n\nmore", NAN, false },
		{ "one\n\nConfidence: high\n", "one", "Confidence: high", NAN, false },
		{ "one\n\nConfidence: 1.5\n", "one", "Confidence: 1.5", NAN, false },
		{ "one\n\nConfidence: nan\nStop: true\n", "one", "Confidence: nan", NAN, true },
		{ "one\n\nStop: maybe\n", "one", "Stop: maybe", NAN, false },
		{ "Stop: true\n", "Stop: true", NULL, NAN, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check(all[i].text, strlen(all[i].text), &all[i]);
}

static void hostile(void **state)
{
	const struct wanted zero = { NULL, "a b", "c d", NAN, false };
	CLEANUP(proposal_clear) struct proposal p;
	STR many = STR_INIT;

	(void)state;
	check("a\0b\n\nc\0d\n", 9, &zero);
	for (int i = 0; i < 100000; i++)
		str_puts(&many, "Stop: true\n");
	proposal_parse(many.buf, many.len, &p);
	assert_string_equal(p.subject, "Stop: true");
	assert_true(p.stop);
	assert_null(p.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(forms), cmocka_unit_test(hostile) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
