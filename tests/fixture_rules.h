/* For the tests of spaces with conditions and constraints: a tree that has a chain, a parameter
 * of every kind that depends on another, and formulas.
 *
 *     struct rules rules; rules_init(&rules, parameters, d)
 *     -> rules_depend, rules_constrain, any number of times -> rules_finish */
#ifndef TESTS_FIXTURE_RULES_H
#define TESTS_FIXTURE_RULES_H

#include "fixture_suggest.h"

struct rules {
	struct parameter parameters[JOB_D_MAX];
	struct space space;
};

static inline void rules_init(struct rules *rules, const struct parameter *parameters, size_t d)
{
	memset(rules, 0, sizeof *rules);
	memcpy(rules->parameters, parameters, d * sizeof *parameters);
	rules->space = (struct space){ .d = d, .parameters = rules->parameters };
	rules->space.conditions = calloc(32, sizeof *rules->space.conditions);
	rules->space.constraints = calloc(8, sizeof *rules->space.constraints);
}

static inline void rules_finish(struct rules *rules)
{
	rules->space.parameters = NULL; /* not allocated */
	space_finish(&rules->space);
}

/* The parameter is there only where the parent has one of n values. Without a circle. */
static inline void rules_depend(
	struct rules *rules, size_t parameter, size_t parent, const double *values, size_t n)
{
	struct condition *condition = &rules->space.conditions[rules->space.n_conditions++];
	size_t circle;

	*condition = (struct condition){ parameter, parent, n, calloc(n, sizeof *values) };
	memcpy(condition->values, values, n * sizeof *values);
	assert_true(space_order_conditions(&rules->space, &circle));
}

/* Formulas name parameters as the space does; choices count by index. */
static inline void rules_constrain(struct rules *rules, const char *formula)
{
	struct expression_name names[JOB_D_MAX];
	struct expression *constraint = NULL;
	struct tuner_error err;

	for (size_t i = 0; i < rules->space.d; i++)
		names[i] = (struct expression_name){
			.name = rules->parameters[i].name, .type = EXPRESSION_NUMBER, .variable = i
		};
	if (!expression_create(formula, names, rules->space.d, EXPRESSION_TRUTH, &constraint, &err))
		fail_msg("%s: %s", formula, err.message);
	rules->space.constraints[rules->space.n_constraints++] = constraint;
}

/* In the file's order children come before parents here.
 *
 *     optimizer = 0 ---> momentum (float), nesterov (category)
 *     nesterov = 1  ---> damping (ordinal)
 *     layers = 2, 3 ---> width (fine int)
 *     always: lr, batch */
enum { MOMENTUM, OPTIMIZER, DAMPING, NESTEROV, WIDTH, LAYERS, LR, BATCH, TREE };

static inline void rules_tree(struct rules *rules)
{
	const struct parameter parameters[TREE] = {
		[MOMENTUM] = a_float("momentum", 0, 0.9),
		[OPTIMIZER] = a_category("optimizer", 3),
		[DAMPING] = an_ordinal("damping", 4),
		[NESTEROV] = a_category("nesterov", 2),
		[WIDTH] = an_int("width", 8, 512),
		[LAYERS] = an_int("layers", 1, 3),
		[LR] = a_log_float("lr", 0.001, 1),
		[BATCH] = an_ordinal("batch", 5),
	};

	rules_init(rules, parameters, TREE);
	rules_depend(rules, DAMPING, NESTEROV, (double[]){ 1 }, 1);
	rules_depend(rules, NESTEROV, OPTIMIZER, (double[]){ 0 }, 1);
	rules_depend(rules, MOMENTUM, OPTIMIZER, (double[]){ 0 }, 1);
	rules_depend(rules, WIDTH, LAYERS, (double[]){ 2, 3 }, 2);
}

static inline void rules_constrain_tree(struct rules *rules)
{
	rules_constrain(rules, "lr * (batch + 1) <= 1.5");
	rules_constrain(rules, "momentum + lr <= 1");
	rules_constrain(rules, "width * layers <= 800 or batch == 0");
}

/* Finite: 2 kinds x, one of which has 3 x 2 more values, the other 4; y is always there. */
static inline void rules_finite(struct rules *rules)
{
	const struct parameter parameters[] = { a_category("kind", 2), an_int("a", 1, 3),
		a_category("b", 2), an_ordinal("c", 4), an_int("y", 0, 4) };

	rules_init(rules, parameters, 5);
	rules_depend(rules, 1, 0, (double[]){ 0 }, 1);
	rules_depend(rules, 2, 0, (double[]){ 0 }, 1);
	rules_depend(rules, 3, 0, (double[]){ 1 }, 1);
}

enum { FINITE_CONFIGURATIONS = (3 * 2 + 4) * 5 };

/* A job on such a space. */
static inline void job_init_rules(
	struct job *job, enum strategy_name name, const struct rules *rules)
{
	job_init(job, name, rules->parameters, rules->space.d);
	job->space = rules->space;
}

/* Whole, settled, and allowed: all that a proposal promises. */
static inline void assert_settled(const struct space *space, const double *values)
{
	double settled[SPACE_PARAMETERS_MAX];

	assert_true(space_contains(space, values));
	assert_null(space_broken_constraint(space, values));
	memcpy(settled, values, space->d * sizeof *values);
	space_settle(space, settled);
	for (size_t i = 0; i < space->d; i++)
		assert_true(settled[i] == values[i]);
}

#endif
