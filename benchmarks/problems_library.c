/* The problems for other languages (benchmarks/peers/run.py calls them through ctypes): plain C types, and
 * problems by index, those with limits after the others, then those with several objectives. Indices out of range are the caller's fault. */
#include "benchmarks/problems.h"

#include "base/text.h"
#include "surrogate/pareto.h"

#include <math.h>

int library_count(void); /* of those without limits */
int library_limited_count(void);
int library_front_count(void);
const char *library_name(int i);
int library_dimension(int i);
int library_budget(int i);
int library_n_initial(int i);
int library_n_limits(int i);
int library_n_others(int i);
double library_optimum(int i);
double library_random_median(int i);
char *library_space_json(int i);
void library_initial(int i, unsigned long long seed, int k, double *ret_values);
double library_value(int i, const double *values);
double library_observe(int i, const double *values, unsigned long long seed, unsigned number);
void library_excess(int i, const double *values, double *ret);
void library_observe_excess(
	int i, const double *values, unsigned long long seed, unsigned number, double *ret);
void library_others(int i, const double *values, double *ret);
void library_observe_others(
	int i, const double *values, unsigned long long seed, unsigned number, double *ret);
double library_reference(int i, int objective);
double library_front(int i);
double library_hypervolume(const double *outcomes, int n, int m, const double *reference);
double library_duration(int i, unsigned long long seed, unsigned number);

static const struct problem *at(int i)
{
	const size_t k = (size_t)i, first_limited = problems_count(),
		     first_front = first_limited + limited_problems_count();

	return k < first_limited ? problem_at(k)
	       : k < first_front ? limited_problem_at(k - first_limited)
				 : front_problem_at(k - first_front);
}

int library_count(void)
{
	return (int)problems_count();
}

int library_limited_count(void)
{
	return (int)limited_problems_count();
}

int library_front_count(void)
{
	return (int)front_problems_count();
}

const char *library_name(int i)
{
	return at(i)->name;
}

int library_dimension(int i)
{
	return (int)at(i)->d;
}

int library_budget(int i)
{
	return (int)problem_budget(at(i));
}

int library_n_initial(int i)
{
	return (int)problem_n_initial(at(i));
}

int library_n_limits(int i)
{
	return (int)at(i)->n_limits;
}

int library_n_others(int i)
{
	return (int)at(i)->n_others;
}

double library_optimum(int i)
{
	return at(i)->optimum;
}

double library_random_median(int i)
{
	return problem_random_median(at(i));
}

/* The caller frees. */
char *library_space_json(int i)
{
	const struct problem *problem = at(i);
	struct text text = TEXT_EMPTY;

	text_add(&text, "[");
	for (size_t k = 0; k < problem->d; k++) {
		const struct parameter *p = &problem->parameters[k];

		text_print(&text, "%s{\"name\": \"%s\", \"type\": \"%s\"", k > 0 ? ", " : "",
			p->name, parameter_type_name(p->type));
		if (p->n_values > 0)
			text_print(&text, ", \"n_values\": %zu}", p->n_values);
		else
			text_print(&text,
				", \"min\": %.17g, \"max\": %.17g, \"scale\": \"%s\", \"step\": "
				"%.17g}",
				p->min, p->max, parameter_scale_name(p->scale), p->step);
	}
	text_add(&text, "]");
	return text_take(&text);
}

void library_initial(int i, unsigned long long seed, int k, double *ret_values)
{
	problem_initial(at(i), seed, (size_t)k, ret_values);
}

double library_value(int i, const double *values)
{
	return problem_value_within(at(i), values);
}

double library_observe(int i, const double *values, unsigned long long seed, unsigned number)
{
	return problem_observe(at(i), values, seed, number);
}

void library_excess(int i, const double *values, double *ret)
{
	problem_excess(at(i), values, ret);
}

void library_observe_excess(
	int i, const double *values, unsigned long long seed, unsigned number, double *ret)
{
	problem_observe_excess(at(i), values, seed, number, ret);
}

void library_others(int i, const double *values, double *ret)
{
	problem_others(at(i), values, ret);
}

void library_observe_others(
	int i, const double *values, unsigned long long seed, unsigned number, double *ret)
{
	problem_observe_others(at(i), values, seed, number, ret);
}

double library_reference(int i, int objective)
{
	return at(i)->reference[objective];
}

double library_front(int i)
{
	return at(i)->front;
}

/* NaN: it cannot be computed (pareto_hypervolume). */
double library_hypervolume(const double *outcomes, int n, int m, const double *reference)
{
	struct tuner_error err;
	double volume;

	return pareto_hypervolume(outcomes, (size_t)n, (size_t)m, reference, &volume, &err) ? volume
											    : NAN;
}

double library_duration(int i, unsigned long long seed, unsigned number)
{
	return problem_duration(at(i), seed, number);
}
