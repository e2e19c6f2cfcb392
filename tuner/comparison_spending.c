/* A comparison over what was spent: slot-seconds, or money. */
#include "tuner/comparison_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- curves ---- */

static struct anytime curve_of(const struct comparison *comparison, const struct compared_arm *arm,
	size_t i, enum axis axis, bool to_the_end)
{
	const struct run_curve *run = comparison_run(comparison, arm, i);

	tuner_assert(axis != OVER_TRIALS);
	return (struct anytime){ .n = to_the_end ? run->n : comparison_trials(comparison, run),
		.spent = axis == OVER_TIME ? run->spent_s : run->spent_money,
		.best = run->best,
		.worst = comparison->worst[i] };
}

/* One per repeat. `to_the_end`: with the trials beyond comparison->limit. The caller frees; NULL
 * without memory. */
static struct anytime *curves_of(const struct comparison *comparison,
	const struct compared_arm *arm, enum axis axis, bool to_the_end)
{
	struct anytime *curves = calloc(comparison->n_repeats + 1, sizeof(*curves));

	for (size_t i = 0; curves != NULL && i < comparison->n_repeats; i++)
		curves[i] = curve_of(comparison, arm, i, axis, to_the_end);
	return curves;
}

double comparison_total(const struct comparison *comparison, size_t arm, enum axis axis)
{
	const size_t n = comparison->n_repeats;
	double sum = 0;

	if (axis == OVER_TRIALS)
		return (double)comparison->length;
	for (size_t i = 0; i < n; i++) {
		const struct anytime curve =
			curve_of(comparison, &comparison->arms[arm], i, axis, false);
		sum += anytime_total(&curve);
	}
	return sum / (double)n;
}

double comparison_end(const struct comparison *comparison, size_t arm, enum axis axis)
{
	double end = INFINITY;

	if (axis == OVER_TRIALS)
		return (double)comparison->length;
	for (size_t i = 0; i < comparison->n_repeats; i++) {
		const struct anytime curve =
			curve_of(comparison, &comparison->arms[arm], i, axis, false);
		end = fmin(end, anytime_total(&curve));
	}
	return end;
}

/* The best of each repeat at that point; false if one has none. */
static bool values_at(const struct comparison *comparison, size_t arm, enum axis axis, double spent,
	double *ret_values)
{
	bool known = true;

	for (size_t i = 0; known && i < comparison->n_repeats; i++) {
		const struct anytime curve =
			curve_of(comparison, &comparison->arms[arm], i, axis, false);
		known = anytime_has_result(&curve, spent);
		ret_values[i] = anytime_best(&curve, spent);
	}
	return known;
}

/* The same resamples at every point: the band is as smooth as the curve. */
static bool point_of(const struct comparison *comparison, size_t arm, double spent,
	const double *values, struct curve_point *ret, struct tuner_error *err)
{
	const size_t n = comparison->n_repeats;
	const struct random_key key = { .number = DRAW_BAND + (uint32_t)arm };

	ret->at = spent;
	ret->mean = paired_mean(values, n);
	return paired_interval(values, n, COMPARISON_LEVEL, key, &ret->interval, err);
}

bool comparison_at(const struct comparison *comparison, size_t arm, enum axis axis, double spent,
	struct curve_point *ret, bool *ret_known, struct tuner_error *err)
{
	double *values = calloc(comparison->n_repeats + 1, sizeof(*values));

	if (values == NULL)
		return tuner_fail_memory(err);
	*ret_known = values_at(comparison, arm, axis, spent, values);
	const bool ok = !*ret_known || point_of(comparison, arm, spent, values, ret, err);
	free(values);
	return ok;
}

bool comparison_curve(const struct comparison *comparison, size_t arm, enum axis axis,
	struct curve_point ret[COMPARISON_HUNDREDTHS], size_t *ret_n, struct tuner_error *err)
{
	const double end = comparison_end(comparison, arm, axis);
	const size_t bytes = comparison->n_repeats * sizeof(double);
	double *values = calloc(2 * comparison->n_repeats + 1, sizeof(*values));
	double *before = values + comparison->n_repeats;
	bool ok = values != NULL || tuner_fail_memory(err);

	*ret_n = 0;
	for (size_t k = 1; ok && k <= COMPARISON_HUNDREDTHS; k++) {
		const double spent = end * ((double)k / COMPARISON_HUNDREDTHS);
		struct curve_point *point = &ret[*ret_n];
		if (!values_at(comparison, arm, axis, spent, values))
			continue;
		if (*ret_n > 0 && memcmp(values, before, bytes) == 0) { /* the step continues */
			*point = point[-1];
			point->at = spent;
		} else {
			ok = point_of(comparison, arm, spent, values, point, err);
		}
		memcpy(before, values, bytes);
		(*ret_n)++;
	}
	free(values);
	return ok;
}

bool comparison_check_axis(
	const struct comparison *comparison, enum axis axis, struct tuner_error *err)
{
	if (axis == OVER_MONEY && !comparison->priced)
		return tuner_fail(err, TUNER_USAGE,
			"nothing of it has a price: give the hosts a \"price\" of an hour, and the "
			"trials that run from then on cost money");
	for (size_t a = 0; a < comparison->n_arms; a++)
		if (axis != OVER_TRIALS && !(comparison_end(comparison, a, axis) > 0))
			return tuner_fail(err, TUNER_USAGE,
				"a search of %s has spent no %s: there is no curve over it",
				comparison->arms[a].name, axis_unit(axis));
	return true;
}

/* ---- where all have spent the same ---- */

static bool differ(const struct comparison *comparison, const struct anytime *a,
	const struct anytime *b, double (*measure)(const struct anytime *, double), double spent,
	enum comparison_draw draw, struct estimate *ret, struct tuner_error *err)
{
	const double sign = comparison->maximize ? 1 : -1;
	const size_t n = comparison->n_repeats;
	double *differences = calloc(n + 1, sizeof(*differences));

	if (differences == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < n; i++)
		differences[i] =
			sign * comparison_difference(measure(&a[i], spent), measure(&b[i], spent));
	const bool ok = comparison_estimate(differences, n, draw, ret, err);
	free(differences);
	return ok;
}

static void add_means(const struct anytime *curves, size_t n, double spent, double *ret_best,
	double *ret_total, size_t *ret_none)
{
	for (size_t i = 0; i < n; i++) {
		*ret_best += anytime_best(&curves[i], spent) / (double)n;
		*ret_total += anytime_total(&curves[i]) / (double)n;
		*ret_none += !anytime_has_result(&curves[i], spent);
	}
	*ret_best = comparison_number(*ret_best);
}

/* The slower arm is followed as far as it went. */
static bool measure_speed(const struct comparison *comparison, enum axis axis,
	const struct contrast *contrast, struct equal_spending *ret, struct tuner_error *err)
{
	const struct compared_arm *fast = ret->a_faster ? contrast->a : contrast->b;
	const struct compared_arm *slow = ret->a_faster ? contrast->b : contrast->a;
	const struct random_key key = { .seed = comparison->n_repeats,
		.number = DRAW_SPENDING_SPEED_UP };
	struct anytime *quick = curves_of(comparison, fast, axis, false);
	struct anytime *late = curves_of(comparison, slow, axis, true);
	bool ok = (quick != NULL && late != NULL) || tuner_fail_memory(err);

	ret->speed_up = NAN;
	ret->speed_up_interval = (struct interval){ -INFINITY, INFINITY };
	if (ok && ret->final.mean != 0)
		ok = anytime_speed_up(quick, late, comparison->n_repeats, ret->spent,
			comparison->maximize, COMPARISON_LEVEL, key, &ret->speed_up,
			&ret->speed_up_interval, err);
	free(quick);
	free(late);
	return ok;
}

bool comparison_spend(const struct comparison *comparison, enum axis axis, struct contrast *ret,
	struct tuner_error *err)
{
	const size_t n = comparison->n_repeats;
	struct equal_spending *equal = &ret->over[axis];
	struct anytime *a = curves_of(comparison, ret->a, axis, false);
	struct anytime *b = curves_of(comparison, ret->b, axis, false);
	bool ok = (a != NULL && b != NULL) || tuner_fail_memory(err);

	if (ok) {
		equal->spent = fmin(anytime_end(a, n), anytime_end(b, n));
		equal->is_possible = equal->spent > 0;
	}
	if (ok && equal->is_possible) {
		add_means(a, n, equal->spent, &equal->best_a, &equal->total_a, &equal->none_a);
		add_means(b, n, equal->spent, &equal->best_b, &equal->total_b, &equal->none_b);
		ok = differ(comparison, a, b, anytime_best, equal->spent, DRAW_SPENDING_FINAL,
			     &equal->final, err) &&
		     differ(comparison, a, b, anytime_mean, equal->spent, DRAW_SPENDING_AREA,
			     &equal->area, err);
		equal->a_faster = equal->final.mean >= 0;
		ok = ok && measure_speed(comparison, axis, ret, equal, err);
	}
	free(a);
	free(b);
	return ok;
}
