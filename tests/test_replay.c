/* tuner/replay.h: what was decided is decided once more, from the database alone. */
#include "tests/fixture_job.h"

#include "tuner/ask_tell.h"
#include "tuner/job_open.h"
#include "tuner/proposal.h"
#include "tuner/replay.h"

#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>

enum { ASKED = 12 };

/* A search of a quadratic function, two of it pending at a time, with one configuration of the user's. */
struct search {
	struct fixture fixture;
	struct job_file *file;
	struct ask_tell *ask_tell;
	struct report report;
	struct replay replay;
};

#define KEYS                                                                                       \
	"\"name\": \"job\", " FIXTURE_OBJECTIVE FIXTURE_X                                          \
	"\"strategy\": {\"name\": \"bayesian\", \"initial\": 4}, \"budget\": {\"trials\": 12}, "   \
	"\"first\": [{\"x\": 0.5}]"

static void tell(struct search *search, int64_t number, double x)
{
	const struct told told = { .kind = TOLD_VALUE, .value = (x - 0.3) * (x - 0.3) };
	struct told_answer answer;

	ASSERT_OK(&search->fixture,
		ask_tell_tell(search->ask_tell, number, &told, &answer, &search->fixture.err));
}

static void ask_all(struct search *search)
{
	double x[ASKED + 1];
	bool exhausted;

	for (int64_t n = 1; n <= ASKED; n++) {
		struct asked asked;

		ASSERT_OK(&search->fixture,
			ask_tell_ask(search->ask_tell, &asked, &exhausted, &search->fixture.err));
		assert_false(exhausted);
		x[n] = asked.values[0];
		if (n > 1)
			tell(search, n - 1, x[n - 1]);
	}
}

static int set_up(void **state)
{
	struct search *search = calloc(1, sizeof(*search));
	struct job_opening opening;
	struct fixture *fixture = &search->fixture;

	*state = search;
	fixture_open(fixture);
	search->file = fixture_file(KEYS);
	ASSERT_OK(fixture,
		job_open(fixture->store, search->file, false, NULL, &opening, &fixture->err));
	text_finish(&opening.changes);
	const struct ask_tell_settings settings = { .file = search->file,
		.store = fixture->store,
		.job_id = opening.job_id,
		.host = "test" };
	ASSERT_OK(fixture, ask_tell_open(&settings, &search->ask_tell, &fixture->err));
	ask_all(search);
	ask_tell_close(search->ask_tell);
	ASSERT_OK(fixture,
		report_load(fixture->store, opening.job_id, &search->report, &fixture->err));
	return 0;
}

static int tear_down(void **state)
{
	struct search *search = *state;

	replay_finish(&search->replay);
	report_close(&search->report);
	job_file_destroy(search->file);
	fixture_close(&search->fixture);
	free(search);
	return 0;
}

static const struct replay *play(struct search *search, int64_t number)
{
	replay_finish(&search->replay);
	ASSERT_OK(&search->fixture,
		replay_job(&search->report, number, &search->replay, &search->fixture.err));
	return &search->replay;
}

static void change(struct search *search, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(search->fixture.path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void every_decision_comes_out_the_same(void **state)
{
	const struct replay *replay = play(*state, 0);

	assert_int_equal(replay->recomputed, ASKED - 1);
	assert_int_equal(replay->given, 1);
	assert_int_equal(replay->elsewhere, 0);
	assert_int_equal(replay->differences.n, 0);
}

static void one_decision_needs_the_others_as_facts_only(void **state)
{
	struct search *search = *state;

	/* What trial 9 was to be is its own affair: 12 knows where it was. */
	change(search, "UPDATE decision SET mean = 7, acquisition = 7 WHERE id = 9");
	assert_int_equal(play(search, 12)->differences.n, 0);
	assert_int_equal(play(search, 12)->recomputed, 1);
	assert_int_equal(play(search, 9)->differences.n, 1);
	assert_string_equal(play(search, 0)->differences.items[0].field, "mean");
	assert_string_equal(search->replay.differences.items[0].recorded, "7");
	assert_int_equal(search->replay.differences.n, 1);
}

/* One result less, and one that was pending more: everything from there on is another search. */
static void what_was_known_decides(void **state)
{
	struct search *search = *state;

	change(search, "UPDATE decision SET seen = NULL WHERE id = 8");
	assert_int_equal(play(search, 8)->differences.n, 1);
	assert_string_equal(search->replay.differences.items[0].field, "branch");
	assert_string_equal(search->replay.differences.items[0].recorded, "model");
	assert_string_equal(search->replay.differences.items[0].recomputed, "design");
	change(search, "UPDATE decision SET pending = '[]' WHERE id = 10");
	assert_int_equal(play(search, 10)->differences.n, 1);
	change(search, "UPDATE trial SET objective = 9 WHERE id = 1");
	assert_true(play(search, 0)->differences.n >= 5);
}

static void elsewhere_a_millionth_is_no_difference(void **state)
{
	struct search *search = *state;

	change(search, "UPDATE machine SET libraries = 'pencil and paper'; "
		       "UPDATE decision SET acquisition = acquisition + 5e-7, work = work + 1, "
		       "mean = mean + 5e-7 * sd WHERE branch = 'model'");
	assert_int_equal(play(search, 0)->differences.n, 0);
	assert_int_equal(search->replay.elsewhere, ASKED - 1);
	assert_string_equal(search->replay.their_libraries, "pencil and paper");
	change(search, "UPDATE decision SET acquisition = acquisition + 1e-5 WHERE id = 12");
	assert_int_equal(play(search, 0)->differences.n, 1);
	assert_string_equal(search->replay.differences.items[0].field, "acquisition");
}

/* What the model thinks of x as the next trial, while trial 12 is pending, at these hyperparameters (2) or, NULL, those
 * that it is fitted to. */
static void judge(struct search *search, double x, const double *theta, struct proposal *ret)
{
	struct fixture *f = &search->fixture;
	const int64_t job = search->report.job.id;
	const struct proposal_terms terms = {
		.parallel = 1, .judged = &x, .judged_at = theta, .n_judged_at = 2
	};
	const struct trial_filter all = { .job_id = job, .repeat = -1 };
	struct trial_list trials;
	struct proposer proposer;
	struct history history;

	ASSERT_OK(f, proposer_load(&proposer, search->file, f->store, job, "", 0, &f->err));
	ASSERT_OK(f, history_load(&history, search->file, f->store, job, "", 0, &f->err));
	ASSERT_OK(f, trial_select(f->store, &all, &trials, &f->err));
	const struct pending pending = { 12, trials.items[11].values };

	ASSERT_OK(f,
		proposal_make_under(&proposer, &history, &pending, 1, NULL, &terms, ret, &f->err));
	trial_list_finish(&trials);
	history_finish(&history);
	proposer_finish(&proposer);
}

/* As if a search had ended at x. */
static void decide_otherwise(struct search *search, double x, const struct decision *d)
{
	char sql[1024];

	snprintf(sql, sizeof sql,
		"UPDATE decision SET mean = %.17g, sd = %.17g, acquisition = %.17g, "
		"incumbent = %.17g, settings = '%s' WHERE id = 13; UPDATE trial_param SET value = "
		"%.17g "
		"WHERE trial = 13; UPDATE trial SET parameters = '{\"x\": %.17g}' WHERE id = 13",
		d->mean, d->sd, d->acquisition, d->incumbent, d->settings, x, x);
	change(search, sql);
}

static void ask_one_more(struct search *search)
{
	const struct ask_tell_settings settings = { .file = search->file,
		.store = search->fixture.store,
		.job_id = search->report.job.id,
		.host = "test" };
	struct asked asked;
	bool exhausted;

	ASSERT_OK(&search->fixture,
		ask_tell_open(&settings, &search->ask_tell, &search->fixture.err));
	ASSERT_OK(&search->fixture,
		ask_tell_ask(search->ask_tell, &asked, &exhausted, &search->fixture.err));
	ask_tell_close(search->ask_tell);
	assert_int_equal(asked.number, 13);
}

static void elsewhere_a_search_may_end_at_another_maximum(void **state)
{
	struct search *search = *state;
	struct proposal judged;

	judge(search, 0.9, NULL, &judged);
	ask_one_more(search);
	assert_int_equal(play(search, 13)->same_bits, 1);
	decide_otherwise(search, 0.9, &judged.decision);
	proposal_finish(&judged);
	assert_int_equal(play(search, 13)->differences.n, 1);
	assert_int_equal(search->replay.other_maxima.n, 0);

	change(search, "UPDATE machine SET cpu = 'an abacus'");
	assert_int_equal(play(search, 13)->differences.n, 0);
	assert_int_equal(search->replay.other_maxima.n, 1);
	const struct replay_difference *other = &search->replay.other_maxima.items[0];

	assert_int_equal(other->trial, 13);
	assert_string_equal(other->field, "parameter x");
	assert_string_equal(other->recorded, "0.9");
	assert_true(other->maximised_recorded < other->maximised_recomputed);

	/* What the model says of the place is to be what it said. */
	change(search, "UPDATE decision SET mean = mean + 1e-3 * sd WHERE id = 13");
	assert_int_equal(play(search, 13)->differences.n, 1);
	assert_int_equal(search->replay.other_maxima.n, 0);
}

/* The hexadecimal digits of its eight bytes, little-endian, as one number. */
static uint64_t big_endian(double x)
{
	uint64_t bits, ret = 0;

	memcpy(&bits, &x, sizeof bits);
	for (int i = 0; i < 8; i++)
		ret = ret << 8 | (bits >> 8 * i & 255);
	return ret;
}

/* As if the fit for trial 13 had ended where d's did, and the search at x. */
static void fit_otherwise(struct search *search, double x, const struct decision *d)
{
	char sql[256];

	decide_otherwise(search, x, d);
	snprintf(sql, sizeof sql,
		"UPDATE decision SET hyperparameters = x'%016" PRIx64 "%016" PRIx64
		"' WHERE id = 13",
		big_endian(d->hyperparameters[0]), big_endian(d->hyperparameters[1]));
	change(search, sql);
}

/* At a lengthscale whose logarithm is this much larger than the fitted one. */
static void judge_beside(struct search *search, double x, double larger, struct proposal *ret)
{
	struct proposal fitted;

	judge(search, x, NULL, &fitted);
	assert_int_equal(fitted.decision.n_hyperparameters, 2);
	const double theta[2] = { fitted.decision.hyperparameters[0] + larger,
		fitted.decision.hyperparameters[1] };

	proposal_finish(&fitted);
	judge(search, x, theta, ret);
}

static void elsewhere_a_fit_may_end_beside(void **state)
{
	struct search *search = *state;
	struct proposal beside, far;

	judge_beside(search, 0.9, 1e-4, &beside);
	judge_beside(search, 0.9, 1, &far);
	ask_one_more(search);
	fit_otherwise(search, 0.9, &beside.decision);
	assert_int_equal(play(search, 13)->differences.n, 1);
	assert_int_equal(search->replay.other_fits.n, 0);

	change(search, "UPDATE machine SET cpu = 'an abacus'");
	assert_int_equal(play(search, 13)->differences.n, 0);
	assert_int_equal(search->replay.other_maxima.n, 0);
	assert_int_equal(search->replay.other_fits.n, 1);
	const struct replay_difference *other = &search->replay.other_fits.items[0];

	assert_int_equal(other->trial, 13);
	assert_true(fabs(other->maximised_recorded - other->maximised_recomputed) <
		    REPLAY_FIT_TOLERANCE);
	assert_true(other->maximised_recorded != other->maximised_recomputed);

	/* What the model says at these hyperparameters is to be what it said. */
	change(search, "UPDATE decision SET mean = mean + 1e-3 * sd WHERE id = 13");
	assert_int_equal(play(search, 13)->differences.n, 1);
	assert_int_equal(search->replay.other_fits.n, 0);

	/* And they are to be as likely. */
	fit_otherwise(search, 0.9, &far.decision);
	assert_int_equal(play(search, 13)->differences.n, 1);
	assert_int_equal(search->replay.other_fits.n, 0);
	proposal_finish(&beside);
	proposal_finish(&far);
}

static void a_trial_that_is_not_there_is_an_error(void **state)
{
	struct search *search = *state;

	assert_false(replay_job(&search->report, 99, &search->replay, &search->fixture.err));
	assert_int_equal(search->fixture.err.code, TUNER_USAGE);
	assert_non_null(strstr(search->fixture.err.message, "has no trial 99"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_decision_comes_out_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			one_decision_needs_the_others_as_facts_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_known_decides, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			elsewhere_a_millionth_is_no_difference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			elsewhere_a_search_may_end_at_another_maximum, set_up, tear_down),
		cmocka_unit_test_setup_teardown(elsewhere_a_fit_may_end_beside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_trial_that_is_not_there_is_an_error, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
