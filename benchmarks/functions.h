/* Test functions of optimisation, as their papers and collections state them; all are minimised.
 *
 * Sources: Surjanovic and Bingham, "Virtual Library of Simulation Experiments" (Branin, Hartmann, Ackley, Levy,
 * Rosenbrock, Styblinski-Tang, Michalewicz, six-hump camel); Ru et al., "Bayesian optimisation over multiple
 * continuous and categorical inputs", ICML 2020 (func3c); Jenatton et al., "Bayesian optimization with tree-structured
 * dependencies", ICML 2017 (jenatton). Arguments are in each function's own units. */
#ifndef BENCHMARKS_FUNCTIONS_H
#define BENCHMARKS_FUNCTIONS_H

#include <stddef.h>

double branin(size_t d, const double *x);
double hartmann3(size_t d, const double *x);
double hartmann6(size_t d, const double *x);
double ackley(size_t d, const double *x);
double levy(size_t d, const double *x);
double rosenbrock(size_t d, const double *x);
double styblinski_tang(size_t d, const double *x);
double michalewicz(size_t d, const double *x);
double camel(size_t d, const double *x);

/* Two floats in [-1, 1], then three categories of 3, 5 and 4 values by index. */
double func3c(size_t d, const double *x);

/* A tree: three switches, of which the first decides which other counts, then a float in [-1, 1] for each of the four leaves and a
 * float in [0, 1] for each of the two branches. */
double jenatton(size_t d, const double *x);

/* Hartmann-6 on integers 0 ... 10 and floats, by turns. */
double hartmann6_integer(size_t d, const double *x);

#endif
