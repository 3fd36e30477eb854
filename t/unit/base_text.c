/* Foreign text on its way out: nothing acts on a terminal, in a page or in a message, and secrets stay home. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"

static void utf8(void **state)
{
	static const char *const good[] = { "", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
					    "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xc2 ", "\xe0\x9f\xbf", "\xe0\xa0",
					   "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
					   "\xf0\x90\x80", "a\xfe" };
	uint32_t c = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
	assert_int_equal(text_utf8("\0", 1, &c), 1);
	assert_int_equal(c, 0);
	assert_int_equal(text_utf8("\xf0\x9f\x98\x80", 4, &c), 4);
	assert_int_equal(c, 0x1f600);
	assert_int_equal(text_utf8("", 0, &c), 0);
}

static void visible_is(const char *text, size_t len, bool lines, const char *expected)
{
	STR s = STR_INIT;

	text_visible(text, len, lines, &s);
	assert_string_equal(s.buf, expected);
}

static void visible(void **state)
{
	(void)state;
	visible_is("plain \xc3\xa9", 8, false, "plain \xc3\xa9");
	visible_is("a\nb\tc", 5, true, "a\nb\tc");
	visible_is("a\nb\tc", 5, false, "a\\x0ab\\x09c");
	visible_is("\x1b]52;c;x\x07", 9, true, "\\x1b]52;c;x\\x07");
	visible_is("a\rb\0c", 5, true, "a\\x0db\\x00c");
	visible_is("\x7f\xff\xc3", 3, true, "\\x7f\\xff\\xc3");
	visible_is("\xc2\x9b", 2, true, "<U+009B>");
	visible_is("\xe2\x80\xae" "abc\xe2\x81\xa6", 9, true, "<U+202E>abc<U+2066>");
	visible_is("\xe2\x80\xa8\xef\xbf\xbf", 6, true, "<U+2028><U+FFFF>");
}

static void line_is(const char *text, size_t columns, const char *expected)
{
	STR s = STR_INIT;

	text_line(text, strlen(text), columns, &s);
	assert_string_equal(s.buf, expected);
}

static void lines(void **state)
{
	STR big = STR_INIT, out = STR_INIT;

	(void)state;
	line_is("  a \n\n b\t", 20, "a b");
	line_is("abcdef", 6, "abcdef");
	line_is("abcdefg", 6, "abc...");
	line_is("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
	line_is("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4, "\xc3\xa9...");
	line_is("abc", 2, "..");
	line_is("abc", 0, "");
	line_is("", 5, "");
	line_is(" \n ", 5, "");
	line_is("\x1b[0m", 20, "\\x1b[0m");
	line_is("subject\n\nHarness-Verdict: accept", 60, "subject Harness-Verdict: accept");
	for (int i = 0; i < 100000; i++)
		str_puts(&big, "\xff ");
	text_line(big.buf, big.len, 10, &out);
	assert_string_equal(out.buf, "\\xff \\x...");
}

static void xml(void **state)
{
	static const char text[] = "<a href=\"x\">'&\x01\n";
	STR s = STR_INIT;

	(void)state;
	text_xml(text, strlen(text), &s);
	assert_string_equal(s.buf, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;\\x01\n");
}

static void secrets(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "key sk-ant-api03-AAAAAAAAAAAAAAAAAAAAAAAA end", "key [redacted] end" },
		{ "ghp_0123456789abcdefghijABCDEFGHIJ012345.", "[redacted]." }, { "AKIAIOSFODNN7EXAMPLE", "[redacted]" },
		{ "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_def y", "x [redacted] y" },
		{ "Authorization: Bearer abc.def-ghi", "Authorization: Bearer [redacted]" },
		{ "authorization: basic dXNlcjpwYXNz", "authorization: basic [redacted]" },
		{ "X-Auth-Token: Bearer abcdefgh", "X-Auth-Token: Bearer [redacted]" },
		{ "OPENAI_API_KEY=abcd1234", "OPENAI_API_KEY=[redacted]" }, { "api-key : \"a b c d\" z", "api-key : \"[redacted]\" z" },
		{ "{\"password\": \"x\", \"n\": 1}", "{\"password\": \"[redacted]\", \"n\": 1}" }, { "DB_PASSWORD='12'", "DB_PASSWORD='[redacted]'" },
		{ "password=12345&user=x", "password=[redacted]&user=x" }, { "client_secret=abcd;", "client_secret=[redacted];" },
		{ "https://me:t0k3n@host/x", "https://me:[redacted]@host/x" }, { "postgres://u:p%40@h", "postgres://u:[redacted]@h" },
		{ "a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb", "a\n[redacted]\nb" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\ncut", "[redacted]" },
		{ "-----BEGIN PRIVATE KEY-----x-----END cut", "[redacted]" },
		{ "{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMII\\n-----END PRIVATE KEY-----\\n\", \"a\": 1}",
		  "{\"private_key\": \"[redacted]\\n\", \"a\": 1}" },
		{ "secret=-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----", "secret=[redacted]" },
		{ "token='unclosed\nnext", "token='[redacted]\nnext" },
	};
	static const char *const left[] = {
		"", "plain text", "tokens: 512", "token=17", "tokens_in=18233 tokens_out=911", "next token: 0.25", "METRIC token=1e-5",
		"sk-short", "PWD=/home/me", "bearer", "bearer of news", "Basic types", "the secret: a", "password", "password is",
		"https://host:8080/x", "https://user@host/", "a://b c:d@e", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
		"eyJ", "eyJhbGciOiJI", "monkey=banana", "http://a", "token", "token =", "risk-0123456789abcdefgh", "\xff\xfe", "-----BEGIN ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		STR s = STR_INIT, again = STR_INIT;

		text_redact(cases[i].text, strlen(cases[i].text), &s);
		assert_string_equal(s.buf, cases[i].expected);
		text_redact(s.buf, s.len, &again);	/* an approval takes a message over that was stored before */
		assert_string_equal(again.buf, s.buf);
	}
	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		STR s = STR_INIT;

		text_redact(left[i], strlen(left[i]), &s);
		assert_string_equal(s.buf, left[i]);
	}
}

static void recorded(void **state)
{
	STR s = STR_INIT;

	(void)state;
	text_record("a\x1b\n password=hunter2 \xff", 22, &s);
	assert_string_equal(s.buf, "a\\x1b\\x0a password=[redacted] \\xff");
}

/* A log is as long as an agent likes, and may be made of beginnings. */
static void secrets_in_time(void **state)
{
	static const char *const parts[] = {
		"-----BEGIN ", "://", "://a:", "token=", "password=\"", "Bearer ", "token ", "eyJ.", "sk-", "-----BEGIN PRIVATE KEY", "token='",
	};
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		STR text = STR_INIT, out = STR_INIT;

		while (text.len < 300000)
			str_puts(&text, parts[i]);
		text_redact(text.buf, text.len, &out);
	}
	assert_true(clock() - start < 4 * CLOCKS_PER_SEC);
}

static void nearest(void **state)
{
	static const char *const names[] = { "goal", "surface", "budget", "guards" };
	char word[100];

	(void)state;
	assert_string_equal(text_nearest("surfce", names, 4), "surface");
	assert_string_equal(text_nearest("gaol", names, 4), "goal");
	assert_string_equal(text_nearest("guard", names, 4), "guards");
	assert_string_equal(text_nearest("bugdet", names, 4), "budget");
	assert_null(text_nearest("evaluate", names, 4));
	assert_null(text_nearest("x", names, 4));
	assert_null(text_nearest("goal", names, 0));
	memset(word, 'a', sizeof(word));
	word[99] = '\0';
	assert_null(text_nearest(word, names, 4));
	assert_null(text_nearest("aaaa", (const char *const[]){ word }, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8), cmocka_unit_test(visible), cmocka_unit_test(lines), cmocka_unit_test(xml),
		cmocka_unit_test(secrets), cmocka_unit_test(recorded), cmocka_unit_test(secrets_in_time), cmocka_unit_test(nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
