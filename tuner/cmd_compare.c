/* tuner compare: compares the arms of a job, or two jobs, with the statistics that a referee would
 * ask for. */
#include "tuner/command.h"

#include "base/file.h"
#include "tuner/comparison.h"
#include "tuner/comparison_figure.h"
#include "tuner/comparison_json.h"
#include "tuner/comparison_text.h"
#include "tuner/report_json.h"

#include <math.h>
#include <string.h>

enum { TRIALS_MAX = 100000000 };

enum format { FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_JSON, FORMAT_CSV };

static bool choose_format(const struct invocation *call, enum format *ret, struct tuner_error *err)
{
	const char *format = invocation_option(call, "format");
	const bool csv = invocation_option(call, "csv") != NULL;

	if (format != NULL && strcmp(format, "md") != 0 && strcmp(format, "text") != 0)
		return tuner_fail(
			err, TUNER_USAGE, "--format: expected md or text, found \"%.40s\"", format);
	if ((format != NULL) + csv + call->json > 1)
		return tuner_fail(
			err, TUNER_USAGE, "--format, --csv and --json exclude each other");
	*ret = call->json                                    ? FORMAT_JSON
	       : csv                                         ? FORMAT_CSV
	       : format != NULL && strcmp(format, "md") == 0 ? FORMAT_MARKDOWN
							     : FORMAT_TEXT;
	return true;
}

/* *ret AXES: none was asked for. */
static bool choose_axis(const struct invocation *call, enum axis *ret, struct tuner_error *err)
{
	static const struct {
		const char *name;
		enum axis axis;
	} names[] = { { "trials", OVER_TRIALS }, { "time", OVER_TIME }, { "money", OVER_MONEY },
		{ "cost", OVER_MONEY } };
	const char *over = invocation_option(call, "over");

	*ret = AXES;
	for (size_t i = 0; over != NULL && i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(over, names[i].name) == 0)
			*ret = names[i].axis;
	return over == NULL || *ret != AXES ||
	       tuner_fail(err, TUNER_USAGE,
		       "--over: expected trials, time or money, found \"%.40s\"", over);
}

/* ---- for programs ---- */

static bool print_json(const struct comparison *comparison, struct tuner_error *err)
{
	cJSON *root = comparison_json(comparison, err);
	return root != NULL && json_out(root, err);
}

static void put_number(double value)
{
	putchar(',');
	if (isfinite(value))
		printf("%.17g", value);
}

static void print_csv(const struct comparison *comparison)
{
	puts("arm,strategy,repeat,trials,trial,objective,best,slot_seconds,money");
	for (size_t a = 0; a < comparison->n_arms; a++)
		for (size_t r = 0; r < comparison->arms[a].n_runs; r++) {
			const struct run_curve *run = &comparison->arms[a].runs[r];
			for (size_t t = 0; t < run->n; t++) {
				printf("%s,%s,%lld,%zu,%lld", comparison->arms[a].name,
					comparison->arms[a].strategy, (long long)run->repeat + 1,
					t + 1, (long long)run->numbers[t]);
				put_number(run->objectives[t]);
				put_number(run->best[t]);
				printf(",%.6f", run->spent_s[t]);
				put_number(comparison->priced ? run->spent_money[t] : NAN);
				putchar('\n');
			}
		}
}

static void put_point(const struct compared_arm *arm, const struct curve_point *point)
{
	printf("%s,%s,%.17g", arm->name, arm->strategy, point->at);
	put_number(point->mean);
	put_number(point->interval.low);
	put_number(point->interval.high);
	putchar('\n');
}

static bool print_trials_curve(
	const struct comparison *comparison, size_t arm, struct tuner_error *err)
{
	struct curve_point point;

	for (size_t t = 0; t < comparison->length; t++) {
		if (!comparison_band(comparison, arm, t, &point, err))
			return false;
		put_point(&comparison->arms[arm], &point);
	}
	return true;
}

static bool print_spending_curve(
	const struct comparison *comparison, size_t arm, enum axis axis, struct tuner_error *err)
{
	struct curve_point points[COMPARISON_HUNDREDTHS];
	size_t n;

	if (!comparison_curve(comparison, arm, axis, points, &n, err))
		return false;
	for (size_t k = 0; k < n; k++)
		put_point(&comparison->arms[arm], &points[k]);
	return true;
}

/* The curves of the figure. */
static bool print_curves(
	const struct comparison *comparison, enum axis axis, struct tuner_error *err)
{
	printf("arm,strategy,%s,mean_best,low,high\n",
		axis == OVER_TIME ? "slot_seconds" : axis_unit(axis));
	for (size_t a = 0; a < comparison->n_arms; a++)
		if (axis == OVER_TRIALS ? !print_trials_curve(comparison, a, err)
					: !print_spending_curve(comparison, a, axis, err))
			return false;
	return true;
}

static bool write_figure(const struct invocation *call, const struct comparison *comparison,
	enum axis axis, struct tuner_error *err)
{
	const char *path = invocation_option(call, "svg");
	struct text figure = TEXT_EMPTY;
	if (path == NULL)
		return true;
	if (strcmp(path, "-") == 0)
		return tuner_fail(err, TUNER_USAGE,
			"--svg takes a file's name, since the words go to standard output: \"./-\" "
			"for a file called \"-\"");
	const bool ok =
		comparison_figure(comparison, axis == AXES ? OVER_TRIALS : axis, &figure, err) &&
		file_write_atomic(path, figure.bytes, figure.length, 0666, false, err);
	text_finish(&figure);
	return ok;
}

/* ---- the command ---- */

static bool load(const struct invocation *call, struct comparison *ret, struct tuner_error *err)
{
	const char *svg = invocation_option(call, "svg");
	struct report a = { 0 }, b = { 0 };
	int64_t trials;
	bool ok = invocation_integer(call, "trials", 1, TRIALS_MAX, 0, &trials, err) &&
		  report_open(call, call->n_arguments > 0 ? call->arguments[0] : NULL, &a, err) &&
		  command_spare_file(&a.job, "svg", svg, err);
	if (ok && call->n_arguments > 1)
		ok = report_open(call, call->arguments[1], &b, err) &&
		     command_spare_file(&b.job, "svg", svg, err) &&
		     comparison_of_jobs(&a, &b, (size_t)trials, ret, err);
	else if (ok)
		ok = comparison_of_job(&a, (size_t)trials, ret, err);
	report_close(&a);
	report_close(&b);
	return ok;
}

static bool print(const struct invocation *call, const struct comparison *comparison,
	enum format format, enum axis axis, struct tuner_error *err)
{
	if (format == FORMAT_JSON)
		return print_json(comparison, err);
	if (format == FORMAT_CSV && axis != AXES)
		return print_curves(comparison, axis, err);
	if (format == FORMAT_CSV) {
		print_csv(comparison);
		return true;
	}
	const struct comparison_style style = {
		.markdown = format == FORMAT_MARKDOWN, .color = call->color, .curve = axis
	};
	return comparison_print(comparison, style, err);
}

int cmd_compare(const struct invocation *call, struct tuner_error *err)
{
	struct comparison comparison = { 0 };
	enum format format = FORMAT_TEXT;
	enum axis axis = AXES;
	const bool ok = choose_format(call, &format, err) && choose_axis(call, &axis, err) &&
			load(call, &comparison, err) &&
			(axis == AXES || comparison_check_axis(&comparison, axis, err)) &&
			write_figure(call, &comparison, axis, err) &&
			print(call, &comparison, format, axis, err);
	comparison_finish(&comparison);
	return ok ? EXIT_DONE : -1;
}
