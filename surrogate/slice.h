/* Slice sampling: draws from a density that is known up to a factor (Neal, "Slice sampling", Annals
 * of Statistics 31, 2003), along random directions, alternately any direction and an axis.
 *
 *     slice_init -> slice_step, any number of times -> slice_finish
 *
 * A step draws a height below the density at the present point, and a direction. An interval of
 * length SLICE_WIDTH around the point is stepped out until the density at both ends is below that
 * height. Points are drawn from the interval, which shrinks to each whose density is too low, until
 * one is above the height: the next point. Nothing is rejected, there is no step size to tune, and
 * the chain is reversible.
 *
 * Why the axes: where the density is narrow in some coordinates and wide in others, a step in a
 * general direction is as short as the narrow coordinates require. */
#ifndef SURROGATE_SLICE_H
#define SURROGATE_SLICE_H

#include "base/error.h"
#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLICE_WIDTH 1.0

/* The greatest length of the interval, in widths, and the greatest number of shrinkings: an
 * unbounded density costs time, but the step ends. (If shrinking finds nothing the chain stays
 * where it is.) */
enum { SLICE_STEPS = 200 };

/* The logarithm of the density at x, up to a constant; minus infinity where the density is zero.
 * NaN counts as minus infinity. */
typedef double slice_density(void *context, const double *x);

/* A chain. */
struct slice {
	size_t d;
	slice_density *density;
	void *context;
	double *x; /* d: the present point */
	double value; /* log density there */
	uint64_t evaluations; /* of the density, the first included */
	const bool *held; /* borrowed */
	double *direction, *next; /* d: scratch */
};

/* Begins a chain at x (d >= 1, copied). held (d; NULL: none) marks coordinates that never move;
 * held and context are borrowed. Errors, which leave nothing to finish: TUNER_FATAL without memory,
 * TUNER_NUMERIC if the density at x is not finite. */
TUNER_MUST_CHECK
bool slice_init(struct slice *slice, size_t d, const double *x, const bool *held,
	slice_density *density, void *context, struct tuner_error *err);

/* Moves slice->x to the next point. */
void slice_step(struct slice *slice, struct random *random);

/* Frees what init allocated. A zeroed struct is allowed. */
void slice_finish(struct slice *slice);

#endif
