#include "surrogate/prior_term.h"

#include "surrogate/prior.h"

#include <math.h>
#include <stdlib.h>

static const double BUDGET_PART = 0.6;

struct prior_term {
	const struct columns *columns;
	double weight;
	size_t n; /* columns with a prior */
	size_t column[COLUMNS_MAX];
	struct prior_density density[COLUMNS_MAX];
};

double prior_term_weight(const struct suggest_request *request)
{
	const double n = request->n_observations > 0 ? (double)request->n_observations : 1;

	return BUDGET_PART * (double)request->budget_trials / (n * n);
}

bool prior_term_leads(const struct suggest_request *request)
{
	return prior_term_weight(request) * space_prior_range(request->space) > M_LN2;
}

static void add_columns(struct prior_term *term)
{
	const struct columns *columns = term->columns;

	for (size_t k = 0; k < columns->d; k++) {
		const size_t i = columns->parameter[k];
		const struct prior *prior = &columns->space->priors[i];

		if (columns->kinds[k] == DIMENSION_COMPANION || !prior_is_given(prior))
			continue;
		term->column[term->n] = k;
		prior_density_init(&columns->space->parameters[i], prior, &term->density[term->n]);
		term->n++;
	}
}

bool prior_term_create(const struct columns *columns, const struct suggest_request *request,
	struct prior_term **ret, struct tuner_error *err)
{
	*ret = NULL;
	if (!space_has_priors(columns->space))
		return true;
	struct prior_term *term = calloc(1, sizeof *term);

	if (term == NULL)
		return tuner_fail_memory(err);
	term->columns = columns;
	term->weight = prior_term_weight(request);
	add_columns(term);
	if (term->n > 0)
		*ret = term;
	else
		free(term);
	return true;
}

void prior_term_destroy(struct prior_term *term)
{
	free(term);
}

/* One point; gradient may be NULL. */
static double add_point(const struct prior_term *term, const double *x, double *gradient)
{
	bool active[COLUMNS_MAX];
	double sum = 0;

	columns_activity(term->columns, x, active);
	for (size_t j = 0; j < term->n; j++) {
		const size_t k = term->column[j];
		double slope;

		if (!active[k])
			continue;
		sum += prior_log_density(&term->density[j], x[k], &slope);
		if (gradient != NULL)
			gradient[k] += term->weight * slope;
	}
	return term->weight * sum;
}

static bool add(void *context, const double *X, size_t m, double *values, double *gradients,
	struct tuner_error *err)
{
	const struct prior_term *term = context;
	const size_t d = term->columns->d;

	(void)err;
	for (size_t i = 0; i < m; i++)
		values[i] +=
			add_point(term, &X[i * d], gradients != NULL ? &gradients[i * d] : NULL);
	return true;
}

static bool add_glance(
	void *context, const double *X, size_t m, double *values, struct tuner_error *err)
{
	return add(context, X, m, values, NULL, err);
}

void prior_term_add(const struct prior_term *term, const double *X, size_t m, double *values)
{
	for (size_t i = 0; i < m; i++)
		values[i] += add_point(term, &X[i * term->columns->d], NULL);
}

struct acquisition_term prior_acquisition_term(struct prior_term *term)
{
	return (struct acquisition_term){ term, add, add_glance };
}
