/* The contract with a training command: its argument vector and environment. docs/command.md
 * describes it for users.
 *
 *     command_check, once -> for each attempt: command_build -> command_prepare -> command_finish
 *
 * Argument vectors throughout, never a shell. */
#ifndef SCHEDULER_COMMAND_H
#define SCHEDULER_COMMAND_H

#include "scheduler/attempt.h"
#include "scheduler/machine.h"

enum {
	/* The longest argument or variable that Linux passes, its terminator included
	 * (MAX_ARG_STRLEN). */
	COMMAND_STRING_MAX = 128 * 1024,
};

/* One hyperparameter as the command sees it. */
struct argument {
	const char *name;
	const char *text; /* "0.1", "150", "true", "adam"; NULL: inactive in this trial */
	const char *json; /* the same as JSON: 0.1, 150, true, "adam"; NULL likewise */
};

enum argument_style {
	ARGUMENTS_SPACE, /* --name value */
	ARGUMENTS_EQUALS, /* --name=value */
	ARGUMENTS_BARE, /* name=value */
	ARGUMENTS_NONE,
};

struct channel {
	const char *name, *path; /* path absolute; name without "/", and neither "." nor ".." */
};

struct command_request {
	char *const *command; /* as in the job file: may hold placeholders */
	char *const *prefix; /* of the host, passed unchanged; NULL: none */
	enum argument_style style;
	const struct argument *arguments; /* the job file's order, fixed ones included */
	size_t n_arguments;
	const struct channel *channels;
	size_t n_channels;
	char *const *variables; /* the job's "environment": NAME=VALUE; NULL: none */
	char *const *inherited; /* environ of tuner for a local host; NULL: none */
	const char *directory; /* the attempt's, absolute, as the command sees it */
	const char *prepared; /* where the directory is prepared before it is sent there; NULL: the
				 same */
	const char *checkpoint_directory; /* absolute; NULL: directory/checkpoint */
	const char *working_directory;
	const char *key, *job, *host;
	int64_t trial, attempt;
	uint64_t training_seed;
	const struct slot *slot;
	const char *gpu_locks; /* directory of the slot's GPUs' locks (gpu_lock.h); NULL: none */
	const char *gpu_owner; /* as whom they are claimed */
	int64_t timeout_us, grace_us, log_max_bytes;
	const char *secrets; /* absolute; NULL: none. This and the next two are as in struct
				launch */
	int64_t memory_bytes;
	bool no_network;
	int64_t lease_us; /* struct launch */
	bool engine_environment; /* the host's engine provides the environment and assigns the GPUs;
				    what is built here is added on top */
	int64_t heartbeat_us; /* struct launch */
};

/* What to launch; owns everything that launch points to. All zero is the finished state. */
struct command {
	struct launch launch;
	char *memory; /* freed by command_finish */
	char **vectors;
};

/* Placeholders: {NAME} is replaced where NAME is a parameter, or else one of trial, gpus (as in
 * CUDA_VISIBLE_DEVICES), attempt_dir, checkpoint_dir, model_dir. A doubled brace stands for itself:
 * `{{lr}}` gives {lr}; `}}` only where a `{{` is open in the same argument, so that JSON such as
 * {"a": {"b": 1}} needs no escaping. Every other brace stays as it is, but a {word} (a letter or _,
 * then letters, digits, _ or -) that is none of these names is TUNER_USAGE, with the nearest known
 * name.
 *
 * An argument with the placeholder of a parameter that is inactive in the trial is left out.
 *
 * *ret_used: whether there is any placeholder. If so, no arguments are appended. */
TUNER_MUST_CHECK
bool command_check(char *const *command, const char *const *parameter_names, size_t n,
	bool *ret_used, struct tuner_error *err);

/* Whether any argument has the placeholder {name}. */
bool command_places(char *const *command, const char *name);

/* Builds the launch: prefix, command and, if the command has no placeholders, the arguments in
 * their style. Environment: `inherited`, then SM_* and TUNER_*, then the job's own variables; each
 * name once, the later wins. Set only if neither `inherited` nor the job sets them:
 * PYTHONUNBUFFERED, OMP_NUM_THREADS, MASTER_ADDR and MASTER_PORT (found free by a bind a moment
 * ago, and different for different keys). CUDA_VISIBLE_DEVICES is set for a slot with GPUs. It is
 * left as inherited for a slot without, because "no GPUs" may also mean that there was no
 * nvidia-smi to list them, and under an engine, which sets it.
 *
 * TUNER_USAGE: an unknown placeholder; a variable of the job without a name or named
 * TUNER_ATTEMPT_KEY; a string of COMMAND_STRING_MAX bytes or more; a channel's name that is no file
 * name. On failure *ret is untouched. Does no file I/O. */
TUNER_MUST_CHECK
bool command_build(
	const struct command_request *request, struct command *ret, struct tuner_error *err);
void command_finish(struct command *command);

/* Appends the argument vector alone, as a JSON array. */
TUNER_MUST_CHECK
bool command_arguments(
	const struct command_request *request, struct text *ret, struct tuner_error *err);

/* Makes the attempt's directories (0700): checkpoint/ (unless the directory is to be sent), model/,
 * output/data/ and, with channels, input/ with a link per channel and SageMaker's three config
 * files. Writes parameters.json and launch (0600). May be repeated as long as the command has not
 * been started. */
TUNER_MUST_CHECK
bool command_prepare(const struct command_request *request, const struct command *command,
	struct tuner_error *err);

/* True if argument 0 names an executable file: with a slash, a path relative to working_directory;
 * otherwise looked up in `path` (PATH's value; NULL: the supervisor's default). *ret_found: its
 * path; the caller frees. Otherwise TUNER_USAGE, whose message distinguishes missing from not
 * executable. */
TUNER_MUST_CHECK
bool command_exists(const char *argument, const char *working_directory, const char *path,
	char **ret_found, struct tuner_error *err);

#endif
