/* Commit messages: what is stripped cannot be read as ours, what is added can, and what stood there stays. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "git/commit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTOFREE char *text = xstrndup((const char *)data, size);
	STR m = STR_INIT;
	STR again = STR_INIT;

	trailers_strip(text, "Harness-", &m);
	trailers_strip(m.buf, "harness-", &again);
	assert(!strcmp(m.buf, again.buf));
	assert(!trailer_get(m.buf, "Harness-Verdict"));
	AUTOFREE char *before = trailer_get(m.buf, "Key");

	trailer_add(&m, "Harness-Verdict", "accept (better)");
	AUTOFREE char *after = trailer_get(m.buf, "Key"), *ours = trailer_get(m.buf, "harness-verdict");

	assert(ours && !strcmp(ours, "accept (better)"));
	/* A line with '#' is nothing to git and text to people: behind one a new paragraph is right. */
	assert(!before || strchr(text, '#') || (after && !strcmp(before, after)));
	return 0;
}
