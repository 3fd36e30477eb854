#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ledger/project.h"
#include "ledger/verifying.h"

/* The first line in which two texts differ, "" where one has ended. */
static void first_difference(const char *a, const char *b, struct str *ret_a, struct str *ret_b)
{
	for (;;) {
		size_t x = strcspn(a, "\n"), y = strcspn(b, "\n");

		if (x != y || memcmp(a, b, x) != 0 || !*a) {
			text_line(a, x, 400, ret_a);
			text_line(b, y, 400, ret_b);
			return;
		}
		a += x + (a[x] == '\n');
		b += y + (b[y] == '\n');
	}
}

/* Lines that a merge of notes put in another order are compared in ours. */
static void in_order(const struct verify *v, int number, const struct str *own, struct str *ret)
{
	CLEANUP(events_free) struct events lines = { 0 };
	struct err ignored;

	if (record_parse(v->h->campaign, number, own->buf, own->len, &lines, &ignored) == 0)
		events_format(&lines, ret);
	else
		str_add(ret, own->buf, own->len);
}

static int wrong_note(struct verify *v, const struct want *w, const struct str *record, const struct str *own)
{
	const char *c = v->h->campaign;
	STR note = STR_INIT, ledger = STR_INIT, ordered = STR_INIT;

	if (oid_is_zero(&w->found))
		return broken(v, "%s/%d: commit %s has no note", c, w->number, oid_hex(&w->commit).s);
	in_order(v, w->number, own, &ordered);
	first_difference(ordered.buf, record->buf, &note, &ledger);
	if (!note.len)
		return broken(v, "%s/%d: the note of %s lacks the line '%s' of the ledger", c, w->number, oid_hex(&w->commit).s,
			      ledger.buf);
	if (!ledger.len)
		return broken(v, "%s/%d: the note of %s has the line '%s', which the ledger does not know", c, w->number,
			      oid_hex(&w->commit).s, note.buf);
	return broken(v, "%s/%d: the note of %s says '%s', the ledger says '%s'", c, w->number, oid_hex(&w->commit).s, note.buf,
		      ledger.buf);
}

int verify_notes(struct verify *v, struct err *err)
{
	CLEANUP(wants_free) struct wants wants = { 0 };

	if (wants_read(v->repo, v->h, &wants, err) < 0)
		return err->code;
	for (size_t i = 0; i < wants.n; i++) {
		STR record = STR_INIT, own = STR_INIT;
		bool same;

		if (want_same(v->repo, v->h->campaign, &wants.v[i], &record, &own, &same, err) < 0)
			return err->code;
		if (!same)
			return wrong_note(v, &wants.v[i], &record, &own);
		v->result->notes++;
	}
	return 0;
}
