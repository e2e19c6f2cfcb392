#include "tuner/text_width.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void wide_characters_take_two_columns_and_marks_none(void **state)
{
	assert_int_equal(text_columns(""), 0);
	assert_int_equal(text_columns("loss"), 4);
	assert_int_equal(text_columns("Größe"), 5);
	assert_int_equal(text_columns("学習率"), 6);
	assert_int_equal(text_columns("🚀"), 2);
	assert_int_equal(text_columns("e\xcc\x81t"), 2); /* e with a combining acute */
	assert_int_equal(text_columns("▁█…"), 3);
}

static void the_ranges_end_where_they_should(void **state)
{
	assert_int_equal(text_columns("\xe1\x84\x80"), 2); /* U+1100 */
	assert_int_equal(text_columns("\xe1\x85\xa0"), 1); /* U+1160 */
	assert_int_equal(text_columns("\xcc\x80"), 0); /* U+0300 */
	assert_int_equal(text_columns("\xcd\xb0"), 1); /* U+0370 */
	assert_int_equal(text_columns("\xef\xbc\x80"), 1); /* U+FF00 */
	assert_int_equal(text_columns("\xef\xbc\x81"), 2); /* U+FF01 */
	assert_int_equal(text_columns("\xef\xbd\xa0"), 2); /* U+FF60 */
	assert_int_equal(text_columns("\xef\xbd\xa1"), 1); /* U+FF61 */
}

static void bytes_of_no_character_count_one_each(void **state)
{
	assert_int_equal(text_columns("\xff\xfe"), 2);
	assert_int_equal(text_columns("a\xc3"), 2); /* cut in a character */
}

static void a_cut_keeps_characters_whole_and_their_marks(void **state)
{
	assert_int_equal(text_fit("loss", 2), 2);
	assert_int_equal(text_fit("loss", 4), 4);
	assert_int_equal(text_fit("loss", 9), 4);
	assert_int_equal(text_fit("loss", 0), 0);
	assert_int_equal(text_fit("Größe", 3), 4);
	assert_int_equal(text_fit("学習率", 3), 3); /* half of a character is none */
	assert_int_equal(text_fit("e\xcc\x81t", 1), 3);
}

static void what_could_steer_a_terminal_is_replaced(void **state)
{
	struct text text = TEXT_EMPTY;
	text_add_visible(&text, "a\033[2Jb\tc\n\x7f");
	assert_string_equal(text.bytes, "a?[2Jb?c??");
	text_clear(&text);
	text_add_visible(&text, "\xc2\x9b"
				"31m Größe 学"); /* U+009B is CSI in one character */
	assert_string_equal(text.bytes, "?31m Größe 学");
	text_clear(&text);
	text_add_visible(&text, "a\xff"
				"b");
	assert_string_equal(text.bytes, "a\xef\xbf\xbd"
					"b");
	text_finish(&text);
}

static void wraps(const char *paragraph, size_t columns, const char *expected)
{
	struct text text = TEXT_EMPTY;
	text_add_wrapped(&text, paragraph, columns);
	assert_string_equal(text.bytes, expected);
	text_finish(&text);
}

static void a_paragraph_is_broken_at_blanks(void **state)
{
	wraps("", 10, "");
	wraps("one", 10, "one\n");
	wraps("one two three", 7, "one two\nthree\n");
	wraps("one two three", 8, "one two\nthree\n");
	wraps("one two three", 6, "one\ntwo\nthree\n");
	wraps(" one  two. ", 4, "one\ntwo.\n");
	wraps("2.1 \xc3\x97 as much", 5, "2.1 \xc3\x97\nas\nmuch\n"); /* a sign of two bytes */
}

static void a_longer_word_has_its_own_line(void **state)
{
	wraps("a incomprehensible b", 6, "a\nincomprehensible\nb\n");
	wraps("incomprehensible", 6, "incomprehensible\n");
}

static void only_lines_that_are_too_wide_are_broken(void **state)
{
	struct text text = TEXT_EMPTY;

	text_add_wrapped_lines(&text, "short\n\n  x=1   y=2\nno end", 30);
	assert_string_equal(text.bytes, "short\n\n  x=1   y=2\nno end");
	text_clear(&text);
	/* Further lines stand deeper; a line that just fits is whole. */
	text_add_wrapped_lines(&text,
		"  one two three four five six seven eight\n123456789 123456789 123456789\n", 29);
	assert_string_equal(text.bytes,
		"  one two three four five six\n    seven eight\n123456789 123456789 123456789\n");
	text_clear(&text);
	/* By columns, not by bytes; a word without blanks has a line of its own. */
	text_add_wrapped_lines(&text, "学習率 学習率 学習率 学習率 学習率\n", 24);
	assert_string_equal(text.bytes, "学習率 学習率 学習率\n  学習率 学習率\n");
	text_clear(&text);
	text_add_wrapped_lines(&text, "see /a/path/that/is/much/longer/than/a/line now\n", 24);
	assert_string_equal(text.bytes, "see\n  /a/path/that/is/much/longer/than/a/line\n  now\n");
	text_clear(&text);
	/* Too narrow for steps to the right. */
	text_add_wrapped_lines(&text, "          aa bb cc\n", 8);
	assert_string_equal(text.bytes, "aa bb cc\n");
	text_finish(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wide_characters_take_two_columns_and_marks_none),
		cmocka_unit_test(the_ranges_end_where_they_should),
		cmocka_unit_test(bytes_of_no_character_count_one_each),
		cmocka_unit_test(a_cut_keeps_characters_whole_and_their_marks),
		cmocka_unit_test(what_could_steer_a_terminal_is_replaced),
		cmocka_unit_test(a_paragraph_is_broken_at_blanks),
		cmocka_unit_test(a_longer_word_has_its_own_line),
		cmocka_unit_test(only_lines_that_are_too_wide_are_broken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
