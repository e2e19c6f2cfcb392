#include "benchmarks/problems.h"

#include "base/random.h"
#include "benchmarks/front_functions.h"
#include "benchmarks/functions.h"
#include "benchmarks/limited_functions.h"
#include "benchmarks/networks.h"
#include "benchmarks/surface.h"
#include "surrogate/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- spaces ---- */

#define FLOAT(title, a, b)                                                                         \
	{                                                                                          \
		.name = title, .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .min = a, .max = b  \
	}
#define STEPS(title, a, b, by)                                                                     \
	{                                                                                          \
		.name = title, .type = PARAMETER_FLOAT, .scale = SCALE_LINEAR, .min = a, .max = b, \
		.step = by                                                                         \
	}
#define LOG(title, a, b)                                                                           \
	{                                                                                          \
		.name = title, .type = PARAMETER_FLOAT, .scale = SCALE_LOG, .min = a, .max = b     \
	}
#define REVERSE_LOG(title, a, b)                                                                   \
	{                                                                                          \
		.name = title, .type = PARAMETER_FLOAT, .scale = SCALE_REVERSE_LOG, .min = a,      \
		.max = b                                                                           \
	}
#define INT(title, a, b)                                                                           \
	{                                                                                          \
		.name = title, .type = PARAMETER_INT, .scale = SCALE_LINEAR, .min = a, .max = b    \
	}
#define LOG_INT(title, a, b)                                                                       \
	{                                                                                          \
		.name = title, .type = PARAMETER_INT, .scale = SCALE_LOG, .min = a, .max = b       \
	}
#define CATEGORY(title, n)                                                                         \
	{                                                                                          \
		.name = title, .type = PARAMETER_CATEGORICAL, .n_values = n                        \
	}

#define FLOATS_2(a, b)  FLOAT("x1", a, b), FLOAT("x2", a, b)
#define FLOATS_3(a, b)  FLOATS_2(a, b), FLOAT("x3", a, b)
#define FLOATS_4(a, b)  FLOATS_3(a, b), FLOAT("x4", a, b)
#define FLOATS_5(a, b)  FLOATS_4(a, b), FLOAT("x5", a, b)
#define FLOATS_6(a, b)  FLOATS_5(a, b), FLOAT("x6", a, b)
#define FLOATS_8(a, b)  FLOATS_6(a, b), FLOAT("x7", a, b), FLOAT("x8", a, b)
#define FLOATS_10(a, b) FLOATS_8(a, b), FLOAT("x9", a, b), FLOAT("x10", a, b)

/* Ten more, of names beginning with these digits. */
#define FLOATS_TEN(tens, a, b)                                                                     \
	FLOAT("x" tens "0", a, b), FLOAT("x" tens "1", a, b), FLOAT("x" tens "2", a, b),           \
		FLOAT("x" tens "3", a, b), FLOAT("x" tens "4", a, b), FLOAT("x" tens "5", a, b),   \
		FLOAT("x" tens "6", a, b), FLOAT("x" tens "7", a, b), FLOAT("x" tens "8", a, b),   \
		FLOAT("x" tens "9", a, b)

static const struct parameter branin_space[] = { FLOAT("x1", -5, 10), FLOAT("x2", 0, 15) };
static const struct parameter camel_space[] = { FLOAT("x1", -3, 3), FLOAT("x2", -2, 2) };
static const struct parameter unit3[] = { FLOATS_3(0, 1) };
static const struct parameter unit6[] = { FLOATS_6(0, 1) };
static const struct parameter ackley5_space[] = { FLOATS_5(-32.768, 16.384) };
static const struct parameter ackley10_space[] = { FLOATS_10(-32.768, 16.384) };
static const struct parameter ackley40_space[] = { FLOATS_TEN("1", -5, 10), FLOATS_TEN("2", -5, 10),
	FLOATS_TEN("3", -5, 10), FLOATS_TEN("4", -5, 10) };
static const struct parameter levy50_space[] = { FLOATS_TEN("1", -5, 10), FLOATS_TEN("2", -5, 10),
	FLOATS_TEN("3", -5, 10), FLOATS_TEN("4", -5, 10), FLOATS_TEN("5", -5, 10) };
static const struct parameter levy8_space[] = { FLOATS_8(-10, 10) };
static const struct parameter rosenbrock4_space[] = { FLOATS_4(-5, 10) };
static const struct parameter styblinski5_space[] = { FLOATS_5(-5, 5) };
static const struct parameter michalewicz5_space[] = { FLOATS_5(0, M_PI) };
static const struct parameter log3_space[] = { LOG("x1", 1e-4, 1), LOG("x2", 1e-4, 1),
	LOG("x3", 1e-4, 1) };
static const struct parameter log6_space[] = { LOG("x1", 1e-5, 1), FLOAT("x2", 0, 1),
	LOG("x3", 1e-3, 10), FLOAT("x4", 0, 1), LOG("x5", 1, 1e4), FLOAT("x6", 0, 1) };
static const struct parameter func3c_space[] = { FLOATS_2(-1, 1), CATEGORY("a", 3),
	CATEGORY("b", 5), CATEGORY("c", 4) };
static const struct parameter ackley13_space[] = { CATEGORY("b1", 2), CATEGORY("b2", 2),
	CATEGORY("b3", 2), CATEGORY("b4", 2), CATEGORY("b5", 2), CATEGORY("b6", 2),
	CATEGORY("b7", 2), CATEGORY("b8", 2), CATEGORY("b9", 2), CATEGORY("b10", 2),
	FLOATS_3(-1, 0.5) };
static const struct parameter jenatton_space[] = { CATEGORY("x1", 2), CATEGORY("x2", 2),
	CATEGORY("x3", 2), FLOAT("x4", -1, 1), FLOAT("x5", -1, 1), FLOAT("x6", -1, 1),
	FLOAT("x7", -1, 1), FLOAT("r8", 0, 1), FLOAT("r9", 0, 1) };
static const double zero = 0, one = 1;
#define IF_ZERO(parameter, parent)                                                                 \
	{                                                                                          \
		parameter, parent, 1, (double *)&zero                                              \
	}
#define IF_ONE(parameter, parent)                                                                  \
	{                                                                                          \
		parameter, parent, 1, (double *)&one                                               \
	}
static const struct condition jenatton_conditions[] = { IF_ZERO(1, 0), IF_ONE(2, 0), IF_ZERO(3, 1),
	IF_ONE(4, 1), IF_ZERO(5, 2), IF_ONE(6, 2), IF_ZERO(7, 0), IF_ONE(8, 0) };
static const struct parameter integer6_space[] = { INT("x1", 0, 10), FLOAT("x2", 0, 1),
	INT("x3", 0, 10), FLOAT("x4", 0, 1), INT("x5", 0, 10), FLOAT("x6", 0, 1) };
static const struct parameter surface_linear[] = { FLOAT("learning_rate", 0.001, 0.5),
	FLOAT("momentum", 0, 0.99), FLOAT("wd", 0, 0.001) };
static const struct parameter surface_auto[] = { LOG("learning_rate", 0.001, 0.5),
	REVERSE_LOG("momentum", 0, 0.99), FLOAT("wd", 0, 0.001) };

static const struct parameter mlp_space[] = { LOG_INT("batch_size", 16, 512),
	LOG("learning_rate", 1e-4, 0.3), FLOAT("momentum", 0.1, 0.99),
	FLOAT("weight_decay", 1e-5, 0.1), INT("layers", 1, 4), LOG_INT("units", 16, 256),
	FLOAT("dropout", 0, 0.9) };
static const struct parameter boosting_space[] = { LOG_INT("rounds", 7, 400), LOG("eta", 0.001, 1),
	LOG("gamma", 4.5e-5, 7.4), LOG("lambda", 1e-3, 1e3), LOG("alpha", 1e-3, 1e3),
	FLOAT("subsample", 0.1, 1), INT("max_depth", 1, 15), LOG("min_child_weight", 2.72, 148),
	FLOAT("colsample_bytree", 0.01, 1), FLOAT("colsample_bylevel", 0.01, 1) };

static const struct parameter square6[] = { FLOATS_2(0, 6) };
static const struct parameter unit2[] = { FLOATS_2(0, 1) };
static const struct parameter scbo5_space[] = { FLOATS_5(-5, 10) };
static const struct parameter spring_space[] = { FLOAT("wire", 0.05, 2), FLOAT("coil", 0.25, 1.3),
	FLOAT("coils", 2, 15) };
static const struct parameter vessel_space[] = { STEPS("shell", 0.0625, 6.1875, 0.0625),
	STEPS("head", 0.0625, 6.1875, 0.0625), FLOAT("radius", 10, 200), FLOAT("length", 10, 200) };

static const struct parameter unit4[] = { FLOATS_4(0, 1) };
static const struct parameter unit5[] = { FLOATS_5(0, 1) };
static const struct parameter fonseca_space[] = { FLOATS_3(-3, 5) };
static const struct parameter kursawe_space[] = { FLOATS_3(-5, 4) };
static const struct parameter poloni_space[] = { FLOATS_2(-M_PI, M_PI) };
static const struct parameter truss_space[] = { FLOAT("x1", 1, 3), FLOAT("x2", M_SQRT2, 3),
	FLOAT("x3", M_SQRT2, 3), FLOAT("x4", 1, 3) };
static const struct parameter brake_space[] = { FLOAT("inner", 55, 80), FLOAT("outer", 75, 110),
	FLOAT("force", 1000, 3000), INT("discs", 11, 20) };
static const struct parameter srn_space[] = { FLOATS_2(-20, 20) };
static const struct parameter branches_space[] = { CATEGORY("branch", 3), FLOATS_2(0, 1),
	FLOAT("y0", 0, 1), FLOAT("y1", 0, 1), FLOAT("y2", 0, 1) };
static const double two = 2;
static const struct condition branches_conditions[] = { IF_ZERO(3, 0), IF_ONE(4, 0),
	{ 5, 0, 1, (double *)&two } };

/* Hartmann's functions where the arguments are exponents. */
static double hartmann3_of_logs(size_t d, const double *x)
{
	const double u[3] = { 1 + log10(x[0]) / 4, 1 + log10(x[1]) / 4, 1 + log10(x[2]) / 4 };

	return hartmann3(3, u);
}

static double hartmann6_of_logs(size_t d, const double *x)
{
	const double u[6] = { 1 + log10(x[0]) / 5, x[1], (3 + log10(x[2])) / 4, x[3],
		log10(x[4]) / 4, x[5] };

	return hartmann6(6, u);
}

/* ---- the table ---- */

#define SPACE(space) .d = sizeof(space) / sizeof *(space), .parameters = space

#define CONDITIONS(those) .n_conditions = sizeof(those) / sizeof *(those), .conditions = those

#define BRANIN         .function = branin, .optimum = 0.397887, SPACE(branin_space)
#define CAMEL          .function = camel, .optimum = -1.031628, SPACE(camel_space)
#define HARTMANN3      .function = hartmann3, .optimum = -3.862780, SPACE(unit3)
#define HARTMANN6      .function = hartmann6, .optimum = -3.322368, SPACE(unit6)
#define ACKLEY5        .function = ackley, .optimum = 0, SPACE(ackley5_space)
#define ACKLEY10       .function = ackley, .optimum = 0, SPACE(ackley10_space)
#define LEVY8          .function = levy, .optimum = 0, SPACE(levy8_space)
#define ROSENBROCK4    .function = rosenbrock, .optimum = 0, SPACE(rosenbrock4_space)
#define STYBLINSKI5    .function = styblinski_tang, .optimum = -195.830828, SPACE(styblinski5_space)
#define MICHALEWICZ5   .function = michalewicz, .optimum = -4.687658, SPACE(michalewicz5_space)
#define CIFAR10(space) .function = cifar10_surface, .optimum = -0.741052, SPACE(space)

/* Noise is a tenth of the function's standard deviation over the space (65,536 Sobol points). */
static const struct problem problems[] = {
	{ "branin", BRANIN },
	{ "branin-noisy", BRANIN, .noise = 5.11 },
	{ "camel", CAMEL },
	{ "hartmann3", HARTMANN3 },
	{ "hartmann3-noisy", HARTMANN3, .noise = 0.0953 },
	{ "hartmann6", HARTMANN6 },
	{ "hartmann6-noisy", HARTMANN6, .noise = 0.0386 },
	{ "ackley5", ACKLEY5 },
	{ "ackley5-noisy", ACKLEY5, .noise = 0.119 },
	{ "ackley10", ACKLEY10 },
	{ "levy8", LEVY8 },
	{ "levy8-noisy", LEVY8, .noise = 4.23 },
	{ "rosenbrock4", ROSENBROCK4 },
	{ "rosenbrock4-noisy", ROSENBROCK4, .noise = 37200 },
	{ "styblinski5", STYBLINSKI5 },
	{ "styblinski5-noisy", STYBLINSKI5, .noise = 7.17 },
	{ "michalewicz5", MICHALEWICZ5 },
	{ "michalewicz5-noisy", MICHALEWICZ5, .noise = 0.0516 },
	{ "hartmann3-log", .function = hartmann3_of_logs, .optimum = -3.862780, SPACE(log3_space) },
	{ "hartmann6-log", .function = hartmann6_of_logs, .optimum = -3.322368, SPACE(log6_space) },
	{ "hartmann6-outliers", HARTMANN6, .outliers = 0.01 },
	{ "styblinski5-outliers", STYBLINSKI5, .outliers = 0.01 },
	{ "hartmann3-failing", HARTMANN3, .failures = 0.1 },
	{ "hartmann6-failing", HARTMANN6, .failures = 0.4 },
	{ "hartmann6-crashing", HARTMANN6, .crashes = 0.2 },
	{ "rosenbrock4-failing", ROSENBROCK4, .failures = 0.1 },
	{ "func3c", .function = func3c, .optimum = -0.226958, SPACE(func3c_space) },
	{ "ackley13", .function = ackley, .optimum = 0, SPACE(ackley13_space) },
	{ "jenatton", .function = jenatton, .optimum = 0.1, SPACE(jenatton_space),
		CONDITIONS(jenatton_conditions) },
	{ "hartmann6-integer", .function = hartmann6_integer, .optimum = -3.310030,
		SPACE(integer6_space) },
	{ "cifar10-linear", CIFAR10(surface_linear) },
	{ "cifar10-linear-noisy", CIFAR10(surface_linear), .noise = 0.004 },
	{ "cifar10-auto", CIFAR10(surface_auto) },
	{ "cifar10-auto-noisy", CIFAR10(surface_auto), .noise = 0.004 },
	{ "mlp-digits", .function = mlp_digits, .optimum = -0.990369, SPACE(mlp_space) },
	{ "mlp-synthetic", .function = mlp_synthetic, .optimum = -0.591875, SPACE(mlp_space) },
	{ "mlp-fashion", .function = mlp_fashion, .optimum = -0.840956, SPACE(mlp_space) },
	{ "boosting-digits", .function = boosting_digits, .optimum = -0.958403,
		SPACE(boosting_space) },
	{ "boosting-synthetic", .function = boosting_synthetic, .optimum = -0.745112,
		SPACE(boosting_space) },
	{ "ackley40", .function = ackley, .optimum = 0, SPACE(ackley40_space) },
	{ "levy50", .function = levy, .optimum = 0, SPACE(levy50_space) },
	{ "rosenbrock50", .function = rosenbrock, .optimum = 0, SPACE(levy50_space) },
};

#define LIMITS(n, function) .n_limits = n, .excess = function

/* Optima by a long search where the papers have none. */
static const struct problem limited[] = {
	{ "gardner1", .function = gardner1, .optimum = -2, SPACE(square6),
		LIMITS(1, gardner1_excess) },
	{ "gardner2", .function = gardner2, .optimum = 0.2532358, SPACE(square6),
		LIMITS(1, gardner2_excess) },
	{ "gramacy", .function = gramacy, .optimum = 0.599788, SPACE(unit2),
		LIMITS(2, gramacy_excess) },
	{ "branin-disk", BRANIN, LIMITS(1, disk_excess) },
	{ "branin-disk-noisy", BRANIN, LIMITS(1, disk_excess), .noise = 5.11, .excess_noise = 5 },
	{ "hartmann6-ball", HARTMANN6, LIMITS(1, unit_ball_excess) },
	{ "hartmann6-ball-noisy", HARTMANN6, LIMITS(1, unit_ball_excess), .noise = 0.0386,
		.excess_noise = 0.03 },
	{ "ackley5-half-ball", .function = ackley, .optimum = 0, SPACE(scbo5_space),
		LIMITS(2, half_ball_excess) },
	{ "spring", .function = spring, .optimum = 0.012665, SPACE(spring_space),
		LIMITS(4, spring_excess) },
	{ "vessel", .function = vessel, .optimum = 6059.7143, SPACE(vessel_space),
		LIMITS(3, vessel_excess) },
	{ "mlp-weights", .function = mlp_digits, .optimum = -0.988227, SPACE(mlp_space),
		LIMITS(1, mlp_weights_excess) },
	{ "boosting-leaves", .function = boosting_synthetic, .optimum = -0.741052,
		SPACE(boosting_space), LIMITS(1, boosting_leaves_excess) },
};

#define FRONT(n, function) .n_others = (n)-1, .objectives = function

/* Noise as above. References: a tenth of the front's extent beyond its worst values, rounded, but for mlp-size, where it is the worst
 * accuracy of use. Volumes of fronts by formulas where there are any, else by long searches (fronts.py). */
static const struct problem fronts[] = {
	{ "zdt1", FRONT(2, zdt1), SPACE(unit5), .reference = { 1.1, 1.1 }, .front = 0.876667 },
	{ "zdt3", FRONT(2, zdt3), SPACE(unit4), .reference = { 0.94, 1.18 }, .front = 1.107223 },
	{ "dtlz2-noisy", FRONT(2, dtlz2_2), SPACE(unit4), .noise = 0.044, .others_noise = { 0.044 },
		.reference = { 1.1, 1.1 }, .front = 0.424602 },
	{ "dtlz2", FRONT(3, dtlz2_3), SPACE(unit5), .reference = { 1.1, 1.1, 1.1 },
		.front = 0.807401 },
	{ "dtlz7", FRONT(3, dtlz7_3), SPACE(unit5), .reference = { 0.95, 0.95, 6.4 },
		.front = 1.584951 },
	{ "fonseca", FRONT(2, fonseca), SPACE(fonseca_space), .reference = { 1.08, 1.08 },
		.front = 0.508515 },
	{ "kursawe", FRONT(2, kursawe), SPACE(kursawe_space), .reference = { -13.9, 1.2 },
		.front = 39.8302 },
	{ "poloni", FRONT(2, poloni), SPACE(poloni_space), .reference = { 18.4, 27.5 },
		.front = 444.582 },
	{ "four-bar-truss", FRONT(2, four_bar_truss), SPACE(truss_space),
		.reference = { 3050, 0.044 }, .front = 55.0322 },
	{ "disc-brake", FRONT(2, disc_brake), SPACE(brake_space), LIMITS(4, disc_brake_excess),
		.reference = { 5.7, 3.2 }, .front = 7.61327 },
	{ "srn", FRONT(2, srn), SPACE(srn_space), LIMITS(2, srn_excess), .reference = { 245, 20 },
		.front = 34304.05 },
	{ "rocket-injector", FRONT(3, rocket_injector_3), SPACE(unit4),
		.reference = { 1.09, 1.05, 1.13 }, .front = 1.1386 },
	{ "branches", FRONT(2, branches), SPACE(branches_space), CONDITIONS(branches_conditions),
		.reference = { 1.4, 1.4 }, .front = 1.612208 },
	{ "mlp-size", FRONT(2, mlp_digits_size), SPACE(mlp_space), .reference = { -0.95, 5.4 },
		.front = 0.0892005 },
};

size_t front_problems_count(void)
{
	return sizeof fronts / sizeof *fronts;
}

const struct problem *front_problem_at(size_t i)
{
	return i < front_problems_count() ? &fronts[i] : NULL;
}

size_t limited_problems_count(void)
{
	return sizeof limited / sizeof *limited;
}

const struct problem *limited_problem_at(size_t i)
{
	return i < limited_problems_count() ? &limited[i] : NULL;
}

size_t problems_count(void)
{
	return sizeof problems / sizeof *problems;
}

const struct problem *problem_at(size_t i)
{
	return i < problems_count() ? &problems[i] : NULL;
}

const struct problem *problem_find(const char *name)
{
	for (size_t i = 0; i < problems_count(); i++)
		if (strcmp(problems[i].name, name) == 0)
			return &problems[i];
	for (size_t i = 0; i < limited_problems_count(); i++)
		if (strcmp(limited[i].name, name) == 0)
			return &limited[i];
	for (size_t i = 0; i < front_problems_count(); i++)
		if (strcmp(fronts[i].name, name) == 0)
			return &fronts[i];
	return NULL;
}

struct space problem_space(const struct problem *problem)
{
	return (struct space){ problem->d, (struct parameter *)problem->parameters,
		problem->n_conditions, (struct condition *)problem->conditions };
}

size_t problem_budget(const struct problem *problem)
{
	if (problem->n_others > 0)
		return 60;
	return problem->d > 5 ? 10 * problem->d : 50;
}

/* ---- points ---- */

/* Variants of one function begin alike: the key is of the space's size, not of the name. */
static struct random stream(uint64_t seed, uint32_t number, uint32_t repeat)
{
	struct random random;

	random_init(&random, (struct random_key){ .seed = seed ^ 0x70726f626c656d73,
				     .repeat = repeat,
				     .number = number,
				     .purpose = RANDOM_TEST });
	return random;
}

size_t problem_n_initial(const struct problem *problem)
{
	const size_t n = 2 * problem->d + 2;

	return n < 5 ? 5 : n > 12 ? 12 : n;
}

static void decode(const struct problem *problem, const double *u, double *ret_values)
{
	const struct space space = problem_space(problem);

	for (size_t i = 0; i < problem->d; i++)
		ret_values[i] = parameter_decode(&problem->parameters[i], u[i]);
	space_settle(&space, ret_values);
}

void problem_initial(const struct problem *problem, uint64_t seed, size_t k, double *ret_values)
{
	double u[SPACE_PARAMETERS_MAX];
	struct design *design = NULL;
	struct tuner_error err;

	if (!design_create(problem->d,
		    (struct random_key){
			    .seed = seed ^ 0x70726f626c656d73, .purpose = RANDOM_TEST },
		    k, &design, &err))
		abort();
	design_next(design, u);
	design_destroy(design);
	decode(problem, u, ret_values);
}

void problem_random(const struct problem *problem, struct random *random, double *ret_values)
{
	double u[SPACE_PARAMETERS_MAX];

	for (size_t i = 0; i < problem->d; i++)
		u[i] = random_uniform(random);
	decode(problem, u, ret_values);
}

/* ---- what a trial gives ---- */

/* A corner of the cube: the first two coordinates' sum is large. */
static bool fails(const struct problem *problem, const double *values)
{
	const double u = parameter_encode(&problem->parameters[0], values[0]),
		     v = parameter_encode(&problem->parameters[1], values[1]);

	/* A triangle of the area `failures`. */
	return problem->failures > 0 && (1 - u) + v < sqrt(2 * problem->failures);
}

double problem_value(const struct problem *problem, const double *values)
{
	double all[SUGGEST_OTHERS_MAX + 1];

	if (fails(problem, values))
		return NAN;
	if (problem->n_others == 0)
		return problem->function(problem->d, values);
	problem->objectives(problem->d, values, all);
	return all[0];
}

double problem_observe(
	const struct problem *problem, const double *values, uint64_t seed, uint32_t number)
{
	struct random random = stream(seed, number, 1);
	const double value = problem_value(problem, values), normal = random_normal(&random);

	if (problem->crashes > 0 && random_uniform(&random) < problem->crashes)
		return NAN;
	if (random_uniform(&random) < problem->outliers)
		return value + 10 * (1 + fabs(value)) * (1 + random_uniform(&random));
	return value + problem->noise * normal;
}

void problem_others(const struct problem *problem, const double *values, double *ret)
{
	double all[SUGGEST_OTHERS_MAX + 1];

	if (problem->n_others == 0)
		return;
	problem->objectives(problem->d, values, all);
	memcpy(ret, all + 1, problem->n_others * sizeof *ret);
}

void problem_observe_others(const struct problem *problem, const double *values, uint64_t seed,
	uint32_t number, double *ret)
{
	struct random random = stream(seed, number, 5);

	problem_others(problem, values, ret);
	for (size_t j = 0; j < problem->n_others; j++)
		ret[j] += problem->others_noise[j] * random_normal(&random);
}

void problem_excess(const struct problem *problem, const double *values, double *ret)
{
	if (problem->n_limits > 0)
		problem->excess(problem->d, values, ret);
}

void problem_observe_excess(const struct problem *problem, const double *values, uint64_t seed,
	uint32_t number, double *ret)
{
	struct random random = stream(seed, number, 4);

	problem_excess(problem, values, ret);
	for (size_t j = 0; j < problem->n_limits; j++)
		ret[j] += problem->excess_noise * random_normal(&random);
}

bool excess_is_within(const double *excess, size_t n)
{
	for (size_t j = 0; j < n; j++)
		if (!(excess[j] <= 0))
			return false;
	return true;
}

double problem_value_within(const struct problem *problem, const double *values)
{
	double excess[SUGGEST_LIMITS_MAX];

	problem_excess(problem, values, excess);
	return excess_is_within(excess, problem->n_limits) ? problem_value(problem, values) : NAN;
}

double problem_duration(const struct problem *problem, uint64_t seed, uint32_t number)
{
	struct random random = stream(seed, number, 2);

	return exp(0.5 * random_normal(&random));
}

double problem_cost(
	const struct problem *problem, const double *values, uint64_t seed, uint32_t number)
{
	struct random random = stream(seed, number, 2);
	const double u = parameter_encode(&problem->parameters[0], values[0]);

	return exp(4 * (u - 0.5) + 0.2 * random_normal(&random));
}

/* ---- random search ---- */

static double best_at_random(const struct problem *problem, uint64_t seed)
{
	double values[SPACE_PARAMETERS_MAX], best = INFINITY;
	struct random random = stream(seed, 0, 3);

	for (size_t n = 0; n < problem_budget(problem); n++) {
		problem_random(problem, &random, values);
		best = fmin(best, problem_value_within(problem, values)); /* passes over NaN */
	}
	return best;
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double problem_random_median(const struct problem *problem)
{
	double bests[101];
	const size_t n = sizeof bests / sizeof *bests;

	for (size_t i = 0; i < n; i++)
		bests[i] = best_at_random(problem, i + 1);
	qsort(bests, n, sizeof *bests, ascending);
	return bests[n / 2];
}
