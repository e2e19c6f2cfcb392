/* The figures of a report: each from the rows of one query. */
#include "tuner/job_report_inside.h"

#include "base/number.h"
#include "tuner/chart.h"
#include "tuner/parallel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- columns of numbers ---- */

/* Of a query's rows, to be freed; NaN where there is no number. */
static double *column(const struct view *view, size_t c)
{
	double *values = calloc(view->rows + 1, sizeof(*values));

	for (size_t i = 0; values != NULL && i < view->rows; i++)
		values[i] = view_cell(view, i, c)->number;
	return values;
}

static bool is_same_value(const struct view_cell *cell, const char *label)
{
	double number;

	if (strcmp(cell->text, label) == 0)
		return true;
	if (!cell->is_number)
		return false;
	if (strcmp(label, "true") == 0 || strcmp(label, "false") == 0)
		return cell->number == (*label == 't');
	return number_to_double(label, &number) && number == cell->number;
}

/* The place of a category among the job file's values; NaN: it goes without, or was edited away. */
static double category(const struct job_values *values, const struct view_cell *cell)
{
	for (size_t k = 0; k < values->n; k++)
		if (is_same_value(cell, values->text[k]))
			return (double)k;
	return NAN;
}

/* ---- thinning ---- */

static void say_thinned(struct job_report *report, int64_t every, const char *also)
{
	if (every > 1)
		page_say(report->page, "Of so many trials one in %lld is drawn%s.",
			(long long)every, also);
}

/* ---- history ---- */

static void history_query(const struct job_report *report, int64_t every, struct text *ret)
{
	const bool arms = report->report->has_arms;
	const char *x = arms ? "number" : "finished";

	text_print(ret, "SELECT %s, objective, best FROM v_best_so_far WHERE job = %s",
		arms ? "number, arm" : "finished, number", report->job);
	if (every > 1)
		text_print(ret, " AND (improved OR %s %% %lld = 0)", x, (long long)every);
	text_print(ret, " ORDER BY %s", x);
}

/* A series an arm: the points of the others are not there. */
static bool arm_series(const struct job_report *report, const struct view *view, double *x,
	double *y, struct chart_series *series, size_t *ret_n, struct tuner_error *err)
{
	const struct job_file *file = report->file;

	for (size_t a = 0; file != NULL && a < file->n_arms; a++) {
		double *its = calloc(view->rows + 1, sizeof(*its));
		if (its == NULL)
			return tuner_fail_memory(err);
		for (size_t i = 0; i < view->rows; i++)
			its[i] = strcmp(view_cell(view, i, 1)->text, file->arms[a].name) == 0 ? y[i]
											      : NAN;
		series[(*ret_n)++] = (struct chart_series){ .name = file->arms[a].name,
			.n = view->rows,
			.x = x,
			.y = its,
			.points = true };
	}
	return true;
}

static bool draw_history(const struct job_report *report, const struct view *view, struct text *ret,
	struct tuner_error *err)
{
	struct chart_series series[CHART_SERIES_MAX] = { 0 };
	const bool arms = report->report->has_arms;
	double *x = column(view, 0), *y = column(view, 2), *best = column(view, 3);
	size_t n = 0;
	bool ok = (x != NULL && y != NULL && best != NULL) || tuner_fail_memory(err);

	if (ok && arms) {
		ok = arm_series(report, view, x, y, series, &n, err);
	} else if (ok) {
		series[n++] = (struct chart_series){
			.name = "trials", .n = view->rows, .x = x, .y = y, .points = true
		};
		series[n++] = (struct chart_series){
			.name = "best so far", .n = view->rows, .x = x, .y = best
		};
	}
	const struct chart chart = { .title = "Objective over the trials",
		.x_label = arms ? "trial" : "finished trials",
		.y_label = report->report->metric,
		.series = series,
		.n_series = n };
	if (ok)
		chart_svg(&chart, ret);
	for (size_t i = 0; arms && i < n; i++)
		free((double *)series[i].y);
	free(x);
	free(y);
	free(best);
	return ok;
}

static bool history(struct job_report *report, struct tuner_error *err)
{
	const int64_t every = report_every(report->done, POINTS_MAX);
	struct text wanted = TEXT_EMPTY, query = TEXT_EMPTY, svg = TEXT_EMPTY, rows = TEXT_EMPTY;
	struct view view = { 0 };

	page_section(report->page, "history", "History");
	if (report->several)
		page_say(report->page,
			"By the first objective alone; what is reached in all of them stands "
			"above.");
	history_query(report, every, &wanted);
	bool ok = report_query(report, &query, &view, err, "%s", wanted.bytes) &&
		  draw_history(report, &view, &svg, err);
	if (ok) {
		say_thinned(report, every, ", and each that was the best so far");
		page_rows(&view, &rows);
		ok = page_figure(report->page, "history-figure",
			!report->several
				? (report->report->has_arms ? "The objective of each trial, by arm"
							    : "The objective of each trial, and "
							      "the best so far")
			: report->report->has_arms
				? "The first objective of each trial, by arm"
				: "The first objective of each trial, and the best so far",
			svg.bytes, rows.bytes, NULL, (struct page_source){ .query = query.bytes },
			err);
	}
	view_finish(&view);
	text_finish(&wanted);
	text_finish(&query);
	text_finish(&svg);
	text_finish(&rows);
	return ok;
}

/* ---- learning curves ---- */

/* The best trials' numbers and the median one's: "3, 7, 12". */
static bool curve_numbers(
	struct job_report *report, struct text *ret, char ret_median[24], struct tuner_error *err)
{
	struct text query = TEXT_EMPTY;
	struct view view = { 0 };
	bool ok = report_query(report, &query, &view, err,
		"SELECT number, rank FROM (SELECT number, row_number() OVER (ORDER BY objective "
		"%s, "
		"number) AS "
		"rank FROM v_trial WHERE job = %s AND state = 'done') WHERE rank <= %d OR rank = "
		"%lld "
		"ORDER BY rank",
		report_order(report), report->job, (int)CURVES_MAX,
		(long long)((report->done + 1) / 2));

	for (size_t i = 0; ok && i < view.rows; i++) {
		text_print(ret, "%s%s", i > 0 ? ", " : "", view_cell(&view, i, 0)->text);
		if (view_cell(&view, i, 1)->number == (double)((report->done + 1) / 2))
			snprintf(ret_median, 24, "%s", view_cell(&view, i, 0)->text);
	}
	view_finish(&view);
	text_finish(&query);
	return ok;
}

/* Splits the rows, which are ordered by trial, into series. `names` get "trial 7". */
static size_t split_curves(const struct view *view, const char *median, double *steps,
	double *values, struct chart_series *series, char names[][40])
{
	size_t n = 0;

	for (size_t i = 0; i < view->rows; i++) {
		const bool begins = i == 0 || view_cell(view, i, 0)->number !=
						      view_cell(view, i - 1, 0)->number;
		if (begins && n == CHART_SERIES_MAX)
			break;
		if (begins) {
			const char *number = view_cell(view, i, 0)->text;
			snprintf(names[n], 40, "trial %.20s%s", number,
				strcmp(number, median) == 0 ? " (median)" : "");
			series[n] = (struct chart_series){
				.name = names[n], .x = steps + i, .y = values + i
			};
			n++;
		}
		series[n - 1].n++;
	}
	return n;
}

static bool draw_curves(const struct job_report *report, const struct view *view,
	const char *median, struct text *ret, struct tuner_error *err)
{
	struct chart_series series[CHART_SERIES_MAX] = { 0 };
	char names[CHART_SERIES_MAX][40];
	double *steps = column(view, 1), *values = column(view, 2);
	const bool ok = (steps != NULL && values != NULL) || tuner_fail_memory(err);

	if (ok) {
		const struct chart chart = { .title = "Learning curves",
			.x_label = "step",
			.y_label = report->report->metric,
			.series = series,
			.n_series = split_curves(view, median, steps, values, series, names) };
		chart_svg(&chart, ret);
	}
	free(steps);
	free(values);
	return ok;
}

static bool show_curves(struct job_report *report, const char *numbers, const char *median,
	int64_t every, struct tuner_error *err)
{
	struct text query = TEXT_EMPTY, svg = TEXT_EMPTY, rows = TEXT_EMPTY;
	struct view view = { 0 };
	bool ok =
		every > 1
			? report_query(report, &query, &view, err,
				  "SELECT number, step, value FROM (SELECT number, step, value, "
				  "row_number() OVER (PARTITION BY number ORDER BY step) AS row "
				  "FROM "
				  "v_learning_curve WHERE job = %s AND is_objective AND number IN "
				  "(%s)) WHERE row %% %lld = 1 ORDER BY number, step",
				  report->job, numbers, (long long)every)
			: report_query(report, &query, &view, err,
				  "SELECT number, step, value FROM v_learning_curve WHERE job = %s "
				  "AND is_objective AND number IN (%s) ORDER BY number, step",
				  report->job, numbers);

	ok = ok && draw_curves(report, &view, median, &svg, err);
	if (ok) {
		if (every > 1)
			page_say(report->page, "One step in %lld is drawn.", (long long)every);
		page_rows(&view, &rows);
		ok = page_figure(report->page, "curves-figure",
			report->several
				? "The curves of the best ten trials by the first "
				  "objective, and of the median one"
				: "The curves of the best ten trials, and of the median one",
			svg.bytes, rows.bytes, NULL, (struct page_source){ .query = query.bytes },
			err);
	}
	view_finish(&view);
	text_finish(&query);
	text_finish(&svg);
	text_finish(&rows);
	return ok;
}

static bool curves(struct job_report *report, struct tuner_error *err)
{
	struct text numbers = TEXT_EMPTY, query = TEXT_EMPTY;
	struct view view = { 0 };
	char median[24] = "";
	bool ok =
		curve_numbers(report, &numbers, median, err) &&
		report_query(report, &query, &view, err,
			"SELECT count(*), count(DISTINCT number) FROM v_learning_curve WHERE job = "
			"%s AND is_objective AND number IN (%s)",
			report->job, numbers.bytes);

	if (ok) {
		const double n = view_cell(&view, 0, 0)->number;
		const double trials = view_cell(&view, 0, 1)->number;
		page_section(report->page, "curves", "Learning curves");
		if (n <= trials)
			page_say(report->page,
				"No trial has reported %s more than once: there are no curves.",
				report->report->metric);
		else
			ok = show_curves(report, numbers.bytes, median,
				report_every((int64_t)n, POINTS_MAX), err);
	}
	view_finish(&view);
	text_finish(&query);
	text_finish(&numbers);
	return ok;
}

/* ---- parameters ---- */

/* The trials that are done: the columns are number, objective, and the parameters in their order; with several
 * objectives number, all of these, whether it is on the front, and the parameters. */
struct points {
	struct text query, rows;
	struct view view;
	double *objectives; /* m columns of n */
	bool *best; /* of the best tenth; of several objectives: on the front */
	double *values; /* d columns of n, categories as their places */
	size_t n, d, m;
};

static void points_finish(struct points *points)
{
	view_finish(&points->view);
	text_finish(&points->query);
	text_finish(&points->rows);
	free(points->objectives);
	free(points->best);
	free(points->values);
}

static int compare_doubles(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* At least one. */
static bool mark_best(
	const struct job_report *report, struct points *points, struct tuner_error *err)
{
	double *sorted = calloc(points->n + 1, sizeof(*sorted));
	const size_t tenth = (points->n + 9) / 10;

	if (sorted == NULL)
		return tuner_fail_memory(err);
	memcpy(sorted, points->objectives, points->n * sizeof(*sorted));
	qsort(sorted, points->n, sizeof(*sorted), compare_doubles);
	for (size_t i = 0; i < points->n; i++)
		points->best[i] = report->report->maximize
					  ? points->objectives[i] >= sorted[points->n - tenth]
					  : points->objectives[i] <= sorted[tenth - 1];
	free(sorted);
	return true;
}

static bool fill_points(
	const struct job_report *report, struct points *points, struct tuner_error *err)
{
	const size_t first = 1 + points->m + report->several;

	points->n = points->view.rows;
	points->objectives = calloc(points->n * points->m + 1, sizeof(*points->objectives));
	points->best = calloc(points->n + 1, sizeof(*points->best));
	points->values = calloc(points->n * points->d + 1, sizeof(*points->values));
	if (points->objectives == NULL || points->best == NULL || points->values == NULL)
		return tuner_fail_memory(err);
	for (size_t k = 0; k < points->m; k++)
		for (size_t i = 0; i < points->n; i++)
			points->objectives[k * points->n + i] =
				view_cell(&points->view, i, 1 + k)->number;
	for (size_t p = 0; p < points->d; p++)
		for (size_t i = 0; i < points->n; i++) {
			const struct view_cell *cell = view_cell(&points->view, i, first + p);
			const struct job_values *values = &report->file->values[p];
			points->values[p * points->n + i] =
				values->n > 0 ? category(values, cell) : cell->number;
		}
	for (size_t i = 0; report->several && i < points->n; i++)
		points->best[i] = view_cell(&points->view, i, 1 + points->m)->number > 0;
	return report->several || mark_best(report, points, err);
}

static bool read_points(struct job_report *report, struct points *ret, struct tuner_error *err)
{
	const size_t d = report->file->space.d;
	const int64_t most =
		POINTS_IN_ALL / (int64_t)d < POINTS_MAX ? POINTS_IN_ALL / (int64_t)d : POINTS_MAX;
	const int64_t every = report->several ? 1 : report_every(report->done, most);
	struct text objectives = TEXT_EMPTY, parameters = TEXT_EMPTY, thinned = TEXT_EMPTY;

	*ret = (struct points){ .query = TEXT_EMPTY,
		.rows = TEXT_EMPTY,
		.d = d,
		.m = report->several ? report->report->goals.n : 1 };
	for (size_t i = 0; i < d; i++) {
		text_add(&parameters, ", ");
		report_parameter(report->file->space.parameters[i].name, &parameters);
	}
	if (every > 1)
		text_print(&thinned, " AND (number %% %lld = 0 OR number = %lld)", (long long)every,
			(long long)report->best.number);
	if (report->several) {
		report_objectives(report, &objectives);
		text_add(&objectives, ", ");
		report_is_on_front(report, &objectives);
		text_add(&objectives, " AS front");
		report_thin_front(report, most, &thinned);
	} else {
		text_add(&objectives, ", objective");
	}
	const bool ok = report_query(report, &ret->query, &ret->view, err,
				"SELECT number%s%s FROM v_trial WHERE job = %s AND state = "
				"'done'%s ORDER BY 1",
				objectives.bytes, parameters.bytes, report->job, thinned.bytes) &&
			fill_points(report, ret, err);
	if (ok)
		page_rows(&ret->view, &ret->rows);
	say_thinned(report, every, ", and the best one");
	text_finish(&objectives);
	text_finish(&parameters);
	text_finish(&thinned);
	return ok;
}

/* ---- small charts ---- */

/* Of a chart's axis. */
static bool is_log(const struct job_report *report, size_t p)
{
	return report->file->space.parameters[p].scale == SCALE_LOG;
}

static const char *const *names_of(const struct job_report *report, size_t p)
{
	return report->file->values[p].n > 0 ? (const char *const *)report->file->values[p].text
					     : NULL;
}

/* Panels with two series each: the best tenth, and the rest. Their arrays lie in `memory`. */
struct panels {
	struct chart *charts;
	struct chart_series (*series)[2];
	double *memory; /* 2 n doubles a panel */
	size_t n;
};

static void panels_finish(struct panels *panels)
{
	free(panels->charts);
	free(panels->series);
	free(panels->memory);
}

static bool panels_create(struct panels *ret, size_t n, size_t points, struct tuner_error *err)
{
	*ret = (struct panels){ .charts = calloc(n, sizeof(*ret->charts)),
		.series = calloc(n, sizeof(*ret->series)),
		.memory = calloc(2 * n * points + 1, sizeof(*ret->memory)),
		.n = n };
	if (ret->charts != NULL && ret->series != NULL && ret->memory != NULL)
		return true;
	panels_finish(ret);
	return tuner_fail_memory(err);
}

static void fill_panel(struct panels *panels, size_t k, const struct points *points,
	const double *x, const double *y, struct chart chart)
{
	double *rest = panels->memory + 2 * k * points->n, *best = rest + points->n;

	for (size_t i = 0; i < points->n; i++) {
		rest[i] = points->best[i] ? NAN : y[i];
		best[i] = points->best[i] ? y[i] : NAN;
	}
	panels->series[k][0] =
		(struct chart_series){ .n = points->n, .x = x, .y = rest, .points = true };
	panels->series[k][1] =
		(struct chart_series){ .n = points->n, .x = x, .y = best, .points = true };
	chart.series = panels->series[k];
	chart.n_series = 2;
	chart.small = true;
	chart.width = 236;
	chart.height = 200;
	panels->charts[k] = chart;
}

/* ---- each parameter against the objective ---- */

static bool draw_scatter(const struct job_report *report, const struct points *points,
	struct text *ret, struct tuner_error *err)
{
	struct panels panels;

	if (!panels_create(&panels, points->d, points->n, err))
		return false;
	for (size_t p = 0; p < points->d; p++) {
		const struct chart chart = { .title = report->file->space.parameters[p].name,
			.x_label = is_log(report, p) ? "log scale" : "",
			.y_label = report->report->metric,
			.log_x = is_log(report, p),
			.x_names = names_of(report, p),
			.n_x_names = report->file->values[p].n };
		fill_panel(&panels, p, points, points->values + p * points->n, points->objectives,
			chart);
	}
	chart_panels_svg(panels.charts, panels.n, 3, "Each parameter against the objective", ret);
	panels_finish(&panels);
	return true;
}

static bool scatter(struct job_report *report, const struct points *points, struct tuner_error *err)
{
	struct text svg = TEXT_EMPTY;
	const bool ok =
		draw_scatter(report, points, &svg, err) &&
		page_figure(report->page, "scatter-figure",
			report->several
				? "Each parameter against the first objective; the Pareto front in "
				  "orange"
				: "Each parameter against the objective; the best tenth of the "
				  "trials in orange",
			svg.bytes, points->rows.bytes, NULL,
			(struct page_source){ .query = points->query.bytes }, err);

	text_finish(&svg);
	return ok;
}

/* ---- pairs ---- */

/* The most important ones, or the first. */
static size_t choose(const struct job_report *report, size_t ret[MATRIX_MAX])
{
	const size_t d = report->file->space.d, n = d < MATRIX_MAX ? d : MATRIX_MAX;

	for (size_t i = 0; i < n; i++)
		ret[i] = report->has_importance ? report->importance.order[i] : i;
	return n;
}

static bool draw_matrix(const struct job_report *report, const struct points *points,
	const size_t *chosen, size_t m, struct text *ret, struct tuner_error *err)
{
	struct panels panels;

	if (!panels_create(&panels, (m - 1) * (m - 1), points->n, err))
		return false;
	for (size_t row = 1; row < m; row++)
		for (size_t c = 0; c < row; c++) {
			const size_t px = chosen[c], py = chosen[row];
			const struct chart chart = { .title = "",
				.x_label = report->file->space.parameters[px].name,
				.y_label = report->file->space.parameters[py].name,
				.log_x = is_log(report, px),
				.log_y = is_log(report, py),
				.x_names = names_of(report, px),
				.n_x_names = report->file->values[px].n,
				.y_names = names_of(report, py),
				.n_y_names = report->file->values[py].n };
			fill_panel(&panels, (row - 1) * (m - 1) + c, points,
				points->values + px * points->n, points->values + py * points->n,
				chart);
		}
	chart_panels_svg(panels.charts, panels.n, m - 1, "Pairs of parameters", ret);
	panels_finish(&panels);
	return true;
}

static bool matrix(struct job_report *report, const struct points *points, struct tuner_error *err)
{
	size_t chosen[MATRIX_MAX];
	const size_t m = choose(report, chosen);
	struct text svg = TEXT_EMPTY;

	page_subsection(report->page, "Pairs");
	if (m < 2) {
		page_say(report->page, "There is one parameter only.");
		return true;
	}
	if (points->d > m)
		page_say(report->page, "Of %zu parameters the %s %zu%s.", points->d,
			report->has_importance ? "most important" : "first", m,
			report->several && report->has_importance ? " by the first objective" : "");
	const bool ok =
		draw_matrix(report, points, chosen, m, &svg, err) &&
		page_figure(report->page, "matrix-figure",
			report->several ? "Where trials lie; those on the Pareto front in orange"
					: "Where trials lie; the best tenth of them in orange",
			svg.bytes, NULL, "scatter-figure",
			(struct page_source){ .query = points->query.bytes }, err);
	text_finish(&svg);
	return ok;
}

/* ---- parallel coordinates ---- */

static void fill_axes(const struct job_report *report, size_t d, struct parallel_axis *axes)
{
	for (size_t p = 0; p < d; p++)
		axes[p] = (struct parallel_axis){ .name = report->file->space.parameters[p].name,
			.log = is_log(report, p),
			.names = names_of(report, p),
			.n_names = report->file->values[p].n };
	axes[d] = (struct parallel_axis){ .name = report->report->metric };
	for (size_t k = 1; report->several && k < report->report->goals.n; k++)
		axes[d + k] = (struct parallel_axis){ .name = report->report->goals.items[k].name };
}

static bool draw_parallel(const struct job_report *report, const struct points *points,
	size_t every, struct text *ret, struct tuner_error *err)
{
	const size_t n_axes = points->d + points->m;
	struct parallel_axis axes[PARALLEL_AXES_MAX];
	double *values = calloc(points->n * n_axes + 1, sizeof(*values));
	bool *marked = calloc(points->n + 1, sizeof(*marked));
	size_t n = 0;

	if (values == NULL || marked == NULL) {
		free(values);
		free(marked);
		return tuner_fail_memory(err);
	}
	for (size_t i = 0; i < points->n; i += every, n++) {
		for (size_t p = 0; p < points->d; p++)
			values[n * n_axes + p] = points->values[p * points->n + i];
		for (size_t k = 0; k < points->m; k++)
			values[n * n_axes + points->d + k] = points->objectives[k * points->n + i];
		marked[n] = points->best[i];
	}
	fill_axes(report, points->d, axes);
	const struct parallel parallel = { .title = "Parallel coordinates",
		.axes = axes,
		.n_axes = n_axes,
		.values = values,
		.marked = marked,
		.n = n,
		.mark = report->several ? "Pareto front" : "best tenth" };
	parallel_svg(&parallel, ret);
	free(values);
	free(marked);
	return true;
}

static bool parallel(
	struct job_report *report, const struct points *points, struct tuner_error *err)
{
	const size_t every = (size_t)report_every((int64_t)points->n, LINES_MAX);
	struct text svg = TEXT_EMPTY;

	page_subsection(report->page, "Parallel coordinates");
	if (every > 1)
		page_say(report->page, "One in %zu of the trials above is a line.", every);
	const bool ok =
		draw_parallel(report, points, every, &svg, err) &&
		page_figure(report->page, "parallel-figure",
			report->several ? "A line a trial, through its parameters to its objectives"
					: "A line a trial, through its parameters to its objective",
			svg.bytes, NULL, "scatter-figure",
			(struct page_source){ .query = points->query.bytes }, err);
	text_finish(&svg);
	return ok;
}

static bool parameters(struct job_report *report, struct tuner_error *err)
{
	struct points points;

	page_section(report->page, "parameters", "Parameters");
	if (report->file == NULL) {
		page_say(report->page, "This version does not read the job's file.");
		return true;
	}
	const bool ok = read_points(report, &points, err) && scatter(report, &points, err) &&
			matrix(report, &points, err) && parallel(report, &points, err);
	points_finish(&points);
	return ok;
}

bool report_figures(struct job_report *report, struct tuner_error *err)
{
	if (report->done == 0) {
		page_section(report->page, "history", "History");
		page_say(report->page,
			"No trial has an objective yet: there are no figures to show.");
		return true;
	}
	return history(report, err) && curves(report, err) && parameters(report, err);
}
