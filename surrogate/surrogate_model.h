/* What strategy bayesian knows about the objective: a model of the request's trials, or several at
 * draws of the hyperparameters; where many trials fail, a model of failure; and one of the limits
 * that a result must keep.
 *
 *     surrogate_model_init -> surrogate_model_fit -> surrogate_model_append_pending -> surrogate_model_predict
 *         -> surrogate_model_finish
 *
 * Hyperparameters are refitted only now and then, starting from the last ones; in between they are
 * kept (gp_condition). */
#ifndef SURROGATE_SURROGATE_MODEL_H
#define SURROGATE_SURROGATE_MODEL_H

#include "surrogate/feasibility.h"
#include "surrogate/limits.h"
#include "surrogate/model_fit.h"
#include "surrogate/related.h"

struct surrogate_model {
	const struct suggest_request *request;
	struct suggest_request
		lessons; /* the request with only the trials that the model is made from */
	struct columns columns;
	struct model_data data;
	struct gp *gp;
	struct ensemble ensemble; /* marginal: used instead of the gp; empty otherwise */
	struct margin *feasibility; /* NULL: too few trials have failed */
	struct limits *limits; /* NULL: of no trial is known what is limited */
	bool seeks_first; /* no trial has kept the limits yet */
	double *chances; /* n_pending: to keep the limits; NULL without limits */
	bool stagnates; /* the search stagnates (stagnation.h): every few suggestions outcomes are
			   in the unit of all trials */
	bool is_wide; /* outcomes are in that unit now */
	struct related_blend blend; /* what other searches tell; zeros without any */
	double scaled_start[SUGGEST_HYPERPARAMETERS_MAX]; /* see surrogate_model_hyperparameters */
	const double *start; /* the request's, if they belong to these columns; or NULL */
	double lengthscales[COLUMNS_MAX]; /* the start's, or 1; then the fit's */
	uint64_t work; /* evaluations of the fits */
	uint64_t approximations; /* approximate evaluations of the objective model's fit */
};

/* `model` must be zero but for its columns and stagnates. Call surrogate_model_finish in any case. Errors: TUNER_FATAL
 * without memory. */
TUNER_MUST_CHECK
bool surrogate_model_init(struct surrogate_model *model, const struct suggest_request *request,
	const struct suggest_request *lessons, struct tuner_error *err);

/* Needs a trial. Errors: TUNER_FATAL without memory, TUNER_NUMERIC if no model of these trials can
 * be fitted. */
TUNER_MUST_CHECK
bool surrogate_model_fit(struct surrogate_model *model, struct tuner_error *err);

/* Appends the pending configurations behind the trials. Errors as gp_append. */
TUNER_MUST_CHECK
bool surrogate_model_append_pending(struct surrogate_model *model, struct tuner_error *err);

/* The models: the gp alone, or those of the ensemble. The latest is the one from which a chain
 * continues. */
size_t surrogate_model_count(const struct surrogate_model *model);
struct gp *surrogate_model_nth(const struct surrogate_model *model, size_t i);
const struct gp *surrogate_model_latest(const struct surrogate_model *model);

/* Mean and sd at one point x, in the model's unit; TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool surrogate_model_predict(const struct surrogate_model *model, const double *x, double *ret_mean,
	double *ret_sd, struct tuner_error *err);

/* Of the latest model, as the next fit starts from them: with the variance of the noise in the unit of
 * standardised outcomes, however the blend has scaled these. */
void surrogate_model_hyperparameters(const struct surrogate_model *model, double *ret);

/* The noise variance in that unit. */
double surrogate_model_noise(const struct surrogate_model *model);

/* The log posterior at the latest model's hyperparameters, by the exact likelihood of its rows,
 * however they were fitted. Errors as gp_likelihood. */
TUNER_MUST_CHECK
bool surrogate_model_log_posterior(
	const struct surrogate_model *model, double *ret, struct tuner_error *err);

void surrogate_model_finish(struct surrogate_model *model);

#endif
