/* base/array.h. */
#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The address sanitizer's allocator would end us where ours says no. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void what_was_added_stays(void **state)
{
	size_t n = 0, capacity = 0;
	int64_t *items = NULL;

	for (; n < 1000; n++) {
		assert_true(array_reserve(&items, n, &capacity, sizeof(*items)));
		assert_true(n < capacity && capacity < 2 * n + 20);
		items[n] = (int64_t)n;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(items[i], i);
	free(items);
}

static void where_there_is_room_nothing_moves(void **state)
{
	size_t capacity = 0;
	char *items = NULL;

	assert_true(array_reserve(&items, 0, &capacity, 1));
	const char *const first = items;
	const size_t before = capacity;

	assert_true(array_reserve(&items, before - 1, &capacity, 1));
	assert_ptr_equal(items, first);
	assert_int_equal(capacity, before);
	free(items);
}

static void without_memory_all_is_as_it_was(void **state)
{
	size_t capacity = 0;
	char *items = NULL;

	assert_true(array_reserve(&items, 0, &capacity, 1));
	char *const first = items;
	const size_t before = capacity;

	items[0] = 'x';
	assert_false(array_reserve(&items, before, &capacity, SIZE_MAX)); /* no product */
	assert_false(array_reserve(&items, before, &capacity, SIZE_MAX / 64)); /* no memory */
	assert_ptr_equal(items, first);
	assert_int_equal(capacity, before);
	assert_int_equal(items[0], 'x');
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_stays),
		cmocka_unit_test(where_there_is_room_nothing_moves),
		cmocka_unit_test(without_memory_all_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
