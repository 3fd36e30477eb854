/*
 * The key tables as a JSON schema (draft 2020-12), for editors that complete and check YAML.
 * It says what one key may be; what holds between keys is for `git harness check`.
 */
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "policy/keys.h"

#define DURATION "^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$"
#define SIZE "^[0-9]+(\\.[0-9]+)?[KMGT]?$"
#define COUNT "^[0-9]+(\\.[0-9]+)?[kMG]?$"
#define AMOUNT "^[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+|%)?$"

static void map_schema(struct json *j, const struct key *keys, const char *const *one_of);

static void add_default(struct json *j, const struct key *key)
{
	double number;

	if (!key->fallback)
		return;
	if (key->type == KEY_BOOL)
		json_bool(j, "default", strcmp(key->fallback, "true") == 0);
	else if (num_parse(key->fallback, strlen(key->fallback), &number))
		json_num(j, "default", number);
	else
		json_str(j, "default", key->fallback);
}

static void range(struct json *j, const struct key *key)
{
	if (key->min != 0 || key->max != 0)
		json_num(j, key->flags & KEY_ABOVE_MIN ? "exclusiveMinimum" : "minimum", key->min);
	if (key->max != 0)
		json_num(j, key->flags & KEY_BELOW_MAX ? "exclusiveMaximum" : "maximum", key->max);
}

/* A number as such, or the text of a pattern. */
static void number_or_text(struct json *j, const char *number, double min, const char *pattern)
{
	json_begin_array(j, "anyOf");
	json_begin_object(j, NULL);
	json_str(j, "type", number);
	json_num(j, "minimum", min);
	json_end_object(j);
	json_begin_object(j, NULL);
	json_str(j, "type", "string");
	json_str(j, "pattern", pattern);
	json_end_object(j);
	json_end_array(j);
}

static void text(struct json *j, const struct key *key)
{
	if (key->flags & KEY_ANY_SCALAR) {
		json_begin_array(j, "type");
		json_str(j, NULL, "string");
		json_str(j, NULL, "number");
		json_str(j, NULL, "boolean");
		json_end_array(j);
		return;
	}
	json_str(j, "type", "string");
	if (key->rule && key->rule->pattern)
		json_str(j, "pattern", key->rule->pattern);
	else
		json_int(j, "minLength", 1);
}

static void list(struct json *j, const struct key *key)
{
	json_str(j, "type", "array");
	if (key->flags & KEY_NOT_EMPTY)
		json_int(j, "minItems", 1);
	json_begin_object(j, "items");
	if (key->type == KEY_MAPS)
		map_schema(j, key->sub, key->one_of);
	else
		text(j, key);
	json_end_object(j);
}

static void samples(struct json *j, const struct key *key)
{
	static const char *const ends[] = { "min", "max" };

	json_begin_array(j, "anyOf");
	json_begin_object(j, NULL);
	json_str(j, "type", "integer");
	range(j, key);
	json_end_object(j);
	json_begin_object(j, NULL);
	json_str(j, "type", "object");
	json_bool(j, "additionalProperties", false);
	json_begin_array(j, "required");
	for (size_t i = 0; i < 2; i++)
		json_str(j, NULL, ends[i]);
	json_end_array(j);
	json_begin_object(j, "properties");
	for (size_t i = 0; i < 2; i++) {
		json_begin_object(j, ends[i]);
		json_str(j, "type", "integer");
		range(j, key);
		json_end_object(j);
	}
	json_end_object(j);
	json_end_object(j);
	json_end_array(j);
}

static void ranges(struct json *j)
{
	json_str(j, "type", "object");
	json_begin_object(j, "propertyNames");
	json_str(j, "pattern", rule_metric.pattern);
	json_end_object(j);
	json_begin_object(j, "additionalProperties");
	json_str(j, "type", "array");
	json_int(j, "minItems", 2);
	json_int(j, "maxItems", 2);
	json_begin_object(j, "items");
	json_str(j, "type", "number");
	json_end_object(j);
	json_end_object(j);
}

static void words(struct json *j, const struct key *key)
{
	json_begin_array(j, "enum");
	for (const struct word *w = key->words; w->name; w++)
		json_str(j, NULL, w->name);
	json_end_array(j);
}

static void scalar(struct json *j, const struct key *key)
{
	switch (key->type) {
	case KEY_BOOL:
		json_str(j, "type", "boolean");
		break;
	case KEY_INT:
	case KEY_NUMBER:
		json_str(j, "type", key->type == KEY_INT ? "integer" : "number");
		range(j, key);
		break;
	case KEY_COUNT:
		number_or_text(j, "integer", 1, COUNT);
		break;
	case KEY_SIZE:
		number_or_text(j, "integer", 1, SIZE);
		break;
	case KEY_AMOUNT:
		number_or_text(j, "number", 0, AMOUNT);
		break;
	case KEY_DURATION:
		json_str(j, "type", "string");
		json_str(j, "pattern", DURATION);
		break;
	case KEY_WORD:
		words(j, key);
		break;
	default:
		text(j, key);
	}
}

static void key_schema(struct json *j, const struct key *key)
{
	json_begin_object(j, key->name);
	json_str(j, "description", key->help);
	if (key->type == KEY_MAP)
		map_schema(j, key->sub, key->one_of);
	else if (key->type == KEY_MAPS || key->type == KEY_STRINGS)
		list(j, key);
	else if (key->type == KEY_SAMPLES)
		samples(j, key);
	else if (key->type == KEY_RANGES)
		ranges(j);
	else
		scalar(j, key);
	add_default(j, key);
	json_end_object(j);
}

static void required(struct json *j, const struct key *keys)
{
	json_begin_array(j, "required");
	for (; keys->name; keys++)
		if (keys->flags & KEY_REQUIRED)
			json_str(j, NULL, keys->name);
	json_end_array(j);
}

static void map_schema(struct json *j, const struct key *keys, const char *const *one_of)
{
	json_str(j, "type", "object");
	json_bool(j, "additionalProperties", false);
	required(j, keys);
	if (one_of) {
		json_begin_array(j, "anyOf");
		for (; *one_of; one_of++) {
			json_begin_object(j, NULL);
			json_begin_array(j, "required");
			json_str(j, NULL, *one_of);
			json_end_array(j);
			json_end_object(j);
		}
		json_end_array(j);
	}
	json_begin_object(j, "properties");
	for (; keys->name; keys++)
		key_schema(j, keys);
	json_end_object(j);
}

void policy_schema(struct str *ret)
{
	struct json j;

	json_init(&j, ret, true);
	json_begin_object(&j, NULL);
	json_str(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_str(&j, "title", "harness.yaml, the policy of git harness");
	map_schema(&j, policy_keys, NULL);
	json_end_object(&j);
	str_putc(ret, '\n');
}
