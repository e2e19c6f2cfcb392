/* tuner compare: the arms of a job, or two jobs, with the statistics that a referee would ask for. */
#include "tuner/command.h"

#include "base/file.h"
#include "tuner/comparison.h"
#include "tuner/comparison_figure.h"
#include "tuner/comparison_json.h"
#include "tuner/report_json.h"
#include "tuner/table.h"

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
			err, TUNER_USAGE, "--format, --csv and --json: one of them at a time");
	*ret = call->json                                    ? FORMAT_JSON
	       : csv                                         ? FORMAT_CSV
	       : format != NULL && strcmp(format, "md") == 0 ? FORMAT_MARKDOWN
							     : FORMAT_TEXT;
	return true;
}

/* ---- numbers ---- */

static double percent_found(const struct comparison *comparison, const struct compared_arm *arm)
{
	size_t n = 0;
	for (size_t i = 0; i < comparison->n_repeats; i++)
		for (size_t t = 0; t < comparison->length; t++)
			n += !isnan(arm->runs[comparison->repeats[i]].objectives[t]);
	return 100.0 * (double)n / (double)(comparison->n_repeats * comparison->length);
}

static void estimate_cells(const struct estimate *estimate, struct text *difference,
	struct text *interval, struct text *p_value)
{
	text_print(difference, "%+.4g", estimate->mean);
	if (isinf(estimate->interval.low))
		text_add(interval, "-");
	else
		text_print(
			interval, "%.4g to %.4g", estimate->interval.low, estimate->interval.high);
	text_print(p_value, "%.3g", estimate->p_value);
}

/* ---- text and Markdown ---- */

static void add_cells(struct table *table, const char *what, const struct estimate *estimate)
{
	struct text cells[3] = { TEXT_EMPTY, TEXT_EMPTY, TEXT_EMPTY };
	estimate_cells(estimate, &cells[0], &cells[1], &cells[2]);
	table_add(table, "%s", what);
	for (int i = 0; i < 3; i++) {
		table_add(table, "%s", cells[i].bytes);
		text_finish(&cells[i]);
	}
}

static void markdown_row(const char *what, const struct estimate *estimate)
{
	struct text cells[3] = { TEXT_EMPTY, TEXT_EMPTY, TEXT_EMPTY };
	estimate_cells(estimate, &cells[0], &cells[1], &cells[2]);
	printf("| %s | %s | %s | %s |\n", what, cells[0].bytes, cells[1].bytes, cells[2].bytes);
	for (int i = 0; i < 3; i++)
		text_finish(&cells[i]);
}

static bool print_arms(const struct invocation *call, const struct comparison *comparison,
	bool markdown, struct tuner_error *err)
{
	static const char *const columns[] = { "arm", "strategy", "-repeats", "-trials each",
		"-mean best", "95 % interval", "-with a result" };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	bool ok = true;

	if (markdown)
		puts("| arm | strategy | repeats | trials each | mean best | 95 % interval | with "
		     "a "
		     "result |\n| --- | --- | ---: | ---: | ---: | --- | ---: |");
	for (size_t a = 0; ok && a < comparison->n_arms; a++) {
		const struct compared_arm *arm = &comparison->arms[a];
		struct interval interval;
		struct text between = TEXT_EMPTY;
		double mean;
		ok = comparison_band(comparison, a, comparison->length - 1, &mean, &interval, err);
		if (isinf(interval.low))
			text_add(&between, "-");
		else
			text_print(&between, "%.4g to %.4g", interval.low, interval.high);
		if (markdown)
			printf("| %s | %s | %zu | %zu | %.5g | %s | %.0f %% |\n", arm->name,
				arm->strategy, comparison->n_repeats, comparison->length, mean,
				between.bytes, percent_found(comparison, arm));
		table_add(table, "%s", arm->name);
		table_add(table, "%s", arm->strategy);
		table_add(table, "%zu", comparison->n_repeats);
		table_add(table, "%zu", comparison->length);
		table_add(table, "%.5g", mean);
		table_add(table, "%s", between.bytes);
		table_add(table, "%.0f %%", percent_found(comparison, arm));
		text_finish(&between);
	}
	ok = ok && (markdown || table_print(table, table_width(), call->color, stdout, err));
	table_destroy(table);
	return ok;
}

static bool print_contrast(const struct invocation *call, const struct comparison *comparison,
	const struct contrast *contrast, bool markdown, struct tuner_error *err)
{
	static const char *const columns[] = { "", "-difference", "95 % interval", "-p" };
	struct text words = TEXT_EMPTY, seconds = TEXT_EMPTY;
	bool ok = true;

	text_print(&seconds, "mean best over %.4g slot-seconds", contrast->seconds);
	contrast_words(comparison, contrast, &words);
	if (markdown) {
		printf("\n### %s against %s\n\n"
		       "| positive: %s is better | difference | 95 %% interval | p |\n"
		       "| --- | ---: | --- | ---: |\n",
			contrast->a->name, contrast->b->name, contrast->a->name);
		markdown_row("best at the end", &contrast->final);
		markdown_row("mean best over the trials", &contrast->area);
		markdown_row(seconds.bytes, &contrast->time);
		printf("\n%s\n", words.bytes);
	} else {
		struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
		printf("\n%s against %s (positive: %s is better)\n", contrast->a->name,
			contrast->b->name, contrast->a->name);
		add_cells(table, "best at the end", &contrast->final);
		add_cells(table, "mean best over the trials", &contrast->area);
		add_cells(table, seconds.bytes, &contrast->time);
		ok = table_print(table, table_width(), call->color, stdout, err);
		table_destroy(table);
		printf("%s\n", words.bytes);
	}
	text_finish(&words);
	text_finish(&seconds);
	return ok;
}

static bool print_report(const struct invocation *call, const struct comparison *comparison,
	bool markdown, struct tuner_error *err)
{
	if (markdown)
		printf("## %s of %s\n\n", comparison->maximize ? "Greatest" : "Least",
			comparison->metric);
	if (!print_arms(call, comparison, markdown, err))
		return false;
	for (size_t b = 1; b < comparison->n_arms; b++) {
		struct contrast contrast;
		if (!comparison_contrast(comparison, 0, b, &contrast, err) ||
			!print_contrast(call, comparison, &contrast, markdown, err))
			return false;
	}
	return true;
}

/* ---- for programs ---- */

static bool print_json(const struct comparison *comparison, struct tuner_error *err)
{
	cJSON *root = comparison_json(comparison, err);
	return root != NULL && json_out(root, err);
}

static void print_csv(const struct comparison *comparison)
{
	puts("arm,strategy,repeat,trials,trial,objective,best,slot_seconds");
	for (size_t a = 0; a < comparison->n_arms; a++)
		for (size_t r = 0; r < comparison->arms[a].n_runs; r++) {
			const struct run_curve *run = &comparison->arms[a].runs[r];
			for (size_t t = 0; t < run->n; t++) {
				printf("%s,%s,%lld,%zu,%lld,", comparison->arms[a].name,
					comparison->arms[a].strategy, (long long)run->repeat + 1,
					t + 1, (long long)run->numbers[t]);
				if (!isnan(run->objectives[t]))
					printf("%.17g", run->objectives[t]);
				putchar(',');
				if (!isnan(run->best[t]))
					printf("%.17g", run->best[t]);
				printf(",%.6f\n", run->spent_s[t]);
			}
		}
}

static bool write_figure(
	const struct invocation *call, const struct comparison *comparison, struct tuner_error *err)
{
	const char *path = invocation_option(call, "svg");
	struct text figure = TEXT_EMPTY;
	if (path == NULL)
		return true;
	const bool ok = comparison_figure(comparison, &figure, err) &&
			file_write_atomic(path, figure.bytes, figure.length, 0666, false, err);
	text_finish(&figure);
	return ok;
}

/* ---- the command ---- */

static bool load(const struct invocation *call, struct comparison *ret, struct tuner_error *err)
{
	struct report a = { 0 }, b = { 0 };
	int64_t trials;
	bool ok = invocation_integer(call, "trials", 1, TRIALS_MAX, 0, &trials, err) &&
		  report_open(call, call->n_arguments > 0 ? call->arguments[0] : NULL, &a, err);
	if (ok && call->n_arguments > 1)
		ok = report_open(call, call->arguments[1], &b, err) &&
		     comparison_of_jobs(&a, &b, (size_t)trials, ret, err);
	else if (ok)
		ok = comparison_of_job(&a, (size_t)trials, ret, err);
	report_close(&a);
	report_close(&b);
	return ok;
}

int cmd_compare(const struct invocation *call, struct tuner_error *err)
{
	struct comparison comparison = { 0 };
	enum format format = FORMAT_TEXT;
	bool ok = choose_format(call, &format, err) && load(call, &comparison, err) &&
		  write_figure(call, &comparison, err);
	if (ok && format == FORMAT_JSON)
		ok = print_json(&comparison, err);
	else if (ok && format == FORMAT_CSV)
		print_csv(&comparison);
	else if (ok)
		ok = print_report(call, &comparison, format == FORMAT_MARKDOWN, err);
	comparison_finish(&comparison);
	return ok ? EXIT_DONE : -1;
}
