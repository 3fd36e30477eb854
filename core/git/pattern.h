/*
 * pattern.h - one line of gitignore(5) or the pattern of one line of gitattributes(5), matched as git matches it.
 * base/glob.h is the policy's language and stricter; here git's own answer is the only right one, oddities included.
 *
 * Memory: pattern_free() ends what pattern_parse() made; accepts an empty one.
 */
#ifndef GIT_PATTERN_H
#define GIT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern {
	char *text;		/* without '!' and without the '/' at its end */
	size_t literal;		/* bytes before the first special one */
	bool negative;		/* "!" before it */
	bool dir_only;		/* "/" behind it */
	bool name_only;		/* no '/' in it: matches in every directory */
};

/* A path as asked about: whole, its last component, and whether it is a directory. */
struct subject {
	const char *path, *name;
	bool is_dir;
};

void pattern_parse(const char *text, size_t len, struct pattern *ret);
void pattern_free(struct pattern *pattern);
/* base: length of the directory the pattern stands in, 0 for the root. The path is below it. */
bool pattern_match(const struct pattern *pattern, const struct subject *subject, size_t base, bool icase);
/* wildmatch: with `path`, '*' and '?' stop at '/' and "**" between slashes does not. */
bool wild_match(const char *pattern, const char *text, bool path, bool icase);

#endif
