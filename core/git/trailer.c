/*
 * trailer.c - the last paragraph of a message, read by the rules of git-interpret-trailers(1).
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "git/commit.h"

static size_t line_len(const char *p)
{
	size_t len = strcspn(p, "\n");

	return len + (p[len] == '\n');
}

static bool blank(const char *line)
{
	while (*line != '\n' && isspace((unsigned char)*line))
		line++;
	return !*line || *line == '\n';
}

/* Length of "Key" in "Key: value" or "Key : value"; 0 where the line is no trailer. */
static size_t key_len(const char *line)
{
	size_t len = 0, end;

	while (isalnum((unsigned char)line[len]) || line[len] == '-')
		len++;
	for (end = len; line[end] == ' ' || line[end] == '\t'; end++)
		;
	return line[end] == ':' ? len : 0;
}

static bool made_by_git(const char *line)
{
	return starts_with(line, "Signed-off-by: ") || starts_with(line, "(cherry picked from commit ");
}

struct tally {
	size_t trailers, others, maybe;	/* maybe: folded lines, whose owner stands above them */
	bool git;			/* a line only git writes */
};

static void count(struct tally *t, const char *line)
{
	bool trailer = made_by_git(line) || key_len(line);

	if (*line == '#') {
		t->others += t->maybe;
		t->maybe = 0;
	} else if (!trailer && isspace((unsigned char)*line)) {
		t->maybe++;
	} else {
		t->trailers += trailer;
		t->others += trailer ? 0 : 1 + t->maybe;
		t->maybe = 0;
		t->git |= made_by_git(line);
	}
}

static const char *line_before(const char *text, const char *p)
{
	for (p--; p > text && p[-1] != '\n'; p--)
		;
	return p;
}

/* Where the trailer paragraph starts; the end of the text where there is none. The title is never one. */
static const char *paragraph(const char *text)
{
	const char *title = text, *end = text + strlen(text), *p;
	struct tally t = { 0 };
	bool seen = false;

	while (*title && (*title == '#' || !blank(title)))
		title += line_len(title);
	for (p = end; p > title;) {
		p = line_before(text, p);
		if (*p == '#' || !blank(p)) {
			seen |= *p != '#';
			count(&t, p);
		} else if (seen) {
			t.others += t.maybe;
			if (t.git ? t.trailers * 3 >= t.others : t.trailers && !t.others)
				return p + line_len(p);
			return end;
		}
	}
	return end;
}

/* A value: the rest of its line and the folded lines below, joined by single spaces. */
static char *value_at(const char *p)
{
	STR value = STR_INIT;

	do {
		size_t len = strcspn(p, "\n"), n = len;

		while (n && isspace((unsigned char)*p)) {
			p++;
			n--;
			len--;
		}
		while (n && isspace((unsigned char)p[n - 1]))
			n--;
		if (value.len && n)
			str_putc(&value, ' ');
		str_add(&value, p, n);
		p += len + (p[len] == '\n');
	} while (*p == ' ' || *p == '\t');
	return str_detach(&value);
}

char *trailer_get(const char *message, const char *key)
{
	const char *found = NULL;
	size_t n = strlen(key), len;

	for (const char *p = paragraph(message); *p; p += line_len(p)) {
		len = key_len(p);
		if (len == n && !strncasecmp(p, key, n))
			found = p;
	}
	return found ? value_at(strchr(found, ':') + 1) : NULL;
}

/* Would this line be read as a trailer of that family, by us or by a laxer reader? */
static bool forged(const char *line, const char *prefix)
{
	while (*line == ' ' || *line == '\t' || *line == '\r')
		line++;
	return !strncasecmp(line, prefix, strlen(prefix)) && key_len(line);
}

void trailers_strip(const char *message, const char *prefix, struct str *ret)
{
	size_t before = ret->len;
	bool dropping = false, dropped = false;

	for (const char *p = message; *p; p += line_len(p)) {
		bool folded = (*p == ' ' || *p == '\t') && !blank(p);

		dropping = forged(p, prefix) || (dropping && folded);	/* a folded line goes with its trailer */
		dropped |= dropping;
		if (!dropping)
			str_add(ret, p, line_len(p));
	}
	if (!dropped)
		return;
	while (ret->len > before && ret->buf[ret->len - 1] == '\n')	/* no empty lines where they stood last */
		str_truncate(ret, ret->len - 1);
	if (ret->len > before)
		str_putc(ret, '\n');
}

void trailer_add(struct str *message, const char *key, const char *value)
{
	size_t keep = message->len;
	bool open;

	while (keep && isspace((unsigned char)message->buf[keep - 1]))	/* lines of nothing but spaces would part us from them */
		keep--;
	if (keep)
		keep += strcspn(message->buf + keep, "\n");
	str_truncate(message, keep);
	if (message->len)
		str_putc(message, '\n');
	open = *paragraph(message->buf);
	if (!open)
		str_putc(message, '\n');
	str_printf(message, "%s: %s\n", key, value);
}
