/*
 * width.h - how many columns a text takes on a terminal.
 * Combining marks take none, East Asian wide characters and emoji two. Our own short table and not wcwidth(3): the answer must not
 * depend on the locale the harness was started in. Text is valid UTF-8 without control characters (base/text.h made it so).
 */
#ifndef REPORT_WIDTH_H
#define REPORT_WIDTH_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* The character at ptr and its bytes (at least 1); a broken one reads as U+FFFD of one byte. len > 0. */
size_t width_next(const char *ptr, size_t len, uint32_t *ret);
int width_char(uint32_t c);
size_t width_text(const char *text);
/* text cut to at most `columns`, an ellipsis as its last column where something is missing. */
void width_cut(const char *text, size_t columns, struct str *ret);

#endif
