/* How a model of a request's trials is fitted, both for the proposals of strategy bayesian and for
 * the reports of importance.h.
 *
 *     gp_create, model_fit_start, model_data_init (model_data.h) -> model_fit -> the gp */
#ifndef SURROGATE_MODEL_FIT_H
#define SURROGATE_MODEL_FIT_H

#include "surrogate/ensemble.h"
#include "surrogate/gp_fit.h"
#include "surrogate/model_data.h"

/* The request's hyperparameters, if they belong to this model; NULL if there are none, or if they
 * are from before an edit of the space. */
const double *model_fit_start(const struct gp *gp, const struct suggest_request *request);

/* Lengthscales by column at theta; 1 each if theta is NULL. */
void model_fit_lengthscales(
	const struct columns *columns, const double *theta, double *ret_lengthscales);

/* Likelihood evaluations that a fit may use: a part of the request's work limit, since one costs a
 * few times as much as a point of the acquisition; 0: no limit. */
uint64_t model_fit_limit(const struct suggest_request *request);

/* gp_fit, with its errors and its report. Of more than `most` rows only `most`, evenly spaced in
 * commit order, determine the hyperparameters: they tell enough, in a small part of the time. */
TUNER_MUST_CHECK
bool model_fit_rows(struct gp *gp, const struct gp_data *rows, size_t most,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err);

/* Fits hyperparameters, from `start` among others (or, if `quick`, from it alone), and conditions
 * the gp on the data: model_fit_rows of MODEL_FIT_ROWS. Where the model itself cannot hold all
 * trials, the search continues from there (or from `start`) with all of them, at most
 * MODEL_APPROXIMATE_ROWS, by the approximate likelihood (vecchia.h). Each of its evaluations counts
 * as one per MODEL_ROWS_A_UNIT rows, and the step is skipped if the work limit does not allow two.
 * Needs at least one trial. */
enum { MODEL_FIT_ROWS = 160, MODEL_APPROXIMATE_ROWS = 5000, MODEL_ROWS_A_UNIT = 32 };
TUNER_MUST_CHECK
bool model_fit(struct gp *gp, const struct model_data *data, const struct suggest_request *request,
	const double *start, bool quick, uint64_t work_limit, struct gp_fit_report *ret,
	struct tuner_error *err);

/* Draws hyperparameters instead (marginal.h), at most ENSEMBLE_MAX, into ret_thetas. The chain
 * continues from `start`, the state of an earlier suggestion, or, if `is_new`, begins there with a
 * burn-in. Uses the same rows as a fit. Errors as marginal_sample. */
TUNER_MUST_CHECK
bool model_fit_sample(const struct gp *gp, const struct model_data *data,
	const struct suggest_request *request, const double *start, bool is_new,
	uint64_t work_limit, double *ret_thetas, size_t *ret_n, uint64_t *ret_work,
	struct tuner_error *err);

#endif
