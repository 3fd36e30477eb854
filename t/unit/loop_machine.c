/* The edge table: no (state, event) twice, every state reachable and able to reach DONE, every event and state in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "loop/machine.h"

static void no_pair_twice(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < edges_n; i++)
		assert_ptr_equal(edge_find(edges[i].in, edges[i].on), &edges[i]);
}

static void spread(bool seen[STATE_N], bool backwards)
{
	for (size_t round = 0; round < edges_n; round++)
		for (size_t i = 0; i < edges_n; i++) {
			enum state from = backwards ? edges[i].to : edges[i].in;
			enum state to = backwards ? edges[i].in : edges[i].to;

			if (seen[from])
				seen[to] = true;
		}
}

static void every_state_is_reachable_and_ends(void **unused)
{
	bool forward[STATE_N] = { [BUDGET] = true }, back[STATE_N] = { [DONE] = true };

	(void)unused;
	spread(forward, false);
	spread(back, true);
	for (int s = 0; s < STATE_N; s++) {
		assert_true(forward[s]);
		assert_true(back[s]);
	}
}

static void every_event_has_an_edge_and_a_name(void **unused)
{
	(void)unused;
	for (int m = 0; m < MOVE_N; m++) {
		bool used = false;

		for (size_t i = 0; i < edges_n; i++)
			used |= edges[i].on == (enum move)m;
		assert_true(used);
		assert_non_null(move_names[m]);
	}
	for (size_t i = 0; i < edges_n; i++)
		assert_int_not_equal(edges[i].in, DONE);
}

static void names_read_back(void **unused)
{
	STR text = STR_INIT;

	(void)unused;
	for (int s = 0; s < STATE_N; s++)
		assert_int_equal(state_parse(state_names[s]), s);
	assert_int_equal(state_parse("ELSEWHERE"), -1);
	machine_print(&text);
	assert_non_null(strstr(text.buf, "PROPOSE   no-ideas    DONE\n"));
}

/* Nothing is accepted without having been measured: ACCEPT cannot be reached when EVALUATE is taken away. */
static void accept_needs_evaluate(void **unused)
{
	bool seen[STATE_N] = { [BUDGET] = true };

	(void)unused;
	for (size_t round = 0; round < edges_n; round++)
		for (size_t i = 0; i < edges_n; i++)
			if (seen[edges[i].in] && edges[i].in != EVALUATE)
				seen[edges[i].to] = true;
	assert_false(seen[ACCEPT]);
	assert_true(seen[REJECT]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_pair_twice),
		cmocka_unit_test(every_state_is_reachable_and_ends),
		cmocka_unit_test(every_event_has_an_edge_and_a_name),
		cmocka_unit_test(names_read_back),
		cmocka_unit_test(accept_needs_evaluate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
