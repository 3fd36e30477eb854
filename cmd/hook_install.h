/*
 * hook_install.h - the pre-commit hook for people, chained to what is there.
 *
 * No hook there: ours is written. A shell script: a marked block goes in below its first line, so that all else in it stays as it is.
 * Anything else (another language, a symbolic link, not executable): it is kept as pre-commit.harness-chained, and ours runs it.
 * core.hooksPath is followed inside the repository (.githooks, husky); a directory outside belongs to other repositories too, so
 * the line to add is printed. So it is, in addition, for what writes its hooks anew now and then: pre-commit, lefthook, husky.
 * Installing twice changes nothing. Removing takes out the block, or brings back what was chained.
 *
 * ret: what was done and what is left to do, whole lines for people.
 */
#ifndef CMD_HOOK_INSTALL_H
#define CMD_HOOK_INSTALL_H

#include "git/repo.h"

int hook_install(struct repo *repo, struct str *ret, struct err *err);
int hook_remove(struct repo *repo, struct str *ret, struct err *err);

#endif
