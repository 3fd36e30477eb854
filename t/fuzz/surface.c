/* Names: no name that some file system takes for .git passes; folding is the same twice; collisions are mutual. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "policy/surface.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool holds_dot_git(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
		if (!strncasecmp(part, ".git", 4) && (!part[4] || part[4] == '/'))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *every[] = { "**", NULL };
	const struct strs allow = { every, 1, 1 }, deny = { NULL, 0, 0 };
	const struct surface s = { &allow, &deny, ".hooks" };
	AUTOFREE char *path = xstrndup((const char *)data, size), *other = NULL;
	enum surface_why why;

	other = xstrdup(path + strcspn(path, "\n") + (strchr(path, '\n') != NULL));
	path[strcspn(path, "\n")] = '\0';
	why = surface_path(&s, path);
	assert(why == SURFACE_OK || why == SURFACE_CONTROL || why == SURFACE_NAME);
	if (holds_dot_git(path) || surface_name_hostile(path))
		assert(why != SURFACE_OK);
	assert(surface_collide(path, path));
	assert(surface_collide(path, other) == surface_collide(other, path));
	/* What is the same file somewhere is frozen alike, unless one of the two is not even a name. */
	if (surface_collide(path, other) && why == SURFACE_CONTROL)
		assert(surface_path(&s, other) != SURFACE_OK);
	return 0;
}
