#include "surrogate/glance.h"

#include "surrogate/glance_loops.h"

static const struct glance_loops *loops(void)
{
	return LOOPS_OF_CPU(glance_loops);
}

void glance_moments(
	const struct glance_rows *rows, const float *points, float *ret_mean, float *ret_most)
{
	loops()->moments(rows, points, ret_mean, ret_most);
}

void glance_log_expected_improvement(
	const float *mean, const float *sd, float incumbent, size_t n, float *ret)
{
	loops()->log_expected_improvement(mean, sd, incumbent, n, ret);
}

void glance_add_log_augmentation(const float *sd, float noise_sd, size_t n, float *values)
{
	loops()->add_log_augmentation(sd, noise_sd, n, values);
}

void glance_narrow(float *sd, size_t n, float intercept, float slope)
{
	loops()->narrow(sd, n, intercept, slope);
}
