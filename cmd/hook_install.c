#include "cmd/hook_install.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "git/cli.h"

#define HOOK_MAX ((size_t)1 << 20)
#define OURS "# pre-commit of git harness"
#define BLOCK_BEGIN "# >>> git harness >>>\n"
#define BLOCK_END "# <<< git harness <<<\n"
#define CHAINED ".harness-chained"
#define ONE_LINE "case $(git symbolic-ref -q HEAD) in refs/heads/harness/*) git harness check --staged -q ;; esac"

struct place {
	char *dir;		/* where git looks for hooks */
	char *file;		/* dir/pre-commit */
	char *chained;
	const char *shown;	/* file, as short as it can be said */
	bool outside;		/* of this repository */
	bool exists;
	struct stat st;		/* of file itself, not of what it links to */
	struct str text;	/* of file, where it is a regular one */
};

static void place_free(struct place *p)
{
	free(p->dir);
	free(p->file);
	free(p->chained);
	str_free(&p->text);
}

static bool below(const char *path, const char *dir)
{
	return dir && starts_with(path, dir) && (path[strlen(dir)] == '/' || !path[strlen(dir)]);
}

/* As githooks(5): core.hooksPath, relative to the top of the checkout; else the hooks directory that all worktrees share. */
static char *hooks_dir(struct repo *repo)
{
	const char *set = repo_setting(repo, "core.hookspath"), *home = getenv("HOME");
	char *ret;

	if (!set || !*set)
		return xasprintf("%s/hooks", repo_common_dir(repo));
	while (starts_with(set, "./"))
		set += 2;
	if (starts_with(set, "~/") && home)
		ret = xasprintf("%s/%s", home, set + 2);
	else if (*set == '/')
		ret = xstrdup(set);
	else
		ret = xasprintf("%s/%s", repo_work_dir(repo), set);
	while (strlen(ret) > 1 && ends_with(ret, "/"))
		ret[strlen(ret) - 1] = '\0';
	return ret;
}

static int place_find(struct repo *repo, struct place *p, struct err *err)
{
	const char *top = repo_work_dir(repo);
	AUTOFREE char *real = NULL;

	p->dir = hooks_dir(repo);
	real = realpath(p->dir, NULL);
	p->outside = !below(real ? real : p->dir, top) && !below(real ? real : p->dir, repo_common_dir(repo));
	p->file = xasprintf("%s/pre-commit", p->dir);
	p->chained = xasprintf("%s%s", p->file, CHAINED);
	p->shown = below(p->file, top) ? p->file + strlen(top) + 1 : p->file;
	p->exists = lstat(p->file, &p->st) == 0;
	if (!p->exists && errno != ENOENT && errno != ENOTDIR)
		return err_errno(err, "cannot look at '%s'", p->file);
	if (p->exists && S_ISREG(p->st.st_mode) && io_read_file(p->file, HOOK_MAX, &p->text, err) < 0)
		return err->code;
	return 0;
}

/* The hook as it comes with the program, and the block in it. */
static int read_own(struct str *whole, struct str *block, struct err *err)
{
	AUTOFREE char *path = NULL;
	const char *begin, *end;

	if (cmd_data("hooks/pre-commit", &path, err) < 0 || io_read_file(path, HOOK_MAX, whole, err) < 0)
		return err->code;
	begin = strstr(whole->buf, BLOCK_BEGIN);
	end = begin ? strstr(begin, BLOCK_END) : NULL;
	if (!end)
		return err_set(err, ERR_INVALID, "'%s' has no block to install", path);
	str_add(block, begin, (size_t)(end - begin) + strlen(BLOCK_END));
	return 0;
}

/* The second line says whose the whole file is. */
static bool is_ours(const struct place *p)
{
	const char *second = p->text.len ? strchr(p->text.buf, '\n') : NULL;

	return second && starts_with(second + 1, OURS);
}

/* The block in a hook of another: its bounds, or false. */
static bool find_block(const struct str *text, size_t *begin, size_t *end)
{
	const char *from = text->len ? strstr(text->buf, BLOCK_BEGIN) : NULL;
	const char *to = from ? strstr(from, BLOCK_END) : NULL;

	if (!to)
		return false;
	*begin = (size_t)(from - text->buf);
	*end = (size_t)(to - text->buf) + strlen(BLOCK_END);
	return true;
}

/* "#!/bin/sh", "#!/usr/bin/env bash": a script that can take a block of shell. */
static bool is_shell(const struct place *p)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ash", "ksh", "zsh" };
	size_t line = strcspn(p->text.buf, "\n");
	AUTOFREE char *first = xstrndup(p->text.buf, line);
	char *save, *word;

	if (!p->text.len || !starts_with(first, "#!") || memchr(p->text.buf, '\0', p->text.len))
		return false;
	for (word = strtok_r(first + 2, " \t\r", &save); word; word = strtok_r(NULL, " \t\r", &save)) {
		const char *name = strrchr(word, '/') ? strrchr(word, '/') + 1 : word;

		for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
			if (strcmp(name, shells[i]) == 0)
				return true;
	}
	return false;
}

static int write_hook(const struct place *p, const struct str *text, mode_t mode, struct err *err)
{
	return io_replace(p->file, text->buf, text->len, (int)(mode & 0777), 0, err);
}

/* Below the first line: an `exec` or `exit` further down would keep a block at the end from ever being reached. */
static int put_block(const struct place *p, const struct str *block, struct str *ret, struct err *err)
{
	STR text = STR_INIT;
	size_t begin, end;

	if (find_block(&p->text, &begin, &end)) {
		if (end - begin == block->len && memcmp(p->text.buf + begin, block->buf, block->len) == 0) {
			str_printf(ret, "the hook %s is in place\n", p->shown);
			return 0;
		}
	} else {
		begin = end = strcspn(p->text.buf, "\n") + (strchr(p->text.buf, '\n') ? 1 : 0);
	}
	str_add(&text, p->text.buf, begin);
	if (text.len && text.buf[text.len - 1] != '\n')
		str_putc(&text, '\n');
	str_add(&text, block->buf, block->len);
	str_add(&text, p->text.buf + end, p->text.len - end);
	if (write_hook(p, &text, p->st.st_mode, err) < 0)
		return err->code;
	str_printf(ret, "added a block to your hook %s; it acts on branches below harness/ only, the rest is as it was\n", p->shown);
	return 0;
}

static int chain(const struct place *p, const struct str *whole, struct str *ret, struct err *err)
{
	if (access(p->chained, F_OK) == 0)
		return err_set(err, ERR_EXISTS, "'%s' is in the way", p->chained);
	if (rename(p->file, p->chained) < 0)
		return err_errno(err, "cannot keep '%s'", p->file);
	if (write_hook(p, whole, 0755, err) < 0) {
		if (rename(p->chained, p->file) < 0)
			return err_hint(err, "your hook is now %s", p->chained);
		return err->code;
	}
	str_printf(ret, "your hook %s is kept as %s%s, and run after ours\n", p->shown, p->shown, CHAINED);
	return 0;
}

static bool tracked(struct repo *repo, const struct place *p)
{
	const char *const args[] = { "ls-files", "--error-unmatch", "--", p->file, NULL };
	struct git_run run = { .dir = repo_work_dir(repo) };
	struct err ignored;

	return below(p->file, repo_work_dir(repo)) && git_cli(&run, args, NULL, &ignored) == 0;
}

static bool is_there(struct repo *repo, const char *const *names)
{
	for (; *names; names++) {
		AUTOFREE char *path = xasprintf("%s/%s", repo_work_dir(repo), *names);

		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* Programs that own the hook file and write it anew when their own set-up changes. */
static void say_managers(struct repo *repo, const struct place *p, struct str *ret)
{
	static const char *const pre_commit[] = { ".pre-commit-config.yaml", ".pre-commit-config.yml", NULL };
	static const char *const lefthook[] = {
		"lefthook.yml", ".lefthook.yml", "lefthook.yaml", ".lefthook.yaml", "lefthook.toml", "lefthook.json", NULL
	};

	if (is_there(repo, pre_commit))
		str_puts(ret, "pre-commit writes its hook anew now and then; to keep ours, add to .pre-commit-config.yaml under repos:\n"
			 "    - repo: local\n"
			 "      hooks:\n"
			 "        - id: git-harness\n"
			 "          name: git harness\n"
			 "          language: system\n"
			 "          always_run: true\n"
			 "          pass_filenames: false\n"
			 "          entry: sh -c '" ONE_LINE "'\n");
	if (is_there(repo, lefthook))
		str_puts(ret, "lefthook writes its hook anew now and then; to keep ours, add to lefthook.yml:\n"
			 "    pre-commit:\n"
			 "      commands:\n"
			 "        git-harness:\n"
			 "          run: " ONE_LINE "\n");
	if (strstr(p->shown, ".husky/_"))
		str_puts(ret, "husky writes its hooks anew now and then; to keep ours, add to .husky/pre-commit:\n"
			 "    " ONE_LINE "\n");
}

static int install(struct place *p, struct str *ret, struct err *err)
{
	STR whole = STR_INIT;
	STR block = STR_INIT;

	if (read_own(&whole, &block, err) < 0)
		return err->code;
	if (!p->exists) {
		if (io_mkdirs(p->dir, 0777, err) < 0 || write_hook(p, &whole, 0755, err) < 0)
			return err->code;
		str_printf(ret, "wrote the hook %s; it acts on branches below harness/ only\n", p->shown);
		return 0;
	}
	if (!is_ours(p))
		return S_ISREG(p->st.st_mode) && (p->st.st_mode & 0100) && is_shell(p) ? put_block(p, &block, ret, err)
										       : chain(p, &whole, ret, err);
	if (p->text.len != whole.len || memcmp(p->text.buf, whole.buf, whole.len) != 0) {
		if (write_hook(p, &whole, 0755, err) < 0)
			return err->code;
		str_printf(ret, "brought the hook %s up to date\n", p->shown);
		return 0;
	}
	str_printf(ret, "the hook %s is in place\n", p->shown);
	return 0;
}

int hook_install(struct repo *repo, struct str *ret, struct err *err)
{
	CLEANUP(place_free) struct place p = { .text = STR_INIT };

	if (place_find(repo, &p, err) < 0)
		return err->code;
	if (p.outside) {
		str_printf(ret, "hooks come from %s (core.hooksPath), which other repositories may share; to have ours, add to %s:\n    %s\n",
			   p.dir, p.file, ONE_LINE);
		return 0;
	}
	if (install(&p, ret, err) < 0)
		return err_wrap(err, "cannot install the pre-commit hook");
	if (tracked(repo, &p))
		str_printf(ret, "%s is tracked: commit it, or take the block out again by --remove-hooks\n", p.shown);
	say_managers(repo, &p, ret);
	return 0;
}

static int remove_own(const struct place *p, struct str *ret, struct err *err)
{
	struct stat st;

	if (lstat(p->chained, &st) == 0) {
		if (rename(p->chained, p->file) < 0)
			return err_errno(err, "cannot bring back '%s'", p->chained);
		str_printf(ret, "your hook %s is back\n", p->shown);
		return 0;
	}
	if (unlink(p->file) < 0)
		return err_errno(err, "cannot remove '%s'", p->file);
	str_printf(ret, "removed the hook %s\n", p->shown);
	return 0;
}

int hook_remove(struct repo *repo, struct str *ret, struct err *err)
{
	CLEANUP(place_free) struct place p = { .text = STR_INIT };
	STR text = STR_INIT;
	size_t begin, end;

	if (place_find(repo, &p, err) < 0)
		return err->code;
	if (is_ours(&p))
		return remove_own(&p, ret, err);
	if (p.outside || !find_block(&p.text, &begin, &end)) {
		str_puts(ret, "there is no hook of ours\n");
		return 0;
	}
	str_add(&text, p.text.buf, begin);
	str_add(&text, p.text.buf + end, p.text.len - end);
	if (write_hook(&p, &text, p.st.st_mode, err) < 0)
		return err->code;
	str_printf(ret, "took our block out of your hook %s\n", p.shown);
	return 0;
}
