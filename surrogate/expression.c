#include "surrogate/expression_code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double meaning(const struct expression *e, const struct instruction *in, double value)
{
	/* True for NaN too. */
	if (!(value >= 0 && value < (double)in->n))
		return NAN;
	return e->meanings[in->first + (size_t)value];
}

static double unary(enum operation operation, double a)
{
	switch (operation) {
	case NEGATE:
		return -a;
	case NOT:
		return a == 0;
	case ABS:
		return fabs(a);
	case CEIL:
		return ceil(a);
	case EXP:
		return exp(a);
	case FLOOR:
		return floor(a);
	case LOG:
		return log(a);
	case LOG10:
		return log10(a);
	case LOG2:
		return log2(a);
	default:
		return sqrt(a);
	}
}

/* fmax and fmin would hide a NaN. */
static double larger(double a, double b)
{
	return isnan(a) || a > b ? a : b;
}

static double smaller(double a, double b)
{
	return isnan(a) || a < b ? a : b;
}

static double binary(enum operation operation, double a, double b)
{
	switch (operation) {
	case ADD:
		return a + b;
	case SUBTRACT:
		return a - b;
	case MULTIPLY:
		return a * b;
	case DIVIDE:
		return a / b;
	case POWER:
		return pow(a, b);
	case MAX:
		return larger(a, b);
	case MIN:
		return smaller(a, b);
	case LESS:
		return a < b;
	case LESS_EQUAL:
		return a <= b;
	case GREATER:
		return a > b;
	case GREATER_EQUAL:
		return a >= b;
	case EQUAL:
		return a == b;
	case DIFFERENT:
		return a < b || a > b;
	case AND:
		return a > 0 && b > 0;
	default:
		return a > 0 || b > 0;
	}
}

/* The first n_code instructions; returns the height of the stack. */
static size_t run(
	const struct expression *e, size_t n_code, const double *values, double stack[STACK_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < n_code; i++) {
		const struct instruction *in = &e->code[i];

		if (in->operation == PUSH_NUMBER) {
			stack[n++] = in->number;
		} else if (in->operation == PUSH_VARIABLE) {
			stack[n++] = values[in->variable];
		} else if (in->operation == PUSH_MEANING) {
			stack[n++] = meaning(e, in, values[in->variable]);
		} else if (in->operation < ADD) {
			stack[n - 1] = unary(in->operation, stack[n - 1]);
		} else {
			n--;
			stack[n - 1] = binary(in->operation, stack[n - 1], stack[n]);
		}
	}
	return n;
}

double expression_value(const struct expression *e, const double *values)
{
	double stack[STACK_MAX];

	run(e, e->n, values, stack);
	return stack[0];
}

/* The operation that is done last. */
static enum operation last_operation(const struct expression *e)
{
	return e->code[e->n - 1].operation;
}

bool expression_is_bound(const struct expression *e)
{
	return last_operation(e) == LESS_EQUAL || last_operation(e) == GREATER_EQUAL;
}

double expression_excess(const struct expression *e, const double *values)
{
	double stack[STACK_MAX];

	run(e, e->n - 1, values, stack);
	return last_operation(e) == LESS_EQUAL ? stack[0] - stack[1] : stack[1] - stack[0];
}

/* A truth value that is NaN, from an index without a meaning, counts as false. */
bool expression_holds(const struct expression *e, const double *values)
{
	return expression_value(e, values) > 0;
}

const char *expression_text(const struct expression *e)
{
	return e->text;
}

const size_t *expression_variables(const struct expression *e, size_t *ret_n)
{
	*ret_n = e->n_variables;
	return e->variables;
}

bool expression_copy(
	const struct expression *parts, struct expression **ret, struct tuner_error *err)
{
	struct expression *e = calloc(1, sizeof *e);

	if (e == NULL)
		return tuner_fail_memory(err);
	*e = (struct expression){ .n = parts->n,
		.n_meanings = parts->n_meanings,
		.n_variables = parts->n_variables,
		.code = calloc(parts->n + 1, sizeof *e->code),
		.meanings = calloc(parts->n_meanings + 1, sizeof *e->meanings),
		.variables = calloc(parts->n_variables + 1, sizeof *e->variables),
		.text = strdup(parts->text) };
	if (!e->code || !e->meanings || !e->variables || !e->text) {
		expression_destroy(e);
		return tuner_fail_memory(err);
	}
	memcpy(e->code, parts->code, parts->n * sizeof *e->code);
	if (parts->n_meanings > 0)
		memcpy(e->meanings, parts->meanings, parts->n_meanings * sizeof *e->meanings);
	if (parts->n_variables > 0)
		memcpy(e->variables, parts->variables, parts->n_variables * sizeof *e->variables);
	*ret = e;
	return true;
}

void expression_destroy(struct expression *e)
{
	if (e == NULL)
		return;
	free(e->code);
	free(e->meanings);
	free(e->variables);
	free(e->text);
	free(e);
}
