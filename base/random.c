#include "base/random.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 10 };

/* The paper's multipliers and Weyl increments for four words of 32 bits. */
#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0       0x9E3779B9u /* golden ratio */
#define WEYL_1       0xBB67AE85u /* sqrt(3) - 1 */

void random_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_block[4])
{
	uint32_t c[4] = { counter[0], counter[1], counter[2], counter[3] };
	uint32_t k0 = key[0], k1 = key[1];

	for (int round = 0; round < ROUNDS; round++) {
		const uint64_t p0 = (uint64_t)MULTIPLIER_0 * c[0];
		const uint64_t p1 = (uint64_t)MULTIPLIER_1 * c[2];
		const uint32_t next[4] = {
			(uint32_t)(p1 >> 32) ^ c[1] ^ k0,
			(uint32_t)p1,
			(uint32_t)(p0 >> 32) ^ c[3] ^ k1,
			(uint32_t)p0,
		};
		memcpy(c, next, sizeof(c));
		k0 += WEYL_0;
		k1 += WEYL_1;
	}
	memcpy(ret_block, c, sizeof(c));
}

/* The layout is part of the file format: stored decisions are recomputed with it, so it never
 * changes. The two low words count blocks; purposes are small, so streams stay disjoint for 2^56
 * blocks. */
void random_init(struct random *random, struct random_key key)
{
	tuner_assert(key.purpose > 0 && key.purpose < 256);
	*random = (struct random){
		.key = { (uint32_t)key.seed, (uint32_t)(key.seed >> 32) },
		.counter = { 0, (uint32_t)key.purpose << 24, key.repeat, key.number },
		.used = 4,
	};
}

uint32_t random_u32(struct random *random)
{
	if (random->used == 4) {
		random_philox(random->counter, random->key, random->block);
		if (++random->counter[0] == 0)
			random->counter[1]++;
		random->used = 0;
	}
	return random->block[random->used++];
}

uint64_t random_u64(struct random *random)
{
	const uint64_t low = random_u32(random);

	return low | (uint64_t)random_u32(random) << 32;
}

double random_uniform(struct random *random)
{
	return (double)(random_u64(random) >> 11) * 0x1p-53;
}

/* Rejects the first 2^64 mod n values; the number of the others is a multiple of n. */
uint64_t random_below(struct random *random, uint64_t n)
{
	tuner_assert(n >= 1);

	const uint64_t refused = (0 - n) % n;
	uint64_t draw;
	do
		draw = random_u64(random);
	while (draw < refused);
	return draw % n;
}

double random_normal(struct random *random)
{
	const double radius_draw =
		1 - random_uniform(random); /* in (0, 1]: the logarithm is finite */
	const double angle_draw = random_uniform(random);

	return sqrt(-2 * log(radius_draw)) * cos(2 * M_PI * angle_draw);
}

void random_shuffle(struct random *random, size_t *items, size_t n)
{
	for (size_t left = n; left > 1; left--) {
		const size_t chosen = random_below(random, left);
		const size_t item = items[chosen];
		items[chosen] = items[left - 1];
		items[left - 1] = item;
	}
}
