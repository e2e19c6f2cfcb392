/* What a command runs in, for the record: versions of what it uses, and those variables that may be kept.
 * Callable from any thread. */
#ifndef SCHEDULER_SURROUNDINGS_H
#define SCHEDULER_SURROUNDINGS_H

#include "base/text.h"

struct surroundings_request {
	char *const *prefix; /* of the host; NULL: none */
	char *const *command; /* NULL-terminated */
	char *const *inherited; /* the environment that the command inherits */
	char *const *variables; /* and the job's own: NAME=VALUE; NULL: none */
	const char *directory; /* where it runs */
};

/* Appends a JSON object: system, processor, NVIDIA driver, CUDA, and of the Python interpreter that the
 * command names, or whose script it is, the version and all installed packages. What is not found is null.
 * Asks nvidia-smi, nvcc and the interpreter, each with a time limit: some seconds at worst half a minute. */
TUNER_MUST_CHECK
bool surroundings_versions(
	const struct surroundings_request *request, struct text *ret, struct tuner_error *err);

/* The program that interprets the command if that is Python; *ret NULL if it is not. The caller frees. */
TUNER_MUST_CHECK
bool surroundings_python(
	const struct surroundings_request *request, char **ret, struct tuner_error *err);

/* Appends a JSON object of the variables that are kept: of the inherited ones those that libraries are
 * known to look at, of the job's own all. One whose name speaks of a secret is never kept; of the job's own it
 * is there with null. A password in an address is replaced by ***. */
void surroundings_environment(const struct surroundings_request *request, struct text *ret);

/* True if the name (up to a '=') speaks of a secret: one of its words is or ends in token, key, password ... */
bool variable_is_secret(const char *name);

#endif
