/* Strategy grid: every combination once, in the order of ranks; with conditions or constraints in
 * the order of a walk. */
#include "surrogate/strategy.h"

#include "surrogate/walk.h"

#include <math.h>
#include <stdlib.h>

static size_t grid_points(const struct strategy *strategy)
{
	return strategy->grid_points > 0 ? strategy->grid_points : 5;
}

uint64_t strategy_grid_size(const struct strategy *strategy, const struct space *space)
{
	double given[SPACE_PARAMETERS_MAX];
	struct lattice lattice;

	for (size_t i = 0; i < space->d; i++)
		given[i] = NAN;
	lattice_init(&lattice, space, given, grid_points(strategy));
	if (space_has_rules(space)) {
		bool whole;

		return walk_count(&lattice, WALK_MAX, UINT64_MAX, &whole);
	}
	return lattice.size;
}

/* The first rank from `start` on that is not among the n ascending ones; size if there is none. */
static uint64_t first_untried(const uint64_t *ranks, size_t n, uint64_t size, uint64_t start)
{
	for (size_t i = 0; i < n && start < size; i++)
		if (ranks[i] == start)
			start++;
	return start < size ? start : size;
}

static bool is_all_free(const struct ask *ask)
{
	size_t i = 0;

	while (i < ask->space->d && isnan(ask->given[i]))
		i++;
	return i == ask->space->d;
}

/* The first new configuration from `start` on, up to `end`. */
static bool find_new(const struct ask *ask, const struct lattice *grid, uint64_t start,
	uint64_t end, struct suggestion *ret)
{
	struct walk walk;

	for (walk_begin(&walk, grid, end); !walk.ended; walk_next(&walk)) {
		if (walk.index < start || !ask_is_new(ask, walk.values))
			continue;
		for (size_t i = 0; i < ask->space->d; i++)
			ret->values[i] = walk.values[i];
		if (is_all_free(ask))
			ret->sequence = walk.index + 1;
		return true;
	}
	return false;
}

/* Values given by a person need not have a completion on the grid. */
static bool complete_elsewhere(
	const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	const uint64_t sequence = ret->sequence; /* the grid's own */
	const bool ok = ask_quasi_random(ask, ret, err);

	ret->sequence = sequence;
	ret->branch = BRANCH_SOBOL;
	return ok;
}

static bool propose_by_walk(const struct ask *ask, const struct lattice *grid,
	struct suggestion *ret, struct tuner_error *err)
{
	const uint64_t start = is_all_free(ask) ? ret->sequence : 0;
	bool whole;

	if (find_new(ask, grid, start, WALK_MAX, ret) || find_new(ask, grid, 0, start, ret))
		return true;
	if (walk_count(grid, WALK_MAX, 1, &whole) == 0)
		return is_all_free(ask)
			       ? tuner_fail(err, TUNER_USAGE,
					 "no configuration of the grid satisfies the constraints")
			       : complete_elsewhere(ask, ret, err);
	ret->exhausted = true;
	return true;
}

static bool propose_by_rank(const struct ask *ask, const struct lattice *grid,
	struct suggestion *ret, struct tuner_error *err)
{
	uint64_t *ranks = NULL, rank;
	size_t n = 0;
	const bool is_whole = is_all_free(ask);

	if (!lattice_tried(grid, &ask->tried, &ranks, &n, err))
		return false;
	rank = first_untried(ranks, n, grid->size, is_whole ? ret->sequence : 0);
	if (rank == grid->size)
		rank = first_untried(ranks, n, grid->size, 0);
	free(ranks);
	if (rank == grid->size) {
		ret->exhausted = true;
		return true;
	}
	lattice_configuration(grid, rank, ret->values);
	if (is_whole)
		ret->sequence = rank + 1;
	return true;
}

/* Searches from the arm's position in the sequence, then from the beginning: an edit of the space
 * renumbers its grid, and users' configurations may be on it. A grid with given values is a
 * different, smaller one: it is searched from its beginning and leaves the sequence alone. */
bool strategy_grid(const struct ask *ask, struct suggestion *ret, struct tuner_error *err)
{
	struct lattice grid;

	ret->branch = BRANCH_GRID;
	lattice_init(&grid, ask->space, ask->given, grid_points(ask->request->strategy));
	return space_has_rules(ask->space) ? propose_by_walk(ask, &grid, ret, err)
					   : propose_by_rank(ask, &grid, ret, err);
}
