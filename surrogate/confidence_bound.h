/* How low a function may plausibly be at a point: mean - beta sd, where beta weighs exploration
 * against exploitation (Srinivas, Krause, Kakade, Seeger, "Gaussian Process Optimization in the
 * Bandit Setting", ICML 2010: they maximise, so theirs is an upper bound; hence the acquisition's
 * name, UCB).
 *
 * With running trials, the sd comes from a model that contains them and the mean from one that does
 * not (Desautels, Krause, Burdick, "Parallelizing Exploration-Exploitation Tradeoffs in Gaussian
 * Process Bandit Optimization", JMLR 15, 2014): where a trial runs there is less left to learn. */
#ifndef SURROGATE_CONFIDENCE_BOUND_H
#define SURROGATE_CONFIDENCE_BOUND_H

/* The default weight of the sd, that of the Vizier bandit (Song et al., "The Vizier Gaussian
 * Process Bandit Algorithm", 2024). */
#define CONFIDENCE_BOUND_BETA 1.8

/* The bound negated, so that more is better, in the model's unit; with its derivatives by mean and
 * sd (NULL: not wanted). */
double negated_confidence_bound(
	double mean, double sd, double beta, double *ret_by_mean, double *ret_by_sd);

#endif
