#include "tuner/comparison_figure.h"

#include "tuner/chart.h"

#include <stdlib.h>

bool comparison_figure_has(const struct comparison *comparison, size_t t)
{
	const size_t points = comparison->n_arms * comparison->length;
	const size_t every = (points + COMPARISON_POINTS_MAX - 1) / COMPARISON_POINTS_MAX;

	return t == 0 || (t + 1) % every == 0 || t + 1 == comparison->length;
}

/* Returns how many, 0 after an error. */
static size_t fill(const struct comparison *comparison, size_t arm, double *x, double *y,
	double *low, double *high, struct tuner_error *err)
{
	size_t n = 0;

	for (size_t t = 0; t < comparison->length; t++) {
		struct interval interval;
		if (!comparison_figure_has(comparison, t))
			continue;
		if (!comparison_band(comparison, arm, t, &y[n], &interval, err))
			return 0;
		x[n] = (double)t + 1;
		low[n] = interval.low;
		high[n++] = interval.high;
	}
	return n;
}

bool comparison_figure(
	const struct comparison *comparison, struct text *ret, struct tuner_error *err)
{
	const size_t n_arms = comparison->n_arms, length = comparison->length;
	const bool bands = comparison->n_repeats > 1;
	struct chart_series *series = calloc(n_arms, sizeof(*series));
	double *values = calloc(4 * n_arms * length, sizeof(*values));
	struct text title = TEXT_EMPTY;
	bool ok = (series != NULL && values != NULL) || tuner_fail_memory(err);

	for (size_t a = 0; ok && a < n_arms; a++) {
		double *x = values + 4 * a * length;
		const size_t n =
			fill(comparison, a, x, x + length, x + 2 * length, x + 3 * length, err);
		ok = n > 0;
		series[a] = (struct chart_series){ .name = comparison->arms[a].name,
			.n = n,
			.x = x,
			.y = x + length,
			.low = bands ? x + 2 * length : NULL,
			.high = bands ? x + 3 * length : NULL };
	}
	text_print(&title, "Mean best of %zu repeat%s%s", comparison->n_repeats,
		comparison->n_repeats == 1 ? "" : "s", bands ? ", with 95 % intervals" : "");
	ok = ok && (!text_failed(&title) || tuner_fail_memory(err));
	if (ok) {
		const struct chart chart = { .title = title.bytes,
			.x_label = "trials",
			.y_label = comparison->metric,
			.series = series,
			.n_series = n_arms };
		chart_svg(&chart, ret);
		ok = !text_failed(ret) || tuner_fail_memory(err);
	}
	text_finish(&title);
	free(series);
	free(values);
	return ok;
}
