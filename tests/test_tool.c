/* Programs that answer, fail, hang, shout or are not there. */
#include "scheduler/tool.h"

#include "base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tool_result run(const char *script, int64_t timeout_us, size_t bytes_max,
	struct text *output, const char *const *environment)
{
	const char *const arguments[] = { "sh", "-c", script, NULL };
	const struct tool tool = { .arguments = arguments,
		.environment = environment,
		.directory = "/",
		.timeout_us = timeout_us,
		.bytes_max = bytes_max };
	struct tool_result result;
	struct tuner_error err = { TUNER_OK, "" };

	text_clear(output);
	if (!tool_run(&tool, output, &result, &err))
		fail_msg("%s", err.message);
	return result;
}

static void output_complaint_and_status_are_told_apart(void **state)
{
	struct text output = TEXT_EMPTY;
	char words[320];
	struct tool_result result =
		run("pwd; echo oh no >&2; echo more >&2; exit 3", 60000000, 1000, &output, NULL);

	assert_int_equal(result.end, TOOL_DONE);
	assert_int_equal(result.status, 3);
	assert_string_equal(output.bytes, "/\n");
	assert_string_equal(result.complaint, "oh no");
	assert_string_equal(tool_result_text(&result, words), "oh no");
	result = run("kill -TERM $$", 60000000, 1000, &output, NULL);
	assert_int_equal(result.status, 128 + SIGTERM);
	text_finish(&output);
}

static void the_environment_is_the_one_that_is_given(void **state)
{
	static const char *const environment[] = { "ONLY=this", NULL };
	struct text output = TEXT_EMPTY;

	setenv("TUNER_TEST_VARIABLE", "1", 1);
	run("echo \"$ONLY $TUNER_TEST_VARIABLE\"", 60000000, 1000, &output, environment);
	assert_string_equal(output.bytes, "this \n");
	run("echo \"$TUNER_TEST_VARIABLE\"", 60000000, 1000, &output, NULL);
	assert_string_equal(output.bytes, "1\n");
	text_finish(&output);
}

/* What it has started is ended with it, though it holds the pipe. */
static void one_that_hangs_is_ended(void **state)
{
	struct text output = TEXT_EMPTY;
	const int64_t begin_us = clock_monotonic_us();
	const struct tool_result result =
		run("echo begun; sleep 1000 & sleep 1000", 300000, 1000, &output, NULL);

	assert_int_equal(result.end, TOOL_LATE);
	assert_true(clock_monotonic_us() - begin_us < 60000000);
	text_finish(&output);
}

/* Its output is at its end, but it is not. */
static void one_that_closes_its_output_and_stays_is_ended(void **state)
{
	struct text output = TEXT_EMPTY;
	const struct tool_result result =
		run("exec >&- 2>&-; sleep 1000", 300000, 1000, &output, NULL);

	assert_int_equal(result.end, TOOL_LATE);
	text_finish(&output);
}

static void one_that_says_too_much_is_cut_and_ended(void **state)
{
	struct text output = TEXT_EMPTY;
	struct tool_result result = run("yes", 60000000, 1000, &output, NULL);

	assert_int_equal(result.end, TOOL_CUT);
	assert_int_equal(output.length, 1000);
	/* Complaints are only cut. */
	result = run("i=0; while [ $i -lt 5000 ]; do echo complaint >&2; i=$((i+1)); done; echo x",
		60000000, 1000, &output, NULL);
	assert_int_equal(result.end, TOOL_DONE);
	assert_string_equal(output.bytes, "x\n");
	text_finish(&output);
}

static void one_that_is_not_there_is_no_error(void **state)
{
	static const char *const arguments[] = { "no-such-program-anywhere", NULL };
	const struct tool tool = { .arguments = arguments, .timeout_us = 1000000, .bytes_max = 10 };
	struct text output = TEXT_EMPTY;
	struct tool_result result;
	struct tuner_error err;

	assert_true(tool_run(&tool, &output, &result, &err));
	assert_int_equal(result.end, TOOL_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_complaint_and_status_are_told_apart),
		cmocka_unit_test(the_environment_is_the_one_that_is_given),
		cmocka_unit_test(one_that_hangs_is_ended),
		cmocka_unit_test(one_that_closes_its_output_and_stays_is_ended),
		cmocka_unit_test(one_that_says_too_much_is_cut_and_ended),
		cmocka_unit_test(one_that_is_not_there_is_no_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
