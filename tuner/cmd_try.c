/* tuner try: launches the first configuration once and shows everything that happens. Keeps
 * nothing. */
#include "tuner/command.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "scheduler/git.h"
#include "surrogate/expression.h"
#include "tuner/goals.h"
#include "tuner/job_argument.h"
#include "tuner/launch.h"
#include "tuner/log_check.h"
#include "tuner/objective.h"
#include "tuner/reported.h"
#include "tuner/signals.h"
#include "tuner/slots.h"
#include "tuner/text_width.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CHUNK = 64 * 1024,
	LOOK_MS = 100,
	ATTEMPT = 1,
	DESCRIPTORS_MAX = 8,
	GRACE_US = 5000000,
	FETCH_US = 600000000
};

struct
try {
	const struct invocation *call;
	struct job_file *file;
	struct slot_list *slots;
	struct metric_patterns *patterns;
	struct failure_rules *rules;
	struct log_check *log; /* what else the output holds, in case the objective is not in it */
	struct backend *backend;
	struct live *live;
	char *supervisor;
	char *directory; /* temporary; removed at the end */
	char *working_directory; /* of code from git, inside `directory`; NULL: the job file's */
	struct text line; /* of the output, unfinished */
	struct metric_names reported;
	int64_t timeout_us;
	bool out_of_memory;
	struct signals signals;
	bool listens;
};

/* ---- what happens, shown ---- */

static void show_configuration(const struct try *try)
{
	struct text text = TEXT_EMPTY, visible = TEXT_EMPTY;
	configuration_text(try->file, try->live->values, &text);
	text_add_visible(&visible, text.bytes);
	printf("configuration: %s\n", visible.bytes);
	text_finish(&visible);
	text_finish(&text);
}

static void show_arguments(const struct command *command, const char *directory)
{
	struct text text = TEXT_EMPTY;
	for (char *const *word = command->launch.arguments; *word != NULL; word++) {
		text_add(&text, word == command->launch.arguments ? "" : ", ");
		text_add_json_string(&text, *word);
	}
	printf("arguments: [%s]\nin: %s\n", text.bytes, directory);
	text_finish(&text);
}

static void show_metric(void *context, const struct scraped *scraped)
{
	struct try *try = context;
	char value[NUMBER_TEXT];
	printf("  metric %s = %s (step %lld)\n", scraped->name,
		number_from_double(scraped->value, value), (long long)scraped->step);
	if (!objective_curves_put(&try->live->curves, &try->file->objective, scraped->name,
		    (double)scraped->step, scraped->value) ||
		!reported_add(&try->reported, scraped->name))
		try->out_of_memory = true;
}

/* Prints whole lines as they are fed to the scraper, so that a metric appears below its line. */
static bool show_line(struct try *try, const char *bytes, size_t length, struct tuner_error *err)
{
	struct live *live = try->live;
	printf("| %.*s", (int)length, bytes);
	if (length == 0 || bytes[length - 1] != '\n')
		printf("\n");
	const bool ok = scraper_feed(live->scraper, live->read_offset, bytes, length, show_metric,
				try, err) &&
			log_check_feed(try->log, bytes, length, err);
	live->read_offset += (int64_t)length;
	fflush(stdout);
	return ok;
}

static bool show_bytes(struct try *try, const char *bytes, size_t size, struct tuner_error *err)
{
	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		const size_t length = end ? (size_t)(end + 1 - bytes) : size;
		text_add_bytes(&try->line, bytes, length);
		if (text_failed(&try->line))
			return tuner_fail_memory(err);
		if (end != NULL || try->line.length >= CHUNK) {
			if (!show_line(try, try->line.bytes, try->line.length, err))
				return false;
			text_clear(&try->line);
		}
		bytes += length;
		size -= length;
	}
	return true;
}

static bool show_output(struct try *try, bool complete, struct tuner_error *err)
{
	char *bytes = malloc(CHUNK);
	size_t size = 0;
	bool ok = bytes != NULL || tuner_fail_memory(err);
	do {
		const int64_t at = try->live->read_offset + (int64_t)try->line.length;
		int64_t offset = at;
		ok = ok && try->backend->ops->read_output(
				   try->backend, ATTEMPT, at, bytes, CHUNK, &offset, &size, err);
		if (ok && offset > at) {
			printf("  (%lld bytes of output were dropped)\n", (long long)(offset - at));
			text_clear(&try->line);
			try->live->read_offset = offset;
		}
		ok = ok && show_bytes(try, bytes, size, err);
	} while (ok && size > 0);
	if (ok && complete && try->line.length > 0)
		ok = show_line(try, try->line.bytes, try->line.length, err);
	if (ok && complete)
		ok = scraper_end(try->live->scraper, show_metric, try, err) &&
		     log_check_end(try->log, err);
	free(bytes);
	return ok && (!try->out_of_memory || tuner_fail_memory(err));
}

/* What the patterns matched in total. */
static void show_patterns(const struct try *try)
{
	const struct scraper *scraper = try->live->scraper;
	for (size_t i = 0; i < try->file->n_metrics; i++) {
		const struct metric_pattern *metric = &try->file->metrics[i];
		const unsigned long long matches = scraper_matches(scraper, i),
					 unread = scraper_unread(scraper, i);
		if (metric->regex == NULL)
			continue;
		if (unread > 0)
			printf("pattern of %s: %llu times what it found is no number: %s\n",
				metric->name, unread, metric->regex);
		if (matches == 0 && unread == 0)
			printf("pattern of %s matched nothing: %s\n", metric->name, metric->regex);
		if (scraper_limited(scraper, i) > 0)
			printf("pattern of %s is too slow and was cut short %llu times: %s\n",
				metric->name, (unsigned long long)scraper_limited(scraper, i),
				metric->regex);
	}
	if (scraper_malformed(scraper) > 0)
		printf("%llu times \"@tuner\" without a JSON object behind it\n",
			(unsigned long long)scraper_malformed(scraper));
}

/* A metric that did not come, under the name of who needs it. */
static void show_missing(const struct try *try, size_t i)
{
	const struct job_objective *objective = &try->file->objective;
	const char *metric = objective->metrics[i].name;
	struct text guess = TEXT_EMPTY;

	reported_guess(&try->reported, metric, &guess);
	if (i == 0 && objective->formula == NULL)
		printf("the objective %s was not reported", metric);
	else
		printf("the %s metric %s was not reported", objective_whose(objective, i), metric);
	printf("%s%s\n", guess.length > 0 ? "; " : "", guess.bytes);
	text_finish(&guess);
}

static void show_suggestions(const struct try *try)
{
	const struct job_objective *objective = &try->file->objective;
	const char *first = NULL;
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < objective->n; i++) {
		if (reported_has(&try->reported, objective->metrics[i].name))
			continue;
		show_missing(try, i);
		first = first != NULL ? first : objective->metrics[i].name;
	}
	log_check_suggest(try->log, &text);
	if (text.length == 0 && first != NULL) {
		text_add(&text, "print it as @tuner {");
		text_add_json_string(&text, first);
		text_add(&text, ": 0.71}, or give a pattern for it in \"metrics\"\n");
	}
	printf("%s", text_failed(&text) ? "" : text.bytes);
	text_finish(&text);
}

static void show_also(const struct job_objective *objective, const struct judgement *judgement)
{
	char number[NUMBER_TEXT];

	for (size_t i = 0; i < judgement->n_also; i++) {
		struct text name = TEXT_EMPTY;
		goals_add_name(expression_text(objective->also[i].formula), &name);
		printf("objective: %s = %s\n", name.bytes,
			number_from_double(judgement->also[i], number));
		text_finish(&name);
	}
}

static void show_limits(const struct job_objective *objective, const struct judgement *check)
{
	for (size_t i = 0; i < check->n_limits; i++) {
		const char *limit = expression_text(objective->limits[i]);
		if (isnan(check->excess[i]))
			printf("limit: %s cannot be computed\n", limit);
		else
			printf("limit: %s is %s by %.4g\n", limit,
				check->excess[i] <= 0 ? "kept" : "broken", fabs(check->excess[i]));
	}
}

static void show_fate(const struct try *try, const struct fate *fate)
{
	const struct exit_record *exit = &try->live->end.exit;
	char number[NUMBER_TEXT], took[NUMBER_TEXT];
	printf("outcome: %s%s%s",
		outcome_name(fate->judgement.n_limits > 0 ? fate->counts_as : fate->outcome),
		fate->message[0] ? ": " : "", fate->message);
	if (try->live->end.kind == BACKEND_ENDED)
		printf(" (%s)", number_from_duration_us(exit->ended_us - exit->started_us, took));
	printf("\n");
	if (fate->outcome == OUTCOME_OK)
		printf("objective: %s = %s\n", try->file->metric,
			number_from_double(fate->judgement.n_limits > 0 ? fate->judgement.objective
									: fate->objective,
				number));
	else if (fate->outcome == OUTCOME_NO_METRIC)
		show_suggestions(try);
	show_also(&try->file->objective, &fate->judgement);
	show_limits(&try->file->objective, &fate->judgement);
}

/* ---- the launch ---- */

/* The first of "first", completed by the strategy, else the strategy's first proposal. */
static bool choose_values(const struct job_file *file, double *ret_values, struct tuner_error *err)
{
	const size_t d = file->space.d;
	const double *given = file->n_first > 0 ? file->first[0] : NULL;
	const struct suggest_request request = {
		.space = &file->space,
		.strategy = &file->strategy,
		.seed = file->seed,
		.number = 1,
		.budget_trials = (size_t)file->budget.trials,
		.parallel = 1,
		.partial = given,
	};
	bool complete = given != NULL;
	for (size_t i = 0; complete && i < d; i++)
		complete = !isnan(given[i]);
	if (complete) {
		memcpy(ret_values, given, d * sizeof(*ret_values));
		return true;
	}
	struct suggestion *suggestion = calloc(1, sizeof(*suggestion));
	if (suggestion == NULL)
		return tuner_fail_memory(err);
	bool ok = suggest(&request, suggestion, err);
	if (ok && suggestion->exhausted)
		ok = tuner_fail(err, TUNER_USAGE, "the space has no configuration");
	if (ok)
		memcpy(ret_values, suggestion->values, d * sizeof(*ret_values));
	free(suggestion);
	return ok;
}

static bool make_directory(struct try *try, struct tuner_error *err)
{
	const char *said = getenv("TMPDIR"), *base = said && said[0] == '/' ? said : "/tmp";
	try->directory = path_join(base, "tuner-try-XXXXXX");
	if (try->directory == NULL)
		return tuner_fail_memory(err);
	if (mkdtemp(try->directory) != NULL)
		return true;
	tuner_fail_errno(
		err, errno, "cannot make a directory in %s (TMPDIR names another place)", base);
	free(try->directory);
	try->directory = NULL;
	return false;
}

/* Code from git is fetched for this launch; a copy of the live code would be the same as the live
 * code. */
static bool fetch_code(struct try *try, struct tuner_error *err)
{
	const struct job_code *code = &try->file->code;
	char commit[GIT_HASH];
	if (code->from != CODE_GIT)
		return true;
	char *directory = path_join(try->directory, "source");
	try->working_directory = directory ? path_join(directory, code->path) : NULL;
	const bool ok = try->working_directory != NULL ? git_fetch(code->git, code->commit,
								 directory, FETCH_US, commit, err)
						       : tuner_fail_memory(err);
	free(directory);
	return ok;
}

static bool prepare(struct try *try, struct tuner_error *err)
{
	struct live *live = try->live = calloc(1, sizeof(*live));
	size_t bad;
	if (live == NULL || (live->values = calloc(try->file->space.d + 1, sizeof(double))) == NULL)
		return tuner_fail_memory(err);
	live->number = live->attempt_number = live->attempt = ATTEMPT;
	return make_directory(try, err) && fetch_code(try, err) &&
	       choose_values(try->file, live->values, err) &&
	       (live->directory = path_join(try->directory, "try/0001/1")) != NULL &&
	       attempt_new_key(live->key, err) &&
	       job_file_patterns(try->file, &try->patterns, err) &&
	       failure_rules_create(
		       try->file->failures, try->file->n_failures, &try->rules, &bad, err) &&
	       scraper_create(try->patterns, 0, NULL, &live->scraper, err) &&
	       log_check_create(try->file, &try->log, err) && launch_is_possible(err) &&
	       find_supervisor(&try->supervisor, err) &&
	       backend_local_open(try->supervisor, &try->backend, err);
}

static bool start(struct try *try, struct tuner_error *err)
{
	const struct launch_site site = { try->file, "localhost", &try->slots->items[0],
		try->working_directory, slots_local_host(try->file), NULL };
	struct command command = { 0 };
	struct launch_request request;
	bool ok = launch_request(&site, try->live, &request, err) &&
		  command_build(&request.command, &command, err);
	if (ok) {
		show_configuration(try);
		show_arguments(&command, command.launch.working_directory);
		ok = command_prepare(&request.command, &command, err);
	}
	command_finish(&command);
	launch_request_finish(&request);
	return ok && try->backend->ops->start(
			     try->backend, ATTEMPT, try->live->directory, try->live->key, err);
}

/* ---- waiting ---- */

static bool stop_when_asked(struct try *try, struct tuner_error *err)
{
	struct live *live = try->live;
	const int64_t now_us = clock_monotonic_us();
	bool asked = false;
	while (signals_next(&try->signals) != 0)
		asked = true;
	if (asked && live->stopping == NULL) {
		live->stopping = outcome_name(OUTCOME_INTERRUPTED);
		live->kill_at_us = now_us + GRACE_US;
		return try->backend->ops->signal(try->backend, ATTEMPT, SIGTERM, err);
	}
	if (live->stopping != NULL && (asked || now_us >= live->kill_at_us)) {
		live->kill_at_us = now_us + GRACE_US;
		return try->backend->ops->signal(try->backend, ATTEMPT, SIGKILL, err);
	}
	return true;
}

static bool look(struct try *try, struct tuner_error *err)
{
	for (bool got = true; got;) {
		struct backend_event event;
		if (!try->backend->ops->next(try->backend, &event, &got, err))
			return false;
		if (got && event.kind != BACKEND_STARTED) {
			try->live->end = event;
			try->live->ended = true;
		}
	}
	return true;
}

static bool wait_for_end(struct try *try, struct tuner_error *err)
{
	while (!try->live->ended) {
		struct pollfd fds[DESCRIPTORS_MAX] = { { .fd = try->signals.fd,
			.events = POLLIN } };
		const size_t n = 1 + try->backend->ops->descriptors(
					     try->backend, fds + 1, DESCRIPTORS_MAX - 1);
		const int wait_ms = try->backend->ops->wait_ms(try->backend);
		if (poll(fds, n, wait_ms >= 0 && wait_ms < LOOK_MS ? wait_ms : LOOK_MS) < 0 &&
			errno != EINTR)
			return tuner_fail_errno(err, errno, "cannot wait for the command");
		if (!stop_when_asked(try, err) || !look(try, err) ||
			(!try->live->ended && !show_output(try, false, err)))
			return false;
	}
	return show_output(try, true, err);
}

static bool finish(struct try *try, struct tuner_error *err)
{
	bool ok = true;
	if (try->backend != NULL)
		try->backend->ops->close(try->backend);
	if (try->directory != NULL)
		ok = directory_remove(try->directory, err);
	live_destroy(try->live);
	log_check_destroy(try->log);
	metric_patterns_destroy(try->patterns);
	failure_rules_destroy(try->rules);
	job_file_destroy(try->file);
	text_finish(&try->line);
	metric_names_finish(&try->reported);
	free(try->slots);
	free(try->supervisor);
	free(try->directory);
	free(try->working_directory);
	if (try->listens)
		signals_close(&try->signals);
	return ok;
}

static bool read_job(struct try *try, struct tuner_error *err)
{
	const char *timeout = invocation_option(try->call, "timeout");
	if (!job_argument_read(try->call, COMMAND_NEEDED, &try->file, err))
		return false;
	if (timeout != NULL && !number_to_duration_us(timeout, &try->file->timeout_us))
		return tuner_fail(err, TUNER_USAGE,
			"--timeout: expected a time such as \"90s\" or \"5m\", found \"%.100s\"",
			timeout);
	try->slots = calloc(1, sizeof(*try->slots));
	if (try->slots == NULL)
		return tuner_fail_memory(err);
	try->slots->items[0] = (struct slot){ .cores = 1 }; /* if no host is this machine */
	return slots_local_host(try->file) == NULL || slots_find(try->file, try->slots, err);
}

static int status_of(const struct fate *fate)
{
	if (fate->outcome == OUTCOME_OK)
		return EXIT_DONE;
	return fate->outcome == OUTCOME_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_BROKEN_COMMAND;
}

int cmd_try(const struct invocation *call, struct tuner_error *err)
{
	struct try try = { .call = call, .line = TEXT_EMPTY };
	struct fate fate;
	int status = -1;
	if (read_job(&try, err) && prepare(&try, err) &&
		(try.listens = signals_open(&try.signals, err)) && start(&try, err) &&
		wait_for_end(&try, err)) {
		live_fate(try.live, try.file, try.rules, &fate);
		show_patterns(&try);
		show_fate(&try, &fate);
		status = status_of(&fate);
	}
	struct tuner_error leftover;
	if (!finish(&try, &leftover))
		fprintf(stderr, "warning: %s\n", leftover.message);
	return status;
}
