/* A best result in a file, which later runs are held against: what --write-baseline writes and --baseline
 * reads. JSON:
 *
 *     {"job": "...", "metric": "...", "goal": "maximize", "objective": 0.73, "trial": 7, "parameters": {...}}
 *
 * Reading needs "metric", "goal" and "objective" alone, so that what `tuner best --json` prints will do, too. */
#ifndef TUNER_BASELINE_H
#define TUNER_BASELINE_H

#include "trials/trial.h"
#include "tuner/jobfile.h"

/* TUNER_USAGE: there is no such file, it is no baseline, or it is one of another metric or goal. */
TUNER_MUST_CHECK
bool baseline_read(const char *path, const struct job_file *file, double *ret_objective,
	struct tuner_error *err);

/* Atomically. */
TUNER_MUST_CHECK
bool baseline_write(const char *path, const struct job_file *file, const struct trial *best,
	struct tuner_error *err);

#endif
