/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A stream is a pure function of its key; the n-th draw does not depend on what other streams did,
 * so a decision can be recomputed from the database alone. Same bits on every machine, except for
 * random_normal, which uses libm's log and cos: equal with the same libm, otherwise to about 1e-16.
 *
 * Stored decisions depend on how a key becomes a stream, so neither the layout (random.c) nor a
 * purpose's number ever changes; add new purposes at the end. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum random_purpose {
	RANDOM_SPACE = 1, /* a uniform configuration */
	RANDOM_SCRAMBLE, /* Owen scrambling; number is 0: one scrambling per job and repeat */
	RANDOM_FANTASY, /* base samples of the pending trials' outcomes */
	RANDOM_CANDIDATES, /* the acquisition's starting points */
	RANDOM_HYPERPARAMETERS,
	RANDOM_TRAINING_SEED, /* TUNER_SEED */
	RANDOM_TEST,
	RANDOM_GRID,
	RANDOM_IMPORTANCE, /* points and random functions of importance.h */
	RANDOM_BACKOFF, /* how long a trial waits for its next attempt */
	RANDOM_BOOTSTRAP, /* resampled repeats of a comparison; number counts the statistics */
	RANDOM_SIGN_FLIP, /* the same for random signs */
	RANDOM_WEIGHTS, /* of several objectives in the scalar one of a suggestion */
};

struct random_key {
	uint64_t seed; /* of the job */
	uint32_t repeat; /* of a comparison; otherwise 0 */
	uint32_t number; /* of the trial within its arm, from 1 */
	enum random_purpose purpose;
};

struct random {
	uint32_t key[2], counter[4], block[4];
	unsigned used; /* words of block already used; 4 at first */
};

void random_init(struct random *random, struct random_key key);

/* One block of the generator; public only for the published test vectors. */
void random_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t ret_block[4]);

uint32_t random_u32(struct random *random);
uint64_t random_u64(struct random *random);

/* Uniform on [0, 1), a multiple of 2^-53. */
double random_uniform(struct random *random);

/* Uniform on {0, ..., n-1} without bias. n >= 1. */
uint64_t random_below(struct random *random, uint64_t n);

/* Standard normal, by Box-Muller from two uniforms (one value per call; the other is dropped, so
 * that the number of draws is predictable). */
double random_normal(struct random *random);

/* Fisher-Yates. */
void random_shuffle(struct random *random, size_t *items, size_t n);

#endif
