#include "benchmarks/believer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS = 1 << 15, STEPS = 1 << 14 };

bool belief_find(const char *name, enum belief *ret)
{
	static const char *const names[] = { "none", "near", "wrong" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum belief)i;
			return true;
		}
	return false;
}

static void take_if_better(
	const struct problem *problem, const double *values, double *best, double *least)
{
	const double value = problem_value(problem, values);

	if (value < *least) {
		*least = value;
		memcpy(best, values, problem->d * sizeof *best);
	}
}

/* One parameter moves, by a step that shrinks from a tenth of its range to a hundred-thousandth. */
static void step(const struct problem *problem, const struct space *space, double size,
	struct random *random, double *values)
{
	const size_t i = random_below(random, problem->d);
	const struct parameter *parameter = &problem->parameters[i];
	const double u =
		parameter->type == PARAMETER_CATEGORICAL
			? random_uniform(random)
			: parameter_encode(parameter, values[i]) + size * random_normal(random);

	values[i] = parameter_decode(parameter, fmin(fmax(u, 0), 1));
	space_settle(space, values);
}

/* Random points, then steps from the best. */
static void find_best(const struct problem *problem, double *best)
{
	const struct space space = problem_space(problem);
	double values[SPACE_PARAMETERS_MAX], least = INFINITY;
	struct random random;

	random_init(&random, (struct random_key){ .purpose = RANDOM_TEST });
	for (size_t k = 0; k < LOOKS; k++) {
		problem_random(problem, &random, values);
		take_if_better(problem, values, best, &least);
	}
	for (size_t k = 0; k < STEPS; k++) {
		memcpy(values, best, problem->d * sizeof *best);
		step(problem, &space, 0.1 * pow(1e-4, (double)k / STEPS), &random, values);
		take_if_better(problem, values, best, &least);
	}
}

static bool believe_category(const struct parameter *parameter, double best, enum belief belief,
	struct random *random, struct prior *ret)
{
	const size_t n = parameter->n_values;
	/* Near: right in three of four cases. */
	const bool right = belief == BELIEF_NEAR && random_uniform(random) < 0.75;
	const size_t other = ((size_t)best + 1 + (n > 1 ? random_below(random, n - 1) : 0)) % n;

	ret->weights = calloc(n, sizeof *ret->weights);
	for (size_t k = 0; ret->weights != NULL && k < n; k++)
		ret->weights[k] = k == (right ? (size_t)best : other) ? 3 : 1;
	return ret->weights != NULL;
}

static void believe_number(const struct parameter *parameter, double best, enum belief belief,
	struct random *random, struct prior *ret)
{
	const double u = parameter_encode(parameter, best);
	const double off = belief == BELIEF_WRONG ? (u < 0.5 ? 0.5 : -0.5)
						  : BELIEVER_SD * random_normal(random);
	const double middle = fmin(fmax(u + off, 0), 1);

	ret->low = parameter_decode(parameter, fmax(middle - BELIEVER_SD, 0));
	ret->high = parameter_decode(parameter, fmin(middle + BELIEVER_SD, 1));
}

struct prior *believer_priors(const struct problem *problem, enum belief belief, uint64_t seed)
{
	double best[SPACE_PARAMETERS_MAX];
	struct prior *priors = calloc(problem->d, sizeof *priors);
	struct random random;
	bool ok = priors != NULL;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	find_best(problem, best);
	for (size_t i = 0; ok && i < problem->d; i++) {
		if (problem->parameters[i].type == PARAMETER_CATEGORICAL)
			ok = believe_category(
				&problem->parameters[i], best[i], belief, &random, &priors[i]);
		else
			believe_number(
				&problem->parameters[i], best[i], belief, &random, &priors[i]);
	}
	return ok ? priors : NULL;
}
