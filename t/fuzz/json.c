/* JSON: the walk over the text stays inside it, and what it calls a number begins like one; what we write is read again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int member(void *data, const char *key, const char *number, struct err *err)
{
	double value;

	(void)err;
	++*(size_t *)data;
	assert(key);
	/* JSON's numbers are ours too, but for their length. */
	assert(!number || strlen(number) > NUM_MAX || num_parse(number, strlen(number), &value));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTOFREE char *text = xstrndup((const char *)data, size);
	STR out = STR_INIT;
	struct json j;
	struct err err;
	size_t n = 0;

	json_read_numbers((const char *)data, size, member, &n, &err);
	json_init(&j, &out, size % 2);
	json_begin_object(&j, NULL);
	json_str(&j, "s", text);
	json_int(&j, text, 1);
	json_end_object(&j);
	n = 0;
	assert(json_read_numbers(out.buf, out.len, member, &n, &err) == 0 && n == 2);
	return 0;
}
