/* The command line is a table: one row and one file per command.
 *
 * To add one: a row in command_table.c (in the order `tuner help` prints), cmd_<name>() in
 * tuner/cmd_<name>.c, its prototype here, a case among the tests of its kind (read.bats, run.bats and their like). */
#ifndef TUNER_COMMAND_H
#define TUNER_COMMAND_H

#include "trials/trial.h"

#include <stdio.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_GATE = 1, /* a gate was missed (run), or a check failed: replay, verify, doctor, gc */
	EXIT_USAGE = 2, /* usage or job file */
	EXIT_BROKEN_COMMAND = 3, /* the training command does not work (the probe, try) */
	EXIT_NO_RESULT = 4, /* the budget is spent without any result; `best`: there is none */
	EXIT_INFRASTRUCTURE = 5,
	EXIT_INTERRUPTED = 130,
	EXIT_TERMINATED = 143,
};

enum { OPTIONS_MAX = 64 };

struct option_row {
	const char *name; /* "limit": --limit */
	char letter; /* 'n': -n; 0: none */
	const char *value; /* the value's name in the help; NULL: a flag */
	const char *help;
};

struct subcommand;

/* One call: the parsed command line. */
struct invocation {
	const struct subcommand *command;
	const char *program; /* argv[0] */
	const char *db; /* --db, else TUNER_DB, else tuner.db */
	bool json;
	bool color; /* standard output may be coloured */
	const char **arguments;
	size_t n_arguments;
	char **rest; /* the words after `--`, NULL-terminated; NULL: no `--` */
	struct {
		const struct option_row *row;
		const char *value; /* "" for a flag */
	} options[OPTIONS_MAX];
	size_t n_options;
};

/* Value of an option (the last one given), "" for a flag, NULL if it was not given. */
const char *invocation_option(const struct invocation *call, const char *name);

/* Collects the values of a repeatable option, at most `size`; returns their number. */
size_t invocation_options(
	const struct invocation *call, const char *name, const char **ret_values, size_t size);

/* The value of a whole-number option, within [low, high]; `otherwise` if it was not given. */
TUNER_MUST_CHECK
bool invocation_integer(const struct invocation *call, const char *name, int64_t low, int64_t high,
	int64_t otherwise, int64_t *ret_value, struct tuner_error *err);

enum {
	TAKES_DB = 1, /* --db PATH */
	NO_OTHER_DB = 16, /* without --db there is no database: TUNER_DB and tuner.db are ignored */
	TAKES_JSON = 2, /* --json */
	TAKES_REST = 4, /* words after -- */
	TAKES_OVER = 8, /* --take-over: the command writes the database */
};

struct subcommand {
	const char *name, *synopsis, *help;
	size_t min_arguments, max_arguments;
	unsigned takes;
	const struct option_row *options; /* ended by a row without a name; NULL: none */
	/* Returns the exit status. On a failure not yet reported to the user: sets err and returns
	 * -1; main prints the error once and exits with 2 for TUNER_USAGE, else 5. */
	int (*run)(const struct invocation *call, struct tuner_error *err);
	const char *details; /* more help; NULL: none */
};

extern const struct subcommand commands[]; /* ended by a row without a name */

/* Parses the command line into *ret. *ret_help: --help was given. The caller frees
 * ret->arguments. */
TUNER_MUST_CHECK
bool invocation_parse(
	int argc, char **argv, struct invocation *ret, bool *ret_help, struct tuner_error *err);

void command_help(const struct subcommand *command, FILE *out); /* NULL: the list of commands */

/* Opens the database in this mode. If it is missing, STORE_WRITE creates it; the other modes fail
 * with TUNER_USAGE, whose message says how to create one. */
TUNER_MUST_CHECK
bool command_open(const struct invocation *call, enum store_mode mode, struct store **ret,
	struct tuner_error *err);

/* If we read a copy of a database that another process writes, says on standard error how old the
 * copy is. */
void command_say_age(const struct invocation *call, const struct store *store);

/* Refuses to write an option's result over the job's own job file. */
TUNER_MUST_CHECK
bool command_spare_file(
	const struct job *job, const char *option, const char *path, struct tuner_error *err);

/* Takes the database over if --take-over was given. */
TUNER_MUST_CHECK
bool command_take_over(const struct invocation *call, struct tuner_error *err);

/* Finds the job that an argument names by its name or its job file's path; NULL: the newest job
 * (ended confirmation jobs do not count), and if there are several, a note on standard error says
 * which. TUNER_USAGE lists the jobs there are. */
TUNER_MUST_CHECK
bool command_job(
	struct store *store, const char *argument, struct job *ret, struct tuner_error *err);

/* The same, where the argument may have been meant as a file that does not exist. */
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
