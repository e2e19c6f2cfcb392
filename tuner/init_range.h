/* Derives from a number in use a range that may hold a better one.
 *
 * The words of the name decide (learning_rate, learning-rate and LearningRate have two):
 *
 *   lr, rate, eta                              a tenth to ten times, log
 *   decay, wd, l1, l2, reg, lambda, eps, tol   a hundredth to a hundred times, log; 0: 0 to 0.01
 *   momentum, beta, rho, ema, gamma in [0, 1)  0 to 0.99, or to a tenth of the distance to 1 where
 *                                              that is above 0.99; reverse-log
 *   dropout, drop, prob, smoothing, mixup ...  0 to 0.5, or to 0.9 from 0.5 on; linear
 *   epochs, seed, workers, port, interval ...  none: these are no hyperparameters, or decide how
 *                                              long a trial takes
 *
 * If no word matches, the value decides: powers of two from 8 on become an ordinal of five, from a
 * quarter to four times; other whole numbers from 2 on get a half (at least 1) to twice; 0 and 1
 * may be switches and stay. Numbers with a point or exponent get a quarter to four times, below 0.1
 * a tenth to ten times on a log scale; 0.0 gets 0 to 1; negative numbers stay. */
#ifndef TUNER_INIT_RANGE_H
#define TUNER_INIT_RANGE_H

#include "base/text.h"

/* Appends the parameter's definition as JSON. False, with nothing appended, if the number is to
 * stay as it is or the text is not a plain decimal number. */
bool init_range(const char *name, const char *number, struct text *ret);

#endif
