/* The cores of `tuner init`: the text of a new job file from nothing, from a command line, or from a
 * SageMaker CreateHyperParameterTuningJob request.
 *
 * From a command line, the options behind the script whose values are numbers become parameters
 * around these values (init_range.h has the rules), the values become the first configuration, and
 * the rest stays in "command". From a request, ranges, static hyperparameters, objective, metric
 * definitions, limits, early stopping, retries and environment are taken over; each key without a
 * meaning on this side is listed in the notes. */
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
 * What comes out reads back (job_file_parse) but for a command or data that are not there yet; where
 * the request holds values that a job file refuses, the notes say so. TUNER_USAGE for a request that
 * cannot be read or has no parameters. */
TUNER_MUST_CHECK
bool init_write(const struct init_request *request, struct text *ret_file, struct text *ret_notes,
	struct tuner_error *err);

/* The job's name for a path: its stem with what a name may not have turned into '-'. Appended. */
void init_job_name(const char *path, struct text *ret);

#endif
