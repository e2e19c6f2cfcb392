#include "base/json.h"

#include "base/number.h"
#include "base/random.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct json_document *parse_bytes(const char *bytes, size_t length)
{
	struct json_document *document = NULL;
	struct tuner_error err = { 0 };

	if (!json_parse("f", bytes, length, &document, &err))
		fail_msg("%s: %s", bytes, err.message);
	return document;
}

static struct json_document *parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

/* The message of a text that is refused. */
static const char *refuse_bytes(const char *bytes, size_t length, struct tuner_error *ret_err)
{
	struct json_document *const untouched = (struct json_document *)ret_err;
	struct json_document *document = untouched;

	*ret_err = (struct tuner_error){ 0 };
	if (json_parse("f", bytes, length, &document, ret_err))
		fail_msg("%s was taken", bytes);
	assert_int_equal(ret_err->code, TUNER_USAGE);
	assert_ptr_equal(document, untouched);
	return ret_err->message;
}

static void assert_refused(const char *text, const char *message)
{
	struct tuner_error err;

	if (strcmp(refuse_bytes(text, strlen(text), &err), message) != 0)
		fail_msg("%s\n     gives: %s\nexpected: %s", text, err.message, message);
}

static void assert_printed(const char *text, const char *expected)
{
	struct json_document *document = parse(text);
	char *printed = json_print(json_root(document), 0);

	assert_string_equal(printed, expected);
	free(printed);
	json_destroy(document);
}

/* --- what is taken --- */

static void plain_json_is_read(void **state)
{
	static const char *const same[] = { "null", "true", "false", "0", "-1", "150", "0.1",
		"1e-05", "1e+22", "\"\"", "[]", "{}", "[1,[2,[3]],{}]",
		"{\"a\":{\"b\":[true,null]},\"c\":\"d\"}" };

	for (size_t i = 0; i < LENGTH(same); i++)
		assert_printed(same[i], same[i]);
	assert_printed(" \t\r\n[ 1 , 2 ]\r\n", "[1,2]");
	assert_printed("1E5", "100000");
	assert_printed("1.50e+2", "150");
	assert_printed("-0.0", "0");
	assert_printed("-0", "0");
	assert_printed("\"a\\/b\\u0041\\u00e9\\ud83d\\ude00\\n\"", "\"a/bAé😀\\n\"");
	assert_printed("\"é€😀\x7f\"", "\"é€😀\x7f\"");
}

static void comments_are_blanks(void **state)
{
	assert_printed("// first\n1", "1");
	assert_printed("1 // last", "1");
	assert_printed("1 /* last */", "1");
	assert_printed("/**/ [ /* a */ 1 /* b */ , /* c\n d */ 2 // e\r\n ] //", "[1,2]");
	assert_printed("{ /* { */ \"a\" /* } */ : /* , */ 1 /* \" */ }", "{\"a\":1}");
	assert_printed("/* * / // /* ***/1", "1");
	assert_printed("[1 // comment ended by a carriage return\r, 2]", "[1,2]");
	assert_printed("/* ünïcode 😀 */ 1 // ☃", "1");
}

static void strings_may_look_like_comments(void **state)
{
	assert_printed("\"http://host/a\"", "\"http://host/a\"");
	assert_printed("[\"/* no */\",\"//\",\"\\\"// \",\",]\"]",
		"[\"/* no */\",\"//\",\"\\\"// \",\",]\"]");
}

static void a_comma_may_trail(void **state)
{
	assert_printed("[1,]", "[1]");
	assert_printed("[1, /* , */ ]", "[1]");
	assert_printed("{\"a\":1 , // more to come\n }", "{\"a\":1}");
	assert_printed("[[1,],{\"a\":[2,],},]", "[[1],{\"a\":[2]}]");
}

static void a_byte_order_mark_is_skipped_and_has_no_column(void **state)
{
	assert_printed("\xEF\xBB\xBF[1]", "[1]");
	assert_refused("\xEF\xBB\xBF?", "f:1:1: expected a value, found '?'");
	assert_refused("\xEF\xBB\xBF", "f:1:1: expected a value, found the end of the file");
	assert_refused("\xEF\xBB\xBF\xEF\xBB\xBF[1]",
		"f:1:1: expected a value, found '\xEF\xBB\xBF' (U+FEFF)");
}

static void bytes_behind_the_length_are_not_looked_at(void **state)
{
	json_destroy(parse_bytes("12}", 2));
	json_destroy(parse_bytes("[1]]", 3));
	json_destroy(parse_bytes("true\xFF", 4));
}

static void keys_that_differ_in_case_are_different(void **state)
{
	assert_printed("{\"a\":1,\"A\":2}", "{\"a\":1,\"A\":2}");
	assert_printed("[{\"a\":1},{\"a\":{\"a\":2}}]", "[{\"a\":1},{\"a\":{\"a\":2}}]");
}

/* --- numbers --- */

static double number_of(const char *text)
{
	struct json_document *document = parse(text);
	const double value = json_root(document)->valuedouble;

	assert_true(cJSON_IsNumber(json_root(document)));
	json_destroy(document);
	return value;
}

static void doubles_survive_printing_and_reading(void **state)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	for (int i = 0; i < 20000; i++) {
		const uint64_t bits = random_u64(&random);
		double value;
		memcpy(&value, &bits, sizeof(value));
		if (i % 2 || !isfinite(value))
			value = random_uniform(&random);

		const cJSON node = { .type = cJSON_Number, .valuedouble = value };
		char *text = json_print(&node, 0);
		if (number_of(text) != value)
			fail_msg("%a became %s", value, text);
		free(text);
	}
}

/* cJSON looks at 63 characters of a number and takes the rest for something else. */
static void numbers_of_any_length_are_read_correctly(void **state)
{
	char text[2000];

	snprintf(text, sizeof(text), "0.%01000d1", 0);
	assert_refused(text, "f:1:1: expected 0 or a number above 4.9e-324 in size, found "
			     "0.00000000000000000000000000000000000000...");
	snprintf(text, sizeof(text), "0.%060d12345e62", 0);
	assert_true(number_of(text) == 12.345);
	snprintf(text, sizeof(text), "-%d%0999d.5e-1000", 7, 0);
	assert_true(number_of(text) == -0.7);
	assert_true(number_of("0.1000000000000000055511151231257827021181583404541015625") == 0.1);
	assert_true(
		number_of("1.0000000000000000000000000000000000000000000000000000000000001") == 1);
	assert_true(
		number_of("10.000000000000000000000000000000000000000000000000000000000001") == 10);
	assert_true(number_of("100.000000000000000000000000000000000000000000000000000000000001") ==
		    100);

	snprintf(text, sizeof(text), "[0.%080d1,{\"a\":1.%0300d,},2]", 0, 0);
	assert_printed(text, "[1e-81,{\"a\":1},2]");
}

static void integers_up_to_2_to_53_are_exact(void **state)
{
	assert_true(number_of("9007199254740992") == 0x1p53);
	assert_true(number_of("-9007199254740992") == -0x1p53);
	assert_true(number_of("9007199254740991") == 0x1p53 - 1);
	assert_true(number_of("9007199254740993.0") == 0x1p53);
	assert_true(number_of("1e300") == 1e300);
}

static void larger_integers_are_refused(void **state)
{
	static const char *const wrong[] = { "9007199254740993", "-9007199254740993",
		"10000000000000000", "18446744073709551615", "100000000000000000000000000000" };
	char message[256];

	for (size_t i = 0; i < LENGTH(wrong); i++) {
		snprintf(message, sizeof(message),
			"f:1:1: expected an integer of at most 9007199254740992 (2^53), found %s; "
			"where a string may stand, write it as a string",
			wrong[i]);
		assert_refused(wrong[i], message);
	}
}

static void numbers_that_a_double_cannot_hold_are_refused(void **state)
{
	assert_refused("[1e999]", "f:1:2: expected a number below 1.8e308 in size, found 1e999");
	assert_refused("-1e309", "f:1:1: expected a number below 1.8e308 in size, found -1e309");
	assert_refused(
		"1e-400", "f:1:1: expected 0 or a number above 4.9e-324 in size, found 1e-400");
	assert_true(number_of("1.7976931348623157e308") == 1.7976931348623157e308);
	assert_true(number_of("5e-324") == 5e-324);
	assert_true(number_of("0e999") == 0);
	assert_true(number_of("-0.000e-999") == 0);
}

static void malformed_numbers_say_what_is_missing(void **state)
{
	static const struct {
		const char *number, *expected;
	} wrong[] = {
		{ "-", "a digit after '-'" },
		{ "-.5", "a digit after '-'" },
		{ "--1", "a digit after '-'" },
		{ "-a", "a digit after '-'" },
		{ "-Infinity", "a finite number" },
		{ "-inf", "a finite number" },
		{ "-nan", "a finite number" },
		{ "1.", "a digit after the decimal point" },
		{ "1.e5", "a digit after the decimal point" },
		{ "1..2", "a digit after the decimal point" },
		{ "1e", "a digit in the exponent" },
		{ "1e+", "a digit in the exponent" },
		{ "1e.5", "a digit in the exponent" },
		{ "007", "a number without leading zeros" },
		{ "-01", "a number without leading zeros" },
		{ "00", "a number without leading zeros" },
		{ "0x10", "a decimal number" },
		{ "0b1", "a decimal number" },
		{ "1_000", "a number" },
		{ "1.2.3", "a number" },
		{ "12abc", "a number" },
		{ "1e5e5", "a number" },
		{ "1-2", "a number" },
		{ "30m", "a number" },
		{ "2024-01-01", "a number" },
	};
	char text[64], message[128];

	for (size_t i = 0; i < LENGTH(wrong); i++) {
		snprintf(text, sizeof(text), "{\"a\":\n  %s\n}", wrong[i].number);
		snprintf(message, sizeof(message), "f:2:3: expected %s, found %s",
			wrong[i].expected, wrong[i].number);
		assert_refused(text, message);
	}
}

/* --- faults of the grammar --- */

static void a_missing_value_is_missed_where_it_should_be(void **state)
{
	assert_refused("", "f:1:1: expected a value, found the end of the file");
	assert_refused(" \n // nothing\n", "f:3:1: expected a value, found the end of the file");
	assert_refused("{\"min\": }", "f:1:9: expected a value of \"min\", found '}'; the '{' of "
				      "line 1, column 1 is still open");
	assert_refused("{\"min\": , \"max\": 1}", "f:1:9: expected a value of \"min\", found ','");
	assert_refused("[1,,2]", "f:1:4: expected a value or ']', found ','");
	assert_refused("[,]", "f:1:2: expected a value or ']', found ','");
	assert_refused("[1,,]", "f:1:4: expected a value or ']', found ','");
	assert_refused("[*]", "f:1:2: expected a value or ']', found '*'");
	assert_refused("]", "f:1:1: expected a value, found ']'");
}

static void words_that_json_does_not_know_get_a_hint(void **state)
{
	static const struct {
		const char *word, *hint;
	} words[] = {
		{ "NaN", "a number must be finite" },
		{ "nan", "a number must be finite" },
		{ "Infinity", "a number must be finite" },
		{ "inf", "a number must be finite" },
		{ "True", "write true" },
		{ "FALSE", "write false" },
		{ "yes", "write true" },
		{ "None", "write null" },
		{ "undefined", "write null" },
		{ "log", "text takes double quotes" },
		{ "tru", "text takes double quotes" },
		{ "nulls", "text takes double quotes" },
		{ "true1", "text takes double quotes" },
	};
	char text[64], message[128];

	for (size_t i = 0; i < LENGTH(words); i++) {
		snprintf(text, sizeof(text), "{\"a\": %s}", words[i].word);
		snprintf(message, sizeof(message),
			"f:1:7: expected a value of \"a\", found the word %s; %s", words[i].word,
			words[i].hint);
		assert_refused(text, message);
	}
	assert_refused("[+1]", "f:1:2: expected a value or ']', found '+'; a number begins with a "
			       "digit or '-'");
	assert_refused(
		".5", "f:1:1: expected a value, found '.'; a number begins with a digit or '-'");
}

static void a_missing_comma_names_what_stands_before_it(void **state)
{
	assert_refused("{\"min\": 1 \"max\": 2}",
		"f:1:11: expected ',' or '}' after the value of \"min\", found \"max\"");
	assert_refused("{\n  \"min\": 1\n  \"max\": 2\n}",
		"f:3:3: expected ',' or '}' after the value of \"min\", found \"max\"");
	assert_refused("{\"a\": {\"b\": 1} \"c\": 2}",
		"f:1:16: expected ',' or '}' after the value of \"a\", found \"c\"");
	assert_refused("[1, 2 3]", "f:1:7: expected ',' or ']' after item 2, found the number 3");
	assert_refused("[1 -2]", "f:1:4: expected ',' or ']' after item 1, found the number -2");
	assert_refused(
		"[true false]", "f:1:7: expected ',' or ']' after item 1, found the word false");
	assert_refused("[[1] [2]]", "f:1:6: expected ',' or ']' after item 1, found '['");
	assert_refused("{\"a\": 1; \"b\": 2}",
		"f:1:8: expected ',' or '}' after the value of \"a\", found ';'");
	assert_refused("[1 # one\n]",
		"f:1:4: expected ',' or ']' after item 1, found '#' (comments begin with //)");
	assert_refused("[1 / 2]", "f:1:4: expected ',' or ']' after item 1, found '/'");
}

static void a_wrong_or_missing_bracket_names_the_open_one(void **state)
{
	assert_refused("{\"a\": [1, 2}",
		"f:1:12: expected ',' or ']' after item 2, found '}'; the '[' of line 1, column 7 "
		"is still open");
	assert_refused("[{\"a\": 1]", "f:1:9: expected ',' or '}' after the value of \"a\", found "
				      "']'; the '{' of line 1, column 2 is still open");
	assert_refused("{\n  \"a\": [\n    1,\n    2\n",
		"f:5:1: expected ',' or ']' after item 2, found the end of the file; the '[' of "
		"line "
		"2, column 8 is still open");
	assert_refused("{\"a\": 1,",
		"f:1:9: expected a key in double quotes or '}', found the end of "
		"the file; the '{' of line 1, column 1 is still open");
	assert_refused("{\"a\"", "f:1:5: expected ':' after the key \"a\", found the end of the "
				 "file; the '{' of line 1, column 1 is still open");
	assert_refused("[1,",
		"f:1:4: expected a value or ']', found the end of the file; the '[' of "
		"line 1, column 1 is still open");
	assert_refused("[", "f:1:2: expected a value or ']', found the end of the file; the '[' of "
			    "line 1, column 1 is still open");
}

static void keys_take_double_quotes_and_a_colon(void **state)
{
	assert_refused("{min: 1}", "f:1:2: expected a key in double quotes or '}', found the word "
				   "min; keys take quotes");
	assert_refused("{'min': 1}",
		"f:1:2: expected a key in double quotes or '}', found a single "
		"quote (strings take double quotes)");
	assert_refused(
		"{1: 2}", "f:1:2: expected a key in double quotes or '}', found the number 1");
	assert_refused("{,}", "f:1:2: expected a key in double quotes or '}', found ','");
	assert_refused("{\"a\": 1,, }", "f:1:9: expected a key in double quotes or '}', found ','");
	assert_refused("{\"a\" = 1}", "f:1:6: expected ':' after the key \"a\", found '='");
	assert_refused("{\"a\"\n1}", "f:2:1: expected ':' after the key \"a\", found the number 1");
	assert_refused("{\"a\", \"b\"}", "f:1:5: expected ':' after the key \"a\", found ','");
	assert_refused("[\"a\": 1]", "f:1:5: expected ',' or ']' after item 1, found ':'");
}

static void nothing_may_follow_the_value(void **state)
{
	assert_refused(
		"1 2", "f:1:3: expected the end of the file after the value, found the number 2");
	assert_refused("{}\n{}", "f:2:1: expected the end of the file after the value, found '{'");
	assert_refused("[]]", "f:1:3: expected the end of the file after the value, found ']'");
	assert_refused("{},", "f:1:3: expected the end of the file after the value, found ','");
	assert_refused(
		"null x", "f:1:6: expected the end of the file after the value, found the word x");
}

static void strings_end_on_their_line_and_hold_no_control_characters(void **state)
{
	assert_refused("[\"abc",
		"f:1:2: expected a closing '\"' of the string that begins here, found "
		"the end of the file");
	assert_refused("{\n\"a\": \"b,\n\"c\": 1}", "f:2:6: expected a closing '\"' of the string "
						    "that begins here, found the end of the "
						    "line");
	assert_refused("\"abc\\",
		"f:1:5: expected \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u, found \\ (a "
		"backslash itself is written \\\\)");
	assert_refused("\"abc\\\"",
		"f:1:1: expected a closing '\"' of the string that begins here, "
		"found the end of the file");
	assert_refused("\"a\tb\"", "f:1:3: expected no control character in a string, found 0x09 "
				   "(write \\t)");
	assert_refused("\"a\x1b[0m\"",
		"f:1:3: expected no control character in a string, found 0x1b "
		"(write \\u001b)");
	assert_refused(
		"[\x01]", "f:1:2: expected a value or ']', found the control character 0x01");
	assert_refused("'a'", "f:1:1: expected a value, found a single quote (strings take double "
			      "quotes)");
	assert_refused("“a”", "f:1:1: expected a value, found '“' (U+201C)");
	assert_refused("[1,\xC2\xA0"
		       "2]",
		"f:1:4: expected a value or ']', found '\xC2\xA0' (U+00A0)");
}

static void escapes_are_checked(void **state)
{
	assert_refused("\"C:\\data\"",
		"f:1:4: expected \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u, found "
		"\\d (a backslash itself is written \\\\)");
	assert_refused("\"\\é\"",
		"f:1:2: expected \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u, found \\é "
		"(a backslash itself is written \\\\)");
	assert_refused("\"ab\\u12g4\"",
		"f:1:4: expected four hexadecimal digits after \\u, found \\u12g4");
	assert_refused(
		"\"\\u12\"", "f:1:2: expected four hexadecimal digits after \\u, found \\u12");
	assert_refused("\"\\u", "f:1:2: expected four hexadecimal digits after \\u, found \\u");
	assert_refused(
		"\"\\u+123\"", "f:1:2: expected four hexadecimal digits after \\u, found \\u+123");
	assert_refused("\"a\\u0000\"",
		"f:1:3: expected a character other than NUL in a string, found \\u0000");
}

static void halves_of_surrogate_pairs_are_refused(void **state)
{
	static const char *const wrong[] = { "\\ud83d", "\\ude00", "\\ud83d\\ud83d", "\\ud83dx",
		"\\ud83d\\u0041", "\\ud83d\\n", "\\ude00\\ud83d" };
	char text[64], message[160];

	for (size_t i = 0; i < LENGTH(wrong); i++) {
		snprintf(text, sizeof(text), "\"%s\"", wrong[i]);
		snprintf(message, sizeof(message),
			"f:1:2: expected a pair of surrogates such as \\ud83d\\ude00, found %.6s "
			"without its other half",
			wrong[i]);
		assert_refused(text, message);
	}
}

static void comments_must_end(void **state)
{
	assert_refused("{\n /* a\n b\n}",
		"f:2:2: expected */ at the end of the comment that begins "
		"here, found the end of the file");
	assert_refused("1 /*/",
		"f:1:3: expected */ at the end of the comment that begins here, found "
		"the end of the file");
	assert_refused("1 /* *",
		"f:1:3: expected */ at the end of the comment that begins here, found "
		"the end of the file");
	assert_refused("1 /", "f:1:3: expected the end of the file after the value, found '/'");
	assert_refused("/* a */ */ 1", "f:1:9: expected a value, found '*'");
}

static void the_same_key_twice_is_refused_at_the_second(void **state)
{
	assert_refused("{\"a\": 1,\n \"b\": 2,\n \"a\": 3}",
		"f:3:2: expected each key once, found \"a\" again (first in line 1)");
	assert_refused("{\"a\": 1, \"\\u0061\": 2}",
		"f:1:10: expected each key once, found \"a\" again (first in line 1)");
	assert_refused("{\"a\": 1,\n\"a\": 2,\n\"a\": 3}",
		"f:2:1: expected each key once, found \"a\" again (first in line 1)");
	assert_refused("{\"\": 1, \"\": 2}",
		"f:1:9: expected each key once, found \"\" again (first in line 1)");
	assert_refused("[{\"a\": {\"z\": 1,\n\"z\": 2},\n\"b\": 1, \"b\": 2}]",
		"f:2:1: expected each key once, found \"z\" again (first in line 1)");
	assert_refused("{\"y\": 1, \"x\": 1,\n\"x\": 2,\n\"y\": 2}",
		"f:2:1: expected each key once, found \"x\" again (first in line 1)");
}

/* A document of levels brackets around nothing. */
static struct text nested(size_t levels)
{
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < levels; i++)
		text_add(&text, i % 2 ? "{\"a\":" : "[");
	text_add(&text, "0");
	for (size_t i = levels; i-- > 0;)
		text_add(&text, i % 2 ? "}" : "]");
	return text;
}

static void sixty_four_levels_are_enough(void **state)
{
	struct text most = nested(64), more = nested(65), far = nested(100000);
	struct tuner_error err;

	json_destroy(parse(most.bytes));
	assert_refused(more.bytes, "f:1:193: expected at most 64 levels, found one more '['");
	assert_string_equal(refuse_bytes(far.bytes, far.length, &err),
		"f:1:193: expected at most 64 levels, found one more '['");
	text_finish(&most);
	text_finish(&more);
	text_finish(&far);
}

static void levels_are_counted_not_brackets(void **state)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, "[");
	for (int i = 0; i < 1000; i++)
		text_add(&text, "[[]],");
	text_add(&text, "]");
	json_destroy(parse(text.bytes));
	text_finish(&text);
}

/* --- encoding --- */

static void what_is_not_utf8_is_refused_wherever_it_stands(void **state)
{
	assert_refused("[\"a\xff\"]", "f:1:4: expected UTF-8, found the byte 0xff");
	assert_refused("[1] // caf\xe9\n", "f:1:11: expected UTF-8, found the byte 0xe9");
	assert_refused("{?\n\"\xc3(\"}", "f:2:2: expected UTF-8, found the byte 0xc3");
	assert_refused("\"\xed\xa0\x80\"", "f:1:2: expected UTF-8, found the byte 0xed");
	assert_refused("\"\xc0\x80\"", "f:1:2: expected UTF-8, found the byte 0xc0");
	assert_refused("\"é\xf0\x9f\x98", "f:1:3: expected UTF-8, found the byte 0xf0");
}

static void nul_bytes_and_utf16_are_refused(void **state)
{
	struct tuner_error err;

	assert_string_equal(
		refuse_bytes("[1,\0 2]", 7, &err), "f:1:4: expected text, found a NUL byte");
	assert_string_equal(
		refuse_bytes("\"a\0b\"", 5, &err), "f:1:3: expected text, found a NUL byte");
	assert_string_equal(refuse_bytes("1\0", 2, &err), "f:1:2: expected text, found a NUL byte");
	assert_string_equal(
		refuse_bytes("1\n//\0", 5, &err), "f:2:3: expected text, found a NUL byte");
	assert_string_equal(
		refuse_bytes("\xFF\xFE{\0}\0", 6, &err), "f:1:1: expected UTF-8, found UTF-16");
	assert_string_equal(
		refuse_bytes("\xFE\xFF\0{\0}", 6, &err), "f:1:1: expected UTF-8, found UTF-16");
}

static void a_megabyte_is_enough(void **state)
{
	struct tuner_error err;
	char *bytes = malloc(JSON_BYTES_MAX + 1);

	memset(bytes, ' ', JSON_BYTES_MAX + 1);
	bytes[0] = '1';
	json_destroy(parse_bytes(bytes, JSON_BYTES_MAX));
	assert_string_equal(refuse_bytes(bytes, JSON_BYTES_MAX + 1, &err),
		"f:1:1: expected at most 1048576 bytes, found 1048577");
	free(bytes);
}

/* Half a million values, and a hundred thousand keys of one object: far too slow if quadratic. */
static void large_documents_are_read(void **state)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, "[");
	for (int i = 0; i < 500000; i++)
		text_add(&text, "1,");
	text_add(&text, "]");
	struct json_document *document = parse_bytes(text.bytes, text.length);
	const cJSON *last = json_root(document)->child->prev;
	assert_int_equal(json_place_of_value(document, last).column, 1000000);
	json_destroy(document);

	text_clear(&text);
	text_add(&text, "{");
	for (int i = 0; i < 100000; i++)
		text_print(&text, "\"%d\":1,", i);
	const size_t length = text.length;
	text_add(&text, "}");
	json_destroy(parse_bytes(text.bytes, text.length));

	struct tuner_error err;
	text.length = length;
	text_add(&text, "\n\"7\":1}");
	assert_string_equal(refuse_bytes(text.bytes, text.length, &err),
		"f:2:1: expected each key once, found \"7\" again (first in line 1)");
	text_finish(&text);
}

static void messages_quote_at_most_forty_bytes_of_the_text(void **state)
{
	assert_refused("{\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddX\" 1}",
		"f:1:46: expected ':' after the key "
		"\"aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd...\", "
		"found the number 1");
	assert_refused("[1 \"aaaaaaaaaabbbbbbbbbbccccccccccddddddddéé\"]",
		"f:1:4: expected ',' or ']' after item 1, found "
		"\"aaaaaaaaaabbbbbbbbbbccccccccccdddddddd...");
	assert_refused("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"f:1:1: expected a value, found the word "
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...; "
		"text takes double quotes");
}

/* --- places --- */

static void assert_place(struct json_place place, unsigned line, unsigned column)
{
	if (place.line != line || place.column != column)
		fail_msg("%u:%u, expected %u:%u", place.line, place.column, line, column);
}

static void every_value_and_key_knows_its_place(void **state)
{
	struct json_document *document = parse("/* a job */\n"
					       "{\n"
					       "  \"name\": \"é€😀\", \"goal\":\n"
					       "    \"max\",\t\"list\" : [ 1,\r\n"
					       "  {\"x\": null}, /* ü */ true,],\n"
					       "}\n");
	const cJSON *root = json_root(document);
	const cJSON *name = root->child, *goal = name->next, *list = goal->next;
	const cJSON *one = list->child, *object = one->next, *last = object->next;

	assert_place(json_place_of_value(document, root), 2, 1);
	assert_place(json_place_of_key(document, root), 0, 0);
	assert_place(json_place_of_key(document, name), 3, 3);
	assert_place(json_place_of_value(document, name), 3, 11);
	assert_place(json_place_of_key(document, goal), 3, 18);
	assert_place(json_place_of_value(document, goal), 4, 5);
	assert_place(json_place_of_key(document, list), 4, 12);
	assert_place(json_place_of_value(document, list), 4, 21);
	assert_place(json_place_of_value(document, one), 4, 23);
	assert_place(json_place_of_key(document, one), 0, 0);
	assert_place(json_place_of_value(document, object), 5, 3);
	assert_place(json_place_of_key(document, object->child), 5, 4);
	assert_place(json_place_of_value(document, object->child), 5, 9);
	assert_place(json_place_of_value(document, last), 5, 24);
	json_destroy(document);
}

static void all_three_line_ends_count(void **state)
{
	struct json_document *document = parse("[\r\n1,\n2,\r3,\n\r4,\r\r5]");
	static const unsigned lines[] = { 2, 3, 4, 6, 8 };
	size_t i = 0;

	for (const cJSON *item = json_root(document)->child; item; item = item->next)
		assert_place(json_place_of_value(document, item), lines[i++], 1);
	assert_int_equal(i, 5);
	json_destroy(document);
}

static void foreign_nodes_have_no_place(void **state)
{
	struct json_document *document = parse("[1]");
	const cJSON foreign = { .type = cJSON_NULL };

	assert_place(json_place_of_value(document, &foreign), 0, 0);
	assert_place(json_place_of_key(document, &foreign), 0, 0);
	assert_place(json_place_of_value(document, NULL), 0, 0);
	json_destroy(document);
	json_destroy(NULL);
}

/* --- describing and printing --- */

static void values_are_described_for_messages(void **state)
{
	struct json_document *document = parse("[{},[],\"s\",3,-0.25,1e300,true,false,null]");
	static const char *const expected[] = { "an object", "an array", "a string", "the number 3",
		"the number -0.25", "the number 1e+300", "true", "false", "null" };
	char text[64];
	size_t i = 0;

	for (const cJSON *item = json_root(document)->child; item; item = item->next)
		assert_string_equal(json_describe(item, text), expected[i++]);
	assert_int_equal(i, LENGTH(expected));
	assert_string_equal(json_describe(NULL, text), "nothing");
	json_destroy(document);
}

static void printing_with_an_indent_gives_a_line_per_value(void **state)
{
	struct json_document *document = parse("{\"a\": [1, {\"b\": 2}], \"c\": {}, \"d\": []}");
	char *text = json_print(json_root(document), 2);

	assert_string_equal(text, "{\n"
				  "  \"a\": [\n"
				  "    1,\n"
				  "    {\n"
				  "      \"b\": 2\n"
				  "    }\n"
				  "  ],\n"
				  "  \"c\": {},\n"
				  "  \"d\": []\n"
				  "}");
	free(text);
	json_destroy(document);
}

static void trees_made_by_hand_are_printed_too(void **state)
{
	cJSON *root = cJSON_CreateObject();

	cJSON_AddNumberToObject(root, "nan", NAN);
	cJSON_AddNumberToObject(root, "inf", -INFINITY);
	cJSON_AddRawToObject(root, "raw", "[1, 2]");
	cJSON_AddStringToObject(root, "\"", "\n\xff");
	char *text = json_print(root, 0);
	assert_string_equal(
		text, "{\"nan\":null,\"inf\":-1e999,\"raw\":[1, 2],\"\\\"\":\"\\n\\ufffd\"}");
	free(text);
	cJSON_Delete(root);
}

/* --- all at once --- */

/* Every beginning of a good document is refused, with a place inside it; so is every document with
 * one byte less, unless that byte did not matter. */
static void no_beginning_of_a_document_is_a_document(void **state)
{
	static const char text[] =
		"{\"a\": [1.5e3, -0, true, null, \"x\\u00e9é\\n\"], /* c */ \"b\": "
		"{\"c\": {},}, // d\n}";
	struct tuner_error err;

	json_destroy(parse(text));
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		refuse_bytes(text, length, &err);
		assert_non_null(strstr(err.message, ": expected "));
		assert_non_null(strstr(err.message, ", found "));
	}
}

static void documents_with_a_wrong_byte_fail_cleanly_or_are_documents(void **state)
{
	static const char text[] =
		"{\"a\": [1.5e3, -0, true, \"x\\u00e9\"], /* c */ \"b\": {\"c\": {}}}";
	char broken[sizeof(text)];

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			struct json_document *document = NULL;
			struct tuner_error err = { 0 };
			memcpy(broken, text, sizeof(text));
			broken[i] = (char)byte;
			if (json_parse("f", broken, sizeof(text) - 1, &document, &err))
				json_destroy(document);
			else
				/* A line break as the wrong byte begins a second line. */
				assert_true(err.code == TUNER_USAGE &&
					    (strncmp(err.message, "f:1:", 4) == 0 ||
						    strncmp(err.message, "f:2:", 4) == 0));
		}
	}
}

static void only_whole_numbers_within_bounds_are_converted(void **state)
{
	static const char *const not_whole[] = { "1.5", "1e300", "-1e300", "9007199254740994.0",
		"-1", "\"3\"", "true", "null", "[3]" };
	int64_t value = 7;

	for (size_t i = 0; i < sizeof(not_whole) / sizeof(*not_whole); i++) {
		cJSON *node = cJSON_Parse(not_whole[i]);
		assert_false(json_whole(node, 0, JSON_WHOLE_MAX, &value));
		cJSON_Delete(node);
	}
	cJSON *infinite = cJSON_CreateNumber(INFINITY), *nan = cJSON_CreateNumber(NAN);
	assert_false(json_whole(infinite, 0, JSON_WHOLE_MAX, &value));
	assert_false(json_whole(nan, 0, JSON_WHOLE_MAX, &value));
	assert_false(json_whole(NULL, 0, 1, &value));
	assert_int_equal(value, 7);
	cJSON *most = cJSON_CreateNumber((double)JSON_WHOLE_MAX);
	assert_true(json_whole(most, 0, JSON_WHOLE_MAX, &value));
	assert_int_equal(value, JSON_WHOLE_MAX);
	assert_false(json_whole(most, 0, JSON_WHOLE_MAX - 1, &value));
	cJSON_Delete(most);
	cJSON_Delete(nan);
	cJSON_Delete(infinite);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_json_is_read),
		cmocka_unit_test(comments_are_blanks),
		cmocka_unit_test(strings_may_look_like_comments),
		cmocka_unit_test(a_comma_may_trail),
		cmocka_unit_test(a_byte_order_mark_is_skipped_and_has_no_column),
		cmocka_unit_test(bytes_behind_the_length_are_not_looked_at),
		cmocka_unit_test(keys_that_differ_in_case_are_different),
		cmocka_unit_test(doubles_survive_printing_and_reading),
		cmocka_unit_test(numbers_of_any_length_are_read_correctly),
		cmocka_unit_test(integers_up_to_2_to_53_are_exact),
		cmocka_unit_test(larger_integers_are_refused),
		cmocka_unit_test(numbers_that_a_double_cannot_hold_are_refused),
		cmocka_unit_test(malformed_numbers_say_what_is_missing),
		cmocka_unit_test(a_missing_value_is_missed_where_it_should_be),
		cmocka_unit_test(words_that_json_does_not_know_get_a_hint),
		cmocka_unit_test(a_missing_comma_names_what_stands_before_it),
		cmocka_unit_test(a_wrong_or_missing_bracket_names_the_open_one),
		cmocka_unit_test(keys_take_double_quotes_and_a_colon),
		cmocka_unit_test(nothing_may_follow_the_value),
		cmocka_unit_test(strings_end_on_their_line_and_hold_no_control_characters),
		cmocka_unit_test(escapes_are_checked),
		cmocka_unit_test(halves_of_surrogate_pairs_are_refused),
		cmocka_unit_test(comments_must_end),
		cmocka_unit_test(the_same_key_twice_is_refused_at_the_second),
		cmocka_unit_test(sixty_four_levels_are_enough),
		cmocka_unit_test(levels_are_counted_not_brackets),
		cmocka_unit_test(what_is_not_utf8_is_refused_wherever_it_stands),
		cmocka_unit_test(nul_bytes_and_utf16_are_refused),
		cmocka_unit_test(a_megabyte_is_enough),
		cmocka_unit_test(large_documents_are_read),
		cmocka_unit_test(messages_quote_at_most_forty_bytes_of_the_text),
		cmocka_unit_test(every_value_and_key_knows_its_place),
		cmocka_unit_test(all_three_line_ends_count),
		cmocka_unit_test(foreign_nodes_have_no_place),
		cmocka_unit_test(values_are_described_for_messages),
		cmocka_unit_test(printing_with_an_indent_gives_a_line_per_value),
		cmocka_unit_test(trees_made_by_hand_are_printed_too),
		cmocka_unit_test(no_beginning_of_a_document_is_a_document),
		cmocka_unit_test(documents_with_a_wrong_byte_fail_cleanly_or_are_documents),
		cmocka_unit_test(only_whole_numbers_within_bounds_are_converted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
