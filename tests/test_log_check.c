/* tuner/log_check.h: patterns and pairs in a log that is there already. */
#include "tuner/log_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct job_file *job(const char *metrics)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct text text = TEXT_EMPTY;
	struct tuner_error err;

	assert_non_null(list);
	text_print(&text,
		"{\"objective\": {\"metric\": \"accuracy\", \"goal\": \"maximize\"}, %s%s"
		" \"parameters\": {\"x\": {\"type\": \"bool\"}}, \"command\": [\"true\"]}",
		metrics, *metrics ? "," : "");
	assert_true(job_file_parse(
		"x.json", "/", text.bytes, text.length, NULL, COMMAND_NEEDED, &file, list, &err));
	if (file == NULL)
		fail_msg("%s", list->items[0].message);
	text_finish(&text);
	free(list);
	return file;
}

/* The report on a log that comes in portions of `portion` bytes. */
static struct text report_in(struct job_file *file, const char *log, size_t portion, bool json)
{
	struct text report = TEXT_EMPTY;
	struct log_check *check = NULL;
	struct tuner_error err;
	const size_t size = strlen(log);

	assert_true(log_check_create(file, &check, &err));
	for (size_t at = 0; at < size; at += portion)
		assert_true(log_check_feed(
			check, log + at, size - at < portion ? size - at : portion, &err));
	assert_true(log_check_end(check, &err));
	if (json)
		log_check_report_json(check, &report);
	else
		log_check_report(check, &report);
	log_check_destroy(check);
	return report;
}

static void assert_report(const char *metrics, const char *log, const char *expected)
{
	struct job_file *file = job(metrics);

	for (size_t portion = 1; portion < 64; portion = 3 * portion + 1) {
		struct text report = report_in(file, log, portion, false);
		assert_string_equal(report.bytes, expected);
		text_finish(&report);
	}
	job_file_destroy(file);
}

static void matches_are_counted_and_other_pairs_get_patterns(void **state)
{
	assert_report("\"metrics\": [{\"name\": \"accuracy\", \"regex\": \"val: acc=([0-9.]+)\"}]",
		"epoch 1 val: acc=0.5 loss: 2.5\nepoch 2 val: acc=0.75 loss: 1.5\n",
		"metrics in 2 lines:\n"
		"  accuracy: found 2 times, the last value is 0.75 (val: acc=([0-9.]+))\n"
		"other numbers with names, and patterns for \"metrics\":\n"
		"  loss: 2 times, as in loss: 1.5\n"
		"    {\"name\": \"loss\", \"regex\": \"loss: *([-+]?(?:nan|inf)|[-+0-9.eE]+)\"}\n");
}

static void a_pattern_that_never_matches_is_said_to(void **state)
{
	assert_report("\"metrics\": [{\"name\": \"accuracy\", \"regex\": \"acc=([0-9.]+)\"}]",
		"accuracy = 0.5\n",
		"metrics in 1 line:\n"
		"  accuracy: never found (acc=([0-9.]+))\n"
		"The objective \"accuracy\" is not among what was found.\n"
		"other numbers with names, and patterns for \"metrics\":\n"
		"  accuracy: 1 time, as in accuracy = 0.5\n"
		"    {\"name\": \"accuracy\", \"regex\": \"accuracy *= "
		"*([-+]?(?:nan|inf)|[-+0-9.eE]+)\"}\n");
}

static void tuner_lines_count_without_a_list(void **state)
{
	assert_report("", "@tuner {\"step\": 1, \"accuracy\": 0.5}\rother\n",
		"metrics in 2 lines:\n"
		"  accuracy: found 1 time, the last value is 0.5 (@tuner lines)\n");
}

/* "loss" alone would be found in "val_loss" too. */
static void a_name_that_ends_another_is_guarded(void **state)
{
	assert_report("", "\"loss\": 0.5, \"val_loss\": 1e-3\n",
		"metrics in 1 line:\n"
		"The objective \"accuracy\" is not among what was found.\n"
		"other numbers with names, and patterns for \"metrics\":\n"
		"  loss: 1 time, as in loss\": 0.5\n"
		"    {\"name\": \"loss\", \"regex\": "
		"\"(?<![\\\\w./-])loss\\\": *([-+]?(?:nan|inf)|[-+0-9.eE]+)\"}\n"
		"  val_loss: 1 time, as in val_loss\": 1e-3\n"
		"    {\"name\": \"val_loss\", \"regex\": "
		"\"val_loss\\\": *([-+]?(?:nan|inf)|[-+0-9.eE]+)\"}\n");
}

static void times_versions_and_words_are_no_numbers(void **state)
{
	assert_report("", "at=12:30:01 torch=1.13.1 rank=3rd url=http://x a=1/2 =5 7=8\n\n",
		"metrics in 1 line:\n"
		"The objective \"accuracy\" is not among what was found.\n");
}

static void colours_are_no_part_of_a_name(void **state)
{
	assert_report("\"metrics\": [{\"name\": \"accuracy\", \"regex\": \"acc=([0-9.]+)\"}]",
		"\x1b[1macc=\x1b[32m0.5\x1b[0m\n",
		"metrics in 1 line:\n"
		"  accuracy: found 1 time, the last value is 0.5 (acc=([0-9.]+))\n");
}

/* Each suggestion, copied into the file, finds what it was made of. */
static void suggestions_work_when_copied(void **state)
{
	static const char log[] = "loss=nan train/loss: -0.5e-3 \"top.1\": 99.5%% c++ = 3\n"
				  "loss=-inf train/loss:   2 \"top.1\": 99.5%% x_=1\n";
	struct job_file *file = job("");
	struct text json = report_in(file, log, 7, true), metrics = TEXT_EMPTY;
	struct json_document *document = NULL;
	struct tuner_error err;

	assert_true(json_parse("report", json.bytes, json.length, &document, &err));
	const cJSON *others = cJSON_GetObjectItem(json_root(document), "others");
	assert_int_equal(cJSON_GetArraySize(others), 4);
	text_add(&metrics, "\"metrics\": [{\"name\": \"accuracy\"}");
	for (const cJSON *other = others->child; other; other = other->next) {
		char *suggestion = json_print(cJSON_GetObjectItem(other, "suggestion"), 0);
		text_print(&metrics, ", %s", suggestion);
		free(suggestion);
	}
	text_add(&metrics, "]");
	json_destroy(document);
	text_finish(&json);
	job_file_destroy(file);

	file = job(metrics.bytes);
	json = report_in(file, log, 7, true);
	assert_true(json_parse("report", json.bytes, json.length, &document, &err));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json_root(document), "others")), 0);
	const cJSON *found = cJSON_GetObjectItem(json_root(document), "metrics")->child->next;
	static const double counts[] = { 2, 2, 2, 1 };
	for (size_t i = 0; i < 4; i++, found = found->next)
		assert_true(cJSON_GetObjectItem(found, "found")->valuedouble == counts[i]);
	json_destroy(document);
	text_finish(&json);
	text_finish(&metrics);
	job_file_destroy(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_are_counted_and_other_pairs_get_patterns),
		cmocka_unit_test(a_pattern_that_never_matches_is_said_to),
		cmocka_unit_test(tuner_lines_count_without_a_list),
		cmocka_unit_test(a_name_that_ends_another_is_guarded),
		cmocka_unit_test(times_versions_and_words_are_no_numbers),
		cmocka_unit_test(colours_are_no_part_of_a_name),
		cmocka_unit_test(suggestions_work_when_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
