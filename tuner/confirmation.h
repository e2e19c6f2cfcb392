/* Trials that are trained again with other seeds, to learn what the best of a search are worth: the best of many
 * noisy results is partly luck.
 *
 * The repeats are trials of a job of their own, JOB-confirm, in the same database. Its file is the search's, but
 * that it proposes nothing: "first" lists each configuration as often as it is to be trained, the budget is so
 * many trials, and the seed, from which TUNER_SEED follows, is another. `tuner run` runs it like any job.
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
	int64_t trial; /* of the search: the best one with this configuration */
	bool is_default; /* the first configuration that a person gave */
	char *parameters; /* JSON, as the job's queue has it */
	double seen; /* the search's objective; NaN: it has none, or by another objective than the repeats */
	/* Of the repeats that have ended: */
	size_t ended;
	double *values; /* the objectives of those that gave a finite one, in the order of their numbers */
	size_t n;
	/* NaN without a value; of one value the interval is (-inf, +inf). */
	double mean, deviation;
	struct interval interval; /* 95 %, of the mean */
	double optimism; /* by how much the mean is worse than what the search had seen */
	struct interval optimism_interval;
};

struct confirmation {
	char *name; /* of the job of the repeats */
	char *metric;
	bool maximize;
	struct confirmed *items; /* the best mean first, those without a value behind */
	size_t n;
	size_t wanted, ended; /* repeats of all of them */
	bool other_code, other_data; /* repeats found some that no trial of the search had */
	struct edits edits; /* of the search: what it had seen before was by another command */
	bool other_objective; /* the search was scored anew since: nothing that it had seen is comparable */
	/* The first two, if both have a value. Positive: the first is better, as it always is. */
	bool has_difference;
	struct group_difference difference;
	/* The first against the default, if there is one, and it is another. */
	bool has_gain;
	struct group_difference gain;
};

/* The search whose best trials `job` trains again, among `jobs`; NULL: it does no such thing. */
const struct job *confirmation_search(const struct job_list *jobs, const struct job *job);

/* The same in a database, by name; the caller frees. */
TUNER_MUST_CHECK
bool confirmation_search_name(
	struct store *store, const struct job *job, char **ret, struct tuner_error *err);

/* As report_open; of a job of repeats its search is opened. While a confirmation runs that is the newest job. */
TUNER_MUST_CHECK
bool confirmation_open_search(const struct invocation *call, const char *argument,
	struct report *ret, struct tuner_error *err);

/* "JOB-confirm". Caller frees; NULL without memory. */
char *confirmation_name(const struct report *report);

/* The job file of the repeats: the best `top` configurations of the search, the default, and whatever an earlier
 * call asked for, each at least `repeats` times. *ret_left: whether there is something to run. TUNER_USAGE if there is
 * nothing to confirm. */
TUNER_MUST_CHECK
bool confirmation_plan(const struct report *report, int64_t top, int64_t repeats,
	struct job_file **ret, bool *ret_left, struct tuner_error *err);

/* What the repeats gave so far. *ret_found false: nobody has asked for any. */
TUNER_MUST_CHECK
bool confirmation_read(const struct report *report, struct confirmation *ret, bool *ret_found,
	struct tuner_error *err);
void confirmation_finish(struct confirmation *confirmation); /* of a zeroed one nothing */

/* What that does and does not say. Appended. */
void confirmation_words(const struct confirmation *confirmation, struct text *ret);

cJSON *confirmation_json(const struct report *report, const struct confirmation *confirmation);

#endif
