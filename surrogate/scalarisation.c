#include "surrogate/scalarisation.h"

#include "surrogate/design.h"
#include "surrogate/limits.h"

#include <gsl/gsl_sort.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double FARTHEST = 1e100;

_Static_assert(SUGGEST_OTHERS_MAX + 1 <= (int)PARETO_OBJECTIVES_MAX, "a norm has room for all");

/* ---- weights ---- */

bool scalarisation_weights(
	const struct suggest_request *request, double *ret_weights, struct tuner_error *err)
{
	const struct random_key key = {
		.seed = request->seed, .repeat = request->repeat, .purpose = RANDOM_WEIGHTS
	};
	const size_t n = request->n_others;
	double cuts[SUGGEST_OTHERS_MAX];
	struct design *design = NULL;

	ret_weights[0] = 1;
	if (n == 0)
		return true;
	if (!design_create(n, key, request->number, &design, err))
		return false;
	design_next(design, cuts);
	design_destroy(design);
	gsl_sort(cuts, 1, n);
	ret_weights[0] = cuts[0];
	for (size_t k = 1; k <= n; k++)
		ret_weights[k] = (k < n ? cuts[k] : 1) - cuts[k - 1];
	return true;
}

/* ---- the scale ---- */

struct scale {
	double least, span;
};

static bool is_finite(const double *outcome, size_t m)
{
	for (size_t k = 0; k < m; k++)
		if (!isfinite(outcome[k]))
			return false;
	return true;
}

/* The finite outcomes, those that are kept first; *ret_n_kept of *ret_n, or all while none is kept. */
static void gather(const double *outcomes, const bool *kept, size_t n, size_t m, double *ret,
	size_t *ret_n_kept, size_t *ret_n)
{
	*ret_n = *ret_n_kept = 0;
	for (int which = 1; which >= 0; which--) {
		for (size_t i = 0; i < n; i++)
			if (kept[i] == which && is_finite(&outcomes[i * m], m))
				memcpy(&ret[m * (*ret_n)++], &outcomes[i * m], m * sizeof *ret);
		if (which == 1)
			*ret_n_kept = *ret_n;
	}
	if (*ret_n_kept == 0)
		*ret_n_kept = *ret_n;
}

/* Halves, so that no difference overflows. */
static double distance(double from, double to)
{
	return 0.5 * to - 0.5 * from;
}

/* Column k of the marked rows (NULL: all), ascending; returns how many. */
static size_t sort_column(
	const double *rows, const bool *marked, size_t n, size_t m, size_t k, double *ret)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (marked == NULL || marked[i])
			ret[kept++] = rows[i * m + k];
	gsl_sort(ret, 1, kept);
	return kept;
}

/* From the front's least value to its greatest; or else to the median or the worst of the kept, or the
 * worst of all, whichever differs first. Needs a row. scratch: n. */
static struct scale find_scale(const double *rows, const bool *on_front, size_t n_kept, size_t n,
	size_t m, size_t k, double *scratch)
{
	const size_t n_front = sort_column(rows, on_front, n_kept, m, k, scratch);
	struct scale scale = { scratch[0], distance(scratch[0], scratch[n_front - 1]) };

	if (scale.span > 0)
		return scale;
	sort_column(rows, NULL, n_kept, m, k, scratch);
	scale.span = distance(scale.least, scratch[n_kept / 2]);
	if (scale.span <= 0)
		scale.span = distance(scale.least, scratch[n_kept - 1]);
	if (scale.span > 0)
		return scale;
	sort_column(rows, NULL, n, m, k, scratch);
	scale.span = distance(scale.least, scratch[n - 1]);
	return scale;
}

static bool find_scales(const double *outcomes, const bool *kept, size_t n, size_t m,
	struct scale *ret, struct tuner_error *err)
{
	double *rows = calloc(n * (m + 1) + 1, sizeof *rows), *scratch = rows + n * m;
	bool *on_front = calloc(n + 1, sizeof *on_front);
	const bool ok = (rows != NULL && on_front != NULL) || tuner_fail_memory(err);
	size_t n_kept = 0, n_finite = 0;

	if (ok) {
		gather(outcomes, kept, n, m, rows, &n_kept, &n_finite);
		pareto_front(rows, n_kept, m, on_front);
	}
	for (size_t k = 0; ok && k < m; k++)
		ret[k] = n_finite > 0 ? find_scale(rows, on_front, n_kept, n_finite, m, k, scratch)
				      : (struct scale){ 0, 0 };
	free(rows);
	free(on_front);
	return ok;
}

/* ---- the scalar ---- */

static double scaled(const struct scale *scale, double value)
{
	if (value == INFINITY)
		return FARTHEST;
	if (!(scale->span > 0))
		return 0;
	if (value == -INFINITY)
		return SCALARISATION_FIRST;
	return SCALARISATION_FIRST +
	       fmax(-FARTHEST, fmin(distance(scale->least, value) / scale->span, FARTHEST));
}

/* Added by size, so that the order of objectives changes no bit. */
static double norm(
	const double *outcome, const struct scale *scales, const double *weights, size_t m)
{
	double terms[PARETO_OBJECTIVES_MAX], sum = 0;

	for (size_t k = 0; k < m; k++)
		terms[k] = weights[k] * scaled(&scales[k], outcome[k]);
	gsl_sort(terms, 1, m);
	for (size_t k = 0; k < m; k++)
		sum += terms[k];
	return terms[m - 1] + SCALARISATION_RHO * sum;
}

bool scalarise(const double *outcomes, const bool *kept, size_t n, size_t m, const double *weights,
	double *ret, struct tuner_error *err)
{
	struct scale scales[PARETO_OBJECTIVES_MAX];

	tuner_assert(m >= 1 && m <= PARETO_OBJECTIVES_MAX);
	if (!find_scales(outcomes, kept, n, m, scales, err))
		return false;
	for (size_t i = 0; i < n; i++)
		ret[i] = pareto_is_known(&outcomes[i * m], m)
				 ? norm(&outcomes[i * m], scales, weights, m)
				 : NAN;
	return true;
}

/* ---- observations ---- */

/* Whether the trial ended by itself and has a first objective. */
static bool has_outcome(const struct observation *observation)
{
	return observation->kind != OBSERVATION_STOPPED &&
	       observation->kind != OBSERVATION_FAILED && !isnan(observation->objective);
}

static void read_outcome(const struct observation *observation, size_t n_others, double *ret)
{
	ret[0] = has_outcome(observation) ? observation->objective : NAN;
	for (size_t k = 0; k < n_others; k++)
		ret[k + 1] = observation->others != NULL ? observation->others[k] : NAN;
}

static void put_scalar(struct observation *observation, double scalar)
{
	if (has_outcome(observation) && isnan(scalar))
		observation->kind = OBSERVATION_STOPPED;
	observation->objective = scalar;
}

bool scalarisation_observations(const struct suggest_request *request, const double *weights,
	struct observation *ret, struct tuner_error *err)
{
	const size_t n = request->n_observations, m = request->n_others + 1;
	const bool known = limits_are_known(request);
	double *outcomes = calloc(n * (m + 1) + 1, sizeof *outcomes), *scalars = outcomes + n * m;
	bool *kept = calloc(n + 1, sizeof *kept);
	bool ok = (outcomes != NULL && kept != NULL) || tuner_fail_memory(err);

	for (size_t i = 0; ok && i < n; i++) {
		read_outcome(&request->observations[i], m - 1, &outcomes[i * m]);
		kept[i] = limits_are_kept(&request->observations[i], known);
	}
	ok = ok && scalarise(outcomes, kept, n, m, weights, scalars, err);
	for (size_t i = 0; ok && i < n; i++) {
		ret[i] = request->observations[i];
		put_scalar(&ret[i], scalars[i]);
	}
	free(outcomes);
	free(kept);
	return ok;
}
