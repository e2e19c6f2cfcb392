/* The search space: what may be varied, and its map to the unit cube.
 *
 * A configuration is d doubles in the order of the space: the value itself for a float or an
 * integer, the index into the job file's "values" for a category or an ordinal. NaN stands for
 * "not given" in a partial configuration. The model sees the unit cube: encode and decode are
 * inverse to each other on every configuration that the space contains. */
#ifndef SURROGATE_SPACE_H
#define SURROGATE_SPACE_H

#include "base/error.h"
#include "base/random.h"

#include <stddef.h>
#include <stdint.h>

enum { SPACE_PARAMETERS_MAX = 100, PARAMETER_NAME_MAX = 255, PARAMETER_VALUES_MAX = 10000 };

enum parameter_type {
	PARAMETER_FLOAT,
	PARAMETER_INT,
	PARAMETER_CATEGORICAL, /* unordered: the model uses the Hamming distance */
	PARAMETER_ORDINAL,     /* ordered: the rank is the coordinate */
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
	double min, max;	    /* float, int: both inclusive */
	double step;		    /* 0: none (an int then has step 1). Values are min + k step <= max */
	size_t n_values;	    /* categorical, ordinal */
};

struct space {
	size_t d;
	struct parameter *parameters; /* owned by whoever made the space; space_finish frees it */
};

/* Replaces SCALE_AUTO: log where min > 0 and max/min >= 100, reverse-log inside [0, 1) where
 * (1 - min)/(1 - max) >= 50, else linear. An int is never reverse-log. */
void space_resolve_scales(struct space *space);

/* Checks what a job file's reader has checked already with better words: finite bounds, min < max,
 * scales that fit the bounds, names that differ. TUNER_USAGE. */
TUNER_MUST_CHECK
bool space_check(const struct space *space, struct tuner_error *err);

TUNER_MUST_CHECK
bool space_copy(const struct space *space, struct space *ret, struct tuner_error *err);
void space_finish(struct space *space);

const char *parameter_type_name(enum parameter_type type);    /* "float" ... */
const char *parameter_scale_name(enum parameter_scale scale); /* "reverse-log" ... */

/* Number of lattice values of one parameter; 0 for a float without step (uncountable). */
uint64_t parameter_cardinality(const struct parameter *parameter);

/* Number of configurations, 0 if infinite, UINT64_MAX if it does not fit. */
uint64_t space_cardinality(const struct space *space);

/* Index of the parameter of this name; space->d if there is none. */
size_t space_find(const struct space *space, const char *name);

/* True if the value is inside and on the lattice (a float step is met to 1e-9 of a step). */
bool parameter_contains(const struct parameter *parameter, double value);
bool space_contains(const struct space *space, const double *values);

/* value -> [0, 1] and back. An int, or a float with step, is widened by half a step on both sides
 * before the map, so that end values own whole cells (surrogate brief, section 1). Category k of n
 * maps to (k + 1/2)/n. Decoding snaps to the lattice and clips to the bounds. */
double parameter_encode(const struct parameter *parameter, double value);
double parameter_decode(const struct parameter *parameter, double u);
void space_encode(const struct space *space, const double *values, double *ret_u);
void space_decode(const struct space *space, const double *u, double *ret_values);

/* True if both lie on the same lattice point and within 1e-6 of the cube's side on every parameter
 * without a lattice: trying the second would repeat the first. */
bool space_same(const struct space *space, const double *a, const double *b);

/* The configuration of this rank, 0 <= rank < space_cardinality, of a finite space (mixed radix, the
 * last parameter fastest). */
void space_configuration(const struct space *space, uint64_t rank, double *ret_values);

#endif
