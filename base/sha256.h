/* SHA-256 (FIPS 180-4), in pieces of any size. Computed by nettle, which uses the processor's own
 * instructions.
 *
 *     struct sha256 sum;
 *     sha256_begin(&sum);
 *     sha256_add(&sum, bytes, length);
 *     sha256_end(&sum, hex);
 *
 * Plain data: it may be copied, needs no freeing and never fails. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <nettle/sha2.h>
#include <stddef.h>

enum { SHA256_TEXT = 65 }; /* 64 hexadecimal digits and the terminator */

struct sha256 {
	struct sha256_ctx context;
};

void sha256_begin(struct sha256 *sum);
void sha256_add(struct sha256 *sum, const void *bytes, size_t length);

/* The digest in lower-case hexadecimal. To use `sum` again, call sha256_begin. */
void sha256_end(struct sha256 *sum, char ret_text[SHA256_TEXT]);

#endif
