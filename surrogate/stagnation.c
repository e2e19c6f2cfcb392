#include "surrogate/stagnation.h"

#include <math.h>

/* A trial over a limit is no result, however good. */
static bool has_objective(const struct observation *observation)
{
	return observation->kind != OBSERVATION_FAILED &&
	       observation->kind != OBSERVATION_OVER_LIMIT && isfinite(observation->objective);
}

static size_t count(const struct suggest_request *request)
{
	size_t n = 0;

	for (size_t i = 0; i < request->n_observations; i++)
		n += has_objective(&request->observations[i]);
	return n;
}

/* The best of the first n trials that have an objective. */
static double best_of_first(const struct suggest_request *request, size_t n)
{
	double best = INFINITY;

	for (size_t i = 0; i < request->n_observations && n > 0; i++)
		if (has_objective(&request->observations[i])) {
			best = fmin(best, request->observations[i].objective);
			n--;
		}
	return best;
}

static void insert(double *sorted, size_t n, double value)
{
	for (; n > 0 && sorted[n - 1] > value; n--)
		sorted[n] = sorted[n - 1];
	sorted[n] = value;
}

/* Of two middle values the upper one. */
static double median_of_first(const struct suggest_request *request)
{
	double sorted[STAGNATION_FIRST];
	size_t n = 0;

	for (size_t i = 0; i < request->n_observations && n < STAGNATION_FIRST; i++)
		if (has_objective(&request->observations[i]))
			insert(sorted, n++, request->observations[i].objective);
	return sorted[n / 2];
}

bool search_stagnates(const struct suggest_request *request, size_t n_initial)
{
	const size_t n = count(request);

	if (n < n_initial + STAGNATION_TRIALS)
		return false;
	const double best = best_of_first(request, n);
	const double gain = best_of_first(request, n - STAGNATION_TRIALS) - best;

	return gain < STAGNATION_GAIN * (median_of_first(request) - best);
}
