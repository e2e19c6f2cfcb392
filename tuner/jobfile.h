/* The job file: what the user asked for, read, checked and completed with defaults.
 *
 * All keys come from one table (jobfile_keys.c), which `tuner schema` also prints and unknown keys
 * are compared with. See docs/architecture.md, section 8. */
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

/* Of an objective's metric that the file does not list (rescore.c adds what to do). */
#define JOB_NOT_AMONG_METRICS "is not among \"metrics\""

/* BEST follows the objective's goal, so it needs an objective of one metric; for a formula's
 * metrics MAX or MIN is given. */
enum reduce { REDUCE_LAST, REDUCE_BEST, REDUCE_MEAN_OF_LAST, REDUCE_MAX, REDUCE_MIN };

enum { OBJECTIVE_METRICS_MAX = 32, OBJECTIVE_TEXT_MAX_BYTES = 500 };

/* A metric of the objective, and how its curve becomes one number. */
struct objective_metric {
	char *name;
	enum reduce reduce;
	int64_t last; /* for MEAN_OF_LAST */
};

/* A further objective, beside which the first is traded off. */
struct job_also {
	struct expression *formula; /* over the metrics' numbers */
	bool maximize;
};

/* How a trial's curves become its objective (objective.h). */
struct job_objective {
	struct objective_metric *metrics;
	size_t n; /* 1 or more */
	size_t n_own; /* the first ones are the objective's; only limits and further objectives name
			 the others */
	struct expression
		*formula; /* over the metrics' numbers, in their order; NULL: the single metric's
			     number */
	char *cost; /* JSON of "cost", from which the formula was made; NULL: none */
	bool per_case; /* for a cost: divided by the number of cases */
	struct expression *limits[TRIAL_LIMITS_MAX]; /* over the metrics' numbers; each is a bound
						       (expression.h) that a result must keep */
	size_t n_limits;
	struct job_also also[TRIAL_ALSO_MAX];
	size_t n_also;
};

struct job_values { /* for a categorical or ordinal parameter */
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
	unsigned trials_per_gpu; /* at most; 0 and 1: GPUs are not shared */
	bool packs; /* measurements decide how many trials share a GPU ("trials_per_gpu": "auto") */
	bool uses_busy_gpus; /* also uses GPUs that others use ("busy_gpus": "use") */
	size_t n_gpus; /* "gpus": [0, 1] */
	int gpus[GPUS_MAX];
	unsigned slots; /* trials at a time; 0: from budget.parallel and the GPUs */
	int64_t priority; /* places with a higher priority are used first */
	double price; /* per hour of all its slots; 0: none */
	char **prefix; /* NULL-terminated; NULL: none */
	struct job_ssh *ssh; /* for the backend ssh; else NULL */
	struct job_slurm *slurm; /* for the backend slurm; else NULL */
};

/* What a host of the backend slurm adds. */
struct job_slurm {
	struct slurm_settings settings; /* its strings are owned */
	unsigned ahead; /* jobs queued beyond "slots" */
	char *directory; /* absolute: where attempt directories are; NULL: DATABASE.d */
};

enum { ARMS_MAX = 20, ARM_REPEATS_MAX = 1000, ARM_NAME_BYTES = 64 };

/* A strategy that the job compares with others. */
struct job_arm {
	char name[ARM_NAME_BYTES];
	struct strategy strategy;
};

/* What a host of the backend ssh adds. */
struct job_ssh {
	char *address, *user; /* user "": as ssh's own configuration says */
	unsigned port; /* 0: likewise */
	char *directory; /* on the host: absolute, or relative to the home directory */
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

/* The code that trials run: the present content of `directory`, a copy of it, or a commit of a
 * repository. */
enum code_from { CODE_LIVE, CODE_SNAPSHOT, CODE_GIT };

struct job_code {
	enum code_from from;
	char *git; /* address, or an absolute path; NULL unless from git */
	char *commit; /* hexadecimal, 7 digits or more */
	char *path; /* in the repository; "" at its top */
};

enum { WARM_PARENTS_MAX = 100 };

/* How a job begins with earlier ones, in the order of the key's words: their trials are data, or their
 * best configurations are tried first, or its model learns from them what it can. */
enum warm_as { WARM_TRIALS, WARM_FIRST, WARM_RELATED };

const char *warm_as_name(enum warm_as as); /* "trials" ... */

/* An earlier job whose trials this one starts from. */
struct warm_parent {
	char *db; /* absolute; NULL: the job's own database */
	char *job; /* its name */
	double *missing; /* d values for parameters that it lacked; NaN: none given */
	char **ignore; /* its parameters to ignore, NULL-terminated */
};

/* What a job knows from the start (warm_start.h). */
struct job_warm_start {
	struct warm_parent *parents;
	size_t n; /* 0: nothing */
	enum warm_as as;
	int64_t best; /* how many, with WARM_FIRST */
};

/* Which models, output files and checkpoints of ended trials are kept. */
struct job_keep {
	int64_t best, last; /* best 0: all are kept, and last is ignored */
	int64_t disk_bytes; /* 0: no limit */
};

struct job_file {
	char *text; /* as given, with overrides applied */
	char *path; /* absolute; "" for standard input */
	char *search_path; /* of a confirmation, which has no file, that of its search; NULL: none */
	char *directory; /* absolute: where commands run, and the base of relative paths */
	char *name;
	uint64_t seed;

	char *metric; /* the objective's name: its metric or its formula */
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

	char **command; /* NULL: none, for callers that ask and tell */
	enum argument_style style;
	struct job_code code;
	struct channel *channels;
	size_t n_channels;
	char **environment; /* NAME=VALUE, NULL-terminated */
	char *env_file; /* absolute; NULL: none */
	int64_t memory_bytes; /* per trial; 0: no limit */
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

/* Changes from the command line: --set KEY=VALUE (VALUE is JSON, else a string), applied in order,
 * and the words after `--`, which replace "command". */
struct job_overrides {
	const char **set;
	size_t n_set;
	const char **options; /* the name of each in messages; NULL, or a NULL item: "--set
				 KEY=VALUE" */
	char *const *command; /* NULL: none */
};

/* How the reader treats a job file's command. Callers that ask and tell need none. */
enum command_need {
	COMMAND_IGNORED, /* may be missing, and no program, data or directory is looked for on this
			    machine */
	COMMAND_NEEDED, /* must be given, and what is named must exist */
	COMMAND_CHECKED, /* may be missing; what is named must exist */
};

/* Length of a path without its .jsonc or .json; what this ends in is the name of a job that gives
 * none. */
size_t job_stem_length(const char *path);

/* Reads and checks a job file ("-": standard input). Faults of its content go to `list` (empty
 * before); *ret is set only if list->errors stays 0, else NULL (true is returned in both cases). A
 * missing name is taken from the file's, without its ending. False: the file cannot be read
 * (TUNER_USAGE, also if larger than 1 MiB), or no memory. */
TUNER_MUST_CHECK
bool job_file_read(const char *path, const struct job_overrides *overrides, enum command_need need,
	struct job_file **ret, struct diagnostics *list, struct tuner_error *err);

/* The same from the text of a stored job: `name` is for messages and a missing name, `directory` is
 * where its commands run (the key "directory", which led there, is not applied again unless the
 * overrides set it). overrides may be NULL. */
TUNER_MUST_CHECK
bool job_file_parse(const char *name, const char *directory, const char *text, size_t length,
	const struct job_overrides *overrides, enum command_need need, struct job_file **ret,
	struct diagnostics *list, struct tuner_error *err);

/* Arms times repeats; 1 without arms. */
int64_t job_file_searches(const struct job_file *file);

/* Whether "metrics" has it. */
bool job_file_lists_metric(const struct job_file *file, const char *name);

void job_file_destroy(struct job_file *file);

/* The patterns to search output for: "metrics", or without that list the objective's metrics, so
 * that these are among SCRAPE_NAMES_MAX however many others a command reports before them. */
TUNER_MUST_CHECK
bool job_file_patterns(
	const struct job_file *file, struct metric_patterns **ret, struct tuner_error *err);

/* "30 trials, strategy bayesian"; "2 arms (gp, random), 5 repeats, 30 trials each: 300 trials". */
void job_file_searches_text(const struct job_file *file, struct text *ret);

/* What `tuner check` prints after the errors: space with chosen scales, budget, every default and
 * where it came from. The second gives the same as JSON for --json. */
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
	CHANGE_OBJECTIVE = 8, /* refused; the message names rescore */
	CHANGE_SEED = 16, /* refused: a new name is a new job */
	CHANGE_WARM_START = 32, /* refused once it has taken effect, except removing it */
};

/* Compares the meaning of two files, not their text. *ret_kinds is the union; ret_lines gets one
 * line per difference: "budget.trials: 12 -> 15". */
void job_file_compare(const struct job_file *old, const struct job_file *new, unsigned *ret_kinds,
	struct text *ret_lines);

/* Only the lines of these kinds. */
void job_file_compare_only(const struct job_file *old, const struct job_file *new, unsigned kinds,
	struct text *ret_lines);

/* ---- configurations ---- */

/* Configurations, complete or partial, are settled (space.h). Users do not see inactive
 * parameters. */

/* Appends the JSON object of a configuration's values, in the space's order, with exact doubles,
 * without those not given (NaN). A whole float has a decimal point: 1.0. */
void configuration_json(const struct job_file *file, const double *values, struct text *ret);

/* Reads a JSON object by name into d values, NaN for a missing parameter. With `lenient` (an older
 * trial of an edited space) unknown names are skipped, numbers may lie outside the space,
 * conditions and constraints may be broken, and a missing parameter or unknown category gives false
 * without an error (err->code TUNER_OK). Otherwise each of these is TUNER_USAGE, with the nearest
 * name or the bounds. */
TUNER_MUST_CHECK
bool configuration_parse(const struct job_file *file, const char *json, bool lenient,
	double *ret_values, struct tuner_error *err);

/* Rewrites a configuration as configuration_json does in this space; `json` may come from an older
 * program or space. *ret is NULL if it does not fit, or if `complete` is asked for and it is not.
 * The caller frees. */
TUNER_MUST_CHECK
bool configuration_rewrite(const struct job_file *file, const char *json, bool complete, char **ret,
	struct tuner_error *err);

/* A complete configuration as the database stores it (trial_new): NaN where a parameter is
 * inactive. */
void configuration_stored_values(
	const struct job_file *file, const double *values, double *ret_values);

/* The arguments of a complete configuration in the job file's order, fixed ones included: d +
 * n_fixed items, those of inactive parameters with a NULL text. Free with arguments_free. NULL
 * without memory. */
struct argument *configuration_arguments(const struct job_file *file, const double *values);
void arguments_free(struct argument *arguments, size_t n);

/* Appends text for people: "learning_rate=0.0131 momentum=0.9", numbers to 4 digits. */
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

/* The inverse: the smallest job file with a space version's definition and a decision's settings
 * (NULL: the defaults); it has nothing else of the original. *ret NULL: this version cannot read
 * them. */
TUNER_MUST_CHECK
bool job_file_restore(const char *definition, const char *settings, struct job_file **ret,
	struct tuner_error *err);

/* Gives such a file the further objectives of an objective's definition (job_file_objective):
 * which way is better, without formulas. TUNER_FATAL without memory. */
TUNER_MUST_CHECK
bool job_file_restore_also(struct job_file *file, const char *objective, struct tuner_error *err);

#endif
