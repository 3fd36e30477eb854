/*
 * One value of harness.yaml. A scalar is judged by its key's type alone, never by YAML 1.1's guesses: `off` is a word, `1:30` no
 * number, and what is in quotes is text.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "policy/read.h"

static void *field(const struct key *key, void *obj)
{
	return (char *)obj + key->offset;
}

static bool is_null(const struct node *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

	for (size_t i = 0; node->kind == NODE_SCALAR && node->plain && i < ARRAY_SIZE(nulls); i++)
		if (strcmp(node->text, nulls[i]) == 0)
			return true;
	return false;
}

/* "'goal.target' must be a number, not 'abc'" */
static int expected(struct reader *r, const struct node *node, const char *what)
{
	if (node->kind == NODE_LIST)
		return read_error(r, node->pos, "must be %s, not a list", what);
	if (node->kind == NODE_MAP)
		return read_error(r, node->pos, "must be %s, not a map", what);
	return read_error(r, node->pos, "must be %s, not %s'%s'", what, node->plain ? "" : "the quoted text ", node_text(node->text).s);
}

static bool plain_scalar(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain;
}

/* 010 is ten to a person and eight to YAML 1.1. */
static bool leading_zero(const char *text)
{
	text += *text == '-';
	return text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

static bool too_low(const struct key *key, double value)
{
	if (key->min == 0 && key->max == 0)
		return false;
	return key->flags & KEY_ABOVE_MIN ? value <= key->min : value < key->min;
}

static bool too_high(const struct key *key, double value)
{
	return key->max != 0 && (key->flags & KEY_BELOW_MAX ? value >= key->max : value > key->max);
}

static int check_range(struct reader *r, const struct key *key, const struct node *node, double value)
{
	const char *than = NULL;
	char limit[NUM_TEXT];

	if (too_low(key, value)) {
		than = key->flags & KEY_ABOVE_MIN ? "more than" : "at least";
		num_format(key->min, limit);
	} else if (too_high(key, value)) {
		than = key->flags & KEY_BELOW_MAX ? "less than" : "at most";
		num_format(key->max, limit);
	}
	return than ? read_error(r, node->pos, "must be %s %s, not %s", than, limit, node_text(node->text).s) : 0;
}

static int read_bool(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	bool yes = plain_scalar(node) && strcmp(node->text, "true") == 0;

	if (!yes && !(plain_scalar(node) && strcmp(node->text, "false") == 0))
		return expected(r, node, "true or false");
	*(bool *)field(key, obj) = yes;
	return 0;
}

static int read_int(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	int64_t value;

	if (!plain_scalar(node) || !num_parse_int(node->text, strlen(node->text), &value) || leading_zero(node->text))
		return expected(r, node, "a whole number");
	if (check_range(r, key, node, (double)value) < 0)
		return r->err->code;
	if (key->size == sizeof(int))
		*(int *)field(key, obj) = (int)value;
	else
		*(int64_t *)field(key, obj) = value;
	return 0;
}

static int read_count(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	int64_t value;

	if (node->kind != NODE_SCALAR || !num_parse_count(node->text, &value) || leading_zero(node->text))
		return expected(r, node, "a count such as 400, 200k or 5M");
	if (check_range(r, key, node, (double)value) < 0)
		return r->err->code;
	*(int64_t *)field(key, obj) = value;
	return 0;
}

static bool number_of(const struct node *node, double *ret)
{
	return node->kind == NODE_SCALAR && num_parse(node->text, strlen(node->text), ret) && !leading_zero(node->text);
}

static int read_number(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	double value;

	if (!plain_scalar(node) || !number_of(node, &value))
		return expected(r, node, "a number");
	if (check_range(r, key, node, value) < 0)
		return r->err->code;
	*(double *)field(key, obj) = value;
	return 0;
}

static int read_duration(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	int64_t value;

	if (node->kind != NODE_SCALAR || !num_parse_duration(node->text, &value))
		return expected(r, node, "a duration such as 90s, 5m or 8h");
	if (value <= 0)
		return read_error(r, node->pos, "must be more than zero");
	*(int64_t *)field(key, obj) = value;
	return 0;
}

static int read_size(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	int64_t value;

	if (node->kind != NODE_SCALAR || !num_parse_size(node->text, &value) || leading_zero(node->text))
		return expected(r, node, "a size such as 512K, 48G or 4096");
	if (value <= 0)
		return read_error(r, node->pos, "must be more than zero");
	*(int64_t *)field(key, obj) = value;
	return 0;
}

static int read_amount(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	struct amount a = { .set = true };

	if (node->kind != NODE_SCALAR)
		return expected(r, node, "a number or a percentage such as 0.5%");
	a.relative = ends_with(node->text, "%");
	if (a.relative ? !num_parse_percent(node->text, &a.value) : !number_of(node, &a.value))
		return expected(r, node, "a number or a percentage such as 0.5%");
	if (a.value < 0)
		return read_error(r, node->pos, "must not be negative");
	*(struct amount *)field(key, obj) = a;
	return 0;
}

static int read_word(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	STR all = STR_INIT;
	const char *names[16], *near;
	size_t n = 0;
	int value;

	for (const struct word *w = key->words; w->name && n < ARRAY_SIZE(names); w++)
		names[n++] = w->name;
	if (node->kind == NODE_SCALAR && word_find(key->words, node->text, &value)) {
		if (key->size == sizeof(bool))
			*(bool *)field(key, obj) = value != 0;
		else
			*(int *)field(key, obj) = value;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		str_printf(&all, "%s%s", i == 0 ? "" : i + 1 == n ? " or " : ", ", names[i]);
	expected(r, node, all.buf);
	near = node->kind == NODE_SCALAR ? text_nearest(node->text, names, n) : NULL;
	return near ? err_hint(r->err, "did you mean '%s'?", near) : r->err->code;
}

/* A path is kept as git would name it. */
static char *normal_path(const char *text)
{
	size_t len;

	while (starts_with(text, "./") && text[2])
		text += 2;
	len = strlen(text);
	while (len > 1 && text[len - 1] == '/')
		len--;
	return xstrndup(text, len);
}

/* One string; the caller owns *ret. */
static int string_of(struct reader *r, const struct key *key, const struct node *node, char **ret)
{
	struct err why;
	double number;
	AUTOFREE char *text = NULL;

	if (is_null(node))
		return read_error(r, node->pos, "has an empty entry");
	if (node->kind != NODE_SCALAR)
		return expected(r, node, "text");
	if (node->plain && !(key->flags & KEY_ANY_SCALAR) && num_parse(node->text, strlen(node->text), &number)) {
		expected(r, node, "text");
		return err_hint(r->err, "put it in quotes if the text is a number");
	}
	if (!node->text[strspn(node->text, " \t\r\n")])
		return read_error(r, node->pos, "is empty");
	if (key->type != KEY_TEXT && strpbrk(node->text, "\r\n"))
		return read_error(r, node->pos, "must be one line");
	text = key->rule == &rule_path ? normal_path(node->text) : xstrdup(node->text);
	if (key->rule && key->rule->check(text, &why) < 0)
		return read_error(r, node->pos, "cannot be '%s': %s", node_text(node->text).s, why.msg);
	*ret = text;
	text = NULL;
	return 0;
}

static int read_string(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	char *text;

	if (string_of(r, key, node, &text) < 0)
		return r->err->code;
	*(char **)field(key, obj) = text;
	return 0;
}

static int read_strings(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	struct strs *list = field(key, obj);
	char *text;

	if (node->kind != NODE_LIST) {
		expected(r, node, "a list");
		return node->kind == NODE_SCALAR ? err_hint(r->err, "write [%s]", node_text(node->text).s) : r->err->code;
	}
	if (node->n == 0 && (key->flags & KEY_NOT_EMPTY))
		return read_error(r, node->pos, "must not be empty");
	for (size_t i = 0; i < node->n; i++) {
		if (string_of(r, key, &node->v[i], &text) < 0)
			return r->err->code;
		strs_take(list, text);
	}
	return 0;
}

/* {min: 2, max: 8}; one: a key that reads either as an int. */
static int samples_range(struct reader *r, struct key *one, struct stage *stage, const struct node *node)
{
	bool min = false, max = false;

	for (size_t i = 0; i < node->n; i++) {
		const struct node *m = &node->v[i];
		bool is_max = strcmp(m->key, "max") == 0;

		if (!is_max && strcmp(m->key, "min") != 0) {
			read_error(r, m->key_pos, "has no key '%s'", node_text(m->key).s);
			return err_hint(r->err, "its keys are min and max");
		}
		*(is_max ? &max : &min) = true;
		one->offset = is_max ? offsetof(struct stage, samples_max) : offsetof(struct stage, samples_min);
		if (read_int(r, one, stage, m) < 0)
			return r->err->code;
	}
	if (!min || !max)
		return read_error(r, node->pos, "needs both min and max");
	if (stage->samples_min > stage->samples_max)
		return read_error(r, node->pos, "has a min above its max");
	return 0;
}

/* A number, or {min, max}. */
static int read_samples(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	struct stage *stage = obj;
	struct key one = *key;

	one.size = sizeof(int);
	one.offset = offsetof(struct stage, samples_min);
	if (node->kind == NODE_MAP)
		return samples_range(r, &one, stage, node);
	if (!plain_scalar(node))
		return expected(r, node, "a whole number or {min: <n>, max: <n>}");
	if (read_int(r, &one, obj, node) < 0)
		return r->err->code;
	stage->samples_max = stage->samples_min;
	return 0;
}

static int read_metrics(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	struct stage *stage = obj;
	struct key path = *key;

	if (node->kind != NODE_SCALAR)
		return expected(r, node, "stdout, fd or the path of a JSON file");
	stage->metrics = strcmp(node->text, "stdout") == 0 ? METRICS_STDOUT : strcmp(node->text, "fd") == 0 ? METRICS_FD : METRICS_FILE;
	if (stage->metrics != METRICS_FILE)
		return 0;
	path.rule = &rule_path;
	return string_of(r, &path, node, &stage->metrics_path);
}

static int read_bound(struct reader *r, const struct node *node, double *ret)
{
	if (!plain_scalar(node) || !number_of(node, ret))
		return expected(r, node, "a range of two numbers, [min, max]");
	return 0;
}

/* {metric: [min, max]} */
static int read_ranges(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	size_t *n = (size_t *)(void *)((char *)obj + key->count);
	struct range *list;
	struct err why;

	if (node->kind != NODE_MAP)
		return expected(r, node, "a map such as {val_bpb: [0.5, 2.0]}");
	list = xcalloc(node->n + 1, sizeof(*list));
	*(struct range **)field(key, obj) = list;
	for (size_t i = 0; i < node->n; i++) {
		const struct node *m = &node->v[i];

		if (rule_metric.check(m->key, &why) < 0)
			return read_error(r, m->key_pos, "cannot name '%s': %s", node_text(m->key).s, why.msg);
		if (m->kind != NODE_LIST || m->n != 2)
			return read_error(r, m->pos, "needs a range of two numbers for '%s', [min, max]", m->key);
		if (read_bound(r, &m->v[0], &list[i].min) < 0 || read_bound(r, &m->v[1], &list[i].max) < 0)
			return r->err->code;
		if (list[i].min > list[i].max)
			return read_error(r, m->pos, "has a range for '%s' with its min above its max", m->key);
		list[i].metric = xstrdup(m->key);
		*n = i + 1;
	}
	return 0;
}

int value_read(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	static int (*const readers[])(struct reader *, const struct key *, void *, const struct node *) = {
		[KEY_STRING] = read_string, [KEY_TEXT] = read_string, [KEY_STRINGS] = read_strings, [KEY_BOOL] = read_bool,
		[KEY_INT] = read_int, [KEY_COUNT] = read_count, [KEY_NUMBER] = read_number, [KEY_DURATION] = read_duration,
		[KEY_SIZE] = read_size, [KEY_AMOUNT] = read_amount, [KEY_WORD] = read_word, [KEY_SAMPLES] = read_samples,
		[KEY_METRICS] = read_metrics, [KEY_RANGES] = read_ranges,
	};

	if (is_null(node))
		return read_error(r, node->pos, "has no value");
	return readers[key->type](r, key, obj, node);
}
