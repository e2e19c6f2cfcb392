#include "tuner/status_report.h"

#include "base/clock.h"
#include "base/number.h"
#include "trials/manifest.h"
#include "tuner/confirmation.h"
#include "tuner/job_open.h"
#include "tuner/keep.h"
#include "tuner/objective.h"
#include "tuner/report_json.h"
#include "tuner/search.h"
#include "tuner/store_wait.h"
#include "tuner/table.h"
#include "tuner/text_width.h"
#include "tuner/warm_start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEDIAN_OF = 100, RECENT_EVENTS = 5, EVENTS_AT_ONCE = 512, HINTS_MAX = 4, HINT_COLUMNS = 40 };

/* ---- reading ---- */

static int compare_int64(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static bool read_median(const struct report *report, int64_t *ret_us, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_END,
		.own = true,
		.newest = true,
		.limit = MEDIAN_OF };
	struct trial_list list;
	int64_t times[MEDIAN_OF];
	if (!trial_select(report->store, &filter, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++)
		times[i] = trial_took_us(&list.items[i]);
	if (list.n > 0) {
		qsort(times, list.n, sizeof(*times), compare_int64);
		/* For an even number, the mean of the middle two. */
		*ret_us = (times[(list.n - 1) / 2] + times[list.n / 2]) / 2;
	}
	trial_list_finish(&list);
	return true;
}

/* What became of the trials without a result. */
static bool read_failures(
	const struct report *report, struct standing *ret, struct tuner_error *err)
{
	int64_t last = 0;
	return trial_count_outcomes(report->store, report->job.id, ret->outcomes, &last, err) &&
	       (last == 0 || report_number(report, last, &ret->last_failed, &ret->has_failed, err));
}

/* Proposals and results are shown in other ways. */
static bool is_noteworthy(const struct event *event)
{
	return (event->trial_number == 0 || strcmp(event->kind, "warm-start") != 0) &&
	       strcmp(event->kind, "proposed") != 0 && strcmp(event->kind, "ended") != 0 &&
	       strcmp(event->kind, "removed") != 0;
}

static void drop_oldest(struct event_list *list)
{
	free(list->items[0].kind);
	free(list->items[0].data);
	list->n--;
	memmove(list->items, list->items + 1, list->n * sizeof(*list->items));
}

/* Reads the last few hundred events and keeps the latest noteworthy ones. */
static bool read_recent(
	const struct report *report, struct event_list *ret, struct tuner_error *err)
{
	struct event_list list;
	int64_t last = 0;
	if (!event_last(report->store, report->job.id, &last, err) ||
		!event_select(report->store, report->job.id,
			last > EVENTS_AT_ONCE ? last - EVENTS_AT_ONCE : 0, EVENTS_AT_ONCE, &list,
			err))
		return false;
	ret->items = calloc(RECENT_EVENTS + 1, sizeof(*ret->items));
	for (size_t i = 0; ret->items != NULL && i < list.n; i++) {
		if (!is_noteworthy(&list.items[i]))
			continue;
		ret->items[ret->n++] = list.items[i];
		list.items[i] = (struct event){ 0 };
		if (ret->n > RECENT_EVENTS)
			drop_oldest(ret);
	}
	event_list_finish(&list);
	return ret->items != NULL || tuner_fail_memory(err);
}

static bool read_queue(const struct report *report, int64_t *ret_waiting, struct tuner_error *err)
{
	struct queue_list queue;
	if (!queue_select(report->store, report->job.id, &queue, err))
		return false;
	for (size_t i = 0; i < queue.n; i++)
		*ret_waiting += !queue.items[i].taken;
	queue_list_finish(&queue);
	return true;
}

int64_t time_left_us(
	int64_t left, const int64_t *took_us, size_t running, int64_t median_us, int64_t parallel)
{
	double work_us = (double)(left > 0 ? left : 0) * (double)median_us;
	int64_t longest_us = 0;
	for (size_t i = 0; i < running; i++) {
		const int64_t rest_us = median_us > took_us[i] ? median_us - took_us[i] : 0;
		work_us += (double)rest_us;
		if (rest_us > longest_us)
			longest_us = rest_us;
	}
	/* A single trial cannot be split: the last one may run alone. */
	const double shared_us = work_us / (double)(parallel > 0 ? parallel : 1);
	const double bound_us =
		left > 0 && shared_us < (double)median_us ? (double)median_us : (double)longest_us;
	const double us = shared_us > bound_us ? shared_us : bound_us;
	return us < (double)(INT64_MAX / 2) ? (int64_t)us : INT64_MAX / 2;
}

static int64_t at_most(int64_t us, int64_t bound_us)
{
	return bound_us < us ? (bound_us > 0 ? bound_us : 0) : us;
}

/* Estimated by the median trial, and limited by the budget's time. */
static int64_t estimate_left(const struct report *report, const struct standing *standing)
{
	const struct job *job = &report->job;
	const size_t n = standing->running.n;
	int64_t *took_us = calloc(n + 1, sizeof(*took_us)), parallel = 0;
	if (took_us == NULL || job->state != JOB_OPEN || standing->runner == 0 ||
		standing->median_us == 0) {
		free(took_us);
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		took_us[i] = trial_took_us(&standing->running.items[i]);
	if (standing->file != NULL)
		parallel = standing->file->budget.parallel;
	if (parallel == 0)
		parallel = standing->counts[TRIAL_RUNNING];
	int64_t us = time_left_us(
		report->budget - standing->created, took_us, n, standing->median_us, parallel);
	free(took_us);
	if (standing->file != NULL && standing->file->budget.runtime_us > 0)
		us = at_most(us, standing->file->budget.runtime_us - job->runtime_us);
	if (standing->file != NULL && standing->file->budget.deadline_us > 0)
		us = at_most(us, standing->file->budget.deadline_us - clock_wall_us());
	return us;
}

bool standing_read(const struct report *report, struct standing *ret, struct tuner_error *err)
{
	struct tuner_error ignored;
	const struct trial_filter running = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_RUNNING | 1u << TRIAL_PROPOSED };
	int64_t all[TRIAL_STATES];
	*ret = (struct standing){ .left_us = -1 };
	if (!store_job_holder(report->store, report->job.id, &ret->runner, err) ||
		!trial_count(report->store, report->job.id, all, err) ||
		!trial_count_own(report->store, report->job.id, ret->counts, err) ||
		!report_best(report, &ret->best, &ret->has_best, err) ||
		(report->goals.n > 1 && !front_read(report, &ret->front, err)) ||
		!trial_select(report->store, &running, &ret->running, err) ||
		!read_failures(report, ret, err) || !read_median(report, &ret->median_us, err) ||
		!manifest_total(report->store, report->job.id, &ret->artifact_bytes,
			&ret->checkpoint_bytes, err) ||
		!read_queue(report, &ret->queued, err) || !read_recent(report, &ret->recent, err) ||
		!states_read(report, &ret->states, err) ||
		!confirmation_search_name(report->store, &report->job, &ret->search, err))
		return false;
	for (int i = 0; i < TRIAL_STATES; i++) {
		ret->created += ret->counts[i];
		ret->added += all[i] - ret->counts[i];
	}
	/* For a newer version's file only the budget's details are unknown. */
	ret->had = ret->created;
	if (!job_stored_file(&report->job, &ret->file, &ignored))
		ret->file = NULL;
	else if (!search_fewest_trials(ret->file, report->store, report->job.id, &ret->had, err))
		return false;
	ret->left_us = estimate_left(report, ret);
	return ret->file == NULL || ret->file->warm_start.n == 0 ||
	       warm_start_load(report->store, report->job.id, &ret->warm_start, err);
}

void standing_finish(struct standing *standing)
{
	if (standing->has_best)
		trial_finish(&standing->best);
	front_finish(&standing->front);
	if (standing->has_failed)
		trial_finish(&standing->last_failed);
	trial_list_finish(&standing->running);
	event_list_finish(&standing->recent);
	states_finish(&standing->states);
	free(standing->warm_start);
	free(standing->search);
	job_file_destroy(standing->file);
	*standing = (struct standing){ 0 };
}

/* ---- text ---- */

/* Without a command its trials are asked for and told, and not run. */
static bool has_command(const struct standing *standing)
{
	return standing->file == NULL || standing->file->command != NULL;
}

static void add_head(const struct report *report, const struct standing *standing, struct text *out)
{
	const struct job *job = &report->job;
	text_print(out, "job %s: %s", job->name, job_state_name(job->state));
	if (job->reason[0] != '\0') {
		text_add(out, " (");
		text_add_visible(out, job->reason);
		text_add(out, ")");
	}
	if (job->state == JOB_OPEN && standing->runner > 0)
		text_print(out, ", run by process %lld", (long long)standing->runner);
	else if (job->state == JOB_OPEN && standing->runner == 0 && has_command(standing))
		text_add(out, ", but no tuner is running it");
	text_add(out, "\n");
}

static void add_counts(
	const struct report *report, const struct standing *standing, struct text *out)
{
	const long long created = standing->created, cap = report->budget;
	if (created > cap) /* a caller that asks and tells counts trials itself */
		text_print(out, "%lld trials (budget: %lld)", created, cap);
	else
		text_print(out, "%lld of %lld trials", created, cap);
	const char *separator = ": ";
	for (enum trial_state state = 0; state < TRIAL_STATES; state++) {
		static const enum trial_state order[TRIAL_STATES] = { TRIAL_DONE, TRIAL_FAILED,
			TRIAL_STOPPED, TRIAL_RUNNING, TRIAL_PAUSED, TRIAL_PROPOSED };
		const int64_t n = standing->counts[order[state]];
		if (n == 0)
			continue;
		text_print(out, "%s%lld %s", separator, (long long)n,
			order[state] == TRIAL_PROPOSED ? "to be launched"
						       : trial_state_name(order[state]));
		separator = ", ";
	}
	if (standing->added > 0)
		text_print(out, "; %lld observed elsewhere", (long long)standing->added);
	if (standing->queued > 0)
		text_print(out, "; %lld configuration%s queued", (long long)standing->queued,
			standing->queued == 1 ? "" : "s");
	text_add(out, "\n");
}

static void add_budget(const struct job_budget *budget, struct text *out)
{
	char time[NUMBER_TEXT], deadline[32];
	if (budget->runtime_us > 0)
		text_print(
			out, " of %s allowed", number_from_duration_us(budget->runtime_us, time));
	if (budget->deadline_us > 0) {
		time_text(budget->deadline_us, deadline);
		text_print(out, ", until %s at the latest", deadline);
	}
	if (budget->has_target) {
		text_add(out, ", or until the target ");
		text_add_double(out, budget->target);
	}
	if (budget->not_improving > 0)
		text_print(out, ", or until %lld trial%s no improvement",
			(long long)budget->not_improving,
			budget->not_improving == 1 ? " brings" : "s bring");
	if (budget->cost > 0) {
		text_add(out, ", or until it has cost ");
		text_add_double(out, budget->cost);
	}
	if (budget->converged)
		text_add(out, ", or until the search has converged");
}

static void add_times(
	const struct report *report, const struct standing *standing, struct text *out)
{
	char time[NUMBER_TEXT];
	const char *separator = "";
	/* Who asks and tells counts the time. */
	if (has_command(standing) || report->job.runtime_us > 0) {
		text_print(
			out, "run time: %s", number_from_duration_us(report->job.runtime_us, time));
		if (standing->file != NULL)
			add_budget(&standing->file->budget, out);
		separator = "; ";
	} else if (standing->median_us <= 0 && standing->left_us < 0) {
		return;
	}
	if (standing->median_us > 0)
		text_print(out, "%sa trial takes %s", separator,
			number_from_duration_us(standing->median_us, time));
	if (standing->left_us >= 0)
		text_print(
			out, "; about %s left", number_from_duration_us(standing->left_us, time));
	text_add(out, "\n");
}

/* "Pareto front: 3 trials (4, 7, 12), accuracy 0.71 to 0.74, latency_ms 3 to 20" */
static void add_front(const struct report *report, const struct front *front, struct text *out)
{
	text_print(out, "Pareto front: %zu trial%s (", front->trials.n,
		front->trials.n == 1 ? "" : "s");
	front_numbers(front, out);
	text_add(out, ")");
	for (size_t i = 0; i < report->goals.n; i++) {
		double least = INFINITY, most = -INFINITY;
		for (size_t k = 0; k < front->trials.n; k++) {
			const double value = goals_value(&front->trials.items[k], i);
			least = fmin(least, value);
			most = fmax(most, value);
		}
		text_add(out, ", ");
		text_add_visible(out, report->goals.items[i].name);
		text_print(out, least < most ? " %.6g to %.6g" : " %.6g", least, most);
	}
	text_add(out, "\n");
}

static void add_best(const struct report *report, const struct standing *standing, struct text *out)
{
	if (!standing->has_best) {
		text_print(out, "best: no trial has a result yet\n");
		return;
	}
	if (report->goals.n > 1) {
		add_front(report, &standing->front, out);
		return;
	}
	text_print(out, "best: %s = %.6g, trial %lld (", report->metric, standing->best.objective,
		(long long)standing->best.number);
	trial_add_search(report, &standing->best, out);
	text_print(out, "%s): ", standing->best.branch);
	trial_text(&standing->best, out);
	text_add(out, "\n");
}

static void add_failures(const struct standing *standing, struct text *out)
{
	bool any = false;
	for (int i = 0; i < OUTCOMES; i++) {
		if (standing->outcomes[i] == 0)
			continue;
		text_print(out, "%s%s %lld", any ? ", " : "failed or stopped: ",
			i == OUTCOME_NONE ? "before a launch" : outcome_name((enum outcome)i),
			(long long)standing->outcomes[i]);
		any = true;
	}
	if (any)
		text_add(out, "\n");
	if (!standing->has_failed)
		return;
	text_print(out, "  the last: trial %lld, %s", (long long)standing->last_failed.number,
		outcome_name(standing->last_failed.outcome));
	if (standing->last_failed.message[0] != '\0') {
		text_add(out, ": ");
		text_add_visible(out, standing->last_failed.message);
	}
	text_add(out, "\n");
}

/* keep.disk is exceeded by files that must stay: nothing is launched until some of them may be
 * removed. */
static void add_disk(const struct standing *standing, struct text *out)
{
	const int64_t bytes = standing->artifact_bytes + standing->checkpoint_bytes;
	const int64_t allowed = standing->file ? standing->file->keep.disk_bytes : 0;
	char artifacts[BYTES_TEXT], checkpoints[BYTES_TEXT], disk[BYTES_TEXT];
	if (bytes == 0)
		return;
	text_print(out, "on disk: %s saved by ended trials, %s of checkpoints",
		bytes_text(standing->artifact_bytes, artifacts),
		bytes_text(standing->checkpoint_bytes, checkpoints));
	if (allowed > 0)
		text_print(out, "; keep.disk allows %s", bytes_text(allowed, disk));
	text_add(out, "\n");
	if (allowed > 0 && bytes > allowed)
		text_add(out, "  warning: the limit is exceeded, and none of it may be removed: "
			      "nothing is launched. Raise keep.disk, or lower keep.best\n");
}

static void add_recent(const struct event_list *events, struct text *out)
{
	char time[32];
	if (events->n > 0)
		text_add(out, "recently\n");
	for (size_t i = 0; i < events->n; i++) {
		time_text(events->items[i].time_us, time);
		text_print(out, "  %s  ", time);
		event_text(&events->items[i], out);
		text_add(out, "\n");
	}
}

int64_t trials_to_go_on(int64_t trials)
{
	return trials + (trials + 3) / 4;
}

/* What to type, and what it does. */
struct hints {
	struct {
		struct text line;
		const char *why;
	} items[HINTS_MAX];
	size_t n;
};

static void add_hint_of(const struct invocation *call, const char *job, const char *command,
	const char *behind, const char *why, struct hints *hints)
{
	tuner_assert(hints->n < HINTS_MAX);
	struct text *line = &hints->items[hints->n].line;
	*line = TEXT_EMPTY;
	text_print(line, "tuner %s ", command);
	job_reference(call, job, line);
	text_add(line, behind);
	hints->items[hints->n++].why = why;
}

static void add_hint(const struct invocation *call, const struct report *report,
	const char *command, const char *behind, const char *why, struct hints *hints)
{
	add_hint_of(call, report->job.name, command, behind, why, hints);
}

/* In aligned columns, however long the names are. */
static void put_hints(struct hints *hints, struct text *out)
{
	size_t width = HINT_COLUMNS;

	for (size_t i = 0; i < hints->n; i++)
		if (text_columns(hints->items[i].line.bytes) > width)
			width = text_columns(hints->items[i].line.bytes);
	text_add(out, "next\n");
	for (size_t i = 0; i < hints->n; i++) {
		struct text *line = &hints->items[i].line;
		text_print(out, "  %s%*s  %s\n", line->bytes,
			(int)(width - text_columns(line->bytes)), "", hints->items[i].why);
		text_finish(line);
	}
}

static bool has_had_its_trials(const struct report *report, const struct standing *standing)
{
	return (report->job.state == JOB_DONE || report->job.state == JOB_FAILED) &&
	       standing->had >= report->job.trial_cap;
}

/* What to type next. */
static void add_hints(const struct invocation *call, const struct report *report,
	const struct standing *standing, struct text *ret)
{
	struct hints hints = { .n = 0 }, *out = &hints;
	char number[32];
	const bool lives = report->job.state == JOB_OPEN && standing->runner != 0;
	const bool has_had = has_had_its_trials(report, standing);
	if (!has_command(standing)) {
		add_hint(call, report, "ask", "", "gives the next configuration", out);
	} else if (lives) {
		add_hint(call, report, "watch", "", "looks on", out);
		add_hint(call, report, "stop", "", "stops it; \"tuner run\" resumes it", out);
	} else if (has_had && standing->counts[TRIAL_PROPOSED] > 0) { /* put back */
		add_hint(call, report, "run", "", "launches the trials to be launched", out);
	} else if (has_had && standing->search != NULL) {
		add_hint_of(call, standing->search, "confirm --show", "",
			"shows the results; --repeats N instead of --show trains more", out);
	} else if (has_had) {
		snprintf(number, sizeof(number), " --trials %lld",
			(long long)trials_to_go_on(standing->had));
		add_hint(call, report, "run", number, "continues with more trials", out);
	} else if (report->job.state ==
		   JOB_DONE) { /* more trials alone would end for the same reason */
		add_hint(call, report, "run", "", "continues, once the job file allows it", out);
	} else {
		add_hint(call, report, "run", "", "goes on", out);
	}
	if (report->job.state == JOB_FAILED && standing->has_failed) {
		snprintf(number, sizeof(number), " %lld", (long long)standing->last_failed.number);
		add_hint(call, report, "logs", number, "prints its command's output", out);
	}
	if (standing->has_best && report->goals.n > 1)
		add_hint(call, report, "best", "", "shows the Pareto front", out);
	else if (standing->has_best)
		add_hint(call, report, has_command(standing) ? "best --command" : "best --params",
			"", "prints how to repeat the best", out);
	else if (standing->created > 0)
		add_hint(call, report, "trials", "", "lists them", out);
	put_hints(out, ret);
}

static void add_running_row(
	struct table *table, const struct report *report, const struct trial *trial)
{
	struct text parameters = TEXT_EMPTY, search = TEXT_EMPTY;
	char took[NUMBER_TEXT];
	table_add(table, "  trial %lld", (long long)trial->number);
	table_add(table, "%s", trial_state_name(trial->state));
	table_add(table, "%s",
		trial->started_us > 0 ? number_from_duration_us(trial_took_us(trial), took) : "-");
	if (trial->metric_count > 0) {
		table_add(table, "%.6g", trial->last_value);
		table_add(table, "%lld", (long long)trial->last_step);
	} else {
		table_add(table, "-");
		table_add(table, "-");
	}
	trial_add_search(report, trial, &search);
	table_add(table, "%s%s", search.bytes, trial->branch);
	trial_text(trial, &parameters);
	table_add(table, "%s", parameters.bytes);
	text_finish(&parameters);
	text_finish(&search);
}

static bool print_running(const struct invocation *call, const struct report *report,
	const struct trial_list *running, struct tuner_error *err)
{
	struct text metric = TEXT_EMPTY;
	if (running->n == 0)
		return true;
	text_print(&metric, "-%s", objective_label(report->metric));
	const char *const columns[] = { "under way", "state", "-time", metric.bytes, "-at step",
		"proposed by", "parameters" };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < running->n; i++)
		add_running_row(table, report, &running->items[i]);
	const bool ok = table_print(table, table_width(), call->color, stdout, err);
	table_destroy(table);
	text_finish(&metric);
	return ok;
}

bool standing_print(const struct invocation *call, const struct report *report,
	const struct standing *standing, struct tuner_error *err)
{
	struct text head = TEXT_EMPTY, end = TEXT_EMPTY, hints = TEXT_EMPTY;
	add_head(report, standing, &head);
	add_counts(report, standing, &head);
	if (standing->warm_start != NULL)
		warm_start_text(standing->warm_start, &head);
	add_times(report, standing, &head);
	add_best(report, standing, &head);
	if (!states_warn(report, &standing->states, &head, err)) {
		text_finish(&head);
		return false;
	}
	add_disk(standing, &head);
	add_failures(standing, &end);
	add_recent(&standing->recent, &end);
	add_hints(call, report, standing, &hints); /* to be copied: never broken */
	const bool ok =
		lines_out(&head, err) && print_running(call, report, &standing->running, err);
	return lines_out(&end, err) && text_out(&hints, err) && ok;
}

/* ---- JSON ---- */

static bool fill_budget(cJSON *budget, const struct report *report, const struct standing *standing)
{
	const struct job_budget *b = standing->file ? &standing->file->budget : NULL;
	return json_add_integer(budget, "trials", report->budget) &&
	       json_add_code(budget, "parallel", b && b->parallel > 0 ? b->parallel : -1) &&
	       json_add_duration(
		       budget, "runtime_s", b && b->runtime_us > 0 ? b->runtime_us : -1) &&
	       json_add_time(budget, "deadline", b ? b->deadline_us : 0) &&
	       json_add_optional(budget, "target", b && b->has_target ? b->target : NAN) &&
	       json_add_code(budget, "not_improving",
		       b && b->not_improving > 0 ? b->not_improving : -1) &&
	       json_add_optional(budget, "cost", b && b->cost > 0 ? b->cost : NAN) &&
	       cJSON_AddBoolToObject(budget, "converged", b && b->converged) != NULL;
}

/* With what never ran, as in the text: the causes add up to the trials that failed or were stopped. */
static const char *cause_name(enum outcome outcome)
{
	return outcome == OUTCOME_NONE ? "before-launch" : outcome_name(outcome);
}

static bool fill_counts(cJSON *trials, cJSON *causes, const struct standing *standing)
{
	bool ok = json_add_integer(trials, "created", standing->created) &&
		  json_add_integer(trials, "added", standing->added);
	for (int i = 0; ok && i < TRIAL_STATES; i++)
		ok = json_add_integer(
			trials, trial_state_name((enum trial_state)i), standing->counts[i]);
	for (int i = 0; ok && i < OUTCOMES; i++)
		ok = standing->outcomes[i] == 0 ||
		     json_add_integer(causes, cause_name((enum outcome)i), standing->outcomes[i]);
	return ok;
}

static bool fill_lists(cJSON *object, const struct report *report, const struct standing *standing)
{
	cJSON *running = cJSON_AddArrayToObject(object, "running");
	cJSON *events = cJSON_AddArrayToObject(object, "events");
	bool ok = running != NULL && events != NULL;
	for (size_t i = 0; ok && i < standing->running.n; i++)
		ok = json_append(running, trial_json(report, &standing->running.items[i]));
	for (size_t i = 0; ok && i < standing->recent.n; i++)
		ok = json_append(events, event_json(&standing->recent.items[i]));
	return ok;
}

static bool fill_job(cJSON *object, const struct report *report, const struct standing *standing)
{
	const struct job *job = &report->job;
	return json_add_string(object, "job", job->name) &&
	       json_add_string(object, "state", job_state_name(job->state)) &&
	       json_add_string(object, "reason", job->reason) &&
	       json_add_code(object, "runner", standing->runner > 0 ? standing->runner : -1) &&
	       json_add_string(object, "metric", report->metric) &&
	       json_add_string(object, "goal", report->maximize ? "maximize" : "minimize") &&
	       fill_budget(cJSON_AddObjectToObject(object, "budget"), report, standing) &&
	       json_add_duration(object, "spent_s", job->runtime_us) &&
	       json_add_duration(object, "left_s", standing->left_us) &&
	       json_add_duration(
		       object, "median_s", standing->median_us > 0 ? standing->median_us : -1) &&
	       json_add_integer(object, "artifact_bytes", standing->artifact_bytes) &&
	       json_add_integer(object, "checkpoint_bytes", standing->checkpoint_bytes) &&
	       json_add_integer(object, "queued", standing->queued);
}

/* The numbers of its trials; null with one objective. */
static cJSON *front_json(const struct report *report, const struct front *front)
{
	cJSON *array = report->goals.n > 1 ? cJSON_CreateArray() : cJSON_CreateNull();
	for (size_t i = 0; i < front->trials.n; i++)
		if (!json_append(
			    array, cJSON_CreateNumber((double)front->trials.items[i].number))) {
			cJSON_Delete(array);
			return NULL;
		}
	return array;
}

cJSON *standing_json(const struct report *report, const struct standing *standing)
{
	struct tuner_error ignored; /* of a database that could be read a moment ago */
	cJSON *object = cJSON_CreateObject();
	if (!fill_job(object, report, standing))
		goto fail;
	cJSON *trials = cJSON_AddObjectToObject(object, "trials");
	cJSON *causes = cJSON_AddObjectToObject(object, "causes");
	if (fill_counts(trials, causes, standing) && fill_lists(object, report, standing) &&
		json_add_item(
			object, "provenance", states_json(report, &standing->states, &ignored)) &&
		json_add_item(object, "warm_start",
			standing->warm_start != NULL ? cJSON_Parse(standing->warm_start)
						     : cJSON_CreateNull()) &&
		json_add_item(object, "best",
			standing->has_best ? trial_json(report, &standing->best)
					   : cJSON_CreateNull()) &&
		json_add_item(object, "front", front_json(report, &standing->front)))
		return object;
fail:
	cJSON_Delete(object);
	return NULL;
}
