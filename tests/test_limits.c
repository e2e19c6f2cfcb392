/* surrogate/limits.h: the probability that a trial keeps all limits. */
#include "surrogate/limits.h"

#include "base/random.h"
#include "surrogate/best_rows.h"
#include "fixture_suggest.h"

#include <gsl/gsl_statistics_double.h>

enum { D = 3, N = 50, M = 40 };

static const double FREE[] = { NAN, NAN, NAN };
static const double UNIT[] = { 1, 1, 1 };

struct fixture {
	struct job job;
	struct columns columns;
	double stars[M * D];
	struct limits *limits;
	uint64_t work;
};

/* Two numbers and a category: a distance from an edge, and of many decades from another. */
static void excess_at(const double *values, double *ret)
{
	ret[0] = values[0] + values[1] - 1.1 + (values[2] == 1 ? 0.2 : 0);
	ret[1] = copysign(exp(12 * fabs(values[0] - 0.8)) - 1, values[0] - 0.8);
}

static void draw(struct random *random, double *ret)
{
	ret[0] = random_uniform(random);
	ret[1] = random_uniform(random);
	ret[2] = (double)random_below(random, 3);
}

static void tell(struct fixture *f, const double *values)
{
	double excess[2];

	excess_at(values, excess);
	job_tell_limited(&f->job, values, 1, excess);
}

static int set_up(void **state)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_float("y", 0, 1),
		a_category("c", 3) };
	struct fixture *f = calloc(1, sizeof *f);
	struct random random;

	random_init(&random, (struct random_key){ .seed = 4, .purpose = RANDOM_TEST });
	job_init(&f->job, STRATEGY_BAYESIAN, parameters, D);
	f->job.request.n_limits = 2;
	columns_init(&f->columns, &f->job.space, FREE);
	for (size_t i = 0; i < N; i++) {
		double values[D];

		draw(&random, values);
		tell(f, values);
	}
	for (size_t i = 0; i < M; i++) {
		double values[D];

		draw(&random, values);
		assert_true(columns_encode(&f->columns, values, &f->stars[i * D]));
	}
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	limits_destroy(f->limits);
	free(f);
	return 0;
}

static void make(struct fixture *f)
{
	struct tuner_error err;

	limits_destroy(f->limits);
	if (!limits_create(&f->columns, &f->job.request, UNIT, 0, &f->limits, &f->work, &err))
		fail_msg("%s", err.message);
}

static void add(struct fixture *f, const double *X, size_t m, double *values, double *gradients)
{
	struct tuner_error err;

	assert_true(limits_add(f->limits, X, m, values, gradients, &err));
}

static void log_probabilities(struct fixture *f, double *ret)
{
	memset(ret, 0, M * sizeof *ret);
	add(f, f->stars, M, ret, NULL);
}

/* ---- what is known ---- */

static void a_trial_is_a_result_unless_it_is_over_a_limit(void **state)
{
	const struct observation done = { .kind = OBSERVATION_DONE },
				 over = { .kind = OBSERVATION_OVER_LIMIT },
				 stopped = { .kind = OBSERVATION_STOPPED };

	for (int known = 0; known <= 1; known++) {
		assert_true(limits_are_kept(&done, known));
		assert_false(limits_are_kept(&over, known));
		assert_true(limits_are_kept(&stopped, known) == !known);
	}
}

static void without_a_known_excess_there_is_no_model(void **state)
{
	struct fixture *f = *state;

	assert_true(limits_are_known(&f->job.request));
	for (size_t i = 0; i < N; i++)
		f->job.excess[i][0] = f->job.excess[i][1] = NAN;
	f->job.observations[0].excess = NULL;
	assert_false(limits_are_known(&f->job.request));
	make(f);
	assert_null(f->limits);
	f->job.excess[7][1] = 3;
	assert_true(limits_are_known(&f->job.request));
	make(f);
	assert_non_null(f->limits);
}

static void violations_are_sums_in_no_unit(void **state)
{
	const struct parameter x = a_float("x", 0, 1);
	static const double excess[][2] = { { -4, -1 }, { 2, -1 }, { 1, 10 }, { NAN, NAN },
		{ -2, -1 } };
	double found[5];
	struct tuner_error err;
	struct job job;

	job_init(&job, STRATEGY_BAYESIAN, &x, 1);
	job.request.n_limits = 2;
	for (size_t i = 0; i < 5; i++)
		job_tell_limited(&job, (double[]){ 0.1 * (double)i }, 1, excess[i]);
	job.observations[3].kind = OBSERVATION_OVER_LIMIT;
	assert_true(limits_violations(&job.request, found, &err));
	/* Medians 2 and 1. */
	assert_true(found[0] == 0 && found[1] == 1 && found[2] == 10.5 && found[4] == 0);
	assert_true(isinf(found[3]));
}

/* ---- the probability ---- */

static void the_edges_are_learnt_each_in_its_place(void **state)
{
	struct fixture *f = *state;
	double log_p[M], excess[2], values[D];
	size_t sure = 0;

	make(f);
	assert_true(f->work > 0);
	log_probabilities(f, log_p);
	for (size_t i = 0; i < M; i++) {
		columns_decode(&f->columns, &f->stars[i * D], values);
		excess_at(values, excess);
		const double nearest = fmax(excess[0], values[0] - 0.8);

		assert_true(log_p[i] <= 0);
		if (fabs(nearest) < 0.08)
			continue;
		assert_true((exp(log_p[i]) > 0.5) == (nearest < 0));
		sure++;
	}
	assert_true(sure > M / 2);
}

/* By hand: the limit's median, its logarithms, their sd, and a model of the margins. */
static void the_model_is_one_of_logarithms_in_the_limits_unit(void **state)
{
	static const double excess[] = { -3, 0.5, 1, -1, 40 }; /* the median of |c| is 1 */
	const struct parameter parameter = a_float("x", 0, 1);
	const double x[] = { 0.05, 0.3, 0.5, 0.7, 0.85 }, star = 0.4;
	double margins[5], by_hand = 0, found = 0;
	struct margin *margin = NULL;
	struct limits *limits = NULL;
	struct columns columns;
	struct tuner_error err;
	uint64_t work;
	struct job job;

	job_init(&job, STRATEGY_BAYESIAN, &parameter, 1);
	job.request.n_limits = 1;
	columns_init(&columns, &job.space, FREE);
	for (size_t i = 0; i < 5; i++) {
		job_tell_limited(&job, &x[i], 1, &excess[i]);
		margins[i] = -copysign(log(1 + fabs(excess[i])), excess[i]);
	}
	const double sd = sqrt(0.8) * gsl_stats_sd(margins, 1, 5);

	for (size_t i = 0; i < 5; i++)
		margins[i] /= sd;
	const struct gp_data data = { .n = 5, .X = x, .y = margins };

	assert_true(margin_create(1, columns.kinds, &data, 0, &margin, &work, &err));
	assert_true(margin_add(margin, &star, 1, &by_hand, &err));
	assert_true(limits_create(&columns, &job.request, UNIT, 0, &limits, &work, &err));
	assert_true(limits_add(limits, &star, 1, &found, NULL, &err));
	assert_near(found, by_hand, 1e-6 * fabs(by_hand));
	limits_destroy(limits);
	margin_destroy(margin);
}

/* Each limit's model stands alone. */
static void the_probability_is_the_product_over_the_limits(void **state)
{
	struct fixture *f = *state;
	double both[M], alone[2][M];

	make(f);
	log_probabilities(f, both);
	for (size_t j = 0; j < 2; j++) {
		for (size_t i = 0; i < N; i++) {
			excess_at(f->job.values[i], f->job.excess[i]);
			f->job.excess[i][1 - j] = NAN;
		}
		make(f);
		log_probabilities(f, alone[j]);
	}
	for (size_t i = 0; i < M; i++)
		assert_near(both[i], alone[0][i] + alone[1][i], 1e-12 * fabs(both[i]));
}

static void the_unit_of_an_excess_does_not_matter(void **state)
{
	static const double units[] = { 0x1p20, 1e-7, 1e200 };
	struct fixture *f = *state;
	double plain[M], scaled[M];

	make(f);
	log_probabilities(f, plain);
	for (size_t k = 0; k < 3; k++) {
		for (size_t i = 0; i < N; i++) {
			excess_at(f->job.values[i], f->job.excess[i]);
			f->job.excess[i][0] *= units[k];
		}
		make(f);
		log_probabilities(f, scaled);
		if (k == 0)
			assert_memory_equal(scaled, plain, sizeof plain);
		for (size_t i = 0; i < M; i++)
			assert_near(scaled[i], plain[i], 1e-3 * (1 + fabs(plain[i])));
	}
}

static void infinite_excesses_are_as_far_as_the_farthest(void **state)
{
	struct fixture *f = *state;
	double infinite[M], farthest[M], most = 0;
	size_t i_most = 0;

	for (size_t i = 0; i < N; i++)
		if (f->job.excess[i][1] > most) {
			most = f->job.excess[i][1];
			i_most = i;
		}
	make(f);
	log_probabilities(f, farthest);
	f->job.excess[i_most][1] = INFINITY;
	make(f);
	log_probabilities(f, infinite);
	for (size_t i = 0; i < M; i++)
		assert_true(isfinite(infinite[i]) && infinite[i] <= 0);
	assert_true(gsl_stats_correlation(infinite, 1, farthest, 1, M) > 0.9);
	for (size_t i = 0; i < N; i++)
		f->job.excess[i][0] = f->job.excess[i][1] = i % 2 ? INFINITY : -INFINITY;
	make(f);
	log_probabilities(f, infinite);
	for (size_t i = 0; i < M; i++)
		assert_true(isfinite(infinite[i]) && infinite[i] <= 0);
}

/* Trials side by side, all far over it, exclude nothing elsewhere. */
static void what_all_trials_exceed_alike_may_still_be_kept(void **state)
{
	struct fixture *f = *state;
	double log_p[M];

	for (size_t i = 0; i < N; i++)
		f->job.excess[i][0] = f->job.excess[i][1] = 1e6 + 1e-3 * (double)(i % 5);
	make(f);
	log_probabilities(f, log_p);
	for (size_t i = 0; i < M; i++)
		assert_true(isfinite(log_p[i]) && log_p[i] < log(0.1));
}

/* As of errors, where none is allowed: a margin of 0 would be one by half, and the two a quarter. */
static void counts_at_their_limit_are_within(void **state)
{
	struct fixture *f = *state;
	double log_p[M], values[D];

	for (size_t i = 0; i < N; i++) {
		const double x = f->job.values[i][0];

		f->job.excess[i][0] = x > 0.5 ? floor(1 + 10 * (x - 0.5)) : 0;
		f->job.excess[i][1] = 0;
	}
	make(f);
	log_probabilities(f, log_p);
	for (size_t i = 0; i < M; i++) {
		columns_decode(&f->columns, &f->stars[i * D], values);
		if (values[0] < 0.4)
			assert_true(exp(log_p[i]) > 0.6);
		if (values[0] > 0.6)
			assert_true(exp(log_p[i]) < 0.1);
	}
}

static void trials_of_one_configuration_are_one_row(void **state)
{
	struct fixture *f = *state;
	double once[M], often[M];

	make(f);
	log_probabilities(f, once);
	for (int k = 0; k < 300; k++)
		tell(f, f->job.values[3]);
	make(f);
	log_probabilities(f, often);
	/* The unit has changed, the edges have not. */
	for (size_t i = 0; i < M; i++)
		if (fabs(exp(once[i]) - 0.5) > 0.45)
			assert_true((exp(once[i]) > 0.5) == (exp(often[i]) > 0.5));
}

static void with_very_many_trials_some_are_chosen(void **state)
{
	struct fixture *f = *state;
	double log_p[M], excess[2], values[D];
	struct random random;

	random_init(&random, (struct random_key){ .seed = 8, .purpose = RANDOM_TEST });
	while (f->job.request.n_observations < LIMITS_ROWS_MAX + 100) {
		draw(&random, values);
		tell(f, values);
	}
	make(f);
	log_probabilities(f, log_p);
	for (size_t i = 0; i < M; i++) {
		columns_decode(&f->columns, &f->stars[i * D], values);
		excess_at(values, excess);
		const double nearest = fmax(excess[0], values[0] - 0.8);

		if (fabs(nearest) > 0.03)
			assert_true((exp(log_p[i]) > 0.5) == (nearest < 0));
	}
}

static void the_limits_share_the_work(void **state)
{
	struct fixture *f = *state;
	struct tuner_error err;

	for (uint64_t limit = 1; limit <= 20; limit += 19) {
		assert_true(limits_create(
			&f->columns, &f->job.request, UNIT, limit, &f->limits, &f->work, &err));
		assert_in_range(f->work, 1, limit > 2 ? limit : 2);
		limits_destroy(f->limits);
		f->limits = NULL;
	}
}

/* ---- the term ---- */

static void gradients_agree_with_differences(void **state)
{
	static const double h = 1e-6;
	struct fixture *f = *state;
	double value[M] = { 0 }, gradient[M * D] = { 0 }, same[M];

	make(f);
	add(f, f->stars, M, value, gradient);
	log_probabilities(f, same);
	for (size_t i = 0; i < M; i++) {
		assert_near(value[i], same[i], 1e-9 * (1 + fabs(same[i])));
		assert_true(gradient[i * D + 2] == 0);
		if (same[i] < -50) /* a difference would lose its digits */
			continue;
		for (size_t k = 0; k < 2; k++) {
			double x[2 * D], v[2] = { 0 };

			memcpy(x, &f->stars[i * D], D * sizeof *x);
			memcpy(x + D, x, D * sizeof *x);
			x[k] += h;
			x[D + k] -= h;
			add(f, x, 2, v, NULL);
			const double slope = (v[0] - v[1]) / (2 * h);

			assert_near(gradient[i * D + k], slope, 1e-4 * (1 + fabs(slope)));
		}
	}
}

static void a_glance_orders_points_as_the_probabilities_do(void **state)
{
	enum { POINTS = 200 };
	struct fixture *f = *state;
	const struct limits *none = f->limits;
	double x[POINTS * D], log_p[POINTS] = { 0 }, glances[POINTS] = { 0 };
	struct random random;
	struct tuner_error err;

	assert_null(none);
	make(f);
	random_init(&random, (struct random_key){ .seed = 9, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < POINTS * D; i++)
		x[i] = i % D == D - 1 ? f->stars[D - 1] : random_uniform(&random);

	const struct acquisition_term term = limits_term(f->limits);

	add(f, x, POINTS, log_p, NULL);
	assert_true(term.add_glance(term.context, x, POINTS, glances, &err));
	for (size_t i = 0; i < POINTS; i++) { /* far away nobody has to look */
		log_p[i] = fmax(log_p[i], -30);
		glances[i] = fmax(glances[i], -30);
	}
	assert_true(gsl_stats_correlation(log_p, 1, glances, 1, POINTS) > 0.9);
}

static void rows_are_ordered_by_what_is_likely_there(void **state)
{
	struct fixture *f = *state;
	double glances[M] = { 0 };
	size_t rows[M], n = 0;
	struct tuner_error err;
	bool marked[M];

	make(f);
	for (size_t i = 0; i < M; i++)
		marked[i] = i % 4 != 0;
	assert_true(limits_add_glance(f->limits, f->stars, M, glances, &err));
	assert_true(likely_rows(f->limits, f->stars, marked, M, rows, &n, &err));
	assert_int_equal(n, M - M / 4);
	for (size_t i = 0; i < n; i++) {
		assert_true(marked[rows[i]]);
		assert_true(i == 0 || glances[rows[i - 1]] >= glances[rows[i]]);
	}
}

/* ---- trials that run ---- */

static void where_a_trial_runs_none_is_expected_while_none_is_within(void **state)
{
	struct fixture *f = *state;
	double before[M], supposed[M], after[M];
	struct tuner_error err;
	size_t even = 0;

	make(f);
	log_probabilities(f, before);
	for (size_t i = 0; i < M; i++)
		if (fabs(exp(before[i]) - 0.5) < fabs(exp(before[even]) - 0.5))
			even = i;
	assert_near(exp(before[even]), 0.5, 0.3);
	assert_true(limits_suppose_over(f->limits, &f->stars[even * D], 1, &err));
	log_probabilities(f, supposed);
	assert_true(supposed[even] < before[even] - 0.5);
	assert_true(limits_suppose_over(f->limits, f->stars, M, &err));
	limits_forget(f->limits);
	log_probabilities(f, after);
	assert_memory_equal(after, before, sizeof after);
}

#define WITH_TRIALS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trial_is_a_result_unless_it_is_over_a_limit),
		WITH_TRIALS(without_a_known_excess_there_is_no_model),
		cmocka_unit_test(violations_are_sums_in_no_unit),
		WITH_TRIALS(the_edges_are_learnt_each_in_its_place),
		cmocka_unit_test(the_model_is_one_of_logarithms_in_the_limits_unit),
		WITH_TRIALS(the_probability_is_the_product_over_the_limits),
		WITH_TRIALS(the_unit_of_an_excess_does_not_matter),
		WITH_TRIALS(infinite_excesses_are_as_far_as_the_farthest),
		WITH_TRIALS(what_all_trials_exceed_alike_may_still_be_kept),
		WITH_TRIALS(counts_at_their_limit_are_within),
		WITH_TRIALS(trials_of_one_configuration_are_one_row),
		WITH_TRIALS(with_very_many_trials_some_are_chosen),
		WITH_TRIALS(the_limits_share_the_work),
		WITH_TRIALS(gradients_agree_with_differences),
		WITH_TRIALS(a_glance_orders_points_as_the_probabilities_do),
		WITH_TRIALS(rows_are_ordered_by_what_is_likely_there),
		WITH_TRIALS(where_a_trial_runs_none_is_expected_while_none_is_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
