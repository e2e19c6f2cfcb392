/* Relations between parameters: "when" and "constraints". */
#include "base/number.h"
#include "tuner/configuration.h"
#include "tuner/jobfile_reader.h"
#include "tuner/jobfile_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- when ---- */

static bool find_parent(
	struct reader *reader, const cJSON *node, const char *child, size_t *ret_parent)
{
	const struct job_file *file = reader->file;
	const size_t parent = space_find(&file->space, node->string);
	struct text problem = TEXT_EMPTY;

	*ret_parent = parent;
	if (parent == file->space.d) {
		configuration_unknown(file, node->string, &problem);
		report_error(reader, node, AT_KEY, "%s", problem.bytes);
	} else if (strcmp(node->string, child) == 0) {
		report_error(
			reader, node, AT_KEY, "expected another parameter, found its own name");
	} else if (is_faulty(&file->space.parameters[parent])) {
		*ret_parent = file->space.d; /* already reported */
	} else if (file->space.parameters[parent].type == PARAMETER_FLOAT) {
		report_error(reader, node, AT_KEY,
			"expected a parameter with single values (int, categorical, ordinal, "
			"bool), "
			"found a float");
		*ret_parent = file->space.d;
	} else {
		return true;
	}
	text_finish(&problem);
	return false;
}

static bool add_asked(struct reader *reader, const cJSON *node, struct condition *condition)
{
	struct text problem = TEXT_EMPTY;
	double value;
	bool ok =
		configuration_value(reader->file, condition->parent, node, false, &value, &problem);

	if (!ok)
		report_error(reader, node, AT_VALUE, "%s", problem.bytes);
	for (size_t k = 0; ok && k < condition->n; k++)
		if (condition->values[k] == value) {
			report_error(reader, node, AT_VALUE, "expected each value once");
			ok = false;
		}
	if (ok)
		condition->values[condition->n++] = value;
	text_finish(&problem);
	return ok;
}

static int by_number(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The values of one parent: an array, or a single one. */
static void read_asked(struct reader *reader, const cJSON *node, struct condition *condition)
{
	const struct parameter *parent = &reader->file->space.parameters[condition->parent];

	if (value_is_scalar(node))
		(void)add_asked(reader, node, condition);
	for (const cJSON *item = cJSON_IsArray(node) ? node->child : NULL; item; item = item->next)
		if (value_is_scalar(item))
			(void)add_asked(reader, item, condition);
	qsort(condition->values, condition->n, sizeof(*condition->values), by_number);
	if (condition->n == parameter_cardinality(parent))
		report_warning(reader, node, AT_KEY, "these are all the values that %s can have",
			parent->name);
}

static bool read_condition(
	struct reader *reader, const cJSON *node, size_t child, struct tuner_error *err)
{
	struct space *space = &reader->file->space;
	struct condition *condition = &space->conditions[space->n_conditions];
	const size_t n = cJSON_IsArray(node) ? (size_t)cJSON_GetArraySize(node) : 1;

	*condition = (struct condition){ .parameter = child };
	if (!find_parent(reader, node, space->parameters[child].name, &condition->parent))
		return true;
	condition->values = calloc(n + 1, sizeof(*condition->values));
	if (condition->values == NULL)
		return tuner_fail_memory(err);
	space->n_conditions++;
	read_asked(reader, node, condition);
	return true;
}

static const cJSON *definition_of(const struct reader *reader, size_t i)
{
	const cJSON *map = member(reader->root, SECTION_FILE, "parameters");

	return member_raw(map, reader->file->space.parameters[i].name);
}

static const cJSON *when_of(const struct reader *reader, size_t i)
{
	return member(definition_of(reader, i), SECTION_PARAMETER, "when");
}

static bool allocate_conditions(struct reader *reader, struct tuner_error *err)
{
	struct space *space = &reader->file->space;
	size_t n = 0;

	for (size_t i = 0; i < space->d; i++)
		n += when_of(reader, i) ? (size_t)cJSON_GetArraySize(when_of(reader, i)) : 0;
	space->conditions = calloc(n + 1, sizeof(*space->conditions));
	return space->conditions != NULL || tuner_fail_memory(err);
}

static bool read_conditions(struct reader *reader, struct tuner_error *err)
{
	struct space *space = &reader->file->space;
	size_t circle;

	if (!allocate_conditions(reader, err))
		return false;
	for (size_t i = 0; i < space->d; i++) {
		const cJSON *when = when_of(reader, i);
		for (const cJSON *node = when ? when->child : NULL; node; node = node->next)
			if (!read_condition(reader, node, i, err))
				return false;
	}
	if (!space_order_conditions(space, &circle))
		report_error(reader, when_of(reader, circle), AT_KEY,
			"goes round in a circle: %s depends on itself",
			space->parameters[circle].name);
	return true;
}

/* ---- constraints ---- */

/* What formulas may name, with the memory of the values' meanings. */
struct vocabulary {
	size_t n;
	struct expression_name names[4 * SPACE_PARAMETERS_MAX + 2];
	double *numbers[4 * SPACE_PARAMETERS_MAX + 2];
};

static void vocabulary_finish(struct vocabulary *vocabulary)
{
	for (size_t i = 0; i < vocabulary->n; i++)
		free(vocabulary->numbers[i]);
	free(vocabulary);
}

/* True or false, or a number; false for a string. */
static bool read_meaning(const char *json, enum expression_type *ret_type, double *ret_number)
{
	const bool yes = strcmp(json, "true") == 0, no = strcmp(json, "false") == 0;

	*ret_type = yes || no ? EXPRESSION_TRUTH : EXPRESSION_NUMBER;
	*ret_number = yes;
	return yes || no || (json[0] != '"' && number_to_double(json, ret_number));
}

/* Values that are all numbers, or all true or false, have that meaning; all others are strings. */
static bool add_meanings(struct vocabulary *vocabulary, const char *name, size_t variable,
	char *const *text, char *const *json, size_t n, struct tuner_error *err)
{
	double *numbers = calloc(n + 1, sizeof(*numbers));
	enum expression_type type = EXPRESSION_STRING, each;

	if (numbers == NULL)
		return tuner_fail_memory(err);
	for (size_t k = 0; k < n; k++) {
		if (!read_meaning(json[k], &each, &numbers[k]))
			each = EXPRESSION_STRING;
		type = k == 0 || type == each ? each : EXPRESSION_STRING;
		if (type == EXPRESSION_STRING)
			break;
	}
	vocabulary->numbers[vocabulary->n] = numbers;
	vocabulary->names[vocabulary->n++] = (struct expression_name){
		.name = name,
		.type = type,
		.variable = variable,
		.n = n,
		.numbers = numbers,
		.strings = (const char *const *)text,
	};
	return true;
}

static bool add_parameter(struct vocabulary *vocabulary, const struct job_file *file, size_t i,
	struct tuner_error *err)
{
	const char *name = file->space.parameters[i].name;
	const struct job_values *values = &file->values[i];

	if (values->n > 0)
		return add_meanings(
			vocabulary, name, i, values->text, values->json, values->n, err);
	vocabulary->names[vocabulary->n++] =
		(struct expression_name){ .name = name, .type = EXPRESSION_NUMBER, .variable = i };
	return true;
}

static bool add_fixed(
	struct vocabulary *vocabulary, const struct argument *fixed, struct tuner_error *err)
{
	return add_meanings(vocabulary, fixed->name, EXPRESSION_FIXED, (char **)&fixed->text,
		(char **)&fixed->json, 1, err);
}

static bool vocabulary_create(
	const struct job_file *file, struct vocabulary **ret, struct tuner_error *err)
{
	struct vocabulary *vocabulary = calloc(1, sizeof(*vocabulary));
	bool ok = vocabulary != NULL || tuner_fail_memory(err);

	for (size_t i = 0; ok && i < file->space.d; i++)
		ok = add_parameter(vocabulary, file, i, err);
	for (size_t i = 0; ok && i < file->n_fixed; i++)
		ok = add_fixed(vocabulary, &file->fixed[i], err);
	if (ok)
		*ret = vocabulary;
	else if (vocabulary != NULL)
		vocabulary_finish(vocabulary);
	return ok;
}

static bool read_constraint(struct reader *reader, const struct vocabulary *vocabulary,
	const cJSON *node, struct tuner_error *err)
{
	struct space *space = &reader->file->space;
	struct expression *constraint = NULL;
	struct tuner_error fault;
	size_t n_variables;

	if (!expression_create(node->valuestring, vocabulary->names, vocabulary->n,
		    EXPRESSION_TRUTH, &constraint, &fault)) {
		if (fault.code != TUNER_USAGE)
			return tuner_fail(err, fault.code, "%s", fault.message);
		report_error(reader, node, AT_VALUE, "%s", fault.message);
		return true;
	}
	space->constraints[space->n_constraints++] = constraint;
	expression_variables(constraint, &n_variables);
	if (n_variables == 0)
		report_error(reader, node, AT_VALUE,
			"names no parameter that may vary: it holds %s",
			expression_holds(constraint, NULL) ? "always" : "never");
	return true;
}

/* ---- whether they leave anything ---- */

/* Whether any configuration is left, by asking for a first one. False without memory. */
static bool leaves_something(const struct space *space, bool *ret_leaves, struct text *ret_problem,
	struct tuner_error *err)
{
	const struct strategy strategy = { .name = STRATEGY_SOBOL };
	const struct suggest_request request = { .space = space,
		.strategy = &strategy,
		.seed = 1,
		.number = 1,
		.budget_trials = 1,
		.parallel = 1 };
	struct suggestion *suggestion = calloc(1, sizeof(*suggestion));
	struct tuner_error fault;

	if (suggestion == NULL)
		return tuner_fail_memory(err);
	*ret_leaves = suggest(&request, suggestion, &fault);
	free(suggestion);
	if (*ret_leaves)
		return true;
	text_add(ret_problem, fault.message);
	return fault.code == TUNER_USAGE || tuner_fail(err, fault.code, "%s", fault.message);
}

/* Names a constraint that alone leaves nothing; otherwise all of them together do. */
static bool check_constraints(struct reader *reader, const cJSON *array, struct tuner_error *err)
{
	struct space space = reader->file->space;
	struct text problem = TEXT_EMPTY;
	const cJSON *node = array, *item = array->child;
	bool leaves = true, ok = leaves_something(&space, &leaves, &problem, err);

	if (ok && leaves)
		goto out;
	space.n_constraints = 1;
	for (leaves = true; ok && leaves && item; item = item->next, space.constraints++) {
		struct text ignored = TEXT_EMPTY;
		ok = leaves_something(&space, &leaves, &ignored, err);
		node = leaves ? array : item;
		text_finish(&ignored);
	}
	if (ok)
		report_error(reader, node, AT_VALUE, "%s", problem.bytes);
out:
	text_finish(&problem);
	return ok;
}

static bool all_sound(const struct job_file *file)
{
	for (size_t i = 0; i < file->space.d; i++)
		if (is_faulty(&file->space.parameters[i]))
			return false;
	return true;
}

static bool read_constraints(struct reader *reader, struct tuner_error *err)
{
	const cJSON *array = member(reader->root, SECTION_FILE, "constraints");
	struct space *space = &reader->file->space;
	const size_t n = array ? (size_t)cJSON_GetArraySize(array) : 0;
	struct vocabulary *vocabulary = NULL;
	bool ok = true;

	space->constraints = calloc(n + 1, sizeof(struct expression *));
	if (space->constraints == NULL)
		return tuner_fail_memory(err);
	/* A faulty parameter's values are unknown. */
	if (n == 0 || !all_sound(reader->file))
		return true;
	if (!vocabulary_create(reader->file, &vocabulary, err))
		return false;
	for (const cJSON *item = array->child; ok && item; item = item->next)
		if (cJSON_IsString(item))
			ok = read_constraint(reader, vocabulary, item, err);
	vocabulary_finish(vocabulary);
	if (ok && reader->list->errors == 0)
		ok = check_constraints(reader, array, err);
	return ok;
}

bool read_rules(struct reader *reader, struct tuner_error *err)
{
	return read_conditions(reader, err) && read_constraints(reader, err);
}
