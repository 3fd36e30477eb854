#include "cmd/server_install.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "cmd/cmd.h"

#define HOOK_MAX ((size_t)1 << 20)

static const char *const names[] = { "pre-receive", "update" };	/* in order of preference */

enum place { FREE, OURS, TAKEN };

static char *file_of(struct repo *repo, const char *name)
{
	return xasprintf("%s/hooks/%s", repo_common_dir(repo), name);
}

/* The second line says whose it is. */
static int look(const char *file, const char *name, enum place *ret, struct str *text, struct err *err)
{
	AUTOFREE char *mark = xasprintf("\n# %s of git harness", name);
	struct stat st;
	const char *second;

	*ret = TAKEN;
	if (lstat(file, &st) < 0) {
		*ret = FREE;
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, "cannot look at '%s'", file);
	}
	if (!S_ISREG(st.st_mode))
		return 0;
	if (io_read_file(file, HOOK_MAX, text, err) < 0)
		return err->code;
	second = strchr(text->buf, '\n');
	if (second && starts_with(second, mark))
		*ret = OURS;
	return 0;
}

static int write_hook(const char *file, const char *name, enum place place, const struct str *old, struct str *ret, struct err *err)
{
	AUTOFREE char *data = xasprintf("hooks/%s", name);
	AUTOFREE char *dir = xstrndup(file, (size_t)(strrchr(file, '/') - file));
	AUTOFREE char *from = NULL;
	STR text = STR_INIT;

	if (cmd_data(data, &from, err) < 0 || io_read_file(from, HOOK_MAX, &text, err) < 0 || io_mkdirs(dir, 0777, err) < 0)
		return err->code;
	if (place == OURS && old->len == text.len && !memcmp(old->buf, text.buf, text.len)) {
		str_printf(ret, "the hook %s is in place\n", file);
		return 0;
	}
	if (io_replace(file, text.buf, text.len, 0755, 0, err) < 0)
		return err->code;
	str_printf(ret, place == OURS ? "brought the hook %s up to date\n"
				      : "wrote the hook %s: a push that leaves the surface or rewrites the record is refused\n", file);
	return 0;
}

static int no_place(struct repo *repo, struct err *err)
{
	const char *path = repo_setting(repo, "core.hookspath");

	if (path)
		err_set(err, ERR_EXISTS, "hooks come from '%s' (core.hooksPath), which others may share", path);
	else
		err_set(err, ERR_EXISTS, "this repository has a pre-receive and an update hook already");
	return err_hint(err, "give its pre-receive this line; standard input is the hook's own: git harness check --receive || exit 1");
}

int server_install(struct repo *repo, struct str *ret, struct err *err)
{
	enum place wanted[] = { OURS, FREE };

	if (repo_setting(repo, "core.hookspath"))
		return no_place(repo, err);
	for (size_t w = 0; w < ARRAY_SIZE(wanted); w++) {
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			AUTOFREE char *file = file_of(repo, names[i]);
			STR text = STR_INIT;
			enum place place;

			if (look(file, names[i], &place, &text, err) < 0)
				return err->code;
			if (place == wanted[w])
				return write_hook(file, names[i], place, &text, ret, err);
		}
	}
	return no_place(repo, err);
}

int server_remove(struct repo *repo, struct str *ret, struct err *err)
{
	size_t removed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTOFREE char *file = file_of(repo, names[i]);
		STR text = STR_INIT;
		enum place place;

		if (look(file, names[i], &place, &text, err) < 0)
			return err->code;
		if (place != OURS)
			continue;
		if (unlink(file) < 0)
			return err_errno(err, "cannot remove '%s'", file);
		str_printf(ret, "removed the hook %s\n", file);
		removed++;
	}
	if (!removed)
		str_puts(ret, "there is no hook of ours\n");
	return 0;
}
