/* What strategy bayesian knows of the objective: a model of the request's trials, or several at draws of the
 * hyperparameters, and beside it, where many trials fail, a model of failing.
 *
 *     surrogate_model_init -> surrogate_model_fit -> surrogate_model_append_pending -> surrogate_model_predict
 *         -> surrogate_model_finish
 *
 * Hyperparameters are fitted every so often, and from the last ones; in between they are kept (gp_condition). */
#ifndef SURROGATE_SURROGATE_MODEL_H
#define SURROGATE_SURROGATE_MODEL_H

#include "surrogate/feasibility.h"
#include "surrogate/model_fit.h"

struct surrogate_model {
	const struct suggest_request *request;
	struct columns columns;
	struct model_data data;
	struct gp *gp;
	struct ensemble ensemble; /* marginal: they stand in for the gp; none otherwise */
	struct feasibility *feasibility; /* NULL: few trials have failed */
	bool stagnates; /* the search (stagnation.h): outcomes are in the unit of all of them every so often */
	bool is_wide; /* they are now */
	const double *start; /* the request's, if they belong to these columns; or NULL */
	double lengthscales[COLUMNS_MAX]; /* the start's, or 1; then the fit's */
	uint64_t work; /* evaluations of the fits */
	uint64_t approximations; /* of the outcomes' fit, approximate ones */
};

/* The lessons are the request with those of its trials that the model is of. `model` is zero but for its columns and
 * stagnates. With surrogate_model_finish in any case. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool surrogate_model_init(struct surrogate_model *model, const struct suggest_request *request,
	const struct suggest_request *lessons, struct tuner_error *err);

/* Needs a trial. Errors: TUNER_FATAL without memory, TUNER_NUMERIC where there is no model of these trials. */
TUNER_MUST_CHECK
bool surrogate_model_fit(struct surrogate_model *model, struct tuner_error *err);

/* What is pending, behind the trials. Errors as gp_append. */
TUNER_MUST_CHECK
bool surrogate_model_append_pending(struct surrogate_model *model, struct tuner_error *err);

/* The gp is one, an ensemble several. The latest is the one from which a chain goes on. */
size_t surrogate_model_count(const struct surrogate_model *model);
struct gp *surrogate_model_nth(const struct surrogate_model *model, size_t i);
const struct gp *surrogate_model_latest(const struct surrogate_model *model);

/* At one point, in the model's unit; TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool surrogate_model_predict(const struct surrogate_model *model, const double *x, double *ret_mean,
	double *ret_sd, struct tuner_error *err);

/* Of the latest's hyperparameters and its rows' exact likelihood, however they were fitted; errors as gp_likelihood. */
TUNER_MUST_CHECK
bool surrogate_model_log_posterior(
	const struct surrogate_model *model, double *ret, struct tuner_error *err);

void surrogate_model_finish(struct surrogate_model *model);

#endif
