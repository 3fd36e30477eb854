#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* How many bytes a code point takes that begins with this one; 0: none does. */
static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

size_t text_utf8(const char *ptr, size_t len, uint32_t *ret)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)ptr;
	size_t n = len ? utf8_length(p[0]) : 0;
	uint32_t c;

	if (!n || n > len)
		return 0;
	c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < lowest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

bool text_is_utf8(const char *ptr, size_t len)
{
	const char *end = ptr + len;
	uint32_t c;

	while (ptr < end) {
		size_t n = text_utf8(ptr, (size_t)(end - ptr), &c);

		if (!n)
			return false;
		ptr += n;
	}
	return true;
}

bool text_is_control(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return true;
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 ||
	       c == 0x2029 || c == 0xfffe || c == 0xffff;
}

void text_visible(const char *ptr, size_t len, bool lines, struct str *ret)
{
	const char *end = ptr + len;

	while (ptr < end) {
		uint32_t c = 0;
		size_t n = text_utf8(ptr, (size_t)(end - ptr), &c);

		if (n && (!text_is_control(c) || (lines && (c == '\n' || c == '\t'))))
			str_add(ret, ptr, n);
		else if (n && c >= 0x80)
			str_printf(ret, "<U+%04X>", c);
		else
			str_printf(ret, "\\x%02x", (unsigned char)*ptr);
		ptr += n ? n : 1;
	}
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Runs of white space to one blank, none at the ends; stops when `most` bytes are there. */
static void fold_space(const char *ptr, size_t len, size_t most, struct str *ret)
{
	bool gap = false;

	for (size_t i = 0; i < len && ret->len < most; i++) {
		if (is_space(ptr[i])) {
			gap = ret->len;
			continue;
		}
		if (gap)
			str_putc(ret, ' ');
		gap = false;
		str_putc(ret, ptr[i]);
	}
}

/* Bytes of the first n characters of valid UTF-8. */
static size_t bytes_of(const struct str *s, size_t n)
{
	size_t at = 0;
	uint32_t c;

	while (n-- && at < s->len)
		at += text_utf8(s->buf + at, s->len - at, &c);
	return at;
}

void text_line(const char *ptr, size_t len, size_t columns, struct str *ret)
{
	STR folded = STR_INIT, shown = STR_INIT;
	size_t dots = columns < 3 ? columns : 3;

	/*
	 * A character has at most 4 bytes: more than this is cut in any case, whatever the rest
	 * holds.
	 */
	fold_space(ptr, len, columns * 4 + 8, &folded);
	text_visible(folded.buf, folded.len, false, &shown);
	if (bytes_of(&shown, columns) < shown.len) {
		str_truncate(&shown, bytes_of(&shown, columns - dots));
		str_add(&shown, "...", dots);
	}
	str_add(ret, shown.buf, shown.len);
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void text_xml(const char *ptr, size_t len, struct str *ret)
{
	STR shown = STR_INIT;

	text_visible(ptr, len, true, &shown);
	for (size_t i = 0; i < shown.len; i++) {
		const char *escaped = entity(shown.buf[i]);

		if (escaped)
			str_puts(ret, escaped);
		else
			str_putc(ret, shown.buf[i]);
	}
}

/* Words longer than this are nobody's typing error. */
#define WORD_MAX 64

static size_t distance(const char *a, size_t m, const char *b, size_t n)
{
	size_t row[WORD_MAX + 1];

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

const char *text_nearest(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word), most = 1 + len / 3;
	const char *ret = NULL;

	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t name_len = strlen(names[i]), d;

		if (name_len > WORD_MAX)
			continue;
		d = distance(word, len, names[i], name_len);
		if (d > most || (ret && d == most))
			continue;	/* of equals the first */
		most = d;
		ret = names[i];
	}
	return ret;
}
