/* The journal: what stands in it after a kill, a torn write, a flipped byte. */
#include "git_room.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/io.h"
#include "ledger/journal.h"

static struct err err;

static void close_journal(struct journal **j)
{
	journal_close(*j);
}
#define JOURNAL CLEANUP(close_journal) struct journal
#define LINES CLEANUP(events_free) struct events

static void add(struct journal *j, const char *event, int n, bool durable)
{
	EVENT line = { 0 };

	event_add(&line, "event", event);
	event_add_int(&line, "n", n);
	event_add(&line, "text", "two words, a \"quote\" and\na newline");
	OK(journal_add(j, &line, durable, &err));
}

static void fill(int n)
{
	JOURNAL *j = NULL;
	LINES lines = { 0 };

	OK(journal_open("journal", &j, &lines, &err));
	for (int i = 0; i < n; i++)
		add(j, "move", i, i % 2);
}

static void holds(size_t n)
{
	JOURNAL *j = NULL;
	LINES lines = { 0 };

	OK(journal_open("journal", &j, &lines, &err));
	assert_int_equal(lines.n, n);
	for (size_t i = 0; i < n; i++) {
		int64_t k;

		assert_true(event_get_int(&lines.v[i], "n", &k));
		assert_int_equal(k, (int64_t)i);
		assert_null(event_get(&lines.v[i], "crc"));
		assert_string_equal(event_get(&lines.v[i], "text"), "two words, a \"quote\" and\na newline");
	}
}

static void stays(void **state)
{
	(void)state;
	fill(0);
	holds(0);
	fill(5);
	holds(5);
	same("5", "wc -l <journal");	/* a value's newline is no line's end */
}

/* Whatever a cut at any byte leaves, the whole lines before it stand, and writing goes on behind them. */
static void torn(void **state)
{
	STR whole = STR_INIT;

	(void)state;
	fill(3);
	OK(io_read_file("journal", 1 << 20, &whole, &err));
	for (size_t cut = 0; cut < whole.len; cut++) {
		size_t lines = 0;

		for (size_t i = 0; i < cut; i++)
			lines += whole.buf[i] == '\n';
		OK(io_replace("journal", whole.buf, cut, 0600, 0, &err));
		holds(lines);
		{
			JOURNAL *j = NULL;
			LINES old = { 0 };

			OK(journal_open("journal", &j, &old, &err));
			add(j, "again", (int)lines, true);
		}
		holds(lines + 1);
	}
}

static void power_loss(void **state)
{
	(void)state;
	fill(3);
	sh("head -c 300 /dev/zero >>journal");
	holds(3);
	sh("printf 'event=move n=3 crc=0000000000000000\\nevent=move n=4\\n' >>journal");
	holds(3);
}

static void damaged(void **state)
{
	JOURNAL *j = NULL;
	LINES lines = { 0 };

	(void)state;
	fill(3);
	sh("sed -i '2s/quote/qu0te/' journal");
	assert_int_equal(journal_open("journal", &j, &lines, &err), ERR_INVALID);
	assert_non_null(strstr(err.msg, "'journal' line 2"));
	assert_non_null(strstr(err.msg, "hint: "));
	assert_int_equal(lines.n, 0);
	sh("sed -i 2d journal && sed -i '1s/crc=/src=/' journal");
	assert_int_equal(journal_open("journal", &j, &lines, &err), ERR_INVALID);
	assert_non_null(strstr(err.msg, "line 1"));
}

static void begins_anew(void **state)
{
	JOURNAL *j = NULL;
	LINES lines = { 0 }, keep = { 0 };

	(void)state;
	fill(4);
	OK(journal_open("journal", &j, &lines, &err));
	event_copy(&lines.v[0], events_push(&keep));
	OK(journal_reset(j, &keep, &err));
	holds(1);
	add(j, "move", 1, true);
	holds(2);
	OK(journal_reset(j, &(struct events){ 0 }, &err));
	holds(0);
}

/* A link planted in the state directory is not written through. */
static void no_links(void **state)
{
	JOURNAL *j = NULL;
	LINES lines = { 0 };

	(void)state;
	sh("echo mine >mine && ln -s mine journal");
	assert_int_equal(journal_open("journal", &j, &lines, &err), ERR_IO);
	same("mine", "cat mine");
}

/* No room for a whole line: the part that was written goes again. */
static void no_room(void **state)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit small = { 0, RLIM_INFINITY };
	JOURNAL *j = NULL;
	LINES lines = { 0 };
	EVENT line = { 0 };
	struct stat st;

	(void)state;
	fill(2);
	OK(journal_open("journal", &j, &lines, &err));
	assert_int_equal(stat("journal", &st), 0);
	small.rlim_cur = (rlim_t)st.st_size + 10;
	signal(SIGXFSZ, SIG_IGN);
	event_add(&line, "event", "a line of more than ten bytes");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(journal_add(j, &line, true, &err), ERR_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	add(j, "move", 2, true);
	holds(3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(stays),	ROOM_TEST(torn),     ROOM_TEST(power_loss), ROOM_TEST(damaged),
		ROOM_TEST(begins_anew), ROOM_TEST(no_links), ROOM_TEST(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
