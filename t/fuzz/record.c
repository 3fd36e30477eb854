/* A note of anybody's making: our lines are read or refused, and put in without touching a byte of what is not ours. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "ledger/record.h"

#define MINE "n=1 campaign=main experiment=7 event=propose\nn=2 campaign=main experiment=7 event=decide verdict=reject reason=worse\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_it(const char *ptr, size_t len)
{
	CLEANUP(events_free) struct events lines = { 0 };
	CLEANUP(record_clear) struct record r = { .number = 7 };
	struct err err;

	if (record_parse("main", 7, ptr, len, &lines, &err) < 0) {
		assert(err.code == ERR_INVALID && !lines.n);
		return;
	}
	if (record_fold(&lines, &r, &err) < 0)
		assert(err.code == ERR_INVALID);
	else
		assert(r.verdict != VERDICT_NONE && r.reason != REASON_NONE);
}

/* What is left of a note without number 7's lines. */
static void foreign(const char *ptr, size_t len, struct str *ret)
{
	STR nothing = STR_INIT;

	record_into_note("main", 7, ptr, len, &nothing, ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *note = (const char *)data;
	STR mine = STR_INIT, own = STR_INIT, with = STR_INIT, twice = STR_INIT, before = STR_INIT, after = STR_INIT;

	record_of_note("main", 7, note, size, &own);
	read_it(own.buf, own.len);
	read_it(note, size);

	str_puts(&mine, MINE);
	record_into_note("main", 7, note, size, &mine, &with);
	str_clear(&own);
	record_of_note("main", 7, with.buf, with.len, &own);
	assert(!strcmp(own.buf, MINE));
	assert(!record_into_note("main", 7, with.buf, with.len, &mine, &twice));

	foreign(note, size, &before);
	foreign(with.buf, with.len, &after);
	if (before.len && before.buf[before.len - 1] != '\n' && after.len == before.len + 1)
		str_putc(&before, '\n');	/* a last line without its end gets one before ours */
	assert(before.len == after.len && !memcmp(before.buf, after.buf, after.len));
	return 0;
}
