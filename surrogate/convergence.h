/* Ends of the search other than its budget: pure functions over the history. Everything is
 * minimised. They only say what they see; whether the job then ends is the user's wish. */
#ifndef SURROGATE_CONVERGENCE_H
#define SURROGATE_CONVERGENCE_H

#include <stdbool.h>
#include <stddef.h>

/* A gain counts from this part of the best value on. */
#define CONVERGENCE_GAIN 0.01

/* Trailing trials, in commit order, none of which was at least `gain` |best| better than the best
 * before it (any better one counts where the best is 0). NaN and infinities do not improve; the
 * first finite objective does, unless something was known before it: `known`, INFINITY for nothing. SageMaker's
 * BestObjectiveNotImproving ends a job when this reaches its limit of 3 or more. */
size_t not_improving(const double *objectives, size_t n, double known, double gain);

/* What a committed suggestion of the model predicted for its own trial; suggest.h has the units. */
struct forecast {
	double mean, sd; /* NaN: it was not the model's */
	double incumbent; /* the value to improve on */
};

/* P(f < incumbent - gain |incumbent|) under the forecast; 1 where there is no forecast: nothing
 * speaks for an end. */
double gain_probability(const struct forecast *forecast, double gain);

/* True if the last `k` forecasts (k >= 1), in commit order, all gave the trial that the model liked
 * best a chance below `probability` of a gain. Usual: k = 5, probability = 0.05. */
bool has_converged(
	const struct forecast *forecasts, size_t n, size_t k, double gain, double probability);

#endif
