/* What processes print: a stream gives the same numbers however it is cut; the first byte says how, and lines or JSON. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "policy/metric.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct metric_reader *read_in(const struct strs *names, bool json, const uint8_t *data, size_t size, size_t piece)
{
	struct metric_reader *r = metric_reader_new(names, json);

	for (size_t at = 0; at < size; at += piece)
		metric_reader_feed(r, data + at, size - at < piece ? size - at : piece);
	metric_reader_end(r);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *v[] = { "loss", "a", "a.b", NULL };
	const struct strs names = { v, 3, 3 };
	struct metric_reader *whole, *cut;

	if (!size)
		return 0;
	whole = read_in(&names, data[0] & 1, data + 1, size - 1, size);
	cut = read_in(&names, data[0] & 1, data + 1, size - 1, (size_t)(data[0] >> 1) + 1);
	for (size_t i = 0; i < names.n; i++) {
		const char *why = NULL, *other = NULL;
		double x = 0, y = 0;
		enum metric_state state = metric_get(whole, names.v[i], &x, &why);

		assert(metric_get(cut, names.v[i], &y, &other) == state);
		assert(isfinite(x) && x == y);
		assert((state == METRIC_INVALID) == (why != NULL) && (!why || !strcmp(why, other)));
	}
	metric_reader_free(whole);
	metric_reader_free(cut);
	return 0;
}
