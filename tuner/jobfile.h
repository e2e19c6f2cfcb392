/* The job file: what the user asked for, read, checked and completed with its defaults.
 *
 * Everything comes from one table of keys (jobfile_keys.c), which is also what `tuner schema`
 * prints and what unknown keys are compared with. See docs/architecture.md, section 8. */
#ifndef TUNER_JOBFILE_H
#define TUNER_JOBFILE_H

#include "scheduler/classify.h"
#include "scheduler/command.h"
#include "scheduler/scrape.h"
#include "scheduler/slurm_transport.h"
#include "surrogate/space.h"
#include "surrogate/stopping.h"
#include "surrogate/suggest.h"
#include "tuner/diagnostics.h"
#include "tuner/outcome_rules.h"

/* BEST is by the objective's goal, so of the objective's one metric; of a formula's it is said: MAX or MIN. */
enum reduce { REDUCE_LAST, REDUCE_BEST, REDUCE_MEAN_OF_LAST, REDUCE_MAX, REDUCE_MIN };

enum { OBJECTIVE_METRICS_MAX = 32, OBJECTIVE_TEXT_MAX_BYTES = 500 };

/* A metric that the objective is made of, and how its curve becomes one number. */
struct objective_metric {
	char *name;
	enum reduce reduce;
	int64_t last; /* of MEAN_OF_LAST */
};

/* How a trial's curves become its objective (objective.h). */
struct job_objective {
	struct objective_metric *metrics;
	size_t n; /* 1 or more */
	struct expression
		*formula; /* over the metrics' numbers, in their order; NULL: the one metric's */
	char *cost; /* JSON of "cost", which the formula was made from; NULL: none */
	bool per_case; /* of a cost: divided by the number of cases */
};

struct job_values { /* of a categorical or ordinal parameter */
	size_t n;
	char **text; /* as the command sees it: adam, 0.1, true */
	char **json; /* "adam", 0.1, true */
};

enum { JOB_NAME_MAX_BYTES = 100, HOSTS_MAX = 64, HOST_NAME_MAX_BYTES = 128 };

struct job_host {
	char name[HOST_NAME_MAX_BYTES]; /* in reports and `tuner hosts`; "": the machine's own */
	char backend[16]; /* "local", "ssh" or "slurm" */
	bool gpus_auto;
	unsigned gpus_per_trial; /* 0: none wanted */
	unsigned trials_per_gpu; /* at most; 0 and 1: none is shared */
	bool packs; /* measurements decide how many share one ("trials_per_gpu": "auto") */
	bool uses_busy_gpus; /* those that others use, too ("busy_gpus": "use") */
	size_t n_gpus; /* "gpus": [0, 1] */
	int gpus[GPUS_MAX];
	unsigned slots; /* trials at a time; 0: as budget.parallel and the GPUs give */
	int64_t priority; /* places of a higher one are taken first */
	double price; /* of an hour of all its slots; 0: none */
	char **prefix; /* NULL-terminated; NULL: none */
	struct job_ssh *ssh; /* of the backend ssh; else NULL */
	struct job_slurm *slurm; /* of the backend slurm; else NULL */
};

/* What a host of the backend slurm adds. */
struct job_slurm {
	struct slurm_settings settings; /* its strings are owned */
	unsigned ahead; /* jobs queued beyond "slots" */
	char *directory; /* absolute: where attempts lie; NULL: DATABASE.d */
};

enum { ARMS_MAX = 20, ARM_REPEATS_MAX = 1000, ARM_NAME_BYTES = 64 };

/* A strategy that is compared with others inside the job. */
struct job_arm {
	char name[ARM_NAME_BYTES];
	struct strategy strategy;
};

/* What a host of the backend ssh adds. */
struct job_ssh {
	char *address, *user; /* user "": as ssh's own configuration says */
	unsigned port; /* 0: likewise */
	char *directory; /* on the host: absolute, or counted from the home directory */
	char **options; /* for ssh, NULL-terminated; NULL: none */
	bool sync; /* the working directory is sent, and results are fetched */
	int64_t host_timeout_us;
	int64_t lease_us; /* 0: none */
};

void job_ssh_destroy(struct job_ssh *ssh);

struct job_budget {
	int64_t trials; /* per arm and repeat */
	int64_t parallel; /* 0: as many as there are slots */
	int64_t runtime_us, deadline_us; /* 0: none; deadline by the wall clock */
	bool has_target;
	double target; /* user's unit */
	int64_t not_improving; /* 0: off */
	bool converged; /* the model expects no further gain */
	double cost; /* of all attempts, by the hosts' prices; 0: no limit */
	int64_t failures; /* infrastructure failures that end the job; 0: off */
	int64_t start_failures; /* the probe's */
};

/* What trials run: what lies in `directory` at the time, a copy of it, or a commit of a repository. */
enum code_from { CODE_LIVE, CODE_SNAPSHOT, CODE_GIT };

struct job_code {
	enum code_from from;
	char *git; /* address, or an absolute path; NULL unless from git */
	char *commit; /* hexadecimal, 7 digits or more */
	char *path; /* in the repository; "" at its top */
};

enum { WARM_PARENTS_MAX = 100 };

/* An earlier job that this one begins with. */
struct warm_parent {
	char *db; /* absolute; NULL: the job's own database */
	char *job; /* its name */
	double *missing; /* d: values of parameters that it had not; NaN: none is given */
	char **ignore; /* its parameters that do not matter, NULL-terminated */
};

/* What a job knows from the beginning (warm_start.h). */
struct job_warm_start {
	struct warm_parent *parents;
	size_t n; /* 0: nothing */
	bool first; /* their best are tried first; else their trials are data */
	int64_t best; /* so many, of first */
};

/* Which models, output files and checkpoints of ended trials stay. */
struct job_keep {
	int64_t best, last; /* best 0: all, and last does not matter */
	int64_t disk_bytes; /* 0: no limit */
};

struct job_file {
	char *text; /* as given, overrides applied and noted below */
	char *path; /* absolute; "" for standard input */
	char *directory; /* absolute: where commands run and relative paths count from */
	char *name;
	uint64_t seed;

	char *metric; /* the objective's name: its metric, or its formula */
	bool maximize;
	struct job_objective objective;
	struct metric_pattern *metrics;
	size_t n_metrics; /* 0: @tuner lines */

	struct space space; /* scales resolved */
	struct job_values *values; /* per parameter of space; n 0 for numbers */
	struct argument *fixed;
	size_t n_fixed;
	size_t *order; /* arguments in the job file's order: < d a parameter, else fixed[i - d] */

	double **first; /* n_first configurations of d, NaN where not given */
	size_t n_first;

	struct strategy strategy; /* without arms */
	struct job_arm arms[ARMS_MAX];
	size_t n_arms; /* 0: the job is one search */
	int64_t repeats; /* of each arm; 1 without arms */
	struct job_budget budget;
	struct stopping_settings stopping; /* rule STOPPING_NONE: off */

	char **command; /* NULL: none, for who asks and tells */
	enum argument_style style;
	struct job_code code;
	struct channel *channels;
	size_t n_channels;
	char **environment; /* NAME=VALUE, NULL-terminated */
	char *env_file; /* absolute; NULL: none */
	int64_t memory_bytes; /* of a trial; 0: no limit */
	bool no_network;
	int64_t retries, backoff_us, timeout_us, grace_us, log_max_bytes;
	struct outcome_rule outcomes[OUTCOMES];
	struct failure_rule *failures;
	size_t n_failures;
	struct job_keep keep;
	struct job_warm_start warm_start;
	struct job_host *hosts;
	size_t n_hosts;
};

/* What the command line changes: --set KEY=VALUE (VALUE is JSON, or else taken as a string), applied in
 * order, and the words after `--`, which replace "command". */
struct job_overrides {
	const char **set;
	size_t n_set;
	const char **options; /* as messages name each; NULL, or NULL of one: "--set KEY=VALUE" */
	char *const *command; /* NULL: none */
};

/* What a job file's command is to its reader. Who asks and tells goes without one. */
enum command_need {
	COMMAND_IGNORED, /* may be missing, and nothing is looked for on this machine: neither
			    programs nor data nor directories */
	COMMAND_NEEDED, /* must be given, and what is named must be there */
	COMMAND_CHECKED, /* may be missing; what is named must be there */
};

/* Bytes of a path up to its .jsonc or .json, or all: how a job is called that has no name stands at the end of these. */
size_t job_stem_length(const char *path);

/* Reads and checks a job file ("-": standard input). All that is wrong with its content goes to
 * `list` (empty before); ret is set only if list->errors stays 0, else NULL (true is returned in both
 * cases). A name left out is the file's own without its ending. False: the file itself cannot be read
 * (TUNER_USAGE, for one beyond 1 MiB too), or memory. */
TUNER_MUST_CHECK
bool job_file_read(const char *path, const struct job_overrides *overrides, enum command_need need,
	struct job_file **ret, struct diagnostics *list, struct tuner_error *err);

/* The same from text already at hand, that of a stored job: `name` is for messages and for a name left
 * out, `directory` where its commands run (the key "directory", which led there, is not followed
 * again unless the overrides set it). overrides may be NULL. */
TUNER_MUST_CHECK
bool job_file_parse(const char *name, const char *directory, const char *text, size_t length,
	const struct job_overrides *overrides, enum command_need need, struct job_file **ret,
	struct diagnostics *list, struct tuner_error *err);

/* Arms times repeats; 1 without arms. */
int64_t job_file_searches(const struct job_file *file);
void job_file_destroy(struct job_file *file);

/* What is looked for in an output: "metrics", or without that list the objective's, so that they have
 * their place among SCRAPE_NAMES_MAX however many others a command reports before them. */
TUNER_MUST_CHECK
bool job_file_patterns(
	const struct job_file *file, struct metric_patterns **ret, struct tuner_error *err);

/* "30 trials, strategy bayesian"; "2 arms (gp, random), 5 repeats, 30 trials each: 300 trials". */
void job_file_searches_text(const struct job_file *file, struct text *ret);

/* What `tuner check` prints after the errors: space with chosen scales, budget, every default and
 * where it came from. As JSON with the same content for --json. */
void job_file_describe(const struct job_file *file, struct text *ret);
void job_file_describe_json(const struct job_file *file, struct text *ret);

/* JSON Schema (2020-12) of the job file, from the table of keys. */
void job_file_schema(struct text *ret);

/* ---- the edited job file ---- */

enum job_change_kind {
	CHANGE_NONE = 0,
	CHANGE_TAKEN = 1, /* budget, hosts, retries, timeouts, early stopping, strategy, first */
	CHANGE_SPACE = 2, /* parameters: a new space version */
	CHANGE_COMMAND = 4, /* command, fixed values, channels, environment, the objective's
			       pattern: needs --accept-change */
	CHANGE_OBJECTIVE = 8, /* refused, naming rescore */
	CHANGE_SEED = 16, /* refused: a new name is a new job */
	CHANGE_WARM_START = 32, /* refused once it has acted, but for taking it out */
};

/* Compares what two files mean (not their text). *ret_kinds is the union; ret_lines gets one line a
 * difference: "budget.trials: 12 -> 15". */
void job_file_compare(const struct job_file *old, const struct job_file *new, unsigned *ret_kinds,
	struct text *ret_lines);

/* The lines of these kinds alone. */
void job_file_compare_only(const struct job_file *old, const struct job_file *new, unsigned kinds,
	struct text *ret_lines);

/* ---- configurations ---- */

/* Configurations are settled (space.h), whole ones and partial ones. What is not active is no part of
 * what the user sees of them. */

/* The JSON object of a configuration's values, in the space's order, doubles exact; NaN (not given)
 * left out. A float that is whole has a decimal point: 1.0. */
void configuration_json(const struct job_file *file, const double *values, struct text *ret);

/* Reads a JSON object by name into d values, NaN for a parameter that is not in it. With `lenient` (an
 * older trial of an edited space) unknown names are skipped, numbers may lie outside, a missing
 * parameter or an unknown category gives false without an error (err->code TUNER_OK); else each is
 * TUNER_USAGE with the nearest name or the bounds, as is a configuration against the conditions and
 * constraints, which an older trial need not satisfy. */
TUNER_MUST_CHECK
bool configuration_parse(const struct job_file *file, const char *json, bool lenient,
	double *ret_values, struct tuner_error *err);

/* The same configuration as configuration_json writes it in this space; `json` may be of an older program or
 * an older space. *ret is NULL if it does not fit, or if it is not `complete` and shall be. Owned. */
TUNER_MUST_CHECK
bool configuration_rewrite(const struct job_file *file, const char *json, bool complete, char **ret,
	struct tuner_error *err);

/* What the database keeps of a complete configuration (trial_new): NaN where a parameter is not
 * active. */
void configuration_stored_values(
	const struct job_file *file, const double *values, double *ret_values);

/* The arguments of a complete configuration in the job file's order, fixed ones included:
 * d + n_fixed items, those of inactive parameters without a text. Frees with arguments_free. NULL
 * without memory. */
struct argument *configuration_arguments(const struct job_file *file, const double *values);
void arguments_free(struct argument *arguments, size_t n);

/* For people: "learning_rate=0.0131 momentum=0.9", numbers to 4 digits. */
void configuration_text(const struct job_file *file, const double *values, struct text *ret);

/* ---- what the database stores ---- */

/* The space as JSON, and its parameters with Optuna's distributions. Free with
 * parameter_list_finish. */
TUNER_MUST_CHECK
bool job_file_space(const struct job_file *file, char **ret_definition,
	struct parameter_list *ret_parameters, struct tuner_error *err);
char *job_file_objective(const struct job_file *file); /* JSON; caller frees */
char *job_file_strategy(const struct job_file *file); /* JSON of settings; caller frees */
char *strategy_settings(const struct strategy *strategy); /* likewise */

/* The way back: the smallest job file with the definition of a space version and the settings of a decision
 * (NULL: the defaults). What else a job file says is not in it. *ret NULL: this version cannot read them. */
TUNER_MUST_CHECK
bool job_file_restore(const char *definition, const char *settings, struct job_file **ret,
	struct tuner_error *err);

#endif
