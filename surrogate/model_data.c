#include "surrogate/model_data.h"

#include "surrogate/limits.h"
#include "surrogate/subset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* All trials with something to learn from, before the choice. */
struct lessons {
	size_t n;
	double *X, *objectives;
	bool *failed, *within;
};

static bool teaches(const struct observation *observation)
{
	return observation->kind != OBSERVATION_STOPPED || !isnan(observation->objective);
}

static bool collect(const struct columns *columns, const struct suggest_request *request,
	struct lessons *ret, struct tuner_error *err)
{
	const size_t n = request->n_observations;
	const bool known = limits_are_known(request);

	ret->X = calloc(n * columns->d + 1, sizeof *ret->X);
	ret->objectives = calloc(n + 1, sizeof *ret->objectives);
	ret->failed = calloc(n + 1, sizeof *ret->failed);
	ret->within = calloc(n + 1, sizeof *ret->within);
	if (ret->X == NULL || ret->objectives == NULL || ret->failed == NULL || ret->within == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		const struct observation *observation = &request->observations[i];

		if (!teaches(observation) ||
			!columns_encode(columns, observation->values, &ret->X[ret->n * columns->d]))
			continue;
		ret->objectives[ret->n] = observation->objective;
		ret->within[ret->n] = limits_are_kept(observation, known);
		ret->failed[ret->n++] = observation->kind == OBSERVATION_FAILED;
	}
	return true;
}

static void lessons_finish(struct lessons *lessons)
{
	free(lessons->X);
	free(lessons->objectives);
	free(lessons->failed);
	free(lessons->within);
}

static bool encode_pending(struct model_data *data, const struct columns *columns,
	const struct suggest_request *request, struct tuner_error *err)
{
	data->X_pending = calloc(request->n_pending * columns->d + 1, sizeof *data->X_pending);
	if (data->X_pending == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < request->n_pending; i++)
		data->n_pending += columns_encode(columns, request->pending[i],
			&data->X_pending[data->n_pending * columns->d]);
	return true;
}

/* Turns the lessons into rows of the model, which take over their coordinates. */
static bool make_rows(struct lessons *lessons, const struct transform *transform, size_t d,
	struct replicates_rows *ret, struct tuner_error *err)
{
	const size_t n = lessons->n;

	*ret = (struct replicates_rows){
		.n = n,
		.d = d,
		.X = lessons->X,
		.y = calloc(n + 1, sizeof *ret->y),
		.noise_scales = calloc(n + 1, sizeof *ret->noise_scales),
		.counts = calloc(n + 1, sizeof *ret->counts),
		.scatters = calloc(n + 1, sizeof *ret->scatters),
		.valued = calloc(n + 1, sizeof *ret->valued),
		.within = calloc(n + 1, sizeof *ret->within),
	};
	lessons->X = NULL;
	if (!ret->y || !ret->noise_scales || !ret->counts || !ret->scatters || !ret->valued ||
		!ret->within)
		return tuner_fail_memory(err);
	memcpy(ret->y, transform_outcomes(transform), n * sizeof *ret->y);
	memcpy(ret->noise_scales, transform_noise_scales(transform), n * sizeof *ret->y);
	memcpy(ret->valued, transform_valued(transform), n * sizeof *ret->valued);
	for (size_t i = 0; i < n; i++)
		ret->within[i] = ret->valued[i] && lessons->within[i];
	return replicates_merge(ret, err);
}

static bool take(struct model_data *data, const struct replicates_rows *all, const size_t *rows,
	size_t n, struct tuner_error *err)
{
	const size_t d = all->d;

	data->X = calloc(n * d + 1, sizeof *data->X);
	data->y = calloc(n + 1, sizeof *data->y);
	data->noise_scales = calloc(n + 1, sizeof *data->noise_scales);
	data->counts = calloc(n + 1, sizeof *data->counts);
	data->scatters = calloc(n + 1, sizeof *data->scatters);
	data->valued = calloc(n + 1, sizeof *data->valued);
	data->within = calloc(n + 1, sizeof *data->within);
	if (!data->X || !data->y || !data->noise_scales || !data->counts || !data->scatters ||
		!data->valued || !data->within)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		memcpy(&data->X[i * d], &all->X[rows[i] * d], d * sizeof *data->X);
		data->y[i] = all->y[rows[i]];
		data->noise_scales[i] = all->noise_scales[rows[i]];
		data->counts[i] = all->counts[rows[i]];
		data->scatters[i] = all->scatters[rows[i]];
		data->valued[i] = all->valued[rows[i]];
		data->within[i] = all->within[rows[i]];
	}
	data->n = n;
	return true;
}

/* The outcomes by which rows are chosen: those that are over a limit come behind all others that have
 * a value. */
static bool rank_rows(const struct replicates_rows *all, double **ret, struct tuner_error *err)
{
	double *ranks = calloc(all->n + 1, sizeof *ranks), least = INFINITY, most = -INFINITY;

	if (ranks == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < all->n; i++) {
		least = fmin(least, all->y[i]);
		most = fmax(most, all->y[i]);
	}
	for (size_t i = 0; i < all->n; i++)
		ranks[i] = all->y[i] + (all->valued[i] && !all->within[i] ? most - least : 0);
	*ret = ranks;
	return true;
}

static bool choose(struct model_data *data, const struct columns *columns,
	const double *lengthscales, struct tuner_error *err)
{
	const struct replicates_rows *all = &data->all;
	double *ranks = NULL;

	if (!rank_rows(all, &ranks, err))
		return false;

	const struct subset_data rows = { .n = all->n,
		.d = columns->d,
		.X = all->X,
		.kinds = columns->kinds,
		.lengthscales = lengthscales,
		.outcomes = ranks };
	size_t chosen[MODEL_ROWS_MAX], n = 0;
	const bool ok = subset_choose(&rows, MODEL_ROWS_MAX, chosen, &n, err) &&
			take(data, all, chosen, n, err);

	free(ranks);
	return ok;
}

/* Ranks spread out the good outcomes, and their noise too. The noise variance of the last fit, in
 * standardised outcomes, tells whether there is any. */
enum transform_kind model_data_transform(const struct suggest_request *request, size_t d)
{
	const size_t n_start = request->strategy->warp == STRATEGY_WARP_NONE ? d + 1 : 3 * d + 1;

	if (request->strategy->transform != TRANSFORM_AUTO)
		return request->strategy->transform;
	return request->n_start == n_start && exp(request->start[d]) > MODEL_DATA_NOISY
		       ? TRANSFORM_WINSOR
		       : TRANSFORM_HALF_RANK;
}

static bool transform_and_choose(struct model_data *data, const struct columns *columns,
	struct lessons *lessons, enum transform_kind transform, const double *lengthscales,
	struct tuner_error *err)
{
	if (!transform_create(transform, lessons->objectives, lessons->failed, lessons->n,
		    &data->transform, err))
		return false;
	data->n_trials = lessons->n;
	for (size_t i = 0; i < lessons->n; i++)
		data->n_failed += !transform_valued(data->transform)[i];
	return make_rows(lessons, data->transform, columns->d, &data->all, err) &&
	       choose(data, columns, lengthscales, err);
}

bool model_data_init(struct model_data *data, const struct columns *columns,
	const struct suggest_request *request, const double *lengthscales, struct tuner_error *err)
{
	struct lessons lessons = { 0 };

	*data = (struct model_data){ .d = columns->d };

	const bool ok = collect(columns, request, &lessons, err) &&
			encode_pending(data, columns, request, err) &&
			transform_and_choose(data, columns, &lessons,
				model_data_transform(request, columns->d), lengthscales, err);

	lessons_finish(&lessons);
	if (!ok)
		model_data_finish(data);
	return ok;
}

static double worst_outcome(const struct model_data *data)
{
	double worst = -INFINITY;

	for (size_t i = 0; i < data->n; i++)
		if (data->valued[i])
			worst = fmax(worst, data->y[i]);
	return worst;
}

static void move_row(struct model_data *data, size_t d, size_t from, size_t to)
{
	memmove(&data->X[to * d], &data->X[from * d], d * sizeof *data->X);
	data->y[to] = data->y[from];
	data->noise_scales[to] = data->noise_scales[from];
	data->counts[to] = data->counts[from];
	data->scatters[to] = data->scatters[from];
	data->valued[to] = data->valued[from];
	data->within[to] = data->within[from];
}

/* Which of these failures are foretold is not known, so all are dropped. */
static void drop_failures(struct replicates_rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++)
		if (rows->valued[i])
			replicates_move(rows, i, n++);
	rows->n = n;
}

void model_data_keep_failures(struct model_data *data, const bool *foretold)
{
	const double worst = worst_outcome(data);
	size_t n = 0;

	for (size_t i = 0; i < data->n; i++) {
		if (!data->valued[i] && !foretold[i])
			continue;
		move_row(data, data->d, i, n);
		if (!data->valued[n])
			data->y[n] = worst;
		n++;
	}
	data->n = n;
	drop_failures(&data->all);
}

static void scale(size_t n, double factor, double *y, double *scatters)
{
	for (size_t i = 0; i < n; i++) {
		y[i] *= factor;
		scatters[i] *= factor * factor;
	}
}

void model_data_scale(struct model_data *data, double factor)
{
	transform_scale(data->transform, factor);
	scale(data->n, factor, data->y, data->scatters);
	scale(data->all.n, factor, data->all.y, data->all.scatters);
}

void model_data_finish(struct model_data *data)
{
	transform_destroy(data->transform);
	free(data->X);
	free(data->y);
	free(data->noise_scales);
	free(data->counts);
	free(data->scatters);
	free(data->valued);
	free(data->within);
	free(data->X_pending);
	replicates_finish(&data->all);
	*data = (struct model_data){ 0 };
}

struct gp_data model_data_view(const struct model_data *data)
{
	return (struct gp_data){ .n = data->n,
		.X = data->X,
		.y = data->y,
		.noise_scales = data->noise_scales,
		.counts = data->counts,
		.scatters = data->scatters };
}

struct gp_data model_data_view_all(const struct model_data *data)
{
	return (struct gp_data){ .n = data->all.n,
		.X = data->all.X,
		.y = data->all.y,
		.noise_scales = data->all.noise_scales,
		.counts = data->all.counts,
		.scatters = data->all.scatters };
}
