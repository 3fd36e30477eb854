/* gitignore and gitattributes: pattern, newline, path, newline, a file of attributes. Matching ends, parsing frees what it took. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "git/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTOFREE char *text = xstrndup((const char *)data, size);
	char *path = strchr(text, '\n'), *file = path ? strchr(path + 1, '\n') : NULL;
	struct attr_lines lines = { 0 };
	struct pattern pattern;

	if (!file)
		return 0;
	*path++ = '\0';
	*file++ = '\0';
	attr_lines_parse((const char *)data + (file - text), size - (size_t)(file - text), true, &lines);
	attr_lines_free(&lines);
	pattern_parse(text, strlen(text), &pattern);
	for (int dir = 0; dir < 2; dir++)
		for (int icase = 0; icase < 2; icase++)
			pattern_match(&pattern, &(struct subject){ path, strrchr(path, '/') ? strrchr(path, '/') + 1 : path, dir }, 0, icase);
	pattern_free(&pattern);
	if (!strpbrk(path, "*?[\\"))
		assert(wild_match(path, path, true, false) && wild_match(path, path, false, true));
	return 0;
}
