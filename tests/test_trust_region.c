/* surrogate/trust_region.h: where its box is, how large, and what is drawn in it. */
#include "surrogate/trust_region.h"

#include "fixture_rules.h"

enum { BEGINNING = 5 };

static const double FREE[JOB_D_MAX] = { [0 ... JOB_D_MAX - 1] = NAN };
static const double UNIT[JOB_D_MAX] = { [0 ... JOB_D_MAX - 1] = 1 };

struct fixture {
	struct job job;
	struct columns columns;
	struct trust_region region;
};

static void set_up(struct fixture *f, const struct parameter *parameters, size_t d)
{
	job_init(&f->job, STRATEGY_BAYESIAN, parameters, d);
	f->job.strategy.trust_region = STRATEGY_TRUST_REGION_ALWAYS;
	columns_init(&f->columns, &f->job.space, FREE);
}

/* Three floats. */
static void set_up_cube(struct fixture *f)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1),
		a_float("z", 0, 1) };

	set_up(f, parameters, 3);
}

/* One more trial; where does not matter. */
static void tell(struct fixture *f, double objective)
{
	const double u = (double)f->job.request.n_observations / JOB_TRIALS_MAX;

	job_tell(&f->job, (double[]){ u, 1 - u, 0.5 }, objective,
		isnan(objective) ? OBSERVATION_FAILED : OBSERVATION_DONE);
}

static void tell_times(struct fixture *f, double objective, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tell(f, objective);
}

/* Median 6, best 5. */
static void tell_beginning(struct fixture *f)
{
	static const double objectives[BEGINNING] = { 7, 5, 6, 6, 8 };

	for (size_t i = 0; i < BEGINNING; i++)
		tell(f, objectives[i]);
}

static void follow(struct fixture *f)
{
	struct tuner_error err;

	if (!trust_region_follow(&f->job.request, &f->columns, BEGINNING, &f->region, &err))
		fail_msg("%s", err.message);
}

static void assert_side(struct fixture *f, double side)
{
	follow(f);
	assert_true(f->region.side == side);
}

/* ---- where there is one ---- */

static void it_applies_by_dimensions_or_by_order(void **state)
{
	static struct fixture f;
	struct parameter parameters[JOB_D_MAX];

	for (size_t i = 0; i < JOB_D_MAX; i++) {
		parameters[i] = a_float("", 0, 1);
		snprintf(parameters[i].name, sizeof parameters[i].name, "x%zu", i);
	}
	for (size_t d = 30; d <= 31; d++) {
		set_up(&f, parameters, d);
		assert_true(trust_region_applies(&f.job.request, &f.columns));
		f.job.strategy.trust_region = STRATEGY_TRUST_REGION_AUTO;
		assert_true(trust_region_applies(&f.job.request, &f.columns) == (d == 31));
		f.job.request.n_observations = 100000; /* however many trials */
		assert_true(trust_region_applies(&f.job.request, &f.columns) == (d == 31));
		f.job.strategy.trust_region = STRATEGY_TRUST_REGION_NEVER;
		assert_false(trust_region_applies(&f.job.request, &f.columns));
	}
}

/* A choice of two: one more number, or 31. */
static void it_applies_where_a_trial_had_so_many_numbers_at_once(void **state)
{
	enum { BEHIND_FIRST = 2, ALL = 33 };
	static struct fixture f;
	struct parameter parameters[ALL] = { a_category("kind", 2) };
	double values[ALL] = { 0 };
	struct rules rules;

	for (size_t i = 1; i < ALL; i++) {
		parameters[i] = a_float("", 0, 1);
		snprintf(parameters[i].name, sizeof parameters[i].name, "x%zu", i);
	}
	rules_init(&rules, parameters, ALL);
	for (size_t i = 1; i < ALL; i++)
		rules_depend(&rules, i, 0, (double[]){ i < BEHIND_FIRST ? 0 : 1 }, 1);
	job_init_rules(&f.job, STRATEGY_BAYESIAN, &rules);
	columns_init(&f.columns, &f.job.space, FREE);
	for (size_t i = 0; i < BEGINNING + 4; i++)
		job_tell(&f.job, values, 1, OBSERVATION_DONE);
	assert_false(trust_region_applies(&f.job.request, &f.columns));
	assert_side(&f, 0.4); /* nor are 33 failures waited for */
	values[0] = 1;
	job_tell(&f.job, values, 2, OBSERVATION_DONE);
	assert_true(trust_region_applies(&f.job.request, &f.columns));
	rules_finish(&rules);
}

static void categories_have_no_box(void **state)
{
	static struct fixture f;
	struct parameter parameters[JOB_D_MAX];

	for (size_t i = 0; i < JOB_D_MAX; i++) {
		parameters[i] = i < 30 ? a_float("", 0, 1) : a_category("", 2);
		snprintf(parameters[i].name, sizeof parameters[i].name, "x%zu", i);
	}
	set_up(&f, parameters, JOB_D_MAX);
	f.job.strategy.trust_region = STRATEGY_TRUST_REGION_AUTO;
	assert_false(trust_region_applies(&f.job.request, &f.columns));
	f.job.strategy.trust_region = STRATEGY_TRUST_REGION_ALWAYS;
	assert_true(trust_region_applies(&f.job.request, &f.columns));
}

/* ---- its side ---- */

static void the_beginning_moves_nothing(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	follow(&f);
	assert_true(trust_region_begins(&f.region, &f.job.request));
	assert_int_equal(f.region.best, 0); /* as many as there are observations */
	tell_beginning(&f);
	assert_side(&f, 0.8);
	assert_int_equal(f.region.best, 1);
	assert_int_equal(f.region.successes + f.region.failures, 0);
	assert_false(trust_region_begins(&f.region, &f.job.request));
}

static void running_trials_count_for_the_beginning(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	tell_times(&f, 1, 3);
	follow(&f);
	f.job.request.n_pending = 1;
	assert_true(trust_region_begins(&f.region, &f.job.request));
	f.job.request.n_pending = 2;
	assert_false(trust_region_begins(&f.region, &f.job.request));
}

static void three_successes_in_a_row_double_it_up_to_a_bound(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	tell_beginning(&f);
	tell(&f, 4);
	tell(&f, 3);
	tell(&f, 9); /* begins to count anew */
	tell(&f, 2);
	tell(&f, 1);
	assert_side(&f, 0.8);
	tell(&f, 0.5);
	assert_side(&f, 1.6);
	for (int i = 1; i <= 3; i++)
		tell(&f, -i);
	assert_side(&f, 1.6);
	assert_int_equal(f.region.best, f.job.request.n_observations - 1);
}

static void failures_in_a_row_halve_it(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	tell_beginning(&f);
	tell_times(&f, 9, 3);
	assert_side(&f, 0.8);
	tell(&f, 9);
	assert_side(&f, 0.4);
	tell_times(&f, NAN, 2); /* failed ones are none the better */
	tell_times(&f, 5, 2);
	assert_side(&f, 0.2);
	tell_times(&f, 9, 3);
	tell(&f, 1);
	tell_times(&f, 9, 3);
	assert_side(&f, 0.2);
}

/* Three workers: three results are one batch, and ceil(max(4, 3) / 3) = 2 batches halve. */
static void a_batch_is_as_large_as_the_workers_are_many(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	f.job.request.parallel = 3;
	tell_beginning(&f);
	tell_times(&f, 9, 5);
	assert_side(&f, 0.8);
	tell(&f, 9);
	assert_side(&f, 0.4);
	for (int i = 1; i <= 3; i++) {
		tell(&f, 9);
		tell(&f, 5 - i); /* one of three is enough */
		assert_side(&f, 0.4);
		tell(&f, 9);
	}
	assert_side(&f, 0.8);
}

/* By 0.1 % of the best (5), or of what the beginning spans (1), which is less. */
static void what_is_hardly_better_is_no_success(void **state)
{
	static struct fixture f;

	for (int offset = 0; offset <= 1000000; offset += 1000000) {
		set_up_cube(&f);
		tell_beginning(&f);
		for (size_t i = 0; i < BEGINNING; i++)
			f.job.observations[i].objective += offset;
		tell(&f, 5 - 0.0009 + offset);
		follow(&f);
		assert_int_equal(f.region.failures, 1);
		assert_int_equal(f.region.best, BEGINNING);
		tell(&f, 5 - 0.0009 - 0.0011 + offset);
		follow(&f);
		assert_int_equal(f.region.successes, 1);
	}
	/* Near 0 the best's own magnitude is less. */
	set_up_cube(&f);
	tell_beginning(&f);
	tell(&f, 1e-6);
	tell(&f, 1e-6 - 2e-9);
	follow(&f);
	assert_int_equal(f.region.successes, 2);
}

/* From 0.8 it takes seven halvings to fall below 2^-7. */
static void when_nothing_is_left_another_begins(void **state)
{
	static struct fixture f;
	const size_t end = BEGINNING + 7 * 4;

	set_up_cube(&f);
	tell_beginning(&f);
	tell_times(&f, 9, end - BEGINNING - 1);
	assert_side(&f, 0.8 / 64);
	assert_int_equal(f.region.restarts, 0);
	tell(&f, 9);
	assert_side(&f, 0.8);
	assert_int_equal(f.region.restarts, 1);
	assert_int_equal(f.region.first, end);
	assert_true(trust_region_begins(&f.region, &f.job.request));
	/* Its own best, not that of all. */
	tell_times(&f, 7, BEGINNING);
	follow(&f);
	assert_int_equal(f.region.best, end);
	assert_false(trust_region_begins(&f.region, &f.job.request));
}

/* Two more were running when the third of a batch ended it: they belong to no region. */
static void what_still_ran_belongs_to_none(void **state)
{
	static struct fixture f;
	const size_t end = BEGINNING + 1 + 7 * 2 * 3;

	set_up_cube(&f);
	f.job.request.parallel = 3;
	tell_beginning(&f);
	tell_times(&f, 9, end - 1 - BEGINNING);
	follow(&f);
	assert_int_equal(f.region.restarts, 1);
	assert_int_equal(f.region.first, end - 1 + 2);
	tell_times(&f, 1, 2);
	follow(&f);
	assert_int_equal(f.region.n, 0);
	tell(&f, 3);
	follow(&f);
	assert_int_equal(f.region.best, end + 1);
}

/* -1 has no logarithm: it is from before an edit of the space. */
static void a_trial_without_coordinates_is_no_centre(void **state)
{
	const struct parameter parameters[] = { a_log_float("x", 0.1, 1), a_float("y", 0, 1) };
	static struct fixture f;

	set_up(&f, parameters, 2);
	job_tell(&f.job, (double[]){ 0.5, 0 }, 3, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ -1, 0 }, 1, OBSERVATION_DONE);
	job_tell(&f.job, (double[]){ 0.2, 0 }, 2, OBSERVATION_DONE);
	follow(&f);
	assert_int_equal(f.region.best, 2);
}

static void infinite_objectives_are_survived(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	tell_times(&f, INFINITY, BEGINNING);
	follow(&f);
	assert_int_equal(f.region.best, f.job.request.n_observations);
	tell(&f, 1e300);
	follow(&f);
	assert_int_equal(f.region.successes, 1);
	tell(&f, -INFINITY);
	tell(&f, -INFINITY);
	follow(&f);
	assert_int_equal(f.region.best, BEGINNING + 1);
	assert_int_equal(f.region.failures, 1);
}

/* ---- with limits ---- */

static void tell_over(struct fixture *f, double objective, double excess)
{
	const size_t i = f->job.request.n_observations;

	tell(f, objective);
	f->job.observations[i].kind = OBSERVATION_OVER_LIMIT;
	f->job.excess[i][0] = excess;
	f->job.observations[i].excess = f->job.excess[i];
}

/* Not the objective. */
static void while_none_is_within_the_least_excess_is_the_centre(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	f.job.request.n_limits = 1;
	for (size_t i = 0; i < BEGINNING; i++)
		tell_over(&f, (double)i, i == 3 ? 2 : 4);
	follow(&f);
	assert_int_equal(f.region.best, 3);
	tell_over(&f, -7, 2 - 0.001);
	follow(&f);
	assert_int_equal(f.region.failures, 1);
	tell_over(&f, 9, 1);
	follow(&f);
	assert_int_equal(f.region.best, BEGINNING + 1);
	assert_int_equal(f.region.successes, 1);
	/* Of equal ones the better. */
	tell_over(&f, 8, 1);
	follow(&f);
	assert_int_equal(f.region.best, BEGINNING + 2);
	assert_int_equal(f.region.successes, 0);
}

static void a_trial_over_a_limit_is_no_success_where_one_is_within(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	f.job.request.n_limits = 1;
	tell_beginning(&f);
	tell_over(&f, -100, 1);
	follow(&f);
	assert_int_equal(f.region.best, 1);
	assert_int_equal(f.region.failures, 1);
	tell(&f, 4);
	follow(&f);
	assert_int_equal(f.region.best, BEGINNING + 1);
	assert_int_equal(f.region.successes, 1);
}

/* What it would have reached counts neither as best nor for the spread, of which 0.1 % is a gain. */
static void a_trial_over_a_limit_does_not_widen_the_spread(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	f.job.request.n_limits = 1;
	tell_over(&f, -1000, 1);
	tell(&f, 7);
	tell(&f, 5);
	tell_times(&f, 6, 2);
	tell(&f, 5 - 0.002);
	follow(&f);
	assert_int_equal(f.region.successes, 1);
}

/* Whatever its objective. */
static void the_first_within_is_a_success(void **state)
{
	static struct fixture f;

	set_up_cube(&f);
	f.job.request.n_limits = 1;
	for (size_t i = 0; i < BEGINNING; i++)
		tell_over(&f, (double)i, NAN);
	follow(&f);
	assert_int_equal(f.region.best, 0);
	assert_int_equal(f.region.successes, 0);
	tell(&f, 50);
	follow(&f);
	assert_int_equal(f.region.best, BEGINNING);
	assert_int_equal(f.region.successes, 1);
}

/* ---- its box ---- */

static void sides_are_as_the_lengthscales(void **state)
{
	static const double lengths[] = { 0.1, 0.4, 0.2 };
	static struct fixture f;
	double centre[3];
	struct box box;

	set_up_cube(&f);
	job_tell(&f.job, (double[]){ 0.5, 0.5, 0.1 }, 1, OBSERVATION_DONE);
	tell_times(&f, 9, BEGINNING + 3);
	follow(&f);
	trust_region_box(&f.region, &f.job.request, &f.columns, lengths, &box, centre);
	assert_side(&f, 0.4);
	for (size_t k = 0; k < 3; k++) {
		const double half = 0.2 * lengths[k] / 0.2;

		assert_near(box.lower[k], fmax(centre[k] - half, 0), 1e-15);
		assert_near(box.upper[k], centre[k] + half, 1e-15);
	}
	assert_true(box.lower[2] == 0);
	/* One that does not matter at all takes no more than 2. */
	trust_region_box(&f.region, &f.job.request, &f.columns,
		(const double[]){ 0.25, 1000, 0.25 }, &box, centre);
	assert_near(box.upper[0] - box.lower[0], 0.4 * 0.25 / cbrt(0.125), 1e-15);
	assert_true(box.lower[1] == 0 && box.upper[1] == 1);
}

static void lattices_keep_their_neighbours_and_categories_all(void **state)
{
	const struct parameter parameters[] = { an_int("n", 1, 4), a_category("c", 3),
		a_log_float("x", 0.01, 1), an_ordinal("o", 5) };
	static struct fixture f;
	double centre[4];
	struct box box;

	set_up(&f, parameters, 4);
	job_tell(&f.job, (double[]){ 2, 1, 0.1, 4 }, 1, OBSERVATION_DONE);
	follow(&f);
	f.region.side = 0x1p-7;
	trust_region_box(&f.region, &f.job.request, &f.columns, UNIT, &box, centre);
	assert_near(box.lower[0], columns_coordinate(&f.columns, 0, 0), 1e-15);
	assert_near(box.upper[0], columns_coordinate(&f.columns, 0, 2), 1e-15);
	assert_true(box.lower[1] == 0 && box.upper[1] == 1);
	assert_near(box.upper[2] - box.lower[2], 0x1p-7, 1e-15);
	assert_near(box.lower[3], columns_coordinate(&f.columns, 3, 3), 1e-15);
	assert_near(box.upper[3], centre[3] + 0x1p-8, 1e-15);
}

/* ---- its candidates ---- */

static const struct random_key KEY = { .seed = 3, .purpose = RANDOM_CANDIDATES };

static struct candidates draw(
	struct fixture *f, const struct box *box, const double *centre, size_t most)
{
	struct candidates candidates;
	struct tuner_error err;

	if (!trust_region_candidates(&f->columns, box, centre, KEY, most, &candidates, &err))
		fail_msg("%s", err.message);
	return candidates;
}

static void candidates_are_in_the_box_and_move_few_coordinates(void **state)
{
	struct parameter parameters[JOB_D_MAX];
	double values[JOB_D_MAX], centre[JOB_D_MAX], moved = 0;
	static struct fixture f;
	struct box box;

	for (size_t k = 0; k < JOB_D_MAX; k++) {
		parameters[k] = k % 4 == 0   ? a_category("", 4)
				: k % 4 == 1 ? an_int("", 1, 50)
					     : a_float("", 0, 1);
		snprintf(parameters[k].name, sizeof parameters[k].name, "x%zu", k);
		values[k] = parameter_decode(&parameters[k], 0.3);
	}
	set_up(&f, parameters, JOB_D_MAX);
	job_tell(&f.job, values, 1, OBSERVATION_DONE);
	follow(&f);
	f.region.side = 0.2;
	trust_region_box(&f.region, &f.job.request, &f.columns, UNIT, &box, centre);

	struct candidates candidates = draw(&f, &box, centre, SIZE_MAX);

	assert_int_equal(candidates.n, 100 * JOB_D_MAX + 1);
	assert_memory_equal(candidates_row(&candidates, 0), centre, sizeof centre);
	for (size_t i = 1; i < candidates.n; i++)
		for (size_t k = 0; k < JOB_D_MAX; k++) {
			const double x = candidates_row(&candidates, i)[k];

			assert_true(x >= box.lower[k] && x <= box.upper[k]);
			moved += x != centre[k];
		}
	/* 20 of 40 are to be moved; some of what is moved falls on the old lattice value. */
	moved /= (double)candidates.n;
	assert_true(moved > 14 && moved < 20);
	candidates_finish(&candidates);
	candidates = draw(&f, &box, centre, 17);
	assert_int_equal(candidates.n, 17);
	candidates_finish(&candidates);
}

static void candidates_obey_conditions_and_constraints(void **state)
{
	static struct fixture f;
	double centre[COLUMNS_MAX];
	struct rules rules;
	struct box box;
	size_t with_momentum = 0, with_width = 0;

	rules_tree(&rules);
	rules_constrain_tree(&rules);
	job_init_rules(&f.job, STRATEGY_BAYESIAN, &rules);
	columns_init(&f.columns, &f.job.space, FREE);

	/* No momentum at the centre, a width. */
	double values[TREE] = { [OPTIMIZER] = 1, [LAYERS] = 2, [WIDTH] = 64, [LR] = 0.01 };

	space_settle(&f.job.space, values);
	assert_true(space_contains(&f.job.space, values));
	job_tell(&f.job, values, 1, OBSERVATION_DONE);
	follow(&f);
	trust_region_box(&f.region, &f.job.request, &f.columns, UNIT, &box, centre);

	struct candidates candidates = draw(&f, &box, centre, SIZE_MAX);

	assert_true(candidates.n > 100);
	for (size_t i = 0; i < candidates.n; i++) {
		bool active[SPACE_PARAMETERS_MAX];

		columns_decode(&f.columns, candidates_row(&candidates, i), values);
		assert_true(space_contains(&f.job.space, values));
		space_activity(&f.job.space, values, active);
		with_momentum += active[MOMENTUM];
		with_width += active[WIDTH];
	}
	assert_true(with_momentum > candidates.n / 10 && with_momentum < candidates.n);
	assert_true(with_width > candidates.n / 10);
	candidates_finish(&candidates);
	rules_finish(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_applies_by_dimensions_or_by_order),
		cmocka_unit_test(it_applies_where_a_trial_had_so_many_numbers_at_once),
		cmocka_unit_test(categories_have_no_box),
		cmocka_unit_test(the_beginning_moves_nothing),
		cmocka_unit_test(running_trials_count_for_the_beginning),
		cmocka_unit_test(three_successes_in_a_row_double_it_up_to_a_bound),
		cmocka_unit_test(failures_in_a_row_halve_it),
		cmocka_unit_test(a_batch_is_as_large_as_the_workers_are_many),
		cmocka_unit_test(what_is_hardly_better_is_no_success),
		cmocka_unit_test(when_nothing_is_left_another_begins),
		cmocka_unit_test(what_still_ran_belongs_to_none),
		cmocka_unit_test(a_trial_without_coordinates_is_no_centre),
		cmocka_unit_test(infinite_objectives_are_survived),
		cmocka_unit_test(sides_are_as_the_lengthscales),
		cmocka_unit_test(lattices_keep_their_neighbours_and_categories_all),
		cmocka_unit_test(candidates_are_in_the_box_and_move_few_coordinates),
		cmocka_unit_test(candidates_obey_conditions_and_constraints),
		cmocka_unit_test(while_none_is_within_the_least_excess_is_the_centre),
		cmocka_unit_test(a_trial_over_a_limit_is_no_success_where_one_is_within),
		cmocka_unit_test(a_trial_over_a_limit_does_not_widen_the_spread),
		cmocka_unit_test(the_first_within_is_a_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
