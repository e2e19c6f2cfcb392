/* The job file that a command line names: FILE or a stored JOB, with --set and related options
 * applied. */
#ifndef TUNER_JOB_ARGUMENT_H
#define TUNER_JOB_ARGUMENT_H

#include "tuner/command.h"
#include "tuner/jobfile.h"

/* Reads the file that the first argument names ("-": standard input), or that of the stored job of
 * that name (from its path if it still exists, else the stored text). Options --set, --trials,
 * --parallel, --seed and --name and the words after `--` are applied. Warnings go to standard
 * error; errors too if there are several, and the call fails with TUNER_USAGE. `need` applies to a
 * file; a stored job is read as for running. */
TUNER_MUST_CHECK
bool job_argument_read(const struct invocation *call, enum command_need need, struct job_file **ret,
	struct tuner_error *err);

/* True if the argument names a file (or standard input) rather than a stored job. */
bool job_argument_is_file(const char *path);

#endif
