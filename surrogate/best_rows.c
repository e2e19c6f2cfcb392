#include "surrogate/best_rows.h"

#include <stdlib.h>

struct rank {
	double mean;
	size_t row;
};

static int by_mean(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;

	return x->mean != y->mean ? (x->mean > y->mean) - (x->mean < y->mean)
				  : (x->row > y->row) - (x->row < y->row);
}

bool best_rows(const struct gp *gp, const bool *marked, size_t *ret_rows, size_t *ret_n,
	struct tuner_error *err)
{
	const size_t n = gp_n_outcomes(gp);
	struct rank *ranks = calloc(n + 1, sizeof *ranks);
	double *means = calloc(n + 1, sizeof *means);
	const bool ok = (ranks != NULL && means != NULL) || tuner_fail_memory(err);
	size_t n_ranks = 0;

	if (ok) {
		gp_own_means(gp, means);
		for (size_t i = 0; i < n; i++)
			if (marked[i])
				ranks[n_ranks++] = (struct rank){ means[i], i };
		qsort(ranks, n_ranks, sizeof *ranks, by_mean);
		for (size_t i = 0; i < n_ranks; i++)
			ret_rows[i] = ranks[i].row;
		*ret_n = n_ranks;
	}
	free(ranks);
	free(means);
	return ok;
}
