/* What is wrong with a machine, a database or a job: findings, each with advice. The checks are
 * functions of facts, so that they can be tested with any. */
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
	char text[300]; /* what is wrong */
	char advice[300]; /* and what to do */
};

struct findings {
	struct finding items[FINDINGS_MAX];
	size_t n; /* those beyond FINDINGS_MAX are dropped */
};

void finding_add(struct findings *findings, const char *about, const char *code, const char *advice,
	const char *format, ...) TUNER_PRINTF(5, 6);

/* `what`: "the database", "the attempts' directories". */
void doctor_disk(struct findings *findings, const char *what, const char *path,
	const struct disk_room *room);

/* Compares the limits with what `slots` concurrent trials need. */
void doctor_limits(struct findings *findings, const struct process_limits *limits, size_t slots);

/* Compares the clock with the latest time that it has shown before (last_event_us; 0: unknown). */
void doctor_clock(struct findings *findings, int64_t now_us, int64_t last_event_us);

/* `writer_again`: who held SQLite's write lock a moment later. */
void doctor_database(
	struct findings *findings, const struct store_health *health, int64_t writer_again);

struct calibration {
	size_t n; /* predictions whose outcomes are known */
	double median; /* of the absolute standardised errors: 0.67 if predictions are calibrated */
	double beyond_two; /* share of errors above 2: 0.05 likewise */
	bool noisy; /* the newest model estimated noise: results also scatter by it, and the errors
		       say nothing about the sd */
};

/* NaN without predictions. */
struct calibration calibration_of(const struct prediction *predictions, size_t n);
void doctor_calibration(struct findings *findings, const struct calibration *calibration);

/* Checks whether the best trials lie at the parameters' bounds. `trials`: done trials, best first,
 * in the file's space; the first five count. */
void doctor_bounds(struct findings *findings, const struct job_file *file,
	const double *const *trials, size_t n, size_t done);

/* The same for parameters' priors: whether most of the best trials lie where good values were hardly
 * expected. */
void doctor_priors(struct findings *findings, const struct job_file *file,
	const double *const *trials, size_t n, size_t done);

/* How trials failed: `attempts` counts attempts by outcome (OUTCOMES of them). */
void doctor_failures(struct findings *findings, const int64_t *attempts);

/* Whether no trial keeps the limits: `over` of the `measured` trials with a value are over one. */
void doctor_objective_limits(struct findings *findings, int64_t over, int64_t measured);

/* Compares the times of done trials with the time limit. */
void doctor_times(struct findings *findings, const struct job_file *file, int64_t longest_us,
	int64_t median_us, int64_t timeouts);

/* Runs all of a job's checks, from the database. *ret_calibration gets the calibration's
 * numbers. */
TUNER_MUST_CHECK
bool doctor_job(struct findings *findings, const struct report *report,
	struct calibration *ret_calibration, struct tuner_error *err);

#endif
