#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

/* Fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
static const uint32_t K[64] = { 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
	0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585,
	0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
	0xa4506ceb, 0xbef9a3f7, 0xc67178f2 };

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* The message schedule of a block (FIPS 180-4, 6.2.2, step 1). */
static void schedule(const unsigned char block[64], uint32_t w[64])
{
	for (unsigned t = 0; t < 16; t++)
		w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
		       (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
	for (unsigned t = 16; t < 64; t++) {
		const uint32_t a = w[t - 15], b = w[t - 2];
		const uint32_t sigma0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		const uint32_t sigma1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;
		w[t] = sigma1 + w[t - 7] + sigma0 + w[t - 16];
	}
}

static void digest_block(uint32_t state[8], const unsigned char block[64])
{
	uint32_t w[64], v[8]; /* v: the standard's a to h */

	schedule(block, w);
	memcpy(v, state, sizeof(v));
	for (unsigned t = 0; t < 64; t++) {
		const uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		const uint32_t sum0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		const uint32_t sum1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		const uint32_t one = v[7] + sum1 + choice + K[t] + w[t];
		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += one;
		v[0] = one + sum0 + majority;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha256_begin(struct sha256 *sum)
{
	/* Fractional parts of the square roots of the first eight primes. */
	static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(sum->state, start, sizeof(start));
	sum->length = 0;
}

void sha256_add(struct sha256 *sum, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	const size_t filled = (size_t)(sum->length % 64);
	const size_t room = 64 - filled;

	sum->length += length;
	if (length < room) {
		if (length > 0)
			memcpy(sum->block + filled, at, length);
		return;
	}
	memcpy(sum->block + filled, at, room);
	digest_block(sum->state, sum->block);
	for (at += room, length -= room; length >= 64; at += 64, length -= 64)
		digest_block(sum->state, at);
	memcpy(sum->block, at, length);
}

void sha256_end(struct sha256 *sum, char ret_text[SHA256_TEXT])
{
	const uint64_t bits = sum->length * 8;
	unsigned char end[72] = { 0x80 };
	/* One bit, zeros, and the length in bits, to a whole block. */
	const size_t zeros = (size_t)((119 - sum->length % 64) % 64);

	for (unsigned i = 0; i < 8; i++)
		end[1 + zeros + i] = (unsigned char)(bits >> (56 - 8 * i));
	sha256_add(sum, end, 1 + zeros + 8);
	for (unsigned i = 0; i < 8; i++)
		snprintf(ret_text + 8 * i, 9, "%08x", (unsigned)sum->state[i]);
}
