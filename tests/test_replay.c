/* tuner/replay.h: what was decided is decided once more, from the database alone. */
#include "tests/fixture_job.h"

#include "tuner/ask_tell.h"
#include "tuner/job_open.h"
#include "tuner/replay.h"

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
	ASSERT_OK(fixture, job_open(fixture->store, search->file, false, &opening, &fixture->err));
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
	assert_int_equal(replay->n_differences, 0);
}

static void one_decision_needs_the_others_as_facts_only(void **state)
{
	struct search *search = *state;

	/* What trial 9 was to be is its own affair: 12 knows where it was. */
	change(search, "UPDATE decision SET mean = 7, acquisition = 7 WHERE id = 9");
	assert_int_equal(play(search, 12)->n_differences, 0);
	assert_int_equal(play(search, 12)->recomputed, 1);
	assert_int_equal(play(search, 9)->n_differences, 1);
	assert_string_equal(play(search, 0)->differences[0].field, "mean");
	assert_string_equal(search->replay.differences[0].recorded, "7");
	assert_int_equal(search->replay.n_differences, 1);
}

/* One result less, and one that was pending more: everything from there on is another search. */
static void what_was_known_decides(void **state)
{
	struct search *search = *state;

	change(search, "UPDATE decision SET seen = NULL WHERE id = 8");
	assert_int_equal(play(search, 8)->n_differences, 1);
	assert_string_equal(search->replay.differences[0].field, "branch");
	assert_string_equal(search->replay.differences[0].recorded, "model");
	assert_string_equal(search->replay.differences[0].recomputed, "design");
	change(search, "UPDATE decision SET pending = '[]' WHERE id = 10");
	assert_int_equal(play(search, 10)->n_differences, 1);
	change(search, "UPDATE trial SET objective = 9 WHERE id = 1");
	assert_true(play(search, 0)->n_differences >= 5);
}

static void elsewhere_a_millionth_is_no_difference(void **state)
{
	struct search *search = *state;

	change(search, "UPDATE machine SET blas = 'pencil and paper'; "
		       "UPDATE decision SET acquisition = acquisition + 5e-7, work = work + 1, "
		       "mean = mean + 5e-7 * sd WHERE branch = 'model'");
	assert_int_equal(play(search, 0)->n_differences, 0);
	assert_int_equal(search->replay.elsewhere, ASKED - 1);
	assert_string_equal(search->replay.their_blas, "pencil and paper");
	change(search, "UPDATE decision SET acquisition = acquisition + 1e-5 WHERE id = 12");
	assert_int_equal(play(search, 0)->n_differences, 1);
	assert_string_equal(search->replay.differences[0].field, "acquisition");
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
			a_trial_that_is_not_there_is_an_error, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
