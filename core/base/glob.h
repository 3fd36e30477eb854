/*
 * glob.h - path patterns, anchored at the root, on bytes.
 * "*" is any run without '/', "?" one byte that is not '/', [a-z] and [!a-z] or [^a-z] a class
 * without '/', a component "**" any number of whole components (none too, but at the end at least
 * one: src followed by "**" is all below src, not src itself), and backslash quotes the next byte.
 * No case folding, no locale. Time is bounded by pattern length times path length.
 */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>

#include "base/err.h"

/*
 * ERR_INVALID and why: empty, absolute, "..", "." or empty component, ":(" magic, open class,
 * trailing '\', over 4096 bytes.
 */
int glob_check(const char *pattern, struct err *err);
bool glob_match(const char *pattern, const char *path);
/* Could some path below this directory match? */
bool glob_match_below(const char *pattern, const char *dir);
/*
 * gitignore(5)'s own use of the same matcher: a '*' in a pattern without '/' matches in any
 * component's name.
 */
bool glob_match_name(const char *pattern, const char *name);

#endif
