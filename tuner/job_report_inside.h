/* Shared by the files of the report (job_report.h). */
#ifndef TUNER_JOB_REPORT_INSIDE_H
#define TUNER_JOB_REPORT_INSIDE_H

#include "tuner/importance_report.h"
#include "tuner/job_report.h"

/* The most that a figure holds: beyond that only every k-th point is drawn, and the report says so.
 * POINTS_IN_ALL bounds a figure of many panels, so that the whole page stays below 5 MB. */
enum { POINTS_MAX = 2000, POINTS_IN_ALL = 40000, LINES_MAX = 500, MATRIX_MAX = 5, CURVES_MAX = 10 };

struct job_report {
	const struct report *report;
	struct job_file *file; /* NULL: this version cannot read it */
	struct page *page;
	const char *reference;
	char *job; /* its name as an SQL literal */
	int64_t done; /* trials with an objective */
	struct trial best;
	bool has_best;
	struct importance_report importance;
	bool has_importance;
	struct tuner_error no_importance; /* why not */
};

/* Runs the query and returns its text and rows; the caller finishes both. */
TUNER_MUST_CHECK
bool report_query(struct job_report *report, struct text *ret_query, struct view *ret,
	struct tuner_error *err, const char *format, ...) TUNER_PRINTF(5, 6);

/* "DESC" or "ASC": the order by which the best objective comes first. */
const char *report_order(const struct job_report *report);

/* The k for which taking every k-th of `n` items gives at most `most`. */
int64_t report_every(int64_t n, int64_t most);

/* Appends an SQL expression for a parameter of v_trial, with its name. */
void report_parameter(const char *name, struct text *ret);

/* job_report_figures.c: history, curves, each parameter, pairs of parameters, parallel coordinates. */
TUNER_MUST_CHECK
bool report_figures(struct job_report *report, struct tuner_error *err);

/* job_report_statistics.c: what commands compute: comparison, confirmation, importance. */
TUNER_MUST_CHECK
bool report_comparison(struct job_report *report, struct tuner_error *err);
TUNER_MUST_CHECK
bool report_confirmation(struct job_report *report, struct tuner_error *err);
TUNER_MUST_CHECK
bool report_importance(struct job_report *report, struct tuner_error *err);

#endif
