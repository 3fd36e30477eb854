/*
 * project.h - the ledger's projections: best, notes, review branches. Private to core/ledger.
 */
#ifndef LEDGER_PROJECT_H
#define LEDGER_PROJECT_H

#include "git/note.h"
#include "ledger/ledger.h"

/* One number's lines, to be put in a note by note_build() or note_apply(); next: another number's, of the same note. */
struct note_lines {
	const char *campaign;
	int number;
	struct str text;	/* of its record */
	struct note_lines *next;
};
note_edit_fn project_note;	/* data: struct note_lines */

/* One number on one commit whose note should carry it. */
struct want {
	struct oid commit, blob;	/* blob: of the record, and of a note that holds nothing else */
	struct oid found;		/* the note's blob; zero: no note */
	int number;
};

struct wants {
	struct want *v;		/* by commit, then number */
	size_t n, alloc;
};

int wants_read(struct repo *repo, const struct history *h, struct wants *ret, struct err *err);
/* The same at a tip of the notes that is perhaps no ref's yet; zero: no notes. */
int wants_read_at(struct repo *repo, const struct history *h, const struct oid *tip, struct wants *ret, struct err *err);
void wants_free(struct wants *wants);
/* Does the note say what the record says? ret_record, ret_own: both texts, where the ids did not answer already (else empty). */
int want_same(struct repo *repo, const char *campaign, const struct want *want, struct str *ret_record, struct str *ret_own,
	      bool *ret, struct err *err);

/* May best be moved on from `at`? 0, or ERR_REFUSED with hints. */
int project_best_known(const struct history *h, const struct oid *at, struct err *err);
/* Park an escalated candidate; a branch that is there already is left alone. */
int project_review(struct repo *repo, const struct history *h, int number, int *ret_made, struct err *err);

#endif
