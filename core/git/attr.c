/*
 * attr.c - gitattributes(5): lines read, macros expanded, a path's attributes looked up.
 */
#include "git/attr.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/path.h"
#include "git/rules.h"

#define LINE_MAX_BYTES 2048	/* git ignores longer ones */
#define BLANK " \t\r\n"

static void line_free(struct attr_line *l)
{
	pattern_free(&l->pattern);
	free(l->macro);
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].value);
	}
	free(l->v);
	*l = (struct attr_line){ 0 };
}

void attr_lines_free(struct attr_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		line_free(&lines->v[i]);
	free(lines->v);
	*lines = (struct attr_lines){ 0 };
}

static bool good_name(const char *name)
{
	if (!*name || *name == '-')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
			return false;
	return true;
}

/* "a", "-a", "!a" or "a=v". */
static bool add_attr(struct attr_line *l, const char *word, size_t len)
{
	struct attr a = { .state = ATTR_TRUE };
	const char *equals;

	if (*word == '-' || *word == '!') {
		a.state = *word == '-' ? ATTR_FALSE : ATTR_NONE;
		word++;
		len--;
	}
	equals = a.state == ATTR_TRUE ? memchr(word, '=', len) : NULL;
	a.name = xstrndup(word, equals ? (size_t)(equals - word) : len);
	if (equals) {
		a.state = ATTR_VALUE;
		a.value = xstrndup(equals + 1, len - (size_t)(equals + 1 - word));
	}
	GROW(l->v, l->n, l->alloc);
	l->v[l->n++] = a;
	return good_name(a.name);
}

static int octal(const char *p)
{
	if (p[0] < '0' || p[0] > '3' || p[1] < '0' || p[1] > '7' || p[2] < '0' || p[2] > '7')
		return -1;
	return (p[0] - '0') * 64 + (p[1] - '0') * 8 + (p[2] - '0');
}

/* A name in double quotes as git writes odd ones; NULL where it is not well formed. *ret_end: behind the closing quote. */
static char *unquote(const char *p, const char **ret_end)
{
	static const char from[] = "abfnrtv\\\"", to[] = "\a\b\f\n\r\t\v\\\"";
	STR name = STR_INIT;

	for (p++; *p != '"'; p++) {
		const char *known;

		if (!*p || (*p == '\\' && !p[1]))
			return NULL;
		if (*p != '\\') {
			str_putc(&name, *p);
			continue;
		}
		known = strchr(from, *++p);
		if (!known && octal(p) < 0)
			return NULL;
		str_putc(&name, known ? to[known - from] : (char)octal(p));
		p += known ? 0 : 2;
	}
	*ret_end = p + 1;
	return str_detach(&name);
}

/* The pattern or "[attr]name" at the line's start; what is behind it, or NULL where the line says nothing. */
static const char *parse_head(const char *p, bool macros, struct attr_line *l)
{
	static const char front[] = "[attr]";
	const char *end = p + strcspn(p, BLANK);
	AUTOFREE char *name = *p == '"' ? unquote(p, &end) : NULL;

	if (!name)
		name = xstrndup(p, (size_t)(end - p));
	if (starts_with(p, front) && strlen(name) > strlen(front)) {
		l->macro = xstrdup(name + strlen(front));
		return macros && good_name(l->macro) ? end : NULL;
	}
	pattern_parse(name, strlen(name), &l->pattern);
	return l->pattern.negative ? NULL : end;
}

static bool parse_line(const char *p, bool macros, struct attr_line *l)
{
	p += strspn(p, BLANK);
	if (!*p || *p == '#')
		return false;
	p = parse_head(p, macros, l);
	while (p && *(p += strspn(p, BLANK))) {
		size_t len = strcspn(p, BLANK);

		if (!add_attr(l, p, len))
			return false;
		p += len;
	}
	return p != NULL;
}

void attr_lines_parse(const char *text, size_t len, bool macros, struct attr_lines *ret)
{
	const char *end = text + len;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		text += 3;
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((eol ? eol : end) - text);
		AUTOFREE char *line = xstrndup(text, n);
		struct attr_line l = { 0 };

		text += n + 1;
		if (n >= LINE_MAX_BYTES)
			continue;
		if (!parse_line(line, macros, &l)) {
			line_free(&l);
			continue;
		}
		GROW(ret->v, ret->n, ret->alloc);
		ret->v[ret->n++] = l;
	}
}

/* All lists from the one that counts most to the one that counts least: list 0 is info/attributes. NULL behind the last. */
static const struct attr_lines *list_at(const struct rules *rules, size_t i, size_t *ret_base)
{
	*ret_base = 0;
	if (!i)
		return &rules->info;
	if (i <= rules->n) {
		*ret_base = strlen(rules->v[rules->n - i].dir);
		return &rules->v[rules->n - i].attrs;
	}
	return i == rules->n + 1 ? &rules->user : i == rules->n + 2 ? &rules->system : NULL;
}

/* The attributes known so far; whatever a line says of one that is known already comes too late. */
struct found {
	struct attr *v;		/* names and values are borrowed */
	size_t n, alloc;
};

static bool known(const struct found *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].name, name))
			return true;
	return false;
}

static const struct attr_line *macro_of(const struct rules *rules, const char *name)
{
	static struct attr no[] = {
		{ .name = (char *)"diff", .state = ATTR_FALSE }, { .name = (char *)"merge", .state = ATTR_FALSE },
		{ .name = (char *)"text", .state = ATTR_FALSE },
	};
	static const struct attr_line binary = { .v = no, .n = ARRAY_SIZE(no) };
	const struct attr_lines *l;
	size_t base;

	for (size_t i = 0; (l = list_at(rules, i, &base)) != NULL; i++)
		for (size_t k = l->n; k-- > 0;)
			if (l->v[k].macro && !strcmp(l->v[k].macro, name))
				return &l->v[k];
	return strcmp(name, "binary") ? NULL : &binary;
}

/* A macro that is set sets what it stands for, unless that is known; each name is taken once, so macros cannot go in circles. */
static void fill(const struct rules *rules, const struct attr_line *line, struct found *f)
{
	for (size_t i = line->n; i-- > 0;) {
		const struct attr *a = &line->v[i];
		const struct attr_line *macro;

		if (known(f, a->name))
			continue;
		GROW(f->v, f->n, f->alloc);
		f->v[f->n++] = *a;
		macro = a->state == ATTR_TRUE ? macro_of(rules, a->name) : NULL;
		if (macro)
			fill(rules, macro, f);
	}
}

void attr_query(const struct rules *rules, const char *path, struct attr *v, size_t n)
{
	const struct subject s = { path, path_basename(path), false };
	const struct attr_lines *l;
	struct found f = { 0 };
	size_t base;

	for (size_t i = 0; (l = list_at(rules, i, &base)) != NULL; i++)
		for (size_t k = l->n; k-- > 0;)
			if (!l->v[k].macro && pattern_match(&l->v[k].pattern, &s, base, rules->icase))
				fill(rules, &l->v[k], &f);
	for (size_t i = 0; i < n; i++) {
		v[i].state = ATTR_NONE;
		v[i].value = NULL;
		for (size_t k = 0; k < f.n; k++)
			if (!strcmp(f.v[k].name, v[i].name)) {
				v[i].state = f.v[k].state;
				v[i].value = f.v[k].value;
			}
	}
	free(f.v);
}
