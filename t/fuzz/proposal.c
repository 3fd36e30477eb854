/*
 * The proposal file of an agent: any bytes give a subject of one line, a body without our trailers in its last lines, and a confidence
 * from 0 to 1 or none; and what was read is stable: writing subject and body again and reading them gives the same.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int differ(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proposal p, again;
	STR text = STR_INIT;

	proposal_parse((const char *)data, size, &p);
	if ((p.subject && (!*p.subject || strchr(p.subject, '\n'))) || (p.body && !*p.body) || p.why || p.source)
		abort();
	if (!isnan(p.confidence) && !(p.confidence >= 0 && p.confidence <= 1))
		abort();
	if (p.subject) {
		str_printf(&text, "%s\n\n%s\n", p.subject, p.body ? p.body : "");
		proposal_parse(text.buf, text.len, &again);
		if (differ(p.subject, again.subject) || differ(p.body, again.body) || again.stop || !isnan(again.confidence))
			abort();
		proposal_clear(&again);
	}
	proposal_clear(&p);
	return 0;
}
