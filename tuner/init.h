/* The core of `tuner init`: writes a new job file from a template, from a command line, or from a
 * SageMaker CreateHyperParameterTuningJob request.
 *
 * From a command line, options after the script with numeric values become parameters with ranges
 * around these values (init_range.h has the rules), the values become the first configuration, and
 * the rest stays in "command". From a request, ranges, static hyperparameters, objective, metric
 * definitions, limits, early stopping, retries and environment are converted; keys without a
 * counterpart here are listed in the notes. */
#ifndef TUNER_INIT_H
#define TUNER_INIT_H

#include "base/text.h"

#include <stddef.h>

struct init_request {
	const char *name; /* the job's: the new file's name without its ending */
	char *const *command; /* the words after --; NULL: none */
	const char *request; /* the bytes of a SageMaker request; NULL: none. Not with command */
	size_t request_length;
	const char *request_name; /* its file's name, for messages */
};

/* Appends the job file to ret_file and what the user should know (lines; may be none) to ret_notes.
 * The file can be read back (job_file_parse) except for a command or data that do not exist yet; if
 * the request holds values that a job file refuses, the notes say so. TUNER_USAGE for a request
 * that cannot be read or has no parameters. */
TUNER_MUST_CHECK
bool init_write(const struct init_request *request, struct text *ret_file, struct text *ret_notes,
	struct tuner_error *err);

/* Appends the job's name for a path: its stem, with characters not allowed in a name turned into
 * '-'. */
void init_job_name(const char *path, struct text *ret);

#endif
