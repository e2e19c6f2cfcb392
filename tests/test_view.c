/* trials/view.h: the rows of a query. */
#include "tests/fixture_trials.h"
#include "trials/view.h"

static void cells_keep_what_they_are(void **state)
{
	struct fixture *f = *state;
	struct view view;
	ASSERT_OK(f,
		view_read(f->store,
			"SELECT 3 AS a, 0.1 AS b, 'x' AS c, NULL AS d, 9e999 AS e UNION ALL SELECT "
			"-7, 1e-300, '', 2, 1",
			&view, &f->err));
	assert_int_equal(view.columns, 5);
	assert_int_equal(view.rows, 2);
	assert_string_equal(view.names[1], "b");
	assert_string_equal(view_cell(&view, 0, 0)->text, "3");
	assert_true(view_cell(&view, 0, 1)->number == 0.1);
	assert_string_equal(view_cell(&view, 0, 1)->text, "0.1");
	assert_false(view_cell(&view, 0, 2)->is_number);
	assert_true(isnan(view_cell(&view, 0, 2)->number));
	assert_string_equal(view_cell(&view, 0, 3)->text, "");
	assert_true(isnan(view_cell(&view, 0, 3)->number));
	assert_true(isinf(view_cell(&view, 0, 4)->number));
	assert_true(view_cell(&view, 1, 0)->number == -7);
	assert_string_equal(view_cell(&view, 1, 1)->text, "1e-300");
	view_finish(&view);
}

static void no_rows_are_no_error(void **state)
{
	struct fixture *f = *state;
	struct view view;
	double number;
	ASSERT_OK(f, view_read(f->store, "SELECT * FROM v_trial WHERE 0", &view, &f->err));
	assert_int_equal(view.rows, 0);
	assert_true(view.columns > 20);
	view_finish(&view);
	ASSERT_OK(f, view_number(f->store, "SELECT 1 WHERE 0", &number, &f->err));
	assert_true(isnan(number));
	ASSERT_OK(f, view_number(f->store, "SELECT count(*) FROM job", &number, &f->err));
	assert_true(number == 0);
}

static void assert_refused(struct fixture *f, const char *query)
{
	struct view view;
	assert_false(view_read(f->store, query, &view, &f->err));
	assert_int_equal(view.rows, 0);
	assert_null(view.cells);
	f->err = (struct tuner_error){ TUNER_OK, "" };
}

static void what_changes_something_is_refused(void **state)
{
	struct fixture *f = *state;
	double number;
	assert_refused(f, "INSERT INTO studies VALUES (1, 'x')");
	assert_refused(f, "DELETE FROM job");
	assert_refused(f, "DELETE FROM job RETURNING id");
	assert_refused(f, "CREATE TABLE t (x)");
	assert_refused(f, "SELECT nothing FROM nowhere");
	assert_refused(f, "");
	ASSERT_OK(f, view_number(f->store, "SELECT count(*) FROM job", &number, &f->err));
	assert_true(number == 0);
}

static double number_of(struct fixture *f, struct store *store, const char *query)
{
	double number = NAN;
	ASSERT_OK(f, view_number(store, query, &number, &f->err));
	return number;
}

static void a_view_that_is_held_is_computed_once_and_nothing_else_changes(void **state)
{
	struct fixture *f = *state;
	struct store *store = NULL;
	struct view held, view;
	ASSERT_OK(f, store_open(store_path(f->store), STORE_READ, &store, &f->err));
	ASSERT_OK(f, view_hold(store, "study_directions", &f->err));
	fixture_add_job(f, "job", 100, "loss", "minimize");
	assert_true(number_of(f, store, "SELECT count(*) FROM studies") == 1);
	assert_true(number_of(f, store, "SELECT count(*) FROM main.study_directions") == 1);
	assert_true(number_of(f, store, "SELECT count(*) FROM study_directions") == 0);
	ASSERT_OK(f, view_read(store, "SELECT * FROM study_directions", &held, &f->err));
	ASSERT_OK(f, view_read(store, "SELECT * FROM main.study_directions", &view, &f->err));
	assert_int_equal(held.columns, view.columns);
	for (size_t i = 0; i < view.columns; i++)
		assert_string_equal(held.names[i], view.names[i]);
	view_finish(&held);
	view_finish(&view);
	assert_true(number_of(f, store, "PRAGMA query_only") == 1);
	assert_false(view_hold(store, "no_such_view", &f->err));
	assert_true(number_of(f, store, "PRAGMA query_only") == 1);
	store_close(store);
}

static void too_many_cells_are_refused(void **state)
{
	struct fixture *f = *state;
	struct view view;
	assert_false(view_read(f->store,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, i, i, i "
		"FROM n",
		&view, &f->err));
	assert_int_equal(f->err.code, TUNER_FATAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			cells_keep_what_they_are, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			no_rows_are_no_error, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			what_changes_something_is_refused, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			too_many_cells_are_refused, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
			a_view_that_is_held_is_computed_once_and_nothing_else_changes,
			fixture_set_up, fixture_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
