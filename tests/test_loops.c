/* surrogate/loops.h: which instructions the loops are run with. That the bits are the same whichever is taken, test_kernel,
 * test_glance, test_small_factor and test_vecchia show, built for each. */
#include "surrogate/kernel_loops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__x86_64__)
enum { FLAGS_MAX = 1 << 14 };

/* What the system says of the first CPU, a space before and behind each word. */
static void flags_of_cpu(char ret_flags[FLAGS_MAX])
{
	FILE *file = fopen("/proc/cpuinfo", "r");

	assert_non_null(file);
	do
		assert_non_null(fgets(ret_flags, FLAGS_MAX, file));
	while (strncmp(ret_flags, "flags", 5) != 0);
	ret_flags[strcspn(ret_flags, "\n")] = ' ';
	(void)fclose(file);
}

static void the_widest_that_the_cpu_has_are_taken(void **state)
{
	char flags[FLAGS_MAX];
	const struct kernel_loops *taken = LOOPS_OF_CPU(kernel_loops);

	(void)state;
	flags_of_cpu(flags);
	if (strstr(flags, " avx512f "))
		assert_ptr_equal(taken, &kernel_loops_avx512);
	else if (strstr(flags, " avx2 ") && strstr(flags, " fma "))
		assert_ptr_equal(taken, &kernel_loops_avx2);
	else
		assert_ptr_equal(taken, &kernel_loops_plain);
}
#else
static void the_widest_that_the_cpu_has_are_taken(void **state)
{
	(void)state;
	assert_ptr_equal(LOOPS_OF_CPU(kernel_loops), &kernel_loops_plain);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_widest_that_the_cpu_has_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
