#include "surrogate/trust_region.h"

#include "surrogate/design.h"
#include "surrogate/limits.h"

#include <gsl/gsl_sort.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SIDE_FIRST = 0.8, SIDE_MAX = 1.6, SIDE_MIN = 0x1p-7;
static const double GAIN = 1e-3; /* the relative gain that makes a success */
enum { SUCCESSES = 3, FAILURES_MIN = 4, CANDIDATES_A_DIMENSION = 100, PERTURBED = 20 };

/* The bounds of the paper's fits. Ours may find a dimension irrelevant: its lengthscale of a
 * thousand in the geometric mean would shrink the other sides to nothing. */
static const double LENGTH_MIN = 0.005, LENGTH_MAX = 2;

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t most_of(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Companions follow from the others. */
static size_t n_dimensions(const struct columns *columns)
{
	size_t d = 0;

	for (size_t k = 0; k < columns->d; k++)
		d += columns->kinds[k] != DIMENSION_COMPANION;
	return d;
}

/* Active parameters of one trial. A box can be narrow in a number, not in a category. */
struct counts {
	size_t numbers, all;
};

static struct counts count_active(const struct columns *columns, const bool *active)
{
	struct counts counts = { 0 };

	for (size_t k = 0; k < columns->d; k++) {
		if (!active[columns->parameter[k]])
			continue;
		counts.numbers += columns->kinds[k] == DIMENSION_NUMERIC;
		counts.all += columns->kinds[k] != DIMENSION_COMPANION;
	}
	return counts;
}

/* In a tree each trial has one branch only: many small branches do not make a large space. */
static struct counts most_active(
	const struct suggest_request *request, const struct columns *columns)
{
	bool active[SPACE_PARAMETERS_MAX];
	struct counts most = { 0 };

	memset(active, true, sizeof active);
	if (columns->space->n_conditions == 0 || request->n_observations == 0)
		return count_active(columns, active);
	for (size_t i = 0; i < request->n_observations; i++) {
		space_activity(columns->space, request->observations[i].values, active);

		const struct counts counts = count_active(columns, active);

		most.numbers = most_of(most.numbers, counts.numbers);
		most.all = most_of(most.all, counts.all);
	}
	return most;
}

bool trust_region_applies(const struct suggest_request *request, const struct columns *columns)
{
	switch (request->strategy->trust_region) {
	case STRATEGY_TRUST_REGION_NEVER:
		return false;
	case STRATEGY_TRUST_REGION_ALWAYS:
		return true;
	case STRATEGY_TRUST_REGION_AUTO:
		break;
	}
	return n_dimensions(columns) > TRUST_REGION_DIMENSIONS &&
	       most_active(request, columns).numbers > TRUST_REGION_DIMENSIONS;
}

/* ---- following the region through the trials ---- */

struct course {
	const struct suggest_request *request;
	const struct columns *columns;
	struct trust_region *region;
	size_t n_initial, batch, failures_max;
	double best, spread;
	const double *violations; /* of all observations */
	double violation; /* of the best; 0: within the limits */
	bool improved; /* the current batch has improved */
	size_t in_batch;
	double *values; /* finite values of the region's beginning */
	size_t n_values;
};

static void begin(struct course *course, size_t first, size_t beginning)
{
	struct trust_region *region = course->region;

	region->first = first;
	region->beginning = beginning;
	region->n = 0;
	region->best = course->request->n_observations;
	region->side = SIDE_FIRST;
	region->successes = region->failures = 0;
	course->best = INFINITY;
	course->violation = INFINITY;
	course->spread = INFINITY;
	course->improved = false;
	course->in_batch = course->n_values = 0;
}

/* NaN where the observation does not tell how good the place is. */
static double value_of(const struct observation *observation)
{
	return observation->kind == OBSERVATION_FAILED ? NAN : observation->objective;
}

static double needed_gain(const struct course *course)
{
	return isfinite(course->best) ? GAIN * fmin(fabs(course->best), course->spread) : 0;
}

/* Among trials over a limit, less of it is better. */
static bool is_better(const struct course *course, double value, double violation)
{
	return violation < course->violation
		       ? value < INFINITY
		       : violation == course->violation && value < course->best;
}

static bool is_success(const struct course *course, double value, double violation)
{
	return violation > 0 || course->violation > 0 ? violation < (1 - GAIN) * course->violation
						      : value < course->best - needed_gain(course);
}

/* A trial from before an edit of the space may have no coordinates: then it cannot be a centre. */
static void take(struct course *course, size_t i)
{
	const struct observation *observation = &course->request->observations[i];
	const double value = value_of(observation), violation = course->violations[i];
	double x[COLUMNS_MAX];

	if (!is_better(course, value, violation) ||
		!columns_encode(course->columns, observation->values, x))
		return;
	course->improved = course->improved || is_success(course, value, violation);
	course->best = value;
	course->violation = violation;
	course->region->best = i;
}

/* NaN compares with nothing. */
static void take_beginning(struct course *course, size_t i)
{
	const double value = value_of(&course->request->observations[i]);

	take(course, i);
	if (isfinite(value) && course->violations[i] == 0)
		course->values[course->n_values++] = value;
	if (course->region->n < course->region->beginning)
		return;
	if (course->n_values > 0) {
		gsl_sort(course->values, 1, course->n_values);
		course->spread = course->values[course->n_values / 2] - course->values[0];
	}
	if (course->n_values > 0 || course->violation > 0)
		course->improved = false;
}

/* Judges the batch that ends with observation i. If the region ends, trials that still run were
 * proposed for it and belong to no region. */
static void judge(struct course *course, size_t i)
{
	struct trust_region *region = course->region;

	region->successes = course->improved ? region->successes + 1 : 0;
	region->failures = course->improved ? 0 : region->failures + 1;
	course->improved = false;
	course->in_batch = 0;
	if (region->successes == SUCCESSES) {
		region->side = fmin(2 * region->side, SIDE_MAX);
		region->successes = 0;
	} else if (region->failures == course->failures_max) {
		region->side /= 2;
		region->failures = 0;
	}
	if (region->side < SIDE_MIN) {
		region->restarts++;
		begin(course, i + course->batch, course->n_initial);
	}
}

static void follow(struct course *course)
{
	for (size_t i = 0; i < course->request->n_observations; i++) {
		if (i < course->region->first)
			continue;
		if (course->region->n++ < course->region->beginning) {
			take_beginning(course, i);
			continue;
		}
		take(course, i);
		if (++course->in_batch == course->batch)
			judge(course, i);
	}
}

bool trust_region_follow(const struct suggest_request *request, const struct columns *columns,
	size_t n_initial, struct trust_region *ret, struct tuner_error *err)
{
	double *violations = calloc(request->n_observations + 1, sizeof *violations);
	const size_t batch = most_of(request->parallel, 1);
	const size_t d = most_of(most_active(request, columns).all, FAILURES_MIN);
	struct course course = { .request = request,
		.columns = columns,
		.region = ret,
		.violations = violations,
		.n_initial = n_initial,
		.batch = batch,
		.failures_max = (d + batch - 1) / batch,
		.values = calloc(request->n_observations + 1, sizeof *course.values) };
	bool ok = (violations != NULL && course.values != NULL) || tuner_fail_memory(err);

	ok = ok && limits_violations(request, violations, err);
	if (ok) {
		*ret = (struct trust_region){ 0 };
		begin(&course, 0, n_initial);
		follow(&course);
	}
	free(violations);
	free(course.values);
	return ok;
}

bool trust_region_begins(const struct trust_region *region, const struct suggest_request *request)
{
	return region->n + request->n_pending < region->beginning;
}

/* ---- the box ---- */

static double bounded_length(double length)
{
	return fmin(fmax(length, LENGTH_MIN), LENGTH_MAX);
}

/* Numbers that are active at the centre have sides. */
static void find_sides(const struct columns *columns, const double *centre, bool *ret_has_side)
{
	columns_activity(columns, centre, ret_has_side);
	for (size_t k = 0; k < columns->d; k++)
		if (columns->kinds[k] != DIMENSION_NUMERIC || columns->is_held[k])
			ret_has_side[k] = false;
}

static double mean_log_length(
	const struct columns *columns, const bool *has_side, const double *lengthscales)
{
	double sum = 0;
	size_t n = 0;

	for (size_t k = 0; k < columns->d; k++)
		if (has_side[k]) {
			sum += log(bounded_length(lengthscales[k]));
			n++;
		}
	return n > 0 ? sum / (double)n : 0;
}

/* If the box were narrower than a lattice step, nothing could move any more. */
static void include_neighbours(
	const struct columns *columns, size_t k, double centre, struct box *box)
{
	const uint64_t at = columns_index(columns, k, centre);

	if (at > 0)
		box->lower[k] = fmin(box->lower[k], columns_coordinate(columns, k, at - 1));
	if (at + 1 < columns->cardinality[k])
		box->upper[k] = fmax(box->upper[k], columns_coordinate(columns, k, at + 1));
}

void trust_region_box(const struct trust_region *region, const struct suggest_request *request,
	const struct columns *columns, const double *lengthscales, struct box *ret,
	double *ret_centre)
{
	bool has_side[COLUMNS_MAX];

	tuner_assert(
		region->best < request->n_observations &&
		columns_encode(columns, request->observations[region->best].values, ret_centre));
	columns_snap(columns, ret_centre);
	find_sides(columns, ret_centre, has_side);

	const double mean = mean_log_length(columns, has_side, lengthscales);

	for (size_t k = 0; k < columns->d; k++) {
		const double half =
			0.5 * region->side * bounded_length(lengthscales[k]) * exp(-mean);

		ret->lower[k] = has_side[k] ? fmax(ret_centre[k] - half, 0) : 0;
		ret->upper[k] = has_side[k] ? fmin(ret_centre[k] + half, 1) : 1;
		if (has_side[k] && columns->cardinality[k] > 0)
			include_neighbours(columns, k, ret_centre[k], ret);
	}
}

/* ---- candidates ---- */

/* The data from which points are drawn. */
struct source {
	const struct columns *columns;
	const struct box *box;
	const double *centre;
	bool active[COLUMNS_MAX]; /* at the centre */
	size_t free[COLUMNS_MAX], n_free; /* columns that can move */
	struct design *design;
	struct random random;
};

static void choose_moved(struct source *source, bool *ret_moved)
{
	const double chance = fmin(1, PERTURBED / (double)source->n_free);
	bool any = false;

	memset(ret_moved, 0, source->columns->d * sizeof *ret_moved);
	for (size_t j = 0; j < source->n_free; j++) {
		const bool moved = random_uniform(&source->random) < chance;

		ret_moved[source->free[j]] = moved;
		any = any || moved;
	}
	if (!any && source->n_free > 0)
		ret_moved[source->free[random_below(&source->random, source->n_free)]] = true;
}

static void draw(struct source *source, double *ret_x)
{
	const struct box *box = source->box;
	bool moved[COLUMNS_MAX];

	design_next(source->design, ret_x);
	choose_moved(source, moved);
	for (size_t k = 0; k < source->columns->d; k++) {
		if (!source->active[k])
			continue;
		if (moved[k])
			ret_x[k] = box->lower[k] + ret_x[k] * (box->upper[k] - box->lower[k]);
		else
			ret_x[k] = source->centre[k];
	}
	columns_snap(source->columns, ret_x);
}

static void prepare_source(struct source *source)
{
	const struct columns *columns = source->columns;

	columns_activity(columns, source->centre, source->active);
	for (size_t k = 0; k < columns->d; k++)
		if (!columns->is_held[k] && source->active[k])
			source->free[source->n_free++] = k;
}

bool trust_region_candidates(const struct columns *columns, const struct box *box,
	const double *centre, struct random_key key, size_t most, struct candidates *ret,
	struct tuner_error *err)
{
	struct source source = { .columns = columns, .box = box, .centre = centre };
	const size_t by_size = CANDIDATES_A_DIMENSION * n_dimensions(columns);
	const size_t n = least(most, least(by_size, TRUST_REGION_CANDIDATES) + 1);

	if (!design_create(columns->d, key, 0, &source.design, err))
		return false;
	/* One extra row, in which a point is drawn before it is taken. */
	if (!candidates_create(n + 1, columns->d, ret, err)) {
		design_destroy(source.design);
		return false;
	}
	random_init(&source.random, key);
	prepare_source(&source);
	/* The centre has been tried: it is of no use alone. */
	if (n > 1) {
		memcpy(ret->x, centre, columns->d * sizeof *centre);
		candidates_take(columns, ret);
	}
	for (size_t i = 0; i < CANDIDATES_DRAWS * n && ret->n < n; i++) {
		draw(&source, &ret->x[ret->n * columns->d]);
		candidates_take(columns, ret);
	}
	design_destroy(source.design);
	return true;
}
