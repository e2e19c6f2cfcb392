/* Slice sampling: draws from a density that is known up to a factor (Neal, "Slice sampling", Annals of
 * Statistics 31, 2003), along random directions: of all directions, or, every other time, of the axes.
 *
 *     slice_init -> slice_step, any number of times -> slice_finish
 *
 * A step draws a height below the density at the present point, and a direction. An interval of length
 * SLICE_WIDTH around the point is stepped out until both its ends lie below that height. Points are drawn
 * from it, and it shrinks to those that lie below, until one lies above: that is the next point. Nothing is
 * rejected, there is no step size to find, and the chain is reversible.
 *
 * Why the axes: where the density is narrow in some coordinates and wide in others, a step in any direction is as
 * short as the narrow ones want it. */
#ifndef SURROGATE_SLICE_H
#define SURROGATE_SLICE_H

#include "base/error.h"
#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLICE_WIDTH 1.0

/* The interval is at most so many widths long, and shrinks at most so often: a density without an end costs
 * time, but not for ever. (Where shrinking finds nothing the chain stays where it is.) */
enum { SLICE_STEPS = 200 };

/* The logarithm of the density at x, up to a constant; minus infinity where there is none. NaN counts as
 * that. */
typedef double slice_density(void *context, const double *x);

/* A chain. */
struct slice {
	size_t d;
	slice_density *density;
	void *context;
	double *x; /* d: where it is */
	double value; /* log density there */
	uint64_t evaluations; /* of the density, the first included */
	const bool *held; /* borrowed */
	double *direction, *next; /* d: scratch */
};

/* Begins a chain at x (d >= 1, copied). held (d; NULL: none) marks coordinates that never move; it is
 * borrowed, as is the context. Errors, which leave nothing to finish: TUNER_FATAL without memory,
 * TUNER_NUMERIC if the density at x is not finite. */
TUNER_MUST_CHECK
bool slice_init(struct slice *slice, size_t d, const double *x, const bool *held,
	slice_density *density, void *context, struct tuner_error *err);

/* The next point, in slice->x. */
void slice_step(struct slice *slice, struct random *random);

/* Of a zeroed struct nothing. */
void slice_finish(struct slice *slice);

#endif
