/* Space-filling points in [0,1)^d: scrambled Sobol.
 *
 *     design_create -> design_next, point after point -> design_destroy
 *
 * Point i is a pure function of (seed, repeat, number and purpose of the key, d, i); so a sequence
 * goes on after a restart, or skips points that were tried, without keeping any state.
 *
 * The points are GSL's Sobol sequence with the zero point put back in front (GSL leaves it out, and
 * with it the balance of the first 2^m points), Owen-scrambled by the hash of Laine and Karras as
 * Burley uses it ("Practical hash-based Owen scrambling", JCGT 9(4), 2020), with a uniform number
 * below the last bit. In the first DESIGN_SOBOL_MAX dimensions every elementary interval of Sobol's
 * net keeps its number of points, in the first 2^m points as in each later aligned block. Draw powers
 * of two where there is a choice, and do not thin (Owen, "On dropping the first Sobol' point", 2020).
 *
 * Beyond DESIGN_SOBOL_MAX dimensions (GSL's tables end there, and gsl_qrng then gives zeros without
 * an error) each further coordinate is a scrambled van der Corput sequence over independently
 * shuffled indices. Each block of 2^m points is a Latin hypercube in those coordinates: every one
 * of them has one point in each of 2^m equal intervals, paired at random with the others. */
#ifndef SURROGATE_DESIGN_H
#define SURROGATE_DESIGN_H

#include "base/error.h"
#include "base/random.h"

#include <stddef.h>
#include <stdint.h>

enum {
	DESIGN_SOBOL_MAX = 40, /* dimensions */
	DESIGN_POINTS_MAX = 1 << 29, /* points of one sequence; GSL's words have 30 bits */
};

struct design;

/* Starts at point `first`. Stepping there takes about 5 ns a dimension and point. TUNER_USAGE from
 * DESIGN_POINTS_MAX on. */
TUNER_MUST_CHECK
bool design_create(size_t d, struct random_key key, uint64_t first, struct design **ret,
	struct tuner_error *err);

/* The next point, d doubles in [0, 1). At most DESIGN_POINTS_MAX calls in a design's life. */
void design_next(struct design *design, double *ret_u);

/* Index of the point that design_next gives next. */
uint64_t design_index(const struct design *design);

void design_destroy(struct design *design);

#endif
