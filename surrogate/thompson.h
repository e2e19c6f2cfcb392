/* Thompson sampling: a point's value is that of one function from the posterior, drawn anew for
 * every trial (Thompson, "On the likelihood that one unknown probability exceeds another in view of
 * the evidence of two samples", Biometrika 25, 1933). Exploration follows the model's uncertainty,
 * and trials proposed at the same time differ because their functions do. */
#ifndef SURROGATE_THOMPSON_H
#define SURROGATE_THOMPSON_H

#include "surrogate/draws.h"

/* One function drawn from the gp (draws.h, whose requirements apply), negated so that more is
 * better, at m points (m x d). TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool thompson_values(const struct gp *gp, const struct columns *columns, const double *X, size_t m,
	struct random *random, double *ret_values, struct tuner_error *err);

#endif
