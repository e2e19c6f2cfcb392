/* surrogate/sensitivity.h: indices of functions whose indices are known. */
#include "surrogate/sensitivity.h"

#include "fixture_suggest.h"
#include "sanitized.h"
#include "surrogate/design.h"
#include "surrogate/gp_fit.h"
#include "surrogate/draws.h"

enum { N_MAX = 256, D_MAX = 6 };

static const double FREE[] = { NAN, NAN, NAN, NAN, NAN, NAN };

/* A model of n points of a design. */
struct fixture {
	struct job job;
	struct columns columns;
	struct gp *gp;
	double X[N_MAX * D_MAX], y[N_MAX];
};

static void standardise(double *y, size_t n)
{
	double mean = 0, variance = 0;

	for (size_t i = 0; i < n; i++)
		mean += y[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		variance += pow(y[i] - mean, 2) / (double)n;
	for (size_t i = 0; i < n; i++)
		y[i] = (y[i] - mean) / sqrt(variance > 0 ? variance : 1);
}

static void fill(struct fixture *f, objective_function *objective, size_t n)
{
	const size_t d = f->columns.d;
	double values[D_MAX];
	struct design *design = NULL;
	struct tuner_error err;

	if (!design_create(
		    d, (struct random_key){ .seed = 1, .purpose = RANDOM_TEST }, 0, &design, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < n; i++) {
		design_next(design, f->X + i * d);
		columns_snap(&f->columns, f->X + i * d);
		columns_decode(&f->columns, f->X + i * d, values);
		f->y[i] = objective(values);
	}
	design_destroy(design);
	standardise(f->y, n);
}

static void set_up(struct fixture *f, const struct parameter *parameters, size_t d,
	objective_function *objective, size_t n)
{
	const struct gp_fit_options options = { .start = NULL };
	struct gp_fit_report report;
	struct tuner_error err;

	job_init(&f->job, STRATEGY_BAYESIAN, parameters, d);
	columns_init(&f->columns, &f->job.space, FREE);
	fill(f, objective, n);

	const struct gp_data data = { n, f->X, f->y, NULL };

	if (!gp_create(d, f->columns.kinds, false, &f->gp, &err) ||
		!gp_fit(f->gp, &data, &options, &report, &err))
		fail_msg("%s", err.message);
}

static struct sensitivity indices(const struct fixture *f, uint64_t seed)
{
	const struct random_key key = { .seed = seed, .purpose = RANDOM_IMPORTANCE };
	struct sensitivity ret;
	struct tuner_error err;

	if (!sensitivity_of(f->gp, &f->columns, key, &ret, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < f->columns.d; i++) {
		const struct share *shares[] = { &ret.first[i], &ret.total[i] };

		/* What it does alone is a part of all that it does. */
		assert_true(shares[0]->value <= shares[1]->value &&
			    shares[0]->low <= shares[1]->low && shares[0]->high <= shares[1]->high);

		for (size_t k = 0; k < 2; k++)
			assert_true(0 <= shares[k]->low && shares[k]->low <= shares[k]->value &&
				    shares[k]->value <= shares[k]->high && shares[k]->high <= 1);
	}
	return ret;
}

static void assert_indices(const struct sensitivity *s, size_t d, const double *first,
	const double *total, double tolerance)
{
	for (size_t i = 0; i < d; i++) {
		assert_near(s->first[i].value, first[i], tolerance);
		assert_near(s->total[i].value, total[i], tolerance);
	}
}

/* ---- known functions ---- */

static double ishigami(const double *x)
{
	return sin(x[0]) + 7 * pow(sin(x[1]), 2) + .1 * pow(x[2], 4) * sin(x[0]);
}

/* Ishigami and Homma, 1990, a = 7, b = .1. The tolerance is the model's: 200 points tell it .9 of the
 * variance. */
static void ishigamis_function_from_200_points(void **state)
{
	const struct parameter parameters[] = { a_float("x1", -M_PI, M_PI),
		a_float("x2", -M_PI, M_PI), a_float("x3", -M_PI, M_PI) };
	struct fixture f;

	set_up(&f, parameters, 3, ishigami, 200);

	const struct sensitivity s = indices(&f, 1);

	assert_indices(
		&s, 3, (double[]){ .3139, .4424, 0 }, (double[]){ .5576, .4424, .2437 }, .06);
	gp_destroy(f.gp);
}

static double sum(const double *x)
{
	return 1 * x[0] + 2 * x[1] + 3 * x[2] + 0 * x[3];
}

/* Variances 1, 4 and 9 parts of 14; and a parameter that does nothing. */
static void in_a_sum_each_does_its_part_alone(void **state)
{
	const struct parameter parameters[] = { a_float("a", 0, 1), a_float("b", 0, 1),
		a_float("c", 0, 1), a_float("d", 0, 1) };
	const double parts[] = { 1. / 14, 4. / 14, 9. / 14, 0 };
	struct fixture f;

	set_up(&f, parameters, 4, sum, 40);

	const struct sensitivity s = indices(&f, 1);

	assert_indices(&s, 4, parts, parts, .02);
	assert_true(s.total[3].high < .002 && s.first[3].high < .002);
	for (size_t i = 0; i < 3; i++)
		assert_true(s.total[i].high - s.total[i].low < .05);
	gp_destroy(f.gp);
}

static double product(const double *x)
{
	return (x[0] - .5) * (x[1] - .5);
}

static void in_a_product_each_does_nothing_alone(void **state)
{
	const struct parameter parameters[] = { a_float("a", 0, 1), a_float("b", 0, 1) };
	struct fixture f;

	set_up(&f, parameters, 2, product, 64);

	const struct sensitivity s = indices(&f, 1);

	assert_indices(&s, 2, (double[]){ 0, 0 }, (double[]){ 1, 1 }, .04);
	gp_destroy(f.gp);
}

static double pairs(const double *x)
{
	return (x[0] - .5) * (x[1] - .5) + (x[2] - .5) * (x[3] - .5) + (x[4] - .5) * (x[5] - .5);
}

/* At this key's points f(A) and f(B) seem to have .013 of their variance in common: not corrected by that, so would
 * f(A_i) and f(B). */
static void what_a_and_b_seem_to_have_in_common_is_taken_out(void **state)
{
	const struct parameter parameters[] = { a_float("a", 0, 1), a_float("b", 0, 1),
		a_float("c", 0, 1), a_float("d", 0, 1), a_float("e", 0, 1), a_float("f", 0, 1) };
	double mean = 0;
	struct fixture f;

	set_up(&f, parameters, 6, pairs, 160);

	const struct sensitivity s = indices(&f, 3);

	for (size_t i = 0; i < 6; i++) {
		assert_near(s.total[i].value, 1. / 3, .04);
		mean += s.first[i].value / 6;
	}
	assert_near(mean, 0, .008);
	gp_destroy(f.gp);
}

/* Variances: of 0, 1, 4 for the category: 26/9; of 0, 1 with one half each for the integer, 16/4; of an
 * ordinal from 0 to 3, 5/4; of a number in [10, 1000] by the logarithm, 1/3. */
static double mixed(const double *x)
{
	return x[0] * x[0] + 4 * x[1] + x[2] + log10(x[3]);
}

static void categories_integers_ordinals_and_logarithms(void **state)
{
	const struct parameter parameters[] = { a_category("c", 3), an_int("n", 0, 1),
		an_ordinal("o", 4), a_log_float("x", 10, 1000) };
	const double variances[] = { 26. / 9, 4, 5. / 4, 1. / 3 };
	double parts[4];
	struct fixture f;

	for (size_t i = 0; i < 4; i++)
		parts[i] = variances[i] / (26. / 9 + 4 + 5. / 4 + 1. / 3);
	set_up(&f, parameters, 4, mixed, 128);

	const struct sensitivity s = indices(&f, 1);

	assert_indices(&s, 4, parts, parts, .02);
	gp_destroy(f.gp);
}

static double nothing(const double *x)
{
	return 1;
}

static void a_model_that_is_flat_depends_on_nothing(void **state)
{
	const struct parameter parameters[] = { a_float("a", 0, 1), a_category("b", 2) };
	struct fixture f;

	set_up(&f, parameters, 2, nothing, 16);

	const struct sensitivity s = indices(&f, 1);

	assert_true(s.variance < 1e-12);
	for (size_t i = 0; i < 2; i++)
		assert_true(s.total[i].value == 0 && s.first[i].value == 0);
	gp_destroy(f.gp);
}

static void the_same_key_gives_the_same_bits(void **state)
{
	const struct parameter parameters[] = { a_float("a", 0, 1), a_category("b", 2) };
	struct fixture f;

	set_up(&f, parameters, 2, product, 20);

	const struct sensitivity s = indices(&f, 1), again = indices(&f, 1), other = indices(&f, 2);

	assert_memory_equal(s.total, again.total, 2 * sizeof *s.total);
	assert_memory_equal(s.first, again.first, 2 * sizeof *s.first);
	assert_true(s.total[0].value != other.total[0].value);
	assert_near(s.total[0].value, other.total[0].value, .05);
	gp_destroy(f.gp);
}

/* ---- intervals ---- */

enum { FUNCTIONS = 24, KNOWN = 24, ROWS = 2048, COVERAGE_D = 2 };

/* Indices of function `s` out of values at A, B, A_0, A_1, row by row. */
static void known_indices(const double *values, size_t s, double *ret_first, double *ret_total)
{
	enum { POINTS = COVERAGE_D + 2, STRIDE = FUNCTIONS + 1 };
	double mean = 0, square = 0, from_a[COVERAGE_D] = { 0 }, from_b[COVERAGE_D] = { 0 };

	for (size_t r = 0; r < ROWS; r++) {
		const double *row = values + r * POINTS * STRIDE + s;

		mean += (row[0] + row[STRIDE]) / (2 * ROWS);
		square += (row[0] * row[0] + row[STRIDE] * row[STRIDE]) / (2 * ROWS);
		for (size_t i = 0; i < COVERAGE_D; i++) {
			from_a[i] += pow(row[(2 + i) * STRIDE] - row[0], 2) / (2 * ROWS);
			from_b[i] += pow(row[(2 + i) * STRIDE] - row[STRIDE], 2) / (2 * ROWS);
		}
	}
	for (size_t i = 0; i < COVERAGE_D; i++) {
		ret_first[i] = 1 - from_b[i] / (square - mean * mean);
		ret_total[i] = from_a[i] / (square - mean * mean);
	}
}

/* Functions drawn from the model's own prior, of each of which a model then sees 24 points, at the
 * hyperparameters that made it: the intervals from 5 % to 95 % hold 90 % of the true indices. Here 96
 * of them, not independent: at least 80 %. */
static void intervals_hold_the_truth_as_often_as_they_say(void **state)
{
	enum { D = COVERAGE_D, POINTS = D + 2 };
	const struct parameter parameters[] = { a_float("a", 0, 1), a_float("b", 0, 1) };
	const double theta[] = { log(.4), log(.9), log(1e-6) }, vague[] = { 0, 0, 1e9 };
	double *X = calloc(ROWS * POINTS * D, sizeof *X), first[D], total[D], y[KNOWN] = { 0 };
	double *values = calloc(ROWS * POINTS * (FUNCTIONS + 1), sizeof *values);
	double known[KNOWN * D], at_known[KNOWN * (FUNCTIONS + 1)];
	const size_t functions = all_or(FUNCTIONS, FUNCTIONS / 4);
	size_t held = 0;
	struct random random;
	struct design *design = NULL;
	struct draws *draws = NULL;
	struct tuner_error err;
	struct fixture f;

	assert_true(X != NULL && values != NULL);
	job_init(&f.job, STRATEGY_BAYESIAN, parameters, D);
	columns_init(&f.columns, &f.job.space, FREE);
	random_init(&random, (struct random_key){ .seed = 3, .purpose = RANDOM_TEST });
	for (size_t i = 0; i < KNOWN * D; i++)
		known[i] = random_uniform(&random);

	/* An outcome with so much noise tells nothing. */
	const struct gp_data empty = { 1, known, y, &vague[2] };

	assert_true(gp_create(D, f.columns.kinds, false, &f.gp, &err) &&
		    gp_condition(f.gp, &empty, theta, &err) &&
		    draws_create(f.gp, &f.columns, FUNCTIONS, &random, &draws, &err) &&
		    design_create(2 * D, (struct random_key){ .seed = 9, .purpose = RANDOM_TEST },
			    0, &design, &err));
	for (size_t r = 0; r < ROWS; r++) {
		double u[2 * D], *x = X + r * POINTS * D;

		design_next(design, u);
		memcpy(x, u, sizeof u);
		for (size_t i = 0; i < D; i++) {
			memcpy(x + (2 + i) * D, u, D * sizeof *u);
			x[(2 + i) * D + i] = u[D + i];
		}
	}
	draws_values(draws, X, ROWS * POINTS, values);
	draws_values(draws, known, KNOWN, at_known);
	draws_destroy(draws);
	for (size_t s = 1; s <= functions; s++) {
		const struct gp_data data = { KNOWN, known, y, NULL };

		for (size_t i = 0; i < KNOWN; i++)
			y[i] = at_known[i * (FUNCTIONS + 1) + s];
		assert_true(gp_condition(f.gp, &data, theta, &err));

		const struct sensitivity sensitivity = indices(&f, s);

		known_indices(values, s, first, total);
		for (size_t i = 0; i < D; i++) {
			held += sensitivity.first[i].low <= first[i] &&
				first[i] <= sensitivity.first[i].high;
			held += sensitivity.total[i].low <= total[i] &&
				total[i] <= sensitivity.total[i].high;
		}
	}
	if (5 * held < 4 * 2 * D * functions)
		fail_msg("the intervals hold %zu of %zu", held, 2 * D * functions);
	design_destroy(design);
	gp_destroy(f.gp);
	free(X);
	free(values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ishigamis_function_from_200_points),
		cmocka_unit_test(in_a_sum_each_does_its_part_alone),
		cmocka_unit_test(in_a_product_each_does_nothing_alone),
		cmocka_unit_test(what_a_and_b_seem_to_have_in_common_is_taken_out),
		cmocka_unit_test(categories_integers_ordinals_and_logarithms),
		cmocka_unit_test(a_model_that_is_flat_depends_on_nothing),
		cmocka_unit_test(the_same_key_gives_the_same_bits),
		cmocka_unit_test(intervals_hold_the_truth_as_often_as_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
