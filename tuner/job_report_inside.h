/* Shared by the files of the report (job_report.h). */
#ifndef TUNER_JOB_REPORT_INSIDE_H
#define TUNER_JOB_REPORT_INSIDE_H

#include "tuner/front.h"
#include "tuner/importance_report.h"
#include "tuner/job_report.h"

/* The most that a figure holds: beyond that only every k-th point is drawn, and the report says so.
 * POINTS_IN_ALL bounds a figure of many panels, so that the whole page stays below 5 MB. */
enum { POINTS_MAX = 2000, POINTS_IN_ALL = 40000, LINES_MAX = 500, MATRIX_MAX = 5, CURVES_MAX = 10 };

enum { ROWS_MAX = 50, COLUMNS_SHOWN = 8 };

struct job_report {
	const struct report *report;
	struct job_file *file; /* NULL: this version cannot read it */
	struct page *page;
	const char *reference;
	char *job; /* its name as an SQL literal */
	int64_t done; /* trials with an objective */
	bool several; /* objectives: then the best trial is the front's best by the first one */
	struct front front; /* of several objectives */
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

/* Appends ", a, b, c" for all of them, or ", parameters" if they are too many for a table. */
void report_parameters(const struct job_report *report, struct text *ret);

/* Appends an SQL expression for the i-th of several objectives of v_trial or v_front, with its name. */
void report_objective(const struct job_report *report, size_t i, struct text *ret);

/* Appends ", a, b" for all of several objectives. */
void report_objectives(const struct job_report *report, struct text *ret);

/* Appends a condition on v_trial: the trial is on the Pareto front. */
void report_is_on_front(const struct job_report *report, struct text *ret);

/* Appends "AND ..." if of the results of several objectives only some are to be drawn, at most `most`, half of
 * them on the front, and says so. */
void report_thin_front(struct job_report *report, int64_t most, struct text *ret);

/* A text in quotes as SQL has it: each quote inside twice. */
void report_add_quoted(const char *text, char quote, struct text *ret);

/* A section that is one table of a query, or a sentence where there are no rows. */
TUNER_MUST_CHECK
bool report_show_query(struct job_report *report, const char *id, const char *none,
	struct tuner_error *err, const char *format, ...) TUNER_PRINTF(5, 6);

/* job_report_front.c: instead of the best trial the front, and what it covers. */
TUNER_MUST_CHECK
bool report_front(struct job_report *report, struct tuner_error *err);

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
