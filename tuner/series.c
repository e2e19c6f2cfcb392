#include "tuner/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct series *series)
{
	if (series->n < series->capacity)
		return true;
	const size_t capacity = series->capacity ? 2 * series->capacity : 16;
	double *steps = realloc(series->steps, capacity * sizeof(*steps));
	if (steps == NULL)
		return false;
	series->steps = steps;
	double *values = realloc(series->values, capacity * sizeof(*values));
	if (values == NULL)
		return false;
	series->values = values;
	series->capacity = capacity;
	return true;
}

/* Steps beyond are an earlier launch's. */
static void advance(struct series *series, double step)
{
	if (series->begun && step <= series->reach)
		return;
	while (series->n > 0 && series->steps[series->n - 1] > step)
		series->n--;
	series->begun = true;
	series->reach = step;
}

bool series_put(struct series *series, double step, double value)
{
	if (!make_room(series))
		return false;
	advance(series, step);
	size_t i = series->n;
	while (i > 0 && series->steps[i - 1] > step)
		i--;
	if (i > 0 && series->steps[i - 1] == step) {
		series->values[i - 1] = value;
		return true;
	}
	memmove(series->steps + i + 1, series->steps + i, (series->n - i) * sizeof(double));
	memmove(series->values + i + 1, series->values + i, (series->n - i) * sizeof(double));
	series->steps[i] = step;
	series->values[i] = value;
	series->n++;
	return true;
}

void series_renew(struct series *series, int64_t attempt)
{
	series->begun = series->begun && series->loaded == attempt;
}

static void trim(double **values, size_t n)
{
	double *const trimmed = realloc(*values, n * sizeof(**values));

	if (trimmed != NULL)
		*values = trimmed;
}

void series_trim(struct series *series)
{
	if (series->n == 0)
		return;
	trim(&series->steps, series->n);
	trim(&series->values, series->n);
	series->capacity = series->n;
}

void series_finish(struct series *series)
{
	free(series->steps);
	free(series->values);
	*series = (struct series){ 0 };
}

bool series_load(struct series *series, struct store *store, int64_t trial_id, const char *metric,
	struct tuner_error *err)
{
	struct curve_list curves;
	if (!curve_select(store, trial_id, metric, &curves, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < curves.n; i++) {
		series->loaded = curves.items[i].newest;
		for (size_t k = 0; ok && k < curves.items[i].n; k++)
			ok = series_put(series, (double)curves.items[i].steps[k],
				curves.items[i].values[k]);
	}
	curve_list_finish(&curves);
	return ok || tuner_fail_memory(err);
}

static double best_of(const double *values, size_t n, bool maximize)
{
	double best = NAN;
	for (size_t i = 0; i < n; i++)
		if (!isnan(values[i]) &&
			(isnan(best) || (maximize ? values[i] > best : values[i] < best)))
			best = values[i];
	return best;
}

static double mean_of(const double *values, size_t n)
{
	double sum = 0;
	size_t counted = 0;
	for (size_t i = 0; i < n; i++) {
		if (isnan(values[i]))
			continue;
		sum += values[i];
		counted++;
	}
	if (counted == 0)
		return NAN;
	if (isfinite(sum))
		return sum / (double)counted;
	/* The sum overflows, though the mean may not. */
	sum = 0;
	for (size_t i = 0; i < n; i++)
		if (!isnan(values[i]))
			sum += values[i] / (double)counted;
	return sum;
}

double series_reduce(const struct series *series, enum reduce reduce, int64_t last, bool maximize)
{
	const size_t n = series->n;
	if (n == 0)
		return NAN;
	switch (reduce) {
	case REDUCE_BEST:
		return best_of(series->values, n, maximize);
	case REDUCE_MAX:
	case REDUCE_MIN:
		return best_of(series->values, n, reduce == REDUCE_MAX);
	case REDUCE_MEAN_OF_LAST: {
		const size_t k = (uint64_t)last < n ? (size_t)last : n;
		return mean_of(series->values + n - k, k);
	}
	case REDUCE_LAST:
		break;
	}
	return series->values[n - 1];
}
