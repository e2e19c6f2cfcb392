#include "tuner/comparison_text.h"

#include "tuner/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELL = 64, TENTHS = 10 };

/* ---- parts ---- */

static bool put_table(
	const struct table *table, struct comparison_style style, struct tuner_error *err)
{
	return style.markdown ? table_print_markdown(table, stdout, err)
			      : table_print(table, table_width(), style.color, stdout, err);
}

static bool put_paragraph(
	struct text *words, struct comparison_style style, struct tuner_error *err)
{
	struct text plain = TEXT_EMPTY;
	bool ok = true;

	text_add_markdown(&plain, words->bytes);
	if (!style.markdown)
		ok = paragraph_print(words, stdout, err);
	else if (text_failed(words) || text_failed(&plain))
		ok = tuner_fail_memory(err);
	else if (words->length > 0)
		printf("\n%s\n", plain.bytes);
	text_finish(&plain);
	text_clear(words);
	return ok;
}

/* "## Greatest of accuracy: 10 repeats, 30 trials each" */
static bool put_title(
	const struct comparison *comparison, struct comparison_style style, struct tuner_error *err)
{
	struct text title = TEXT_EMPTY;

	text_print(&title, "%s%s of ", style.markdown ? "## " : "",
		comparison->maximize ? "Greatest" : "Least");
	if (style.markdown)
		text_add_markdown(&title, comparison->metric);
	else
		text_add(&title, comparison->metric);
	text_print(&title, ": %zu repeat%s, %zu trial%s each\n%s", comparison->n_repeats,
		comparison->n_repeats == 1 ? "" : "s", comparison->length,
		comparison->length == 1 ? "" : "s", style.markdown ? "\n" : "");
	const bool ok = !text_failed(&title) || tuner_fail_memory(err);
	if (ok)
		fputs(title.bytes, stdout);
	text_finish(&title);
	return ok;
}

static void add_interval(struct table *table, struct interval interval)
{
	if (isinf(interval.low))
		table_add(table, "-");
	else
		table_add(table, "%.4g to %.4g", interval.low, interval.high);
}

/* ---- the arms ---- */

static size_t trials_found(const struct comparison *comparison, const struct compared_arm *arm)
{
	size_t n = 0;

	for (size_t i = 0; i < comparison->n_repeats; i++)
		for (size_t t = 0; t < comparison->length; t++)
			n += !isnan(arm->runs[comparison->repeats[i]].objectives[t]);
	return n;
}

/* Whole, and 0 % and 100 % are none and all: 299 of 300 are not. */
static int percent_found(const struct comparison *comparison, const struct compared_arm *arm)
{
	const size_t n = trials_found(comparison, arm);
	const size_t all = comparison->n_repeats * comparison->length;
	const int percent = (int)lround(100.0 * (double)n / (double)all);

	return n > 0 && percent == 0 ? 1 : n < all && percent == 100 ? 99 : percent;
}

static bool print_arms(
	const struct comparison *comparison, struct comparison_style style, struct tuner_error *err)
{
	static const char *const columns[] = { "arm", "strategy", "-mean best", "95 % interval",
		"-with a result", "-slot-seconds", "-money" };
	const size_t n_columns = comparison->priced ? 7 : 6;
	struct table *table = table_create(columns, n_columns);
	bool ok = true;

	for (size_t a = 0; ok && a < comparison->n_arms; a++) {
		const struct compared_arm *arm = &comparison->arms[a];
		struct curve_point last = { 0 };
		ok = comparison_band(comparison, a, comparison->length - 1, &last, err);
		table_add(table, "%s", arm->name);
		table_add(table, "%s", arm->strategy);
		table_add(table, "%.5g", last.mean);
		add_interval(table, last.interval);
		table_add(table, "%d %%", percent_found(comparison, arm));
		table_add(table, "%.4g", comparison_total(comparison, a, OVER_TIME));
		if (comparison->priced)
			table_add(table, "%.4g", comparison_total(comparison, a, OVER_MONEY));
	}
	ok = ok && put_table(table, style, err);
	table_destroy(table);
	return ok;
}

/* ---- curves ---- */

/* A column for the axis, two for each arm. */
static struct table *curve_table(const struct comparison *comparison, enum axis axis)
{
	const size_t n = 1 + 2 * comparison->n_arms;
	char(*names)[CELL + 128] = calloc(n, sizeof(*names));
	const char **columns = calloc(n, sizeof(*columns));
	struct table *table = NULL;

	if (names != NULL && columns != NULL) {
		snprintf(names[0], sizeof(names[0]), "-%s", axis_unit(axis));
		for (size_t a = 0; a < comparison->n_arms; a++) {
			snprintf(names[1 + 2 * a], sizeof(names[0]), "-%s",
				comparison->arms[a].name);
			snprintf(names[2 + 2 * a], sizeof(names[0]), "95 %% interval");
		}
		for (size_t i = 0; i < n; i++)
			columns[i] = names[i];
		table = table_create(columns, n);
	}
	free(names);
	free(columns);
	return table;
}

static bool add_point(const struct comparison *comparison, size_t arm, enum axis axis, double at,
	struct table *table, struct tuner_error *err)
{
	struct curve_point point = { 0 };
	bool known = true;
	const bool ok = axis == OVER_TRIALS
				? comparison_band(comparison, arm, (size_t)at - 1, &point, err)
				: comparison_at(comparison, arm, axis, at, &point, &known, err);

	if (ok && known) {
		table_add(table, "%.5g", point.mean);
		add_interval(table, point.interval);
	} else {
		table_add(table, "-");
		table_add(table, "-");
	}
	return ok;
}

/* Tenths of what all searches of all arms have; of fewer than ten trials each one. */
static bool print_curve(
	const struct comparison *comparison, struct comparison_style style, struct tuner_error *err)
{
	const enum axis axis = style.curve;
	struct table *table = curve_table(comparison, axis);
	double end = INFINITY, before = 0;
	bool ok = true;

	for (size_t a = 0; a < comparison->n_arms; a++)
		end = fmin(end, comparison_end(comparison, a, axis));
	for (size_t k = 1; ok && k <= TENTHS; k++) {
		const double at = axis == OVER_TRIALS
					  ? (double)((comparison->length * k + TENTHS - 1) / TENTHS)
					  : end * ((double)k / TENTHS);
		if (at == before)
			continue;
		table_add(table, "%.4g", at);
		for (size_t a = 0; ok && a < comparison->n_arms; a++)
			ok = add_point(comparison, a, axis, at, table, err);
		before = at;
	}
	printf(style.markdown ? "\n### Over %s\n\n" : "\nMean best so far over %s\n",
		axis_unit(axis));
	ok = ok && put_table(table, style, err);
	table_destroy(table);
	return ok;
}

/* ---- one arm against another ---- */

static void add_row(struct table *table, const char *what, const struct estimate *estimate)
{
	table_add(table, "%s", what);
	table_add(table, "%+.4g", estimate->mean);
	add_interval(table, estimate->interval);
	table_add(table, "%.3g", estimate->p_value);
}

static void add_spending(struct table *table, const struct contrast *contrast, enum axis axis)
{
	const struct equal_spending *equal = &contrast->over[axis];
	const char *of = axis == OVER_MONEY ? "of " : "";
	char what[CELL];

	if (!equal->is_possible)
		return;
	snprintf(what, sizeof(what), "best at %.4g %s%s", equal->spent, of, axis_unit(axis));
	add_row(table, what, &equal->final);
	snprintf(what, sizeof(what), "mean best over %.4g %s%s", equal->spent, of, axis_unit(axis));
	add_row(table, what, &equal->area);
}

static bool print_contrast(const struct comparison *comparison, const struct contrast *contrast,
	struct comparison_style style, struct tuner_error *err)
{
	char positive[CELL + 128];
	const char *const columns[] = { positive, "-difference", "95 % interval", "-p" };
	struct text words = TEXT_EMPTY;

	snprintf(positive, sizeof(positive), "positive: %s is better", contrast->a->name);
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	add_row(table, "best at the end", &contrast->final);
	add_row(table, "mean best over the trials", &contrast->area);
	add_spending(table, contrast, OVER_TIME);
	if (!comparison->one_price)
		add_spending(table, contrast, OVER_MONEY);
	printf(style.markdown ? "\n### %s against %s\n\n" : "\n%s against %s\n", contrast->a->name,
		contrast->b->name);
	bool ok = put_table(table, style, err);
	table_destroy(table);
	contrast_words(comparison, contrast, &words);
	ok = ok && put_paragraph(&words, style, err);
	for (enum axis axis = OVER_TIME; ok && axis < AXES; axis++) {
		spending_words(comparison, contrast, axis, &words);
		ok = put_paragraph(&words, style, err);
	}
	text_finish(&words);
	return ok;
}

bool comparison_print(
	const struct comparison *comparison, struct comparison_style style, struct tuner_error *err)
{
	bool ok = put_title(comparison, style, err) && print_arms(comparison, style, err);
	if (ok && style.curve != AXES)
		ok = print_curve(comparison, style, err);
	for (size_t b = 1; ok && b < comparison->n_arms; b++) {
		struct contrast contrast;
		ok = comparison_contrast(comparison, 0, b, &contrast, err) &&
		     print_contrast(comparison, &contrast, style, err);
	}
	return ok;
}
