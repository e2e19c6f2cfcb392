#include "tuner/jobfile_facts.h"

#include "base/number.h"
#include "surrogate/walk.h"
#include "tuner/configuration.h"
#include "tuner/jobfile_value.h"
#include "tuner/objective.h"
#include "tuner/text_width.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the space ---- */

/* Why "auto" chose this scale: "auto: max/min is 500". */
static void add_reason(const struct parameter *p, struct text *ret)
{
	if (p->scale == SCALE_LOG)
		text_print(ret, "auto: max/min is %.3g", p->max / p->min);
	else if (p->scale == SCALE_REVERSE_LOG)
		text_print(ret, "auto: (1 - min)/(1 - max) is %.3g", (1 - p->min) / (1 - p->max));
	else
		text_add(ret, "auto");
}

/* Whether the file left the scale to us: it has no "scale", or "auto". */
static bool scale_is_auto(const struct json_document *document, const char *name)
{
	const cJSON *map = cJSON_GetObjectItemCaseSensitive(json_root(document), "parameters");
	const cJSON *definition = cJSON_GetObjectItemCaseSensitive(map, name);
	const cJSON *scale = cJSON_GetObjectItemCaseSensitive(definition, "scale");

	return scale == NULL || strcmp(scale->valuestring, "auto") == 0;
}

static void add_values(const struct job_values *values, struct text *ret)
{
	enum { SHOWN = 12 };

	for (size_t k = 0; k < values->n && k < SHOWN; k++)
		text_print(ret, "%s%s", k ? ", " : "", values->json[k]);
	if (values->n > SHOWN)
		text_print(ret, " and %zu more", values->n - SHOWN);
}

static void add_range(
	const struct json_document *document, const struct parameter *p, struct text *ret)
{
	text_add_double(ret, p->min);
	text_add(ret, " to ");
	text_add_double(ret, p->max);
	if (p->step > 0) {
		text_add(ret, " by ");
		text_add_double(ret, p->step);
	}
	text_print(ret, ", %s", parameter_scale_name(p->scale));
	if (scale_is_auto(document, p->name)) {
		text_add(ret, " (");
		add_reason(p, ret);
		text_add(ret, ")");
	}
}

static bool is_conditional(const struct job_file *file, size_t i)
{
	size_t c = 0;

	while (c < file->space.n_conditions && file->space.conditions[c].parameter != i)
		c++;
	return c < file->space.n_conditions;
}

static int columns(const char *name)
{
	return (int)text_columns(name);
}

static void add_name(const char *name, int width, struct text *ret)
{
	text_print(ret, "  %s%*s  ", name, columns(name) < width ? width - columns(name) : 0, "");
}

static void add_parameter(const struct job_file *file, const struct json_document *document,
	size_t i, int width, struct text *ret)
{
	const struct parameter *p = &file->space.parameters[i];

	add_name(p->name, width, ret);
	text_print(ret, "%-11s  ", parameter_type_name(p->type));
	if (file->values[i].n > 0)
		add_values(&file->values[i], ret);
	else
		add_range(document, p, ret);
	if (has_prior(file, i)) {
		text_add(ret, ", prior ");
		prior_json(file, i, ret);
	}
	if (is_conditional(file, i)) {
		text_add(ret, ", when ");
		configuration_conditions(file, i, ret);
	}
	text_add(ret, "\n");
}

static int widest(int width, const char *name)
{
	enum { WIDTH_MAX = 32 };
	const int length = columns(name);

	return length > width ? (length < WIDTH_MAX ? length : WIDTH_MAX) : width;
}

/* The number of configurations, counted up to a limit; *ret_more: there are more. 0: not
 * countable. */
static uint64_t count_configurations(const struct job_file *file, bool *ret_more)
{
	double given[SPACE_PARAMETERS_MAX];
	struct lattice lattice;
	uint64_t n = space_cardinality(&file->space);
	bool whole = true;

	if (space_has_rules(&file->space)) {
		for (size_t i = 0; i < file->space.d; i++)
			given[i] = NAN;
		lattice_init(&lattice, &file->space, given, 0);
		n = lattice.size == 0 ? 0 : walk_count(&lattice, WALK_MAX, UINT64_MAX, &whole);
	}
	*ret_more = !whole;
	return n;
}

static void add_space(
	const struct job_file *file, const struct json_document *document, struct text *ret)
{
	bool more;
	const uint64_t size = count_configurations(file, &more);
	int width = 0;

	for (size_t i = 0; i < file->space.d; i++)
		width = widest(width, file->space.parameters[i].name);
	for (size_t i = 0; i < file->n_fixed; i++)
		width = widest(width, file->fixed[i].name);
	text_print(ret, "\nspace: %zu parameter%s", file->space.d, file->space.d == 1 ? "" : "s");
	if (size == UINT64_MAX)
		text_add(ret, ", more configurations than can be counted");
	else if (size > 0)
		text_print(ret, ", %s%llu configuration%s", more ? "at least " : "",
			(unsigned long long)size, size == 1 ? "" : "s");
	text_add(ret, "\n");
	for (size_t i = 0; i < file->space.d; i++)
		add_parameter(file, document, i, width, ret);
	for (size_t i = 0; i < file->n_fixed; i++) {
		add_name(file->fixed[i].name, width, ret);
		text_print(ret, "%-11s  %s\n", "fixed", file->fixed[i].json);
	}
}

static void add_constraints(const struct job_file *file, struct text *ret)
{
	if (file->space.n_constraints > 0)
		text_add(ret, "\nconstraints:\n");
	for (size_t i = 0; i < file->space.n_constraints; i++)
		text_print(ret, "  %s\n", expression_text(file->space.constraints[i]));
}

static void add_first(const struct job_file *file, struct text *ret)
{
	if (file->n_first > 0)
		text_add(ret, "\nfirst:\n");
	for (size_t k = 0; k < file->n_first; k++) {
		size_t given = 0;
		for (size_t i = 0; i < file->space.d; i++)
			given += !isnan(file->first[k][i]);
		text_add(ret, "  ");
		configuration_text(file, file->first[k], ret);
		text_add(ret, given < file->space.d ? ", the rest by the strategy\n" : "\n");
	}
}

/* ---- everything else, with its defaults ---- */

static bool is_shown_above(const struct fact *fact)
{
	return strncmp(fact->path, "parameters.", 11) == 0 ||
	       strncmp(fact->path, "constraints.", 12) == 0 ||
	       strncmp(fact->path, "fixed.", 6) == 0 || strncmp(fact->path, "first.", 6) == 0;
}

static void add_setting(const struct fact *fact, int width, struct text *ret)
{
	const bool is_null = strcmp(fact->value, "null") == 0;
	const char *value = !is_null ? fact->value : fact->derived ? fact->derived : "none";

	add_name(fact->path, width, ret);
	text_print(ret, "%s%s\n", value, fact->given ? "" : "  (default)");
}

static void add_settings(const struct facts *facts, struct text *ret)
{
	int width = 0;

	text_add(ret, "\nsettings:\n");
	for (size_t i = 0; i < facts->n; i++)
		if (!is_shown_above(&facts->items[i]))
			width = widest(width, facts->items[i].path);
	for (size_t i = 0; i < facts->n; i++)
		if (!is_shown_above(&facts->items[i]))
			add_setting(&facts->items[i], width, ret);
}

void job_file_searches_text(const struct job_file *file, struct text *ret)
{
	const long long trials = (long long)file->budget.trials;

	if (file->n_arms == 0) {
		text_print(ret, "%lld trial%s, strategy %s", trials, trials == 1 ? "" : "s",
			strategy_name(file->strategy.name));
		return;
	}
	text_print(ret, "%zu arms (", file->n_arms);
	for (size_t i = 0; i < file->n_arms; i++)
		text_print(ret, "%s%s", i > 0 ? ", " : "", file->arms[i].name);
	text_print(ret, "), %lld repeat%s, %lld trial%s each: %lld trials",
		(long long)file->repeats, file->repeats == 1 ? "" : "s", trials,
		trials == 1 ? "" : "s", trials * (long long)job_file_searches(file));
}

void job_file_describe(const struct job_file *file, struct text *ret)
{
	struct json_document *document = NULL;
	struct tuner_error ignored;
	struct facts facts = { 0 };

	if (!json_parse("", file->text, strlen(file->text), &document, &ignored) ||
		!facts_create(file, &facts)) {
		text_add(ret, "out of memory\n");
		goto out;
	}
	text_print(ret, "job %s: ", file->name);
	objective_text(file, ret);
	text_add(ret, "\n");
	if (file->command != NULL)
		text_print(ret, "runs in %s\n", file->directory);
	else
		text_add(ret,
			"for \"tuner ask\" and \"tuner ask-tell\" only: without \"command\" there "
			"is nothing to run\n");
	if (file->n_arms > 0) {
		text_add(ret, "compares ");
		job_file_searches_text(file, ret);
		text_add(ret, "\n");
	}
	add_space(file, document, ret);
	add_constraints(file, ret);
	add_first(file, ret);
	add_settings(&facts, ret);
out:
	facts_finish(&facts);
	json_destroy(document);
}

/* ---- the same as JSON ---- */

static void add_json_member(const char *name, const char *value, struct text *ret)
{
	text_print(ret, "  \"%s\": ", name);
	text_add_json_string(ret, value);
	text_add(ret, ",\n");
}

static void add_json_setting(const struct fact *fact, struct text *ret)
{
	text_add(ret, "    {\"key\": ");
	text_add_json_string(ret, fact->path);
	text_print(
		ret, ", \"value\": %s, \"given\": %s", fact->value, fact->given ? "true" : "false");
	if (!fact->given && fact->derived != NULL) {
		text_add(ret, ", \"default\": ");
		text_add_json_string(ret, fact->derived);
	}
	text_add(ret, "}");
}

void job_file_describe_json(const struct job_file *file, struct text *ret)
{
	struct facts facts = { 0 };
	bool more;
	const uint64_t size = count_configurations(file, &more);

	if (!facts_create(file, &facts)) {
		text_add(ret, "{\"error\": \"out of memory\"}");
		facts_finish(&facts);
		return;
	}
	text_add(ret, "{\n");
	add_json_member("name", file->name, ret);
	add_json_member("path", file->path, ret);
	add_json_member("directory", file->directory, ret);
	if (size > 0 && size < (UINT64_C(1) << 53) && !more)
		text_print(ret, "  \"configurations\": %llu,\n", (unsigned long long)size);
	else
		text_add(ret, "  \"configurations\": null,\n");
	text_add(ret, "  \"settings\": [\n");
	for (size_t i = 0; i < facts.n; i++) {
		add_json_setting(&facts.items[i], ret);
		text_add(ret, i + 1 < facts.n ? ",\n" : "\n");
	}
	text_add(ret, "  ]\n}\n");
	facts_finish(&facts);
}
