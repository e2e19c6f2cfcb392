#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void an_empty_text_is_an_empty_string(void **state)
{
	struct text text = TEXT_EMPTY;

	assert_string_equal(text.bytes, "");
	assert_false(text_failed(&text));
	text_add(&text, "");
	text_print(&text, "%s", "");
	assert_int_equal(text.length, 0);
	text_finish(&text);
	assert_string_equal(text.bytes, "");
}

static void pieces_of_all_kinds_are_appended(void **state)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, "trial ");
	text_print(&text, "%d of %s", 7, "cifar10");
	text_add_char(&text, ':');
	text_add_bytes(&text, " a\0b", 4);
	text_add_double(&text, 0.1);
	assert_int_equal(text.length, strlen("trial 7 of cifar10: a") + 5);
	assert_memory_equal(text.bytes, "trial 7 of cifar10: a\0b0.1", text.length + 1);
	text_finish(&text);
}

static void a_text_is_terminated_at_every_length(void **state)
{
	struct text text = TEXT_EMPTY;

	for (size_t n = 1; n <= 5000; n++) {
		text_add_char(&text, 'x');
		assert_int_equal(text.length, n);
		assert_int_equal(strlen(text.bytes), n);
		assert_true(text.capacity > n);
	}
	text_finish(&text);
}

static void a_print_longer_than_the_capacity_is_whole(void **state)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, "<");
	text_print(&text, "%*d", 100000, 7);
	text_add(&text, ">");
	assert_int_equal(text.length, 100002);
	assert_string_equal(text.bytes + 99999, " 7>");
	text_finish(&text);
}

/* Beyond TEXT_MAX by a length that no machine has to hold: the bytes are never looked at. */
static void what_goes_beyond_the_bound_fails_and_stays_failed(void **state)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, "kept");
	text_add_bytes(&text, "", TEXT_MAX);
	assert_true(text_failed(&text));
	text_add(&text, " ignored");
	assert_string_equal(text.bytes, "kept");
	assert_null(text_take(&text));
	assert_false(text_failed(&text));
	assert_string_equal(text.bytes, "");
	assert_int_equal(text.capacity, 0);

	text_add_bytes(&text, "", SIZE_MAX);
	assert_true(text_failed(&text));
	text_finish(&text);
}

static void blanks_at_the_end_are_trimmed(void **state)
{
	struct text text = TEXT_EMPTY;

	text_trim_end(&text);
	assert_string_equal(text.bytes, "");
	text_add(&text, " a b.  ");
	text_trim_end(&text);
	assert_string_equal(text.bytes, " a b.");
	text_add_char(&text, 'c');
	assert_string_equal(text.bytes, " a b.c");
	text_clear(&text);
	text_add(&text, "  ");
	text_trim_end(&text);
	assert_int_equal(text.length, 0);
	text_finish(&text);
}

static void clearing_keeps_the_memory_and_forgets_the_failure(void **state)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, "something");
	const size_t capacity = text.capacity;
	text_add_bytes(&text, "", TEXT_MAX);
	text_clear(&text);
	assert_false(text_failed(&text));
	assert_string_equal(text.bytes, "");
	assert_int_equal(text.capacity, capacity);
	text_add(&text, "again");
	assert_string_equal(text.bytes, "again");
	text_finish(&text);

	text_clear(&text); /* nothing allocated: still a string */
	assert_string_equal(text.bytes, "");
}

static void taking_hands_over_the_string_even_an_empty_one(void **state)
{
	struct text text = TEXT_EMPTY;

	char *empty = text_take(&text);
	assert_string_equal(empty, "");
	free(empty);

	text_add(&text, "mine");
	char *taken = text_take(&text);
	assert_string_equal(taken, "mine");
	assert_string_equal(text.bytes, "");
	text_add(&text, "new");
	assert_string_equal(taken, "mine");
	free(taken);
	text_finish(&text);
}

static void assert_json(const char *bytes, size_t length, const char *expected)
{
	struct text text = TEXT_EMPTY;

	text_add_json_bytes(&text, bytes, length);
	assert_string_equal(text.bytes, expected);
	text_finish(&text);
}

static void json_strings_escape_what_they_must_and_no_more(void **state)
{
	assert_json("", 0, "\"\"");
	assert_json("a/b'c", 5, "\"a/b'c\"");
	assert_json("\"\\", 2, "\"\\\"\\\\\"");
	assert_json("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	assert_json("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
	assert_json("é€😀", 9, "\"é€😀\"");
}

static void json_strings_replace_each_invalid_byte(void **state)
{
	assert_json("a\xff"
		    "b",
		3, "\"a\\ufffdb\"");
	assert_json("\xc3", 1, "\"\\ufffd\""); /* cut */
	assert_json("\xc3(", 2, "\"\\ufffd(\""); /* not continued */
	assert_json("\xc0\xaf", 2, "\"\\ufffd\\ufffd\""); /* overlong '/' */
	assert_json("\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\""); /* surrogate */
	assert_json("\xf0\x9f\x98", 3, "\"\\ufffd\\ufffd\\ufffd\"");
	assert_json("\xc3\xa9\xbf", 3, "\"é\\ufffd\"");
}

/* Against the table of well-formed byte sequences in the Unicode standard (3-7): encodes every code
 * point and looks it up; then every pair of first bytes, which must not be well-formed elsewhere. */
static size_t encode(unsigned code, char ret_bytes[4])
{
	if (code < 0x80) {
		ret_bytes[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		ret_bytes[0] = (char)(0xC0 | code >> 6);
		ret_bytes[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		ret_bytes[0] = (char)(0xE0 | code >> 12);
		ret_bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
		ret_bytes[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	ret_bytes[0] = (char)(0xF0 | code >> 18);
	ret_bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
	ret_bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
	ret_bytes[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

static void every_code_point_but_surrogates_is_one_character(void **state)
{
	for (unsigned code = 0; code < 0x140000; code++) {
		char bytes[4];
		const size_t size = encode(code, bytes);
		const bool valid = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);

		if (text_utf8_character(bytes, size) != (valid ? size : 0))
			fail_msg("U+%04X", code);
		if (text_utf8_character(bytes, size - 1) != 0)
			fail_msg("U+%04X, cut", code);
	}
}

static void only_the_standards_pairs_of_first_bytes_begin_a_character(void **state)
{
	for (unsigned first = 0x80; first < 0x100; first++) {
		for (unsigned second = 0; second < 0x100; second++) {
			const char bytes[] = { (char)first, (char)second, (char)0x80, (char)0x80 };
			unsigned low = 0x80, high = 0xBF;
			size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

			if (first == 0xE0)
				low = 0xA0;
			if (first == 0xED)
				high = 0x9F;
			if (first == 0xF0)
				low = 0x90;
			if (first == 0xF4)
				high = 0x8F;
			if (first < 0xC2 || first > 0xF4 || second < low || second > high)
				size = 0;
			if (text_utf8_character(bytes, sizeof(bytes)) != size)
				fail_msg("%02x %02x", first, second);
		}
	}
}

static void json_doubles_have_a_text_for_every_value(void **state)
{
	struct text text = TEXT_EMPTY;
	const double values[] = { NAN, INFINITY, -INFINITY, -0.0, 150, 0.1, -1e-300, DBL_MAX };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		text_add_json_double(&text, values[i]);
		text_add_char(&text, ' ');
	}
	assert_string_equal(
		text.bytes, "null 1e999 -1e999 0 150 0.1 -1e-300 1.7976931348623157e+308 ");
	assert_true(isinf(strtod("1e999", NULL)));
	text_finish(&text);
}

static void markup_is_escaped(void **state)
{
	struct text text = TEXT_EMPTY;
	text_add_markup(&text, "a<b> & \"c\" 'd' \xc3\xa9 \x01 \xff.");
	assert_string_equal(text.bytes,
		"a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; \xc3\xa9 \xef\xbf\xbd \xef\xbf\xbd.");
	text_clear(&text);
	text_add_markup_bytes(&text, "\0<\xef\xbf\xbf\xef\xbf\xbe\xef\xbf\xbc", 11);
	assert_string_equal(text.bytes, "\xef\xbf\xbd&lt;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbc");
	text_finish(&text);
}

static void a_quoted_word_is_one_word(void **state)
{
	struct text text = TEXT_EMPTY;
	text_add_shell_quoted(&text, "it's $HOME");
	assert_string_equal(text.bytes, "'it'\\''s $HOME'");
	text_clear(&text);
	/* csh reads '!' within quotes, fish a backslash before another, and before the quote. */
	text_add_shell_quoted(&text, "a!\\d\\\\b\\");
	assert_string_equal(text.bytes, "'a'\\!'\\d'\\\\'\\b'\\\\''");
	text_clear(&text);
	text_add_shell_quoted(&text, "");
	assert_string_equal(text.bytes, "''");
	text_finish(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_is_escaped),
		cmocka_unit_test(a_quoted_word_is_one_word),
		cmocka_unit_test(an_empty_text_is_an_empty_string),
		cmocka_unit_test(pieces_of_all_kinds_are_appended),
		cmocka_unit_test(a_text_is_terminated_at_every_length),
		cmocka_unit_test(a_print_longer_than_the_capacity_is_whole),
		cmocka_unit_test(what_goes_beyond_the_bound_fails_and_stays_failed),
		cmocka_unit_test(blanks_at_the_end_are_trimmed),
		cmocka_unit_test(clearing_keeps_the_memory_and_forgets_the_failure),
		cmocka_unit_test(taking_hands_over_the_string_even_an_empty_one),
		cmocka_unit_test(json_strings_escape_what_they_must_and_no_more),
		cmocka_unit_test(json_strings_replace_each_invalid_byte),
		cmocka_unit_test(every_code_point_but_surrogates_is_one_character),
		cmocka_unit_test(only_the_standards_pairs_of_first_bytes_begin_a_character),
		cmocka_unit_test(json_doubles_have_a_text_for_every_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
