/* The cache of a history: it says what the ledger says, or nothing. */
#include "ledger_room.h"

#include <sys/stat.h>

#include "base/io.h"
#include "ledger/fold.h"
#include "ledger/store.h"

#define CACHE ".git/harness/campaigns/main/cache"

static void same_record(const struct record *a, const struct record *b)
{
	STR x = STR_INIT, y = STR_INIT;

	record_pack(a, &x);
	record_pack(b, &y);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.buf, y.buf, x.len);
}

static void same_history(struct repo *repo, struct history *a, struct history *b)
{
	assert_true(oid_eq(&a->tip, &b->tip) && oid_eq(&a->best, &b->best) && oid_eq(&a->previous_best, &b->previous_best));
	assert_true(oid_eq(&a->start, &b->start) && oid_eq(&a->policy_blob, &b->policy_blob));
	assert_int_equal(a->n_records, b->n_records);
	assert_int_equal(a->n_acts, b->n_acts);
	assert_int_equal(a->best_number, b->best_number);
	assert_int_equal(a->last_baseline, b->last_baseline);
	assert_memory_equal(&a->spent, &b->spent, sizeof(a->spent));
	assert_int_equal(a->n_steps, b->n_steps);
	assert_int_equal(history_accepted(a), history_accepted(b));
	assert_int_equal(history_waiting(a), history_waiting(b));
	assert_true(history_best_value(a) == history_best_value(b));
	for (int i = 0; i < (int)a->n_records; i++) {
		const struct record *r = history_record(a, i);
		struct oid base_tree = { 0 };

		same_record(r, history_look(b, i));
		if (!oid_is_zero(&r->base))
			OK(tree_of_commit(repo, &r->base, &base_tree, &err));
		assert_int_equal(history_measured(a, &base_tree, &r->tree), history_measured(b, &base_tree, &r->tree));
	}
}

/* Read from the ledger alone, and as everybody reads. */
static void agrees(struct camp *c, bool cached)
{
	struct history *whole, *h;

	assert_int_equal(access(CACHE, F_OK), cached ? 0 : -1);
	OK(history_read_at(c->repo, "main", &c->h->tip, &whole, &err));
	OK(history_read(c->repo, "main", &h, &err));
	same_history(c->repo, whole, h);
	same_history(c->repo, whole, c->h);
	history_free(h);
	history_free(whole);
}

/* Accepts, crashes, questions and answers: enough for a cache, and some more behind it. */
static void live_on(struct camp *c, int n)
{
	struct act act = { .repo = c->repo, .h = c->h, .by = "A U Thor <author@example.com>", .why = "no" };

	for (int i = 0; i < n; i++) {
		char samples[32];

		snprintf(samples, sizeof(samples), "%d,%d.5", 100000 - (int)c->h->n_records * (i % 9 ? -1 : 1), i);
		if (i % 50 == 7) {
			STR said = STR_INIT;

			OK(try(c, &(struct attempt){ .samples = samples, .verdict = VERDICT_ESCALATE, .reason = REASON_HUMAN_CRITERIA }));
			if (i % 100 == 7)
				OK(act_deny(&act, (int)c->h->n_records - 1, &said, &err));
		} else if (i % 10 == 3) {
			OK(crash(c));
		} else {
			OK(value(c, samples));
		}
	}
}

static void says_what_the_ledger_says(void **state)
{
	CAMP c = { 0 };

	(void)state;
	camp_open(&c);
	live_on(&c, 100);
	agrees(&c, false);
	live_on(&c, 200);
	agrees(&c, true);
	live_on(&c, 30);	/* behind the file, and on records in it */
	agrees(&c, true);
	OK(unlink(CACHE));
	agrees(&c, false);	/* this reading made it anew */
	agrees(&c, true);
}

/* Whatever stands in its place, it is as if it were not there. */
static void damage(void **state)
{
	static const char *const how[] = {
		"cp " CACHE " x && printf x | dd of=x conv=notrunc bs=1 seek=%d status=none && mv x " CACHE,
		"head -c %d " CACHE " >x && mv x " CACHE, "rm -f " CACHE " && : >" CACHE, "rm -f " CACHE " && mkdir " CACHE,
		"rmdir " CACHE " && ln -s /dev/zero " CACHE, "rm " CACHE " && mkfifo " CACHE,
	};
	CAMP c = { 0 };
	struct stat st;

	(void)state;
	camp_open(&c);
	live_on(&c, 300);
	assert_int_equal(stat(CACHE, &st), 0);
	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		for (int at = 1; at < 10; at++) {
			struct history *h;

			if (i < 2 && stat(CACHE, &st) == 0)
				sh(how[i], (int)(st.st_size / 10 * at));
			else if (at == 1)
				sh("%s", how[i]);
			OK(history_read(c.repo, "main", &h, &err));
			same_history(c.repo, c.h, h);
			history_free(h);
		}
	}
}

/* Another campaign's, or a rewritten ledger's, is not taken for this one's. */
static void of_another(void **state)
{
	CAMP c = { 0 };
	AUTOFREE char *early = NULL;
	struct history *h;

	(void)state;
	camp_open(&c);
	live_on(&c, 20);
	early = out("git rev-parse refs/harness/ledger/main");
	live_on(&c, 280);
	assert_int_equal(access(CACHE, F_OK), 0);
	sh("git update-ref refs/harness/ledger/main %s", early);
	OK(history_read(c.repo, "main", &h, &err));
	assert_int_equal(h->n_records, 21);
	history_free(h);
}

/* A record's bytes cut anywhere are no record. */
static void cut_records(void **state)
{
	CAMP c = { 0 };
	STR text = STR_INIT;

	(void)state;
	camp_open(&c);
	live_on(&c, 2);
	record_pack(history_record(c.h, 1), &text);
	for (size_t len = 0; len < text.len; len++) {
		struct record r;

		assert_false(record_unpack(text.buf, len, &r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(says_what_the_ledger_says), ROOM_TEST(damage), ROOM_TEST(of_another), ROOM_TEST(cut_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
