/*
 * clean.c - a working directory's bytes as git would store them: line ends, then "$Id$". Where a program of the user's or another
 * encoding would have to do it, nothing is done and the attribute is named.
 */
#include <strings.h>

#include "base/path.h"
#include "git/rules.h"

enum { TEXT, CRLF, EOL, IDENT, FILTER, ENCODING, N_ATTRS };

enum crlf { KEEP, AUTO, CONVERT };

/* git's own measure of a text: what makes it binary, and how its lines end. */
struct stats {
	size_t nul, lone_cr, crlf, printable, other;
};

static void count_byte(struct stats *s, unsigned char c)
{
	if (c == 127 || (c < 32 && !strchr("\b\t\033\014", c)))
		s->other++;
	else if (c)
		s->printable++;
	if (!c) {
		s->nul++;
		s->other++;
	}
}

static struct stats gather(const char *ptr, size_t len)
{
	struct stats s = { 0 };

	for (size_t i = 0; i < len; i++) {
		if (ptr[i] == '\r' && i + 1 < len && ptr[i + 1] == '\n') {
			s.crlf++;
			i++;
		} else if (ptr[i] == '\r') {
			s.lone_cr++;
		} else if (ptr[i] != '\n') {
			count_byte(&s, (unsigned char)ptr[i]);
		}
	}
	if (len && ptr[len - 1] == '\032')	/* an end-of-file mark of old */
		s.other--;
	return s;
}

static bool binary(const struct stats *s)
{
	return s->lone_cr || s->nul || s->printable >> 7 < s->other;
}

static enum crlf from_text(const struct attr *a, bool *ret_known)
{
	*ret_known = true;
	if (a->state == ATTR_TRUE || (a->state == ATTR_VALUE && !strcmp(a->value, "input")))
		return CONVERT;
	if (a->state == ATTR_FALSE)
		return KEEP;
	if (a->state == ATTR_VALUE && !strcmp(a->value, "auto"))
		return AUTO;
	*ret_known = false;
	return KEEP;
}

static bool is_value(const struct attr *a, const char *x, const char *y)
{
	return a->state == ATTR_VALUE && (!strcmp(a->value, x) || !strcmp(a->value, y));
}

static enum crlf crlf_action(struct repo *repo, const struct attr *v)
{
	const char *autocrlf;
	bool set;
	enum crlf action = from_text(&v[TEXT], &set);

	if (!set)
		action = from_text(&v[CRLF], &set);
	if (set && action == KEEP)
		return KEEP;
	if (!(set && action == AUTO) && is_value(&v[EOL], "lf", "crlf"))
		return CONVERT;
	if (set)
		return action;
	autocrlf = repo_setting(repo, "core.autocrlf");
	if (autocrlf && !strcasecmp(autocrlf, "input"))
		return AUTO;
	return repo_setting_bool(repo, "core.autocrlf", false) ? AUTO : KEEP;
}

/* A text that is stored with CRLF stays so: with "auto" git does not rewrite what it once took as it was. */
static int stored_with_crlf(struct rules *rules, const char *path, bool *ret, struct err *err)
{
	CLEANUP(object_drop) struct object object = { 0 };
	const struct oid *dir = &rules->v[rules->n - 1].tree;
	struct tree_entry entry = { 0 };
	struct stats s;

	*ret = false;
	if (!oid_is_zero(dir) && tree_lookup(rules->repo, dir, path_basename(path), &entry, err) < 0)
		return err->code;
	if ((entry.mode & 0170000u) != 0100000u)
		return 0;
	if (object_read(rules->repo, &entry.id, GIT_OBJECT_BLOB, &object, err) < 0)
		return err->code;
	s = gather(object.ptr, object.len);
	*ret = s.crlf && !binary(&s);
	return 0;
}

static void drop_cr(const char *ptr, size_t len, struct str *ret)
{
	for (size_t i = 0, start = 0; i < len; i++) {
		bool at = ptr[i] == '\r' && i + 1 < len && ptr[i + 1] == '\n';

		if (at || i + 1 == len)
			str_add(ret, ptr + start, i - start + !at);
		if (at)
			start = i + 1;
	}
}

/* "$Id: anything on this line $" back to "$Id$". */
static void fold_ident(const char *ptr, size_t len, struct str *ret)
{
	const char *end = ptr + len, *dollar;

	while ((dollar = memchr(ptr, '$', (size_t)(end - ptr))) != NULL) {
		const char *close;

		str_add(ret, ptr, (size_t)(dollar + 1 - ptr));
		ptr = dollar + 1;
		if (end - ptr <= 3 || memcmp(ptr, "Id:", 3))
			continue;
		close = memchr(ptr + 3, '$', (size_t)(end - ptr - 3));
		if (!close)
			break;
		if (memchr(ptr + 3, '\n', (size_t)(close - ptr - 3)))
			continue;
		str_puts(ret, "Id$");
		ptr = close + 1;
	}
	str_add(ret, ptr, (size_t)(end - ptr));
}

static const char *refused(const struct attr *v)
{
	if (v[FILTER].state == ATTR_VALUE)
		return "filter";
	if (v[ENCODING].state == ATTR_VALUE && *v[ENCODING].value && strcasecmp(v[ENCODING].value, "UTF-8") &&
	    strcasecmp(v[ENCODING].value, "UTF8"))
		return "working-tree-encoding";
	return NULL;
}

static int must_convert(struct rules *rules, const char *path, const struct attr *v, const char *ptr, size_t len, bool *ret, struct err *err)
{
	enum crlf action = crlf_action(rules->repo, v);
	struct stats s;
	bool keep = false;

	*ret = false;
	if (action == KEEP || !len)
		return 0;
	s = gather(ptr, len);
	if (!s.crlf || (action == AUTO && binary(&s)))
		return 0;
	if (action == AUTO && stored_with_crlf(rules, path, &keep, err) < 0)
		return err->code;
	*ret = !keep;
	return 0;
}

static int ask(struct rules *rules, const char *path, struct attr *v, struct err *err)
{
	static const char *const names[N_ATTRS] = { "text", "crlf", "eol", "ident", "filter", "working-tree-encoding" };

	if (rules_enter(rules, path, err) < 0)
		return err->code;
	for (size_t i = 0; i < N_ATTRS; i++)
		v[i] = (struct attr){ .name = (char *)names[i] };
	attr_query(rules, path, v, N_ATTRS);
	return 0;
}

int rules_plain(struct rules *rules, const char *path, bool *ret, struct err *err)
{
	const char *autocrlf = repo_setting(rules->repo, "core.autocrlf"), *eol = repo_setting(rules->repo, "core.eol");
	struct attr v[N_ATTRS];

	if (ask(rules, path, v, err) < 0)
		return err->code;
	*ret = !refused(v) && v[IDENT].state != ATTR_TRUE && !is_value(&v[EOL], "crlf", "crlf") &&
	       (!autocrlf || !strcasecmp(autocrlf, "input") || !repo_setting_bool(rules->repo, "core.autocrlf", false)) &&
	       (!eol || strcasecmp(eol, "crlf"));
	return 0;
}

int rules_clean(struct rules *rules, const char *path, const void *ptr, size_t len, struct str *ret,
		const char **ret_refused, struct err *err)
{
	struct attr v[N_ATTRS];
	STR lines = STR_MAX(len + 1);
	bool convert;

	if (ask(rules, path, v, err) < 0)
		return err->code;
	*ret_refused = refused(v);
	if (must_convert(rules, path, v, ptr, len, &convert, err) < 0)
		return err->code;
	if (*ret_refused || !convert)
		str_add(&lines, ptr, len);
	else
		drop_cr(ptr, len, &lines);
	if (*ret_refused || v[IDENT].state != ATTR_TRUE)
		str_add(ret, lines.buf, lines.len);
	else
		fold_ident(lines.buf, lines.len, ret);
	return ret->cut ? err_set(err, ERR_LIMIT, "'%s' does not fit", path) : 0;
}
