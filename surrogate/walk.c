#include "surrogate/walk.h"

/* Resets every active parameter from place `from` of the order on to its first choice. */
static void restart(struct walk *walk, size_t from)
{
	const struct lattice *lattice = walk->lattice;

	for (size_t place = from; place < lattice->space->d; place++) {
		const size_t i = walk->order[place];

		walk->digits[i] = 0;
		walk->values[i] = lattice_choice(lattice, i, 0);
	}
	space_settle(lattice->space, walk->values);
}

void walk_begin(struct walk *walk, const struct lattice *lattice, uint64_t limit)
{
	*walk = (struct walk){
		.lattice = lattice, .limit = limit, .ended = lattice->size == 0 || limit == 0
	};
	if (walk->ended)
		return;
	space_parents_first(lattice->space, walk->order);
	restart(walk, 0);
}

void walk_next(struct walk *walk)
{
	const struct lattice *lattice = walk->lattice;
	bool active[SPACE_PARAMETERS_MAX];

	walk->index++;
	walk->cut = walk->index == walk->limit;
	walk->ended = walk->cut;
	if (walk->ended)
		return;
	space_activity(lattice->space, walk->values, active);
	for (size_t place = lattice->space->d; place-- > 0;) {
		const size_t i = walk->order[place];

		if (!active[i] || walk->digits[i] + 1 >= lattice_choices(lattice, i))
			continue;
		walk->values[i] = lattice_choice(lattice, i, ++walk->digits[i]);
		restart(walk, place + 1);
		return;
	}
	walk->ended = true;
}

bool walk_is_allowed(const struct walk *walk)
{
	return space_broken_constraint(walk->lattice->space, walk->values) == NULL;
}

uint64_t walk_count(const struct lattice *lattice, uint64_t limit, uint64_t most, bool *ret_whole)
{
	struct walk walk;
	uint64_t n = 0;

	for (walk_begin(&walk, lattice, limit); !walk.ended && n < most; walk_next(&walk))
		n += walk_is_allowed(&walk);
	*ret_whole = walk.ended && !walk.cut;
	return n;
}
