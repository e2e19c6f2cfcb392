#include "tuner/configuration.h"

#include "base/number.h"
#include "tuner/jobfile_value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_choice(const struct job_file *file, size_t i)
{
	return file->values[i].n > 0;
}

/* ---- values ---- */

void configuration_value_text(const struct job_file *file, size_t i, double value, struct text *ret)
{
	if (is_choice(file, i))
		text_add(ret, file->values[i].text[(size_t)value]);
	else
		text_add_double(ret, value);
}

void configuration_value_json(const struct job_file *file, size_t i, double value, struct text *ret)
{
	if (is_choice(file, i))
		text_add(ret, file->values[i].json[(size_t)value]);
	else if (file->space.parameters[i].type == PARAMETER_FLOAT)
		value_float_json(value, ret);
	else
		text_add_json_double(ret, value);
}

static void add_found(const cJSON *node, struct text *ret)
{
	text_add(ret, ", found ");
	if (value_is_scalar(node))
		value_json(node, ret);
	else
		text_add(ret, json_describe(node, (char[64]){ 0 }));
}

static bool fail_choice(const struct job_values *values, const cJSON *node, struct text *ret)
{
	enum { SHOWN = 12 };
	const char *text = cJSON_IsString(node) ? node->valuestring : "";
	const char *nearest = nearest_word(text, (const char *const *)values->text, values->n);

	text_add(ret, "expected one of ");
	for (size_t k = 0; k < values->n && k < SHOWN; k++)
		text_print(ret, "%s%s", k ? ", " : "", values->json[k]);
	if (values->n > SHOWN)
		text_print(ret, " and %zu more", values->n - SHOWN);
	add_found(node, ret);
	if (nearest != NULL)
		text_print(ret, "; did you mean \"%s\"?", nearest);
	return false;
}

static bool read_choice(
	const struct job_values *values, const cJSON *node, double *ret_value, struct text *ret)
{
	struct text text = TEXT_EMPTY;
	size_t k = values->n;

	if (value_is_scalar(node)) {
		value_text(node, &text);
		for (k = 0; k < values->n && strcmp(values->text[k], text.bytes) != 0;)
			k++;
	}
	text_finish(&text);
	if (k == values->n)
		return fail_choice(values, node, ret);
	*ret_value = (double)k;
	return true;
}

/* A number inside the bounds and yet not of the space lies between two lattice values. */
static bool fail_lattice(const struct parameter *parameter, const cJSON *node, struct text *ret)
{
	const double step = parameter->step > 0 ? parameter->step : 1;
	const double k = floor((node->valuedouble - parameter->min) / step);
	const double last = (double)parameter_cardinality(parameter) - 1;
	const uint64_t below = (uint64_t)fmin(fmax(k, 0), last);

	text_add(ret, "expected ");
	if (parameter->type == PARAMETER_INT && step == 1)
		text_add(ret, "a whole number");
	else
		text_add(ret, "a step from the minimum");
	text_add(ret, ", such as ");
	text_add_double(ret, parameter_value(parameter, below));
	if (below < (uint64_t)last) {
		text_add(ret, " or ");
		text_add_double(ret, parameter_value(parameter, below + 1));
	}
	add_found(node, ret);
	return false;
}

static bool fail_range(const struct parameter *parameter, const cJSON *node, struct text *ret)
{
	text_add(ret, parameter->type == PARAMETER_INT ? "expected a whole number from "
						       : "expected a number from ");
	text_add_double(ret, parameter->min);
	text_add(ret, " to ");
	text_add_double(ret, parameter->max);
	add_found(node, ret);
	return false;
}

static bool read_number(const struct parameter *parameter, const cJSON *node, bool lenient,
	double *ret_value, struct text *ret)
{
	const double value = cJSON_IsNumber(node) ? node->valuedouble : NAN;

	if (isnan(value))
		return fail_range(parameter, node, ret);
	if (!lenient && (value < parameter->min || value > parameter->max))
		return fail_range(parameter, node, ret);
	if (!lenient && !parameter_contains(parameter, value))
		return fail_lattice(parameter, node, ret);
	*ret_value = value == 0 ? 0 : value; /* no -0.0 */
	return true;
}

bool configuration_value(const struct job_file *file, size_t i, const cJSON *node, bool lenient,
	double *ret_value, struct text *ret_problem)
{
	if (is_choice(file, i))
		return read_choice(&file->values[i], node, ret_value, ret_problem);
	return read_number(&file->space.parameters[i], node, lenient, ret_value, ret_problem);
}

void configuration_unknown(const struct job_file *file, const char *name, struct text *ret_problem)
{
	const char *names[SPACE_PARAMETERS_MAX];

	for (size_t i = 0; i < file->n_fixed; i++)
		if (strcmp(file->fixed[i].name, name) == 0) {
			text_print(ret_problem, "is fixed at %s, not a parameter",
				file->fixed[i].json);
			return;
		}
	for (size_t i = 0; i < file->space.d; i++)
		names[i] = file->space.parameters[i].name;
	const char *nearest = nearest_word(name, names, file->space.d);
	text_add(ret_problem, "there is no such parameter");
	if (nearest != NULL)
		text_print(ret_problem, "; did you mean \"%s\"?", nearest);
}

/* ---- conditions and constraints ---- */

static void add_condition(
	const struct job_file *file, const struct condition *condition, struct text *ret)
{
	enum { SHOWN = 8 };

	text_print(ret, "%s is ", file->space.parameters[condition->parent].name);
	for (size_t k = 0; k < condition->n && k < SHOWN; k++) {
		text_add(ret, k > 0 ? " or " : "");
		configuration_value_json(file, condition->parent, condition->values[k], ret);
	}
	if (condition->n > SHOWN)
		text_print(ret, " or one of %zu more", condition->n - SHOWN);
}

void configuration_conditions(const struct job_file *file, size_t i, struct text *ret)
{
	const char *separator = "";

	for (size_t c = 0; c < file->space.n_conditions; c++)
		if (file->space.conditions[c].parameter == i) {
			text_add(ret, separator);
			add_condition(file, &file->space.conditions[c], ret);
			separator = ", and ";
		}
}

/* A parent of parameter i that is not given; d if all are. */
static size_t missing_parent(const struct job_file *file, const double *values, size_t i)
{
	for (size_t c = 0; c < file->space.n_conditions; c++) {
		const struct condition *condition = &file->space.conditions[c];

		if (condition->parameter == i && isnan(values[condition->parent]))
			return condition->parent;
	}
	return file->space.d;
}

static bool check_conditions(
	const struct job_file *file, const double *values, size_t *ret_i, struct text *ret_problem)
{
	const struct space *space = &file->space;
	bool active[SPACE_PARAMETERS_MAX];

	space_activity(space, values, active);
	for (size_t i = 0; i < space->d; i++) {
		const size_t parent = missing_parent(file, values, i);

		if (isnan(values[i]) || (active[i] && parent == space->d))
			continue;
		if (active[i])
			text_print(ret_problem,
				"needs %s to be given as well: it is there only where ",
				space->parameters[parent].name);
		else
			text_add(ret_problem, "is given in vain: it is there only where ");
		configuration_conditions(file, i, ret_problem);
		*ret_i = i;
		return false;
	}
	return true;
}

/* Whether a partial configuration can be completed within the constraints, by completing it once.
 * A fault of another kind, such as no memory, is not the configuration's. */
static bool can_be_completed(
	const struct job_file *file, const double *values, struct text *ret_problem)
{
	const struct strategy strategy = { .name = STRATEGY_SOBOL };
	const struct suggest_request request = { .space = &file->space,
		.strategy = &strategy,
		.seed = file->seed,
		.number = 1,
		.budget_trials = 1,
		.parallel = 1,
		.partial = values };
	struct suggestion suggestion;
	struct tuner_error fault;
	bool complete = true;

	for (size_t i = 0; i < file->space.d; i++)
		complete = complete && !isnan(values[i]);
	if (complete || file->space.n_constraints == 0 || suggest(&request, &suggestion, &fault) ||
		fault.code != TUNER_USAGE)
		return true;
	text_add(ret_problem, "cannot be completed: ");
	text_add(ret_problem, fault.message);
	return false;
}

bool configuration_settle(
	const struct job_file *file, double *values, size_t *ret_i, struct text *ret_problem)
{
	if (!check_conditions(file, values, ret_i, ret_problem))
		return false;
	space_settle(&file->space, values);

	const struct expression *broken = space_broken_constraint(&file->space, values);

	*ret_i = file->space.d;
	if (broken == NULL)
		return can_be_completed(file, values, ret_problem);
	text_print(ret_problem, "breaks the constraint \"%s\"", expression_text(broken));
	return false;
}

/* ---- whole configurations ---- */

void configuration_json(const struct job_file *file, const double *values, struct text *ret)
{
	const char *separator = "{";
	bool active[SPACE_PARAMETERS_MAX];

	space_activity(&file->space, values, active);
	for (size_t i = 0; i < file->space.d; i++) {
		if (isnan(values[i]) || !active[i])
			continue;
		text_add(ret, separator);
		text_add_json_string(ret, file->space.parameters[i].name);
		text_add(ret, ": ");
		configuration_value_json(file, i, values[i], ret);
		separator = ", ";
	}
	text_add(ret, *separator == '{' ? "{}" : "}");
}

bool configuration_rewrite(const struct job_file *file, const char *json, bool complete, char **ret,
	struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	struct tuner_error misfit = { TUNER_OK, "" };
	struct text text = TEXT_EMPTY;

	*ret = NULL;
	if (!configuration_parse(file, json, false, values, &misfit))
		return misfit.code != TUNER_FATAL || tuner_fail_memory(err);
	for (size_t i = 0; complete && i < file->space.d; i++)
		if (isnan(values[i]))
			return true;
	configuration_json(file, values, &text);
	*ret = text_take(&text);
	return *ret != NULL || tuner_fail_memory(err);
}

/* Without an error where `lenient` says so: this trial does not fit, and that is all. */
static bool misfit(
	bool lenient, const char *name, const struct text *problem, struct tuner_error *err)
{
	if (lenient)
		err->code = TUNER_OK;
	else
		tuner_fail(err, TUNER_USAGE, "%.200s: %.700s", name, problem->bytes);
	return false;
}

/* What is not active any more has lost its value; what is must have one. */
static bool settle_old(const struct job_file *file, double *values)
{
	space_settle(&file->space, values);
	for (size_t i = 0; i < file->space.d; i++)
		if (isnan(values[i]))
			return false;
	return true;
}

static bool settle_new(
	const struct job_file *file, double *values, struct text *problem, struct tuner_error *err)
{
	size_t i;

	if (configuration_settle(file, values, &i, problem))
		return true;
	return tuner_fail(err, TUNER_USAGE, "%.200s%s%.700s",
		i < file->space.d ? file->space.parameters[i].name : "it",
		i < file->space.d ? ": " : " ", problem->bytes);
}

static bool parse_members(const struct job_file *file, const cJSON *object, bool lenient,
	double *ret_values, struct tuner_error *err)
{
	struct text problem = TEXT_EMPTY;
	bool ok = true;

	for (const cJSON *child = object->child; ok && child; child = child->next) {
		const size_t i = space_find(&file->space, child->string);
		if (i < file->space.d) {
			if (!configuration_value(file, i, child, lenient, &ret_values[i], &problem))
				ok = misfit(lenient, child->string, &problem, err);
		} else if (!lenient) {
			configuration_unknown(file, child->string, &problem);
			ok = misfit(lenient, child->string, &problem, err);
		}
	}
	ok = ok &&
	     (lenient ? settle_old(file, ret_values) : settle_new(file, ret_values, &problem, err));
	if (!ok && lenient)
		err->code = TUNER_OK;
	text_finish(&problem);
	return ok;
}

bool configuration_parse(const struct job_file *file, const char *json, bool lenient,
	double *ret_values, struct tuner_error *err)
{
	struct json_document *document = NULL;
	/* Stored ones were checked when they came in: a long history is read in a third of the time
	 * without that. */
	cJSON *stored = lenient ? cJSON_Parse(json) : NULL;
	char found[64];
	bool ok = false;

	for (size_t i = 0; i < file->space.d; i++)
		ret_values[i] = NAN;
	if (stored == NULL && !json_parse("parameters", json, strlen(json), &document, err))
		goto out;
	const cJSON *root = stored != NULL ? stored : json_root(document);
	if (!cJSON_IsObject(root)) {
		tuner_fail(err, TUNER_USAGE,
			"expected an object of values by name, such as {\"%.100s\": ...}, found %s",
			file->space.parameters[0].name, json_describe(root, found));
		goto out;
	}
	ok = parse_members(file, root, lenient, ret_values, err);
out:
	cJSON_Delete(stored);
	json_destroy(document);
	return ok;
}

/* An empty category could not be told from none. */
static void add_value_shown(const struct job_file *file, size_t i, double value, struct text *ret)
{
	const size_t before = ret->length;

	configuration_value_text(file, i, value, ret);
	if (ret->length == before)
		text_add(ret, "\"\"");
}

void configuration_text(const struct job_file *file, const double *values, struct text *ret)
{
	const char *separator = "";
	bool active[SPACE_PARAMETERS_MAX];

	space_activity(&file->space, values, active);
	for (size_t i = 0; i < file->space.d; i++) {
		if (isnan(values[i]) || !active[i])
			continue;
		text_print(ret, "%s%s=", separator, file->space.parameters[i].name);
		if (file->space.parameters[i].type == PARAMETER_FLOAT)
			text_print(ret, "%.4g", values[i]);
		else
			add_value_shown(file, i, values[i], ret);
		separator = " ";
	}
}

void configuration_stored_values(
	const struct job_file *file, const double *values, double *ret_values)
{
	bool active[SPACE_PARAMETERS_MAX];

	space_activity(&file->space, values, active);
	for (size_t i = 0; i < file->space.d; i++)
		ret_values[i] = active[i] ? values[i] : NAN;
}

/* ---- what a command is passed of an older configuration ---- */

static bool is_passed(const struct job_file *file, const bool *active, const cJSON *value)
{
	const size_t i = space_find(&file->space, value->string);
	struct text text = TEXT_EMPTY;
	bool same = false;

	if (i < file->space.d)
		return active[i];
	value_text(value, &text);
	for (size_t k = 0; k < file->n_fixed && !same; k++)
		same = strcmp(file->fixed[k].name, value->string) == 0 &&
		       strcmp(file->fixed[k].text, text.bytes) == 0;
	text_finish(&text);
	return same;
}

bool configuration_left_out(const struct job_file *file, const char *json, const double *values,
	char **ret_name, struct tuner_error *err)
{
	cJSON *const stored = cJSON_Parse(json);
	bool active[SPACE_PARAMETERS_MAX];

	*ret_name = NULL;
	if (stored == NULL)
		return tuner_fail_memory(err);
	space_activity(&file->space, values, active);
	const cJSON *value = stored->child;
	while (value != NULL && is_passed(file, active, value))
		value = value->next;
	*ret_name = value != NULL ? strdup(value->string) : NULL;
	const bool ok = value == NULL || *ret_name != NULL || tuner_fail_memory(err);
	cJSON_Delete(stored);
	return ok;
}

/* ---- arguments ---- */

static bool argument_without_value(const struct job_file *file, size_t i, struct argument *ret)
{
	*ret = (struct argument){ .name = strdup(file->space.parameters[i].name) };
	return ret->name != NULL;
}

static bool argument_of_parameter(
	const struct job_file *file, size_t i, double value, struct argument *ret)
{
	struct text text = TEXT_EMPTY, json = TEXT_EMPTY;

	configuration_value_text(file, i, value, &text);
	configuration_value_json(file, i, value, &json);
	*ret = (struct argument){ .name = strdup(file->space.parameters[i].name),
		.text = text_take(&text),
		.json = text_take(&json) };
	return ret->name && ret->text && ret->json;
}

static bool argument_copy(const struct argument *argument, struct argument *ret)
{
	*ret = (struct argument){ .name = strdup(argument->name),
		.text = strdup(argument->text),
		.json = strdup(argument->json) };
	return ret->name && ret->text && ret->json;
}

struct argument *configuration_arguments(const struct job_file *file, const double *values)
{
	const size_t d = file->space.d, n = d + file->n_fixed;
	struct argument *arguments = calloc(n + 1, sizeof(*arguments));
	bool active[SPACE_PARAMETERS_MAX], ok = arguments != NULL;

	space_activity(&file->space, values, active);
	for (size_t k = 0; ok && k < n; k++) {
		const size_t i = file->order[k];
		if (i >= d)
			ok = argument_copy(&file->fixed[i - d], &arguments[k]);
		else if (active[i])
			ok = argument_of_parameter(file, i, values[i], &arguments[k]);
		else
			ok = argument_without_value(file, i, &arguments[k]);
	}
	if (!ok) {
		arguments_free(arguments, n);
		return NULL;
	}
	return arguments;
}

void arguments_free(struct argument *arguments, size_t n)
{
	for (size_t i = 0; arguments && i < n; i++) {
		free((char *)arguments[i].name);
		free((char *)arguments[i].text);
		free((char *)arguments[i].json);
	}
	free(arguments);
}
