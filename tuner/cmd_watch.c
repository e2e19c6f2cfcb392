/* tuner watch: looks at a running job until nobody runs it any more. On a terminal it redraws in
 * place; elsewhere it prints a line for each trial that ends. */
#include "tuner/command.h"

#include "base/number.h"
#include "tuner/status_report.h"
#include "tuner/table.h"
#include "tuner/text_width.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { INTERVAL_MS = 500, INTERVAL_MIN_MS = 50, START_LOOKS = 10 };

struct watcher {
	const struct invocation *call;
	struct report report;
	size_t drawn; /* lines on the screen */
	int64_t last_event; /* of the last trial printed */
	unsigned width; /* 0: no terminal */
};

static void draw(struct watcher *watcher, const char *text)
{
	if (watcher->drawn > 0)
		printf("\033[%zuA\033[J", watcher->drawn);
	watcher->drawn = 0;
	while (*text != '\0') {
		const char *end = text;
		while (*end != '\0' && *end != '\n')
			end++;
		struct text line = TEXT_EMPTY;
		text_add_bytes(&line, text, (size_t)(end - text));
		printf("%.*s\n", (int)text_fit(line.bytes, watcher->width - 1), line.bytes);
		text_finish(&line);
		watcher->drawn++;
		text = *end == '\n' ? end + 1 : end;
	}
	fflush(stdout);
}

static void print_trial(const struct report *report, const struct trial *trial)
{
	struct text text = TEXT_EMPTY;
	char took[NUMBER_TEXT];
	trial_text(trial, &text);
	printf("trial %-4lld %-8s", (long long)trial->number, trial_state_name(trial->state));
	if (!isnan(trial->objective))
		printf(" %s=%.6g", report->metric, trial->objective);
	printf("  %s  (%s, %s)%s%s\n", text.bytes, trial->branch,
		number_from_duration_us(trial_took_us(trial), took), trial->message[0] ? "  " : "",
		trial->message);
	text_finish(&text);
}

static bool print_ended(struct watcher *watcher, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = watcher->report.job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE | 1u << TRIAL_FAILED | 1u << TRIAL_STOPPED,
		.order = TRIAL_BY_END };
	struct trial_list list;
	if (!trial_select(watcher->report.store, &filter, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++) {
		if (list.items[i].ended_event <= watcher->last_event)
			continue;
		print_trial(&watcher->report, &list.items[i]);
		watcher->last_event = list.items[i].ended_event;
	}
	trial_list_finish(&list);
	fflush(stdout);
	return true;
}

/* One look. The job's row is read anew: its state changes. */
static bool look(
	struct watcher *watcher, bool *ret_runs, struct text *text, struct tuner_error *err)
{
	struct standing standing = { 0 };
	struct job job = { 0 };
	if (!job_load(watcher->report.store, watcher->report.job.id, &job, err))
		return false;
	job_finish(&watcher->report.job);
	watcher->report.job = job;
	const bool ok = standing_read(watcher->call, &watcher->report, &standing, err) &&
			(watcher->width > 0 || print_ended(watcher, err));
	text_clear(text);
	if (ok)
		standing_text(&watcher->report, &standing, text);
	*ret_runs = job.state == JOB_OPEN && standing.runner != 0;
	standing_finish(&standing);
	return ok;
}

static bool watch(struct watcher *watcher, int64_t interval_us, struct tuner_error *err)
{
	const struct timespec pause = { .tv_sec = interval_us / 1000000,
		.tv_nsec = interval_us % 1000000 * 1000 };
	struct text text = TEXT_EMPTY;
	bool runs = false, seen = false, ok;
	for (int looks = 0; (ok = look(watcher, &runs, &text, err)); looks++) {
		if (watcher->width > 0)
			draw(watcher, text.bytes);
		seen = seen || runs;
		/* A `tuner run` that has just been started may not hold the database yet. */
		const bool may_begin =
			!seen && looks < START_LOOKS && watcher->report.job.state == JOB_OPEN;
		if ((!runs && !may_begin) || ferror(stdout))
			break;
		nanosleep(&pause, NULL);
	}
	if (ok && watcher->width == 0)
		fputs(text.bytes, stdout);
	text_finish(&text);
	return ok;
}

int cmd_watch(const struct invocation *call, struct tuner_error *err)
{
	struct watcher watcher = { .call = call, .width = table_width() };
	const char *interval = invocation_option(call, "interval");
	int64_t interval_us = INTERVAL_MS * 1000;
	if (interval != NULL && (!number_to_duration_us(interval, &interval_us) ||
					interval_us < INTERVAL_MIN_MS * 1000)) {
		tuner_fail(err, TUNER_USAGE,
			"--interval takes a time of at least %d ms, such as \"2s\", not \"%s\"",
			INTERVAL_MIN_MS, interval);
		return -1;
	}
	const bool ok = report_open(call, call->n_arguments > 0 ? call->arguments[0] : NULL,
				&watcher.report, err) &&
			watch(&watcher, interval_us, err);
	report_close(&watcher.report);
	return ok ? EXIT_DONE : -1;
}
