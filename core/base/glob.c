#include "base/glob.h"

#include <string.h>

#define GLOB_MAX 4096

/* As git reads them: '^' is '!' too. */
static bool is_negation(char c)
{
	return c == '!' || c == '^';
}

/*
 * The byte behind an opening '[': where its class ends (at ']'), or NULL for an open one. A ']'
 * standing first is a member.
 */
static const char *class_end(const char *p)
{
	p += is_negation(*p);
	for (const char *start = p; *p && *p != '/'; p++) {
		if (*p == ']' && p > start)
			return p;
		if (*p == '\\' && !*++p)
			return NULL;
	}
	return NULL;
}

static unsigned char member(const char **p)
{
	if (**p == '\\')
		(*p)++;
	return (unsigned char)*(*p)++;
}

/* p stands behind '[', end at its ']'. */
static bool class_has(const char *p, const char *end, unsigned char c)
{
	bool negated = is_negation(*p), found = false;

	p += negated;
	while (p < end) {
		unsigned char lo = member(&p), hi = lo;

		if (p + 1 < end && *p == '-') {
			p++;
			hi = member(&p);
		}
		if (c >= lo && c <= hi)
			found = true;
	}
	return found != negated;
}

/* One element of a pattern that is no star against one byte: what follows it, or NULL. */
static const char *match_one(const char *p, char c)
{
	const char *end;

	if (!c || c == '/' || !*p || *p == '/')
		return NULL;
	if (*p == '?')
		return p + 1;
	if (*p == '[' && (end = class_end(p + 1)))
		return class_has(p + 1, end, (unsigned char)c) ? end + 1 : NULL;
	if (*p == '\\' && p[1])
		p++;
	return *p == c ? p + 1 : NULL;
}

static bool at_end(char c)
{
	return !c || c == '/';
}

/*
 * One component against one component. Only the latest star is ever taken up again: a longer run
 * for an earlier one cannot match more.
 */
static bool match_component(const char *p, const char *s)
{
	const char *star = NULL, *from = NULL, *next;

	for (;;) {
		if (*p == '*') {
			star = ++p;
			from = s;
		} else if (at_end(*p) && at_end(*s)) {
			return true;
		} else if ((next = match_one(p, *s))) {
			p = next;
			s++;
		} else if (star && !at_end(*from)) {
			p = star;
			s = ++from;
		} else {
			return false;
		}
	}
}

static const char *next_component(const char *s)
{
	s += strcspn(s, "/");
	return *s ? s + 1 : NULL;
}

/*
 * A quoted or bracketed '/' cannot be in a pattern that glob_check() let pass, so components can be
 * found by '/' alone.
 */
static bool is_any(const char *p)
{
	return p[0] == '*' && p[1] == '*' && at_end(p[2]);
}

/* The same greedy walk one level up: components are the letters, "**" is the star. */
static bool match_path(const char *p, const char *s)
{
	const char *star = NULL, *from = NULL;

	for (;;) {
		if (p && is_any(p)) {
			p = next_component(p);
			if (!p)
				return s;	/* at the end: at least one component */
			star = p;
			from = s;
		} else if (!p && !s) {
			return true;
		} else if (p && s && match_component(p, s)) {
			p = next_component(p);
			s = next_component(s);
		} else if (star && from) {
			p = star;
			s = from = next_component(from);
		} else {
			return false;
		}
	}
}

bool glob_match(const char *pattern, const char *path)
{
	return *pattern && *path && match_path(pattern, path);
}

bool glob_match_below(const char *pattern, const char *dir)
{
	const char *p = pattern, *s = dir;

	while (p && s && !is_any(p) && match_component(p, s)) {
		p = next_component(p);
		s = next_component(s);
	}
	return p && (!s || is_any(p));	/* what is left of the pattern is for what lies below */
}

bool glob_match_name(const char *pattern, const char *name)
{
	return match_component(pattern, name);
}

/* A class that opens at *p; *p is then its ']'. */
static int check_class(const char *pattern, const char **p, struct err *err)
{
	const char *open = *p, *end = class_end(open + 1);

	if (!end)
		return err_set(err, ERR_INVALID, "bad glob '%s': '[' is never closed", pattern);
	/* As a plain class it would match something else; a deny like that protects nothing. */
	if (memmem(open + 1, (size_t)(end - open), "[:", 2))
		return err_set(err, ERR_INVALID,
			       "bad glob '%s': named classes are not known here", pattern);
	*p = end;
	return 0;
}

static int check_component(const char *pattern, const char *p, size_t len, struct err *err)
{
	if (!len)
		return err_set(err, ERR_INVALID, "bad glob '%s': empty component", pattern);
	if (!strncmp("..", p, len) && len <= 2)
		return err_set(err, ERR_INVALID, "bad glob '%s': component '%.*s'", pattern,
			       (int)len, p);
	for (const char *end = p + len; p < end; p++) {
		if (*p == '[' && check_class(pattern, &p, err) < 0)
			return err->code;
		if (*p == '\\' && ++p == end)
			return err_set(err, ERR_INVALID, "bad glob '%s': '\\' quotes nothing",
				       pattern);
	}
	return 0;
}

int glob_check(const char *pattern, struct err *err)
{
	if (!*pattern)
		return err_set(err, ERR_INVALID, "empty glob");
	if (strlen(pattern) > GLOB_MAX)
		return err_set(err, ERR_INVALID, "glob is longer than %d bytes", GLOB_MAX);
	if (*pattern == '/')
		return err_set(err, ERR_INVALID,
			       "bad glob '%s': it is anchored at the repository's root already, "
			       "write it without the leading '/'",
			       pattern);
	if (!strncmp(pattern, ":(", 2))
		return err_set(err, ERR_INVALID,
			       "bad glob '%s': git's ':(...)' magic is not known here", pattern);
	for (const char *p = pattern; p; p = next_component(p))
		if (check_component(pattern, p, strcspn(p, "/"), err) < 0)
			return err->code;
	return 0;
}
