/* base/hash.h, against the values that its authors publish. */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void published_values(void **state)
{
	assert_true(hash_string("") == UINT64_C(0xcbf29ce484222325));
	assert_true(hash_string("a") == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_string("foobar") == UINT64_C(0x85944171f73967e8));
}

static void bytes_are_taken_as_they_are(void **state)
{
	assert_true(hash_bytes("foobar\xff", 6) == hash_string("foobar"));
	assert_true(hash_bytes("a\0b", 3) != hash_string("a"));
	assert_true(hash_bytes("\xff", 1) == UINT64_C(0xaf64724c8602eb6e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_values),
		cmocka_unit_test(bytes_are_taken_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
