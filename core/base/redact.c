/*
 * text_redact() of text.h, apart because it is a list that grows: what secrets look like. It errs
 * to the side of hiding, but must leave measurements alone ("tokens: 512", "token=17"), and it is
 * one pass over the text: each rule starts at the beginning of a word or at a mark and looks no
 * further than what it then hides.
 */
#include "base/text.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define MARK "[redacted]"

struct span {
	const char *p, *end;
};

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of a name or of a token. */
static bool is_word(char c)
{
	return is_alnum(c) || c == '_' || c == '-';
}

/* Bytes of a credential in a header: base64 and its URL form. */
static bool is_credential(char c)
{
	return is_word(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}

static size_t span_of(struct span s, bool (*is)(char))
{
	const char *p = s.p;

	while (p < s.end && is(*p))
		p++;
	return (size_t)(p - s.p);
}

static bool begins(struct span s, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(s.end - s.p) >= len && !memcmp(s.p, text, len);
}

/* Tokens that tell by their first letters what they are, and how long the rest is at least. */
static const struct shape {
	const char *prefix;
	size_t least;
} shapes[] = {
	{ "sk-", 16 }, { "sk_live_", 16 }, { "rk_live_", 16 }, { "ghp_", 20 }, { "gho_", 20 },
	{ "ghu_", 20 }, { "ghs_", 20 }, { "ghr_", 20 }, { "github_pat_", 20 }, { "glpat-", 16 },
	{ "xoxa-", 10 }, { "xoxb-", 10 }, { "xoxp-", 10 }, { "xoxr-", 10 }, { "xoxs-", 10 },
	{ "AKIA", 16 }, { "ASIA", 16 }, { "AIza", 30 }, { "hf_", 20 }, { "npm_", 30 },
	{ "pypi-", 30 }, { "gsk_", 20 }, { "xai-", 20 }, { "r8_", 20 }, { "pplx-", 20 },
	{ "dop_v1_", 30 }, { "whsec_", 20 }, { "AGE-SECRET-KEY-", 20 },
};

static size_t known_token(struct span s, size_t word)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (begins(s, shapes[i].prefix) &&
		    word >= strlen(shapes[i].prefix) + shapes[i].least)
			return word;
	/* A JSON web token: three base64 parts, the first of which is an object. */
	if (begins(s, "eyJ") && word >= 10 && s.p + word < s.end && s.p[word] == '.')
		return span_of(s, is_credential);
	return 0;
}

static bool ends_in(const char *word, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len >= n && !strncasecmp(word + len - n, suffix, n);
}

enum secrecy { OPEN, KEY, PASSWORD };

static enum secrecy name_secrecy(const char *word, size_t len)
{
	static const char *const keys[] = {
		"token", "secret", "apikey", "api_key", "api-key", "accesskey", "access_key",
		"access-key", "private_key", "private-key", "secret_key", "secret-key", "credential",
		"credentials",
	};
	static const char *const passwords[] = { "password", "passwd", "passphrase", "_pwd" };

	for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++)
		if (ends_in(word, len, passwords[i]))
			return PASSWORD;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (ends_in(word, len, keys[i]))
			return KEY;
	return OPEN;
}

static size_t span_blanks(struct span s)
{
	size_t n = 0;

	while (s.p + n < s.end && (s.p[n] == ' ' || s.p[n] == '\t'))
		n++;
	return n;
}

static bool is_numeric(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!memchr("0123456789.,+-eE", p[i], 16))
			return false;
	return true;
}

/* Behind a name: ["'] blanks (:|=) blanks. Its length, 0: no value follows. */
static size_t assignment(struct span s)
{
	const char *start = s.p;

	if (s.p < s.end && (*s.p == '"' || *s.p == '\''))
		s.p++;
	s.p += span_blanks(s);
	if (s.p == s.end || (*s.p != ':' && *s.p != '='))
		return 0;
	s.p++;
	s.p += span_blanks(s);
	return (size_t)(s.p - start);
}

/*
 * A PEM block that holds a private key, up to its END mark or, where that was cut off, to the end.
 */
static size_t pem_block(struct span s)
{
	size_t len = (size_t)(s.end - s.p), label = len < 80 ? len : 80;
	const char *end;

	if (!begins(s, "-----BEGIN ") || !memmem(s.p, label, "PRIVATE KEY", 11))
		return 0;
	end = memmem(s.p, len, "-----END ", 9);
	if (!end)
		return len;
	end += 9;
	end = memmem(end, (size_t)(s.end - end), "-----", 5);
	return end ? (size_t)(end + 5 - s.p) : len;
}

/* As far as a value goes: to its quote or, without one, to what can stand in none. */
static size_t span_value(struct span s, char quote)
{
	const char *p = s.p;

	while (p < s.end && *p != '\n' && *p != quote &&
	       (quote || !strchr(" \t\r\"'&,;<>)]}", *p)))
		p++;
	return (size_t)(p - s.p);
}

/*
 * The value of a secret name at s: *ret_skip bytes (its opening quote) are kept, as many as
 * returned are hidden.
 */
static size_t secret_value(struct span s, enum secrecy secrecy, size_t *ret_skip)
{
	char quote = 0;
	size_t len;

	if (s.p < s.end && (*s.p == '"' || *s.p == '\''))
		quote = *s.p++;
	*ret_skip = quote != 0;
	if (begins(s, MARK))	/* hidden already: doing it again changes nothing */
		return 0;
	if ((len = pem_block(s)))
		return len;
	len = span_value(s, quote);
	return secrecy == PASSWORD || (len >= 4 && !is_numeric(s.p, len)) ? len : 0;
}

/* "Bearer x" and "Basic x": length of what stands before x in *ret_skip, x's own returned. */
static size_t credential_after(struct span s, size_t word, size_t *ret_skip)
{
	size_t len;

	if ((word != 6 || strncasecmp(s.p, "bearer", 6)) &&
	    (word != 5 || strncasecmp(s.p, "basic", 5)))
		return 0;
	s.p += word;
	*ret_skip = word + span_blanks(s);
	if (*ret_skip == word)
		return 0;
	s.p += *ret_skip - word;
	if (begins(s, MARK))
		return strlen(MARK);
	len = span_of(s, is_credential);
	return len >= 8 ? len : 0;
}

/* "://user:x@", the same. */
static size_t url_password(struct span s, size_t *ret_skip)
{
	const char *at, *colon = NULL;

	if (!begins(s, "://"))
		return 0;
	for (at = s.p + 3; at < s.end && *at != '@'; at++) {
		if (strchr("/ \t\r\n\"'<>", *at))
			return 0;
		if (*at == ':' && !colon)
			colon = at;
	}
	if (at == s.end || !colon)
		return 0;
	*ret_skip = (size_t)(colon + 1 - s.p);
	return (size_t)(at - colon - 1);
}

/* At the beginning of a word: how much of it to keep (*ret_keep) and to hide (returned). */
static size_t secret_word(struct span s, size_t word, size_t *ret_keep)
{
	struct span value = s;
	enum secrecy secrecy;
	size_t hide, skip = 0, n;

	*ret_keep = 0;
	if ((hide = known_token(s, word)))
		return hide;
	if ((hide = credential_after(s, word, ret_keep)))
		return hide;
	*ret_keep = word;
	secrecy = name_secrecy(s.p, word);
	value.p += word;
	if (secrecy == OPEN || !(n = assignment(value)))
		return 0;
	value.p += n;
	/* In "x-token: Bearer y" the word Bearer is no secret, and its own rule hides y. */
	if (credential_after(value, span_of(value, is_word), &skip))
		return 0;
	hide = secret_value(value, secrecy, &skip);
	if (hide)
		*ret_keep = (size_t)(value.p - s.p) + skip;
	return hide;
}

void text_redact(const char *ptr, size_t len, struct str *ret)
{
	struct span s = { ptr, ptr + len };

	while (s.p < s.end) {
		size_t word = span_of(s, is_word), keep = 0, hide = pem_block(s);

		if (!hide && word)
			hide = secret_word(s, word, &keep);
		else if (!hide && !(hide = url_password(s, &keep)))
			keep = 1;
		str_add(ret, s.p, keep);
		if (hide)
			str_puts(ret, MARK);
		s.p += keep + hide;
	}
}

void text_record(const char *ptr, size_t len, struct str *ret)
{
	STR open = STR_INIT;

	text_redact(ptr, len, &open);
	text_visible(open.buf, open.len, false, ret);
}
