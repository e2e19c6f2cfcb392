#include "surrogate/thompson.h"

#include <stdlib.h>

bool thompson_values(const struct gp *gp, const struct columns *columns, const double *X, size_t m,
	struct random *random, double *ret_values, struct tuner_error *err)
{
	double *pairs = calloc(2 * m + 1, sizeof *pairs); /* the mean and the function */
	struct draws *draws = NULL;
	bool ok = pairs != NULL || tuner_fail_memory(err);

	ok = ok && draws_create(gp, columns, 1, random, &draws, err);
	if (ok) {
		draws_values(draws, X, m, pairs);
		for (size_t i = 0; i < m; i++)
			ret_values[i] = -pairs[2 * i + 1];
	}
	draws_destroy(draws);
	free(pairs);
	return ok;
}
