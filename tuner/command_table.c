/* In the order `tuner help` prints. */
#include "tuner/command.h"

static const struct option_row init_options[] = {
	{ "from", 0, "REQUEST", "a SageMaker CreateHyperParameterTuningJob request (JSON)" },
	{ "force", 0, NULL, "replace an existing FILE" },
	{ .name = NULL },
};

static const struct option_row check_options[] = {
	{ "log", 0, "FILE", "count what each pattern finds in an existing log" },
	{ "set", 0, "KEY=VALUE", "change any key of the job file; may be repeated" },
	{ .name = NULL },
};

static const struct option_row try_options[] = {
	{ "set", 0, "KEY=VALUE", "change any key of the job file; may be repeated" },
	{ "timeout", 0, "TIME", "stop the command after this long (default: its own timeout)" },
	{ .name = NULL },
};

static const struct option_row run_options[] = {
	{ "set", 0, "KEY=VALUE", "change any key of the job file; may be repeated" },
	{ "trials", 'n', "N", "the same as --set budget.trials=N" },
	{ "parallel", 'p', "N", "the same as --set budget.parallel=N" },
	{ "seed", 0, "N", "the same as --set seed=N" },
	{ "name", 0, "NAME", "the same as --set name=NAME: another name is another job" },
	{ "accept-change", 0, NULL, "continue although command, fixed values or data were edited" },
	{ "detach", 'd', NULL, "run without this terminal; \"tuner watch\" shows its progress" },
	{ "quiet", 'q', NULL, "print only the result" },
	{ "plain", 0, NULL, "one line per finished trial, also on a terminal" },
	{ "gate", 0, "GATE", "what the best must reach: 'accuracy >= 0.7'; may be repeated" },
	{ "baseline", 0, "FILE", "the best must be no worse than the one in this file" },
	{ "tolerance", 0, "X", "by how much the best may be worse than the baseline (default: 0)" },
	{ "write-baseline", 0, "FILE", "write the best as a baseline, if the run passes" },
	{ "junit", 0, "FILE", "write the trials and gates as JUnit XML" },
	{ "summary", 0, "FILE", "write a summary in Markdown" },
	{ "metrics", 0, "FILE", "write the job's numbers as OpenMetrics text" },
	{ "ci", 0, NULL, "plain lines, and stop at the first signal (default if CI is set)" },
	{ "no-ci", 0, NULL, "behave as usual, although CI is set" },
	{ "reuse", 0, "DB", "take over results of finished trials with same values, code, data" },
	{ "orphans", 0, "HOW",
		"when tuner dies, keep its trials (default) or stop them (with --ci)" },
	{ .name = NULL },
};

static const struct option_row watch_options[] = {
	{ "interval", 0, "TIME", "how often to update (default: 500ms)" },
	{ .name = NULL },
};

static const struct option_row stop_options[] = {
	{ "trial", 0, "N", "stop only this trial; the job goes on" },
	{ "wait", 0, NULL, "propose nothing more, and let running trials finish" },
	{ .name = NULL },
};

static const struct option_row hosts_options[] = {
	{ "set", 0, "KEY=VALUE", "with add: change a key of FILE, as for run; may be repeated" },
	{ .name = NULL },
};

static const struct option_row retry_options[] = {
	{ "class", 0, "CLASS,...", "those with these outcomes: lost, oom-gpu, crashed ..." },
	{ "trial", 0, "N", "this one; may be repeated; with --class only if it has that outcome" },
	{ .name = NULL },
};

static const struct option_row compare_options[] = {
	{ "trials", 'n', "N", "compare after N trials of each search (default: all)" },
	{ "format", 0, "FORMAT", "text, or md for Markdown" },
	{ "over", 0, "AXIS", "also the mean best so far over trials, time or money" },
	{ "csv", 0, NULL, "every trial, for other programs; with --over the curves" },
	{ "svg", 0, "FILE", "also draw the mean best so far, with 95 % bands" },
	{ .name = NULL },
};

static const struct option_row confirm_options[] = {
	{ "top", 0, "K", "the best K configurations (default: 3)" },
	{ "repeats", 0, "N", "how often each is trained in all (default: 5)" },
	{ "show", 0, NULL, "only say what is known so far, and train nothing" },
	{ "accept-change", 0, NULL, "continue although command, fixed values or data were edited" },
	{ "quiet", 'q', NULL, "no line per trial" },
	{ .name = NULL },
};

static const struct option_row rescore_options[] = {
	{ "set", 0, "KEY=VALUE", "change a key of the objective; may be repeated" },
	{ "vary", 0, "NAME=LOW..HIGH",
		"change nothing; show which trial wins as this cost varies" },
	{ .name = NULL },
};

static const struct option_row ask_options[] = {
	{ "count", 'n', "N", "ask for N configurations (default: 1)" },
	{ "lease", 0, "TIME",
		"after this long without a tell, a trial no longer counts as pending" },
	{ "set", 0, "KEY=VALUE", "change any key of the job file; may be repeated" },
	{ "seed", 0, "N", "the same as --set seed=N" },
	{ "name", 0, "NAME", "the same as --set name=NAME: another name is another job" },
	{ "accept-change", 0, NULL, "continue although command, fixed values or data were edited" },
	{ .name = NULL },
};

static const struct option_row tell_options[] = {
	{ "failed", 0, "REASON", "instead of VALUE: nan, diverged, crashed, oom-gpu, timeout ..." },
	{ "step", 0, "N", "VALUE is that of a step, and the trial goes on" },
	{ "metric", 0, "NAME=VALUE", "a metric that the job's limits need; may be repeated" },
	{ "add", 0, "PARAMETERS", "instead of TRIAL: a configuration that was tried elsewhere" },
	{ .name = NULL },
};

static const struct option_row ask_tell_options[] = {
	{ "lease", 0, "TIME",
		"after this long without a tell, a trial no longer counts as pending" },
	{ "set", 0, "KEY=VALUE", "change any key of the job file; may be repeated" },
	{ "seed", 0, "N", "the same as --set seed=N" },
	{ "name", 0, "NAME", "the same as --set name=NAME: another name is another job" },
	{ "accept-change", 0, NULL, "continue although command, fixed values or data were edited" },
	{ .name = NULL },
};

static const struct option_row trials_options[] = {
	{ "sort", 0, "ORDER", "number (default), objective or end" },
	{ "limit", 0, "N", "the first N (the last ones when sorted by number or end)" },
	{ "state", 0, "STATE",
		"only these states: proposed, running, done, failed, stopped, paused" },
	{ "arm", 0, "NAME", "only trials of this arm" },
	{ "repeat", 0, "N", "only trials of this repeat of the arms" },
	{ "csv", 0, NULL,
		"print CSV, a column for each parameter: for spreadsheets and data frames" },
	{ .name = NULL },
};

static const struct option_row show_options[] = {
	{ "env", 0, NULL, "print instead the variables that its command was given" },
	{ "patch", 0, NULL, "print instead how its code differed from the commit" },
	{ .name = NULL },
};

static const struct option_row logs_options[] = {
	{ "follow", 'f', NULL, "follow the output as it grows, until the trial ends" },
	{ "attempt", 0, "N", "output of this attempt (default: the last)" },
	{ "tail", 0, "LINES", "only the last LINES; with -f also what follows" },
	{ .name = NULL },
};

static const struct option_row best_options[] = {
	{ "trial", 0, "N", "with several objectives: this trial of the Pareto front" },
	{ "command", 0, NULL, "print the command line that repeats it" },
	{ "params", 0, NULL, "print its parameters as JSON" },
	{ "model", 0, NULL, "print the directory of its saved model" },
	{ "artifacts", 0, NULL, "print the path of each file that it saved" },
	{ "by-model", 0, NULL,
		"for noisy results: the trial that the model thinks best, not the one that looks "
		"best" },
	{ .name = NULL },
};

static const struct option_row importance_options[] = {
	{ "objective", 0, "NAME", "of several objectives this one (default: the first)" },
	{ .name = NULL },
};

static const struct option_row verify_options[] = {
	{ "hashes", 0, NULL,
		"also read every file that trials have saved, and compare its SHA-256" },
	{ .name = NULL },
};

static const struct option_row gc_options[] = {
	{ "dry-run", 0, NULL, "remove nothing, and say what would be removed" },
	{ "best", 0, "N",
		"keep what the N best trials have saved (default: keep of the job file)" },
	{ "logs", 0, NULL, "also the output of attempts that failed" },
	{ "unknown", 0, NULL, "also directories that the database does not know" },
	{ .name = NULL },
};

static const struct option_row report_options[] = {
	{ "format", 0, "FORMAT", "html (default), or md for Markdown" },
	{ "output", 'o', "FILE", "where to (default: JOB-report.html or .md; -: standard output)" },
	{ "figures", 0, "DIR", "with Markdown: write the figures there, as SVG" },
	{ .name = NULL },
};

static const struct option_row replay_options[] = {
	{ "trial", 0, "N", "only the decision of this trial" },
	{ .name = NULL },
};

const struct subcommand commands[] = {
	{ "init", "FILE [-- COMMAND...]", "write a commented job file to start from", 1, 1,
		TAKES_REST, init_options, cmd_init,
		"With a command after --, the numbers in it become ranges around their values, and "
		"the\n"
		"values themselves the first configuration. FILE may be -: standard output." },
	{ "check", "FILE [-- COMMAND...]", "check a job file and print all that follows from it", 1,
		1, TAKES_DB | TAKES_JSON | TAKES_REST, check_options, cmd_check,
		"Exit status: 0 no error, 2 errors." },
	{ "try", "FILE|JOB [-- COMMAND...]", "launch the first configuration once, keeping nothing",
		1, 1, TAKES_DB | TAKES_REST, try_options, cmd_try,
		"Exit status: 0 it gave an objective, 2 usage or job file, 3 it gave none, 130 "
		"interrupted." },
	{ "schema", "", "print the JSON Schema of the job file", 0, 0, 0, NULL, cmd_schema, NULL },
	{ "run", "FILE|JOB [-- COMMAND...]", "run or resume a job to its budget", 1, 1,
		TAKES_DB | TAKES_REST | TAKES_OVER, run_options, cmd_run,
		"Ctrl-C once: propose nothing more and wait for the running trials; twice: stop "
		"them.\n"
		"SIGTERM stops them at once. In each case the same command resumes the job later.\n"
		"Exit status: 0 done, 1 a gate was missed, 2 usage or job file, 3 the command "
		"looks\n"
		"broken, or a rule of the job ended it, 4 the budget was spent without a result, "
		"5\n"
		"infrastructure, 130 or 143 interrupted." },
	{ "watch", "[JOB]", "show the progress of a running job", 0, 1, TAKES_DB, watch_options,
		cmd_watch, NULL },
	{ "status", "[JOB]", "show how a job stands", 0, 1, TAKES_DB | TAKES_JSON, NULL, cmd_status,
		NULL },
	{ "stop", "[JOB]", "stop a job, or what is left of it", 0, 1, TAKES_DB | TAKES_OVER,
		stop_options, cmd_stop, "\"tuner run\" resumes it where it stopped." },
	{ "enqueue", "JOB PARAMETERS", "try this configuration next", 2, 2, TAKES_DB | TAKES_OVER,
		NULL, cmd_enqueue,
		"PARAMETERS is a JSON object, '{\"learning_rate\": 0.1}', or "
		"NAME=VALUE,NAME=VALUE. The\n"
		"strategy chooses the parameters that are left out." },
	{ "hosts", "[drain|resume HOST | add FILE] [JOB]",
		"list a job's hosts, drain or resume one, or add more", 0, 3,
		TAKES_DB | TAKES_JSON | TAKES_OVER, hosts_options, cmd_hosts,
		"After \"drain\" nothing more is started on a host, and trials that run there run "
		"to "
		"their end; the\n"
		"job waits if it has no other host. \"resume\" puts the host back into use. Both "
		"hold for later\n"
		"runs, too. \"add\" gives a running job the hosts that only its edited FILE has; "
		"other changes in\n"
		"FILE wait for the next \"tuner run FILE\"." },
	{ "retry", "[JOB]", "queue failed or stopped trials to be run again", 0, 1,
		TAKES_DB | TAKES_OVER, retry_options, cmd_retry,
		"They are launched with the same parameters and seed, and find their checkpoints. "
		"A running\n"
		"job takes them up at once, otherwise the next \"tuner run\" does; the model "
		"forgets what it\n"
		"learnt from their end." },
	{ "ask", "FILE|JOB", "ask for the next configuration, without launching it", 1, 1,
		TAKES_DB | TAKES_JSON | TAKES_OVER, ask_options, cmd_ask,
		"Prints the trial's number and the arguments that its command would get, quoted "
		"for a shell.\n"
		"FILE needs no command. Several processes may ask and tell at once: they wait for "
		"each other,\n"
		"up to 30 s." },
	{ "tell", "JOB TRIAL [VALUE]", "tell the result of a configuration", 1, 3,
		TAKES_DB | TAKES_JSON | TAKES_OVER, tell_options, cmd_tell,
		"With --step the answer is \"stop\" if the job has early_stopping and its rule "
		"says so, else\n"
		"\"go on\". REASON may also be early-stopped or user-stopped, for an early "
		"end." },
	{ "ask-tell", "FILE|JOB", "answer JSON lines, to ask and tell from any language", 1, 1,
		TAKES_DB | NO_OTHER_DB | TAKES_OVER, ask_tell_options, cmd_ask_tell,
		"{\"ask\": 2}                            {\"trials\": [{\"trial\": 1, "
		"\"parameters\": {...}}, ...]}\n"
		"{\"tell\": 1, \"value\": 0.71}            {\"ok\": true}\n"
		"{\"tell\": 1, \"failed\": \"diverged\"}     {\"ok\": true}\n"
		"{\"tell\": 1, \"value\": 0.71,\n"
		" \"metrics\": {\"latency_ms\": 11}}       {\"ok\": true}, with \"over_limit\": "
		"why, if "
		"it breaks one\n"
		"{\"tell\": 1, \"step\": 3, \"value\": 1}    {\"ok\": true}, with \"stop\": true "
		"if "
		"early_stopping says so\n"
		"{\"add\": {PARAMETERS}, \"value\": 1}      {\"ok\": true, \"trial\": 7}\n"
		"anything wrong                        {\"error\": \"...\"}, and it goes on\n"
		"\n"
		"Without --db nothing is written, whatever TUNER_DB says. The program ends "
		"with its input." },
	{ "jobs", "", "list the jobs of the database", 0, 0, TAKES_DB | TAKES_JSON, NULL, cmd_jobs,
		NULL },
	{ "trials", "[JOB]", "list the trials of a job", 0, 1, TAKES_DB | TAKES_JSON,
		trials_options, cmd_trials, NULL },
	{ "show", "[JOB] TRIAL", "show all about one trial", 1, 2, TAKES_DB | TAKES_JSON,
		show_options, cmd_show, "TRIAL is a number, or \"best\" or \"last\"." },
	{ "logs", "[JOB] TRIAL", "print the output of a trial", 1, 2, TAKES_DB, logs_options,
		cmd_logs, "TRIAL is a number, or \"best\" or \"last\"." },
	{ "best", "[JOB]", "print the best trial", 0, 1, TAKES_DB | TAKES_JSON, best_options,
		cmd_best,
		"With several objectives it prints the Pareto front. Exit status: 0 printed, 4 no "
		"trial has a\nresult yet." },
	{ "compare", "[JOB] [JOB]", "compare the arms of a job, or two jobs", 0, 2,
		TAKES_DB | TAKES_JSON, compare_options, cmd_compare,
		"Compares the first arm with each of the others: the differences of the best at "
		"the end and on the\n"
		"way, after equally many trials and at equal slot-seconds and money spent, with "
		"95 % intervals and\n"
		"p-values over the repeats; and how many times as many trials, as much time or "
		"money the slower\n"
		"one needs." },
	{ "confirm", "[JOB]", "train the best again with other seeds", 0, 1, TAKES_DB | TAKES_JSON,
		confirm_options, cmd_confirm,
		"The best of many noisy results is partly luck. The default (the first "
		"configuration that was given)\n"
		"is trained again, too, if there is one. The repeats are trials of a job "
		"JOB-confirm; after a\n"
		"stop or a kill, the same command resumes it. Exit status: that of run." },
	{ "rescore", "[JOB]", "score a job's trials by another objective", 0, 1,
		TAKES_DB | TAKES_JSON, rescore_options, cmd_rescore,
		"Nothing is trained again: each trial's objective is computed from the metrics "
		"that it "
		"has\n"
		"reported. Without --set the objective is that of the edited job file. --vary "
		"takes a "
		"cost\n"
		"of the objective: false_negative=1..20." },
	{ "why", "[JOB] TRIAL", "explain how a trial's configuration was chosen", 1, 2,
		TAKES_DB | TAKES_JSON, NULL, cmd_why,
		"TRIAL is a number, or \"best\" or \"last\"." },
	{ "importance", "[JOB]", "estimate which parameters matter", 0, 1, TAKES_DB | TAKES_JSON,
		importance_options, cmd_importance,
		"Prints each parameter's share of the objective's variance over the search space "
		"(Sobol\n"
		"indices of the model of the job's trials), with intervals." },
	{ "report", "[JOB]", "write all that is known about a job as one page", 0, 1, TAKES_DB,
		report_options, cmd_report,
		"The page is one HTML file, without scripts and without anything from elsewhere. "
		"Below each table\n"
		"and figure is the query or the command that gives its numbers." },
	{ "replay", "[JOB]", "recompute every decision of a job, and compare", 0, 1,
		TAKES_DB | TAKES_JSON, replay_options, cmd_replay,
		"Uses the database alone; configurations that were given are not decisions. "
		"Decisions of another\n"
		"processor or other libraries are held to 1e-6, all others to the bit. Where a "
		"search then ends in\n"
		"another place, what the model says of the recorded one is held to 1e-6.\n"
		"Exit status: 0 all are the same, 1 some differ." },
	{ "verify", "[JOB]", "check that the database is sound, and that its files are there", 0, 1,
		TAKES_DB | TAKES_JSON, verify_options, cmd_verify,
		"Checks one job, or all. Prints one line per violation: what is wrong, and what to "
		"do "
		"about it.\n"
		"Exit status: 0 nothing is wrong, 1 something is." },
	{ "gc", "[JOB]", "remove files of a job that nobody needs any more", 0, 1,
		TAKES_DB | TAKES_JSON | TAKES_OVER, gc_options, cmd_gc,
		"Removes what trials that neither keep nor --best keeps have saved, and what "
		"killed programs\n"
		"have left; never results, nor anything of a trial that has not ended. A running "
		"job is asked\n"
		"to do it.\n"
		"Exit status: 0 done, 1 something could not be removed." },
	{ "doctor", "[JOB]", "say what is wrong with this machine, the database or a job", 0, 1,
		TAKES_DB | TAKES_JSON, NULL, cmd_doctor,
		"Prints one line per finding, with what to do about it.\n"
		"Exit status: 0 nothing is wrong, 1 something is." },
	{ "version", "", "print the version and what it was built with", 0, 0, TAKES_JSON, NULL,
		cmd_version, NULL },
	{ "help", "[COMMAND]", "print this list, or more about a command", 0, 1, 0, NULL, cmd_help,
		NULL },
	{ .name = NULL },
};
