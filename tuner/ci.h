/* `tuner run` in a pipeline: gates, a baseline, and reports.
 *
 *     ci_open, before anything is launched -> ci_conclude, however the run ended -> ci_finish */
#ifndef TUNER_CI_H
#define TUNER_CI_H

#include "tuner/ci_report.h"

struct ci {
	const struct job_file *file;
	bool on; /* --ci, or the variable CI */
	bool orphans_stop; /* trials end when this process dies */
	struct gate gates[GATES_MAX];
	size_t n_gates;
	const char *junit, *summary, *metrics, *baseline_out; /* paths; NULL: not to be written */
	const char *step_summary; /* the file that the pipeline's page is made from, appended to;
				     NULL: none */
};

/* Whether the command line asks for CI mode or else the variable CI is set, and not to "", "0" or
 * "false". */
bool ci_is_on(const struct invocation *call);

/* Reads the options of `tuner run`. TUNER_USAGE for an invalid gate or baseline, and for reports
 * whose directory cannot be written: an error before an hour of training, not after it. */
TUNER_MUST_CHECK
bool ci_open(const struct invocation *call, const struct job_file *file, struct ci *ret,
	struct tuner_error *err);
void ci_finish(struct ci *ci); /* zeroed: does nothing */

/* Whether there is anything to conclude. */
bool ci_wants_reports(const struct ci *ci);

/* Judges the gates, prints the results, and writes the reports that were asked for. `status` and
 * `reason` are the run's; returns the exit status: EXIT_GATE instead of EXIT_DONE if a gate was
 * missed, EXIT_INFRASTRUCTURE if a report cannot be written (the error goes to standard error, and
 * the other reports are written). */
int ci_conclude(struct ci *ci, struct store *store, int64_t job_id, int status, const char *reason,
	int64_t reused);

#endif
