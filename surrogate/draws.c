#include "surrogate/draws.h"

#include "surrogate/factor.h"
#include "surrogate/warp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	FEATURES = 2 * DRAWS_FREQUENCIES, /* cosines, then sines */
	BLOCK = 64, /* points at a time, so that memory stays bounded */
};

struct draws {
	const struct gp *gp;
	const struct columns *columns;
	size_t n; /* number of functions, including the mean as the first */
	size_t stride; /* of the gp's rows */
	struct warp warps[COLUMNS_MAX]; /* by column */
	double *waves[COLUMNS_MAX]; /* by column: its contribution to the phases, for one unit of a
				       number, for each value of a category (inactive counts as
				       one) */
	double *weights; /* n x FEATURES; the mean's are 0 */
	double *alpha; /* n x stride: K^-1 (y - c 1 - g(X) - e) */
	double *features, *cross; /* scratch: BLOCK x FEATURES, BLOCK x stride */
};

static bool is_category(const struct draws *draws, size_t column)
{
	return draws->columns->kinds[column] == DIMENSION_CATEGORY;
}

/* ---- the prior's functions ---- */

/* 1 / sqrt(chi-square with 5 degrees of freedom / 5), the factor that turns normal frequencies into
 * those of a t distribution. */
static double draw_spread(struct random *random)
{
	double sum = 0;

	for (int i = 0; i < 5; i++) {
		const double z = random_normal(random);

		sum += z * z;
	}
	return sqrt(5 / sum);
}

static bool draw_column(struct draws *draws, size_t column, const double *spreads,
	struct random *random, struct tuner_error *err)
{
	const size_t n = is_category(draws, column) ? draws->columns->cardinality[column] + 1 : 1;
	const double length =
		exp(gp_hyperparameters(draws->gp)[kernel_length_of(draws->columns->kinds, column)]);
	/* Two one-hot codes are sqrt(2) apart, and Hamming's distance is 1. */
	const double unit = is_category(draws, column) ? M_SQRT1_2 / length : 1 / length;
	double *waves = factor_allocate(n, DRAWS_FREQUENCIES);

	draws->waves[column] = waves;
	if (waves == NULL)
		return tuner_fail_memory(err);
	for (size_t v = 0; v < n; v++)
		for (size_t j = 0; j < DRAWS_FREQUENCIES; j++)
			waves[v * DRAWS_FREQUENCIES + j] =
				unit * spreads[j] * random_normal(random);
	return true;
}

static bool draw_prior(struct draws *draws, struct random *random, struct tuner_error *err)
{
	const double scale = sqrt(1.0 / DRAWS_FREQUENCIES);
	double spreads[DRAWS_FREQUENCIES];

	for (size_t j = 0; j < DRAWS_FREQUENCIES; j++)
		spreads[j] = draw_spread(random);
	for (size_t k = 0; k < draws->columns->d; k++)
		if (!draw_column(draws, k, spreads, random, err))
			return false;
	for (size_t i = FEATURES; i < draws->n * FEATURES; i++)
		draws->weights[i] = scale * random_normal(random);
	return true;
}

/* Only numeric axes are warped, and only in a warped model. */
static void take_warps(struct draws *draws)
{
	const size_t d = draws->columns->d;
	const bool warped = gp_n_hyperparameters(draws->gp) > d + 1;

	for (size_t k = 0; k < d; k++)
		draws->warps[k] = warped && draws->columns->kinds[k] == DIMENSION_NUMERIC
					  ? warp_of(gp_hyperparameters(draws->gp), d, k)
					  : (struct warp){ 1, 1 };
}

/* The index of a coordinate's waves within the column. An inactive category is one more value. */
static size_t value_of(const struct draws *draws, size_t column, double x)
{
	if (!is_category(draws, column))
		return 0;
	return x == 0 ? draws->columns->cardinality[column]
		      : columns_index(draws->columns, column, x);
}

/* The coordinate in units of the column's waves. */
static double units_of(const struct draws *draws, size_t column, double x)
{
	return is_category(draws, column) ? 1 : warp_value(draws->warps[column], x);
}

static void add_waves(const struct draws *draws, const double *x, double *phases)
{
	for (size_t k = 0; k < draws->columns->d; k++) {
		const double *waves =
			draws->waves[k] + value_of(draws, k, x[k]) * DRAWS_FREQUENCIES;
		const double units = units_of(draws, k, x[k]);

		for (size_t j = 0; j < DRAWS_FREQUENCIES; j++)
			phases[j] += units * waves[j];
	}
}

/* g at up to BLOCK points: `ret` has n values per row. */
static void prior_values(struct draws *draws, const double *X, size_t m, double *ret)
{
	for (size_t i = 0; i < m; i++) {
		double *cosines = draws->features + i * FEATURES;
		double *sines = cosines + DRAWS_FREQUENCIES;

		memset(sines, 0, DRAWS_FREQUENCIES * sizeof *sines);
		add_waves(draws, X + i * draws->columns->d, sines);
		for (size_t j = 0; j < DRAWS_FREQUENCIES; j++) {
			cosines[j] = cos(sines[j]);
			sines[j] = sin(sines[j]);
		}
	}
	memset(ret, 0, m * draws->n * sizeof *ret);
	factor_add_product(draws->features, FEATURES, m, draws->weights, FEATURES, draws->n,
		FEATURES, ret, draws->n);
}

/* ---- the correction by the outcomes ---- */

/* Fills alpha. `values`: scratch, BLOCK x n. */
static void condition(struct draws *draws, double *values, struct random *random)
{
	const struct gp *gp = draws->gp;
	const size_t n_rows = gp_n(gp), n = draws->n;

	for (size_t i = 0; i < n_rows; i++) {
		const size_t place = i % BLOCK, left = n_rows - i;
		const double sd = sqrt(gp_noise(gp, i));

		if (place == 0)
			prior_values(draws, gp_row(gp, i), left < BLOCK ? left : BLOCK, values);
		for (size_t s = 0; s < n; s++)
			draws->alpha[s * draws->stride + i] =
				gp_outcomes(gp)[i] - gp_row_trend(gp, i) - gp_constant(gp) -
				values[place * n + s] - (s > 0 ? sd * random_normal(random) : 0);
	}
	gp_whiten(gp, draws->alpha, n);
	gp_unwhiten(gp, draws->alpha, n);
}

bool draws_create(const struct gp *gp, const struct columns *columns, size_t n,
	struct random *random, struct draws **ret, struct tuner_error *err)
{
	struct draws *draws = calloc(1, sizeof *draws);
	double *values = factor_allocate(BLOCK, n + 1);
	bool ok = false;

	tuner_assert(gp_n(gp) > 0 && gp_n_outcomes(gp) == gp_n(gp) && gp_d(gp) == columns->d);
	if (draws == NULL || values == NULL)
		goto out;
	draws->gp = gp;
	draws->columns = columns;
	take_warps(draws);
	draws->n = n + 1;
	draws->stride = gp_stride(gp);
	draws->weights = factor_allocate(n + 1, FEATURES);
	draws->alpha = factor_allocate(n + 1, draws->stride);
	draws->features = factor_allocate(BLOCK, FEATURES);
	draws->cross = factor_allocate(BLOCK, draws->stride);
	if (!draws->weights || !draws->alpha || !draws->features || !draws->cross ||
		!draw_prior(draws, random, err))
		goto out;
	condition(draws, values, random);
	ok = true;
	*ret = draws;
out:
	free(values);
	if (ok)
		return true;
	draws_destroy(draws);
	return tuner_fail_memory(err);
}

void draws_destroy(struct draws *draws)
{
	if (draws == NULL)
		return;
	for (size_t k = 0; draws->columns != NULL && k < draws->columns->d; k++)
		free(draws->waves[k]);
	free(draws->weights);
	free(draws->alpha);
	free(draws->features);
	free(draws->cross);
	free(draws);
}

/* ---- values ---- */

static void add_learned(struct draws *draws, const double *X, size_t m, double *values)
{
	const size_t n = draws->n, stride = draws->stride;

	for (size_t i = 0; i < m * n; i++)
		values[i] += gp_constant(draws->gp);
	gp_cross(draws->gp, X, m, draws->cross, NULL);
	factor_add_product(
		draws->cross, stride, m, draws->alpha, stride, n, gp_n(draws->gp), values, n);
}

void draws_values(struct draws *draws, const double *X, size_t m, double *ret_values)
{
	for (size_t i = 0; i < m; i += BLOCK) {
		const size_t rows = m - i < BLOCK ? m - i : BLOCK;
		const double *x = X + i * draws->columns->d;
		double *values = ret_values + i * draws->n;

		prior_values(draws, x, rows, values);
		add_learned(draws, x, rows, values);
	}
}
