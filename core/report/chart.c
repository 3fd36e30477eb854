#include "report/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "report/labels.h"
#include "report/scale.h"
#include "report/width.h"

#define WIDTH 1120.0
#define LEFT 76.0
#define RIGHT 112.0	/* room for the values of best and baseline */
#define INNER 16.0	/* between the frame and the first and last number */
#define PLOT_HEIGHT 420.0
#define HEAD 92.0	/* title and legend of a picture that stands alone */
#define LEGEND 40.0
#define FOOT 54.0
#define LABELS_MAX 60	/* more names than that cannot be read anyway */
#define LABEL_COLUMNS 44
#define LABEL_FONT 11.0

struct chart {
	const struct outline *o;
	struct str *out;
	struct scale x, y;
	double left, right, top, bottom;
	double kept, other;	/* radius of dots */
	bool below;		/* the free side of the line */
};

static const char style[] =
	"<style>"
	".ghc{font-family:system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,sans-serif;font-size:12px}"
	".ghc text{fill:#59636e}.ghc .bg{fill:#ffffff}"
	".ghc .title{fill:#1f2328;font-size:19px;font-weight:600}.ghc .sub{font-size:13px}"
	".ghc .grid{stroke:#e9ecef;stroke-width:1}.ghc .axis{stroke:#b6bec7;stroke-width:1}"
	".ghc .line{fill:none;stroke:#2da44e;stroke-width:2;stroke-linejoin:round}"
	".ghc .area{fill:#2da44e;opacity:.06}"
	".ghc .ref{stroke:#8c959f;stroke-width:1;stroke-dasharray:2 4}"
	".ghc .goal{stroke:#8250df;stroke-width:1;stroke-dasharray:6 4}"
	".ghc .k{fill:#1a7f37;stroke:#ffffff;stroke-width:1.5}"
	".ghc .d{fill:#8c959f;opacity:.42}.ghc .b{fill:#ffffff;stroke:#59636e;stroke-width:1.75}"
	".ghc .w{fill:#ffffff;stroke:#bf8700;stroke-width:2}"
	".ghc .x{fill:none;stroke:#cf222e;stroke-width:1.4;stroke-linecap:round;opacity:.75}"
	".ghc .r{stroke:#8c959f;stroke-width:1.4;stroke-linecap:round;opacity:.7}"
	".ghc .lead{stroke:#8c959f;stroke-width:.75}"
	".ghc .name{font-size:11px;fill:#1f2328;stroke:#ffffff;stroke-width:3px;stroke-linejoin:round;paint-order:stroke}"
	".ghc .best{fill:#1a7f37;font-size:14px;font-weight:600}"
	"@media(prefers-color-scheme:dark){"
	".ghc text{fill:#9198a1}.ghc .bg{fill:#0d1117}.ghc .title{fill:#e6edf3}"
	".ghc .grid{stroke:#1d232b}.ghc .axis{stroke:#3d444d}.ghc .line{stroke:#2ea043}.ghc .area{fill:#2ea043;opacity:.08}"
	".ghc .ref{stroke:#656c76}.ghc .goal{stroke:#ab7df8}"
	".ghc .k{fill:#3fb950;stroke:#0d1117}.ghc .d{fill:#8b949e;opacity:.55}.ghc .b{fill:#0d1117;stroke:#9198a1}"
	".ghc .w{fill:#0d1117;stroke:#d29922}.ghc .x{stroke:#f85149}.ghc .r{stroke:#7d8590}.ghc .lead{stroke:#656c76}"
	".ghc .name{fill:#e6edf3;stroke:#0d1117}.ghc .best{fill:#3fb950}}"
	"</style>\n";

static void xml(struct str *out, const char *text)
{
	text_xml(text, strlen(text), out);
}

/* What a browser shows when the dot is pointed at. */
static void tip(struct chart *c, const struct point *p)
{
	char value[NUM_TEXT];
	STR subject = STR_INIT;

	words_subject(p->record, &subject);
	words_number(p->value, value);
	str_printf(c->out, "<title>%d: ", p->record->number);
	xml(c->out, subject.buf);
	if (!p->record->baseline) {
		str_puts(c->out, "\n");
		words_verdict(p->record, c->out);
	}
	if (!isnan(p->value))
		str_printf(c->out, "\n%s", value);
	str_puts(c->out, "</title>");
}

static void axes(struct chart *c)
{
	char label[NUM_TEXT];

	for (int i = 0; i < c->y.ticks; i++) {
		double v = scale_tick(&c->y, i), y = scale_at(&c->y, v);

		scale_label(&c->y, v, label);
		str_printf(c->out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", c->left, c->right, y, y);
		str_printf(c->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", c->left - 10, y + 4, label);
	}
	str_printf(c->out, "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", c->left, c->right, c->bottom,
		   c->bottom);
	for (int i = 0; i < c->x.ticks; i++) {
		double v = scale_tick(&c->x, i), x = scale_at(&c->x, v);

		scale_label(&c->x, v, label);
		str_printf(c->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", x, c->bottom + 24, label);
	}
	str_printf(c->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">experiment</text>\n", (c->left + c->right) / 2,
		   c->bottom + 44);
}

/* Elements are left open for a tip. */
static void cross(struct chart *c, double x, double y)
{
	str_printf(c->out, "<path class=\"x\" d=\"M%.1f %.1fl7 7m0-7l-7 7\"", x - 3.5, y - 3.5);
}

static void circle(struct chart *c, enum outcome of, double x, double y, double r)
{
	static const char *const classes[] = {
		[OUTCOME_BASELINE] = "b", [OUTCOME_KEPT] = "k", [OUTCOME_DISCARDED] = "d", [OUTCOME_FAILED] = "d",
		[OUTCOME_WAITING] = "w",
	};

	str_printf(c->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", classes[of], x, y, r);
}

static void mark(struct chart *c, const struct point *p, double x)
{
	double y = c->bottom;

	if (p->outcome == OUTCOME_FAILED)
		cross(c, x, y);
	else
		str_printf(c->out, "<path class=\"%s\" d=\"M%.1f %.1fv8\"", p->outcome == OUTCOME_WAITING ? "w" : "r", x, y - 4);
	str_putc(c->out, '>');
	tip(c, p);
	str_puts(c->out, "</path>\n");
}

/* A value far off stands as an arrow at the edge that it left by. */
static bool beyond(struct chart *c, const struct point *p, double x, double y)
{
	bool up = y < c->top;

	if (y >= c->top && y <= c->bottom)
		return false;
	str_printf(c->out, "<path class=\"%s\" d=\"M%.1f %.1fl4 %sl-8 0z\">", p->outcome == OUTCOME_WAITING ? "w" : "d", x, up ? c->top : c->bottom - 9, up ? "7" : "-7");
	tip(c, p);
	str_puts(c->out, "</path>\n");
	return true;
}

static void dot(struct chart *c, const struct point *p)
{
	double x = scale_at(&c->x, p->record->number), y;
	bool faint = p->outcome == OUTCOME_DISCARDED || p->outcome == OUTCOME_FAILED;

	if (isnan(p->value)) {
		mark(c, p, x);
		return;
	}
	y = scale_at(&c->y, p->value);
	if (beyond(c, p, x, y))
		return;
	circle(c, p->outcome, x, y, faint ? c->other : c->kept);
	str_putc(c->out, '>');
	tip(c, p);
	str_puts(c->out, "</circle>\n");
}

static void dots(struct chart *c, bool front)
{
	for (size_t i = 0; i < c->o->n_points; i++) {
		const struct point *p = &c->o->points[i];
		bool is_front = p->outcome != OUTCOME_DISCARDED && p->outcome != OUTCOME_FAILED;

		if (is_front == front)
			dot(c, p);
	}
}

static void best_path(struct chart *c, struct str *ret)
{
	for (size_t i = 0; i < c->o->n_steps; i++) {
		const struct step *s = &c->o->steps[i];
		double x = scale_at(&c->x, s->at), y = scale_at(&c->y, s->value);

		if (i == 0)
			str_printf(ret, "M%.1f %.1f", x, y);
		else
			str_printf(ret, "H%.1fV%.1f", x, y);
	}
	str_printf(ret, "H%.1f", c->right);
}

static void best_line(struct chart *c)
{
	STR path = STR_INIT;

	if (c->o->n_steps == 0)
		return;
	best_path(c, &path);
	/* a breath of colour over what was gained */
	str_printf(c->out, "<path class=\"area\" d=\"%sV%.1fH%.1fz\"/>\n", path.buf, scale_at(&c->y, c->o->steps[0].value),
		   scale_at(&c->x, c->o->steps[0].at));
	str_printf(c->out, "<path class=\"line\" d=\"%s\"/>\n", path.buf);
}

/* The values of best and baseline, right of the plot; apart where they would overlap. */
static void values(struct chart *c)
{
	char text[NUM_TEXT];
	double best = scale_at(&c->y, c->o->best), base = scale_at(&c->y, c->o->baseline), x = c->right + 10;
	bool both = !isnan(c->o->best) && !isnan(c->o->baseline) && c->o->best != c->o->baseline;

	if (!isnan(c->o->best)) {
		words_number(c->o->best, text);
		str_printf(c->out, "<text class=\"best\" x=\"%.1f\" y=\"%.1f\">%s</text>", x, best + 1, text);
		str_printf(c->out, "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x, best + 16, both ? "best" : "baseline");
	}
	if (!both || base < c->top || base > c->bottom)
		return;
	str_printf(c->out, "<line class=\"ref\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", c->left, c->right, base, base);
	if (fabs(base - best) < 36)
		base = best + (base < best ? -36 : 36);
	words_number(c->o->baseline, text);
	str_printf(c->out, "<text x=\"%.1f\" y=\"%.1f\">%s</text>", x, base + 1, text);
	str_printf(c->out, "<text x=\"%.1f\" y=\"%.1f\">baseline</text>\n", x, base + 16);
}

static void goal(struct chart *c)
{
	double target = c->o->history->policy->goal.target, y;

	if (isnan(target) || target < c->y.lo || target > c->y.hi)
		return;
	y = scale_at(&c->y, target);
	str_printf(c->out, "<line class=\"goal\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", c->left, c->right, y, y);
	str_printf(c->out, "<text x=\"%.1f\" y=\"%.1f\">target</text>\n", c->left + 6, y - 5);
}

static void obstruct(struct chart *c, struct obstacles *taken)
{
	for (size_t i = 0; i < c->o->n_points; i++) {
		const struct point *p = &c->o->points[i];
		double x = scale_at(&c->x, p->record->number), y = scale_at(&c->y, p->value);

		if (p->outcome != OUTCOME_DISCARDED && p->outcome != OUTCOME_FAILED && !isnan(p->value))
			obstacles_add(taken, x - c->kept, y - c->kept, x + c->kept, y + c->kept);
	}
	for (size_t i = 0; i < c->o->n_steps; i++) {
		const struct step *s = &c->o->steps[i];
		bool last = i + 1 == c->o->n_steps;
		double x = scale_at(&c->x, s->at), y = scale_at(&c->y, s->value);
		double to_x = last ? c->right : scale_at(&c->x, s[1].at), to_y = last ? y : scale_at(&c->y, s[1].value);

		obstacles_add(taken, x, y - 2, to_x, y + 2);
		obstacles_add(taken, to_x - 1, fmin(y, to_y), to_x + 1, fmax(y, to_y));
	}
}

static int by_weight(const void *a, const void *b)
{
	const struct label *x = a, *y = b;

	return (x->weight < y->weight) - (x->weight > y->weight);
}

static void print_label(struct chart *c, const struct label *l, const char *text)
{
	str_printf(c->out, "<line class=\"lead\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", l->x, l->x, l->leader_y,
		   l->text_y > l->leader_y ? l->text_y : l->text_y - 7);
	str_printf(c->out, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\"%s>", l->text_x, l->text_y, l->left ? " text-anchor=\"end\"" : "");
	xml(c->out, text);
	str_puts(c->out, "</text>\n");
}

static void label_text(const struct record *r, struct str *ret)
{
	STR subject = STR_INIT;

	words_subject(r, &subject);
	width_cut(subject.buf, LABEL_COLUMNS, ret);
}

/* Names of what was kept, the largest gains first; the one that is best now before all others. */
static void names(struct chart *c)
{
	CLEANUP(obstacles_free) struct obstacles taken = { 0 };
	AUTOFREE struct label *labels = xcalloc(c->o->counts[OUTCOME_KEPT] + 1, sizeof(*labels));
	struct box bounds = { c->left + 4, c->top + 2, c->right - 4, c->bottom - 8 };
	size_t n = 0;

	for (size_t i = 0; i < c->o->n_points; i++) {
		const struct point *p = &c->o->points[i];
		STR text = STR_INIT;

		if (p->outcome != OUTCOME_KEPT || isnan(p->value))
			continue;
		label_text(p->record, &text);
		double gain = outline_gain(c->o, p), was = p->record->has_best ? p->record->best : p->value;
		labels[n++] = (struct label){ .x = scale_at(&c->x, p->record->number), .y = scale_at(&c->y, p->value), .corner = scale_at(&c->y, was),
					      .width = labels_width(text.buf, LABEL_FONT), .of = p->record,
					      .weight = p->record->number == c->o->best_number ? INFINITY : isnan(gain) ? 0 : gain };
	}
	qsort(labels, n, sizeof(*labels), by_weight);
	n = n > LABELS_MAX ? LABELS_MAX : n;
	obstruct(c, &taken);
	labels_place(labels, n, &bounds, c->below, &taken);
	for (size_t i = 0; i < n; i++) {
		STR text = STR_INIT;

		label_text(labels[i].of, &text);
		if (labels[i].placed)
			print_label(c, &labels[i], text.buf);
	}
}

/* The mark of OUTCOME_BASELINE stands for what was refused unmeasured: a baseline itself needs no entry, its value is written beside it. */
static double legend_item(struct chart *c, enum outcome of, size_t n, const char *word, double x, double y)
{
	if (n == 0)
		return x;
	if (of == OUTCOME_FAILED)
		cross(c, x, y);
	else if (of == OUTCOME_BASELINE)
		str_printf(c->out, "<path class=\"r\" d=\"M%.1f %.1fv8\"", x, y - 4);
	else
		circle(c, of, x, y, of == OUTCOME_DISCARDED ? 3.5 : 4.5);
	str_printf(c->out, "/><text x=\"%.1f\" y=\"%.1f\">%zu %s</text>\n", x + 10, y + 4, n, word);
	return x + 58 + labels_width(word, 12);
}

static void legend(struct chart *c, double y)
{
	const size_t *n = c->o->counts;
	double x = c->left + 5;
	size_t unmeasured = 0;

	for (size_t i = 0; i < c->o->n_points; i++)
		unmeasured += c->o->points[i].outcome == OUTCOME_DISCARDED && isnan(c->o->points[i].value);
	x = legend_item(c, OUTCOME_KEPT, n[OUTCOME_KEPT], "kept", x, y);
	x = legend_item(c, OUTCOME_DISCARDED, n[OUTCOME_DISCARDED] - unmeasured, "discarded", x, y);
	x = legend_item(c, OUTCOME_BASELINE, unmeasured, "refused unmeasured", x, y);
	x = legend_item(c, OUTCOME_FAILED, n[OUTCOME_FAILED], "failed", x, y);
	legend_item(c, OUTCOME_WAITING, n[OUTCOME_WAITING], "waiting for a person", x, y);
}

static void open_svg(struct chart *c, double height, bool alone)
{
	STR headline = STR_INIT, counts = STR_INIT;

	outline_headline(c->o, "\xe2\x86\x92", &headline);
	outline_counts(c->o, &counts);
	if (alone)
		str_puts(c->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	str_printf(c->out, "<svg class=\"ghc\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\"", WIDTH, height);
	if (alone)
		str_printf(c->out, " width=\"%.0f\" height=\"%.0f\"", WIDTH, height);
	str_puts(c->out, " role=\"img\" aria-label=\"");
	xml(c->out, headline.buf);
	str_puts(c->out, "\">\n");
	str_puts(c->out, style);
	if (!alone)
		return;
	str_printf(c->out, "<rect class=\"bg\" width=\"%.0f\" height=\"%.0f\"/>\n", WIDTH, height);
	str_printf(c->out, "<text class=\"title\" x=\"%.1f\" y=\"38\">", c->left);
	xml(c->out, headline.buf);
	str_puts(c->out, "</text>\n");
	str_printf(c->out, "<text class=\"sub\" x=\"%.1f\" y=\"60\">campaign ", c->left);
	xml(c->out, c->o->history->campaign);
	str_printf(c->out, " \xc2\xb7 %zu experiment%s \xc2\xb7 %s is better</text>\n", c->o->experiments, c->o->experiments == 1 ? "" : "s",
		   c->o->minimize ? "lower" : "higher");
}

static void fit(struct chart *c, double lo, double hi)
{
	int last = c->o->n_points > 0 ? c->o->points[c->o->n_points - 1].record->number : 0;

	scale_init(&c->y, lo, hi, 6, false);
	c->y.at_lo = c->bottom;
	c->y.at_hi = c->top;
	scale_init(&c->x, 0, last > 0 ? last : 1, last < 10 && last > 0 ? last : 10, true);
	c->x.at_lo = c->left + INNER;
	c->x.at_hi = c->right - INNER;
	c->kept = c->o->n_points > 400 ? 3.8 : 5;
	c->other = c->o->n_points > 400 ? 2.2 : c->o->n_points > 120 ? 2.8 : 3.5;
}

void chart_svg(const struct outline *o, bool alone, struct str *ret)
{
	double head = alone ? HEAD : 0, lo = 0, hi = 1;
	struct chart c = { .o = o, .out = ret, .left = LEFT, .right = WIDTH - RIGHT, .top = head + LEGEND,
			   .bottom = head + LEGEND + PLOT_HEIGHT, .below = o->minimize };
	bool measured = scale_range(o, &lo, &hi);

	fit(&c, lo, hi);
	open_svg(&c, c.bottom + FOOT, alone);
	legend(&c, head + (alone ? 4 : 12));
	if (measured) {
		axes(&c);
		goal(&c);
		dots(&c, false);
		best_line(&c);
		values(&c);
		names(&c);
	} else {
		str_printf(c.out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">nothing measured yet</text>\n",
			   (c.left + c.right) / 2, (c.top + c.bottom) / 2);
	}
	dots(&c, true);
	str_puts(c.out, "</svg>\n");
}
