/* A model of finished trials for reports: what depends on what (importance.h), which trial to use
 * (recommendation.h). It is fitted as in strategy bayesian (model_fit.h), with one more start,
 * since a report may take longer. No parameter is given, and nothing is pending. */
#ifndef SURROGATE_TRIAL_MODEL_H
#define SURROGATE_TRIAL_MODEL_H

#include "surrogate/model_fit.h"

struct trial_model {
	double given[SPACE_PARAMETERS_MAX]; /* all NaN */
	struct columns columns; /* d is 0 in a space of one configuration: then there is no model */
	struct model_data data;
	struct gp *gp; /* set by trial_model_fit */
	const double *start; /* the request's, if they belong to this model; or NULL */
};

/* Uses of the request: space, strategy (deterministic, transform), observations, start. The columns
 * point into `model`, which must not move. `warped`: the axes are warped as the strategy says. Call
 * trial_model_finish in any case. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool trial_model_init(struct trial_model *model, const struct suggest_request *request, bool warped,
	struct tuner_error *err);

/* Fits the hyperparameters and prepares the gp for predictions. Needs a trial. Errors as
 * model_fit. */
TUNER_MUST_CHECK
bool trial_model_fit(
	struct trial_model *model, const struct suggest_request *request, struct tuner_error *err);
void trial_model_finish(struct trial_model *model);

#endif
