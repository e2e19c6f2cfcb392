/* Limits of other outcomes than the objective, such as latency: the probability that a trial keeps
 * them all, learnt from the trials that are known to be within, or over, and by how much.
 *
 * Each limit has a model of its own (margin.h) of how far trials kept within it, and they are taken
 * to be independent: the probability is the product over the limits. Its logarithm is a term of the
 * acquisition, so that log EI becomes the logarithm of the expected gain within the limits (Schonlau,
 * Welch, Jones, 1998; Gardner, Kusner, Xu, Weinberger, Cunningham, "Bayesian Optimization with
 * Inequality Constraints", ICML 2014). The value to improve on is that of a trial within. While there
 * is none, the term alone is the acquisition (Gelbart, Snoek, Adams, "Bayesian Optimization with
 * Unknown Constraints", UAI 2014).
 *
 * An excess c may be in any unit and reach over many decades. Its model sees -sign(c) ln(1 + |c| /
 * s), with the median s of |c|, scaled to a standard deviation of 1: near the limit that is linear,
 * and the limit stays where it is, at 0 (the "bilog" of Eriksson and Poloczek, "Scalable
 * Constrained Bayesian Optimization", AISTATS 2021). An excess of exactly 0, as counts have, is within
 * by half of the least that any is over.
 *
 *     limits_create -> limits_suppose_over -> limits_add, limits_term -> limits_destroy */
#ifndef SURROGATE_LIMITS_H
#define SURROGATE_LIMITS_H

#include "surrogate/columns.h"
#include "surrogate/margin.h"
#include "surrogate/suggest.h"

/* Trials in the model of a limit at most; of more, subset.h chooses those nearest to the limit. */
enum { LIMITS_ROWS_MAX = 1024 };

/* True if the excess of any trial is known. */
bool limits_are_known(const struct suggest_request *request);

/* True if the observation may count as a result: it is over no limit, as far as is known. Of a
 * stopped trial that is not known where any trial's excess is (`known`: limits_are_known). */
bool limits_are_kept(const struct observation *observation, bool known);

/* By how much each of the request's observations is over its limits, in no unit: the sum of its
 * excesses, each divided by the limit's median |c|; 0: all limits are kept; INFINITY: it is over one,
 * and by how much is not known. */
TUNER_MUST_CHECK
bool limits_violations(const struct suggest_request *request, double *ret, struct tuner_error *err);

struct limits;

/* *ret is NULL if no trial's excess is known. lengthscales (columns->d): as in model_data.h.
 * work_limit: likelihoods of all fits together; 0: no limit; *ret_work: likelihoods done. Errors:
 * TUNER_FATAL without memory, TUNER_NUMERIC as gp_fit. */
TUNER_MUST_CHECK
bool limits_create(const struct columns *columns, const struct suggest_request *request,
	const double *lengthscales, uint64_t work_limit, struct limits **ret, uint64_t *ret_work,
	struct tuner_error *err);
void limits_destroy(struct limits *limits);

/* Supposes of n trials that still run (n x d), one after the other, that each is over the limit that
 * it keeps with the least probability. For the search for a first trial within: if one of them is,
 * that search is over, so all that it need ask is where to look if none is. */
TUNER_MUST_CHECK
bool limits_suppose_over(struct limits *limits, const double *X, size_t n, struct tuner_error *err);
void limits_forget(struct limits *limits);

/* Adds the log of the probability that a trial keeps all limits at m points (m x d), with its
 * gradients unless they are NULL; 0 for categories. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool limits_add(struct limits *limits, const double *X, size_t m, double *values, double *gradients,
	struct tuner_error *err);

/* Adds an estimate, in O(n) per point. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool limits_add_glance(
	struct limits *limits, const double *X, size_t m, double *values, struct tuner_error *err);

/* The term of an acquisition over the same columns. `limits` is borrowed. */
struct acquisition_term limits_term(struct limits *limits);

#endif
