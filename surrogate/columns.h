/* The coordinates that the model sees: one for each parameter that can vary. A parameter with a
 * single value would tell the model nothing and only cost time.
 *
 * An inactive parameter has a fixed coordinate: 1/2, the middle, for a number; 0, one more
 * category, for a category. A number that depends on others has a companion column right behind it,
 * with the same lengthscale: 0 where the number is active, else sqrt(1/2). So the squared distance
 * of two trials is
 *
 *     (u - u')^2 + 1/2 [only one has it]
 *
 * in units of its lengthscale, which is Euclidean in the plane (the idea of the "Arc kernel",
 * Swersky et al., "Raiders of the Lost Architecture", 2014): two trials without the number are as
 * near as they can be, and a trial without it is farther from all trials that have it than most of
 * these are from one another. */
#ifndef SURROGATE_COLUMNS_H
#define SURROGATE_COLUMNS_H

#include "surrogate/kernel.h"
#include "surrogate/space.h"

enum { COLUMNS_MAX = 2 * SPACE_PARAMETERS_MAX };

struct columns {
	const struct space *space; /* borrowed, as is given */
	const double *given; /* by parameter, NaN where free */
	size_t d; /* number of columns: entries of the arrays below */
	size_t parameter[COLUMNS_MAX];
	enum dimension_kind kinds[COLUMNS_MAX];
	uint64_t cardinality[COLUMNS_MAX]; /* 0: a float without step */
	bool is_held[COLUMNS_MAX]; /* the parameter's value is given */
	double held[COLUMNS_MAX]; /* the given value's coordinate */
	bool is_parent[COLUMNS_MAX]; /* its value decides whether others are active */
};

/* A part of the cube, by column. */
struct box {
	double lower[COLUMNS_MAX], upper[COLUMNS_MAX];
};

void columns_init(struct columns *columns, const struct space *space, const double *given);

bool columns_have_category(const struct columns *columns);

/* A configuration's coordinates (d); false if a value cannot be encoded. */
bool columns_encode(const struct columns *columns, const double *values, double *ret_x);

/* The configuration of the space, with the given values, for any coordinates. */
void columns_decode(const struct columns *columns, const double *x, double *ret_values);

/* The coordinate of lattice value k of a column. */
double columns_coordinate(const struct columns *columns, size_t column, uint64_t k);

/* The lattice value nearest to coordinate u of a column that has a lattice. */
uint64_t columns_index(const struct columns *columns, size_t column, double u);

/* Moves a point into the cube, onto the lattice, to the given values and, for inactive parameters,
 * to the fixed coordinate. */
void columns_snap(const struct columns *columns, double *x);

/* Which columns' parameters are active in the configuration that the point decodes to. */
void columns_activity(const struct columns *columns, const double *x, bool *ret_active);

/* True if the configuration that the point decodes to breaks no constraint. */
bool columns_allow(const struct columns *columns, const double *x);

#endif
