/* The state of a job, as shown by status and (at its end) watch. */
#ifndef TUNER_STATUS_REPORT_H
#define TUNER_STATUS_REPORT_H

#include "tuner/front.h"
#include "tuner/jobfile.h"
#include "tuner/provenance_report.h"
#include "tuner/trial_report.h"

struct standing {
	struct job_file *file; /* NULL if this version cannot read it */
	int64_t runner; /* pid of the `tuner run` that holds the database; 0: none; -1: unknown */
	int64_t counts[TRIAL_STATES], created; /* of the job's own trials */
	int64_t had; /* trials of the search that has had the fewest */
	int64_t added; /* trials observed elsewhere */
	char *search; /* the search whose best trials this job retrains; NULL: none */
	char *warm_start; /* what earlier jobs gave to it (warm_start_json); NULL: nothing */
	int64_t queued; /* configurations that people queued and no trial has taken yet */
	struct trial best; /* by the first objective */
	bool has_best;
	struct front front; /* of a job with several objectives; else empty */
	struct trial_list running; /* includes proposed trials */
	int64_t outcomes[OUTCOMES]; /* of the trials that failed or were stopped */
	struct trial last_failed; /* the trial that failed last */
	bool has_failed;
	int64_t median_us; /* median time of the last hundred done trials; 0: none */
	struct states states; /* of code and data, as found by trials */
	struct event_list recent; /* the latest events other than proposals and results */
	int64_t artifact_bytes, checkpoint_bytes; /* of ended trials */
	int64_t left_us; /* estimated time until the budget is spent; -1: none */
};

/* The budget suggested for continuing a job whose searches have had `trials` trials each. */
int64_t trials_to_go_on(int64_t trials);

TUNER_MUST_CHECK
bool standing_read(const struct report *report, struct standing *ret, struct tuner_error *err);
void standing_finish(struct standing *standing); /* of a zeroed one nothing */

/* Prints to standard output: state, budget, the best, one line per running trial, failures, the
 * latest events, and what to type next. */
TUNER_MUST_CHECK
bool standing_print(const struct invocation *call, const struct report *report,
	const struct standing *standing, struct tuner_error *err);

cJSON *standing_json(const struct report *report, const struct standing *standing);

/* The time that `left` more trials and `running` ones, which have taken took_us[] so far, will
 * take, `parallel` at a time, if each takes median_us. Public for tests. */
int64_t time_left_us(
	int64_t left, const int64_t *took_us, size_t running, int64_t median_us, int64_t parallel);

#endif
