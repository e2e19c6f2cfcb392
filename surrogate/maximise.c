#include "surrogate/maximise.h"

#include "surrogate/lbfgs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	CYCLES_MAX = 20,
	ITERATIONS = 30,
	EVALUATIONS = 25, /* per start, in the climb of all; two thirds of it from MANY_ROWS on, */
	EVALUATIONS_LAST = 15, /* when each evaluation takes long */
	MANY_ROWS = 128,
	LISTED_MAX = 20, /* up to this many lattice values of a column are all tried in one move */
	MOVES_MAX = 64, /* steps of 1, 2, 4 ... to both sides, on a lattice of up to 2^32 */
};

/* Starts nearer to each other than this, in lengthscales, would end in the same place. */
static const double APART = 0.05;

/* Gradient tolerances: all starts climb until it is clear where they end; the best one continues to
 * its top. */
static const double ROUGH = 1e-2, FINE = 1e-4;

/* A move must gain more than rounding does. */
static const double GAIN = 1e-9;

struct search {
	const struct columns *columns;
	struct acquisition *acquisition;
	const double *lengthscales;
	const struct box *box; /* NULL: the whole cube */
	size_t d, n, n_max; /* columns; points */
	double *x, *values; /* n x d, n */
	bool *settled; /* n: the last cycle changed nothing */
	double tolerance; /* projected gradient, in log EI per lengthscale */
	bool relaxed; /* gradient steps also ignore fine lattices */
	bool active[MAXIMISE_STARTS_LATTICE][COLUMNS_MAX]; /* the columns of each point */
	struct lbfgs *searches[MAXIMISE_STARTS_LATTICE];
	double *batch, *batch_values, *batch_gradients; /* for one call with many points */
	size_t batch_max;
	uint64_t work, work_limit;
};

static bool is_spent(const struct search *search)
{
	return search->work_limit > 0 && search->work >= search->work_limit;
}

/* ---- starts ---- */

static bool has_lattice(const struct columns *columns)
{
	for (size_t k = 0; k < columns->d; k++)
		if (columns->cardinality[k] > 0 && !columns->is_held[k])
			return true;
	return false;
}

static double distance(const struct search *search, const double *a, const double *b)
{
	double sum = 0;

	for (size_t k = 0; k < search->d; k++) {
		const double step = search->columns->kinds[k] == DIMENSION_CATEGORY ? (a[k] != b[k])
										    : a[k] - b[k];

		sum += step * step / (search->lengthscales[k] * search->lengthscales[k]);
	}
	return sqrt(sum);
}

static void take_start(struct search *search, const struct candidates *candidates, size_t candidate)
{
	const double *x = candidates_row(candidates, candidate);

	if (search->n == search->n_max || !isfinite(candidates->values[candidate]))
		return;
	for (size_t i = 0; i < search->n; i++)
		if (distance(search, x, &search->x[i * search->d]) < APART)
			return;
	memcpy(&search->x[search->n * search->d], x, search->d * sizeof *x);
	search->values[search->n++] = candidates->values[candidate];
}

struct draw {
	double key;
	size_t candidate;
};

static int by_key(const void *a, const void *b)
{
	const struct draw *x = a, *y = b;

	return x->key != y->key ? (x->key < y->key) - (x->key > y->key)
				: (x->candidate > y->candidate) - (x->candidate < y->candidate);
}

/* Draws without replacement in proportion to exp(value), by the order of value + Gumbel noise (the
 * "Gumbel-max trick"). */
static bool draw_starts(struct search *search, const struct candidates *candidates,
	struct random *random, struct tuner_error *err)
{
	struct draw *draws = calloc(candidates->n + 1, sizeof *draws);
	size_t n = 0;

	if (draws == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < candidates->n; i++) {
		if (!isfinite(candidates->values[i]))
			continue;
		const double gumbel = -log(-log(fmax(random_uniform(random), 0x1p-54)));

		draws[n++] = (struct draw){ candidates->values[i] + gumbel, i };
	}
	qsort(draws, n, sizeof *draws, by_key);
	for (size_t i = 0; i < n && search->n < search->n_max; i++)
		take_start(search, candidates, draws[i].candidate);
	free(draws);
	return true;
}

static bool choose_starts(struct search *search, const struct candidates *candidates,
	struct random *random, struct tuner_error *err)
{
	if (candidates->n == 0)
		return true;
	take_start(search, candidates, candidates->order[0]);
	take_start(search, candidates, 0);
	return draw_starts(search, candidates, random, err);
}

/* ---- gradient steps ---- */

/* At point i. A step over a parent's lattice would change which columns are active. */
static bool is_continuous(const struct search *search, size_t i, size_t k)
{
	const struct columns *columns = search->columns;

	if (columns->is_held[k] || columns->kinds[k] == DIMENSION_CATEGORY || !search->active[i][k])
		return false;
	return columns->cardinality[k] == 0 ||
	       (search->relaxed && !columns->is_parent[k] && columns->cardinality[k] > LISTED_MAX);
}

static double lower_of(const struct search *search, size_t k)
{
	return search->box != NULL ? search->box->lower[k] : 0;
}

static double upper_of(const struct search *search, size_t k)
{
	return search->box != NULL ? search->box->upper[k] : 1;
}

static size_t evaluations(const struct search *search)
{
	const size_t all = search->tolerance == FINE ? EVALUATIONS_LAST : EVALUATIONS;

	return acquisition_rows(search->acquisition) < MANY_ROWS ? all : 2 * all / 3;
}

/* The variables are x / l, so that one step length suits all. */
static bool begin_searches(struct search *search, struct tuner_error *err)
{
	const struct lbfgs_options options = { .iterations = ITERATIONS,
		.evaluations = evaluations(search),
		.gradient = search->tolerance };
	double z[COLUMNS_MAX], lower[COLUMNS_MAX], upper[COLUMNS_MAX];

	for (size_t i = 0; i < search->n; i++) {
		columns_activity(search->columns, &search->x[i * search->d], search->active[i]);
		for (size_t k = 0; k < search->d; k++) {
			const double l = search->lengthscales[k];

			z[k] = search->x[i * search->d + k] / l;
			lower[k] = upper[k] = z[k];
			if (is_continuous(search, i, k)) {
				lower[k] = lower_of(search, k) / l;
				upper[k] = upper_of(search, k) / l;
			}
		}
		if (!lbfgs_create(search->d, z, lower, upper, &options, &search->searches[i], err))
			return false;
	}
	return true;
}

static void end_searches(struct search *search)
{
	for (size_t i = 0; i < MAXIMISE_STARTS_LATTICE; i++) {
		lbfgs_destroy(search->searches[i]);
		search->searches[i] = NULL;
	}
}

/* Converts the variables of search i back. Other columns are copied, because x / l times l may
 * differ from x, and a category that differs in its last bit is another category. */
static void unscale(const struct search *search, size_t i, const double *z, double *ret_x)
{
	for (size_t k = 0; k < search->d; k++)
		ret_x[k] = is_continuous(search, i, k)
				   ? fmin(z[k] * search->lengthscales[k], upper_of(search, k))
				   : search->x[i * search->d + k];
}

/* One batched evaluation for all searches that need one. *ret_n: their number. */
static bool step_searches(struct search *search, size_t *ret_n, struct tuner_error *err)
{
	size_t which[MAXIMISE_STARTS_LATTICE], n = 0;
	const size_t d = search->d;
	double gradient[COLUMNS_MAX];

	for (size_t i = 0; i < search->n; i++) {
		if (search->settled[i] || lbfgs_state(search->searches[i]) != LBFGS_EVALUATE)
			continue;
		unscale(search, i, lbfgs_point(search->searches[i]), &search->batch[n * d]);
		which[n++] = i;
	}
	*ret_n = n;
	if (n == 0)
		return true;
	/* A few of several models guide the climb; its end is evaluated with all. */
	if (!(search->tolerance == ROUGH ? acquisition_rough_gradients : acquisition_gradients)(
		    search->acquisition, search->batch, n, search->batch_values,
		    search->batch_gradients, err))
		return false;
	search->work += n;
	for (size_t j = 0; j < n; j++) {
		for (size_t k = 0; k < d; k++)
			gradient[k] = -search->batch_gradients[j * d + k] * search->lengthscales[k];
		/* An infinite value makes the search turn back, so it never breaks a constraint. */
		lbfgs_tell(search->searches[which[j]],
			columns_allow(search->columns, &search->batch[j * d])
				? -search->batch_values[j]
				: INFINITY,
			gradient);
	}
	return true;
}

/* Keeps the best points found, snapped and evaluated again, since snapping may move them. */
static bool keep_best(struct search *search, struct tuner_error *err)
{
	const size_t d = search->d;

	for (size_t i = 0; i < search->n; i++) {
		unscale(search, i, lbfgs_best(search->searches[i], NULL), &search->batch[i * d]);
		columns_snap(search->columns, &search->batch[i * d]);
	}
	if (!acquisition_values(
		    search->acquisition, search->batch, search->n, 0, search->batch_values, err))
		return false;
	search->work += search->n;
	for (size_t i = 0; i < search->n; i++) {
		/* NaN is not a gain. */
		if (search->settled[i] || !(search->batch_values[i] > search->values[i] + GAIN) ||
			!columns_allow(search->columns, &search->batch[i * d]))
			continue;
		memcpy(&search->x[i * d], &search->batch[i * d], d * sizeof *search->x);
		search->values[i] = search->batch_values[i];
	}
	return true;
}

static bool climb(struct search *search, struct tuner_error *err)
{
	size_t n = search->n;
	bool ok = begin_searches(search, err);

	while (ok && n > 0 && !is_spent(search))
		ok = step_searches(search, &n, err);
	ok = ok && keep_best(search, err);
	end_searches(search);
	return ok;
}

/* ---- moves along the lattice ---- */

/* The other lattice values of the column to try from value `at`. */
static size_t list_moves(
	const struct columns *columns, size_t column, uint64_t at, uint64_t ret_moves[MOVES_MAX])
{
	const uint64_t size = columns->cardinality[column];
	size_t n = 0;

	if (size <= LISTED_MAX || columns->kinds[column] == DIMENSION_CATEGORY) {
		for (uint64_t k = 0; k < size && n < MOVES_MAX; k++)
			if (k != at)
				ret_moves[n++] = k;
		return n;
	}
	for (uint64_t step = 1; step < size && n + 2 <= MOVES_MAX; step *= 2) {
		if (step <= at)
			ret_moves[n++] = at - step;
		if (step < size - at)
			ret_moves[n++] = at + step;
	}
	return n;
}

/* Fills the batch with point x at other values of a column, where constraints allow them. Moving a
 * parent also moves the parameters that depend on it. */
static size_t make_moves(struct search *search, const double *x, size_t column)
{
	const struct columns *columns = search->columns;
	const size_t d = search->d;
	uint64_t moves[MOVES_MAX];
	const size_t n =
		list_moves(columns, column, columns_index(columns, column, x[column]), moves);
	size_t allowed = 0;

	for (size_t j = 0; j < n; j++) {
		double *row = &search->batch[allowed * d];

		memcpy(row, x, d * sizeof *x);
		row[column] = columns_coordinate(columns, column, moves[j]);
		if (row[column] < lower_of(search, column) ||
			row[column] > upper_of(search, column))
			continue;
		if (columns->is_parent[column])
			columns_snap(columns, row);
		allowed += columns_allow(columns, row);
	}
	return allowed;
}

static bool is_active(const struct search *search, const double *x, size_t column)
{
	bool active[COLUMNS_MAX];

	columns_activity(search->columns, x, active);
	return active[column];
}

/* Moves every point to the best value of one column. */
static bool move_column(
	struct search *search, size_t column, bool *changed, struct tuner_error *err)
{
	const size_t d = search->d;

	for (size_t i = 0; i < search->n; i++) {
		double *x = &search->x[i * d];

		if (search->settled[i] || is_spent(search) || !is_active(search, x, column))
			continue;
		const size_t n = make_moves(search, x, column);

		if (n > 0 && !acquisition_values(search->acquisition, search->batch, n, 0,
				     search->batch_values, err))
			return false;
		search->work += n;
		for (size_t j = 0; j < n; j++)
			if (search->batch_values[j] > search->values[i] + GAIN) {
				search->values[i] = search->batch_values[j];
				memcpy(x, &search->batch[j * d], d * sizeof *x);
				changed[i] = true;
			}
	}
	return true;
}

static bool move_along_lattices(struct search *search, bool *changed, struct tuner_error *err)
{
	for (size_t k = 0; k < search->d; k++)
		if (search->columns->cardinality[k] > 0 && !search->columns->is_held[k] &&
			!move_column(search, k, changed, err))
			return false;
	return true;
}

/* ---- the whole search ---- */

/* The candidates were scored with fewer fantasies than are used from here on. */
static bool score(struct search *search, struct tuner_error *err)
{
	search->work += search->n;
	return search->n == 0 || acquisition_values(search->acquisition, search->x, search->n, 0,
					 search->values, err);
}

/* NaN comes last. */
static bool is_before(double a, double b)
{
	return !isnan(a) && (isnan(b) || a > b);
}

static bool finish_best(struct search *search, struct tuner_error *err)
{
	size_t best = 0;

	for (size_t i = 1; i < search->n; i++)
		if (is_before(search->values[i], search->values[best]))
			best = i;
	for (size_t i = 0; i < search->n; i++)
		search->settled[i] = i != best;
	search->tolerance = FINE;
	search->relaxed = false;
	return search->n == 0 || is_spent(search) || climb(search, err);
}

static bool run(struct search *search, struct tuner_error *err)
{
	bool any = search->n > 0;

	search->tolerance = ROUGH;
	if (!score(search, err))
		return false;
	for (size_t cycle = 0; any && cycle < CYCLES_MAX && !is_spent(search); cycle++) {
		bool changed[MAXIMISE_STARTS_LATTICE] = { false };

		search->relaxed = cycle == 0;
		if (!climb(search, err) || (has_lattice(search->columns) &&
						   !move_along_lattices(search, changed, err)))
			return false;
		any = false;
		for (size_t i = 0; i < search->n; i++) {
			/* After a climb that no move has changed there is nothing to climb
			 * again. */
			search->settled[i] = search->settled[i] || !changed[i];
			any = any || changed[i];
		}
	}
	return finish_best(search, err);
}

static bool allocate(struct search *search, struct tuner_error *err)
{
	const size_t n = MAXIMISE_STARTS_LATTICE, d = search->d;

	search->batch_max = MOVES_MAX > n ? MOVES_MAX : n;
	search->x = calloc(n * d + 1, sizeof *search->x);
	search->values = calloc(n, sizeof *search->values);
	search->settled = calloc(n, sizeof *search->settled);
	search->batch = calloc(search->batch_max * d + 1, sizeof *search->batch);
	search->batch_values = calloc(search->batch_max, sizeof *search->batch_values);
	search->batch_gradients = calloc(n * d + 1, sizeof *search->batch_gradients);
	return (search->x && search->values && search->settled && search->batch &&
		       search->batch_values && search->batch_gradients) ||
	       tuner_fail_memory(err);
}

/* The best first; insertion, for ten points. NaN goes last. */
static void sort(struct search *search)
{
	const size_t d = search->d;
	double row[COLUMNS_MAX];

	for (size_t i = 1; i < search->n; i++) {
		const double value = search->values[i];
		size_t j = i;

		memcpy(row, &search->x[i * d], d * sizeof *row);
		for (; j > 0 && is_before(value, search->values[j - 1]); j--) {
			search->values[j] = search->values[j - 1];
			memcpy(&search->x[j * d], &search->x[(j - 1) * d], d * sizeof *row);
		}
		search->values[j] = value;
		memcpy(&search->x[j * d], row, d * sizeof *row);
	}
}

bool maximise(const struct columns *columns, struct acquisition *acquisition,
	const double *lengthscales, const struct box *box, const struct candidates *candidates,
	struct random *random, uint64_t work_limit, struct maxima *ret, struct tuner_error *err)
{
	struct search search = { .columns = columns,
		.acquisition = acquisition,
		.lengthscales = lengthscales,
		.box = box,
		.d = columns->d,
		.n_max = has_lattice(columns) ? MAXIMISE_STARTS_LATTICE : MAXIMISE_STARTS,
		.work_limit = work_limit };
	const bool ok = allocate(&search, err) && choose_starts(&search, candidates, random, err) &&
			run(&search, err);

	free(search.settled);
	free(search.batch);
	free(search.batch_values);
	free(search.batch_gradients);
	if (!ok) {
		free(search.x);
		free(search.values);
		return false;
	}
	sort(&search);
	*ret = (struct maxima){ search.n, search.x, search.values, search.work };
	return true;
}

void maxima_finish(struct maxima *maxima)
{
	free(maxima->x);
	free(maxima->values);
	*maxima = (struct maxima){ 0 };
}
