/* Parameters, fixed values and first configurations. */
#include "base/number.h"
#include "tuner/configuration.h"
#include "tuner/jobfile_reader.h"
#include "tuner/jobfile_value.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double INTEGER_MAX = 9007199254740992.0; /* 2^53 */

/* The words of the key "type", in its order. */
enum kind {
	KIND_FLOAT,
	KIND_INT,
	KIND_CATEGORICAL,
	KIND_ORDINAL,
	KIND_BOOL,
	KIND_FIXED,
	KIND_UNKNOWN
};

static const struct kind_row {
	const char *name, *takes;
} kinds[] = {
	[KIND_FLOAT] = { "float", "min|max|scale|step|prior" },
	[KIND_INT] = { "int", "min|max|scale|step|prior" },
	[KIND_CATEGORICAL] = { "categorical", "values|prior" },
	[KIND_ORDINAL] = { "ordinal", "values|prior" },
	[KIND_BOOL] = { "bool", "prior" },
	[KIND_FIXED] = { "fixed", "value" },
};

void mark_faulty(struct parameter *parameter)
{
	parameter->min = NAN;
}

bool is_faulty(const struct parameter *parameter)
{
	return isnan(parameter->min);
}

/* ---- names ---- */

/* Names become arguments, variables and placeholders. */
static bool check_name(struct reader *reader, const cJSON *node)
{
	const char *name = node->string;

	if (name[0] == '-')
		report_error(reader, node, AT_KEY,
			"a name without dashes is expected: the command gets \"--%s\" by itself",
			name + strspn(name, "-"));
	else if (name[0] == '\0')
		report_error(reader, node, AT_KEY, "a name is expected, found \"\"");
	else if (strlen(name) > PARAMETER_NAME_MAX)
		report_error(reader, node, AT_KEY, "a name of at most %d bytes is expected",
			PARAMETER_NAME_MAX);
	else {
		for (const char *c = name; *c; c++)
			if (iscntrl((unsigned char)*c) || strchr(" ={}\"'\\", *c) != NULL) {
				report_error(reader, node, AT_KEY,
					"a name without blanks, quotes, braces and '=' is "
					"expected");
				return false;
			}
		return true;
	}
	return false;
}

/* SM_HP_LEARNING_RATE is the variable of "learning_rate" and of "learning-rate". */
static bool same_variable(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		const char x = isalnum((unsigned char)*a) ? (char)toupper((unsigned char)*a) : '_';
		const char y = isalnum((unsigned char)*b) ? (char)toupper((unsigned char)*b) : '_';
		if (x != y)
			return false;
	}
	return *a == *b;
}

static void check_clash(struct reader *reader, const cJSON *node, const char *other)
{
	if (strcmp(node->string, other) == 0)
		report_error(
			reader, node, AT_KEY, "stands in \"parameters\" as well as in \"fixed\"");
	else if (same_variable(node->string, other))
		report_warning(reader, node, AT_KEY,
			"shares the variable SM_HP_... with \"%s\": only arguments tell them apart",
			other);
}

static void check_clashes(struct reader *reader, const cJSON *node)
{
	const struct job_file *file = reader->file;

	for (size_t i = 0; i < file->space.d; i++)
		check_clash(reader, node, file->space.parameters[i].name);
	for (size_t i = 0; i < file->n_fixed; i++)
		check_clash(reader, node, file->fixed[i].name);
}

/* ---- what kind of parameter ---- */

static bool is_whole(const cJSON *number)
{
	return number == NULL || number->valuedouble == floor(number->valuedouble);
}

/* Without "type". Whole bounds may be meant either way, and the difference matters: asking is
 * better than guessing. (How the number is written, 1 or 1.0, is lost in a stored job.) */
static enum kind guess_kind(struct reader *reader, const cJSON *definition)
{
	const cJSON *min = member(definition, SECTION_PARAMETER, "min");
	const cJSON *max = member(definition, SECTION_PARAMETER, "max");

	if (has_member(definition, "values"))
		return KIND_CATEGORICAL;
	if (has_member(definition, "value"))
		return KIND_FIXED;
	if (!is_whole(min) || !is_whole(max))
		return KIND_FLOAT;
	if (has_member_or_misnamed(definition, SECTION_PARAMETER, "type"))
		return KIND_UNKNOWN;
	if (has_member(definition, "min") || has_member(definition, "max"))
		report_error(reader, definition, AT_KEY,
			"\"type\" is missing, and whole bounds may be meant as \"int\" or as "
			"\"float\"");
	else
		report_error(reader, definition, AT_KEY,
			"\"type\" is missing: one of \"float\", \"int\", \"categorical\", "
			"\"ordinal\", \"bool\", \"fixed\"");
	return KIND_UNKNOWN;
}

static enum kind kind_of(struct reader *reader, const cJSON *definition)
{
	const cJSON *type = member(definition, SECTION_PARAMETER, "type");

	if (type != NULL)
		return (enum kind)words_index(
			key_get(SECTION_PARAMETER, "type")->words, type->valuestring);
	if (has_member(definition, "type"))
		return KIND_UNKNOWN;
	return guess_kind(reader, definition);
}

/* Keys that mean nothing for this kind. */
static void check_effect(struct reader *reader, const cJSON *definition, enum kind kind)
{
	for (const cJSON *child = definition->child; child; child = child->next) {
		const struct key *key = key_find(SECTION_PARAMETER, child->string);
		if (key == NULL || strcmp(key->name, "type") == 0 ||
			strcmp(key->name, "description") == 0 ||
			(strcmp(key->name, "when") == 0 && kind != KIND_FIXED))
			continue;
		if (words_index(kinds[kind].takes, key->name) < 0)
			report_error(reader, child, AT_KEY,
				"has no effect on a parameter of type \"%s\"", kinds[kind].name);
	}
}

/* ---- ranges ---- */

static bool check_bound(struct reader *reader, const cJSON *bound, enum kind kind)
{
	if (kind != KIND_INT || (is_whole(bound) && fabs(bound->valuedouble) <= INTEGER_MAX))
		return true;
	report_error(reader, bound, AT_VALUE, "expected a whole number, for the type is \"int\"");
	return false;
}

static bool read_bounds(
	struct reader *reader, const cJSON *definition, enum kind kind, struct parameter *ret)
{
	const cJSON *min = member(definition, SECTION_PARAMETER, "min");
	const cJSON *max = member(definition, SECTION_PARAMETER, "max");
	char low[NUMBER_TEXT], high[NUMBER_TEXT];
	bool ok = min != NULL && max != NULL;

	if (!has_member_or_misnamed(definition, SECTION_PARAMETER, "min"))
		report_error(reader, definition, AT_VALUE, "\"min\" is missing");
	if (!has_member_or_misnamed(definition, SECTION_PARAMETER, "max"))
		report_error(reader, definition, AT_VALUE, "\"max\" is missing");
	ok = ok && check_bound(reader, min, kind);
	ok = ok && check_bound(reader, max, kind);
	if (!ok)
		return false;
	ret->min = min->valuedouble == 0 ? 0 : min->valuedouble; /* no -0.0 */
	ret->max = max->valuedouble == 0 ? 0 : max->valuedouble;
	if (ret->min < ret->max)
		return true;
	if (ret->min == ret->max)
		report_error(reader, max, AT_VALUE,
			"expected more than \"min\", %s; a constant belongs into \"fixed\"",
			number_from_double(ret->min, low));
	else
		report_error(reader, max, AT_VALUE, "expected more than \"min\", %s, found %s",
			number_from_double(ret->min, low), number_from_double(ret->max, high));
	return false;
}

static bool read_scale(
	struct reader *reader, const cJSON *definition, enum kind kind, struct parameter *ret)
{
	static const enum parameter_scale scales[] = { SCALE_AUTO, SCALE_LINEAR, SCALE_LOG,
		SCALE_REVERSE_LOG };
	const cJSON *scale = member(definition, SECTION_PARAMETER, "scale");
	char low[NUMBER_TEXT], high[NUMBER_TEXT];

	ret->scale = scales[member_word(definition, SECTION_PARAMETER, "scale")];
	if (ret->scale == SCALE_LOG && ret->min <= 0) {
		report_error(reader, scale, AT_VALUE, "\"log\" needs a \"min\" above 0, not %s",
			number_from_double(ret->min, low));
		return false;
	}
	if (ret->scale == SCALE_REVERSE_LOG && kind == KIND_INT) {
		report_error(reader, scale, AT_VALUE,
			"\"reverse-log\" has no effect on whole numbers: it is for floats in [0, "
			"1)");
		return false;
	}
	if (ret->scale == SCALE_REVERSE_LOG && !(ret->min >= 0 && ret->max < 1)) {
		report_error(reader, scale, AT_VALUE,
			"\"reverse-log\" needs 0 <= min and max < 1, not %s and %s",
			number_from_double(ret->min, low), number_from_double(ret->max, high));
		return false;
	}
	return true;
}

static bool read_step(
	struct reader *reader, const cJSON *definition, enum kind kind, struct parameter *ret)
{
	const cJSON *step = member(definition, SECTION_PARAMETER, "step");
	char low[NUMBER_TEXT], high[NUMBER_TEXT];

	if (step == NULL)
		return !has_member(definition, "step");
	ret->step = step->valuedouble;
	if (!(ret->step > 0) || !parameter_step_fits(ret)) {
		report_error(reader, step, AT_VALUE,
			"expected more than 0 and at most max - min, %s, found %s",
			number_from_double(ret->max - ret->min, low),
			number_from_double(ret->step, high));
		return false;
	}
	if (kind == KIND_INT && !is_whole(step)) {
		report_error(
			reader, step, AT_VALUE, "expected a whole number, for the type is \"int\"");
		return false;
	}
	return true;
}

static void warn_of_lattice(
	struct reader *reader, const cJSON *definition, const struct parameter *parameter)
{
	const uint64_t n = parameter_cardinality(parameter);
	const double last = parameter_value(parameter, n - 1);

	if (parameter->step > 0 && parameter->max - last > 1e-9 * parameter->step)
		report_warning(reader, member_raw(definition, "max"), AT_VALUE,
			"no step ends there: the greatest value is %.12g", last);
}

/* Checks arithmetic: steps too small to distinguish, widths that overflow. */
static bool check_arithmetic(
	struct reader *reader, const cJSON *definition, struct parameter *parameter)
{
	struct tuner_error err;
	struct space space = { .d = 1, .parameters = parameter };

	space_resolve_scales(&space);
	if (space_check(&space, &err))
		return true;
	const char *what = strstr(err.message, "\": "); /* behind the name, which the path has */
	report_error(reader, definition, AT_VALUE, "%s", what ? what + 3 : err.message);
	return false;
}

static bool read_range(
	struct reader *reader, const cJSON *definition, enum kind kind, struct parameter *ret)
{
	ret->type = kind == KIND_INT ? PARAMETER_INT : PARAMETER_FLOAT;
	if (!read_bounds(reader, definition, kind, ret) ||
		!read_scale(reader, definition, kind, ret) ||
		!read_step(reader, definition, kind, ret) ||
		!check_arithmetic(reader, definition, ret))
		return false;
	warn_of_lattice(reader, definition, ret);
	return true;
}

/* ---- values ---- */

/* Numbers are floats if one of them is not whole. */
static bool has_float(const cJSON *array)
{
	for (const cJSON *item = array->child; item; item = item->next)
		if (cJSON_IsNumber(item) && item->valuedouble != floor(item->valuedouble))
			return true;
	return false;
}

static bool add_value(
	struct job_values *values, const cJSON *scalar, bool floats, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY, json = TEXT_EMPTY;

	value_text(scalar, &text);
	if (floats && cJSON_IsNumber(scalar))
		value_float_json(scalar->valuedouble, &json);
	else
		value_json(scalar, &json);
	values->text[values->n] = text_take(&text);
	values->json[values->n] = text_take(&json);
	values->n++;
	return values->text[values->n - 1] && values->json[values->n - 1] ? true
									  : tuner_fail_memory(err);
}

static bool allocate_values(struct job_values *values, size_t n, struct tuner_error *err)
{
	values->text = calloc(n + 1, sizeof(*values->text));
	values->json = calloc(n + 1, sizeof(*values->json));
	return values->text && values->json ? true : tuner_fail_memory(err);
}

struct numbered {
	const char *text;
	const cJSON *node;
	size_t i;
};

static int by_text(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	const int order = strcmp(x->text, y->text);

	return order ? order : (x->i > y->i) - (x->i < y->i);
}

/* By text, since that is what the command sees: 1 and "1" are the same. */
static bool check_repeats(struct reader *reader, const cJSON *array,
	const struct job_values *values, bool *ret_ok, struct tuner_error *err)
{
	struct numbered *sorted = calloc(values->n + 1, sizeof(*sorted));
	const cJSON *item = array->child;

	if (sorted == NULL)
		return tuner_fail_memory(err);
	for (size_t i = 0; i < values->n; i++, item = item->next)
		sorted[i] = (struct numbered){ values->text[i], item, i };
	qsort(sorted, values->n, sizeof(*sorted), by_text);
	for (size_t i = 1; i < values->n; i++)
		if (strcmp(sorted[i].text, sorted[i - 1].text) == 0) {
			report_error(reader, sorted[i].node, AT_VALUE,
				"expected each value once, found %.60s again",
				values->json[sorted[i].i]);
			*ret_ok = false;
		}
	free(sorted);
	return true;
}

/* Numbers that neither rise nor fall are likely meant as categories. */
static void warn_of_order(struct reader *reader, const cJSON *array)
{
	bool rises = true, falls = true;

	for (const cJSON *item = array->child; item; item = item->next) {
		if (!cJSON_IsNumber(item))
			return;
		if (item->next == NULL || !cJSON_IsNumber(item->next))
			continue;
		rises &= item->next->valuedouble > item->valuedouble;
		falls &= item->next->valuedouble < item->valuedouble;
	}
	if (!rises && !falls)
		report_warning(reader, array, AT_VALUE,
			"these numbers are not in order, and an ordinal's order is all that the "
			"model sees");
}

static bool read_values(struct reader *reader, const cJSON *definition, enum kind kind,
	struct job_values *values, bool *ret_ok, struct tuner_error *err)
{
	const cJSON *array = member(definition, SECTION_PARAMETER, "values");

	*ret_ok = array != NULL;
	if (!has_member_or_misnamed(definition, SECTION_PARAMETER, "values"))
		report_error(reader, definition, AT_VALUE,
			"\"values\" is missing: an array of what may be chosen");
	if (array == NULL)
		return true;
	if (!allocate_values(values, (size_t)cJSON_GetArraySize(array), err))
		return false;
	const bool floats = has_float(array);

	for (const cJSON *item = array->child; item; item = item->next) {
		if (!value_is_scalar(item))
			*ret_ok = false;
		if (!add_value(values, item, floats, err))
			return false;
	}
	if (*ret_ok && !check_repeats(reader, array, values, ret_ok, err))
		return false;
	if (values->n == 1 && !has_member(definition, "when"))
		report_warning(reader, array, AT_VALUE,
			"one value leaves no choice: \"fixed\" says that plainly");
	if (kind == KIND_ORDINAL)
		warn_of_order(reader, array);
	return true;
}

static bool read_bool(struct job_values *values, struct tuner_error *err)
{
	const cJSON no = { .type = cJSON_False }, yes = { .type = cJSON_True };

	return allocate_values(values, 2, err) && add_value(values, &no, false, err) &&
	       add_value(values, &yes, false, err);
}

static bool read_choice(struct reader *reader, const cJSON *definition, enum kind kind,
	struct parameter *ret, struct job_values *values, bool *ret_ok, struct tuner_error *err)
{
	*ret_ok = true;
	ret->type = kind == KIND_ORDINAL ? PARAMETER_ORDINAL : PARAMETER_CATEGORICAL;
	ret->scale = SCALE_LINEAR;
	if (!(kind == KIND_BOOL ? read_bool(values, err)
				: read_values(reader, definition, kind, values, ret_ok, err)))
		return false;
	ret->n_values = values->n;
	return true;
}

/* ---- parameters and fixed values, in the file's order ---- */

/* `order` counts the fixed ones from SPACE_PARAMETERS_MAX until the number of parameters is known. */
static bool add_fixed(
	struct reader *reader, const cJSON *node, const cJSON *value, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	struct text text = TEXT_EMPTY, json = TEXT_EMPTY;

	if (!check_name(reader, node) || !value_is_scalar(value))
		return true;
	check_clashes(reader, node);
	value_text(value, &text);
	value_json(value, &json);
	struct argument *fixed = &file->fixed[file->n_fixed];
	*fixed = (struct argument){
		.name = strdup(node->string), .text = text_take(&text), .json = text_take(&json)
	};
	file->order[file->space.d + file->n_fixed] = SPACE_PARAMETERS_MAX + file->n_fixed;
	file->n_fixed++;
	return fixed->name && fixed->text && fixed->json ? true : tuner_fail_memory(err);
}

static bool add_variable(
	struct reader *reader, const cJSON *definition, enum kind kind, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	struct parameter *parameter = &file->space.parameters[file->space.d];
	struct job_values *values = &file->values[file->space.d];
	bool ok = true;

	if (!check_name(reader, definition))
		return true;
	check_clashes(reader, definition);
	snprintf(parameter->name, sizeof(parameter->name), "%s", definition->string);
	file->order[file->space.d + file->n_fixed] = file->space.d;
	file->space.d++;
	if (kind == KIND_FLOAT || kind == KIND_INT)
		ok = read_range(reader, definition, kind, parameter);
	else if (kind == KIND_UNKNOWN)
		ok = false;
	else if (!read_choice(reader, definition, kind, parameter, values, &ok, err))
		return false;
	if (!ok)
		mark_faulty(parameter);
	return read_prior(reader, definition, file->space.d - 1, err);
}

static bool add_parameter(struct reader *reader, const cJSON *definition, struct tuner_error *err)
{
	const enum kind kind = kind_of(reader, definition);

	if (kind != KIND_UNKNOWN)
		check_effect(reader, definition, kind);
	if (kind != KIND_FIXED)
		return add_variable(reader, definition, kind, err);
	if (!has_member_or_misnamed(definition, SECTION_PARAMETER, "value"))
		report_error(reader, definition, AT_VALUE, "\"value\" is missing");
	const cJSON *value = member(definition, SECTION_PARAMETER, "value");
	return value == NULL || add_fixed(reader, definition, value, err);
}

static bool allocate_space(struct job_file *file, struct tuner_error *err)
{
	const size_t n =
		2 * SPACE_PARAMETERS_MAX + 1; /* "parameters" and "fixed" have so many each */

	file->space.parameters = calloc(n, sizeof(*file->space.parameters));
	file->values = calloc(n, sizeof(*file->values));
	file->fixed = calloc(n, sizeof(*file->fixed));
	file->order = calloc(n, sizeof(*file->order));
	return file->space.parameters && file->values && file->fixed && file->order
		       ? true
		       : tuner_fail_memory(err);
}

static bool read_parameters(struct reader *reader, const cJSON *map, struct tuner_error *err)
{
	for (const cJSON *item = map ? map->child : NULL; item; item = item->next)
		if (cJSON_IsObject(item) && !add_parameter(reader, item, err))
			return false;
	if (map != NULL && reader->file->space.d == 0 && reader->list->errors == 0)
		report_error(reader, map, AT_VALUE,
			"expected a parameter that may vary: all of these are fixed");
	return true;
}

static bool read_fixed(struct reader *reader, const cJSON *map, struct tuner_error *err)
{
	for (const cJSON *item = map ? map->child : NULL; item; item = item->next)
		if (!add_fixed(reader, item, item, err))
			return false;
	return true;
}

/* Arguments come in the order of the file, also where "fixed" stands first. */
static bool read_both(struct reader *reader, struct tuner_error *err)
{
	for (const cJSON *child = reader->root->child; child; child = child->next) {
		if (strcmp(child->string, "parameters") == 0 &&
			!read_parameters(
				reader, member(reader->root, SECTION_FILE, "parameters"), err))
			return false;
		if (strcmp(child->string, "fixed") == 0 &&
			!read_fixed(reader, member(reader->root, SECTION_FILE, "fixed"), err))
			return false;
	}
	return true;
}

static void finish_order(struct job_file *file)
{
	const size_t n = file->space.d + file->n_fixed;

	for (size_t k = 0; k < n; k++)
		if (file->order[k] >= SPACE_PARAMETERS_MAX)
			file->order[k] += file->space.d - SPACE_PARAMETERS_MAX;
}

/* ---- first ---- */

static void read_first_value(struct reader *reader, const cJSON *node, double *values)
{
	const struct job_file *file = reader->file;
	const size_t i = space_find(&file->space, node->string);
	struct text problem = TEXT_EMPTY;

	if (i == file->space.d) {
		configuration_unknown(file, node->string, &problem);
		report_error(reader, node, AT_KEY, "%s", problem.bytes);
	} else if (!is_faulty(&file->space.parameters[i]) && value_is_scalar(node) &&
		   !configuration_value(file, i, node, false, &values[i], &problem)) {
		report_error(reader, node, AT_VALUE, "%s", problem.bytes);
	}
	text_finish(&problem);
}

/* By conditions and constraints. */
static void check_first(struct reader *reader, const cJSON *item, double *values)
{
	struct text problem = TEXT_EMPTY;
	size_t i;

	if (!configuration_settle(reader->file, values, &i, &problem)) {
		const cJSON *node =
			i < reader->file->space.d
				? member_raw(item, reader->file->space.parameters[i].name)
				: item;
		report_error(reader, node, i < reader->file->space.d ? AT_KEY : AT_VALUE, "%s",
			problem.bytes);
	}
	text_finish(&problem);
}

static bool is_complete(const struct job_file *file, const double *values)
{
	for (size_t i = 0; i < file->space.d; i++)
		if (isnan(values[i]))
			return false;
	return true;
}

static void warn_of_repeat(struct reader *reader, const cJSON *node, size_t k)
{
	const struct job_file *file = reader->file;

	/* For a stored job this has been reported, or a confirmation intends it. */
	if (reader->stored || reader->list->errors > 0 || !is_complete(file, file->first[k]))
		return;
	for (size_t j = 0; j < k; j++)
		if (is_complete(file, file->first[j]) &&
			space_same(&file->space, file->first[j], file->first[k])) {
			report_warning(reader, node, AT_VALUE, "repeats first.%zu", j);
			return;
		}
}

static bool read_first(struct reader *reader, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	const cJSON *array = member(reader->root, SECTION_FILE, "first");
	const size_t n = array ? (size_t)cJSON_GetArraySize(array) : 0, d = file->space.d;

	/* Conditions and constraints are only sound if nothing was wrong so far. */
	const bool sound = reader->list->errors == 0;

	file->first = calloc(n + 1, sizeof(*file->first));
	if (file->first == NULL)
		return tuner_fail_memory(err);
	for (const cJSON *item = array ? array->child : NULL; item; item = item->next) {
		double *values = malloc((d + 1) * sizeof(*values));
		if (values == NULL)
			return tuner_fail_memory(err);
		for (size_t i = 0; i < d; i++)
			values[i] = NAN;
		file->first[file->n_first++] = values;
		if (cJSON_IsObject(item) && item->child == NULL)
			report_error(reader, item, AT_VALUE,
				"expected at least one value: an empty configuration has no "
				"effect");
		for (const cJSON *node = cJSON_IsObject(item) ? item->child : NULL; node;
			node = node->next)
			read_first_value(reader, node, values);
		if (sound)
			check_first(reader, item, values);
		warn_of_repeat(reader, item, file->n_first - 1);
	}
	return true;
}

bool read_space(struct reader *reader, struct tuner_error *err)
{
	if (!allocate_space(reader->file, err) || !read_both(reader, err))
		return false;
	finish_order(reader->file);
	return read_rules(reader, err) && read_first(reader, err);
}
