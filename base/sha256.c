#include "base/sha256.h"

#include <nettle/base16.h>

void sha256_begin(struct sha256 *sum)
{
	nettle_sha256_init(&sum->context);
}

void sha256_add(struct sha256 *sum, const void *bytes, size_t length)
{
	if (length > 0) /* nothing may be NULL */
		nettle_sha256_update(&sum->context, length, bytes);
}

void sha256_end(struct sha256 *sum, char ret_text[SHA256_TEXT])
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	nettle_sha256_digest(&sum->context, sizeof(digest), digest);
	nettle_base16_encode_update(ret_text, sizeof(digest), digest);
	ret_text[SHA256_TEXT - 1] = '\0';
}
