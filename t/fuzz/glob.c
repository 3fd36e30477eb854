/* Globs: pattern, newline, path. Whatever they are, matching ends; a path without magic matches itself. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/glob.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTOFREE char *pattern = xstrndup((const char *)data, size), *path = NULL;
	size_t len = strcspn(pattern, "\n");
	struct err err;

	path = xstrdup(pattern[len] ? pattern + len + 1 : "");
	pattern[len] = '\0';
	glob_match(pattern, path);
	glob_match_name(pattern, path);
	if (glob_check(pattern, &err) < 0)
		return 0;
	if (!strpbrk(pattern, "*?[\\"))
		assert(glob_match(pattern, pattern));
	/* "All below" takes whatever the pattern takes, with something in front. */
	if (glob_match(pattern, path) && *path != '/') {
		AUTOFREE char *below = xasprintf("**/%s", pattern), *deeper = xasprintf("x/%s", path);

		assert(glob_match(below, path) && glob_match(below, deeper));
	}
	return 0;
}
