/* Do the statistics of a comparison hold?
 *
 *     compare-calibration [--comparisons 1000] [--repeats 5,10,20,30] [--trials 30] [--problem hartmann6]
 *                         [--shared] [--effect 0.8] [--over trials|time] [--speed-up 2] [--seed 1]
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
 * distribution is not uniform (KS p < .001), or the power is off by more than .05.
 *
 * --over time: trials take times that depend on their configurations and differ by a factor of 55 (problem_cost), and searches are
 * compared at equal spending, as `tuner compare` does over slot-seconds and money: by the best there, and by
 * the mean of the best so far up to there.
 *
 * --speed-up C: random search whose trials take a C-th of the time (over time), or are the best of C draws each (over
 * trials; C whole), against plain random search, which so needs C times as much, whatever the repeats
 * show. It is followed for four times as long as it takes to be there. Over trials also by its expected best:
 *
 *     holds C       part of the 95 % intervals that contain C; exit status 1 below 93 %
 *     above, below  part that lie above it, and below it
 *     open          part without an upper end
 *     median        of the estimates */
#include "benchmarks/number_list.h"
#include "benchmarks/problems.h"
#include "surrogate/anytime.h"
#include "surrogate/best_of.h"

#include <getopt.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS_MAX = 200, FOLLOWED = 4 };

struct setting {
	const struct problem *problem;
	size_t comparisons, trials;
	double effect, speed_up; /* speed_up 0: not that */
	bool over_time;
	bool shared; /* the searches of a pair begin with the same points */
	uint64_t seed;
};

/* One search: trials of so many draws each, whose best counts, that take so many times as long. */
struct search {
	double *values; /* of the trials */
	double *best, *spent; /* so far */
	double worst;
	size_t n;
};

/* A point of random search, or one that both searches of a pair begin with. */
static double draw(const struct setting *setting, uint64_t pair, size_t t, struct random *random,
	double *ret_values)
{
	if (setting->shared && t < problem_n_initial(setting->problem))
		problem_initial(setting->problem, setting->seed + pair, t, ret_values);
	else
		problem_random(setting->problem, random, ret_values);
	return problem_value(setting->problem, ret_values);
}

static void search_random(const struct setting *setting, uint64_t pair, uint32_t arm, size_t trials,
	size_t draws, double slower, struct search *ret)
{
	const uint64_t seed = setting->seed + pair + arm;
	double values[SPACE_PARAMETERS_MAX], best = INFINITY, spent = 0;
	struct random random;

	random_init(&random, (struct random_key){ .seed = setting->seed + pair,
				     .repeat = arm,
				     .number = 1,
				     .purpose = RANDOM_TEST });
	ret->n = trials;
	ret->worst = -INFINITY;
	for (size_t t = 0; t < trials; t++) {
		double value = INFINITY;
		for (size_t i = 0; i < draws; i++)
			value = fmin(value, draw(setting, pair, t, &random, values));
		best = fmin(best, value);
		spent += slower * problem_cost(setting->problem, values, seed, (uint32_t)t + 1);
		ret->worst = fmax(ret->worst, value);
		ret->values[t] = value;
		ret->best[t] = best;
		ret->spent[t] = spent;
	}
}

/* Room for the searches of a comparison: two arms of n repeats. */
struct room {
	double *memory;
	struct search searches[2][REPEATS_MAX];
	struct anytime curves[2][REPEATS_MAX];
};

static bool make_room(size_t repeats, size_t trials, struct room *ret, struct tuner_error *err)
{
	ret->memory = malloc(6 * repeats * trials * sizeof(double));
	if (ret->memory == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < 2 * repeats; i++)
		ret->searches[i % 2][i / 2] =
			(struct search){ .values = ret->memory + 3 * i * trials,
				.best = ret->memory + (3 * i + 1) * trials,
				.spent = ret->memory + (3 * i + 2) * trials };
	return true;
}

static void find_curves(struct room *room, size_t repeats)
{
	for (size_t i = 0; i < 2 * repeats; i++) {
		const struct search *search = &room->searches[i % 2][i / 2];
		const double worst =
			fmax(room->searches[0][i / 2].worst, room->searches[1][i / 2].worst);
		room->curves[i % 2][i / 2] =
			(struct anytime){ search->n, search->spent, search->best, worst };
	}
}

static uint64_t pair_of(size_t comparison, size_t repeat)
{
	return (comparison * REPEATS_MAX + repeat) * 7919;
}

/* Kolmogorov's distribution, Stephens' correction for n. */
static double ks_p_value(double *p, size_t n)
{
	const double root = sqrt((double)n);
	double distance = 0, sum = 0;

	gsl_sort(p, 1, n);
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

enum measure { BEST, MEAN_BEST };

struct result {
	double holds, significant, ks, power;
};

/* The probability of a p-value at most as small is the value itself only at its steps: between them it is
 * drawn. */
static double spread_evenly(double p, double step, struct random *random)
{
	return p - step * random_uniform(random);
}

/* The differences of one comparison of random search with itself. */
static void find_differences(const struct setting *setting, size_t n, size_t comparison,
	enum measure measure, struct room *room, double *ret)
{
	for (size_t r = 0; r < n; r++)
		for (uint32_t arm = 0; arm < 2; arm++)
			search_random(setting, pair_of(comparison, r), arm + 1, setting->trials, 1,
				1, &room->searches[arm][r]);
	find_curves(room, n);
	const double spent = setting->over_time ? fmin(anytime_end(room->curves[0], n),
							  anytime_end(room->curves[1], n))
						: INFINITY;
	for (size_t r = 0; r < n; r++) {
		const struct anytime *a = &room->curves[0][r], *b = &room->curves[1][r];
		ret[r] = measure == BEST ? anytime_best(a, spent) - anytime_best(b, spent)
					 : anytime_mean(a, spent) - anytime_mean(b, spent);
	}
}

static bool without_effect(const struct setting *setting, size_t n, enum measure measure,
	struct result *ret, struct tuner_error *err)
{
	const double step = n <= PAIRED_EXACT_MAX ? paired_least_p_value(n) : 0;
	double *p_values = malloc(setting->comparisons * sizeof(*p_values)), x[REPEATS_MAX];
	struct room *room = calloc(1, sizeof(*room));
	struct random random;
	bool ok = ((p_values != NULL && room != NULL) || tuner_fail_memory(err)) &&
		  make_room(n, setting->trials, room, err);

	random_init(&random,
		(struct random_key){ .seed = setting->seed, .number = 2, .purpose = RANDOM_TEST });
	for (size_t c = 0; ok && c < setting->comparisons; c++) {
		const struct random_key key = { .seed = setting->seed + c, .number = (uint32_t)n };
		struct interval interval;
		find_differences(setting, n, c, measure, room, x);
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
	if (room != NULL)
		free(room->memory);
	free(room);
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

	if (!without_effect(setting, n, BEST, &result, err))
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

static bool measure_over_time(
	const struct setting *setting, size_t n, bool *good, struct tuner_error *err)
{
	static const char *const names[] = { "best", "mean best" };

	for (enum measure what = BEST; what <= MEAN_BEST; what++) {
		struct result result = { 0 };
		if (!without_effect(setting, n, what, &result, err))
			return false;
		const bool holds = result.holds >= 0.93 && result.holds <= 0.97;
		const bool uniform = result.ks >= 0.001;
		printf("%7zu  %-10s %11.1f %% %9.1f %% %9.3f%s%s\n", n, names[what],
			100 * result.holds, 100 * result.significant, result.ks,
			holds ? "" : "  intervals!", uniform ? "" : "  p-values!");
		fflush(stdout);
		*good &= holds && uniform;
	}
	return true;
}

/* ---- a known speed-up ---- */

/* How often an interval of the speed-up held it. */
struct speed_result {
	double *estimates;
	size_t above, below, open;
};

static size_t slow_trials(const struct setting *setting)
{
	return FOLLOWED * setting->trials * (setting->over_time ? 1 : (size_t)setting->speed_up);
}

static void add_speed(const struct setting *setting, size_t comparison, double times,
	struct interval interval, struct speed_result *ret)
{
	ret->estimates[comparison] = times;
	ret->above += interval.low > setting->speed_up;
	ret->below += interval.high < setting->speed_up;
	ret->open += isinf(interval.high) != 0;
}

static void print_speed(const struct setting *setting, size_t n, const char *name,
	struct speed_result *result, bool *good)
{
	const double all = (double)setting->comparisons;
	const double holds = 1 - (double)(result->above + result->below) / all;

	gsl_sort(result->estimates, 1, setting->comparisons);
	printf("%7zu  %-10s %9.1f %% %9.1f %% %9.1f %% %9.1f %% %9.3g%s\n", n, name, 100 * holds,
		100 * (double)result->above / all, 100 * (double)result->below / all,
		100 * (double)result->open / all, result->estimates[setting->comparisons / 2],
		holds >= 0.93 ? "" : "  intervals!");
	fflush(stdout);
	*good &= holds >= 0.93;
}

/* Row by row, as best_of.h has them. */
static double *rows_of(const struct search *searches, size_t n, bool of_best)
{
	const size_t length = searches[0].n;
	double *rows = malloc(n * length * sizeof(*rows));

	for (size_t r = 0; rows != NULL && r < n; r++)
		memcpy(rows + r * length, of_best ? searches[r].best : searches[r].values,
			length * sizeof(*rows));
	return rows;
}

static bool speed_over_time(const struct setting *setting, size_t n, size_t comparison,
	struct room *room, struct speed_result ret[2], struct tuner_error *err)
{
	const struct random_key key = { .seed = setting->seed + comparison, .number = (uint32_t)n };
	struct interval interval;
	double times;

	find_curves(room, n);
	if (!anytime_speed_up(room->curves[0], room->curves[1], n, anytime_end(room->curves[0], n),
		    false, 0.95, key, &times, &interval, err))
		return false;
	add_speed(setting, comparison, times, interval, &ret[0]);
	return true;
}

static bool speed_over_trials(const struct setting *setting, size_t n, size_t comparison,
	struct room *room, struct speed_result ret[2], struct tuner_error *err)
{
	const struct random_key key = { .seed = setting->seed + comparison, .number = (uint32_t)n };
	const size_t length = room->searches[1][0].n;
	double *quick = rows_of(room->searches[0], n, true);
	double *late = rows_of(room->searches[1], n, true);
	double *trials = rows_of(room->searches[1], n, false);
	const struct curves fast = { quick, n, room->searches[0][0].n };
	const struct curves slow = { late, n, length };
	bool ok = (quick != NULL && late != NULL && trials != NULL) || tuner_fail_memory(err);
	struct interval interval;
	double times;

	if (ok && (ok = speed_up_interval(&fast, &slow, 0.95, key, &interval, err)))
		add_speed(setting, comparison, speed_up(&fast, &slow), interval, &ret[0]);
	if (ok && (ok = expected_speed_up(
			   &fast, trials, n, length, 0.95, key, &times, &interval, err)))
		add_speed(setting, comparison, times, interval, &ret[1]);
	free(quick);
	free(late);
	free(trials);
	return ok;
}

/* One comparison in which the second arm needs `speed_up` times as much. */
static bool find_speed(const struct setting *setting, size_t n, size_t comparison,
	struct room *room, struct speed_result ret[2], struct tuner_error *err)
{
	const double times = setting->speed_up;
	const bool over_time = setting->over_time;

	for (size_t r = 0; r < n; r++) {
		const uint64_t pair = pair_of(comparison, r);
		search_random(setting, pair, 1, setting->trials, over_time ? 1 : (size_t)times, 1,
			&room->searches[0][r]);
		search_random(setting, pair, 2, slow_trials(setting), 1, over_time ? times : 1,
			&room->searches[1][r]);
	}
	return over_time ? speed_over_time(setting, n, comparison, room, ret, err)
			 : speed_over_trials(setting, n, comparison, room, ret, err);
}

static bool measure_speed_up(
	const struct setting *setting, size_t n, bool *good, struct tuner_error *err)
{
	double *memory = malloc(2 * setting->comparisons * sizeof(*memory));
	struct room *room = calloc(1, sizeof(*room));
	bool ok = ((memory != NULL && room != NULL) || tuner_fail_memory(err)) &&
		  make_room(n, slow_trials(setting), room, err);
	struct speed_result results[2] = { { .estimates = memory } };

	if (ok)
		results[1].estimates = memory + setting->comparisons;
	for (size_t c = 0; ok && c < setting->comparisons; c++)
		ok = find_speed(setting, n, c, room, results, err);
	if (ok)
		print_speed(setting, n, "curves", &results[0], good);
	if (ok && !setting->over_time)
		print_speed(setting, n, "expected", &results[1], good);
	if (room != NULL)
		free(room->memory);
	free(room);
	free(memory);
	return ok;
}

static int usage(const char *what)
{
	fprintf(stderr, "compare-calibration: %s; see the head of its source\n", what);
	return 2;
}

static void announce(const struct setting *setting)
{
	if (setting->speed_up > 0)
		printf("%zu comparisons of random search with one that needs %g times as %s, %zu "
		       "trials of "
		       "%s\nrepeats  by           holds C       above       below        open    "
		       "median\n",
			setting->comparisons, setting->speed_up,
			setting->over_time ? "much time" : "many trials", setting->trials,
			setting->problem->name);
	else if (setting->over_time)
		printf("%zu comparisons of random search with itself at equal spending, %zu trials "
		       "of "
		       "%s\nrepeats  measure       holds zero     p < .05      KS p\n",
			setting->comparisons, setting->trials, setting->problem->name);
	else
		printf("%zu comparisons of random search with itself, %zu trials of %s\n"
		       "repeats   holds zero     p < .05      KS p     found expected\n",
			setting->comparisons, setting->trials, setting->problem->name);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "comparisons", 1, NULL, 'c' },
		{ "repeats", 1, NULL, 'r' }, { "trials", 1, NULL, 't' },
		{ "problem", 1, NULL, 'p' }, { "effect", 1, NULL, 'e' }, { "seed", 1, NULL, 's' },
		{ "shared", 0, NULL, 'h' }, { "over", 1, NULL, 'o' }, { "speed-up", 1, NULL, 'u' },
		{ NULL, 0, NULL, 0 } };
	struct setting setting = { .problem = problem_find("hartmann6"),
		.comparisons = 1000,
		.trials = 30,
		.effect = 0.8,
		.seed = 1 };
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
		else if (option == 'o' &&
			 (strcmp(optarg, "time") == 0 || strcmp(optarg, "trials") == 0))
			setting.over_time = strcmp(optarg, "time") == 0;
		else if (option == 'u')
			setting.speed_up = strtod(optarg, NULL);
		else if (option == 's')
			setting.seed = strtoull(optarg, NULL, 10);
		else if (option != 'r' || (n = number_list_read(optarg, repeats)) == 0)
			return usage("that is no option, or no list of numbers");
	for (size_t i = 0; i < n; i++)
		if (repeats[i] < 2 || repeats[i] > REPEATS_MAX)
			return usage("repeats: from 2 to 200");
	if (setting.problem == NULL || setting.comparisons == 0 || setting.trials == 0)
		return usage("no such problem, or nothing to do");
	if (setting.speed_up != 0 && (!(setting.speed_up >= 1) || setting.speed_up > 100))
		return usage("--speed-up: from 1 to 100");
	announce(&setting);
	for (size_t i = 0; i < n; i++)
		if (!(setting.speed_up > 0 ? measure_speed_up(&setting, repeats[i], &good, &err)
			    : setting.over_time
				    ? measure_over_time(&setting, repeats[i], &good, &err)
				    : measure(&setting, repeats[i], &good, &err))) {
			fprintf(stderr, "compare-calibration: %s\n", err.message);
			return 1;
		}
	return good ? 0 : 1;
}
