#include "surrogate/feasibility.h"

#include "surrogate/factor.h"
#include "surrogate/importance.h"

#include <stdlib.h>

enum {
	FAILURES_MIN = 3,
	FAILURES_PART = 10, /* one of this many trials must have failed */
};

bool feasibility_is_due(size_t n_failed, size_t n)
{
	return n_failed >= FAILURES_MIN && n_failed >= (n + FAILURES_PART - 1) / FAILURES_PART;
}

bool feasibility_create(const struct feasibility_data *data, uint64_t work_limit,
	struct margin **ret, uint64_t *ret_work, struct tuner_error *err)
{
	double *outcomes = factor_allocate(1, data->n);
	const struct gp_data rows = {
		.n = data->n, .X = data->X, .y = outcomes, .counts = data->counts
	};
	bool ok = outcomes != NULL || tuner_fail_memory(err);

	for (size_t i = 0; ok && i < data->n; i++)
		outcomes[i] = data->valued[i] ? 1 : -1;
	ok = ok && margin_create(data->d, data->kinds, &rows, work_limit, ret, ret_work, err);
	free(outcomes);
	return ok;
}

bool feasibility_foretold(
	const struct margin *feasibility, bool *ret_foretold, struct tuner_error *err)
{
	const struct gp *gp = margin_gp(feasibility);
	const size_t n = gp_n(gp);
	double *means = factor_allocate(1, n);

	if (means == NULL)
		return tuner_fail_memory(err);

	const bool ok = leave_one_out(gp, means, err);

	for (size_t i = 0; ok && i < n; i++)
		ret_foretold[i] = gp_outcomes(gp)[i] < 0 && means[i] < 0;
	free(means);
	return ok;
}
