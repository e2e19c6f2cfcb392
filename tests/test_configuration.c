/* Configurations: to JSON and back, by name, with words for what does not fit. */
#include "tuner/configuration.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct job_file *parse(const char *parameters)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct text text = TEXT_EMPTY;
	struct tuner_error err;

	assert_non_null(list);
	text_print(&text,
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"}, \"parameters\": "
		"%s,"
		" \"fixed\": {\"epochs\": 5}, \"command\": [\"true\"]}",
		parameters);
	assert_true(job_file_parse(
		"x.json", "/", text.bytes, text.length, NULL, COMMAND_NEEDED, &file, list, &err));
	if (file == NULL)
		fail_msg("%s\n%s", list->items[0].message, text.bytes);
	text_finish(&text);
	free(list);
	return file;
}

static struct job_file *usual(void)
{
	return parse("{\"lr\": {\"type\": \"float\", \"min\": 0.001, \"max\": 0.5},"
		     " \"layers\": {\"type\": \"int\", \"min\": 2, \"max\": 8, \"step\": 2},"
		     " \"model\": {\"values\": [\"a\", \"b\", 3, true]}}");
}

static void assert_parses(const struct job_file *file, const char *json, const double *expected)
{
	double values[SPACE_PARAMETERS_MAX];
	struct tuner_error err;

	if (!configuration_parse(file, json, false, values, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < file->space.d; i++)
		if (isnan(expected[i]))
			assert_true(isnan(values[i]));
		else
			assert_true(values[i] == expected[i]);
}

static void assert_refused(const struct job_file *file, const char *json, const char *message)
{
	double values[SPACE_PARAMETERS_MAX];
	struct tuner_error err;

	assert_false(configuration_parse(file, json, false, values, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_string_equal(err.message, message);
}

static void configurations_are_read_by_name_and_may_be_partial(void **state)
{
	struct job_file *file = usual();

	assert_parses(
		file, "{\"lr\": 0.1, \"layers\": 4, \"model\": \"b\"}", (double[]){ 0.1, 4, 1 });
	assert_parses(file, "{\"model\": 3}", (double[]){ NAN, NAN, 2 });
	assert_parses(file, "{\"model\": \"3\"}", (double[]){ NAN, NAN, 2 });
	assert_parses(file, "{\"model\": true, \"lr\": 0.5}", (double[]){ 0.5, NAN, 3 });
	assert_parses(file, "{}", (double[]){ NAN, NAN, NAN });
	job_file_destroy(file);
}

static void what_does_not_fit_is_named_with_what_would(void **state)
{
	struct job_file *file = usual();

	assert_refused(file, "{\"lr\": 0.6}", "lr: expected a number from 0.001 to 0.5, found 0.6");
	assert_refused(file, "{\"lr\": \"0.1\"}",
		"lr: expected a number from 0.001 to 0.5, found \"0.1\"");
	assert_refused(
		file, "{\"lr\": null}", "lr: expected a number from 0.001 to 0.5, found null");
	assert_refused(file, "{\"layers\": 5}",
		"layers: expected a step from the minimum, such as 4 or 6, found 5");
	assert_refused(file, "{\"model\": \"c\"}",
		"model: expected one of \"a\", \"b\", 3, true, found \"c\"");
	assert_refused(file, "{\"learning_rate\": 1}", "learning_rate: there is no such parameter");
	assert_refused(file, "{\"layer\": 4}",
		"layer: there is no such parameter; did you mean \"layers\"?");
	assert_refused(file, "{\"epochs\": 4}", "epochs: is fixed at 5, not a parameter");
	assert_refused(file, "[0.1]",
		"expected an object of values by name, such as {\"lr\": ...}, found an array");
	job_file_destroy(file);
}

static void broken_json_is_an_error_with_its_place(void **state)
{
	struct job_file *file = usual();
	double values[3];
	struct tuner_error err;

	assert_false(configuration_parse(file, "{\"lr\": 0.1", true, values, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_non_null(strstr(err.message, "1:11"));
	job_file_destroy(file);
}

/* An older trial of a space that was edited since: data as far as it fits. */
static void lenient_reading_takes_older_trials_where_they_fit(void **state)
{
	struct job_file *file = usual();
	double values[3];
	struct tuner_error err = { .code = TUNER_FATAL };

	assert_true(configuration_parse(file,
		"{\"lr\": 2, \"layers\": 5, \"model\": \"a\", \"gone\": 1}", true, values, &err));
	assert_true(values[0] == 2 && values[1] == 5 && values[2] == 0);
	assert_false(configuration_parse(
		file, "{\"lr\": 0.1, \"layers\": 4, \"model\": \"c\"}", true, values, &err));
	assert_int_equal(err.code, TUNER_OK); /* no error: it does not fit, that is all */
	err.code = TUNER_FATAL;
	assert_false(
		configuration_parse(file, "{\"lr\": 0.1, \"model\": \"a\"}", true, values, &err));
	assert_int_equal(err.code, TUNER_OK);
	job_file_destroy(file);
}

static void a_whole_float_is_written_as_a_float(void **state)
{
	struct job_file *file = parse(
		"{\"features\": {\"type\": \"float\", \"min\": 0, \"max\": 1, \"step\": 0.5},"
		" \"wide\": {\"type\": \"float\", \"min\": -1e9, \"max\": 1e30},"
		" \"layers\": {\"type\": \"int\", \"min\": 1, \"max\": 8},"
		" \"share\": {\"type\": \"ordinal\", \"values\": [0.5, 1, 2]},"
		" \"units\": {\"values\": [16, 32]}, \"mixed\": {\"values\": [\"auto\", 1, 0.1]}}");
	struct text text = TEXT_EMPTY;

	configuration_json(file, (double[]){ 1, 1e30, 1, 1, 1, 1 }, &text);
	assert_string_equal(text.bytes, "{\"features\": 1.0, \"wide\": 1e+30, \"layers\": 1, "
					"\"share\": 1.0, \"units\": 32, \"mixed\": 1.0}");
	text_clear(&text);
	configuration_json(file, (double[]){ 0.5, -3, 8, 2, 0, 0 }, &text);
	assert_string_equal(text.bytes, "{\"features\": 0.5, \"wide\": -3.0, \"layers\": 8, "
					"\"share\": 2.0, \"units\": 16, \"mixed\": \"auto\"}");
	text_finish(&text);

	/* The command gets them as before. */
	struct argument *arguments = configuration_arguments(file, (double[]){ 1, 4, 1, 1, 1, 1 });
	assert_string_equal(arguments[0].text, "1");
	assert_string_equal(arguments[0].json, "1.0");
	assert_string_equal(arguments[3].text, "1");
	assert_string_equal(arguments[3].json, "1.0");
	arguments_free(arguments, file->space.d + file->n_fixed);
	job_file_destroy(file);
}

static void a_configuration_is_rewritten_if_it_fits(void **state)
{
	static const struct {
		const char *from;
		bool complete;
		const char *to;
	} cases[] = {
		{ "{\"model\": \"3\", \"layers\": 4, \"lr\":5e-1}", true,
			"{\"lr\": 0.5, \"layers\": 4, \"model\": 3}" },
		{ "{\"layers\": 4.0}", false, "{\"layers\": 4}" },
		{ "{\"layers\": 4}", true, NULL },
		{ "{\"lr\": 0.1, \"layers\": 3, \"model\": \"a\"}", true, NULL },
		{ "{\"rate\": 0.1}", false, NULL },
	};
	struct job_file *file = usual();
	struct tuner_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *again = (char *)"";
		assert_true(configuration_rewrite(
			file, cases[i].from, cases[i].complete, &again, &err));
		if (cases[i].to == NULL)
			assert_null(again);
		else
			assert_string_equal(again, cases[i].to);
		free(again);
	}
	job_file_destroy(file);
}

static void json_and_text_leave_out_what_is_not_given(void **state)
{
	struct job_file *file = usual();
	struct text text = TEXT_EMPTY;

	configuration_json(file, (double[]){ 0.1, NAN, 2 }, &text);
	assert_string_equal(text.bytes, "{\"lr\": 0.1, \"model\": 3}");
	text_clear(&text);
	configuration_json(file, (double[]){ NAN, NAN, NAN }, &text);
	assert_string_equal(text.bytes, "{}");
	text_clear(&text);
	configuration_text(file, (double[]){ 0.012345678, 4, NAN }, &text);
	assert_string_equal(text.bytes, "lr=0.01235 layers=4");
	text_finish(&text);
	job_file_destroy(file);
}

static void arguments_are_the_shortest_text_that_reads_back(void **state)
{
	struct job_file *file = usual();
	struct argument *arguments = configuration_arguments(file, (double[]){ 0.1 + 0.2, 8, 3 });

	assert_non_null(arguments);
	assert_string_equal(arguments[0].text, "0.30000000000000004");
	assert_string_equal(arguments[1].text, "8");
	assert_string_equal(arguments[2].text, "true");
	assert_string_equal(arguments[2].json, "true");
	assert_string_equal(arguments[3].name, "epochs");
	assert_string_equal(arguments[3].text, "5");
	arguments_free(arguments, 4);
	job_file_destroy(file);
}

/* ---- conditions and constraints ---- */

static struct job_file *tree(void)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct tuner_error err;
	static const char text[] =
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"},"
		" \"parameters\": {"
		"\"optimizer\": {\"values\": [\"sgd\", \"adam\"]},"
		"\"momentum\": {\"type\": \"float\", \"min\": 0, \"max\": 0.5,"
		" \"when\": {\"optimizer\": \"sgd\"}},"
		"\"nesterov\": {\"type\": \"bool\", \"when\": {\"optimizer\": [\"sgd\"]}},"
		"\"steps\": {\"type\": \"int\", \"min\": 1, \"max\": 9,"
		" \"when\": {\"nesterov\": true}},"
		"\"lr\": {\"type\": \"float\", \"min\": 0.001, \"max\": 0.5}},"
		" \"fixed\": {\"batch\": 100},"
		" \"constraints\": [\"lr * batch <= 30\", \"momentum + lr <= 0.6\"],"
		" \"command\": [\"true\"]}";

	assert_non_null(list);
	assert_true(job_file_parse(
		"x.json", "/", text, strlen(text), NULL, COMMAND_NEEDED, &file, list, &err));
	if (file == NULL)
		fail_msg("%s", list->items[0].message);
	free(list);
	return file;
}

/* What is not active holds the middle: 0.25, true, 5. */
static void what_is_not_active_is_settled_and_not_written(void **state)
{
	struct job_file *file = tree();
	const double adam[] = { 1, 0.25, 1, 5, 0.1 };
	double stored[5];
	struct text text = TEXT_EMPTY;

	assert_parses(file, "{\"optimizer\": \"adam\", \"lr\": 0.1}", adam);
	assert_parses(file, "{\"optimizer\": \"adam\"}", (double[]){ 1, 0.25, 1, 5, NAN });
	assert_parses(file, "{\"optimizer\": \"sgd\", \"nesterov\": false}",
		(double[]){ 0, NAN, 0, 5, NAN });
	assert_parses(file, "{\"lr\": 0.1}", (double[]){ NAN, NAN, NAN, NAN, 0.1 });
	configuration_json(file, adam, &text);
	assert_string_equal(text.bytes, "{\"optimizer\": \"adam\", \"lr\": 0.1}");
	text_clear(&text);
	configuration_json(file, (double[]){ 0, 0.5, 0, 5, 0.1 }, &text);
	assert_string_equal(text.bytes,
		"{\"optimizer\": \"sgd\", \"momentum\": 0.5, \"nesterov\": false, \"lr\": 0.1}");
	text_clear(&text);
	configuration_text(file, adam, &text);
	assert_string_equal(text.bytes, "optimizer=adam lr=0.1");
	configuration_stored_values(file, adam, stored);
	assert_true(stored[0] == 1 && isnan(stored[1]) && isnan(stored[2]) && isnan(stored[3]) &&
		    stored[4] == 0.1);
	text_finish(&text);
	job_file_destroy(file);
}

static void arguments_of_what_is_not_active_have_no_text(void **state)
{
	struct job_file *file = tree();
	struct argument *arguments =
		configuration_arguments(file, (double[]){ 1, 0.25, 1, 5, 0.1 });

	assert_non_null(arguments);
	assert_string_equal(arguments[0].text, "adam");
	for (size_t i = 1; i < 4; i++) {
		assert_string_equal(arguments[i].name, file->space.parameters[i].name);
		assert_null(arguments[i].text);
		assert_null(arguments[i].json);
	}
	assert_string_equal(arguments[4].text, "0.1");
	assert_string_equal(arguments[5].text, "100");
	arguments_free(arguments, file->space.d + file->n_fixed);
	job_file_destroy(file);
}

static void what_breaks_a_rule_is_refused_with_the_rule(void **state)
{
	struct job_file *file = tree();

	assert_refused(file, "{\"optimizer\": \"adam\", \"momentum\": 0.1}",
		"momentum: is given in vain: it is there only where optimizer is \"sgd\"");
	assert_refused(file, "{\"momentum\": 0.1}",
		"momentum: needs optimizer to be given as well: it is there only where optimizer "
		"is "
		"\"sgd\"");
	assert_refused(file, "{\"optimizer\": \"adam\", \"steps\": 3}",
		"steps: is given in vain: it is there only where nesterov is true");
	assert_refused(file, "{\"lr\": 0.4}", "it breaks the constraint \"lr * batch <= 30\"");
	assert_refused(file, "{\"optimizer\": \"sgd\", \"momentum\": 0.5, \"lr\": 0.2}",
		"it breaks the constraint \"momentum + lr <= 0.6\"");
	job_file_destroy(file);
}

/* Not against an older trial, which was run: its inactive values are dropped, its constraints are not
 * looked at; but what is active must have a value. */
static void lenient_reading_settles_older_trials(void **state)
{
	struct job_file *file = tree();
	double values[5];
	struct tuner_error err = { .code = TUNER_FATAL };

	assert_true(configuration_parse(file,
		"{\"optimizer\": \"adam\", \"momentum\": 0.5, \"lr\": 0.4}", true, values, &err));
	assert_true(values[0] == 1 && values[1] == 0.25 && values[2] == 1 && values[3] == 5);
	assert_true(values[4] == 0.4);
	assert_false(configuration_parse(file,
		"{\"optimizer\": \"sgd\", \"momentum\": 0.5, \"lr\": 0.4}", true, values, &err));
	assert_int_equal(err.code, TUNER_OK);
	job_file_destroy(file);
}

/* ---- random spaces ---- */

static double pick(struct random *random, double low, double high)
{
	return low + random_uniform(random) * (high - low);
}

/* A name of letters, digits, dots, dashes and what UTF-8 has; the number keeps it unique. */
static void add_name(struct random *random, size_t i, struct text *ret)
{
	static const char *const parts[] = { "lr", "a.b", "x-y", "\xce\xbb", "_", "Q7" };

	text_print(ret, "\"%s%s%zu\": ", parts[random_below(random, 6)],
		parts[random_below(random, 6)], i);
}

static void add_float(struct random *random, struct text *ret)
{
	const double min =
		random_below(random, 2) ? pick(random, -1e3, 1e3) : exp(pick(random, -30, 30));
	const double max = min + exp(pick(random, -5, 20)) + fabs(min) * 1e-3;

	text_add(ret, "{\"type\": \"float\", \"min\": ");
	text_add_json_double(ret, min);
	text_add(ret, ", \"max\": ");
	text_add_json_double(ret, max);
	if (random_below(random, 3) == 0) {
		text_add(ret, ", \"step\": ");
		text_add_json_double(ret, (max - min) / pick(random, 1, 1000));
	}
	text_add(ret, random_below(random, 2) ? "}" : ", \"scale\": \"linear\"}");
}

static void add_int(struct random *random, struct text *ret)
{
	const int64_t min = (int64_t)pick(random, -1e15, 1e15);
	const int64_t width = 1 + (int64_t)exp(pick(random, 0, 34));

	text_print(ret, "{\"type\": \"int\", \"min\": %lld, \"max\": %lld}", (long long)min,
		(long long)(min + width));
}

static void add_choices(struct random *random, struct text *ret)
{
	const size_t n = 1 + random_below(random, 9);

	text_add(ret, random_below(random, 2) ? "{\"type\": \"ordinal\", \"values\": ["
					      : "{\"values\": [");
	for (size_t k = 0; k < n; k++) {
		text_add(ret, k ? ", " : "");
		switch (random_below(random, 3)) {
		case 0:
			text_print(ret, "\"\\\"\\n\xc3\xbc%zu\"", k);
			break;
		case 1:
			text_add_json_double(ret, (double)k + random_uniform(random));
			break;
		default:
			text_print(ret, "%zu", k + 100);
		}
	}
	text_add(ret, "]}");
}

static struct job_file *random_space(struct random *random)
{
	const size_t d = 1 + random_below(random, 12);
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < d; i++) {
		text_add(&text, i ? ", " : "{");
		add_name(random, i, &text);
		switch (random_below(random, 4)) {
		case 0:
			add_int(random, &text);
			break;
		case 1:
			add_choices(random, &text);
			break;
		case 2:
			text_add(&text, "{\"type\": \"bool\"}");
			break;
		default:
			add_float(random, &text);
		}
	}
	text_add(&text, "}");
	struct job_file *file = parse(text.bytes);
	text_finish(&text);
	return file;
}

/* What the database stores of a configuration is its JSON: a replay needs the same bits. */
static void json_survives_the_round_trip_to_the_bit_on_random_spaces(void **state)
{
	for (uint32_t number = 1; number <= 300; number++) {
		struct random random;
		random_init(&random,
			(struct random_key){ .seed = 5, .number = number, .purpose = RANDOM_TEST });
		struct job_file *file = random_space(&random);
		double values[SPACE_PARAMETERS_MAX], back[SPACE_PARAMETERS_MAX];
		double u[SPACE_PARAMETERS_MAX];
		struct tuner_error err;

		for (int repeat = 0; repeat < 20; repeat++) {
			struct text json = TEXT_EMPTY;
			for (size_t i = 0; i < file->space.d; i++)
				u[i] = random_uniform(&random);
			space_decode(&file->space, u, values);
			for (size_t i = 0; i < file->space.d; i++)
				if (random_below(&random, 5) == 0)
					values[i] = NAN;
			configuration_json(file, values, &json);
			if (!configuration_parse(file, json.bytes, false, back, &err))
				fail_msg("%s\n%s\n%s", err.message, json.bytes, file->text);
			for (size_t i = 0; i < file->space.d; i++)
				assert_true(isnan(values[i]) ? isnan(back[i])
							     : memcmp(&values[i], &back[i],
								       sizeof(double)) == 0);
			text_finish(&json);
		}
		job_file_destroy(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configurations_are_read_by_name_and_may_be_partial),
		cmocka_unit_test(what_does_not_fit_is_named_with_what_would),
		cmocka_unit_test(broken_json_is_an_error_with_its_place),
		cmocka_unit_test(lenient_reading_takes_older_trials_where_they_fit),
		cmocka_unit_test(a_whole_float_is_written_as_a_float),
		cmocka_unit_test(a_configuration_is_rewritten_if_it_fits),
		cmocka_unit_test(json_and_text_leave_out_what_is_not_given),
		cmocka_unit_test(what_is_not_active_is_settled_and_not_written),
		cmocka_unit_test(arguments_of_what_is_not_active_have_no_text),
		cmocka_unit_test(what_breaks_a_rule_is_refused_with_the_rule),
		cmocka_unit_test(lenient_reading_settles_older_trials),
		cmocka_unit_test(arguments_are_the_shortest_text_that_reads_back),
		cmocka_unit_test(json_survives_the_round_trip_to_the_bit_on_random_spaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
