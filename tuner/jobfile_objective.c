/* Reads the objective: a metric, a formula over several, or the cost of errors; its limits, and
 * further objectives. */
#include "tuner/jobfile_reader.h"

#include "base/number.h"
#include "surrogate/expression.h"
#include "tuner/jobfile_value.h"
#include "tuner/objective.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const cases[] = { "true_positive", "true_negative", "false_positive",
	"false_negative" };

/* ---- a cost, as a formula ---- */

static void add_name(struct text *text, const char *name)
{
	if (!expression_name_is_quoted(name)) {
		text_add(text, name);
		return;
	}
	text_add_char(text, '`');
	for (const char *c = name; *c != '\0'; c++) {
		text_add_char(text, *c);
		if (*c == '`')
			text_add_char(text, '`');
	}
	text_add_char(text, '`');
}

static bool is_case(const char *name)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (strcmp(cases[i], name) == 0)
			return true;
	return false;
}

/* "5 * false_negative + 1 * false_positive", per case "(...) / (true_positive + ...)". */
static void cost_formula(struct reader *reader, const cJSON *cost, bool per_case, struct text *ret)
{
	text_add(ret, per_case ? "(" : "");
	for (const cJSON *item = cost->child; item; item = item->next) {
		if (!cJSON_IsNumber(item))
			report_error(reader, item, AT_VALUE, "expected a number: what one costs");
		if (per_case && !is_case(item->string))
			report_error(reader, item, AT_KEY,
				"is none of the four counts that \"per\": \"case\" divides by the "
				"sum of: leave \"per\" out, or write an \"expression\"");
		text_add(ret, item == cost->child ? "" : " + ");
		text_add_double(ret, cJSON_IsNumber(item) ? item->valuedouble : 0);
		text_add(ret, " * ");
		add_name(ret, item->string);
	}
	if (!per_case)
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		text_print(ret, "%s%s", i > 0 ? " + " : ") / (", cases[i]);
	text_add(ret, ")");
}

/* ---- the metrics ---- */

/* Those that are not there yet. */
static bool add_metrics(
	struct job_objective *objective, char *const *names, size_t n, struct tuner_error *err)
{
	struct objective_metric *metrics =
		realloc(objective->metrics, (objective->n + n) * sizeof(*metrics));

	if (metrics == NULL)
		return tuner_fail_memory(err);
	objective->metrics = metrics;
	for (size_t i = 0; i < n; i++) {
		if (objective_find(objective, names[i]) < objective->n)
			continue;
		struct objective_metric *metric = &metrics[objective->n];
		*metric = (struct objective_metric){ strdup(names[i]), REDUCE_LAST, 1 };
		if (metric->name == NULL)
			return tuner_fail_memory(err);
		objective->n++;
	}
	return true;
}

static bool set_own_metrics(
	struct job_objective *objective, char *const *names, size_t n, struct tuner_error *err)
{
	const bool ok = add_metrics(objective, names, n, err);

	objective->n_own = objective->n;
	return ok;
}

/* Every name is a metric's number. */
static bool compile(const struct job_objective *objective, const char *text,
	enum expression_type type, struct expression **ret, struct tuner_error *err)
{
	struct expression_name names[OBJECTIVE_METRICS_MAX];

	for (size_t i = 0; i < objective->n; i++)
		names[i] = (struct expression_name){
			.name = objective->metrics[i].name, .type = EXPRESSION_NUMBER, .variable = i
		};
	return expression_create(text, names, objective->n, type, ret, err);
}

/* Reports a fault at the node; false only without memory. */
static bool read_formula(
	struct reader *reader, const cJSON *node, const char *text, struct tuner_error *err)
{
	struct job_objective *objective = &reader->file->objective;
	struct tuner_error fault = { TUNER_OK, "" };
	char **names = NULL;
	size_t n = 0;
	bool ok = expression_names(text, &names, &n, &fault);

	if (ok && strlen(text) > OBJECTIVE_TEXT_MAX_BYTES)
		ok = tuner_fail(
			&fault, TUNER_USAGE, "longer than %d bytes", OBJECTIVE_TEXT_MAX_BYTES);
	if (ok && n > OBJECTIVE_METRICS_MAX)
		ok = tuner_fail(&fault, TUNER_USAGE, "more than %d metrics", OBJECTIVE_METRICS_MAX);
	if (ok && n == 0)
		ok = tuner_fail(&fault, TUNER_USAGE,
			"expected a formula with a metric in it, found \"%.100s\"", text);
	ok = ok && set_own_metrics(objective, names, n, &fault) &&
	     compile(objective, text, EXPRESSION_NUMBER, &objective->formula, &fault);
	expression_names_free(names, n);
	if (ok)
		return true;
	if (fault.code != TUNER_USAGE) {
		*err = fault;
		return false;
	}
	report_error(reader, node, AT_VALUE, "%s", fault.message);
	return true;
}

/* ---- limits and further objectives ---- */

/* How many metrics there are with these. */
static size_t count_with(const struct job_objective *objective, char *const *names, size_t n)
{
	size_t all = objective->n;

	for (size_t i = 0; i < n; i++)
		all += objective_find(objective, names[i]) == objective->n;
	return all;
}

/* One that may name metrics of its own. `fault` says what is wrong with it. */
static bool add_expression(struct job_objective *objective, const char *text,
	enum expression_type type, struct expression **ret, struct tuner_error *fault)
{
	char **names = NULL;
	size_t n = 0;
	bool ok = expression_names(text, &names, &n, fault);

	if (ok && n == 0)
		ok = tuner_fail(fault, TUNER_USAGE, "names no metric");
	if (ok && count_with(objective, names, n) > OBJECTIVE_METRICS_MAX)
		ok = tuner_fail(fault, TUNER_USAGE, "more than %d metrics", OBJECTIVE_METRICS_MAX);
	ok = ok && add_metrics(objective, names, n, fault) &&
	     compile(objective, text, type, ret, fault);
	expression_names_free(names, n);
	return ok;
}

static bool add_limit(struct job_objective *objective, const char *text, struct tuner_error *fault)
{
	struct expression **limit = &objective->limits[objective->n_limits];

	if (!add_expression(objective, text, EXPRESSION_TRUTH, limit, fault))
		return false;
	objective->n_limits++;
	return expression_is_bound(*limit) ||
	       tuner_fail(fault, TUNER_USAGE,
		       "expected one comparison by <= or >=, such as \"latency_ms <= 20\" (of "
		       "several, each is a limit of its own)");
}

static bool read_limits(struct reader *reader, const cJSON *array, struct tuner_error *err)
{
	struct job_objective *objective = &reader->file->objective;
	struct tuner_error fault;

	for (const cJSON *item = array ? array->child : NULL;
		item && objective->n_limits < TRIAL_LIMITS_MAX; item = item->next) {
		if (!cJSON_IsString(item) || add_limit(objective, item->valuestring, &fault))
			continue;
		if (fault.code != TUNER_USAGE) {
			*err = fault;
			return false;
		}
		report_error(reader, item, AT_VALUE, "%s", fault.message);
	}
	return true;
}

static bool is_there(const struct job_file *file, const char *text)
{
	bool found = file->metric != NULL && strcmp(file->metric, text) == 0;

	for (size_t i = 0; !found && i < file->objective.n_also; i++)
		found = strcmp(expression_text(file->objective.also[i].formula), text) == 0;
	return found;
}

static bool add_also(
	struct job_file *file, const char *text, bool maximize, struct tuner_error *fault)
{
	struct job_objective *objective = &file->objective;
	struct job_also *also = &objective->also[objective->n_also];

	if (is_there(file, text))
		return tuner_fail(fault, TUNER_USAGE, "is an objective already");
	if (strlen(text) > OBJECTIVE_TEXT_MAX_BYTES)
		return tuner_fail(
			fault, TUNER_USAGE, "longer than %d bytes", OBJECTIVE_TEXT_MAX_BYTES);
	also->maximize = maximize;
	if (!add_expression(objective, text, EXPRESSION_NUMBER, &also->formula, fault))
		return false;
	objective->n_also++;
	return true;
}

static bool read_also_item(struct reader *reader, const cJSON *item, struct tuner_error *err)
{
	const cJSON *less = member(item, SECTION_ALSO, "minimize");
	const cJSON *more = member(item, SECTION_ALSO, "maximize");
	const cJSON *formula = more != NULL ? more : less;
	struct tuner_error fault;

	if (has_member_or_misnamed(item, SECTION_ALSO, "minimize") ==
		has_member_or_misnamed(item, SECTION_ALSO, "maximize"))
		report_error(reader, item, AT_VALUE,
			"expected one of \"minimize\" and \"maximize\", with a metric or a "
			"formula: {\"minimize\": \"latency_ms\"}");
	else if (formula != NULL &&
		 !add_also(reader->file, formula->valuestring, more != NULL, &fault)) {
		if (fault.code != TUNER_USAGE) {
			*err = fault;
			return false;
		}
		report_error(reader, formula, AT_VALUE, "%s", fault.message);
	}
	return true;
}

static bool read_also(struct reader *reader, const cJSON *array, struct tuner_error *err)
{
	for (const cJSON *item = array ? array->child : NULL;
		item && reader->file->objective.n_also < TRIAL_ALSO_MAX; item = item->next)
		if (cJSON_IsObject(item) && !read_also_item(reader, item, err))
			return false;
	return true;
}

/* ---- reduce ---- */

static void reduce_one(struct reader *reader, const cJSON *node, size_t i)
{
	const struct job_objective *objective = &reader->file->objective;
	struct objective_metric *metric = &objective->metrics[i];
	const bool is_own = i < objective->n_own;

	value_reduce(node, &metric->reduce, &metric->last);
	if (metric->reduce == REDUCE_BEST && (objective->formula != NULL || !is_own))
		report_error(reader, node, AT_VALUE,
			"the \"best\" value of a %s metric is ambiguous: expected \"max\" or "
			"\"min\", perhaps by metric: {\"%.60s\": \"max\"}",
			is_own                                ? "formula's"
			: objective_limits_name(objective, i) ? "limit's"
							      : "further objective's",
			metric->name);
}

static void read_reduce(struct reader *reader, const cJSON *node)
{
	struct job_objective *objective = &reader->file->objective;
	const char *names[OBJECTIVE_METRICS_MAX];
	char hint[HINT_BYTES];

	for (size_t i = 0; i < objective->n; i++)
		names[i] = objective->metrics[i].name;
	if (cJSON_IsString(node) && objective->n > 0) {
		reduce_one(reader, node, 0);
		for (size_t i = 1; i < objective->n_own; i++) {
			objective->metrics[i].reduce = objective->metrics[0].reduce;
			objective->metrics[i].last = objective->metrics[0].last;
		}
		return;
	}
	for (const cJSON *item = cJSON_IsObject(node) ? node->child : NULL; item;
		item = item->next) {
		const size_t i = objective_find(objective, item->string);
		if (i < objective->n)
			reduce_one(reader, item, i);
		else if (objective->n > 0)
			report_error(reader, item, AT_KEY, "is no metric of the objective%s",
				nearest_hint(item->string, names, objective->n, hint));
	}
}

/* ---- the objective ---- */

static void check_names(struct reader *reader, const cJSON *node, size_t first, size_t last)
{
	const struct job_objective *objective = &reader->file->objective;

	for (size_t i = first; i < last; i++) {
		if (strlen(objective->metrics[i].name) > SCRAPE_NAME_MAX)
			report_error(reader, node, AT_VALUE, "expected at most %d bytes",
				SCRAPE_NAME_MAX);
		if (!metric_name_is_text(objective->metrics[i].name))
			report_error(reader, node, AT_VALUE,
				"expected a metric's name without control characters");
	}
}

/* Checks for parts that exclude each other, and missing ones. */
static void check_parts(struct reader *reader, const cJSON *object)
{
	const bool metric = has_member_or_misnamed(object, SECTION_OBJECTIVE, "metric");
	const bool cost = has_member_or_misnamed(object, SECTION_OBJECTIVE, "cost");
	const bool expression = has_member_or_misnamed(object, SECTION_OBJECTIVE, "expression");
	const cJSON *goal = member(object, SECTION_OBJECTIVE, "goal");

	if (object == NULL)
		return;
	if (!metric && !cost && !expression)
		report_error(reader, object, AT_VALUE,
			"\"metric\" is missing: the metric's name (a string that is not empty)");
	/* A misspelt one has its own message, and may mean another. */
	const int named = has_member(object, "metric") + has_member(object, "cost") +
			  has_member(object, "expression");
	if (named > 1)
		report_error(reader, object, AT_VALUE,
			"expected one of \"metric\", \"expression\" and \"cost\", found %s of them",
			named == 2 ? "two" : "three");
	if (cost && goal != NULL && strcmp(goal->valuestring, "minimize") != 0)
		report_error(reader, goal, AT_VALUE,
			"a cost is minimized: what is worth something has a negative cost");
	if (!cost && !has_member_or_misnamed(object, SECTION_OBJECTIVE, "goal"))
		report_error(reader, object, AT_VALUE,
			"\"goal\" is missing: which way is better (one of \"minimize\", "
			"\"maximize\")");
	if (has_member(object, "per") && !cost)
		report_error(reader, member_raw(object, "per"), AT_KEY,
			"has no effect without \"cost\"");
}

static bool read_cost(
	struct reader *reader, const cJSON *object, const cJSON *cost, struct tuner_error *err)
{
	struct job_objective *objective = &reader->file->objective;
	const cJSON *per = member(object, SECTION_OBJECTIVE, "per");
	struct text text = TEXT_EMPTY, json = TEXT_EMPTY;

	objective->per_case = per != NULL && strcmp(per->valuestring, "case") == 0;
	cost_formula(reader, cost, objective->per_case, &text);
	for (const cJSON *item = cost->child; item; item = item->next) {
		text_add(&json, item == cost->child ? "{" : ", ");
		text_add_json_string(&json, item->string);
		text_add(&json, ": ");
		value_json(item, &json);
	}
	text_add(&json, "}");
	const bool failed = text_failed(&text) || text_failed(&json);
	const bool ok = !failed && read_formula(reader, cost, text.bytes, err);
	reader->file->metric = text_take(&text);
	objective->cost = text_take(&json);
	return failed || reader->file->metric == NULL || objective->cost == NULL
		       ? tuner_fail_memory(err)
		       : ok;
}

bool read_objective(struct reader *reader, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	const cJSON *object = member(reader->root, SECTION_FILE, "objective");
	const cJSON *metric = member(object, SECTION_OBJECTIVE, "metric");
	const cJSON *expression = member(object, SECTION_OBJECTIVE, "expression");
	const cJSON *cost = member(object, SECTION_OBJECTIVE, "cost");
	const cJSON *goal = member(object, SECTION_OBJECTIVE, "goal");
	const cJSON *limits = member(object, SECTION_OBJECTIVE, "limits");
	const cJSON *also = member(object, SECTION_OBJECTIVE, "also");
	const cJSON *node = cost ? cost : expression ? expression : metric;
	bool ok = true;

	check_parts(reader, object);
	file->maximize = cost == NULL && goal && strcmp(goal->valuestring, "maximize") == 0;
	if (cost != NULL) {
		ok = read_cost(reader, object, cost, err);
	} else {
		char *const name = strdup(node ? node->valuestring : "");
		if (name == NULL)
			return tuner_fail_memory(err);
		file->metric = name;
		ok = expression ? read_formula(reader, expression, name, err)
				: set_own_metrics(&file->objective, &name, 1, err);
	}
	if (!ok || !read_limits(reader, limits, err))
		return false;
	const size_t n_limited = file->objective.n;
	if (!read_also(reader, also, err))
		return false;
	check_names(reader, node, 0, file->objective.n_own);
	check_names(reader, limits, file->objective.n_own, n_limited);
	check_names(reader, also, n_limited, file->objective.n);
	read_reduce(reader, member(object, SECTION_OBJECTIVE, "reduce"));
	return true;
}

/* A list of metrics is complete: metrics not in it are not searched for. */
void check_objective_metrics(struct reader *reader)
{
	const struct job_file *file = reader->file;
	const cJSON *object = member(reader->root, SECTION_FILE, "objective");
	const char *const keys[] = { "metric", "expression", "cost" };
	const char *names[SCRAPE_PATTERNS_MAX];
	char hint[HINT_BYTES];
	const cJSON *node = NULL;

	if (file->n_metrics == 0 || file->metric[0] == '\0')
		return;
	for (size_t i = 0; i < 3; i++)
		if (has_member(object, keys[i]))
			node = member_raw(object, keys[i]);
	for (size_t i = 0; i < file->n_metrics; i++)
		names[i] = file->metrics[i].name;
	for (size_t k = 0; k < file->objective.n; k++) {
		const char *name = file->objective.metrics[k].name;
		size_t i = 0;
		while (i < file->n_metrics && strcmp(names[i], name) != 0)
			i++;
		if (i == file->n_metrics)
			report_error(reader,
				k < file->objective.n_own ? node
				: objective_limits_name(&file->objective, k)
					? member_raw(object, "limits")
					: member_raw(object, "also"),
				AT_VALUE, "\"%.100s\" " JOB_NOT_AMONG_METRICS "%s", name,
				nearest_hint(name, names, file->n_metrics, hint));
	}
}
