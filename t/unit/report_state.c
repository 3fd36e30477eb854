/*
 * Where a campaign stands: the state's name, what waits, and the JSON that scripts read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report_fixture.h"

#include "report/state.h"
#include "report/width.h"

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
}

static void test_states(void **state)
{
	struct history *h = fix_new("score", MINIMIZE);
	struct state_in in = { .history = h };

	(void)state;
	h->needs_baseline = true;
	assert_int_equal(state_of(&in), STATE_STOPPED);
	in.running = true;
	assert_int_equal(state_of(&in), STATE_RUNNING);
	in.running = h->needs_baseline = false;
	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, 10, NULL);
	fix_record(h, VERDICT_REJECT, REASON_WORSE, 11, "worse");
	assert_int_equal(state_of(&in), STATE_STOPPED);
	h->policy->budget.experiments = 1;
	assert_int_equal(state_of(&in), STATE_ENDED);
	fix_record(h, VERDICT_ESCALATE, REASON_HUMAN_CRITERIA, 9, "ask me");
	assert_int_equal(state_of(&in), STATE_WAITING);
	store_edit(h->store, 2)->waiting = false;
	store_flag(h->store, 2);
	h->loop_waits = REASON_FAILURES;
	assert_int_equal(state_of(&in), STATE_WAITING);
	fix_free(h);
}

static void test_text(void **state)
{
	struct history *h = fix_new("score", MINIMIZE);
	struct state_in in = { .history = h, .verdicts = 5 };
	STR out = STR_INIT, narrow = STR_INIT;

	(void)state;
	state_text(&in, &out);
	has(out.buf, "campaign main is stopped\nbest     not measured yet\n");
	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, 10, NULL);
	fix_record(h, VERDICT_ACCEPT, REASON_BETTER, 8, "good idea");
	fix_record(h, VERDICT_ESCALATE, REASON_GUARD, 7, HOSTILE);
	str_clear(&out);
	state_text(&in, &out);
	has(out.buf, "campaign main is waiting for a person to answer 1 experiment\n");
	has(out.buf, "best     score 8, from 10 at the baseline: gain +2 (20.0%)\n");
	has(out.buf, "experiments 2 of 100 used\n");
	has(out.buf, "    git harness approve 2\n    git harness deny 2 -m '<why>'\n");
	assert_null(strchr(out.buf, '\033'));
	in.columns = 40;
	in.colour = false;
	state_text(&in, &narrow);
	for (char *line = strtok(narrow.buf, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(width_text(line) <= 64);	/* commands to type are not cut */
	fix_free(h);
}

/* Another campaign's commands name it. */
static void test_campaign(void **state)
{
	struct history *h = fix_new("score", MAXIMIZE);
	struct state_in in = { .history = h };
	STR out = STR_INIT;

	(void)state;
	free(h->campaign);
	h->campaign = xstrdup("speed");
	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, 10, NULL);
	fix_record(h, VERDICT_ESCALATE, REASON_GUARD, 12, "x");
	h->loop_waits = REASON_FAILURES;
	state_text(&in, &out);
	has(out.buf, "git harness approve speed/1\n");
	has(out.buf, "git harness resume --campaign=speed\n");
	fix_free(h);
}

static void test_live(void **state)
{
	static const char line[] = "pid=7 experiment=8 phase=EVALUATE stage=\"sc\\x1b]0;x\" sample=2 phase_wall=12.34 elapsed=400";
	struct history *h = fix_new("score", MINIMIZE);
	EVENT live = { 0 };
	struct state_in in = { .history = h, .running = true, .live = &live };
	STR out = STR_INIT;

	(void)state;
	assert_true(event_parse(line, sizeof(line) - 1, &live));
	state_headline(&in, &out);
	has(out.buf, "experiment 8, evaluate sc\\x1b]0;x, sample 2, for 12s");
	fix_free(h);
}

static void test_json(void **state)
{
	struct history *h = fix_new("score", MINIMIZE);
	struct state_in in = { .history = h };
	STR empty = STR_INIT, out = STR_INIT;

	(void)state;
	state_json(&in, &empty);
	has(empty.buf, "\"best\": null");
	has(empty.buf, "\"value\": null");
	has(empty.buf, "\"waiting\": []");
	fix_record(h, VERDICT_ACCEPT, REASON_BASELINE, 10, NULL);
	fix_record(h, VERDICT_ACCEPT, REASON_BETTER, 8.5, "x");
	fix_record(h, VERDICT_ESCALATE, REASON_GUARD, 7, HOSTILE);
	state_json(&in, &out);
	has(out.buf, "\"campaign\": \"main\"");
	has(out.buf, "\"state\": \"waiting\"");
	has(out.buf, "\"value\": 8.5");
	has(out.buf, "\"experiments\": 2");
	has(out.buf, "\"accepted\": 1");
	has(out.buf, "\"left\": 98");
	has(out.buf, "\"experiment\": 2");
	assert_null(strchr(out.buf, '\033'));
	fix_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states), cmocka_unit_test(test_text), cmocka_unit_test(test_campaign),
		cmocka_unit_test(test_live), cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
