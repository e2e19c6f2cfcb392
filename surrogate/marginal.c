#include "surrogate/marginal.h"

#include "surrogate/factor.h"
#include "surrogate/gp_fit.h"
#include "surrogate/hyperprior.h"
#include "surrogate/likelihood.h"
#include "surrogate/slice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct chain {
	const struct gp *gp;
	size_t n_hyperparameters;
	struct likelihood *likelihood;
	double *lower, *upper, *start; /* n_hyperparameters */
	bool *held;
};

static bool is_warped(const struct chain *chain)
{
	return chain->n_hyperparameters > gp_d(chain->gp) + 1;
}

static double log_density(void *context, const double *theta)
{
	struct chain *chain = context;
	double value;

	for (size_t i = 0; i < chain->n_hyperparameters; i++)
		if (!(theta[i] >= chain->lower[i] && theta[i] <= chain->upper[i]))
			return -INFINITY;
	if (!likelihood_evaluate(chain->likelihood, theta, &value, NULL))
		return -INFINITY;
	return value +
	       hyperprior_log_density(
		       gp_d(chain->gp), gp_kinds(chain->gp), is_warped(chain), theta, NULL) -
	       log(likelihood_constant_precision(chain->likelihood)) / 2;
}

/* Hyperparameters with a single possible value, or that are to keep theirs, do not move. */
static void set_bounds(struct chain *chain, const struct marginal_options *options)
{
	const size_t first_warp = gp_d(chain->gp) + 1;

	gp_bounds(chain->gp, options->deterministic, chain->lower, chain->upper);
	for (size_t i = 0; i < chain->n_hyperparameters; i++) {
		chain->start[i] = fmin(fmax(options->start[i], chain->lower[i]), chain->upper[i]);
		chain->held[i] = chain->lower[i] == chain->upper[i] ||
				 (options->holds_warps && i >= first_warp);
	}
}

static bool chain_init(struct chain *chain, const struct gp *gp, const struct gp_data *data,
	const struct marginal_options *options, struct tuner_error *err)
{
	const size_t n = gp_n_hyperparameters(gp);

	*chain = (struct chain){ .gp = gp,
		.n_hyperparameters = n,
		.lower = factor_allocate(3, n),
		.held = calloc(n, sizeof *chain->held) };
	if (chain->lower == NULL || chain->held == NULL)
		return tuner_fail_memory(err);
	chain->upper = chain->lower + n;
	chain->start = chain->lower + 2 * n;
	set_bounds(chain, options);

	struct gp_data left;
	double *memory = NULL;
	const bool ok = gp_without_trend(gp, data, &left, &memory, err) &&
			likelihood_create(gp_d(gp), gp_kinds(gp), is_warped(chain), &left,
				&chain->likelihood, err);

	free(memory);
	return ok;
}

static void chain_finish(struct chain *chain)
{
	likelihood_destroy(chain->likelihood);
	free(chain->lower);
	free(chain->held);
}

static bool is_spent(const struct slice *slice, const struct marginal_options *options)
{
	return options->work_limit > 0 && slice->evaluations >= options->work_limit;
}

static void advance(struct slice *slice, size_t steps, const struct marginal_options *options,
	struct random *random)
{
	for (size_t i = 0; i < steps && !is_spent(slice, options); i++)
		slice_step(slice, random);
}

bool marginal_sample(const struct gp *gp, const struct gp_data *data,
	const struct marginal_options *options, struct random *random, double *ret_thetas,
	size_t *ret_n, uint64_t *ret_work, struct tuner_error *err)
{
	struct chain chain;
	struct slice slice = { 0 };
	size_t n = 0;
	const bool ok = chain_init(&chain, gp, data, options, err) &&
			slice_init(&slice, chain.n_hyperparameters, chain.start, chain.held,
				log_density, &chain, err);

	tuner_assert(options->states >= 1 && options->thinning >= 1);
	if (ok) {
		advance(&slice, options->burn_in, options, random);
		do {
			advance(&slice, options->thinning, options, random);
			memcpy(&ret_thetas[n++ * slice.d], slice.x, slice.d * sizeof *slice.x);
		} while (n < options->states && !is_spent(&slice, options));
		*ret_n = n;
		*ret_work = slice.evaluations;
	}
	slice_finish(&slice);
	chain_finish(&chain);
	return ok;
}
