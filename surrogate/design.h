/* Space-filling points in [0,1)^d: scrambled Sobol.
 *
 *     design_create -> design_next, point after point -> design_destroy
 *
 * Point i is a pure function of (seed, repeat, number and purpose of the key, d, i); so a sequence
 * can continue after a restart, or skip points that were tried, without any stored state.
 *
 * The points are GSL's Sobol sequence with the zero point put back in front (GSL leaves it out, and
 * with it the balance of the first 2^m points), Owen-scrambled by the hash of Laine and Karras as
 * Burley uses it ("Practical hash-based Owen scrambling", JCGT 9(4), 2020), with uniform random
 * bits below the last one. In the first DESIGN_SOBOL_MAX dimensions every elementary interval of
 * Sobol's net keeps its number of points, both in the first 2^m points and in each later aligned
 * block. Draw powers of two where there is a choice, and do not thin (Owen, "On dropping the first
 * Sobol' point", 2020).
 *
 * Beyond DESIGN_SOBOL_MAX dimensions (GSL's tables end there, and gsl_qrng then gives zeros without
 * an error) each further coordinate is a scrambled van der Corput sequence over independently
 * shuffled indices. Each block of 2^m points is a Latin hypercube in those coordinates: each
 * coordinate has one point in each of 2^m equal intervals, paired at random with the others. */
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

/* Starts at point `first`. Stepping there takes about 5 ns per dimension and point. TUNER_USAGE if
 * `first` is DESIGN_POINTS_MAX or more. */
TUNER_MUST_CHECK
bool design_create(size_t d, struct random_key key, uint64_t first, struct design **ret,
	struct tuner_error *err);

/* The next point, d doubles in [0, 1). At most DESIGN_POINTS_MAX calls in a design's life. */
void design_next(struct design *design, double *ret_u);

/* Index of the point that the next design_next returns. */
uint64_t design_index(const struct design *design);

void design_destroy(struct design *design);

#endif
