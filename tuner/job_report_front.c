/* Of a job with several objectives: the Pareto front, and what its results cover. */
#include "tuner/job_report_inside.h"

#include "base/number.h"
#include "tuner/best_command.h"
#include "tuner/chart.h"
#include "tuner/hypervolume.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LABEL_WIDE = 60, LABEL_NARROW = 36 };

/* ---- queries ---- */

void report_objective(const struct job_report *report, size_t i, struct text *ret)
{
	if (i == 0)
		text_add(ret, "objective AS ");
	else
		text_print(ret, "also ->> %zu AS ", i - 1);
	report_add_quoted(report->report->goals.items[i].name, '"', ret);
}

void report_objectives(const struct job_report *report, struct text *ret)
{
	for (size_t i = 0; i < report->report->goals.n; i++) {
		text_add(ret, ", ");
		report_objective(report, i, ret);
	}
}

void report_is_on_front(const struct job_report *report, struct text *ret)
{
	text_print(ret, "number IN (SELECT number FROM v_front WHERE job = %s)", report->job);
}

void report_thin_front(struct job_report *report, int64_t most, struct text *ret)
{
	const int64_t front = (int64_t)report->front.trials.n;
	const int64_t of_front = report_every(front, most / 2);
	const int64_t of_rest = report_every(report->done - front, most - front / of_front);

	if (of_front == 1 && of_rest == 1)
		return;
	if (of_front > 1)
		page_say(report->page, "Of so many trials on the front one in %lld is drawn.",
			(long long)of_front);
	if (of_rest > 1)
		page_say(report->page, "Of so many %strials one in %lld is drawn%s.",
			of_front > 1 ? "other " : "", (long long)of_rest,
			of_front > 1 ? "" : ", and each on the front");
	text_print(ret, " AND number %% (CASE WHEN ");
	report_is_on_front(report, ret);
	text_print(ret, " THEN %lld ELSE %lld END) = 0", (long long)of_front, (long long)of_rest);
}

/* ---- the table ---- */

static bool front_table(struct job_report *report, struct tuner_error *err)
{
	const int64_t n = (int64_t)report->front.trials.n, every = report_every(n, ROWS_MAX - 1);
	struct text columns = TEXT_EMPTY, from = TEXT_EMPTY;

	report_objectives(report, &columns);
	report_parameters(report, &columns);
	if (every > 1) {
		page_say(report->page, "Of so many one in %lld is listed, and the last.",
			(long long)every);
		text_print(&from,
			"(SELECT *, row_number() OVER (ORDER BY objective %s, number) AS place "
			"FROM v_front WHERE job = %s) WHERE place %% %lld = 1 OR place = %lld",
			report_order(report), report->job, (long long)every, (long long)n);
	} else {
		text_print(&from, "v_front WHERE job = %s", report->job);
	}
	/* By the places of objective and number: others may have these names, too. */
	const bool ok = report_show_query(report, "front-table", "", err,
		"SELECT number%s FROM %s ORDER BY 2 %s, 1", columns.bytes, from.bytes,
		report_order(report));
	text_finish(&columns);
	text_finish(&from);
	return ok;
}

/* ---- the figure ---- */

/* What the figure shows: columns number, the objectives, and whether the trial is on the front. */
struct results {
	struct text query;
	struct view view;
	double *objectives; /* m columns of n */
	size_t n, m;
};

static void results_finish(struct results *results)
{
	view_finish(&results->view);
	text_finish(&results->query);
	free(results->objectives);
}

static const double *values_of(const struct results *results, size_t k)
{
	return results->objectives + k * results->n;
}

static bool is_on_front(const struct results *results, size_t i)
{
	return view_cell(&results->view, i, 1 + results->m)->number > 0;
}

static bool read_results(struct job_report *report, struct results *ret, struct tuner_error *err)
{
	struct text columns = TEXT_EMPTY, thinned = TEXT_EMPTY;

	*ret = (struct results){ .query = TEXT_EMPTY, .m = report->report->goals.n };
	report_objectives(report, &columns);
	text_add(&columns, ", ");
	report_is_on_front(report, &columns);
	report_thin_front(report, POINTS_MAX, &thinned);
	bool ok = report_query(report, &ret->query, &ret->view, err,
		"SELECT number%s AS front FROM v_trial WHERE job = %s AND state = 'done'%s ORDER "
		"BY 1",
		columns.bytes, report->job, thinned.bytes);
	text_finish(&columns);
	text_finish(&thinned);
	if (!ok)
		return false;
	ret->n = ret->view.rows;
	ret->objectives = calloc(ret->n * ret->m + 1, sizeof(*ret->objectives));
	if (ret->objectives == NULL)
		return tuner_fail_memory(err);
	for (size_t k = 0; k < ret->m; k++)
		for (size_t i = 0; i < ret->n; i++)
			ret->objectives[k * ret->n + i] = view_cell(&ret->view, i, 1 + k)->number;
	return true;
}

struct point {
	double x, y; /* to be minimised */
};

static int by_x(const void *a, const void *b)
{
	const struct point *p = a, *q = b;

	return p->x != q->x ? (p->x > q->x) - (p->x < q->x) : (p->y > q->y) - (p->y < q->y);
}

/* The edge of what two of the objectives cover: from one trial that no other surpasses in both of them to the
 * next, by the outcome that is as bad as either. With more objectives others on the front lie behind it.
 * Returns the number of points; 2 n have room, and n in `points`, which is overwritten. */
static size_t find_edge(const struct results *results, size_t k, const struct goals *goals,
	struct point *points, double *ret_x, double *ret_y)
{
	const double sign_x = goals->items[0].maximize ? -1 : 1;
	const double sign_y = goals->items[k].maximize ? -1 : 1;
	double lowest = INFINITY;
	size_t n = 0, steps = 0;

	for (size_t i = 0; i < results->n; i++)
		if (is_on_front(results, i) && isfinite(values_of(results, 0)[i]) &&
			isfinite(values_of(results, k)[i]))
			points[n++] = (struct point){ sign_x * values_of(results, 0)[i],
				sign_y * values_of(results, k)[i] };
	qsort(points, n, sizeof(*points), by_x);
	for (size_t i = 0; i < n; i++) {
		if (!(points[i].y < lowest))
			continue;
		if (steps > 0) {
			ret_x[steps] = sign_x * points[i].x;
			ret_y[steps++] = sign_y * lowest;
		}
		lowest = points[i].y;
		ret_x[steps] = sign_x * points[i].x;
		ret_y[steps++] = sign_y * lowest;
	}
	return steps;
}

/* One for the first and each other objective, in memory of its own. */
struct pair {
	struct chart chart;
	struct chart_series series[3]; /* the rest, the front, its edge */
	char x_label[CHART_LABEL], y_label[CHART_LABEL];
	double *memory;
};

static bool make_pair(const struct job_report *report, const struct results *results, size_t k,
	struct pair *ret, struct tuner_error *err)
{
	const struct goals *goals = &report->report->goals;
	const size_t n = results->n, columns = goals->n > 2 ? LABEL_NARROW : LABEL_WIDE;
	double *rest = calloc(6 * n + 1, sizeof(*rest));
	struct point *points = calloc(n + 1, sizeof(*points));

	*ret = (struct pair){ .memory = rest };
	if (rest == NULL || points == NULL) {
		free(points);
		return tuner_fail_memory(err);
	}

	double *front = rest + n, *edge_x = front + n, *edge_y = edge_x + 2 * n;

	for (size_t i = 0; i < n; i++) {
		rest[i] = is_on_front(results, i) ? NAN : values_of(results, k)[i];
		front[i] = is_on_front(results, i) ? values_of(results, k)[i] : NAN;
	}
	chart_label(goals->items[0].name, columns, ret->x_label, sizeof(ret->x_label));
	chart_label(goals->items[k].name, columns, ret->y_label, sizeof(ret->y_label));
	ret->series[0] = (struct chart_series){
		.name = "surpassed", .n = n, .x = values_of(results, 0), .y = rest, .points = true
	};
	ret->series[1] = (struct chart_series){ .name = "Pareto front",
		.n = n,
		.x = values_of(results, 0),
		.y = front,
		.points = true };
	ret->series[2] =
		(struct chart_series){ .n = find_edge(results, k, goals, points, edge_x, edge_y),
			.x = edge_x,
			.y = edge_y,
			.color = 2 };
	ret->chart = (struct chart){ .title = goals->n > 2 ? "" : "The Pareto front",
		.x_label = ret->x_label,
		.y_label = ret->y_label,
		.n_series = 3 };
	free(points);
	return true;
}

/* Small, and without their legend: the caption has it. */
static void draw_panels(struct pair *pairs, size_t n, struct text *ret)
{
	struct chart charts[GOALS_MAX] = { 0 };

	for (size_t i = 0; i < n; i++) {
		pairs[i].series[0].name = pairs[i].series[1].name = NULL;
		charts[i] = pairs[i].chart;
		charts[i].series = pairs[i].series;
		charts[i].small = true;
		charts[i].width = 300;
		charts[i].height = 250;
	}
	chart_panels_svg(charts, n, n, "The Pareto front", ret);
}

static bool draw_front(const struct job_report *report, const struct results *results,
	struct text *ret, struct tuner_error *err)
{
	struct pair pairs[GOALS_MAX] = { 0 };
	const size_t n = results->m - 1;
	bool ok = true;

	for (size_t i = 0; ok && i < n; i++)
		ok = make_pair(report, results, i + 1, &pairs[i], err);
	if (ok && n == 1) {
		pairs[0].chart.series = pairs[0].series;
		chart_svg(&pairs[0].chart, ret);
	} else if (ok) {
		draw_panels(pairs, n, ret);
	}
	for (size_t i = 0; i < n; i++)
		free(pairs[i].memory);
	return ok;
}

static bool front_figure(struct job_report *report, struct tuner_error *err)
{
	struct text svg = TEXT_EMPTY, rows = TEXT_EMPTY;
	struct results results;
	bool ok = read_results(report, &results, err) && draw_front(report, &results, &svg, err);

	if (ok) {
		page_rows(&results.view, &rows);
		ok = page_figure(report->page, "front-figure",
			results.m > 2
				? "All results by the first and each other objective; the Pareto "
				  "front of all objectives in orange, and that of the two as a line"
				: "All results by both objectives; the Pareto front in orange",
			svg.bytes, rows.bytes, NULL,
			(struct page_source){ .query = results.query.bytes }, err);
	}
	results_finish(&results);
	text_finish(&svg);
	text_finish(&rows);
	return ok;
}

/* ---- the hypervolume ---- */

static void reference_table(
	struct job_report *report, const struct hypervolume *volume, const char *command)
{
	static const char *const columns[] = { "objective", "goal", "-reference point" };
	const struct goals *goals = &report->report->goals;
	struct page *page = report->page;
	char path[60];

	page_table_open(page, "hypervolume-reference", columns, sizeof(columns) / sizeof(*columns));
	for (size_t k = 0; k < goals->n; k++) {
		snprintf(path, sizeof(path), "hypervolume.reference.%zu", k);
		page_row_open(page);
		page_cell_text(page, goals->items[k].name);
		page_cell_text(page, goals->items[k].maximize ? "maximize" : "minimize");
		page_cell_number(page, volume->reference[k], path);
		page_row_close(page);
	}
	page_table_close(page, (struct page_source){ .command = command });
}

static bool is_drawn(const struct hypervolume *volume, size_t i)
{
	const size_t every = (size_t)report_every((int64_t)volume->n, POINTS_MAX);

	return i % every == 0 || i + 1 == volume->n;
}

/* Level from each rise to the next, and on to the last result. */
static bool draw_volume(const struct hypervolume *volume, struct text *ret, struct tuner_error *err)
{
	double *x = calloc(4 * volume->n + 4, sizeof(*x));
	size_t n = 0;

	if (x == NULL)
		return tuner_fail_memory(err);

	double *y = x + 2 * volume->n + 2;

	for (size_t i = 0; i < volume->n; i++) {
		if (!is_drawn(volume, i))
			continue;
		x[n] = (double)volume->steps[i].finished;
		y[n] = n > 0 ? y[n - 1] : 0;
		n++;
		x[n] = x[n - 1];
		y[n++] = volume->steps[i].volume;
	}
	x[n] = (double)volume->results;
	y[n] = y[n - 1];
	n++;
	const struct chart_series series = { .n = n, .x = x, .y = y };
	const struct chart chart = { .title = "Hypervolume over the trials",
		.x_label = "finished trials",
		.y_label = "hypervolume",
		.series = &series,
		.n_series = 1 };
	chart_svg(&chart, ret);
	free(x);
	return true;
}

/* "path value", as `tuner best --json` has them. */
static void volume_rows(const struct hypervolume *volume, struct text *ret)
{
	char value[NUMBER_TEXT];

	for (size_t i = 0; i < volume->n; i++) {
		const struct hypervolume_step *step = &volume->steps[i];
		if (!is_drawn(volume, i))
			continue;
		text_print(ret, "hypervolume.steps.%zu.finished\t%" PRId64 "\n", i, step->finished);
		text_print(ret, "hypervolume.steps.%zu.trial\t%" PRId64 "\n", i, step->trial);
		text_print(ret, "hypervolume.steps.%zu.volume\t%s\n", i,
			number_from_double(step->volume, value));
	}
	text_print(ret, "results\t%zu\n", volume->results);
}

static void say_volume(const struct job_report *report, const struct hypervolume *volume)
{
	page_say(report->page,
		"The hypervolume is the size of all outcomes that some result equals or surpasses "
		"and that are better than a reference point in every objective. It rises with each "
		"result that joins the front. The reference point is, of each objective, the worst "
		"result made worse by a tenth of the results' range (by 1 where all are equal), so "
		"hypervolumes of two reports can only be compared if their reference points are "
		"the same.");
	if (report->report->has_arms)
		page_say(report->page, "It is that of all searches together.");
	if (volume->left_out > 0)
		page_say(report->page, "%zu result%s left out, since an objective is not finite.",
			volume->left_out, volume->left_out == 1 ? " is" : "s are");
	if (report_every((int64_t)volume->n, POINTS_MAX) > 1)
		page_say(report->page, "Of so many rises one in %lld is drawn, and the last.",
			(long long)report_every((int64_t)volume->n, POINTS_MAX));
}

static bool show_volume(
	struct job_report *report, const struct hypervolume *volume, struct tuner_error *err)
{
	struct text svg = TEXT_EMPTY, rows = TEXT_EMPTY, command = TEXT_EMPTY;
	bool ok = draw_volume(volume, &svg, err);

	text_print(&command, "tuner best %s --json", report->reference);
	volume_rows(volume, &rows);
	ok = ok && ((!text_failed(&rows) && !text_failed(&command)) || tuner_fail_memory(err));
	if (ok) {
		say_volume(report, volume);
		reference_table(report, volume, command.bytes);
		ok = page_figure(report->page, "hypervolume-figure",
			"The hypervolume that the results have covered", svg.bytes, rows.bytes,
			NULL, (struct page_source){ .command = command.bytes }, err);
	}
	text_finish(&svg);
	text_finish(&rows);
	text_finish(&command);
	return ok;
}

static bool hypervolume(struct job_report *report, struct tuner_error *err)
{
	struct hypervolume volume;
	bool ok = true;

	if (!hypervolume_read(report->report, &volume, err))
		return false;
	page_subsection(report->page, "What the results cover");
	if (volume.n == 0)
		page_say(report->page,
			"There is no hypervolume: no result is finite in all objectives.");
	else
		ok = show_volume(report, &volume, err);
	hypervolume_finish(&volume);
	return ok;
}

/* ---- the section ---- */

static void say_front(const struct job_report *report)
{
	struct tuner_error why = { TUNER_OK, "" };
	struct text command = TEXT_EMPTY;
	const size_t n = report->front.trials.n;

	page_say(report->page,
		"%zu of %zu results %s on the Pareto front: each other one is surpassed, that is, "
		"another is at least as good in all objectives and better in one.",
		n, report->front.among, n == 1 ? "is" : "are");
	if (best_command(report->report, &report->best, &command, &why))
		page_say(report->page,
			"\"tuner best --trial N --command %s\" prints what repeats trial N of "
			"them.",
			report->reference);
	else
		page_say(report->page, "There is no command to repeat one of them: %s.",
			why.message);
	text_finish(&command);
}

bool report_front(struct job_report *report, struct tuner_error *err)
{
	page_section(report->page, "front", "The Pareto front");
	if (!report->has_best) {
		page_say(report->page, "No trial has a result.");
		return true;
	}
	say_front(report);
	return front_table(report, err) && front_figure(report, err) && hypervolume(report, err);
}
