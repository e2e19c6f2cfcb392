#include "surrogate/best_rows.h"

#include <stdlib.h>

struct rank {
	double value;
	size_t row;
};

static int by_value(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
				    : (x->row > y->row) - (x->row < y->row);
}

/* Values ascending. */
static bool order(const double *values, const bool *marked, size_t n, size_t *ret_rows,
	size_t *ret_n, struct tuner_error *err)
{
	struct rank *ranks = calloc(n + 1, sizeof *ranks);
	size_t n_ranks = 0;

	if (ranks == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++)
		if (marked[i])
			ranks[n_ranks++] = (struct rank){ values[i], i };
	qsort(ranks, n_ranks, sizeof *ranks, by_value);
	for (size_t i = 0; i < n_ranks; i++)
		ret_rows[i] = ranks[i].row;
	*ret_n = n_ranks;
	free(ranks);
	return true;
}

bool best_rows(const struct gp *gp, const bool *marked, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err)
{
	const size_t n = gp_n_outcomes(gp);
	double *means = calloc(n + 1, sizeof *means);
	bool ok = means != NULL || tuner_fail_memory(err);

	if (ok) {
		gp_own_means(gp, means);
		ok = order(means, marked, n, ret_rows, ret_n, err);
	}
	free(means);
	return ok;
}

bool likely_rows(struct limits *limits, const double *X, const bool *marked, size_t n,
	size_t *ret_rows, size_t *ret_n, struct tuner_error *err)
{
	double *values = calloc(n + 1, sizeof *values);
	bool ok = values != NULL || tuner_fail_memory(err);

	ok = ok && limits_add_glance(limits, X, n, values, err);
	for (size_t i = 0; ok && i < n; i++)
		values[i] = -values[i];
	ok = ok && order(values, marked, n, ret_rows, ret_n, err);
	free(values);
	return ok;
}
