/* Stopping criteria of the search other than its budget: pure functions over the history.
 * Everything is minimised. They only report; the job's settings decide whether it ends. */
#ifndef SURROGATE_CONVERGENCE_H
#define SURROGATE_CONVERGENCE_H

#include <stdbool.h>
#include <stddef.h>

/* The least gain that counts, as a part of the best value. */
#define CONVERGENCE_GAIN 0.01

/* Number of trailing trials, in commit order, none of which was at least `gain` |best| better than
 * the best before it (where the best is 0, any better one counts). NaN and infinities do not
 * improve; the first finite objective does, unless a value was known before it (`known`; INFINITY:
 * none). SageMaker's BestObjectiveNotImproving ends a job when this reaches its limit of 3 or
 * more. */
size_t not_improving(const double *objectives, size_t n, double known, double gain);

/* What a committed suggestion of the model predicted for its own trial; suggest.h has the units. */
struct forecast {
	double mean, sd; /* NaN: the suggestion was not the model's */
	double incumbent; /* the value to improve on */
	double over; /* probability that its trial is over a limit, where it gains nothing */
};

/* P(f < incumbent - gain |incumbent|) within the limits, under the forecast; 1 without a forecast,
 * which is no reason to end. */
double gain_probability(const struct forecast *forecast, double gain);

/* True if the last `k` forecasts (k >= 1), in commit order, all gave the model's own choice a
 * probability of a gain below `probability`. Usual: k = 5, probability = 0.05. */
bool has_converged(
	const struct forecast *forecasts, size_t n, size_t k, double gain, double probability);

#endif
