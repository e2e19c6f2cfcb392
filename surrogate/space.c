#include "surrogate/space_rules.h"

#include <gsl/gsl_math.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A float is on its lattice if it is within this part of a step. */
static const double LATTICE_TOLERANCE = 1e-9;

enum { DECIMAL_PLACES = 15 }; /* at most, in a float's min and step: such powers of ten are exact */

/* Doubles hold every integer up to here. */
static const double INTEGER_MAX = 9007199254740992.0; /* 2^53 */

const char *parameter_type_name(enum parameter_type type)
{
	static const char *const names[] = {
		[PARAMETER_FLOAT] = "float",
		[PARAMETER_INT] = "int",
		[PARAMETER_CATEGORICAL] = "categorical",
		[PARAMETER_ORDINAL] = "ordinal",
	};

	return names[type];
}

const char *parameter_scale_name(enum parameter_scale scale)
{
	static const char *const names[] = {
		[SCALE_AUTO] = "auto",
		[SCALE_LINEAR] = "linear",
		[SCALE_LOG] = "log",
		[SCALE_REVERSE_LOG] = "reverse-log",
	};

	return names[scale];
}

static bool is_choice(const struct parameter *parameter)
{
	return parameter->type == PARAMETER_CATEGORICAL || parameter->type == PARAMETER_ORDINAL;
}

/* ---- Scales ---- */

/* Ratios are compared as in decimal: (1 - 0)/(1 - 0.98) is 50 to the user and 49.99999999999996 in
 * binary. */
static bool is_at_least(double ratio, double bound)
{
	return ratio >= bound * (1 - 1e-12);
}

static enum parameter_scale natural_scale(const struct parameter *parameter)
{
	const double min = parameter->min, max = parameter->max;

	if (is_choice(parameter))
		return SCALE_LINEAR;
	if (min > 0 && is_at_least(max / min, 100))
		return SCALE_LOG;
	if (parameter->type == PARAMETER_FLOAT && min >= 0 && max < 1 &&
		is_at_least((1 - min) / (1 - max), 50))
		return SCALE_REVERSE_LOG;
	return SCALE_LINEAR;
}

void space_resolve_scales(struct space *space)
{
	for (size_t i = 0; i < space->d; i++) {
		struct parameter *parameter = &space->parameters[i];

		if (parameter->scale == SCALE_AUTO)
			parameter->scale = natural_scale(parameter);
	}
}

/* The scale's monotone map to the line on which the parameter is uniform; NaN outside its domain. */
static double stretch(enum parameter_scale scale, double x)
{
	switch (scale) {
	case SCALE_LOG:
		return x > 0 ? log(x) : GSL_NAN;
	case SCALE_REVERSE_LOG:
		return x < 1 ? -log1p(-x) : GSL_NAN;
	case SCALE_AUTO:
	case SCALE_LINEAR:
		break;
	}
	return x;
}

static double unstretch(enum parameter_scale scale, double t)
{
	switch (scale) {
	case SCALE_LOG:
		return exp(t);
	case SCALE_REVERSE_LOG:
		return -expm1(-t);
	case SCALE_AUTO:
	case SCALE_LINEAR:
		break;
	}
	return t;
}

/* ---- The lattice ---- */

static bool has_lattice(const struct parameter *parameter)
{
	return parameter->type != PARAMETER_FLOAT || parameter->step > 0;
}

static double lattice_min(const struct parameter *parameter)
{
	return is_choice(parameter) ? 0 : parameter->min;
}

static double lattice_step(const struct parameter *parameter)
{
	return !is_choice(parameter) && parameter->step > 0 ? parameter->step : 1;
}

/* For a float with step: a quotient just below an integer, by rounding or by a step such as 0.1
 * that binary cannot represent, counts as that integer. */
static uint64_t float_cardinality(const struct parameter *parameter)
{
	const double quotient = (parameter->max - parameter->min) / parameter->step;
	const double tolerance = GSL_MAX_DBL(LATTICE_TOLERANCE, 4 * DBL_EPSILON * quotient);

	return (uint64_t)floor(quotient + tolerance) + 1;
}

uint64_t parameter_cardinality(const struct parameter *parameter)
{
	if (is_choice(parameter))
		return parameter->n_values;
	if (!has_lattice(parameter))
		return 0;
	if (parameter->type == PARAMETER_FLOAT)
		return float_cardinality(parameter);
	return (uint64_t)(parameter->max - parameter->min) / (uint64_t)lattice_step(parameter) + 1;
}

uint64_t space_cardinality(const struct space *space)
{
	uint64_t product = 1;
	bool overflow = false;

	for (size_t i = 0; i < space->d; i++) {
		const uint64_t n = parameter_cardinality(&space->parameters[i]);

		if (n == 0)
			return 0;
		overflow |= __builtin_mul_overflow(product, n, &product);
	}
	return overflow ? UINT64_MAX : product;
}

static bool is_multiple(double value, double per_one)
{
	return round(value * per_one) / per_one == value && fabs(value * per_one) < INTEGER_MAX;
}

/* The least power of ten 10^q for which min and step, as written, are multiples of 1/10^q; 0: none
 * up to DECIMAL_PLACES. */
static double decimals_per_one(const struct parameter *parameter)
{
	double per_one = 1;

	for (int q = 0; q <= DECIMAL_PLACES; q++, per_one *= 10)
		if (is_multiple(parameter->min, per_one) && is_multiple(parameter->step, per_one))
			return per_one;
	return 0;
}

/* The double nearest to the decimal value of min + k step: 0.3, where 3 * 0.1 is
 * 0.30000000000000004. */
static double float_lattice_value(const struct parameter *parameter, double k)
{
	const double per_one = decimals_per_one(parameter);
	const double scaled =
		round(parameter->min * per_one) + k * round(parameter->step * per_one);

	return per_one > 0 && fabs(scaled) < INTEGER_MAX ? scaled / per_one
							 : parameter->min + k * parameter->step;
}

double parameter_value(const struct parameter *parameter, uint64_t k)
{
	if (is_choice(parameter))
		return (double)k;
	const double value = parameter->type == PARAMETER_FLOAT
				     ? float_lattice_value(parameter, (double)k)
				     : parameter->min + (double)k * lattice_step(parameter);

	return fmin(value, parameter->max);
}

/* The index of the lattice value nearest to `value`, ends included; 0 for NaN. Rounded by one
 * operation: from 2^52 on adding a half would itself round, and miss every odd index. */
static uint64_t nearest_index(const struct parameter *parameter, double value)
{
	const double steps = (value - lattice_min(parameter)) / lattice_step(parameter);
	const uint64_t last = parameter_cardinality(parameter) - 1;

	if (!(steps > 0))
		return 0;
	return steps >= (double)last ? last : (uint64_t)round(steps);
}

bool parameter_index(const struct parameter *parameter, double value, uint64_t *ret_k)
{
	if (!has_lattice(parameter) || !isfinite(value))
		return false;

	const uint64_t k = nearest_index(parameter, value);
	const double distance = fabs(value - parameter_value(parameter, k));
	const bool exact = parameter->type != PARAMETER_FLOAT;

	if (distance > (exact ? 0 : LATTICE_TOLERANCE * parameter->step))
		return false;
	*ret_k = k;
	return true;
}

void space_configuration(const struct space *space, uint64_t rank, double *ret_values)
{
	for (size_t i = space->d; i-- > 0;) {
		const uint64_t n = parameter_cardinality(&space->parameters[i]);

		ret_values[i] = parameter_value(&space->parameters[i], rank % n);
		rank /= n;
	}
}

/* ---- Membership ---- */

size_t space_find(const struct space *space, const char *name)
{
	size_t i = 0;

	while (i < space->d && strcmp(space->parameters[i].name, name) != 0)
		i++;
	return i;
}

bool parameter_contains(const struct parameter *parameter, double value)
{
	uint64_t k;

	if (has_lattice(parameter))
		return parameter_index(parameter, value, &k);
	return value >= parameter->min && value <= parameter->max;
}

bool space_contains(const struct space *space, const double *values)
{
	for (size_t i = 0; i < space->d; i++)
		if (!parameter_contains(&space->parameters[i], values[i]))
			return false;
	return space_broken_constraint(space, values) == NULL;
}

/* Compares before it subtracts: equal values are the same even where they do not encode. */
static bool parameter_same(const struct parameter *parameter, double a, double b)
{
	uint64_t i, j;

	if (has_lattice(parameter))
		return parameter_index(parameter, a, &i) && parameter_index(parameter, b, &j) &&
		       i == j;
	return a == b || fabs(parameter_encode(parameter, a) - parameter_encode(parameter, b)) <
				 SPACE_SAME_TOLERANCE;
}

/* What is active in a is active in b if the parents are the same, which are compared as well. */
bool space_same(const struct space *space, const double *a, const double *b)
{
	bool active[SPACE_PARAMETERS_MAX];

	space_activity(space, a, active);
	for (size_t i = 0; i < space->d; i++)
		if (active[i] && !parameter_same(&space->parameters[i], a[i], b[i]))
			return false;
	return true;
}

/* ---- The map to the unit cube ---- */

struct interval {
	double low, high; /* map to 0 and 1 */
};

/* An edge half a step from `end`, which is `room` away from the scale's singularity; see
 * space.h. */
static double cell_edge(double room, double half_step)
{
	return half_step <= room / 2 ? room - half_step : room * room / (room + half_step);
}

/* Near the limits of doubles an edge may be rounded to the value itself, or past it, to the
 * singularity or to infinity: then the end itself is the edge, as without a lattice. */
static struct interval widened(const struct parameter *parameter)
{
	const double min = lattice_min(parameter), half = lattice_step(parameter) / 2;
	const double last = parameter_value(parameter, parameter_cardinality(parameter) - 1);
	struct interval cells = { min - half, last + half };

	if (parameter->scale == SCALE_LOG) {
		cells.low = cell_edge(min, half);
		if (!(cells.low > 0 && cells.low < min))
			cells.low = min;
	}
	if (parameter->scale == SCALE_REVERSE_LOG) {
		cells.high = 1 - cell_edge(1 - last, half);
		if (!(cells.high > last && cells.high < 1))
			cells.high = last;
	}
	return isfinite(cells.high - cells.low) ? cells : (struct interval){ min, last };
}

/* The interval of the stretched line that maps to [0, 1]. */
static struct interval stretched(const struct parameter *parameter)
{
	const struct interval whole = has_lattice(parameter)
					      ? widened(parameter)
					      : (struct interval){ parameter->min, parameter->max };

	return (struct interval){ stretch(parameter->scale, whole.low),
		stretch(parameter->scale, whole.high) };
}

/* The middle of cell k of n, by one division instead of the widened map, so that equal categories
 * always have the same bits. */
static double encode_choice(const struct parameter *parameter, double index)
{
	const double n = (double)parameter->n_values;

	if (!(index >= 0 && index < n) || index != floor(index))
		return GSL_NAN;
	return (index + 0.5) / n;
}

double parameter_encode(const struct parameter *parameter, double value)
{
	if (is_choice(parameter))
		return encode_choice(parameter, value);

	const struct interval t = stretched(parameter);

	return (stretch(parameter->scale, value) - t.low) / (t.high - t.low);
}

static double decode_choice(const struct parameter *parameter, double u)
{
	const double n = (double)parameter->n_values, k = floor(u * n);

	return k > 0 ? fmin(k, n - 1) : 0;
}

double parameter_decode(const struct parameter *parameter, double u)
{
	if (is_choice(parameter))
		return decode_choice(parameter, u);
	if (!has_lattice(parameter) && u >= 1)
		return parameter->max;

	const struct interval t = stretched(parameter);
	const double x = unstretch(parameter->scale, t.low + u * (t.high - t.low));

	if (has_lattice(parameter))
		return parameter_value(parameter, nearest_index(parameter, x));
	return u > 0 && x > parameter->min ? fmin(x, parameter->max) : parameter->min;
}

void space_decode(const struct space *space, const double *u, double *ret_values)
{
	for (size_t i = 0; i < space->d; i++)
		ret_values[i] = parameter_decode(&space->parameters[i], u[i]);
}

/* ---- Checking ---- */

static bool check_choice(const struct parameter *parameter, struct tuner_error *err)
{
	if (parameter->n_values < 1 || parameter->n_values > PARAMETER_VALUES_MAX)
		return tuner_fail(err, TUNER_USAGE, "needs 1 to %d values, has %zu",
			PARAMETER_VALUES_MAX, parameter->n_values);
	return true;
}

static bool is_integer(double x)
{
	return fabs(x) <= INTEGER_MAX && x == floor(x);
}

/* A float's width may be below its step by rounding alone: 0.3 - 0.2 is less than 0.1. */
bool parameter_step_fits(const struct parameter *parameter)
{
	return parameter->step <= parameter->max - parameter->min ||
	       (parameter->type == PARAMETER_FLOAT && float_cardinality(parameter) > 1);
}

static bool check_step(const struct parameter *parameter, struct tuner_error *err)
{
	const double step = parameter->step;
	const double largest = GSL_MAX_DBL(fabs(parameter->min), fabs(parameter->max));

	if (!(step >= 0) || !parameter_step_fits(parameter))
		return tuner_fail(err, TUNER_USAGE, "step must be between 0 and max - min");
	if (parameter->type == PARAMETER_INT && !is_integer(step))
		return tuner_fail(err, TUNER_USAGE, "step of an int must be an integer");
	if (parameter->type == PARAMETER_FLOAT && step > 0 && step < 8 * DBL_EPSILON * largest)
		return tuner_fail(err, TUNER_USAGE,
			"step %g is too small to tell neighbours apart in [%g, %g]", step,
			parameter->min, parameter->max);
	return true;
}

static bool check_scale(const struct parameter *parameter, struct tuner_error *err)
{
	switch (parameter->scale) {
	case SCALE_LINEAR:
		return true;
	case SCALE_LOG:
		if (!(parameter->min > 0))
			return tuner_fail(err, TUNER_USAGE, "scale log needs min > 0, not %g",
				parameter->min);
		if (log(parameter->min) < log(parameter->max))
			return true;
		return tuner_fail(
			err, TUNER_USAGE, "min and max have the same logarithm: use scale linear");
	case SCALE_REVERSE_LOG:
		if (parameter->type == PARAMETER_FLOAT && parameter->min >= 0 && parameter->max < 1)
			return true;
		return tuner_fail(err, TUNER_USAGE,
			"scale reverse-log needs a float with 0 <= min and max < 1");
	case SCALE_AUTO:
		break;
	}
	return tuner_fail(err, TUNER_USAGE, "scale is not resolved");
}

static bool check_range(const struct parameter *parameter, struct tuner_error *err)
{
	const double min = parameter->min, max = parameter->max;

	if (!isfinite(min) || !isfinite(max) || !isfinite(max - min))
		return tuner_fail(err, TUNER_USAGE, "bounds must be finite");
	if (!(min < max))
		return tuner_fail(err, TUNER_USAGE, "min %g must be less than max %g", min, max);
	if (parameter->type == PARAMETER_INT &&
		(!is_integer(min) || !is_integer(max) || max - min > INTEGER_MAX))
		return tuner_fail(err, TUNER_USAGE,
			"bounds of an int must be integers up to 2^53 apart and in size");
	return check_step(parameter, err) && check_scale(parameter, err);
}

static bool check_parameter(const struct space *space, size_t i, struct tuner_error *err)
{
	const struct parameter *parameter = &space->parameters[i];

	if (parameter->name[0] == '\0')
		return tuner_fail(err, TUNER_USAGE, "has no name");
	if (space_find(space, parameter->name) != i)
		return tuner_fail(err, TUNER_USAGE, "is named twice");
	return is_choice(parameter) ? check_choice(parameter, err) : check_range(parameter, err);
}

bool space_check(const struct space *space, struct tuner_error *err)
{
	if (space->d < 1 || space->d > SPACE_PARAMETERS_MAX)
		return tuner_fail(err, TUNER_USAGE, "a space has 1 to %d parameters, not %zu",
			SPACE_PARAMETERS_MAX, space->d);
	for (size_t i = 0; i < space->d; i++)
		if (!check_parameter(space, i, err))
			return tuner_fail_in(
				err, "parameter %zu \"%s\": ", i + 1, space->parameters[i].name);
	return space_check_rules(space, err);
}

/* ---- End ---- */

void space_finish(struct space *space)
{
	if (space == NULL)
		return;
	space_finish_rules(space);
	for (size_t i = 0; space->priors != NULL && i < space->d; i++)
		free(space->priors[i].weights);
	free(space->priors);
	free(space->parameters);
	*space = (struct space){ 0 };
}
