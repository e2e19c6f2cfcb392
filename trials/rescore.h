/* Scores the trials of a job by another objective, from the metrics that they reported. Recorded
 * facts stay as they are; new scores are events of their own.
 *
 *     job_add_objective_version -> trial_rescore for each ended trial that changes -> job_rescored
 *
 * all in one transaction. Afterwards a trial's objective, state and outcome are those of the newest
 * version, and every trial has that version. What a trial was under an earlier version follows by
 * undoing the events, newest first. */
#ifndef TRIALS_RESCORE_H
#define TRIALS_RESCORE_H

#include "trials/trial.h"

/* The score of an ended trial by an objective. */
struct score {
	enum trial_state state; /* DONE, FAILED or STOPPED */
	enum outcome outcome; /* the trial's */
	double objective; /* NaN: none */
	struct judgement judgement; /* n 0: none */
};

/* A trial's new score, and its previous one. */
struct rescoring {
	int64_t trial_id, event;
	int64_t version; /* id of the objective version of the new score */
	struct score now, before;
};

/* Adds the next version of the job's objective, in force from now on. *ret_version is its id. */
TUNER_MUST_CHECK
bool job_add_objective_version(struct store *store, int64_t job_id, const char *metric,
	const char *goal, const char *definition, int64_t now_us, int64_t *ret_version,
	struct tuner_error *err);

/* Ids of the job's own events "rescored", in their order: each began the next version of its
 * objective. The caller frees *ret. */
TUNER_MUST_CHECK
bool job_rescorings(
	struct store *store, int64_t job_id, int64_t **ret, size_t *ret_n, struct tuner_error *err);

/* The objective's metric or formula, and its definition, as they were when event `event` was added,
 * by the ids of job_rescorings: they take a walk over all events. The caller frees. */
TUNER_MUST_CHECK
bool job_objective_at(struct store *store, int64_t job_id, const int64_t *rescorings, size_t n,
	int64_t event, char **ret_metric, char **ret_definition, struct tuner_error *err);

/* Sets an ended trial's new score, with the event "rescored". `message`: of a trial over a limit,
 * which limits; NULL for others. */
TUNER_MUST_CHECK
bool trial_rescore(struct store *store, const struct trial *trial, int64_t version,
	const struct score *score, const char *message, int64_t now_us, struct tuner_error *err);

/* Completes the rescoring: sets the version of every trial, and its summary of the objective's
 * curve (metric_count, last_step, last_value, best_value) from the version's metric; adds the job's
 * event "rescored". */
TUNER_MUST_CHECK
bool job_rescored(struct store *store, int64_t job_id, int64_t version, int64_t now_us,
	struct tuner_error *err);

/* Id of the job's last event "rescored"; 0: there is none. */
TUNER_MUST_CHECK
bool job_last_rescored(struct store *store, int64_t job_id, int64_t *ret, struct tuner_error *err);

/* The rescorings of a job's trials, in the order of their events. The caller frees *ret. */
TUNER_MUST_CHECK
bool trial_rescorings(struct store *store, int64_t job_id, struct rescoring **ret, size_t *ret_n,
	struct tuner_error *err);

/* Turns an ended trial into what it was by version `version` (an id) and, if its end was taken back
 * by event `taken_back` (0: it was not), before that event. */
void rescorings_undo(const struct rescoring *rescorings, size_t n, int64_t version,
	int64_t taken_back, struct trial *trial);

#endif
