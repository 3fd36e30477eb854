/*
 * keys.h - every key of harness.yaml, once.
 * Parsing, defaults, comparison, freeing, suggestions for unknown keys, the JSON schema and the manual's list of keys are all read off
 * these tables. A key says where its value goes (offset in the struct of its map), what it may be, and one line of help.
 */
#ifndef POLICY_KEYS_H
#define POLICY_KEYS_H

#include "policy/policy.h"

enum key_type {
	KEY_MAP,	/* sub: its members' offsets count from offset */
	KEY_MAPS,	/* a list of maps: pointer at offset, size_t count at count, elements of elem bytes */
	KEY_STRING,	/* one line */
	KEY_TEXT,	/* may have several lines */
	KEY_STRINGS,
	KEY_BOOL,
	KEY_INT,	/* int or int64_t */
	KEY_COUNT,	/* int64_t; 200k 5M */
	KEY_NUMBER,	/* double */
	KEY_DURATION,	/* int64_t ns */
	KEY_SIZE,	/* int64_t bytes */
	KEY_AMOUNT,	/* struct amount */
	KEY_WORD,	/* an enum or bool */
	KEY_SAMPLES,	/* of struct stage: a number or {min, max} */
	KEY_METRICS,	/* of struct stage: stdout, fd or a path */
	KEY_RANGES,	/* struct range *, count at count */
};

enum {
	KEY_REQUIRED = 1,
	KEY_NOT_EMPTY = 2,	/* of a list */
	KEY_ANY_SCALAR = 4,	/* strings that may look like numbers */
	KEY_NONE_IS_ZERO = 8,	/* a number that is not given is 0, not NaN (or -1) */
	KEY_NONE_IS_MINUS = 16,	/* ... is -1 */
	KEY_ABOVE_MIN = 32,	/* min itself is too little */
	KEY_BELOW_MAX = 64,	/* max itself is too much */
};

struct word {
	const char *name;
	int value;
};

/* What a string must look like beyond being text: the parser's check, and the same as a regular expression for editors. */
struct text_rule {
	const char *pattern;	/* NULL: not expressible */
	int (*check)(const char *text, struct err *err);	/* err: why not; code unused */
};

struct key {
	const char *name;	/* NULL ends a table */
	const char *help;
	const char *fallback;	/* the default as it would be written; NULL: none */
	enum key_type type;
	unsigned flags;
	size_t offset, size;
	size_t count, elem, elem_pos;
	const struct key *sub;
	const char *const *one_of;	/* of a map: at least one of these must be given; NULL-terminated */
	const struct word *words;	/* name NULL ends */
	const struct text_rule *rule;
	double min, max;		/* both 0: any */
};

extern const struct key policy_keys[];

const struct key *key_find(const struct key *keys, const char *name);
/* The word's value, or false. key_word() is the other way, NULL where there is none. */
bool word_find(const struct word *words, const char *name, int *ret);
const char *word_name(const struct word *words, int value);
extern const struct word agent_words[];
/* "", or the map that has a key of this name somewhere ("goal"), for "it belongs in ..."; false: nowhere. */
bool key_elsewhere(const char *name, struct str *ret_map);

/* A value's life, by its key; obj is the struct that the key's offset counts from. */
void key_clear(const struct key *keys, void *obj);		/* "not given", without defaults */
void key_free(const struct key *keys, void *obj);
bool key_equal(const struct key *key, const void *a, const void *b);

extern const struct text_rule rule_metric, rule_campaign, rule_stage, rule_glob, rule_env, rule_path, rule_home_path,
	rule_abs_path, rule_author, rule_param, rule_pattern;

#endif
