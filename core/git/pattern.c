#include "git/pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static unsigned char fold(char c, bool icase)
{
	unsigned char u = (unsigned char)c;

	return icase && u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

static bool in_class(const char *name, size_t len, unsigned char c)
{
	static const struct {
		const char *name;
		int (*test)(int);
	} classes[] = {
		{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank }, { "cntrl", iscntrl },
		{ "digit", isdigit }, { "graph", isgraph }, { "lower", islower }, { "print", isprint },
		{ "punct", ispunct }, { "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit },
	};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (strlen(classes[i].name) == len && !memcmp(classes[i].name, name, len))
			return c < 128 && classes[i].test(c);
	return false;
}

/* "[:name:]" at p: behind it, or NULL where that is not what stands there. *bad: a set that does not end. */
static const char *named(const char *p, bool *bad)
{
	const char *end = p[0] == '[' && p[1] == ':' ? strchr(p + 2, ']') : NULL;

	*bad = p[0] == '[' && p[1] == ':' && !end;
	return end && end > p + 2 && end[-1] == ':' ? end + 1 : NULL;
}

/* A set's member at *at, which moves behind it; -1 where the set is malformed. Ranges need the byte before. */
static int member(const char **at, unsigned char c, unsigned char *before)
{
	const char *p = *at, *end;
	unsigned char low = *before, high;
	bool bad;

	*before = 0;
	if (*p == '-' && low && p[1] && p[1] != ']') {
		p += p[1] == '\\' ? 2 : 1;
		high = (unsigned char)*p;
		*at = p + 1;
		return high ? c >= low && c <= high : -1;
	}
	end = named(p, &bad);
	if (bad)
		return -1;
	if (end) {
		*at = end;
		return in_class(p + 2, (size_t)(end - p - 4), c);
	}
	p += *p == '\\';
	*before = (unsigned char)*p;
	*at = p + 1;
	return *p ? c == *before : -1;
}

/* "[...]" against one byte: its length in *ret_len, 0 where it is malformed. */
static bool in_set(const char *set, unsigned char c, bool icase, size_t *ret_len)
{
	const char *p = set + 1;
	bool negated = *p == '!' || *p == '^', found = false;
	unsigned char before = 0;

	*ret_len = 0;
	p += negated;
	do {
		const char *same = p;
		unsigned char too = before;
		int is = *p ? member(&p, c, &before) : -1;

		if (is < 0)
			return false;
		found |= is || (icase && member(&same, (unsigned char)toupper(c), &too) > 0);
	} while (*p != ']');
	*ret_len = (size_t)(p + 1 - set);
	return found != negated;
}

/* One element of the pattern that is no star against one byte; its length, or 0 where it does not match. *bad: nothing ever will. */
static size_t element(const char *p, char c, bool path, bool icase, bool *bad)
{
	size_t len = 1;

	switch (*p) {
	case '\0':
		return 0;
	case '?':
		return !path || c != '/';
	case '[':
		if (!in_set(p, fold(c, icase), icase, &len) || (path && c == '/')) {
			*bad |= !len;
			return 0;
		}
		return len;
	case '\\':
		return p[1] && fold(p[1], icase) == fold(c, icase) ? 2 : 0;
	default:
		return fold(*p, icase) == fold(c, icase);
	}
}

/* Where to go on after a failure: the last star, and the last "**" which can take what no star can. */
struct retry {
	const char *star_p, *star_t;
	const char *deep_p, *deep_t;
	bool whole;		/* the "**" is followed by '/': it takes whole components */
};

static bool again(struct retry *r, bool path, const char **p, const char **t)
{
	if (r->star_p && *r->star_t && !(path && *r->star_t == '/')) {
		*p = r->star_p;
		*t = ++r->star_t;
		return true;
	}
	r->star_p = NULL;
	if (!r->deep_p || !*r->deep_t)
		return false;
	if (r->whole) {
		const char *slash = strchr(r->deep_t, '/');

		if (!slash)
			return false;
		r->deep_t = slash;
	}
	*p = r->deep_p;
	*t = ++r->deep_t;
	return true;
}

/* A run of stars at p; moves behind it. */
static const char *stars(const char *start, const char *p, const char *t, bool path, struct retry *r)
{
	const char *end = p + strspn(p, "*");
	bool between = end - p > 1 && (p == start || p[-1] == '/') && (!*end || *end == '/' || (*end == '\\' && end[1] == '/'));

	if (path && !between) {
		r->star_p = end;
		r->star_t = t;
		return end;
	}
	r->whole = path && *end == '/';
	r->deep_p = end + r->whole;
	r->deep_t = t;
	r->star_p = NULL;
	return r->deep_p;
}

bool wild_match(const char *pattern, const char *text, bool path, bool icase)
{
	struct retry r = { 0 };
	const char *p = pattern, *t = text;
	bool bad = false;

	for (;;) {
		size_t len;

		if (*p == '*') {
			p = stars(pattern, p, t, path, &r);
			continue;
		}
		if (!*t)
			return !*p;
		len = element(p, *t, path, icase, &bad);
		if (len) {
			p += len;
			t++;
		} else if (bad || !again(&r, path, &p, &t)) {
			return false;
		}
	}
}

void pattern_parse(const char *text, size_t len, struct pattern *ret)
{
	*ret = (struct pattern){ 0 };
	if (len && *text == '!') {
		ret->negative = true;
		text++;
		len--;
	}
	if (len && text[len - 1] == '/') {
		ret->dir_only = true;
		len--;
	}
	ret->text = xstrndup(text, len);
	ret->name_only = !strchr(ret->text, '/');
	ret->literal = strcspn(ret->text, "*?[\\");
}

void pattern_free(struct pattern *pattern)
{
	free(pattern->text);
	*pattern = (struct pattern){ 0 };
}

static bool same_bytes(const char *a, const char *b, size_t len, bool icase)
{
	return icase ? !strncasecmp(a, b, len) : !strncmp(a, b, len);
}

bool pattern_match(const struct pattern *pattern, const struct subject *subject, size_t base, bool icase)
{
	const char *text = pattern->text, *name = subject->path + (base ? base + 1 : 0);
	size_t literal = pattern->literal;

	if (pattern->dir_only && !subject->is_dir)
		return false;
	if (pattern->name_only)
		return wild_match(text, subject->name, false, icase);
	if (*text == '/') {
		text++;
		literal -= literal > 0;
	}
	/* git compares the plain beginning first and matches only the rest: after "a", "**" stands at its start */
	if (!same_bytes(text, name, literal, icase))
		return false;
	return wild_match(text + literal, name + literal, true, icase);
}
