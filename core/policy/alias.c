#include "policy/alias.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* HFS+ compares as if these were not there (as git's next_hfs_char() knows them). */
static bool is_ignored(uint32_t c)
{
	return (c >= 0x200c && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x206a && c <= 0x206f) || c == 0xfeff;
}

/* Marks that canonical ordering may move past each other. */
static bool is_mark(uint32_t c)
{
	static const struct {
		uint16_t lo, hi;
	} marks[] = {
		{ 0x0300, 0x036f }, { 0x0483, 0x0487 }, { 0x0591, 0x05c7 }, { 0x0610, 0x061a },
		{ 0x064b, 0x065f }, { 0x0670, 0x0670 }, { 0x06d6, 0x06ed }, { 0x0711, 0x0711 },
		{ 0x0730, 0x074a }, { 0x07eb, 0x07f3 }, { 0x0816, 0x082d }, { 0x08d3, 0x08ff },
		{ 0x093c, 0x094d }, { 0x0e38, 0x0e4b }, { 0x0f18, 0x0f87 }, { 0x1ab0, 0x1aff },
		{ 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0x302a, 0x302f }, { 0x3099, 0x309a },
		{ 0xfe20, 0xfe2f },
	};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (c >= marks[i].lo && c <= marks[i].hi)
			return true;
	return false;
}

static void push(struct alias *f, uint32_t c)
{
	GROW(f->v, f->n, f->alloc);
	f->v[f->n++] = c;
}

static int by_from(const void *key, const void *entry)
{
	return *(const int *)key - ((const struct alias_split *)entry)->from;
}

static int by_range(const void *key, const void *entry)
{
	uint32_t c = *(const uint32_t *)key;
	const struct alias_case *range = entry;

	return c < range->lo ? -1 : c > range->hi;
}

static uint32_t fold_case(uint32_t c)
{
	const struct alias_case *range;

	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
	range = bsearch(&c, alias_cases, alias_n_cases, sizeof(*alias_cases), by_range);
	return range && (c - range->lo) % (uint32_t)range->stride == 0 ? c + (uint32_t)range->delta
								       : c;
}

static void push_hangul(struct alias *f, uint32_t c)
{
	uint32_t s = c - 0xac00;

	push(f, 0x1100 + s / 588);
	push(f, 0x1161 + s % 588 / 28);
	if (s % 28)
		push(f, 0x11a7 + s % 28);
}

/* Case foldings to more than one character, ended by 0; NULL: c has none. */
static const uint16_t *long_fold(uint32_t c)
{
	static const struct {
		uint32_t c;
		uint16_t to[4];
	} folds[] = {
		{ 0x00df, { 's', 's' } }, { 0x0149, { 0x2bc, 'n' } }, { 0x0587, { 0x565, 0x582 } },
		{ 0x1e9a, { 'a', 0x2be } }, { 0x1e9e, { 's', 's' } }, { 0xfb00, { 'f', 'f' } },
		{ 0xfb01, { 'f', 'i' } }, { 0xfb02, { 'f', 'l' } }, { 0xfb03, { 'f', 'f', 'i' } },
		{ 0xfb04, { 'f', 'f', 'l' } }, { 0xfb05, { 's', 't' } }, { 0xfb06, { 's', 't' } },
		{ 0xfb13, { 0x574, 0x576 } }, { 0xfb14, { 0x574, 0x565 } },
		{ 0xfb15, { 0x574, 0x56b } }, { 0xfb16, { 0x57e, 0x576 } },
		{ 0xfb17, { 0x574, 0x56d } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(folds); i++)
		if (folds[i].c == c)
			return folds[i].to;
	return NULL;
}

static void push_folded(struct alias *f, uint32_t c)
{
	int from = (int)c;
	const struct alias_split *split =
		bsearch(&from, alias_splits, alias_n_splits, sizeof(*alias_splits), by_from);
	const uint16_t *to = long_fold(c);

	if (split) {
		push_folded(f, split->first);
		if (split->second)
			push_folded(f, split->second);
	} else if (c >= 0xac00 && c <= 0xd7a3) {
		push_hangul(f, c);
	} else if (to) {
		while (*to)
			push(f, *to++);
	} else {
		push(f, fold_case(c));
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void sort_marks(struct alias *f)
{
	for (size_t i = 0, end; i < f->n; i = end + 1) {
		for (end = i; end < f->n && is_mark(f->v[end]); end++)
			;
		if (end > i + 1)
			qsort(f->v + i, end - i, sizeof(*f->v), by_value);
	}
}

void alias_fold(const char *ptr, size_t len, struct alias *ret)
{
	const char *end = ptr + len;

	alias_free(ret);
	while (ptr < end) {
		uint32_t c = 0;
		size_t n = text_utf8(ptr, (size_t)(end - ptr), &c);

		if (!n)
			push(ret, ALIAS_BYTE + (unsigned char)*ptr);
		else if (!is_ignored(c))
			push_folded(ret, c);
		ptr += n ? n : 1;
	}
	sort_marks(ret);
}

void alias_free(struct alias *f)
{
	free(f->v);
	*f = (struct alias){ 0 };
}
