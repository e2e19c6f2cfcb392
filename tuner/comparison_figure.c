#include "tuner/comparison_figure.h"

#include "tuner/chart.h"

#include <stdlib.h>

static bool fill(const struct comparison *comparison, size_t arm, double *x, double *y, double *low,
	double *high, struct tuner_error *err)
{
	for (size_t t = 0; t < comparison->length; t++) {
		struct interval interval;
		if (!comparison_band(comparison, arm, t, &y[t], &interval, err))
			return false;
		x[t] = (double)t + 1;
		low[t] = interval.low;
		high[t] = interval.high;
	}
	return true;
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
		ok = fill(comparison, a, x, x + length, x + 2 * length, x + 3 * length, err);
		series[a] = (struct chart_series){ .name = comparison->arms[a].name,
			.n = length,
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
