/* From a trial's values to a started attempt: directories, argument vector, environment. */
#ifndef TUNER_LAUNCH_H
#define TUNER_LAUNCH_H

#include "tuner/live.h"

struct launch_site {
	const struct job_file *file;
	const char *host;
	const struct slot *slot;
	const char *working_directory; /* NULL: the job file's */
	const struct job_host *entry; /* of "hosts"; NULL: this machine */
	const struct backend_site *remote; /* the site, if the host is another machine; else NULL */
	const char *gpu_locks; /* gpu_lock.h's directory; NULL: GPUs are not locked */
	const char *gpu_owner; /* as whom they are locked */
};

/* "JOB/0007/1": an attempt's directory, relative to store_directory. Caller frees; NULL without
 * memory. */
char *attempt_relative_directory(const char *job, int64_t trial, int64_t attempt);

/* 128 random bits in hexadecimal: identifies this launch for ever. */
TUNER_MUST_CHECK
bool attempt_new_key(char ret_key[40], struct tuner_error *err);

/* TUNER_SEED: derived from seed, repeat and number, so that a retry trains with the same seed. */
uint64_t training_seed(uint64_t seed, int64_t repeat, int64_t number);

/* What an attempt's command is built from, with the memory behind its pointers. */
struct launch_request {
	struct command_request command;
	struct argument *arguments;
	size_t n_arguments;
	char *checkpoint;
	char *directory; /* on another machine */
	struct channel *channels; /* with their paths there */
	size_t n_channels;
	struct slot slot; /* under an engine: only the number of its GPUs is known */
};

/* `site` and `live` must outlive it. The caller finishes it, also after a failure. */
TUNER_MUST_CHECK
bool launch_request(const struct launch_site *site, const struct live *live,
	struct launch_request *ret, struct tuner_error *err);
void launch_request_finish(struct launch_request *request);

/* Appends the argument vector as a JSON array. */
TUNER_MUST_CHECK
bool launch_arguments(const struct launch_site *site, const struct live *live, struct text *ret,
	struct tuner_error *err);

/* Makes the attempt's directories and writes the launch file for the supervisor. Starts nothing. */
TUNER_MUST_CHECK
bool launch_prepare(
	const struct launch_site *site, const struct live *live, struct tuner_error *err);

/* Call before a launch: a directory already in its place belongs to another database, to a removed
 * one, or to a newer copy of this one, and must not be mistaken for this trial's. It is renamed to
 * *ret_moved (the caller frees; NULL: there was none). For a trial's first attempt that is the
 * trial's directory, with checkpoints. */
TUNER_MUST_CHECK
bool launch_make_way(
	const char *directory, int64_t attempt_number, char **ret_moved, struct tuner_error *err);

/* Whether this machine has what every launch needs first; otherwise a lack would be reported as a
 * fault of the program that is started. */
TUNER_MUST_CHECK
bool launch_is_possible(struct tuner_error *err);

/* The path of tuner-supervise: TUNER_SUPERVISE, else where the build or a package puts it beside
 * this program. Caller frees. TUNER_USAGE if it is not found. */
TUNER_MUST_CHECK
bool find_supervisor(char **ret_path, struct tuner_error *err);

/* The path of tuner-nvml: TUNER_NVML, else beside the supervisor. Caller frees. NULL: not found, or
 * TUNER_NVML is "none"; nvidia-smi is then used. */
TUNER_MUST_CHECK
bool find_nvml(char **ret_path, struct tuner_error *err);

/* Writes PATH.d/.gitignore, so that nobody commits attempt directories by accident. */
TUNER_MUST_CHECK
bool directory_prepare(const char *directory, struct tuner_error *err);

#endif
