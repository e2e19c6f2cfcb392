#include "surrogate/space_rules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool space_has_rules(const struct space *space)
{
	return space->n_conditions > 0 || space->n_constraints > 0;
}

/* ---- Activity ---- */

static int by_number(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* `value`: the parent's; NaN: not given. */
static bool is_met(const struct condition *condition, double value)
{
	return isnan(value) ||
	       bsearch(&value, condition->values, condition->n, sizeof value, by_number) != NULL;
}

void space_activity(const struct space *space, const double *values, bool *ret_active)
{
	for (size_t i = 0; i < space->d; i++)
		ret_active[i] = true;
	for (size_t c = 0; c < space->n_conditions; c++) {
		const struct condition *condition = &space->conditions[c];

		if (!ret_active[condition->parent] || !is_met(condition, values[condition->parent]))
			ret_active[condition->parameter] = false;
	}
}

double parameter_inactive_value(const struct parameter *parameter)
{
	return parameter_decode(parameter, 0.5);
}

void space_settle(const struct space *space, double *values)
{
	bool active[SPACE_PARAMETERS_MAX];

	if (space->n_conditions == 0)
		return;
	space_activity(space, values, active);
	for (size_t i = 0; i < space->d; i++)
		if (!active[i])
			values[i] = parameter_inactive_value(&space->parameters[i]);
}

/* ---- Constraints ---- */

static bool binds(const struct expression *constraint, const double *values, const bool *active)
{
	size_t n;
	const size_t *variables = expression_variables(constraint, &n);

	for (size_t k = 0; k < n; k++)
		if (!active[variables[k]] || isnan(values[variables[k]]))
			return false;
	return true;
}

const struct expression *space_broken_constraint(const struct space *space, const double *values)
{
	bool active[SPACE_PARAMETERS_MAX];

	if (space->n_constraints == 0)
		return NULL;
	space_activity(space, values, active);
	for (size_t i = 0; i < space->n_constraints; i++)
		if (binds(space->constraints[i], values, active) &&
			!expression_holds(space->constraints[i], values))
			return space->constraints[i];
	return NULL;
}

/* ---- The order of conditions ---- */

/* The number of steps from a parameter that is always active; one that depends on itself never
 * settles. */
static bool find_levels(const struct space *space, size_t *levels, size_t *ret_parameter)
{
	bool changed = true;

	memset(levels, 0, space->d * sizeof *levels);
	for (size_t pass = 0; changed; pass++) {
		changed = false;
		for (size_t c = 0; c < space->n_conditions; c++) {
			const struct condition *condition = &space->conditions[c];

			if (levels[condition->parameter] > levels[condition->parent])
				continue;
			levels[condition->parameter] = levels[condition->parent] + 1;
			*ret_parameter = condition->parameter;
			changed = true;
		}
		if (changed && pass == space->d)
			return false;
	}
	return true;
}

/* Each pass has raised all parameters of a cycle by at least one, so they and their dependants are
 * above level d. From such a parameter, d steps to parents above level d end on the cycle. */
static size_t on_circle(const struct space *space, const size_t *levels, size_t parameter)
{
	for (size_t step = 0; step < space->d; step++)
		for (size_t c = 0; c < space->n_conditions; c++)
			if (space->conditions[c].parameter == parameter &&
				levels[space->conditions[c].parent] > space->d) {
				parameter = space->conditions[c].parent;
				break;
			}
	return parameter;
}

static bool comes_before(const size_t *levels, const struct condition *a, const struct condition *b)
{
	if (levels[a->parameter] != levels[b->parameter])
		return levels[a->parameter] < levels[b->parameter];
	return a->parameter != b->parameter ? a->parameter < b->parameter : a->parent < b->parent;
}

bool space_order_conditions(struct space *space, size_t *ret_parameter)
{
	size_t levels[SPACE_PARAMETERS_MAX];

	if (!find_levels(space, levels, ret_parameter)) {
		*ret_parameter = on_circle(space, levels, *ret_parameter);
		return false;
	}
	for (size_t c = 1; c < space->n_conditions; c++) {
		const struct condition moved = space->conditions[c];
		size_t to = c;

		for (; to > 0 && comes_before(levels, &moved, &space->conditions[to - 1]); to--)
			space->conditions[to] = space->conditions[to - 1];
		space->conditions[to] = moved;
	}
	return true;
}

/* Needs one pass, since the conditions are in order. */
void space_parents_first(const struct space *space, size_t *ret_order)
{
	size_t levels[SPACE_PARAMETERS_MAX] = { 0 }, n = 0;

	for (size_t c = 0; c < space->n_conditions; c++) {
		const struct condition *condition = &space->conditions[c];

		if (levels[condition->parameter] <= levels[condition->parent])
			levels[condition->parameter] = levels[condition->parent] + 1;
	}
	for (size_t level = 0; n < space->d; level++)
		for (size_t i = 0; i < space->d; i++)
			if (levels[i] == level)
				ret_order[n++] = i;
}

/* ---- Checking ---- */

static bool check_condition(
	const struct space *space, const struct condition *condition, struct tuner_error *err)
{
	if (condition->parameter >= space->d || condition->parent >= space->d)
		return tuner_fail(err, TUNER_USAGE, "it names a parameter that there is not");
	if (space->parameters[condition->parent].type == PARAMETER_FLOAT)
		return tuner_fail(err, TUNER_USAGE, "a float cannot be asked for a value");
	if (condition->n == 0)
		return tuner_fail(err, TUNER_USAGE, "it asks for no value");
	for (size_t k = 0; k < condition->n; k++) {
		if (!parameter_contains(
			    &space->parameters[condition->parent], condition->values[k]))
			return tuner_fail(err, TUNER_USAGE, "%.17g is no value of its parent",
				condition->values[k]);
		if (k > 0 && !(condition->values[k - 1] < condition->values[k]))
			return tuner_fail(err, TUNER_USAGE, "its values do not ascend");
	}
	return true;
}

/* A parent whose own condition comes later would be mistaken for active. */
static bool is_in_order(const struct space *space, size_t c)
{
	for (size_t later = c; later < space->n_conditions; later++)
		if (space->conditions[later].parameter == space->conditions[c].parent)
			return false;
	return true;
}

bool space_check_rules(const struct space *space, struct tuner_error *err)
{
	for (size_t c = 0; c < space->n_conditions; c++) {
		if (!check_condition(space, &space->conditions[c], err))
			return tuner_fail_in(err, "condition %zu: ", c + 1);
		if (!is_in_order(space, c))
			return tuner_fail(err, TUNER_USAGE,
				"condition %zu comes before one of its parent's", c + 1);
	}
	for (size_t i = 0; i < space->n_constraints; i++) {
		size_t n;
		const size_t *variables = expression_variables(space->constraints[i], &n);

		if (n > 0 && variables[n - 1] >= space->d)
			return tuner_fail(err, TUNER_USAGE,
				"constraint %zu names a parameter that there is not", i + 1);
	}
	return true;
}

/* ---- End ---- */

void space_finish_rules(struct space *space)
{
	for (size_t c = 0; c < space->n_conditions; c++)
		free(space->conditions[c].values);
	for (size_t i = 0; i < space->n_constraints; i++)
		expression_destroy(space->constraints[i]);
	free(space->conditions);
	free(space->constraints);
}
