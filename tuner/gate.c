#include "tuner/gate.h"

#include "base/number.h"
#include "tuner/goals.h"
#include "tuner/objective.h"
#include "tuner/reported.h"
#include "tuner/text_width.h"

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const relations[] = {
	[GATE_AT_LEAST] = ">=",
	[GATE_AT_MOST] = "<=",
	[GATE_ABOVE] = ">",
	[GATE_BELOW] = "<",
	[GATE_EQUAL] = "==",
};

static bool fail_form(const char *text, const char *what, struct tuner_error *err)
{
	return tuner_fail(err, TUNER_USAGE,
		"--gate '%.80s': %s; a gate is METRIC >=, <=, >, < or == NUMBER, as in "
		"'validation-accuracy >= 0.70'",
		text, what);
}

/* The last relation of the text; NULL without one. */
static const char *find_relation(const char *text, enum gate_relation *ret, size_t *ret_length)
{
	const char *found = NULL;
	for (const char *at = text; *at != '\0'; at++)
		for (enum gate_relation r = GATE_AT_LEAST; r <= GATE_EQUAL; r++) {
			const size_t length = strlen(relations[r]);
			if (strncmp(at, relations[r], length) != 0)
				continue;
			found = at;
			*ret = r;
			*ret_length = length;
			at += length - 1;
			break;
		}
	return found;
}

/* A copy without the blanks around it. */
static char *trimmed(const char *bytes, size_t length)
{
	while (length > 0 && isspace((unsigned char)*bytes)) {
		bytes++;
		length--;
	}
	while (length > 0 && isspace((unsigned char)bytes[length - 1]))
		length--;
	return strndup(bytes, length);
}

/* Which objective this names: 0 is the first; n_also + 1: it is none of them. */
static size_t objective_named(const struct job_file *file, const char *metric)
{
	const struct job_objective *objective = &file->objective;
	size_t i = 0;

	if (strcmp(metric, file->metric) == 0)
		return 0;
	while (i < objective->n_also &&
		!goals_is_name(expression_text(objective->also[i].formula), metric))
		i++;
	return i + 1;
}

static bool is_objective(const struct job_file *file, const char *metric)
{
	return objective_named(file, metric) <= file->objective.n_also;
}

static bool is_known(const struct job_file *file, const char *metric)
{
	return job_file_lists_metric(file, metric) || is_objective(file, metric);
}

/* Takes the backquotes off a name that stands in them, as in an expression, unless they are part of a
 * known name or formula. */
static void unquote(char *name, const struct job_file *file)
{
	const size_t length = strlen(name);
	char *to = name;

	if (length < 3 || name[0] != '`' || name[length - 1] != '`' || is_known(file, name))
		return;
	for (const char *at = name + 1; at < name + length - 1; at++) {
		if (*at == '`' && (at[1] != '`' || at + 1 == name + length - 1))
			return; /* a formula of several names */
		at += *at == '`';
	}
	for (const char *at = name + 1; at < name + length - 1; at++) {
		*to++ = *at;
		at += *at == '`';
	}
	*to = '\0';
}

/* A job file without "metrics" accepts whatever "@tuner" lines name. */
static bool check_metric(
	const char *text, const char *metric, const struct job_file *file, struct tuner_error *err)
{
	const char **names = calloc(file->n_metrics + 1, sizeof(*names));
	struct text known = TEXT_EMPTY;
	const bool ok = file->n_metrics == 0 || is_known(file, metric);

	if (names == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < file->n_metrics; i++) {
		names[i] = file->metrics[i].name;
		text_print(&known, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	if (!ok) {
		const char *nearest = nearest_word(metric, names, file->n_metrics);
		if (nearest != NULL)
			tuner_fail(err, TUNER_USAGE,
				"--gate '%.60s': the job file has no metric \"%.40s\"; did you "
				"mean \"%.60s\"?",
				text, metric, nearest);
		else
			tuner_fail(err, TUNER_USAGE,
				"--gate '%.60s': the job file has no metric \"%.40s\"; it has "
				"%.80s",
				text, metric, known.bytes);
	}
	text_finish(&known);
	free(names);
	return ok;
}

bool gate_parse(
	const char *text, const struct job_file *file, struct gate *ret, struct tuner_error *err)
{
	enum gate_relation relation = GATE_EQUAL;
	size_t length = 0;
	const char *at = find_relation(text, &relation, &length);
	if (at == NULL)
		return fail_form(text,
			strchr(text, '=') != NULL ? "a single = is no comparison"
						  : "it has no comparison",
			err);
	struct gate gate = { .relation = relation,
		.metric = trimmed(text, (size_t)(at - text)),
		.text = trimmed(text, strlen(text)),
		.value = NAN,
		.said = TEXT_EMPTY };
	char *number = trimmed(at + length, strlen(at + length));
	bool ok = false;

	if (gate.metric == NULL || gate.text == NULL || number == NULL)
		tuner_fail_memory(err);
	else if (gate.metric[0] != '\0' && strchr("=<>!", gate.metric[strlen(gate.metric) - 1]))
		fail_form(text,
			is_known(file, gate.metric)
				? "a metric whose name ends so stands in backquotes"
				: "that is not a comparison",
			err);
	else if (gate.metric[0] == '\0')
		fail_form(text, "its left side has no metric", err);
	else if (!number_to_double(number, &gate.bound) || !isfinite(gate.bound))
		fail_form(text, "its right side is not a number", err);
	else {
		unquote(gate.metric, file);
		ok = check_metric(text, gate.metric, file, err);
	}
	free(number);
	if (ok)
		*ret = gate;
	else
		gate_finish(&gate);
	return ok;
}

/* ---- what nobody reports ---- */

static void warn_of(const struct gate *gate, const struct metric_names *names, struct text *ret)
{
	text_add(ret, ret->length > 0 ? "\n" : "");
	text_add(ret, "warning: gate ");
	text_add_visible(ret, gate->text);
	text_add(ret, ": no trial has reported \"");
	text_add_visible(ret, gate->metric);
	text_add(ret, "\" so far; ");
	reported_guess(names, gate->metric, ret);
}

/* Whether the gate is judged by a metric's rows, not by an objective. */
static bool asks_for_rows(const struct gate *gate, const struct job_file *file)
{
	return !is_objective(file, gate->metric);
}

bool gates_warn(const struct gate *gates, size_t n, const struct job_file *file,
	struct store *store, int64_t job_id, struct text *ret, struct tuner_error *err)
{
	struct metric_names names = { 0 };
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any = any || asks_for_rows(&gates[i], file);
	if (!any)
		return true;
	if (!metric_names_select(store, job_id, &names, err))
		return false;
	for (size_t i = 0; i < n && names.n > 0; i++)
		if (asks_for_rows(&gates[i], file) && !reported_has(&names, gates[i].metric))
			warn_of(&gates[i], &names, ret);
	metric_names_finish(&names);
	return !text_failed(ret) || tuner_fail_memory(err);
}

/* ---- a baseline ---- */

/* In doubles 0.7 + 0.1 is less than 0.8: a result worse by exactly the tolerance must not miss the
 * gate by a rounding. */
static double rounding_of_sum(double objective, double tolerance)
{
	return tolerance > 0 && isfinite(objective)
		       ? 2 * DBL_EPSILON * (fabs(objective) + tolerance)
		       : 0;
}

bool gate_of_baseline(double objective, double tolerance, const struct job_file *file,
	struct gate *ret, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;
	struct gate gate = { .relation = file->maximize ? GATE_AT_LEAST : GATE_AT_MOST,
		.metric = strdup(file->metric),
		.bound = file->maximize ? objective - tolerance : objective + tolerance,
		.rounding = rounding_of_sum(objective, tolerance),
		.value = NAN,
		.said = TEXT_EMPTY };

	text_print(&text, "%s %s ", file->metric, relations[gate.relation]);
	text_add_double(&text, objective);
	text_add(&text, " (baseline)");
	if (tolerance > 0) {
		text_add(&text, file->maximize ? " - " : " + ");
		text_add_double(&text, tolerance);
	}
	gate.text = text_take(&text);
	if (gate.text != NULL && gate.metric != NULL) {
		*ret = gate;
		return true;
	}
	gate_finish(&gate);
	return tuner_fail_memory(err);
}

void gate_finish(struct gate *gate)
{
	free(gate->text);
	free(gate->metric);
	text_finish(&gate->said);
	*gate = (struct gate){ 0 };
}

bool metric_at_trial(struct store *store, const struct job_file *file, const struct trial *trial,
	const char *metric, double *ret, struct tuner_error *err)
{
	struct curve_list curves;
	*ret = NAN;
	if (is_objective(file, metric)) {
		const size_t i = objective_named(file, metric);
		*ret = i == 0 ? trial->objective : goals_value(trial, i);
		return true;
	}
	if (!curve_select(store, trial->id, metric, &curves, err))
		return false;
	if (curves.n > 0 && curves.items[0].n > 0)
		*ret = curves.items[0].values[curves.items[0].n - 1];
	curve_list_finish(&curves);
	return true;
}

/* NaN compares with nothing, and holds no gate. */
static bool holds(const struct gate *gate)
{
	const double value = gate->value, bound = gate->bound;

	switch (gate->relation) {
	case GATE_AT_LEAST:
		return value >= bound - gate->rounding;
	case GATE_AT_MOST:
		return value <= bound + gate->rounding;
	case GATE_ABOVE:
		return value > bound;
	case GATE_BELOW:
		return value < bound;
	default:
		return value == bound;
	}
}

/* How far beyond, or short of, the bound. */
static void say_distance(const struct gate *gate, struct text *ret)
{
	/* The difference of two infinities is NaN. */
	const double off = gate->value == gate->bound ? 0 : fabs(gate->value - gate->bound);
	const double distance = off > gate->rounding ? off : 0;

	if (!gate->held && distance == 0)
		text_add(ret, ", which is the bound itself");
	else if (!gate->held)
		text_print(ret, ", too %s by %.6g", gate->value < gate->bound ? "low" : "high",
			distance);
	else if (gate->relation != GATE_EQUAL)
		text_print(ret, ", with %.6g to spare", distance);
}

bool gate_judge(struct gate *gate, struct store *store, const struct job_file *file,
	const struct trial *best, struct tuner_error *err)
{
	text_clear(&gate->said);
	gate->value = NAN;
	gate->held = false;
	if (best == NULL) {
		text_add(&gate->said, "no trial has given an objective");
	} else {
		if (!metric_at_trial(store, file, best, gate->metric, &gate->value, err))
			return false;
		gate->held = holds(gate);
		text_print(&gate->said, "trial %lld ", (long long)best->number);
		if (isnan(gate->value)) {
			text_print(&gate->said, "reported no %s", gate->metric);
		} else {
			text_add(&gate->said, "has ");
			text_add_double(&gate->said, gate->value);
			say_distance(gate, &gate->said);
		}
	}
	return !text_failed(&gate->said) || tuner_fail_memory(err);
}
