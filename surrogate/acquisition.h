/* What a point is worth: the logarithm of its expected improvement.
 *
 *     EI = E max(0, f* - f(x)) = sd h(z),  z = (f* - mean) / sd,  h(z) = phi(z) + z Phi(z)
 *
 * The logarithm, because EI and its slope underflow over most of the cube (Ament et al.,
 * "Unexpected Improvements to Expected Improvement for Bayesian Optimization", NeurIPS 2023). sd
 * is that of the latent function.
 *
 * The incumbent f* is the least posterior mean at the trials, not the least outcome, which with
 * noise is the luckiest one. (Both can be had, and noisy_incumbent.h is a third way.)
 *
 * With noise that EI hardly falls where trials were: the model is not sure of f there either, so they are repeated
 * while other hills are never seen. Augmented EI (expected_improvement.h) counts the less the less one more trial would
 * tell, and its f* is the posterior mean at the trial whose mean + sd is least, so that a lucky trial far from all
 * others is none (Huang et al., see there; c = 1).
 *
 * Pending rows of the model (gp.h) are treated by fantasies: S joint draws of their outcomes; each
 * has its own f*, the pending rows included, and the value is the log of the mean EI over them
 * (Snoek, Larochelle, Adams, "Practical Bayesian Optimization of Machine Learning Algorithms",
 * NIPS 2012, section 3.2). The variance is the same for all draws. With more than
 * ACQUISITION_PENDING_MAX pending rows one fantasy, the predicted mean, stands for all.
 *
 * Instead of log EI a point may be worth its confidence bound (confidence_bound.h); and terms may be
 * added to either: what a point costs (cost.h), how likely it is not to fail (feasibility.h).
 *
 *     acquisition_create -> acquisition_add_term, as many as there are
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
	ACQUISITION_UCB, /* the confidence bound, negated: of all pending rows the predicted mean is
			    believed, so that they take away sd alone */
};

enum acquisition_incumbent {
	ACQUISITION_INCUMBENT_MEAN, /* the least posterior mean */
	ACQUISITION_INCUMBENT_BEST, /* the least outcome, in each fantasy with its own */
	ACQUISITION_INCUMBENT_AUGMENTED, /* as augmented EI has it, which takes the place of EI */
};

struct acquisition_options {
	enum acquisition_kind kind;
	const bool *eligible; /* gp_n_outcomes: trials that may be the incumbent, which are not the
				 failed ones, whose outcome is made up; NULL, or none marked: all */
	size_t n_fantasies; /* EI: draws, >= 1 */
	enum acquisition_incumbent incumbent; /* EI */
	double beta; /* UCB: sd below the mean */
};

struct acquisition;

/* Borrows the fitted gp, which must not change while the acquisition lives. Fantasies are drawn from `random`
 * (purpose RANDOM_FANTASY), one Latin hypercube of n_fantasies strata per pending row; without
 * pending rows nothing is drawn. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool acquisition_create(const struct gp *gp, const struct acquisition_options *options,
	struct random *random, struct acquisition **ret, struct tuner_error *err);
void acquisition_destroy(struct acquisition *acquisition);

/* From now on a value is the log of the mean EI over the models of both, `other`'s being one (of the same
 * dimensions, as likely as the others; at most ACQUISITION_MODELS_MAX together; both of ACQUISITION_EI, `other` without
 * terms). Takes over `other`, even if it fails (TUNER_FATAL without memory). */
TUNER_MUST_CHECK
bool acquisition_join(
	struct acquisition *acquisition, struct acquisition *other, struct tuner_error *err);

/* A function of the point that is added to its value, once, however many models are joined. `add` adds the term at m
 * points to the values and, unless they are NULL, its gradients to the gradients. `add_glance` adds an
 * estimate of it, in O(n) a point, for acquisition_glance; NULL: nothing is added at a glance. */
struct acquisition_term {
	void *context;
	bool (*add)(void *context, const double *X, size_t m, double *values, double *gradients,
		struct tuner_error *err);
	bool (*add_glance)(
		void *context, const double *X, size_t m, double *values, struct tuner_error *err);
};

/* Its context is borrowed. At most ACQUISITION_TERMS_MAX terms. */
enum { ACQUISITION_TERMS_MAX = 4 };
void acquisition_add_term(struct acquisition *acquisition, const struct acquisition_term *term);

/* Rows of the model, pending ones included. */
size_t acquisition_rows(const struct acquisition *acquisition);

/* f*, averaged over the fantasies and the models; model unit. */
double acquisition_incumbent(const struct acquisition *acquisition);

/* Log EI (or what is in its place) with all terms at m points (m x d, unit cube). fantasies: only the
 * first so many are used, and only the first ACQUISITION_MODELS_FIRST models, which is cheaper and good
 * enough for a first look at many points; 0: all. A value depends on its own point only. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool acquisition_values(struct acquisition *acquisition, const double *X, size_t m,
	size_t fantasies, double *ret_values, struct tuner_error *err);

/* What these values may be at m points, in O(n) a point (gp_glance), with pending rows from the predicted means and the
 * average incumbent; of the terms likewise, of several models by the first ones, as above. For the choice of the points
 * that are worth acquisition_values. */
TUNER_MUST_CHECK
bool acquisition_glance(struct acquisition *acquisition, const double *X, size_t m,
	double *ret_values, struct tuner_error *err);

/* The same with gradients (m x d) with respect to the points, 0 for categories; all fantasies. One
 * call serves all starts of a lockstep search. */
TUNER_MUST_CHECK
bool acquisition_gradients(struct acquisition *acquisition, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err);

/* The same by the first ACQUISITION_MODELS_FIRST models, which is the same where there is one: for climbs whose
 * end is looked at again. */
TUNER_MUST_CHECK
bool acquisition_rough_gradients(struct acquisition *acquisition, const double *X, size_t m,
	double *ret_values, double *ret_gradients, struct tuner_error *err);

#endif
