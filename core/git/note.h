/*
 * note.h - git notes with our own fanout and compare-and-swap.
 * The notes tree maps an object's hex id to a blob, split in directories of two digits. Every depth that git writes is read;
 * a note is written at the depth where its siblings are, and a directory is split when it passes 256 notes, so adding costs about the
 * same at any size. Foreign text in a note is kept byte for byte. Writing retries until its compare-and-swap wins (or ERR_LOCKED).
 */
#ifndef GIT_NOTE_H
#define GIT_NOTE_H

#include "git/repo.h"

/* harness.notesRef or refs/notes/harness (always a full ref name below refs/notes/). */
const char *note_ref(struct repo *repo);

/* The note's text at the ref's present tip; ERR_NOT_FOUND where there is none. */
int note_read(struct repo *repo, const struct oid *object, struct str *ret, struct err *err);

/* An edit of several notes in one commit. fn is given the present text ("" where none) and appends the whole new text to `ret`;
 * it may be called again when the compare-and-swap is lost. Returning 1 means "leave it". */
typedef int note_edit_fn(void *data, const struct oid *object, const char *old, size_t len, struct str *ret, struct err *err);
struct note_edit {
	struct oid object;
	note_edit_fn *fn;
	void *data;
};
/* The commit for these edits on top of `tip` (zero: first), not yet referenced: for use inside a ref_plan. *ret equals tip when all were left. */
int note_build(struct repo *repo, const struct oid *tip, const struct note_edit *edits, size_t n, const struct ident *who,
	       const char *message, struct oid *ret, struct err *err);
/* Build and move the ref, again and again until it fits. */
int note_apply(struct repo *repo, const struct note_edit *edits, size_t n, const struct ident *who, const char *message, struct err *err);

/* Every note at a tip: fn(object, blob id). */
typedef int note_walk_fn(void *data, const struct oid *object, const struct oid *blob, struct err *err);
int note_walk(struct repo *repo, const struct oid *tip, note_walk_fn *fn, void *data, struct err *err);

#endif
