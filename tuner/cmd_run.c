#include "tuner/command.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/io.h"
#include "base/number.h"
#include "tuner/budget_edit.h"
#include "tuner/ci.h"
#include "tuner/confirmation.h"
#include "tuner/job_argument.h"
#include "tuner/job_code.h"
#include "tuner/job_open.h"
#include "trials/provenance.h"
#include "tuner/loop.h"
#include "tuner/objective.h"
#include "tuner/reported.h"
#include "tuner/search.h"
#include "tuner/shell_words.h"
#include "tuner/status_report.h"
#include "tuner/store_wait.h"
#include "tuner/text_width.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { DETACH_WAIT_MS = 10000 };

struct run {
	const struct invocation *call;
	struct job_file *file;
	struct store *store;
	struct pool pool;
	struct progress *progress;
	char note[300]; /* about the slots */
	struct job_opening opening;
	bool begun; /* it had trials before */
	int64_t had; /* trials of the search that has had the fewest */
	char *search; /* the search whose best trials it retrains; NULL: none */
	struct job_code_place code;
	struct witness *witness;
	struct ci ci;
	struct present present; /* code and data as reuse compares them */
	struct reuse *reuse;
};

static void run_finish(struct run *run)
{
	progress_destroy(run->progress);
	reuse_close(run->reuse);
	present_finish(&run->present);
	witness_destroy(run->witness);
	job_code_finish(&run->code);
	pool_finish(&run->pool);
	store_close(run->store);
	ci_finish(&run->ci);
	job_opening_finish(&run->opening);
	free(run->search);
	job_file_destroy(run->file);
}

static enum progress_style choose_style(const struct invocation *call)
{
	const char *term = getenv("TERM");
	if (invocation_option(call, "quiet") != NULL)
		return PROGRESS_QUIET;
	if (invocation_option(call, "plain") != NULL || ci_is_on(call) || !isatty(STDOUT_FILENO) ||
		term == NULL || strcmp(term, "dumb") == 0)
		return PROGRESS_PLAIN;
	return PROGRESS_LIVE;
}

static struct witness_request what_to_witness(const struct run *run)
{
	const struct job_file *file = run->file;
	return (struct witness_request){
		.looks_at_code = file->code.from == CODE_LIVE,
		.place = job_code_where(run->store, file),
		.channels = file->channels,
		.n_channels = file->n_channels,
		.surroundings = { .prefix = file->n_hosts > 0 ? file->hosts[0].prefix : NULL,
			.command = file->command,
			.inherited = environ,
			.variables = file->environment,
			.directory = run->code.directory },
		.patch_bytes_max = PATCH_BYTES_MAX,
	};
}

/* A finished job is judged by its results then: a gate says nothing about code that has changed
 * since. */
static void warn_of_other_code(const struct run *run)
{
	struct witness_request request = what_to_witness(run);
	struct tuner_error ignored = { TUNER_OK, "" };
	struct state_list list;
	struct present present;
	int64_t last = 0;

	request.n_channels = 0;
	if (!ci_wants_reports(&run->ci) || !request.looks_at_code ||
		!state_last(run->store, run->opening.job_id, STATE_OF_CODE, &last, &ignored) ||
		last == 0 || !reuse_look(&request, &present, &ignored))
		return;
	if (state_select(run->store, run->opening.job_id, STATE_OF_CODE, &list, &ignored)) {
		for (size_t i = 0; i < list.n; i++)
			if (list.items[i].id == last &&
				strcmp(list.items[i].fingerprint, present.code.fingerprint) != 0)
				fprintf(stderr,
					"warning: the trials judged here ran other code than what "
					"is here now; a job of another --name runs this code\n");
		state_list_finish(&list);
	}
	present_finish(&present);
}

/* The argument with which to call "tuner run" again: the file only if it belongs to no other
 * job. */
static void add_self(const struct run *run, struct text *ret)
{
	const bool is_renamed = invocation_option(run->call, "name") != NULL;
	job_reference(run->call, is_renamed ? run->file->name : run->call->arguments[0], ret);
}

static void say_finished(const struct run *run, const struct job *job, int64_t created)
{
	printf("job %s is complete after %lld trial%s: %s.\n", job->name, (long long)created,
		created == 1 ? "" : "s", job->reason[0] ? job->reason : "its budget is spent");
	struct text self = TEXT_EMPTY, name = TEXT_EMPTY;
	job_reference(run->call, run->search != NULL ? run->search : job->name, &name);
	add_self(run, &self);
	if (run->search != NULL)
		printf("To train more: \"tuner confirm %s\" with more --repeats or --top. To see "
		       "the results: \"tuner confirm %s --show\".\n",
			name.bytes, name.bytes);
	else
		printf("To continue: \"tuner run %s --trials %lld\". To start afresh: --name "
		       "ANOTHER. To see the result: \"tuner best %s\".\n",
			self.bytes, (long long)trials_to_go_on(run->had), name.bytes);
	text_finish(&name);
	text_finish(&self);
}

/* Whether hosts that were away at the end have results to be fetched or lost attempts to be
 * ended. */
static bool anything_there(const struct run *run)
{
	for (size_t h = 0; h < run->pool.n; h++) {
		const struct backend_left left = pool_left(&run->pool, h);
		if (left.results + left.lost > 0)
			return true;
	}
	return false;
}

static void say_what_is_there(const struct run *run)
{
	struct text self = TEXT_EMPTY, name = TEXT_EMPTY;
	add_self(run, &self);
	job_reference(run->call, run->file->name, &name);
	for (size_t h = 0; h < run->pool.n; h++) {
		const struct backend_left left = pool_left(&run->pool, h);
		const size_t n = left.results;
		if (n > 0)
			printf("The files that %zu attempt%s saved on %s are not here yet: \"tuner "
			       "run %s\" fetches them once the host can deliver them.\n",
				n, n == 1 ? "" : "s", run->pool.hosts[h].name, self.bytes);
		if (left.lost > 0)
			printf("%zu lost attempt%s may still be running on %s: \"tuner stop %s\" "
			       "ends %s once the host answers.\n",
				left.lost, left.lost == 1 ? "" : "s", run->pool.hosts[h].name,
				name.bytes, left.lost == 1 ? "it" : "them");
	}
	text_finish(&name);
	text_finish(&self);
}

/* A finished job whose budget is not larger: says so, and how to continue; *ret_left is then false,
 * and *ret_status the result's, gates included. A job whose trials have all ended but that is still
 * open was killed before its end: that is left to be done. */
static bool anything_left(struct run *run, bool *ret_left, int *ret_status, struct tuner_error *err)
{
	struct job job = { 0 };
	int64_t counts[TRIAL_STATES], created = 0;
	if (!job_load(run->store, run->opening.job_id, &job, err))
		return false;
	if (!trial_count_own(run->store, job.id, counts, err) ||
		!search_fewest_trials(run->file, run->store, job.id, &run->had, err)) {
		job_finish(&job);
		return false;
	}
	for (int i = 0; i < TRIAL_STATES; i++)
		created += counts[i];
	run->begun = created > 0;
	const bool open = counts[TRIAL_PROPOSED] + counts[TRIAL_RUNNING] + counts[TRIAL_PAUSED] > 0;
	*ret_left = open || anything_there(run) || run->had < run->file->budget.trials ||
		    job.state == JOB_OPEN;
	if (!*ret_left) {
		say_finished(run, &job, created);
		*ret_status = counts[TRIAL_DONE] > 0 ? EXIT_DONE : EXIT_NO_RESULT;
		warn_of_other_code(run);
		*ret_status = ci_conclude(&run->ci, run->store, job.id, *ret_status,
			job.reason[0] ? job.reason : "its budget is spent", 0);
	}
	job_finish(&job);
	return true;
}

static void greet(const struct run *run)
{
	struct text slots = TEXT_EMPTY, what = TEXT_EMPTY, self = TEXT_EMPTY;
	if (run->note[0] != '\0')
		fprintf(stderr, "warning: %s\n", run->note);
	if (invocation_option(run->call, "quiet") != NULL)
		return;
	pool_text(&run->pool, &slots);
	job_file_searches_text(run->file, &what);
	printf("job %s%s: %s, %s; database %s\n", run->file->name, run->begun ? " (resumed)" : "",
		what.bytes, slots.bytes, run->call->db);
	if (objective_label(run->file->metric) != run->file->metric ||
		run->file->objective.n_also > 0) {
		struct text objectives = TEXT_EMPTY;
		objective_text(run->file, &objectives);
		printf("%s: %s\n", run->file->objective.n_also > 0 ? "objectives" : "objective",
			objectives.bytes);
		text_finish(&objectives);
	}
	fputs(run->opening.warm_start.bytes, stdout);
	if (run->opening.changes.length > 0)
		printf("the job file was edited:\n%s", run->opening.changes.bytes);
	job_reference(run->call, run->file->name, &self);
	if (run->opening.mended)
		printf("earlier failures are not tried again, unless \"tuner retry %s --class "
		       "crashed,no-metric\" puts them back\n",
			self.bytes);
	fputs(run->code.said.bytes, stdout);
	fflush(stdout);
	text_finish(&self);
	text_finish(&what);
	text_finish(&slots);
}

static void say_front(const struct run *run)
{
	struct text self = TEXT_EMPTY;
	job_reference(run->call, run->file->name, &self);
	printf("\"tuner best %s\" shows the Pareto front.\n", self.bytes);
	text_finish(&self);
}

static void print_best(const struct run *run, const struct trial *best)
{
	struct text line = TEXT_EMPTY, visible = TEXT_EMPTY;
	double values[SPACE_PARAMETERS_MAX];
	struct tuner_error ignored;
	if (configuration_parse(run->file, best->parameters, true, values, &ignored))
		configuration_text(run->file, values, &line);
	else
		text_add(&line, best->parameters);
	text_add_visible(&visible, line.bytes);
	printf("best: %s=%.6g, trial %lld (%s): %s\n", objective_label(run->file->metric),
		best->objective, (long long)best->number, best->branch, visible.bytes);
	text_finish(&visible);
	text_finish(&line);
}

/* What callers have asked for ends when they tell it, and no run launches it. */
static void say_asked(const struct run *run)
{
	struct attempt_list open;
	struct tuner_error ignored;
	struct text self = TEXT_EMPTY;
	long long first = 0, n = 0;

	if (!attempt_select(run->store, run->opening.job_id, 0, &open, &ignored))
		return;
	for (size_t i = 0; i < open.n; i++) {
		if (strcmp(open.items[i].backend, ATTEMPT_CALLER) != 0)
			continue;
		first = n++ == 0 ? (long long)open.items[i].trial_number : first;
	}
	job_reference(run->call, run->file->name, &self);
	if (n == 1)
		printf("Trial %lld was", first);
	else if (n > 1)
		printf("%lld trials, the first of them trial %lld, were", n, first);
	if (n > 0)
		printf(" asked for with \"tuner ask\", and %s not told yet: \"tuner tell %s %lld "
		       "VALUE\" gives the result, with --failed user-stopped instead of VALUE it "
		       "is given up.\n",
			n == 1 ? "is" : "are", self.bytes, first);
	text_finish(&self);
	attempt_list_finish(&open);
}

/* The signs of a misspelt metric: others were reported, but not the objective's. */
static void say_unreported(const struct run *run)
{
	const struct job_objective *objective = &run->file->objective;
	struct metric_names names;
	struct text guess = TEXT_EMPTY;
	struct tuner_error ignored;

	if (!metric_names_select(run->store, run->opening.job_id, &names, &ignored))
		return;
	for (size_t i = 0; names.n > 0 && i < objective->n; i++) {
		if (reported_has(&names, objective->metrics[i].name))
			continue;
		text_clear(&guess);
		reported_guess(&names, objective->metrics[i].name, &guess);
		printf("The %s metric \"%s\" was not reported; %s\n", objective_whose(objective, i),
			objective->metrics[i].name, guess.bytes);
	}
	text_finish(&guess);
	metric_names_finish(&names);
}

static bool summarize(struct run *run, const struct loop_result *result, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = run->opening.job_id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_OBJECTIVE,
		.limit = 1 };
	struct trial_list list;
	int64_t counts[TRIAL_STATES], outcomes[OUTCOMES], last_failed;
	if (!trial_count_own(run->store, run->opening.job_id, counts, err) ||
		!trial_count_outcomes(
			run->store, run->opening.job_id, outcomes, &last_failed, err) ||
		!trial_select(run->store, &filter, &list, err))
		return false;
	printf("%s. Trials: %lld done, %lld stopped, %lld failed", result->reason,
		(long long)counts[TRIAL_DONE], (long long)counts[TRIAL_STOPPED],
		(long long)counts[TRIAL_FAILED]);
	if (outcomes[OUTCOME_OVER_LIMIT] > 0)
		printf(" (%lld of them over a limit)", (long long)outcomes[OUTCOME_OVER_LIMIT]);
	if (counts[TRIAL_PROPOSED] + counts[TRIAL_RUNNING] > 0)
		printf(", %lld unfinished",
			(long long)(counts[TRIAL_PROPOSED] + counts[TRIAL_RUNNING]));
	if (result->reused > 0)
		printf("; %lld reused from %s", (long long)result->reused,
			invocation_option(run->call, "reuse"));
	puts(".");
	if (list.n > 0 && run->file->objective.n_also > 0)
		say_front(run);
	else if (list.n > 0)
		print_best(run, &list.items[0]);
	if (result->log_tail.length > 0) {
		puts("The last lines of the last failure's output:");
		fwrite(result->log_tail.bytes, 1, result->log_tail.length, stdout); /* zeros, too */
		putchar('\n');
	}
	if (list.n == 0 && outcomes[OUTCOME_OVER_LIMIT] > 0)
		puts("No trial kept the limits: \"tuner trials\" shows by how much they are "
		     "broken, "
		     "and \"tuner rescore\" changes them without training again.");
	else if (list.n == 0)
		say_unreported(run);
	if (result->state != JOB_STOPPED)
		say_asked(run);
	say_what_is_there(run);
	if (result->status == EXIT_BROKEN_COMMAND) {
		struct text file = TEXT_EMPTY;
		text_add_shell_word(&file, run->call->arguments[0]);
		printf("\"tuner try %s\" launches the command once and shows everything.\n",
			file.bytes);
		text_finish(&file);
	}
	trial_list_finish(&list);
	return true;
}

/* Without a witness only the record is missing. */
static void call_witness(struct run *run)
{
	const struct witness_request request = what_to_witness(run);
	struct tuner_error failed = { TUNER_OK, "" };
	if (!witness_create(&request, &run->witness, &failed))
		fprintf(stderr, "warning: code, data and versions are not recorded: %s\n",
			failed.message);
}

/* Frozen code has its fingerprint in the database. */
static bool find_frozen(struct run *run, struct tuner_error *err)
{
	struct state_list list;
	if (run->code.state == 0)
		return true;
	if (!state_select(run->store, run->opening.job_id, STATE_OF_CODE, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++)
		if (list.items[i].id == run->code.state)
			snprintf(run->present.code.fingerprint,
				sizeof(run->present.code.fingerprint), "%s",
				list.items[i].fingerprint);
	state_list_finish(&list);
	return true;
}

/* If results cannot be reused, they are computed: that costs time, so it is reported, but is not an
 * error. A pipeline's first run has nothing to reuse. */
static void open_reuse(struct run *run)
{
	const char *path = invocation_option(run->call, "reuse");
	const struct witness_request request = what_to_witness(run);
	struct tuner_error why = { TUNER_OK, "" };

	if (path == NULL)
		return;
	if (access(path, F_OK) != 0) {
		printf("no results are reused: there is no %s yet\n", path);
	} else if (reuse_look(&request, &run->present, &why) && find_frozen(run, &why) &&
		   reuse_open(path, run->store, run->opening.job_id, run->file, &run->present,
			   &run->reuse, &why)) {
		if (invocation_option(run->call, "quiet") == NULL)
			printf("%zu results in %s can be reused\n", reuse_count(run->reuse), path);
	} else {
		fprintf(stderr, "warning: no results are reused from %s: %s\n", path, why.message);
	}
	fflush(stdout);
}

static int run_job(struct run *run, struct tuner_error *err)
{
	struct loop_result result = { .log_tail = TEXT_EMPTY };
	run->progress = progress_create(run->file, choose_style(run->call), run->call->color);
	const struct loop_settings settings = {
		.file = run->file,
		.budget = &run->file->budget,
		.store = run->store,
		.job_id = run->opening.job_id,
		.pool = &run->pool,
		.progress = run->progress,
		.working_directory = run->code.directory,
		.code = run->code.state,
		.witness = run->witness,
		.reuse = run->reuse,
		.gates = run->ci.gates,
		.n_gates = run->ci.n_gates,
		.stop_at_once = run->ci.on,
	};
	int status = -1;
	const bool ran = loop_run(&settings, &result, err);
	if (!ran || result.state == JOB_STOPPED)
		progress_hurry(run->progress);
	if (ran) {
		progress_destroy(run->progress);
		run->progress = NULL;
		if (summarize(run, &result, err))
			status = ci_conclude(&run->ci, run->store, run->opening.job_id,
				(int)result.status, result.reason, result.reused);
	} else {
		(void)ci_conclude(&run->ci, run->store, run->opening.job_id,
			err->code == TUNER_USAGE ? EXIT_USAGE : EXIT_INFRASTRUCTURE, err->message,
			0);
	}
	text_finish(&result.log_tail);
	return status;
}

/* A confirmation's code is what its search ran, without the search's job file. */
static bool find_search_path(struct run *run, struct tuner_error *err)
{
	struct job search = { 0 };
	bool found = false;
	bool ok = job_find(run->store, run->search, &search, &found, err);

	if (ok && found) {
		free(run->file->search_path);
		run->file->search_path = strdup(search.path);
		ok = run->file->search_path != NULL || tuner_fail_memory(err);
	}
	job_finish(&search);
	return ok;
}

/* The repeats of a confirmation are listed in "first", one by one: after them a run would propose
 * configurations at random. */
static bool check_repeats(struct run *run, struct tuner_error *err)
{
	struct job job = { 0 };
	bool found = false;
	bool ok = job_find(run->store, run->file->name, &job, &found, err);

	if (ok && found)
		ok = confirmation_search_name(run->store, &job, &run->search, err) &&
		     (run->search == NULL || find_search_path(run, err));
	job_finish(&job);
	if (!ok || run->search == NULL || run->file->budget.trials <= (int64_t)run->file->n_first)
		return ok;
	struct text search = TEXT_EMPTY;
	job_reference(run->call, run->search, &search);
	tuner_fail(err, TUNER_USAGE,
		"job %s only trains the best of job %s again, %zu times in all: to train more, use "
		"\"tuner confirm %s\" with more --repeats or --top",
		run->file->name, run->search, run->file->n_first, search.bytes);
	text_finish(&search);
	return false;
}

static int run_here(struct run *run, struct tuner_error *err)
{
	bool left;
	int status = EXIT_DONE;
	if (!pool_open(&run->pool, run->file, run->call->db, true, run->note, err) ||
		!store_open_soon(run->call->db, STORE_INSTANT_MS, &run->store, err) ||
		!check_repeats(run, err) ||
		!job_open(run->store, run->file,
			invocation_option(run->call, "accept-change") != NULL,
			invocation_option(run->call, "db"), &run->opening, err) ||
		!anything_left(run, &left, &status, err))
		return -1;
	if (!left)
		return status;
	if (!job_code_prepare(run->store, run->opening.job_id, run->file,
		    invocation_option(run->call, "accept-change") != NULL, &run->code, err) ||
		(run->code.state != 0 && !pool_freeze(&run->pool, run->code.directory, err)))
		return -1;
	if (run->ci.orphans_stop)
		pool_bind(&run->pool);
	greet(run);
	open_reuse(run);
	call_witness(run);
	return run_job(run, err);
}

/* ---- --detach ---- */

/* The same command without --detach, for the process that continues. */
static char **without_detach(int *ret_n)
{
	FILE *file = fopen("/proc/self/cmdline", "re");
	char *bytes = NULL, **words = NULL;
	size_t size = 0, n = 0;
	if (file == NULL)
		return NULL;
	const ssize_t length = getdelim(&bytes, &size, EOF, file);
	fclose(file);
	if (length > 0)
		words = calloc((size_t)length + 2, sizeof(*words));
	bool rest = false;
	for (ssize_t i = 0; words != NULL && i < length; i += (ssize_t)strlen(bytes + i) + 1) {
		rest = rest || strcmp(bytes + i, "--") == 0;
		if (rest || (strcmp(bytes + i, "--detach") != 0 && strcmp(bytes + i, "-d") != 0))
			words[n++] = strdup(bytes + i);
	}
	free(bytes);
	*ret_n = (int)n;
	return words;
}

static bool spawn_detached(char **words, const char *log, pid_t *ret_pid, struct tuner_error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	const int failed =
		posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return failed == 0 || tuner_fail_errno(err, failed, "cannot start in the background");
}

/* Waits until it holds the database, or has ended. */
static bool await_detached(
	pid_t pid, const char *db, const char *log, int *ret_status, struct tuner_error *err)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	for (int waited_ms = 0; waited_ms < DETACH_WAIT_MS; waited_ms += 20) {
		int status;
		int64_t holder = 0;
		struct tuner_error ignored;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_INFRASTRUCTURE;
			return true;
		}
		if (store_holder(db, &holder, &ignored) && holder == pid) {
			*ret_status = -1;
			return true;
		}
		nanosleep(&pause, NULL);
	}
	return tuner_fail(err, TUNER_RETRY,
		"process %d did not begin the job within 10 s; its output is in %s", (int)pid, log);
}

static off_t size_of(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 ? status.st_size : 0;
}

/* Shows what was written after `from`; earlier runs have written to this log, too. */
static void show_log(const char *path, off_t from)
{
	char bytes[4096];
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	const ssize_t n = lseek(fd, from, SEEK_SET) < 0 ? 0 : io_read(fd, bytes, sizeof(bytes));
	if (n > 0)
		fwrite(bytes, 1, (size_t)n, stdout);
	close(fd);
}

static int run_detached(struct run *run, struct tuner_error *err)
{
	struct text log = TEXT_EMPTY, self = TEXT_EMPTY;
	off_t before = 0;
	int n = 0, status = -1;
	pid_t pid = 0;
	if (strcmp(run->call->arguments[0], "-") == 0) {
		tuner_fail(err, TUNER_USAGE,
			"with --detach the job cannot come from standard input: save it to a file");
		return -1;
	}
	char **words = without_detach(&n);
	text_print(&log, "%s.%s.log", run->call->db, run->file->name);
	if (words == NULL || text_failed(&log)) {
		tuner_fail_memory(err);
		goto out;
	}
	before = size_of(log.bytes);
	if (spawn_detached(words, log.bytes, &pid, err) &&
		await_detached(pid, run->call->db, log.bytes, &status, err)) {
		job_reference(run->call, run->file->name, &self);
		if (status < 0)
			printf("job %s is running in the background, pid %d; its output is in %s.\n"
			       "\"tuner watch %s\" follows it, \"tuner stop %s\" ends it.\n",
				run->file->name, (int)pid, log.bytes, self.bytes, self.bytes);
		else
			show_log(log.bytes, before); /* it may not have begun, because another one
							runs */
		status = status < 0 ? EXIT_DONE : status;
	}
out:
	for (int i = 0; words != NULL && i < n; i++)
		free(words[i]);
	free(words);
	text_finish(&self);
	text_finish(&log);
	return status;
}

int cmd_run(const struct invocation *call, struct tuner_error *err)
{
	struct run run = { .call = call,
		.opening = { .changes = TEXT_EMPTY, .warm_start = TEXT_EMPTY },
		.code = { .said = TEXT_EMPTY } };
	bool taken = false;
	int status = -1;
	if (job_argument_read(call, COMMAND_NEEDED, &run.file, err) &&
		ci_open(call, run.file, &run.ci, err) &&
		(run.ci.on || budget_edit_send(call, run.file, &taken, err)))
		status = taken                                       ? EXIT_DONE
			 : invocation_option(call, "detach") != NULL ? run_detached(&run, err)
								     : run_here(&run, err);
	run_finish(&run);
	return status;
}
