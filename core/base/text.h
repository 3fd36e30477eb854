/*
 * text.h - foreign text made safe on its way out.
 * What came from an agent, a run, a file or a remote is untrusted: it may hold control characters,
 * escape sequences, bidi overrides (U+202A-E, U+2066-9), invalid UTF-8, or what looks like a
 * trailer.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * Valid UTF-8 as is; every C0 (but \n and \t when `lines`), C1, DEL, bidi or invalid byte as
 * visible \xHH or <U+HHHH>.
 */
void text_visible(const char *ptr, size_t len, bool lines, struct str *ret);
/*
 * One line of at most `columns` characters (an ellipsis "..." where cut), white space folded, made
 * visible.
 */
void text_line(const char *ptr, size_t len, size_t columns, struct str *ret);
/* XML/HTML text and attribute values: & < > " ' escaped, after text_visible. */
void text_xml(const char *ptr, size_t len, struct str *ret);
bool text_is_utf8(const char *ptr, size_t len);
/*
 * One code point: its length in bytes, or 0 where the bytes are not valid UTF-8 (or there are
 * none). NUL is a code point.
 */
size_t text_utf8(const char *ptr, size_t len, uint32_t *ret);
/*
 * C0, DEL, C1, bidi override, line or paragraph separator, no character at all (U+FFFE, U+FFFF):
 * never shown as it is.
 */
bool text_is_control(uint32_t c);
/*
 * Replace what looks like a secret (key=..., Bearer ..., well-known token shapes, PEM blocks) by
 * "[redacted]".
 */
void text_redact(const char *ptr, size_t len, struct str *ret);
/*
 * Both for a record: redacted, then made visible on one line. Redacted first, for a secret that is cut
 * or escaped is not known for one any more.
 */
void text_record(const char *ptr, size_t len, struct str *ret);
/* Levenshtein; for "did you mean". The nearest of n names within distance 1 + len/3, or NULL. */
const char *text_nearest(const char *word, const char *const *names, size_t n);

#endif
