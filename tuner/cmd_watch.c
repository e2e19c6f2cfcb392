/* tuner watch: observes a job from outside until nobody runs it any more. Shows what `run` shows,
 * from the database: on a terminal a line per running trial, redrawn in place; elsewhere a line per
 * ended trial. */
#include "tuner/command.h"

#include "base/clock.h"
#include "base/number.h"
#include "tuner/job_open.h"
#include "tuner/progress.h"
#include "tuner/status_report.h"
#include "tuner/store_wait.h"
#include "tuner/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	INTERVAL_MS = 500,
	INTERVAL_MIN_MS = 50,
	SHOWN_BEFORE = 10, /* finished trials shown on a terminal at the start */
	FIRST_LIMIT = 64,
	EVENTS_AT_ONCE = 256,
	BEGIN_US = 2000000, /* a `tuner run` that was just started may not hold the database yet */
};

struct watcher {
	const struct invocation *call;
	struct report report;
	struct job_file *file;
	struct history history; /* of the finished trials, without their curves */
	struct progress *progress;
	bool live; /* a terminal */
	bool began; /* the first look is done */
	int64_t last_event; /* the last event shown */
};

static void watcher_finish(struct watcher *watcher)
{
	progress_destroy(watcher->progress);
	history_finish(&watcher->history);
	job_file_destroy(watcher->file);
	report_close(&watcher->report);
}

static bool watcher_open(struct watcher *watcher, struct tuner_error *err)
{
	const struct invocation *call = watcher->call;
	const char *term = getenv("TERM");
	watcher->live = table_width() > 0 && term != NULL && strcmp(term, "dumb") != 0;
	if (!report_open(call, call->n_arguments > 0 ? call->arguments[0] : NULL, &watcher->report,
		    err) ||
		!job_stored_file(&watcher->report.job, &watcher->file, err))
		return false;
	watcher->history.file = watcher->file;
	watcher->progress = progress_create(
		watcher->file, watcher->live ? PROGRESS_LIVE : PROGRESS_PLAIN, call->color);
	return watcher->progress != NULL || tuner_fail_memory(err);
}

/* ---- what ended ---- */

/* Trials that ended after event `after`, in commit order. Selects the newest, and more and more of
 * them until a known one is among them. */
static bool select_ended(const struct report *report, int64_t after, struct trial_list *ret,
	size_t *ret_first, struct tuner_error *err)
{
	struct trial_filter filter = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE | 1u << TRIAL_FAILED | 1u << TRIAL_STOPPED,
		.order = TRIAL_BY_END,
		.newest = true,
		.limit = after > 0 ? FIRST_LIMIT : 0,
		.without_values = true };
	for (;;) {
		if (!trial_select(report->store, &filter, ret, err))
			return false;
		if (filter.limit == 0 || ret->n < (size_t)filter.limit ||
			ret->items[0].ended_event <= after)
			break;
		filter.limit *= 4;
		trial_list_finish(ret);
	}
	for (*ret_first = 0; *ret_first < ret->n; ++*ret_first)
		if (ret->items[*ret_first].ended_event > after)
			break;
	return true;
}

/* Only the end of the curve is needed. */
static bool read_series(const struct trial *trial, struct series *ret, struct tuner_error *err)
{
	*ret = (struct series){ 0 };
	return trial->metric_count == 0 ||
	       series_put(ret, (double)trial->last_step, trial->last_value) ||
	       tuner_fail_memory(err);
}

static bool take_ended(
	struct watcher *watcher, const struct trial *trial, bool tell, struct tuner_error *err)
{
	struct finished_trial finished = { .number = trial->number,
		.objective = trial->objective,
		.state = trial->state,
		.outcome = trial->outcome,
		.judgement = trial->judgement,
		.added = strcmp(trial->source, "added") == 0,
		.took_us = trial_took_us(trial),
		.last_step = (double)trial->last_step };
	if (!trial_present_values(watcher->file, trial, &finished.values, err) ||
		!history_add(&watcher->history, &finished, err)) {
		free(finished.values);
		return false;
	}
	if (tell)
		progress_finished(watcher->progress, &finished, trial->branch, trial->message,
			false,
			watcher->history.best != NULL &&
				watcher->history.best->number == trial->number);
	return true;
}

static bool look_at_ended(struct watcher *watcher, struct tuner_error *err)
{
	struct trial_list list;
	size_t first = 0;
	bool ok = true;
	if (!select_ended(&watcher->report, watcher->history.last_event, &list, &first, err))
		return false;
	for (size_t i = first; ok && i < list.n; i++) {
		const bool tell = watcher->began || !watcher->live || i + SHOWN_BEFORE >= list.n;
		ok = take_ended(watcher, &list.items[i], tell, err);
		watcher->history.last_event = list.items[i].ended_event;
	}
	trial_list_finish(&list);
	return ok;
}

/* Shows retries and edits since the start. */
static bool look_at_events(struct watcher *watcher, struct tuner_error *err)
{
	struct event_list list;
	if (!watcher->began)
		return event_last(
			watcher->report.store, watcher->report.job.id, &watcher->last_event, err);
	if (!event_select(watcher->report.store, watcher->report.job.id, watcher->last_event,
		    EVENTS_AT_ONCE, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const char *kind = list.items[i].kind;
		watcher->last_event = list.items[i].id;
		if (strcmp(kind, "proposed") == 0 || strcmp(kind, "ended") == 0)
			continue;
		struct text line = TEXT_EMPTY;
		event_text(&list.items[i], &line);
		progress_say(watcher->progress, "%s", line.bytes);
		text_finish(&line);
	}
	event_list_finish(&list);
	return true;
}

/* ---- what runs ---- */

static bool fill_slot(const struct watcher *watcher, const struct trial *trial, double **values,
	struct series *series, struct progress_slot *ret, struct tuner_error *err)
{
	if (!trial_present_values(watcher->file, trial, values, err) ||
		!read_series(trial, series, err))
		return false;
	*ret = (struct progress_slot){ .number = trial->number,
		.attempt = trial->attempts,
		.values = *values,
		.branch = trial->branch,
		.started_us = clock_monotonic_us() - trial_took_us(trial),
		.series = series };
	return true;
}

static bool draw(struct watcher *watcher, const struct trial_list *running, bool runs,
	struct tuner_error *err)
{
	const size_t n = running->n;
	struct progress_slot *slots = calloc(n + 1, sizeof(*slots));
	struct series *series = calloc(n + 1, sizeof(*series));
	double **values = calloc(n + 1, sizeof(*values));
	bool ok = (slots != NULL && series != NULL && values != NULL) || tuner_fail_memory(err);
	for (size_t i = 0; ok && i < n; i++)
		ok = fill_slot(watcher, &running->items[i], &values[i], &series[i], &slots[i], err);
	const struct progress_state state = { .slots = slots,
		.n_slots = n,
		.ended = watcher->history.n - (size_t)watcher->history.added,
		.best = watcher->history.best,
		.median_us = history_median_us(&watcher->history),
		.trials = watcher->report.budget,
		.doing = runs ? "" : "no tuner is running it" };
	if (ok)
		progress_draw(watcher->progress, &state);
	for (size_t i = 0; series != NULL && values != NULL && i < n; i++) {
		series_finish(&series[i]);
		free(values[i]);
	}
	free(values);
	free(series);
	free(slots);
	return ok;
}

static bool look_at_running(struct watcher *watcher, bool runs, struct tuner_error *err)
{
	const struct trial_filter filter = {
		.job_id = watcher->report.job.id, .repeat = -1, .states = 1u << TRIAL_RUNNING
	};
	struct trial_list running;
	if (!watcher->live)
		return true;
	if (!trial_select(watcher->report.store, &filter, &running, err))
		return false;
	const bool ok = draw(watcher, &running, runs, err);
	trial_list_finish(&running);
	return ok;
}

/* ---- the loop ---- */

/* One look. Checks first whether the job runs, so that everything committed before a run's end is
 * seen. */
static bool look(struct watcher *watcher, bool *ret_runs, struct tuner_error *err)
{
	int64_t holder = 0;
	if (!store_job_holder(watcher->report.store, watcher->report.job.id, &holder, err) ||
		!report_refresh(&watcher->report, err))
		return false;
	*ret_runs = watcher->report.job.state == JOB_OPEN && holder != 0;
	if (!look_at_events(watcher, err) || !look_at_ended(watcher, err) ||
		!look_at_running(watcher, *ret_runs, err))
		return false;
	watcher->began = true;
	return true;
}

static bool watch(struct watcher *watcher, int64_t interval_us, struct tuner_error *err)
{
	const struct timespec pause = { .tv_sec = interval_us / 1000000,
		.tv_nsec = interval_us % 1000000 * 1000 };
	const int64_t begin_us = clock_monotonic_us();
	bool seen = false;
	for (;;) {
		bool runs = false;
		if (!look(watcher, &runs, err))
			return false;
		seen = seen || runs;
		const bool may_begin = !seen && watcher->report.job.state == JOB_OPEN &&
				       clock_monotonic_us() - begin_us < BEGIN_US;
		if ((!runs && !may_begin) || ferror(stdout))
			return true;
		nanosleep(&pause, NULL);
	}
}

/* Shows the job's final state. */
static bool conclude(struct watcher *watcher, struct tuner_error *err)
{
	struct standing standing = { 0 };
	progress_destroy(watcher->progress);
	watcher->progress = NULL;
	const bool ok = report_refresh(&watcher->report, err) &&
			standing_read(&watcher->report, &standing, err) &&
			standing_print(watcher->call, &watcher->report, &standing, err);
	standing_finish(&standing);
	return ok;
}

static bool read_interval(const struct invocation *call, int64_t *ret_us, struct tuner_error *err)
{
	const char *text = invocation_option(call, "interval");
	*ret_us = INTERVAL_MS * 1000;
	if (text == NULL ||
		(number_to_duration_us(text, ret_us) && *ret_us >= INTERVAL_MIN_MS * 1000))
		return true;
	return tuner_fail(err, TUNER_USAGE,
		"--interval takes a time of at least %d ms, such as \"2s\", not \"%s\"",
		INTERVAL_MIN_MS, text);
}

int cmd_watch(const struct invocation *call, struct tuner_error *err)
{
	struct watcher watcher = { .call = call };
	int64_t interval_us;
	const bool ok = read_interval(call, &interval_us, err) && watcher_open(&watcher, err) &&
			watch(&watcher, interval_us, err) && conclude(&watcher, err);
	watcher_finish(&watcher);
	return ok ? EXIT_DONE : -1;
}
