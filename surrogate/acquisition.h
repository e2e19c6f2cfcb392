/* What a point is worth: the logarithm of its expected improvement.
 *
 *     EI = E max(0, f* - f(x)) = sd h(z),  z = (f* - mean) / sd,  h(z) = phi(z) + z Phi(z)
 *
 * The logarithm, because EI and its slope underflow over most of the cube (Ament et al.,
 * "Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023). sd is
 * the standard deviation of the latent function.
 *
 * The incumbent f* is the least posterior mean at the trials, not the least outcome, which with
 * noise is the luckiest one. (Both are available, and noisy_incumbent.h is a third choice.)
 *
 * With noise, EI hardly falls near earlier trials, because the model is not sure of f there either:
 * trials are repeated while other hills are never visited. Augmented EI (expected_improvement.h)
 * lowers EI where one more trial would tell little. Its f* is the posterior mean at the trial whose
 * mean + sd is least, so a lucky trial far from all others is not the incumbent (Huang et al., see
 * there; c = 1).
 *
 * Pending rows of the model (gp.h) are treated by fantasies, S joint draws of their outcomes. Each
 * fantasy has its own f*, the pending rows included, and the value is the log of the mean EI over
 * the fantasies (Snoek, Larochelle, Adams, "Practical Bayesian Optimization of Machine Learning
 * Algorithms", NIPS 2012, section 3.2). The variance is the same in all of them. With more than
 * ACQUISITION_PENDING_MAX pending rows a single fantasy is used, the predicted mean.
 *
 * A pending row that may turn out to be no result, since it may be over a limit (limits.h), is the
 * incumbent in a part of the fantasies only.
 *
 * A point's value may instead be its confidence bound (confidence_bound.h), or nothing. Terms may be
 * added: the point's cost (cost.h), the probability that it does not fail (feasibility.h), that it
 * keeps all limits.
 *
 *     acquisition_create -> acquisition_add_term, once per term
 *         -> acquisition_values, acquisition_gradients -> acquisition_destroy */
#ifndef SURROGATE_ACQUISITION_H
#define SURROGATE_ACQUISITION_H

#include "base/error.h"
#include "base/random.h"
#include "surrogate/gp.h"

#include <stddef.h>

enum {
	ACQUISITION_FANTASIES = 64,
	ACQUISITION_PENDING_MAX = 64,
	ACQUISITION_MODELS_MAX = 10, /* see acquisition_join */
	ACQUISITION_MODELS_FIRST = 2,
};

enum acquisition_kind {
	ACQUISITION_EI, /* log expected improvement */
	ACQUISITION_UCB, /* the confidence bound, negated: pending rows are given their predicted
			    means, so they only reduce the sd */
	ACQUISITION_TERMS, /* 0: what the terms say is all that counts */
};

enum acquisition_incumbent {
	ACQUISITION_INCUMBENT_MEAN, /* the least posterior mean */
	ACQUISITION_INCUMBENT_BEST, /* the least outcome, those drawn in the fantasy included */
	ACQUISITION_INCUMBENT_AUGMENTED, /* that of augmented EI, which replaces EI */
};

struct acquisition_options {
	enum acquisition_kind kind;
	const bool *eligible; /* gp_n_outcomes: marks the trials that may be the incumbent (failed
				 ones may not: their outcomes are made up; nor may those over a
				 limit); NULL, or none marked: all */
	const double *chances; /* EI: of each of the first n_chances pending rows the probability
				  that it may be the incumbent; each is in that part of the
				  fantasies, or, if there is but one, where it is 1/2. Further
				  rows may always */
	size_t n_chances;
	size_t n_fantasies; /* EI: draws, >= 1 */
	enum acquisition_incumbent incumbent; /* EI */
	double beta; /* UCB: sd below the mean */
};

struct acquisition;

/* Borrows the fitted gp, which must not change while the acquisition lives. Fantasies are drawn
 * from `random` (purpose RANDOM_FANTASY), one Latin hypercube of n_fantasies strata per pending
 * row; nothing is drawn without pending rows. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool acquisition_create(const struct gp *gp, const struct acquisition_options *options,
	struct random *random, struct acquisition **ret, struct tuner_error *err);
void acquisition_destroy(struct acquisition *acquisition);

/* Adds the single model of `other`: from now on a value is the log of the mean EI over all models.
 * They must have the same dimensions and count as equally likely; there are at most
 * ACQUISITION_MODELS_MAX. Both acquisitions must be ACQUISITION_EI, and `other` must have no terms.
 * Takes ownership of `other`, even on failure (TUNER_FATAL without memory). */
TUNER_MUST_CHECK
bool acquisition_join(
	struct acquisition *acquisition, struct acquisition *other, struct tuner_error *err);

/* A function of the point, added to its value once, however many models are joined. `add` adds the
 * term at m points to the values and, unless they are NULL, its gradients to the gradients.
 * `add_glance` adds an estimate of the term for acquisition_glance, in O(n) per point; NULL adds
 * nothing there. */
struct acquisition_term {
	void *context;
	bool (*add)(void *context, const double *X, size_t m, double *values, double *gradients,
		struct tuner_error *err);
	bool (*add_glance)(
		void *context, const double *X, size_t m, double *values, struct tuner_error *err);
};

/* The term's context is borrowed. At most ACQUISITION_TERMS_MAX terms. */
enum { ACQUISITION_TERMS_MAX = 5 };
void acquisition_add_term(struct acquisition *acquisition, const struct acquisition_term *term);

/* Number of rows of the model, pending ones included. */
size_t acquisition_rows(const struct acquisition *acquisition);

/* f*, averaged over the fantasies and the models; model unit. NaN: ACQUISITION_TERMS. */
double acquisition_incumbent(const struct acquisition *acquisition);

/* Log EI (or its replacement) with all terms at m points (m x d, unit cube). If `fantasies` is not
 * 0, only that many fantasies and the first ACQUISITION_MODELS_FIRST models are used, which is
 * cheaper and accurate enough for a first look at many points. A value depends on its own point
 * only. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool acquisition_values(struct acquisition *acquisition, const double *X, size_t m,
	size_t fantasies, double *ret_values, struct tuner_error *err);

/* Estimates these values at m points, in O(n) per point (gp_glance), with predicted means for
 * pending rows and the average incumbent; terms are estimated too, and of several models only the
 * first ones are used, as above. For choosing the points that are worth acquisition_values. */
TUNER_MUST_CHECK
bool acquisition_glance(struct acquisition *acquisition, const double *X, size_t m,
	double *ret_values, struct tuner_error *err);

/* acquisition_values over all fantasies, with gradients (m x d) with respect to the points, 0 for
 * categories. One call serves all starts of a lockstep search. */
TUNER_MUST_CHECK
bool acquisition_gradients(struct acquisition *acquisition, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err);

/* The same by the first ACQUISITION_MODELS_FIRST models only (no difference where there is one
 * model): for climbs whose end is evaluated again. */
TUNER_MUST_CHECK
bool acquisition_rough_gradients(struct acquisition *acquisition, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err);

#endif
