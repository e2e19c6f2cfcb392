/* Retrains a search's best trials with other seeds, to learn what they are worth: the best of many
 * noisy results is partly luck.
 *
 * The repeats are trials of a job of their own, JOB-confirm, in the same database. Its file is the
 * search's, except that nothing is proposed: "first" lists each configuration as often as it is to
 * be trained, the budget is that number of trials, and the seed, which determines TUNER_SEED,
 * differs. `tuner run` runs it like any job.
 *
 *     confirmation_plan -> [job_open, run] -> confirmation_read -> ... -> confirmation_finish */
#ifndef TUNER_CONFIRMATION_H
#define TUNER_CONFIRMATION_H

#include "surrogate/two_groups.h"
#include "tuner/edits.h"
#include "tuner/jobfile.h"
#include "tuner/trial_report.h"

enum { CONFIRM_TOP_MAX = 50, CONFIRM_REPEATS_MAX = 1000, CONFIRMED_MAX = 200 };

struct confirmed {
	int64_t trial; /* the search's best trial with this configuration */
	bool is_default; /* the first configuration that a person gave */
	char *parameters; /* JSON, as the job's queue has it */
	double seen; /* the search's objective; NaN: none, or of another objective than the
			repeats' */
	/* Of the repeats that have ended: */
	size_t ended;
	double *values; /* the finite objectives, in the order of their trials' numbers */
	size_t n;
	/* NaN without a value; for a single value the interval is (-inf, +inf). */
	double mean, deviation;
	struct interval interval; /* 95 %, of the mean */
	double optimism; /* by how much the mean is worse than `seen` */
	struct interval optimism_interval;
};

struct confirmation {
	char *name; /* of the repeats' job */
	char *metric;
	bool maximize;
	struct confirmed *items; /* best mean first, those without a value last */
	size_t n;
	size_t wanted, ended; /* repeats, over all configurations */
	bool other_code, other_data; /* repeats ran with code or data that no trial of the search
					had */
	struct edits edits; /* of the search: results before them came from another command */
	bool other_objective; /* the search has been rescored since: none of its results is
				 comparable */
	/* Between the first two, if both have a value. Positive: the first is better, as it always
	 * is. */
	bool has_difference;
	struct group_difference difference;
	/* Between the first and the default, if there is a default and it is not the first. */
	bool has_gain;
	struct group_difference gain;
};

/* The search among `jobs` whose best trials `job` retrains; NULL: `job` is not a confirmation. */
const struct job *confirmation_search(const struct job_list *jobs, const struct job *job);

/* Its name, looked up in the database; the caller frees. */
TUNER_MUST_CHECK
bool confirmation_search_name(
	struct store *store, const struct job *job, char **ret, struct tuner_error *err);

/* As report_open, but for a confirmation its search is opened: while a confirmation runs, it is the
 * newest job. */
TUNER_MUST_CHECK
bool confirmation_open_search(const struct invocation *call, const char *argument,
	struct report *ret, struct tuner_error *err);

/* "JOB-confirm". Caller frees; NULL without memory. */
char *confirmation_name(const struct report *report);

/* Makes the job file of the repeats: the best `top` configurations of the search, the default, and
 * all that earlier calls asked for, each at least `repeats` times. *ret_left: whether anything is
 * left to run. TUNER_USAGE if there is nothing to confirm. */
TUNER_MUST_CHECK
bool confirmation_plan(const struct report *report, int64_t top, int64_t repeats,
	struct job_file **ret, bool *ret_left, struct tuner_error *err);

/* Reads the results of the repeats so far. *ret_found false: none have been asked for. */
TUNER_MUST_CHECK
bool confirmation_read(const struct report *report, struct confirmation *ret, bool *ret_found,
	struct tuner_error *err);
void confirmation_finish(struct confirmation *confirmation); /* zeroed: does nothing */

/* Appends sentences on what the results do and do not show. */
void confirmation_words(const struct confirmation *confirmation, struct text *ret);

cJSON *confirmation_json(const struct report *report, const struct confirmation *confirmation);

#endif
