/* JSON: what we print is JSON whatever is in it; of what is read, numbers come as they were written. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"

static void write_all(struct json *j)
{
	json_begin_object(j, NULL);
	json_str(j, "s", "a\"\\\n\x01\x7f\xff\xc2\x9b\xc3\xa9\xe2\x80\xae");
	json_str(j, "none", NULL);
	json_num(j, "x", 0.1);
	json_num(j, "nan", NAN);
	json_num(j, "inf", -INFINITY);
	json_int(j, "i", INT64_MIN);
	json_bool(j, "t", true);
	json_bool(j, "f", false);
	json_begin_array(j, "list");
	json_int(j, NULL, 1);
	json_begin_object(j, NULL);
	json_end_object(j);
	json_begin_array(j, NULL);
	json_end_array(j);
	json_end_array(j);
	json_nil(j, "k\"");
	json_end_object(j);
}

static void writes(void **state)
{
	STR s = STR_INIT, pretty = STR_INIT;
	struct json j;

	(void)state;
	json_init(&j, &s, false);
	write_all(&j);
	assert_string_equal(s.buf, "{\"s\":\"a\\\"\\\\\\n\\u0001\\u007f\xef\xbf\xbd\\u009b\xc3\xa9\\u202e\",\"none\":null,\"x\":0.1,"
			    "\"nan\":null,\"inf\":null,\"i\":-9223372036854775808,\"t\":true,\"f\":false,"
			    "\"list\":[1,{},[]],\"k\\\"\":null}");
	json_init(&j, &pretty, true);
	json_begin_array(&j, NULL);
	json_begin_object(&j, NULL);
	json_int(&j, "a", 1);
	json_int(&j, "b", 2);
	json_end_object(&j);
	json_begin_object(&j, NULL);
	json_end_object(&j);
	json_end_array(&j);
	assert_string_equal(pretty.buf, "[\n  {\n    \"a\": 1,\n    \"b\": 2\n  },\n  {}\n]");
}

static int collect(void *data, const char *key, const char *number, struct err *err)
{
	(void)err;
	str_printf(data, "%s=%s;", key, number ? number : "-");
	return 0;
}

static int stop(void *data, const char *key, const char *number, struct err *err)
{
	(void)data;
	(void)number;
	return err_set(err, ERR_REFUSED, "no '%s'", key);
}

static void reads(void **state)
{
	static const struct {
		const char *text, *members;
	} cases[] = {
		{ "{}", "" }, { " { } \n", "" }, { "{\"a\":1}", "a=1;" }, { "{\"a\" : 1.50 , \"b\":-2E+3}\n", "a=1.50;b=-2E+3;" },
		{ "{\"a\":1,\"a\":2}", "a=1;a=2;" }, { "{\"\\u0061\":1,\"a\":2}", "a=1;a=2;" },
		{ "{\"a\":\"1\",\"b\":[1,{\"c\":2}],\"d\":{\"a\":3},\"e\":4}", "a=-;b=-;d=-;e=4;" },
		{ "{\"a\":true,\"b\":null,\"c\":\"}\\\"]\",\"d\":[\"]\",\"\\\\\"],\"e\":5}", "a=-;b=-;c=-;d=-;e=5;" },
		{ "{\"n\":123456789012345678901234567890}", "n=123456789012345678901234567890;" },
		{ "{\"\\ud83d\\ude00\":1,\"x\\\"y\":2}", "\xf0\x9f\x98\x80=1;x\"y=2;" }, { "{\"a\":1e-400}", "a=1e-400;" },
		{ "{\"\":0}", "=0;" },
	};
	static const char *const bad[] = {
		"", "[]", "1", "null", "{", "{\"a\":1", "{\"a\":1,}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":.5}", "{\"a\":5.}", "{\"a\":NaN}",
		"{\"a\":Infinity}", "{\"a\":1e999}", "{\"a\":1}x", "{a:1}", "{'a':1}", "{\"a\\u0000\":1}", "{\"\xff\":1}", "{\"a\":1}{}",
		"\xef\xbb\xbf{}", "{\"a\" 1}",
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		STR s = STR_INIT;

		assert_int_equal(json_read_numbers(cases[i].text, strlen(cases[i].text), collect, &s, &err), 0);
		assert_string_equal(s.buf, cases[i].members);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		STR s = STR_INIT;

		assert_int_equal(json_read_numbers(bad[i], strlen(bad[i]), collect, &s, &err), ERR_INVALID);
		assert_non_null(strstr(err.msg, "line "));
		assert_int_equal(s.len, 0);
	}
	assert_int_equal(json_read_numbers("{\"a\":1}", 7, stop, NULL, &err), ERR_REFUSED);
	assert_string_equal(err.msg, "no 'a'");
	assert_int_equal(json_read_numbers("{\"a\":1}\0", 8, collect, NULL, &err), ERR_INVALID);
}

static void deep(void **state)
{
	STR s = STR_INIT, out = STR_INIT;
	struct err err;

	(void)state;
	str_puts(&s, "{\"a\":");
	for (int i = 0; i < 500000; i++)
		str_putc(&s, '[');
	assert_int_equal(json_read_numbers(s.buf, s.len, collect, &out, &err), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(writes), cmocka_unit_test(reads), cmocka_unit_test(deep) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
