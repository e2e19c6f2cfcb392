/* What a suggestion costs:
 *
 *     latency [--n 50,200,500,1000,2000] [--d 3,10,20] [--repeats 3] [--set KEY=VALUE]
 *
 * A history of n random points and their objectives (a smooth function with a little noise); then 20 suggestions in
 * succession, each with the result of the one before, and refits as they fall due. One thread; CPU milliseconds per
 * suggestion, the median of the repeats. "at 44.7" is that time on a core that multiplies matrices at 44.7 GFLOP/s,
 * as measured in the same run. The first of the 20 starts without hyperparameters to go on from, as after
 * nothing else: it is given one suggestion before, which is shown as "first". */
#include "benchmarks/strategy_settings.h"
#include "surrogate/gp.h"
#include "surrogate/suggest.h"

#include <getopt.h>
#include <gsl/gsl_cblas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUCCESSION = 20, LIST_MAX = 16, REPEATS_MAX = 99, CALIBRATION = 600 };

static const double REFERENCE_GFLOPS = 44.7;

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* The best of a few products of two matrices. */
static double gflops(void)
{
	const size_t n = CALIBRATION;
	double *memory = calloc(3 * n * n, sizeof *memory), best = 0;

	if (!memory)
		abort();
	for (size_t i = 0; i < 2 * n * n; i++)
		memory[i] = sin((double)i);
	for (int repeat = 0; repeat < 7; repeat++) {
		const double began = cpu_ms();

		cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)n, (int)n, (int)n, 1,
			memory, (int)n, memory + n * n, (int)n, 0, memory + 2 * n * n, (int)n);
		best = fmax(best, 2e-6 * (double)(n * n * n) / (cpu_ms() - began));
	}
	free(memory);
	return best;
}

struct measurement {
	double first, mean, most; /* CPU ms */
};

static double objective(size_t d, const double *x, struct random *random)
{
	double sum = 0;

	for (size_t k = 0; k < d; k++)
		sum += sin(3 * x[k] + (double)k) + 0.5 * cos(5 * x[k] * x[(k + 1) % d]);
	return sum + 0.01 * random_normal(random);
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

static bool measure(size_t n, size_t d, const struct strategy *strategy, uint64_t seed,
	struct measurement *ret, struct tuner_error *err)
{
	const size_t all = n + SUCCESSION + 1;
	struct space space = make_space(d);
	double *X = calloc(all * d, sizeof *X), start[SUGGEST_HYPERPARAMETERS_MAX];
	struct observation *observations = calloc(all, sizeof *observations);
	struct suggestion *suggestion = malloc(sizeof *suggestion);
	struct suggest_request request = { .space = &space,
		.strategy = strategy,
		.seed = seed,
		.budget_trials = all,
		.parallel = 1,
		.observations = observations };
	struct random random;
	bool ok = X && observations && suggestion;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	*ret = (struct measurement){ 0 };
	for (size_t i = 0; ok && i < all; i++) {
		double *x = &X[i * d], took = cpu_ms();

		request.n_observations = i;
		request.number = (uint32_t)i + 1;
		if (i < n) {
			for (size_t k = 0; k < d; k++)
				x[k] = random_uniform(&random);
		} else {
			ok = suggest(&request, suggestion, err);
			if (!ok)
				break;
			took = cpu_ms() - took;
			ret->first = i == n ? took : ret->first;
			ret->mean += i == n ? 0 : took / SUCCESSION;
			ret->most = i == n ? 0 : fmax(ret->most, took);
			memcpy(x, suggestion->values, d * sizeof *x);
			request.sequence = suggestion->sequence;
			request.start = start;
			request.n_start = suggestion->n_hyperparameters;
			memcpy(start, suggestion->hyperparameters, request.n_start * sizeof *start);
		}
		observations[i] = (struct observation){
			.values = x, .objective = objective(d, x, &random), .kind = OBSERVATION_DONE
		};
	}
	space_finish(&space);
	free(X);
	free(observations);
	free(suggestion);
	return ok;
}

static double median(double *values, size_t n)
{
	gsl_sort(values, 1, n);
	return values[n / 2];
}

static bool report(size_t n, size_t d, const struct strategy *strategy, size_t repeats,
	double speed, struct tuner_error *err)
{
	double first[REPEATS_MAX], mean[REPEATS_MAX], most[REPEATS_MAX];

	for (size_t i = 0; i < repeats; i++) {
		struct measurement m;

		if (!measure(n, d, strategy, i + 1, &m, err))
			return false;
		first[i] = m.first;
		mean[i] = m.mean;
		most[i] = m.most;
	}
	const double typical = median(mean, repeats);

	printf("%6zu %4zu %10.2f %10.2f %10.2f %10.2f\n", n, d, typical,
		typical * speed / REFERENCE_GFLOPS, median(most, repeats), median(first, repeats));
	fflush(stdout);
	return true;
}

static size_t read_list(const char *text, size_t ret[LIST_MAX])
{
	size_t n = 0;

	for (char *end; *text && n < LIST_MAX; text = *end == ',' ? end + 1 : end) {
		ret[n++] = strtoul(text, &end, 10);
		if (end == text || (*end && *end != ',') || ret[n - 1] == 0)
			return 0;
	}
	return n;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "n", required_argument, NULL, 'n' },
		{ "d", required_argument, NULL, 'd' }, { "repeats", required_argument, NULL, 'r' },
		{ "set", required_argument, NULL, 's' }, { 0 } };
	size_t ns[LIST_MAX], ds[LIST_MAX], repeats = 3;
	size_t n_ns = read_list("50,200,500,1000,2000", ns), n_ds = read_list("3,10,20", ds);
	struct strategy strategy = { .name = STRATEGY_BAYESIAN };
	bool ok = true;
	int option;

	gsl_set_error_handler_off();
	gp_single_thread();
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			n_ns = read_list(optarg, ns);
		else if (option == 'd')
			n_ds = read_list(optarg, ds);
		else if (option == 'r')
			repeats = strtoul(optarg, NULL, 10);
		else
			ok = option == 's' && strategy_setting(&strategy, optarg);
		if (!ok)
			break;
	}
	if (!ok || optind != argc || n_ns == 0 || n_ds == 0 || repeats < 1 ||
		repeats > REPEATS_MAX) {
		fputs("usage: latency [--n LIST] [--d LIST] [--repeats N] [--set KEY=VALUE]\n",
			stderr);
		return 2;
	}
	const double speed = gflops();

	printf("dgemm %d: %.1f GFLOP/s\n%6s %4s %10s %10s %10s %10s\n", CALIBRATION, speed, "n",
		"d", "ms", "at 44.7", "most", "first");
	for (size_t i = 0; i < n_ns; i++)
		for (size_t j = 0; j < n_ds; j++) {
			struct tuner_error err;

			if (!report(ns[i], ds[j], &strategy, repeats, speed, &err)) {
				fprintf(stderr, "latency: %s\n", err.message);
				return 1;
			}
		}
	return 0;
}
