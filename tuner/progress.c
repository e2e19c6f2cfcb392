#include "tuner/progress.h"

#include "base/clock.h"
#include "base/number.h"
#include "surrogate/expression.h"
#include "tuner/goals.h"
#include "tuner/objective.h"
#include "tuner/outlet.h"
#include "tuner/text_width.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DRAW_US = 100000, HURRY_MS = 1000, BAR = 16, PARAMETERS_WIDTH = 60, REGION_MAX = 40 };

struct progress {
	const struct job_file *file;
	enum progress_style style;
	bool color, muted, hurried;
	struct outlet out;
	size_t drawn; /* lines of the region on the screen */
	int64_t drawn_us; /* monotonic */
	double full_step; /* the largest last step of a done trial; 0: unknown */
};

struct progress *progress_create(const struct job_file *file, enum progress_style style, bool color)
{
	struct progress *progress = calloc(1, sizeof(*progress));
	if (progress != NULL)
		*progress = (struct progress){
			.file = file, .style = style, .color = color, .out = OUTLET_EMPTY
		};
	return progress;
}

static unsigned terminal_width(void)
{
	struct winsize size;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		return size.ws_col;
	return 100;
}

/* Clears the region and leaves the cursor where it began. */
static void erase(struct progress *progress)
{
	if (progress->drawn > 0)
		text_print(&progress->out.text, "\033[%zuA\033[J", progress->drawn);
	progress->drawn = 0;
	progress->drawn_us = 0;
}

/* Discards further output, so that nobody is waited for. */
static void write_no_more(void)
{
	const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (nowhere >= 0) {
		dup2(nowhere, STDOUT_FILENO);
		close(nowhere);
	}
}

void progress_destroy(struct progress *progress)
{
	if (progress == NULL)
		return;
	if (!progress->muted)
		erase(progress);
	if (!outlet_finish(&progress->out, progress->hurried ? HURRY_MS : -1))
		write_no_more();
	free(progress);
}

void progress_hurry(struct progress *progress)
{
	if (progress != NULL)
		progress->hurried = true;
}

static bool silent(const struct progress *progress)
{
	return progress == NULL || progress->muted || progress->style == PROGRESS_QUIET;
}

void progress_mute(struct progress *progress)
{
	if (progress == NULL)
		return;
	/* What was drawn is on a terminal that has gone. */
	progress->drawn = 0;
	if (progress->style == PROGRESS_LIVE)
		progress->style = PROGRESS_PLAIN;
	progress->muted = isatty(STDOUT_FILENO) || ferror(stdout);
}

void progress_say(struct progress *progress, const char *format, ...)
{
	if (silent(progress))
		return;
	erase(progress);
	va_list args;
	va_start(args, format);
	text_print_v(&progress->out.text, format, args);
	va_end(args);
	text_add_char(&progress->out.text, '\n');
	outlet_give(&progress->out);
}

static const char *paint(const struct progress *progress, const char *code)
{
	return progress->color ? code : "";
}

static const char *state_color(enum trial_state state)
{
	switch (state) {
	case TRIAL_DONE:
		return "\033[32m";
	case TRIAL_FAILED:
		return "\033[31m";
	default:
		return "\033[33m";
	}
}

static void add_values(
	const struct progress *progress, const double *values, size_t width, struct text *line)
{
	struct text all = TEXT_EMPTY, visible = TEXT_EMPTY;
	if (values != NULL)
		configuration_text(progress->file, values, &all);
	text_add_visible(&visible, all.bytes);
	if (text_columns(visible.bytes) > width)
		text_print(line, "%.*s...", (int)text_fit(visible.bytes, width - 3), visible.bytes);
	else
		text_add(line, visible.bytes);
	text_finish(&visible);
	text_finish(&all);
}

/* Of several objectives no trial need be the best. */
static bool has_best(const struct progress *progress)
{
	return progress->file->objective.n_also == 0;
}

static void add_also(
	const struct job_file *file, const struct finished_trial *trial, struct text *line)
{
	const struct judgement *judgement = &trial->judgement;

	for (size_t i = 0; i < judgement->n_also && i < file->objective.n_also; i++) {
		struct text name = TEXT_EMPTY;
		goals_add_name(expression_text(file->objective.also[i].formula), &name);
		text_print(line, " %s=%.6g", objective_label_of(i + 1, name.bytes),
			judgement->also[i] + 0.0);
		text_finish(&name);
	}
}

static void finished_line(const struct progress *progress, const struct finished_trial *trial,
	const char *branch, const char *message, bool again, bool is_best, struct text *line)
{
	char took[NUMBER_TEXT];
	text_print(line, "trial %-4lld %s%-8s%s", (long long)trial->number,
		paint(progress, state_color(trial->state)),
		again ? outcome_name(trial->outcome) : trial_state_name(trial->state),
		paint(progress, "\033[0m"));
	if (!isnan(trial->objective))
		text_print(line, " %s=%.6g", objective_label(progress->file->metric),
			trial->objective);
	add_also(progress->file, trial, line);
	text_add(line, "  ");
	add_values(progress, trial->values, 200, line);
	text_print(line, "  (%s", branch);
	if (trial->took_us > 0)
		text_print(line, ", %s", number_from_duration_us(trial->took_us, took));
	text_add_char(line, ')');
	if (is_best && has_best(progress))
		text_print(line, "  %sbest so far%s", paint(progress, "\033[1m"),
			paint(progress, "\033[0m"));
	if (trial->state != TRIAL_DONE && message[0] != '\0') {
		text_add(line, "  ");
		text_add_visible(line, message); /* the command's own words may be in it */
		if (again && trial->outcome != OUTCOME_INTERRUPTED)
			text_add(line, "; will be launched again");
	}
}

void progress_finished(struct progress *progress, const struct finished_trial *trial,
	const char *branch, const char *message, bool again, bool is_best)
{
	struct text line = TEXT_EMPTY;
	if (progress == NULL)
		return;
	if (trial->state == TRIAL_DONE && trial->last_step > progress->full_step)
		progress->full_step = trial->last_step;
	if (silent(progress))
		return;
	finished_line(progress, trial, branch, message, again, is_best, &line);
	progress_say(progress, "%s", line.bytes);
	text_finish(&line);
}

/* How far a trial is, 0 to 1, by its steps, else by time; NaN: unknown. */
static double fraction(const struct progress *progress, const struct progress_slot *slot,
	int64_t median_us, int64_t now_us)
{
	double part = NAN;
	if (progress->full_step > 0 && slot->series->n > 0)
		part = slot->series->steps[slot->series->n - 1] / progress->full_step;
	else if (median_us > 0)
		part = (double)(now_us - slot->started_us) / (double)median_us;
	return part > 1 ? 1 : part;
}

static void add_bar(double part, struct text *line)
{
	if (isnan(part))
		return;
	const int full = (int)(part * BAR);
	text_add_char(line, '[');
	for (int i = 0; i < BAR; i++)
		text_add_char(line, i < full ? '#' : '.');
	text_print(line, "] %3d%%", (int)(100 * part));
}

static void slot_line(const struct progress *progress, const struct progress_slot *slot,
	int64_t median_us, int64_t now_us, struct text *line)
{
	char time[NUMBER_TEXT];
	const struct series *series = slot->series;
	const double part = fraction(progress, slot, median_us, now_us);
	const int64_t elapsed_us = now_us - slot->started_us;

	text_print(line, " trial %-4lld ", (long long)slot->number);
	add_bar(part, line);
	text_print(line, " %s", number_from_duration_us(elapsed_us, time));
	if (part > 0 && part < 1)
		text_print(line, " (%s left)",
			number_from_duration_us(
				(int64_t)((double)elapsed_us * (1 - part) / part), time));
	if (series->n > 0)
		text_print(line, "  %.6g at step %.0f", series->values[series->n - 1],
			series->steps[series->n - 1]);
	text_print(line, "  %s  ", slot->branch);
	add_values(progress, slot->values, PARAMETERS_WIDTH, line);
}

static void best_line(
	const struct progress *progress, const struct progress_state *state, struct text *line)
{
	const struct finished_trial *best = state->best;
	text_print(line,
		(int64_t)state->ended > state->trials ? " %zu trials ended (budget: %lld)"
						      : " %zu of %lld trials ended",
		state->ended, (long long)state->trials);
	if (best != NULL && has_best(progress)) {
		text_print(line,
			"; best %s=%.6g, trial %lld: ", objective_label(progress->file->metric),
			best->objective, (long long)best->number);
		add_values(progress, best->values, PARAMETERS_WIDTH, line);
	}
	if (state->doing[0] != '\0')
		text_print(line, "; %s", state->doing);
}

static void put_line(struct progress *progress, const struct text *line, unsigned width)
{
	text_print(
		&progress->out.text, "%.*s\n", (int)text_fit(line->bytes, width - 1), line->bytes);
	progress->drawn++;
}

void progress_draw(struct progress *progress, const struct progress_state *state)
{
	if (silent(progress) || !outlet_give(&progress->out) || progress->style != PROGRESS_LIVE)
		return;
	const int64_t now_us = clock_monotonic_us();
	if (now_us - progress->drawn_us < DRAW_US)
		return;
	erase(progress);
	const unsigned width = terminal_width();
	const int64_t median_us = state->median_us;
	struct text line = TEXT_EMPTY;
	for (size_t i = 0; i < state->n_slots && i < REGION_MAX; i++) {
		text_clear(&line);
		slot_line(progress, &state->slots[i], median_us, now_us, &line);
		put_line(progress, &line, width);
	}
	text_clear(&line);
	best_line(progress, state, &line);
	put_line(progress, &line, width);
	text_finish(&line);
	progress->drawn_us = now_us;
	outlet_give(&progress->out);
}
