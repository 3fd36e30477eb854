#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/ref.h"
#include "ledger/project.h"
#include "ledger/record.h"

#define RECORD_MAX ((size_t)16 << 20)
#define NOTE_MAX ((size_t)64 << 20)

static int by_commit(const void *a, const void *b)
{
	const struct want *x = a, *y = b;
	int c = memcmp(x->commit.raw, y->commit.raw, sizeof(x->commit.raw));

	return c ? c : (x->number > y->number) - (x->number < y->number);
}

static void list_wants(const struct history *h, struct wants *ret)
{
	for (size_t i = 0; i < h->n_records; i++) {
		const struct record *r = history_look(h, (int)i);
		struct oid commits[3];
		size_t n = r ? record_annotates(r, commits) : 0;

		for (size_t k = 0; k < n; k++) {
			GROW(ret->v, ret->n, ret->alloc);
			ret->v[ret->n++] = (struct want){ .commit = commits[k], .blob = r->blob, .number = r->number };
		}
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_commit);
}

static int see_note(void *data, const struct oid *object, const struct oid *blob, struct err *err)
{
	struct wants *wants = data;
	size_t low = 0, high = wants->n;

	(void)err;
	while (low < high) {	/* the first of that commit */
		size_t mid = low + (high - low) / 2;

		if (memcmp(wants->v[mid].commit.raw, object->raw, sizeof(object->raw)) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < wants->n && oid_eq(&wants->v[low].commit, object); low++)
		wants->v[low].found = *blob;
	return 0;
}

int wants_read(struct repo *repo, const struct history *h, struct wants *ret, struct err *err)
{
	struct oid tip;

	return ref_read(repo, note_ref(repo), &tip, err) < 0 ? err->code : wants_read_at(repo, h, &tip, ret, err);
}

int wants_read_at(struct repo *repo, const struct history *h, const struct oid *tip, struct wants *ret, struct err *err)
{
	list_wants(h, ret);
	return oid_is_zero(tip) ? 0 : note_walk(repo, tip, see_note, ret, err);
}

void wants_free(struct wants *wants)
{
	free(wants->v);
	*wants = (struct wants){ 0 };
}

/* `git notes merge -s cat_sort_uniq` sorts lines by text; readers order them by n. */
static bool same_in_order(const char *campaign, int number, const struct str *record, const struct str *own)
{
	CLEANUP(events_free) struct events lines = { 0 };
	STR text = STR_INIT;
	struct err ignored;

	if (own->len == record->len && !memcmp(own->buf, record->buf, own->len))
		return true;
	if (record_parse(campaign, number, own->buf, own->len, &lines, &ignored) < 0)
		return false;
	events_format(&lines, &text);
	return text.len == record->len && !memcmp(text.buf, record->buf, text.len);
}

int want_same(struct repo *repo, const char *campaign, const struct want *want, struct str *ret_record, struct str *ret_own,
	      bool *ret, struct err *err)
{
	STR note = STR_MAX(NOTE_MAX);

	*ret = true;
	if (oid_eq(&want->found, &want->blob))
		return 0;
	if (repo_read_blob(repo, &want->blob, RECORD_MAX, ret_record, err) < 0)
		return err_wrap(err, "%s/%d: cannot read its record", campaign, want->number);
	if (!oid_is_zero(&want->found) && repo_read_blob(repo, &want->found, NOTE_MAX, &note, err) < 0)
		return err_wrap(err, "%s/%d: cannot read the note of %s", campaign, want->number, oid_hex(&want->commit).s);
	record_of_note(campaign, want->number, note.buf, note.len, ret_own);
	*ret = same_in_order(campaign, want->number, ret_record, ret_own);
	return 0;
}
