#include "surrogate/tried.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The set ---- */

/* Encoded by way of the lattice value, so that two spellings of one value (0.3 and 3 * 0.1) have
 * the same bits. */
static double canonical(const struct parameter *parameter, double value)
{
	uint64_t k;

	if (parameter_index(parameter, value, &k))
		value = parameter_value(parameter, k);
	return parameter_encode(parameter, value);
}

static void canonical_row(const struct space *space, const double *values, double *ret_u)
{
	for (size_t i = 0; i < space->d; i++)
		ret_u[i] = canonical(&space->parameters[i], values[i]);
}

static bool same_coordinate(const struct parameter *parameter, double a, double b)
{
	if (parameter_cardinality(parameter) > 0)
		return a == b;
	return fabs(a - b) < SPACE_SAME_TOLERANCE;
}

/* Settled first, so that inactive coordinates are equal whatever their origin. */
static void add(struct tried *tried, const double *values)
{
	const size_t d = tried->space->d;
	double settled[SPACE_PARAMETERS_MAX];

	memcpy(settled, values, d * sizeof *values);
	space_settle(tried->space, settled);
	if (space_contains(tried->space, settled))
		canonical_row(tried->space, settled, &tried->u[tried->n++ * d]);
}

bool tried_init(struct tried *tried, const struct suggest_request *request, struct tuner_error *err)
{
	const size_t most = request->n_observations + request->n_pending;

	*tried = (struct tried){ .space = request->space };
	tried->u = calloc(most * request->space->d + 1, sizeof *tried->u);
	if (tried->u == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < request->n_observations; i++)
		add(tried, request->observations[i].values);
	for (size_t i = 0; i < request->n_pending; i++)
		add(tried, request->pending[i]);
	return true;
}

void tried_finish(struct tried *tried)
{
	free(tried->u);
	*tried = (struct tried){ 0 };
}

static bool same_row(const struct space *space, const double *a, const double *b)
{
	for (size_t i = 0; i < space->d; i++)
		if (!same_coordinate(&space->parameters[i], a[i], b[i]))
			return false;
	return true;
}

bool tried_contains(const struct tried *tried, const double *values)
{
	double u[SPACE_PARAMETERS_MAX];

	canonical_row(tried->space, values, u);
	for (size_t i = 0; i < tried->n; i++)
		if (same_row(tried->space, &tried->u[i * tried->space->d], u))
			return true;
	return false;
}

/* ---- The numbering ---- */

uint64_t lattice_choices(const struct lattice *lattice, size_t i)
{
	if (!isnan(lattice->given[i]))
		return 1;

	const uint64_t n = parameter_cardinality(&lattice->space->parameters[i]);

	return n > 0 ? n : lattice->grid_points;
}

void lattice_init(
	struct lattice *lattice, const struct space *space, const double *given, size_t grid_points)
{
	bool overflow = false;

	*lattice = (struct lattice){ space, given, grid_points, 1 };
	for (size_t i = 0; i < space->d; i++) {
		const uint64_t n = lattice_choices(lattice, i);

		if (n == 0) {
			lattice->size = 0;
			return;
		}
		overflow |= __builtin_mul_overflow(lattice->size, n, &lattice->size);
	}
	if (overflow)
		lattice->size = UINT64_MAX;
}

/* Grid point k: from bound to bound, or the middle if there is only one. */
static double grid_coordinate(const struct lattice *lattice, uint64_t k)
{
	return lattice->grid_points > 1 ? (double)k / (double)(lattice->grid_points - 1) : 0.5;
}

double lattice_choice(const struct lattice *lattice, size_t i, uint64_t k)
{
	const struct parameter *parameter = &lattice->space->parameters[i];

	if (!isnan(lattice->given[i]))
		return lattice->given[i];
	if (parameter_cardinality(parameter) > 0)
		return parameter_value(parameter, k);
	return parameter_decode(parameter, grid_coordinate(lattice, k));
}

void lattice_configuration(const struct lattice *lattice, uint64_t rank, double *ret_values)
{
	for (size_t i = lattice->space->d; i-- > 0;) {
		const uint64_t n = lattice_choices(lattice, i);

		ret_values[i] = lattice_choice(lattice, i, rank % n);
		rank /= n;
	}
}

/* The index of the parameter's choice at coordinate u; false if there is none. */
static bool find_choice(const struct lattice *lattice, size_t i, double u, uint64_t *ret_k)
{
	const struct parameter *parameter = &lattice->space->parameters[i];
	uint64_t k = 0;

	if (isnan(lattice->given[i])) {
		if (parameter_cardinality(parameter) > 0)
			return parameter_index(parameter, parameter_decode(parameter, u), ret_k);
		if (lattice->grid_points > 1)
			k = (uint64_t)(u * (double)(lattice->grid_points - 1) + 0.5);
	}
	*ret_k = k;
	return same_coordinate(parameter, u, canonical(parameter, lattice_choice(lattice, i, k)));
}

/* False for a row that is not on the lattice, or whose rank does not fit. */
static bool find_rank(const struct lattice *lattice, const double *u, uint64_t *ret_rank)
{
	uint64_t rank = 0;

	for (size_t i = 0; i < lattice->space->d; i++) {
		uint64_t k;

		if (!find_choice(lattice, i, u[i], &k) ||
			__builtin_mul_overflow(rank, lattice_choices(lattice, i), &rank) ||
			__builtin_add_overflow(rank, k, &rank))
			return false;
	}
	*ret_rank = rank;
	return true;
}

static int compare_ranks(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

bool lattice_tried(const struct lattice *lattice, const struct tried *tried, uint64_t **ret_ranks,
	size_t *ret_n, struct tuner_error *err)
{
	uint64_t *ranks = calloc(tried->n + 1, sizeof *ranks);
	size_t found = 0, n = 0;

	if (ranks == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < tried->n; i++)
		found += find_rank(lattice, &tried->u[i * lattice->space->d], &ranks[found]);
	qsort(ranks, found, sizeof *ranks, compare_ranks);
	for (size_t i = 0; i < found; i++)
		if (n == 0 || ranks[i] != ranks[n - 1])
			ranks[n++] = ranks[i];
	*ret_ranks = ranks;
	*ret_n = n;
	return true;
}

uint64_t untried_rank(const uint64_t *ranks, size_t n, uint64_t k)
{
	for (size_t i = 0; i < n && ranks[i] <= k; i++)
		k++;
	return k;
}
