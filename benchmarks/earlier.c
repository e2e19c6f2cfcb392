#include "benchmarks/earlier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct variant plain_variant = { .sign = 1 };

bool variant_find(const char *name, struct variant *ret, const struct problem **problem)
{
	*ret = plain_variant;
	if (strncmp(name, "moved:", 6) == 0)
		ret->shift = atof(name + 6);
	else if (strcmp(name, "reversed") == 0)
		ret->sign = -1;
	else if (strcmp(name, "mirrored") == 0)
		ret->mirrored = true;
	else if (strncmp(name, "other:", 6) == 0)
		*problem = problem_find(name + 6);
	else
		return false;
	return *problem != NULL;
}

static double moved(const struct variant *variant, const struct parameter *parameter, double value)
{
	const double u = parameter_encode(parameter, value);
	const double at = variant->mirrored ? 1 - u : u + variant->shift;

	return parameter_decode(parameter, at > 1 ? 2 - at : fabs(at));
}

void variant_argument(
	const struct variant *variant, const struct space *space, const double *values, double *ret)
{
	memcpy(ret, values, space->d * sizeof *ret);
	if (variant->shift == 0 && !variant->mirrored)
		return;
	for (size_t i = 0; i < space->d; i++) {
		const struct parameter *parameter = &space->parameters[i];

		if (isnan(values[i]))
			continue;
		if (parameter->type != PARAMETER_CATEGORICAL)
			ret[i] = moved(variant, parameter, values[i]);
		else if (variant->mirrored)
			ret[i] = fmod(values[i] + 1, (double)parameter->n_values);
	}
	space_settle(space, ret);
}
