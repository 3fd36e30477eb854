/*
 * note_kind.h - a notes tree's entries as git reads them; shared by the reader (note.c) and the writer (note_tree.c).
 */
#ifndef GIT_NOTE_KIND_H
#define GIT_NOTE_KIND_H

#include "git/internal.h"

#define NOTE_LEVELS 19	/* two digits a directory; the last two name the note */

enum note_kind { KIND_FOREIGN, KIND_NOTE, KIND_SUBTREE };

/* What git takes an entry for, `depth` directories down. Foreign ones are kept as they are. */
enum note_kind note_kind(const struct tree_iter *it, int depth);
/* Append a note's text the way git joins two notes of one object: an empty line between. */
int note_join(struct repo *repo, const struct oid *blob, struct str *ret, struct err *err);
/* Every note of this object in the commit `tip` (zero: none), joined. */
int note_read_at(struct repo *repo, const struct oid *tip, const struct oid *object, struct str *ret, bool *found, struct err *err);

#endif
