/* surrogate/front_gain.h: the hypervolume that a trial is expected to add. */
#include "surrogate/front_gain.h"

#include "surrogate/expected_improvement.h"
#include "fixture_suggest.h"

enum { D = 2, N = 14, M_MAX = PARETO_OBJECTIVES_MAX };

struct fixture {
	size_t m;
	double X[N * D], Y[M_MAX][N];
	bool eligible[N];
	struct gp *gps[M_MAX];
	struct front_gain *gain;
};

static void check(bool ok, const struct tuner_error *err)
{
	if (!ok)
		fail_msg("%s", err->message);
}

/* Objectives that pull into different corners, of models with given hyperparameters. */
static void setup(struct fixture *f, size_t m)
{
	static const double theta[] = { -0.7, -0.7, -9 };
	struct tuner_error err;
	struct random random;

	memset(f, 0, sizeof *f);
	f->m = m;
	random_init(&random, (struct random_key){ .seed = 4, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < N; i++) {
		const double x = f->X[i * D] = random_uniform(&random);
		const double y = f->X[i * D + 1] = random_uniform(&random);
		const double corners[M_MAX][2] = { { 0, 0 }, { 1, 0.3 }, { 0.4, 1 }, { 0.9, 0.9 } };

		f->eligible[i] = true;
		for (size_t k = 0; k < m; k++)
			f->Y[k][i] = 2 * hypot(x - corners[k][0], y - corners[k][1]) - 1;
	}
	for (size_t k = 0; k < m; k++) {
		const struct gp_data data = { .n = N, .X = f->X, .y = f->Y[k] };

		check(gp_create(D, NULL, false, &f->gps[k], &err), &err);
		check(gp_condition(f->gps[k], &data, theta, &err), &err);
	}
}

static void create(struct fixture *f, const double *chances)
{
	struct tuner_error err;

	front_gain_destroy(f->gain);
	check(front_gain_create(f->gps, f->m, f->eligible, chances, NULL, &f->gain, &err), &err);
}

static void finish(struct fixture *f)
{
	front_gain_destroy(f->gain);
	for (size_t k = 0; k < f->m; k++)
		gp_destroy(f->gps[k]);
}

/* Means at the rows, n x m. */
static void means_of(const struct fixture *f, double *ret)
{
	double own[N];

	for (size_t k = 0; k < f->m; k++) {
		gp_own_means(f->gps[k], own);
		for (size_t i = 0; i < N; i++)
			ret[i * f->m + k] = own[i];
	}
}

static void reference_of(const struct fixture *f, const double *means, double *ret)
{
	for (size_t k = 0; k < f->m; k++) {
		double least = INFINITY, worst = -INFINITY;

		for (size_t i = 0; i < N; i++)
			if (f->eligible[i]) {
				least = fmin(least, means[i * f->m + k]);
				worst = fmax(worst, means[i * f->m + k]);
			}
		ret[k] = worst + FRONT_GAIN_MARGIN * (worst - least);
	}
}

/* What an outcome adds to the hypervolume of the first n. outcomes has room for it. */
static double added(
	double *outcomes, size_t n, size_t m, const double *reference, const double *outcome)
{
	struct tuner_error err;
	double before, after;

	check(pareto_hypervolume(outcomes, n, m, reference, &before, &err), &err);
	memcpy(&outcomes[n * m], outcome, m * sizeof *outcomes);
	check(pareto_hypervolume(outcomes, n + 1, m, reference, &after, &err), &err);
	return after - before;
}

/* ---- the value ---- */

static void with_one_objective_it_is_log_expected_improvement(void **state)
{
	double means[N], least = INFINITY, mean = 0.3, sd = 0.4, by_mean, by_sd, slopes[2];
	struct fixture f;

	setup(&f, 1);
	create(&f, NULL);
	means_of(&f, means);
	for (size_t i = 0; i < N; i++)
		least = fmin(least, means[i]);
	for (; mean < 40; mean *= 2) {
		const double wanted =
			log_expected_improvement(mean, sd, least, &slopes[0], &slopes[1]);

		assert_near(front_gain_value(f.gain, &mean, &sd, &by_mean, &by_sd), wanted,
			1e-9 * fmax(1, fabs(wanted)));
		assert_near(by_mean, slopes[0], 1e-8 * fabs(slopes[0]));
		assert_near(by_sd, slopes[1], 1e-8 * fabs(slopes[1]));
	}
	finish(&f);
}

/* A prediction without doubt adds just what it says. */
static void a_sure_outcome_adds_its_hypervolume(void **state)
{
	const double better[] = { -0.9, -0.4, -0.2, -0.3 }, sure[] = { 1e-9, 1e-9, 1e-9, 1e-9 };
	double means[(N + 1) * M_MAX], reference[M_MAX];
	struct fixture f;

	for (size_t m = 1; m <= M_MAX; m++) {
		setup(&f, m);
		create(&f, NULL);
		means_of(&f, means);
		reference_of(&f, means, reference);
		const double wanted = added(means, N, m, reference, better);

		assert_true(wanted > 1e-3);
		assert_near(front_gain_value(f.gain, better, sure, NULL, NULL), log(wanted), 1e-6);
		finish(&f);
	}
}

/* By the mean over many outcomes. */
static void it_is_what_is_expected_to_be_added(void **state)
{
	enum { DRAWS = 4000 };
	const double mean[] = { -0.1, -0.2, 0.1, 0 }, sd[] = { 0.5, 0.3, 0.4, 0.2 };
	double means[(N + 1) * M_MAX], reference[M_MAX], outcome[M_MAX];
	struct random random;
	struct fixture f;

	random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
	for (size_t m = 1; m <= M_MAX; m++) {
		double sum = 0, squares = 0;

		setup(&f, m);
		create(&f, NULL);
		means_of(&f, means);
		reference_of(&f, means, reference);
		for (size_t i = 0; i < DRAWS; i++) {
			for (size_t k = 0; k < m; k++)
				outcome[k] = mean[k] + sd[k] * random_normal(&random);
			const double volume = added(means, N, m, reference, outcome);

			sum += volume;
			squares += volume * volume;
		}
		const double average = sum / DRAWS;
		const double error = sqrt((squares / DRAWS - average * average) / DRAWS);

		assert_near(
			exp(front_gain_value(f.gain, mean, sd, NULL, NULL)), average, 4 * error);
		finish(&f);
	}
}

static void slopes_are_those_of_central_differences(void **state)
{
	static const double means[][M_MAX] = { { -0.3, -0.2, 0.1, 0 }, { 0.9, 1, 0.8, 1.1 },
		{ 3, 3, 3, 3 }, { -5, 2, 1, 0 } };
	static const double sds[][M_MAX] = { { 0.5, 0.3, 0.4, 0.2 }, { 0.05, 0.06, 0.05, 0.04 } };
	const double h = 1e-6;
	struct fixture f;

	for (size_t m = 1; m <= M_MAX; m++) {
		setup(&f, m);
		create(&f, NULL);
		for (size_t i = 0; i < 8; i++) {
			double mean[M_MAX], sd[M_MAX], by_mean[M_MAX], by_sd[M_MAX];

			memcpy(mean, means[i % 4], sizeof mean);
			memcpy(sd, sds[i / 4], sizeof sd);
			const double value = front_gain_value(f.gain, mean, sd, by_mean, by_sd);

			assert_true(isfinite(value));
			assert_true(front_gain_value(f.gain, mean, sd, NULL, NULL) == value);
			for (size_t k = 0; k < 2 * m; k++) {
				double *x = k < m ? &mean[k] : &sd[k - m];
				const double at = *x, slope = k < m ? by_mean[k] : by_sd[k - m];

				*x = at + h * sd[k % m];
				const double up = front_gain_value(f.gain, mean, sd, NULL, NULL);

				*x = at - h * sd[k % m];
				const double down = front_gain_value(f.gain, mean, sd, NULL, NULL);

				*x = at;
				assert_near((up - down) / (2 * h * sd[k % m]), slope,
					1e-4 * fmax(fabs(slope), 1) + 1e-9 * fabs(value));
			}
		}
		finish(&f);
	}
}

/* Where noise hides most of what a trial would tell. */
static void noise_lowers_it_by_the_mean_of_the_factors(void **state)
{
	const double mean[] = { -0.3, -0.2, 0.1 }, noise[] = { 0.2, 0, 0.5 };
	double sd[] = { 0.5, 0.3, 0.4 }, by_mean[3], by_sd[3], wanted = 0;
	struct front_gain *noisy = NULL;
	struct tuner_error err;
	struct fixture f;

	setup(&f, 3);
	create(&f, NULL);
	check(front_gain_create(f.gps, 3, f.eligible, NULL, noise, &noisy, &err), &err);
	for (size_t k = 0; k < 3; k++)
		wanted += log_augmentation(sd[k], noise[k], NULL) / 3;
	assert_true(wanted < -0.3);
	assert_near(front_gain_value(noisy, mean, sd, by_mean, by_sd) -
			    front_gain_value(f.gain, mean, sd, NULL, NULL),
		wanted, 1e-12);
	for (size_t k = 0; k < 3; k++) {
		double ends[2];

		for (int end = 0; end < 2; end++) {
			sd[k] += end ? -2e-6 : 1e-6;
			ends[end] = front_gain_value(noisy, mean, sd, NULL, NULL);
		}
		sd[k] += 1e-6;
		assert_near(by_sd[k], (ends[0] - ends[1]) / 2e-6, 1e-5);
	}
	/* At a glance, too. */
	const struct acquisition_term term = front_gain_term(noisy),
				      plain = front_gain_term(f.gain);
	const double x[] = { 0.3, 0.6 };
	double with = 0, without = 0;

	check(term.add_glance(term.context, x, 1, &with, &err), &err);
	check(plain.add_glance(plain.context, x, 1, &without, &err), &err);
	assert_true(with < without - 0.1);
	front_gain_destroy(noisy);
	finish(&f);
}

/* ---- the term ---- */

static void the_term_is_the_value_of_the_predictions(void **state)
{
	enum { POINTS = 130 };
	double X[POINTS * D], values[POINTS], again[POINTS], gradients[POINTS * D];
	struct random random;
	struct fixture f;
	struct tuner_error err;

	random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
	for (size_t i = 0; i < POINTS * D; i++)
		X[i] = random_uniform(&random);
	for (size_t m = 2; m <= M_MAX; m++) {
		setup(&f, m);
		create(&f, NULL);
		const struct acquisition_term term = front_gain_term(f.gain);

		for (size_t i = 0; i < POINTS; i++)
			values[i] = again[i] = 1;
		memset(gradients, 0, sizeof gradients);
		check(term.add(term.context, X, POINTS, values, NULL, &err), &err);
		check(term.add(term.context, X, POINTS, again, gradients, &err), &err);
		for (size_t i = 0; i < POINTS; i += 13) {
			double mean[M_MAX], sd[M_MAX];

			for (size_t k = 0; k < m; k++)
				check(gp_predict(f.gps[k], &X[i * D], 1, &mean[k], &sd[k], &err),
					&err);
			assert_near(values[i], 1 + front_gain_value(f.gain, mean, sd, NULL, NULL),
				1e-9);
			assert_near(again[i], values[i], 1e-9);
			for (size_t j = 0; j < D; j++) {
				double x[D], ends[2] = { 0 };

				memcpy(x, &X[i * D], sizeof x);
				for (int end = 0; end < 2; end++) {
					x[j] = X[i * D + j] + (end ? -1e-6 : 1e-6);
					check(term.add(term.context, x, 1, &ends[end], NULL, &err),
						&err);
				}
				assert_near(gradients[i * D + j], (ends[0] - ends[1]) / 2e-6,
					1e-3 * fmax(1, fabs(gradients[i * D + j])));
			}
		}
		finish(&f);
	}
}

/* Near enough to choose the promising by it. */
static void a_glance_ranks_points_as_the_value_does(void **state)
{
	enum { POINTS = 200 };
	double X[POINTS * D], values[POINTS] = { 0 }, glances[POINTS] = { 0 };
	struct random random;
	struct fixture f;
	struct tuner_error err;
	size_t best = 0, better = 0;

	random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
	for (size_t i = 0; i < POINTS * D; i++)
		X[i] = random_uniform(&random);
	setup(&f, 3);
	create(&f, NULL);
	const struct acquisition_term term = front_gain_term(f.gain);

	check(term.add(term.context, X, POINTS, values, NULL, &err), &err);
	check(term.add_glance(term.context, X, POINTS, glances, &err), &err);
	for (size_t i = 1; i < POINTS; i++)
		best = values[i] > values[best] ? i : best;
	for (size_t i = 0; i < POINTS; i++) {
		better += glances[i] > glances[best];
		if (values[i] > values[best] - 2)
			assert_near(glances[i], values[i], 1);
	}
	assert_true(better < 20);
	finish(&f);
}

/* ---- the front ---- */

static void only_eligible_trials_are_on_the_front(void **state)
{
	double means[N * M_MAX];
	size_t rows[N], n;
	bool on[N];
	struct fixture f;

	setup(&f, 2);
	for (size_t i = 0; i < N; i += 3)
		f.eligible[i] = false;
	create(&f, NULL);
	front_gain_rows(f.gain, rows, &n);
	means_of(&f, means);
	for (size_t i = 0; i < N; i += 3)
		means[i * 2] = NAN;
	pareto_front(means, N, 2, on);
	size_t next = 0;

	for (size_t i = 0; i < N; i++)
		if (on[i])
			assert_int_equal(rows[next++], i);
	assert_int_equal(next, n);
	finish(&f);
}

/* Where one runs, there is less to gain, unless it is likely to be over a limit. */
static void a_running_trial_is_on_the_front(void **state)
{
	const double x[] = { 0.45, 0.3 }, mean[] = { -0.4, -0.4 }, sd[] = { 0.3, 0.3 };
	const double unlikely = 0.4, likely = 0.6;
	struct tuner_error err;
	struct fixture f;

	setup(&f, 2);
	for (size_t i = 0; i < N; i++) /* only what is far from it */
		f.eligible[i] = hypot(f.X[i * D] - x[0], f.X[i * D + 1] - x[1]) > 0.4;
	create(&f, NULL);
	const double before = front_gain_value(f.gain, mean, sd, NULL, NULL);

	for (size_t k = 0; k < 2; k++)
		check(gp_append(f.gps[k], x, NULL, 1, &err), &err);
	create(&f, &unlikely);
	assert_near(front_gain_value(f.gain, mean, sd, NULL, NULL), before, 1e-12);
	create(&f, &likely);
	const double running = front_gain_value(f.gain, mean, sd, NULL, NULL);

	assert_true(running < before - 0.05);
	create(&f, NULL);
	assert_true(front_gain_value(f.gain, mean, sd, NULL, NULL) == running);
	finish(&f);
}

/* A front of hundreds in four objectives is rounded: never to what is worse. */
static void a_long_front_is_rounded_towards_better_values(void **state)
{
	enum { MANY = 300 };
	static const double theta[] = { -6, -6, -9 };
	const double mean[] = { -0.4, -0.4, -0.4, -0.4 }, sure[] = { 1e-6, 1e-6, 1e-6, 1e-6 };
	double *X = calloc(MANY * D, sizeof *X), *Y = calloc(M_MAX * MANY, sizeof *Y);
	double *outcomes = calloc((MANY + 1) * M_MAX, sizeof *outcomes), reference[M_MAX];
	bool *eligible = calloc(MANY, sizeof *eligible);
	struct front_gain *gain = NULL;
	struct gp *gps[M_MAX] = { NULL };
	struct tuner_error err;
	struct random random;

	random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
	for (size_t i = 0; i < MANY; i++) {
		double squares = 0;

		X[i * D] = random_uniform(&random);
		X[i * D + 1] = random_uniform(&random);
		eligible[i] = true;
		for (size_t k = 0; k < M_MAX; k++) {
			Y[k * MANY + i] = fabs(random_normal(&random));
			squares += pow(Y[k * MANY + i], 2);
		}
		for (size_t k = 0; k < M_MAX; k++)
			Y[k * MANY + i] = 0.4 - Y[k * MANY + i] / sqrt(squares);
	}
	for (size_t k = 0; k < M_MAX; k++) {
		const struct gp_data data = { .n = MANY, .X = X, .y = &Y[k * MANY] };
		double own[MANY], least = INFINITY, worst = -INFINITY;

		check(gp_create(D, NULL, false, &gps[k], &err), &err);
		check(gp_condition(gps[k], &data, theta, &err), &err);
		gp_own_means(gps[k], own);
		for (size_t i = 0; i < MANY; i++) {
			outcomes[i * M_MAX + k] = own[i];
			least = fmin(least, own[i]);
			worst = fmax(worst, own[i]);
		}
		reference[k] = worst + FRONT_GAIN_MARGIN * (worst - least);
	}
	check(front_gain_create(gps, M_MAX, eligible, NULL, NULL, &gain, &err), &err);
	const double wanted = added(outcomes, MANY, M_MAX, reference, mean);
	const double value = exp(front_gain_value(gain, mean, sure, NULL, NULL));

	assert_true(wanted > 0 && value <= wanted + 1e-12 && value > 0.3 * wanted);
	front_gain_destroy(gain);
	for (size_t k = 0; k < M_MAX; k++)
		gp_destroy(gps[k]);
	free(X);
	free(Y);
	free(outcomes);
	free(eligible);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_one_objective_it_is_log_expected_improvement),
		cmocka_unit_test(a_sure_outcome_adds_its_hypervolume),
		cmocka_unit_test(it_is_what_is_expected_to_be_added),
		cmocka_unit_test(slopes_are_those_of_central_differences),
		cmocka_unit_test(noise_lowers_it_by_the_mean_of_the_factors),
		cmocka_unit_test(the_term_is_the_value_of_the_predictions),
		cmocka_unit_test(a_glance_ranks_points_as_the_value_does),
		cmocka_unit_test(only_eligible_trials_are_on_the_front),
		cmocka_unit_test(a_running_trial_is_on_the_front),
		cmocka_unit_test(a_long_front_is_rounded_towards_better_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
