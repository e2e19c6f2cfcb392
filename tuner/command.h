/* The command line is a table: one row a command, one file a command.
 *
 * To add one: a row in command_table.c (in the order `tuner help` prints), cmd_<name>() in
 * tuner/cmd_<name>.c, its prototype here, a case among the tests of its kind (read.bats, run.bats and their like). */
#ifndef TUNER_COMMAND_H
#define TUNER_COMMAND_H

#include "trials/trial.h"

#include <stdio.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_GATE = 1, /* what was to be checked is not so: replay, verify, doctor */
	EXIT_USAGE = 2, /* usage or job file */
	EXIT_BROKEN_COMMAND = 3, /* the command does not work (the probe, try) */
	EXIT_NO_RESULT = 4, /* budget spent without any result; best: there is none */
	EXIT_INFRASTRUCTURE = 5,
	EXIT_INTERRUPTED = 130,
	EXIT_TERMINATED = 143,
};

enum { OPTIONS_MAX = 64 };

struct option_row {
	const char *name; /* "limit": --limit */
	char letter; /* 'n': -n; 0: none */
	const char *value; /* its value's name in help; NULL: a flag */
	const char *help;
};

struct subcommand;

/* One call: what was typed, sorted. */
struct invocation {
	const struct subcommand *command;
	const char *program; /* argv[0] */
	const char *db; /* --db, else TUNER_DB, else tuner.db */
	bool json;
	bool color; /* standard output may be coloured */
	const char **arguments;
	size_t n_arguments;
	char **rest; /* the words after `--`, NULL-terminated; NULL without */
	struct {
		const struct option_row *row;
		const char *value; /* "" for a flag */
	} options[OPTIONS_MAX];
	size_t n_options;
};

/* Value of an option (the last one given), "" for a flag, NULL if it was not given. */
const char *invocation_option(const struct invocation *call, const char *name);

/* Collects every value of a repeatable option, at most `size`. */
size_t invocation_options(
	const struct invocation *call, const char *name, const char **ret_values, size_t size);

/* A whole number option within [low, high]; `otherwise` if it was not given. */
TUNER_MUST_CHECK
bool invocation_integer(const struct invocation *call, const char *name, int64_t low, int64_t high,
	int64_t otherwise, int64_t *ret_value, struct tuner_error *err);

enum {
	TAKES_DB = 1, /* --db PATH */
	NO_OTHER_DB = 16, /* without --db there is none: neither TUNER_DB nor tuner.db counts */
	TAKES_JSON = 2, /* --json */
	TAKES_REST = 4, /* words after -- */
	TAKES_OVER = 8, /* --take-over: it writes the database */
};

struct subcommand {
	const char *name, *synopsis, *help;
	size_t min_arguments, max_arguments;
	unsigned takes;
	const struct option_row *options; /* ended by a row without a name; NULL: none */
	/* Returns the exit status. On a failure that is not yet told to the user: sets err and
	 * returns -1; main prints it once and exits with 2 for TUNER_USAGE, else 5. */
	int (*run)(const struct invocation *call, struct tuner_error *err);
	const char *details; /* more help; NULL: none */
};

extern const struct subcommand commands[]; /* ended by a row without a name */

/* Sorts the command line into *ret. *ret_help: --help was among it. The caller frees ret->arguments. */
TUNER_MUST_CHECK
bool invocation_parse(
	int argc, char **argv, struct invocation *ret, bool *ret_help, struct tuner_error *err);

void command_help(const struct subcommand *command, FILE *out); /* NULL: the list of all */

/* Opens the database for reading. A missing one is TUNER_USAGE and says how to get one. */
TUNER_MUST_CHECK
bool command_open(const struct invocation *call, enum store_mode mode, struct store **ret,
	struct tuner_error *err);

/* On standard error, how old what we read is, if it is the copy of a database that another process writes. */
void command_say_age(const struct invocation *call, const struct store *store);

/* Whether an option's result may be written there: not over the file of the job that it is about. */
TUNER_MUST_CHECK
bool command_spare_file(
	const struct job *job, const char *option, const char *path, struct tuner_error *err);

/* Does what --take-over says, if it was given. */
TUNER_MUST_CHECK
bool command_take_over(const struct invocation *call, struct tuner_error *err);

/* Finds the job that an argument names: its name, its job file (a path), or, NULL, the newest (of those that
 * only confirm another one not those that have ended); a note on standard error says which when it was left out and there are several. TUNER_USAGE names the
 * jobs there are. */
TUNER_MUST_CHECK
bool command_job(
	struct store *store, const char *argument, struct job *ret, struct tuner_error *err);

/* The same, where the argument may have been meant for a file that is not there. */
TUNER_MUST_CHECK
bool command_job_or_file(
	struct store *store, const char *argument, struct job *ret, struct tuner_error *err);

int cmd_init(const struct invocation *call, struct tuner_error *err);
int cmd_check(const struct invocation *call, struct tuner_error *err);
int cmd_try(const struct invocation *call, struct tuner_error *err);
int cmd_schema(const struct invocation *call, struct tuner_error *err);
int cmd_run(const struct invocation *call, struct tuner_error *err);
int cmd_watch(const struct invocation *call, struct tuner_error *err);
int cmd_status(const struct invocation *call, struct tuner_error *err);
int cmd_stop(const struct invocation *call, struct tuner_error *err);
int cmd_enqueue(const struct invocation *call, struct tuner_error *err);
int cmd_compare(const struct invocation *call, struct tuner_error *err);
int cmd_confirm(const struct invocation *call, struct tuner_error *err);
int cmd_hosts(const struct invocation *call, struct tuner_error *err);
int cmd_retry(const struct invocation *call, struct tuner_error *err);
int cmd_ask(const struct invocation *call, struct tuner_error *err);
int cmd_tell(const struct invocation *call, struct tuner_error *err);
int cmd_ask_tell(const struct invocation *call, struct tuner_error *err);
int cmd_jobs(const struct invocation *call, struct tuner_error *err);
int cmd_trials(const struct invocation *call, struct tuner_error *err);
int cmd_show(const struct invocation *call, struct tuner_error *err);
int cmd_logs(const struct invocation *call, struct tuner_error *err);
int cmd_best(const struct invocation *call, struct tuner_error *err);
int cmd_why(const struct invocation *call, struct tuner_error *err);
int cmd_importance(const struct invocation *call, struct tuner_error *err);
int cmd_report(const struct invocation *call, struct tuner_error *err);
int cmd_rescore(const struct invocation *call, struct tuner_error *err);
int cmd_replay(const struct invocation *call, struct tuner_error *err);
int cmd_verify(const struct invocation *call, struct tuner_error *err);
int cmd_gc(const struct invocation *call, struct tuner_error *err);
int cmd_doctor(const struct invocation *call, struct tuner_error *err);
int cmd_version(const struct invocation *call, struct tuner_error *err);
int cmd_help(const struct invocation *call, struct tuner_error *err);

#endif
