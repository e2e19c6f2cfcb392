/* What the database stores of a job file besides its text, and a job file made from that. */
#include "tuner/jobfile_facts.h"

#include "base/json.h"
#include "base/number.h"
#include "tuner/decision_notes.h"
#include "tuner/goals.h"
#include "tuner/jobfile_value.h"
#include "tuner/objective.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Optuna's distributions (3.x JSON), so that its tools read our database ---- */

static void add_number(const char *before, double number, struct text *ret)
{
	text_add(ret, before);
	text_add_json_double(ret, number);
}

/* The greatest lattice value, since Optuna warns of a high that no step reaches. */
static double highest(const struct parameter *p)
{
	const uint64_t n = parameter_cardinality(p);

	return n > 0 ? parameter_value(p, n - 1) : p->max;
}

/* Optuna has no step on a log scale: it is left out for such a parameter. */
static void float_distribution(const struct parameter *p, struct text *ret)
{
	const bool log = p->scale == SCALE_LOG;

	text_add(ret, "{\"name\": \"FloatDistribution\", \"attributes\": {\"step\": ");
	if (p->step > 0 && !log)
		text_add_json_double(ret, p->step);
	else
		text_add(ret, "null");
	add_number(", \"low\": ", p->min, ret);
	add_number(", \"high\": ", log ? p->max : highest(p), ret);
	text_print(ret, ", \"log\": %s}}", log ? "true" : "false");
}

static void int_distribution(const struct parameter *p, struct text *ret)
{
	const bool log = p->scale == SCALE_LOG;

	text_print(ret, "{\"name\": \"IntDistribution\", \"attributes\": {\"log\": %s",
		log ? "true" : "false");
	add_number(", \"step\": ", p->step > 0 && !log ? p->step : 1, ret);
	add_number(", \"low\": ", p->min, ret);
	add_number(", \"high\": ", log ? p->max : highest(p), ret);
	text_add(ret, "}}");
}

static void add_labels(const struct job_values *values, struct text *ret)
{
	for (size_t k = 0; k < values->n; k++)
		text_print(ret, "%s%s", k ? ", " : "[", values->json[k]);
	text_add(ret, "]");
}

static void add_distribution(const struct job_file *file, size_t i, struct text *ret)
{
	const struct parameter *p = &file->space.parameters[i];

	if (p->type == PARAMETER_FLOAT) {
		float_distribution(p, ret);
	} else if (p->type == PARAMETER_INT) {
		int_distribution(p, ret);
	} else {
		text_add(ret, "{\"name\": \"CategoricalDistribution\", \"attributes\": "
			      "{\"choices\": ");
		add_labels(&file->values[i], ret);
		text_add(ret, "}}");
	}
}

/* ---- the space ---- */

/* Constraints may name fixed values, which then belong to the space. */
static void add_rules(const struct job_file *file, struct text *ret)
{
	for (size_t i = 0; i < file->n_fixed; i++) {
		text_add(ret, ", ");
		text_add_json_string(ret, file->fixed[i].name);
		text_print(ret, ": {\"type\": \"fixed\", \"value\": %s}", file->fixed[i].json);
	}
	/* No parameter has an empty name. */
	text_add(ret, ", \"\": ");
	constraints_json(file, ret);
}

static void add_definition(const struct job_file *file, struct text *ret)
{
	for (size_t i = 0; i < file->space.d; i++) {
		text_add(ret, i ? ", " : "{");
		text_add_json_string(ret, file->space.parameters[i].name);
		text_add(ret, ": ");
		parameter_definition(file, i, ret);
	}
	if (file->space.n_constraints > 0)
		add_rules(file, ret);
	text_add(ret, "}");
}

/* Where a row's strings begin in the list's memory; labels 0: none (the name is before them). */
struct offsets {
	size_t name, distribution, labels;
};

static size_t add_terminated(struct text *memory, const char *string)
{
	const size_t offset = memory->length;

	text_add_bytes(memory, string, strlen(string) + 1);
	return offset;
}

static struct offsets add_strings(const struct job_file *file, size_t i, struct text *memory)
{
	struct offsets offsets = { .name = add_terminated(memory, file->space.parameters[i].name) };
	struct text text = TEXT_EMPTY;

	add_distribution(file, i, &text);
	memory->failed |= text_failed(&text);
	offsets.distribution = add_terminated(memory, text.bytes);
	text_clear(&text);
	if (file->values[i].n > 0) {
		add_labels(&file->values[i], &text);
		memory->failed |= text_failed(&text);
		offsets.labels = add_terminated(memory, text.bytes);
	}
	text_finish(&text);
	return offsets;
}

static void set_row(const struct job_file *file, size_t i, const struct offsets *offsets,
	const char *memory, struct parameter_row *ret)
{
	const enum parameter_type type = file->space.parameters[i].type;

	*ret = (struct parameter_row){
		.name = memory + offsets->name,
		.kind = type == PARAMETER_FLOAT ? "float"
			: type == PARAMETER_INT ? "int"
						: "categorical",
		.distribution = memory + offsets->distribution,
		.labels = offsets->labels ? memory + offsets->labels : NULL,
	};
}

bool job_file_space(const struct job_file *file, char **ret_definition,
	struct parameter_list *ret_parameters, struct tuner_error *err)
{
	const size_t d = file->space.d;
	struct text definition = TEXT_EMPTY, memory = TEXT_EMPTY;
	struct offsets *offsets = calloc(d + 1, sizeof(*offsets));
	struct parameter_row *items = calloc(d + 1, sizeof(*items));
	char *bytes = NULL;
	bool ok = false;

	if (offsets == NULL || items == NULL)
		goto out;
	add_definition(file, &definition);
	for (size_t i = 0; i < d; i++)
		offsets[i] = add_strings(file, i, &memory);
	bytes = text_failed(&definition) ? NULL : text_take(&memory);
	if (bytes == NULL)
		goto out;
	for (size_t i = 0; i < d; i++)
		set_row(file, i, &offsets[i], bytes, &items[i]);
	*ret_definition = text_take(&definition);
	*ret_parameters = (struct parameter_list){ .items = items, .n = d, .memory = bytes };
	items = NULL;
	ok = true;
out:
	free(offsets);
	free(items);
	text_finish(&definition);
	text_finish(&memory);
	return ok ? true : tuner_fail_memory(err);
}

/* ---- objective and strategy ---- */

/* In the job file's notation. */
char *job_file_objective(const struct job_file *file)
{
	const struct job_objective *objective = &file->objective;
	struct text text = TEXT_EMPTY;

	if (objective->cost != NULL) {
		text_print(&text, "{\"cost\": %s, \"per\": \"%s\"", objective->cost,
			objective->per_case ? "case" : "all");
	} else {
		text_print(
			&text, "{\"%s\": ", objective->formula != NULL ? "expression" : "metric");
		text_add_json_string(&text, file->metric);
	}
	text_print(&text,
		", \"goal\": \"%s\", \"reduce\": ", file->maximize ? "maximize" : "minimize");
	objective_reduce_json(objective, &text);
	if (objective->n_limits > 0) {
		text_add(&text, ", \"limits\": ");
		objective_limits_json(objective, &text);
	}
	if (objective->n_also > 0) {
		text_add(&text, ", \"also\": ");
		objective_also_json(objective, &text);
	}
	text_add(&text, "}");
	return text_take(&text);
}

/* Without settings that do not apply to the chosen acquisition. */
static void print_acquisition(const struct strategy *s, struct text *text)
{
	char beta[NUMBER_TEXT];

	text_print(text, ", \"acquisition\": \"%s\"", strategy_acquisition_name(s->acquisition));
	if (s->acquisition == STRATEGY_UCB)
		text_print(text, ", \"ucb_beta\": %s", number_from_double(s->ucb_beta, beta));
	if (s->acquisition == STRATEGY_EI)
		text_print(text,
			", \"incumbent\": \"%s\", \"cost_aware\": %s, \"hyperparameters\": \"%s\"",
			strategy_incumbent_name(s->incumbent), s->cost_aware ? "true" : "false",
			strategy_hyperparameters_name(s->hyperparameters));
}

char *job_file_strategy(const struct job_file *file)
{
	return strategy_settings(&file->strategy);
}

char *strategy_settings(const struct strategy *s)
{
	struct text text = TEXT_EMPTY;

	text_print(&text, "{\"name\": \"%s\"", strategy_name(s->name));
	if (s->name == STRATEGY_RANDOM && s->initial > 0)
		text_print(&text, ", \"initial\": %zu", s->initial);
	if (s->name == STRATEGY_BAYESIAN) {
		text_print(&text,
			", \"initial\": %zu, \"deterministic\": %s, \"warp\": \"%s\", "
			"\"transform\": \"%s\", \"trust_region\": \"%s\"",
			s->initial, s->deterministic ? "true" : "false",
			strategy_warp_name(s->warp), transform_name(s->transform),
			strategy_trust_region_name(s->trust_region));
		print_acquisition(s, &text);
	}
	if (s->name == STRATEGY_GRID)
		text_print(&text, ", \"points\": %zu", s->grid_points);
	text_add(&text, "}");
	return text_take(&text);
}

/* ---- the way back ---- */

/* A decision's settings are as in a job file, except its own notes, and 0, with which a job file
 * cannot ask for the default. */
static cJSON *strategy_key(const char *settings)
{
	cJSON *strategy = cJSON_Parse(settings);
	const cJSON *initial = cJSON_GetObjectItemCaseSensitive(strategy, "initial");

	decision_notes_remove(strategy);
	if (cJSON_IsNumber(initial) && initial->valuedouble == 0)
		cJSON_DeleteItemFromObjectCaseSensitive(strategy, "initial");
	return strategy;
}

static void add_key(struct text *text, const char *name, const cJSON *value)
{
	char *json = value != NULL ? json_print(value, 0) : NULL;

	if (json != NULL)
		text_print(text, ", \"%s\": %s", name, json);
	free(json);
}

static void print_restored(const char *definition, const char *settings, struct text *text)
{
	cJSON *parameters = cJSON_Parse(definition);
	cJSON *constraints = cJSON_DetachItemFromObjectCaseSensitive(parameters, "");
	cJSON *strategy = settings != NULL ? strategy_key(settings) : NULL;

	text_add(text, "{\"objective\": {\"metric\": \"m\", \"goal\": \"minimize\"}");
	add_key(text, "parameters", parameters);
	add_key(text, "constraints", constraints);
	add_key(text, "strategy", strategy);
	text_add(text, "}");
	cJSON_Delete(parameters);
	cJSON_Delete(constraints);
	cJSON_Delete(strategy);
}

bool job_file_restore(const char *definition, const char *settings, struct job_file **ret,
	struct tuner_error *err)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct text text = TEXT_EMPTY;
	bool ok = list != NULL;

	print_restored(definition, settings, &text);
	if (!ok || text_failed(&text))
		ok = tuner_fail_memory(err);
	else
		ok = job_file_parse("parameters", "/", text.bytes, text.length, NULL,
			COMMAND_IGNORED, ret, list, err);
	text_finish(&text);
	free(list);
	return ok;
}

bool job_file_restore_also(struct job_file *file, const char *objective, struct tuner_error *err)
{
	struct job_objective *ret = &file->objective;
	struct goals goals;

	if (!goals_read(file->metric, file->maximize, objective, &goals, err))
		return false;
	ret->n_also = goals.n - 1;
	for (size_t i = 1; i < goals.n; i++)
		ret->also[i - 1].maximize = goals.items[i].maximize;
	goals_finish(&goals);
	return true;
}
