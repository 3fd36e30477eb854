/* Lines: what is taken for ours is written again as one line that reads the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/logfmt.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	EVENT e = { 0 }, again = { 0 };
	STR line = STR_INIT;

	if (!event_parse((const char *)data, size, &e))
		return 0;
	event_format(&e, &line);
	assert(!memchr(line.buf, '\n', line.len));
	assert(event_parse(line.buf, line.len, &again));
	assert(again.n == e.n);
	for (size_t i = 0; i < e.n; i++) {
		assert(!strcmp(e.pairs[i].key, again.pairs[i].key));
		assert(!strcmp(e.pairs[i].value, again.pairs[i].value));
	}
	return 0;
}
