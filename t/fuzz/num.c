/* Numbers: what is taken is finite and comes back from its own shortest text; durations, sizes and counts are never negative. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void units(const char *text)
{
	double fraction;
	int64_t n;

	if (num_parse_duration(text, &n))
		assert(n >= 0);
	if (num_parse_size(text, &n))
		assert(n >= 0);
	if (num_parse_count(text, &n))
		assert(n >= 0);
	if (num_parse_percent(text, &fraction))
		assert(isfinite(fraction));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTOFREE char *text = xstrndup((const char *)data, size);
	char shown[NUM_TEXT];
	double value, again;
	int64_t n;

	if (num_parse((const char *)data, size, &value)) {
		assert(isfinite(value) && size <= NUM_MAX);
		num_format(value, shown);
		assert(num_parse(shown, strlen(shown), &again) && again == value);
		num_format6(value, shown);
		/* Six digits may round the largest double out of range, and nothing else. */
		assert(num_parse(shown, strlen(shown), &again) || fabs(value) > 1.7976e308);
	}
	if (num_parse_int((const char *)data, size, &n))
		assert(num_parse((const char *)data, size, &value) || size > NUM_MAX);
	units(text);
	return 0;
}
