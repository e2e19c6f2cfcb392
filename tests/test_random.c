#include "base/random.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct random stream(uint64_t seed)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	return random;
}

/* From kat_vectors of Random123, the reference implementation of the paper's authors. */
static void philox_gives_the_published_blocks(void **state)
{
	static const struct {
		uint32_t counter[4], key[2], block[4];
	} vectors[] = {
		{ { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, { 0xffffffff, 0xffffffff },
			{ 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
			{ 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint32_t block[4];
		random_philox(vectors[i].counter, vectors[i].key, block);
		assert_memory_equal(block, vectors[i].block, sizeof(block));
	}
}

static void philox_may_write_over_its_counter(void **state)
{
	uint32_t block[4] = { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 };
	const uint32_t key[2] = { 0xa4093822, 0x299f31d0 };

	random_philox(block, key, block);
	assert_int_equal(block[0], 0xd16cfe09);
	assert_int_equal(block[3], 0x24126ea1);
}

/* Stored decisions are recomputed from keys: whoever changes these words breaks every database. */
static void the_layout_of_a_key_is_forever(void **state)
{
	const struct random_key key = {
		.seed = 0x0123456789abcdef, .repeat = 3, .number = 41, .purpose = RANDOM_FANTASY
	};
	struct random random;

	random_init(&random, key);
	for (uint32_t n = 0; n < 3; n++) {
		const uint32_t counter[4] = { n, 3u << 24, 3, 41 };
		const uint32_t words[2] = { 0x89abcdef, 0x01234567 };
		uint32_t block[4];
		random_philox(counter, words, block);
		for (int i = 0; i < 4; i++)
			assert_int_equal(random_u32(&random), block[i]);
	}
	assert_int_equal(RANDOM_SPACE, 1);
	assert_int_equal(RANDOM_SCRAMBLE, 2);
	assert_int_equal(RANDOM_CANDIDATES, 4);
	assert_int_equal(RANDOM_HYPERPARAMETERS, 5);
	assert_int_equal(RANDOM_TRAINING_SEED, 6);
	assert_int_equal(RANDOM_TEST, 7);
	assert_int_equal(RANDOM_GRID, 8);
}

static void the_block_counter_carries(void **state)
{
	struct random random = stream(1);
	const uint32_t before = random.counter[1];

	random.counter[0] = UINT32_MAX;
	const uint32_t counter[4] = { 0, before + 1, random.counter[2], random.counter[3] };
	uint32_t block[4];
	random_philox(counter, random.key, block);
	for (int i = 0; i < 4; i++)
		random_u32(&random);
	for (int i = 0; i < 4; i++)
		assert_int_equal(random_u32(&random), block[i]);
}

static void every_part_of_the_key_makes_another_stream(void **state)
{
	const struct random_key keys[] = {
		{ .seed = 1, .repeat = 0, .number = 1, .purpose = RANDOM_SPACE },
		{ .seed = 2, .repeat = 0, .number = 1, .purpose = RANDOM_SPACE },
		{ .seed = 1 | 1ull << 32, .repeat = 0, .number = 1, .purpose = RANDOM_SPACE },
		{ .seed = 1, .repeat = 1, .number = 1, .purpose = RANDOM_SPACE },
		{ .seed = 1, .repeat = 0, .number = 2, .purpose = RANDOM_SPACE },
		{ .seed = 1, .repeat = 1, .number = 0, .purpose = RANDOM_SPACE },
		{ .seed = 1, .repeat = 0, .number = 1, .purpose = RANDOM_FANTASY },
	};
	enum { KEYS = sizeof(keys) / sizeof(keys[0]), DRAWS = 64 };
	uint64_t draws[KEYS][DRAWS];

	for (size_t k = 0; k < KEYS; k++) {
		struct random random;
		random_init(&random, keys[k]);
		for (size_t i = 0; i < DRAWS; i++)
			draws[k][i] = random_u64(&random);
	}
	for (size_t a = 0; a < KEYS; a++)
		for (size_t b = a + 1; b < KEYS; b++)
			for (size_t i = 0; i < DRAWS; i++)
				for (size_t j = 0; j < DRAWS; j++)
					assert_true(draws[a][i] != draws[b][j]);
}

/* sum of (seen - expected)^2 / expected over n cells of equal expectation. */
static double chi_square(const unsigned *seen, size_t n, double expected)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (seen[i] - expected) * (seen[i] - expected) / expected;
	return sum;
}

/* Within 4 standard deviations of the mean of chi square with n - 1 degrees of freedom. Too even is
 * as wrong as too uneven. The seeds are fixed, so this cannot fail by bad luck. */
static void assert_even(const unsigned *seen, size_t n, unsigned draws)
{
	const double chi2 = chi_square(seen, n, (double)draws / (double)n);
	const double mean = (double)n - 1;

	if (fabs(chi2 - mean) > 4 * sqrt(2 * mean))
		fail_msg("chi square %g, expected about %g", chi2, mean);
}

static void uniforms_fill_the_unit_interval_evenly(void **state)
{
	enum { CELLS = 1000, DRAWS = 1000000 };
	struct random random = stream(11);
	unsigned seen[CELLS] = { 0 };

	for (int i = 0; i < DRAWS; i++) {
		const double u = random_uniform(&random);
		assert_true(u >= 0 && u < 1);
		assert_true(ldexp(u, 53) == floor(ldexp(u, 53)));
		seen[(size_t)(u * CELLS)]++;
	}
	assert_even(seen, CELLS, DRAWS);
}

static void successive_uniforms_fill_the_unit_square_evenly(void **state)
{
	enum { SIDE = 32, DRAWS = 1000000 };
	struct random random = stream(12);
	unsigned seen[SIDE * SIDE] = { 0 };

	for (int i = 0; i < DRAWS; i++) {
		const size_t x = (size_t)(random_uniform(&random) * SIDE);
		const size_t y = (size_t)(random_uniform(&random) * SIDE);
		seen[x * SIDE + y]++;
	}
	assert_even(seen, SIDE * SIDE, DRAWS);
}

/* The first draw of consecutive trials is what makes up a random search. */
static void first_draws_of_consecutive_numbers_are_even(void **state)
{
	enum { CELLS = 100, DRAWS = 100000 };
	unsigned seen[CELLS] = { 0 };

	for (uint32_t number = 1; number <= DRAWS; number++) {
		struct random random;
		random_init(
			&random, (struct random_key){
					 .seed = 13, .number = number, .purpose = RANDOM_SPACE });
		seen[(size_t)(random_uniform(&random) * CELLS)]++;
	}
	assert_even(seen, CELLS, DRAWS);
}

static void every_bit_is_set_half_of_the_time(void **state)
{
	enum { DRAWS = 100000 };
	struct random random = stream(14);
	unsigned seen[64] = { 0 };

	for (int i = 0; i < DRAWS; i++) {
		const uint64_t word = random_u64(&random);
		for (int bit = 0; bit < 64; bit++)
			seen[bit] += word >> bit & 1;
	}
	for (int bit = 0; bit < 64; bit++)
		assert_true(fabs(seen[bit] - DRAWS / 2.0) < 4 * sqrt(DRAWS / 4.0));
}

static void below_reaches_every_value_evenly(void **state)
{
	enum { DRAWS = 200000 };
	static const uint64_t sizes[] = { 2, 3, 7, 10, 1000 };

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		struct random random = stream(15 + s);
		unsigned seen[1000] = { 0 };
		for (int i = 0; i < DRAWS; i++) {
			const uint64_t draw = random_below(&random, sizes[s]);
			assert_true(draw < sizes[s]);
			seen[draw]++;
		}
		assert_even(seen, sizes[s], DRAWS);
	}
}

/* With n = 3/4 of 2^64 a plain remainder would give the lowest third twice as often as the rest. */
static void below_is_unbiased_where_a_remainder_would_not_be(void **state)
{
	enum { DRAWS = 100000 };
	const uint64_t n = (uint64_t)3 << 62;
	struct random random = stream(21);
	unsigned seen[3] = { 0 };

	for (int i = 0; i < DRAWS; i++)
		seen[random_below(&random, n) >> 62]++;
	assert_even(seen, 3, DRAWS);
}

static void below_one_is_zero_and_the_largest_bound_works(void **state)
{
	struct random random = stream(22);
	bool high = false;

	for (int i = 0; i < 100; i++) {
		assert_int_equal(random_below(&random, 1), 0);
		high = high || random_below(&random, UINT64_MAX) > UINT64_MAX / 2;
	}
	assert_true(high);
}

/* The first four moments and the tail. */
static void normals_are_normal(void **state)
{
	enum { DRAWS = 1000000 };
	struct random random = stream(23);
	double sum[5] = { 0 };
	unsigned beyond_2 = 0;

	for (int i = 0; i < DRAWS; i++) {
		const double z = random_normal(&random);
		assert_true(isfinite(z));
		for (int k = 1; k <= 4; k++)
			sum[k] += pow(z, k);
		beyond_2 += fabs(z) > 2;
	}
	/* Standard deviations of the means: sqrt of Var z^k = 1, 2, 15, 96 over DRAWS. */
	assert_true(fabs(sum[1] / DRAWS) < 4 * sqrt(1.0 / DRAWS));
	assert_true(fabs(sum[2] / DRAWS - 1) < 4 * sqrt(2.0 / DRAWS));
	assert_true(fabs(sum[3] / DRAWS) < 4 * sqrt(15.0 / DRAWS));
	assert_true(fabs(sum[4] / DRAWS - 3) < 4 * sqrt(96.0 / DRAWS));
	const double p = erfc(sqrt(2)); /* P(|z| > 2) */
	assert_true(fabs(beyond_2 / (double)DRAWS - p) < 4 * sqrt(p * (1 - p) / DRAWS));
}

static void a_normal_takes_four_words(void **state)
{
	struct random a = stream(24), b = stream(24);

	random_normal(&a);
	for (int i = 0; i < 4; i++)
		random_u32(&b);
	assert_int_equal(random_u32(&a), random_u32(&b));
}

static void a_shuffle_is_a_permutation(void **state)
{
	enum { N = 100 };
	struct random random = stream(25);
	size_t items[N], moved = 0;
	bool seen[N] = { false };

	for (size_t i = 0; i < N; i++)
		items[i] = i;
	random_shuffle(&random, items, N);
	for (size_t i = 0; i < N; i++) {
		assert_true(items[i] < N && !seen[items[i]]);
		seen[items[i]] = true;
		moved += items[i] != i;
	}
	assert_true(moved > N / 2);
	random_shuffle(&random, items, 1);
	random_shuffle(&random, NULL, 0);
}

static void all_orders_are_equally_likely(void **state)
{
	enum { DRAWS = 240000 };
	struct random random = stream(26);
	unsigned seen[256] = { 0 }, orders[24], n = 0;

	for (int i = 0; i < DRAWS; i++) {
		size_t items[] = { 0, 1, 2, 3 };
		random_shuffle(&random, items, 4);
		seen[items[0] << 6 | items[1] << 4 | items[2] << 2 | items[3]]++;
	}
	for (size_t i = 0; i < 256; i++) {
		assert_true(!seen[i] || n < 24);
		if (seen[i])
			orders[n++] = seen[i];
	}
	assert_int_equal(n, 24);
	assert_even(orders, 24, DRAWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(philox_gives_the_published_blocks),
		cmocka_unit_test(philox_may_write_over_its_counter),
		cmocka_unit_test(the_layout_of_a_key_is_forever),
		cmocka_unit_test(the_block_counter_carries),
		cmocka_unit_test(every_part_of_the_key_makes_another_stream),
		cmocka_unit_test(uniforms_fill_the_unit_interval_evenly),
		cmocka_unit_test(successive_uniforms_fill_the_unit_square_evenly),
		cmocka_unit_test(first_draws_of_consecutive_numbers_are_even),
		cmocka_unit_test(every_bit_is_set_half_of_the_time),
		cmocka_unit_test(below_reaches_every_value_evenly),
		cmocka_unit_test(below_is_unbiased_where_a_remainder_would_not_be),
		cmocka_unit_test(below_one_is_zero_and_the_largest_bound_works),
		cmocka_unit_test(normals_are_normal),
		cmocka_unit_test(a_normal_takes_four_words),
		cmocka_unit_test(a_shuffle_is_a_permutation),
		cmocka_unit_test(all_orders_are_equally_likely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
