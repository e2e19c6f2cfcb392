/* `tuner run` in a pipeline: gates, a baseline, and reports.
 *
 *     ci_open, before anything is launched -> ci_conclude, however the run ended -> ci_finish */
#ifndef TUNER_CI_H
#define TUNER_CI_H

#include "tuner/ci_report.h"

struct ci {
	const struct job_file *file;
	bool on; /* --ci, or the variable CI */
	bool orphans_stop; /* trials die with this process */
	struct gate gates[GATES_MAX];
	size_t n_gates;
	const char *junit, *summary, *metrics, *baseline_out; /* paths; NULL: not wanted */
	const char *step_summary; /* what the pipeline's page is made of: appended to; NULL: none */
};

/* Whether the words of the command line, or else the variable CI, say so: set, and none of "", "0", "false". */
bool ci_is_on(const struct invocation *call);

/* Reads the options of `tuner run`. TUNER_USAGE for a gate or a baseline that cannot be, and for reports whose
 * directory cannot be written: before an hour of training, not after it. */
TUNER_MUST_CHECK
bool ci_open(const struct invocation *call, const struct job_file *file, struct ci *ret,
	struct tuner_error *err);
void ci_finish(struct ci *ci); /* of a zeroed one nothing */

/* Whether there is anything to conclude. */
bool ci_wants_reports(const struct ci *ci);

/* Judges the gates, says what became of them, and writes what is wanted. `status` and `reason` are the run's;
 * returns the exit status: EXIT_GATE instead of EXIT_DONE if a gate was missed, EXIT_INFRASTRUCTURE if a report
 * cannot be written (what is wrong is on standard error, and the other reports are there). */
int ci_conclude(struct ci *ci, struct store *store, int64_t job_id, int status, const char *reason,
	int64_t reused);

#endif
