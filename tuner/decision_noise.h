/* The noise that the model of a decision saw. */
#ifndef TUNER_DECISION_NOISE_H
#define TUNER_DECISION_NOISE_H

#include "trials/trial.h"

/* Its variance where all outcomes have sd 1; NaN without a model. */
double decision_noise(const struct decision *decision);

#endif
