/* The noise that a decision's model estimated. */
#ifndef TUNER_DECISION_NOISE_H
#define TUNER_DECISION_NOISE_H

#include "trials/trial.h"

/* Its variance, with all outcomes scaled to sd 1; NaN without a model. Of n_models (1 or more, one for
 * each of several objectives), whose hyperparameters stand one after the other, that of the first. */
double decision_noise(const struct decision *decision, size_t n_models);

#endif
