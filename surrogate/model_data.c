#include "surrogate/model_data.h"

#include "surrogate/subset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* All trials that teach anything, before the choice. */
struct lessons {
	size_t n;
	double *X, *objectives;
	bool *failed;
};

static bool teaches(const struct observation *observation)
{
	return observation->kind != OBSERVATION_STOPPED || !isnan(observation->objective);
}

static bool collect(const struct columns *columns, const struct suggest_request *request,
	struct lessons *ret, struct tuner_error *err)
{
	const size_t n = request->n_observations;

	ret->X = calloc(n * columns->d + 1, sizeof *ret->X);
	ret->objectives = calloc(n + 1, sizeof *ret->objectives);
	ret->failed = calloc(n + 1, sizeof *ret->failed);
	if (ret->X == NULL || ret->objectives == NULL || ret->failed == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		const struct observation *observation = &request->observations[i];

		if (!teaches(observation) ||
			!columns_encode(columns, observation->values, &ret->X[ret->n * columns->d]))
			continue;
		ret->objectives[ret->n] = observation->objective;
		ret->failed[ret->n++] = observation->kind == OBSERVATION_FAILED;
	}
	return true;
}

static void lessons_finish(struct lessons *lessons)
{
	free(lessons->X);
	free(lessons->objectives);
	free(lessons->failed);
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

static bool take(struct model_data *data, const struct lessons *lessons, size_t d,
	const size_t *rows, size_t n, struct tuner_error *err)
{
	data->X = calloc(n * d + 1, sizeof *data->X);
	data->y = calloc(n + 1, sizeof *data->y);
	data->noise_scales = calloc(n + 1, sizeof *data->noise_scales);
	data->valued = calloc(n + 1, sizeof *data->valued);
	if (!data->X || !data->y || !data->noise_scales || !data->valued)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		memcpy(&data->X[i * d], &lessons->X[rows[i] * d], d * sizeof *data->X);
		data->y[i] = transform_outcomes(data->transform)[rows[i]];
		data->noise_scales[i] = transform_noise_scales(data->transform)[rows[i]];
		data->valued[i] = transform_valued(data->transform)[rows[i]];
	}
	data->n = n;
	return true;
}

static bool transform_and_choose(struct model_data *data, const struct columns *columns,
	const struct lessons *lessons, enum transform_kind transform, const double *lengthscales,
	struct tuner_error *err)
{
	size_t rows[MODEL_ROWS_MAX], n = 0;

	if (!transform_create(transform, lessons->objectives, lessons->failed, lessons->n,
		    &data->transform, err))
		return false;

	const struct subset_data all = { .n = lessons->n,
		.d = columns->d,
		.X = lessons->X,
		.kinds = columns->kinds,
		.lengthscales = lengthscales,
		.outcomes = transform_outcomes(data->transform) };

	return subset_choose(&all, MODEL_ROWS_MAX, rows, &n, err) &&
	       take(data, lessons, columns->d, rows, n, err);
}

bool model_data_init(struct model_data *data, const struct columns *columns,
	const struct suggest_request *request, const double *lengthscales, struct tuner_error *err)
{
	struct lessons lessons = { 0 };

	*data = (struct model_data){ 0 };

	const bool ok = collect(columns, request, &lessons, err) &&
			encode_pending(data, columns, request, err) &&
			transform_and_choose(data, columns, &lessons, request->strategy->transform,
				lengthscales, err);

	data->n_all = lessons.n;
	data->X_all = lessons.X;
	lessons.X = NULL;
	lessons_finish(&lessons);
	if (!ok)
		model_data_finish(data);
	return ok;
}

void model_data_finish(struct model_data *data)
{
	transform_destroy(data->transform);
	free(data->X);
	free(data->y);
	free(data->noise_scales);
	free(data->valued);
	free(data->X_pending);
	free(data->X_all);
	*data = (struct model_data){ 0 };
}

struct gp_data model_data_view(const struct model_data *data)
{
	return (struct gp_data){ data->n, data->X, data->y, data->noise_scales };
}
