/*
 * data.c - what comes with the program: templates, hooks, the manual, its version.
 * Found from where the program itself lies, so that a moved or packaged installation and a build directory work alike.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/frame.h"

const char harness_version[] = HARNESS_VERSION;

/* The directory of the program, without a slash at its end; "" where the system does not tell. */
static void program_dir(char ret[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", ret, PATH_MAX - 1);
	char *slash;

	ret[len > 0 ? len : 0] = '\0';
	slash = strrchr(ret, '/');
	if (slash)
		*slash = '\0';
}

int cmd_data(const char *name, char **ret, struct err *err)
{
	char dir[PATH_MAX];
	char *places[3];

	program_dir(dir);
	places[0] = xasprintf("%s/../share/git-harness/%s", dir, name);
	places[1] = xasprintf("%s/../%s", dir, name);
	places[2] = xasprintf("%s/%s", HARNESS_DATADIR, name);
	*ret = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!*ret && !access(places[i], R_OK))
			*ret = realpath(places[i], NULL);
		free(places[i]);
	}
	if (*ret)
		return 0;
	err_set(err, ERR_NOT_FOUND, "cannot find '%s' beside the program or in %s", name, HARNESS_DATADIR);
	return err_hint(err, "make install puts it there");
}

int open_manual(struct err *err)
{
	char dir[PATH_MAX];
	AUTOFREE char *installed = NULL, *built = NULL;

	program_dir(dir);
	installed = xasprintf("%s/../share/man/man1/git-harness.1", dir);
	built = xasprintf("%s/../git-harness.1", dir);
	for (const char *const *page = (const char *const[]){ installed, built, NULL }; *page; page++)
		if (!access(*page, R_OK))
			execlp("man", "man", "-l", *page, (char *)NULL);
	execlp("man", "man", "git-harness", (char *)NULL);
	err_errno(err, "cannot run man");
	return err_hint(err, "git harness -h and git harness <command> -h need no manual");
}
