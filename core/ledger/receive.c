#include "ledger/receive.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "git/tree.h"
#include "ledger/project.h"
#include "ledger/record.h"
#include "ledger/verify.h"

/* The first file of the record that the new tip has otherwise, or no more: what somebody would like to have said. */
static int name_rewritten(struct repo *repo, const struct oid *old, const struct oid *new, struct str *ret, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	struct oid a, b;

	if (tree_of_commit(repo, old, &a, err) < 0 || tree_of_commit(repo, new, &b, err) < 0 ||
	    tree_compare(repo, &a, &b, &changes, err) < 0)
		return err->code;
	for (size_t i = 0; i < changes.n; i++) {
		const struct tree_change *c = &changes.v[i];
		STR path = STR_INIT;

		if (!c->old.mode)
			continue;
		text_line(c->path, strlen(c->path), 200, &path);
		str_printf(ret, "; it %s '%s'", c->new.mode ? "changes" : "drops", path.buf);
		return 0;
	}
	return 0;
}

int receive_ledger(struct repo *repo, const char *campaign, const struct oid *old, const struct oid *new, struct str *ret_why,
		   struct err *err)
{
	struct verify_result result;
	bool forward = true;

	if (oid_is_zero(new)) {
		str_puts(ret_why, "a ledger is never deleted");
		return 0;
	}
	if (!oid_is_zero(old) && repo_descends(repo, new, old, &forward, err) < 0)
		return err->code;
	if (!forward) {
		str_printf(ret_why, "rewrites the record: %s is no part of %s", oid_hex(old).s, oid_hex(new).s);
		return name_rewritten(repo, old, new, ret_why, err);
	}
	if (verify_ledger(repo, campaign, new, &result, err) < 0)
		return err->code;
	if (result.broken)
		str_printf(ret_why, "does not follow: %s", result.what);
	free(result.what);
	return 0;
}

bool receive_was_best(const struct history *h, const struct oid *commit)
{
	for (size_t i = 0; i < h->n_entries; i++) {
		if (oid_eq(&h->entries[i].best, commit))
			return true;
	}
	return false;
}

/* Is this line one of the text's? */
static bool has_line(const struct str *text, const char *line, size_t len)
{
	for (const char *p = text->buf; *p;) {
		size_t n = strcspn(p, "\n");

		if (n == len && !memcmp(p, line, len))
			return true;
		p += n + (p[n] == '\n');
	}
	return false;
}

static void compare_lines(const struct history *h, const struct want *w, const struct str *record, const struct str *own,
			  struct str *ret_why)
{
	for (const char *p = own->buf; *p;) {
		size_t n = strcspn(p, "\n");

		if (n && !has_line(record, p, n)) {
			STR line = STR_INIT;

			text_line(p, n, 300, &line);
			str_printf(ret_why, "%s/%d: the note of %s says '%s', the ledger does not", h->campaign, w->number,
				   oid_hex(&w->commit).s, line.buf);
			return;
		}
		p += n + (p[n] == '\n');
	}
}

int receive_notes(struct repo *repo, const struct history *h, const struct oid *notes, struct str *ret_why, struct err *err)
{
	CLEANUP(wants_free) struct wants wants = { 0 };

	if (wants_read_at(repo, h, notes, &wants, err) < 0)
		return err->code;
	for (size_t i = 0; i < wants.n && !ret_why->len; i++) {
		STR record = STR_INIT, own = STR_INIT;
		bool same;

		if (oid_is_zero(&wants.v[i].found))
			continue;
		if (want_same(repo, h->campaign, &wants.v[i], &record, &own, &same, err) < 0)
			return err->code;
		if (!same)
			compare_lines(h, &wants.v[i], &record, &own, ret_why);
	}
	return 0;
}
