/* Gates, baselines, and the reports of a run. */
#include "tests/fixture_report.h"
#include "tuner/baseline.h"
#include "tuner/ci_report.h"
#include "tuner/command.h"

#define METRICS                                                                                    \
	"\"metrics\": [{\"name\": \"loss\"}, {\"name\": \"top 1 > half\"}, "                       \
	"{\"name\": \"validation-accuracy\"}, {\"name\": \"below <\"}, {\"name\": \"a`b!\"}, "     \
	"{\"name\": \"`quoted`\"}], "

static struct tuner_error err;

static bool parses(const char *text, struct gate *ret)
{
	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND METRICS);
	const bool ok = gate_parse(text, file, ret, &err);
	job_file_destroy(file);
	return ok;
}

static void a_gate_is_a_metric_a_relation_and_a_number(void **state)
{
	static const struct {
		const char *text, *metric;
		enum gate_relation relation;
		double bound;
	} cases[] = {
		{ "loss <= 0.5", "loss", GATE_AT_MOST, 0.5 },
		{ "loss<=.5", "loss", GATE_AT_MOST, 0.5 },
		{ " loss  <  -1e-3 ", "loss", GATE_BELOW, -1e-3 },
		{ "loss == 0", "loss", GATE_EQUAL, 0 },
		{ "validation-accuracy >= 0.70", "validation-accuracy", GATE_AT_LEAST, 0.7 },
		{ "validation-accuracy>+2", "validation-accuracy", GATE_ABOVE, 2 },
		{ "top 1 > half >= 1", "top 1 > half", GATE_AT_LEAST, 1 },
		{ "`below <` >= 1", "below <", GATE_AT_LEAST, 1 },
		{ " `below <`<2", "below <", GATE_BELOW, 2 },
		{ "`loss` == 0", "loss", GATE_EQUAL, 0 },
		{ "`a``b!` > 0", "a`b!", GATE_ABOVE, 0 },
		{ "`quoted` > 0", "`quoted`", GATE_ABOVE, 0 },
		{ "```quoted``` > 0", "`quoted`", GATE_ABOVE, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct gate gate;
		if (!parses(cases[i].text, &gate))
			fail_msg("%s: %s", cases[i].text, err.message);
		assert_string_equal(gate.metric, cases[i].metric);
		assert_int_equal(gate.relation, cases[i].relation);
		assert_true(gate.bound == cases[i].bound);
		gate_finish(&gate);
	}
}

static void what_is_no_gate_is_told(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "it has no comparison" },
		{ "loss", "it has no comparison" },
		{ "loss = 1", "a single = is no comparison" },
		{ ">= 1", "its left side has no metric" },
		{ "loss >=", "is not a number" },
		{ "loss >= one", "is not a number" },
		{ "loss >= nan", "is not a number" },
		{ "loss >= inf", "is not a number" },
		{ "0.5 < loss", "is not a number" },
		{ "loss => 1", "that is not a comparison" },
		{ "below < >= 1", "a metric whose name ends so stands in backquotes" },
		{ "`below` >= 1", "has no metric \"below\"" },
		{ "`loss` - `loss` >= 1", "has no metric \"`loss` - `loss`\"" },
		{ "`` >= 1", "has no metric \"``\"" },
		{ "validation_accuracy >= 1", "did you mean \"validation-accuracy\"?" },
		{ "speed >= 1", "it has loss, top 1 > half, validation-accuracy" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct gate gate;
		assert_false(parses(cases[i].text, &gate));
		assert_int_equal(err.code, TUNER_USAGE);
		if (strstr(err.message, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text, err.message);
	}
}

static void without_metrics_any_name_may_come(void **state)
{
	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND);
	struct gate gate;
	assert_true(gate_parse("anything >= 1", file, &gate, &err));
	gate_finish(&gate);
	job_file_destroy(file);
}

static void a_gate_holds_at_its_bound_unless_it_excludes_it(void **state)
{
	static const struct {
		const char *relation;
		double value;
		bool holds;
	} cases[] = {
		{ ">=", 0.5, true },
		{ ">=", 0.4999, false },
		{ "<=", 0.5, true },
		{ "<=", 0.5001, false },
		{ ">", 0.5, false },
		{ ">", 0.5001, true },
		{ "<", 0.5, false },
		{ "<", 0.4999, true },
		{ "==", 0.5, true },
		{ "==", 0.5001, false },
		{ ">=", NAN, false },
		{ "<=", NAN, false },
		{ "==", NAN, false },
		{ ">=", INFINITY, true },
	};
	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trial best = { .number = 3, .objective = cases[i].value };
		struct gate gate;
		char text[40];
		snprintf(text, sizeof(text), "loss %s 0.5", cases[i].relation);
		assert_true(gate_parse(text, file, &gate, &err));
		assert_true(gate_judge(&gate, NULL, file, &best, &err));
		assert_int_equal(gate.held, cases[i].holds);
		gate_finish(&gate);
	}
	job_file_destroy(file);
}

static void a_miss_says_by_how_much(void **state)
{
	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND);
	const struct trial best = { .number = 3, .objective = 0.75 };
	struct gate gate;
	assert_true(gate_parse("loss <= 0.5", file, &gate, &err));
	assert_true(gate_judge(&gate, NULL, file, &best, &err));
	assert_string_equal(gate.said.bytes, "trial 3 has 0.75, too high by 0.25");
	assert_true(gate_judge(&gate, NULL, file, NULL, &err));
	assert_string_equal(gate.said.bytes, "no trial has given an objective");
	assert_false(gate.held);
	gate_finish(&gate);
	job_file_destroy(file);
}

static void a_baseline_allows_its_tolerance_in_the_direction_of_the_goal(void **state)
{
	static const struct {
		const char *goal;
		double value;
		bool holds;
	} cases[] = {
		{ "minimize", 0.75, true },
		{ "minimize", 0.7500001, false },
		{ "minimize", 0.1, true },
		{ "maximize", 0.25, true },
		{ "maximize", 0.2499999, false },
		{ "maximize", 0.9, true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct trial best = { .number = 3, .objective = cases[i].value };
		struct gate gate;
		char keys[300];
		snprintf(keys, sizeof(keys),
			"\"objective\": {\"metric\": \"loss\", \"goal\": \"%s\"}, " FIXTURE_X
				FIXTURE_COMMAND,
			cases[i].goal);
		struct job_file *file = fixture_file(keys);
		assert_true(gate_of_baseline(0.5, 0.25, file, &gate, &err));
		assert_true(gate_judge(&gate, NULL, file, &best, &err));
		assert_int_equal(gate.held, cases[i].holds);
		gate_finish(&gate);
		job_file_destroy(file);
	}
}

static void a_baseline_reads_back_to_the_bit(void **state)
{
	struct fixture f = { .err = { TUNER_OK, "" } };
	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND);
	const struct trial best = {
		.number = 3, .objective = 1.0 / 3, .parameters = (char *)"{\"x\":0.5}"
	};
	char path[128];
	double objective;
	fixture_open(&f);
	snprintf(path, sizeof(path), "%s/base.json", f.directory);
	ASSERT_OK(&f, baseline_write(path, file, &best, &f.err));
	ASSERT_OK(&f, baseline_read(path, file, &objective, &f.err));
	assert_true(objective == 1.0 / 3);
	fixture_close(&f);
	job_file_destroy(file);
}

static void labels_are_escaped(void **state)
{
	static const struct {
		const char *value, *escaped;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "a\"b", "a\\\"b" },
		{ "a\\b", "a\\\\b" },
		{ "a\nb", "a\\nb" },
		{ "\\n", "\\\\n" },
		{ "gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F" },
		{ "a\xFFz", "a\xEF\xBF\xBDz" },
		{ "cut\xC3", "cut\xEF\xBF\xBD" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct text text = TEXT_EMPTY;
		openmetrics_escape(cases[i].value, &text);
		assert_string_equal(text.bytes, cases[i].escaped);
		text_finish(&text);
	}
}

/* ---- the reports of a job with a trial of each kind ---- */

struct told {
	struct fixture fixture;
	struct report job;
	struct job_file *file;
	struct gate gates[2];
	struct ci_report report;
	struct text text;
};

static int tell(void **state)
{
	struct told *told = calloc(1, sizeof(*told));
	*state = told;
	fixture_open(&told->fixture);
	fixture_tell(&told->fixture, FIXTURE_TOLD, FIXTURE_TRIALS, &told->job);
	told->file = fixture_file(FIXTURE_TOLD);
	told->text = TEXT_EMPTY;
	told->report = (struct ci_report){ .file = told->file,
		.gates = told->gates,
		.n_gates = 2,
		.status = EXIT_INTERRUPTED,
		.reason = "\"inter|rupted\"" };
	ASSERT_OK(&told->fixture, ci_report_read(&told->report, told->fixture.store,
					  told->job.job.id, &told->fixture.err));
	for (size_t i = 0; i < 2; i++) {
		ASSERT_OK(&told->fixture, gate_parse(i == 0 ? "loss < 3" : "other \"\\ > 3",
						  told->file, &told->gates[i], &told->fixture.err));
		ASSERT_OK(
			&told->fixture, gate_judge(&told->gates[i], told->fixture.store, told->file,
						told->report.best, &told->fixture.err));
	}
	return 0;
}

static int forget(void **state)
{
	struct told *told = *state;
	gate_finish(&told->gates[0]);
	gate_finish(&told->gates[1]);
	text_finish(&told->text);
	ci_report_finish(&told->report);
	report_close(&told->job);
	job_file_destroy(told->file);
	fixture_close(&told->fixture);
	free(told);
	return 0;
}

static void contains(const struct told *told, const char *part)
{
	if (strstr(told->text.bytes, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, told->text.bytes);
}

static void junit_has_a_case_for_every_trial_gate_and_bad_end(void **state)
{
	struct told *told = *state;
	ASSERT_OK(&told->fixture, ci_junit(&told->report, &told->text, &told->fixture.err));
	contains(told, "<testsuites tests=\"9\" failures=\"2\" errors=\"1\" skipped=\"3\" "
		       "time=\"40.000\">");
	contains(told, "name=\"trial 2: x=0.1\" time=\"10.000\"><system-out>loss = 2</system-out>");
	contains(told, "<failure type=\"nan\" message=\"loss is \xEF\xBF\xBD[31mNaN\">");
	contains(told, "<skipped message=\"early-stopped: worse than the median\"/>");
	contains(told, "<skipped message=\"it has not ended: running\"/>");
	contains(told, "name=\"gate: other &quot;\\ &gt; 3\"");
	contains(told, "<failure type=\"gate\" message=\"trial 2 reported no other &quot;\\\"/>");
	contains(told, "<error type=\"status-130\" message=\"&quot;inter|rupted&quot;\"/>");
}

static void metrics_say_each_family_once_and_end(void **state)
{
	struct told *told = *state;
	static const char end[] = "# EOF\n";
	told->gates[1].text[0] = 'O';
	ASSERT_OK(&told->fixture, ci_metrics(&told->report, &told->text, &told->fixture.err));
	contains(told, "# TYPE tuner_best_objective gauge\n# HELP tuner_best_objective ");
	contains(told, "\ntuner_best_objective{job=\"job\",metric=\"loss\"} 2\n");
	contains(told, "\ntuner_trials{job=\"job\",state=\"stopped\"} 1\n");
	contains(told, "\ntuner_failed_trials{job=\"job\",class=\"nan\"} 1\n");
	contains(told, "# UNIT tuner_runtime_seconds seconds\n");
	contains(told, "\ntuner_trial_duration_seconds{job=\"job\"} 10\n");
	contains(told, "\ntuner_gate_held{job=\"job\",gate=\"Other \\\"\\\\ > 3\"} 0\n");
	contains(told, "\ntuner_exit_status{job=\"job\"} 130\n");
	assert_string_equal(told->text.bytes + told->text.length - strlen(end), end);
}

static void the_summary_escapes_what_markdown_would_take(void **state)
{
	struct told *told = *state;
	ASSERT_OK(&told->fixture, ci_summary(&told->report, &told->text, &told->fixture.err));
	contains(told, "## job: loss 2\n");
	contains(told, "\"inter\\|rupted\". Trials: 2 done, 1 stopped, 1 failed, 2 unfinished. "
		       "Exit status 130.");
	contains(told, "| loss \\< 3 | held | trial 2 has 2, with 1 to spare |");
	contains(told, "| **missed** |");
	contains(told, "| 2 | 2 | 10s | x=0.1 |\n| 1 | 4 | 10s | x=0.25 |");
	contains(told, "Failed trials: nan 1.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gate_is_a_metric_a_relation_and_a_number),
		cmocka_unit_test(what_is_no_gate_is_told),
		cmocka_unit_test(without_metrics_any_name_may_come),
		cmocka_unit_test(a_gate_holds_at_its_bound_unless_it_excludes_it),
		cmocka_unit_test(a_miss_says_by_how_much),
		cmocka_unit_test(a_baseline_allows_its_tolerance_in_the_direction_of_the_goal),
		cmocka_unit_test(a_baseline_reads_back_to_the_bit),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test_setup_teardown(
			junit_has_a_case_for_every_trial_gate_and_bad_end, tell, forget),
		cmocka_unit_test_setup_teardown(metrics_say_each_family_once_and_end, tell, forget),
		cmocka_unit_test_setup_teardown(
			the_summary_escapes_what_markdown_would_take, tell, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
