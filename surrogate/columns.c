#include "surrogate/columns.h"

#include <math.h>

static const struct parameter *parameter_of(const struct columns *columns, size_t column)
{
	return &columns->space->parameters[columns->parameter[column]];
}

static bool is_parent(const struct space *space, size_t parameter)
{
	size_t c = 0;

	while (c < space->n_conditions && space->conditions[c].parent != parameter)
		c++;
	return c < space->n_conditions;
}

static bool is_conditional(const struct space *space, size_t parameter)
{
	size_t c = 0;

	while (c < space->n_conditions && space->conditions[c].parameter != parameter)
		c++;
	return c < space->n_conditions;
}

/* A companion has nothing to choose: its coordinate follows from the others. */
static void add_companion(struct columns *columns, size_t parameter)
{
	const size_t k = columns->d++;

	columns->parameter[k] = parameter;
	columns->kinds[k] = DIMENSION_COMPANION;
	columns->is_held[k] = true;
}

static void add_column(struct columns *columns, size_t i)
{
	const struct parameter *parameter = &columns->space->parameters[i];
	const size_t k = columns->d++;

	columns->parameter[k] = i;
	columns->kinds[k] =
		parameter->type == PARAMETER_CATEGORICAL ? DIMENSION_CATEGORY : DIMENSION_NUMERIC;
	columns->cardinality[k] = parameter_cardinality(parameter);
	columns->is_held[k] = !isnan(columns->given[i]);
	if (columns->is_held[k])
		columns->held[k] = parameter_encode(parameter, columns->given[i]);
	columns->is_parent[k] = is_parent(columns->space, i);
	if (columns->kinds[k] == DIMENSION_NUMERIC && is_conditional(columns->space, i))
		add_companion(columns, i);
}

void columns_init(struct columns *columns, const struct space *space, const double *given)
{
	*columns = (struct columns){ .space = space, .given = given };
	for (size_t i = 0; i < space->d; i++)
		if (parameter_cardinality(&space->parameters[i]) != 1)
			add_column(columns, i);
}

static double inactive_coordinate(const struct columns *columns, size_t column)
{
	switch (columns->kinds[column]) {
	case DIMENSION_CATEGORY:
		return 0;
	case DIMENSION_COMPANION:
		return sqrt(0.5);
	case DIMENSION_NUMERIC:
		break;
	}
	return 0.5;
}

bool columns_have_category(const struct columns *columns)
{
	for (size_t k = 0; k < columns->d; k++)
		if (columns->kinds[k] == DIMENSION_CATEGORY)
			return true;
	return false;
}

bool columns_encode(const struct columns *columns, const double *values, double *ret_x)
{
	bool active[SPACE_PARAMETERS_MAX];

	space_activity(columns->space, values, active);
	for (size_t k = 0; k < columns->d; k++) {
		const size_t i = columns->parameter[k];

		if (!active[i])
			ret_x[k] = inactive_coordinate(columns, k);
		else if (columns->kinds[k] == DIMENSION_COMPANION)
			ret_x[k] = 0;
		else
			ret_x[k] = parameter_encode(parameter_of(columns, k), values[i]);
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
		if (columns->kinds[k] != DIMENSION_COMPANION)
			ret_values[columns->parameter[k]] =
				parameter_decode(parameter_of(columns, k), x[k]);
	for (size_t i = 0; i < space->d; i++)
		if (!isnan(columns->given[i]))
			ret_values[i] = columns->given[i];
	space_settle(space, ret_values);
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

void columns_activity(const struct columns *columns, const double *x, bool *ret_active)
{
	double values[SPACE_PARAMETERS_MAX];
	bool active[SPACE_PARAMETERS_MAX];

	if (columns->space->n_conditions > 0)
		columns_decode(columns, x, values);
	space_activity(columns->space, values, active);
	for (size_t k = 0; k < columns->d; k++)
		ret_active[k] = active[columns->parameter[k]];
}

bool columns_allow(const struct columns *columns, const double *x)
{
	double values[SPACE_PARAMETERS_MAX];

	if (columns->space->n_constraints == 0)
		return true;
	columns_decode(columns, x, values);
	return space_broken_constraint(columns->space, values) == NULL;
}

static void mark_inactive(const struct columns *columns, double *x)
{
	bool active[COLUMNS_MAX];

	if (columns->space->n_conditions == 0)
		return;
	columns_activity(columns, x, active);
	for (size_t k = 0; k < columns->d; k++)
		if (!active[k])
			x[k] = inactive_coordinate(columns, k);
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
	mark_inactive(columns, x);
}
