/*
 * table.h - aligned columns for terminals.
 * Cells are foreign text until they are added: they are made one safe line there, so no listing can forget it. Widths are columns, not
 * bytes. Where the whole is wider than the terminal, the growing column is cut.
 *
 * Memory: table_free() ends a table; titles and colours are the caller's and must outlive it.
 */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "base/str.h"

struct column {
	const char *title;	/* NULL in all columns: no heading line */
	bool right;
	bool grow;		/* takes what the others leave; at most one, the last */
};

struct table {
	const struct column *columns;
	size_t n_columns;
	struct cell {
		char *text;
		const char *colour;	/* "" for none */
	} *cells;
	size_t n, alloc;
	size_t indent;		/* spaces before each line; 0 after table_init() */
};

void table_init(struct table *t, const struct column *columns, size_t n);
void table_add(struct table *t, const char *colour, const char *text);		/* left to right, row after row */
void table_addf(struct table *t, const char *colour, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* columns: of the terminal, 0 for no limit. */
void table_format(const struct table *t, size_t columns, bool colour, struct str *ret);
void table_free(struct table *t);

/* Columns of the terminal that standard output writes to, or the pager behind it (paged); 0 where there is none. */
size_t table_terminal(bool paged);
/* Its rows; 0 where there is none. */
size_t table_terminal_rows(void);

#endif
