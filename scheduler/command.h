/* The contract with a training command: its argument vector and environment.
 *
 * See docs/architecture.md, section 7. Argument vectors throughout, never a shell. */
#ifndef SCHEDULER_COMMAND_H
#define SCHEDULER_COMMAND_H

#include "scheduler/attempt.h"
#include "scheduler/machine.h"

/* One hyperparameter as the command sees it. */
struct argument {
	const char *name;
	const char *text; /* "0.1", "150", "true", "adam" */
	const char *json; /* the same as JSON: 0.1, 150, true, "adam" */
};

enum argument_style {
	ARGUMENTS_SPACE,  /* --name value */
	ARGUMENTS_EQUALS, /* --name=value */
	ARGUMENTS_BARE,	  /* name=value */
	ARGUMENTS_NONE,
};

struct channel {
	const char *name, *path; /* path absolute */
};

struct command_request {
	char *const *command; /* as in the job file: may hold placeholders */
	char *const *prefix;  /* of the host; NULL: none */
	enum argument_style style;
	const struct argument *arguments; /* the job file's order, fixed ones included */
	size_t n_arguments;
	const struct channel *channels;
	size_t n_channels;
	char *const *variables;	  /* the job's "environment": NAME=VALUE */
	char *const *inherited;	  /* environ of tuner for a local host */
	const char *directory;	  /* the attempt's, absolute */
	const char *checkpoint_directory; /* absolute; NULL: directory/checkpoint */
	const char *working_directory;
	const char *key, *job, *host;
	int64_t trial, attempt;
	uint64_t training_seed;
	const struct slot *slot;
	int64_t timeout_us, grace_us, log_max_bytes;
};

/* What to launch; owns everything that launch points to. */
struct command {
	struct launch launch;
	char *memory;	  /* freed by command_finish */
	char **vectors;
};

/* Checks the placeholders of a command: an unknown {name} that looks like one (letters, digits, _)
 * and is none of the parameters is TUNER_USAGE, with the nearest known. `{{` and `}}` stand for
 * braces. *ret_used: whether any is there. */
TUNER_MUST_CHECK
bool command_check(char *const *command, const char *const *parameter_names, size_t n,
	bool *ret_used, struct tuner_error *err);

/* Builds the launch: with any placeholder in command nothing is appended, else the arguments by
 * style. Environment: `inherited`, then SM_*, TUNER_*, then the job's own variables, each name
 * once. Does not touch the file system. */
TUNER_MUST_CHECK
bool command_build(const struct command_request *request, struct command *ret,
	struct tuner_error *err);
void command_finish(struct command *command);

/* Makes the attempt's directories (0700), writes parameters.json and launch. */
TUNER_MUST_CHECK
bool command_prepare(const struct command_request *request, const struct command *command,
	struct tuner_error *err);

/* True if argument 0 names something executable: as a path counted from working_directory, or in
 * `path` (PATH's value). *ret_found: where. Caller frees. */
TUNER_MUST_CHECK
bool command_exists(const char *argument, const char *working_directory, const char *path,
	char **ret_found, struct tuner_error *err);

#endif
