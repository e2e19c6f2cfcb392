/* Shared by the files of a comparison (comparison.h). */
#ifndef TUNER_COMPARISON_INSIDE_H
#define TUNER_COMPARISON_INSIDE_H

#include "tuner/comparison.h"

#define COMPARISON_LEVEL 0.95
#define COMPARISON_POWER 0.8

/* The purposes of random numbers: each statistic has its own stream, so that adding one changes no
 * other. Time and money share theirs, because at a single price they are the same. */
enum comparison_draw {
	DRAW_FINAL = 1,
	DRAW_AREA,
	DRAW_SPENDING_AREA,
	DRAW_SPENDING_FINAL,
	DRAW_SPEED_UP = 9,
	DRAW_SPENDING_SPEED_UP,
	DRAW_BAND = 20, /* and the arm's index */
};

/* Whether a is better than b, or b is missing (NaN). */
bool comparison_is_better(const struct comparison *comparison, double a, double b);

/* The arm's search in the i-th compared repeat; and the number of its trials that count over time
 * and money. */
const struct run_curve *comparison_run(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i);
size_t comparison_trials(const struct comparison *comparison, const struct run_curve *run);

/* Replaces an infinite value by the largest double of its sign: three thirds of the largest double
 * may round up to infinity. */
double comparison_number(double value);

/* a - b, or the largest double of its sign on overflow: infinite differences would have neither a
 * mean nor a p-value. */
double comparison_difference(double a, double b);

/* Estimates from one difference per repeat, already signed so that the first arm's lead is
 * positive. */
TUNER_MUST_CHECK
bool comparison_estimate(const double *differences, size_t n, enum comparison_draw draw,
	struct estimate *ret, struct tuner_error *err);

/* comparison_spending.c: fills a contrast's part over time or money. */
TUNER_MUST_CHECK
bool comparison_spend(const struct comparison *comparison, enum axis axis, struct contrast *ret,
	struct tuner_error *err);

#endif
