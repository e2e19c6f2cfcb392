#include "surrogate/thompson.h"

#include <stdlib.h>

bool thompson_values(const struct gp *gp, const struct columns *columns, const double *X, size_t m,
	struct random *random, double *ret_values, struct tuner_error *err)
{
	double *pairs =
		calloc(3 * m + 1, sizeof *pairs); /* the mean and the function, then trends */
	double *trend = pairs + 2 * m;
	struct draws *draws = NULL;
	bool ok = pairs != NULL || tuner_fail_memory(err);

	ok = ok && draws_create(gp, columns, 1, random, &draws, err) &&
	     gp_trend_values(gp, X, m, trend, NULL, err);
	if (ok) {
		draws_values(draws, X, m, pairs);
		for (size_t i = 0; i < m; i++)
			ret_values[i] = -(pairs[2 * i + 1] + trend[i]);
	}
	draws_destroy(draws);
	free(pairs);
	return ok;
}
