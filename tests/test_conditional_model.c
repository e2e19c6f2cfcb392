/* What the model makes of parameters that are there only under others: columns.h, kernel.h, gp.h. */
#include "fixture_rules.h"

#include "surrogate/columns.h"
#include "surrogate/gp_fit.h"
#include "surrogate/kernel.h"

#include <gsl/gsl_eigen.h>

enum { N = 40, X_MAX = 2 * TREE };

/* Columns of the tree, with N random configurations in their coordinates. */
struct fixture {
	struct rules rules;
	double given[TREE];
	struct columns columns;
	double values[N][TREE];
	double X[N * X_MAX], y[N];
};

static struct random stream(uint64_t seed)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	return random;
}

static void set_up(struct fixture *f, uint64_t seed)
{
	struct random random = stream(seed);
	double u[TREE];

	memset(f, 0, sizeof *f);
	rules_tree(&f->rules);
	for (size_t i = 0; i < TREE; i++)
		f->given[i] = NAN;
	columns_init(&f->columns, &f->rules.space, f->given);
	for (size_t i = 0; i < N; i++) {
		for (size_t k = 0; k < TREE; k++)
			u[k] = random_uniform(&random);
		space_decode(&f->rules.space, u, f->values[i]);
		space_settle(&f->rules.space, f->values[i]);
		assert_true(columns_encode(&f->columns, f->values[i], &f->X[i * f->columns.d]));
		f->y[i] = sin(9 * u[LR]) + (f->values[i][OPTIMIZER] == 0 ? u[MOMENTUM] : 0) +
			  0.1 * random_normal(&random);
	}
}

static void tear_down(struct fixture *f)
{
	rules_finish(&f->rules);
}

static struct gp_data view(const struct fixture *f)
{
	return (struct gp_data){ N, f->X, f->y, NULL };
}

static struct gp *create(const struct fixture *f)
{
	struct tuner_error err;
	struct gp *gp = NULL;

	if (!gp_create(f->columns.d, f->columns.kinds, false, &gp, &err))
		fail_msg("%s", err.message);
	return gp;
}

/* ln l = -1 + k / 4, ln sigma^2 = -4 */
static void set_theta(const struct fixture *f, double *theta)
{
	for (size_t k = 0; k < f->columns.d; k++)
		theta[k] = -1 + (double)k / 4;
	theta[f->columns.d] = -4;
}

static double matern(double r2)
{
	const double rho = sqrt(5 * r2);

	return exp(-rho) * (1 + rho + rho * rho / 3);
}

/* ---- columns ---- */

static void a_number_with_conditions_has_a_companion_behind_it(void **state)
{
	static const size_t parameters[] = { MOMENTUM, MOMENTUM, OPTIMIZER, DAMPING, DAMPING,
		NESTEROV, WIDTH, WIDTH, LAYERS, LR, BATCH };
	struct fixture f;

	set_up(&f, 1);
	assert_int_equal(f.columns.d, 11);
	for (size_t k = 0; k < 11; k++) {
		const bool companion = k > 0 && parameters[k] == parameters[k - 1];

		assert_int_equal(f.columns.parameter[k], parameters[k]);
		assert_true((f.columns.kinds[k] == DIMENSION_COMPANION) == companion);
		assert_true(!companion || f.columns.is_held[k]);
		assert_int_equal(kernel_length_of(f.columns.kinds, k), companion ? k - 1 : k);
	}
	tear_down(&f);
}

/* Snapping and decoding leave what encoding gave; so all scored points have their trials' bits. */
static void encoded_configurations_stay_where_they_are(void **state)
{
	struct fixture f;
	double values[TREE];

	set_up(&f, 2);
	for (size_t i = 0; i < N; i++) {
		double x[X_MAX];

		memcpy(x, &f.X[i * f.columns.d], f.columns.d * sizeof *x);
		columns_snap(&f.columns, x);
		assert_memory_equal(x, &f.X[i * f.columns.d], f.columns.d * sizeof *x);
		columns_decode(&f.columns, x, values);
		assert_true(space_same(&f.rules.space, values, f.values[i]));
		assert_settled(&f.rules.space, values);
	}
	tear_down(&f);
}

/* ---- kernel ---- */

/* (u - u')^2 + 1/2 [activity differs] for numbers, 1 for categories that differ. */
static double documented_distance(
	const struct fixture *f, const double *lengths, const double *a, const double *b)
{
	const struct space *space = &f->rules.space;
	bool active_a[TREE], active_b[TREE];
	double sum = 0;

	space_activity(space, a, active_a);
	space_activity(space, b, active_b);
	for (size_t k = 0; k < f->columns.d; k++) {
		const size_t i = f->columns.parameter[k];
		const struct parameter *parameter = &space->parameters[i];
		const bool differs = active_a[i] != active_b[i];
		const double u = active_a[i] ? parameter_encode(parameter, a[i]) : 0.5;
		const double v = active_b[i] ? parameter_encode(parameter, b[i]) : 0.5;
		double D = (u - v) * (u - v) + (differs ? 0.5 : 0);

		if (f->columns.kinds[k] == DIMENSION_COMPANION)
			continue;
		if (f->columns.kinds[k] == DIMENSION_CATEGORY)
			D = differs || (active_a[i] && a[i] != b[i]);
		sum += D / (lengths[k] * lengths[k]);
	}
	return sum;
}

static void fill_kernel(const struct fixture *f, const double *lengths, double *K)
{
	const size_t d = f->columns.d, stride = kernel_stride(N);
	double inverse[X_MAX], Z[X_MAX * N], z[X_MAX];
	const struct kernel kernel = { d, f->columns.kinds, inverse };

	assert_int_equal(stride, N);
	for (size_t k = 0; k < d; k++)
		inverse[k] = 1 / lengths[kernel_length_of(f->columns.kinds, k)];
	kernel_scale(&kernel, f->X, N, Z, stride);
	for (size_t i = 0; i < N; i++) {
		for (size_t k = 0; k < d; k++)
			z[k] = Z[k * stride + i];
		kernel_row(&kernel, Z, stride, N, z, K + i * N, NULL);
	}
}

static void draw_lengths(struct random *random, double *ret_lengths)
{
	for (size_t k = 0; k < X_MAX; k++)
		ret_lengths[k] = exp(2 * random_normal(random));
}

static void distances_are_the_documented_ones(void **state)
{
	static double K[N * N];
	struct fixture f;
	struct random random = stream(3);
	double lengths[X_MAX];

	set_up(&f, 3);
	draw_lengths(&random, lengths);
	fill_kernel(&f, lengths, K);
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			assert_near(K[i * N + j],
				matern(documented_distance(&f, lengths, f.values[i], f.values[j])),
				1e-13);
	tear_down(&f);
}

static double least_eigenvalue(const double *K)
{
	gsl_matrix *matrix = gsl_matrix_alloc(N, N);
	gsl_vector *values = gsl_vector_alloc(N);
	gsl_eigen_symm_workspace *workspace = gsl_eigen_symm_alloc(N);

	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++)
			gsl_matrix_set(matrix, i, j, K[i * N + j]);
	gsl_eigen_symm(matrix, values, workspace);

	const double least = gsl_vector_min(values);

	gsl_eigen_symm_free(workspace);
	gsl_vector_free(values);
	gsl_matrix_free(matrix);
	return least;
}

static void the_kernel_stays_positive_semi_definite(void **state)
{
	static double K[N * N];

	for (uint64_t seed = 0; seed < 50; seed++) {
		struct fixture f;
		struct random random = stream(100 + seed);
		double lengths[X_MAX];

		set_up(&f, seed);
		draw_lengths(&random, lengths);
		fill_kernel(&f, lengths, K);
		assert_true(least_eigenvalue(K) >= -1e-10);
		tear_down(&f);
	}
}

/* ---- likelihood and fit ---- */

static double likelihood(
	const struct gp *gp, const struct fixture *f, const double *theta, double *ret_gradient)
{
	const struct gp_data data = view(f);
	struct tuner_error err;
	double value;

	if (!gp_likelihood(gp, &data, theta, false, &value, ret_gradient, &err))
		fail_msg("%s", err.message);
	return value;
}

static void the_gradient_agrees_with_central_differences(void **state)
{
	static const double h = 1e-4;
	struct fixture f;
	double theta[X_MAX + 1], gradient[X_MAX + 1];

	set_up(&f, 4);
	struct gp *gp = create(&f);

	set_theta(&f, theta);
	likelihood(gp, &f, theta, gradient);
	for (size_t k = 0; k <= f.columns.d; k++) {
		const double at = theta[k];
		double g[4];

		for (int step = 0; step < 4; step++) {
			theta[k] = at + (double[]){ -2, -1, 1, 2 }[step] * h;
			g[step] = likelihood(gp, &f, theta, NULL);
		}
		theta[k] = at;
		assert_near(gradient[k], (8 * (g[2] - g[1]) - (g[3] - g[0])) / (12 * h), 1e-6);
		if (k < f.columns.d && f.columns.kinds[k] == DIMENSION_COMPANION)
			assert_true(gradient[k] == 0 && fabs(gradient[k - 1]) > 1e-6);
	}
	gp_destroy(gp);
	tear_down(&f);
}

static void a_companions_own_entry_is_not_looked_at(void **state)
{
	struct fixture f;
	double theta[X_MAX + 1], mean[2], sd[2];
	struct tuner_error err;

	set_up(&f, 5);
	const struct gp_data data = view(&f);
	struct gp *gp = create(&f);

	set_theta(&f, theta);
	for (int turn = 0; turn < 2; turn++) {
		for (size_t k = 0; k < f.columns.d; k++)
			if (f.columns.kinds[k] == DIMENSION_COMPANION)
				theta[k] = turn ? 3 : -3;
		assert_true(gp_condition(gp, &data, theta, &err));
		assert_true(gp_append(gp, &f.X[f.columns.d], NULL, 1, &err));
		assert_true(gp_predict(gp, f.X, 1, &mean[turn], &sd[turn], &err));
	}
	assert_true(mean[0] == mean[1] && sd[0] == sd[1]);
	gp_destroy(gp);
	tear_down(&f);
}

static void a_fit_holds_companions_at_the_mode(void **state)
{
	struct fixture f;
	struct gp_fit_report report;
	struct gp_fit_options options = { 0 };
	double lower[X_MAX + 1], upper[X_MAX + 1], mode[X_MAX + 1];
	struct tuner_error err;

	set_up(&f, 6);
	const struct gp_data data = view(&f);
	struct gp *gp = create(&f);

	gp_bounds(gp, false, lower, upper);
	gp_prior_mode(gp, mode);
	assert_true(gp_fit(gp, &data, &options, &report, &err));
	for (size_t k = 0; k < f.columns.d; k++)
		if (f.columns.kinds[k] == DIMENSION_COMPANION) {
			assert_true(lower[k] == mode[k] && upper[k] == mode[k]);
			assert_true(gp_hyperparameters(gp)[k] == mode[k]);
		} else {
			assert_true(lower[k] < upper[k]);
		}
	gp_destroy(gp);
	tear_down(&f);
}

/* What a parameter is worth is learned where it is there. */
static void the_model_tells_a_branch_from_the_other(void **state)
{
	const struct parameter parameters[] = { a_float("x", 0, 1), a_category("c", 2) };
	const double given[] = { NAN, NAN };
	struct rules rules;
	struct columns columns;
	struct gp *gp = NULL;
	struct gp_fit_report report;
	struct gp_fit_options options = { 0 };
	struct tuner_error err;
	double X[20 * 3], y[20], at[3 * 3], mean[3], sd[3];

	rules_init(&rules, parameters, 2);
	rules_depend(&rules, 0, 1, (double[]){ 1 }, 1);
	columns_init(&columns, &rules.space, given);
	assert_int_equal(columns.d, 3);
	for (size_t i = 0; i < 20; i++) {
		const double x = (double)i / 19, c = i % 4 > 0;

		assert_true(columns_encode(&columns, (double[]){ x, c }, &X[i * 3]));
		y[i] = c == 0 ? 0.3 : 2 * x - 1;
	}
	assert_true(gp_create(3, columns.kinds, false, &gp, &err));
	assert_true(gp_fit(gp, &(struct gp_data){ 20, X, y, NULL }, &options, &report, &err));
	assert_true(columns_encode(&columns, (double[]){ 0.1, 1 }, &at[0]));
	assert_true(columns_encode(&columns, (double[]){ 0.9, 1 }, &at[3]));
	assert_true(columns_encode(&columns, (double[]){ 0.9, 0 }, &at[6]));
	assert_true(gp_predict(gp, at, 3, mean, sd, &err));
	assert_near(mean[0], -0.8, 0.05);
	assert_near(mean[1], 0.8, 0.05);
	assert_near(mean[2], 0.3, 0.05);
	gp_destroy(gp);
	rules_finish(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_with_conditions_has_a_companion_behind_it),
		cmocka_unit_test(encoded_configurations_stay_where_they_are),
		cmocka_unit_test(distances_are_the_documented_ones),
		cmocka_unit_test(the_kernel_stays_positive_semi_definite),
		cmocka_unit_test(the_gradient_agrees_with_central_differences),
		cmocka_unit_test(a_companions_own_entry_is_not_looked_at),
		cmocka_unit_test(a_fit_holds_companions_at_the_mode),
		cmocka_unit_test(the_model_tells_a_branch_from_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
