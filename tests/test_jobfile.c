/* tuner/jobfile.h: reading, checking and comparing job files. tests/broken and tests/good hold the
 * corpus: each broken file begins with what must be said of it, `// expect: LINE:COLUMN: message`
 * (a beginning of it), one line for each error and nothing else. */
#include "base/file.h"
#include "tuner/jobfile.h"
#include "tuner/jobfile_keys.h"
#include "tuner/jobfile_value.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char SMALL[] =
	"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"},\n"
	" \"parameters\": {\"lr\": {\"type\": \"float\", \"min\": 0.001, \"max\": 0.5},\n"
	"                \"layers\": {\"type\": \"int\", \"min\": 1, \"max\": 8}},\n"
	" \"fixed\": {\"epochs\": 5},\n"
	" \"first\": [{\"lr\": 0.01}],\n"
	" \"strategy\": \"bayesian\",\n"
	" \"budget\": {\"trials\": 12},\n"
	" \"command\": [\"true\"]}";

struct reading {
	struct job_file *file;
	struct diagnostics list;
};

static struct reading *parse_with(const char *text, const struct job_overrides *overrides)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	struct tuner_error err;

	assert_non_null(reading);
	if (!job_file_parse("small.json", "/", text, strlen(text), overrides, COMMAND_NEEDED,
		    &reading->file, &reading->list, &err))
		fail_msg("%s", err.message);
	assert_true((reading->file != NULL) == (reading->list.errors == 0));
	return reading;
}

static void end(struct reading *reading)
{
	job_file_destroy(reading->file);
	free(reading);
}

static void assert_no_faults(const struct reading *reading)
{
	if (reading->list.n > 0)
		fail_msg("%s", reading->list.items[0].message);
}

static struct reading *parse(const char *text)
{
	struct reading *reading = parse_with(text, NULL);

	assert_no_faults(reading);
	return reading;
}

static struct reading *parse_set(const char *text, const char *set)
{
	const struct job_overrides overrides = { .set = &set, .n_set = 1 };

	return parse_with(text, &overrides);
}

/* SMALL with one --set; the only fault is `message`. */
static void assert_set_fault(const char *set, const char *message)
{
	struct reading *reading = parse_set(SMALL, set);

	assert_int_equal(reading->list.errors, 1);
	assert_string_equal(reading->list.items[0].message, message);
	assert_int_equal(reading->list.items[0].place.line, 0);
	end(reading);
}

/* ---- the corpus ---- */

static void corpus_path(const char *directory, const char *name, char ret_path[4096])
{
	char *tests =
		path_directory(__FILE__); /* counts from the build directory, as meson runs us */

	snprintf(ret_path, 4096, "%s/%s/%s", tests, directory, name);
	free(tests);
}

static size_t for_each_file(const char *directory, void (*check)(const char *path))
{
	char path[4096];
	size_t n = 0;

	corpus_path(directory, ".", path);
	DIR *stream = opendir(path);
	if (stream == NULL)
		fail_msg("cannot open %s", path);
	for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
		if (strstr(entry->d_name, ".jsonc") == NULL)
			continue;
		corpus_path(directory, entry->d_name, path);
		check(path);
		n++;
	}
	closedir(stream);
	return n;
}

static bool is_said(const struct diagnostics *list, const char *expected, size_t length)
{
	char said[700];

	for (size_t i = 0; i < list->n; i++) {
		const struct diagnostic *item = &list->items[i];
		if (item->place.line > 0)
			snprintf(said, sizeof(said), "%u:%u: %s", item->place.line,
				item->place.column, item->message);
		else
			snprintf(said, sizeof(said), "%s", item->message);
		if (!item->warning && strncmp(said, expected, length) == 0)
			return true;
	}
	return false;
}

static void check_expectations(const char *path, const char *text, const struct diagnostics *list)
{
	static const char prefix[] = "// expect: ";
	struct text said = TEXT_EMPTY;
	size_t n = 0;

	diagnostics_print(list, path, &said);
	for (; strncmp(text, prefix, strlen(prefix)) == 0; n++) {
		text += strlen(prefix);
		const size_t length = strcspn(text, "\n");
		if (!is_said(list, text, length))
			fail_msg("expected \"%.*s\", but:\n%s", (int)length, text, said.bytes);
		text += length + 1;
	}
	if (n == 0 || n != list->errors)
		fail_msg("%s: %zu errors expected, %zu found:\n%s", path, n, list->errors,
			said.bytes);
	text_finish(&said);
}

static void check_broken(const char *path)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct text text = TEXT_EMPTY;
	struct tuner_error err;

	assert_non_null(list);
	assert_true(file_read(path, JSON_BYTES_MAX, &text, &err));
	if (!job_file_read(path, NULL, COMMAND_NEEDED, &file, list, &err))
		fail_msg("%s", err.message);
	assert_null(file);
	check_expectations(path, text.bytes, list);
	text_finish(&text);
	free(list);
}

static void every_broken_file_gets_exactly_its_messages(void **state)
{
	assert_true(for_each_file("broken", check_broken) >= 45);
}

/* However a good file is cut, there is a message, and nothing else happens. */
static void check_truncations(const struct text *text)
{
	for (size_t length = 0; length < text->length; length += 1 + length % 7) {
		struct diagnostics *list = calloc(1, sizeof(*list));
		struct job_file *file = NULL;
		struct tuner_error err;

		assert_non_null(list);
		assert_true(job_file_parse("cut.json", "/", text->bytes, length, NULL,
			COMMAND_NEEDED, &file, list, &err));
		assert_true(list->errors > 0 || file != NULL);
		job_file_destroy(file);
		free(list);
	}
}

static void check_good(const char *path)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct text text = TEXT_EMPTY, said = TEXT_EMPTY;
	struct tuner_error err;

	assert_non_null(list);
	assert_true(file_read(path, JSON_BYTES_MAX, &text, &err));
	if (!job_file_read(path, NULL, COMMAND_NEEDED, &file, list, &err))
		fail_msg("%s", err.message);
	diagnostics_print(list, path, &said);
	if (file == NULL || list->n > 0)
		fail_msg("%s", said.bytes);
	assert_true(space_check(&file->space, &err));
	if (text.length < 4000)
		check_truncations(&text);
	job_file_destroy(file);
	text_finish(&text);
	text_finish(&said);
	free(list);
}

static void every_good_file_is_accepted_and_survives_being_cut(void **state)
{
	assert_true(for_each_file("good", check_good) >= 5);
}

static void two_mebibytes_are_refused_before_they_are_parsed(void **state)
{
	char path[] = "/tmp/test_jobfile_XXXXXX";
	const size_t length = 2 << 20;
	char *bytes = malloc(length);
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct tuner_error err;

	assert_true(bytes && list);
	memset(bytes, ' ', length);
	memcpy(bytes, SMALL, strlen(SMALL));
	const int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	close(fd);
	assert_false(job_file_read(path, NULL, COMMAND_NEEDED, &file, list, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_non_null(strstr(err.message, "1048576"));
	assert_null(file);

	/* the same as text: a message, and no file */
	assert_true(
		job_file_parse("x", "/", bytes, length, NULL, COMMAND_NEEDED, &file, list, &err));
	assert_int_equal(list->errors, 1);
	assert_null(file);

	/* one mebibyte is accepted */
	assert_true(truncate(path, 1 << 20) == 0);
	list->n = list->errors = 0;
	assert_true(job_file_read(path, &(struct job_overrides){ 0 }, true, &file, list, &err));
	assert_non_null(file);
	job_file_destroy(file);
	unlink(path);
	free(bytes);
	free(list);
}

static void a_missing_file_is_no_diagnostic_but_an_error(void **state)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *file = NULL;
	struct tuner_error err;

	assert_non_null(list);
	assert_false(job_file_read("/no/such/job.json", NULL, COMMAND_NEEDED, &file, list, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	free(list);
}

/* A flood of faults ends in a bounded list that knows their number, and in little time. */
static void ten_thousand_faults_are_counted_and_fifty_kept(void **state)
{
	struct text text = TEXT_EMPTY, said = TEXT_EMPTY;

	text_add(&text, "{");
	for (int i = 0; i < 10000; i++)
		text_print(&text, "\"unknown%d\": %d,", i, i);
	text_add(&text, SMALL + 1);
	struct reading *reading = parse_with(text.bytes, NULL);
	assert_int_equal(reading->list.errors, 10000);
	assert_int_equal(reading->list.n, DIAGNOSTICS_MAX);
	diagnostics_print(&reading->list, "x.json", &said);
	assert_non_null(strstr(said.bytes, "x.json: and 9950 more errors\n"));
	end(reading);
	text_finish(&text);
	text_finish(&said);
}

/* ---- what is read ---- */

static void defaults_fill_what_is_left_out(void **state)
{
	struct reading *reading =
		parse("{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"},"
		      " \"parameters\": {\"x\": {\"type\": \"bool\"}}, \"command\": [\"true\"]}");
	const struct job_file *file = reading->file;

	assert_string_equal(file->name, "small");
	assert_int_equal(file->seed, 1);
	assert_int_equal(file->objective.metrics[0].reduce, REDUCE_LAST);
	assert_int_equal(file->strategy.name, STRATEGY_BAYESIAN);
	assert_int_equal(file->strategy.initial, 0);
	assert_int_equal(file->budget.trials, 30);
	assert_int_equal(file->budget.parallel, 0);
	assert_int_equal(file->budget.start_failures, 3);
	assert_false(file->budget.has_target);
	assert_int_equal(file->stopping.rule, STOPPING_NONE);
	assert_int_equal(file->retries, 2);
	assert_int_equal(file->timeout_us, 0);
	assert_int_equal(file->grace_us, 30000000);
	assert_int_equal(file->log_max_bytes, 64 << 20);
	assert_int_equal(file->style, ARGUMENTS_SPACE);
	assert_int_equal(file->n_hosts, 1);
	assert_true(file->hosts[0].gpus_auto);
	assert_int_equal(file->hosts[0].gpus_per_trial, 1);
	assert_string_equal(file->directory, "/");
	assert_string_equal(file->path, "");
	end(reading);
}

static void a_time_budget_alone_leaves_the_trials_unbounded(void **state)
{
	struct reading *reading = parse(
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"}, \"command\": "
		"[\"true\"], \"parameters\": {\"x\": {\"type\": \"bool\"}},"
		" \"budget\": {\"runtime\": \"1h 30m\"}}");

	assert_int_equal(reading->file->budget.trials, 1000000);
	assert_int_equal(reading->file->budget.runtime_us, INT64_C(5400000000));
	end(reading);
}

static struct reading *good(const char *name)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	struct tuner_error err;
	char path[4096];

	assert_non_null(reading);
	corpus_path("good", name, path);
	assert_true(
		job_file_read(path, NULL, COMMAND_NEEDED, &reading->file, &reading->list, &err));
	assert_no_faults(reading);
	return reading;
}

static struct reading *everything(void)
{
	return good("everything.jsonc");
}

static void every_setting_reaches_its_field(void **state)
{
	struct reading *reading = everything();
	const struct job_file *file = reading->file;

	assert_string_equal(file->name, "everything-1.0");
	assert_true(file->seed == UINT64_MAX);
	assert_string_equal(file->metric, "accuracy");
	assert_true(file->maximize);
	assert_int_equal(file->objective.metrics[0].reduce, REDUCE_MEAN_OF_LAST);
	assert_int_equal(file->objective.metrics[0].last, 3);
	assert_int_equal(file->n_metrics, 2);
	assert_string_equal(file->metrics[0].regex, "acc=(?<value>[0-9.]+) at (?<step>[0-9]+)");
	assert_null(file->metrics[1].regex);
	assert_int_equal(file->strategy.initial, 10);
	assert_true(file->strategy.deterministic);
	assert_int_equal(file->strategy.warp, STRATEGY_WARP_FREE);
	assert_int_equal(file->strategy.transform, TRANSFORM_WINSOR);
	assert_int_equal(file->strategy.acquisition, STRATEGY_EI);
	assert_int_equal(file->strategy.incumbent, STRATEGY_INCUMBENT_NOISY);
	assert_true(file->strategy.cost_aware);
	assert_int_equal(file->strategy.trust_region, STRATEGY_TRUST_REGION_ALWAYS);
	assert_int_equal(file->strategy.hyperparameters, STRATEGY_MARGINAL);
	assert_int_equal(file->budget.trials, 40);
	assert_int_equal(file->budget.parallel, 4);
	assert_int_equal(file->budget.runtime_us, INT64_C(5400000000));
	assert_true(file->budget.deadline_us == INT64_C(4943779200000000)); /* date -d ... +%s */
	assert_true(file->budget.has_target && file->budget.target == 0.99);
	assert_int_equal(file->budget.not_improving, 15);
	assert_int_equal(file->budget.failures, 0);
	assert_int_equal(file->budget.start_failures, 5);
	assert_int_equal(file->stopping.rule, STOPPING_MEDIAN);
	assert_true(file->stopping.max_step == 50 && file->stopping.grace == 5);
	assert_int_equal(file->stopping.min_curves, 6);
	assert_true(file->stopping.no_top);
	assert_int_equal(file->stopping.patience, 1);
	assert_true(file->stopping.margin == 0.001);
	assert_int_equal(file->style, ARGUMENTS_EQUALS);
	assert_string_equal(file->command[2], "exit 0");
	assert_null(file->command[3]);
	assert_string_equal(file->channels[1].path, "/");
	assert_string_equal(file->environment[0], "A=x=y");
	assert_string_equal(file->environment[2], "C=true");
	assert_string_equal(file->environment[3], "EMPTY=");
	assert_int_equal(file->retries, 0);
	assert_int_equal(file->timeout_us, 90500000);
	assert_int_equal(file->grace_us, 120000000);
	assert_int_equal(file->log_max_bytes, 1 << 30);
	assert_int_equal(file->keep.best, 3);
	assert_int_equal(file->keep.last, 5);
	assert_int_equal(file->keep.disk_bytes, 20000000000);
	assert_string_equal(file->failures[1].outcome, "crashed");
	assert_true(file->failures[1].retry && !file->failures[0].retry);
	assert_string_equal(file->failures[2].outcome, "end");
	assert_int_equal(file->backoff_us, 60000000);
	assert_int_equal(file->outcomes[OUTCOME_OOM_GPU].then, THEN_RETRY);
	assert_false(file->outcomes[OUTCOME_OOM_GPU].own_retries);
	assert_int_equal(file->outcomes[OUTCOME_LOST].retries, 7);
	assert_int_equal(file->outcomes[OUTCOME_OOM_HOST].then, THEN_FAIL);
	assert_int_equal(file->outcomes[OUTCOME_NO_METRIC].then, THEN_END);
	assert_false(file->outcomes[OUTCOME_NAN].given);
	assert_true(file->outcomes[OUTCOME_PREEMPTED].given);
	assert_int_equal(file->outcomes[OUTCOME_PREEMPTED].retries, -1);
	assert_int_equal(file->hosts[0].n_gpus, 4);
	assert_int_equal(file->hosts[0].gpus[3], 6);
	assert_int_equal(file->hosts[0].gpus_per_trial, 2);
	assert_string_equal(file->hosts[0].prefix[0], "env");
	end(reading);
}

static void a_step_of_the_whole_range_is_taken(void **state)
{
	struct reading *reading =
		parse_set(SMALL, "parameters.x={\"min\": 0.2, \"max\": 0.3, \"step\": 0.1}");

	assert_no_faults(reading);
	const struct space *space = &reading->file->space;

	assert_int_equal(parameter_cardinality(&space->parameters[space->d - 1]), 2);
	end(reading);
}

static void parameters_of_every_type_become_a_space(void **state)
{
	struct reading *reading = everything();
	const struct job_file *file = reading->file;
	const struct parameter *p = file->space.parameters;

	assert_int_equal(file->space.d, 10);
	assert_int_equal(p[0].scale, SCALE_LOG);
	assert_true(p[0].min == 0.0001 && p[0].max == 0.1);
	assert_int_equal(p[1].scale, SCALE_REVERSE_LOG);
	assert_true(p[2].step == 0.1);
	assert_int_equal(p[3].type, PARAMETER_INT);
	assert_int_equal(p[3].scale, SCALE_LINEAR);
	assert_int_equal(p[5].step, 32);
	assert_int_equal(p[6].type, PARAMETER_CATEGORICAL);
	assert_int_equal(p[7].type, PARAMETER_ORDINAL);
	assert_string_equal(file->values[7].json[2], "20");
	assert_int_equal(p[8].type, PARAMETER_CATEGORICAL);
	assert_string_equal(file->values[8].text[0], "false");
	assert_string_equal(file->values[8].text[1], "true");
	assert_string_equal(file->values[9].json[0], "\"none\"");
	assert_string_equal(file->values[9].text[1], "0.5");
	assert_int_equal(file->n_fixed, 5);
	assert_string_equal(file->fixed[2].text, "resnet\"18\"");
	assert_string_equal(file->fixed[3].text, "1e-05");
	assert_int_equal(file->n_first, 2);
	assert_true(file->first[0][7] == 0 && file->first[0][9] == 1);
	assert_true(isnan(file->first[1][0]) && file->first[1][8] == 1);
	end(reading);
}

/* "fixed" stands first in that file, and one fixed value among the parameters. */
static void arguments_come_in_the_order_of_the_file(void **state)
{
	static const char *const names[] = { "epochs", "amp", "model", "wd", "lr", "momentum",
		"dropout", "layers", "width", "batch", "optimizer", "depth", "nesterov", "seed",
		"mixed" };
	struct reading *reading = everything();
	struct argument *arguments =
		configuration_arguments(reading->file, reading->file->first[0]);

	assert_non_null(arguments);
	for (size_t i = 0; i < 15; i++)
		assert_string_equal(arguments[i].name, names[i]);
	assert_string_equal(arguments[4].text, "0.01");
	assert_string_equal(arguments[10].json, "\"adam\"");
	assert_string_equal(arguments[13].text, "7");
	arguments_free(arguments, 15);
	end(reading);
}

static void a_type_left_out_follows_only_where_it_is_clear(void **state)
{
	struct reading *reading = parse(
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"}, \"command\": "
		"[\"true\"], \"parameters\": {\"a\": {\"min\": 0.5, \"max\": 2},"
		" \"b\": {\"values\": [1, 2]}, \"c\": {\"value\": 3}}}");

	assert_int_equal(reading->file->space.parameters[0].type, PARAMETER_FLOAT);
	assert_int_equal(reading->file->space.parameters[1].type, PARAMETER_CATEGORICAL);
	assert_int_equal(reading->file->space.d, 2);
	assert_string_equal(reading->file->fixed[0].name, "c");
	end(reading);
}

/* Stored jobs are read by commands that start nothing: what has gone from the machine since does not
 * matter to them. */
static void without_a_need_for_the_command_nothing_must_exist(void **state)
{
	static const char text[] =
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"},"
		" \"parameters\": {\"x\": {\"type\": \"bool\"}}, \"directory\": \"gone\","
		" \"channels\": {\"train\": \"gone\"}, \"command\": [\"./gone\"]}";
	struct reading reading = { 0 };
	struct tuner_error err;

	assert_true(job_file_parse("x", "/", text, strlen(text), NULL, COMMAND_IGNORED,
		&reading.file, &reading.list, &err));
	assert_no_faults(&reading);
	assert_string_equal(reading.file->channels[0].path, "/gone");
	job_file_destroy(reading.file);
	assert_true(job_file_parse("x", "/", text, strlen(text), NULL, COMMAND_NEEDED,
		&reading.file, &reading.list, &err));
	assert_int_equal(reading.list.errors, 2);
	assert_null(reading.file);
}

/* /usr/bin is where its commands run: "bin" has led there once and must not lead to /usr/bin/bin. */
static void a_stored_job_keeps_the_directory_that_its_key_led_to(void **state)
{
	static const char text[] =
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"},"
		" \"parameters\": {\"x\": {\"type\": \"bool\"}}, \"directory\": \"bin\","
		" \"command\": [\"./env\"]}";
	const char *set = "directory=lib";
	const struct job_overrides overrides = { .set = &set, .n_set = 1 };
	struct reading reading = { 0 };
	struct tuner_error err;

	assert_true(job_file_parse("x", "/usr/bin", text, strlen(text), NULL, COMMAND_NEEDED,
		&reading.file, &reading.list, &err));
	assert_no_faults(&reading);
	assert_string_equal(reading.file->directory, "/usr/bin");
	job_file_destroy(reading.file);
	assert_true(job_file_parse("x", "/usr", text, strlen(text), &overrides, COMMAND_IGNORED,
		&reading.file, &reading.list, &err));
	assert_no_faults(&reading);
	assert_string_equal(reading.file->directory, "/usr/lib");
	job_file_destroy(reading.file);
}

static void warnings_leave_the_file_usable(void **state)
{
	struct reading *reading = parse_set(SMALL, "budget.parallel=20");

	assert_non_null(reading->file);
	assert_int_equal(reading->list.errors, 0);
	assert_true(reading->list.n == 1 && reading->list.items[0].warning);
	assert_string_equal(reading->list.items[0].message,
		"--set budget.parallel=20: 20 at the same time, but 12 trials in all");
	end(reading);
}

/* What is for the whole job is held against the trials of all its arms and repeats. */
static void a_comparison_has_the_trials_of_all_its_searches(void **state)
{
	static const char comparison[] =
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"},"
		" \"parameters\": {\"lr\": {\"type\": \"float\", \"min\": 0.001, \"max\": 0.5}},"
		" \"arms\": {\"a\": {\"strategy\": {\"name\": \"random\", \"initial\": 1}}, \"b\": "
		"\"sobol\"}, "
		"\"repeats\": 3,"
		" \"budget\": {\"trials\": 2, \"parallel\": 12, \"start_failures\": 12},"
		" \"command\": [\"true\"]}";
	struct reading *reading = parse(comparison);

	end(reading);
	reading = parse_set(comparison, "budget.parallel=13");
	assert_int_equal(reading->list.n, 1);
	assert_string_equal(reading->list.items[0].message,
		"--set budget.parallel=13: 13 at the same time, but 12 trials in all");
	end(reading);
	reading = parse_set(comparison, "budget.start_failures=13");
	assert_int_equal(reading->list.n, 1);
	assert_string_equal(reading->list.items[0].message,
		"--set budget.start_failures=13: is above the "
		"trials of all arms, 12: it cannot be reached");
	end(reading);
}

static void arms_that_end_within_their_common_points_are_warned_of(void **state)
{
	static const char comparison[] =
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"},"
		" \"parameters\": {\"lr\": {\"type\": \"float\", \"min\": 0.001, \"max\": 0.5}},"
		" \"arms\": {\"a\": \"random\", \"b\": \"bayesian\", \"c\": \"grid\"},"
		" \"budget\": {\"trials\": 5}, \"command\": [\"true\"]}";
	struct reading *reading = parse_with(comparison, NULL);

	assert_int_equal(reading->list.errors, 0);
	assert_int_equal(reading->list.n, 1);
	assert_non_null(strstr(reading->list.items[0].message,
		"arms: 2 of them begin with the same 5 trials (\"initial\"), and budget.trials is "
		"5: "
		"they find the same"));
	end(reading);
	reading = parse_set(comparison, "budget.trials=6");
	assert_no_faults(reading);
	end(reading);
	reading = parse_set(comparison, "arms.b=sobol");
	assert_int_equal(reading->list.n, 1);
	end(reading);
	reading = parse_set(comparison, "arms.b=grid");
	assert_no_faults(reading);
	end(reading);
}

static void a_time_limit_of_slurm_below_the_timeout_is_warned_of(void **state)
{
	const char *const sets[] = { "timeout=2m",
		"hosts=[{\"backend\": \"slurm\", \"slots\": 1, \"time_limit\": \"2m\"}]" };
	struct job_overrides overrides = { .set = (const char **)sets, .n_set = 2 };
	struct reading *reading = parse_with(SMALL, &overrides);

	assert_int_equal(reading->list.errors, 0);
	assert_int_equal(reading->list.n, 1);
	assert_non_null(strstr(reading->list.items[0].message,
		"hosts.0.time_limit: \"timeout\", 2m, has no effect here"));
	end(reading);
	overrides.set = (const char *[]){ "timeout=119s", sets[1] };
	reading = parse_with(SMALL, &overrides);
	assert_no_faults(reading);
	end(reading);
}

/* ---- --set ---- */

static void set_changes_any_key(void **state)
{
	const char *const sets[] = { "budget.trials=5", "parameters.lr.max=0.1",
		"hosts.0.gpus_per_trial=2", "strategy.initial=8", "first.0.layers=4", "name=2024",
		"early_stopping.rule=median", "fixed.model=resnet34", "command.1=--flag",
		"seed=18446744073709551615" };
	const struct job_overrides overrides = { .set = (const char **)sets,
		.n_set = sizeof(sets) / sizeof(*sets) };
	struct reading *reading = parse_with(SMALL, &overrides);
	const struct job_file *file = reading->file;

	assert_no_faults(reading);
	assert_int_equal(file->budget.trials, 5);
	assert_true(file->space.parameters[0].max == 0.1);
	assert_int_equal(file->hosts[0].gpus_per_trial, 2);
	assert_int_equal(file->strategy.name, STRATEGY_BAYESIAN);
	assert_int_equal(file->strategy.initial, 8);
	assert_true(file->first[0][1] == 4);
	assert_string_equal(file->name, "2024");
	assert_int_equal(file->stopping.rule, STOPPING_MEDIAN);
	assert_string_equal(file->fixed[1].text, "resnet34");
	assert_string_equal(file->command[1], "--flag");
	assert_true(file->seed == UINT64_MAX);

	/* what is stored means the same */
	struct reading *again = parse(file->text);
	struct text lines = TEXT_EMPTY;
	unsigned kinds;
	job_file_compare(file, again->file, &kinds, &lines);
	assert_string_equal(lines.bytes, "");
	assert_int_equal(kinds, CHANGE_NONE);
	text_finish(&lines);
	end(again);
	end(reading);
}

/* Unless they are given, as they are in what older versions stored. */
static void a_free_warp_brings_what_suits_it(void **state)
{
	static const struct {
		const char *strategy;
		enum transform_kind transform;
		enum strategy_incumbent incumbent;
	} cases[] = { { "{\"warp\": \"free\"}", TRANSFORM_NONE, STRATEGY_INCUMBENT_BEST },
		{ "{\"warp\": \"axes\"}", TRANSFORM_AUTO, STRATEGY_INCUMBENT_AUTO },
		{ "{\"warp\": \"none\"}", TRANSFORM_AUTO, STRATEGY_INCUMBENT_AUTO },
		{ "{\"warp\": \"free\", \"transform\": \"auto\"}", TRANSFORM_AUTO,
			STRATEGY_INCUMBENT_BEST },
		{ "{\"warp\": \"free\", \"incumbent\": \"auto\"}", TRANSFORM_NONE,
			STRATEGY_INCUMBENT_AUTO },
		{ "{\"warp\": \"free\", \"transform\": \"winsor\", \"incumbent\": \"mean\"}",
			TRANSFORM_WINSOR, STRATEGY_INCUMBENT_MEAN } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[500];

		snprintf(text, sizeof text,
			"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"}, "
			"\"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0, \"max\": 1}}, "
			"\"command\": [\"true\"], \"strategy\": %s}",
			cases[i].strategy);
		struct reading *reading = parse(text);

		assert_int_equal(reading->file->strategy.transform, cases[i].transform);
		assert_int_equal(reading->file->strategy.incumbent, cases[i].incumbent);
		end(reading);
	}
}

static void a_later_set_wins_and_may_replace_a_whole_object(void **state)
{
	const char *const sets[] = { "budget.trials=5", "budget={\"trials\": 6, \"parallel\": 2}",
		"budget.trials=7" };
	const struct job_overrides overrides = { .set = (const char **)sets, .n_set = 3 };
	struct reading *reading = parse_with(SMALL, &overrides);

	assert_no_faults(reading);
	assert_int_equal(reading->file->budget.trials, 7);
	assert_int_equal(reading->file->budget.parallel, 2);
	end(reading);
}

/* Whatever holds where a key is left out. */
static void a_key_that_is_set_to_null_is_taken_out(void **state)
{
	static const char text[] =
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\", \"limits\": [\"x "
		"<= "
		"1\"]}, \"metrics\": [{\"name\": \"loss\"}, {\"name\": \"x\"}], \"command\": "
		"[\"true\"], \"name\": \"given\", \"parameters\": {\"lr\": {\"type\": \"float\", "
		"\"min\": 0.1, \"max\": 0.2, \"prior\": [0.1, 0.15]}, \"gone\": {\"type\": "
		"\"bool\"}}, \"budget\": {\"trials\": 7}, \"early_stopping\": \"median\", "
		"\"hosts\": [{\"gpus\": \"none\"}, {\"backend\": \"ssh\", \"address\": \"a\", "
		"\"directory\": \"/d\"}]}";
	const char *const sets[] = { "parameters.lr.prior=null", "parameters.gone= null ",
		"objective.limits=null", "early_stopping=null", "hosts.0=null", "name=null",
		"budget.trials=8", "budget.trials=null", "budget.trials=9" };
	const struct job_overrides overrides = { .set = (const char **)sets,
		.n_set = sizeof(sets) / sizeof(*sets) };
	struct reading *reading = parse_with(text, &overrides);
	const struct job_file *file = reading->file;

	assert_no_faults(reading);
	assert_int_equal(file->space.d, 1);
	assert_null(strstr(file->text, "prior"));
	assert_null(strstr(file->text, "null"));
	assert_int_equal(file->objective.n_limits, 0);
	assert_int_equal(file->stopping.rule, STOPPING_NONE);
	assert_int_equal(file->n_hosts, 1);
	assert_string_equal(file->hosts[0].backend, "ssh");
	assert_string_equal(file->name, "small");
	assert_int_equal(file->budget.trials, 9);
	end(reading);
}

static void nothing_is_taken_out_that_is_not_there_or_by_another_option(void **state)
{
	const char *const name[] = { "name=null" }, *const option[] = { "--name null" };
	const struct job_overrides overrides = {
		.set = (const char **)name, .options = (const char **)option, .n_set = 1
	};
	struct reading *reading = parse_with(SMALL, &overrides);

	assert_no_faults(reading);
	assert_string_equal(reading->file->name, "null");
	end(reading);
	assert_set_fault("parameters.lr.prior=null",
		"--set parameters.lr.prior=null: there is no \"prior\" to remove");
	assert_set_fault("budgte=null", "--set budgte=null: there is no \"budgte\" to remove");
	assert_set_fault("hosts.7.gpus=null",
		"--set hosts.7.gpus=null: index 7 is beyond the 0 that are there");
	reading = parse_set(SMALL, "name=\"null\"");
	assert_no_faults(reading);
	assert_string_equal(reading->file->name, "null");
	end(reading);
}

static void set_finds_names_that_have_points(void **state)
{
	struct reading *reading = parse_set(
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"}, \"command\": "
		"[\"true\"], \"parameters\": {\"a\": {\"type\": \"bool\"},"
		" \"a.b\": {\"type\": \"int\", \"min\": 1, \"max\": 2}}}",
		"parameters.a.b.max=9");

	assert_no_faults(reading);
	assert_true(reading->file->space.parameters[1].max == 9);
	end(reading);
}

static void words_behind_two_dashes_replace_the_command(void **state)
{
	char *const command[] = { (char *)"sh", (char *)"-c", (char *)"exit 0", NULL };
	const struct job_overrides overrides = { .command = command };
	struct reading *reading = parse_with(SMALL, &overrides);

	assert_no_faults(reading);
	assert_string_equal(reading->file->command[2], "exit 0");
	assert_null(reading->file->command[3]);
	assert_non_null(strstr(reading->file->text, "exit 0"));
	end(reading);
}

static void without_overrides_the_text_is_kept_to_the_byte(void **state)
{
	struct reading *reading = parse(SMALL);

	assert_string_equal(reading->file->text, SMALL);
	end(reading);
}

static void faults_of_set_name_the_option(void **state)
{
	assert_set_fault("budget.trials=0", "--set budget.trials=0: expected a whole number from 1 "
					    "to 1000000, found the number "
					    "0");
	assert_set_fault("budget.trails=5",
		"--set budget.trails=5: there is no such key; did you mean \"trials\"?");
	assert_set_fault("parameters.lr.max=0.0001",
		"--set parameters.lr.max=0.0001: expected more than \"min\", 0.001, found 0.0001");
	assert_set_fault("first.0.layers=9",
		"--set first.0.layers=9: expected a whole number from 1 to 8, found 9");
	assert_set_fault("name.x=1",
		"--set name.x=1: name: expected a string that is not empty, found an object");
	assert_set_fault(
		"first.2.lr=1", "--set first.2.lr=1: index 2 is beyond the 1 that are there");
	assert_set_fault(
		"first.x=1", "--set first.x=1: expected an index from 0 to 1, found \"x\"");
	assert_set_fault("budget.trials.x=1",
		"--set budget.trials.x=1: \"trials\" is the number 12 and has nothing below it");
	assert_set_fault("budget..x=1", "--set budget..x=1: a key is empty");
	assert_set_fault("trials", "--set trials: expected KEY=VALUE in UTF-8, such as "
				   "budget.trials=5");
	assert_set_fault("=5", "--set =5: expected KEY=VALUE in UTF-8, such as budget.trials=5");
	assert_set_fault("name=\xff",
		"--set name=\xff: expected KEY=VALUE in UTF-8, such as budget.trials=5");
}

static void a_set_of_endless_depth_is_refused(void **state)
{
	struct text set = TEXT_EMPTY;

	for (int i = 0; i < 10000; i++)
		text_add(&set, "a.");
	text_add(&set, "a=1");
	struct reading *reading = parse_set(SMALL, set.bytes);
	assert_int_equal(reading->list.errors, 1);
	assert_non_null(strstr(reading->list.items[0].message, "more than 64 levels"));
	end(reading);
	text_finish(&set);
}

/* ---- comparing ---- */

static unsigned kinds_of(const char *set, const char *line)
{
	struct reading *old = parse(SMALL), *new = parse_set(SMALL, set);
	struct text lines = TEXT_EMPTY;
	unsigned kinds = 0;

	if (new->file == NULL)
		fail_msg("%s", new->list.items[0].message);
	job_file_compare(old->file, new->file, &kinds, &lines);
	assert_string_equal(lines.bytes, line);
	text_finish(&lines);
	end(old);
	end(new);
	return kinds;
}

static void an_edit_is_of_the_kind_of_what_it_changes(void **state)
{
	assert_int_equal(kinds_of("budget.trials=15", "budget.trials: 12 -> 15\n"), CHANGE_TAKEN);
	assert_int_equal(kinds_of("timeout=30m", "timeout: none -> \"30m\"\n"), CHANGE_TAKEN);
	assert_int_equal(kinds_of("strategy=random",
				 "strategy.name: \"bayesian\" -> \"random\"\n"
				 "strategy.initial: max(5, min(2d + 2, budget.trials/5)), at least "
				 "the slots -> (gone)\n"
				 "strategy.deterministic: false -> (gone)\n"
				 "strategy.warp: \"none\" -> (gone)\n"
				 "strategy.transform: \"auto\" -> (gone)\n"
				 "strategy.acquisition: \"ei\" -> (gone)\n"
				 "strategy.incumbent: \"auto\" -> (gone)\n"
				 "strategy.cost_aware: false -> (gone)\n"
				 "strategy.hyperparameters: \"map\" -> (gone)\n"
				 "strategy.trust_region: \"auto\" -> (gone)\n"),
		CHANGE_TAKEN);
	assert_int_equal(kinds_of("strategy={\"acquisition\": \"ucb\", \"ucb_beta\": 2.5}",
				 "strategy.acquisition: \"ei\" -> \"ucb\"\n"
				 "strategy.ucb_beta: (not there) -> 2.5\n"
				 "strategy.incumbent: \"auto\" -> (gone)\n"
				 "strategy.cost_aware: false -> (gone)\n"
				 "strategy.hyperparameters: \"map\" -> (gone)\n"),
		CHANGE_TAKEN);
	assert_int_equal(
		kinds_of("parameters.lr.max=1",
			"parameters.lr: {\"type\": \"float\", \"min\": 0.001, \"max\": 0.5, "
			"\"scale\": \"log\"} -> {\"type\": \"float\", \"min\": 0.001, "
			"\"max\": 1, \"scale\": \"log\"}\n"),
		CHANGE_SPACE);
	assert_int_equal(kinds_of("parameters.new={\"type\": \"bool\"}",
				 "parameters.new: (not there) -> {\"type\": \"categorical\", "
				 "\"values\": [false, true]}\n"),
		CHANGE_SPACE);
	assert_int_equal(
		kinds_of("parameters.layers.prior=[2, 4]",
			"parameters.layers: {\"type\": \"int\", \"min\": 1, \"max\": 8, "
			"\"scale\": \"linear\"} -> {\"type\": \"int\", \"min\": 1, \"max\": 8, "
			"\"scale\": \"linear\", \"prior\": [2, 4]}\n"),
		CHANGE_SPACE);
	assert_int_equal(kinds_of("fixed.epochs=6", "fixed.epochs: 5 -> 6\n"), CHANGE_COMMAND);
	assert_int_equal(kinds_of("command.1=-v", "command: [\"true\"] -> [\"true\", \"-v\"]\n"),
		CHANGE_COMMAND);
	assert_int_equal(kinds_of("env.A=1", "env.A: (not there) -> \"1\"\n"), CHANGE_COMMAND);
	assert_int_equal(kinds_of("objective.goal=maximize",
				 "objective.goal: \"minimize\" -> \"maximize\"\n"),
		CHANGE_OBJECTIVE);
	assert_int_equal(kinds_of("seed=2", "seed: 1 -> 2\n"), CHANGE_SEED);
	assert_int_equal(kinds_of("warm_start={\"jobs\": [\"a\", {\"db\": \"old.db\", \"job\": "
				  "\"b\", \"missing\": {\"lr\": 0.1}, \"ignore\": [\"x\"]}]}",
				 "warm_start.as: (not there) -> \"trials\"\n"
				 "warm_start.jobs.0: (not there) -> {\"job\": \"a\"}\n"
				 "warm_start.jobs.1: (not there) -> {\"db\": \"/old.db\", \"job\": "
				 "\"b\", \"missing\": {\"lr\": 0.1}, \"ignore\": [\"x\"]}\n"),
		CHANGE_WARM_START);
}

static void what_means_the_same_is_no_edit(void **state)
{
	assert_int_equal(kinds_of("parameters.lr.scale=log", ""), CHANGE_NONE);
	assert_int_equal(kinds_of("strategy.name=bayesian", ""), CHANGE_NONE);
	assert_int_equal(kinds_of("retries=2", ""), CHANGE_NONE);
	assert_int_equal(kinds_of("grace=30", ""), CHANGE_NONE);
	assert_int_equal(kinds_of("description=other", ""), CHANGE_NONE);
	assert_int_equal(kinds_of("hosts=[{\"backend\": \"local\"}]", ""), CHANGE_NONE);
}

static void another_order_of_the_parameters_is_another_space(void **state)
{
	struct reading *old = parse(
		"{\"objective\": {\"metric\": \"l\", \"goal\": \"minimize\"}, \"command\": "
		"[\"true\"],"
		" \"parameters\": {\"a\": {\"type\": \"bool\"}, \"b\": {\"type\": \"bool\"}}}");
	struct reading *new = parse(
		"{\"objective\": {\"metric\": \"l\", \"goal\": \"minimize\"}, \"command\": "
		"[\"true\"],"
		" \"parameters\": {\"b\": {\"type\": \"bool\"}, \"a\": {\"type\": \"bool\"}}}");
	struct text lines = TEXT_EMPTY;
	unsigned kinds;

	job_file_compare(old->file, new->file, &kinds, &lines);
	assert_int_equal(kinds, CHANGE_SPACE);
	assert_string_equal(lines.bytes, "parameters: in another order\n");
	text_finish(&lines);
	end(old);
	end(new);
}

/* ---- describing ---- */

static void the_description_says_why_a_scale_was_chosen_and_what_is_default(void **state)
{
	struct reading *reading = parse(SMALL);
	struct text text = TEXT_EMPTY;

	job_file_describe(reading->file, &text);
	assert_non_null(strstr(text.bytes, "0.001 to 0.5, log (auto: max/min is 500)\n"));
	assert_non_null(strstr(text.bytes, "1 to 8, linear (auto)\n"));
	assert_non_null(strstr(text.bytes, "budget.trials             12\n"));
	assert_non_null(strstr(text.bytes, "retries                   2  (default)\n"));
	assert_non_null(strstr(text.bytes, "lr=0.01, the rest by the strategy\n"));
	text_finish(&text);
	end(reading);
}

/* In columns of the terminal, of which a letter with an umlaut takes one. */
static void names_are_described_in_one_column(void **state)
{
	struct reading *reading = parse(
		"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"},"
		"\"parameters\": {\"höhe\": {\"type\": \"bool\"}, \"λ\": {\"type\": \"bool\"}},"
		"\"fixed\": {\"epochs\": 3}, \"command\": [\"true\"]}");
	struct text text = TEXT_EMPTY;

	job_file_describe(reading->file, &text);
	assert_non_null(strstr(text.bytes, "\n  höhe    categorical  false, true\n"
					   "  λ       categorical  false, true\n"
					   "  epochs  fixed        3\n"));
	text_finish(&text);
	end(reading);
}

static void the_description_as_json_is_json(void **state)
{
	struct reading *reading = everything();
	struct text text = TEXT_EMPTY;
	struct json_document *document = NULL;
	struct tuner_error err;

	job_file_describe_json(reading->file, &text);
	if (!json_parse("description", text.bytes, text.length, &document, &err))
		fail_msg("%s", err.message);
	const cJSON *settings = cJSON_GetObjectItem(json_root(document), "settings");
	assert_true(cJSON_GetArraySize(settings) > 40);
	json_destroy(document);
	text_finish(&text);
	end(reading);
}

static void the_schema_is_json_and_has_every_key_that_is_built(void **state)
{
	struct text text = TEXT_EMPTY;
	struct json_document *document = NULL;
	struct tuner_error err;

	job_file_schema(&text);
	if (!json_parse("schema", text.bytes, text.length, &document, &err))
		fail_msg("%s", err.message);
	const cJSON *root = json_root(document);
	for (const struct key *key = job_keys; key->name != NULL; key++)
		if (key->section == SECTION_FILE) {
			const cJSON *properties = cJSON_GetObjectItem(root, "properties");
			assert_non_null(cJSON_GetObjectItemCaseSensitive(properties, key->name));
		}
	json_destroy(document);
	text_finish(&text);
}

/* Each default of the table is one that the table accepts. */
static void defaults_are_accepted_by_their_own_keys(void **state)
{
	for (const struct key *key = job_keys; key->name != NULL; key++) {
		if (key->otherwise == NULL)
			continue;
		cJSON *value = cJSON_Parse(key->otherwise);
		assert_non_null(value);
		if (!key_accepts(key, value))
			fail_msg("the default of \"%s\" is not accepted", key->name);
		cJSON_Delete(value);
	}
}

/* A synonym that is a name of the same section would never be said; one that stands twice would be
 * said of the first only. */
static void synonyms_are_no_names_and_stand_once_in_a_section(void **state)
{
	char word[WORD_BYTES];
	bool synonym;

	for (const struct key *key = job_keys; key->name != NULL; key++)
		for (size_t i = 0; i < words_count(key->synonyms); i++) {
			words_get(key->synonyms, i, word);
			if (key_find(key->section, word) != NULL)
				fail_msg("\"%s\" is a synonym of %s and a name", word, key->name);
			if (key_suggest(key->section, word, &synonym) != key)
				fail_msg("\"%s\" of %s suggests another key", word, key->name);
		}
}

/* ---- what the user expects ---- */

static void priors_become_part_of_the_space(void **state)
{
	struct reading *reading = good("priors.jsonc");
	const struct space *space = &reading->file->space;
	const struct prior *priors = space->priors;

	assert_non_null(priors);
	assert_true(priors[0].low == 1e-3 && priors[0].high == 1e-2);
	assert_true(priors[2].low == 2.5 && priors[2].high == 4);
	/* By place: of 256, 128, 64 and 32 the first three. */
	assert_true(priors[3].low == 0 && priors[3].high == 2);
	assert_true(priors[4].weights[0] == 1 && priors[4].weights[1] == 3 &&
		    priors[4].weights[2] == 0.5);
	assert_true(priors[5].weights[0] == 1 && priors[5].weights[1] == 4);
	assert_true(priors[6].weights[0] == 1 && priors[6].weights[1] == 2);
	end(reading);
	reading = parse(SMALL);
	assert_null(reading->file->space.priors);
	end(reading);
}

static void priors_are_described(void **state)
{
	static const char *const said[] = { "1e-05 to 1, log (auto: max/min is 1e+05), prior "
					    "[0.001, 0.01]\n",
		"256, 128, 64, 32, prior [256, 64]\n",
		"\"sgd\", \"adam\", \"lion\", prior {\"adam\": 3, \"lion\": 0.5}\n",
		"false, true, prior {\"true\": 4}, when optimizer is \"sgd\"\n",
		"1.0, 2.5, prior {\"2.5\": 2}\n" };
	struct reading *reading = good("priors.jsonc");
	struct text text = TEXT_EMPTY;

	job_file_describe(reading->file, &text);
	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		if (strstr(text.bytes, said[i]) == NULL)
			fail_msg("no %s in %s", said[i], text.bytes);
	text_finish(&text);
	end(reading);
}

/* ---- conditions and constraints ---- */

static struct reading *conditional(void)
{
	return good("conditional.jsonc");
}

/* In the order that decides them: nesterov before what asks for it. */
static void conditions_become_part_of_the_space(void **state)
{
	struct reading *reading = conditional();
	const struct space *space = &reading->file->space;
	struct tuner_error err;

	assert_true(space_check(space, &err));
	assert_int_equal(space->n_conditions, 6);
	const struct condition *last = &space->conditions[5];

	assert_int_equal(last->parameter, space_find(space, "dampening"));
	assert_int_equal(last->parent, space_find(space, "nesterov"));
	assert_true(last->n == 1 && last->values[0] == 0);
	assert_string_equal(space->parameters[space->conditions[0].parameter].name, "momentum");
	assert_int_equal(space->n_constraints, 4);
	assert_string_equal(
		expression_text(space->constraints[2]), "not nesterov or `width-3` > 8");
	end(reading);
}

/* lr 0.3 x 128 > 30; a dampening of 0.2 is index 1. */
static void formulas_see_what_the_values_mean(void **state)
{
	struct reading *reading = conditional();
	const struct space *space = &reading->file->space;
	double values[SPACE_PARAMETERS_MAX] = { 0.5, 0, 1, 0, 4, 20, 0.3, 0 };

	assert_ptr_equal(space_broken_constraint(space, values), space->constraints[0]);
	values[6] = 0.2;
	assert_null(space_broken_constraint(space, values));
	values[0] = 0.85;
	assert_ptr_equal(space_broken_constraint(space, values), space->constraints[1]);
	values[1] = 2; /* rmsprop, of whose parameters there are none */
	values[5] = 8;
	assert_null(space_broken_constraint(space, values));
	end(reading);
}

static void rules_are_described_compared_and_stored(void **state)
{
	struct reading *reading = conditional();
	struct text text = TEXT_EMPTY;
	struct parameter_list list = { 0 };
	char *definition = NULL;
	struct tuner_error err;

	job_file_describe(reading->file, &text);
	assert_non_null(strstr(text.bytes, "false, true, when optimizer is \"sgd\"\n"));
	assert_non_null(
		strstr(text.bytes, "10, when optimizer is \"sgd\" or \"adam\", and layers is 8\n"));
	assert_non_null(strstr(text.bytes, "\nconstraints:\n  lr * batch_size <= 30\n"));
	assert_true(job_file_space(reading->file, &definition, &list, &err));
	assert_non_null(strstr(definition,
		"\"warmup\": {\"type\": \"categorical\", \"values\": [10], \"when\": "
		"{\"optimizer\": [\"sgd\", \"adam\"], \"layers\": [8]}}, "
		"\"batch_size\": {\"type\": \"fixed\", \"value\": 128}, "
		"\"device\": {\"type\": \"fixed\", \"value\": \"gpu\"}, "
		"\"\": [\"lr * batch_size <= 30\", "));
	assert_int_equal(kinds_of("parameters.new={\"type\": \"bool\", \"when\": {\"layers\": 3}}",
				 "parameters.new: (not there) -> {\"type\": \"categorical\", "
				 "\"values\": [false, true], \"when\": {\"layers\": [3]}}\n"),
		CHANGE_SPACE);
	assert_int_equal(kinds_of("constraints=[\"lr < 0.1\"]",
				 "constraints.0: (not there) -> \"lr < 0.1\"\n"),
		CHANGE_SPACE);
	free(definition);
	parameter_list_finish(&list);
	text_finish(&text);
	end(reading);
}

/* Each message of a parameter that is given in vain has its own place. */
static void first_configurations_keep_to_the_rules(void **state)
{
	struct reading *reading = parse_set(SMALL, "constraints=[\"lr * layers < 0.05\"]");

	assert_no_faults(reading);
	end(reading);
	reading = parse_set(SMALL, "constraints=[\"lr < 0.005\"]");
	assert_int_equal(reading->list.errors, 1);
	assert_string_equal(
		reading->list.items[0].message, "first.0: breaks the constraint \"lr < 0.005\"");
	assert_int_equal(reading->list.items[0].place.line, 5);
	end(reading);
}

/* ---- what the database keeps ---- */

static void the_space_is_stored_with_optunas_distributions(void **state)
{
	static const char *const expected[] = {
		"{\"name\": \"FloatDistribution\", \"attributes\": {\"step\": null, \"low\": "
		"0.0001, "
		"\"high\": 0.1, \"log\": true}}",
		"{\"name\": \"FloatDistribution\", \"attributes\": {\"step\": null, \"low\": 0, "
		"\"high\": 0.99, \"log\": false}}",
		"{\"name\": \"FloatDistribution\", \"attributes\": {\"step\": 0.1, \"low\": 0.1, "
		"\"high\": 0.5, \"log\": false}}",
		"{\"name\": \"IntDistribution\", \"attributes\": {\"log\": false, \"step\": 1, "
		"\"low\": 1, \"high\": 8}}",
		"{\"name\": \"IntDistribution\", \"attributes\": {\"log\": true, \"step\": 1, "
		"\"low\": 16, \"high\": 4096}}",
		"{\"name\": \"IntDistribution\", \"attributes\": {\"log\": false, \"step\": 32, "
		"\"low\": 32, \"high\": 256}}",
		"{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": [\"adam\", "
		"\"sgd\", \"rms prop\"]}}",
	};
	struct reading *reading = everything();
	struct parameter_list list = { 0 };
	char *definition = NULL;
	struct tuner_error err;

	assert_true(job_file_space(reading->file, &definition, &list, &err));
	assert_int_equal(list.n, 10);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		assert_string_equal(list.items[i].distribution, expected[i]);
	assert_string_equal(list.items[0].name, "lr");
	assert_string_equal(list.items[0].kind, "float");
	assert_null(list.items[0].labels);
	assert_string_equal(list.items[3].kind, "int");
	assert_string_equal(list.items[7].kind, "categorical");
	assert_string_equal(list.items[7].labels, "[8, 14, 20]");
	assert_non_null(strstr(definition, "\"lr\": {\"type\": \"float\", \"min\": 0.0001"));
	free(definition);
	parameter_list_finish(&list);
	end(reading);
}

static void objective_and_strategy_are_stored_as_json(void **state)
{
	struct reading *reading = everything();
	char *objective = job_file_objective(reading->file);
	char *strategy = job_file_strategy(reading->file);

	assert_string_equal(objective, "{\"metric\": \"accuracy\", \"goal\": \"maximize\", "
				       "\"reduce\": \"mean of last 3\"}");
	assert_string_equal(strategy,
		"{\"name\": \"bayesian\", \"initial\": 10, \"deterministic\": true, "
		"\"warp\": \"free\", \"transform\": \"winsor\", "
		"\"trust_region\": \"always\", \"acquisition\": \"ei\", "
		"\"incumbent\": \"noisy\", \"cost_aware\": true, "
		"\"hyperparameters\": \"marginal\"}");
	free(objective);
	free(strategy);
	end(reading);
}

/* What the chosen acquisition does not know is not there. */
static void an_acquisition_is_stored_with_its_own_settings(void **state)
{
	struct reading *reading = parse_set(SMALL, "strategy={\"acquisition\": \"ucb\"}");
	char *strategy = job_file_strategy(reading->file);

	assert_non_null(strstr(strategy, ", \"acquisition\": \"ucb\", \"ucb_beta\": 1.8}"));
	free(strategy);
	end(reading);
	reading = parse_set(SMALL, "strategy={\"acquisition\": \"thompson\"}");
	strategy = job_file_strategy(reading->file);
	assert_non_null(strstr(strategy, ", \"acquisition\": \"thompson\"}"));
	free(strategy);
	end(reading);
}

/* ---- and what is made of it again ---- */

static char *space_of(const struct job_file *file)
{
	struct parameter_list list = { 0 };
	char *definition = NULL;
	struct tuner_error err;

	assert_true(job_file_space(file, &definition, &list, &err));
	parameter_list_finish(&list);
	return definition;
}

/* With what a decision says besides of its settings. */
static char *settings_of(const struct job_file *file)
{
	char *strategy = job_file_strategy(file), *settings = NULL;

	strategy[strlen(strategy) - 1] = '\0';
	assert_true(asprintf(&settings, "%s, \"value_probability\": 0.25}", strategy) > 0);
	free(strategy);
	return settings;
}

/* Ends the reading. */
static void assert_restored(struct reading *reading)
{
	struct job_file *file = NULL;
	struct tuner_error err;
	char *definition = space_of(reading->file), *settings = settings_of(reading->file);

	assert_true(job_file_restore(definition, settings, &file, &err));
	assert_non_null(file);

	char *again[] = { space_of(file), settings_of(file) };

	assert_string_equal(again[0], definition);
	assert_string_equal(again[1], settings);
	assert_int_equal(file->strategy.initial, reading->file->strategy.initial);
	assert_int_equal(file->space.n_constraints, reading->file->space.n_constraints);
	assert_int_equal(file->space.n_conditions, reading->file->space.n_conditions);
	job_file_destroy(file);
	free(again[0]);
	free(again[1]);
	free(definition);
	free(settings);
	end(reading);
}

static void space_and_strategy_are_restored_from_what_is_stored(void **state)
{
	assert_restored(everything());
	assert_restored(conditional());
	assert_restored(good("priors.jsonc"));
	assert_restored(parse_set(SMALL, "strategy=random"));
	assert_restored(parse_set(SMALL, "strategy={\"name\": \"grid\", \"points\": 7}"));
	assert_restored(parse_set(SMALL, "strategy={\"acquisition\": \"ucb\", \"ucb_beta\": 0.7}"));
}

static void what_a_later_version_stored_is_not_restored(void **state)
{
	struct job_file *file = NULL;
	struct tuner_error err;

	assert_true(job_file_restore("{\"x\": {\"type\": \"float\", \"min\": 0, \"max\": 1}}",
		"{\"name\": \"tomorrow\"}", &file, &err));
	assert_null(file);
	assert_true(job_file_restore("{\"x\": {\"type\": \"sphere\"}}", NULL, &file, &err));
	assert_null(file);
}

/* ---- diagnostics ---- */

static void diagnostics_print_by_place_and_errors_displace_warnings(void **state)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct text text = TEXT_EMPTY;

	assert_non_null(list);
	diagnose_warning(list, (struct json_place){ 7, 2 }, "late");
	diagnose_error(list, (struct json_place){ 3, 9 }, "early %d", 1);
	diagnose_error(list, (struct json_place){ 0, 0 }, "whole");
	diagnostics_print(list, "a.json", &text);
	assert_string_equal(text.bytes, "a.json: error: whole\na.json:3:9: error: early 1\n"
					"a.json:7:2: warning: late\n");
	while (list->n < DIAGNOSTICS_MAX)
		diagnose_warning(list, (struct json_place){ 9, 9 }, "filler");
	diagnose_error(list, (struct json_place){ 1, 1 }, "still there");
	text_clear(&text);
	diagnostics_print(list, "a.json", &text);
	assert_non_null(strstr(text.bytes, "a.json:1:1: error: still there\n"));
	assert_int_equal(list->errors, 3);
	text_finish(&text);
	free(list);
}

static void points_in_time_are_those_of_rfc_3339(void **state)
{
	static const int64_t at_us =
		INT64_C(1772600767000000); /* date -ud 2026-03-04T05:06:07Z +%s */
	static const struct {
		const char *text;
		int64_t later_us;
	} times[] = {
		{ "2026-03-04T05:06:07Z", 0 },
		{ "2026-03-04 05:06:07z", 0 },
		{ "2026-03-04T05:06Z", -7000000 },
		{ "2026-03-04T05:06:07.25Z", 250000 },
		{ "2026-03-04T05:06:07,000001999Z", 1 },
		{ "2026-03-04T06:36:07.5+01:30", 500000 },
		{ "2026-03-03T22:06:07.5-0700", 500000 },
		{ "2028-02-29T00:00:00Z", INT64_C(62794433000000) },
	};
	static const char *const none[] = { "2026-03-04T05:06:07.Z", "2026-03-04T05:06:07",
		"2026-03-04T05:06:07.5", "2026-02-29T00:00Z", "2026-03-04T05:06:60Z",
		"2026-03-04T24:00Z", "2026-03-04T05:06:07+15:00", "2026-03-04T05:06:07Z ",
		"2026-3-4T05:06:07Z", "tomorrow", "" };
	int64_t us;
	(void)state;

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		cJSON *value = cJSON_CreateString(times[i].text);
		if (!value_time(value, &us) || us != at_us + times[i].later_us)
			fail_msg("%s", times[i].text);
		cJSON_Delete(value);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		cJSON *value = cJSON_CreateString(none[i]);
		if (value_time(value, &us))
			fail_msg("%s", none[i]);
		cJSON_Delete(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_broken_file_gets_exactly_its_messages),
		cmocka_unit_test(every_good_file_is_accepted_and_survives_being_cut),
		cmocka_unit_test(two_mebibytes_are_refused_before_they_are_parsed),
		cmocka_unit_test(a_missing_file_is_no_diagnostic_but_an_error),
		cmocka_unit_test(ten_thousand_faults_are_counted_and_fifty_kept),
		cmocka_unit_test(defaults_fill_what_is_left_out),
		cmocka_unit_test(a_time_budget_alone_leaves_the_trials_unbounded),
		cmocka_unit_test(every_setting_reaches_its_field),
		cmocka_unit_test(a_step_of_the_whole_range_is_taken),
		cmocka_unit_test(parameters_of_every_type_become_a_space),
		cmocka_unit_test(arguments_come_in_the_order_of_the_file),
		cmocka_unit_test(a_type_left_out_follows_only_where_it_is_clear),
		cmocka_unit_test(without_a_need_for_the_command_nothing_must_exist),
		cmocka_unit_test(a_stored_job_keeps_the_directory_that_its_key_led_to),
		cmocka_unit_test(warnings_leave_the_file_usable),
		cmocka_unit_test(a_comparison_has_the_trials_of_all_its_searches),
		cmocka_unit_test(arms_that_end_within_their_common_points_are_warned_of),
		cmocka_unit_test(a_time_limit_of_slurm_below_the_timeout_is_warned_of),
		cmocka_unit_test(set_changes_any_key),
		cmocka_unit_test(a_free_warp_brings_what_suits_it),
		cmocka_unit_test(a_later_set_wins_and_may_replace_a_whole_object),
		cmocka_unit_test(a_key_that_is_set_to_null_is_taken_out),
		cmocka_unit_test(nothing_is_taken_out_that_is_not_there_or_by_another_option),
		cmocka_unit_test(set_finds_names_that_have_points),
		cmocka_unit_test(words_behind_two_dashes_replace_the_command),
		cmocka_unit_test(without_overrides_the_text_is_kept_to_the_byte),
		cmocka_unit_test(faults_of_set_name_the_option),
		cmocka_unit_test(a_set_of_endless_depth_is_refused),
		cmocka_unit_test(an_edit_is_of_the_kind_of_what_it_changes),
		cmocka_unit_test(what_means_the_same_is_no_edit),
		cmocka_unit_test(another_order_of_the_parameters_is_another_space),
		cmocka_unit_test(the_description_says_why_a_scale_was_chosen_and_what_is_default),
		cmocka_unit_test(names_are_described_in_one_column),
		cmocka_unit_test(the_description_as_json_is_json),
		cmocka_unit_test(the_schema_is_json_and_has_every_key_that_is_built),
		cmocka_unit_test(defaults_are_accepted_by_their_own_keys),
		cmocka_unit_test(synonyms_are_no_names_and_stand_once_in_a_section),
		cmocka_unit_test(points_in_time_are_those_of_rfc_3339),
		cmocka_unit_test(priors_become_part_of_the_space),
		cmocka_unit_test(priors_are_described),
		cmocka_unit_test(conditions_become_part_of_the_space),
		cmocka_unit_test(formulas_see_what_the_values_mean),
		cmocka_unit_test(rules_are_described_compared_and_stored),
		cmocka_unit_test(first_configurations_keep_to_the_rules),
		cmocka_unit_test(the_space_is_stored_with_optunas_distributions),
		cmocka_unit_test(objective_and_strategy_are_stored_as_json),
		cmocka_unit_test(an_acquisition_is_stored_with_its_own_settings),
		cmocka_unit_test(space_and_strategy_are_restored_from_what_is_stored),
		cmocka_unit_test(what_a_later_version_stored_is_not_restored),
		cmocka_unit_test(diagnostics_print_by_place_and_errors_displace_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
