/* What an agent says (hypothesis, newline, text) in a commit's message: one safe subject, and no trailer of ours but ours. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "git/commit.h"
#include "ledger/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct policy *policy(void)
{
	static const char text[] = "version: 1\ngoal: {metric: loss, direction: minimize}\nsurface: {allow: [a]}\n"
				   "agent: {use: command, command: x}\nevaluate: [{command: y}]\nbudget: {experiments: 1}\n";
	static struct policy *p;
	struct err err;

	if (!p)
		assert(policy_parse("p", text, strlen(text), &p, &err) == 0);
	return p;
}

static size_t count_ours(const char *message)
{
	size_t n = 0;

	for (const char *at = message; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		at += strspn(at, " \t");
		if (!strncasecmp(at, "Harness-", 8)) {
			const char *end = at + strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

			n += end[strspn(end, " \t")] == ':';
		}
	}
	return n;
}

static void check(const char *message)
{
	AUTOFREE char *verdict = trailer_get(message, "Harness-Verdict");
	AUTOFREE char *subject = xstrndup(message, strcspn(message, "\n"));
	size_t columns = 0;

	for (const char *p = subject; *p; p++)
		columns += (*p & 0xc0) != 0x80;
	assert(columns && columns <= 72);
	assert(message[strlen(subject)] == '\n' && message[strlen(subject) + 1] == '\n');
	assert(str_eq(verdict, "accept (better)"));
	assert(count_ours(message) == 4);
	assert(text_is_utf8(message, strlen(message)));
	assert(!strpbrk(message, "\x1b\r\x07\x7f"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTOFREE char *subject = xstrndup((const char *)data, size);
	char *body = strchr(subject, '\n');
	const struct record r = { .number = 1, .verdict = VERDICT_ACCEPT, .reason = REASON_BETTER };
	const struct oid blob = { { 1 } };
	struct message_in in = { .record = &r, .policy = policy(), .campaign = "main", .policy_blob = &blob, .subject = subject };
	STR message = STR_INIT;

	if (body)
		*body++ = '\0';
	in.body = body;
	ledger_message(&in, &message);
	check(message.buf);
	return 0;
}
