/* How low a function may well be at a point: mean - beta sd, where beta weighs what is not known against what
 * is hoped for (Srinivas, Krause, Kakade, Seeger, "Gaussian Process Optimization in the Bandit Setting",
 * ICML 2010: the upper bound of a function that is maximised, hence the acquisition's name, UCB).
 *
 * While trials are under way, the sd is that of a model which has them and the mean that of one which
 * has not (Desautels, Krause, Burdick, "Parallelizing Exploration-Exploitation Tradeoffs in Gaussian
 * Process Bandit Optimization", JMLR 15, 2014): where a trial runs there is less to be found out. */
#ifndef SURROGATE_CONFIDENCE_BOUND_H
#define SURROGATE_CONFIDENCE_BOUND_H

/* The weight of the sd where none is given, of the Vizier bandit (Song et al., "The Vizier Gaussian Process
 * Bandit Algorithm", 2024). */
#define CONFIDENCE_BOUND_BETA 1.8

/* The bound negated, so that more is better, in the model's unit; with its derivatives by mean and sd (NULL:
 * not wanted). */
double negated_confidence_bound(
	double mean, double sd, double beta, double *ret_by_mean, double *ret_by_sd);

#endif
