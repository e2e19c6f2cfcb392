#include "surrogate/confidence_bound.h"

#include <stddef.h>

double negated_confidence_bound(
	double mean, double sd, double beta, double *ret_by_mean, double *ret_by_sd)
{
	if (ret_by_mean != NULL)
		*ret_by_mean = -1;
	if (ret_by_sd != NULL)
		*ret_by_sd = beta;
	return beta * sd - mean;
}
