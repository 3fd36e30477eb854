/* Foreign text: what comes out is valid, shows no control, and is as short as was asked. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_safe(const struct str *s, bool lines)
{
	uint32_t c;

	for (size_t i = 0, n; i < s->len; i += n) {
		n = text_utf8(s->buf + i, s->len - i, &c);
		assert(n && (!text_is_control(c) || (lines && (c == '\n' || c == '\t'))));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	STR visible = STR_INIT, line = STR_INIT, xml = STR_INIT, redacted = STR_INIT;
	size_t columns = size ? data[0] : 0;

	text_visible(text, size, true, &visible);
	assert_safe(&visible, true);
	text_line(text, size, columns, &line);
	assert_safe(&line, false);
	assert(line.len <= 4 * columns);
	text_xml(text, size, &xml);
	assert_safe(&xml, true);
	assert(!strpbrk(xml.buf, "<>\"'"));
	text_redact(text, size, &redacted);
	return 0;
}
