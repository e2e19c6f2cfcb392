/* The noise that a decision's model estimated. */
#ifndef TUNER_DECISION_NOISE_H
#define TUNER_DECISION_NOISE_H

#include "trials/trial.h"

/* Its variance, with all outcomes scaled to sd 1; NaN without a model. */
double decision_noise(const struct decision *decision);

#endif
