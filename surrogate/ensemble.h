/* One model at several equally likely hyperparameter vectors, as drawn by marginal.h.
 *
 *     ensemble_condition -> ensemble_append -> ensemble_acquisition, ensemble_predict -> ensemble_finish
 *
 * The prediction is the mixture of the models' predictions, and a point's value is the mean of
 * their expected improvements (Snoek, Larochelle, Adams, "Practical Bayesian Optimization of
 * Machine Learning Algorithms", NIPS 2012, section 3.2). */
#ifndef SURROGATE_ENSEMBLE_H
#define SURROGATE_ENSEMBLE_H

#include "surrogate/acquisition.h"
#include "surrogate/gp.h"

enum { ENSEMBLE_MAX = ACQUISITION_MODELS_MAX };

struct ensemble {
	size_t n;
	struct gp *gps[ENSEMBLE_MAX]; /* owned */
};

/* Creates n (1 to ENSEMBLE_MAX) models with the dimensions, warping and trend of `like`, one for each row
 * of thetas. Errors as gp_condition; on failure there is nothing to finish. */
TUNER_MUST_CHECK
bool ensemble_condition(struct ensemble *ensemble, const struct gp *like,
	const struct gp_data *data, const double *thetas, size_t n, struct tuner_error *err);

/* gp_append to each model; errors as there. */
TUNER_MUST_CHECK
bool ensemble_append(struct ensemble *ensemble, const double *X, size_t m, struct tuner_error *err);

/* Mean and sd at one point; the sd includes the variance between the models. TUNER_FATAL without
 * memory. */
TUNER_MUST_CHECK
bool ensemble_predict(const struct ensemble *ensemble, const double *x, double *ret_mean,
	double *ret_sd, struct tuner_error *err);

/* Geometric means of the lengthscales over the models, by dimension. */
void ensemble_lengthscales(const struct ensemble *ensemble, double *ret_lengthscales);

/* As acquisition_create of kind ACQUISITION_EI, over all models; the number of fantasies is divided
 * among them. */
TUNER_MUST_CHECK
bool ensemble_acquisition(const struct ensemble *ensemble,
	const struct acquisition_options *options, struct random *random, struct acquisition **ret,
	struct tuner_error *err);

/* Frees what it owns. A zeroed struct is allowed. */
void ensemble_finish(struct ensemble *ensemble);

#endif
