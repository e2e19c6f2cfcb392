#include "surrogate/lbfgs.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Wolfe's conditions: enough decrease, and a slope that has flattened (Nocedal and Wright, p.
 * 62). */
static const double DECREASE = 1e-4, FLATTENING = 0.9;

/* A search along one direction ends after this many evaluations. */
enum { LINE_EVALUATIONS = 20 };

/* This many line searches in a row that run out of evaluations end the minimisation: no smooth
 * function does that. */
enum { EXHAUSTED_LINES = 3 };

/* A step t along the path from x, with the values found there. */
struct step {
	double t, f, slope;
	bool known; /* f and slope are finite numbers */
};

struct lbfgs {
	size_t n;
	enum lbfgs_state state;
	struct lbfgs_options options;
	size_t iterations, evaluations;
	double *memory; /* all the arrays below */

	double *lower, *upper;
	double *best, best_f;

	bool begun; /* x, g and f hold an evaluated iterate */
	double *x, *g; /* the iterate */
	double f;

	/* The last `pairs` pairs s = change of x, y = change of g; a ring with the newest at
	 * `newest`. */
	double *S, *Y, *alpha;
	size_t pairs, newest;

	/* The search along P(x + t p). Invariant: `low` satisfies the decrease; `high`, if any,
	 * does not, or has a rising slope. */
	double *p;
	bool *free;
	bool steepest; /* p came from the gradient alone */
	double slope; /* at t = 0 */
	double t_end; /* from here on every coordinate is at its bound */
	double *trial;
	double t;
	struct step low, high;
	bool bracketed;
	double *low_x, *low_g;
	size_t line_evaluations, exhausted_lines;
};

static double clip(double x, double lower, double upper)
{
	return x < lower ? lower : x > upper ? upper : x;
}

static size_t or_default(size_t value, size_t otherwise)
{
	return value ? value : otherwise;
}

bool lbfgs_create(size_t n, const double *x, const double *lower, const double *upper,
	const struct lbfgs_options *options, struct lbfgs **ret, struct tuner_error *err)
{
	const size_t pairs = or_default(options->memory, 10);
	struct lbfgs *o = calloc(1, sizeof(*o));

	if (o) {
		o->memory = calloc((10 + 2 * pairs) * n + pairs, sizeof(double));
		o->free = calloc(n, sizeof(*o->free));
	}
	if (!o || !o->memory || !o->free) {
		lbfgs_destroy(o);
		return tuner_fail_memory(err);
	}
	o->n = n;
	o->options = *options;
	o->options.iterations = or_default(options->iterations, 200);
	o->options.memory = pairs;
	if (options->gradient == 0)
		o->options.gradient = 1e-5;
	if (options->first_step == 0)
		o->options.first_step = 1;

	double **const arrays[] = { &o->lower, &o->upper, &o->best, &o->x, &o->g, &o->p, &o->trial,
		&o->low_x, &o->low_g };
	double *next = o->memory;

	for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); i++, next += n)
		*arrays[i] = next;
	o->S = next;
	o->Y = o->S + pairs * n;
	o->alpha = o->Y + pairs * n;

	memcpy(o->lower, lower, n * sizeof(double));
	memcpy(o->upper, upper, n * sizeof(double));
	for (size_t k = 0; k < n; k++) {
		tuner_assert(lower[k] <= upper[k] && isfinite(x[k]));
		o->trial[k] = clip(x[k], lower[k], upper[k]);
	}
	memcpy(o->best, o->trial, n * sizeof(double));
	o->best_f = INFINITY;
	*ret = o;
	return true;
}

void lbfgs_destroy(struct lbfgs *o)
{
	if (!o)
		return;
	free(o->memory);
	free(o->free);
	free(o);
}

/* Largest coordinate of P(x - g) - x. */
static double projected_gradient(const struct lbfgs *o)
{
	double largest = 0;

	for (size_t k = 0; k < o->n; k++) {
		const double to = clip(o->x[k] - o->g[k], o->lower[k], o->upper[k]);

		largest = fmax(largest, fabs(to - o->x[k]));
	}
	return largest;
}

/* A coordinate is free unless its gradient pushes it against a bound that it is at or nearly at.
 * "Nearly", and no wider than the projected gradient, is Bertsekas' guard against paths that break
 * after an arbitrarily short way. */
static void find_free(struct lbfgs *o)
{
	const double near = fmin(1e-8, projected_gradient(o));

	for (size_t k = 0; k < o->n; k++) {
		const bool at_lower = o->x[k] - o->lower[k] <= near && o->g[k] > 0;
		const bool at_upper = o->upper[k] - o->x[k] <= near && o->g[k] < 0;

		o->free[k] = !at_lower && !at_upper && o->lower[k] < o->upper[k];
	}
}

static double dot_free(const struct lbfgs *o, const double *a, const double *b)
{
	double sum = 0;

	for (size_t k = 0; k < o->n; k++)
		if (o->free[k])
			sum += a[k] * b[k];
	return sum;
}

static void add_free(const struct lbfgs *o, double by, const double *a, double *to)
{
	for (size_t k = 0; k < o->n; k++)
		if (o->free[k])
			to[k] += by * a[k];
}

/* On the free coordinates a pair counts only if its curvature there is positive. */
static bool usable(const struct lbfgs *o, const double *s, const double *y, double *ret_sy)
{
	*ret_sy = dot_free(o, s, y);
	return *ret_sy > DBL_EPSILON * sqrt(dot_free(o, s, s) * dot_free(o, y, y));
}

/* p = -H g on the free coordinates (algorithm 7.4). False if no pair is usable: then p = -g. */
static bool two_loops(struct lbfgs *o)
{
	const size_t memory = o->options.memory;
	double scale = 0, sy;

	for (size_t i = 0; i < o->pairs; i++) {
		const size_t at = (o->newest + memory - i) % memory;
		const double *s = o->S + at * o->n, *y = o->Y + at * o->n;

		if (!usable(o, s, y, &sy))
			continue;
		if (scale == 0)
			scale = sy / dot_free(o, y, y);
		o->alpha[at] = dot_free(o, s, o->p) / sy;
		add_free(o, -o->alpha[at], y, o->p);
	}
	if (scale == 0)
		return false;
	for (size_t k = 0; k < o->n; k++)
		o->p[k] *= scale;
	for (size_t i = o->pairs; i-- > 0;) {
		const size_t at = (o->newest + memory - i) % memory;
		const double *s = o->S + at * o->n, *y = o->Y + at * o->n;

		if (usable(o, s, y, &sy))
			add_free(o, o->alpha[at] - dot_free(o, y, o->p) / sy, s, o->p);
	}
	return true;
}

/* Coordinates that are not free move straight to their bound; free ones do not leave the box. */
static void bend(struct lbfgs *o)
{
	for (size_t k = 0; k < o->n; k++) {
		if (!o->free[k])
			o->p[k] = (o->g[k] > 0 ? o->lower[k] : o->upper[k]) - o->x[k];
		if (o->lower[k] == o->upper[k] || (o->x[k] <= o->lower[k] && o->p[k] < 0) ||
			(o->x[k] >= o->upper[k] && o->p[k] > 0))
			o->p[k] = 0;
	}
}

static double dot(size_t n, const double *a, const double *b)
{
	double sum = 0;

	for (size_t k = 0; k < n; k++)
		sum += a[k] * b[k];
	return sum;
}

static void find_direction(struct lbfgs *o)
{
	find_free(o);
	for (size_t k = 0; k < o->n; k++)
		o->p[k] = o->free[k] ? -o->g[k] : 0;
	o->steepest = !two_loops(o);
	bend(o);
	o->slope = dot(o->n, o->g, o->p);
	if (o->steepest || (isfinite(o->slope) && o->slope < 0))
		return;
	for (size_t k = 0; k < o->n; k++)
		o->p[k] = o->free[k] ? -o->g[k] : 0;
	bend(o);
	o->slope = dot(o->n, o->g, o->p);
	o->steepest = true;
}

/* Sets the trial point to P(x + t p). False if it is the iterate itself. */
static bool place_trial(struct lbfgs *o, double t)
{
	bool moved = false;

	o->t = t;
	for (size_t k = 0; k < o->n; k++) {
		o->trial[k] = clip(o->x[k] + t * o->p[k], o->lower[k], o->upper[k]);
		moved = moved || o->trial[k] != o->x[k];
	}
	return moved;
}

static double largest(size_t n, const double *a)
{
	double most = 0;

	for (size_t k = 0; k < n; k++)
		most = fmax(most, fabs(a[k]));
	return most;
}

static double end_of_path(const struct lbfgs *o)
{
	double end = 0;

	for (size_t k = 0; k < o->n; k++)
		if (o->p[k] != 0)
			end = fmax(end,
				((o->p[k] > 0 ? o->upper[k] : o->lower[k]) - o->x[k]) / o->p[k]);
	return end;
}

static void start_line(struct lbfgs *o)
{
	const double most = largest(o->n, o->p);

	o->low = (struct step){ .f = o->f, .slope = o->slope, .known = true };
	o->bracketed = false;
	o->line_evaluations = 0;
	o->t_end = end_of_path(o);
	if (!(o->slope < 0) || !isfinite(most) ||
		!place_trial(o, o->steepest ? fmin(1, o->options.first_step / most) : 1))
		o->state = LBFGS_STALLED;
}

static void start_iteration(struct lbfgs *o)
{
	if (projected_gradient(o) <= o->options.gradient) {
		o->state = LBFGS_CONVERGED;
	} else if (o->iterations >= o->options.iterations) {
		o->state = LBFGS_LIMIT;
	} else {
		find_direction(o);
		start_line(o);
	}
}

/* The pair overwrites the oldest; one without positive curvature is dropped. */
static void remember_pair(struct lbfgs *o, const double *x, const double *g)
{
	const size_t memory = o->options.memory, at = o->pairs ? (o->newest + 1) % memory : 0;
	double curvature = 0, yy = 0;

	for (size_t k = 0; k < o->n; k++) {
		curvature += (x[k] - o->x[k]) * (g[k] - o->g[k]);
		yy += (g[k] - o->g[k]) * (g[k] - o->g[k]);
	}
	if (!(curvature > 0) || !isfinite(yy))
		return;
	for (size_t k = 0; k < o->n; k++) {
		o->S[at * o->n + k] = x[k] - o->x[k];
		o->Y[at * o->n + k] = g[k] - o->g[k];
	}
	o->newest = at;
	if (o->pairs < memory)
		o->pairs++;
}

static void accept(struct lbfgs *o, const double *x, double f, const double *g)
{
	if (o->begun) {
		remember_pair(o, x, g);
		o->iterations++;
	}
	o->begun = true;
	memcpy(o->x, x, o->n * sizeof(double));
	memcpy(o->g, g, o->n * sizeof(double));
	o->f = f;
	start_iteration(o);
}

/* Minimiser of the cubic through two points with slopes (N&W eq. 3.59); NaN if it has none. */
static double cubic_minimum(const struct step *a, const struct step *b)
{
	const double d1 = a->slope + b->slope - 3 * (a->f - b->f) / (a->t - b->t);
	const double d2 = sqrt(d1 * d1 - a->slope * b->slope);

	return b->t - (b->t - a->t) * (b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2);
}

/* The next step: beyond `low` while there is no `high`, otherwise inside (low, high), kept away
 * from the ends so that the interval shrinks by at least a tenth. */
static double next_step(const struct lbfgs *o)
{
	const double width = o->high.t - o->low.t;

	if (!o->bracketed)
		return fmin(4 * o->low.t, o->t_end);
	if (!o->high.known)
		return o->low.t + 0.2 * width;

	const double t = cubic_minimum(&o->low, &o->high);

	if (!isfinite(t))
		return o->low.t + 0.5 * width;
	return clip(t, o->low.t + 0.1 * width, o->high.t - 0.1 * width);
}

/* The line is exhausted: take the best step that decreased enough, or fall back on steepest
 * descent, or give up. */
static void end_line(struct lbfgs *o)
{
	if (++o->exhausted_lines >= EXHAUSTED_LINES) {
		o->state = LBFGS_STALLED;
	} else if (o->low.t > 0) {
		accept(o, o->low_x, o->low.f, o->low_g);
	} else if (o->steepest) {
		o->state = LBFGS_STALLED;
	} else {
		o->pairs = 0;
		find_direction(o);
		start_line(o);
	}
}

/* The slope at the trial point along the path, whose direction is bent at the bounds it has met. */
static double slope_at_trial(const struct lbfgs *o, const double *g)
{
	double slope = 0;

	for (size_t k = 0; k < o->n; k++) {
		const double unclipped = o->x[k] + o->t * o->p[k];

		if (unclipped > o->lower[k] && unclipped < o->upper[k])
			slope += g[k] * o->p[k];
	}
	return slope;
}

/* Sufficient decrease against the tangent plane, so that it means the same on bent paths. The slack
 * allows for rounding in f: without it searches end early near the minimum. */
static bool decreases(const struct lbfgs *o, double f)
{
	double predicted = 0;

	for (size_t k = 0; k < o->n; k++)
		predicted += o->g[k] * (o->trial[k] - o->x[k]);
	return f <= o->f + DECREASE * predicted + 4 * DBL_EPSILON * fabs(o->f);
}

static void search_on(struct lbfgs *o, double f, const double *g, bool known)
{
	const struct step here = { o->t, f, known ? slope_at_trial(o, g) : 0, known };

	o->line_evaluations++;
	if (!known || !decreases(o, f)) {
		o->high = here;
		o->bracketed = true;
	} else if (here.slope >= FLATTENING * o->slope || o->t >= o->t_end) {
		o->exhausted_lines = 0;
		accept(o, o->trial, f, g);
		return;
	} else {
		o->low = here;
		memcpy(o->low_x, o->trial, o->n * sizeof(double));
		memcpy(o->low_g, g, o->n * sizeof(double));
	}
	if (o->line_evaluations >= LINE_EVALUATIONS || !place_trial(o, next_step(o)) ||
		(o->bracketed && o->t <= o->low.t))
		end_line(o);
}

static bool all_finite(size_t n, double f, const double *g)
{
	bool finite = isfinite(f);

	for (size_t k = 0; k < n; k++)
		finite = finite && isfinite(g[k]);
	return finite;
}

enum lbfgs_state lbfgs_tell(struct lbfgs *o, double value, const double *gradient)
{
	const bool known = all_finite(o->n, value, gradient);

	tuner_assert(o->state == LBFGS_EVALUATE);
	o->evaluations++;
	if (known && value < o->best_f) {
		o->best_f = value;
		memcpy(o->best, o->trial, o->n * sizeof(double));
	}
	if (o->begun)
		search_on(o, value, gradient, known);
	else if (known)
		accept(o, o->trial, value, gradient);
	else
		o->state = LBFGS_STALLED;
	if (o->state == LBFGS_EVALUATE && o->options.evaluations &&
		o->evaluations >= o->options.evaluations)
		o->state = LBFGS_LIMIT;
	return o->state;
}

enum lbfgs_state lbfgs_state(const struct lbfgs *o)
{
	return o->state;
}

const double *lbfgs_point(const struct lbfgs *o)
{
	return o->trial;
}

const double *lbfgs_best(const struct lbfgs *o, double *ret_value)
{
	if (ret_value)
		*ret_value = o->best_f;
	return o->best;
}

size_t lbfgs_iterations(const struct lbfgs *o)
{
	return o->iterations;
}

size_t lbfgs_evaluations(const struct lbfgs *o)
{
	return o->evaluations;
}
