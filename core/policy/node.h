/*
 * node.h - the text of harness.yaml as a small tree of maps, lists and words, each with its place.
 * The only reader of YAML. What could surprise a person or cost time is refused here: more than 64 KiB or 64 levels, aliases,
 * anchors, tags, merge keys, directives, a second document, a key twice, bytes that are no UTF-8, control and direction characters.
 * Nothing is converted: a scalar is the text that was written, and whether it stood in quotes.
 *
 * Memory: node_free() accepts NULL.
 */
#ifndef POLICY_NODE_H
#define POLICY_NODE_H

#include "policy/policy.h"

#define NODE_DEPTH 64
#define NODE_ENTRIES 1024	/* of one map or list: searching them for duplicates stays cheap */

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	struct pos pos;
	char *text;		/* NODE_SCALAR; holds no NUL */
	bool plain;		/* written without quotes or block marks */
	char *key;		/* as a member of a map */
	struct pos key_pos;
	struct node *v;		/* members or elements */
	size_t n, alloc;
};

/* name is what messages call the file. */
int node_parse(const char *name, const char *ptr, size_t len, struct node **ret, struct err *err);
void node_free(struct node *node);
/* "harness.yaml:3:7: <text>", ERR_INVALID. */
int node_error(const char *name, struct pos pos, struct err *err, const char *fmt, ...) PRINTF(4, 5);
/* Foreign text for a message: one short line, made visible. */
struct node_text {
	char s[128];
};
struct node_text node_text(const char *text);

#endif
