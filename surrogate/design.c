#include "surrogate/design.h"

#include "surrogate/scramble.h"

#include <gsl/gsl_qrng.h>

#include <stdlib.h>

struct design {
	size_t d, n_sobol;
	uint64_t index; /* of the next point */
	gsl_qrng *sobol; /* its next point has this index; point 0 is added by us */
	double point[DESIGN_SOBOL_MAX];
	uint32_t *words, *bits,
		*below; /* words of the next point; d seeds each of its scrambling (scramble.h) */
	uint32_t *shuffle; /* d: seeds of the order of points; beyond DESIGN_SOBOL_MAX only */
	uint32_t memory[];
};

static bool start_sobol(struct design *design, uint64_t first, struct tuner_error *err)
{
	design->sobol = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)design->n_sobol);
	if (design->sobol == NULL)
		return tuner_fail_memory(err);
	for (uint64_t i = 1; i < first; i++)
		gsl_qrng_get(design->sobol, design->point);
	return true;
}

bool design_create(size_t d, struct random_key key, uint64_t first, struct design **ret,
	struct tuner_error *err)
{
	tuner_assert(d >= 1);
	if (first >= DESIGN_POINTS_MAX)
		return tuner_fail(err, TUNER_USAGE,
			"the quasi-random sequence ends after %d points", DESIGN_POINTS_MAX);

	struct design *design = calloc(1, sizeof *design + 4 * d * sizeof design->memory[0]);
	struct random random;

	if (design == NULL)
		return tuner_fail_memory(err);
	design->d = d;
	design->words = design->memory;
	design->bits = design->memory + d;
	design->below = design->memory + 2 * d;
	design->shuffle = design->memory + 3 * d;
	design->n_sobol = d < DESIGN_SOBOL_MAX ? d : DESIGN_SOBOL_MAX;
	design->index = first;
	random_init(&random, key);
	for (size_t k = 0; k < d; k++) {
		design->bits[k] = random_u32(&random);
		design->below[k] = random_u32(&random);
		design->shuffle[k] = random_u32(&random);
	}
	if (!start_sobol(design, first, err)) {
		design_destroy(design);
		return false;
	}
	*ret = design;
	return true;
}

/* Sobol's word of the next point in each of the first n_sobol dimensions, as 30 high bits. GSL's
 * coordinates are integers times 2^-30; its first point is Sobol's second. */
static void sobol_words(struct design *design)
{
	if (design->index > 0) {
		const int status = gsl_qrng_get(design->sobol, design->point);

		tuner_assert(status == 0);
	}
	for (size_t k = 0; k < design->n_sobol; k++)
		design->words[k] = (uint32_t)(design->point[k] * 0x1p30) << 2;
}

void design_next(struct design *design, double *ret_u)
{
	const uint32_t index = (uint32_t)design->index;

	tuner_assert(design->index < (uint64_t)2 * DESIGN_POINTS_MAX - 1);
	sobol_words(design);
	/* Each further coordinate is van der Corput's sequence, bit-reversed counting, in its own
	 * random order. */
	for (size_t k = design->n_sobol; k < design->d; k++)
		design->words[k] = scramble_count(index, design->shuffle[k]);
	scramble_point(design->words, index, design->bits, design->below, design->d, ret_u);
	design->index++;
}

uint64_t design_index(const struct design *design)
{
	return design->index;
}

void design_destroy(struct design *design)
{
	if (design == NULL)
		return;
	if (design->sobol != NULL)
		gsl_qrng_free(design->sobol);
	free(design);
}
