/* opt.c: argv as people write it, and as they get it wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/opt.h"

struct options {
	bool dry, detach;
	const char *why;
	int count;
	struct strs only;
};

static const struct opt table[] = {
	FLAG('d', "dry-run", struct options, dry, "change nothing"),
	FLAG(0, "detach", struct options, detach, "in the background"),
	STRING('m', "why", struct options, why, "<text>", "the reason"),
	INT('n', NULL, struct options, count, "<k>", "how many"),
	STRINGS(0, "only", struct options, only, "<name>", "one of these"),
	END,
};

static const struct cmd cmd = {
	.name = "try", .args = "<a> [<b>]", .summary = "try", .opts = table, .opts_size = sizeof(struct options),
	.min_args = 0, .max_args = 2, .needs = CMD_CAMPAIGN | CMD_PROGRESS,
};

struct tried {
	struct options *o;
	struct common common;
	struct err err;
	char *words[16];
	int argc, ret;
};

static void try(struct tried *t, const char *line)
{
	static char buf[256];

	*t = (struct tried){ .o = xcalloc(1, sizeof(*t->o)) };
	strcpy(buf, line);
	for (char *w = strtok(buf, " "); w; w = strtok(NULL, " "))
		t->words[t->argc++] = w;
	t->ret = opt_parse(&cmd, &t->argc, t->words, t->o, &t->common, &t->err);
}

static void end(struct tried *t)
{
	opt_free(table, t->o);
}

static void forms(void **state)
{
	static const char *const same[] = { "a --why=x -n 3 --dry-run b", "-dmx -n3 a b", "--why x a -d b -n 3", "a b -n3 --dry --wh=x" };
	struct tried t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		try(&t, same[i]);
		assert_int_equal(t.ret, 0);
		assert_true(t.o->dry);
		assert_false(t.o->detach);
		assert_string_equal(t.o->why, "x");
		assert_int_equal(t.o->count, 3);
		assert_int_equal(t.argc, 2);
		assert_string_equal(t.words[0], "a");
		assert_string_equal(t.words[1], "b");
		end(&t);
	}
}

static void last_word_wins_and_lists_grow(void **state)
{
	struct tried t;

	(void)state;
	try(&t, "--dry-run --no-dry-run --only=a --only b -m 1 -m 2");
	assert_int_equal(t.ret, 0);
	assert_false(t.o->dry);
	assert_int_equal(t.o->only.n, 2);
	assert_string_equal(t.o->only.v[1], "b");
	assert_string_equal(t.o->why, "2");
	end(&t);
}

static void dashes(void **state)
{
	struct tried t;

	(void)state;
	try(&t, "- -- --dry-run");
	assert_int_equal(t.ret, 0);
	assert_int_equal(t.argc, 2);
	assert_string_equal(t.words[0], "-");
	assert_string_equal(t.words[1], "--dry-run");
	assert_false(t.o->dry);
	end(&t);
	try(&t, "-m -- a");	/* the value of -m, whatever it looks like */
	assert_string_equal(t.o->why, "--");
	assert_int_equal(t.argc, 1);
	end(&t);
}

static void common(void **state)
{
	struct tried t;

	(void)state;
	try(&t, "-q --campaign night --progress");
	assert_int_equal(t.ret, 0);
	assert_true(t.common.quiet && t.common.progress);
	assert_string_equal(t.common.campaign, "night");
	end(&t);
	try(&t, "a b c d -h");
	assert_int_equal(t.ret, 0);
	assert_true(t.common.h);
	end(&t);
}

static void mistakes(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "--bogus", "unknown option '--bogus'" },
		{ "-x", "unknown option '-x'" },
		{ "-dx", "unknown option '-x'" },
		{ "--d", "ambiguous option '--d' (could be --dry-run or --detach)" },
		{ "--dry-run=1", "option '--dry-run' takes no value" },
		{ "--why", "option '--why' wants a value" },
		{ "-dm", "option '-m' wants a value" },
		{ "-n x", "option '-n' wants a whole number, 0 or more, not 'x'" },
		{ "-n -1", "option '-n' wants a whole number, 0 or more, not '-1'" },
		{ "-n 99999999999", "option '-n' wants a whole number, 0 or more, not '99999999999'" },
		{ "--no-why", "unknown option '--no-why'" },
		{ "a b c", "'try' does not know what to do with 'c'" },
	};
	struct tried t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		try(&t, rows[i].line);
		assert_int_equal(t.ret, ERR_USAGE);
		assert_string_equal(t.err.msg, rows[i].says);
		end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(last_word_wins_and_lists_grow),
		cmocka_unit_test(dashes),
		cmocka_unit_test(common),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
