/* How a job stands, as status and (at its end) watch show it. */
#ifndef TUNER_STATUS_REPORT_H
#define TUNER_STATUS_REPORT_H

#include "tuner/jobfile.h"
#include "tuner/provenance_report.h"
#include "tuner/trial_report.h"

struct standing {
	struct job_file *file; /* NULL if this version does not read it */
	int64_t runner; /* pid of the `tuner run` that holds the database; 0: none; -1: not known */
	int64_t counts[TRIAL_STATES], created; /* of the job's own trials */
	int64_t added; /* trials that were observed elsewhere */
	char *search; /* whose best trials this job trains again; NULL: none */
	char *warm_start; /* what earlier jobs gave to it (warm_start_json); NULL: nothing */
	int64_t queued; /* configurations that people asked for and no trial has taken */
	struct trial best;
	bool has_best;
	struct trial_list running; /* proposed ones, too */
	int64_t outcomes[OUTCOMES]; /* of the trials that failed or were stopped */
	struct trial last_failed; /* the one that failed last */
	bool has_failed;
	int64_t median_us; /* of the done trials' times, of the last hundred; 0: none */
	struct states states; /* of code and data, that trials found */
	struct event_list recent; /* what happened last besides proposals and results */
	int64_t artifact_bytes, checkpoint_bytes; /* that ended trials hold */
	int64_t left_us; /* estimate of the time to the end of the budget; -1: none */
};

/* The budget that is proposed for going on with a job whose searches have had so many trials each. */
int64_t trials_to_go_on(int64_t trials);

TUNER_MUST_CHECK
bool standing_read(const struct report *report, struct standing *ret, struct tuner_error *err);
void standing_finish(struct standing *standing); /* of a zeroed one nothing */

/* Prints to standard output: state, budget, the best, one line a running trial, failures, what happened
 * last, and what to type next. */
TUNER_MUST_CHECK
bool standing_print(const struct invocation *call, const struct report *report,
	const struct standing *standing, struct tuner_error *err);

cJSON *standing_json(const struct report *report, const struct standing *standing);

/* The time that `left` trials to come and `running` ones, which have taken took_us[] so far, will take with
 * `parallel` at a time, if all take median_us. Its pieces are for tests. */
int64_t time_left_us(
	int64_t left, const int64_t *took_us, size_t running, int64_t median_us, int64_t parallel);

#endif
