#include "tuner/jobfile_keys.h"

#include "base/number.h"
#include "scheduler/machine.h"
#include "scheduler/scrape.h"
#include "surrogate/space.h"
#include "tuner/jobfile_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TRIALS_MAX         1000000
#define COUNT_MAX          1000000
#define STEPS_MAX          1e15
#define ANY_NUMBER         .min = -INFINITY, .max = INFINITY
#define FROM_TO(low, high) .min = (low), .max = (high)

/* What is_name and check_name of the reader accept. */
#define NAME_PATTERN      "^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$"
#define IN_PARAMETER_NAME "\\\\x00-\\\\x20\\\\x7f={}\\\"'\\\\\\\\]"
#define PARAMETER_PATTERN "^[^-" IN_PARAMETER_NAME "[^" IN_PARAMETER_NAME "*$"

/* In the order of `tuner check`'s output, in which a job file also reads best. */
const struct key job_keys[] = {
	{ SECTION_FILE, "$schema", KEY_TEXT,
		.help = "the JSON Schema that an editor checks the file with (tuner schema)" },
	{ SECTION_FILE, "name", KEY_STRING, .pattern = NAME_PATTERN,
		.derived = "the file's name without .json or .jsonc",
		.help = "the job's name: letters, digits, '.', '_' and '-'; another name is "
			"another "
			"job",
		.synonyms = "study_name|study|experiment|experiment_name|sweep|job_name|job|"
			    "HyperParameterTuningJobName|exp_name|run_name|project" },
	{ SECTION_FILE, "description", KEY_TEXT, .help = "a note for people",
		.synonyms = "comment|notes|doc|title" },
	{ SECTION_FILE, "tags", KEY_STRINGS, FROM_TO(0, 50), .help = "labels for people",
		.synonyms = "labels|keywords" },
	{ SECTION_FILE, "objective", KEY_OBJECT, SECTION_OBJECTIVE, .required = true,
		.help = "what to make as good as possible",
		.synonyms =
			"HyperParameterTuningJobObjective|optimize|target_metric|objectives|loss" },
	{ SECTION_FILE, "metrics", KEY_OBJECTS, SECTION_METRIC, FROM_TO(1, SCRAPE_PATTERNS_MAX),
		.derived = "none: the command prints @tuner lines",
		.help = "how values are found in the command's output",
		.synonyms = "MetricDefinitions|metric_definitions|measurements" },
	{ SECTION_FILE, "parameters", KEY_OBJECT_MAP, SECTION_PARAMETER,
		FROM_TO(1, SPACE_PARAMETERS_MAX), .pattern = PARAMETER_PATTERN, .required = true,
		.help = "what may be varied, by the name that the command knows it by",
		.synonyms = "params|hyperparameters|search_space|space|searchSpace|config|ranges|"
			    "ParameterRanges|parameter_space|domain" },
	{ SECTION_FILE, "fixed", KEY_SCALAR_MAP, FROM_TO(0, SPACE_PARAMETERS_MAX),
		.pattern = PARAMETER_PATTERN,
		.help = "further arguments of the command that stay the same",
		.synonyms = "StaticHyperParameters|static|constants|constant|fixed_parameters" },
	{ SECTION_FILE, "constraints", KEY_STRINGS, FROM_TO(0, SPACE_CONSTRAINTS_MAX),
		.help = "what every configuration must satisfy: formulas over parameters and fixed "
			"values, such as \"learning_rate * batch_size <= 300\"",
		.synonyms = "conditions|forbidden|parameter_constraints|outcome_constraints|"
			    "linear_constraints|forbidden_clauses" },
	{ SECTION_FILE, "first", KEY_SCALAR_MAPS, FROM_TO(0, 1000),
		.help = "configurations to try before any proposal; the strategy completes partial "
			"ones",
		.synonyms = "points_to_evaluate|default|defaults|initial_points|enqueue|start|"
			    "initial_value|init_value|default_value|initial_configs" },
	{ SECTION_FILE, "strategy", KEY_OBJECT, SECTION_STRATEGY, .otherwise = "\"bayesian\"",
		.help = "what proposes configurations",
		.synonyms = "sampler|searcher|search_alg|search_algorithm|method|algorithm|tuner|"
			    "optimizer_type|suggest|HyperParameterTuningJobConfig" },
	{ SECTION_FILE, "seed", KEY_SEED, .otherwise = "1",
		.help = "seed of all random numbers; as a string if it is above 2^53",
		.synonyms = "random_seed|random_state|RandomSeed|rng_seed" },
	{ SECTION_FILE, "budget", KEY_OBJECT, SECTION_BUDGET, .derived = "30 trials",
		.help = "when the job ends",
		.synonyms = "limits|ResourceLimits|resources|run_cap|TuningJobCompletionCriteria|"
			    "max_budget" },
	{ SECTION_FILE, "early_stopping", KEY_OBJECT, SECTION_STOPPING, .otherwise = "\"none\"",
		.help = "when a trial is stopped early",
		.synonyms = "pruner|pruning|scheduler|early_terminate|"
			    "TrainingJobEarlyStoppingType|stopping" },
	{ SECTION_FILE, "command", KEY_STRINGS, FROM_TO(1, 10000), .to_run = true,
		.help = "the training command, word by word: no shell reads it; only asking and "
			"telling (tuner ask, tuner ask-tell) goes without",
		.synonyms = "cmd|program|script|entrypoint|entry_point|run|exec|executable|args|"
			    "argv" },
	{ SECTION_FILE, "arguments", KEY_WORD,
		.words = "--{name} {value}|--{name}={value}|{name}={value}|none",
		.otherwise = "\"--{name} {value}\"",
		.help = "how parameters are appended to a command without placeholders. "
			"Placeholders in its words are {NAME} for a parameter's value, {trial}, "
			"{gpus}, {attempt_dir}, {checkpoint_dir} and {model_dir}",
		.synonyms = "argument_style|args_format|arg_format" },
	{ SECTION_FILE, "directory", KEY_STRING, .derived = "where the job file is",
		.help = "where the command runs, and the base of other relative paths",
		.synonyms = "cwd|working_directory|workdir|work_dir|dir|chdir" },
	{ SECTION_FILE, "channels", KEY_STRING_MAP, FROM_TO(0, 100),
		.help = "data by name: the command finds each path in TUNER_CHANNEL_NAME and "
			"SM_CHANNEL_NAME",
		.synonyms = "InputDataConfig|inputs|data|input_channels|datasets" },
	{ SECTION_FILE, "env", KEY_ENVIRONMENT, FROM_TO(0, 1000),
		.help = "environment variables of the command: an object of values, or an array of "
			"names to pass on",
		.synonyms = "environment|Environment|env_vars|variables|envs" },
	{ SECTION_FILE, "retries", KEY_INTEGER, FROM_TO(0, 1000), .otherwise = "2",
		.help = "how often a trial is launched again after a failure that its "
			"configuration "
			"did not cause",
		.synonyms =
			"max_retries|MaximumRetryAttempts|max_restarts|restarts|RetryStrategy" },
	{ SECTION_FILE, "timeout", KEY_DURATION, FROM_TO(0.001, 3155760000), .derived = "none",
		.help = "a trial's command is ended after this long",
		.synonyms = "time_limit|MaxRuntimeInSeconds|trial_timeout|max_trial_time|"
			    "StoppingCondition|trial_time_limit" },
	{ SECTION_FILE, "grace", KEY_DURATION, FROM_TO(0, 86400), .otherwise = "\"30s\"",
		.help = "time between SIGTERM, on which a command should checkpoint, and SIGKILL",
		.synonyms = "grace_time|kill_timeout|stop_timeout|kill_after" },
	{ SECTION_FILE, "log_max", KEY_SIZE, FROM_TO(65536, 1e12), .otherwise = "\"64 MiB\"",
		.help = "how much of an attempt's output is kept; the oldest part is dropped "
			"first",
		.synonyms = "log_size|max_log_size|log_limit" },
	{ SECTION_FILE, "failures", KEY_OBJECTS, SECTION_FAILURE, FROM_TO(0, 100),
		.help = "patterns that tell the cause of a failure from the end of the command's "
			"output; the first match counts, before the built-in rules",
		.synonyms = "failure_rules|log_policies|error_rules|on_failure" },
	{ SECTION_FILE, "outcomes", KEY_OBJECT, SECTION_OUTCOMES,
		.help = "what follows from the end of an attempt, by its class",
		.synonyms = "on_outcome|outcome_rules|podFailurePolicy|restart_policy|on_exit" },
	{ SECTION_FILE, "backoff", KEY_DURATION, FROM_TO(0, 86400), .otherwise = "\"10s\"",
		.help = "wait before a trial is launched again: doubled from attempt to attempt "
			"up to an hour, and by chance up to a quarter longer or shorter",
		.synonyms = "retry_delay|retry_wait|backoff_seconds|restart_delay" },
	{ SECTION_FILE, "hosts", KEY_OBJECTS, SECTION_HOST, FROM_TO(1, HOSTS_MAX),
		.derived = "this machine, with its GPUs if it has any", .help = "where trials run",
		.synonyms = "workers|machines|nodes|cluster|resources_per_trial|instances|"
			    "ResourceConfig|host" },
	{ SECTION_FILE, "arms", KEY_OBJECT_MAP, SECTION_ARM, FROM_TO(2, ARMS_MAX),
		.pattern = NAME_PATTERN,
		.help = "strategies compared inside one job, by name: each sees its own trials "
			"only, and budget.trials is for each of them and each repeat",
		.synonyms = "strategies|compare|variants|algorithms" },
	{ SECTION_FILE, "repeats", KEY_INTEGER, FROM_TO(1, ARM_REPEATS_MAX), .otherwise = "1",
		.help = "how often each arm searches; the arms of a repeat share its initial "
			"points and training seeds",
		.synonyms = "executions_per_trial|num_samples_per_config|replications|runs" },
	{ SECTION_FILE, "keep", KEY_OBJECT, SECTION_KEEP, .derived = "everything",
		.help = "which models, output files and checkpoints of ended trials stay on the "
			"disk; logs and results always stay",
		.synonyms = "keep_n|retention|checkpoint_config|CheckpointConfig|"
			    "num_to_keep|keep_checkpoints_num|checkpoint_policy|save_trial_best" },
	{ SECTION_FILE, "source", KEY_OBJECT, SECTION_CODE, .otherwise = "\"live\"",
		.help = "which code trials run: what is in \"directory\" at the time, a copy of "
			"it, or a commit of a git repository",
		.synonyms = "source_dir|GitConfig|SourceDir|code_dir|snapshot|sourcecode" },
	{ SECTION_FILE, "network", KEY_WORD, .words = "host|none", .otherwise = "\"host\"",
		.aliases = "loopback=none|off=none|isolated=none|on=host|all=host|bridge=host",
		.help = "host: the machine's network; none: the command can reach only loopback",
		.synonyms = "EnableNetworkIsolation|VpcConfig" },
	{ SECTION_FILE, "memory", KEY_SIZE, FROM_TO(1 << 20, 1e15), .derived = "no limit",
		.help = "a trial is ended when its processes together use more resident memory "
			"than this",
		.synonyms = "mem|memory_limit|max_memory|mem_limit|ram" },
	{ SECTION_FILE, "env_file", KEY_STRING,
		.help = "a file of NAME=VALUE lines, readable by you alone: variables that each "
			"trial gets when it starts, and that are stored nowhere",
		.synonyms = "secrets|dotenv" },
	{ SECTION_FILE, "warm_start", KEY_OBJECT, SECTION_WARM_START,
		.help = "earlier jobs to learn from; it acts once, when the job is created",
		.synonyms = "WarmStartConfig|parents|transfer|prior_runs|warmstart" },

	{ SECTION_OBJECTIVE, "metric", KEY_STRING,
		.help = "the metric's name; \"expression\" or \"cost\" may take its place",
		.synonyms = "MetricName|name|metric_name|objectiveMetricName|monitor|key" },
	{ SECTION_OBJECTIVE, "goal", KEY_WORD, .words = "minimize|maximize",
		.derived = "must be given; with \"cost\" minimize",
		.aliases = "min=minimize|max=maximize|minimise=minimize|maximise=maximize|"
			   "lower=minimize|higher=maximize|smaller=minimize|larger=maximize",
		.help = "which way is better",
		.synonyms = "direction|mode|Type|type|optimize_mode" },
	{ SECTION_OBJECTIVE, "reduce", KEY_REDUCE, .otherwise = "\"last\"",
		.help = "how a trial's values become one number; with an expression, those of "
			"each metric before it is used",
		.synonyms = "aggregate|aggregation|summary|metricStrategies|strategy" },
	{ SECTION_OBJECTIVE, "expression", KEY_STRING,
		.help = "a formula over several metrics, such as \"accuracy - 0.02 * "
			"log2(latency_ms)\"; a name with anything but letters, digits, '_' and "
			"'.' stands in backquotes",
		.synonyms = "formula|equation" },
	{ SECTION_OBJECTIVE, "cost", KEY_SCALAR_MAP, FROM_TO(1, OBJECTIVE_METRICS_MAX),
		.help = "what one case costs, by the name of the metric that counts such cases: "
			"{\"false_negative\": 5, \"false_positive\": 1}; the sum is minimized",
		.synonyms = "costs|cost_matrix|weights|class_weights" },
	{ SECTION_OBJECTIVE, "per", KEY_WORD, .words = "all|case", .otherwise = "\"all\"",
		.help = "with a cost: case divides it by the number of cases, the sum of "
			"true_positive, true_negative, false_positive and false_negative",
		.synonyms = "normalize|divide_by" },

	{ SECTION_OBJECTIVE, "limits", KEY_STRINGS, FROM_TO(0, TRIAL_LIMITS_MAX),
		.help = "comparisons by <= or >= that a result must keep, such as \"latency_ms <= "
			"20\": a trial that breaks one cannot be the best",
		.synonyms = "constraints|outcome_constraints|metric_constraints|thresholds|bounds|"
			    "must|subject_to" },
	{ SECTION_OBJECTIVE, "also", KEY_OBJECTS, SECTION_ALSO, FROM_TO(0, TRIAL_ALSO_MAX),
		.help = "further objectives: the search is then for the Pareto front, the trials "
			"of which no other is better in one objective and as good in all",
		.synonyms =
			"objectives|directions|secondary|and|other_objectives|multi_objective" },

	{ SECTION_METRIC, "name", KEY_STRING, .required = true, .help = "the metric's name",
		.synonyms = "Name|metric|key" },
	{ SECTION_METRIC, "regex", KEY_STRING, .derived = "found in @tuner lines",
		.help = "PCRE2; the value is the group named value, or else the first one not "
			"named step; a group named step is the step",
		.synonyms = "Regex|pattern|regexp|re|match|expression" },

	{ SECTION_PARAMETER, "type", KEY_WORD, .words = "float|int|categorical|ordinal|bool|fixed",
		.derived =
			"categorical with \"values\", float with a \"min\" or \"max\" that is not "
			"whole",
		.aliases =
			"double=float|real=float|continuous=float|Continuous=float|uniform=float|"
			"loguniform=float|log_uniform=float|quniform=float|number=float|"
			"integer=int|Integer=int|randint=int|long=int|discrete=ordinal|"
			"choice=categorical|choices=categorical|category=categorical|"
			"Categorical=categorical|enum=categorical|string=categorical|"
			"ordered=ordinal|boolean=bool|constant=fixed|const=fixed|range=float",
		.help = "a bool is a categorical with the values false and true",
		.synonyms = "parameterType|dtype|kind|distribution|_type|parameter_type" },
	{ SECTION_PARAMETER, "min", KEY_NUMBER, ANY_NUMBER, .help = "the least value, included",
		.synonyms =
			"low|lower|MinValue|min_value|minimum|from|lb|lower_bound|minval|start|a|"
			"range|bounds|lr_range|interval|domain" },
	{ SECTION_PARAMETER, "max", KEY_NUMBER, ANY_NUMBER, .help = "the greatest value, included",
		.synonyms = "high|upper|MaxValue|max_value|maximum|to|ub|upper_bound|maxval|end|"
			    "stop|b" },
	{ SECTION_PARAMETER, "scale", KEY_WORD, .words = "auto|linear|log|reverse-log",
		.otherwise = "\"auto\"",
		.aliases = "Auto=auto|Linear=linear|uniform=linear|lin=linear|Logarithmic=log|"
			   "logarithmic=log|log10=log|loguniform=log|log_uniform=log|"
			   "ReverseLogarithmic=reverse-log|reverselog=reverse-log|"
			   "reverse_log=reverse-log|rlog=reverse-log|logit=reverse-log",
		.help = "the scale on which values are spread evenly; auto is log where max/min "
			"is 100 or more, reverse-log inside [0, 1) where (1 - min)/(1 - max) is "
			"50 or more, else linear",
		.synonyms = "scaling|ScalingType|scale_type|log|sampling|log_scale|prior_scale" },
	{ SECTION_PARAMETER, "step", KEY_NUMBER, FROM_TO(0, INFINITY),
		.derived = "1 for an int, none for a float",
		.help = "values are min, min + step, min + 2 step ...",
		.synonyms = "q|quantum|resolution|increment|stride" },
	{ SECTION_PARAMETER, "values", KEY_SCALARS, FROM_TO(1, PARAMETER_VALUES_MAX),
		.help = "the values of a categorical, or of an ordinal in their order",
		.synonyms = "choices|categories|Values|options|items|grid|_value|feasible_points|"
			    "list" },
	{ SECTION_PARAMETER, "value", KEY_SCALAR, .help = "the value of a fixed parameter",
		.synonyms = "constant" },
	{ SECTION_PARAMETER, "description", KEY_TEXT, .help = "a note for people",
		.synonyms = "comment|help" },
	{ SECTION_PARAMETER, "when", KEY_CONDITIONS, FROM_TO(1, SPACE_PARAMETERS_MAX - 1),
		.help = "the parameter is active only where each of these other parameters is "
			"active and has one of the values: {\"optimizer\": [\"sgd\"]}",
		.synonyms = "if|condition|conditions|parent|parents|active_if|conditional|"
			    "depends_on|dependent_parameters|requires" },
	{ SECTION_PARAMETER, "prior", KEY_PRIOR, FROM_TO(1, PARAMETER_VALUES_MAX),
		.help = "where good values are expected: [low, high], between which two thirds of "
			"them are, or for categories and bools how often each is best, {\"adam\": "
			"3}, where one that is not named counts 1. It leads the first trials, and "
			"results overrule it",
		.synonyms = "mu|sigma|mean|weights|probabilities|prior_mean|hint|value_hint|"
			    "ValueHint" },

	{ SECTION_STRATEGY, "name", KEY_WORD, .words = "bayesian|sobol|random|grid",
		.otherwise = "\"bayesian\"",
		.aliases = "Bayesian=bayesian|bo=bayesian|gp=bayesian|gpbo=bayesian|bayes=bayesian|"
			   "tpe=bayesian|hyperopt=bayesian|optuna=bayesian|smac=bayesian|"
			   "bayesopt=bayesian|Random=random|random_search=random|"
			   "randomsearch=random|uniform=random|Grid=grid|grid_search=grid|"
			   "gridsearch=grid|qmc=sobol|halton=sobol|lhs=sobol|quasirandom=sobol",
		.help = "what proposes configurations",
		.synonyms = "type|algorithm|strategy|method|sampler" },
	{ SECTION_STRATEGY, "initial", KEY_INTEGER, FROM_TO(1, COUNT_MAX),
		.derived = "max(5, min(2d + 2, budget.trials/5)), at least the slots",
		.help = "bayesian: trials before the model proposes, \"first\" included; random: "
			"trials from the same design before the random ones, by default none",
		.synonyms = "n_startup_trials|n_initial_points|num_initial|init_points|n_init|"
			    "warmup|startup_trials|initial_points" },
	{ SECTION_STRATEGY, "deterministic", KEY_BOOLEAN, .otherwise = "false",
		.help = "bayesian: the same configuration always gives the same objective",
		.synonyms = "noiseless|deterministic_objective" },
	{ SECTION_STRATEGY, "warp", KEY_WORD, .words = "none|free|axes", .otherwise = "\"none\"",
		.help = "bayesian: how the model may bend the axes. free: as the results suggest, "
			"with transform none and incumbent best unless they are given; axes: like "
			"a logarithm, from either end, where that explains the results "
			"much better. Meant for a range that should have another scale; takes "
			"twice the time",
		.aliases = "true=free|false=none|kumaraswamy=free|on=free|off=none",
		.synonyms = "warping|input_warping|warp_inputs" },
	{ SECTION_STRATEGY, "transform", KEY_WORD, .words = "auto|half-rank|none|winsor",
		.otherwise = "\"auto\"",
		.help = "bayesian: how the model sees the objectives. half-rank: the worse half "
			"by their ranks; winsor: bad outliers moved to a fence; auto: half-rank, "
			"winsor once the model sees noise, and none for every third trial while a "
			"search with categories gains nothing",
		.aliases =
			"half_rank=half-rank|halfrank=half-rank|standardize=none|standardise=none",
		.synonyms = "output_transform|outcome_transform|normalize_y" },
	{ SECTION_STRATEGY, "acquisition", KEY_WORD, .words = "ei|ucb|thompson",
		.otherwise = "\"ei\"",
		.help = "bayesian: what the next trial is chosen for. ei: the greatest expected "
			"improvement; ucb: the least value that ucb_beta allows for; thompson: "
			"the least value of a random function that the model holds possible",
		.aliases = "EI=ei|logei=ei|log_ei=ei|expected_improvement=ei|UCB=ucb|lcb=ucb|"
			   "LCB=ucb|gp_ucb=ucb|confidence_bound=ucb|ts=thompson|TS=thompson|"
			   "thompson_sampling=thompson",
		.synonyms = "acquisition_function|acquisition_type|acq_func|acq_function|acq" },
	{ SECTION_STRATEGY, "ucb_beta", KEY_NUMBER, FROM_TO(0.001, 1000), .otherwise = "1.8",
		.help = "ucb: how many standard deviations below its prediction a value may lie; "
			"more means more exploration",
		.synonyms = "beta|kappa|acq_kappa" },
	{ SECTION_STRATEGY, "incumbent", KEY_WORD, .words = "auto|mean|best|noisy|augmented",
		.otherwise = "\"auto\"",
		.help = "ei: the value to be improved on. mean: the best of the model's "
			"predictions at the trials; best: the best objective; noisy: in each of "
			"many functions that the model holds possible, the best of the trials; "
			"augmented: the mean, and an improvement counts for less the less a noisy "
			"trial would tell of it; auto: augmented where the model sees noise, else "
			"mean",
		.aliases = "best_mean=mean|posterior_mean=mean|best_f=best|raw=best|noisy_ei=noisy|"
			   "nei=noisy|aei=augmented|augmented_ei=augmented",
		.synonyms = "best_f|eta|baseline" },
	{ SECTION_STRATEGY, "cost_aware", KEY_BOOLEAN, .otherwise = "false",
		.help = "ei: prefers trials that are likely to end soon, more so while many "
			"trials of the budget are left",
		.synonyms = "cost|cost_cooling|ei_per_second|eips|per_second" },
	{ SECTION_STRATEGY, "trust_region", KEY_WORD, .words = "auto|never|always",
		.otherwise = "\"auto\"",
		.help = "bayesian: propose in a box around the best trial, which grows with "
			"success and shrinks without it. auto: if more than 30 numbers of a trial "
			"vary",
		.aliases = "true=always|false=never|on=always|off=never|turbo=always",
		.synonyms = "turbo|local|trust-region|trustregion" },
	{ SECTION_STRATEGY, "hyperparameters", KEY_WORD, .words = "map|marginal",
		.otherwise = "\"map\"",
		.help = "ei: the model's own hyperparameters. map: the most likely ones; "
			"marginal: the mean over ten draws of what they may be, at up to three "
			"times the time",
		.aliases = "mle=map|ml=map|optimize=map|empirical-bayes=map|mcmc=marginal|"
			   "slice=marginal|fully-bayesian=marginal",
		.synonyms = "opt_type|hyperparameter_inference|fully_bayesian|inference" },
	{ SECTION_STRATEGY, "points", KEY_INTEGER, FROM_TO(2, 10000), .otherwise = "5",
		.help = "grid: values along a float without step",
		.synonyms = "grid_points|resolution|n_points|num_points|steps" },

	{ SECTION_ARM, "strategy", KEY_OBJECT, SECTION_STRATEGY, .required = true,
		.help = "what proposes its configurations", .synonyms = "name|sampler|algorithm" },

	{ SECTION_BUDGET, "trials", KEY_INTEGER, FROM_TO(1, TRIALS_MAX),
		.derived = "30; without a bound (1000000) where runtime or deadline is given",
		.help = "how many trials",
		.synonyms =
			"n_trials|max_trials|num_trials|MaxNumberOfTrainingJobs|max_evals|n_iter|"
			"num_samples|iterations|maxTrialCount|max_trial_num|count|run_cap|"
			"max_jobs|n_calls" },
	{ SECTION_BUDGET, "parallel", KEY_INTEGER, FROM_TO(1, SLOTS_MAX),
		.derived = "as many as there are slots",
		.help = "trials that run at the same time, in the whole job",
		.synonyms = "n_jobs|max_parallel|concurrency|parallelism|MaxParallelTrainingJobs|"
			    "max_concurrent_trials|max_concurrent|parallelTrialCount|"
			    "max_parallel_jobs|trial_concurrency|jobs|n_workers" },
	{ SECTION_BUDGET, "runtime", KEY_DURATION, FROM_TO(0.001, 3155760000), .derived = "none",
		.help = "time spent in tuner run; time between two runs does not count",
		.synonyms =
			"timeout|max_runtime|MaxRuntimeInSeconds|time_budget|time_budget_s|time|"
			"max_time|duration|max_duration|walltime" },
	{ SECTION_BUDGET, "deadline", KEY_TIME, .derived = "none",
		.help = "when the job ends, in ISO 8601 with Z for UTC or an offset",
		.synonyms = "until|end_time|end" },
	{ SECTION_BUDGET, "target", KEY_NUMBER, ANY_NUMBER, .derived = "none",
		.help = "an objective this good ends the search",
		.synonyms =
			"target_value|TargetObjectiveMetricValue|stop_at|threshold|goal_value" },
	{ SECTION_BUDGET, "cost", KEY_NUMBER, FROM_TO(1e-9, 1e12), .derived = "none",
		.help = "money: what all attempts together may cost, by the \"price\" of the hosts",
		.synonyms = "max_cost|money|price" },
	{ SECTION_BUDGET, "not_improving", KEY_INTEGER, FROM_TO(1, TRIALS_MAX), .derived = "off",
		.help = "ends the search after this many trials in a row of which none was at "
			"least 1 % better than the best before it",
		.synonyms =
			"BestObjectiveNotImproving|MaxNumberOfTrainingJobsNotImproving|patience|"
			"no_improvement|max_no_improvement|plateau" },
	{ SECTION_BUDGET, "converged", KEY_BOOLEAN, .otherwise = "false",
		.help = "ends the search when the model's last five proposals each had a chance "
			"below 5 % of a gain of 1 %, and no priors led them there",
		.synonyms = "ConvergenceDetected|CompleteOnConvergence|convergence" },
	{ SECTION_BUDGET, "failures", KEY_INTEGER, FROM_TO(0, TRIALS_MAX), .otherwise = "10",
		.help = "this many failures of the infrastructure (lost hosts, full disks) end "
			"the job; each run counts from 0, except after a kill; 0: never",
		.synonyms = "max_failures|maxFailedTrialCount|max_failed_trials" },
	{ SECTION_BUDGET, "start_failures", KEY_INTEGER, FROM_TO(1, TRIALS_MAX), .otherwise = "3",
		.help = "until a trial has given an objective, this many failures in a row end "
			"the job",
		.synonyms = "probe|probe_failures" },

	{ SECTION_STOPPING, "rule", KEY_WORD, .words = "none|median|asha|threshold",
		.required = true,
		.aliases = "Off=none|off=none|no=none|false=none|Auto=median|auto=median|"
			   "MedianPruner=median|median_stopping=median|medianstop=median|"
			   "hyperband=asha|Hyperband=asha|sha=asha|successive_halving=asha|"
			   "SuccessiveHalvingPruner=asha|HyperbandPruner=asha|"
			   "ThresholdPruner=threshold",
		.help = "median: worse than the median of what the earlier trials had on average "
			"up to "
			"this step; asha: not among the best 1/eta at a rung; threshold: worse "
			"than "
			"a bound; each of them: NaN, or infinitely bad, whatever grace says",
		.synonyms = "type|name|pruner|policy|method" },
	{ SECTION_STOPPING, "max_step", KEY_NUMBER, FROM_TO(1, STEPS_MAX),
		.derived = "the largest step of a finished trial",
		.help = "the last step of a full trial",
		.synonyms = "max_epochs|max_t|max_resource|MaxResource|max_iter|epochs|"
			    "max_steps" },
	{ SECTION_STOPPING, "grace", KEY_NUMBER, FROM_TO(1, STEPS_MAX),
		.derived = "a tenth of max_step, at least 1",
		.help = "median, threshold: no stop up to and including this step",
		.synonyms = "grace_period|n_warmup_steps|warmup_steps|grace_steps|start_step|"
			    "min_steps|interval" },
	{ SECTION_STOPPING, "min_trials", KEY_INTEGER, FROM_TO(1, COUNT_MAX), .otherwise = "5",
		.help = "median, asha: no stop until there are this many trials to compare with",
		.synonyms = "min_curves|n_startup_trials|n_min_trials|min_samples_required|"
			    "min_trials_required|startup_trials" },
	{ SECTION_STOPPING, "top", KEY_INTEGER, FROM_TO(0, COUNT_MAX), .otherwise = "3",
		.help = "median, asha: a trial among this many best at its step is not stopped",
		.synonyms = "keep_top|keep|best" },
	{ SECTION_STOPPING, "patience", KEY_INTEGER, FROM_TO(1, COUNT_MAX), .otherwise = "2",
		.help = "median, threshold: the rule must hold at this many reports in a row",
		.synonyms = "consecutive" },
	{ SECTION_STOPPING, "margin", KEY_NUMBER, FROM_TO(0, INFINITY), .otherwise = "0",
		.help = "a value must be worse by more than this, in the metric's unit",
		.synonyms = "tolerance|delta|min_delta|slack" },
	{ SECTION_STOPPING, "bound", KEY_NUMBER, ANY_NUMBER,
		.help = "threshold: the bound, in the metric's unit",
		.synonyms = "threshold|upper|lower|limit|value" },
	{ SECTION_STOPPING, "min_step", KEY_NUMBER, FROM_TO(1, STEPS_MAX),
		.derived = "a tenth of max_step, at least 1", .help = "asha: the first rung",
		.synonyms = "min_resource|MinResource|r_min|first_rung" },
	{ SECTION_STOPPING, "eta", KEY_NUMBER, FROM_TO(2, 1000), .otherwise = "3",
		.help = "asha: about one in eta continues at each rung",
		.synonyms = "reduction_factor|factor" },

	{ SECTION_FAILURE, "pattern", KEY_STRING, .required = true,
		.help = "PCRE2, searched in the last 200 lines of the output, at most 64 KiB",
		.synonyms = "regex|regexp|match|re" },
	{ SECTION_FAILURE, "class", KEY_WORD,
		.words = "oom-gpu|oom-host|disk-full|diverged|nan|no-metric|crashed|preempted|lost|"
			 "launch-failed|end",
		.aliases =
			"oom=oom-gpu|cuda-oom=oom-gpu|crash=crashed|error=crashed|memory=oom-host|"
			"disk=disk-full",
		.required = true,
		.help = "what became of the attempt; end: it crashed, the job ends, and the next "
			"run launches the trial again",
		.synonyms = "outcome|type|kind|action|category" },
	{ SECTION_FAILURE, "retry", KEY_BOOLEAN, .otherwise = "false",
		.help = "only with the class crashed: the trial is launched again, and the model "
			"does not see the failure",
		.synonyms = "retryable|restart" },

	{ SECTION_OUTCOMES, "timeout", KEY_OBJECT, SECTION_OUTCOME,
		.derived = "fail, but once it has reported the metric it is stopped with its curve",
		.help = "ended at its time limit" },
	{ SECTION_OUTCOMES, "preempted", KEY_OBJECT, SECTION_OUTCOME,
		.derived = "retry, without a limit",
		.help = "ended by somebody else's signal, as by a cluster that wants its machine "
			"back" },
	{ SECTION_OUTCOMES, "lost", KEY_OBJECT, SECTION_OUTCOME, .derived = "retry",
		.help = "the machine, its network or its supervisor failed" },
	{ SECTION_OUTCOMES, "launch-failed", KEY_OBJECT, SECTION_OUTCOME, .derived = "retry",
		.help = "the command could not be started" },
	{ SECTION_OUTCOMES, "oom-host", KEY_OBJECT, SECTION_OUTCOME, .derived = "retry",
		.help = "out of the machine's memory, or killed by SIGKILL" },
	{ SECTION_OUTCOMES, "disk-full", KEY_OBJECT, SECTION_OUTCOME, .derived = "retry",
		.help = "no space left, or no quota" },
	{ SECTION_OUTCOMES, "nan", KEY_OBJECT, SECTION_OUTCOME, .derived = "fail",
		.help = "the objective is NaN" },
	{ SECTION_OUTCOMES, "diverged", KEY_OBJECT, SECTION_OUTCOME, .derived = "fail",
		.help = "a rule of failures says so" },
	{ SECTION_OUTCOMES, "oom-gpu", KEY_OBJECT, SECTION_OUTCOME, .derived = "fail",
		.help = "out of a GPU's memory" },
	{ SECTION_OUTCOMES, "no-metric", KEY_OBJECT, SECTION_OUTCOME, .derived = "fail",
		.help = "it ended with status 0, but without an objective" },
	{ SECTION_OUTCOMES, "crashed", KEY_OBJECT, SECTION_OUTCOME, .derived = "fail",
		.help = "another exit status or signal" },

	{ SECTION_OUTCOME, "then", KEY_WORD, .words = "fail|retry|end", .required = true,
		.aliases = "restart=retry|ignore=fail|stop=end|abort=end|terminate=end|"
			   "failure=fail",
		.help = "fail: it is the configuration's failure; retry: launch it again later, "
			"elsewhere if possible; end: the job ends with status 3, and the next run "
			"takes up what the machine did",
		.synonyms = "action|rule|do" },
	{ SECTION_OUTCOME, "retries", KEY_INTEGER, FROM_TO(0, 1000000),
		.derived =
			"the file's retries, which such classes share; preempted: without a limit",
		.help = "with retry: how often, after this class alone",
		.synonyms = "max_retries|limit|times" },

	{ SECTION_HOST, "backend", KEY_WORD, .words = "local|ssh|slurm", .otherwise = "\"local\"",
		.aliases = "localhost=local|subprocess=local|process=local|this=local",
		.help = "how the host is reached", .synonyms = "type|kind|platform" },
	{ SECTION_HOST, "name", KEY_STRING, .pattern = NAME_PATTERN,
		.derived = "the machine's own; ssh: its address; slurm: slurm",
		.help = "what reports and \"tuner hosts\" call it", .synonyms = "label|id|alias" },
	{ SECTION_HOST, "slots", KEY_INTEGER, FROM_TO(0, SLOTS_MAX), .otherwise = "0",
		.help = "trials at a time on this host; 0: as many as its GPUs hold, or without "
			"GPUs as budget.parallel says; slurm: must be given, from 1 on",
		.synonyms = "parallel|concurrency|max_jobs|workers|n_jobs|trials" },
	{ SECTION_HOST, "priority", KEY_INTEGER, FROM_TO(-1000, 1000), .otherwise = "0",
		.help = "free slots of a host with a higher one are taken first; among equals, "
			"those of the host whose trials take the least time",
		.synonyms = "weight|preference|order|rank" },
	{ SECTION_HOST, "price", KEY_NUMBER, FROM_TO(0, 1e9), .otherwise = "0",
		.help = "what an hour of the whole host costs, in any currency; an attempt pays "
			"for "
			"its slot's share",
		.synonyms = "cost|hourly_cost|cost_per_hour|rate|price_per_hour" },
	{ SECTION_HOST, "gpus", KEY_GPUS, .otherwise = "\"auto\"",
		.help = "auto: all that this machine shows and CUDA_VISIBLE_DEVICES allows; none; "
			"or "
			"their indices by PCI bus",
		.synonyms = "gpu|devices|gpu_ids|cuda_devices|num_gpus|n_gpus" },
	{ SECTION_HOST, "gpus_per_trial", KEY_INTEGER, FROM_TO(1, SLOT_GPUS_MAX),
		.derived = "1 where there are GPUs", .help = "GPUs of one trial",
		.synonyms = "gpu_per_trial|gpus_per_job|num_gpus_per_trial|trial_gpu_number" },
	{ SECTION_HOST, "trials_per_gpu", KEY_INTEGER_OR_AUTO, FROM_TO(1, 64), .otherwise = "1",
		.help = "trials that share one GPU; auto: 1 at first, and more as the memory that "
			"earlier trials needed allows and as long as sharing is faster",
		.synonyms = "max_trials_per_gpu|maxTrialNumberPerGpu|max_trial_number_per_gpu|"
			    "jobs_per_gpu|trials_on_gpu|share_gpu|packing" },
	{ SECTION_HOST, "busy_gpus", KEY_WORD, .words = "leave|use", .otherwise = "\"leave\"",
		.aliases = "skip=leave|wait=leave|avoid=leave|ignore=use|share=use",
		.help = "what to do with a GPU on which other people's programs compute: "
			"leave it alone until it is free, or use it all the same",
		.synonyms = "use_active_gpu|useActiveGpu|active_gpus|occupied_gpus|foreign" },
	{ SECTION_HOST, "prefix", KEY_STRINGS, FROM_TO(1, 1000),
		.help = "words before the command: [\"conda\", \"run\", \"-n\", \"torch\"]",
		.synonyms = "wrapper|launcher|command_prefix" },
	{ SECTION_HOST, "address", KEY_STRING, .derived = "required with ssh",
		.help = "ssh: the host, as `ssh` takes it: a name of its configuration, or an "
			"address",
		.synonyms = "hostname|host|ip" },
	{ SECTION_HOST, "port", KEY_INTEGER, FROM_TO(1, 65535), .derived = "ssh's own",
		.help = "ssh: where the host listens" },
	{ SECTION_HOST, "user", KEY_STRING, .derived = "as ssh is configured, or who runs tuner",
		.help = "ssh: who logs in; slurm: whose jobs they are", .synonyms = "username" },
	{ SECTION_HOST, "directory", KEY_STRING,
		.derived = "ssh: tuner, in the home directory; slurm: beside the database",
		.help = "where the attempts' directories are. ssh: on the host, with the code, "
			"relative to the home directory; slurm: a path that is the same here and "
			"on the nodes",
		.synonyms = "workdir|remote_dir|scratch|remote_directory|shared_directory" },
	{ SECTION_HOST, "sync", KEY_WORD, .words = "rsync|none", .otherwise = "\"rsync\"",
		.help = "ssh: rsync: the working directory is sent before the first trial of a "
			"run, and what trials leave behind is fetched; none: the host has the "
			"working directory at the same path",
		.synonyms = "copy|transfer|file_sync|shared" },
	{ SECTION_HOST, "host_timeout", KEY_DURATION, FROM_TO(1, 31557600), .otherwise = "\"5m\"",
		.help = "ssh: a host that stays away for this long loses its trials, which are "
			"launched elsewhere",
		.synonyms = "lost_after|connection_timeout|heartbeat_timeout|node_timeout" },
	{ SECTION_HOST, "lease", KEY_DURATION, FROM_TO(1, 31557600), .derived = "none",
		.help = "ssh: a trial that no tuner has reached for this long is ended on its "
			"host",
		.synonyms = "dead_man|orphan_timeout|ttl" },
	{ SECTION_HOST, "ssh_options", KEY_STRINGS, FROM_TO(1, 100),
		.help = "ssh: further words for its command line: [\"-F\", \"my_config\"]",
		.synonyms = "options|ssh_args|ssh_config" },
	{ SECTION_HOST, "url", KEY_STRING, .derived = "none: sbatch, squeue and scancel are used",
		.help = "slurm: where slurmrestd listens: http://, https:// or unix:/path",
		.synonyms = "rest_url|endpoint|slurmrestd|server" },
	{ SECTION_HOST, "token_file", KEY_STRING, .derived = "none",
		.help = "slurm: holds the token for url; read before each request",
		.synonyms = "token|jwt|jwt_file|auth_file" },
	{ SECTION_HOST, "token_command", KEY_STRINGS, FROM_TO(1, 100),
		.help = "slurm: a command that prints a token for url; run when there is none, or "
			"when it is refused",
		.synonyms = "jwt_command|auth_command" },
	{ SECTION_HOST, "partition", KEY_STRING, .derived = "the cluster's",
		.help = "slurm: partition of the jobs, as sbatch's --partition",
		.synonyms = "queue|partitions" },
	{ SECTION_HOST, "gres", KEY_STRING, .derived = "gpu:gpus_per_trial if that is given",
		.help = "slurm: resources of a job, as sbatch's --gres: \"gpu:1\"",
		.synonyms = "generic_resources|tres" },
	{ SECTION_HOST, "cores", KEY_INTEGER, FROM_TO(1, 100000), .otherwise = "1",
		.help = "slurm: cores of a job, as sbatch's --cpus-per-task",
		.synonyms = "cpus|cpus_per_task|num_cpus|cpus_per_trial" },
	{ SECTION_HOST, "memory", KEY_SIZE, FROM_TO(1048576, 1e15), .derived = "the partition's",
		.help = "slurm: memory of a job, as sbatch's --mem",
		.synonyms = "mem|ram|mem_per_node" },
	{ SECTION_HOST, "time_limit", KEY_DURATION, FROM_TO(60, 3155760000),
		.derived = "the partition's",
		.help = "slurm: time limit of a job, as sbatch's --time; \"timeout\" is tuner's "
			"own, and ends a command more gently",
		.synonyms = "time|walltime|wall_time" },
	{ SECTION_HOST, "account", KEY_STRING, .derived = "the user's",
		.help = "slurm: as sbatch's --account", .synonyms = "project_account|charge" },
	{ SECTION_HOST, "qos", KEY_STRING, .derived = "the user's",
		.help = "slurm: as sbatch's --qos", .synonyms = "quality_of_service" },
	{ SECTION_HOST, "constraint", KEY_STRING, .derived = "none",
		.help = "slurm: as sbatch's --constraint", .synonyms = "constraints|features" },
	{ SECTION_HOST, "script_lines", KEY_STRINGS, FROM_TO(1, 1000),
		.help = "slurm: lines at the head of the job script: \"module load cuda\", and "
			"without url \"#SBATCH ...\"",
		.synonyms = "job_script_prologue|script_head|prologue|setup|modules" },
	{ SECTION_HOST, "ahead", KEY_INTEGER, FROM_TO(0, SLOTS_MAX), .otherwise = "0",
		.help = "slurm: jobs kept in the queue beyond \"slots\"; the model counts them as "
			"running",
		.synonyms = "queue_ahead|prefetch|backlog" },

	{ SECTION_CODE, "code", KEY_WORD, .words = "live|snapshot", .otherwise = "\"live\"",
		.aliases = "frozen=snapshot|copy=snapshot|freeze=snapshot|none=live|directory=live",
		.help = "live: what is in \"directory\" when a trial starts; an edit during the "
			"job is reported; snapshot: as it was when the job began, whatever is "
			"edited later",
		.synonyms = "mode|kind|type|source" },
	{ SECTION_CODE, "git", KEY_STRING,
		.help = "address of a git repository, or the path of one, from which \"commit\" "
			"is fetched; trials run in it",
		.synonyms = "url|repository|repo|remote|uri" },
	{ SECTION_CODE, "commit", KEY_STRING,
		.help = "the commit's hash, whole or its beginning (7 digits or more)",
		.synonyms = "revision|rev|sha|hash|ref|branch|tag|version" },
	{ SECTION_CODE, "path", KEY_STRING, .derived = "its top",
		.help = "where in the repository the command runs",
		.synonyms = "subdirectory|subdir|folder|directory|working_directory" },

	{ SECTION_KEEP, "best", KEY_INTEGER, FROM_TO(1, 1000000),
		.derived = "all; the best alone where disk has no room for more",
		.help = "this many of the best trials keep what they saved; that of the others is "
			"removed as soon as they have ended for good, unless the machine made "
			"them fail",
		.synonyms = "keep_top|top|n|num_to_keep|keep_n|keep_trials|save_trial_best" },
	{ SECTION_KEEP, "last", KEY_INTEGER, FROM_TO(0, 1000000), .derived = "0; without best all",
		.help = "this many of those that ended last keep it, too, until disk has no room "
			"for it",
		.synonyms = "latest|recent|newest|save_experiment_latest" },
	{ SECTION_KEEP, "disk", KEY_SIZE, FROM_TO(1, 1e15), .derived = "no limit",
		.help = "how much all of it may take together: beyond that the oldest that is not "
			"of the best trials is removed, and if none is left nothing more is "
			"launched",
		.synonyms = "disk_budget|quota|max_size|size|space|limit" },

	{ SECTION_WARM_START, "jobs", KEY_OBJECTS, SECTION_PARENT, FROM_TO(1, WARM_PARENTS_MAX),
		.required = true,
		.help = "the earlier jobs; a name alone is a job of this job's own database",
		.synonyms = "ParentHyperParameterTuningJobs|parents|studies|experiments|prior_runs|"
			    "from" },
	{ SECTION_WARM_START, "as", KEY_WORD, .words = "trials|first|related",
		.otherwise = "\"trials\"",
		.aliases = "IdenticalDataAndAlgorithm=trials|TransferLearning=related|data=trials|"
			   "observations=trials|results=trials|queue=first|configurations=first|"
			   "transfer=related|similar=related",
		.help = "trials: the same data and code, so their results are learnt from as if "
			"they "
			"were this job's; related: other data or code, so they are learnt from as "
			"far as this job's own results bear them out; first: the best of their "
			"configurations are tried first, and nothing else is learnt",
		.synonyms = "WarmStartType|type|mode|kind|how" },
	{ SECTION_WARM_START, "best", KEY_INTEGER, FROM_TO(1, 1000), .derived = "5",
		.help = "with \"as\": \"first\": how many of the best configurations of all of "
			"these jobs",
		.synonyms = "top|n|count|limit|num" },

	{ SECTION_PARENT, "db", KEY_STRING, .derived = "this job's own",
		.help = "the database that has the job; it is only read",
		.synonyms = "database|path|file|storage|store" },
	{ SECTION_PARENT, "job", KEY_STRING, .required = true, .help = "the earlier job's name",
		.synonyms = "HyperParameterTuningJobName|name|study|study_name|id" },
	{ SECTION_PARENT, "missing", KEY_SCALAR_MAP, FROM_TO(0, SPACE_PARAMETERS_MAX),
		.help = "parameters that this job has and that one does not, each with the value "
			"that its trials were made with",
		.synonyms = "defaults|default|fill|values|fixed" },
	{ SECTION_PARENT, "ignore", KEY_STRINGS, FROM_TO(0, SPACE_PARAMETERS_MAX),
		.help = "parameters and fixed values of that job which do not matter here",
		.synonyms = "drop|without|skip|exclude" },

	{ SECTION_ALSO, "minimize", KEY_STRING,
		.help = "a metric or a formula over metrics, of which less is better",
		.synonyms = "min|minimise|lower|smaller" },
	{ SECTION_ALSO, "maximize", KEY_STRING,
		.help = "a metric or a formula over metrics, of which more is better",
		.synonyms = "max|maximise|higher|larger" },
	{ .name = NULL },
};

static const struct {
	const char *path, *shorthand;
} sections[SECTIONS] = {
	[SECTION_FILE] = { "", NULL },
	[SECTION_OBJECTIVE] = { "objective.", NULL },
	[SECTION_METRIC] = { "metrics.N.", NULL },
	[SECTION_PARAMETER] = { "parameters.NAME.", NULL },
	[SECTION_ARM] = { "arms.NAME.", "strategy" },
	[SECTION_STRATEGY] = { "strategy.", "name" },
	[SECTION_BUDGET] = { "budget.", NULL },
	[SECTION_STOPPING] = { "early_stopping.", "rule" },
	[SECTION_FAILURE] = { "failures.N.", NULL },
	[SECTION_OUTCOMES] = { "outcomes.", NULL },
	[SECTION_OUTCOME] = { "outcomes.CLASS.", "then" },
	[SECTION_HOST] = { "hosts.N.", NULL },
	[SECTION_CODE] = { "source.", "code" },
	[SECTION_KEEP] = { "keep.", NULL },
	[SECTION_WARM_START] = { "warm_start.", NULL },
	[SECTION_PARENT] = { "warm_start.jobs.N.", "job" },
	[SECTION_ALSO] = { "objective.also.N.", NULL },
};

const char *section_shorthand(enum section section)
{
	return sections[section].shorthand;
}

void key_path(const struct key *key, struct text *ret)
{
	text_add(ret, sections[key->section].path);
	text_add(ret, key->name);
}

const struct key *key_find(enum section section, const char *name)
{
	for (const struct key *key = job_keys; key->name != NULL; key++)
		if (key->section == section && strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

const struct key *key_get(enum section section, const char *name)
{
	const struct key *key = key_find(section, name);

	tuner_assert(key != NULL);
	return key;
}

/* ---- lists of words ---- */

static const char SEPARATOR = '|';

static size_t word_length(const char *words)
{
	const char *end = strchr(words, SEPARATOR);

	return end ? (size_t)(end - words) : strlen(words);
}

/* The word after the one that begins here; NULL after the last. */
static const char *next_word(const char *words)
{
	const size_t length = word_length(words);

	return words[length] ? words + length + 1 : NULL;
}

size_t words_count(const char *words)
{
	size_t n = 0;

	for (; words != NULL; words = next_word(words))
		n++;
	return n;
}

void words_get(const char *words, size_t n, char ret_word[WORD_BYTES])
{
	while (n-- > 0)
		words = next_word(words);
	tuner_assert(words != NULL && word_length(words) < WORD_BYTES);
	snprintf(ret_word, WORD_BYTES, "%.*s", (int)word_length(words), words);
}

int words_index(const char *words, const char *word)
{
	for (int i = 0; words != NULL; words = next_word(words), i++)
		if (word_length(words) == strlen(word) && strncmp(words, word, strlen(word)) == 0)
			return i;
	return -1;
}

/* ---- what somebody may have meant ---- */

static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '-' || c == ' ' ? '_' : c;
}

/* Equal but for case and '-' against '_'. */
static bool same_word(const char *a, const char *b)
{
	while (*a && *b && folded(*a) == folded(*b))
		a++, b++;
	return *a == *b;
}

static bool is_synonym(const struct key *key, const char *word)
{
	char synonym[WORD_BYTES];

	for (size_t i = 0; i < words_count(key->synonyms); i++) {
		words_get(key->synonyms, i, synonym);
		if (same_word(synonym, word))
			return true;
	}
	return false;
}

/* The row of which `word` is a synonym or, in another section, the name. `section` SECTIONS: any
 * except those whose keys mean little outside their own object. */
static const struct key *find_synonym(enum section section, const char *word)
{
	for (const struct key *key = job_keys; key->name != NULL; key++) {
		if (section != SECTIONS && key->section != section)
			continue;
		if (section == SECTIONS &&
			(key->section == SECTION_METRIC || key->section == SECTION_FAILURE ||
				key->section == SECTION_PARENT))
			continue;
		if (is_synonym(key, word) || same_word(key->name, word))
			return key;
	}
	return NULL;
}

static const struct key *find_by_spelling(enum section section, const char *word)
{
	enum { ROWS_MAX = 64 };
	const char *names[ROWS_MAX];
	size_t n = 0;

	for (const struct key *key = job_keys; key->name != NULL; key++)
		if (key->section == section) {
			tuner_assert(n < ROWS_MAX);
			names[n++] = key->name;
		}
	const char *nearest = nearest_word(word, names, n);
	return nearest ? key_find(section, nearest) : NULL;
}

const struct key *key_suggest(enum section section, const char *word, bool *ret_synonym)
{
	const struct key *key = find_synonym(section, word);

	*ret_synonym = key != NULL && !same_word(key->name, word);
	if (key == NULL && (key = find_synonym(SECTIONS, word)) != NULL) {
		/* Another tool's name is not a misspelling ("direction"); a name from another
		 * section may be one ("metric"). */
		*ret_synonym = !same_word(key->name, word);
		key = *ret_synonym ? key : NULL;
	}
	if (key == NULL)
		key = find_by_spelling(section, word);
	if (key == NULL) {
		key = find_synonym(SECTIONS, word);
		*ret_synonym = key != NULL;
	}
	return key;
}

/* "double=float": the word after the '=' if the one before it is meant. */
static bool alias_of(const char *alias, const char *word, char ret_word[WORD_BYTES])
{
	const char *equals = strchr(alias, '=');
	char left[WORD_BYTES];

	snprintf(left, sizeof(left), "%.*s", (int)(equals - alias), alias);
	if (!same_word(left, word))
		return false;
	snprintf(ret_word, WORD_BYTES, "%s", equals + 1);
	return true;
}

bool key_suggest_word(const struct key *key, const char *word, char ret_word[WORD_BYTES])
{
	enum { WORDS_MAX = 16 };
	char words[WORDS_MAX][WORD_BYTES], alias[WORD_BYTES];
	const char *pointers[WORDS_MAX];
	const size_t n = words_count(key->words);

	for (size_t i = 0; i < words_count(key->aliases); i++) {
		words_get(key->aliases, i, alias);
		if (alias_of(alias, word, ret_word))
			return true;
	}
	tuner_assert(n <= WORDS_MAX);
	for (size_t i = 0; i < n; i++) {
		words_get(key->words, i, words[i]);
		pointers[i] = words[i];
	}
	const char *nearest = nearest_word(word, pointers, n);
	if (nearest != NULL)
		snprintf(ret_word, WORD_BYTES, "%s", nearest);
	return nearest != NULL;
}

/* ---- what a key takes ---- */

static void expect_range(const struct key *key, const char *what, struct text *ret)
{
	text_add(ret, what);
	if (isfinite(key->min) && isfinite(key->max)) {
		text_add(ret, " from ");
		text_add_double(ret, key->min);
		text_add(ret, " to ");
		text_add_double(ret, key->max);
	} else if (isfinite(key->min)) {
		text_add(ret, ", ");
		text_add_double(ret, key->min);
		text_add(ret, " or more");
	}
}

static void expect_words(const char *words, struct text *ret)
{
	const size_t n = words_count(words);
	char word[WORD_BYTES];

	text_add(ret, n > 1 ? "one of " : "");
	for (size_t i = 0; i < n; i++) {
		words_get(words, i, word);
		text_print(ret, "%s\"%s\"", i ? ", " : "", word);
	}
}

static void expect_items(const struct key *key, const char *what, struct text *ret)
{
	text_add(ret, what);
	if (key->min > 0)
		text_print(ret, ", %.0f to %.0f of them", key->min, key->max);
	else if (key->max > 0)
		text_print(ret, ", at most %.0f of them", key->max);
}

static void expect_object(const struct key *key, struct text *ret)
{
	const char *shorthand = section_shorthand(key->contains);

	text_add(ret, "an object");
	if (shorthand == NULL)
		return;
	text_add(ret, ", or ");
	expect_words(key_get(key->contains, shorthand)->words, ret);
}

static void expect_duration(const struct key *key, struct text *ret)
{
	char low[NUMBER_TEXT], high[NUMBER_TEXT];

	number_from_duration_us((int64_t)(key->min * 1e6), low);
	number_from_duration_us((int64_t)(key->max * 1e6), high);
	text_print(ret,
		"a duration such as \"30m\", \"1h30m\" or a number of seconds, from %s to %s", low,
		high);
}

/* The minimum in binary units, the maximum in decimal ones: both are then round numbers. */
static void expect_size(const struct key *key, struct text *ret)
{
	text_add(ret, "a size such as \"64 MiB\" or a number of bytes, from ");
	if (key->min >= 1 << 20)
		text_print(ret, "%.10g MiB", key->min / (1 << 20));
	else if (key->min >= 1 << 10)
		text_print(ret, "%.10g KiB", key->min / (1 << 10));
	else
		text_print(ret, "%.10g", key->min);
	text_print(ret, " to %.10g TB", key->max / 1e12);
}

void key_expectation(const struct key *key, struct text *ret)
{
	static const char *const plain[] = {
		[KEY_STRING] = "a string that is not empty",
		[KEY_TEXT] = "a string",
		[KEY_BOOLEAN] = "true or false",
		[KEY_SCALAR] = "a string, a number, true or false",
		[KEY_SEED] = "a whole number from 0 to 2^53, or up to 2^64 - 1 in quotes",
		[KEY_TIME] = "a time with its zone, such as \"2026-08-30T18:00:00Z\" or "
			     "\"2026-08-30 18:00+02:00\"",
		[KEY_PRIOR] = "[low, high], or an object of weights by value",
		[KEY_REDUCE] = "\"last\", \"best\", \"max\", \"min\" or \"mean of last N\", or an "
			       "object of them by "
			       "metric",
		[KEY_GPUS] = "\"auto\", \"none\" or an array of GPU indices",
		[KEY_ENVIRONMENT] = "an object of values by name, or an array of names",
	};

	switch (key->type) {
	case KEY_INTEGER:
		expect_range(key, "a whole number", ret);
		break;
	case KEY_INTEGER_OR_AUTO:
		text_add(ret, "\"auto\" or ");
		expect_range(key, "a whole number", ret);
		break;
	case KEY_NUMBER:
		expect_range(key, "a number", ret);
		break;
	case KEY_DURATION:
		expect_duration(key, ret);
		break;
	case KEY_SIZE:
		expect_size(key, ret);
		break;
	case KEY_WORD:
		expect_words(key->words, ret);
		break;
	case KEY_OBJECT:
		expect_object(key, ret);
		break;
	case KEY_STRINGS:
		expect_items(key, "an array of strings", ret);
		break;
	case KEY_SCALARS:
		expect_items(key, "an array of strings, numbers or booleans", ret);
		break;
	case KEY_OBJECTS:
	case KEY_SCALAR_MAPS:
		expect_items(key, "an array of objects", ret);
		break;
	case KEY_OBJECT_MAP:
		expect_items(key, "an object of objects by name", ret);
		break;
	case KEY_STRING_MAP:
		expect_items(key, "an object of strings by name", ret);
		break;
	case KEY_SCALAR_MAP:
		expect_items(key, "an object of values by name", ret);
		break;
	case KEY_CONDITIONS:
		text_add(ret, "an object of values, or arrays of values, by the names of other "
			      "parameters");
		break;
	default:
		text_add(ret, plain[key->type]);
	}
}

static bool within(const struct key *key, double value)
{
	return value >= key->min && value <= key->max;
}

static bool accepts_array(const struct key *key, const cJSON *value)
{
	return cJSON_IsArray(value) && within(key, cJSON_GetArraySize(value));
}

static bool accepts_map(const struct key *key, const cJSON *value)
{
	return cJSON_IsObject(value) && within(key, cJSON_GetArraySize(value));
}

static bool accepts_duration(const struct key *key, const cJSON *value)
{
	int64_t us;

	return value_duration(value, &us) && within(key, (double)us * 1e-6);
}

static bool accepts_size(const struct key *key, const cJSON *value)
{
	int64_t bytes;

	return value_size(value, &bytes) && within(key, (double)bytes);
}

static bool accepts_gpus(const cJSON *value)
{
	if (cJSON_IsString(value))
		return strcmp(value->valuestring, "auto") == 0 ||
		       strcmp(value->valuestring, "none") == 0;
	return cJSON_IsArray(value) && cJSON_GetArraySize(value) <= GPUS_MAX;
}

static bool accepts_reduce(const cJSON *value)
{
	enum reduce reduce;
	int64_t last;

	if (!cJSON_IsObject(value) || value->child == NULL)
		return value_reduce(value, &reduce, &last);
	for (const cJSON *child = value->child; child; child = child->next)
		if (!value_reduce(child, &reduce, &last))
			return false;
	return true;
}

bool key_accepts(const struct key *key, const cJSON *value)
{
	uint64_t seed;
	int64_t number;

	switch (key->type) {
	case KEY_STRING:
		return cJSON_IsString(value) && value->valuestring[0] != '\0';
	case KEY_TEXT:
		return cJSON_IsString(value);
	case KEY_BOOLEAN:
		return cJSON_IsBool(value);
	case KEY_INTEGER_OR_AUTO:
		if (cJSON_IsString(value))
			return strcmp(value->valuestring, "auto") == 0;
		/* fall through */
	case KEY_INTEGER:
		return cJSON_IsNumber(value) && value->valuedouble == floor(value->valuedouble) &&
		       within(key, value->valuedouble);
	case KEY_NUMBER:
		return cJSON_IsNumber(value) && within(key, value->valuedouble);
	case KEY_SCALAR:
		return value_is_scalar(value);
	case KEY_SEED:
		return value_seed(value, &seed);
	case KEY_DURATION:
		return accepts_duration(key, value);
	case KEY_SIZE:
		return accepts_size(key, value);
	case KEY_TIME:
		return value_time(value, &number);
	case KEY_WORD:
		return cJSON_IsString(value) && words_index(key->words, value->valuestring) >= 0;
	case KEY_PRIOR:
		return accepts_map(key, value) ||
		       (cJSON_IsArray(value) && cJSON_GetArraySize(value) == 2);
	case KEY_REDUCE:
		return accepts_reduce(value);
	case KEY_GPUS:
		return accepts_gpus(value);
	case KEY_STRINGS:
	case KEY_SCALARS:
	case KEY_OBJECTS:
	case KEY_SCALAR_MAPS:
		return accepts_array(key, value);
	case KEY_OBJECT:
		return cJSON_IsObject(value) ||
		       (cJSON_IsString(value) && section_shorthand(key->contains) != NULL);
	case KEY_OBJECT_MAP:
	case KEY_STRING_MAP:
	case KEY_SCALAR_MAP:
	case KEY_CONDITIONS:
		return accepts_map(key, value);
	case KEY_ENVIRONMENT:
		return accepts_array(key, value) || accepts_map(key, value);
	}
	return false;
}
