/* The problems for other languages (benchmarks/peers/run.py calls them through ctypes): plain C types, and
 * problems by index. Indices out of range are the caller's fault. */
#include "benchmarks/problems.h"

#include "base/text.h"

int library_count(void);
const char *library_name(int i);
int library_dimension(int i);
int library_budget(int i);
int library_n_initial(int i);
double library_optimum(int i);
double library_random_median(int i);
char *library_space_json(int i);
void library_initial(int i, unsigned long long seed, int k, double *ret_values);
double library_value(int i, const double *values);
double library_observe(int i, const double *values, unsigned long long seed, unsigned number);
double library_duration(int i, unsigned long long seed, unsigned number);

int library_count(void)
{
	return (int)problems_count();
}

const char *library_name(int i)
{
	return problem_at((size_t)i)->name;
}

int library_dimension(int i)
{
	return (int)problem_at((size_t)i)->d;
}

int library_budget(int i)
{
	return (int)problem_budget(problem_at((size_t)i));
}

int library_n_initial(int i)
{
	return (int)problem_n_initial(problem_at((size_t)i));
}

double library_optimum(int i)
{
	return problem_at((size_t)i)->optimum;
}

double library_random_median(int i)
{
	return problem_random_median(problem_at((size_t)i));
}

/* The caller frees. */
char *library_space_json(int i)
{
	const struct problem *problem = problem_at((size_t)i);
	struct text text = TEXT_EMPTY;

	text_add(&text, "[");
	for (size_t k = 0; k < problem->d; k++) {
		const struct parameter *p = &problem->parameters[k];

		text_print(&text, "%s{\"name\": \"%s\", \"type\": \"%s\"", k > 0 ? ", " : "",
			p->name, parameter_type_name(p->type));
		if (p->n_values > 0)
			text_print(&text, ", \"n_values\": %zu}", p->n_values);
		else
			text_print(&text, ", \"min\": %.17g, \"max\": %.17g, \"scale\": \"%s\"}",
				p->min, p->max, parameter_scale_name(p->scale));
	}
	text_add(&text, "]");
	return text_take(&text);
}

void library_initial(int i, unsigned long long seed, int k, double *ret_values)
{
	problem_initial(problem_at((size_t)i), seed, (size_t)k, ret_values);
}

double library_value(int i, const double *values)
{
	return problem_value(problem_at((size_t)i), values);
}

double library_observe(int i, const double *values, unsigned long long seed, unsigned number)
{
	return problem_observe(problem_at((size_t)i), values, seed, number);
}

double library_duration(int i, unsigned long long seed, unsigned number)
{
	return problem_duration(problem_at((size_t)i), seed, number);
}
