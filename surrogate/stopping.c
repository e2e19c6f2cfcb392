#include "surrogate/stopping.h"

#include "base/number.h"

#include <gsl/gsl_math.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include <stdio.h>
#include <stdlib.h>

const char *stopping_rule_name(enum stopping_rule rule)
{
	static const char *const names[] = {
		[STOPPING_NONE] = "none",
		[STOPPING_MEDIAN] = "median",
		[STOPPING_THRESHOLD] = "threshold",
		[STOPPING_ASHA] = "asha",
	};

	return names[rule];
}

bool stopping_check(const struct stopping_settings *settings, struct tuner_error *err)
{
	const struct stopping_settings *s = settings;

	if (!(s->max_step >= 0 && isfinite(s->max_step)))
		return tuner_fail(err, TUNER_USAGE, "max_step must be 0 or more");
	if (!(s->grace >= 0 && isfinite(s->grace)))
		return tuner_fail(err, TUNER_USAGE, "grace must be 0 or more");
	if (!(s->margin >= 0))
		return tuner_fail(err, TUNER_USAGE, "margin must be 0 or more");
	if (s->rule == STOPPING_THRESHOLD && !isfinite(s->bound))
		return tuner_fail(err, TUNER_USAGE, "threshold needs a finite bound");
	if (s->min_step != 0 && !(s->min_step >= 1 && isfinite(s->min_step)))
		return tuner_fail(err, TUNER_USAGE, "min_step must be 1 or more");
	if (s->eta != 0 && !(s->eta >= 2 && isfinite(s->eta)))
		return tuner_fail(err, TUNER_USAGE, "eta must be 2 or more");
	return true;
}

/* ---- Curves ---- */

/* The order of badness: NaN is as bad as infinity. */
static double badness(double value)
{
	return isnan(value) ? GSL_POSINF : value;
}

static double last_step(const struct learning_curve *curve)
{
	return curve->n > 0 ? curve->steps[curve->n - 1] : GSL_NEGINF;
}

/* Number of reports before `step`. */
static size_t count_before(const struct learning_curve *curve, double step)
{
	size_t low = 0, high = curve->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (curve->steps[middle] < step)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Number of reports up to `step`, at least the first. */
static size_t count_up_to(const struct learning_curve *curve, double step)
{
	const size_t before = count_before(curve, step);
	const size_t n = before + (before < curve->n && curve->steps[before] == step);

	return n > 0 ? n : 1;
}

/* Value of the last report up to `step`, which must exist. */
static double value_up_to(const struct learning_curve *curve, double step)
{
	return badness(curve->values[count_up_to(curve, step) - 1]);
}

/* Value of the first report from `step` on, which must exist. */
static double value_from(const struct learning_curve *curve, double step)
{
	return badness(curve->values[count_before(curve, step)]);
}

static double add_up(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += badness(values[i]);
	return sum;
}

/* Mean of the reports up to `step`, at least the first. An infinite mean is bad, and so is NaN
 * (from +inf and -inf). */
static double running_average(const struct learning_curve *curve, double step)
{
	const size_t n = count_up_to(curve, step);
	const double sum = curve->sums != NULL ? curve->sums[n - 1] : add_up(curve->values, n);

	return badness(sum / (double)n);
}

static double best_value(const struct learning_curve *curve)
{
	double best = GSL_POSINF;

	if (curve->sums != NULL)
		return curve->best;
	for (size_t i = 0; i < curve->n; i++)
		best = fmin(best, badness(curve->values[i]));
	return best;
}

/* Adds in the same order as add_up, so the sums are equal to the bit. */
double stopping_add_up(const double *values, size_t n, double *ret_sums)
{
	double sum = 0, best = GSL_POSINF;

	for (size_t i = 0; i < n; i++) {
		sum += badness(values[i]);
		best = fmin(best, badness(values[i]));
		ret_sums[i] = sum;
	}
	return best;
}

/* ---- The case before the judge ---- */

struct hearing {
	struct stopping_settings settings; /* defaults filled in */
	const struct learning_curve *trial, *others;
	size_t n_others;
	double *sorted; /* room for a value of each curve, this trial's included */
	struct stopping_verdict *verdict;
};

static double default_max_step(const struct learning_curve *others, size_t n_others)
{
	double max_step = 0;

	for (size_t i = 0; i < n_others; i++)
		if (others[i].finished)
			max_step = fmax(max_step, last_step(&others[i]));
	return max_step;
}

static void fill_in(struct hearing *h)
{
	struct stopping_settings *s = &h->settings;

	if (s->max_step == 0)
		s->max_step = default_max_step(h->others, h->n_others);
	if (s->grace == 0)
		s->grace = fmax(1, 0.1 * s->max_step);
	if (s->min_curves == 0)
		s->min_curves = 5;
	if (s->no_top)
		s->top = 0;
	else if (s->top == 0)
		s->top = 3;
	if (s->patience == 0)
		s->patience = 2;
	if (s->min_step == 0)
		s->min_step = s->grace;
	if (s->eta == 0)
		s->eta = 3;
}

TUNER_PRINTF(3, 4)
static void decide(struct hearing *h, bool stop, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	h->verdict->stop = stop;
	vsnprintf(h->verdict->reason, sizeof h->verdict->reason, format, args);
	va_end(args);
}

/* A value in the user's sign. */
static double shown(const struct hearing *h, double value)
{
	return h->settings.negated ? 0 - value : value;
}

static bool is_incumbent(const struct hearing *h)
{
	double best_other = GSL_POSINF;

	for (size_t i = 0; i < h->n_others; i++)
		best_other = fmin(best_other, best_value(&h->others[i]));
	return best_value(h->trial) <= best_other;
}

/* For the rules that compare reports: true if there are enough reports, and the last ones are late
 * enough for the rule to hold. */
static bool is_late(const struct hearing *h, size_t reports)
{
	const struct learning_curve *trial = h->trial;

	return trial->n >= reports && trial->steps[trial->n - reports] > h->settings.grace;
}

/* ---- threshold ---- */

static void judge_threshold(struct hearing *h)
{
	const struct stopping_settings *s = &h->settings;
	const struct learning_curve *trial = h->trial;
	const double bound = s->bound + s->margin;

	if (!is_late(h, s->patience)) {
		decide(h, false, "threshold: too early to judge");
		return;
	}
	for (size_t i = trial->n - s->patience; i < trial->n; i++)
		if (badness(trial->values[i]) <= bound) {
			decide(h, false, "threshold: %g at step %g is within the bound",
				shown(h, trial->values[i]), trial->steps[i]);
			return;
		}
	decide(h, true,
		"threshold: %g at step %g is worse than the bound %g, %zu report%s in a row",
		shown(h, trial->values[trial->n - 1]), last_step(trial), shown(h, s->bound),
		s->patience, s->patience == 1 ? "" : "s");
}

/* ---- median ---- */

static size_t count_finished(const struct hearing *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_others; i++)
		n += h->others[i].finished;
	return n;
}

/* How report i compares with the other curves at its step. */
struct comparison {
	size_t n; /* others that reached the step */
	size_t n_better; /* those of them with a better value there */
	double median; /* median of their running averages */
};

static struct comparison compare_at(struct hearing *h, size_t i)
{
	const double step = h->trial->steps[i], value = badness(h->trial->values[i]);
	struct comparison c = { 0 };

	for (size_t k = 0; k < h->n_others; k++) {
		const struct learning_curve *other = &h->others[k];

		if (last_step(other) < step)
			continue;
		h->sorted[c.n++] = running_average(other, step);
		c.n_better += value_up_to(other, step) < value;
	}
	gsl_sort(h->sorted, 1, c.n);
	c.median = c.n > 0 ? badness(gsl_stats_median_from_sorted_data(h->sorted, 1, c.n))
			   : GSL_POSINF;
	return c;
}

/* True if report i is a reason to continue; then the verdict is set. */
static bool passes_median(struct hearing *h, size_t i)
{
	const struct stopping_settings *s = &h->settings;
	const double step = h->trial->steps[i], value = badness(h->trial->values[i]);
	const struct comparison c = compare_at(h, i);

	if (value <= c.median + s->margin)
		decide(h, false, "median: %g at step %g is not worse than the median %g of %zu",
			shown(h, value), step, shown(h, c.median), c.n);
	else if (c.n_better < s->top)
		decide(h, false, "median: %g at step %g is among the best %zu", shown(h, value),
			step, s->top);
	else
		return false;
	return true;
}

static void judge_median(struct hearing *h)
{
	const struct stopping_settings *s = &h->settings;
	const struct learning_curve *trial = h->trial;
	const size_t last = trial->n - 1, finished = count_finished(h);

	if (finished < s->min_curves) {
		decide(h, false, "median: %zu of %zu full curves to compare with", finished,
			s->min_curves);
		return;
	}
	if (!is_late(h, s->patience)) {
		decide(h, false, "median: too early to judge");
		return;
	}
	if (is_incumbent(h)) {
		decide(h, false, "median: this trial has the best value so far");
		return;
	}
	for (size_t i = trial->n - s->patience; i < trial->n; i++)
		if (passes_median(h, i))
			return;

	const struct comparison c = compare_at(h, last);

	decide(h, true,
		"median: %g at step %g is worse than %g, the median of %zu running averages, "
		"%zu report%s in a row",
		shown(h, trial->values[last]), trial->steps[last], shown(h, c.median), c.n,
		s->patience, s->patience == 1 ? "" : "s");
}

/* ---- asha ---- */

struct rung {
	double step;
	double quantile; /* the part of the trials that continues */
};

/* The highest rung that `step` has reached: round(min_step eta^k), below max_step (if it is known).
 * False if there is none. The part that continues is this rung divided by the next, or by
 * max_step. */
static bool find_rung(const struct stopping_settings *s, double step, struct rung *ret)
{
	const double end = s->max_step > 0 ? s->max_step : GSL_POSINF;
	double width = s->min_step;
	bool found = false;

	for (;;) {
		const double here = round(width), next = fmin(round(width * s->eta), end);

		if (here > step || here >= end)
			return found;
		*ret = (struct rung){ .step = here, .quantile = here / next };
		found = true;
		width *= s->eta;
	}
}

/* The rung's values, sorted, with this trial's own. Returns their number. */
static size_t fill_rung(struct hearing *h, double step)
{
	size_t n = 0;

	h->sorted[n++] = value_from(h->trial, step);
	for (size_t k = 0; k < h->n_others; k++)
		if (last_step(&h->others[k]) >= step)
			h->sorted[n++] = value_from(&h->others[k], step);
	gsl_sort(h->sorted, 1, n);
	return n;
}

static size_t count_below(const double *sorted, size_t n, double value)
{
	size_t k = 0;

	while (k < n && sorted[k] < value)
		k++;
	return k;
}

static void judge_asha(struct hearing *h)
{
	const struct stopping_settings *s = &h->settings;
	struct rung rung = { 0 };

	if (!find_rung(s, last_step(h->trial), &rung)) {
		decide(h, false, "asha: below the first rung, step %g", round(s->min_step));
		return;
	}

	const double value = value_from(h->trial, rung.step);
	const size_t n = fill_rung(h, rung.step);
	const double quantile =
		badness(gsl_stats_quantile_from_sorted_data(h->sorted, 1, n, rung.quantile));

	if (n < s->min_curves)
		decide(h, false, "asha: %zu of %zu trials at rung %g", n, s->min_curves, rung.step);
	else if (value <= quantile + s->margin)
		decide(h, false, "asha: %g at rung %g is within the best %.0f %% of %zu",
			shown(h, value), rung.step, 100 * rung.quantile, n);
	else if (count_below(h->sorted, n, value) < s->top)
		decide(h, false, "asha: %g at rung %g is among the best %zu", shown(h, value),
			rung.step, s->top);
	else if (is_incumbent(h))
		decide(h, false, "asha: this trial has the best value so far");
	else
		decide(h, true,
			"asha: %g at rung %g is worse than %g, that of the best %.0f %% of %zu",
			shown(h, value), rung.step, shown(h, quantile), 100 * rung.quantile, n);
}

/* ---- All rules ---- */

static void judge(struct hearing *h)
{
	const struct learning_curve *trial = h->trial;

	if (h->settings.rule == STOPPING_NONE || trial->n == 0) {
		decide(h, false, "%s", trial->n == 0 ? "no report yet" : "no rule");
		return;
	}
	if (badness(trial->values[trial->n - 1]) == GSL_POSINF) {
		char text[NUMBER_TEXT];

		decide(h, true, "%s: the value at step %g is %s",
			stopping_rule_name(h->settings.rule), last_step(trial),
			number_from_double(shown(h, trial->values[trial->n - 1]), text));
		return;
	}
	switch (h->settings.rule) {
	case STOPPING_NONE:
		break;
	case STOPPING_MEDIAN:
		judge_median(h);
		break;
	case STOPPING_THRESHOLD:
		judge_threshold(h);
		break;
	case STOPPING_ASHA:
		judge_asha(h);
		break;
	}
}

bool stopping_judge(const struct stopping_settings *settings, const struct learning_curve *trial,
	const struct learning_curve *others, size_t n_others, struct stopping_verdict *ret,
	struct tuner_error *err)
{
	if (!stopping_check(settings, err))
		return false;

	struct hearing h = {
		.settings = *settings,
		.trial = trial,
		.others = others,
		.n_others = n_others,
		.sorted = calloc(n_others + 1, sizeof *h.sorted),
		.verdict = ret,
	};

	if (h.sorted == NULL)
		return tuner_fail_memory(err);
	fill_in(&h);
	judge(&h);
	free(h.sorted);
	return true;
}
