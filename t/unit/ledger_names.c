/* Refs, paths and numbers by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ledger/names.h"

static void refs(void **state)
{
	char name[NAME_MAX_REF];

	(void)state;
	name_best("main", name);
	assert_string_equal(name, "refs/heads/harness/best");
	name_best("speed", name);
	assert_string_equal(name, "refs/heads/harness/speed/best");
	name_ledger("main", name);
	assert_string_equal(name, "refs/harness/ledger/main");
	name_review("main", 117, name);
	assert_string_equal(name, "refs/heads/harness/review/main-117");
}

static void directories(void **state)
{
	static const struct {
		int n;
		const char *dir;
	} cases[] = {
		{ 0, "experiments/00xx/0000" },	      { 99, "experiments/00xx/0099" },
		{ 117, "experiments/01xx/0117" },     { 9999, "experiments/99xx/9999" },
		{ 10000, "experiments/100xx/10000" }, { 123456, "experiments/1234xx/123456" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char dir[NAME_MAX_REF];

		name_experiment_dir(cases[i].n, dir);
		assert_string_equal(dir, cases[i].dir);
	}
}

static void numbers(void **state)
{
	static const char *const bad[] = {
		"", "x", "-1", "7x", "main/", "/7", "best/7", "Main/7", "main/x", "a/b/7", "99999999999999999999", "1e3", " 7", "+7",
		"main/-7", "0x7",
	};
	struct err err;
	char *campaign = NULL;
	int n = -1;

	(void)state;
	assert_int_equal(number_parse("7", &campaign, &n, &err), 0);
	assert_int_equal(n, 7);
	assert_null(campaign);
	assert_int_equal(number_parse("0", &campaign, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(number_parse("speed-2/0042", &campaign, &n, &err), 0);
	assert_int_equal(n, 42);
	assert_string_equal(campaign, "speed-2");
	free(campaign);
	campaign = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (number_parse(bad[i], &campaign, &n, &err) != ERR_USAGE)
			fail_msg("'%s' was taken for a number", bad[i]);
		assert_null(campaign);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refs),
		cmocka_unit_test(directories),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
