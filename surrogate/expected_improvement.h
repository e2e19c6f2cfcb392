/* Expected improvement as a function of a prediction, in logarithms (acquisition.h).
 *
 *     EI = E max(0, f* - f) = sd h(z),  z = (f* - mean) / sd,  h(z) = phi(z) + z Phi(z) */
#ifndef SURROGATE_EXPECTED_IMPROVEMENT_H
#define SURROGATE_EXPECTED_IMPROVEMENT_H

/* ln h(z), for every z, infinite ones included. Absolute error (checked against 60 digits) below
 * 1e-15 max(1, |ln h|) for z >= -1, below 1e-11 down to -12, below 4e-16 |ln h| further out. */
double log_h(double z);

/* The same, with the derivative of ln h, Phi/h, and with phi/h = 1 - z Phi/h, free of
 * cancellation. */
double log_h_slopes(double z, double *ret_slope, double *ret_density);

/* Log EI of a prediction (sd > 0) and its derivatives by mean and sd (NULL: not wanted). */
double log_expected_improvement(
	double mean, double sd, double incumbent, double *ret_by_mean, double *ret_by_sd);

/* The factor of augmented EI, in logarithm, ln(1 - noise_sd / sqrt(sd^2 + noise_sd^2)): how much of
 * that improvement a noisy trial can reveal (Huang, Allen, Notz, Zeng, "Global Optimization of
 * Stochastic Black-Box Systems via Sequential Kriging Meta-Models", Journal of Global Optimization
 * 34, 2006). 0 without noise; far below 0 where little is left to learn. sd > 0, noise_sd >= 0; the
 * derivative is by sd (NULL: not wanted). */
double log_augmentation(double sd, double noise_sd, double *ret_by_sd);

#endif
