#include "surrogate/transform.h"

#include <gsl/gsl_cdf.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A point of the piecewise linear map back: an outcome and the objective that it came from, the
 * latter scaled by 2^-exponent. */
struct knot {
	double outcome, value;
};

struct transform {
	size_t n, n_finite;
	double *outcomes, *noise_scales;
	bool *valued;
	int exponent; /* objectives are scaled to y 2^-exponent, at most 1 in size */
	double mean, sd; /* of the transformed values; outcome = (transformed - mean) / sd */
	struct knot *knots; /* of the finite trials, both parts strictly increasing */
	size_t n_knots;
	double unit; /* slope of the map back where the knots give none */
};

const char *transform_name(enum transform_kind kind)
{
	static const char *const names[] = {
		[TRANSFORM_AUTO] = "auto",
		[TRANSFORM_HALF_RANK] = "half-rank",
		[TRANSFORM_NONE] = "none",
		[TRANSFORM_WINSOR] = "winsor",
	};

	return names[kind];
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Linear interpolation of the order statistics at q (n - 1); sorted values, n >= 1. */
static double quantile(const double *sorted, size_t n, double q)
{
	const double at = q * (double)(n - 1), whole = floor(at);
	const size_t i = (size_t)whole;

	if (i + 1 >= n || at == whole || sorted[i] == sorted[i + 1]) /* the last even if infinite */
		return sorted[i];
	return sorted[i] + (at - whole) * (sorted[i + 1] - sorted[i]);
}

/* The size of the largest finite value, as a power of two: dividing by it is exact and keeps
 * squares of very large or small objectives representable. */
static int common_exponent(const double *y, const bool *valued, size_t n)
{
	double most = 0;
	int exponent = 0;

	for (size_t i = 0; i < n; i++)
		if (valued[i] && isfinite(y[i]))
			most = fmax(most, fabs(y[i]));
	frexp(most, &exponent);
	return exponent;
}

/* Fills `sorted` with the scaled values of the valued trials, -inf replaced by the best finite one;
 * +inf stays, at the end. Returns their number; *ret_finite of them are finite. */
static size_t collect(struct transform *t, const double *y, double *sorted, size_t *ret_finite)
{
	double best = INFINITY;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->valued[i] && isfinite(y[i]))
			best = fmin(best, ldexp(y[i], -t->exponent));
	*ret_finite = 0;
	for (size_t i = 0; i < t->n; i++) {
		t->outcomes[i] = NAN;
		if (!t->valued[i])
			continue;
		t->outcomes[i] = y[i] == -INFINITY ? best : ldexp(y[i], -t->exponent);
		sorted[n++] = t->outcomes[i];
		*ret_finite += isfinite(t->outcomes[i]);
		t->n_finite += isfinite(y[i]) != 0;
	}
	qsort(sorted, n, sizeof(*sorted), compare_doubles);
	return n;
}

/* sqrt(mean (y - m)^2), NaN left out. Next to a penalty of 1e300 the squares of the others would
 * underflow: scaling by a power of two, which is exact, brings the largest distance near 1. */
static double rms_distance(const double *y, size_t n, double m)
{
	double most = 0, sum = 0;
	size_t count = 0;
	int exponent;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(y[i] - m));
	frexp(most, &exponent);
	for (size_t i = 0; i < n; i++) {
		const double distance = ldexp(y[i] - m, -exponent);

		if (isnan(distance))
			continue;
		sum += distance * distance;
		count++;
	}
	return count ? ldexp(sqrt(sum / (double)count), exponent) : 0;
}

/* The rms distance over sorted values up to `limit`. */
static double spread(const double *sorted, size_t n, double m, double limit)
{
	size_t count = 0;

	while (count < n && sorted[count] <= limit)
		count++;
	return rms_distance(sorted, count, m);
}

/* Number of ascending values less than y. */
static size_t count_below(const double *rising, size_t n, double y)
{
	size_t below = 0;

	while (n > 0) {
		const size_t half = n / 2;

		if (rising[below + half] < y) {
			below += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return below;
}

/* The map of the header. The good half may be all equal to the median: then the spread of all
 * finite values about it is used, and if that is 0 too, 1. `sorted` is overwritten. */
static void half_rank(struct transform *t, double *sorted, size_t n, size_t finite)
{
	const double m = fmin(quantile(sorted, n, 0.5), sorted[finite - 1]);
	double s = spread(sorted, n, m, m);
	size_t first_bad = 0, distinct = 0;

	if (s == 0)
		s = spread(sorted, n, m, sorted[finite - 1]);
	if (s == 0)
		s = 1;
	while (first_bad < n && sorted[first_bad] <= m)
		first_bad++;
	for (size_t i = first_bad; i < n; i++)
		if (i == first_bad || sorted[i] != sorted[i - 1])
			sorted[first_bad + distinct++] = sorted[i];
	for (size_t i = 0; i < t->n; i++) {
		if (!(t->outcomes[i] > m))
			continue;
		const double k = (double)(distinct - count_below(sorted + first_bad, distinct,
							     t->outcomes[i]));

		t->outcomes[i] = m - s * gsl_cdf_ugaussian_Pinv((k - 0.5) / (2 * (double)distinct));
	}
}

static void clip_above(struct transform *t, double limit)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->outcomes[i] > limit)
			t->outcomes[i] = limit;
}

/* Tukey's fence on the bad side, from the finite values. */
static double fence(const double *sorted, size_t finite)
{
	const double lower = quantile(sorted, finite, 0.25), upper = quantile(sorted, finite, 0.75);

	return fmin(upper + 1.5 * (upper - lower), sorted[finite - 1]);
}

static void warp(
	struct transform *t, enum transform_kind kind, double *sorted, size_t n, size_t finite)
{
	switch (kind) {
	case TRANSFORM_AUTO:
		tuner_assert(!"a transform that is chosen");
		break;
	case TRANSFORM_HALF_RANK:
		half_rank(t, sorted, n, finite);
		break;
	case TRANSFORM_NONE:
		clip_above(t, sorted[finite - 1]);
		break;
	case TRANSFORM_WINSOR:
		clip_above(t, fence(sorted, finite));
		break;
	}
}

/* Mean 0 and variance 1 over the valued trials. If all differences are rounding errors of the
 * values, all outcomes are 0. */
static void standardise(struct transform *t)
{
	double sum = 0, most = 0;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->valued[i]) {
			sum += t->outcomes[i];
			most = fmax(most, fabs(t->outcomes[i]));
			n++;
		}
	t->mean = sum / (double)n;
	t->sd = rms_distance(
		t->outcomes, t->n, t->mean); /* outcomes without a value are still NaN */
	if (t->sd <= 16 * DBL_EPSILON * most)
		t->sd = 0;
	for (size_t i = 0; i < t->n; i++)
		t->outcomes[i] = t->sd > 0 ? (t->outcomes[i] - t->mean) / t->sd : 0;
}

static void add_failures(struct transform *t)
{
	double best = INFINITY, worst = -INFINITY;

	for (size_t i = 0; i < t->n; i++)
		if (t->valued[i]) {
			best = fmin(best, t->outcomes[i]);
			worst = fmax(worst, t->outcomes[i]);
		}
	for (size_t i = 0; i < t->n; i++) {
		t->noise_scales[i] = t->valued[i] ? 1 : TRANSFORM_FAILURE_NOISE;
		if (!t->valued[i])
			t->outcomes[i] = worst + fmax(1, (worst - best) / 2);
	}
}

static int compare_knots(const void *a, const void *b)
{
	const struct knot *x = a, *y = b;
	const int by_outcome = compare_doubles(&x->outcome, &y->outcome);

	return by_outcome ? by_outcome : compare_doubles(&x->value, &y->value);
}

/* One knot per distinct outcome of finite trials. */
static void make_knots(struct transform *t, const double *y)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->valued[i] && isfinite(y[i]))
			t->knots[n++] = (struct knot){ t->outcomes[i], ldexp(y[i], -t->exponent) };
	qsort(t->knots, n, sizeof(*t->knots), compare_knots);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || (t->knots[i].outcome > t->knots[kept - 1].outcome &&
					 t->knots[i].value > t->knots[kept - 1].value))
			t->knots[kept++] = t->knots[i];
	t->n_knots = kept;
	t->unit = t->sd > 0 ? t->sd : ldexp(1, -t->exponent);
}

bool transform_create(enum transform_kind kind, const double *objectives, const bool *failed,
	size_t n, struct transform **ret, struct tuner_error *err)
{
	struct transform *t = calloc(1, sizeof(*t));
	double *sorted = calloc(n + 1, sizeof(*sorted));
	size_t n_valued, finite;
	bool ok = false;

	if (t) {
		t->outcomes = calloc(n + 1, sizeof(*t->outcomes));
		t->noise_scales = calloc(n + 1, sizeof(*t->noise_scales));
		t->valued = calloc(n + 1, sizeof(*t->valued));
		t->knots = calloc(n + 1, sizeof(*t->knots));
	}
	if (!t || !sorted || !t->outcomes || !t->noise_scales || !t->valued || !t->knots) {
		tuner_fail_memory(err);
		goto out;
	}
	t->n = n;
	for (size_t i = 0; i < n; i++)
		t->valued[i] = !(failed && failed[i]) && !isnan(objectives[i]);
	t->exponent = common_exponent(objectives, t->valued, n);
	n_valued = collect(t, objectives, sorted, &finite);
	if (t->n_finite > 0) {
		warp(t, kind, sorted, n_valued, finite);
		standardise(t);
		add_failures(t);
	} else {
		for (size_t i = 0; i < n; i++) {
			t->outcomes[i] = 0;
			t->noise_scales[i] = t->valued[i] ? 1 : TRANSFORM_FAILURE_NOISE;
		}
	}
	make_knots(t, objectives);
	*ret = t;
	t = NULL;
	ok = true;
out:
	free(sorted);
	transform_destroy(t);
	return ok;
}

void transform_destroy(struct transform *t)
{
	if (!t)
		return;
	free(t->outcomes);
	free(t->noise_scales);
	free(t->valued);
	free(t->knots);
	free(t);
}

void transform_scale(struct transform *t, double factor)
{
	for (size_t i = 0; i < t->n; i++)
		t->outcomes[i] *= factor;
	for (size_t i = 0; i < t->n_knots; i++)
		t->knots[i].outcome *= factor;
	t->unit /= factor;
}

const double *transform_outcomes(const struct transform *t)
{
	return t->outcomes;
}

const double *transform_noise_scales(const struct transform *t)
{
	return t->noise_scales;
}

const bool *transform_valued(const struct transform *t)
{
	return t->valued;
}

size_t transform_n_finite(const struct transform *t)
{
	return t->n_finite;
}

/* Beyond the knots: on the good side the transform is the identity, so the slope is the sd; on the
 * bad side the last segment continues. */
static double scaled_value(const struct transform *t, double outcome)
{
	const struct knot *first = t->knots, *last = t->knots + t->n_knots - 1;

	if (t->n_knots == 0)
		return outcome * t->unit;
	if (outcome <= first->outcome || t->n_knots == 1)
		return first->value + (outcome - first->outcome) * t->unit;

	const struct knot *b = first + 1;

	while (b < last && b->outcome < outcome)
		b++;
	const struct knot *a = b - 1;
	const double slope = (b->value - a->value) / (b->outcome - a->outcome);

	/* From the nearer knot, so that the knots themselves come out exactly. */
	if (b->outcome - outcome < outcome - a->outcome)
		return b->value + (outcome - b->outcome) * slope;
	return a->value + (outcome - a->outcome) * slope;
}

double transform_to_user(const struct transform *t, double outcome)
{
	return ldexp(scaled_value(t, outcome), t->exponent);
}

double transform_slope(const struct transform *t, double outcome, double reach)
{
	const double h = fmax(reach, 1e-6);
	const double rise = scaled_value(t, outcome + h) - scaled_value(t, outcome - h);

	return ldexp(rise / (2 * h), t->exponent);
}

double transform_gain_slope(const struct transform *t, double incumbent, double sd)
{
	return transform_slope(t, incumbent - sd / 2, sd / 2);
}

void transform_prediction(
	const struct transform *t, double mean, double sd, double *ret_mean, double *ret_sd)
{
	*ret_mean = transform_to_user(t, mean);
	*ret_sd = sd * transform_slope(t, mean, sd);
}
