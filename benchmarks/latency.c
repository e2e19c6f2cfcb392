/* What a suggestion costs:
 *
 *     latency [--n 50,200,500,1000,2000] [--d 3,10,20] [--repeats 3] [--suggestions 20] [--limits 0] [--csv] [--set KEY=VALUE]
 *     latency --history --n N --d D
 *
 * A history of n random points and their objectives (a smooth function with a little noise); then 20 suggestions in
 * succession, each with the result of the one before. Three times over: with refits as they fall due, with
 * one at each suggestion, and with none. One thread; CPU milliseconds per suggestion, the median of the repeats. The
 * first of a succession has no hyperparameters to go on from: another suggestion comes before it, shown as "first".
 *
 * "at 44.7" is the time on a core that multiplies matrices at 44.7 GFLOP/s, as measured in the same run, and "goal" what
 * it should be there. The last columns are the distance to the limit: of the time, the share that
 * the operations done would take at the speed of a product of matrices, and of a vector of exponentials.
 *
 * --limits: a result must keep so many, each of which half of the random points do. What their models take is not in the limit's
 * operations.
 *
 * With --history the first repeat's points and objectives are written, for other programs to be measured on. */
#include "benchmarks/calibration.h"
#include "benchmarks/number_list.h"
#include "benchmarks/strategy_settings.h"
#include "surrogate/gp.h"
#include "surrogate/model_fit.h"
#include "surrogate/suggest.h"
#include "surrogate/vecchia.h"

#include <getopt.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS_MAX = 99, REFITS = SUGGEST_REFIT_NEVER + 1 };

static const double REFERENCE_GFLOPS = 44.7;

/* Milliseconds on such a core, for d up to 10. */
static const struct {
	size_t n;
	const char *ms;
} goals[] = { { 50, "1" }, { 200, "4" }, { 500, "17" }, { 1000, "60" }, { 2000, "290" } };

struct settings {
	struct strategy strategy;
	size_t repeats, suggestions, n_limits;
	struct calibration calibration;
	bool csv;
};

struct measurement {
	double first, mean, most; /* CPU ms */
	double limit; /* distance to it: 0 to 1 */
};

/* ---- the least time that the operations of a suggestion take ---- */

struct operations {
	double flops, exps;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void count(struct operations *sum, double times, double flops, double exps)
{
	sum->flops += times * flops;
	sum->exps += times * exps;
}

/* Of so many rows, each with its neighbours: a factor, six solutions, and the pairs' kernel and slopes. */
static void count_approximations(struct operations *sum, double times, double rows, double d)
{
	const double m = VECCHIA_NEIGHBOURS, pairs = m * (m + 1) / 2;

	count(sum, times * rows, m * m * (m / 3 + 6) + pairs * (6 * d + 20), pairs);
}

/* With `trials` trials in d columns, of which the model holds n. A likelihood with its gradient is a factor (n^3 / 3) and an
 * inverse (2 n^3 / 3); the model itself is factored once. The terms of lower order are those that count where n is small.
 * (Of the default's settings: of several models, or a random function, more is done than is counted here.) */
static struct operations count_operations(size_t trials, double d, const struct suggestion *s)
{
	const size_t seen = least(trials, MODEL_APPROXIMATE_ROWS);
	const double n = (double)least(trials, MODEL_ROWS_MAX);
	const double fitted = (double)least(trials, MODEL_FIT_ROWS);
	const uint64_t exact = s->work_fit - s->approximations * (seen / MODEL_ROWS_A_UNIT);
	const double likelihoods = exact > 1 ? (double)exact : 0;
	struct operations sum = { 0 };

	count_approximations(&sum, (double)s->approximations, (double)seen, d);
	count(&sum, likelihoods, fitted * fitted * (fitted + 3.5 * d + 15), fitted * fitted / 2);
	count(&sum, 1, n * n * (n / 3 + 1.5 * d), n * n / 2);
	count(&sum, (double)s->glances, (3 * d + 10) * n, n);
	count(&sum, (double)s->work_scores, n * (n + 3 * d + 10), n);
	count(&sum, (double)s->work_climbs, n * (2 * n + 6 * d + 17), n);
	return sum;
}

static double least_ms(
	const struct calibration *calibration, size_t n, size_t d, const struct suggestion *s)
{
	const struct operations sum = count_operations(n, (double)d, s);

	return 1e-6 * (sum.flops / calibration->gflops + sum.exps * calibration->exp_ns);
}

/* ---- one succession ---- */

static double objective(size_t d, const double *x, struct random *random)
{
	double sum = 0;

	for (size_t k = 0; k < d; k++)
		sum += sin(3 * x[k] + (double)k) + 0.5 * cos(5 * x[k] * x[(k + 1) % d]);
	return sum + 0.01 * random_normal(random);
}

/* How far beyond limit j. */
static double excess(size_t d, const double *x, size_t j)
{
	return x[j % d] + sin(3 * x[(j + 1) % d]) * x[(j + 2) % d] - 0.8;
}

static struct space make_space(size_t d)
{
	struct space space = { d, calloc(d, sizeof *space.parameters) };

	if (!space.parameters)
		abort();
	for (size_t k = 0; k < d; k++) {
		struct parameter *p = &space.parameters[k];

		snprintf(p->name, sizeof p->name, "x%zu", k + 1);
		p->type = PARAMETER_FLOAT;
		p->scale = SCALE_LINEAR;
		p->max = 1;
	}
	return space;
}

static void draw_point(struct random *random, size_t d, double *ret_x)
{
	for (size_t k = 0; k < d; k++)
		ret_x[k] = random_uniform(random);
}

static struct random make_random(uint64_t seed)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	return random;
}

/* A history that grows by what is suggested. */
struct succession {
	size_t d;
	struct space space;
	struct random random;
	double *X, *excesses, start[SUGGEST_HYPERPARAMETERS_MAX];
	struct observation *observations;
	struct suggest_request request;
	struct suggestion suggestion;
};

static void succession_finish(struct succession *s)
{
	space_finish(&s->space);
	free(s->X);
	free(s->excesses);
	free(s->observations);
}

static bool succession_init(struct succession *s, size_t n_max, size_t d, uint64_t seed,
	const struct settings *settings, struct tuner_error *err)
{
	*s = (struct succession){ .d = d, .space = make_space(d), .random = make_random(seed) };
	s->X = calloc(n_max * d, sizeof *s->X);
	s->excesses = calloc(n_max * settings->n_limits + 1, sizeof *s->excesses);
	s->observations = calloc(n_max, sizeof *s->observations);
	s->request = (struct suggest_request){ .space = &s->space,
		.strategy = &settings->strategy,
		.n_limits = settings->n_limits,
		.seed = seed,
		.number = 1,
		.budget_trials = n_max,
		.parallel = 1,
		.observations = s->observations };
	return (s->X != NULL && s->excesses != NULL && s->observations != NULL) ||
	       tuner_fail_memory(err);
}

/* The next trial's point. */
static double *next_point(struct succession *s)
{
	return &s->X[s->request.n_observations * s->d];
}

static void add_result(struct succession *s)
{
	const size_t n = s->request.n_observations++;
	const double *x = &s->X[n * s->d];
	double *excesses = &s->excesses[n * s->request.n_limits];
	enum observation_kind kind = OBSERVATION_DONE;

	for (size_t j = 0; j < s->request.n_limits; j++) {
		excesses[j] = excess(s->d, x, j);
		kind = excesses[j] > 0 ? OBSERVATION_OVER_LIMIT : kind;
	}
	s->observations[n] = (struct observation){ .values = x,
		.objective = objective(s->d, x, &s->random),
		.kind = kind,
		.excess = excesses };
	s->request.number++;
}

/* A point of the model's, with its result. *ret_ms: what the suggestion alone took. */
static bool suggest_next(struct succession *s, double *ret_ms, struct tuner_error *err)
{
	const struct suggestion *made = &s->suggestion;
	const double began = cpu_ms();

	if (!suggest(&s->request, &s->suggestion, err))
		return false;
	*ret_ms = cpu_ms() - began;
	memcpy(next_point(s), made->values, s->d * sizeof *s->X);
	memcpy(s->start, made->hyperparameters, made->n_hyperparameters * sizeof *s->start);
	s->request.start = s->start;
	s->request.n_start = made->n_hyperparameters;
	s->request.sequence = made->sequence;
	add_result(s);
	return true;
}

static bool measure_all(struct succession *s, size_t n, const struct settings *settings,
	struct measurement *ret, struct tuner_error *err)
{
	const double suggestions = (double)settings->suggestions;
	double ms = 0, limit = 0;

	*ret = (struct measurement){ 0 };
	while (s->request.n_observations < n) {
		draw_point(&s->random, s->d, next_point(s));
		add_result(s);
	}
	if (!suggest_next(s, &ret->first, err))
		return false;
	for (size_t i = 0; i < settings->suggestions; i++) {
		const size_t trials = s->request.n_observations;

		if (!suggest_next(s, &ms, err))
			return false;
		ret->mean += ms / suggestions;
		ret->most = fmax(ret->most, ms);
		limit += least_ms(&settings->calibration, trials, s->d, &s->suggestion) /
			 suggestions;
	}
	ret->limit = limit / ret->mean;
	return true;
}

static bool measure(size_t n, size_t d, enum suggest_refit refit, uint64_t seed,
	const struct settings *settings, struct measurement *ret, struct tuner_error *err)
{
	struct succession s;
	bool ok = succession_init(&s, n + settings->suggestions + 1, d, seed, settings, err);

	s.request.refit = refit;
	ok = ok && measure_all(&s, n, settings, ret, err);
	succession_finish(&s);
	return ok;
}

/* The points of the first repeat: coordinates, then the objective. */
static void print_history(size_t n, size_t d)
{
	struct random random = make_random(1);
	double x[SPACE_PARAMETERS_MAX];

	for (size_t i = 0; i < n; i++) {
		draw_point(&random, d, x);
		for (size_t k = 0; k < d; k++)
			printf("%.17g,", x[k]);
		printf("%.17g\n", objective(d, x, &random));
	}
}

/* ---- the table ---- */

/* Medians of each number by itself. */
static bool measure_often(size_t n, size_t d, enum suggest_refit refit,
	const struct settings *settings, struct measurement *ret, struct tuner_error *err)
{
	double first[REPEATS_MAX], mean[REPEATS_MAX], most[REPEATS_MAX], limit[REPEATS_MAX];

	for (size_t i = 0; i < settings->repeats; i++) {
		struct measurement m;

		if (!measure(n, d, refit, i + 1, settings, &m, err))
			return false;
		first[i] = m.first;
		mean[i] = m.mean;
		most[i] = m.most;
		limit[i] = m.limit;
	}
	ret->first = gsl_stats_median(first, 1, settings->repeats);
	ret->mean = gsl_stats_median(mean, 1, settings->repeats);
	ret->most = gsl_stats_median(most, 1, settings->repeats);
	ret->limit = gsl_stats_median(limit, 1, settings->repeats);
	return true;
}

/* "" where there is none. */
static const char *goal(size_t n, size_t d)
{
	for (size_t i = 0; i < sizeof goals / sizeof *goals; i++)
		if (goals[i].n == n && d <= 10)
			return goals[i].ms;
	return "";
}

static void print_heading(const struct settings *settings)
{
	if (settings->csv)
		puts("n,d,ms,scaled_ms,goal_ms,most_ms,first_ms,refit_ms,kept_ms,limit_percent,"
		     "refit_limit_percent,kept_limit_percent");
	else
		printf("%5s %3s %9s %9s %5s %9s %9s %9s %9s   %-17s\n%57s %19s   %5s %5s %5s\n",
			"n", "d", "ms", "at 44.7", "goal", "most", "first", "with a", "without",
			"% of the limit", "", "refit", "all", "with", "w/o");
}

static bool report(size_t n, size_t d, const struct settings *settings, struct tuner_error *err)
{
	struct measurement m[REFITS];

	for (int refit = 0; refit < REFITS; refit++)
		if (!measure_often(n, d, (enum suggest_refit)refit, settings, &m[refit], err))
			return false;
	const struct measurement *due = &m[SUGGEST_REFIT_DUE], *refit = &m[SUGGEST_REFIT_ALWAYS],
				 *kept = &m[SUGGEST_REFIT_NEVER];
	const double scaled = due->mean * settings->calibration.gflops / REFERENCE_GFLOPS;

	printf(settings->csv
			? "%zu,%zu,%.4g,%.4g,%s,%.4g,%.4g,%.4g,%.4g,%.1f,%.1f,%.1f\n"
			: "%5zu %3zu %9.2f %9.2f %5s %9.2f %9.2f %9.2f %9.2f   %5.1f %5.1f %5.1f\n",
		n, d, due->mean, scaled, goal(n, d), due->most, due->first, refit->mean, kept->mean,
		100 * due->limit, 100 * refit->limit, 100 * kept->limit);
	fflush(stdout);
	return true;
}
struct lists {
	size_t n[NUMBER_LIST_MAX], d[NUMBER_LIST_MAX], n_ns, n_ds;
};

static bool read_options(
	int argc, char **argv, struct lists *lists, struct settings *settings, bool *ret_history)
{
	static const struct option options[] = { { "n", required_argument, NULL, 'n' },
		{ "d", required_argument, NULL, 'd' }, { "repeats", required_argument, NULL, 'r' },
		{ "suggestions", required_argument, NULL, 'g' },
		{ "limits", required_argument, NULL, 'l' }, { "csv", no_argument, NULL, 'c' },
		{ "history", no_argument, NULL, 'h' }, { "set", required_argument, NULL, 's' },
		{ 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case 'n':
			lists->n_ns = number_list_read(optarg, lists->n);
			break;
		case 'd':
			lists->n_ds = number_list_read(optarg, lists->d);
			break;
		case 'r':
			settings->repeats = strtoul(optarg, NULL, 10);
			break;
		case 'g':
			settings->suggestions = strtoul(optarg, NULL, 10);
			break;
		case 'l':
			settings->n_limits = strtoul(optarg, NULL, 10);
			break;
		case 'c':
			settings->csv = true;
			break;
		case 'h':
			*ret_history = true;
			break;
		default:
			if (option != 's' || !strategy_setting(&settings->strategy, optarg))
				return false;
		}
	for (size_t i = 0; i < lists->n_ds; i++)
		if (lists->d[i] > SPACE_PARAMETERS_MAX)
			return false;
	return optind == argc && lists->n_ns > 0 && lists->n_ds > 0 && settings->repeats >= 1 &&
	       settings->n_limits <= SUGGEST_LIMITS_MAX && settings->repeats <= REPEATS_MAX &&
	       settings->suggestions >= 1 && settings->suggestions <= 1000000;
}

int main(int argc, char **argv)
{
	struct lists lists;
	struct settings settings = {
		.strategy.name = STRATEGY_BAYESIAN, .repeats = 3, .suggestions = 20
	};
	bool history = false;

	gsl_set_error_handler_off();
	lists.n_ns = number_list_read("50,200,500,1000,2000", lists.n);
	lists.n_ds = number_list_read("3,10,20", lists.d);
	if (!read_options(argc, argv, &lists, &settings, &history)) {
		fputs("usage: latency [--n LIST] [--d LIST] [--repeats N] [--suggestions N] "
		      "[--limits N] [--csv] "
		      "[--set KEY=VALUE]\n       latency --history --n N --d D\n",
			stderr);
		return 2;
	}
	if (history) {
		print_history(lists.n[0], lists.d[0]);
		return 0;
	}
	settings.calibration = calibrate();
	fprintf(settings.csv ? stderr : stdout,
		"a product of matrices: %.1f GFLOP/s, an exponential: %.2f ns\n",
		settings.calibration.gflops, settings.calibration.exp_ns);
	print_heading(&settings);
	for (size_t i = 0; i < lists.n_ns; i++)
		for (size_t j = 0; j < lists.n_ds; j++) {
			struct tuner_error err;

			if (!report(lists.n[i], lists.d[j], &settings, &err)) {
				fprintf(stderr, "latency: %s\n", err.message);
				return 1;
			}
		}
	if (!settings.csv)
		printf("at the end: %.1f GFLOP/s\n", calibrate().gflops);
	return 0;
}
