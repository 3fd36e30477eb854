/*
 * setting.c - what git's configuration says, in git's own words; and who the user is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/path.h"
#include "git/cli.h"
#include "git/internal.h"

static int by_key(const void *a, const void *b)
{
	const struct setting *x = a, *y = b;
	int cmp = strcmp(x->key, y->key);

	return cmp ? cmp : (x->nth > y->nth) - (x->nth < y->nth);
}

/* "key\nvalue", or "key" alone where the file gives no value: that means true. */
static void add(struct repo *repo, const char *item, size_t *alloc)
{
	size_t len = strcspn(item, "\n");
	struct setting *s;

	GROW(repo->settings, repo->n_settings, *alloc);
	s = &repo->settings[repo->n_settings];
	s->key = xstrndup(item, len);
	s->value = xstrdup(item[len] ? item + len + 1 : "true");
	s->nth = repo->n_settings++;
}

static void load(struct repo *repo)
{
	static const char *const args[] = { "config", "-z", "--get-regexp", ".", NULL };
	STR out = STR_INIT;
	int status = 0;
	const struct git_run run = { .git_dir = repo->git_dir, .keep_env = repo->keep_env, .ret_exit = &status };
	struct err ignored;
	size_t alloc = 0;

	repo->have_settings = true;
	if (git_cli(&run, args, &out, &ignored) < 0)
		return;		/* a broken configuration stops git itself with a message at the first real work */
	for (size_t at = 0; at < out.len; at += strlen(out.buf + at) + 1)
		add(repo, out.buf + at, &alloc);
	if (repo->n_settings)
		qsort(repo->settings, repo->n_settings, sizeof(*repo->settings), by_key);
}

const char *repo_setting(struct repo *repo, const char *key)
{
	size_t lo = 0, hi;

	if (!repo->have_settings)
		load(repo);
	for (hi = repo->n_settings; lo < hi;) {		/* ends behind the last one of this key */
		size_t mid = (lo + hi) / 2;

		if (strcmp(repo->settings[mid].key, key) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && !strcmp(repo->settings[lo - 1].key, key) ? repo->settings[lo - 1].value : NULL;
}

bool repo_setting_bool(struct repo *repo, const char *key, bool fallback)
{
	const char *value = repo_setting(repo, key);
	int64_t number;

	if (!value)
		return fallback;
	if (!strcasecmp(value, "true") || !strcasecmp(value, "yes") || !strcasecmp(value, "on"))
		return true;
	if (!*value || !strcasecmp(value, "false") || !strcasecmp(value, "no") || !strcasecmp(value, "off"))
		return false;
	return num_parse_int(value, strlen(value), &number) ? number != 0 : fallback;
}

/* Git takes a relative one from the top of the checkout, and any number of slashes and dots between its parts. */
char *repo_tracked_hooks(struct repo *repo)
{
	const char *path = repo_setting(repo, "core.hookspath"), *top = repo_work_dir(repo);
	STR clean = STR_INIT;

	if (!path || !top || (path[0] == '/' && !path_is_within(path, top)))
		return NULL;
	for (path += path[0] == '/' ? strlen(top) : 0; *path; path += strcspn(path, "/")) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len && (len != 1 || *path != '.'))
			str_printf(&clean, "%s%.*s", clean.len ? "/" : "", (int)len, path);
	}
	return path_is_canonical(clean.buf) ? str_detach(&clean) : NULL;
}

static int no_ident(struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "git does not know who you are, and commits need a name and an address");
	err_hint(err, "git config --global user.name \"Your Name\"");
	return err_hint(err, "git config --global user.email you@example.com");
}

static int ask_ident(struct repo *repo, struct err *err)
{
	static const char *const args[] = { "var", "GIT_COMMITTER_IDENT", NULL };
	STR out = STR_INIT;
	int status = 0;
	const struct git_run run = { .git_dir = repo->git_dir, .keep_env = repo->keep_env, .ret_exit = &status };
	const char *open, *close;

	if (git_cli(&run, args, &out, err) < 0)
		return err->code;
	open = strchr(out.buf, '<');
	close = open ? strchr(open, '>') : NULL;
	if (status || !close || open - out.buf < 2)
		return no_ident(err);
	repo->ident.name = xstrndup(out.buf, (size_t)(open - out.buf) - 1);
	repo->ident.mail = xstrndup(open + 1, (size_t)(close - open) - 1);
	return 0;
}

/* The time is the harness's own clock: a record is not dated by the environment. */
int repo_ident(struct repo *repo, struct ident *ret, struct err *err)
{
	struct tm local;
	time_t now;

	if (!repo->ident.name && ask_ident(repo, err) < 0)
		return err->code;
	ident_copy(&repo->ident, ret);
	ret->when = clock_wall() / NS_PER_S;
	now = (time_t)ret->when;
	ret->offset = localtime_r(&now, &local) ? (int)(local.tm_gmtoff / 60) : 0;
	return 0;
}
