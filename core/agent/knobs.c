#include "agent/knobs.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "git/tree.h"

#define FILE_MAX ((size_t)4 << 20)

struct knobs {
	const struct param *v;
	size_t n;
	regex_t *re;
	size_t n_re;	/* compiled so far */
};

/* Where a parameter's value stands in its file. */
struct span {
	size_t knob;
	size_t from, to;
};

static int bad(const struct param *p, struct err *err, const char *why)
{
	return err_set(err, ERR_INVALID, "parameter '%s': pattern '%s' %s in '%s'", p->name, p->pattern, why, p->file);
}

int knobs_open(const struct policy *policy, struct knobs **ret, struct err *err)
{
	struct knobs *k = xcalloc(1, sizeof(*k));

	k->v = policy->agent.params;
	k->n = policy->agent.n_params;
	k->re = xcalloc(k->n, sizeof(*k->re));
	for (; k->n_re < k->n; k->n_re++) {
		const struct param *p = &k->v[k->n_re];
		int failed = regcomp(&k->re[k->n_re], p->pattern, REG_EXTENDED | REG_NEWLINE);
		char why[128];

		if (!failed && k->re[k->n_re].re_nsub == 1)
			continue;
		if (failed) {
			regerror(failed, &k->re[k->n_re], why, sizeof(why));
			err_set(err, ERR_INVALID, "parameter '%s': pattern '%s': %s", p->name, p->pattern, why);
		} else {
			regfree(&k->re[k->n_re]);
			err_set(err, ERR_INVALID, "parameter '%s': pattern '%s' must have exactly one group, around the value",
				p->name, p->pattern);
		}
		knobs_close(k);
		return err->code;
	}
	*ret = k;
	return 0;
}

void knobs_close(struct knobs *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->n_re; i++)
		regfree(&k->re[i]);
	free(k->re);
	free(k);
}

const struct param *knobs_param(const struct knobs *k, size_t i)
{
	return &k->v[i];
}

/* ---- numbers ---- */

static bool within(const struct param *p, double value)
{
	return value >= p->min && value <= p->max;
}

/*
 * 4 significant digits, and more where the range is narrow for its size: what a search varies below that is noise. A value inside the range stays
 * inside, and its text reads back as the same text.
 */
static void format_number(const struct param *p, double value, struct str *ret)
{
	double ratio = fmax(fabs(p->min), fabs(p->max)) / (p->max - p->min), rounded;
	int digits = ratio > 1 && ratio < 1e11 ? 3 + (int)log10(ratio) : 3;
	char text[NUM_TEXT];

	if (p->type == PARAM_INT) {
		str_printf(ret, "%.0f", value + 0.0);
		return;
	}
	snprintf(text, sizeof(text), "%.*e", digits, value);
	rounded = strtod(text, NULL);
	if (value == p->min || value == p->max)
		rounded = value;
	else if (within(p, value) && !within(p, rounded))
		rounded = rounded < p->min ? p->min : p->max;
	num_format(rounded, text);
	str_puts(ret, text);
}

double knob_place(const struct param *p, const char *text)
{
	double value = p->min, place;

	if (!num_parse(text, strlen(text), &value) || p->max <= p->min)
		return 0;
	if (p->type == PARAM_LOG)
		place = value > 0 ? log(value / p->min) / log(p->max / p->min) : 0;
	else
		place = (value - p->min) / (p->max - p->min);
	return fmin(fmax(place, 0), 1);
}

void knob_text(const struct param *p, double place, struct str *ret)
{
	double value;

	place = fmin(fmax(place, 0), 1);
	if (p->type == PARAM_LOG)
		value = p->min * pow(p->max / p->min, place);
	else
		value = p->min + place * (p->max - p->min);
	value = fmin(fmax(value, p->min), p->max);
	if (p->type == PARAM_INT)
		value = fmin(fmax(round(value), ceil(p->min)), floor(p->max));
	format_number(p, value, ret);
}

/* ---- text in files ---- */

static int find_span(const struct knobs *k, size_t i, const char *text, struct span *ret, struct err *err)
{
	regmatch_t m[2];
	size_t at = 0, found = 0;

	for (;;) {
		int flags = at && text[at - 1] != '\n' ? REG_NOTBOL : 0;

		if (regexec(&k->re[i], text + at, 2, m, flags) != 0)
			break;
		if (m[1].rm_so < 0)
			return bad(&k->v[i], err, "matches without its group");
		if (found++)
			return bad(&k->v[i], err, "matches more than once");
		*ret = (struct span){ i, at + (size_t)m[1].rm_so, at + (size_t)m[1].rm_eo };
		at += (size_t)m[0].rm_eo + (m[0].rm_eo == m[0].rm_so);
		if (at > strlen(text))
			break;
	}
	return found ? 0 : bad(&k->v[i], err, "matches nothing");
}

static int read_file(struct repo *repo, const struct oid *tree, const struct param *p, struct str *ret, struct err *err)
{
	str_clear(ret);
	if (tree_read(repo, tree, p->file, FILE_MAX, ret, err) < 0)
		return err_wrap(err, "parameter '%s'", p->name);
	if (strlen(ret->buf) != ret->len)
		return err_set(err, ERR_INVALID, "parameter '%s': '%s' is not a text file", p->name, p->file);
	return 0;
}

static int canonical(const struct param *p, const char *ptr, size_t len, struct str *ret, struct err *err)
{
	double value;

	if (p->type == PARAM_CATEGORICAL) {
		str_add(ret, ptr, len);
		return 0;
	}
	if (!num_parse(ptr, len, &value))
		return err_set(err, ERR_INVALID, "parameter '%s': '%.*s', found by pattern '%s' in '%s', is not a number", p->name,
			       len < 64 ? (int)len : 64, ptr, p->pattern, p->file);
	if (p->type == PARAM_INT && (value != round(value) || fabs(value) > 9e15))
		return err_set(err, ERR_INVALID, "parameter '%s': '%.*s', found by pattern '%s' in '%s', is not a whole number",
			       p->name, len < 64 ? (int)len : 64, ptr, p->pattern, p->file);
	format_number(p, value, ret);
	return 0;
}

int knobs_read(const struct knobs *k, struct repo *repo, const struct oid *tree, struct strs *ret, struct err *err)
{
	CLEANUP(strs_free) struct strs point = { 0 };
	STR text = STR_INIT;

	for (size_t i = 0; i < k->n; i++) {
		STR value = STR_INIT;
		struct span at;

		if ((!i || strcmp(k->v[i].file, k->v[i - 1].file) != 0) && read_file(repo, tree, &k->v[i], &text, err) < 0)
			return err->code;
		if (find_span(k, i, text.buf, &at, err) < 0 ||
		    canonical(&k->v[i], text.buf + at.from, at.to - at.from, &value, err) < 0)
			return err->code;
		strs_take(&point, str_detach(&value));
	}
	*ret = point;
	point = (struct strs){ 0 };
	return 0;
}

/* How a value is spelt in place of another: where the old one has a point or an exponent the new one is no integer either, because "1 / 2" and
 * "1 / 2.0" differ in many languages. */
static void spell(const struct param *p, const char *old, size_t len, const char *value, struct str *ret)
{
	str_puts(ret, value);
	if (p->type != PARAM_LINEAR && p->type != PARAM_LOG)
		return;
	if (!strpbrk(value, ".e") && (memchr(old, '.', len) || memchr(old, 'e', len) || memchr(old, 'E', len)))
		str_puts(ret, ".0");
}

static int by_place(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

/* The spans of all parameters in the file of parameter `first`, in order of place. */
static int spans_of_file(const struct knobs *k, size_t first, const char *text, struct span *ret, size_t *ret_n, struct err *err)
{
	size_t n = 0;

	for (size_t i = first; i < k->n; i++)
		if (!strcmp(k->v[i].file, k->v[first].file) && find_span(k, i, text, &ret[n++], err) < 0)
			return err->code;
	qsort(ret, n, sizeof(*ret), by_place);
	for (size_t i = 1; i < n; i++)
		if (ret[i].from < ret[i - 1].to || ret[i].from == ret[i - 1].from)
			return err_set(err, ERR_INVALID, "parameters '%s' and '%s' are the same place in '%s'",
				       k->v[ret[i - 1].knob].name, k->v[ret[i].knob].name, k->v[first].file);
	*ret_n = n;
	return 0;
}

static int rewrite(const struct knobs *k, size_t first, const char *text, const struct strs *point, struct str *ret, struct err *err)
{
	AUTOFREE struct span *at = xcalloc(k->n, sizeof(*at));
	size_t n = 0, done = 0;

	if (spans_of_file(k, first, text, at, &n, err) < 0)
		return err->code;
	for (size_t i = 0; i < n; i++) {
		const struct param *p = &k->v[at[i].knob];
		const char *value = point->v[at[i].knob], *old = text + at[i].from;
		size_t len = at[i].to - at[i].from;
		STR was = STR_INIT;

		if (canonical(p, old, len, &was, err) < 0)
			return err->code;
		str_add(ret, text + done, at[i].from - done);
		if (str_eq(was.buf, value))
			str_add(ret, old, len);
		else
			spell(p, old, len, value, ret);
		done = at[i].to;
	}
	str_puts(ret, text + done);
	return 0;
}

static bool first_of_file(const struct knobs *k, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(k->v[j].file, k->v[i].file))
			return false;
	return true;
}

static int read_back(const struct knobs *k, struct repo *repo, const struct oid *tree, const struct strs *point, struct err *err)
{
	CLEANUP(strs_free) struct strs now = { 0 };

	if (knobs_read(k, repo, tree, &now, err) < 0)
		return err_wrap(err, "what was written does not read back");
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(now.v[i], point->v[i]) != 0)
			return err_set(err, ERR_INVALID, "parameter '%s': '%s' was written to '%s', but pattern '%s' reads '%s'",
				       k->v[i].name, point->v[i], k->v[i].file, k->v[i].pattern, now.v[i]);
	return 0;
}

static int try_value(const struct knobs *k, size_t first, size_t i, const char *text, struct strs *point, const char *value, struct err *err)
{
	const struct param *p = &k->v[i];
	char *was = point->v[i];
	STR out = STR_INIT;
	STR now = STR_INIT;
	struct span at;
	int failed;

	point->v[i] = (char *)value;
	failed = rewrite(k, first, text, point, &out, err);
	point->v[i] = was;
	if (failed < 0)
		return err->code;
	if (find_span(k, i, out.buf, &at, err) < 0 || canonical(p, out.buf + at.from, at.to - at.from, &now, err) < 0)
		return err_wrap(err, "with '%s' in its place", value);
	if (strcmp(now.buf, value) != 0)
		return err_set(err, ERR_INVALID, "parameter '%s': with '%s' in its place pattern '%s' reads '%s' in '%s'", p->name,
			       value, p->pattern, now.buf, p->file);
	return 0;
}

static int try_values(const struct knobs *k, size_t first, size_t i, const char *text, struct strs *point, struct err *err)
{
	const struct param *p = &k->v[i];

	for (size_t c = 0; p->type == PARAM_CATEGORICAL && c < p->choices.n; c++)
		if (try_value(k, first, i, text, point, p->choices.v[c], err) < 0)
			return err->code;
	for (int step = 0; p->type != PARAM_CATEGORICAL && step <= 4; step++) {
		STR value = STR_INIT;

		knob_text(p, step / 4.0, &value);
		if (try_value(k, first, i, text, point, value.buf, err) < 0)
			return err->code;
	}
	return 0;
}

int knobs_check(const struct knobs *k, struct repo *repo, const struct oid *tree, struct err *err)
{
	CLEANUP(strs_free) struct strs point = { 0 };

	if (knobs_read(k, repo, tree, &point, err) < 0)
		return err->code;
	for (size_t i = 0; i < k->n; i++) {
		size_t first = 0;
		STR text = STR_INIT;

		while (strcmp(k->v[first].file, k->v[i].file) != 0)
			first++;
		if (read_file(repo, tree, &k->v[i], &text, err) < 0 || try_values(k, first, i, text.buf, &point, err) < 0)
			return err->code;
	}
	return 0;
}

int knobs_write(const struct knobs *k, struct repo *repo, const struct oid *tree, const struct strs *point, struct oid *ret, struct err *err)
{
	CLEANUP(tree_changes_free) struct tree_changes changes = { 0 };
	struct oid made;

	for (size_t i = 0; i < k->n; i++) {
		struct tree_entry old, new;
		STR text = STR_INIT;
		STR out = STR_INIT;

		if (!first_of_file(k, i))
			continue;
		if (read_file(repo, tree, &k->v[i], &text, err) < 0 || rewrite(k, i, text.buf, point, &out, err) < 0 ||
		    tree_lookup(repo, tree, k->v[i].file, &old, err) < 0)
			return err->code;
		new.mode = old.mode;
		if (repo_write_blob(repo, out.buf, out.len, &new.id, err) < 0)
			return err->code;
		tree_changes_add(&changes, k->v[i].file, &old, &new);
	}
	tree_changes_sort(&changes);
	if (tree_update(repo, tree, &changes, &made, err) < 0 || read_back(k, repo, &made, point, err) < 0)
		return err->code;
	*ret = made;
	return 0;
}
