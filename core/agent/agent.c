#include "agent/agent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/kind.h"
#include "base/mem.h"
#include "base/num.h"

int agent_open(struct repo *repo, const struct policy *policy, const struct oid *start_commit, struct agent **ret, struct err *err)
{
	switch (policy->agent.use) {
	case AGENT_COMMAND:
		return command_open(ret);
	case AGENT_TUNE:
		return tune_open(repo, policy, start_commit, ret, err);
	case AGENT_PATCHES:
		return patches_open(repo, policy, start_commit, ret, err);
	default:
		return err_set(err, ERR_INVALID, "agent '%s' is not in this version", agent_kind_name(policy->agent.use));
	}
}

void agent_free(struct agent *a)
{
	if (a)
		a->free(a);
}

const char *agent_name(const struct agent *a)
{
	return a->name;
}

int agent_propose(struct agent *a, const struct ask *ask, struct proposal *ret, struct err *err)
{
	struct proposal p = { .confidence = NAN };

	if (a->propose(a, ask, &p, err) < 0) {
		proposal_clear(&p);
		return err->code;
	}
	*ret = p;
	return 0;
}

void proposal_clear(struct proposal *p)
{
	free(p->subject);
	free(p->body);
	free(p->why);
	free(p->source);
	*p = (struct proposal){ .confidence = NAN };
}

static void drop_returns(struct str *s)
{
	while (s->len && s->buf[s->len - 1] == '\r')
		str_truncate(s, s->len - 1);
}

/* The text with newlines alone at line ends and no NUL, so that it can be handled as a string. */
static void plain_text(const char *ptr, size_t len, struct str *ret)
{
	for (size_t i = 0; i < len; i++) {
		if (ptr[i] == '\n')
			drop_returns(ret);
		str_putc(ret, ptr[i] ? ptr[i] : ' ');
	}
	drop_returns(ret);
}

static bool is_blank(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r", line[i]))
			return false;
	return true;
}

/* "Key: value", the key of letters, digits and hyphens. */
static bool is_trailer(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && (line[n] == '-' || (line[n] >= '0' && line[n] <= '9') ||
			   ((line[n] | 0x20) >= 'a' && (line[n] | 0x20) <= 'z')))
		n++;
	return n > 0 && n + 1 < len && line[n] == ':' && line[n + 1] == ' ';
}

static bool take_confidence(const char *value, size_t len, struct proposal *ret)
{
	double number;

	if (!num_parse(value, len, &number) || number < 0 || number > 1)
		return false;
	ret->confidence = number;
	return true;
}

static bool take_stop(const char *value, size_t len, struct proposal *ret)
{
	bool yes = len == 4 && !strncasecmp(value, "true", len);

	if (!yes && !(len == 5 && !strncasecmp(value, "false", len)))
		return false;
	ret->stop = yes;
	return true;
}

/* Is this trailer one of ours, and does it say something? The last in the text wins: the caller walks upwards, and `seen` tells what it had. */
static bool take_trailer(const char *line, size_t len, struct proposal *ret, bool seen[2])
{
	static const struct {
		const char *key;
		bool (*take)(const char *value, size_t len, struct proposal *ret);
	} ours[] = { { "confidence: ", take_confidence }, { "stop: ", take_stop } };
	struct proposal ignored;

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		size_t key = strlen(ours[i].key);

		if (len < key || strncasecmp(line, ours[i].key, key) != 0)
			continue;
		if (!ours[i].take(line + key, len - key, seen[i] ? &ignored : ret))
			return false;
		seen[i] = true;
		return true;
	}
	return false;
}

static size_t trim_end(const char *text, size_t len)
{
	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	return len;
}

/*
 * Our trailers are taken out of the last lines of the body, empty ones between them skipped; other people's stay where they are. What is left
 * holds none of ours at its end, so that a proposal written down and read again is the same.
 */
static void take_trailers(struct str *body, struct proposal *ret)
{
	size_t end = trim_end(body->buf, body->len);
	bool seen[2] = { false, false };

	str_truncate(body, end);
	while (end) {
		size_t at = end;

		while (at && body->buf[at - 1] != '\n')
			at--;
		if (!is_trailer(body->buf + at, end - at) && !is_blank(body->buf + at, end - at))
			break;
		if (take_trailer(body->buf + at, trim_end(body->buf + at, end - at), ret, seen)) {
			size_t next = end < body->len ? end + 1 : end;

			memmove(body->buf + at, body->buf + next, body->len - next);
			str_truncate(body, body->len - (next - at));
		}
		end = at ? at - 1 : 0;
	}
	str_truncate(body, trim_end(body->buf, body->len));
}

void proposal_parse(const char *ptr, size_t len, struct proposal *ret)
{
	STR text = STR_INIT;
	STR body = STR_INIT;
	const char *line, *end;

	*ret = (struct proposal){ .kind = PROPOSAL_PROCESS, .confidence = NAN };
	plain_text(ptr, len, &text);
	for (line = text.buf; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (!is_blank(line, (size_t)(end - line)))
			break;
	}
	end = strchrnul(line, '\n');
	if (end > line)
		ret->subject = xstrndup(line, trim_end(line, (size_t)(end - line)));
	while (*end == '\n')
		end++;
	str_puts(&body, end);
	take_trailers(&body, ret);
	if (body.len)
		ret->body = xstrdup(body.buf + strspn(body.buf, "\n"));
}
