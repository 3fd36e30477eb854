/*
 * The nodes of harness.yaml and the key tables make a struct policy.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/read.h"

#define MAPS_MAX 128	/* stages, guards, parameters: each is compared with each */

int read_error(struct reader *r, struct pos pos, const char *fmt, ...)
{
	STR text = STR_MAX(sizeof(r->err->msg) - 1);
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&text, fmt, ap);
	va_end(ap);
	if (r->path.len == 0)
		return node_error(r->name, pos, r->err, "the policy %s", text.buf);
	return node_error(r->name, pos, r->err, "'%s' %s", r->path.buf, text.buf);
}

const struct pos *mark_find(const struct reader *r, const char *path)
{
	for (size_t i = 0; i < r->n_marks; i++)
		if (strcmp(r->marks[i].path, path) == 0)
			return &r->marks[i].pos;
	return NULL;
}

static void mark_add(struct reader *r, struct pos pos)
{
	GROW(r->marks, r->n_marks, r->alloc_marks);
	r->marks[r->n_marks++] = (struct mark){ xstrdup(r->path.buf), pos };
}

static void reader_free(struct reader *r)
{
	for (size_t i = 0; i < r->n_marks; i++)
		free(r->marks[i].path);
	free(r->marks);
	str_free(&r->path);
}

/* Go into a member; returns what path_leave() needs. */
static size_t path_enter(struct reader *r, const char *name)
{
	size_t was = r->path.len;

	str_printf(&r->path, "%s%s", was ? "." : "", name);
	return was;
}

static void path_leave(struct reader *r, size_t was)
{
	str_truncate(&r->path, was);
}

static int unknown_key(struct reader *r, const struct key *keys, const struct node *node)
{
	STR known = STR_INIT;
	STR map = STR_INIT;
	const char *names[32], *near;
	size_t n = 0;

	for (const struct key *k = keys; k->name && n < ARRAY_SIZE(names); k++)
		names[n++] = k->name;
	if (r->path.len)
		node_error(r->name, node->key_pos, r->err, "unknown key '%s' in '%s'", node_text(node->key).s, r->path.buf);
	else
		node_error(r->name, node->key_pos, r->err, "unknown key '%s'", node_text(node->key).s);
	if (key_elsewhere(node->key, &map))
		return map.len ? err_hint(r->err, "'%s' belongs in '%s'", node->key, map.buf)
			       : err_hint(r->err, "'%s' belongs at the top of the file", node->key);
	near = text_nearest(node->key, names, n);
	if (near)
		return err_hint(r->err, "did you mean '%s'?", near);
	for (size_t i = 0; i < n; i++)
		str_printf(&known, "%s%s", i ? ", " : "", names[i]);
	return err_hint(r->err, "the keys here are %s", known.buf);
}

static const struct node *member(const struct node *map, const char *name)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->v[i].key, name) == 0)
			return &map->v[i];
	return NULL;
}

static int check_given(struct reader *r, const struct key *keys, const char *const *one_of, const struct node *map)
{
	STR all = STR_INIT;

	for (const struct key *k = keys; k->name; k++)
		if ((k->flags & KEY_REQUIRED) && !member(map, k->name)) {
			read_error(r, map->pos, "has no '%s'", k->name);
			return err_hint(r->err, "%s: %s", k->name, k->help);
		}
	if (!one_of)
		return 0;
	for (const char *const *name = one_of; *name; name++) {
		if (member(map, *name))
			return 0;
		str_printf(&all, "%s'%s'", name == one_of ? "" : name[1] ? ", " : " or ", *name);
	}
	return read_error(r, map->pos, "needs %s", all.buf);
}

/* Every key at its default, in a struct that holds nothing yet. */
static void set_defaults(struct reader *r, const struct key *keys, void *obj)
{
	for (const struct key *k = keys; k->name; k++) {
		struct node as_written = { .kind = NODE_SCALAR, .plain = true, .text = (char *)k->fallback };

		if (k->type == KEY_MAP)
			set_defaults(r, k->sub, (char *)obj + k->offset);
		else if (k->fallback)
			value_read(r, k, obj, &as_written);
	}
}

static int read_map(struct reader *r, const struct key *keys, const char *const *one_of, void *obj, const struct node *node);

static int read_maps(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	size_t *n = (size_t *)(void *)((char *)obj + key->count);
	char *list;

	if (node->kind != NODE_LIST)
		return read_error(r, node->pos, "must be a list of maps, each begun by '- '");
	if (node->n == 0 && (key->flags & KEY_NOT_EMPTY))
		return read_error(r, node->pos, "must not be empty");
	if (node->n > MAPS_MAX)
		return read_error(r, node->v[MAPS_MAX].pos, "has more than %d entries", MAPS_MAX);
	list = xcalloc(node->n + 1, key->elem);
	*(char **)(void *)((char *)obj + key->offset) = list;
	for (size_t i = 0; i < node->n; i++) {
		char *element = list + i * key->elem;
		size_t was = r->path.len;
		int status;

		key_clear(key->sub, element);
		set_defaults(r, key->sub, element);
		*n = i + 1;
		if (key->elem_pos)
			*(struct pos *)(void *)(element + key->elem_pos) = node->v[i].pos;
		str_printf(&r->path, "[%zu]", i);
		mark_add(r, node->v[i].pos);
		status = read_map(r, key->sub, key->one_of, element, &node->v[i]);
		path_leave(r, was);
		if (status < 0)
			return status;
	}
	return 0;
}

static int read_member(struct reader *r, const struct key *key, void *obj, const struct node *node)
{
	mark_add(r, node->key_pos);
	if (key->type == KEY_MAP)
		return read_map(r, key->sub, key->one_of, (char *)obj + key->offset, node);
	if (key->type == KEY_MAPS)
		return read_maps(r, key, obj, node);
	return value_read(r, key, obj, node);
}

static int read_map(struct reader *r, const struct key *keys, const char *const *one_of, void *obj, const struct node *node)
{
	if (node->kind != NODE_MAP)
		return read_error(r, node->pos, "must be a map of 'key: value'");
	for (size_t i = 0; i < node->n; i++) {
		const struct key *key = key_find(keys, node->v[i].key);
		size_t was = r->path.len;
		int status;

		if (!key)
			return unknown_key(r, keys, &node->v[i]);
		path_enter(r, key->name);
		status = read_member(r, key, obj, &node->v[i]);
		path_leave(r, was);
		if (status < 0)
			return status;
	}
	return check_given(r, keys, one_of, node);
}

static int read_policy(struct reader *r, const struct node *root, struct policy *p)
{
	set_defaults(r, policy_keys, p);
	if (read_map(r, policy_keys, NULL, p, root) < 0 || policy_validate(r, p) < 0)
		return r->err->code;
	policy_remarks(r, p);
	return 0;
}

int policy_parse(const char *name, const char *ptr, size_t len, struct policy **ret, struct err *err)
{
	CLEANUP(reader_free) struct reader r = { .name = name, .path = STR_INIT, .err = err };
	struct node *root;
	struct policy *p;
	int status;

	if (node_parse(name, ptr, len, &root, err) < 0)
		return err->code;
	p = xcalloc(1, sizeof(*p));
	key_clear(policy_keys, p);
	status = read_policy(&r, root, p);
	node_free(root);
	if (status < 0)
		policy_free(p);
	else
		*ret = p;
	return status;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	key_free(policy_keys, p);
	strs_free(&p->unsupported);
	strs_free(&p->unenforced);
	strs_free(&p->warnings);
	free(p);
}

static void add_once(struct strs *list, const char *name)
{
	if (!strs_has(list, name))
		strs_add(list, name);
}

/* The holdout's is not among them: its own command prints it. */
void policy_metrics(const struct policy *p, struct strs *ret)
{
	add_once(ret, p->goal.metric);
	for (size_t i = 0; i < p->n_guards; i++)
		add_once(ret, p->guards[i].metric);
	for (size_t i = 0; i < p->escalate.n_outside; i++)
		add_once(ret, p->escalate.outside[i].metric);
}

int policy_compare(const struct policy *a, const struct policy *b)
{
	static const char *const measured[] = { "goal", "execute", "evaluate", "guards", "holdout", "decide", "workspace" };
	int ret = 0;

	for (const struct key *k = policy_keys; k->name; k++) {
		int bit = POLICY_OTHER;

		if (key_equal(k, a, b))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(measured); i++)
			if (strcmp(measured[i], k->name) == 0)
				bit = POLICY_MEASURE_AGAIN;
		ret |= bit;
	}
	return ret;
}

const char *agent_kind_name(enum agent_kind kind)
{
	return word_name(agent_words, (int)kind);
}
