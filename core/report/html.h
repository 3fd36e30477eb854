/*
 * html.h - a campaign as one HTML page: the sums, the picture, what was kept, and every number in a table.
 * One file that needs nothing else: no script, no font, no reference to any other place; every foreign character escaped.
 */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "report/outline.h"

void report_html(const struct outline *o, struct str *ret);

#endif
