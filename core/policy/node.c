/*
 * The event interface of libyaml, not its document loader: the loader composes whole documents first, is quadratic in the depth of
 * flow collections (100 kB of '[' take 20 s) and resolves aliases. Here every event is judged as it comes.
 */
#include "policy/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "base/text.h"

struct source {
	const char *name;
	const char *ptr;
	size_t len;
	yaml_parser_t parser;
	struct err *err;
};

int node_error(const char *name, struct pos pos, struct err *err, const char *fmt, ...)
{
	STR text = STR_MAX(sizeof(err->msg) - 1);
	va_list ap;

	str_printf(&text, "%s:%d:%d: ", name, pos.line, pos.column);
	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	return err_set(err, ERR_INVALID, "%s", text.buf);
}

struct node_text node_text(const char *text)
{
	STR line = STR_INIT;
	struct node_text ret;

	text_line(text, strlen(text), 60, &line);
	snprintf(ret.s, sizeof(ret.s), "%s", line.buf);
	return ret;
}

static struct pos pos_of(const yaml_mark_t *mark)
{
	return (struct pos){ (int)mark->line + 1, (int)mark->column + 1 };
}

/*
 * Characters that make a file read differently from what it is: C0 and C1 controls, and what YAML 1.1 takes for line ends
 * (U+0085, U+2028, U+2029) or a terminal for a change of direction (U+202A-E, U+2066-9).
 */
static bool char_refused(const char *p, size_t len)
{
	static const struct {
		uint32_t first, last;
	} refused[] = { { 0, 0x08 }, { 0x0b, 0x0c }, { 0x0e, 0x1f }, { 0x7f, 0x9f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 } };
	uint32_t c;

	if (!text_utf8(p, len, &c))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (c >= refused[i].first && c <= refused[i].last)
			return true;
	return false;
}

static int check_bytes(const struct source *s)
{
	struct pos at = { 1, 1 };

	for (size_t i = 0; i < s->len;) {
		const char *p = s->ptr + i;
		uint32_t c;
		size_t n = text_utf8(p, s->len - i, &c);

		if (!n)
			return node_error(s->name, at, s->err, "byte 0x%02x is not UTF-8 text", (unsigned char)*p);
		if (c == 0)
			return node_error(s->name, at, s->err, "a NUL byte");
		if (char_refused(p, n))
			return node_error(s->name, at, s->err, "an invisible control character");
		at.column++;
		if (*p == '\n')
			at = (struct pos){ at.line + 1, 1 };
		i += n;
	}
	return 0;
}

/* A tab in the white space before the text of that line. */
static bool tab_indents(const struct source *s, int line)
{
	const char *p = s->ptr, *end = s->ptr + s->len;

	for (int i = 1; i < line && p; i++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	for (; p && p < end && (*p == ' ' || *p == '\t'); p++)
		if (*p == '\t')
			return true;
	return false;
}

/* "[*.c]" is what people write before they have met YAML's aliases. */
static bool scanned(const struct source *s, const char *what)
{
	return s->parser.context && starts_with(s->parser.context, "while scanning an ") && strcmp(s->parser.context + 18, what) == 0;
}

static int scan_error(struct source *s)
{
	struct pos at = pos_of(&s->parser.problem_mark);
	const char *problem = s->parser.problem ? s->parser.problem : "cannot be read";

	if (s->parser.error == YAML_MEMORY_ERROR)
		return err_set(s->err, ERR_LIMIT, "%s: out of memory", s->name);
	if (scanned(s, "alias") || scanned(s, "anchor")) {
		node_error(s->name, pos_of(&s->parser.context_mark), s->err, "not valid YAML: text that begins with '%c'",
			   scanned(s, "alias") ? '*' : '&');
		return err_hint(s->err, "put it in quotes, as in \"*.c\"");
	}
	if (tab_indents(s, at.line)) {
		node_error(s->name, at, s->err, "a tab in the indentation");
		return err_hint(s->err, "YAML is indented by spaces only");
	}
	if (s->parser.context && starts_with(s->parser.context, "while"))
		return node_error(s->name, at, s->err, "not valid YAML: %s, %s", problem, s->parser.context);
	return node_error(s->name, at, s->err, "not valid YAML: %s", problem);
}

static int next(struct source *s, yaml_event_t *event)
{
	if (!yaml_parser_parse(&s->parser, event))
		return scan_error(s);
	return 0;
}

static int refuse(struct source *s, const yaml_event_t *event, const char *what, const char *hint)
{
	node_error(s->name, pos_of(&event->start_mark), s->err, "%s", what);
	return err_hint(s->err, "%s", hint);
}

static int check_properties(struct source *s, const yaml_event_t *event, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		return refuse(s, event, "an anchor ('&') is not allowed", "write the value out where it is needed");
	if (tag)
		return refuse(s, event, "a tag ('!') is not allowed", "quote the text if it begins with '!'");
	return 0;
}

static int take_scalar(struct source *s, const yaml_event_t *event, struct node *node)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;

	/* Escapes in double quotes can make what the file itself may not hold. */
	for (size_t i = 0; i < len;) {
		uint32_t c;

		if (char_refused(text + i, len - i))
			return node_error(s->name, node->pos, s->err, "a control character in the text");
		i += text_utf8(text + i, len - i, &c);
	}
	node->kind = NODE_SCALAR;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = xstrndup(text, len);
	return 0;
}

static struct node *add_child(struct node *parent)
{
	struct node *child;

	GROW(parent->v, parent->n, parent->alloc);
	child = &parent->v[parent->n++];
	*child = (struct node){ .kind = NODE_SCALAR };
	return child;
}

static int build(struct source *s, const yaml_event_t *event, int depth, struct node *node);

static int take_list(struct source *s, int depth, struct node *list)
{
	for (;;) {
		CLEANUP(yaml_event_delete) yaml_event_t event = { 0 };

		if (next(s, &event) < 0)
			return s->err->code;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		if (list->n >= NODE_ENTRIES)
			return node_error(s->name, pos_of(&event.start_mark), s->err, "more than %d entries in a list", NODE_ENTRIES);
		if (build(s, &event, depth, add_child(list)) < 0)
			return s->err->code;
	}
}

static int check_key(struct source *s, const yaml_event_t *event, const struct node *map)
{
	const char *key = (const char *)event->data.scalar.value;

	if (event->type == YAML_ALIAS_EVENT)
		return refuse(s, event, "an alias ('*') is not allowed", "write the value out where it is needed");
	if (event->type != YAML_SCALAR_EVENT)
		return refuse(s, event, "a key must be a word", "write 'key: value'");
	if (check_properties(s, event, event->data.scalar.anchor, event->data.scalar.tag) < 0)
		return s->err->code;
	if (strcmp(key, "<<") == 0)
		return refuse(s, event, "a merge key ('<<') is not allowed", "write the keys out where they are needed");
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->v[i].key, key) == 0) {
			node_error(s->name, pos_of(&event->start_mark), s->err, "duplicate key '%s'", node_text(key).s);
			return err_hint(s->err, "it is already given at line %d", map->v[i].key_pos.line);
		}
	if (map->n >= NODE_ENTRIES)
		return node_error(s->name, pos_of(&event->start_mark), s->err, "more than %d keys in a map", NODE_ENTRIES);
	return 0;
}

static int take_map(struct source *s, int depth, struct node *map)
{
	for (;;) {
		CLEANUP(yaml_event_delete) yaml_event_t key = { 0 };
		CLEANUP(yaml_event_delete) yaml_event_t value = { 0 };
		struct node as_text = { .kind = NODE_SCALAR };
		struct node *child;

		if (next(s, &key) < 0)
			return s->err->code;
		if (key.type == YAML_MAPPING_END_EVENT)
			return 0;
		as_text.pos = pos_of(&key.start_mark);
		if (check_key(s, &key, map) < 0 || take_scalar(s, &key, &as_text) < 0)
			return s->err->code;
		child = add_child(map);
		child->key = as_text.text;
		child->key_pos = as_text.pos;
		if (next(s, &value) < 0 || build(s, &value, depth, child) < 0)
			return s->err->code;
	}
}

static int build(struct source *s, const yaml_event_t *event, int depth, struct node *node)
{
	node->pos = pos_of(&event->start_mark);
	if (depth > NODE_DEPTH)
		return node_error(s->name, node->pos, s->err, "nested deeper than %d levels", NODE_DEPTH);
	if (event->type == YAML_ALIAS_EVENT)
		return refuse(s, event, "an alias ('*') is not allowed", "quote the text if it begins with '*', as \"**/*.c\" does");
	if (event->type == YAML_SCALAR_EVENT) {
		if (check_properties(s, event, event->data.scalar.anchor, event->data.scalar.tag) < 0)
			return s->err->code;
		return take_scalar(s, event, node);
	}
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		node->kind = NODE_LIST;
		if (check_properties(s, event, event->data.sequence_start.anchor, event->data.sequence_start.tag) < 0)
			return s->err->code;
		return take_list(s, depth + 1, node);
	}
	if (event->type != YAML_MAPPING_START_EVENT)
		return node_error(s->name, node->pos, s->err, "not valid YAML here");
	node->kind = NODE_MAP;
	if (check_properties(s, event, event->data.mapping_start.anchor, event->data.mapping_start.tag) < 0)
		return s->err->code;
	return take_map(s, depth + 1, node);
}

static int document_start(struct source *s)
{
	CLEANUP(yaml_event_delete) yaml_event_t stream = { 0 };
	CLEANUP(yaml_event_delete) yaml_event_t event = { 0 };

	if (next(s, &stream) < 0 || next(s, &event) < 0)
		return s->err->code;
	if (event.type == YAML_STREAM_END_EVENT) {
		node_error(s->name, (struct pos){ 1, 1 }, s->err, "the policy is empty");
		return err_hint(s->err, "'git harness init' writes one to start from");
	}
	if (event.data.document_start.version_directive ||
	    event.data.document_start.tag_directives.start != event.data.document_start.tag_directives.end)
		return refuse(s, &event, "a directive ('%') is not allowed", "leave the line out");
	return 0;
}

static int document_end(struct source *s)
{
	CLEANUP(yaml_event_delete) yaml_event_t end = { 0 };
	CLEANUP(yaml_event_delete) yaml_event_t after = { 0 };

	if (next(s, &end) < 0 || next(s, &after) < 0)
		return s->err->code;
	if (after.type != YAML_STREAM_END_EVENT)
		return refuse(s, &after, "a second document ('---') is not allowed", "one file holds one policy");
	return 0;
}

static int parse_source(struct source *s, struct node *root)
{
	CLEANUP(yaml_event_delete) yaml_event_t event = { 0 };

	yaml_parser_set_encoding(&s->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&s->parser, (const unsigned char *)s->ptr, s->len);
	if (document_start(s) < 0 || next(s, &event) < 0 || build(s, &event, 1, root) < 0)
		return s->err->code;
	return document_end(s);
}

int node_parse(const char *name, const char *ptr, size_t len, struct node **ret, struct err *err)
{
	struct source s = { .name = name, .ptr = ptr, .len = len, .err = err };
	struct node *root;

	if (len > POLICY_MAX)
		return node_error(name, (struct pos){ 1, 1 }, err, "larger than %d KiB", POLICY_MAX / 1024);
	if (check_bytes(&s) < 0)
		return err->code;
	if (!yaml_parser_initialize(&s.parser))
		return err_set(err, ERR_LIMIT, "%s: out of memory", name);
	root = xcalloc(1, sizeof(*root));
	if (parse_source(&s, root) < 0) {
		node_free(root);
		yaml_parser_delete(&s.parser);
		return err->code;
	}
	yaml_parser_delete(&s.parser);
	*ret = root;
	return 0;
}

static void clear(struct node *node)
{
	for (size_t i = 0; i < node->n; i++)
		clear(&node->v[i]);
	free(node->v);
	free(node->text);
	free(node->key);
}

void node_free(struct node *node)
{
	if (!node)
		return;
	clear(node);
	free(node);
}
