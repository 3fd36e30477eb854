/*
 * sealed.h - a sealed object store: what some commits reach (and whatever else shares their packs), never what the campaign recorded.
 * The git of an experiment reads history from here instead of the repository, where it could list its siblings. Packs are hard links
 * where they can be, so a store costs no space; nothing that happens to the repository later (gc, prune) reaches it.
 *
 *   <dir>/pack/      packs
 *   <dir>/sealed     the commits, one a line, oldest first
 *
 * Errors: ERR_REFUSED for a partial clone: its objects are not all there.
 */
#ifndef GIT_SEALED_H
#define GIT_SEALED_H

#include "git/tree.h"

/* Made whole or not at all; one that is there stays as it is. */
int sealed_make(struct repo *repo, const char *dir, const struct oid *commit, struct err *err);
/* What commit reaches, too; nothing to do where it is in already. */
int sealed_add(struct repo *repo, const char *dir, const struct oid *commit, struct err *err);
/* Objects of tree `new` that are not in `old`, as loose objects into another objects directory; costs what changed. */
int tree_export(struct repo *repo, const struct oid *old, const struct oid *new, const char *objects, struct err *err);
/* Branches, remote branches and tags that are ancestors of the commit, in the format of packed-refs; not the harness's own. */
int refs_behind(struct repo *repo, const struct oid *commit, struct str *ret, struct err *err);

#endif
