#include "surrogate/noisy_incumbent.h"

#include "surrogate/best_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Noise variance of the repeated rows, in the model's unit: gp.h's least, so that the factor is no
 * worse than for an objective without noise. */
static const double LEAST_NOISE = 1e-6;

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Copies the rows first: appending may move them. */
static bool append_again(struct gp *gp, const size_t *rows, size_t n, struct tuner_error *err)
{
	const size_t d = gp_d(gp);
	const double noise = gp_noise_variance(gp);
	double scales[NOISY_INCUMBENT_MAX], *X = calloc(n * d + 1, sizeof *X);

	if (X == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		memcpy(&X[i * d], gp_row(gp, rows[i]), d * sizeof *X);
		scales[i] = fmin(1, LEAST_NOISE / noise);
	}
	const bool ok = gp_append(gp, X, scales, n, err);

	free(X);
	return ok;
}

bool noisy_incumbent_append(struct gp *gp, const bool *eligible, size_t rows_max, size_t *ret_n,
	struct tuner_error *err)
{
	const size_t pending = gp_n(gp) - gp_n_outcomes(gp);
	const size_t room = rows_max > pending ? rows_max - pending : 0;
	size_t *rows = calloc(gp_n_outcomes(gp) + 1, sizeof *rows), n = 0;
	bool ok = rows != NULL || tuner_fail_memory(err);

	ok = ok && best_rows(gp, eligible, rows, &n, err);
	if (ok) {
		n = least(n, least(room, NOISY_INCUMBENT_MAX));
		ok = append_again(gp, rows, n, err);
	}
	if (ok)
		*ret_n = n;
	free(rows);
	return ok;
}
