/* The hypervolume that a job's results have covered, result by result (surrogate/pareto.h).
 *
 * The reference point is, of each objective, the worst result made worse by a tenth of the results'
 * range, or by 1 where all are equal. It follows from all results, so a later one may move it: only
 * volumes of one reading can be compared. */
#ifndef TUNER_HYPERVOLUME_H
#define TUNER_HYPERVOLUME_H

#include "tuner/trial_report.h"

/* A result by which the volume rose. */
struct hypervolume_step {
	int64_t finished; /* results up to this one, in the order in which they ended */
	int64_t trial; /* its number */
	double volume; /* from this one on, in the product of the objectives' units */
};

struct hypervolume {
	double reference[GOALS_MAX]; /* in the user's sign */
	double box; /* the volume between the reference and a result as good as the best in every
		       objective, which none may be */
	struct hypervolume_step *steps;
	size_t n;
	size_t results; /* all done trials */
	size_t left_out; /* of these, those that a volume cannot count: an objective is infinite
			    or beyond 1e75, whose fourth power a double still holds */
};

/* Of a job with several objectives. Each step takes the time of one hypervolume of those on the front
 * that lie near it: 0.2 s for three thousand steps of four objectives. */
TUNER_MUST_CHECK
bool hypervolume_read(
	const struct report *report, struct hypervolume *ret, struct tuner_error *err);
/* The same of these results, in the order in which they ended. */
TUNER_MUST_CHECK
bool hypervolume_measure(const struct goals *goals, const struct trial_list *results,
	struct hypervolume *ret, struct tuner_error *err);

/* The same of each of n lists, below one reference that follows from all of them. */
TUNER_MUST_CHECK
bool hypervolume_measure_all(const struct goals *goals, const struct trial_list *const *lists,
	size_t n, struct hypervolume *ret, struct tuner_error *err);
void hypervolume_finish(struct hypervolume *volume); /* zeroed: does nothing */

/* {"reference": [...], "left_out": 0, "steps": [{"finished", "trial", "volume"}, ...]}; JSON's null
 * if no result counts. NULL without memory. */
cJSON *hypervolume_json(const struct report *report, const struct hypervolume *volume);

#endif
