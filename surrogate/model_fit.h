/* How a model of a request's trials is fitted: the same for what strategy bayesian proposes from and
 * for what importance.h explains.
 *
 *     gp_create, model_fit_start, model_data_init (model_data.h) -> model_fit -> the gp */
#ifndef SURROGATE_MODEL_FIT_H
#define SURROGATE_MODEL_FIT_H

#include "surrogate/ensemble.h"
#include "surrogate/gp_fit.h"
#include "surrogate/model_data.h"

/* The request's hyperparameters, if they belong to this model; NULL otherwise (there are none, or they
 * are from before an edit of the space). */
const double *model_fit_start(const struct gp *gp, const struct suggest_request *request);

/* Lengthscales by column at these hyperparameters; 1 each for NULL. */
void model_fit_lengthscales(
	const struct columns *columns, const double *theta, double *ret_lengthscales);

/* Likelihoods that a fit may take: part of the request's work, since one costs a few times what a point of the
 * acquisition does; 0: no limit. */
uint64_t model_fit_limit(const struct suggest_request *request);

/* gp_fit, with its errors and its report, but of more than `most` rows the hyperparameters come from so many,
 * evenly spaced in commit order: they tell as much as is needed, at a small part of the time. */
TUNER_MUST_CHECK
bool model_fit_rows(struct gp *gp, const struct gp_data *rows, size_t most,
	const struct gp_fit_options *options, struct gp_fit_report *ret, struct tuner_error *err);

/* Fits hyperparameters, from `start` among others (or, if `quick`, from it alone), and conditions the gp on
 * the data: model_fit_rows of MODEL_FIT_ROWS. Where the model itself cannot hold all trials, a search from
 * there (or from `start`) goes on with all of them, or MODEL_APPROXIMATE_ROWS, by the likelihood's
 * approximation (vecchia.h); each of its evaluations counts as one for MODEL_ROWS_A_UNIT of them, and there
 * are none if the work limit does not allow for two. Needs a trial. */
enum { MODEL_FIT_ROWS = 160, MODEL_APPROXIMATE_ROWS = 5000, MODEL_ROWS_A_UNIT = 32 };
TUNER_MUST_CHECK
bool model_fit(struct gp *gp, const struct model_data *data, const struct suggest_request *request,
	const double *start, bool quick, uint64_t work_limit, struct gp_fit_report *ret,
	struct tuner_error *err);

/* Draws hyperparameters instead (marginal.h): ENSEMBLE_MAX at most into ret_thetas, from `start`, where the chain goes
 * on from an earlier suggestion, or, if `is_new`, after a burn-in. The same rows are looked at as in a fit. Errors as
 * marginal_sample. */
TUNER_MUST_CHECK
bool model_fit_sample(const struct gp *gp, const struct model_data *data,
	const struct suggest_request *request, const double *start, bool is_new,
	uint64_t work_limit, double *ret_thetas, size_t *ret_n, uint64_t *ret_work,
	struct tuner_error *err);

#endif
