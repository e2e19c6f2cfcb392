/* The report of a job: one page with all that the database knows about it, each number with the
 * query or command that recomputes it. */
#ifndef TUNER_JOB_REPORT_H
#define TUNER_JOB_REPORT_H

#include "tuner/page.h"
#include "tuner/trial_report.h"

/* Writes the report to page->out. `reference`: how a command line names the job (job_reference). */
TUNER_MUST_CHECK
bool job_report_write(const struct report *report, const char *reference, struct page *page,
	struct tuner_error *err);

#endif
