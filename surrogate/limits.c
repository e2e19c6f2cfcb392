#include "surrogate/limits.h"

#include "surrogate/replicates.h"
#include "surrogate/subset.h"

#include <float.h>
#include <gsl/gsl_pow_int.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>

/* Margins whose mean is more than this many of their sd from the limit are scaled by a part of that
 * mean instead: a model whose trials all lie side by side far away should not exclude that others
 * are within. */
static const double MEAN_MAX = 100;

struct limits {
	size_t n;
	struct margin *margins[SUGGEST_LIMITS_MAX];
};

/* ---- what is known ---- */

/* NaN: not known. */
static double excess_of(const struct observation *observation, size_t limit)
{
	return observation->excess != NULL ? observation->excess[limit] : NAN;
}

bool limits_are_known(const struct suggest_request *request)
{
	for (size_t i = 0; i < request->n_observations; i++)
		for (size_t j = 0; j < request->n_limits; j++)
			if (!isnan(excess_of(&request->observations[i], j)))
				return true;
	return false;
}

bool limits_are_kept(const struct observation *observation, bool known)
{
	return observation->kind != OBSERVATION_OVER_LIMIT &&
	       !(known && observation->kind == OBSERVATION_STOPPED);
}

/* ---- the unit ---- */

/* The median of |c| over the finite ones that are not 0; 1 if there are none. scratch: n. */
static double unit_of(const double *excess, size_t n, double *scratch)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (isfinite(excess[i]) && excess[i] != 0)
			scratch[kept++] = fabs(excess[i]);
	if (kept == 0)
		return 1;
	gsl_sort(scratch, 1, kept);
	return scratch[kept / 2];
}

bool limits_violations(const struct suggest_request *request, double *ret, struct tuner_error *err)
{
	const size_t n = request->n_observations;
	double *excess = calloc(2 * n + 1, sizeof *excess), *scratch = excess + n;

	if (excess == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++)
		ret[i] = 0;
	for (size_t j = 0; j < request->n_limits; j++) {
		for (size_t i = 0; i < n; i++)
			excess[i] = excess_of(&request->observations[i], j);
		const double unit = unit_of(excess, n, scratch);

		for (size_t i = 0; i < n; i++)
			ret[i] += excess[i] > 0 ? excess[i] / unit : 0;
	}
	const bool known = limits_are_known(request);

	for (size_t i = 0; i < n; i++) {
		const bool kept = limits_are_kept(&request->observations[i], known);

		ret[i] = kept ? 0 : ret[i] > 0 ? ret[i] : INFINITY;
	}
	free(excess);
	return true;
}

/* Counts are often exactly at their limit, as of errors where none is allowed. That is within, but a
 * margin of 0 would be so by half only: it is taken to be half as far within as the least excess is
 * over (or, if none is, as anything is from the limit). */
static void move_from_limit(double *c, size_t n)
{
	double over = INFINITY, nearest = INFINITY;

	for (size_t i = 0; i < n; i++) {
		if (c[i] > 0)
			over = fmin(over, c[i]);
		if (c[i] != 0)
			nearest = fmin(nearest, fabs(c[i]));
	}
	const double step = isfinite(over) ? over : isfinite(nearest) ? nearest : 1;

	for (size_t i = 0; i < n; i++)
		if (c[i] == 0)
			c[i] = -step / 2;
}

/* Infinite ones are as far away as the farthest of the others. */
static void bilog(double *c, size_t n, double unit)
{
	double farthest = M_LN2;

	for (size_t i = 0; i < n; i++) {
		if (isfinite(c[i])) {
			c[i] = copysign(log1p(fmin(fabs(c[i]) / unit, DBL_MAX)), c[i]);
			farthest = fmax(farthest, fabs(c[i]));
		}
	}
	for (size_t i = 0; i < n; i++)
		if (isinf(c[i]))
			c[i] = copysign(farthest, c[i]);
}

/* By the standard deviation, around a mean that the model has a constant for. */
static void standardise(double *c, size_t n)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++)
		sum += c[i];
	const double mean = sum / (double)n;

	for (size_t i = 0; i < n; i++)
		squares += gsl_pow_2(c[i] - mean);
	const double sd = fmax(sqrt(squares / (double)n), fabs(mean) / MEAN_MAX);

	for (size_t i = 0; i < n && sd > 0; i++)
		c[i] /= sd;
}

/* From excesses to margins: in no unit, and within is above 0. */
static bool to_margins(double *excess, size_t n, struct tuner_error *err)
{
	double *scratch = calloc(n + 1, sizeof *scratch);

	if (scratch == NULL)
		return tuner_fail_memory(err);
	move_from_limit(excess, n);
	bilog(excess, n, unit_of(excess, n, scratch));
	standardise(excess, n);
	for (size_t i = 0; i < n; i++)
		excess[i] = -excess[i];
	free(scratch);
	return true;
}

/* ---- the rows of a model ---- */

/* The trials whose excess of this limit is known. */
static bool collect(const struct columns *columns, const struct suggest_request *request,
	size_t limit, struct replicates_rows *ret, struct tuner_error *err)
{
	const size_t n = request->n_observations, d = columns->d;

	*ret = (struct replicates_rows){ .d = d,
		.X = calloc(n * d + 1, sizeof *ret->X),
		.y = calloc(n + 1, sizeof *ret->y),
		.noise_scales = calloc(n + 1, sizeof *ret->noise_scales),
		.counts = calloc(n + 1, sizeof *ret->counts),
		.scatters = calloc(n + 1, sizeof *ret->scatters) };
	if (!ret->X || !ret->y || !ret->noise_scales || !ret->counts || !ret->scatters)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		const double excess = excess_of(&request->observations[i], limit);

		if (isnan(excess) || !columns_encode(columns, request->observations[i].values,
					     &ret->X[ret->n * d]))
			continue;
		ret->noise_scales[ret->n] = 1;
		ret->y[ret->n++] = excess;
	}
	return true;
}

/* The rows nearest to the limit, and some everywhere. */
static bool thin_out(const struct columns *columns, const double *lengthscales,
	struct replicates_rows *rows, struct tuner_error *err)
{
	const size_t d = columns->d;
	size_t chosen[LIMITS_ROWS_MAX], n = 0;
	double *distances = calloc(rows->n + 1, sizeof *distances);
	const struct subset_data data = { .n = rows->n,
		.d = d,
		.X = rows->X,
		.kinds = columns->kinds,
		.lengthscales = lengthscales,
		.outcomes = distances };
	bool ok = distances != NULL || tuner_fail_memory(err);

	for (size_t i = 0; ok && i < rows->n; i++)
		distances[i] = fabs(rows->y[i]);
	ok = ok && subset_choose(&data, LIMITS_ROWS_MAX, chosen, &n, err);
	for (size_t i = 0; ok && i < n; i++)
		replicates_move(rows, chosen[i], i);
	if (ok)
		rows->n = n;
	free(distances);
	return ok;
}

static bool fit(const struct columns *columns, const double *lengthscales,
	struct replicates_rows *rows, uint64_t work_limit, struct margin **ret, uint64_t *ret_work,
	struct tuner_error *err)
{
	if (!to_margins(rows->y, rows->n, err) || !replicates_merge(rows, err) ||
		!thin_out(columns, lengthscales, rows, err))
		return false;

	const struct gp_data data = { .n = rows->n,
		.X = rows->X,
		.y = rows->y,
		.noise_scales = rows->noise_scales,
		.counts = rows->counts,
		.scatters = rows->scatters };

	return margin_create(columns->d, columns->kinds, &data, work_limit, ret, ret_work, err);
}

static bool add_limit(struct limits *limits, const struct columns *columns,
	const struct suggest_request *request, size_t limit, const double *lengthscales,
	uint64_t work_limit, uint64_t *work, struct tuner_error *err)
{
	struct replicates_rows rows = { 0 };
	uint64_t more = 0;
	bool ok = collect(columns, request, limit, &rows, err);

	if (ok && rows.n > 0) {
		ok = fit(columns, lengthscales, &rows, work_limit, &limits->margins[limits->n],
			&more, err);
		limits->n += ok;
		*work += more;
	}
	replicates_finish(&rows);
	return ok;
}

bool limits_create(const struct columns *columns, const struct suggest_request *request,
	const double *lengthscales, uint64_t work_limit, struct limits **ret, uint64_t *ret_work,
	struct tuner_error *err)
{
	struct limits *limits = calloc(1, sizeof *limits);
	const uint64_t part = request->n_limits > 0 ? work_limit / request->n_limits : 0;
	bool ok = limits != NULL || tuner_fail_memory(err);

	tuner_assert(request->n_limits <= SUGGEST_LIMITS_MAX);
	*ret = NULL;
	*ret_work = 0;
	for (size_t j = 0; ok && j < request->n_limits; j++)
		ok = add_limit(limits, columns, request, j, lengthscales,
			work_limit > 0 && part == 0 ? 1 : part, ret_work, err);
	if (ok && limits->n > 0) {
		*ret = limits;
		return true;
	}
	limits_destroy(limits);
	return ok;
}

void limits_destroy(struct limits *limits)
{
	if (limits == NULL)
		return;
	for (size_t j = 0; j < limits->n; j++)
		margin_destroy(limits->margins[j]);
	free(limits);
}

/* ---- trials that run ---- */

static bool least_probable(
	struct limits *limits, const double *x, size_t *ret, struct tuner_error *err)
{
	double least = INFINITY;

	for (size_t j = 0; j < limits->n; j++) {
		double value = 0;

		if (!margin_add(limits->margins[j], x, 1, &value, err))
			return false;
		if (value < least) {
			least = value;
			*ret = j;
		}
	}
	return true;
}

bool limits_suppose_over(struct limits *limits, const double *X, size_t n, struct tuner_error *err)
{
	for (size_t i = 0; i < n; i++) {
		const double *x = &X[i * gp_d(margin_gp(limits->margins[0]))];
		size_t j = 0;

		if (!least_probable(limits, x, &j, err) ||
			!margin_suppose_below(limits->margins[j], x, err))
			return false;
	}
	return true;
}

void limits_forget(struct limits *limits)
{
	for (size_t j = 0; j < limits->n; j++)
		margin_forget(limits->margins[j]);
}

/* ---- the term ---- */

bool limits_add(struct limits *limits, const double *X, size_t m, double *values, double *gradients,
	struct tuner_error *err)
{
	for (size_t j = 0; j < limits->n; j++)
		if (!(gradients == NULL ? margin_add(limits->margins[j], X, m, values, err)
					: margin_add_gradients(limits->margins[j], X, m, values,
						  gradients, err)))
			return false;
	return true;
}

bool limits_add_glance(
	struct limits *limits, const double *X, size_t m, double *values, struct tuner_error *err)
{
	for (size_t j = 0; j < limits->n; j++)
		if (!margin_add_glance(limits->margins[j], X, m, values, err))
			return false;
	return true;
}

static bool add(void *context, const double *X, size_t m, double *values, double *gradients,
	struct tuner_error *err)
{
	return limits_add(context, X, m, values, gradients, err);
}

static bool add_glance(
	void *context, const double *X, size_t m, double *values, struct tuner_error *err)
{
	return limits_add_glance(context, X, m, values, err);
}

struct acquisition_term limits_term(struct limits *limits)
{
	return (struct acquisition_term){ limits, add, add_glance };
}
