/* A model of finished trials, to be asked about afterwards: what depends on what (importance.h), which trial to take
 * (recommendation.h). It is fitted as strategy bayesian fits it (model_fit.h), and from one start more, since a report may take
 * its time. Nothing of the space is given, and nothing is pending. */
#ifndef SURROGATE_TRIAL_MODEL_H
#define SURROGATE_TRIAL_MODEL_H

#include "surrogate/model_fit.h"

struct trial_model {
	double given[SPACE_PARAMETERS_MAX]; /* nothing is */
	struct columns
		columns; /* its d is 0 in a space of one configuration: then there is no model */
	struct model_data data;
	struct gp *gp; /* trial_model_fit */
	const double *start; /* the request's, if they belong to it; or NULL */
};

/* Uses of the request: space, strategy (deterministic, transform), observations, start. The columns point into `model`, which
 * stays where it is. `warped`: the axes are bent as the strategy says. With trial_model_finish in any case. Errors: TUNER_FATAL
 * without memory. */
TUNER_MUST_CHECK
bool trial_model_init(struct trial_model *model, const struct suggest_request *request, bool warped,
	struct tuner_error *err);

/* Hyperparameters, and all that the gp needs to predict. Needs a trial. Errors as model_fit. */
TUNER_MUST_CHECK
bool trial_model_fit(
	struct trial_model *model, const struct suggest_request *request, struct tuner_error *err);
void trial_model_finish(struct trial_model *model);

#endif
