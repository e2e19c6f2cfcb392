/* Thompson sampling: a point is as good as one function says that the model holds possible, drawn anew for
 * every trial (Thompson, "On the likelihood that one unknown probability exceeds another in view of the
 * evidence of two samples", Biometrika 25, 1933). It explores as much as the model is unsure, and trials asked
 * for at once differ because their functions do. */
#ifndef SURROGATE_THOMPSON_H
#define SURROGATE_THOMPSON_H

#include "surrogate/draws.h"

/* One function of the gp (draws.h, with its conditions), negated, at m points (m x d): more is better.
 * TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool thompson_values(const struct gp *gp, const struct columns *columns, const double *X, size_t m,
	struct random *random, double *ret_values, struct tuner_error *err);

#endif
