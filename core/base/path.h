/*
 * path.h - names of files as text: nothing here looks at the disk.
 *
 * Memory: the caller frees what is returned.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>

char *path_join(const char *dir, const char *name);	/* name alone: absolute, or no dir */
char *path_dirname(const char *path);	/* as dirname(1): "." without a slash */
const char *path_basename(const char *path);	/* behind the last slash; in path */
/*
 * Relative, not empty, no empty, "." or ".." component, no '/' at either end: the one spelling of a
 * path in a tree.
 */
bool path_is_canonical(const char *path);
/* Is path equal to dir or below it? Both in canonical spelling, or both absolute. */
bool path_is_within(const char *path, const char *dir);

#endif
