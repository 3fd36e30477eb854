/* Who may measure: side by side or alone, first come, first served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "loop/turn.h"

struct job {
	struct turn turn;
	int began;		/* the how-manieth that did; 0: not yet */
};

static struct turns turns;
static int count;
static bool stop;

static int begins(void *data, struct err *err)
{
	(void)err;
	((struct job *)data)->began = ++count;
	return 0;
}

static int over(void *data, struct err *err)
{
	(void)data;
	(void)err;
	stop = true;
	return 0;
}

static void take(struct job *j, bool alone)
{
	struct err err;

	assert_int_equal(turn_take(&turns, &j->turn, alone, begins, j, &err), 0);
}

/* Who was let in by what was dropped begins from the reactor. */
static void drop(struct job *j)
{
	struct watch *end;
	struct err err;

	turn_drop(&turns, &j->turn);
	stop = false;
	assert_int_equal(reactor_timer(turns.reactor, clock_mono() + NS_PER_MS, over, NULL, &end, &err), 0);
	assert_int_equal(reactor_run(turns.reactor, &stop, &err), 0);
	watch_free(end);
}

static int set_up(void **state)
{
	struct err err;

	(void)state;
	count = 0;
	turns = (struct turns){ 0 };
	return reactor_new(&turns.reactor, &err);
}

static int tear_down(void **state)
{
	(void)state;
	turns_clear(&turns);
	reactor_free(turns.reactor);
	return 0;
}

static void shared_at_once(void **state)
{
	struct job a = { 0 }, b = { 0 };

	(void)state;
	take(&a, false);
	take(&b, false);
	assert_int_equal(a.began, 1);
	assert_int_equal(b.began, 2);
	drop(&a);
	drop(&b);
	drop(&b);	/* twice is fine */
	assert_int_equal(turns.held, 0);
}

static void alone_waits_for_all_and_is_not_overtaken(void **state)
{
	struct job a = { 0 }, b = { 0 }, alone = { 0 }, late = { 0 }, later = { 0 };

	(void)state;
	take(&a, false);
	take(&b, false);
	take(&alone, true);
	take(&late, false);
	take(&later, false);
	drop(&a);
	assert_int_equal(alone.began, 0);
	drop(&b);
	assert_int_equal(alone.began, 3);
	assert_int_equal(late.began, 0);
	drop(&alone);
	assert_int_equal(late.began, 4);
	assert_int_equal(later.began, 5);
	drop(&late);
	drop(&later);
}

static void who_leaves_the_queue_lets_others_by(void **state)
{
	struct job a = { 0 }, alone = { 0 }, b = { 0 }, last = { 0 };

	(void)state;
	take(&a, false);
	take(&alone, true);
	take(&b, false);
	take(&last, true);
	drop(&last);
	assert_int_equal(b.began, 0);
	drop(&alone);
	assert_int_equal(b.began, 2);
	take(&last, true);
	drop(&a);
	assert_int_equal(last.began, 0);
	drop(&b);
	assert_int_equal(last.began, 3);
	drop(&last);
	assert_null(turns.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(shared_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(alone_waits_for_all_and_is_not_overtaken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_leaves_the_queue_lets_others_by, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
