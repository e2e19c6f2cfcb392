#include "tuner/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const COLUMNS[] = { "-trial", "state", "-loss", "" };
enum { N_COLUMNS = sizeof(COLUMNS) / sizeof(*COLUMNS) };

/* What a table prints; the caller frees. */
static char *printed(const struct table *table, unsigned width, bool color)
{
	struct tuner_error err = { TUNER_OK, "" };
	char *bytes = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&bytes, &size);
	assert_non_null(out);
	if (!table_print(table, width, color, out, &err))
		fail_msg("%s", err.message);
	fclose(out);
	return bytes;
}

static void prints(const struct table *table, unsigned width, bool color, const char *expected)
{
	char *bytes = printed(table, width, color);
	assert_string_equal(bytes, expected);
	free(bytes);
}

static void add_row(
	struct table *table, int trial, const char *state, const char *loss, const char *note)
{
	table_add(table, "%d", trial);
	table_add(table, "%s", state);
	table_add(table, "%s", loss);
	table_add(table, "%s", note);
}

static void numbers_stand_right_text_left_and_lines_end_without_blanks(void **state)
{
	struct table *table = table_create(COLUMNS, N_COLUMNS);
	add_row(table, 1, "done", "0.125", "");
	add_row(table, 12, "failed", "-", "crashed");
	prints(table, 0, false,
		"trial  state    loss\n"
		"    1  done    0.125\n"
		"   12  failed      -  crashed\n");
	table_destroy(table);
}

static void a_table_without_rows_is_its_header(void **state)
{
	struct table *table = table_create(COLUMNS, N_COLUMNS);
	prints(table, 0, false, "trial  state  loss\n");
	table_destroy(table);
}

static void a_column_that_is_empty_throughout_takes_no_place(void **state)
{
	static const char *const columns[] = { "a", "", "b" };
	struct table *table = table_create(columns, 3);
	table_add(table, "1");
	table_add(table, "%s", "");
	table_add(table, "2");
	prints(table, 0, false, "a  b\n1  2\n");
	table_destroy(table);
}

static void columns_are_counted_not_bytes(void **state)
{
	static const char *const columns[] = { "name", "-x" };
	struct table *table = table_create(columns, 2);
	table_add(table, "Größe");
	table_add(table, "1");
	table_add(table, "学習率");
	table_add(table, "10");
	prints(table, 0, false, "name     x\nGröße    1\n学習率  10\n");
	table_destroy(table);
}

static void long_lines_are_cut_at_the_width_and_say_so(void **state)
{
	struct table *table = table_create(COLUMNS, N_COLUMNS);
	add_row(table, 1, "failed", "-", "a long story");
	prints(table, 33, false, "trial  state   loss\n    1  failed     -  a long story\n");
	prints(table, 24, false, "trial  state   loss\n    1  failed     -  a …\n");
	char *bytes = printed(table, 24, true);
	assert_non_null(strstr(bytes, "…\n"));
	free(bytes);
	table_destroy(table);
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	static const char *const columns[] = { "a" };
	struct table *table = table_create(columns, 1);
	table_add(table, "%s", "\033[31mred\nnext");
	prints(table, 0, false, "a\n?[31mred?next\n");
	table_destroy(table);
}

static void styles_are_for_whole_rows_and_only_where_colours_are_allowed(void **state)
{
	struct table *table = table_create(COLUMNS, N_COLUMNS);
	add_row(table, 1, "done", "1", "best");
	table_style(table, TABLE_GREEN);
	add_row(table, 2, "done", "2", "");
	prints(table, 0, false,
		"trial  state  loss\n    1  done      1  best\n    2  done      2\n");
	prints(table, 0, true,
		"\033[1mtrial  state  loss\033[0m\n"
		"\033[32m    1  done      1  best\033[0m\n"
		"    2  done      2\n");
	table_destroy(table);
}

static void a_table_without_memory_is_an_error_not_a_crash(void **state)
{
	struct tuner_error err = { TUNER_OK, "" };
	table_add(NULL, "x");
	table_style(NULL, TABLE_RED);
	assert_false(table_print(NULL, 0, false, stdout, &err));
	assert_int_equal(err.code, TUNER_FATAL);
	table_destroy(NULL);
}

static void in_markdown_a_bar_is_text(void **state)
{
	struct table *table = table_create(COLUMNS, N_COLUMNS);
	struct tuner_error err = { TUNER_OK, "" };
	char *bytes = NULL;
	size_t size = 0;
	add_row(table, 1, "a|b", "0.125", "");
	FILE *out = open_memstream(&bytes, &size);
	assert_non_null(out);
	assert_true(table_print_markdown(table, out, &err));
	fclose(out);
	assert_string_equal(bytes, "| trial | state | loss |  |\n"
				   "| ---: | --- | ---: | --- |\n"
				   "| 1 | a\\|b | 0.125 |  |\n");
	free(bytes);
	table_destroy(table);
	assert_false(table_print_markdown(NULL, stdout, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_stand_right_text_left_and_lines_end_without_blanks),
		cmocka_unit_test(a_table_without_rows_is_its_header),
		cmocka_unit_test(a_column_that_is_empty_throughout_takes_no_place),
		cmocka_unit_test(columns_are_counted_not_bytes),
		cmocka_unit_test(long_lines_are_cut_at_the_width_and_say_so),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(styles_are_for_whole_rows_and_only_where_colours_are_allowed),
		cmocka_unit_test(a_table_without_memory_is_an_error_not_a_crash),
		cmocka_unit_test(in_markdown_a_bar_is_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
