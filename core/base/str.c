#include "base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define STR_CEILING ((size_t)64 << 20)

char str_empty[1];

static size_t ceiling(const struct str *s)
{
	return s->max ? s->max : STR_CEILING;
}

static void reserve(struct str *s, size_t need)
{
	size_t alloc = s->alloc ? s->alloc : 64;

	if (need + 1 <= s->alloc)
		return;
	while (alloc < need + 1)
		alloc *= 2;
	s->buf = xrealloc(s->buf == str_empty ? NULL : s->buf, alloc);
	s->buf[s->len] = '\0';
	s->alloc = alloc;
}

void str_add(struct str *s, const void *ptr, size_t len)
{
	size_t room = ceiling(s) > s->len ? ceiling(s) - s->len : 0;

	if (len > room) {
		s->cut = true;
		len = room;
	}
	if (!len)
		return;
	reserve(s, s->len + len);
	memcpy(s->buf + s->len, ptr, len);
	s->len += len;
	s->buf[s->len] = '\0';
}

void str_puts(struct str *s, const char *text)
{
	str_add(s, text, strlen(text));
}

void str_putc(struct str *s, char c)
{
	str_add(s, &c, 1);
}

void str_vprintf(struct str *s, const char *fmt, va_list ap)
{
	AUTOFREE char *text = NULL;
	char brief[256];
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(brief, sizeof(brief), fmt, ap);
	if (len >= (int)sizeof(brief)) {
		text = xmalloc((size_t)len + 1);
		len = vsnprintf(text, (size_t)len + 1, fmt, again);
	}
	va_end(again);
	if (len < 0)
		abort();
	str_add(s, text ? text : brief, (size_t)len);
}

void str_printf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(s, fmt, ap);
	va_end(ap);
}

void str_clear(struct str *s)
{
	str_truncate(s, 0);
	s->cut = false;
}

void str_truncate(struct str *s, size_t len)
{
	if (len >= s->len)
		return;
	s->len = len;
	s->buf[len] = '\0';
}

char *str_detach(struct str *s)
{
	char *ret;

	reserve(s, s->len);
	ret = s->buf;
	*s = (struct str){ .buf = str_empty, .max = s->max };
	return ret;
}

void str_free(struct str *s)
{
	if (s->buf != str_empty)
		free(s->buf);
	*s = (struct str){ .buf = str_empty, .max = s->max };
}

bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return len >= n && !strcmp(s + len - n, suffix);
}

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

void strs_take(struct strs *l, char *s)
{
	GROW(l->v, l->n + 1, l->alloc);
	l->v[l->n++] = s;
	l->v[l->n] = NULL;
}

void strs_add(struct strs *l, const char *s)
{
	strs_take(l, xstrdup(s));
}

void strs_addf(struct strs *l, const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	strs_take(l, s);
}

bool strs_has(const struct strs *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], s))
			return true;
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strs_sort(struct strs *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_text);
}

void strs_free(struct strs *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct strs){ 0 };
}
