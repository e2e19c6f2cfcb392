/* surrogate/vecchia.h: an approximate likelihood of many rows. Linked with --wrap=calloc and
 * --wrap=aligned_alloc, the only allocators of the modules under test. */
#include "surrogate/vecchia.h"

#include "surrogate/factor.h"
#include "surrogate/gp_fit.h"
#include "surrogate/vecchia_block.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"

enum { N_MAX = 300, D_MAX = 6, P_MAX = 3 * D_MAX + 1 };

/* ---- fixtures */

/* Two numbers, of which the second has a companion, and a category; a third number. */
enum { D = 5 };
static const enum dimension_kind KINDS[D] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
	DIMENSION_COMPANION, DIMENSION_CATEGORY, DIMENSION_NUMERIC };

struct fixture {
	bool warped;
	size_t n;
	double X[N_MAX * D], y[N_MAX], noise_scales[N_MAX];
	double counts[N_MAX], scatters[N_MAX]; /* some rows are of three outcomes */
	double theta[P_MAX];
};

static void assert_near(double value, double wanted, double tolerance)
{
	if (!(fabs(value - wanted) <= tolerance))
		fail_msg("%.17g is not %.17g to %g", value, wanted, tolerance);
}

static void set_up(struct fixture *f, size_t n, bool warped, uint64_t seed)
{
	static const double theta[P_MAX] = { -1, -0.5, 0, 0.3, 0.1, -3, 0.4, -0.2, -0.3, 0.1, 0, 0,
		0, 0, 0.2, 0.5 };
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	*f = (struct fixture){ .n = n, .warped = warped };
	memcpy(f->theta, theta, sizeof theta);
	for (size_t i = 0; i < n; i++) {
		double *x = &f->X[i * D];

		for (size_t k = 0; k < D; k++)
			x[k] = random_uniform(&random);
		if (i % 3 == 0) { /* not there */
			x[1] = 0.5;
			x[2] = sqrt(0.5);
		} else {
			x[2] = 0;
		}
		x[3] = (double)random_below(&random, 3);
		f->y[i] =
			sin(5 * x[0]) + cos(3 * x[1] + x[3]) + x[4] + 0.2 * random_normal(&random);
		f->noise_scales[i] = i % 7 == 0 ? 10 : 1;
		f->counts[i] = i % 5 == 0 ? 3 : 1;
		f->scatters[i] = i % 5 == 0 ? 0.3 : 0;
	}
}

static struct gp_data view(const struct fixture *f)
{
	return (struct gp_data){ f->n, f->X, f->y, f->noise_scales, f->counts, f->scatters };
}

static bool create(const struct fixture *f, size_t m, uint64_t seed, struct vecchia **ret,
	struct tuner_error *err)
{
	const struct gp_data data = view(f);
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	return vecchia_create(D, KINDS, f->warped, &data, m, f->theta, &random, ret, err);
}

/* At the fixture's theta. */
static double evaluate(const struct fixture *f, size_t m, uint64_t seed, double *ret_gradient)
{
	struct vecchia *vecchia = NULL;
	struct tuner_error err;
	double value;

	if (!create(f, m, seed, &vecchia, &err))
		fail_msg("%s", err.message);
	assert_true(vecchia_evaluate(vecchia, f->theta, &value, ret_gradient));
	vecchia_destroy(vecchia);
	return value;
}

static double exact(const struct fixture *f, double *ret_gradient)
{
	const struct gp_data data = view(f);
	struct tuner_error err;
	struct gp *gp = NULL;
	double value = NAN;

	if (!gp_create(D, KINDS, f->warped, &gp, &err) ||
		!gp_likelihood(gp, &data, f->theta, false, &value, ret_gradient, &err))
		fail_msg("%s", err.message);
	gp_destroy(gp);
	return value;
}

/* ---- tests */

static void with_all_neighbours_it_is_the_likelihood(void **state)
{
	static const size_t ns[] = { 1, 2, 3, 8, 9, 40, 77 };
	double gradient[P_MAX], wanted[P_MAX];
	struct fixture f;

	for (int warped = 0; warped < 2; warped++)
		for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) {
			set_up(&f, ns[i], warped, i + 1);
			const double value = evaluate(&f, ns[i] - 1, 5, gradient);

			assert_near(value, exact(&f, wanted), 1e-9);
			for (size_t k = 0; k < (warped ? 3 * D + 1 : D + 1); k++)
				assert_near(gradient[k], wanted[k], 1e-8);
			assert_true(evaluate(&f, N_MAX, 5, NULL) == value);
		}
}

/* The neighbours stay those of the theta that they were found at. */
static void its_gradient_is_that_of_its_values(void **state)
{
	static const double STEP = 1e-5;
	double gradient[P_MAX], theta[P_MAX], above, below;
	struct vecchia *vecchia = NULL;
	struct tuner_error err;
	struct fixture f;

	for (int warped = 0; warped < 2; warped++) {
		set_up(&f, 150, warped, 3);
		assert_true(create(&f, 10, 2, &vecchia, &err));
		memcpy(theta, f.theta, sizeof theta);
		theta[0] += 0.3;
		theta[D] += 0.5;
		assert_true(vecchia_evaluate(vecchia, theta, &above, gradient));
		for (size_t k = 0; k < (warped ? 3 * D + 1 : D + 1); k++) {
			const double at = theta[k];

			theta[k] = at + STEP;
			assert_true(vecchia_evaluate(vecchia, theta, &above, NULL));
			theta[k] = at - STEP;
			assert_true(vecchia_evaluate(vecchia, theta, &below, NULL));
			theta[k] = at;
			assert_near(gradient[k], (above - below) / (2 * STEP),
				1e-6 * (1 + fabs(gradient[k])));
		}
		vecchia_destroy(vecchia);
	}
}

/* Outcomes of the model itself at the fixture's theta. */
static void draw_outcomes(struct fixture *f, uint64_t seed)
{
	const size_t n = f->n, stride = kernel_stride(n);
	double inverse_lengths[D], noise[N_MAX], z[D], jitter;
	const struct kernel kernel = { D, KINDS, inverse_lengths };
	double *Z = factor_allocate(D, stride), *L = factor_allocate(n, stride);
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	for (size_t k = 0; k < D; k++)
		inverse_lengths[k] = exp(-f->theta[kernel_length_of(KINDS, k)]);
	for (size_t i = 0; i < n; i++) {
		noise[i] = exp(f->theta[D]) * f->noise_scales[i];
		f->y[i] = random_normal(&random);
	}
	kernel_scale(&kernel, f->X, n, Z, stride);
	assert_true(factor_covariance(&kernel, Z, stride, n, noise, z, L, NULL, &jitter));
	for (size_t i = n; i-- > 0;)
		f->y[i] = kernel_dot(L + i * stride, f->y, i + 1);
	free(Z);
	free(L);
}

/* Of the model's own outcomes the expected loss, a Kullback-Leibler divergence, falls with each neighbour. */
static void more_neighbours_approximate_better(void **state)
{
	static const size_t ms[] = { 1, 2, 4, 8, 16, 32 };
	double loss[6] = { 0 };
	struct fixture f;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		set_up(&f, 200, false, seed);
		draw_outcomes(&f, seed);

		const double wanted = exact(&f, NULL);

		for (size_t i = 0; i < 6; i++)
			loss[i] += (wanted - evaluate(&f, ms[i], seed, NULL)) / 20;
	}
	for (size_t i = 1; i < 6; i++)
		assert_true(loss[i] > 0 && loss[i] < loss[i - 1]);
	assert_true(loss[5] < 1);
}

static void the_same_seed_gives_the_same_bits(void **state)
{
	double first[P_MAX], again[P_MAX];
	struct fixture f;

	set_up(&f, 200, true, 1);
	const double value = evaluate(&f, 12, 7, first);

	assert_true(evaluate(&f, 12, 7, again) == value);
	assert_memory_equal(first, again, (3 * D + 1) * sizeof(double));
	assert_true(evaluate(&f, 12, 8, again) != value);
}

static uint64_t hash(uint64_t so_far, const double *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, &numbers[i], sizeof bits);
		so_far = (so_far ^ bits) * 0x100000001b3;
	}
	return so_far;
}

/* Whatever the CPU and the optimisation (this test is built at several levels): the numbers below were hashed once. */
static void a_blocks_bits_are_the_same_everywhere(void **state)
{
	enum { POINTS = 7, PAIRS = POINTS * (POINTS - 1) / 2, LANES = KERNEL_LANES };
	static double Z[POINTS * D * LANES], present[POINTS * LANES], noise[POINTS * LANES];
	static double K[PAIRS * LANES], G[PAIRS * LANES], diagonal[POINTS * LANES];
	static double scratch[PAIRS * LANES], u[POINTS * LANES], x[POINTS * LANES];
	const struct vecchia_block block = { POINTS, Z, present, noise, K, diagonal, G };
	const struct kernel kernel = { D, KINDS, (const double[]){ 1, 1, 1, 0.75, 1 } };
	uint64_t sum = 0xcbf29ce484222325;
	struct random random;

	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < POINTS * D * LANES; i++)
		Z[i] = i / LANES % D == 3 ? (double)random_below(&random, 3)
					  : 2 * random_uniform(&random);
	for (size_t i = 0; i < POINTS * LANES; i++) {
		present[i] = i % 11 != 3;
		noise[i] = present[i] * 0x1p-10;
		u[i] = present[i] * random_uniform(&random);
		x[i] = present[i] * random_uniform(&random);
	}
	assert_true(vecchia_block_factor(&kernel, &block, scratch));
	vecchia_block_forward(&block, POINTS, u);
	vecchia_block_backward(&block, POINTS - 1, x);
	vecchia_block_weigh(&block, x, u, scratch);
	sum = hash(sum, K, PAIRS * LANES);
	sum = hash(sum, scratch, PAIRS * LANES);
	for (size_t k = 0; k < D; k++)
		sum = hash(sum, &(double){ vecchia_block_length(&kernel, &block, scratch, k) }, 1);
	sum = hash(sum, &(double){ vecchia_block_noise(&block, x, u) }, 1);
	vecchia_block_pull(&kernel, &block, scratch, 4, x);
	sum = hash(sum, x, POINTS * LANES);
	if (sum != UINT64_C(0xc4e14601089176dc))
		fail_msg("%#llx", (unsigned long long)sum);
}

/* Two lots of the same rows: the noise keeps the matrices regular. */
static void repeated_rows_are_no_problem(void **state)
{
	struct fixture f;

	set_up(&f, 80, false, 1);
	memcpy(&f.X[40 * D], f.X, 40 * D * sizeof(double));
	f.theta[D] = log(1e-6);
	assert_true(isfinite(evaluate(&f, 30, 1, NULL)));
	assert_near(evaluate(&f, 79, 1, NULL), exact(&f, NULL), 1e-3 * fabs(exact(&f, NULL)));
}

static void what_is_no_number_is_refused(void **state)
{
	struct vecchia *vecchia = NULL;
	struct tuner_error err;
	struct fixture f;
	double value;

	set_up(&f, 30, false, 1);
	f.X[17 * D] = NAN;
	assert_true(create(&f, 10, 1, &vecchia, &err));
	assert_false(vecchia_evaluate(vecchia, f.theta, &value, NULL));
	vecchia_destroy(vecchia);
}

/* A fit that goes by it finds what the exact one finds, and leaves the model on other rows. */
static void a_fit_by_it_is_near_the_exact_one(void **state)
{
	struct fixture f;
	struct gp *gp = NULL;
	struct tuner_error err;
	struct gp_fit_report report;
	double exactly[D + 1];

	set_up(&f, 300, false, 4);
	draw_outcomes(&f, 4);

	const struct gp_data data = view(&f), some = { 50, f.X, f.y, f.noise_scales };
	struct random random;

	random_init(&random, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST });
	assert_true(gp_create(D, KINDS, false, &gp, &err));
	assert_true(gp_fit(gp, &data, &(struct gp_fit_options){ .start = f.theta, .quick = true },
		&report, &err));
	memcpy(exactly, gp_hyperparameters(gp), sizeof exactly);
	assert_true(gp_fit(gp, &data,
		&(struct gp_fit_options){ .start = f.theta,
			.quick = true,
			.random = &random,
			.neighbours = VECCHIA_NEIGHBOURS,
			.model = &some },
		&report, &err));
	assert_true(report.converged);
	assert_int_equal(gp_n(gp), 50);
	for (size_t k = 0; k <= D; k++)
		if (k == D || KINDS[k] != DIMENSION_COMPANION)
			assert_near(gp_hyperparameters(gp)[k], exactly[k], 0.15);
	gp_destroy(gp);
}

static void failing_allocations_are_reported(void **state)
{
	struct vecchia *vecchia = NULL;
	struct tuner_error err;
	struct fixture f;
	unsigned n = 0;
	bool created;

	set_up(&f, 30, true, 1);
	do {
		allocate_fail = ++n;
		created = create(&f, 10, 1, &vecchia, &err);
		allocate_fail = 0;
		assert_true(created || err.code == TUNER_FATAL);
	} while (!created);
	assert_in_range(n, 10, 40);
	vecchia_destroy(vecchia);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_all_neighbours_it_is_the_likelihood),
		cmocka_unit_test(its_gradient_is_that_of_its_values),
		cmocka_unit_test(more_neighbours_approximate_better),
		cmocka_unit_test(the_same_seed_gives_the_same_bits),
		cmocka_unit_test(a_blocks_bits_are_the_same_everywhere),
		cmocka_unit_test(repeated_rows_are_no_problem),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(a_fit_by_it_is_near_the_exact_one),
		cmocka_unit_test(failing_allocations_are_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
