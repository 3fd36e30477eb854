/*
 * rules.h - the lists behind attr.h: one level a directory from the root to where the last question was, so that questions asked in
 * path order load each list once. Shared by rules.c (levels), attr.c (attributes) and clean.c (what they do to bytes).
 */
#ifndef GIT_RULES_H
#define GIT_RULES_H

#include "git/attr.h"
#include "git/internal.h"
#include "git/pattern.h"

struct patterns {
	struct pattern *v;
	size_t n, alloc;
};

enum attr_state { ATTR_UNSET_YET, ATTR_TRUE, ATTR_FALSE, ATTR_NONE, ATTR_VALUE };

struct attr {
	char *name;
	enum attr_state state;
	char *value;
};

struct attr_line {
	struct pattern pattern;
	char *macro;		/* "[attr]name": pattern is empty */
	struct attr *v;
	size_t n, alloc;
};

struct attr_lines {
	struct attr_line *v;
	size_t n, alloc;
};

struct level {
	char *dir;		/* "" or "a/b" */
	struct oid tree;	/* zero: not in the tree */
	bool ignored;		/* this directory, by a rule above it */
	struct patterns ignore;
	struct attr_lines attrs;
};

struct rules {
	struct repo *repo;
	struct level *v;
	size_t n, alloc;
	struct patterns excludes, info_exclude;
	struct attr_lines system, user, info;
	bool icase;
};

int rules_enter(struct rules *rules, const char *path, struct err *err);
void attr_lines_parse(const char *text, size_t len, bool macros, struct attr_lines *ret);
void attr_lines_free(struct attr_lines *lines);
/* The states of these attributes (by name) for a file; rules_enter() was called for it. Values point into the rules. */
void attr_query(const struct rules *rules, const char *path, struct attr *v, size_t n);

#endif
