#include "tuner/report_json.h"

#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The object's text on one line. */
static void is_written(cJSON *object, const char *expected)
{
	char *text = json_print(object, 0);
	assert_string_equal(text, expected);
	free(text);
	cJSON_Delete(object);
}

static void numbers_keep_their_bits_and_others_become_words(void **state)
{
	cJSON *object = cJSON_CreateObject();
	assert_true(json_add_number(object, "a", 0.1));
	assert_true(json_add_number(object, "b", 1.0 / 3));
	assert_true(json_add_number(object, "c", NAN));
	assert_true(json_add_number(object, "d", INFINITY));
	assert_true(json_add_number(object, "e", -INFINITY));
	assert_true(json_add_number(object, "f", 150));
	assert_true(json_add_number(object, "g", 5e-324));
	is_written(object, "{\"a\":0.1,\"b\":0.3333333333333333,\"c\":\"nan\",\"d\":\"inf\","
			   "\"e\":\"-inf\",\"f\":150,\"g\":5e-324}");
}

static void what_is_not_there_is_null(void **state)
{
	cJSON *object = cJSON_CreateObject();
	assert_true(json_add_optional(object, "a", NAN));
	assert_true(json_add_optional(object, "b", INFINITY));
	assert_true(json_add_code(object, "c", -1));
	assert_true(json_add_code(object, "d", 0));
	assert_true(json_add_time(object, "e", 0));
	assert_true(json_add_time(object, "f", 1500000));
	assert_true(json_add_duration(object, "g", -1));
	assert_true(json_add_duration(object, "h", 0));
	is_written(object, "{\"a\":null,\"b\":\"inf\",\"c\":null,\"d\":0,\"e\":null,\"f\":1.5,"
			   "\"g\":null,\"h\":0}");
}

static void what_the_database_holds_becomes_strict_json(void **state)
{
	cJSON *object = cJSON_CreateObject();
	assert_true(json_add_parsed(
		object, "a", "{\"x\": 1e999, \"y\": [-1e999, 0.1], \"z\": \"1e999\"}"));
	is_written(object, "{\"a\":{\"x\":\"inf\",\"y\":[\"-inf\",0.1],\"z\":\"1e999\"}}");
	object = cJSON_CreateObject();
	assert_false(json_add_parsed(object, "a", "{"));
	cJSON_Delete(object);
}

static void what_is_added_as_stored_keeps_its_spelling(void **state)
{
	cJSON *object = cJSON_CreateObject();
	assert_true(json_add_as_stored(object, "a", "{\"x\": 1.0, \"y\": 2}"));
	is_written(object, "{\"a\":{\"x\": 1.0, \"y\": 2}}");
	object = cJSON_CreateObject();
	assert_false(json_add_as_stored(object, "a", "{"));
	assert_null(object->child);
	cJSON_Delete(object);
}

static void without_memory_each_step_fails_and_nothing_leaks(void **state)
{
	assert_false(json_add_number(NULL, "a", 1));
	assert_false(json_add_optional(NULL, "a", NAN));
	assert_false(json_add_string(NULL, "a", "b"));
	assert_false(json_add_item(NULL, "a", cJSON_CreateNull()));
	assert_false(json_append(NULL, cJSON_CreateNull()));
	cJSON *object = cJSON_CreateObject();
	assert_false(json_add_item(object, "a", NULL));
	cJSON_Delete(object);
	struct tuner_error err = { TUNER_OK, "" };
	assert_false(json_out(NULL, &err));
	assert_int_equal(err.code, TUNER_FATAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_keep_their_bits_and_others_become_words),
		cmocka_unit_test(what_is_not_there_is_null),
		cmocka_unit_test(what_the_database_holds_becomes_strict_json),
		cmocka_unit_test(what_is_added_as_stored_keeps_its_spelling),
		cmocka_unit_test(without_memory_each_step_fails_and_nothing_leaks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
