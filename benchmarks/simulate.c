/* Runs one strategy of ours on one problem, in virtual time, and prints a row of CSV for each trial:
 *
 *     simulate --problem NAME [--method tuner|random|sobol] [--seeds A[-B]] [--workers W] [--trials N]
 *              [--costs] [--recommend] [--prior none|near|wrong] [--limits learnt|failed] [--set KEY=VALUE]
 *              [--sources SOURCE[,SOURCE...] [--earlier N] [--first N]]
 *     simulate --list | --describe | --describe-limited | --describe-fronts
 *
 * Columns: problem,method,workers,seed,trial,finished,value,observed,seconds. `value` is free of noise,
 * `observed` what the strategy was told (nan: the trial failed; `value`, too: it is over a limit), `finished` in units of a trial's median
 * duration (--costs: these depend on the configuration), `seconds` what the suggestion cost. --recommend: one row a run instead (print_recommended). Every method is told problem_n_initial points first,
 * except with --prior, where it begins with as many of its own: with the parameters' priors of a user (believer.h), or with none.
 *
 * With several objectives `value` and `observed` are the first one's, and a column more, `others`, has the others without noise, with blanks
 * between them.
 *
 * --sources: other searches of N trials (30), with other seeds, come before, each of a variant of the function (earlier.h);
 * the strategy is told of them as related, and begins as it does then, or, with --first, only tries the N best of the first one before
 * the common points.
 *
 * --limits failed: a trial over a limit is one that failed. (Without: the strategy is told by how much, and the objective.) */
#include "benchmarks/believer.h"
#include "benchmarks/earlier.h"
#include "benchmarks/problems.h"
#include "benchmarks/strategy_settings.h"
#include "surrogate/gp.h"
#include "surrogate/recommendation.h"
#include "surrogate/related.h"

#include <getopt.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_pow_int.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORKERS_MAX = 64, BETWEEN_SEEDS = 1000 /* of searches that come one after the other */ };

struct simulation {
	const struct problem *problem;
	const char *method;
	struct strategy strategy;
	uint64_t seed;
	size_t workers, trials;
	bool costs; /* durations depend on configurations */
	bool recommends; /* print_recommended */
	bool begins; /* it has a design of its own */
	bool limits_fail; /* a trial over a limit has failed */
	enum belief belief;
	struct variant variant; /* of the problem's function */
	const char *sources; /* NULL: there were no other searches */
	size_t earlier,
		first; /* their trials; how many of the first one's are tried first, 0: they are related */

	struct space space;
	struct simulation *others; /* that came before */
	size_t n_others;
	struct related_source told[SUGGEST_RELATED_MAX]; /* of them */
	struct related *related;
	double *values; /* trials x d, by launch */
	double *excess; /* trials x SUGGEST_LIMITS_MAX */
	double *observed_others; /* trials x SUGGEST_OTHERS_MAX */
	double *observed, *took, *finish, *seconds; /* trials */
	struct observation *observations; /* by end */
	size_t n_observations;
	size_t running[WORKERS_MAX], n_running;
	double now;
	uint64_t sequence;
	double start[SUGGEST_HYPERPARAMETERS_MAX];
	size_t n_start;
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double *row(struct simulation *s, size_t trial)
{
	return &s->values[trial * s->problem->d];
}

static double *excess_of(struct simulation *s, size_t trial)
{
	return &s->excess[trial * SUGGEST_LIMITS_MAX];
}

static double *observed_others_of(struct simulation *s, size_t trial)
{
	return &s->observed_others[trial * SUGGEST_OTHERS_MAX];
}

static bool keeps_limits(struct simulation *s, size_t trial)
{
	return excess_is_within(excess_of(s, trial), s->problem->n_limits);
}

static bool propose(struct simulation *s, size_t trial, struct tuner_error *err)
{
	const double *pending[WORKERS_MAX];
	struct suggestion suggestion;

	for (size_t i = 0; i < s->n_running; i++)
		pending[i] = row(s, s->running[i]);
	const struct suggest_request request = { .space = &s->space,
		.strategy = &s->strategy,
		.seed = s->seed,
		.number = (uint32_t)trial + 1,
		.budget_trials = s->trials,
		.parallel = s->workers,
		.observations = s->observations,
		.n_observations = s->n_observations,
		.n_limits = s->limits_fail ? 0 : s->problem->n_limits,
		.n_others = s->problem->n_others,
		.pending = pending,
		.n_pending = s->n_running,
		.sequence = s->sequence,
		.start = s->n_start > 0 ? s->start : NULL,
		.n_start = s->n_start,
		.related = s->related };

	if (!suggest(&request, &suggestion, err))
		return false;
	if (suggestion.exhausted)
		return tuner_fail(err, TUNER_USAGE, "trial %zu: the space is exhausted", trial + 1);
	memcpy(row(s, trial), suggestion.values, s->problem->d * sizeof(double));
	s->sequence = suggestion.sequence;
	if (suggestion.n_hyperparameters > 0) {
		s->n_start = suggestion.n_hyperparameters;
		memcpy(s->start, suggestion.hyperparameters, s->n_start * sizeof *s->start);
	}
	return true;
}

/* One worker alone takes a unit of time a trial: its results depend on their order only. */
static double duration(struct simulation *s, size_t trial)
{
	const uint32_t number = (uint32_t)trial + 1;

	if (s->costs)
		return problem_cost(s->problem, row(s, trial), s->seed, number);
	return s->workers > 1 ? problem_duration(s->problem, s->seed, number) : 1;
}

static double observe(struct simulation *s, size_t trial)
{
	double argument[SPACE_PARAMETERS_MAX];

	variant_argument(&s->variant, &s->space, row(s, trial), argument);
	return s->variant.sign *
	       problem_observe(s->problem, argument, s->seed, (uint32_t)trial + 1);
}

static bool launch(struct simulation *s, size_t trial, struct tuner_error *err)
{
	const size_t n_first = s->related == NULL ? s->first : 0;
	const double began = cpu_seconds();

	if (trial < n_first)
		memcpy(row(s, trial), s->told[0].observations[trial].values,
			s->problem->d * sizeof(double));
	else if (!s->begins && s->related == NULL && trial < problem_n_initial(s->problem))
		problem_initial(s->problem, s->seed, trial, row(s, trial));
	else if (!propose(s, trial, err))
		return false;
	s->seconds[trial] = cpu_seconds() - began;
	s->observed[trial] = observe(s, trial);
	problem_observe_excess(
		s->problem, row(s, trial), s->seed, (uint32_t)trial + 1, excess_of(s, trial));
	problem_observe_others(s->problem, row(s, trial), s->seed, (uint32_t)trial + 1,
		observed_others_of(s, trial));
	if (s->limits_fail && !keeps_limits(s, trial))
		s->observed[trial] = NAN;
	s->took[trial] = duration(s, trial);
	s->finish[trial] = s->now + s->took[trial];
	s->running[s->n_running++] = trial;
	return true;
}

static enum observation_kind kind_of(struct simulation *s, size_t trial)
{
	return isnan(s->observed[trial]) ? OBSERVATION_FAILED
	       : keeps_limits(s, trial)  ? OBSERVATION_DONE
					 : OBSERVATION_OVER_LIMIT;
}

/* Lets the running trial end that ends first. */
static void end_one(struct simulation *s)
{
	size_t first = 0;

	for (size_t i = 1; i < s->n_running; i++)
		if (s->finish[s->running[i]] < s->finish[s->running[first]])
			first = i;
	const size_t trial = s->running[first];

	memmove(&s->running[first], &s->running[first + 1],
		(s->n_running - first - 1) * sizeof *s->running);
	s->n_running--;
	s->now = s->finish[trial];
	s->observations[s->n_observations++] = (struct observation){ .values = row(s, trial),
		.objective = s->observed[trial],
		.duration = s->took[trial],
		.kind = kind_of(s, trial),
		.excess = excess_of(s, trial),
		.others = observed_others_of(s, trial) };
}

static void print_others(const struct problem *problem, const double *values)
{
	double others[SUGGEST_OTHERS_MAX];

	problem_others(problem, values, others);
	for (size_t j = 0; j < problem->n_others; j++)
		printf("%c%.17g", j == 0 ? ',' : ' ', others[j]);
}

static void print(struct simulation *s)
{
	for (size_t i = 0; i < s->trials; i++) {
		printf("%s,%s,%zu,%llu,%zu,%.6g,%.17g,%.17g,%.6f", s->problem->name, s->method,
			s->workers, (unsigned long long)s->seed, i + 1, s->finish[i],
			problem_value_within(s->problem, row(s, i)), s->observed[i], s->seconds[i]);
		print_others(s->problem, row(s, i));
		putchar('\n');
	}
}

/* Row: problem, seed, trials, then without noise: the value of the trial that looks best, and of the one that the model
 * recommends (recommendation.h). */
static bool print_recommended(struct simulation *s, struct tuner_error *err)
{
	struct recommendation recommendation;
	const struct suggest_request request = { .space = &s->space,
		.strategy = &s->strategy,
		.observations = s->observations,
		.n_observations = s->n_observations,
		.start = s->n_start > 0 ? s->start : NULL,
		.n_start = s->n_start };
	const struct observation *best = NULL;

	for (size_t i = 0; i < s->n_observations; i++)
		if (s->observations[i].kind == OBSERVATION_DONE &&
			(best == NULL || s->observations[i].objective < best->objective))
			best = &s->observations[i];
	if (!recommend(&request, &recommendation, err))
		return false;
	printf("%s,%llu,%zu,%.17g,%.17g\n", s->problem->name, (unsigned long long)s->seed,
		s->trials, problem_value(s->problem, best->values),
		problem_value(s->problem, s->observations[recommendation.observation].values));
	return true;
}

static bool believe(struct simulation *s, struct tuner_error *err)
{
	if (s->belief == BELIEF_NONE)
		return true;
	s->space.priors = believer_priors(s->problem, s->belief, s->seed);
	return s->space.priors != NULL || tuner_fail_memory(err);
}

static void forget_beliefs(struct simulation *s)
{
	for (size_t i = 0; s->space.priors != NULL && i < s->space.d; i++)
		free(s->space.priors[i].weights);
	free(s->space.priors);
}

static bool remember_others(struct simulation *s, struct tuner_error *err);
static void forget_others(struct simulation *s);

/* Everything but what is printed. On failure, too, finish() is to be called. */
static bool search(struct simulation *s, struct tuner_error *err)
{
	const size_t d = s->problem->d, n = s->trials;
	bool ok = true;

	s->space = problem_space(s->problem);
	s->values = calloc(n * d, sizeof *s->values);
	s->excess = calloc(n * SUGGEST_LIMITS_MAX, sizeof *s->excess);
	s->observed_others = calloc(n * SUGGEST_OTHERS_MAX, sizeof *s->observed_others);
	s->observed = calloc(n, sizeof *s->observed);
	s->took = calloc(n, sizeof *s->took);
	s->finish = calloc(n, sizeof *s->finish);
	s->seconds = calloc(n, sizeof *s->seconds);
	s->observations = calloc(n, sizeof *s->observations);
	if (!s->values || !s->excess || !s->observed_others || !s->observed || !s->took ||
		!s->finish || !s->seconds || !s->observations)
		ok = tuner_fail_memory(err);
	ok = ok && believe(s, err) && remember_others(s, err);
	for (size_t trial = 0; ok && trial < n; trial++) {
		if (s->n_running == s->workers)
			end_one(s);
		ok = launch(s, trial, err);
	}
	while (s->n_running > 0)
		end_one(s);
	return ok;
}

static void finish(struct simulation *s)
{
	free(s->values);
	free(s->excess);
	free(s->observed_others);
	free(s->observed);
	free(s->took);
	free(s->finish);
	free(s->seconds);
	free(s->observations);
	forget_beliefs(s);
	forget_others(s);
}

static bool simulate(struct simulation *s, struct tuner_error *err)
{
	bool ok = search(s, err);

	if (ok && s->recommends)
		ok = print_recommended(s, err);
	else if (ok)
		print(s);
	finish(s);
	return ok;
}

/* ---- searches before it ---- */

/* Its configurations at the same places of this space: another problem may have other ranges. */
static void translate(struct simulation *s, struct simulation *other)
{
	for (size_t i = 0; i < other->n_observations; i++)
		for (size_t k = 0; k < s->problem->d; k++) {
			double *value = (double *)&other->observations[i].values[k];

			*value = parameter_decode(&s->problem->parameters[k],
				parameter_encode(&other->problem->parameters[k], *value));
		}
}

static int by_objective(const void *a, const void *b)
{
	const struct observation *x = a, *y = b;
	const double p = isnan(x->objective) ? INFINITY : x->objective;
	const double q = isnan(y->objective) ? INFINITY : y->objective;

	return (p > q) - (p < q);
}

static bool look_before(struct simulation *s, const char *source, struct tuner_error *err)
{
	struct simulation *other = &s->others[s->n_others];

	*other = (struct simulation){ .problem = s->problem,
		.method = s->method,
		.strategy = s->strategy,
		.seed = s->seed + BETWEEN_SEEDS * (s->n_others + 1),
		.workers = 1,
		.trials = s->earlier };
	other->strategy.initial = problem_n_initial(s->problem);
	if (!variant_find(source, &other->variant, &other->problem) ||
		other->problem->d != s->problem->d)
		return tuner_fail(err, TUNER_USAGE, "there is no source %.100s", source);
	s->n_others++;
	if (!search(other, err))
		return false;
	translate(s, other);
	if (s->first > 0)
		qsort(other->observations, other->n_observations, sizeof *other->observations,
			by_objective);
	s->told[s->n_others - 1] =
		(struct related_source){ other->observations, other->n_observations };
	return true;
}

static bool remember_others(struct simulation *s, struct tuner_error *err)
{
	char *names = s->sources != NULL ? strdup(s->sources) : NULL, *rest = NULL;
	bool ok = true;

	if (s->sources == NULL)
		return true;
	s->others = calloc(SUGGEST_RELATED_MAX, sizeof *s->others);
	if (s->others == NULL || names == NULL)
		ok = tuner_fail_memory(err);
	for (char *name = ok ? strtok_r(names, ",", &rest) : NULL;
		ok && name != NULL && s->n_others < SUGGEST_RELATED_MAX;
		name = strtok_r(NULL, ",", &rest))
		ok = look_before(s, name, err);
	free(names);
	return ok && (s->first > 0 || related_create(&s->space, &s->strategy, s->told, s->n_others,
					      &s->related, err));
}

static void forget_others(struct simulation *s)
{
	related_destroy(s->related);
	for (size_t i = 0; i < s->n_others; i++)
		finish(&s->others[i]);
	free(s->others);
}

/* ---- the command line ---- */

static void list(void)
{
	for (size_t i = 0; i < problems_count(); i++)
		puts(problem_at(i)->name);
}

/* What the table of problems.c rests on: the function's standard deviation and the least value found
 * among random points. */
static void describe(size_t count, const struct problem *at(size_t))
{
	printf("%-24s %3s %6s %14s %14s %14s %14s %14s %9s\n", "problem", "d", "budget", "optimum",
		"random median", "median", "sd", "least of 65536", "within");
	for (size_t i = 0; i < count; i++) {
		const struct problem *p = at(i);
		double values[SPACE_PARAMETERS_MAX], sum = 0, squares = 0, least = INFINITY;
		double some[1001];
		size_t n = 0;
		struct random random;

		random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
		for (size_t k = 0; k < 65536; k++) {
			problem_random(p, &random, values);
			const double value = problem_value_within(p, values);

			if (isnan(value))
				continue;
			if (n < sizeof some / sizeof *some)
				some[n] = value;
			n++;
			sum += value;
			squares += value * value;
			least = fmin(least, value);
		}
		const double mean = sum / (double)n;

		const size_t kept = n < sizeof some / sizeof *some ? n : sizeof some / sizeof *some;

		gsl_sort(some, 1, kept);
		printf("%-24s %3zu %6zu %14.6g %14.6g %14.6g %14.6g %14.6g %9.4f\n", p->name, p->d,
			problem_budget(p), p->optimum, problem_random_median(p),
			gsl_stats_median_from_sorted_data(some, 1, kept),
			sqrt(squares / (double)n - mean * mean), least, (double)n / 65536);
	}
}

/* What the table of fronts rests on: the objectives' standard deviations among random points. */
static void describe_fronts(void)
{
	printf("%-18s %2s %6s %7s %10s %6s  %s\n", "problem", "d", "budget", "initial",
		"objectives", "within", "reference, front, least, greatest, sd");
	for (size_t i = 0; i < front_problems_count(); i++) {
		const struct problem *p = front_problem_at(i);
		const size_t m = p->n_others + 1;
		double values[SPACE_PARAMETERS_MAX], all[SUGGEST_OTHERS_MAX + 1];
		double sums[SUGGEST_OTHERS_MAX + 1] = { 0 },
						 squares[SUGGEST_OTHERS_MAX + 1] = { 0 };
		double least[SUGGEST_OTHERS_MAX + 1], greatest[SUGGEST_OTHERS_MAX + 1];
		size_t n = 0;
		struct random random;

		random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
		for (size_t k = 0; k < 65536; k++) {
			problem_random(p, &random, values);
			if (isnan(problem_value_within(p, values)))
				continue;
			p->objectives(p->d, values, all);
			for (size_t j = 0; j < m; j++) {
				least[j] = n == 0 ? all[j] : fmin(least[j], all[j]);
				greatest[j] = n == 0 ? all[j] : fmax(greatest[j], all[j]);
				sums[j] += all[j];
				squares[j] += all[j] * all[j];
			}
			n++;
		}
		printf("%-18s %2zu %6zu %7zu %10zu %6.4f ", p->name, p->d, problem_budget(p),
			problem_n_initial(p), m, (double)n / 65536);
		for (size_t j = 0; j < m; j++)
			printf(" %.17g", p->reference[j]);
		printf(" %.17g", p->front);
		for (size_t j = 0; j < m; j++)
			printf(" %g", least[j]);
		for (size_t j = 0; j < m; j++)
			printf(" %g", greatest[j]);
		for (size_t j = 0; j < m; j++)
			printf(" %g",
				sqrt(squares[j] / (double)n - gsl_pow_2(sums[j] / (double)n)));
		putchar('\n');
	}
}

static int usage(void)
{
	fputs("usage: simulate --problem NAME [--method tuner|random|sobol] [--seeds A[-B]]\n"
	      "                [--workers W] [--trials N] [--costs] [--recommend]\n"
	      "                [--noise SD] [--prior none|near|wrong] [--limits learnt|failed] "
	      "[--set KEY=VALUE]\n"
	      "                [--sources SOURCE[,SOURCE...] [--earlier N] [--first N]]\n"
	      "       simulate --list | --describe | --describe-limited | --describe-fronts\n",
		stderr);
	return 2;
}

static bool choose_method(const char *name, struct strategy *ret)
{
	if (strcmp(name, "tuner") == 0)
		ret->name = STRATEGY_BAYESIAN;
	else if (strcmp(name, "random") == 0)
		ret->name = STRATEGY_RANDOM;
	else if (strcmp(name, "sobol") == 0)
		ret->name = STRATEGY_SOBOL;
	else
		return false;
	return true;
}

struct arguments {
	const struct problem *problem;
	struct problem noisy; /* the same with another noise */
	double noise; /* NaN: its own */
	const char *method;
	struct strategy strategy;
	unsigned long long first, last;
	size_t workers, trials, earlier, first_tried;
	const char *sources;
	bool costs, recommends, begins, limits_fail;
	enum belief belief;
};

/* False: the arguments make no sense. */
static bool parse(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = { { "problem", required_argument, NULL, 'p' },
		{ "method", required_argument, NULL, 'm' },
		{ "seeds", required_argument, NULL, 's' },
		{ "workers", required_argument, NULL, 'w' },
		{ "trials", required_argument, NULL, 't' },
		{ "noise", required_argument, NULL, 'n' }, { "costs", no_argument, NULL, 'c' },
		{ "recommend", no_argument, NULL, 'r' }, { "prior", required_argument, NULL, 'b' },
		{ "limits", required_argument, NULL, 'l' }, { "set", required_argument, NULL, 'x' },
		{ "sources", required_argument, NULL, 'S' },
		{ "earlier", required_argument, NULL, 'E' },
		{ "first", required_argument, NULL, 'F' }, { 0 } };
	int option;

	*ret = (struct arguments){
		.method = "tuner", .first = 1, .last = 1, .workers = 1, .noise = NAN, .earlier = 30
	};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'p')
			ret->problem = problem_find(optarg);
		else if (option == 'm')
			ret->method = optarg;
		else if (option == 's' && sscanf(optarg, "%llu-%llu", &ret->first, &ret->last) == 1)
			ret->last = ret->first;
		else if (option == 'w')
			ret->workers = (size_t)atoi(optarg);
		else if (option == 't')
			ret->trials = (size_t)atoi(optarg);
		else if (option == 'n' &&
			 !(sscanf(optarg, "%lf", &ret->noise) == 1 && ret->noise >= 0))
			return false;
		else if (option == 'c')
			ret->costs = true;
		else if (option == 'r')
			ret->recommends = true;
		else if (option == 'b' && !belief_find(optarg, &ret->belief))
			return false;
		else if (option == 'b')
			ret->begins = true;
		else if (option == 'l' && strcmp(optarg, "failed") == 0)
			ret->limits_fail = true;
		else if (option == 'l' && strcmp(optarg, "learnt") != 0)
			return false;
		else if (option == 'x' && !strategy_setting(&ret->strategy, optarg))
			return false;
		else if (option == 'S')
			ret->sources = optarg;
		else if (option == 'E')
			ret->earlier = (size_t)atoi(optarg);
		else if (option == 'F')
			ret->first_tried = (size_t)atoi(optarg);
		else if (option == '?')
			return false;
	}
	if (ret->problem != NULL && !isnan(ret->noise)) {
		ret->noisy = *ret->problem;
		ret->noisy.noise = ret->noise;
		ret->problem = &ret->noisy;
	}
	return optind == argc && ret->problem != NULL && ret->workers >= 1 &&
	       ret->earlier >= ret->first_tried && ret->earlier >= 1 &&
	       ret->workers <= WORKERS_MAX && choose_method(ret->method, &ret->strategy);
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct tuner_error err;

	gsl_set_error_handler_off();
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list(), 0;
	if (argc == 2 && strcmp(argv[1], "--describe") == 0)
		return describe(problems_count(), problem_at), 0;
	if (argc == 2 && strcmp(argv[1], "--describe-limited") == 0)
		return describe(limited_problems_count(), limited_problem_at), 0;
	if (argc == 2 && strcmp(argv[1], "--describe-fronts") == 0)
		return describe_fronts(), 0;
	if (!parse(argc, argv, &arguments))
		return usage();
	for (unsigned long long seed = arguments.first; seed <= arguments.last; seed++) {
		struct simulation simulation = { .problem = arguments.problem,
			.method = arguments.method,
			.strategy = arguments.strategy,
			.seed = seed,
			.workers = arguments.workers,
			.costs = arguments.costs,
			.recommends = arguments.recommends,
			.begins = arguments.begins,
			.limits_fail = arguments.limits_fail,
			.belief = arguments.belief,
			.variant = plain_variant,
			.sources = arguments.sources,
			.earlier = arguments.earlier,
			.first = arguments.sources != NULL ? arguments.first_tried : 0,
			.trials = arguments.trials > 0 ? arguments.trials
						       : problem_budget(arguments.problem) };

		const bool related = arguments.sources != NULL && arguments.first_tried == 0;

		if (simulation.strategy.initial == 0 && !related)
			simulation.strategy.initial = problem_n_initial(arguments.problem);
		if (!simulate(&simulation, &err)) {
			fprintf(stderr, "simulate: %s, seed %llu: %s\n", arguments.problem->name,
				seed, err.message);
			return 1;
		}
	}
	return 0;
}
