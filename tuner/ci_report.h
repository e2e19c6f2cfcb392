/* A run's results for machines and for a pipeline's page: the facts, read once, and three formats.
 * Each writer appends to a text and reads nothing but the output of failed trials. */
#ifndef TUNER_CI_REPORT_H
#define TUNER_CI_REPORT_H

#include "tuner/gate.h"
#include "tuner/trial_report.h"

struct ci_report {
	struct report job; /* borrows the store */
	const struct job_file *file;
	struct trial_list trials; /* by number, without values */
	const struct trial *best; /* one of trials; NULL: none is done */
	int64_t counts[TRIAL_STATES];
	int64_t failures[OUTCOMES]; /* failed trials by the outcome that they count as */
	int64_t reused; /* trials of this run whose result was reused */
	const struct gate *gates;
	size_t n_gates;
	int status; /* the run's, gates included: enum exit_status */
	const char *reason; /* why the run ended */
};

/* Reads job and trials; the caller has set file, gates, status and reason, and calls
 * ci_report_finish in any case. */
TUNER_MUST_CHECK
bool ci_report_read(
	struct ci_report *report, struct store *store, int64_t job_id, struct tuner_error *err);
void ci_report_finish(struct ci_report *report);

/* JUnit XML, as GitLab, Jenkins and others read it. A trial is a test case: failed if the
 * configuration failed, an error if the machine did, skipped if it was ended early or has not
 * ended. Test cases are also the gates and, if it ended badly, the run itself. */
TUNER_MUST_CHECK
bool ci_junit(const struct ci_report *report, struct text *ret, struct tuner_error *err);

/* Markdown: the result, the gates, the best trials, failures and, for a job with arms, the
 * comparison. */
TUNER_MUST_CHECK
bool ci_summary(const struct ci_report *report, struct text *ret, struct tuner_error *err);

/* OpenMetrics 1.0 text: gauges of the job's present state. */
TUNER_MUST_CHECK
bool ci_metrics(const struct ci_report *report, struct text *ret, struct tuner_error *err);

/* Appends a label's value, or a HELP text, escaped: backslash, quote and line break are escaped,
 * bytes that are not UTF-8 become U+FFFD. */
void openmetrics_escape(const char *value, struct text *ret);

#endif
