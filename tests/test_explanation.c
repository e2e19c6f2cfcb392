#include "tests/fixture_report.h"
#include "tuner/decision_noise.h"
#include "tuner/explanation.h"

/* The told trials, x = .25 .1 1 .75 .5 .625, and a seventh at .125 that a model chose. */
struct told {
	struct fixture fixture;
	struct report report;
	struct explanation explanation;
};

static const double HYPERPARAMETERS[] = { -0.69314718055994531 /* ln .5 */,
	-3.2188758248682006 /* ln .04 */ };
static const int64_t PENDING[] = { 5, 6 };

static int64_t ended_event(struct told *told, int64_t number)
{
	struct trial trial;
	bool found = false;
	ASSERT_OK(&told->fixture,
		report_number(&told->report, number, &trial, &found, &told->fixture.err));
	assert_true(found);
	const int64_t event = trial.ended_event;
	trial_finish(&trial);
	return event;
}

static struct decision model_decision(struct told *told)
{
	return (struct decision){ .strategy = "bayesian",
		.branch = "model",
		.reason = "",
		.settings = "{\"name\": \"bayesian\", \"value_probability\": 0.625}",
		.seen = ended_event(told, 4),
		.pending = PENDING,
		.n_pending = 2,
		.start = 2,
		.budget_trials = 10,
		.parallel = 2,
		.work = 100,
		.hyperparameters = HYPERPARAMETERS,
		.n_hyperparameters = 2,
		.mean = 2.2,
		.sd = .2,
		.incumbent = 2,
		.acquisition = log(.05),
		.took_us = 5000,
		.libraries = "libraries",
		.cpu = "cpu",
		.program = "0" };
}

static int64_t propose(
	struct told *told, double x, const char *parameters, const struct decision *decision)
{
	const struct job *job = &told->report.job;
	const struct trial_new trial = { .job_id = job->id,
		.arm = "",
		.space_version = job->space_version,
		.objective_version = job->objective_version,
		.values = &x,
		.d = 1,
		.parameters = parameters,
		.uncapped = true };
	int64_t id, number, arm_number;
	bool capped;
	FIXTURE_COMMIT(
		&told->fixture, trial_create(told->fixture.store, &trial, decision, FIXTURE_BEGIN,
					&id, &number, &arm_number, &capped, &told->fixture.err));
	return id;
}

/* Ends the trial at once with this objective. */
static void end(struct told *told, int64_t trial_id, double objective)
{
	struct store *store = told->fixture.store;
	int64_t attempt, event;
	const struct attempt_new new = { .trial_id = trial_id,
		.key = "key7",
		.backend = "local",
		.host = "here",
		.gpus = "[]",
		.directory = "job/0007/1" };
	const struct attempt_end ended = { .outcome = OUTCOME_OK,
		.message = "",
		.signal = -1,
		.trial = TRIAL_DONE,
		.objective = objective };
	FIXTURE_COMMIT(&told->fixture,
		attempt_create(store, &new, FIXTURE_BEGIN, &attempt, &told->fixture.err));
	FIXTURE_COMMIT(&told->fixture,
		attempt_end(store, attempt, &ended, FIXTURE_BEGIN, &event, &told->fixture.err));
}

static int tell(void **state)
{
	struct told *told = calloc(1, sizeof(*told));
	*state = told;
	fixture_open(&told->fixture);
	fixture_tell(&told->fixture, FIXTURE_TOLD, FIXTURE_TRIALS, &told->report);
	return 0;
}

static int forget(void **state)
{
	struct told *told = *state;
	explanation_finish(&told->explanation);
	report_close(&told->report);
	fixture_close(&told->fixture);
	free(told);
	return 0;
}

static const struct explanation *explain(struct told *told, const char *trial)
{
	explanation_finish(&told->explanation);
	ASSERT_OK(&told->fixture,
		explanation_load(&told->report, trial, &told->explanation, &told->fixture.err));
	return &told->explanation;
}

static void assert_close(double value, double wanted)
{
	if (!(fabs(value - wanted) <= 1e-9))
		fail_msg("%.17g is not %.17g", value, wanted);
}

/* ---- */

static void what_it_had_seen_is_what_had_ended_by_then(void **state)
{
	struct told *told = *state;
	struct decision decision = model_decision(told);
	propose(told, .125, "{\"x\": 0.125}", &decision);
	const struct explanation *e = explain(told, "7");
	assert_int_equal(e->n_seen[TRIAL_DONE], 2);
	assert_int_equal(e->n_seen[TRIAL_FAILED], 1);
	assert_int_equal(e->n_seen[TRIAL_STOPPED], 1);
	assert_int_equal(e->best_seen->number, 2);
	assert_int_equal(e->start->number, 2);
	decision.seen = ended_event(told, 1);
	propose(told, .125, "{\"x\": 0.125}", &decision);
	e = explain(told, "8");
	assert_int_equal(e->n_seen[TRIAL_DONE], 1);
	assert_int_equal(e->n_seen[TRIAL_FAILED] + e->n_seen[TRIAL_STOPPED], 0);
	assert_int_equal(e->best_seen->number, 1);
}

static void the_nearest_earlier_trials_are_found_in_lengthscales(void **state)
{
	static const struct {
		int64_t number;
		double distance;
		bool under_way;
	} nearest[NEIGHBOURS_MAX] = { { 2, .05, false }, { 1, .25, false }, { 5, .75, true },
		{ 6, 1, true }, { 4, 1.25, false } };
	struct told *told = *state;
	const struct decision decision = model_decision(told);
	propose(told, .125, "{\"x\": 0.125}", &decision);
	propose(told, .126, "{\"x\": 0.126}", &decision); /* is later */
	const struct explanation *e = explain(told, "7");
	assert_int_equal(e->n_neighbours, NEIGHBOURS_MAX);
	for (size_t i = 0; i < NEIGHBOURS_MAX; i++) {
		assert_int_equal(e->neighbours[i].trial->number, nearest[i].number);
		assert_close(e->neighbours[i].distance, nearest[i].distance);
		assert_int_equal(e->neighbours[i].under_way, nearest[i].under_way);
	}
}

static void what_the_model_hoped_for_is_told_and_what_became_of_it(void **state)
{
	struct told *told = *state;
	const struct decision decision = model_decision(told);
	const int64_t id = propose(told, .125, "{\"x\": 0.125}", &decision);
	const struct explanation *e = explain(told, "7");
	assert_true(isnan(e->z) && isnan(e->improvement));
	end(told, id, 1.8);
	e = explain(told, "7");
	assert_close(e->expected_improvement, .05);
	assert_close(e->value_probability, .625);
	assert_close(e->probability, .15865525393145705); /* Phi(-1) */
	assert_close(e->z, -2);
	assert_close(e->improvement, .2);
	assert_true(e->is_best);
	assert_close(e->noise_sd, .2);
	assert_int_equal(e->n_lengthscales, 1);
	assert_close(e->lengthscales[0], .5);
	/* r = 2: k = exp(-rho) (1 + rho + rho^2/3), rho = 2 sqrt 5. */
	assert_close(explanation_change(e, 0), 1.3125088806263336);
}

/* Where a prediction lies among the worse values, which the model bends. */
static void a_chance_is_that_of_a_gain_as_the_model_sees_it(void **state)
{
	struct told *told = *state;
	struct decision decision = model_decision(told);
	decision.settings = "{\"name\": \"bayesian\", \"gain_mean\": 2.04, \"gain_sd\": 0.02}";
	propose(told, .125, "{\"x\": 0.125}", &decision);
	assert_close(explain(told, "7")->probability, .02275013194817921); /* Phi(-2) */
}

/* The same numbers the other way round. */
static void a_goal_to_maximize_turns_the_signs(void **state)
{
	struct told *told = *state;
	const struct decision decision = model_decision(told);
	const int64_t id = propose(told, .125, "{\"x\": 0.125}", &decision);
	end(told, id, 1.8);
	told->report.maximize = true;
	const struct explanation *e = explain(told, "7");
	assert_close(e->probability, 1 - .15865525393145705);
	assert_close(e->z, -2);
	assert_close(e->improvement, -.2);
	assert_int_equal(e->best_seen->number, 1);
}

static void without_a_model_there_are_neighbours_and_no_hopes(void **state)
{
	struct told *told = *state;
	const struct explanation *e = explain(told, "1");
	assert_true(isnan(e->z) && isnan(e->expected_improvement) && isnan(e->probability) &&
		    isnan(e->value_probability) && isnan(e->improvement) && isnan(e->noise_sd));
	assert_int_equal(e->n_lengthscales, 0);
	assert_int_equal(e->n_neighbours, 0);
	assert_null(e->best_seen);
	assert_null(e->start);
	assert_string_equal(explanation_branch(e), "it was asked for: every parameter was given");
	e = explain(told, "6");
	assert_int_equal(e->n_neighbours, 5);
	assert_int_equal(e->neighbours[0].trial->number, 4);
	assert_close(e->neighbours[0].distance, .125);
}

/* More numbers than this space has lengthscales: another model than this version's. */
static void hyperparameters_of_another_model_are_left_alone(void **state)
{
	static const double more[] = { 0, 0, 0, 0 };
	struct told *told = *state;
	struct decision decision = model_decision(told);
	decision.hyperparameters = more;
	decision.n_hyperparameters = 4;
	propose(told, .125, "{\"x\": 0.125}", &decision);
	const struct explanation *e = explain(told, "7");
	assert_int_equal(e->n_lengthscales, 0);
	assert_true(isnan(e->noise_sd));
	assert_close(e->neighbours[0].distance, .025); /* of the cube */
	assert_close(e->expected_improvement, .05);
}

static void a_branch_of_a_later_version_has_words(void **state)
{
	struct told *told = *state;
	struct decision decision = model_decision(told);
	decision.branch = "oracle";
	propose(told, .125, "{\"x\": 0.125}", &decision);
	assert_non_null(strstr(explanation_branch(explain(told, "7")), "does not know"));
}

static void it_says_what_the_model_maximised(void **state)
{
	static const struct {
		const char *settings, *because, *incumbent;
	} cases[] = {
		{ "{}", "expect a larger improvement", "the best by the model" },
		{ "{\"acquisition\": \"ei\", \"incumbent\": \"best\", \"cost_aware\": true}",
			"for the time the trial takes", "the best result" },
		{ "{\"acquisition\": \"ei\", \"incumbent\": \"noisy\", \"cost_aware\": false}",
			"expect a larger improvement", "functions that the model held possible" },
		{ "{\"acquisition\": \"ucb\", \"ucb_beta\": 2}", "confidence bound",
			"the best by the model" },
		{ "{\"acquisition\": \"thompson\"}", "one function", "the best by the model" },
		{ "{\"acquisition\": \"oracle\"}", "expect a larger improvement",
			"the best by the model" },
	};
	struct told *told = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decision decision = model_decision(told);
		char number[24];
		decision.settings = cases[i].settings;
		propose(told, .125, "{\"x\": 0.125}", &decision);
		snprintf(number, sizeof(number), "%zu", 7 + i);
		const struct explanation *e = explain(told, number);
		assert_non_null(strstr(explanation_branch(e), cases[i].because));
		assert_non_null(strstr(explanation_incumbent(e), cases[i].incumbent));
	}
}

/* Augmented EI, or auto where the model saw noise: the second hyperparameter, or of a warped model the middle one. */
static void it_says_when_noise_took_from_the_gain(void **state)
{
	static const double noisy[] = { -1, -3, 0, 0 }, hardly[] = { -1, -8, 0, 0 };
	static const struct {
		const char *settings;
		const double *hyperparameters;
		size_t n;
		bool expected;
	} cases[] = {
		{ "{\"incumbent\": \"auto\", \"warp\": \"none\"}", noisy, 2, true },
		{ "{\"incumbent\": \"auto\", \"warp\": \"none\"}", hardly, 2, false },
		{ "{\"incumbent\": \"auto\", \"warp\": \"free\"}", noisy, 4, true },
		{ "{\"incumbent\": \"auto\", \"warp\": \"free\"}", hardly, 4, false },
		{ "{\"incumbent\": \"augmented\"}", hardly, 2, true },
		{ "{\"incumbent\": \"augmented\", \"cost_aware\": true}", hardly, 2, true },
		{ "{\"incumbent\": \"mean\"}", noisy, 2, false },
		{ "{}", noisy, 2, false }, /* of a version that knew nothing else */
	};
	struct told *told = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decision decision = model_decision(told);
		char number[24];
		decision.settings = cases[i].settings;
		decision.hyperparameters = cases[i].hyperparameters;
		decision.n_hyperparameters = cases[i].n;
		propose(told, .125, "{\"x\": 0.125}", &decision);
		snprintf(number, sizeof(number), "%zu", 7 + i);
		const char *words = explanation_branch(explain(told, number));
		assert_int_equal(
			strstr(words, "a noisy trial would reveal") != NULL, cases[i].expected);
		assert_int_equal(strstr(words, "the time the trial takes") != NULL,
			strstr(cases[i].settings, "cost_aware") != NULL);
	}
}

/* Unwarped, of one parameter: ln l and ln sigma^2 of each model; warped, ln a and ln b behind them. */
static void the_noise_is_that_of_the_first_model(void **state)
{
	static const double plain[] = { 0, -3, 0, -8, 0, -1 },
			    warped[] = { 0, -3, 5, 5, 0, -8, 6, 6 };
	struct decision decision = {
		.settings = "{\"warp\": \"none\"}", .hyperparameters = plain, .n_hyperparameters = 6
	};

	assert_true(decision_noise(&decision, 3) == exp(-3));
	decision.n_hyperparameters = 2;
	assert_true(decision_noise(&decision, 1) == exp(-3));
	assert_true(isnan(decision_noise(&decision, 3)));
	decision = (struct decision){ .settings = "{\"warp\": \"free\"}",
		.hyperparameters = warped,
		.n_hyperparameters = 8 };
	assert_true(decision_noise(&decision, 2) == exp(-3));
	decision.n_hyperparameters = 0;
	assert_true(isnan(decision_noise(&decision, 1)));
}

/* The parameter x becomes y: what was chosen before is told by the parameters of that time, and of what
 * was seen nothing counts for the new one. */
static void trials_of_an_edited_space_keep_their_own_parameters(void **state)
{
	struct told *told = *state;
	struct decision decision = model_decision(told);
	struct job_opening opening = { .changes = TEXT_EMPTY };
	propose(told, .125, "{\"x\": 0.125}", &decision);
	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_COMMAND
		"\"seed\": 1, \"parameters\": {\"y\": {\"type\": \"float\", \"min\": 0, \"max\": "
		"2}}, \"budget\": {\"trials\": 10}");
	ASSERT_OK(&told->fixture,
		job_open(told->fixture.store, file, true, NULL, &opening, &told->fixture.err));
	ASSERT_OK(&told->fixture, report_refresh(&told->report, &told->fixture.err));
	const struct explanation *e = explain(told, "7");
	assert_true(e->is_edited);
	assert_int_equal(e->neighbours[0].trial->number, 2);
	assert_close(e->neighbours[0].distance, .05);
	propose(told, 1, "{\"y\": 1}", &decision);
	e = explain(told, "8");
	assert_false(e->is_edited);
	assert_int_equal(e->n_neighbours, 0);
	assert_int_equal(e->n_seen[TRIAL_DONE], 0);
	text_finish(&opening.changes);
	job_file_destroy(file);
}

static void a_space_with_constraints_has_neighbours_as_any_other(void **state)
{
	struct told *told = *state;
	struct decision decision = model_decision(told);
	struct job_opening opening = { .changes = TEXT_EMPTY };
	struct job_file *file = fixture_file(FIXTURE_OBJECTIVE FIXTURE_X FIXTURE_COMMAND
		"\"seed\": 1, \"constraints\": [\"x < 1\"], \"budget\": {\"trials\": 10}");
	ASSERT_OK(&told->fixture,
		job_open(told->fixture.store, file, true, NULL, &opening, &told->fixture.err));
	ASSERT_OK(&told->fixture, report_refresh(&told->report, &told->fixture.err));
	propose(told, .125, "{\"x\": 0.125}", &decision);
	const struct explanation *e = explain(told, "7");
	assert_false(e->is_edited);
	assert_int_equal(e->neighbours[0].trial->number, 2);
	assert_int_equal(e->n_lengthscales, 1);
	text_finish(&opening.changes);
	job_file_destroy(file);
}

static void a_trial_that_is_not_there_is_an_error(void **state)
{
	struct told *told = *state;
	assert_false(explanation_load(&told->report, "7", &told->explanation, &told->fixture.err));
	assert_int_equal(told->fixture.err.code, TUNER_USAGE);
}

/* ---- words ---- */

static void lengthscales_are_told_in_the_parameters_own_unit(void **state)
{
	static const struct {
		const char *definition;
		double length;
		const char *words;
	} cases[] = {
		{ "\"type\": \"float\", \"min\": 0, \"max\": 10, \"scale\": \"linear\"", .25,
			"2.5" },
		{ "\"type\": \"float\", \"min\": 0.0001, \"max\": 1, \"scale\": \"log\"", .25,
			"a factor of 10" },
		{ "\"type\": \"float\", \"min\": 0, \"max\": 0.99, \"scale\": \"reverse-log\"", .5,
			"a factor of 10 in the distance to 1" },
		{ "\"type\": \"int\", \"min\": 1, \"max\": 8", .25, "2" },
		{ "\"type\": \"ordinal\", \"values\": [1, 2, 4, 8]", .5, "2 of its values" },
		{ "\"type\": \"categorical\", \"values\": [\"a\", \"b\"]", .5, "-" },
		{ "\"type\": \"float\", \"min\": 0, \"max\": 10, \"scale\": \"linear\"", 1,
			"beyond its range" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct explanation e = { .n_lengthscales = 1, .given = { NAN } };
		struct text text = TEXT_EMPTY;
		char keys[1024];
		snprintf(keys, sizeof(keys),
			FIXTURE_OBJECTIVE FIXTURE_COMMAND "\"parameters\": {\"p\": {%s}}",
			cases[i].definition);
		e.file = fixture_file(keys);
		columns_init(&e.columns, &e.file->space, e.given);
		e.lengthscales[0] = cases[i].length;
		explanation_length(&e, 0, &text);
		assert_string_equal(text.bytes, cases[i].words);
		text_finish(&text);
		explanation_finish(&e);
	}
}

static void a_long_lengthscale_is_irrelevance(void **state)
{
	struct explanation e = { .n_lengthscales = 1, .lengthscales = { 1000 } };
	assert_string_equal(explanation_matters(explanation_change(&e, 0)), "irrelevant");
	e.lengthscales[0] = 10;
	assert_string_equal(explanation_matters(explanation_change(&e, 0)), "hardly matters");
	e.lengthscales[0] = 2;
	assert_string_equal(explanation_matters(explanation_change(&e, 0)), "matters a little");
	e.lengthscales[0] = .3;
	assert_string_equal(explanation_matters(explanation_change(&e, 0)), "matters");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_it_had_seen_is_what_had_ended_by_then, tell, forget),
		cmocka_unit_test_setup_teardown(
			the_nearest_earlier_trials_are_found_in_lengthscales, tell, forget),
		cmocka_unit_test_setup_teardown(
			what_the_model_hoped_for_is_told_and_what_became_of_it, tell, forget),
		cmocka_unit_test_setup_teardown(
			a_chance_is_that_of_a_gain_as_the_model_sees_it, tell, forget),
		cmocka_unit_test_setup_teardown(a_goal_to_maximize_turns_the_signs, tell, forget),
		cmocka_unit_test_setup_teardown(
			without_a_model_there_are_neighbours_and_no_hopes, tell, forget),
		cmocka_unit_test_setup_teardown(
			hyperparameters_of_another_model_are_left_alone, tell, forget),
		cmocka_unit_test_setup_teardown(
			a_branch_of_a_later_version_has_words, tell, forget),
		cmocka_unit_test_setup_teardown(it_says_what_the_model_maximised, tell, forget),
		cmocka_unit_test_setup_teardown(
			it_says_when_noise_took_from_the_gain, tell, forget),
		cmocka_unit_test(the_noise_is_that_of_the_first_model),
		cmocka_unit_test_setup_teardown(
			trials_of_an_edited_space_keep_their_own_parameters, tell, forget),
		cmocka_unit_test_setup_teardown(
			a_space_with_constraints_has_neighbours_as_any_other, tell, forget),
		cmocka_unit_test_setup_teardown(
			a_trial_that_is_not_there_is_an_error, tell, forget),
		cmocka_unit_test(lengthscales_are_told_in_the_parameters_own_unit),
		cmocka_unit_test(a_long_lengthscale_is_irrelevance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
