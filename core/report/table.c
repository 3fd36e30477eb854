#include "report/table.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "report/width.h"
#include "report/words.h"

#define CELL_MAX 2000	/* characters of a cell */
#define GAP 2
#define GROW_MIN 12	/* a growing column is not cut below this */

void table_init(struct table *t, const struct column *columns, size_t n)
{
	*t = (struct table){ .columns = columns, .n_columns = n };
}

void table_add(struct table *t, const char *colour, const char *text)
{
	STR s = STR_INIT;

	text_line(text, strlen(text), CELL_MAX, &s);
	GROW(t->cells, t->n, t->alloc);
	t->cells[t->n++] = (struct cell){ .text = str_detach(&s), .colour = colour };
}

void table_addf(struct table *t, const char *colour, const char *fmt, ...)
{
	STR s = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&s, fmt, ap);
	va_end(ap);
	table_add(t, colour, s.buf);
}

static void measure(const struct table *t, size_t columns, size_t *widths)
{
	size_t total = t->indent, grow = t->n_columns;

	for (size_t c = 0; c < t->n_columns; c++) {
		widths[c] = t->columns[c].title ? width_text(t->columns[c].title) : 0;
		for (size_t i = c; i < t->n; i += t->n_columns) {
			size_t w = width_text(t->cells[i].text);

			widths[c] = w > widths[c] ? w : widths[c];
		}
		total += widths[c] + (c > 0 ? GAP : 0);
		if (t->columns[c].grow)
			grow = c;
	}
	if (columns > 0 && total > columns && grow < t->n_columns) {
		size_t over = total - columns, w = widths[grow];

		widths[grow] = w > over + GROW_MIN ? w - over : w < GROW_MIN ? w : GROW_MIN;
	}
}

static void pad(struct str *ret, size_t n)
{
	for (; n > 0; n--)
		str_putc(ret, ' ');
}

static void put(const struct column *col, const struct cell *cell, size_t width, bool last, bool colour, struct str *ret)
{
	STR text = STR_INIT;
	bool paint = colour && cell->colour[0] && cell->text[0];

	width_cut(cell->text, width, &text);
	size_t space = width - width_text(text.buf);
	if (col->right)
		pad(ret, space);
	if (paint)
		str_puts(ret, cell->colour);
	str_puts(ret, text.buf);
	if (paint)
		str_puts(ret, COLOUR_OFF);
	if (!col->right && !last)
		pad(ret, space);
}

static void row(const struct table *t, const struct cell *cells, const size_t *widths, bool colour, struct str *ret)
{
	pad(ret, t->indent);
	for (size_t c = 0; c < t->n_columns; c++) {
		if (c > 0)
			pad(ret, GAP);
		put(&t->columns[c], &cells[c], widths[c], c + 1 == t->n_columns, colour, ret);
	}
	while (ret->len > 0 && ret->buf[ret->len - 1] == ' ')
		str_truncate(ret, ret->len - 1);
	str_putc(ret, '\n');
}

void table_format(const struct table *t, size_t columns, bool colour, struct str *ret)
{
	AUTOFREE size_t *widths = xcalloc(t->n_columns, sizeof(*widths));
	AUTOFREE struct cell *head = xcalloc(t->n_columns, sizeof(*head));

	measure(t, columns, widths);
	for (size_t c = 0; c < t->n_columns; c++)
		head[c] = (struct cell){ (char *)(t->columns[c].title ? t->columns[c].title : ""), COLOUR_DIM };
	if (t->columns[0].title)
		row(t, head, widths, colour, ret);
	for (size_t i = 0; i + t->n_columns <= t->n; i += t->n_columns)
		row(t, t->cells + i, widths, colour, ret);
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct table){ 0 };
}

/* Behind a pager no standard descriptor need be the terminal. */
static bool window(struct winsize *ret)
{
	AUTOCLOSE int tty = -1;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (ioctl(fd, TIOCGWINSZ, ret) == 0 && ret->ws_col > 0)
			return true;
	tty = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return tty >= 0 && ioctl(tty, TIOCGWINSZ, ret) == 0 && ret->ws_col > 0;
}

size_t table_terminal(bool paged)
{
	const char *forced = getenv("COLUMNS");
	struct winsize ws;
	int64_t n;

	if (!paged && !isatty(STDOUT_FILENO))
		return 0;
	if (forced && num_parse_int(forced, strlen(forced), &n) && n > 0 && n < 10000)
		return (size_t)n;
	return window(&ws) ? ws.ws_col : 80;
}

size_t table_terminal_rows(void)
{
	struct winsize ws;

	return isatty(STDOUT_FILENO) && window(&ws) ? ws.ws_row : 0;
}
