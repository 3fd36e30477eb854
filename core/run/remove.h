/*
 * remove.h - remove a directory whatever is in it.
 * By descriptor, never following links, never crossing a mount, surviving mode-000 directories and paths beyond PATH_MAX, iterative.
 */
#ifndef RUN_REMOVE_H
#define RUN_REMOVE_H

#include "base/err.h"

/* name below dirfd (AT_FDCWD allowed). Not there: fine. ERR_REFUSED where a mount is in the way. keep_top: only what is in it. */
int remove_tree(int dirfd, const char *name, int keep_top, struct err *err);

#endif
