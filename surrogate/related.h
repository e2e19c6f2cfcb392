/* What other searches tell about this one: those of other data or other code, whose results are no
 * results here ("warm_start": {"as": "related"} of the job file).
 *
 *     related_create, once -> related_begin, for the first configurations
 *                          -> related_weigh, once a suggestion -> related_trend, gp_set_trend -> related_destroy
 *
 * Each source has a model of its own (trial_model.h) of its own standardised outcomes, which never
 * changes: m_s is its posterior mean. This search's outcomes are
 *
 *     y(x) = c + a [sum_s w_s m_s(x) + rho (g(x) + noise)],  a > 0,
 *
 * with g the Gaussian process of gp.h, of variance 1, or they have nothing to do with any source, as
 * where rho is infinite. So the sources say how y might rise and fall, and g is what they do not know.
 * (A model of what an earlier one leaves: Golovin et al., "Google Vizier", KDD 2017, section 3.3, and
 * Tighineanu et al., "Transfer Learning with Gaussian Processes for Bayesian Optimization", AISTATS
 * 2022. Weights by how well each source bears this search's results out, with a place for none of
 * them: Feurer, Letham, Bakshy, "Scalable Meta-Learning for Bayesian Optimization", 2018, who count
 * misranked pairs instead.)
 *
 * The scale a follows from the results (the unit of another metric means nothing), and so do the
 * weights and rho, by their evidence; related.c has the formulas. The trend is shrunk by the
 * probability that any source is related, and dropped where that is small. */
#ifndef SURROGATE_RELATED_H
#define SURROGATE_RELATED_H

#include "surrogate/gp.h"
#include "surrogate/strategy.h"

/* Trials of one source, in the order of their ends; borrowed. */
struct related_source {
	const struct observation *observations; /* values: of the space of this search */
	size_t n;
};

struct related;

/* How far the sources count in one suggestion. */
struct related_blend {
	const struct related *related;
	double weights
		[SUGGEST_RELATED_MAX]; /* by source: the probability that this is the one that is related;
					their sum is the probability that any is */
	double scale; /* the outcomes' unit is to be this many times smaller */
	double coefficients
		[SUGGEST_RELATED_MAX]; /* of m_s in the trend, in that unit; all 0: no trend, and
					     scale 1 */
};

/* Fits the sources' models; at most SUGGEST_RELATED_MAX. Of `strategy` those settings count that a model of
 * finished trials knows (trial_model.h). A source with too few results for a model tells nothing. The
 * sources and what they point to must outlive the result. Errors: TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool related_create(const struct space *space, const struct strategy *strategy,
	const struct related_source *sources, size_t n, struct related **ret,
	struct tuner_error *err);
void related_destroy(struct related *related);

/* True if any source has a model. NULL: false. */
bool related_tells(const struct related *related);

size_t related_count(const struct related *related); /* sources, with a model or without; NULL: 0 */

/* Weighs the sources by the outcomes of the gp, which is conditioned on them without a trend. Errors:
 * TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool related_weigh(const struct related *related, const struct gp *gp, struct related_blend *ret,
	struct tuner_error *err);

bool related_is_used(const struct related_blend *blend); /* it has a trend */

/* The trend, with the blend as its context. */
struct gp_trend related_trend(const struct related_blend *blend);

/* A configuration to begin with: the one among the sources' trials that their models, taken together,
 * expect most of, less where it is near one that is tried already. It is of the space, settled, breaks
 * no constraint and was not tried; *ret_found is false if there is none. Errors: TUNER_FATAL without
 * memory. */
TUNER_MUST_CHECK
bool related_begin(const struct related *related, const struct ask *ask, double *ret_values,
	bool *ret_found, struct tuner_error *err);

#endif
