#include "base/logfmt.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

static bool is_key_byte(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
		return true;
	return !first && ((c >= '0' && c <= '9') || c == '.' || c == '/' || c == '-');
}

static size_t span_key(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && is_key_byte(*p, p == start))
		p++;
	return (size_t)(p - start);
}

/* Takes both strings. */
static void push(struct event *e, char *key, char *value)
{
	GROW(e->pairs, e->n, e->alloc);
	e->pairs[e->n++] = (struct pair){ .key = key, .value = value };
}

static struct pair *find(const struct event *e, const char *key)
{
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->pairs[i].key, key))
			return &e->pairs[i];
	return NULL;
}

void event_add(struct event *e, const char *key, const char *value)
{
	char *copy;

	if (!value || find(e, key))
		return;
	copy = xstrdup(key);
	/*
	 * Keys come from our tables and from metric names that were checked; a line must stay one
	 * line all the same.
	 */
	for (char *p = copy; *p; p++)
		if (!is_key_byte(*p, p == copy))
			*p = '_';
	push(e, copy, xstrdup(value));
}

void event_addf(struct event *e, const char *key, const char *fmt, ...)
{
	STR text = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	event_add(e, key, text.buf);
}

void event_add_int(struct event *e, const char *key, int64_t value)
{
	event_addf(e, key, "%lld", (long long)value);
}

void event_add_num(struct event *e, const char *key, double value)
{
	char text[NUM_TEXT];

	num_format(value, text);
	event_add(e, key, text);
}

void event_add_secs(struct event *e, const char *key, int64_t ns)
{
	const char *sign = ns < 0 ? "-" : "";
	uint64_t ms = ((ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns) + NS_PER_MS / 2) / NS_PER_MS;
	char text[NUM_TEXT];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s%llu.%03d", ms ? sign : "",
				      (unsigned long long)(ms / 1000), (int)(ms % 1000));

	while (text[len - 1] == '0')
		text[--len] = '\0';
	if (text[len - 1] == '.')
		text[--len] = '\0';
	event_add(e, key, text);
}

void event_add_oid(struct event *e, const char *key, const struct oid *oid)
{
	event_add(e, key, oid_hex(oid).s);
}

void event_set(struct event *e, const char *key, const char *value)
{
	struct pair *pair = find(e, key);
	char *copy;

	if (!pair) {
		event_add(e, key, value);
		return;
	}
	copy = xstrdup(value);	/* first: value may be the old one */
	free(pair->value);
	if (copy) {
		pair->value = copy;
		return;
	}
	free(pair->key);
	memmove(pair, pair + 1, (size_t)(e->pairs + e->n - (pair + 1)) * sizeof(*pair));
	e->n--;
}

const char *event_get(const struct event *e, const char *key)
{
	const struct pair *pair = find(e, key);

	return pair ? pair->value : NULL;
}

bool event_is(const struct event *e, const char *key, const char *value)
{
	const char *found = event_get(e, key);

	return found && value && !strcmp(found, value);
}

bool event_get_int(const struct event *e, const char *key, int64_t *ret)
{
	const char *value = event_get(e, key);

	return value && num_parse_int(value, strlen(value), ret);
}

bool event_get_num(const struct event *e, const char *key, double *ret)
{
	const char *value = event_get(e, key);

	return value && num_parse(value, strlen(value), ret);
}

bool event_get_secs(const struct event *e, const char *key, int64_t *ret_ns)
{
	double seconds;

	if (!event_get_num(e, key, &seconds) || fabs(seconds) > (double)(INT64_MAX / NS_PER_S))
		return false;
	/* Through milliseconds: that is what is written, and it makes 0.1 exactly 100 ms. */
	*ret_ns = llround(seconds * 1000) * NS_PER_MS;
	return true;
}

bool event_get_oid(const struct event *e, const char *key, struct oid *ret)
{
	const char *value = event_get(e, key);

	return value && strlen(value) == OID_HEX && oid_parse(value, ret);
}

/*
 * Must these bytes be written as \xHH? They would break the line, or move the cursor of whoever
 * reads the note on a terminal.
 */
static bool is_hidden(size_t len, uint32_t c)
{
	return !len || text_is_control(c);
}

static bool needs_quotes(const char *value)
{
	const char *end = value + strlen(value);

	if (value == end)
		return true;
	while (value < end) {
		uint32_t c = 0;
		size_t len = text_utf8(value, (size_t)(end - value), &c);

		if (is_hidden(len, c) || c == ' ' || c == '"' || c == '\\' || c == '=')
			return true;
		value += len;
	}
	return false;
}

static char short_escape(uint32_t c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\n':
		return 'n';
	case '\t':
		return 't';
	case '\r':
		return 'r';
	default:
		return 0;
	}
}

static void add_quoted(struct str *ret, const char *value)
{
	const char *end = value + strlen(value);

	str_putc(ret, '"');
	while (value < end) {
		uint32_t c = 0;
		size_t len = text_utf8(value, (size_t)(end - value), &c), n = len ? len : 1;
		char escape = len ? short_escape(c) : 0;

		if (escape)
			str_printf(ret, "\\%c", escape);
		else if (is_hidden(len, c))
			for (size_t i = 0; i < n; i++)
				str_printf(ret, "\\x%02x", (unsigned char)value[i]);
		else
			str_add(ret, value, len);
		value += n;
	}
	str_putc(ret, '"');
}

void event_format(const struct event *e, struct str *ret)
{
	for (size_t i = 0; i < e->n; i++) {
		if (i)
			str_putc(ret, ' ');
		str_puts(ret, e->pairs[i].key);
		str_putc(ret, '=');
		if (needs_quotes(e->pairs[i].value))
			add_quoted(ret, e->pairs[i].value);
		else
			str_puts(ret, e->pairs[i].value);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/*
 * p stands behind a backslash. What follows the escape, or NULL; NUL is refused: values are C
 * strings.
 */
static const char *unescape(const char *p, const char *end, char *ret)
{
	static const char from[] = "\"\\ntr", to[] = "\"\\\n\t\r";
	const char *at;
	int hi, lo;

	if (p == end || !*p)
		return NULL;
	if ((at = strchr(from, *p))) {
		*ret = to[at - from];
		return p + 1;
	}
	if (*p != 'x' || end - p < 3)
		return NULL;
	hi = hex_digit(p[1]);
	lo = hex_digit(p[2]);
	if (hi < 0 || lo < 0 || !(hi | lo))
		return NULL;
	*ret = (char)(hi << 4 | lo);
	return p + 3;
}

static const char *parse_quoted(const char *p, const char *end, char **ret)
{
	STR value = STR_MAX((size_t)(end - p) + 1);

	for (char c;;) {
		if (p == end || (unsigned char)*p < 0x20 || *p == 0x7f)
			return NULL;
		if (*p == '"')
			break;
		c = *p++;
		if (c == '\\' && !(p = unescape(p, end, &c)))
			return NULL;
		str_putc(&value, c);
	}
	*ret = str_detach(&value);
	return p + 1;
}

static const char *parse_bare(const char *p, const char *end, char **ret)
{
	const char *start = p;

	for (; p < end && *p != ' '; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\' || *p == '=')
			return NULL;
	if (p == start)
		return NULL;
	*ret = xstrndup(start, (size_t)(p - start));
	return p;
}

static const char *parse_pair(const char *p, const char *end, struct event *e)
{
	const char *key = p;
	size_t len = span_key(p, end);
	char *value;

	p += len;
	if (!len || p == end || *p++ != '=')
		return NULL;
	if (p < end && *p == '"')
		p = parse_quoted(p + 1, end, &value);
	else
		p = parse_bare(p, end, &value);
	if (p)
		push(e, xstrndup(key, len), value);
	return p;
}

bool event_parse(const char *ptr, size_t len, struct event *ret)
{
	const char *end = ptr + len;
	EVENT e = { 0 };

	if (len && end[-1] == '\n')
		end--;
	if (!text_is_utf8(ptr, (size_t)(end - ptr)))
		return false;
	for (;;) {
		ptr = parse_pair(ptr, end, &e);
		if (!ptr)
			return false;
		if (ptr == end)
			break;
		if (*ptr++ != ' ')
			return false;
	}
	event_free(ret);
	*ret = e;
	e = (struct event){ 0 };
	return true;
}

void event_copy(const struct event *e, struct event *ret)
{
	struct event copy = { 0 };

	for (size_t i = 0; i < e->n; i++)
		push(&copy, xstrdup(e->pairs[i].key), xstrdup(e->pairs[i].value));
	event_free(ret);
	*ret = copy;
}

void event_free(struct event *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->pairs[i].key);
		free(e->pairs[i].value);
	}
	free(e->pairs);
	*e = (struct event){ 0 };
}

struct event *events_push(struct events *l)
{
	GROW(l->v, l->n, l->alloc);
	l->v[l->n] = (struct event){ 0 };
	return &l->v[l->n++];
}

void events_format(const struct events *l, struct str *ret)
{
	for (size_t i = 0; i < l->n; i++) {
		event_format(&l->v[i], ret);
		str_putc(ret, '\n');
	}
}

void events_free(struct events *l)
{
	for (size_t i = 0; i < l->n; i++)
		event_free(&l->v[i]);
	free(l->v);
	*l = (struct events){ 0 };
}
