#include "policy/metric.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

/*
 * Of a line no more is kept than the longest one that can be a number: "METRIC ", a name of 64,
 * '=', blanks to align by, 64 characters. The rest of a longer line is only counted as being there.
 */
#define LINE_KEPT 512
#define SHOWN 160
#define JSON_MAX ((size_t)1 << 20)

struct slot {
	enum metric_state state;
	double value;
	char *text;	/* the number as written */
	char *why;
};

struct metric_reader {
	const struct strs *names;
	struct slot *slots;	/* one a name */
	bool json;
	char line[LINE_KEPT];
	size_t len;
	bool longer;
	struct str object;	/* json */
};

struct metric_reader *metric_reader_new(const struct strs *names, bool json)
{
	struct metric_reader *r = xcalloc(1, sizeof(*r));

	r->names = names;
	r->slots = xcalloc(names->n, sizeof(*r->slots));
	r->json = json;
	r->object = (struct str)STR_MAX(JSON_MAX);
	return r;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first complaint of a name stands; what comes later can make nothing right again. */
static void refuse(struct slot *s, const char *text, size_t len, const char *what)
{
	STR open = STR_INIT, shown = STR_INIT;

	if (s->state == METRIC_INVALID)
		return;
	text_redact(text, len, &open);
	text_line(open.buf, open.len, SHOWN, &shown);
	s->why = xasprintf("'%s': %s", shown.buf, what);
	s->state = METRIC_INVALID;
}

static void take(struct slot *s, const char *text, size_t len, double value)
{
	if (s->state == METRIC_VALUE && s->value != value) {
		s->why = xasprintf("printed twice with different values: '%s' and '%.*s'", s->text,
				   (int)len, text);
		s->state = METRIC_INVALID;
	}
	if (s->state != METRIC_MISSING)
		return;
	s->text = xstrndup(text, len);
	s->value = value;
	s->state = METRIC_VALUE;
}

/*
 * What follows a name: the number's offset in the line, or 0 and *ret_why. Blanks align columns
 * behind ':', nothing may follow '='.
 */
static size_t number_at(const struct metric_reader *r, size_t i, bool labelled,
			const char **ret_why)
{
	size_t start = i + 1;

	*ret_why = labelled ? "expected METRIC <name>=<number>" : "expected <name>: <number>";
	if (i == r->len || r->line[i] != (labelled ? '=' : ':'))
		return 0;
	if (labelled)
		return start;
	while (start < r->len && is_blank(r->line[start]))
		start++;
	return start > i + 1 ? start : 0;
}

static void read_value(struct metric_reader *r, struct slot *s, size_t name_end, bool labelled)
{
	const char *why;
	size_t start = number_at(r, name_end, labelled, &why), end = r->len;
	double value;

	if (end && !r->longer && r->line[end - 1] == '\r')
		end--;
	if (!start)
		refuse(s, r->line, r->len, why);
	else if (r->longer || start > end || !num_parse(r->line + start, end - start, &value))
		refuse(s, r->line, r->len, "not a plain finite decimal number");
	else
		take(s, r->line + start, end - start, value);
}

static bool is_name_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       memchr("_./-", c, 4);
}

static size_t span_name(const struct metric_reader *r, size_t i)
{
	size_t start = i;

	while (i < r->len && is_name_byte(r->line[i]))
		i++;
	return i - start;
}

static struct slot *find(const struct metric_reader *r, const char *name, size_t len)
{
	for (size_t i = 0; i < r->names->n; i++)
		if (!strncmp(r->names->v[i], name, len) && !r->names->v[i][len])
			return &r->slots[i];
	return NULL;
}

#define LABEL "METRIC"
#define LABEL_LEN (sizeof(LABEL) - 1)

/* Where the name begins in a line with the label, behind any number of blanks; 0: no label. */
static size_t behind_label(const struct metric_reader *r)
{
	size_t i = LABEL_LEN;

	if (r->len <= LABEL_LEN || memcmp(r->line, LABEL, LABEL_LEN))
		return 0;
	while (i < r->len && is_blank(r->line[i]))
		i++;
	return i > LABEL_LEN ? i : 0;
}

/*
 * Which name a line is about. "METRIC x" behind any number of blanks is, so that "METRIC x = 1" is
 * shown to its author rather than ignored; "x" alone is only with its colon, since a line of prose
 * may begin with any word.
 */
static void read_line(struct metric_reader *r)
{
	size_t start = behind_label(r), len = span_name(r, start);
	struct slot *s = len ? find(r, r->line + start, len) : NULL;

	if (!s)
		return;
	if (start && (start != LABEL_LEN + 1 || r->line[LABEL_LEN] != ' '))
		refuse(s, r->line, r->len, "expected METRIC <name>=<number>");
	else if (start || (len < r->len && r->line[len] == ':'))
		read_value(r, s, start + len, start);
}

static void feed_line(struct metric_reader *r, const char *p, size_t len)
{
	size_t room = LINE_KEPT - r->len;

	if (len > room) {
		r->longer = true;
		len = room;
	}
	if (len)
		memcpy(r->line + r->len, p, len);
	r->len += len;
}

static void end_line(struct metric_reader *r)
{
	read_line(r);
	r->len = 0;
	r->longer = false;
}

void metric_reader_feed(struct metric_reader *r, const void *ptr, size_t len)
{
	const char *p = ptr, *end = p + len, *newline;

	if (r->json) {
		str_add(&r->object, ptr, len);
		return;
	}
	while (p < end && (newline = memchr(p, '\n', (size_t)(end - p)))) {
		feed_line(r, p, (size_t)(newline - p));
		end_line(r);
		p = newline + 1;
	}
	if (p < end)
		feed_line(r, p, (size_t)(end - p));
}

static int take_member(void *data, const char *key, const char *number, struct err *err)
{
	struct metric_reader *r = data;
	struct slot *s = find(r, key, strlen(key));
	double value;

	(void)err;
	if (!s)
		return 0;
	if (!number)
		refuse(s, key, strlen(key), "not a number in the JSON object");
	else if (!num_parse(number, strlen(number), &value))
		refuse(s, number, strlen(number), "not a plain finite decimal number");
	else
		take(s, number, strlen(number), value);
	return 0;
}

static void refuse_all(struct metric_reader *r, const char *why)
{
	for (size_t i = 0; i < r->names->n; i++)
		refuse(&r->slots[i], r->object.buf, r->object.len, why);
}

static void read_object(struct metric_reader *r)
{
	struct err err;

	/* Nothing, not even a brace, is what a program leaves that never came to print. */
	if (strspn(r->object.buf, " \t\r\n") == r->object.len)
		return;
	if (r->object.cut)
		refuse_all(r, "JSON object larger than 1 MiB");
	else if (json_read_numbers(r->object.buf, r->object.len, take_member, r, &err) < 0)
		refuse_all(r, err.msg);
}

void metric_reader_end(struct metric_reader *r)
{
	if (r->json)
		read_object(r);
	else if (r->len)
		end_line(r);
}

void metric_reader_free(struct metric_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->names->n; i++) {
		free(r->slots[i].text);
		free(r->slots[i].why);
	}
	free(r->slots);
	str_free(&r->object);
	free(r);
}

enum metric_state metric_get(const struct metric_reader *r, const char *name, double *ret,
			     const char **why)
{
	const struct slot *s = find(r, name, strlen(name));

	if (!s)
		return METRIC_MISSING;
	if (s->state == METRIC_VALUE)
		*ret = s->value;
	else if (s->state == METRIC_INVALID)
		*why = s->why;
	return s->state;
}
