/*
 * chart.h - the running best as an SVG picture.
 * Best is a line of steps; what was kept stands on it as dots with their names; what was discarded is faint; what yielded no value is a mark
 * on the axis. Self-contained: no script, no reference to anything, every foreign character escaped. Light and dark follow the reader.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include "report/outline.h"

/* alone: a file of its own, with a title and a background; otherwise an <svg> element for the inside of a page. */
void chart_svg(const struct outline *o, bool alone, struct str *ret);

#endif
