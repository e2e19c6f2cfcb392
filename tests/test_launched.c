#include "tuner/launched.h"

#include "base/file.h"
#include "scheduler/attempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct place {
	char directory[64], file[96];
	struct tuner_error err;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	strcpy(place->directory, "/tmp/tuner-test-XXXXXX");
	if (mkdtemp(place->directory) == NULL)
		return -1;
	snprintf(place->file, sizeof(place->file), "%s/launch", place->directory);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;
	const bool ok = directory_remove(place->directory, &place->err);
	free(place);
	return ok ? 0 : -1;
}

static void write_launch(struct place *place)
{
	char *const arguments[] = { (char *)"sh", (char *)"-c", (char *)"echo \"a b\"", (char *)"",
		NULL };
	char *const environment[] = { (char *)"PATH=/bin", (char *)"TUNER_TRIAL=7",
		(char *)"EMPTY=", NULL };
	const struct launch launch = { .key = "k1",
		.arguments = arguments,
		.environment = environment,
		.working_directory = "/work dir",
		.grace_us = 1,
		.log_max_bytes = 2 };
	if (!launch_write(place->directory, &launch, &place->err))
		fail_msg("%s", place->err.message);
}

static void what_was_written_is_read_back(void **state)
{
	struct place *place = *state;
	struct launched launched;
	bool found = false;
	write_launch(place);
	assert_true(launched_read(place->directory, &launched, &found, &place->err));
	assert_true(found);
	assert_string_equal(launched.arguments[0], "sh");
	assert_string_equal(launched.arguments[2], "echo \"a b\"");
	assert_string_equal(launched.arguments[3], "");
	assert_null(launched.arguments[4]);
	assert_string_equal(launched.environment[1], "TUNER_TRIAL=7");
	assert_string_equal(launched.environment[2], "EMPTY=");
	assert_null(launched.environment[3]);
	assert_string_equal(launched.working_directory, "/work dir");
	launched_finish(&launched);
	assert_null(launched.arguments);
}

static void a_missing_file_is_no_error(void **state)
{
	struct place *place = *state;
	struct launched launched;
	bool found = true;
	assert_true(launched_read("/nonexistent/0001/1", &launched, &found, &place->err));
	assert_false(found);
	launched_finish(&launched);
}

/* Wherever it was cut, it is not taken for whole; and reading it stays inside of it. */
static void a_cut_file_is_never_taken_for_whole(void **state)
{
	struct place *place = *state;
	struct text bytes = TEXT_EMPTY;
	struct launched launched;
	bool found = true;
	write_launch(place);
	assert_true(file_read(place->file, 1 << 20, &bytes, &place->err));
	for (size_t length = 0; length < bytes.length; length++) {
		assert_true(file_write_atomic(
			place->file, bytes.bytes, length, 0600, false, &place->err));
		assert_true(launched_read(place->directory, &launched, &found, &place->err));
		assert_false(found);
	}
	text_finish(&bytes);
}

static void a_file_of_zeros_or_of_unknown_records_is_not_taken(void **state)
{
	static const char zeros[200], unknown[] = "tuner-launch 1\0aecho\0d/\0zwhat\0.";
	struct place *place = *state;
	struct launched launched;
	bool found = true;
	assert_true(file_write_atomic(place->file, zeros, sizeof(zeros), 0600, false, &place->err));
	assert_true(launched_read(place->directory, &launched, &found, &place->err));
	assert_false(found);
	assert_true(
		file_write_atomic(place->file, unknown, sizeof(unknown), 0600, false, &place->err));
	assert_true(launched_read(place->directory, &launched, &found, &place->err));
	assert_false(found);
	assert_null(launched.arguments);
}

static void the_contract_names_its_variables_and_no_other(void **state)
{
	assert_true(variable_is_of_contract("SM_MODEL_DIR=/m"));
	assert_true(variable_is_of_contract("TUNER_SEED=1"));
	assert_true(variable_is_of_contract("CUDA_VISIBLE_DEVICES=0"));
	assert_false(variable_is_of_contract("CUDA_VISIBLE_DEVICES_OLD=0"));
	assert_false(variable_is_of_contract("HOME=/root"));
	assert_false(variable_is_of_contract("AWS_SECRET_ACCESS_KEY=x"));
	assert_true(variable_same_name("A=1", "A=2"));
	assert_false(variable_same_name("A=1", "AB=1"));
	assert_false(variable_same_name("AB=1", "A=1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_written_is_read_back, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_missing_file_is_no_error, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_cut_file_is_never_taken_for_whole, make_place, remove_place),
		cmocka_unit_test_setup_teardown(a_file_of_zeros_or_of_unknown_records_is_not_taken,
			make_place, remove_place),
		cmocka_unit_test(the_contract_names_its_variables_and_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
