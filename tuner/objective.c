#include "tuner/objective.h"

#include "surrogate/expression.h"
#include "tuner/goals.h"
#include "tuner/jobfile_value.h"
#include "tuner/text_width.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a formula; wider columns push the parameters off the screen. */
enum { LABEL_BYTES = 40 };

void objective_curves_finish(struct objective_curves *curves)
{
	series_finish(&curves->whole);
	for (size_t i = 0; i < curves->n; i++)
		series_finish(&curves->parts[i]);
	free(curves->parts);
	*curves = (struct objective_curves){ 0 };
}

const char *objective_label(const char *metric)
{
	return strlen(metric) > LABEL_BYTES ? "objective" : metric;
}

const char *objective_label_of(size_t i, const char *name)
{
	static const char *const labels[] = { "objective", "objective-2", "objective-3",
		"objective-4" };

	static_assert(sizeof(labels) / sizeof(*labels) == TRIAL_ALSO_MAX + 1, "one for each");
	return strlen(name) > LABEL_BYTES ? labels[i] : name;
}

size_t objective_find(const struct job_objective *objective, const char *metric)
{
	size_t i = 0;

	while (i < objective->n && strcmp(objective->metrics[i].name, metric) != 0)
		i++;
	return i;
}

static bool make_parts(struct objective_curves *curves, size_t n)
{
	if (curves->parts != NULL)
		return true;
	curves->parts = calloc(n, sizeof(*curves->parts));
	curves->n = curves->parts != NULL ? n : 0;
	return curves->parts != NULL;
}

/* Whether the metrics have curves of their own beside the objective's. */
static bool has_parts(const struct job_objective *objective)
{
	return objective->formula != NULL || objective->n_limits > 0 || objective->n_also > 0;
}

/* False: it has no value there. */
static bool value_at(const struct series *series, double step, double *ret)
{
	for (size_t i = series->n; i > 0 && series->steps[i - 1] >= step; i--)
		if (series->steps[i - 1] == step) {
			*ret = series->values[i - 1];
			return true;
		}
	return false;
}

static double combine(const struct job_objective *objective, const double *numbers)
{
	return objective->formula != NULL ? expression_value(objective->formula, numbers)
					  : numbers[0];
}

static bool put_whole(
	struct objective_curves *curves, const struct job_objective *objective, double step)
{
	double numbers[OBJECTIVE_METRICS_MAX];

	for (size_t i = 0; i < objective->n_own; i++)
		if (!value_at(&curves->parts[i], step, &numbers[i]))
			return true;
	return series_put(&curves->whole, step, combine(objective, numbers));
}

bool objective_curves_put(struct objective_curves *curves, const struct job_objective *objective,
	const char *metric, double step, double value)
{
	const size_t i = objective_find(objective, metric);

	if (i == objective->n)
		return true;
	if (!has_parts(objective))
		return series_put(&curves->whole, step, value);
	return make_parts(curves, objective->n) && series_put(&curves->parts[i], step, value) &&
	       (i >= objective->n_own || put_whole(curves, objective, step));
}

void objective_curves_renew(struct objective_curves *curves, int64_t attempt)
{
	series_renew(&curves->whole, attempt);
	for (size_t i = 0; i < curves->n; i++)
		series_renew(&curves->parts[i], attempt);
}

static bool put_curve(struct objective_curves *curves, const struct job_objective *objective,
	const struct curve *curve, struct tuner_error *err)
{
	const size_t i = objective_find(objective, curve->name);

	for (size_t k = 0; k < curve->n; k++)
		if (!objective_curves_put(curves, objective, curve->name, (double)curve->steps[k],
			    curve->values[k]))
			return tuner_fail_memory(err);
	if (i < curves->n)
		curves->parts[i].loaded = curve->newest;
	return true;
}

bool objective_curves_load(struct objective_curves *curves, const struct job_objective *objective,
	const char *name, struct store *store, int64_t trial_id, struct tuner_error *err)
{
	struct curve_list list;

	if (!has_parts(objective))
		return series_load(&curves->whole, store, trial_id, name, err);
	if (!curve_select(store, trial_id, NULL, &list, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < list.n; i++)
		ok = put_curve(curves, objective, &list.items[i], err);
	curve_list_finish(&list);
	/* All of its rows or none: a command cannot report a formula. */
	return ok &&
	       (curves->parts != NULL || series_load(&curves->whole, store, trial_id, name, err));
}

bool objective_begun(const struct objective_curves *curves)
{
	return curves->whole.n > 0 || curves->parts != NULL;
}

static bool has_come(const struct objective_curves *curves, size_t i)
{
	return curves->parts != NULL ? curves->parts[i].n > 0 : curves->whole.n > 0;
}

bool objective_complete(
	const struct objective_curves *curves, const struct job_objective *objective)
{
	for (size_t i = 0; i < objective->n; i++)
		if (!has_come(curves, i))
			return false;
	return true;
}

static double reduce(
	const struct series *series, const struct objective_metric *metric, bool maximize)
{
	return series_reduce(series, metric->reduce, metric->last, maximize);
}

static void reduce_all(const struct objective_curves *curves, const struct job_objective *objective,
	bool maximize, double ret[OBJECTIVE_METRICS_MAX])
{
	for (size_t i = 0; i < objective->n; i++)
		ret[i] = reduce(&curves->parts[i], &objective->metrics[i], maximize);
}

double objective_value(
	const struct objective_curves *curves, const struct job_objective *objective, bool maximize)
{
	double numbers[OBJECTIVE_METRICS_MAX];

	/* Without a formula, or told as a whole. */
	if (curves->parts == NULL)
		return reduce(&curves->whole, &objective->metrics[0], maximize);
	for (size_t i = 0; i < objective->n_own; i++)
		if (!has_come(curves, i))
			return NAN;
	reduce_all(curves, objective, maximize, numbers);

	const double value = combine(objective, numbers);
	const struct judgement judgement = objective_judgement_of(objective, numbers, value);

	return judgement_lacks_objective(&judgement) ? NAN : value;
}

void objective_undefined(
	const struct objective_curves *curves, const struct job_file *file, struct text *ret)
{
	const struct job_objective *objective = &file->objective;
	double numbers[OBJECTIVE_METRICS_MAX];

	if (curves->parts == NULL || !objective_complete(curves, objective))
		return;
	reduce_all(curves, objective, file->maximize, numbers);
	if (isnan(combine(objective, numbers)))
		text_add_visible(ret, file->metric);
	for (size_t k = 0; k < objective->n_also; k++) {
		struct text name = TEXT_EMPTY;

		if (!isnan(expression_value(objective->also[k].formula, numbers)))
			continue;
		goals_add_name(expression_text(objective->also[k].formula), &name);
		text_add(ret, ret->length > 0 ? ", " : "");
		text_add_visible(ret, name.bytes);
		text_finish(&name);
	}
}

static bool names(const struct expression *expression, size_t i)
{
	size_t n;
	const size_t *named = expression_variables(expression, &n);

	for (size_t v = 0; v < n; v++)
		if (named[v] == i)
			return true;
	return false;
}

const char *objective_whose(const struct job_objective *objective, size_t i)
{
	return i < objective->n_own                  ? "objective's"
	       : objective_limits_name(objective, i) ? "limits'"
						     : "further objectives'";
}

bool objective_limits_name(const struct job_objective *objective, size_t i)
{
	for (size_t k = 0; k < objective->n_limits; k++)
		if (names(objective->limits[k], i))
			return true;
	return false;
}

bool objective_also_names(const struct job_objective *objective, size_t i)
{
	for (size_t k = 0; k < objective->n_also; k++)
		if (names(objective->also[k].formula, i))
			return true;
	return false;
}

struct judgement objective_judgement_of(
	const struct job_objective *objective, const double *numbers, double value)
{
	struct judgement ret = {
		.n_limits = objective->n_limits, .objective = value, .n_also = objective->n_also
	};

	for (size_t k = 0; k < ret.n_limits; k++)
		ret.excess[k] = expression_excess(objective->limits[k], numbers);
	for (size_t k = 0; k < ret.n_also; k++)
		ret.also[k] = expression_value(objective->also[k].formula, numbers);
	return ret;
}

struct judgement objective_judge(const struct objective_curves *curves,
	const struct job_objective *objective, double value, bool maximize)
{
	double numbers[OBJECTIVE_METRICS_MAX];

	if (curves->parts == NULL || isnan(value))
		return (struct judgement){ 0 };
	for (size_t i = 0; i < objective->n; i++)
		if ((objective_limits_name(objective, i) || objective_also_names(objective, i)) &&
			!has_come(curves, i))
			return (struct judgement){ 0 };
	reduce_all(curves, objective, maximize, numbers);
	return objective_judgement_of(objective, numbers, value);
}

static void add_broken(
	const struct job_objective *objective, const struct judgement *check, struct text *ret)
{
	const char *separator = "";

	for (size_t i = 0; i < check->n_limits; i++) {
		if (check->excess[i] <= 0)
			continue;
		text_add(ret, separator);
		text_add_visible(ret, expression_text(objective->limits[i]));
		if (isnan(check->excess[i]))
			text_add(ret, " cannot be computed");
		else
			text_print(ret, " is broken by %.4g", check->excess[i]);
		separator = "; ";
	}
}

/* Bytes of the text that fit, without half of a character. */
static int whole_characters(const struct text *text)
{
	size_t n = 0, next = 0;

	while (next < LIMITS_MESSAGE_BYTES && n < text->length) {
		n = next;
		const size_t size = text_utf8_character(text->bytes + n, text->length - n);
		next = n + (size > 0 ? size : 1);
	}
	return (int)n;
}

void objective_limits_message(const struct job_objective *objective, const char *metric,
	const struct judgement *check, char ret[LIMITS_MESSAGE_BYTES])
{
	struct text text = TEXT_EMPTY;

	ret[0] = '\0';
	if (!judgement_is_over(check))
		return;
	add_broken(objective, check, &text);
	text_add(&text, " (");
	text_add_visible(&text, objective_label(metric));
	text_print(&text, " %.6g)", check->objective);
	if (text_failed(&text))
		snprintf(ret, LIMITS_MESSAGE_BYTES, "a limit is broken");
	else
		snprintf(ret, LIMITS_MESSAGE_BYTES, "%.*s", whole_characters(&text), text.bytes);
	text_finish(&text);
}

void objective_missing(const struct objective_curves *curves, const struct job_objective *objective,
	struct text *ret)
{
	const char *separator = "";

	for (size_t i = 0; i < objective->n; i++) {
		if (has_come(curves, i))
			continue;
		text_add(ret, separator);
		text_add_visible(ret, objective->metrics[i].name);
		separator = ", ";
	}
}

/* A word is of the objective's metrics; of all others the last value counts. */
static bool is_uniform(const struct job_objective *objective)
{
	for (size_t i = 1; i < objective->n_own; i++)
		if (objective->metrics[i].reduce != objective->metrics[0].reduce ||
			objective->metrics[i].last != objective->metrics[0].last)
			return false;
	for (size_t i = objective->n_own; i < objective->n; i++)
		if (objective->metrics[i].reduce != REDUCE_LAST)
			return false;
	return true;
}

static void add_reduce(const struct objective_metric *metric, struct text *ret)
{
	text_add_char(ret, '"');
	value_reduce_text(metric->reduce, metric->last, ret);
	text_add_char(ret, '"');
}

void objective_reduce_json(const struct job_objective *objective, struct text *ret)
{
	if (is_uniform(objective)) {
		add_reduce(&objective->metrics[0], ret);
		return;
	}
	for (size_t i = 0; i < objective->n; i++) {
		text_add(ret, i ? ", " : "{");
		text_add_json_string(ret, objective->metrics[i].name);
		text_add(ret, ": ");
		add_reduce(&objective->metrics[i], ret);
	}
	text_add(ret, "}");
}

void objective_limits_json(const struct job_objective *objective, struct text *ret)
{
	text_add(ret, "[");
	for (size_t i = 0; i < objective->n_limits; i++) {
		text_add(ret, i ? ", " : "");
		text_add_json_string(ret, expression_text(objective->limits[i]));
	}
	text_add(ret, "]");
}

void objective_also_item_json(const struct job_also *also, struct text *ret)
{
	text_add(ret, also->maximize ? "{\"maximize\": " : "{\"minimize\": ");
	text_add_json_string(ret, expression_text(also->formula));
	text_add(ret, "}");
}

void objective_also_json(const struct job_objective *objective, struct text *ret)
{
	text_add(ret, "[");
	for (size_t i = 0; i < objective->n_also; i++) {
		text_add(ret, i ? ", " : "");
		objective_also_item_json(&objective->also[i], ret);
	}
	text_add(ret, "]");
}

void objective_text(const struct job_file *file, struct text *ret)
{
	goals_add(file->maximize, file->metric, ret);
	for (size_t i = 0; i < file->objective.n_also; i++) {
		const struct job_also *also = &file->objective.also[i];
		struct text name = TEXT_EMPTY;

		goals_add_name(expression_text(also->formula), &name);
		text_add(ret, ", ");
		goals_add(also->maximize, name.bytes, ret);
		text_finish(&name);
	}
}
