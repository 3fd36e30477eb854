/*
 * A policy's values from "not given" to freed, and whether two are the same; all by the key tables.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy/keys.h"

static void *field(const struct key *key, void *obj)
{
	return (char *)obj + key->offset;
}

static size_t *count(const struct key *key, void *obj)
{
	return (size_t *)(void *)((char *)obj + key->count);
}

static double number_not_given(const struct key *key)
{
	return key->flags & KEY_NONE_IS_ZERO ? 0 : key->flags & KEY_NONE_IS_MINUS ? -1 : NAN;
}

void key_clear(const struct key *keys, void *obj)
{
	for (const struct key *k = keys; k->name; k++) {
		if (k->type == KEY_MAP)
			key_clear(k->sub, field(k, obj));
		else if (k->type == KEY_NUMBER)
			*(double *)field(k, obj) = number_not_given(k);
		else if (k->type == KEY_COUNT || k->type == KEY_DURATION || k->type == KEY_SIZE)
			*(int64_t *)field(k, obj) = -1;
		else
			memset(field(k, obj), 0, k->size);
	}
}

static void free_elements(const struct key *key, void *obj)
{
	char *list = *(char **)field(key, obj);

	for (size_t i = 0; i < *count(key, obj); i++)
		key_free(key->sub, list + i * key->elem);
	free(list);
}

static void free_ranges(const struct key *key, void *obj)
{
	struct range *list = *(struct range **)field(key, obj);

	for (size_t i = 0; i < *count(key, obj); i++)
		free(list[i].metric);
	free(list);
}

void key_free(const struct key *keys, void *obj)
{
	for (const struct key *k = keys; k->name; k++) {
		if (k->type == KEY_MAP)
			key_free(k->sub, field(k, obj));
		else if (k->type == KEY_MAPS)
			free_elements(k, obj);
		else if (k->type == KEY_RANGES)
			free_ranges(k, obj);
		else if (k->type == KEY_STRING || k->type == KEY_TEXT)
			free(*(char **)field(k, obj));
		else if (k->type == KEY_STRINGS)
			strs_free(field(k, obj));
		else if (k->type == KEY_METRICS)
			free(((struct stage *)obj)->metrics_path);
	}
}

static bool number_equal(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool strings_equal(const struct strs *a, const struct strs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

static bool map_equal(const struct key *keys, void *a, void *b)
{
	for (; keys->name; keys++)
		if (!key_equal(keys, a, b))
			return false;
	return true;
}

static bool elements_equal(const struct key *key, void *a, void *b)
{
	char *x = *(char **)field(key, a), *y = *(char **)field(key, b);

	if (*count(key, a) != *count(key, b))
		return false;
	for (size_t i = 0; i < *count(key, a); i++)
		if (!map_equal(key->sub, x + i * key->elem, y + i * key->elem))
			return false;
	return true;
}

static bool ranges_equal(const struct key *key, void *a, void *b)
{
	const struct range *x = *(struct range **)field(key, a), *y = *(struct range **)field(key, b);

	if (*count(key, a) != *count(key, b))
		return false;
	for (size_t i = 0; i < *count(key, a); i++)
		if (strcmp(x[i].metric, y[i].metric) != 0 || x[i].min != y[i].min || x[i].max != y[i].max)
			return false;
	return true;
}

static bool amount_equal(const struct amount *a, const struct amount *b)
{
	return a->set == b->set && a->relative == b->relative && a->value == b->value;
}

bool key_equal(const struct key *key, const void *pa, const void *pb)
{
	void *a = (void *)pa, *b = (void *)pb;
	const struct stage *sa = pa, *sb = pb;

	switch (key->type) {
	case KEY_MAP:
		return map_equal(key->sub, field(key, a), field(key, b));
	case KEY_MAPS:
		return elements_equal(key, a, b);
	case KEY_RANGES:
		return ranges_equal(key, a, b);
	case KEY_STRING:
	case KEY_TEXT:
		return str_eq(*(char **)field(key, a), *(char **)field(key, b));
	case KEY_STRINGS:
		return strings_equal(field(key, a), field(key, b));
	case KEY_NUMBER:
		return number_equal(*(double *)field(key, a), *(double *)field(key, b));
	case KEY_AMOUNT:
		return amount_equal(field(key, a), field(key, b));
	case KEY_SAMPLES:
		return sa->samples_min == sb->samples_min && sa->samples_max == sb->samples_max;
	case KEY_METRICS:
		return sa->metrics == sb->metrics && str_eq(sa->metrics_path, sb->metrics_path);
	default:
		return memcmp(field(key, a), field(key, b), key->size) == 0;
	}
}
