#include "base/json.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

void json_init(struct json *j, struct str *out, bool pretty)
{
	*j = (struct json){ .out = out, .pretty = pretty };
}

static void new_line(struct json *j)
{
	static const char spaces[] = "                                ";

	if (!j->pretty)
		return;
	str_putc(j->out, '\n');
	for (size_t left = 2 * (size_t)j->depth, n; left; left -= n) {
		n = left < sizeof(spaces) - 1 ? left : sizeof(spaces) - 1;
		str_add(j->out, spaces, n);
	}
}

/* How many bytes from here stand for themselves. */
static size_t plain(const char *s)
{
	size_t n = 0;

	while (s[n] >= ' ' && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

static void add_text(struct json *j, const char *s)
{
	const char *end = s + strlen(s);

	str_putc(j->out, '"');
	while (s < end) {
		uint32_t c = 0;
		size_t n = plain(s);

		if (n) {
			str_add(j->out, s, n);
			s += n;
			continue;
		}
		n = text_utf8(s, (size_t)(end - s), &c);

		if (!n)
			str_puts(j->out, "\xef\xbf\xbd");
		else if (c == '"' || c == '\\')
			str_printf(j->out, "\\%c", (int)c);
		else if (c == '\n')
			str_puts(j->out, "\\n");
		else if (c < 0x10000 && text_is_control(c))
			/*
			 * Wider than JSON asks: what is printed to a terminal or into a page must
			 * not act there.
			 */
			str_printf(j->out, "\\u%04x", c);
		else
			str_add(j->out, s, n);
		s += n ? n : 1;
	}
	str_putc(j->out, '"');
}

/* What stands before any value: comma, line, key. */
static void before(struct json *j, const char *key)
{
	if (j->comma)
		str_putc(j->out, ',');
	if (j->depth)
		new_line(j);
	j->comma = true;
	if (!key)
		return;
	add_text(j, key);
	str_puts(j->out, j->pretty ? ": " : ":");
}

static void open_level(struct json *j, const char *key, char bracket)
{
	before(j, key);
	str_putc(j->out, bracket);
	j->depth++;
	j->comma = false;
}

static void close_level(struct json *j, char bracket)
{
	j->depth--;
	if (j->comma)
		new_line(j);
	str_putc(j->out, bracket);
	j->comma = true;
}

void json_begin_object(struct json *j, const char *key)
{
	open_level(j, key, '{');
}

void json_begin_array(struct json *j, const char *key)
{
	open_level(j, key, '[');
}

void json_end_object(struct json *j)
{
	close_level(j, '}');
}

void json_end_array(struct json *j)
{
	close_level(j, ']');
}

void json_str(struct json *j, const char *key, const char *value)
{
	if (!value) {
		json_nil(j, key);
		return;
	}
	before(j, key);
	add_text(j, value);
}

void json_num(struct json *j, const char *key, double value)
{
	char text[NUM_TEXT];

	if (!isfinite(value)) {
		json_nil(j, key);
		return;
	}
	num_format(value, text);
	before(j, key);
	str_puts(j->out, text);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	before(j, key);
	str_puts(j->out, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
	before(j, key);
	str_puts(j->out, value ? "true" : "false");
}

void json_nil(struct json *j, const char *key)
{
	before(j, key);
	str_puts(j->out, "null");
}

/*
 * jansson says whether the text is JSON; but it hands numbers over as doubles, and our grammar is
 * about how they are written. So the members of the outer object are walked again here. Everything
 * below may rely on the text being valid.
 */
struct walk {
	const char *p;
};

static void skip_space(struct walk *w)
{
	w->p += strspn(w->p, " \t\n\r");
}

static void skip_string(struct walk *w)
{
	for (w->p++; *w->p != '"'; w->p++)
		if (*w->p == '\\')
			w->p++;
	w->p++;
}

static void skip_value(struct walk *w)
{
	int depth = 0;

	do {
		if (*w->p == '"') {
			skip_string(w);
			continue;
		}
		depth += *w->p == '{' || *w->p == '[';
		depth -= *w->p == '}' || *w->p == ']';
		w->p++;
	} while (depth || !strchr(",} \t\n\r", *w->p));
}

static void json_release(json_t **value)
{
	json_decref(*value);
}

static int one_member(struct walk *w, json_member_fn *fn, void *data, struct err *err)
{
	const char *start = w->p;
	CLEANUP(json_release) json_t *key = NULL;
	AUTOFREE char *number = NULL;
	json_error_t error;

	skip_string(w);
	key = json_loadb(start, (size_t)(w->p - start), JSON_DECODE_ANY, &error);
	if (!key)
		return err_set(err, ERR_BUG, "key does not decode: %s", error.text);
	skip_space(w);
	w->p++;		/* the colon */
	skip_space(w);
	start = w->p;
	skip_value(w);
	if (*start == '-' || (*start >= '0' && *start <= '9'))
		number = xstrndup(start, (size_t)(w->p - start));
	return fn(data, json_string_value(key), number, err);
}

static int walk_members(const char *text, json_member_fn *fn, void *data, struct err *err)
{
	struct walk w = { text };

	for (skip_space(&w); *w.p != '}'; skip_space(&w)) {
		w.p++;		/* the brace or the comma */
		skip_space(&w);
		if (*w.p == '"' && one_member(&w, fn, data, err) < 0)
			return err->code;
	}
	return 0;
}

int json_read_numbers(const char *ptr, size_t len, json_member_fn *fn, void *data, struct err *err)
{
	CLEANUP(json_release) json_t *root = NULL;
	AUTOFREE char *text = xstrndup(ptr, len);	/* for its NUL */
	json_error_t error;

	root = json_loadb(ptr, len, JSON_DECODE_INT_AS_REAL, &error);
	if (!root) {
		STR shown = STR_INIT;

		/* jansson quotes the text it stumbled over as it is. */
		text_line(error.text, strlen(error.text), 120, &shown);
		return err_set(err, ERR_INVALID, "not JSON: line %d, column %d: %s", error.line,
			       error.column, shown.buf);
	}
	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, "not a JSON object: line 1, column 1");
	return walk_members(text, fn, data, err);
}
