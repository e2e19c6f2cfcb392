/* glance.h's functions. Inside glance.c. */
#ifndef SURROGATE_GLANCE_LOOPS_H
#define SURROGATE_GLANCE_LOOPS_H

#include "surrogate/glance.h"
#include "surrogate/loops.h"

struct glance_loops {
	void (*moments)(const struct glance_rows *rows, const float *points, float *ret_mean,
		float *ret_most);
	void (*log_expected_improvement)(
		const float *mean, const float *sd, float incumbent, size_t n, float *ret);
	void (*add_log_augmentation)(const float *sd, float noise_sd, size_t n, float *values);
	void (*narrow)(float *sd, size_t n, float intercept, float slope);
};

LOOPS_DECLARE(glance_loops);

#endif
