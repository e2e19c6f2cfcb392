/* Points of two numbers and a category, for the tests of margin.h and of what is built on it. */
#ifndef TESTS_FIXTURE_MARGIN_H
#define TESTS_FIXTURE_MARGIN_H

#include "surrogate/margin.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { D = 3, N = 60, M = 40 };

static const enum dimension_kind kinds[] = { DIMENSION_NUMERIC, DIMENSION_NUMERIC,
	DIMENSION_CATEGORY };

static void assert_ok(bool ok, const struct tuner_error *err)
{
	if (!ok)
		fail_msg("%s", err->message);
}

static void assert_near(double value, double wanted, double tolerance)
{
	if (!(fabs(value - wanted) <= tolerance))
		fail_msg("%.17g is not %.17g to %g", value, wanted, tolerance);
}

static struct random stream(uint64_t seed)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed, .purpose = RANDOM_TEST });
	return random;
}

static void draw_points(struct random *random, size_t n, double *ret_X)
{
	for (size_t i = 0; i < n * D; i++)
		ret_X[i] = i % D == 2 ? (double)random_below(random, 3) : random_uniform(random);
}

#endif
