#include "report/labels.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/width.h"

#define ASCENT 9.0
#define DESCENT 3.0
#define GAP 4.0		/* from the leader to the text */
#define ROW 15.0
#define ROWS 12

void obstacles_add(struct obstacles *o, double left, double top, double right, double bottom)
{
	GROW(o->v, o->n, o->alloc);
	o->v[o->n++] = (struct box){ left, top, right, bottom };
}

void obstacles_free(struct obstacles *o)
{
	free(o->v);
	*o = (struct obstacles){ 0 };
}

double labels_width(const char *text, double font_size)
{
	size_t len = strlen(text);
	double width = 0;
	uint32_t c;

	for (size_t i = 0; i < len;) {
		i += width_next(text + i, len - i, &c);
		if (c < 0x80 && strchr("iljtfI.,:;'|!()[] ", (int)c))
			width += 0.36;
		else if (c < 0x80 && strchr("mwMW@%", (int)c))
			width += 0.92;
		else if (c < 0x80 && isupper((int)c))
			width += 0.7;
		else
			width += 0.6 * width_char(c);
	}
	return width * font_size;
}

static bool is_free(const struct box *b, const struct box *bounds, const struct obstacles *taken)
{
	if (b->left < bounds->left || b->right > bounds->right || b->top < bounds->top || b->bottom > bounds->bottom)
		return false;
	for (size_t i = 0; i < taken->n; i++) {
		const struct box *t = &taken->v[i];

		if (b->left < t->right && b->right > t->left && b->top < t->bottom && b->bottom > t->top)
			return false;
	}
	return true;
}

/* from: the height the label hangs at; dy: how far, negative is up. */
static bool try(struct label *l, bool left, double from, double dy, const struct box *bounds, struct obstacles *taken)
{
	double start = from + (dy > 0 ? 6 : -6), end = from + dy, base = end + 3.5;
	double edge = left ? l->x - GAP - l->width : l->x + GAP;
	struct box text = { edge - 2, base - ASCENT, edge + l->width + 2, base + DESCENT };
	struct box line = { l->x - 1, fmin(start, end), l->x + 1, fmax(start, end) };

	if (!is_free(&text, bounds, taken) || !is_free(&line, bounds, taken))
		return false;
	l->placed = true;
	l->left = left;
	l->text_x = left ? l->x - GAP : l->x + GAP;
	l->text_y = base;
	l->leader_y = from;
	obstacles_add(taken, text.left, text.top, text.right, text.bottom);
	obstacles_add(taken, line.left, line.top, line.right, line.bottom);
	return true;
}

static void place(struct label *l, const struct box *bounds, bool below, struct obstacles *taken)
{
	double away = below ? ROW : -ROW;

	for (int row = 1; row <= ROWS; row++) {
		if (try(l, false, l->y, away * row, bounds, taken) || try(l, true, l->y, away * row, bounds, taken))
			return;
		/* the crowded side is second choice: after a few rows of the free one */
		if (row >= 4 && (try(l, false, l->corner, -away * (row - 2), bounds, taken) ||
				 try(l, true, l->corner, -away * (row - 2), bounds, taken)))
			return;
	}
}

static int heavier(const void *a, const void *b)
{
	double x = (*(const struct label *const *)a)->weight, y = (*(const struct label *const *)b)->weight;

	return (x < y) - (x > y);
}

void labels_place(struct label *labels, size_t n, const struct box *bounds, bool below, struct obstacles *taken)
{
	AUTOFREE struct label **order = xcalloc(n ? n : 1, sizeof(struct label *));

	for (size_t i = 0; i < n; i++)
		order[i] = &labels[i];
	qsort(order, n, sizeof(struct label *), heavier);
	for (size_t i = 0; i < n; i++)
		place(order[i], bounds, below, taken);
}
