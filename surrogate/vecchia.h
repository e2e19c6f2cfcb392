/* An approximation of likelihood.h for many rows, in O(n m^3) time and O(n m^2) memory (Vecchia, "Estimation and model
 * identification for continuous spatial processes", J. R. Statist. Soc. B 50, 1988):
 *
 *     log p(y) ~ sum_i log p(y_i | the m nearest rows before i)
 *
 * over the rows in a random order, nearest in units of lengthscales (Katzfuss, Guinness, Lawrence,
 * "Scaled Vecchia approximation for fast computer-model emulation", SIAM/ASA J. Uncertainty
 * Quantification 10, 2022). Model and hyperparameters are those of gp.h; the constant mean is the
 * most likely one under the approximation. With m = n - 1 it is the exact likelihood. */
#ifndef SURROGATE_VECCHIA_H
#define SURROGATE_VECCHIA_H

#include "base/random.h"
#include "surrogate/gp.h"

enum { VECCHIA_NEIGHBOURS = 30 };

struct vecchia;

/* Copies the data, in an order drawn from `random`, finds each row's m nearest (all, where there
 * are fewer) with the lengthscales and warps of theta, and allocates all that evaluations need. The
 * neighbours stay the same for all evaluations. kinds is borrowed. Errors: TUNER_FATAL without
 * memory. O(n^2 d). */
TUNER_MUST_CHECK
bool vecchia_create(size_t d, const enum dimension_kind *kinds, bool warped,
	const struct gp_data *data, size_t m, const double *theta, struct random *random,
	struct vecchia **ret, struct tuner_error *err);
void vecchia_destroy(struct vecchia *vecchia);

/* As likelihood_evaluate. */
bool vecchia_evaluate(
	struct vecchia *vecchia, const double *theta, double *ret_value, double *ret_gradient);

#endif
