/* Do the statistics of a comparison hold?
 *
 *     compare-calibration [--comparisons 1000] [--repeats 5,10,20,30] [--trials 30] [--problem hartmann6]
 *                         [--effect 0.8] [--seed 1]
 *
 * Each comparison is simulated: `repeats` pairs of searches with the same initial points. First random search
 * against random search, where there is nothing to find:
 *
 *     holds zero    part of the 95 % intervals (paired_interval) that contain 0; from 93 to 97 % is good
 *     p < .05       part of the p-values below; at most 5 %, but for chance
 *     KS p          Kolmogorov-Smirnov test of the p-values against the uniform distribution; those of few repeats are
 *                   2 / 2^n apart, so each is first spread evenly over its own step
 *
 * Then with normal differences of `effect` standard deviations: the part that the test finds, beside what
 * paired_power says. Exit status 1 if an interval holds zero too seldom or too often, or a p-value's
 * distribution is not uniform (KS p < .001), or the power is off by more than .05. */
#include "benchmarks/number_list.h"
#include "benchmarks/problems.h"
#include "surrogate/paired.h"

#include <getopt.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS_MAX = 200 };

struct setting {
	const struct problem *problem;
	size_t comparisons, trials;
	double effect;
	bool shared; /* the searches of a pair begin with the same points */
	uint64_t seed;
};

static double best_of_random(
	const struct problem *problem, const struct setting *setting, uint64_t pair, uint32_t arm)
{
	double values[SPACE_PARAMETERS_MAX], best = INFINITY;
	const size_t shared = setting->shared ? problem_n_initial(problem) : 0;
	struct random random;

	random_init(&random, (struct random_key){ .seed = setting->seed + pair,
				     .repeat = arm,
				     .number = 1,
				     .purpose = RANDOM_TEST });
	for (size_t t = 0; t < setting->trials; t++) {
		if (t < shared)
			problem_initial(problem, setting->seed + pair, t, values);
		else
			problem_random(problem, &random, values);
		best = fmin(best, problem_value(problem, values));
	}
	return best;
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Kolmogorov's distribution, Stephens' correction for n. */
static double ks_p_value(double *p, size_t n)
{
	const double root = sqrt((double)n);
	double distance = 0, sum = 0;

	qsort(p, n, sizeof(*p), compare_doubles);
	for (size_t i = 0; i < n; i++) {
		const double above = (double)(i + 1) / (double)n - p[i];
		const double below = p[i] - (double)i / (double)n;
		distance = fmax(distance, fmax(above, below));
	}
	const double lambda = (root + 0.12 + 0.11 / root) * distance;
	for (int k = 1; k <= 100; k++)
		sum += (k % 2 == 1 ? 2 : -2) * exp(-2.0 * k * k * lambda * lambda);
	return lambda < 0.2 ? 1 : fmin(1, fmax(0, sum));
}

struct result {
	double holds, significant, ks, power;
};

/* The probability of a p-value at most as small is the value itself only at its steps: between them it is
 * drawn. */
static double spread_evenly(double p, double step, struct random *random)
{
	return p - step * random_uniform(random);
}

static bool without_effect(
	const struct setting *setting, size_t n, struct result *ret, struct tuner_error *err)
{
	const double step = n <= PAIRED_EXACT_MAX ? paired_least_p_value(n) : 0;
	double *p_values = malloc(setting->comparisons * sizeof(*p_values)), x[REPEATS_MAX];
	struct random random;
	bool ok = p_values != NULL || tuner_fail_memory(err);

	random_init(&random,
		(struct random_key){ .seed = setting->seed, .number = 2, .purpose = RANDOM_TEST });
	for (size_t c = 0; ok && c < setting->comparisons; c++) {
		const struct random_key key = { .seed = setting->seed + c, .number = (uint32_t)n };
		struct interval interval;
		for (size_t r = 0; r < n; r++) {
			const uint64_t pair = (c * REPEATS_MAX + r) * 7919;
			x[r] = best_of_random(setting->problem, setting, pair, 1) -
			       best_of_random(setting->problem, setting, pair, 2);
		}
		ok = paired_interval(x, n, 0.95, key, &interval, err);
		ret->holds += interval.low <= 0 && 0 <= interval.high;
		p_values[c] = paired_p_value(x, n, key);
		ret->significant += p_values[c] < 0.05;
		p_values[c] = spread_evenly(p_values[c], step, &random);
	}
	ret->holds /= (double)setting->comparisons;
	ret->significant /= (double)setting->comparisons;
	if (ok)
		ret->ks = ks_p_value(p_values, setting->comparisons);
	free(p_values);
	return ok;
}

static void with_effect(const struct setting *setting, size_t n, struct result *ret)
{
	struct random random;
	double x[REPEATS_MAX];

	random_init(&random,
		(struct random_key){ .seed = setting->seed, .number = 3, .purpose = RANDOM_TEST });
	for (size_t c = 0; c < setting->comparisons; c++) {
		const struct random_key key = { .seed = setting->seed + c, .number = (uint32_t)n };
		for (size_t r = 0; r < n; r++)
			x[r] = setting->effect + random_normal(&random);
		ret->power += paired_p_value(x, n, key) <= 0.05;
	}
	ret->power /= (double)setting->comparisons;
}

/* With n repeats the exact test cannot give a p-value of .05 itself: the t-test's power at the nearest that
 * it can give below. */
static double attainable(size_t n)
{
	const double step = n <= PAIRED_EXACT_MAX ? paired_least_p_value(n) : 0;

	return step == 0 ? 0.05 : floor(0.05 / step) * step;
}

static bool measure(const struct setting *setting, size_t n, bool *good, struct tuner_error *err)
{
	struct result result = { 0 };
	const double alpha = attainable(n);
	const double expected = alpha > 0 ? paired_power(setting->effect, n, alpha) : 0;

	if (!without_effect(setting, n, &result, err))
		return false;
	with_effect(setting, n, &result);
	const bool holds = result.holds >= 0.93 && result.holds <= 0.97;
	const bool uniform = result.ks >= 0.001;
	const bool power = fabs(result.power - expected) <= 0.05;
	printf("%7zu %11.1f %% %9.1f %% %9.3f %9.3f %9.3f%s%s%s\n", n, 100 * result.holds,
		100 * result.significant, result.ks, result.power, expected,
		holds ? "" : "  intervals!", uniform ? "" : "  p-values!", power ? "" : "  power!");
	fflush(stdout);
	*good &= holds && uniform && power;
	return true;
}

static int usage(const char *what)
{
	fprintf(stderr, "compare-calibration: %s; see the head of its source\n", what);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "comparisons", 1, NULL, 'c' },
		{ "repeats", 1, NULL, 'r' }, { "trials", 1, NULL, 't' },
		{ "problem", 1, NULL, 'p' }, { "effect", 1, NULL, 'e' }, { "seed", 1, NULL, 's' },
		{ "shared", 0, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct setting setting = { problem_find("hartmann6"), 1000, 30, 0.8, false, 1 };
	size_t repeats[NUMBER_LIST_MAX] = { 5, 10, 20, 30 }, n = 4;
	struct tuner_error err = { TUNER_OK, "" };
	bool good = true;

	gsl_set_error_handler_off();
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
		if (option == 'c')
			setting.comparisons = strtoul(optarg, NULL, 10);
		else if (option == 't')
			setting.trials = strtoul(optarg, NULL, 10);
		else if (option == 'p')
			setting.problem = problem_find(optarg);
		else if (option == 'e')
			setting.effect = strtod(optarg, NULL);
		else if (option == 'h')
			setting.shared = true;
		else if (option == 's')
			setting.seed = strtoull(optarg, NULL, 10);
		else if (option != 'r' || (n = number_list_read(optarg, repeats)) == 0)
			return usage("that is no option, or no list of numbers");
	for (size_t i = 0; i < n; i++)
		if (repeats[i] < 2 || repeats[i] > REPEATS_MAX)
			return usage("repeats: from 2 to 200");
	if (setting.problem == NULL || setting.comparisons == 0 || setting.trials == 0)
		return usage("no such problem, or nothing to do");
	printf("%zu comparisons of random search with itself, %zu trials of %s\n"
	       "repeats   holds zero     p < .05      KS p     found expected\n",
		setting.comparisons, setting.trials, setting.problem->name);
	for (size_t i = 0; i < n; i++)
		if (!measure(&setting, repeats[i], &good, &err)) {
			fprintf(stderr, "compare-calibration: %s\n", err.message);
			return 1;
		}
	return good ? 0 : 1;
}
