#include "surrogate/design.h"

#include <gsl/gsl_qrng.h>

#include <stdlib.h>

/* What scrambles one dimension. */
struct scrambling {
	uint32_t bits; /* seed of the Owen scrambling */
	uint32_t below; /* seed of what goes below the last bit */
	uint32_t shuffle; /* seed of the order of points; beyond DESIGN_SOBOL_MAX only */
};

struct design {
	size_t d, n_sobol;
	uint64_t index; /* of the next point */
	gsl_qrng *sobol; /* its next point is index; point 0 is ours */
	double point[DESIGN_SOBOL_MAX];
	struct scrambling scrambling[];
};

static uint32_t reversed(uint32_t x)
{
	x = (x & 0x55555555u) << 1 | (x >> 1 & 0x55555555u);
	x = (x & 0x33333333u) << 2 | (x >> 2 & 0x33333333u);
	x = (x & 0x0f0f0f0fu) << 4 | (x >> 4 & 0x0f0f0f0fu);
	return __builtin_bswap32(x);
}

/* A permutation of 32-bit words in which a bit depends on itself and the bits below it only: each
 * multiplier is even. Constants: Burley 2020, listing 1. */
static uint32_t laine_karras(uint32_t x, uint32_t seed)
{
	x += seed;
	x ^= x * 0x6c50b47cu;
	x ^= x * 0xb82f1e52u;
	x ^= x * 0xc7afe638u;
	x ^= x * 0x8d22f6e6u;
	return x;
}

/* Owen's nested scrambling: each bit is flipped or not, depending on all bits above it. */
static uint32_t owen(uint32_t x, uint32_t seed)
{
	return reversed(laine_karras(reversed(x), seed));
}

/* A hash of the point's index (the finaliser of MurmurHash3): 32 bits with no structure that the 21
 * used of them, 2^-33 and smaller in the coordinate, could show. */
static uint32_t hash(uint32_t index, uint32_t seed)
{
	uint32_t x = index ^ seed;

	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

/* The 32 bits of the word and 21 below them: what a double below 1 holds. */
static double coordinate(uint32_t word, uint32_t below)
{
	return ((double)word + (double)(below >> 11) * 0x1p-21) * 0x1p-32;
}

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

	struct design *design = calloc(1, sizeof *design + d * sizeof design->scrambling[0]);
	struct random random;

	if (design == NULL)
		return tuner_fail_memory(err);
	design->d = d;
	design->n_sobol = d < DESIGN_SOBOL_MAX ? d : DESIGN_SOBOL_MAX;
	design->index = first;
	random_init(&random, key);
	for (size_t k = 0; k < d; k++) {
		design->scrambling[k].bits = random_u32(&random);
		design->scrambling[k].below = random_u32(&random);
		design->scrambling[k].shuffle = random_u32(&random);
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
static void sobol_words(struct design *design, uint32_t *ret_words)
{
	if (design->index > 0) {
		const int status = gsl_qrng_get(design->sobol, design->point);

		tuner_assert(status == 0);
	}
	for (size_t k = 0; k < design->n_sobol; k++)
		ret_words[k] = (uint32_t)(design->point[k] * 0x1p30) << 2;
}

void design_next(struct design *design, double *ret_u)
{
	const uint32_t index = (uint32_t)design->index;
	uint32_t words[DESIGN_SOBOL_MAX];

	tuner_assert(design->index < (uint64_t)2 * DESIGN_POINTS_MAX - 1);
	sobol_words(design, words);
	for (size_t k = 0; k < design->d; k++) {
		const struct scrambling *s = &design->scrambling[k];
		const uint32_t word =
			k < design->n_sobol ? words[k] : reversed(owen(index, s->shuffle));

		ret_u[k] = coordinate(owen(word, s->bits), hash(index, s->below));
	}
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
