#include "ledger/project.h"

#include <string.h>

#include "base/mem.h"
#include "git/ref.h"
#include "ledger/names.h"
#include "ledger/record.h"

int project_note(void *data, const struct oid *object, const char *old, size_t len, struct str *ret, struct err *err)
{
	STR now = STR_INIT;
	STR next = STR_INIT;
	bool changed = false;

	(void)object;
	(void)err;
	str_add(&now, old, len);
	for (const struct note_lines *n = data; n; n = n->next) {
		struct str swap;

		if (!record_into_note(n->campaign, n->number, now.buf, now.len, &n->text, &next))
			continue;
		changed = true;
		swap = now;
		now = next;
		next = swap;
	}
	if (!changed)
		return 1;
	str_add(ret, now.buf, now.len);
	return 0;
}

static bool writer_may_leave(const struct history *h, const struct oid *at)
{
	if (oid_eq(at, &h->best) || oid_eq(at, &h->previous_best))
		return true;
	return !oid_is_zero(&h->best_waits) && oid_eq(at, &h->best_waits);
}

int project_best_known(const struct history *h, const struct oid *at, struct err *err)
{
	char ref[NAME_MAX_REF];
	const char *branch = ref + strlen("refs/heads/");

	if (writer_may_leave(h, at))
		return 0;
	name_best(h->campaign, ref);
	if (oid_is_zero(&h->best)) {
		err_set(err, ERR_REFUSED, "branch '%s' exists at %s, and the ledger of campaign '%s' does not explain it", branch,
			oid_hex(at).s, h->campaign);
		return err_hint(err, "git branch -m %s <another name> makes room", branch);
	}
	if (oid_is_zero(at)) {
		err_set(err, ERR_REFUSED, "branch '%s' is gone; the ledger of campaign '%s' says it is at %s", branch, h->campaign,
			oid_hex(&h->best).s);
		return err_hint(err, "git branch %s %s puts it back", branch, oid_hex(&h->best).s);
	}
	err_set(err, ERR_REFUSED, "branch '%s' was moved: it is at %s, the ledger of campaign '%s' says %s", branch, oid_hex(at).s,
		h->campaign, oid_hex(&h->best).s);
	err_hint(err, "git reflog %s shows who moved it, git log %s what is there", branch, branch);
	return err_hint(err, "git branch -f %s %s moves it back", branch, oid_hex(&h->best).s);
}

int project_review(struct repo *repo, const struct history *h, int number, int *ret_made, struct err *err)
{
	const struct record *r = history_record(h, number);
	const struct oid none = { 0 };
	char ref[NAME_MAX_REF];
	struct oid at;

	*ret_made = 0;
	if (!r || !r->waiting)
		return 0;
	name_review(h->campaign, number, ref);
	if (ref_read(repo, ref, &at, err) < 0)
		return err->code;
	if (!oid_is_zero(&at))	/* a person may have gone on there */
		return 0;
	if (ref_update(repo, ref, &none, &r->commit, "git harness: waits for an answer", err) < 0)
		return err->code;
	*ret_made = 1;
	return 0;
}
