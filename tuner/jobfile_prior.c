/* The key "prior" of a parameter: where good values are expected. */
#include "surrogate/prior.h"
#include "tuner/configuration.h"
#include "tuner/jobfile_facts.h"
#include "tuner/jobfile_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double WEIGHT_MAX = 1e6;

/* Numbers may lie between steps, and between whole numbers. */
static bool is_within(const struct parameter *parameter, const cJSON *node)
{
	return parameter->n_values == 0 && cJSON_IsNumber(node) &&
	       node->valuedouble >= parameter->min && node->valuedouble <= parameter->max;
}

/* False, and reported, if the parameter has no such value. */
static bool read_value(struct reader *reader, size_t i, const cJSON *node, double *ret)
{
	struct text problem = TEXT_EMPTY;

	if (is_within(&reader->file->space.parameters[i], node)) {
		*ret = node->valuedouble;
		return true;
	}
	const bool ok = configuration_value(reader->file, i, node, false, ret, &problem);

	if (!ok)
		report_error(reader, node, AT_VALUE, "%s", problem.bytes);
	text_finish(&problem);
	return ok;
}

static void read_between(struct reader *reader, size_t i, const cJSON *node, struct prior *ret)
{
	double low, high;

	if (!cJSON_IsArray(node)) {
		report_error(reader, node, AT_VALUE,
			"expected [low, high], between which good values are expected");
		return;
	}
	if (!read_value(reader, i, node->child, &low) ||
		!read_value(reader, i, node->child->next, &high))
		return;
	if (low < high)
		*ret = (struct prior){ .low = low, .high = high };
	else if (low > high && reader->file->space.parameters[i].type == PARAMETER_ORDINAL)
		*ret = (struct prior){ .low = high, .high = low }; /* its values descend */
	else
		report_error(reader, node, AT_VALUE,
			"expected two values, the lower one first; for one value that is to be "
			"tried, \"first\" has it");
}

/* ---- weights ---- */

/* As keys: numbers and bools, too, are in quotes, and as short as arguments have them. */
static void add_keys(const struct job_values *values, struct text *ret)
{
	enum { SHOWN = 12 };

	for (size_t k = 0; k < values->n && k < SHOWN; k++) {
		text_add(ret, k > 0 ? ", " : "");
		text_add_json_string(ret, values->text[k]);
	}
	if (values->n > SHOWN)
		text_print(ret, " and %zu more", values->n - SHOWN);
}

/* The category of this name; n if there is none, which is reported. */
static size_t find_category(
	struct reader *reader, const cJSON *node, const struct job_values *values)
{
	struct text keys = TEXT_EMPTY;
	char hint[HINT_BYTES];
	size_t k = 0;

	while (k < values->n && strcmp(values->text[k], node->string) != 0)
		k++;
	if (k < values->n)
		return k;
	add_keys(values, &keys);
	report_error(reader, node, AT_KEY, "expected one of the parameter's values, %s%s",
		keys.bytes,
		nearest_hint(node->string, (const char *const *)values->text, values->n, hint));
	text_finish(&keys);
	return k;
}

static bool is_weight(const cJSON *node)
{
	return cJSON_IsNumber(node) && node->valuedouble > 0 && node->valuedouble <= WEIGHT_MAX;
}

static void fill_weights(
	struct reader *reader, const cJSON *map, const struct job_values *values, double *weights)
{
	for (const cJSON *node = map->child; node; node = node->next) {
		const size_t k = find_category(reader, node, values);

		if (k == values->n)
			continue;
		if (is_weight(node))
			weights[k] = node->valuedouble;
		else
			report_error(reader, node, AT_VALUE,
				"expected a number above 0, at most %.0f: how often this value is "
				"best, where one that is not named counts 1",
				WEIGHT_MAX);
	}
}

static bool all_equal(const double *weights, size_t n)
{
	size_t k = 0;

	while (k < n && weights[k] == weights[0])
		k++;
	return k == n;
}

static void fail_weights(struct reader *reader, const cJSON *node, const struct job_values *values)
{
	struct text key = TEXT_EMPTY;

	text_add_json_string(&key, values->n > 0 ? values->text[0] : "adam");
	report_error(reader, node, AT_VALUE,
		"expected an object of weights by value, such as {%s: 3}", key.bytes);
	text_finish(&key);
}

static bool read_weights(struct reader *reader, size_t i, const cJSON *node, struct prior *ret,
	struct tuner_error *err)
{
	const struct job_values *values = &reader->file->values[i];
	const size_t errors = reader->list->errors;

	if (!cJSON_IsObject(node)) {
		fail_weights(reader, node, values);
		return true;
	}
	ret->weights = calloc(values->n + 1, sizeof *ret->weights);
	if (ret->weights == NULL)
		return tuner_fail_memory(err);
	for (size_t k = 0; k < values->n; k++)
		ret->weights[k] = 1;
	fill_weights(reader, node, values, ret->weights);
	if (reader->list->errors == errors && all_equal(ret->weights, values->n))
		report_error(reader, node, AT_VALUE, "has no effect: all values weigh the same");
	return true;
}

/* ---- all of them ---- */

static bool allocate(struct space *space, struct tuner_error *err)
{
	if (space->priors == NULL)
		space->priors = calloc(2 * SPACE_PARAMETERS_MAX + 1, sizeof *space->priors);
	return space->priors != NULL || tuner_fail_memory(err);
}

bool read_prior(struct reader *reader, const cJSON *definition, size_t i, struct tuner_error *err)
{
	struct space *space = &reader->file->space;
	const cJSON *node = member(definition, SECTION_PARAMETER, "prior");

	if (node == NULL || is_faulty(&space->parameters[i]))
		return true;
	if (!allocate(space, err))
		return false;
	if (space->parameters[i].type == PARAMETER_CATEGORICAL)
		return read_weights(reader, i, node, &space->priors[i], err);
	read_between(reader, i, node, &space->priors[i]);
	return true;
}

/* One search of a stored job may be by "grid" where others are not. */
static bool heeds_priors(const struct job_file *file)
{
	bool any = file->n_arms == 0 && file->strategy.name != STRATEGY_GRID;

	for (size_t i = 0; i < file->n_arms; i++)
		any = any || file->arms[i].strategy.name != STRATEGY_GRID;
	return any;
}

void check_priors(struct reader *reader)
{
	const cJSON *map = member(reader->root, SECTION_FILE, "parameters");

	if (reader->stored || heeds_priors(reader->file))
		return;
	for (const cJSON *item = map ? map->child : NULL; item; item = item->next)
		if (has_member(item, "prior"))
			report_error(reader, member_raw(item, "prior"), AT_KEY,
				"has no effect on the strategy \"grid\"");
}

void prior_json(const struct job_file *file, size_t i, struct text *ret)
{
	const struct prior *prior = &file->space.priors[i];
	const struct job_values *values = &file->values[i];
	const char *separator = "{";

	if (prior->weights == NULL) {
		text_add(ret, "[");
		configuration_value_json(file, i, prior->low, ret);
		text_add(ret, ", ");
		configuration_value_json(file, i, prior->high, ret);
		text_add(ret, "]");
		return;
	}
	for (size_t k = 0; k < values->n; k++) {
		if (prior->weights[k] == 1)
			continue;
		text_add(ret, separator);
		text_add_json_string(ret, values->text[k]);
		text_add(ret, ": ");
		text_add_json_double(ret, prior->weights[k]);
		separator = ", ";
	}
	text_add(ret, "}");
}

bool has_prior(const struct job_file *file, size_t i)
{
	return file->space.priors != NULL && prior_is_given(&file->space.priors[i]);
}
