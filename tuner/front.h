/* A job's best trials: with several objectives its Pareto front, the done trials that no other one
 * surpasses (surrogate/pareto.h). */
#ifndef TUNER_FRONT_H
#define TUNER_FRONT_H

#include "tuner/trial_report.h"

struct front {
	struct trial_list trials; /* best first by the first objective, then by number */
	size_t among; /* done trials; 0 of front_read_best with one objective */
};

/* With one objective: the trials with the best one. */
TUNER_MUST_CHECK
bool front_read(const struct report *report, struct front *ret, struct tuner_error *err);
void front_finish(struct front *front); /* zeroed: does nothing */

/* The trial with this number; NULL: it is not on the front. */
const struct trial *front_trial(const struct front *front, int64_t number);

/* The same, but with one objective only the first of the best trials is there. */
TUNER_MUST_CHECK
bool front_read_best(const struct report *report, struct front *ret, struct tuner_error *err);

/* Whether the trial with this number is one of front_read_best. */
TUNER_MUST_CHECK
bool front_holds(const struct report *report, int64_t number, bool *ret, struct tuner_error *err);

/* Appends the ids of the trials on a job's front as a JSON array; with one objective, []. */
TUNER_MUST_CHECK
bool front_ids(struct store *store, int64_t job_id, struct text *ret, struct tuner_error *err);

/* Appends "3, 7, 12", cut after some. */
void front_numbers(const struct front *front, struct text *ret);

#endif
