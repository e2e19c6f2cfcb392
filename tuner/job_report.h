/* The report of a job: one page with all that its database knows of it, each number with what recomputes it. */
#ifndef TUNER_JOB_REPORT_H
#define TUNER_JOB_REPORT_H

#include "tuner/page.h"
#include "tuner/trial_report.h"

/* Writes it to page->out. `reference`: how a command line names the job (report_reference). */
TUNER_MUST_CHECK
bool job_report_write(const struct report *report, const char *reference, struct page *page,
	struct tuner_error *err);

#endif
