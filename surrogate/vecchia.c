#include "surrogate/vecchia.h"

#include "surrogate/factor.h"
#include "surrogate/replicates.h"
#include "surrogate/vecchia_block.h"
#include "surrogate/warp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = KERNEL_LANES };

static const double LOG_2_PI = 1.8378770664093454836;

/* The data that a block keeps for its gradient, until the mean is known. Arrays have LANES doubles
 * per place. */
struct record {
	double *G; /* pairs */
	double *u; /* points: L^-T e, e the unit vector of the point itself: u'y is y's innovation,
		      in units of its sd */
	double *alpha_y, *alpha_1; /* points, 0 for the last: K^-1 y and K^-1 1 of the neighbours */
	double new_y[LANES], new_1[LANES]; /* u'y and u'1 */
};

struct vecchia {
	size_t d, n, m, points, n_blocks, n_pairs;
	const enum dimension_kind *kinds;
	bool warped;
	double *X, *y, *noise_scales; /* in the order drawn */
	struct replicates replicates;
	size_t *neighbours; /* n x m row indices; n: none */
	double *inverse_lengths;
	double *W, *Z; /* n x d, row by row: warped (if it may be), scaled */
	double *by_w; /* n x d: gradient by W, if warped */
	struct record *records; /* n_blocks */
	double *memory; /* of the records */
	struct vecchia_block block; /* the current one; its G belongs to a record */
	double *scratch; /* pairs */
	double *x, *pull; /* points */
};

/* ---- allocation ---- */

static bool allocate_records(struct vecchia *v)
{
	const size_t each = (v->n_pairs + 3 * v->points) * LANES;

	v->records = calloc(v->n_blocks, sizeof *v->records);
	v->memory = factor_allocate(v->n_blocks, each);
	if (!v->records || !v->memory)
		return false;
	for (size_t b = 0; b < v->n_blocks; b++) {
		double *at = v->memory + b * each;

		v->records[b].G = at;
		v->records[b].u = at + v->n_pairs * LANES;
		v->records[b].alpha_y = v->records[b].u + v->points * LANES;
		v->records[b].alpha_1 = v->records[b].alpha_y + v->points * LANES;
	}
	return true;
}

static bool allocate(struct vecchia *v)
{
	const size_t n = v->n, d = v->d, points = v->points;

	v->X = factor_allocate(n, d);
	v->y = factor_allocate(1, n);
	v->noise_scales = factor_allocate(1, n);
	v->neighbours = calloc(n * v->m + 1, sizeof *v->neighbours);
	v->inverse_lengths = factor_allocate(1, d);
	v->W = factor_allocate(n, v->warped ? d : 0);
	v->Z = factor_allocate(n, d);
	v->by_w = factor_allocate(n, v->warped ? d : 0);
	v->block = (struct vecchia_block){ .points = points,
		.Z = factor_allocate(points * d, LANES),
		.present = factor_allocate(points, LANES),
		.noise = factor_allocate(points, LANES),
		.K = factor_allocate(v->n_pairs, LANES),
		.diagonal = factor_allocate(points, LANES) };
	v->scratch = factor_allocate(v->n_pairs, LANES);
	v->x = factor_allocate(points, LANES);
	v->pull = factor_allocate(points, LANES);
	return v->X && v->y && v->noise_scales && v->neighbours && v->inverse_lengths && v->W &&
	       v->Z && v->by_w && v->block.Z && v->block.present && v->block.noise && v->block.K &&
	       v->block.diagonal && v->scratch && v->x && v->pull && allocate_records(v);
}

void vecchia_destroy(struct vecchia *v)
{
	if (!v)
		return;
	free(v->X);
	free(v->y);
	free(v->noise_scales);
	free(v->neighbours);
	free(v->inverse_lengths);
	free(v->W);
	free(v->Z);
	free(v->by_w);
	free(v->records);
	free(v->memory);
	free(v->block.Z);
	free(v->block.present);
	free(v->block.noise);
	free(v->block.K);
	free(v->block.diagonal);
	free(v->scratch);
	free(v->x);
	free(v->pull);
	free(v);
}

/* ---- order and neighbours ---- */

static void copy_in_order(struct vecchia *v, const struct gp_data *data, const size_t *order)
{
	for (size_t i = 0; i < v->n; i++) {
		const size_t row = order[i];

		memcpy(v->X + i * v->d, data->X + row * v->d, v->d * sizeof *v->X);
		v->y[i] = data->y[row];
		v->noise_scales[i] = replicates_noise_scale(data, row);
	}
}

static bool draw_order(struct vecchia *v, const struct gp_data *data, struct random *random)
{
	size_t *order = calloc(v->n, sizeof *order);

	if (!order)
		return false;
	for (size_t i = 0; i < v->n; i++)
		order[i] = i;
	random_shuffle(random, order, v->n);
	copy_in_order(v, data, order);
	free(order);
	return true;
}

static struct kernel kernel_of(const struct vecchia *v)
{
	return (struct kernel){ v->d, v->kinds, v->inverse_lengths };
}

static const double *set_lengths_and_warp(struct vecchia *v, const double *theta)
{
	for (size_t k = 0; k < v->d; k++)
		v->inverse_lengths[k] = exp(-theta[kernel_length_of(v->kinds, k)]);
	if (!v->warped)
		return v->X;
	warp_rows(theta, v->d, v->kinds, v->X, v->n, v->W);
	return v->W;
}

/* The m most correlated of the first n rows, most correlated first; of equal ones the earlier. */
static void choose_neighbours(
	const double *correlations, size_t n, size_t m, double *chosen, size_t *ret)
{
	size_t found = 0;

	for (size_t j = 0; j < n; j++) {
		const double k = correlations[j];
		size_t at = found;

		if (found == m && !(k > chosen[m - 1]))
			continue;
		if (found == m)
			at--;
		else
			found++;
		for (; at > 0 && k > chosen[at - 1]; at--) {
			chosen[at] = chosen[at - 1];
			ret[at] = ret[at - 1];
		}
		chosen[at] = k;
		ret[at] = j;
	}
}

/* Nearest means most correlated, since the kernel covers all kinds of dimensions. */
static bool find_neighbours(struct vecchia *v, const double *theta)
{
	const struct kernel kernel = kernel_of(v);
	const size_t n = v->n, d = v->d, m = v->m, stride = kernel_stride(n);
	const double *W = set_lengths_and_warp(v, theta);
	double *Z = factor_allocate(d, stride), *row = factor_allocate(1, stride);
	double *z = factor_allocate(1, d), *chosen = factor_allocate(1, m);
	const bool ok = Z && row && z && chosen;

	for (size_t i = 0; i < n * m; i++)
		v->neighbours[i] = n;
	if (ok)
		kernel_scale(&kernel, W, n, Z, stride);
	for (size_t i = 1; ok && i < n && m > 0; i++) {
		for (size_t k = 0; k < d; k++)
			z[k] = Z[k * stride + i];
		kernel_row(&kernel, Z, stride, i, z, row, NULL);
		choose_neighbours(row, i, m, chosen, v->neighbours + i * m);
	}
	free(Z);
	free(row);
	free(z);
	free(chosen);
	return ok;
}

bool vecchia_create(size_t d, const enum dimension_kind *kinds, bool warped,
	const struct gp_data *data, size_t m, const double *theta, struct random *random,
	struct vecchia **ret, struct tuner_error *err)
{
	struct vecchia *v = calloc(1, sizeof *v);

	tuner_assert(data->n >= 1);
	if (!v)
		return tuner_fail_memory(err);
	v->d = d;
	v->n = data->n;
	v->m = m < data->n ? m : data->n - 1;
	v->points = v->m + 1;
	v->n_pairs = v->points * v->m / 2;
	v->n_blocks = (v->n + LANES - 1) / LANES;
	v->kinds = kinds;
	v->warped = warped;
	v->replicates = replicates_count(data);
	if (!allocate(v) || !draw_order(v, data, random) || !find_neighbours(v, theta)) {
		vecchia_destroy(v);
		return tuner_fail_memory(err);
	}
	*ret = v;
	return true;
}

/* ---- evaluation ---- */

/* The row at a place of a block's lane; n: none. */
static size_t row_at(const struct vecchia *v, size_t block, size_t place, size_t lane)
{
	const size_t i = block * LANES + lane;

	if (i >= v->n)
		return v->n;
	return place == v->m ? i : v->neighbours[i * v->m + place];
}

static void gather_place(struct vecchia *v, size_t block, size_t place, double noise)
{
	const size_t d = v->d;
	double *Z = v->block.Z + place * d * LANES;

	for (size_t l = 0; l < LANES; l++) {
		const size_t row = row_at(v, block, place, l);
		const bool present = row < v->n;

		v->block.present[place * LANES + l] = present;
		v->block.noise[place * LANES + l] = present ? noise * v->noise_scales[row] : 0;
		for (size_t k = 0; k < d; k++)
			Z[k * LANES + l] = present ? v->Z[row * d + k] : 0;
	}
}

static void gather(struct vecchia *v, size_t block, const double *theta)
{
	const double noise = exp(theta[v->d]);

	for (size_t place = 0; place < v->points; place++)
		gather_place(v, block, place, noise);
	v->block.G = v->records[block].G;
}

/* Records u, its products with y and 1, and the neighbours' alphas. */
static void record(struct vecchia *v, size_t block)
{
	const size_t m = v->m, last = m * LANES;
	struct record *r = &v->records[block];

	for (size_t place = 0; place < v->points; place++)
		for (size_t l = 0; l < LANES; l++) {
			const size_t row = row_at(v, block, place, l);

			r->u[place * LANES + l] = place == m;
			r->alpha_y[place * LANES + l] = row < v->n ? v->y[row] : 0;
			r->alpha_1[place * LANES + l] = row < v->n;
		}
	vecchia_block_backward(&v->block, v->points, r->u);
	vecchia_block_forward(&v->block, v->points, r->alpha_y);
	vecchia_block_forward(&v->block, v->points, r->alpha_1);
	memcpy(r->new_y, r->alpha_y + last, sizeof r->new_y);
	memcpy(r->new_1, r->alpha_1 + last, sizeof r->new_1);
	memset(r->alpha_y + last, 0, sizeof r->new_y);
	memset(r->alpha_1 + last, 0, sizeof r->new_1);
	vecchia_block_backward(&v->block, m, r->alpha_y);
	vecchia_block_backward(&v->block, m, r->alpha_1);
}

static double constant(const struct vecchia *v)
{
	double y = 0, ones = 0;

	for (size_t b = 0; b < v->n_blocks; b++)
		for (size_t l = 0; l < LANES; l++) {
			y += v->records[b].new_1[l] * v->records[b].new_y[l];
			ones += v->records[b].new_1[l] * v->records[b].new_1[l];
		}
	return y / ones;
}

static double value(const struct vecchia *v, double c)
{
	double sum = -0.5 * (double)v->n * LOG_2_PI;

	for (size_t b = 0; b < v->n_blocks; b++)
		for (size_t l = 0; l < LANES; l++) {
			const struct record *r = &v->records[b];
			const double rho = r->new_y[l] - c * r->new_1[l];

			/* u's last entry is 1 / L's. */
			sum += log(r->u[v->m * LANES + l]) - 0.5 * rho * rho;
		}
	return sum;
}

/* Adds this block's gradient by the warped coordinates, for the warp's parameters. */
static void add_pulls(struct vecchia *v, size_t block, const struct kernel *kernel, size_t k)
{
	vecchia_block_pull(kernel, &v->block, v->scratch, k, v->pull);
	for (size_t place = 0; place < v->points; place++)
		for (size_t l = 0; l < LANES; l++) {
			const size_t row = row_at(v, block, place, l);

			if (row < v->n)
				v->by_w[row * v->d + k] +=
					v->pull[place * LANES + l] * v->inverse_lengths[k];
		}
}

/* With u = L^-T e for the point and its neighbours, rho = u'(y - c 1) and alpha = K^-1 (y - c 1) of
 * the neighbours, the term is ln u_last - rho^2 / 2 and changes with their covariance matrix S by
 *
 *     -1/2 u'dS u + 1/2 rho^2 u'dS u + rho alpha'dS u = x'dS u,  x = (rho^2 - 1)/2 u + rho alpha. */
static void add_gradient(
	struct vecchia *v, size_t block, double c, const double *theta, double *gradient)
{
	const struct kernel kernel = kernel_of(v);
	const struct record *r = &v->records[block];

	gather(v, block, theta);
	for (size_t i = 0; i < v->points * LANES; i++) {
		const size_t l = i % LANES;
		const double rho = r->new_y[l] - c * r->new_1[l];

		v->x[i] =
			0.5 * (rho * rho - 1) * r->u[i] + rho * (r->alpha_y[i] - c * r->alpha_1[i]);
	}
	gradient[v->d] += vecchia_block_noise(&v->block, v->x, r->u);
	vecchia_block_weigh(&v->block, v->x, r->u, v->scratch);
	for (size_t k = 0; k < v->d; k++) {
		gradient[kernel_length_of(v->kinds, k)] +=
			vecchia_block_length(&kernel, &v->block, v->scratch, k);
		if (v->warped && v->kinds[k] == DIMENSION_NUMERIC)
			add_pulls(v, block, &kernel, k);
	}
}

static void warps_gradient(const struct vecchia *v, const double *theta, double *gradient)
{
	for (size_t k = 0; k < v->d; k++) {
		const struct warp warp = warp_of(theta, v->d, k);
		double *by = &gradient[v->d + 1 + 2 * k], by_log_a, by_log_b;

		for (size_t i = 0; v->kinds[k] == DIMENSION_NUMERIC && i < v->n; i++) {
			warp_gradient(warp, v->X[i * v->d + k], &by_log_a, &by_log_b);
			by[0] += v->by_w[i * v->d + k] * by_log_a;
			by[1] += v->by_w[i * v->d + k] * by_log_b;
		}
	}
}

static void differentiate(struct vecchia *v, double c, const double *theta, double *ret_gradient)
{
	memset(ret_gradient, 0, ((v->warped ? 3 : 1) * v->d + 1) * sizeof *ret_gradient);
	if (v->warped)
		memset(v->by_w, 0, v->n * v->d * sizeof *v->by_w);
	for (size_t b = 0; b < v->n_blocks; b++)
		add_gradient(v, b, c, theta, ret_gradient);
	if (v->warped)
		warps_gradient(v, theta, ret_gradient);
}

static void scale_rows(struct vecchia *v, const double *theta)
{
	const double *W = set_lengths_and_warp(v, theta);

	for (size_t k = 0; k < v->d; k++) {
		const double by = v->kinds[k] == DIMENSION_CATEGORY ? 1 : v->inverse_lengths[k];

		for (size_t i = k; i < v->n * v->d; i += v->d)
			v->Z[i] = W[i] * by;
	}
}

bool vecchia_evaluate(
	struct vecchia *v, const double *theta, double *ret_value, double *ret_gradient)
{
	const struct kernel kernel = kernel_of(v);

	scale_rows(v, theta);
	for (size_t b = 0; b < v->n_blocks; b++) {
		gather(v, b, theta);
		if (!vecchia_block_factor(&kernel, &v->block, v->scratch))
			return false;
		record(v, b);
	}

	const double c = constant(v);
	double by_scatter;

	*ret_value =
		value(v, c) + replicates_log_likelihood(&v->replicates, theta[v->d], &by_scatter);
	if (ret_gradient) {
		differentiate(v, c, theta, ret_gradient);
		ret_gradient[v->d] += by_scatter;
	}
	return isfinite(*ret_value);
}
