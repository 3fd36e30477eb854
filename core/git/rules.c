/*
 * rules.c - which rules hold where, and what gitignore(5) makes of them.
 */
#include <stdlib.h>

#include "base/io.h"
#include "base/path.h"
#include "git/rules.h"

#define RULES_MAX ((size_t)16 << 20)

static void patterns_free(struct patterns *l)
{
	for (size_t i = 0; i < l->n; i++)
		pattern_free(&l->v[i]);
	free(l->v);
	*l = (struct patterns){ 0 };
}

/* Spaces at the end do not count, unless a backslash holds them. */
static size_t trim(const char *line, size_t len)
{
	size_t keep = 0;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\\' && i + 1 < len)
			i++;
		else if (line[i] == ' ')
			continue;
		keep = i + 1;
	}
	return keep;
}

static size_t skip_bom(const char *text, size_t len)
{
	return len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}

static void patterns_parse(const char *text, size_t len, struct patterns *ret)
{
	const char *end = text + len, *eol;

	for (text += skip_bom(text, len); text < end; text = eol + 1) {
		size_t n;

		eol = memchr(text, '\n', (size_t)(end - text));
		eol = eol ? eol : end;
		n = (size_t)(eol - text);
		n -= n && eol < end && eol[-1] == '\r';
		n = trim(text, strnlen(text, n));
		if (!n || *text == '#')
			continue;
		GROW(ret->v, ret->n, ret->alloc);
		pattern_parse(text, n, &ret->v[ret->n++]);
	}
}

static void level_free(struct level *l)
{
	free(l->dir);
	patterns_free(&l->ignore);
	attr_lines_free(&l->attrs);
}

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	while (rules->n)
		level_free(&rules->v[--rules->n]);
	free(rules->v);
	patterns_free(&rules->excludes);
	patterns_free(&rules->info_exclude);
	attr_lines_free(&rules->system);
	attr_lines_free(&rules->user);
	attr_lines_free(&rules->info);
	free(rules);
}

static void rules_drop(struct rules **rules)
{
	rules_free(*rules);
}

/* A rule file of the directory `tree`; a link or anything else that is no regular file counts for nothing, as with git. */
static int read_in_tree(struct rules *rules, const struct oid *tree, const char *name, struct str *ret, struct err *err)
{
	struct tree_entry entry;

	if (oid_is_zero(tree))
		return 0;
	if (tree_lookup(rules->repo, tree, name, &entry, err) < 0)
		return err->code;
	if ((entry.mode & 0170000u) != 0100000u)
		return 0;
	return repo_read_blob(rules->repo, &entry.id, RULES_MAX, ret, err);
}

/* Does any list have a word on it? The nearest directory's last matching line decides. */
static const struct pattern *last_match(const struct patterns *l, const struct subject *s, size_t base, bool icase)
{
	for (size_t i = l->n; i-- > 0;)
		if (pattern_match(&l->v[i], s, base, icase))
			return &l->v[i];
	return NULL;
}

/* path is in the directory of the last level. */
static bool ignored_here(const struct rules *rules, const char *path, bool is_dir)
{
	const struct subject s = { path, path_basename(path), is_dir };
	const struct pattern *found = NULL;

	for (size_t i = rules->n; i-- > 0 && !found;)
		found = last_match(&rules->v[i].ignore, &s, strlen(rules->v[i].dir), rules->icase);
	if (!found)
		found = last_match(&rules->info_exclude, &s, 0, rules->icase);
	if (!found)
		found = last_match(&rules->excludes, &s, 0, rules->icase);
	return found && !found->negative;
}

static int load(struct rules *rules, struct level *l, struct err *err)
{
	STR ignore = STR_INIT;
	STR attrs = STR_INIT;

	/* in an ignored directory nothing can be taken back, so its own list is never asked */
	if (!l->ignored && read_in_tree(rules, &l->tree, ".gitignore", &ignore, err) < 0)
		return err->code;
	if (read_in_tree(rules, &l->tree, ".gitattributes", &attrs, err) < 0)
		return err->code;
	patterns_parse(ignore.buf, ignore.len, &l->ignore);
	attr_lines_parse(attrs.buf, attrs.len, !*l->dir, &l->attrs);
	return 0;
}

static int push(struct rules *rules, const char *path, size_t len, const struct oid *root, struct err *err)
{
	struct level l = { .dir = xstrndup(path, len), .tree = *root };
	struct tree_entry entry;

	if (rules->n) {
		const struct level *up = &rules->v[rules->n - 1];

		l.ignored = up->ignored || ignored_here(rules, l.dir, true);
		l.tree = (struct oid){ 0 };
		if (!oid_is_zero(&up->tree) && tree_lookup(rules->repo, &up->tree, path_basename(l.dir), &entry, err) < 0) {
			level_free(&l);
			return err->code;
		}
		if (!oid_is_zero(&up->tree) && entry.mode == TREE_DIR)
			l.tree = entry.id;
	}
	if (load(rules, &l, err) < 0) {
		level_free(&l);
		return err->code;
	}
	GROW(rules->v, rules->n, rules->alloc);
	rules->v[rules->n++] = l;
	return 0;
}

static bool within(const char *dir, const char *path)
{
	size_t len = strlen(dir);

	return !len || (!strncmp(dir, path, len) && path[len] == '/');
}

int rules_enter(struct rules *rules, const char *path, struct err *err)
{
	const char *slash;
	size_t len;

	while (rules->n > 1 && !within(rules->v[rules->n - 1].dir, path))
		level_free(&rules->v[--rules->n]);
	len = strlen(rules->v[rules->n - 1].dir);
	for (slash = strchr(path + len + (len > 0), '/'); slash; slash = strchr(slash + 1, '/'))
		if (push(rules, path, (size_t)(slash - path), &rules->v[0].tree, err) < 0)
			return err->code;
	return 0;
}

int rules_ignored(struct rules *rules, const char *path, bool is_dir, bool *ret, struct err *err)
{
	if (rules_enter(rules, path, err) < 0)
		return err->code;
	*ret = rules->v[rules->n - 1].ignored || ignored_here(rules, path, is_dir);
	return 0;
}

/* "~/x" and, for what git leaves relative, the checkout's root. */
static char *expand(struct repo *repo, const char *path)
{
	const char *home = getenv("HOME");

	if (starts_with(path, "~/") && home)
		return path_join(home, path + 2);
	return path_join(repo->work_dir ? repo->work_dir : repo->common_dir, path);
}

static char *user_file(struct repo *repo, const char *key, const char *name)
{
	const char *set = repo_setting(repo, key), *xdg = getenv("XDG_CONFIG_HOME");

	if (set)
		return expand(repo, set);
	if (xdg && *xdg)
		return xasprintf("%s/git/%s", xdg, name);
	return getenv("HOME") ? xasprintf("%s/.config/git/%s", getenv("HOME"), name) : NULL;
}

static int read_file(char *path, struct str *ret, struct err *err)
{
	int rc = path ? io_read_file(path, RULES_MAX, ret, err) : 0;

	free(path);
	if (rc < 0 && err->code == ERR_LIMIT)
		return rc;
	return 0;	/* not there, or not for us to read: git goes on without it, too */
}

static int load_ignores(struct rules *rules, struct err *err)
{
	STR user = STR_INIT;
	STR info = STR_INIT;

	if (read_file(user_file(rules->repo, "core.excludesfile", "ignore"), &user, err) < 0 ||
	    read_file(path_join(rules->repo->common_dir, "info/exclude"), &info, err) < 0)
		return err->code;
	patterns_parse(user.buf, user.len, &rules->excludes);
	patterns_parse(info.buf, info.len, &rules->info_exclude);
	return 0;
}

static int load_attrs(struct rules *rules, struct err *err)
{
	STR system = STR_INIT;
	STR user = STR_INIT;
	STR info = STR_INIT;

	if ((!getenv("GIT_ATTR_NOSYSTEM") && read_file(xstrdup("/etc/gitattributes"), &system, err) < 0) ||
	    read_file(user_file(rules->repo, "core.attributesfile", "attributes"), &user, err) < 0 ||
	    read_file(path_join(rules->repo->common_dir, "info/attributes"), &info, err) < 0)
		return err->code;
	attr_lines_parse(system.buf, system.len, true, &rules->system);
	attr_lines_parse(user.buf, user.len, true, &rules->user);
	attr_lines_parse(info.buf, info.len, true, &rules->info);
	return 0;
}

int rules_open(struct repo *repo, const struct oid *tree, struct rules **ret, struct err *err)
{
	CLEANUP(rules_drop) struct rules *rules = xcalloc(1, sizeof(*rules));

	rules->repo = repo;
	rules->icase = repo_setting_bool(repo, "core.ignorecase", false);
	if (load_ignores(rules, err) < 0 || load_attrs(rules, err) < 0 || push(rules, "", 0, tree, err) < 0)
		return err->code;
	*ret = rules;
	rules = NULL;
	return 0;
}
