/* Test problems with limits, as their papers state them; objectives are minimised, and an excess is at most 0 within its
 * limit.
 *
 * Sources: Gardner et al., "Bayesian Optimization with Inequality Constraints", ICML 2014 (gardner1, gardner2: its two
 * simulations); Gramacy et al., "Modeling an Augmented Lagrangian for Blackbox Constrained Optimization", Technometrics 58, 2016
 * (gramacy); Gelbart, Snoek, Adams, "Bayesian Optimization with Unknown Constraints", UAI 2014 (Branin in a disk); Letham et al.,
 * "Constrained Bayesian Optimization with Noisy Experiments", Bayesian Analysis 14, 2019 (Hartmann-6 in a ball); Eriksson and
 * Poloczek, "Scalable Constrained Bayesian Optimization", AISTATS 2021 (Ackley's function in half a ball); Coello and Mezura-Montes,
 * "Constraint-handling in genetic algorithms through the use of dominance-based tournament selection", 2002 (spring, vessel). */
#ifndef BENCHMARKS_LIMITED_FUNCTIONS_H
#define BENCHMARKS_LIMITED_FUNCTIONS_H

#include <stddef.h>

double gardner1(size_t d, const double *x);
void gardner1_excess(size_t d, const double *x, double *ret);
double gardner2(size_t d, const double *x);
void gardner2_excess(size_t d, const double *x, double *ret);

double gramacy(size_t d, const double *x);
void gramacy_excess(size_t d, const double *x, double *ret); /* 2 */

void disk_excess(size_t d, const double *x, double *ret); /* around (2.5, 7.5) */
void unit_ball_excess(size_t d, const double *x, double *ret);
void half_ball_excess(size_t d, const double *x, double *ret); /* 2: radius 5, sum of x below 0 */

/* A tension spring's weight, by the diameters of wire and coil and the number of coils. */
double spring(size_t d, const double *x);
void spring_excess(size_t d, const double *x, double *ret); /* 4 */

/* A pressure vessel's cost, by the thickness of shell and head, radius and length. */
double vessel(size_t d, const double *x);
void vessel_excess(size_t d, const double *x, double *ret); /* 3 */

/* Weights of the network that networks.h's mlp_digits trains, beyond MLP_WEIGHTS. */
#define MLP_WEIGHTS 4000
void mlp_weights_excess(size_t d, const double *x, double *ret);

/* Leaves of the boosted trees, beyond BOOSTING_LEAVES. */
#define BOOSTING_LEAVES 300
void boosting_leaves_excess(size_t d, const double *x, double *ret);

#endif
