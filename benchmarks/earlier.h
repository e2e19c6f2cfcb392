/* Functions that earlier searches looked at, made from a problem's own: for what a search gains, or loses, by what it
 * is told of them (surrogate/related.h). */
#ifndef BENCHMARKS_EARLIER_H
#define BENCHMARKS_EARLIER_H

#include "benchmarks/problems.h"

/* f at another place, or turned around. */
struct variant {
	double shift; /* along each number's axis, in units of its range; what leaves a range comes back from its end */
	double sign; /* 1 or -1 */
	bool mirrored; /* all numbers from the other end, and the next category: as rough as f, and of other places */
};

extern const struct variant plain_variant; /* f itself */

/* "moved:SHIFT", "reversed", "mirrored", "other:PROBLEM": the variant, and the problem (at the call: the search's own).
 * False: there is none of this name. */
bool variant_find(const char *name, struct variant *ret, const struct problem **problem);

/* The argument of f for a configuration of the space; settled. */
void variant_argument(const struct variant *variant, const struct space *space,
	const double *values, double *ret);

#endif
