/* Changes the objective of a job that has run: every ended trial is scored from what it reported,
 * and nothing is trained again. */
#ifndef TUNER_RESCORE_H
#define TUNER_RESCORE_H

#include "trials/rescore.h"
#include "tuner/jobfile.h"

/* A trial of the job, and its score by the new objective. */
struct rescored_trial {
	struct trial trial; /* as in the database */
	struct score score;
	char *message; /* of a trial over a limit: which limits; NULL for others */
	bool complete; /* all of the objective's metrics were reported */
	bool unlaunched; /* asked for and told, or observed elsewhere: it cannot be launched
			    again */
};

struct rescored_list {
	struct rescored_trial *items; /* the ended ones, by number */
	size_t n;
	size_t done, lost, gained,
		missing; /* with an objective; no longer with one; newly with one; without one
			    because a metric is missing */
	size_t over; /* over a limit */
	size_t unlaunched; /* of the last */
	char missing_metrics[200]; /* of the first of these */
};

/* Makes the job's file with its objective changed: `sets` are KEY=VALUE pairs under "objective"
 * (n_sets 0: the whole objective of `from`, the edited file, with the metrics that are new there, and
 * without what goes by one best trial if that has several). TUNER_USAGE says what is wrong with it. */
TUNER_MUST_CHECK
bool rescore_file(const struct job *job, const char *const *sets, size_t n_sets,
	const struct job_file *from, struct job_file **ret, struct tuner_error *err);

/* Scores the ended trials, without changing anything. */
TUNER_MUST_CHECK
bool rescore_trials(struct store *store, const struct job *job, const struct job_file *file,
	struct rescored_list *ret, struct tuner_error *err);
void rescored_list_finish(struct rescored_list *list);

/* Makes `file`'s objective the job's, in the open transaction; the list has the scores by it. */
TUNER_MUST_CHECK
bool rescore_store(struct store *store, const struct job *job, const struct job_file *file,
	const struct rescored_list *list, int64_t now_us, struct tuner_error *err);

/* Whether a job of this file has recorded the metric wherever a trial reported it by a pattern. */
bool rescore_looked_for(const struct job_file *file, const char *metric);

#endif
