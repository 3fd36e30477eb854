#include "cmd/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/attr.h"
#include "git/cli.h"
#include "git/commit.h"

void change_free(struct change *change)
{
	for (size_t i = 0; i < change->n_refused; i++)
		free(change->refused[i].path);
	free(change->refused);
	tree_changes_free(&change->paths);
}

static void refuse(struct change *change, const struct tree_change *c, const char *why)
{
	GROW(change->refused, change->n_refused, change->alloc_refused);
	change->refused[change->n_refused++] = (struct refused_path){ xstrdup(c->path), why, !c->old.mode };
}

/* ":100644 100644 <id> <id> M", of `git diff-index --raw`. */
static bool raw_entry(const char *text, struct tree_entry *old, struct tree_entry *new)
{
	char *end;

	if (*text != ':' || strlen(text) < 2 * 7 + 2 * (OID_HEX + 1) + 2)
		return false;
	old->mode = (uint32_t)strtoul(text + 1, &end, 8);
	if (*end != ' ')
		return false;
	new->mode = (uint32_t)strtoul(end + 1, &end, 8);
	return *end == ' ' && oid_parse(end + 1, &old->id) && oid_parse(end + 1 + OID_HEX + 1, &new->id);
}

static int raw_parse(const struct str *raw, struct tree_changes *ret, struct err *err)
{
	const char *end = raw->buf + raw->len;

	for (const char *p = raw->buf; p < end;) {
		struct tree_entry old, new;
		const char *path = p + strlen(p) + 1;

		if (path >= end || !raw_entry(p, &old, &new))
			return err_set(err, ERR_GIT, "cannot read what git says is staged");
		tree_changes_add(ret, path, &old, &new);
		p = path + strlen(path) + 1;
	}
	tree_changes_sort(ret);
	return 0;
}

/*
 * The index is read by git itself: libgit2 fails on split and sparse ones. While git commits only some paths, the index that
 * counts is a temporary one, named to the hook in GIT_INDEX_FILE.
 */
int change_staged(struct repo *repo, struct change *ret, struct err *err)
{
	static const char *const args[] = { "diff-index", "--cached", "--raw", "-z", "--no-renames", "--abbrev=40", "HEAD", "--", NULL };
	const char *index = getenv("GIT_INDEX_FILE");
	AUTOFREE char *named = index ? xasprintf("GIT_INDEX_FILE=%s", index) : NULL;
	const char *const env[] = { named, NULL };
	struct git_run run = { .dir = repo_work_dir(repo), .git_dir = repo_git_dir(repo), .env = env };
	AUTOFREE char *branch = NULL;
	STR raw = STR_INIT;

	if (!repo_work_dir(repo))
		return err_set(err, ERR_REFUSED, "nothing can be staged in a bare repository");
	if (repo_head(repo, &branch, &ret->base, err) < 0)
		return err->code;
	if (oid_is_zero(&ret->base))
		return 0;
	if (tree_of_commit(repo, &ret->base, &ret->base_tree, err) < 0 || git_cli(&run, args, &raw, err) < 0)
		return err->code;
	return raw_parse(&raw, &ret->paths, err);
}

int change_range(struct repo *repo, const char *range, struct change *ret, struct err *err)
{
	const char *dots = strstr(range, "..");
	AUTOFREE char *from = dots ? xstrndup(range, (size_t)(dots - range)) : xstrdup(range);
	const char *to = dots ? dots + (dots[2] == '.' ? 3 : 2) : "";
	struct oid start, tree;

	if (repo_resolve(repo, *from ? from : "HEAD", &start, err) < 0 || repo_resolve(repo, *to ? to : "HEAD", &ret->tip, err) < 0)
		return err->code;
	if (repo_merge_base(repo, &start, &ret->tip, &ret->base, err) < 0)
		return err_wrap(err, "cannot judge '%s'", range);
	if (tree_of_commit(repo, &ret->base, &ret->base_tree, err) < 0 || tree_of_commit(repo, &ret->tip, &tree, err) < 0)
		return err->code;
	return tree_compare(repo, &ret->base_tree, &tree, &ret->paths, err);
}

/* Only paths that `other` has as well. */
static void keep_common(struct tree_changes *paths, const struct tree_changes *other)
{
	size_t kept = 0, k = 0;

	for (size_t i = 0; i < paths->n; i++) {
		while (k < other->n && strcmp(other->v[k].path, paths->v[i].path) < 0)
			k++;
		if (k < other->n && strcmp(other->v[k].path, paths->v[i].path) == 0)
			paths->v[kept++] = paths->v[i];
		else
			free(paths->v[i].path);
	}
	paths->n = kept;
}

int change_commit(struct repo *repo, const struct oid *commit, struct change *ret, struct err *err)
{
	CLEANUP(commit_free) struct commit c = { 0 };
	const struct oid none = { 0 };

	if (commit_read(repo, commit, &c, err) < 0)
		return err->code;
	ret->tip = *commit;
	if (!c.n_parents)
		return tree_compare(repo, &none, &c.tree, &ret->paths, err);
	ret->base = c.parents[0];
	if (tree_of_commit(repo, &ret->base, &ret->base_tree, err) < 0 ||
	    tree_compare(repo, &ret->base_tree, &c.tree, &ret->paths, err) < 0)
		return err->code;
	for (size_t i = 1; i < c.n_parents; i++) {
		CLEANUP(tree_changes_free) struct tree_changes other = { 0 };
		struct oid tree;

		if (tree_of_commit(repo, &c.parents[i], &tree, err) < 0 || tree_compare(repo, &tree, &c.tree, &other, err) < 0)
			return err->code;
		keep_common(&ret->paths, &other);
	}
	return 0;
}

static int collide(void *data, const char *path, const struct tree_entry *entry, struct err *err)
{
	struct change *change = data;

	(void)entry;
	(void)err;
	for (size_t i = 0; i < change->paths.n; i++) {
		const struct tree_change *c = &change->paths.v[i];

		if (!c->old.mode && strcmp(c->path, path) != 0 && surface_collide(c->path, path))
			refuse(change, c, "the same name as a tracked file on some file systems");
	}
	return 0;
}

static int judge_paths(struct repo *repo, const struct surface *surface, struct rules *rules, struct change *change, struct err *err)
{
	bool added = false;

	for (size_t i = 0; i < change->paths.n; i++) {
		const struct tree_change *c = &change->paths.v[i];
		struct surface_change of = { .path = c->path, .old_mode = c->old.mode, .new_mode = c->new.mode };
		STR ignored = STR_INIT;
		const char *why;

		if (rules_clean(rules, c->path, "", 0, &ignored, &of.refused_attr, err) < 0)
			return err->code;
		why = surface_judge(surface, &of);
		if (why)
			refuse(change, c, why);
		added |= !why && !c->old.mode;
	}
	/* Only where files are added: the walk costs what the repository holds. */
	return added ? tree_walk(repo, &change->base_tree, collide, change, err) : 0;
}

static void close_rules(struct rules **rules)
{
	rules_free(*rules);
}

int change_judge(struct repo *repo, const struct policy *policy, struct change *change, struct err *err)
{
	CLEANUP(close_rules) struct rules *rules = NULL;
	AUTOFREE char *hooks = repo_tracked_hooks(repo);
	struct surface surface;
	struct tree_lines lines;

	surface_of(policy, hooks, &surface);
	if (rules_open(repo, &change->base_tree, &rules, err) < 0 || judge_paths(repo, &surface, rules, change, err) < 0 ||
	    tree_count_lines(repo, &change->paths, &lines, err) < 0)
		return err->code;
	change->counts = (struct surface_counts){ (int64_t)change->paths.n, lines.added + lines.deleted, lines.bytes };
	change->limit = surface_limits(policy, &change->counts);
	return 0;
}
