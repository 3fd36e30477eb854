/*
 * git harness init - write harness.yaml from a template, chain the hook, show notes in git log; and say what comes next.
 * Nothing that exists is overwritten, and nothing is committed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/hook_install.h"
#include "cmd/server_install.h"
#include "git/cli.h"
#include "git/note.h"
#include "policy/policy.h"

#define TEMPLATE_FILE_MAX ((size_t)4 << 20)
#define NEXT "NEXT"	/* of a template: printed, not copied */

struct options {
	const char *template;
	bool no_hooks;
	bool no_notes;
	bool remove_hooks;
	bool server;
};

static const struct opt options[] = {
	STRING('t', "template", struct options, template, "<name>", "what to start from (default: a commented harness.yaml)"),
	FLAG(0, "no-hooks", struct options, no_hooks, "leave the pre-commit hook alone"),
	FLAG(0, "no-notes", struct options, no_notes, "leave notes.displayRef alone"),
	FLAG(0, "remove-hooks", struct options, remove_hooks, "take the pre-commit hook out again, and do nothing else"),
	FLAG(0, "server", struct options, server, "only install the hook that judges what is pushed to this repository"),
	END,
};

struct source {
	char *dir;		/* of the template */
	struct strs files;	/* in it, with '/' */
};

static void source_free(struct source *s)
{
	free(s->dir);
	strs_free(&s->files);
}

/* The directory of all templates: the user's own, else what came with the program. */
static int templates_dir(char **ret, struct err *err)
{
	const char *own = getenv("GIT_HARNESS_TEMPLATES");

	if (!own || !*own)
		return cmd_data("templates", ret, err);
	*ret = xstrdup(own);
	return 0;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void list_dir(const char *dir, struct strs *ret)
{
	DIR *d = opendir(dir);

	if (!d)
		return;
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			strs_add(ret, e->d_name);
	closedir(d);
	strs_sort(ret);
}

static int unknown_template(const char *all, const char *name, struct err *err)
{
	CLEANUP(strs_free) struct strs names = { 0 };
	STR known = STR_INIT;

	list_dir(all, &names);
	for (size_t i = 0; i < names.n; i++) {
		AUTOFREE char *path = xasprintf("%s/%s", all, names.v[i]);

		if (is_dir(path))
			str_printf(&known, "%s%s", known.len ? ", " : "", names.v[i]);
	}
	err_set(err, ERR_USAGE, "there is no template '%s'", name);
	return err_hint(err, "there are: %s", known.len ? known.buf : "none");
}

/* Regular files only; a template has no links. */
static void collect(const char *dir, const char *prefix, int depth, struct strs *ret)
{
	CLEANUP(strs_free) struct strs names = { 0 };

	list_dir(dir, &names);
	for (size_t i = 0; i < names.n && depth < 8; i++) {
		AUTOFREE char *path = xasprintf("%s/%s", dir, names.v[i]);
		AUTOFREE char *rel = xasprintf("%s%s%s", prefix, *prefix ? "/" : "", names.v[i]);
		struct stat st;

		if (lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			collect(path, rel, depth + 1, ret);
		else if (S_ISREG(st.st_mode) && strcmp(rel, NEXT) != 0)
			strs_add(ret, rel);
	}
}

static int find_template(const char *name, struct source *ret, struct err *err)
{
	AUTOFREE char *all = NULL;

	if (templates_dir(&all, err) < 0)
		return err->code;
	ret->dir = xasprintf("%s/%s", all, name);
	if (!*name || strchr(name, '/') || *name == '.' || !is_dir(ret->dir))
		return unknown_template(all, name, err);
	collect(ret->dir, "", 0, &ret->files);
	if (!strs_has(&ret->files, POLICY_FILE))
		return err_set(err, ERR_INVALID, "the template '%s' has no %s", name, POLICY_FILE);
	return 0;
}

static bool in_the_way(const char *top, const char *name)
{
	AUTOFREE char *path = xasprintf("%s/%s", top, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

/* All or nothing: what is in the way is found before the first file is written. */
static int refuse_existing(const char *top, const struct strs *files, struct err *err)
{
	for (size_t i = 0; i < files->n; i++)
		if (in_the_way(top, files->v[i])) {
			err_set(err, ERR_EXISTS, "'%s' is already here; nothing was written", files->v[i]);
			return err_hint(err, "a template is for an empty place; move the file away first");
		}
	return 0;
}

static int copy_file(const char *from, const char *to, struct err *err)
{
	STR text = STR_INIT;
	AUTOCLOSE int fd = -1;
	AUTOFREE char *dir = xstrndup(to, (size_t)(strrchr(to, '/') - to));
	struct stat st;

	if (stat(from, &st) < 0)
		return err_errno(err, "cannot look at '%s'", from);
	if (io_read_file(from, TEMPLATE_FILE_MAX, &text, err) < 0 || io_mkdirs(dir, 0777, err) < 0)
		return err->code;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, st.st_mode & 0100 ? 0777 : 0666);
	if (fd < 0)
		return err_errno(err, "cannot write '%s'", to);
	return io_write_fd(fd, text.buf, text.len, err);
}

static int copy_template(const char *top, const struct source *s, struct str *said, struct err *err)
{
	if (refuse_existing(top, &s->files, err) < 0)
		return err->code;
	for (size_t i = 0; i < s->files.n; i++) {
		AUTOFREE char *from = xasprintf("%s/%s", s->dir, s->files.v[i]);
		AUTOFREE char *to = xasprintf("%s/%s", top, s->files.v[i]);

		if (copy_file(from, to, err) < 0)
			return err->code;
		str_printf(said, "wrote %s\n", s->files.v[i]);
	}
	return 0;
}

/* A checkout that has a policy keeps it: its people may still want hook and notes in a new clone. */
static int write_policy(const char *top, const struct options *o, struct source *ret, struct str *said, struct err *err)
{
	if (in_the_way(top, POLICY_FILE)) {
		if (o->template) {
			err_set(err, ERR_EXISTS, "'%s' is already here; nothing was written", POLICY_FILE);
			return err_hint(err, "git harness check says whether it is valid; git harness start runs it");
		}
		str_printf(said, "%s is here already and stays as it is\n", POLICY_FILE);
		return 0;
	}
	if (find_template(o->template ? o->template : "default", ret, err) < 0)
		return err->code;
	return copy_template(top, ret, said, err);
}

/*
 * git warns of a displayRef that does not exist, and ours does not before the first baseline; of a pattern that matches
 * nothing it does not.
 */
static int show_notes(struct repo *repo, struct str *said, struct err *err)
{
	AUTOFREE char *pattern = xasprintf("%s*", note_ref(repo));
	const char *const ask[] = { "config", "--get-all", "notes.displayRef", NULL };
	const char *const add[] = { "config", "--add", "notes.displayRef", pattern, NULL };
	struct git_run run = { .dir = repo_work_dir(repo) };
	int status = 0;
	STR set = STR_INIT;

	run.ret_exit = &status;
	if (git_cli(&run, ask, &set, err) < 0)
		return err->code;
	for (char *save, *line = strtok_r(set.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strcmp(line, pattern) == 0 || strcmp(line, note_ref(repo)) == 0 || strcmp(line, "refs/notes/*") == 0) {
			str_puts(said, "git log shows the record already (notes.displayRef)\n");
			return 0;
		}
	run.ret_exit = NULL;
	if (git_cli(&run, add, NULL, err) < 0)
		return err_wrap(err, "cannot set notes.displayRef");
	str_printf(said, "set notes.displayRef=%s, so that git log shows the record\n", pattern);
	return 0;
}

static int say_next(const struct source *s, struct str *said, struct err *err)
{
	AUTOFREE char *path = s->dir ? xasprintf("%s/%s", s->dir, NEXT) : NULL;
	STR text = STR_INIT;

	if (!path) {
		str_puts(&text, "git harness check\ngit harness start\n");
	} else if (io_read_file(path, 4096, &text, err) < 0) {
		if (err->code != ERR_NOT_FOUND)
			return err->code;
		str_puts(&text, "git harness check\ngit add --all && git commit -m 'Set up git harness'\ngit harness start\n");
	}
	str_printf(said, "\nNext:\n%s", text.buf);
	return 0;
}

static int init_server(struct cmd_ctx *ctx, const struct options *o, struct err *err)
{
	STR said = STR_INIT;

	if (o->template || o->no_hooks || o->no_notes)
		return err_set(err, ERR_USAGE, "--server goes with no other option but --remove-hooks");
	if ((o->remove_hooks ? server_remove(ctx->repo, &said, err) : server_install(ctx->repo, &said, err)) < 0)
		return err->code;
	return cmd_print(&said, err);
}

static int init(struct cmd_ctx *ctx, struct err *err)
{
	const struct options *o = ctx->opts;
	const char *top = repo_work_dir(ctx->repo);
	CLEANUP(source_free) struct source source = { 0 };
	STR said = STR_INIT;

	if (o->server)
		return init_server(ctx, o, err);
	if (!top) {
		err_set(err, ERR_REFUSED, "a bare repository has no place for %s; run this in a checkout", POLICY_FILE);
		return err_hint(err, "git harness init --server has it judge what is pushed to it");
	}
	if (o->remove_hooks)
		return hook_remove(ctx->repo, &said, err) < 0 ? err->code : cmd_print(&said, err);
	if (write_policy(top, o, &source, &said, err) < 0)
		return err->code;
	if ((!o->no_hooks && hook_install(ctx->repo, &said, err) < 0) || (!o->no_notes && show_notes(ctx->repo, &said, err) < 0)) {
		/* What was written stays, and is said before the error. */
		struct err ignored;

		cmd_print(&said, &ignored);
		return err->code;
	}
	return say_next(&source, &said, err) < 0 ? err->code : cmd_print(&said, err);
}

const struct cmd cmd_init = {
	.name = "init",
	.args = "",
	.summary = "write harness.yaml, chain the hook, show notes in git log",
	.about = "Nothing that exists is overwritten. Templates: default, bench, autoresearch, tinylm.\n",
	.opts = options,
	.opts_size = sizeof(struct options),
	.min_args = 0,
	.max_args = 0,
	.needs = CMD_REPO,
	.run = init,
};
