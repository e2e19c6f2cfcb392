/* base/sha256.h against the examples that NIST publishes for FIPS 180-4. */
#include "base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_sum(const char *bytes, size_t length, const char *expected)
{
	struct sha256 sum;
	char text[SHA256_TEXT];

	sha256_begin(&sum);
	sha256_add(&sum, bytes, length);
	sha256_end(&sum, text);
	assert_string_equal(text, expected);
}

static void published_examples(void **state)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	assert_sum("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_sum("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_sum(two_blocks, strlen(two_blocks),
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_bytes_in_pieces(void **state)
{
	struct sha256 sum;
	char piece[1009], text[SHA256_TEXT];
	size_t left = 1000000;

	memset(piece, 'a', sizeof(piece));
	sha256_begin(&sum);
	for (size_t n = 0; left > 0; left -= n) {
		n = left < 1 + left % sizeof(piece) ? left : 1 + left % sizeof(piece);
		sha256_add(&sum, piece, n);
	}
	sha256_end(&sum, text);
	assert_string_equal(
		text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The padding is another at each length of the last block. */
static void how_it_is_cut_does_not_matter(void **state)
{
	unsigned char bytes[200];
	char whole[SHA256_TEXT], cut[SHA256_TEXT];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(7 * i);
	for (size_t length = 0; length <= sizeof(bytes); length++)
		for (size_t first = 0; first <= length; first++) {
			struct sha256 one, two;
			sha256_begin(&one);
			sha256_add(&one, bytes, length);
			sha256_end(&one, whole);
			sha256_begin(&two);
			sha256_add(&two, bytes, first);
			sha256_add(&two, bytes + first, length - first);
			sha256_end(&two, cut);
			assert_string_equal(whole, cut);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_examples),
		cmocka_unit_test(a_million_bytes_in_pieces),
		cmocka_unit_test(how_it_is_cut_does_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
