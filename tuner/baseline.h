/* A best result in a file, against which later runs are judged: --write-baseline writes it and
 * --baseline reads it. JSON:
 *
 *     {"job": "...", "metric": "...", "goal": "maximize", "objective": 0.73, "trial": 7, "parameters": {...}}
 *
 * Reading needs only "metric", "goal" and "objective", so the output of `tuner best --json` will
 * do, too. */
#ifndef TUNER_BASELINE_H
#define TUNER_BASELINE_H

#include "trials/trial.h"
#include "tuner/jobfile.h"

/* TUNER_USAGE: there is no such file, it is not a baseline, or its metric or goal differs. */
TUNER_MUST_CHECK
bool baseline_read(const char *path, const struct job_file *file, double *ret_objective,
	struct tuner_error *err);

/* Writes the file atomically. */
TUNER_MUST_CHECK
bool baseline_write(const char *path, const struct job_file *file, const struct trial *best,
	struct tuner_error *err);

#endif
