/* What an attempt was launched with, read back from its directory: unaffected by later changes of
 * the job file. */
#ifndef TUNER_LAUNCHED_H
#define TUNER_LAUNCHED_H

#include "base/error.h"

struct launched {
	char **arguments, **environment; /* NULL-terminated */
	const char *working_directory;
	char *memory; /* the others point into it */
};

/* Reads DIRECTORY/launch. *ret_found false, and ret all zero, if the file does not exist (any more)
 * or is incomplete, because tuner or the machine died while it was written. */
TUNER_MUST_CHECK
bool launched_read(
	const char *directory, struct launched *ret, bool *ret_found, struct tuner_error *err);
void launched_finish(struct launched *launched); /* zeroed: does nothing */

/* True for a variable (NAME=VALUE) of the command's contract: SM_*, TUNER_*, the GPUs, threads and
 * rendezvous. All others were inherited, or come from "environment" of the job file. */
bool variable_is_of_contract(const char *variable);

/* True if both begin with the same NAME=. */
bool variable_same_name(const char *a, const char *b);

#endif
