/* SHA-256 (FIPS 180-4), in pieces of any size.
 *
 *     struct sha256 sum;
 *     sha256_begin(&sum);
 *     sha256_add(&sum, bytes, length);
 *     sha256_end(&sum, hex);
 *
 * Plain data: it may be copied, needs no freeing and never fails. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_TEXT = 65 }; /* 64 hexadecimal digits, and the end of the string */

struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes added */
	unsigned char block[64]; /* the bytes after the last whole block */
};

void sha256_begin(struct sha256 *sum);
void sha256_add(struct sha256 *sum, const void *bytes, size_t length);

/* The digest in lower-case hexadecimal. The sum is used up: begin it again. */
void sha256_end(struct sha256 *sum, char ret_text[SHA256_TEXT]);

#endif
