/* The configurations that were tried, and those left to try.
 *
 * A set of configurations for lookups, and a numbering of the finite set that a strategy may choose
 * from, so that the untried ones can be counted and the k-th of them found without listing all. */
#ifndef SURROGATE_TRIED_H
#define SURROGATE_TRIED_H

#include "surrogate/space.h"
#include "surrogate/suggest.h"

/* Observed and pending configurations that lie in the space: nothing else can be repeated. */
struct tried {
	const struct space *space; /* borrowed */
	size_t n;
	double *u; /* n x d: encoded, on the lattice's own points */
};

TUNER_MUST_CHECK
bool tried_init(
	struct tried *tried, const struct suggest_request *request, struct tuner_error *err);
void tried_finish(struct tried *tried);

/* True if a member is the same as this configuration of the space (space_same). n d comparisons. */
bool tried_contains(const struct tried *tried, const double *values);

/* The configurations with the given values and, elsewhere, any value of the parameter's lattice, or
 * one of grid_points values along a float without step. The numbering ignores conditions and
 * constraints: in a space that has some, walk.h finds the members. */
struct lattice {
	const struct space *space; /* borrowed, as is given */
	const double *given; /* d, NaN where free */
	size_t grid_points; /* 0: floats without step make it uncountable */
	uint64_t size; /* 0: uncountable; UINT64_MAX: does not fit, and only ranks below it exist */
};

void lattice_init(struct lattice *lattice, const struct space *space, const double *given,
	size_t grid_points);

/* Number of values along parameter i (0 if uncountable), and the k-th value. */
uint64_t lattice_choices(const struct lattice *lattice, size_t i);
double lattice_choice(const struct lattice *lattice, size_t i, uint64_t k);

/* The configuration of a rank: mixed radix, the last parameter fastest. */
void lattice_configuration(const struct lattice *lattice, uint64_t rank, double *ret_values);

/* Ranks of the tried members that lie on the lattice: ascending, each once. The caller frees
 * *ret_ranks. */
TUNER_MUST_CHECK
bool lattice_tried(const struct lattice *lattice, const struct tried *tried, uint64_t **ret_ranks,
	size_t *ret_n, struct tuner_error *err);

/* The k-th of the ranks that are not among the n tried ones (ascending), k < lattice->size - n. */
uint64_t untried_rank(const uint64_t *ranks, size_t n, uint64_t k);

#endif
