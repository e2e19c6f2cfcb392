/* What a run came to, for machines and for the page of a pipeline: the facts, read once, and three ways to
 * write them. Each writer appends to a text and reads nothing but the output of failed trials. */
#ifndef TUNER_CI_REPORT_H
#define TUNER_CI_REPORT_H

#include "tuner/gate.h"
#include "tuner/trial_report.h"

struct ci_report {
	struct report job; /* borrows the store */
	const struct job_file *file;
	struct trial_list trials; /* by number, without values */
	const struct trial *best; /* one of them; NULL: none is done */
	int64_t counts[TRIAL_STATES];
	int64_t failures[OUTCOMES]; /* of failed trials, by what they count as */
	int64_t reused; /* trials of this run whose result was taken over */
	const struct gate *gates;
	size_t n_gates;
	int status; /* of the run, gates included: enum exit_status */
	const char *reason; /* why it ended */
};

/* Reads job and trials; the caller has set file, gates, status and reason, and finishes it in any case. */
TUNER_MUST_CHECK
bool ci_report_read(
	struct ci_report *report, struct store *store, int64_t job_id, struct tuner_error *err);
void ci_report_finish(struct ci_report *report);

/* JUnit's XML, as the test reports of GitLab, Jenkins and others read it. A trial is a test case: failed where the
 * configuration failed, an error where the machine did, skipped where it was ended early or has not ended. So are
 * the gates, and, where it ended badly, the run itself. */
TUNER_MUST_CHECK
bool ci_junit(const struct ci_report *report, struct text *ret, struct tuner_error *err);

/* Markdown: what came out, the gates, the best trials, failures, and of a job with arms the comparison. */
TUNER_MUST_CHECK
bool ci_summary(const struct ci_report *report, struct text *ret, struct tuner_error *err);

/* OpenMetrics 1.0 text: gauges of the job as it stands. */
TUNER_MUST_CHECK
bool ci_metrics(const struct ci_report *report, struct text *ret, struct tuner_error *err);

/* A label's value, or text of HELP, without what would end it: backslash, quote and line break are escaped, what
 * is not UTF-8 becomes U+FFFD. Appended. */
void openmetrics_escape(const char *value, struct text *ret);

#endif
