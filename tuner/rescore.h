/* Another objective for a job that has run: every ended trial is scored by it from what it reported, and nothing is
 * trained again. */
#ifndef TUNER_RESCORE_H
#define TUNER_RESCORE_H

#include "trials/rescore.h"
#include "tuner/jobfile.h"

/* What an objective makes of the trials of a job. */
struct rescored_trial {
	struct trial trial; /* as it stands in the database */
	struct score score;
	bool complete; /* all of the objective's metrics were reported */
	bool unlaunched; /* asked for and told, or observed elsewhere: nothing can launch it again */
};

struct rescored_list {
	struct rescored_trial *items; /* the ended ones, by number */
	size_t n;
	size_t done, lost, gained,
		missing; /* with an objective; without one any more, or now; of those
					       without, that a metric is missing of */
	size_t unlaunched; /* of the latter */
	char missing_metrics[200]; /* of the first of them */
};

/* The job's file with this change of its objective: `sets` are --set KEY=VALUE under "objective" (n 0: `from`'s
 * objective as a whole). TUNER_USAGE says what is wrong with it. */
TUNER_MUST_CHECK
bool rescore_file(const struct job *job, const char *const *sets, size_t n_sets,
	const struct job_file *from, struct job_file **ret, struct tuner_error *err);

/* Scores the ended trials; changes nothing. */
TUNER_MUST_CHECK
bool rescore_trials(struct store *store, const struct job *job, const struct job_file *file,
	struct rescored_list *ret, struct tuner_error *err);
void rescored_list_finish(struct rescored_list *list);

/* Makes `file`'s objective the job's, in the open transaction; the list is by it. */
TUNER_MUST_CHECK
bool rescore_store(struct store *store, const struct job *job, const struct job_file *file,
	const struct rescored_list *list, int64_t now_us, struct tuner_error *err);

#endif
