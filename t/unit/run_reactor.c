/* The one epoll: order, and callbacks that pull the rug from under each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "run/reactor.h"

struct fixture {
	struct reactor *r;
	struct watch *a, *b;
	int pipe_a[2], pipe_b[2];
	int order[8];
	int n;
	bool stop;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err;

	assert_int_equal(reactor_new(&f->r, &err), 0);
	assert_int_equal(pipe(f->pipe_a), 0);
	assert_int_equal(pipe(f->pipe_b), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	reactor_free(f->r);
	for (int i = 0; i < 2; i++) {
		close(f->pipe_a[i]);
		close(f->pipe_b[i]);
	}
	autofree(state);
	return 0;
}

static void note(struct fixture *f, int what)
{
	assert_true(f->n < 8);
	f->order[f->n++] = what;
}

static int first(void *data, struct err *err)
{
	(void)err;
	note(data, 1);
	return 0;
}

static int second(void *data, struct err *err)
{
	(void)err;
	note(data, 2);
	return 0;
}

static int last(void *data, struct err *err)
{
	struct fixture *f = data;

	(void)err;
	note(f, 9);
	f->stop = true;
	return 0;
}

static void timers_fire_once_and_in_order(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_mono();
	struct watch *w[3];
	struct err err;

	assert_int_equal(reactor_timer(f->r, now + 6 * NS_PER_MS, last, f, &w[0], &err), 0);
	assert_int_equal(reactor_timer(f->r, now + 3 * NS_PER_MS, second, f, &w[1], &err), 0);
	assert_int_equal(reactor_timer(f->r, INT64_MIN, first, f, &w[2], &err), 0);
	assert_int_equal(reactor_run(f->r, &f->stop, &err), 0);
	assert_int_equal(f->n, 3);
	assert_int_equal(f->order[0], 1);
	assert_int_equal(f->order[1], 2);
	assert_int_equal(f->order[2], 9);
	assert_true(clock_mono() >= now + 6 * NS_PER_MS);
}

static int frees_both(void *data, struct err *err)
{
	struct fixture *f = data;

	(void)err;
	note(f, 3);
	watch_free(f->a);
	watch_free(f->b);
	f->a = f->b = NULL;
	return 0;
}

/* Both are ready in the same instant; whichever comes first frees itself and the other, which must not be called. */
static void a_callback_may_free_any_watch(void **state)
{
	struct fixture *f = *state;
	struct watch *timer;
	struct err err;

	assert_int_equal(reactor_fd(f->r, f->pipe_a[0], EPOLLIN, frees_both, f, &f->a, &err), 0);
	assert_int_equal(reactor_fd(f->r, f->pipe_b[0], EPOLLIN, frees_both, f, &f->b, &err), 0);
	assert_int_equal(reactor_timer(f->r, clock_mono() + 5 * NS_PER_MS, last, f, &timer, &err), 0);
	assert_int_equal(write(f->pipe_a[1], "x", 1), 1);
	assert_int_equal(write(f->pipe_b[1], "x", 1), 1);
	assert_int_equal(reactor_run(f->r, &f->stop, &err), 0);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->order[0], 3);
}

static void an_always_ready_descriptor_starves_no_timer(void **state)
{
	struct fixture *f = *state;
	struct watch *timer;
	struct err err;

	assert_int_equal(write(f->pipe_a[1], "x", 1), 1);
	assert_int_equal(reactor_timer(f->r, clock_mono(), last, f, &timer, &err), 0);
	assert_int_equal(reactor_fd(f->r, f->pipe_a[0], EPOLLIN, first, f, &f->a, &err), 0);
	assert_int_equal(reactor_run(f->r, &f->stop, &err), 0);
	assert_true(f->n <= 2);
}

static int fails(void *data, struct err *err)
{
	(void)data;
	return err_set(err, ERR_INVALID, "no");
}

static void an_error_ends_the_run(void **state)
{
	struct fixture *f = *state;
	struct watch *timer;
	struct err err;

	assert_int_equal(reactor_timer(f->r, 0, fails, f, &timer, &err), 0);
	assert_int_equal(reactor_run(f->r, &f->stop, &err), ERR_INVALID);
	assert_string_equal(err.msg, "no");
	watch_free(timer);
	assert_int_equal(reactor_run(f->r, &f->stop, &err), ERR_BUG);	/* would wait for ever */
	f->stop = true;
	assert_int_equal(reactor_run(f->r, &f->stop, &err), 0);
}

static void a_closed_descriptor_is_an_error_or_forgotten(void **state)
{
	struct fixture *f = *state;
	struct watch *w;
	struct err err;

	assert_int_equal(reactor_fd(f->r, 999, EPOLLIN, first, f, &w, &err), ERR_IO);
	assert_int_equal(reactor_fd(f->r, f->pipe_a[0], EPOLLIN, first, f, &w, &err), 0);
	watch_free(w);
	watch_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers_fire_once_and_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_callback_may_free_any_watch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_always_ready_descriptor_starves_no_timer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_error_ends_the_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_closed_descriptor_is_an_error_or_forgotten, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
