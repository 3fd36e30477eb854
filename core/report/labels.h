/*
 * labels.h - names beside dots without standing on each other.
 * Greedy: the heaviest label first, each at the nearest free place of a short list; one that fits nowhere is not placed (its dot still tells
 * its name when pointed at). Widths are estimates, as the reader's font is unknown.
 */
#ifndef REPORT_LABELS_H
#define REPORT_LABELS_H

#include <stdbool.h>
#include <stddef.h>

struct box {
	double left, top, right, bottom;
};

struct label {
	double x, y;		/* the dot */
	double corner;		/* where the line of steps came from: on the crowded side a label hangs there, not at the dot */
	double width;		/* of the text, pixels */
	double weight;
	const void *of;		/* the caller's */
	bool placed;		/* answers */
	bool left;		/* the text ends at text_x instead of starting there */
	double text_x, text_y;	/* its baseline */
	double leader_y;	/* where the thin line to it begins */
};

struct obstacles {
	struct box *v;
	size_t n, alloc;
};
void obstacles_add(struct obstacles *o, double left, double top, double right, double bottom);
void obstacles_free(struct obstacles *o);

/* below: the free side is below the dots (a falling line), else above. Obstacles grow by the labels placed. */
void labels_place(struct label *labels, size_t n, const struct box *bounds, bool below, struct obstacles *taken);
double labels_width(const char *text, double font_size);

#endif
