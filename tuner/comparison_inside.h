/* Shared by the files of a comparison (comparison.h). */
#ifndef TUNER_COMPARISON_INSIDE_H
#define TUNER_COMPARISON_INSIDE_H

#include "tuner/comparison.h"

#define COMPARISON_LEVEL 0.95
#define COMPARISON_POWER 0.8

/* What random numbers are for, by number: a statistic keeps its own, so that adding one changes no other. Time and money
 * share theirs: at one price they are one. */
enum comparison_draw {
	DRAW_FINAL = 1,
	DRAW_AREA,
	DRAW_SPENDING_AREA,
	DRAW_SPENDING_FINAL,
	DRAW_SPEED_UP = 9,
	DRAW_SPENDING_SPEED_UP,
	DRAW_BAND = 20, /* and the arm's index */
};

/* That a is better than b, or b is none (NaN). */
bool comparison_is_better(const struct comparison *comparison, double a, double b);

/* The search of an arm in the i-th repeat that is compared; and how many of its trials count over time and money. */
const struct run_curve *comparison_run(
	const struct comparison *comparison, const struct compared_arm *arm, size_t i);
size_t comparison_trials(const struct comparison *comparison, const struct run_curve *run);

/* The largest of a sign for an infinite one: three thirds of the largest number may be rounded up. */
double comparison_number(double value);

/* a - b; of two that lie further apart than any number is the largest one: two infinite differences would have neither a mean nor a p-value. */
double comparison_difference(double a, double b);

/* Of one difference a repeat, already with the sign that makes the first arm's lead positive. */
TUNER_MUST_CHECK
bool comparison_estimate(const double *differences, size_t n, enum comparison_draw draw,
	struct estimate *ret, struct tuner_error *err);

/* comparison_spending.c: a contrast's part over time or money. */
TUNER_MUST_CHECK
bool comparison_spend(const struct comparison *comparison, enum axis axis, struct contrast *ret,
	struct tuner_error *err);

#endif
