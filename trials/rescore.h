/* Scoring the trials of a job by another objective, from what they have reported: facts stay as they are, and what is
 * newer than they is an event of its own.
 *
 *     job_add_objective_version -> trial_rescore for every ended trial that changes -> job_rescored
 *
 * all in one transaction. Afterwards trial.objective, its state and its outcome are what the newest version gives, and
 * every trial has that version. What a trial was under an earlier one is told by the events, taken back one after the
 * other. */
#ifndef TRIALS_RESCORE_H
#define TRIALS_RESCORE_H

#include "trials/trial.h"

/* What an ended trial is by an objective. */
struct score {
	enum trial_state state; /* DONE, FAILED or STOPPED */
	enum outcome outcome; /* the trial's */
	double objective; /* NaN: none */
};

/* A trial's new score, and the one that it had. */
struct rescoring {
	int64_t trial_id, event;
	int64_t version; /* id of the objective version that it is by */
	struct score now, before;
};

/* The next version of the job's objective, from now on in force. *ret_version is its id. */
TUNER_MUST_CHECK
bool job_add_objective_version(struct store *store, int64_t job_id, const char *metric,
	const char *goal, const char *definition, int64_t now_us, int64_t *ret_version,
	struct tuner_error *err);

/* The objective's metric or formula, and its definition, when event `event` was added. The caller frees. */
TUNER_MUST_CHECK
bool job_objective_at(struct store *store, int64_t job_id, int64_t event, char **ret_metric,
	char **ret_definition, struct tuner_error *err);

/* An ended trial's new score, with the event "rescored". */
TUNER_MUST_CHECK
bool trial_rescore(struct store *store, const struct trial *trial, int64_t version,
	const struct score *score, int64_t now_us, struct tuner_error *err);

/* The end: every trial has the version, and what it keeps of the objective's curve (metric_count, last_step, last_value,
 * best_value) is that of the version's metric; the job's event "rescored". */
TUNER_MUST_CHECK
bool job_rescored(struct store *store, int64_t job_id, int64_t version, int64_t now_us,
	struct tuner_error *err);

/* Id of the job's last event "rescored"; 0: there is none. */
TUNER_MUST_CHECK
bool job_last_rescored(struct store *store, int64_t job_id, int64_t *ret, struct tuner_error *err);

/* Those of a job, in the order of their events. The caller frees *ret. */
TUNER_MUST_CHECK
bool trial_rescorings(struct store *store, int64_t job_id, struct rescoring **ret, size_t *ret_n,
	struct tuner_error *err);

/* Makes an ended trial what it was by version `version` (an id) and, where its end was taken back in event
 * `taken_back` (0: it stands), before that. */
void rescorings_undo(const struct rescoring *rescorings, size_t n, int64_t version,
	int64_t taken_back, struct trial *trial);

#endif
