#include "report/width.h"

#include <string.h>

#include "base/mem.h"

struct span {
	uint32_t first, last;
};

/* clang-format off */
static const struct span none[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a }, { 0x064b, 0x065f }, { 0x06d6, 0x06dc },
	{ 0x0900, 0x0902 }, { 0x093c, 0x093c }, { 0x0941, 0x0948 }, { 0x094d, 0x094d }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a },
	{ 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x2060, 0x2064 }, { 0x20d0, 0x20ff },
	{ 0x302a, 0x302d }, { 0x3099, 0x309a }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0x1f3fb, 0x1f3ff },
	{ 0xe0000, 0xe01ef },
};

static const struct span wide[] = {
	{ 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x23e9, 0x23ec }, { 0x25fd, 0x25fe }, { 0x2614, 0x2615 }, { 0x2648, 0x2653 },
	{ 0x26a1, 0x26a1 }, { 0x26bd, 0x26be }, { 0x26d4, 0x26d4 }, { 0x2705, 0x2705 }, { 0x270a, 0x270b }, { 0x2728, 0x2728 },
	{ 0x274c, 0x274c }, { 0x2753, 0x2755 }, { 0x2795, 0x2797 }, { 0x2b1b, 0x2b1c }, { 0x2b50, 0x2b50 }, { 0x2e80, 0x303e },
	{ 0x3041, 0x33ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0xa4cf }, { 0xa960, 0xa97f }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff },
	{ 0x1f900, 0x1f9ff }, { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};
/* clang-format on */

static bool among(const struct span *spans, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n && spans[i].first <= c; i++)
		if (c <= spans[i].last)
			return true;
	return false;
}

size_t width_next(const char *ptr, size_t len, uint32_t *ret)
{
	unsigned char first = (unsigned char)ptr[0];
	size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;

	*ret = 0xfffd;
	if (more == 0) {
		if (first < 0x80)
			*ret = first;
		return 1;
	}
	uint32_t c = first & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++) {
		if (i >= len || ((unsigned char)ptr[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | ((unsigned char)ptr[i] & 0x3fu);
	}
	*ret = c;
	return more + 1;
}

int width_char(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (among(none, ARRAY_SIZE(none), c))
		return 0;
	return among(wide, ARRAY_SIZE(wide), c) ? 2 : 1;
}

size_t width_text(const char *text)
{
	size_t len = strlen(text), width = 0;
	uint32_t c;

	for (size_t i = 0; i < len; i += width_next(text + i, len - i, &c)) {
		width_next(text + i, len - i, &c);
		width += (size_t)width_char(c);
	}
	return width;
}

void width_cut(const char *text, size_t columns, struct str *ret)
{
	size_t len = strlen(text), i = 0, width = 0;

	if (width_text(text) <= columns) {
		str_puts(ret, text);
		return;
	}
	if (columns == 0)
		return;
	while (i < len) {
		uint32_t c;
		size_t bytes = width_next(text + i, len - i, &c);

		if (width + (size_t)width_char(c) > columns - 1)
			break;
		width += (size_t)width_char(c);
		i += bytes;
	}
	while (i > 0 && text[i - 1] == ' ')
		i--;
	str_add(ret, text, i);
	str_puts(ret, "\xe2\x80\xa6");
}
