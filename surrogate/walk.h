/* Enumerates the distinct configurations of a lattice in a space with conditions: an inactive
 * parameter has one value only, so no configuration comes twice.
 *
 *     for (walk_begin(&walk, &lattice, WALK_MAX); !walk.ended; walk_next(&walk))
 *             if (walk_is_allowed(&walk)) ... walk.values ...
 *
 * The last active parameter changes fastest, where parents come before what depends on them;
 * without conditions this is the order of the lattice's ranks. */
#ifndef SURROGATE_WALK_H
#define SURROGATE_WALK_H

#include "surrogate/tried.h"

/* The most configurations that any caller walks over, those that break a constraint included: about
 * 0.1 s. */
enum { WALK_MAX = 1 << 20 };

struct walk {
	const struct lattice *lattice; /* borrowed; size > 0 */
	double values[SPACE_PARAMETERS_MAX]; /* settled */
	uint64_t index; /* of this configuration, from 0, those that break a constraint counted */
	bool ended; /* there is no further configuration; the other fields are not set */
	bool cut; /* ended by the limit */
	uint64_t limit;
	size_t order[SPACE_PARAMETERS_MAX];
	uint64_t digits[SPACE_PARAMETERS_MAX];
};

/* Begins a walk over the first `limit` configurations. An uncountable lattice has none. */
void walk_begin(struct walk *walk, const struct lattice *lattice, uint64_t limit);
void walk_next(struct walk *walk);

/* True if the configuration breaks no constraint. */
bool walk_is_allowed(const struct walk *walk);

/* Number of configurations that break no constraint among the first `limit`, counted up to `most`.
 * *ret_whole: true if the walk reached the lattice's end. */
uint64_t walk_count(const struct lattice *lattice, uint64_t limit, uint64_t most, bool *ret_whole);

#endif
