/* Problems for sample efficiency: objectives with a space, a best value or a Pareto front, noise, failures, and limits.
 *
 * Everything is minimised. A configuration is given as in surrogate/space.h. What a method is told of its
 * n-th trial depends on (problem, seed, n, configuration) alone, so that all methods are in one world. */
#ifndef BENCHMARKS_PROBLEMS_H
#define BENCHMARKS_PROBLEMS_H

#include "surrogate/suggest.h"

struct problem {
	const char *name;
	size_t d;
	const struct parameter *parameters; /* d; scales resolved */
	const struct condition *conditions; /* in their order */
	size_t n_conditions;
	double (*function)(size_t d, const double *x);
	double optimum; /* least value of the function, or the least known */
	double noise; /* standard deviation of what is observed */
	double outliers; /* part of the observations that get a large one-sided error */
	double failures; /* part of the space in which trials fail; the optimum is outside, if only just */
	double crashes; /* part of the trials that fail wherever they are */
	size_t n_limits; /* the optimum keeps them all */
	void (*excess)(size_t d, const double *x, double *ret);
	double excess_noise; /* standard deviation of what is observed of each */

	/* With several objectives: all of them by one function in place of `function`, without an optimum. */
	size_t n_others; /* objectives beside the first */
	void (*objectives)(size_t d, const double *x, double *ret);
	double others_noise[SUGGEST_OTHERS_MAX]; /* as `noise` */
	double reference[SUGGEST_OTHERS_MAX + 1]; /* hypervolumes are counted below it */
	double front; /* the Pareto front's (fronts.py) */
};

size_t problems_count(void);
const struct problem *problem_at(size_t i);

/* Those with limits, which are not among the others. */
size_t limited_problems_count(void);
const struct problem *limited_problem_at(size_t i);

/* Those with several objectives, some of them with limits. */
size_t front_problems_count(void);
const struct problem *front_problem_at(size_t i);

const struct problem *problem_find(const char *name); /* NULL: there is none */

/* A view. */
struct space problem_space(const struct problem *problem);

/* Trials: max(50, 10 d); with several objectives 60. */
size_t problem_budget(const struct problem *problem);

/* Points that every method is told first: max(5, min(2 d + 2, 12)) of them, settled. */
size_t problem_n_initial(const struct problem *problem);
void problem_initial(const struct problem *problem, uint64_t seed, size_t k, double *ret_values);

/* A point of random search, settled. */
void problem_random(const struct problem *problem, struct random *random, double *ret_values);

/* The noise-free value; NaN where the configuration fails. */
double problem_value(const struct problem *problem, const double *values);

/* What trial `number` (from 1) reports; NaN: it failed. */
double problem_observe(
	const struct problem *problem, const double *values, uint64_t seed, uint32_t number);

/* The objectives beside the first one (n_others) without noise, and what trial `number` reports of them. */
void problem_others(const struct problem *problem, const double *values, double *ret);
void problem_observe_others(const struct problem *problem, const double *values, uint64_t seed,
	uint32_t number, double *ret);

/* By how much the configuration exceeds the limits (n_limits), and what trial `number` reports of it. */
void problem_excess(const struct problem *problem, const double *values, double *ret);
void problem_observe_excess(const struct problem *problem, const double *values, uint64_t seed,
	uint32_t number, double *ret);
bool excess_is_within(const double *excess, size_t n); /* all at most 0 */

/* As problem_value; NaN also where a limit is exceeded. */
double problem_value_within(const struct problem *problem, const double *values);

/* How long it takes, in virtual time: log-normal with a median of 1 and sd 0.5 in the logarithm. */
double problem_duration(const struct problem *problem, uint64_t seed, uint32_t number);

/* The same where a trial's duration depends on its configuration: by exp(4 u), u from -1/2 to 1/2 along the
 * first parameter's axis, and a sd of 0.2 in the logarithm. */
double problem_cost(
	const struct problem *problem, const double *values, uint64_t seed, uint32_t number);

/* Median over 101 seeds of the least value within the limits that a random search of problem_budget trials finds; infinite: none in
 * most. */
double problem_random_median(const struct problem *problem);

#endif
