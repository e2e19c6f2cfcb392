/* Surrogates of real tuning: networks fitted to hundreds of training runs with random settings (data/README.md says which). Each
 * returns minus a validation accuracy. */
#ifndef BENCHMARKS_NETWORKS_H
#define BENCHMARKS_NETWORKS_H

#include <stddef.h>

/* Arguments: batch size, learning rate, momentum, weight decay, layers, units, dropout. */
double mlp_digits(size_t d, const double *x);
double mlp_synthetic(size_t d, const double *x);
double mlp_fashion(size_t d, const double *x);

/* Arguments: rounds, eta, gamma, lambda, alpha, subsample, max_depth, min_child_weight, colsample_bytree,
 * colsample_bylevel. */
double boosting_digits(size_t d, const double *x);
double boosting_synthetic(size_t d, const double *x);

#endif
