#include "surrogate/front_gain.h"

#include "surrogate/expected_improvement.h"
#include "surrogate/factor.h"

#include <gsl/gsl_sort.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	M = PARETO_OBJECTIVES_MAX,
	BLOCK = 64, /* points at a time, so that memory stays bounded */
	STEPS_FIRST = 64, /* of a front with too many boxes, in each objective; then fewer */
};

/* Bounds are levels: 0 is minus infinity, the last the reference. */
struct box {
	unsigned lower[M], upper[M];
};

struct front_gain {
	size_t m, d;
	struct gp *const *gps;
	size_t *rows, n_rows; /* on the front */
	double *front; /* n_front x m, with pending rows */
	size_t n_front;
	double reference[M], least[M], noise_sds[M];
	double *levels[M]; /* ascending; entry j - 1 is level j */
	size_t n_levels[M]; /* with level 0 */
	struct box *boxes;
	size_t n_boxes;
	double *gradients; /* m x 2 x BLOCK x d */
	double *logs, *by_mean, *by_sd; /* m x stride: of Psi at the levels, for one point */
	size_t stride; /* the most levels */
	double *volumes; /* n_boxes: their logarithms, for one point */
};

/* ---- the front ---- */

static void find_reference(
	struct front_gain *gain, const double *outcomes, const bool *eligible, size_t n)
{
	for (size_t k = 0; k < gain->m; k++) {
		double least = INFINITY, worst = -INFINITY;

		for (size_t i = 0; i < n; i++) {
			if (!eligible[i])
				continue;
			least = fmin(least, outcomes[i * gain->m + k]);
			worst = fmax(worst, outcomes[i * gain->m + k]);
		}
		const double range = worst > least ? worst - least : 1;

		gain->least[k] = least;
		gain->reference[k] = worst + FRONT_GAIN_MARGIN * range;
	}
}

/* Posterior means (n x m) at the rows with outcomes, then predicted ones at pending rows. */
static bool predict_rows(const struct front_gain *gain, size_t n, size_t n_pending, double *ret,
	struct tuner_error *err)
{
	double *means = calloc(n + 1, sizeof *means), sd;
	bool ok = means != NULL || tuner_fail_memory(err);

	for (size_t k = 0; ok && k < gain->m; k++) {
		const struct gp *gp = gain->gps[k];

		gp_own_means(gp, means);
		for (size_t i = 0; i < n; i++)
			ret[i * gain->m + k] = means[i];
		for (size_t i = n; ok && i < n + n_pending; i++)
			ok = gp_predict(gp, gp_row(gp, i), 1, &ret[i * gain->m + k], &sd, err);
	}
	free(means);
	return ok;
}

static void keep_front(struct front_gain *gain, const double *outcomes, const bool *on, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (on[i])
			memcpy(&gain->front[gain->m * gain->n_front++], &outcomes[i * gain->m],
				gain->m * sizeof *outcomes);
}

/* The marked outcomes that the marked ones do not surpass; the others are moved out of reach. */
static void mark_front(double *outcomes, const bool *marked, size_t n, size_t m, bool *ret_on)
{
	for (size_t i = 0; i < n; i++)
		if (!marked[i])
			outcomes[i * m] = NAN;
	pareto_front(outcomes, n, m, ret_on);
}

static bool find_front(struct front_gain *gain, const bool *eligible, const double *chances,
	struct tuner_error *err)
{
	const size_t n = gp_n_outcomes(gain->gps[0]), all = gp_n(gain->gps[0]);
	double *outcomes = calloc(all * gain->m + 1, sizeof *outcomes);
	bool *marked = calloc(all + 1, sizeof *marked), *on = calloc(all + 1, sizeof *on);

	gain->front = calloc(all * gain->m + 1, sizeof *gain->front);
	gain->rows = calloc(n + 1, sizeof *gain->rows);
	bool ok = (outcomes && marked && on && gain->front && gain->rows) || tuner_fail_memory(err);

	ok = ok && predict_rows(gain, n, all - n, outcomes, err);
	if (ok) {
		find_reference(gain, outcomes, eligible, n);
		memcpy(marked, eligible, n * sizeof *marked);
		for (size_t i = n; i < all; i++)
			marked[i] = chances == NULL || chances[i - n] >= 0.5;
		mark_front(outcomes, marked, n, gain->m, on);
		for (size_t i = 0; i < n; i++)
			if (on[i])
				gain->rows[gain->n_rows++] = i;
		mark_front(outcomes, marked, all, gain->m, on);
		keep_front(gain, outcomes, on, all);
	}
	free(outcomes);
	free(marked);
	free(on);
	return ok;
}

/* ---- boxes ---- */

/* Outcomes of the front as levels. `steps` > 0: rounded down to this many. */
static bool find_levels(
	struct front_gain *gain, size_t steps, unsigned *ret, struct tuner_error *err)
{
	const size_t n = gain->n_front, m = gain->m;

	for (size_t k = 0; k < m; k++) {
		const double least = gain->least[k];
		const double step = (gain->reference[k] - least) / (double)(steps > 0 ? steps : 1);
		double *values = calloc(n + 1, sizeof *values);
		size_t kept = 0;

		free(gain->levels[k]);
		gain->levels[k] = values;
		if (values == NULL)
			return tuner_fail_memory(err);
		for (size_t i = 0; i < n; i++) {
			const double value = gain->front[i * m + k];

			values[i] =
				steps == 0 ? value : least + step * floor((value - least) / step);
		}
		gsl_sort(values, 1, n);
		for (size_t i = 0; i < n; i++)
			if (values[i] < gain->reference[k] &&
				(kept == 0 || values[i] > values[kept - 1]))
				values[kept++] = values[i];
		values[kept] = gain->reference[k];
		gain->n_levels[k] = kept + 2;
		for (size_t i = 0; i < n; i++) {
			const double value = gain->front[i * m + k];
			unsigned level = 1; /* the greatest that is not above the value */

			while (level <= kept && values[level] <= value)
				level++;
			ret[i * m + k] = level;
		}
	}
	return true;
}

/* Takes what the outcome equals or surpasses out of the boxes: what is left of each is better than it
 * in an objective, and not in those before. False: there is no room. */
static bool cut(struct front_gain *gain, const unsigned *outcome)
{
	const size_t m = gain->m, n = gain->n_boxes;
	struct box *boxes = gain->boxes;
	size_t kept = 0, end = n;

	for (size_t i = 0; i < n; i++) {
		struct box rest = boxes[i];
		size_t inside = 0;

		for (size_t k = 0; k < m; k++)
			inside += outcome[k] < rest.upper[k];
		if (inside < m) {
			boxes[kept++] = rest;
			continue;
		}
		for (size_t k = 0; k < m; k++) {
			if (rest.lower[k] >= outcome[k])
				continue;
			if (end == 2 * FRONT_GAIN_BOXES_MAX)
				return false;
			boxes[end] = rest;
			boxes[end++].upper[k] = outcome[k];
			rest.lower[k] = outcome[k];
		}
	}
	memmove(&boxes[kept], &boxes[n], (end - n) * sizeof *boxes);
	gain->n_boxes = kept + end - n;
	return gain->n_boxes <= FRONT_GAIN_BOXES_MAX;
}

/* By ascending first objective there are fewest. */
static bool cut_all(struct front_gain *gain, const unsigned *outcomes, const size_t *order)
{
	gain->n_boxes = 1;
	gain->boxes[0] = (struct box){ { 0 }, { 0 } };
	for (size_t k = 0; k < gain->m; k++)
		gain->boxes[0].upper[k] = (unsigned)gain->n_levels[k] - 1;
	for (size_t i = 0; i < gain->n_front; i++)
		if (!cut(gain, &outcomes[order[i] * gain->m]))
			return false;
	return true;
}

static bool make_boxes(struct front_gain *gain, struct tuner_error *err)
{
	unsigned *outcomes = calloc(gain->n_front * gain->m + 1, sizeof *outcomes);
	size_t *order = calloc(gain->n_front + 1, sizeof *order), steps = 0;

	gain->boxes = calloc(2 * FRONT_GAIN_BOXES_MAX, sizeof *gain->boxes);
	bool ok = (outcomes && order && gain->boxes) || tuner_fail_memory(err);

	if (ok)
		gsl_sort_index(order, gain->front, gain->m, gain->n_front);
	ok = ok && find_levels(gain, steps, outcomes, err);
	while (ok && !cut_all(gain, outcomes, order)) {
		steps = steps == 0 ? STEPS_FIRST : steps / 2;
		ok = find_levels(gain, steps, outcomes, err);
	}
	free(outcomes);
	free(order);
	return ok;
}

/* ---- one point ---- */

static void find_logs(
	const struct front_gain *gain, const double *mean, const double *sd, bool slopes)
{
	for (size_t k = 0; k < gain->m; k++) {
		const size_t at = k * gain->stride;

		gain->logs[at] = -INFINITY;
		gain->by_mean[at] = gain->by_sd[at] = 0;
		for (size_t j = 1; j < gain->n_levels[k]; j++)
			gain->logs[at + j] = log_expected_improvement(mean[k], sd[k],
				gain->levels[k][j - 1], slopes ? &gain->by_mean[at + j] : NULL,
				slopes ? &gain->by_sd[at + j] : NULL);
	}
}

/* ln (Psi(b) - Psi(a)) of a side. */
static double log_side(const struct front_gain *gain, const struct box *box, size_t k)
{
	const double *logs = &gain->logs[k * gain->stride];
	const double a = logs[box->lower[k]], b = logs[box->upper[k]];

	return a < b ? b + log1p(-exp(a - b)) : -INFINITY;
}

static double log_volume(const struct front_gain *gain, const struct box *box)
{
	double sum = 0;

	for (size_t k = 0; k < gain->m; k++)
		sum += log_side(gain, box, k);
	return sum;
}

/* Of ln (Psi(b) - Psi(a)): with q = Psi(a) / Psi(b), (s_b - q s_a) / (1 - q). */
static double slope(
	const struct front_gain *gain, const struct box *box, size_t k, const double *slopes)
{
	const size_t a = k * gain->stride + box->lower[k], b = k * gain->stride + box->upper[k];
	const double q = exp(gain->logs[a] - gain->logs[b]);

	return q < 1 ? (slopes[b] - q * slopes[a]) / (1 - q) : 0;
}

/* The logarithm of the factor; adds its derivatives unless NULL. */
static double augmentation(const struct front_gain *gain, const double *sd, double *by_sd)
{
	const double part = 1 / (double)gain->m;
	double sum = 0;

	for (size_t k = 0; k < gain->m; k++) {
		double by_own;

		sum += part * log_augmentation(sd[k], gain->noise_sds[k], &by_own);
		if (by_sd != NULL)
			by_sd[k] += part * by_own;
	}
	return sum;
}

double front_gain_value(const struct front_gain *gain, const double *mean, const double *sd,
	double *ret_by_mean, double *ret_by_sd)
{
	double best = -INFINITY, total = 0;

	find_logs(gain, mean, sd, ret_by_mean != NULL);
	for (size_t i = 0; i < gain->n_boxes; i++) {
		gain->volumes[i] = log_volume(gain, &gain->boxes[i]);
		best = fmax(best, gain->volumes[i]);
	}
	for (size_t k = 0; ret_by_mean != NULL && k < gain->m; k++)
		ret_by_mean[k] = ret_by_sd[k] = 0;
	if (best == -INFINITY)
		return best;
	for (size_t i = 0; i < gain->n_boxes; i++) {
		const double part = exp(gain->volumes[i] - best);

		total += part;
		for (size_t k = 0; part > 1e-12 && ret_by_mean != NULL && k < gain->m; k++) {
			ret_by_mean[k] += part * slope(gain, &gain->boxes[i], k, gain->by_mean);
			ret_by_sd[k] += part * slope(gain, &gain->boxes[i], k, gain->by_sd);
		}
	}
	for (size_t k = 0; ret_by_mean != NULL && k < gain->m; k++) {
		ret_by_mean[k] /= total;
		ret_by_sd[k] /= total;
	}
	return best + log(total) + augmentation(gain, sd, ret_by_mean != NULL ? ret_by_sd : NULL);
}

/* ---- the term ---- */

static bool add(void *context, const double *X, size_t n, double *values, double *gradients,
	struct tuner_error *err)
{
	struct front_gain *gain = context;
	const size_t d = gain->d, m = gain->m;
	double means[M][BLOCK], sds[M][BLOCK], mean[M], sd[M], by_mean[M], by_sd[M];

	for (size_t i = 0; i < n; i += BLOCK) {
		const size_t rows = n - i < BLOCK ? n - i : BLOCK;

		for (size_t k = 0; k < m; k++) {
			double *own = &gain->gradients[2 * k * BLOCK * d];

			if (!(gradients == NULL
					    ? gp_predict(gain->gps[k], X + i * d, rows, means[k],
						      sds[k], err)
					    : gp_predict_gradient(gain->gps[k], X + i * d, rows,
						      means[k], sds[k], own, own + BLOCK * d, err)))
				return false;
		}
		for (size_t r = 0; r < rows; r++) {
			for (size_t k = 0; k < m; k++) {
				mean[k] = means[k][r];
				sd[k] = sds[k][r];
			}
			values[i + r] += front_gain_value(
				gain, mean, sd, gradients != NULL ? by_mean : NULL, by_sd);
			for (size_t k = 0; gradients != NULL && k < m; k++) {
				const double *own = &gain->gradients[2 * k * BLOCK * d];

				for (size_t j = 0; j < d; j++)
					gradients[(i + r) * d + j] +=
						by_mean[k] * own[r * d + j] +
						by_sd[k] * own[(BLOCK + r) * d + j];
			}
		}
	}
	return true;
}

/* Psi by libm, of which the far tail is a few percent off. */
static double quick_improvement(double mean, double sd, double target)
{
	const double z = (target - mean) / sd, density = 0.3989422804014327 * exp(-0.5 * z * z);

	return sd * (z > -5 ? density + z * 0.5 * erfc(-M_SQRT1_2 * z) : density / (z * z + 3));
}

static double quick_value(const struct front_gain *gain, const double *mean, const double *sd)
{
	double total = 0;

	for (size_t k = 0; k < gain->m; k++) {
		double *psi = &gain->logs[k * gain->stride];

		psi[0] = 0;
		for (size_t j = 1; j < gain->n_levels[k]; j++)
			psi[j] = quick_improvement(mean[k], sd[k], gain->levels[k][j - 1]);
	}
	for (size_t i = 0; i < gain->n_boxes; i++) {
		const struct box *box = &gain->boxes[i];
		double volume = 1;

		for (size_t k = 0; k < gain->m; k++) {
			const double *psi = &gain->logs[k * gain->stride];

			volume *= psi[box->upper[k]] - psi[box->lower[k]];
		}
		total += fmax(volume, 0);
	}
	return log(total) + augmentation(gain, sd, NULL);
}

static bool add_glance(
	void *context, const double *X, size_t n, double *values, struct tuner_error *err)
{
	struct front_gain *gain = context;
	const size_t stride = gp_glance_stride(n), m = gain->m;
	float *means = calloc(2 * m * stride + 1, sizeof *means);
	double mean[M], sd[M];
	bool ok = means != NULL || tuner_fail_memory(err);

	for (size_t k = 0; ok && k < m; k++)
		ok = gp_glance(gain->gps[k], X, n, &means[2 * k * stride],
			&means[(2 * k + 1) * stride], err);
	for (size_t i = 0; ok && i < n; i++) {
		for (size_t k = 0; k < m; k++) {
			mean[k] = means[2 * k * stride + i];
			sd[k] = fmax(means[(2 * k + 1) * stride + i], 1e-6);
		}
		values[i] += quick_value(gain, mean, sd);
	}
	free(means);
	return ok;
}

struct acquisition_term front_gain_term(struct front_gain *gain)
{
	return (struct acquisition_term){ gain, add, add_glance };
}

/* ---- create ---- */

static bool allocate(struct front_gain *gain, struct tuner_error *err)
{
	for (size_t k = 0; k < gain->m; k++)
		if (gain->n_levels[k] > gain->stride)
			gain->stride = gain->n_levels[k];
	gain->gradients = factor_allocate(2 * gain->m * BLOCK, gain->d);
	gain->logs = calloc(3 * gain->m * gain->stride, sizeof *gain->logs);
	gain->by_mean = gain->logs + gain->m * gain->stride;
	gain->by_sd = gain->by_mean + gain->m * gain->stride;
	gain->volumes = calloc(gain->n_boxes, sizeof *gain->volumes);
	return (gain->gradients && gain->logs && gain->volumes) || tuner_fail_memory(err);
}

bool front_gain_create(struct gp *const *gps, size_t m, const bool *eligible, const double *chances,
	const double *noise_sds, struct front_gain **ret, struct tuner_error *err)
{
	struct front_gain *gain = calloc(1, sizeof *gain);

	tuner_assert(m >= 1 && m <= M);
	if (gain == NULL)
		return tuner_fail_memory(err);
	gain->m = m;
	gain->d = gp_d(gps[0]);
	gain->gps = gps;
	for (size_t k = 0; noise_sds != NULL && k < m; k++)
		gain->noise_sds[k] = noise_sds[k];
	if (!find_front(gain, eligible, chances, err) || !make_boxes(gain, err) ||
		!allocate(gain, err)) {
		front_gain_destroy(gain);
		return false;
	}
	*ret = gain;
	return true;
}

void front_gain_destroy(struct front_gain *gain)
{
	if (gain == NULL)
		return;
	for (size_t k = 0; k < gain->m; k++)
		free(gain->levels[k]);
	free(gain->rows);
	free(gain->front);
	free(gain->boxes);
	free(gain->gradients);
	free(gain->logs);
	free(gain->volumes);
	free(gain);
}

void front_gain_rows(const struct front_gain *gain, size_t *ret_rows, size_t *ret_n)
{
	memcpy(ret_rows, gain->rows, gain->n_rows * sizeof *ret_rows);
	*ret_n = gain->n_rows;
}
