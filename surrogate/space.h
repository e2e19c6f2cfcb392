/* The search space: what may be varied, what depends on what, and its map to the unit cube.
 *
 * A configuration is d doubles in the order of the space: the value itself for a float or an
 * integer, the index into the job file's "values" for a category or an ordinal. NaN stands for "not
 * given" in a partial configuration. The model sees the unit cube: encode and decode are inverses
 * of each other on every configuration that the space contains.
 *
 * A parameter may be active only under conditions. Whether it is active follows from the other
 * values, so an inactive parameter needs no mark: the configuration holds the parameter's middle
 * (parameter_inactive_value), an ordinary number that nobody reads. space_settle writes it, and all
 * configurations that go in and out of surrogate/ are settled. */
#ifndef SURROGATE_SPACE_H
#define SURROGATE_SPACE_H

#include "base/error.h"
#include "base/random.h"
#include "surrogate/expression.h"

#include <stddef.h>
#include <stdint.h>

enum {
	SPACE_PARAMETERS_MAX = 100,
	PARAMETER_NAME_MAX = 255,
	PARAMETER_VALUES_MAX = 10000,
	SPACE_CONSTRAINTS_MAX = 100,
};

enum parameter_type {
	PARAMETER_FLOAT,
	PARAMETER_INT,
	PARAMETER_CATEGORICAL, /* unordered: the model uses the Hamming distance */
	PARAMETER_ORDINAL, /* ordered: the rank is the coordinate */
};

enum parameter_scale {
	SCALE_AUTO, /* only before space_resolve_scales */
	SCALE_LINEAR,
	SCALE_LOG,
	SCALE_REVERSE_LOG, /* uniform in -log(1 - x), for ranges inside [0, 1) */
};

struct parameter {
	char name[PARAMETER_NAME_MAX + 1];
	enum parameter_type type;
	enum parameter_scale scale; /* float, int */
	double min, max; /* float, int: both inclusive */
	double step; /* 0: none (an int then has step 1). Values are min + k step <= max */
	size_t n_values; /* categorical, ordinal */
};

/* Where good values of a parameter are expected (prior.h). All zero: anywhere. */
struct prior {
	double low, high; /* a number or an ordinal: values between which two thirds of the good
			     ones are expected, low < high */
	double *weights; /* a category: n_values, > 0, in proportion to how often each is best */
};

/* A parameter is active if each of its conditions is met: the parent is active and has one of the
 * values. */
struct condition {
	size_t parameter, parent; /* the parent is not a float */
	size_t n;
	double *values; /* n of the parent's, ascending */
};

/* Owned by whoever made it; space_finish frees all its members. */
struct space {
	size_t d;
	struct parameter *parameters;
	size_t n_conditions;
	struct condition *conditions; /* in the order of space_order_conditions */
	size_t n_constraints;
	struct expression **constraints; /* truth values over the parameters */
	struct prior *priors; /* d; NULL: none is given */
};

/* Replaces SCALE_AUTO: log where min > 0 and max/min >= 100, reverse-log inside [0, 1) where
 * (1 - min)/(1 - max) >= 50, else linear. An int is never reverse-log. */
void space_resolve_scales(struct space *space);

/* Sorts the conditions so that one pass decides them: a parent's own conditions before those that
 * depend on the parent. False if there is a cycle; *ret_parameter is then a parameter in it. */
TUNER_MUST_CHECK
bool space_order_conditions(struct space *space, size_t *ret_parameter);

/* Repeats the checks for which a job file's reader has better messages: finite bounds, min < max,
 * scales that are resolved and fit the bounds, steps that separate neighbours, distinct names,
 * conditions in order and on existing values. Errors: TUNER_USAGE. */
TUNER_MUST_CHECK
bool space_check(const struct space *space, struct tuner_error *err);

void space_finish(struct space *space);

const char *parameter_type_name(enum parameter_type type); /* "float" ... */
const char *parameter_scale_name(enum parameter_scale scale); /* "reverse-log" ... */

/* Number of lattice values of one parameter; 0 for a float without step (uncountable). */
uint64_t parameter_cardinality(const struct parameter *parameter);

/* True if a step > 0 leaves a second value between min and max. */
bool parameter_step_fits(const struct parameter *parameter);

/* Lattice value k, k < parameter_cardinality: min + k step in one multiplication and one addition
 * (no drift), or max where rounding would pass it; k itself for a category or an ordinal.
 * parameter_index is the inverse; false for NaN, for values between or outside the lattice values,
 * and without a lattice. A float matches within 1e-9 of a step, an integer exactly. */
double parameter_value(const struct parameter *parameter, uint64_t k);
bool parameter_index(const struct parameter *parameter, double value, uint64_t *ret_k);

/* Number of configurations, 0 if infinite, UINT64_MAX if it does not fit; ignoring conditions and
 * constraints (walk.h counts with them). */
uint64_t space_cardinality(const struct space *space);

/* Index of the parameter of this name; space->d if there is none. */
size_t space_find(const struct space *space, const char *name);

/* True if the value is within the bounds and on the lattice (a float within 1e-9 of a step). */
bool parameter_contains(const struct parameter *parameter, double value);

/* True if all parameters contain their values, inactive parameters included, and no constraint is
 * broken. */
bool space_contains(const struct space *space, const double *values);

/* ---- conditions and constraints ---- */

/* True if the space has conditions or constraints; otherwise all configurations are distinct and
 * allowed. */
bool space_has_rules(const struct space *space);

/* Which of the d parameters are active. In a partial configuration a parent that is not given may
 * still get a value that the condition requires: false means that the parameter is certainly not
 * active. */
void space_activity(const struct space *space, const double *values, bool *ret_active);

/* All d parameters, parents before the parameters that depend on them, otherwise in the order of
 * the space. */
void space_parents_first(const struct space *space, size_t *ret_order);

double parameter_inactive_value(const struct parameter *parameter);

/* Sets the parameters that are certainly not active to parameter_inactive_value. */
void space_settle(const struct space *space, double *values);

/* The first constraint that the configuration breaks; NULL for none. A constraint applies if all
 * parameters that it names are given and active. */
const struct expression *space_broken_constraint(const struct space *space, const double *values);

/* value -> [0, 1] and back. The range of an int, or of a float with step, is widened by half a step
 * on both sides before the map, so that end values own whole cells (Garrido-Merchan and
 * Hernandez-Lobato, Neurocomputing 380, 2020, on why the model must see lattice points only). On a
 * log scale the cell of min reaches down to no less than min/2, or else to the mirror image of its
 * upper edge; the same holds for max and the distance to 1 on a reverse-log scale. Where doubles do
 * not reach that far, the end itself is the edge of its cell. Category k of n maps to (k + 1/2)/n.
 *
 * Decoding snaps to the lattice and clips to the bounds: decode(encode(v)) is v, exactly, for every
 * lattice value of a parameter with up to 2^40 of them, and, without a lattice, v to a few units in
 * the last place of the larger bound (both bounds exactly).
 *
 * Encoding does not clip: a value outside the bounds, as after an edit of the space, goes below 0
 * or above 1 by the same formula, so that the model keeps its true distance. A value for which the
 * formula is undefined (NaN, a logarithm of a number <= 0, an index without a category) encodes to
 * NaN. */
double parameter_encode(const struct parameter *parameter, double value);
double parameter_decode(const struct parameter *parameter, double u);
void space_decode(const struct space *space, const double *u, double *ret_values);

/* Two values without a lattice count as the same within this part of the cube's side (BoTorch's
 * tolerance). */
#define SPACE_SAME_TOLERANCE 1e-6

/* True if the same parameters are active in both, with equal lattice values or, without a lattice,
 * within SPACE_SAME_TOLERANCE: trying the second would repeat the first. */
bool space_same(const struct space *space, const double *a, const double *b);

/* The configuration of this rank, 0 <= rank < space_cardinality, of a finite space (mixed radix,
 * the last parameter fastest), not settled. In a space too large to count, ranks reach the first
 * 2^64 configurations. */
void space_configuration(const struct space *space, uint64_t rank, double *ret_values);

#endif
