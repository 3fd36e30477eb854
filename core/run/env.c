/* The environment of a run: an allow-list, in one order, so that equal policies give equal environments. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "run/task.h"

/* Would turn the run's own git away from its workspace, whatever the policy passes (git rev-parse --local-env-vars). */
static const char *const never[] = {
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT",
	"GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE",
	"GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE",
	"GIT_COMMON_DIR", "GIT_NAMESPACE",
};

static bool has_name(const struct strs *l, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < l->n; i++)
		if (!strncmp(l->v[i], name, len) && l->v[i][len] == '=')
			return true;
	return false;
}

static void pass_one(struct strs *ret, const char *name)
{
	const char *value = getenv(name);

	if (value && *name && !strchr(name, '=') && !has_name(ret, name))
		strs_addf(ret, "%s=%s", name, value);
}

static bool is_passed(const char *name)
{
	if (starts_with(name, "GIT_HARNESS_"))
		return false;	/* the harness speaks with these; a caller's would be taken for its word */
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (!strcmp(name, never[i]))
			return false;
	return true;
}

void task_env(const struct strs *pass, const char *tmpdir, struct strs *ret)
{
	if (getenv("PATH"))
		pass_one(ret, "PATH");
	else
		strs_add(ret, "PATH=/usr/local/bin:/usr/bin:/bin");
	pass_one(ret, "HOME");
	pass_one(ret, "LANG");
	pass_one(ret, "TERM");
	if (tmpdir)
		strs_addf(ret, "TMPDIR=%s", tmpdir);
	else
		pass_one(ret, "TMPDIR");
	pass_one(ret, "TRACEPARENT");
	for (size_t i = 0; pass && i < pass->n; i++)
		if (is_passed(pass->v[i]))
			pass_one(ret, pass->v[i]);
}
