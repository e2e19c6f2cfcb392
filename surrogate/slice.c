#include "surrogate/slice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool slice_init(struct slice *slice, size_t d, const double *x, const bool *held,
	slice_density *density, void *context, struct tuner_error *err)
{
	double *memory = calloc(3 * d, sizeof *memory);

	tuner_assert(d >= 1);
	if (memory == NULL)
		return tuner_fail_memory(err);
	memcpy(memory, x, d * sizeof *x);
	*slice = (struct slice){ .d = d,
		.density = density,
		.context = context,
		.x = memory,
		.value = density(context, x),
		.evaluations = 1,
		.held = held,
		.direction = memory + d,
		.next = memory + 2 * d };
	if (isfinite(slice->value))
		return true;
	const double value = slice->value;

	slice_finish(slice);
	return tuner_fail(err, TUNER_NUMERIC,
		"the log density is %g where the chain begins: begin where it is finite", value);
}

void slice_finish(struct slice *slice)
{
	free(slice->x);
	*slice = (struct slice){ 0 };
}

static bool is_held(const struct slice *slice, size_t k)
{
	return slice->held != NULL && slice->held[k];
}

/* One of the coordinates that move, with equal probability; slice->d if none does. */
static size_t draw_axis(const struct slice *slice, struct random *random)
{
	size_t n = 0, chosen = slice->d;

	for (size_t k = 0; k < slice->d; k++)
		if (!is_held(slice, k) && random_below(random, ++n) == 0)
			chosen = k;
	return chosen;
}

/* Uniform on the unit sphere of the coordinates that move, or along one of them. False if none does. */
static bool draw_direction(struct slice *slice, struct random *random)
{
	const bool is_axis = random_below(random, 2) == 0;
	const size_t axis = is_axis ? draw_axis(slice, random) : slice->d;
	double square = 0;

	for (size_t k = 0; k < slice->d; k++) {
		slice->direction[k] = is_axis             ? k == axis
				      : is_held(slice, k) ? 0
							  : random_normal(random);
		square += slice->direction[k] * slice->direction[k];
	}
	for (size_t k = 0; square > 0 && k < slice->d; k++)
		slice->direction[k] /= sqrt(square);
	return square > 0;
}

/* The log density at this distance along the direction; the point is slice->next. */
static double value_at(struct slice *slice, double distance)
{
	for (size_t k = 0; k < slice->d; k++)
		slice->next[k] = slice->x[k] + distance * slice->direction[k];
	slice->evaluations++;
	return slice->density(slice->context, slice->next);
}

struct interval {
	double left, right; /* distances, around 0 */
};

/* How many of the steps may go to the left is drawn at random, and so is the point's place in the
 * interval: neither favours one point of the slice over another, which makes a step reversible
 * (Neal's figure 3). */
static struct interval step_out(struct slice *slice, double height, struct random *random)
{
	const double left = -SLICE_WIDTH * random_uniform(random);
	struct interval interval = { left, left + SLICE_WIDTH };
	uint64_t to_left = random_below(random, SLICE_STEPS), to_right = SLICE_STEPS - 1 - to_left;

	for (; to_left > 0 && value_at(slice, interval.left) > height; to_left--)
		interval.left -= SLICE_WIDTH;
	for (; to_right > 0 && value_at(slice, interval.right) > height; to_right--)
		interval.right += SLICE_WIDTH;
	return interval;
}

static void shrink(
	struct slice *slice, struct interval interval, double height, struct random *random)
{
	for (int i = 0; i < SLICE_STEPS; i++) {
		const double distance =
			interval.left + (interval.right - interval.left) * random_uniform(random);
		const double value = value_at(slice, distance);

		if (value > height) {
			memcpy(slice->x, slice->next, slice->d * sizeof *slice->x);
			slice->value = value;
			return;
		}
		if (distance < 0)
			interval.left = distance;
		else
			interval.right = distance;
	}
}

void slice_step(struct slice *slice, struct random *random)
{
	if (!draw_direction(slice, random))
		return;
	/* The logarithm of a uniform fraction of the density; 1 - u is never 0. */
	const double height = slice->value + log(1 - random_uniform(random));

	shrink(slice, step_out(slice, height, random), height, random);
}
