/* What is wrong with a machine, a database, a job: findings, each with what to do about it. The checks are
 * functions of facts, so that they can be tried with any. */
#ifndef TUNER_DOCTOR_H
#define TUNER_DOCTOR_H

#include "scheduler/machine_health.h"
#include "trials/health.h"
#include "tuner/jobfile.h"
#include "tuner/trial_report.h"

enum { FINDINGS_MAX = 200, PREDICTIONS_MAX = 500 };

struct finding {
	const char *about; /* "machine", "database", "job" */
	const char *code; /* "disk-space" ...: stable, for programs; docs/doctor.md lists them */
	char text[300]; /* what is wrong; */
	char advice[300]; /* and what to do */
};

struct findings {
	struct finding items[FINDINGS_MAX];
	size_t n; /* further ones are dropped */
};

void finding_add(struct findings *findings, const char *about, const char *code, const char *advice,
	const char *format, ...) TUNER_PRINTF(5, 6);

/* `what`: "the database", "the attempts' directories". */
void doctor_disk(struct findings *findings, const char *what, const char *path,
	const struct disk_room *room);

/* Limits against what `slots` trials at a time need. */
void doctor_limits(struct findings *findings, const struct process_limits *limits, size_t slots);

/* The clock against what it has shown before (last_event_us; 0: not known). */
void doctor_clock(struct findings *findings, int64_t now_us, int64_t last_event_us);

/* `writer_again`: who held SQLite's write lock a moment later. */
void doctor_database(
	struct findings *findings, const struct store_health *health, int64_t writer_again);

struct calibration {
	size_t n; /* predictions whose outcomes are known */
	double median; /* of the absolute standardised errors: 0.67 if all is as predicted */
	double beyond_two; /* share of those above 2: 0.05 */
	bool noisy; /* the newest model saw noise: results scatter by that besides, and the errors say nothing of the sd */
};

/* NaN without predictions. */
struct calibration calibration_of(const struct prediction *predictions, size_t n);
void doctor_calibration(struct findings *findings, const struct calibration *calibration);

/* The best trials against the bounds of the parameters. `trials`: those that are done, the best first, in
 * the file's space; the first five count. */
void doctor_bounds(struct findings *findings, const struct job_file *file,
	const double *const *trials, size_t n, size_t done);

/* How trials failed: counts by class (OUTCOMES of them) of `attempts`, and of all. */
void doctor_failures(struct findings *findings, const int64_t *attempts);

/* Times of done trials against the limit. */
void doctor_times(struct findings *findings, const struct job_file *file, int64_t longest_us,
	int64_t median_us, int64_t timeouts);

/* All of a job's checks, from the database. *ret_calibration is for who wants the numbers. */
TUNER_MUST_CHECK
bool doctor_job(struct findings *findings, const struct report *report,
	struct calibration *ret_calibration, struct tuner_error *err);

#endif
