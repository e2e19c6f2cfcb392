#include "tuner/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { WORDS = 12 };

struct line {
	char *words[WORDS];
	struct invocation call;
	bool help;
	struct tuner_error err;
};

static bool parse(struct line *line, const char *const *words)
{
	int n = 1;
	line->words[0] = (char *)"tuner";
	for (; words[n - 1] != NULL; n++)
		line->words[n] = (char *)words[n - 1];
	line->words[n] = NULL;
	line->err = (struct tuner_error){ TUNER_OK, "" };
	return invocation_parse(n, line->words, &line->call, &line->help, &line->err);
}

#define PARSE(line, ...) parse(line, (const char *const[]){ __VA_ARGS__, NULL })

static void refuse(struct line *line, const char *const *words, const char *told)
{
	assert_false(parse(line, words));
	assert_int_equal(line->err.code, TUNER_USAGE);
	if (strstr(line->err.message, told) == NULL)
		fail_msg("\"%s\" is not in: %s", told, line->err.message);
	free(line->call.arguments);
}

#define REFUSE(line, told, ...) refuse(line, (const char *const[]){ __VA_ARGS__, NULL }, told)

static void options_may_stand_anywhere_and_take_their_value_in_three_ways(void **state)
{
	struct line line;
	int64_t trials;
	assert_true(PARSE(&line, "run", "--trials", "5", "job.jsonc", "--db=a.db", "-p3"));
	assert_string_equal(line.call.command->name, "run");
	assert_int_equal(line.call.n_arguments, 1);
	assert_string_equal(line.call.arguments[0], "job.jsonc");
	assert_string_equal(line.call.db, "a.db");
	assert_string_equal(invocation_option(&line.call, "parallel"), "3");
	assert_true(invocation_integer(&line.call, "trials", 1, 9, 0, &trials, &line.err));
	assert_int_equal(trials, 5);
	assert_null(invocation_option(&line.call, "seed"));
	assert_false(line.help);
	free(line.call.arguments);
}

static void a_negative_number_is_an_argument(void **state)
{
	struct line line;
	assert_true(PARSE(&line, "tell", "job", "3", "-0.5", "--step", "-1"));
	assert_int_equal(line.call.n_arguments, 3);
	assert_string_equal(line.call.arguments[2], "-0.5");
	assert_string_equal(invocation_option(&line.call, "step"), "-1");
	free(line.call.arguments);
	refuse(&line, (const char *const[]){ "tell", "job", "3", "-x", NULL }, "-x");
}

static void a_repeatable_option_keeps_all_its_values_in_order(void **state)
{
	struct line line;
	const char *values[4];
	assert_true(PARSE(&line, "run", "f", "--set", "a=1", "--set=b=2", "--set", "c=--db"));
	assert_int_equal(invocation_options(&line.call, "set", values, 4), 3);
	assert_string_equal(values[0], "a=1");
	assert_string_equal(values[1], "b=2");
	assert_string_equal(values[2], "c=--db");
	assert_int_equal(invocation_options(&line.call, "set", values, 2), 2);
	assert_string_equal(invocation_option(&line.call, "set"), "c=--db");
	free(line.call.arguments);
}

static void words_after_two_dashes_are_the_command_untouched(void **state)
{
	struct line line;
	assert_true(PARSE(&line, "run", "f", "--", "python3", "--trials", "--", "-x"));
	assert_string_equal(line.call.rest[0], "python3");
	assert_string_equal(line.call.rest[1], "--trials");
	assert_string_equal(line.call.rest[2], "--");
	assert_string_equal(line.call.rest[3], "-x");
	assert_null(line.call.rest[4]);
	assert_null(invocation_option(&line.call, "trials"));
	free(line.call.arguments);
	REFUSE(&line, "after --", "run", "f", "--");
	REFUSE(&line, "no words after --", "status", "--", "x");
}

static void faults_are_named_with_the_nearest_that_exists(void **state)
{
	struct line line;
	REFUSE(&line, "tuner status", "statsu");
	REFUSE(&line, "tuner help", "xyzzy");
	REFUSE(&line, "--trials", "run", "f", "--trails", "3");
	REFUSE(&line, "no option -z", "run", "f", "-z");
	REFUSE(&line, "lists them; those of your own command go behind \"--\"", "init", "f", "./t",
		"--lr", "1");
	REFUSE(&line, "lists them; those of your own command go behind \"--\"", "run", "f", "./t",
		"-z");
	REFUSE(&line, "\"tuner status --help\" lists them", "status", "--learning-rate");
	REFUSE(&line, "needs a value", "run", "f", "--trials");
	REFUSE(&line, "takes no value", "run", "f", "--detach=yes");
	REFUSE(&line, "usage: tuner run", "run");
	REFUSE(&line, "one word too many", "status", "a", "b");
}

static void whole_numbers_have_bounds(void **state)
{
	static const char *const bad[] = { "0", "11", "3.5", "many", "", "99999999999999999999" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct line line;
		int64_t value = 77;
		assert_true(PARSE(&line, "run", "f", "--trials", bad[i]));
		assert_false(invocation_integer(&line.call, "trials", 1, 10, 5, &value, &line.err));
		assert_non_null(strstr(line.err.message, "--trials"));
		assert_int_equal(value, 77);
		free(line.call.arguments);
	}
}

static void help_and_version_are_found_in_their_usual_places(void **state)
{
	struct line line;
	assert_true(PARSE(&line, "--help"));
	assert_string_equal(line.call.command->name, "help");
	free(line.call.arguments);
	assert_true(PARSE(&line, "--version"));
	assert_string_equal(line.call.command->name, "version");
	free(line.call.arguments);
	assert_true(PARSE(&line, "run", "--help"));
	assert_true(line.help);
	free(line.call.arguments);
	assert_true(parse(&line, (const char *const[]){ NULL }));
	assert_string_equal(line.call.command->name, "help");
	free(line.call.arguments);
}

static void the_database_is_the_option_else_the_variable_else_the_default(void **state)
{
	struct line line;
	unsetenv("TUNER_DB");
	assert_true(PARSE(&line, "status"));
	assert_string_equal(line.call.db, "tuner.db");
	free(line.call.arguments);
	setenv("TUNER_DB", "b.db", 1);
	assert_true(PARSE(&line, "status"));
	assert_string_equal(line.call.db, "b.db");
	free(line.call.arguments);
	assert_true(PARSE(&line, "status", "--db", "c.db"));
	assert_string_equal(line.call.db, "c.db");
	free(line.call.arguments);
	unsetenv("TUNER_DB");
}

static void every_command_has_its_help(void **state)
{
	for (const struct subcommand *command = commands; command->name != NULL; command++) {
		char *bytes = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&bytes, &size);
		command_help(command, out);
		fclose(out);
		assert_non_null(strstr(bytes, command->help));
		for (const struct option_row *row = command->options;
			row != NULL && row->name != NULL; row++)
			assert_non_null(strstr(bytes, row->help));
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere_and_take_their_value_in_three_ways),
		cmocka_unit_test(a_negative_number_is_an_argument),
		cmocka_unit_test(a_repeatable_option_keeps_all_its_values_in_order),
		cmocka_unit_test(words_after_two_dashes_are_the_command_untouched),
		cmocka_unit_test(faults_are_named_with_the_nearest_that_exists),
		cmocka_unit_test(whole_numbers_have_bounds),
		cmocka_unit_test(help_and_version_are_found_in_their_usual_places),
		cmocka_unit_test(the_database_is_the_option_else_the_variable_else_the_default),
		cmocka_unit_test(every_command_has_its_help),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
