#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/ref.h"
#include "ledger/names.h"
#include "ledger/project.h"

static int mend_best(struct repo *repo, const struct history *h, int *mended, struct err *err)
{
	AUTOFREE char *path = NULL;
	char ref[NAME_MAX_REF];
	struct oid at;

	name_best(h->campaign, ref);
	if (ref_read(repo, ref, &at, err) < 0 || project_best_known(h, &at, err) < 0)
		return err->code;
	if (oid_eq(&at, &h->best))
		return 0;
	if (repo_checked_out(repo, ref, &path, err) < 0)
		return err->code;
	if (path)
		return 0;	/* it waits: moving a checked-out branch makes an innocent commit revert it */
	if (ref_update(repo, ref, &at, &h->best, "git harness: as the ledger says", err) < 0)
		return err->code;
	++*mended;
	return 0;
}

struct edits {
	struct note_edit *v;
	size_t n, alloc;
};

static void free_edits(struct edits *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct note_lines *lines = e->v[i].data;

		while (lines) {
			struct note_lines *next = lines->next;

			str_free(&lines->text);
			free(lines);
			lines = next;
		}
	}
	free(e->v);
}

static int plan_edit(struct repo *repo, const struct history *h, const struct want *want, struct edits *edits, struct err *err)
{
	STR record = STR_INIT, own = STR_INIT;
	struct note_lines *lines;
	bool same;

	if (want_same(repo, h->campaign, want, &record, &own, &same, err) < 0)
		return err->code;
	if (same)
		return 0;
	lines = xcalloc(1, sizeof(*lines));
	*lines = (struct note_lines){ .campaign = h->campaign, .number = want->number, .text = record };
	record = (struct str)STR_INIT;
	if (edits->n && oid_eq(&edits->v[edits->n - 1].object, &want->commit)) {
		lines->next = edits->v[edits->n - 1].data;
		edits->v[edits->n - 1].data = lines;
		return 0;
	}
	GROW(edits->v, edits->n, edits->alloc);
	edits->v[edits->n++] = (struct note_edit){ .object = want->commit, .fn = project_note, .data = lines };
	return 0;
}

static int plan_edits(struct repo *repo, const struct history *h, struct edits *edits, struct err *err)
{
	CLEANUP(wants_free) struct wants wants = { 0 };

	if (wants_read(repo, h, &wants, err) < 0)
		return err->code;
	for (size_t i = 0; i < wants.n; i++) {
		if (plan_edit(repo, h, &wants.v[i], edits, err) < 0)
			return err->code;
	}
	return 0;
}

static int mend_notes(struct repo *repo, const struct history *h, int *mended, struct err *err)
{
	CLEANUP(free_edits) struct edits edits = { 0 };
	CLEANUP(ident_free) struct ident who = { 0 };

	if (plan_edits(repo, h, &edits, err) < 0)
		return err->code;
	if (!edits.n)
		return 0;
	if (repo_ident(repo, &who, err) < 0 ||
	    note_apply(repo, edits.v, edits.n, &who, "git harness: notes as the ledger says\n", err) < 0)
		return err->code;
	*mended += (int)edits.n;
	return 0;
}

static int mend_review(struct repo *repo, const struct history *h, int *mended, struct err *err)
{
	int made;

	if (h->last_kind != ENTRY_EXPERIMENT)
		return 0;
	if (project_review(repo, h, h->last_number, &made, err) < 0)
		return err->code;
	*mended += made;
	return 0;
}

int ledger_mend(struct repo *repo, struct history *h, int *ret_mended, struct err *err)
{
	int mended = 0;

	if (mend_best(repo, h, &mended, err) < 0 || mend_notes(repo, h, &mended, err) < 0 ||
	    mend_review(repo, h, &mended, err) < 0)
		return err_wrap(err, "cannot bring campaign '%s' to what its ledger says", h->campaign);
	*ret_mended = mended;
	return 0;
}
