#include "git/repo.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "git/cli.h"
#include "git/internal.h"

static void repo_drop(struct repo **repo)
{
	repo_free(*repo);
}

void repo_free(struct repo *repo)
{
	if (!repo)
		return;
	git_odb_free(repo->odb);
	git_repository_free(repo->git);
	free(repo->common_dir);
	free(repo->git_dir);
	free(repo->work_dir);
	free(repo->prefix);
	free(repo->state_dir);
	free(repo->note_ref);
	for (size_t i = 0; i < repo->n_settings; i++) {
		free(repo->settings[i].key);
		free(repo->settings[i].value);
	}
	free(repo->settings);
	ident_free(&repo->ident);
	free(repo);
}

const char *repo_common_dir(const struct repo *repo)
{
	return repo->common_dir;
}

const char *repo_git_dir(const struct repo *repo)
{
	return repo->git_dir;
}

const char *repo_work_dir(const struct repo *repo)
{
	return repo->work_dir;
}

const char *repo_prefix(const struct repo *repo)
{
	return repo->prefix;
}

const char *repo_state_dir(const struct repo *repo)
{
	return repo->state_dir;
}

char *without_slash(const char *path)
{
	size_t len = path ? strlen(path) : 0;

	while (len > 1 && path[len - 1] == '/')
		len--;
	return path ? xstrndup(path, len) : NULL;
}

/* The one word of libgit2's message that names what it does not know. */
static void unknown_extension(const char *message, char *ret, size_t size)
{
	const char *at = strstr(message, "extensions.");
	size_t len = 0;

	for (at = at ? at + strlen("extensions.") : "?"; *at && !isspace((unsigned char)*at) && len + 1 < size; at++)
		ret[len++] = *at;
	ret[len] = '\0';
}

static int explain_open(const char *start, struct err *err)
{
	const git_error *last = git_error_last();
	AUTOFREE char *text = xstrdup(last && last->message ? last->message : "");
	char name[64];

	git_error_clear();
	if (strcasestr(text, "objectformat") || strcasestr(text, "object format") || strcasestr(text, "sha256"))
		return err_set(err, ERR_GIT, "this repository uses SHA-256 object names, which git harness cannot read");
	if (strcasestr(text, "refstorage"))
		return err_set(err, ERR_GIT, "this repository keeps its refs in another format (extensions.refStorage), which git harness cannot read");
	if (strcasestr(text, "unsupported extension")) {
		unknown_extension(text, name, sizeof(name));
		return err_set(err, ERR_GIT, "this repository needs the extension '%s', which git harness does not know", name);
	}
	return err_set(err, ERR_GIT, "cannot open the repository at '%s': %s", start, text);
}

static void set_dirs(struct repo *repo)
{
	repo->git_dir = without_slash(git_repository_path(repo->git));
	repo->common_dir = without_slash(git_repository_commondir(repo->git));
	repo->state_dir = xasprintf("%s/harness", repo->common_dir);
}

/* Where `start` lies in the checkout, as git shows it: "" or "sub/". */
static char *prefix_of(const char *work_dir, const char *git_dir, const char *start)
{
	AUTOFREE char *here = realpath(start, NULL);
	size_t len = work_dir ? strlen(work_dir) : 0;

	if (!here || !len || strncmp(here, work_dir, len) || here[len] != '/' || path_is_within(here, git_dir))
		return xstrdup("");
	return xasprintf("%s/", here + len + 1);
}

/* Splits git's answer in its lines, exactly n of them. */
static bool split_lines(char *text, char **line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *end = strchr(text, '\n');

		if (!end)
			return false;
		*end = '\0';
		line[i] = text;
		text = end + 1;
	}
	return !*text;
}

static int ask_work_dir(const struct repo *repo, const char *start, char **ret, struct err *err)
{
	static const char *const args[] = { "rev-parse", "--path-format=absolute", "--show-toplevel", NULL };
	STR out = STR_INIT;
	int status = 0;
	const struct git_run run = { .dir = start, .keep_env = repo->keep_env, .ret_exit = &status };

	if (git_cli(&run, args, &out, err) < 0)
		return err->code;
	str_truncate(&out, out.len ? out.len - 1 : 0);
	*ret = status || !out.len ? NULL : xstrdup(out.buf);
	return 0;
}

/* git said why not; its own name for the question helps nobody. */
static int refused(const char *start, struct err *err)
{
	static const char front[] = "git rev-parse: ";

	if (!starts_with(err->msg, front))
		return err->code;
	memmove(err->msg, err->msg + strlen(front), strlen(err->msg + strlen(front)) + 1);
	if (!strstr(err->msg, "dubious ownership"))
		return err->code;
	return err_hint(err, "if you trust it: git config --global --add safe.directory \"$(cd '%s' && pwd)\"", start);
}

/*
 * git's word on where things are, for all that libgit2 does not follow: GIT_DIR and its sisters, config.worktree, safe.directory (it
 * stands in files libgit2 is kept from), safe.bareRepository. What git accepts is then opened without a second opinion on its owner.
 */
static int open_asked(struct repo *repo, const char *start, struct err *err)
{
	static const char *const args[] = { "rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir",
					    "--is-bare-repository", "--show-prefix", NULL };
	const struct git_run run = { .dir = start, .keep_env = repo->keep_env };
	AUTOFREE char *common = NULL;
	STR out = STR_INIT;
	char *line[4];
	int rc;

	if (git_cli(&run, args, &out, err) < 0)
		return refused(start, err);
	if (!split_lines(out.buf, line, ARRAY_SIZE(line)))
		return err_set(err, ERR_GIT, "cannot understand where git says the repository is (is git older than 2.31?)");
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	rc = git_repository_open_ext(&repo->git, line[0], GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_NO_DOTGIT, NULL);
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 1);
	if (rc < 0)
		return explain_open(line[0], err);
	set_dirs(repo);
	common = realpath(line[1], NULL);
	if (!str_eq(common, repo->common_dir))
		return err_set(err, ERR_GIT, "GIT_COMMON_DIR is set to '%s', which git harness cannot follow", line[1]);
	if (ask_work_dir(repo, start, &repo->work_dir, err) < 0)
		return err->code;
	if (!repo->work_dir && str_eq(line[2], "false"))
		repo->work_dir = without_slash(git_repository_workdir(repo->git));
	repo->prefix = xstrdup(line[3]);
	return 0;
}

/* A bare repository may be refused by safe.bareRepository, and config.worktree may say what is bare: git knows. */
static bool better_ask(git_repository *git)
{
	git_config *config = NULL;
	int on = 0;

	if (git_repository_is_bare(git))
		return true;
	if (git_repository_config(&config, git) < 0 || git_config_get_bool(&on, config, "extensions.worktreeconfig") < 0)
		on = 0;
	git_config_free(config);
	git_error_clear();
	return on;
}

static int open_found(struct repo *repo, const char *start, struct err *err)
{
	int rc = git_repository_open_ext(&repo->git, start, 0, NULL);

	/* libgit2 1.5 calls a foreign owner "not found" where there is no global configuration to look into */
	if (rc == GIT_EOWNER || rc == GIT_ENOTFOUND || (!rc && better_ask(repo->git))) {
		git_repository_free(repo->git);
		repo->git = NULL;
		git_error_clear();
		return open_asked(repo, start, err);
	}
	if (rc < 0)
		return explain_open(start, err);
	set_dirs(repo);
	repo->work_dir = without_slash(git_repository_workdir(repo->git));
	repo->prefix = prefix_of(repo->work_dir, repo->git_dir, start);
	return 0;
}

static bool env_names_repo(void)
{
	static const char *const names[] = {
		"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getenv(names[i]))
			return true;
	return false;
}

/* A receiving git keeps what was pushed in a quarantine that these two name; it is read there and never written. */
static void add_quarantine(git_odb *odb)
{
	const char *own = getenv("GIT_OBJECT_DIRECTORY"), *more = getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");
	AUTOFREE char *list = xasprintf("%s:%s", own ? own : "", more ? more : "");
	char *save = NULL;

	for (char *dir = strtok_r(list, ":", &save); dir; dir = strtok_r(NULL, ":", &save))
		if (!access(dir, R_OK | X_OK) && git_odb_add_disk_alternate(odb, dir) < 0)
			git_error_clear();
}

int repo_open(const char *start, struct repo **ret, struct err *err)
{
	CLEANUP(repo_drop) struct repo *repo = xcalloc(1, sizeof(*repo));
	int rc;

	if (lib_init(err) < 0)
		return err->code;
	if (access(start ? start : ".", X_OK) < 0)
		return err_errno(err, "cannot open the repository at '%s'", start ? start : ".");
	repo->keep_env = !start;
	if (!start && env_names_repo())
		rc = open_asked(repo, ".", err);
	else
		rc = open_found(repo, start ? start : ".", err);
	if (rc < 0)
		return rc;
	rc = git_repository_odb(&repo->odb, repo->git);
	if (rc < 0)
		return lib_fail(err, rc, "cannot open the objects of '%s'", repo->common_dir);
	if (repo->keep_env)
		add_quarantine(repo->odb);
	*ret = repo;
	repo = NULL;
	return 0;
}
