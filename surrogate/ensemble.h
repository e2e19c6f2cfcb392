/* One model at several hyperparameters, each as likely as the others: what marginal.h draws them for.
 *
 *     ensemble_condition -> ensemble_append -> ensemble_acquisition, ensemble_predict -> ensemble_finish
 *
 * The prediction is the mixture of theirs, and a point is worth the mean of their expected improvements (Snoek,
 * Larochelle, Adams, "Practical Bayesian Optimization of Machine Learning Algorithms", NIPS 2012, section
 * 3.2). */
#ifndef SURROGATE_ENSEMBLE_H
#define SURROGATE_ENSEMBLE_H

#include "surrogate/acquisition.h"
#include "surrogate/gp.h"

enum { ENSEMBLE_MAX = ACQUISITION_MODELS_MAX };

struct ensemble {
	size_t n;
	struct gp *gps[ENSEMBLE_MAX]; /* owned */
};

/* n (1 to ENSEMBLE_MAX) models of the dimensions and warping of `like`, at the rows of thetas. Errors as
 * gp_condition; then there is nothing to finish. */
TUNER_MUST_CHECK
bool ensemble_condition(struct ensemble *ensemble, const struct gp *like,
	const struct gp_data *data, const double *thetas, size_t n, struct tuner_error *err);

/* gp_append to each, with its errors. */
TUNER_MUST_CHECK
bool ensemble_append(struct ensemble *ensemble, const double *X, size_t m, struct tuner_error *err);

/* Mean and sd at one point: with the variance between the models. TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool ensemble_predict(const struct ensemble *ensemble, const double *x, double *ret_mean,
	double *ret_sd, struct tuner_error *err);

/* Geometric means over the models, by dimension. */
void ensemble_lengthscales(const struct ensemble *ensemble, double *ret_lengthscales);

/* As acquisition_create of kind ACQUISITION_EI, over all models, which share the fantasies' number between them. */
TUNER_MUST_CHECK
bool ensemble_acquisition(const struct ensemble *ensemble,
	const struct acquisition_options *options, struct random *random, struct acquisition **ret,
	struct tuner_error *err);

/* Of a zeroed struct nothing. */
void ensemble_finish(struct ensemble *ensemble);

#endif
