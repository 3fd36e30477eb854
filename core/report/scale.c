#include "report/scale.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static double round_step(double rough)
{
	double power = pow(10, floor(log10(rough))), m = rough / power;

	return power * (m <= 1 ? 1 : m <= 2 ? 2 : m <= 2.5 ? 2.5 : m <= 5 ? 5 : 10);
}

static void choose_unit(struct scale *s)
{
	static const struct {
		double unit;
		const char *suffix;
	} units[] = { { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } };
	double top = fmax(fabs(s->lo), fabs(s->hi));

	s->unit = 1;
	s->suffix = "";
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (top >= 10 * units[i].unit && s->step >= units[i].unit / 1000) {
			s->unit = units[i].unit;
			s->suffix = units[i].suffix;
			return;
		}
}

void scale_init(struct scale *s, double lo, double hi, int want, bool whole)
{
	/* here and below: halves, so that the span of two huge numbers of different sign is finite */
	double rough = (hi / 2 - lo / 2) / want * 2;

	if (!(rough > fabs(hi) * 1e-13) || !(rough > 0) || isinf(rough)) {
		double pad = fabs(hi) > 0 && fabs(hi) < 1e300 ? fabs(hi) * 0.01 : 1;

		lo -= pad;
		hi += pad;
		rough = (hi - lo) / want;
	}
	s->lo = lo;
	s->hi = hi;
	s->step = round_step(rough);
	if (whole && s->step < 1)
		s->step = 1;
	if (whole)
		s->step = round(s->step == 2.5 ? 5 : s->step);
	s->first = ceil(lo / s->step - 1e-9) * s->step;
	s->ticks = (int)floor((hi / 2 - s->first / 2) / s->step * 2 + 1e-9) + 1;
	choose_unit(s);
	s->decimals = 0;
	for (double step = s->step / s->unit; s->decimals < 12 && fabs(step - round(step)) > step * 1e-6; step *= 10)
		s->decimals++;
}

double scale_at(const struct scale *s, double value)
{
	return s->at_lo + (value / 2 - s->lo / 2) / (s->hi / 2 - s->lo / 2) * (s->at_hi - s->at_lo);
}

double scale_tick(const struct scale *s, int i)
{
	double v = (s->first / 2 + i * (s->step / 2)) * 2;

	return fabs(v) < s->step * 1e-6 ? 0 : v;
}

void scale_label(const struct scale *s, double value, char ret[NUM_TEXT])
{
	if (value == 0)
		snprintf(ret, NUM_TEXT, "0");
	else if (fabs(value / s->unit) >= 1e6 || s->decimals > 7)
		snprintf(ret, NUM_TEXT, "%.6g", value);
	else
		snprintf(ret, NUM_TEXT, "%.*f%s", s->decimals, value / s->unit, s->suffix);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void stretch(double v, double *lo, double *hi)
{
	*lo = isnan(*lo) || v < *lo ? v : *lo;
	*hi = isnan(*hi) || v > *hi ? v : *hi;
}

/*
 * The line of best is shown whole. Of the rest the middle nine tenths decide how far the picture reaches beyond it, but not further than
 * the line's own span and a half on the worse side, half of it on the better (where the line is flat: their own quartiles), so that one wild
 * value flattens nothing.
 */
static void reach(const double *v, size_t n, bool minimize, double *lo, double *hi)
{
	double span = *hi - *lo, quartiles = v[(n - 1) * 3 / 4] - v[(n - 1) / 4];
	double most = span > 0 ? 1.5 * span : quartiles > 0 ? 3 * quartiles : v[n - 1] - v[0];
	double from = *lo - (minimize ? most / 3 : most), to = *hi + (minimize ? most : most / 3), low = *lo, high = *hi;

	for (size_t i = n / 20; i < n - n / 20; i++)
		if (v[i] >= from && v[i] <= to)
			stretch(v[i], &low, &high);
	*lo = low;
	*hi = high;
}

bool scale_range(const struct outline *o, double *ret_lo, double *ret_hi)
{
	AUTOFREE double *others = xcalloc(o->n_points ? o->n_points : 1, sizeof(*others));
	double lo = NAN, hi = NAN;
	size_t n = 0;

	for (size_t i = 0; i < o->n_steps; i++)
		stretch(o->steps[i].value, &lo, &hi);
	for (size_t i = 0; i < o->n_points; i++) {
		const struct point *p = &o->points[i];

		if (isnan(p->value))
			continue;
		if (p->outcome == OUTCOME_KEPT)
			stretch(p->value, &lo, &hi);
		else
			others[n++] = p->value;
	}
	if (n > 0) {
		qsort(others, n, sizeof(*others), by_value);
		if (isnan(lo))
			lo = hi = others[n / 2];
		reach(others, n, o->minimize, &lo, &hi);
	}
	if (isnan(lo))
		return false;
	/* names stand on the better side of the line and need room there */
	double span = fmin(hi - lo, DBL_MAX);
	*ret_lo = fmax(lo - span * (o->minimize ? 0.16 : 0.06), -DBL_MAX);
	*ret_hi = fmin(hi + span * (o->minimize ? 0.06 : 0.16), DBL_MAX);
	return true;
}
