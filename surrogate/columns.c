#include "surrogate/columns.h"

#include <math.h>

static const struct parameter *parameter_of(const struct columns *columns, size_t column)
{
	return &columns->space->parameters[columns->parameter[column]];
}

void columns_init(struct columns *columns, const struct space *space, const double *given)
{
	*columns = (struct columns){ .space = space, .given = given };
	for (size_t i = 0; i < space->d; i++) {
		const struct parameter *parameter = &space->parameters[i];
		const uint64_t cardinality = parameter_cardinality(parameter);
		const size_t k = columns->d;

		if (cardinality == 1)
			continue;
		columns->parameter[k] = i;
		columns->kinds[k] = parameter->type == PARAMETER_CATEGORICAL ? DIMENSION_CATEGORY
									     : DIMENSION_NUMERIC;
		columns->cardinality[k] = cardinality;
		columns->is_held[k] = !isnan(given[i]);
		if (columns->is_held[k])
			columns->held[k] = parameter_encode(parameter, given[i]);
		columns->d++;
	}
}

bool columns_encode(const struct columns *columns, const double *values, double *ret_x)
{
	for (size_t k = 0; k < columns->d; k++) {
		ret_x[k] =
			parameter_encode(parameter_of(columns, k), values[columns->parameter[k]]);
		if (!isfinite(ret_x[k]))
			return false;
	}
	return true;
}

void columns_decode(const struct columns *columns, const double *x, double *ret_values)
{
	const struct space *space = columns->space;

	for (size_t i = 0; i < space->d; i++) /* what varies is set below */
		ret_values[i] = parameter_decode(&space->parameters[i], 0.5);
	for (size_t k = 0; k < columns->d; k++)
		ret_values[columns->parameter[k]] =
			parameter_decode(parameter_of(columns, k), x[k]);
	for (size_t i = 0; i < space->d; i++)
		if (!isnan(columns->given[i]))
			ret_values[i] = columns->given[i];
}

double columns_coordinate(const struct columns *columns, size_t column, uint64_t k)
{
	const struct parameter *parameter = parameter_of(columns, column);

	return parameter_encode(parameter, parameter_value(parameter, k));
}

uint64_t columns_index(const struct columns *columns, size_t column, double u)
{
	const struct parameter *parameter = parameter_of(columns, column);
	uint64_t k = 0;

	tuner_assert(parameter_index(parameter, parameter_decode(parameter, u), &k));
	return k;
}

void columns_snap(const struct columns *columns, double *x)
{
	for (size_t k = 0; k < columns->d; k++) {
		if (columns->is_held[k])
			x[k] = columns->held[k];
		else if (columns->cardinality[k] > 0)
			x[k] = columns_coordinate(columns, k, columns_index(columns, k, x[k]));
		else
			x[k] = fmin(fmax(x[k], 0), 1);
	}
}
