/* The environment in which a command runs, for the record: versions of what it uses, and variables
 * that may be stored. Callable from any thread. */
#ifndef SCHEDULER_SURROUNDINGS_H
#define SCHEDULER_SURROUNDINGS_H

#include "base/text.h"

struct surroundings_request {
	char *const *prefix; /* the host's; NULL: none */
	char *const *command; /* NULL-terminated */
	char *const *inherited; /* the environment that the command inherits */
	char *const *variables; /* the job's own, NAME=VALUE; NULL: none */
	const char *directory; /* where it runs */
};

/* Appends a JSON object: system, processor, NVIDIA driver, CUDA, and, for the Python interpreter
 * that the command names or whose script it is, the version and all installed packages. What is not
 * found is null. Runs nvidia-smi, nvcc and the interpreter, each with a time limit: takes seconds,
 * at worst half a minute. */
TUNER_MUST_CHECK
bool surroundings_versions(
	const struct surroundings_request *request, struct text *ret, struct tuner_error *err);

/* The Python interpreter of the command; *ret is NULL if the command is not Python's. The caller
 * frees. */
TUNER_MUST_CHECK
bool surroundings_python(
	const struct surroundings_request *request, char **ret, struct tuner_error *err);

/* Appends a JSON object of the variables that are stored: of the inherited ones, those that
 * libraries are known to read; of the job's own, all. The value of a variable whose name suggests a
 * secret is never stored; a job's own such variable is listed with null. A password in a URL is
 * replaced by ***. */
void surroundings_environment(const struct surroundings_request *request, struct text *ret);

/* True if the name (up to a '=') suggests a secret: one of its words is or ends in token, key,
 * password ... */
bool variable_is_secret(const char *name);

#endif
