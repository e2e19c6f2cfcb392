#include "tuner/jobfile_facts.h"

#include "base/array.h"
#include "base/number.h"
#include "tuner/configuration.h"
#include "tuner/jobfile_keys.h"
#include "tuner/jobfile_value.h"
#include "tuner/objective.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void facts_finish(struct facts *facts)
{
	for (size_t i = 0; i < facts->n; i++) {
		free(facts->items[i].path);
		free(facts->items[i].value);
	}
	free(facts->items);
	*facts = (struct facts){ 0 };
}

/* Takes over the value's text. */
static void add(struct facts *facts, unsigned kind, bool given, struct text *value,
	const char *path_format, ...) TUNER_PRINTF(5, 6);
static void add(struct facts *facts, unsigned kind, bool given, struct text *value,
	const char *path_format, ...)
{
	struct text path = TEXT_EMPTY;
	va_list args;

	va_start(args, path_format);
	text_print_v(&path, path_format, args);
	va_end(args);
	if (!array_reserve(&facts->items, facts->n, &facts->capacity, sizeof(*facts->items))) {
		facts->failed = true;
		text_finish(&path);
		text_finish(value);
		return;
	}
	struct fact *fact = &facts->items[facts->n++];
	*fact = (struct fact){
		.path = text_take(&path), .value = text_take(value), .given = given, .kind = kind
	};
	facts->failed |= fact->path == NULL || fact->value == NULL;
}

/* ---- texts of values ---- */

void strings_json(char *const *strings, struct text *ret)
{
	text_add(ret, "[");
	for (size_t i = 0; strings && strings[i]; i++) {
		text_add(ret, i ? ", " : "");
		text_add_json_string(ret, strings[i]);
	}
	text_add(ret, "]");
}

static struct text string_text(const char *string)
{
	struct text text = TEXT_EMPTY;

	text_add_json_string(&text, string);
	return text;
}

static struct text number_text(double number)
{
	struct text text = TEXT_EMPTY;

	text_add_json_double(&text, number);
	return text;
}

static struct text boolean_text(bool boolean)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, boolean ? "true" : "false");
	return text;
}

static struct text null_text(void)
{
	struct text text = TEXT_EMPTY;

	text_add(&text, "null");
	return text;
}

/* For values where 0 means "not set". */
static struct text optional_number(double number)
{
	return number == 0 ? null_text() : number_text(number);
}

static struct text duration_text(int64_t us)
{
	char words[NUMBER_TEXT];
	int64_t back;

	number_from_duration_us(us, words);
	if (number_to_duration_us(words, &back) && back == us)
		return string_text(words);
	return number_text((double)us * 1e-6); /* two units are not exact */
}

static struct text optional_duration(int64_t us)
{
	return us == 0 ? null_text() : duration_text(us);
}

static struct text size_text(int64_t bytes)
{
	static const struct {
		const char *unit;
		int64_t bytes;
	} units[] = { { "GiB", 1 << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 } };
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (bytes > 0 && bytes % units[i].bytes == 0) {
			text_print(&text, "\"%lld %s\"", (long long)(bytes / units[i].bytes),
				units[i].unit);
			return text;
		}
	text_print(&text, "%lld", (long long)bytes);
	return text;
}

static struct text time_text(int64_t us)
{
	char words[32];

	if (us == 0)
		return null_text();
	value_time_text(us, words);
	return string_text(words);
}

/* Conditions as the file would say them, values in the space's order. */
static void add_when(const struct job_file *file, size_t i, struct text *ret)
{
	const char *separator = ", \"when\": {";
	bool any = false;

	for (size_t c = 0; c < file->space.n_conditions; c++) {
		const struct condition *condition = &file->space.conditions[c];
		if (condition->parameter != i)
			continue;
		text_add(ret, separator);
		text_add_json_string(ret, file->space.parameters[condition->parent].name);
		for (size_t k = 0; k < condition->n; k++) {
			text_add(ret, k ? ", " : ": [");
			configuration_value_json(
				file, condition->parent, condition->values[k], ret);
		}
		text_add(ret, "]");
		separator = ", ";
		any = true;
	}
	text_add(ret, any ? "}" : "");
}

void parameter_definition(const struct job_file *file, size_t i, struct text *ret)
{
	const struct parameter *p = &file->space.parameters[i];
	const struct job_values *values = &file->values[i];

	text_print(ret, "{\"type\": \"%s\"", parameter_type_name(p->type));
	if (values->n == 0) {
		text_add(ret, ", \"min\": ");
		text_add_json_double(ret, p->min);
		text_add(ret, ", \"max\": ");
		text_add_json_double(ret, p->max);
		text_print(ret, ", \"scale\": \"%s\"", parameter_scale_name(p->scale));
	}
	if (p->step > 0) {
		text_add(ret, ", \"step\": ");
		text_add_json_double(ret, p->step);
	}
	for (size_t k = 0; k < values->n; k++)
		text_print(ret, "%s%s", k ? ", " : ", \"values\": [", values->json[k]);
	text_add(ret, values->n ? "]" : "");
	if (has_prior(file, i)) {
		text_add(ret, ", \"prior\": ");
		prior_json(file, i, ret);
	}
	add_when(file, i, ret);
	text_add(ret, "}");
}

void constraints_json(const struct job_file *file, struct text *ret)
{
	text_add(ret, "[");
	for (size_t i = 0; i < file->space.n_constraints; i++) {
		text_add(ret, i ? ", " : "");
		text_add_json_string(ret, expression_text(file->space.constraints[i]));
	}
	text_add(ret, "]");
}

/* ---- the parts ---- */

/* Collects facts; which keys were given is read again from the file's own text. */
struct collector {
	const struct job_file *file;
	const cJSON *root;
	struct facts *facts;
};

static const cJSON *child_of(const cJSON *object, const char *name)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

static bool is_given(
	const struct collector *c, enum section section, const char *object, const char *name)
{
	const cJSON *node = object ? child_of(c->root, object) : c->root;
	const char *shorthand = section_shorthand(section);

	if (cJSON_IsString(node))
		return shorthand && strcmp(shorthand, name) == 0;
	return child_of(node, name) != NULL;
}

/* A fact of a key of the table: its path and, for null, the default in words. */
static void add_key(struct collector *c, unsigned kind, enum section section, const char *object,
	const char *name, struct text value)
{
	add(c->facts, kind, is_given(c, section, object, name), &value, "%s%s%s",
		object ? object : "", object ? "." : "", name);
	if (c->facts->n > 0)
		c->facts->items[c->facts->n - 1].derived = key_get(section, name)->derived;
}

static void add_objective(struct collector *c)
{
	const struct job_file *file = c->file;
	const struct job_objective *objective = &file->objective;
	struct text reduce = TEXT_EMPTY;

	objective_reduce_json(objective, &reduce);
	if (objective->cost != NULL) {
		struct text cost = TEXT_EMPTY;
		text_add(&cost, objective->cost);
		add_key(c, CHANGE_OBJECTIVE, SECTION_OBJECTIVE, "objective", "cost", cost);
		add_key(c, CHANGE_OBJECTIVE, SECTION_OBJECTIVE, "objective", "per",
			string_text(objective->per_case ? "case" : "all"));
	}
	add_key(c, CHANGE_OBJECTIVE, SECTION_OBJECTIVE, "objective",
		objective->formula != NULL ? "expression" : "metric", string_text(file->metric));
	add_key(c, CHANGE_OBJECTIVE, SECTION_OBJECTIVE, "objective", "goal",
		string_text(file->maximize ? "maximize" : "minimize"));
	add_key(c, CHANGE_OBJECTIVE, SECTION_OBJECTIVE, "objective", "reduce", reduce);
	for (size_t i = 0; i < objective->n_limits; i++) {
		struct text value = string_text(expression_text(objective->limits[i]));
		add(c->facts, CHANGE_OBJECTIVE, true, &value, "objective.limits.%zu", i);
	}
	for (size_t i = 0; i < objective->n_also; i++) {
		struct text value = TEXT_EMPTY;
		objective_also_item_json(&objective->also[i], &value);
		add(c->facts, CHANGE_OBJECTIVE, true, &value, "objective.also.%zu", i);
	}
}

/* A pattern is part of how a trial is measured, but one that never matched must be correctable
 * without starting anew: hence not CHANGE_OBJECTIVE. */
static void add_metrics(struct collector *c)
{
	const struct job_file *file = c->file;

	if (file->n_metrics == 0)
		add_key(c, CHANGE_COMMAND, SECTION_FILE, NULL, "metrics", null_text());
	for (size_t i = 0; i < file->n_metrics; i++) {
		const struct metric_pattern *metric = &file->metrics[i];
		struct text regex = metric->regex ? string_text(metric->regex) : null_text();
		const bool objective =
			objective_find(&file->objective, metric->name) < file->objective.n;
		add(c->facts, objective ? CHANGE_COMMAND : CHANGE_TAKEN, true, &regex, "metrics.%s",
			metric->name);
	}
}

/* Constraints may name fixed values, and changing one changes which configurations are allowed. */
static unsigned fixed_kind(const struct job_file *file)
{
	return file->space.n_constraints > 0 ? CHANGE_COMMAND | CHANGE_SPACE : CHANGE_COMMAND;
}

static void add_space(struct collector *c)
{
	const struct job_file *file = c->file;

	for (size_t i = 0; i < file->space.d; i++) {
		struct text definition = TEXT_EMPTY;
		parameter_definition(file, i, &definition);
		add(c->facts, CHANGE_SPACE, true, &definition, "parameters.%s",
			file->space.parameters[i].name);
	}
	for (size_t i = 0; i < file->n_fixed; i++) {
		struct text value = TEXT_EMPTY;
		text_add(&value, file->fixed[i].json);
		add(c->facts, fixed_kind(file), true, &value, "fixed.%s", file->fixed[i].name);
	}
	for (size_t i = 0; i < file->space.n_constraints; i++) {
		struct text value = string_text(expression_text(file->space.constraints[i]));
		add(c->facts, CHANGE_SPACE, true, &value, "constraints.%zu", i);
	}
	for (size_t i = 0; i < file->n_first; i++) {
		struct text value = TEXT_EMPTY;
		configuration_json(file, file->first[i], &value);
		add(c->facts, CHANGE_TAKEN, true, &value, "first.%zu", i);
	}
}

/* Without settings that do not apply to the chosen acquisition. */
static void add_acquisition(struct collector *c)
{
	const struct strategy *s = &c->file->strategy;

	add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "acquisition",
		string_text(strategy_acquisition_name(s->acquisition)));
	if (s->acquisition == STRATEGY_UCB)
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "ucb_beta",
			number_text(s->ucb_beta));
	if (s->acquisition == STRATEGY_EI) {
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "incumbent",
			string_text(strategy_incumbent_name(s->incumbent)));
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "cost_aware",
			boolean_text(s->cost_aware));
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "hyperparameters",
			string_text(strategy_hyperparameters_name(s->hyperparameters)));
	}
}

static void add_seed(struct collector *c)
{
	struct text seed = TEXT_EMPTY;
	const bool large = c->file->seed > (UINT64_C(1) << 53);

	text_print(&seed, large ? "\"%llu\"" : "%llu", (unsigned long long)c->file->seed);
	add_key(c, CHANGE_SEED, SECTION_FILE, NULL, "seed", seed);
}

/* An arm whose strategy changes is no longer the same arm. */
static void add_arms(struct collector *c)
{
	for (size_t i = 0; i < c->file->n_arms; i++) {
		const struct job_arm *arm = &c->file->arms[i];
		char *settings = strategy_settings(&arm->strategy);
		struct text value = TEXT_EMPTY;
		text_add(&value, settings != NULL ? settings : "null");
		free(settings);
		add(c->facts, CHANGE_COMMAND, true, &value, "arms.%s.strategy", arm->name);
	}
	if (c->file->n_arms > 0)
		add_key(c, CHANGE_TAKEN, SECTION_FILE, NULL, "repeats",
			number_text((double)c->file->repeats));
}

static void add_strategy(struct collector *c)
{
	const struct strategy *s = &c->file->strategy;

	if (c->file->n_arms > 0) {
		add_arms(c);
		add_seed(c);
		return;
	}
	add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "name",
		string_text(strategy_name(s->name)));
	if (s->name == STRATEGY_BAYESIAN) {
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "initial",
			optional_number((double)s->initial));
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "deterministic",
			boolean_text(s->deterministic));
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "warp",
			string_text(strategy_warp_name(s->warp)));
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "transform",
			string_text(transform_name(s->transform)));
		add_acquisition(c);
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "trust_region",
			string_text(strategy_trust_region_name(s->trust_region)));
	}
	if (s->name == STRATEGY_GRID)
		add_key(c, CHANGE_TAKEN, SECTION_STRATEGY, "strategy", "points",
			number_text((double)s->grid_points));
	add_seed(c);
}

static void add_budget(struct collector *c)
{
	const struct job_budget *b = &c->file->budget;
	const struct {
		const char *name;
		struct text value;
	} rows[] = {
		{ "trials", number_text((double)b->trials) },
		{ "parallel", optional_number((double)b->parallel) },
		{ "runtime", optional_duration(b->runtime_us) },
		{ "deadline", time_text(b->deadline_us) },
		{ "target", b->has_target ? number_text(b->target) : null_text() },
		{ "cost", optional_number(b->cost) },
		{ "not_improving", optional_number((double)b->not_improving) },
		{ "converged", boolean_text(b->converged) },
		{ "failures", number_text((double)b->failures) },
		{ "start_failures", number_text((double)b->start_failures) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		add_key(c, CHANGE_TAKEN, SECTION_BUDGET, "budget", rows[i].name, rows[i].value);
}

static struct text setting_text(const struct stopping_settings *s, const char *name)
{
	const struct {
		const char *name;
		double value;
		bool may_be_zero;
	} rows[] = {
		{ "max_step", s->max_step, false },
		{ "grace", s->grace, false },
		{ "min_trials", (double)s->min_curves, false },
		{ "top", (double)s->top, true },
		{ "patience", (double)s->patience, false },
		{ "margin", s->margin, true },
		{ "bound", s->bound, true },
		{ "min_step", s->min_step, false },
		{ "eta", s->eta, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].may_be_zero ? number_text(rows[i].value)
						   : optional_number(rows[i].value);
	return null_text();
}

static void add_stopping(struct collector *c)
{
	const struct stopping_settings *s = &c->file->stopping;
	const char *settings = stopping_rule_settings(s->rule);
	char name[WORD_BYTES];

	add_key(c, CHANGE_TAKEN, SECTION_STOPPING, "early_stopping", "rule",
		string_text(stopping_rule_name(s->rule)));
	for (size_t i = 0; *settings && i < words_count(settings); i++) {
		words_get(settings, i, name);
		add_key(c, CHANGE_TAKEN, SECTION_STOPPING, "early_stopping", name,
			setting_text(s, name));
	}
}

/* Relative to the working directory, so that a project that moves as a whole stays the same. */
static struct text path_text(const char *directory, const char *path)
{
	const size_t length = strlen(directory);

	if (strncmp(path, directory, length) == 0 && path[length] == '/')
		return string_text(path + length + 1);
	return string_text(path);
}

static struct text code_text(const struct job_file *file)
{
	const struct job_code *code = &file->code;
	struct text text = TEXT_EMPTY, git = TEXT_EMPTY;

	if (code->from != CODE_GIT)
		return string_text(code->from == CODE_SNAPSHOT ? "snapshot" : "live");
	git = path_text(file->directory, code->git);
	text_print(&text, "{\"git\": %s, \"commit\": ", git.bytes);
	text_add_json_string(&text, code->commit);
	if (code->path[0] != '\0') {
		text_add(&text, ", \"path\": ");
		text_add_json_string(&text, code->path);
	}
	text_add(&text, "}");
	text_finish(&git);
	return text;
}

static void add_command(struct collector *c)
{
	static const char *const styles[] = { [ARGUMENTS_SPACE] = "--{name} {value}",
		[ARGUMENTS_EQUALS] = "--{name}={value}",
		[ARGUMENTS_BARE] = "{name}={value}",
		[ARGUMENTS_NONE] = "none" };
	const struct job_file *file = c->file;
	const cJSON *directory = child_of(c->root, "directory");
	struct text command = TEXT_EMPTY;

	strings_json(file->command, &command);
	add_key(c, CHANGE_COMMAND, SECTION_FILE, NULL, "command", command);
	add_key(c, CHANGE_COMMAND, SECTION_FILE, NULL, "arguments",
		string_text(styles[file->style]));
	add_key(c, CHANGE_COMMAND, SECTION_FILE, NULL, "directory",
		directory ? string_text(directory->valuestring) : null_text());
	add_key(c, CHANGE_COMMAND, SECTION_FILE, NULL, "source", code_text(file));
	for (size_t i = 0; i < file->n_channels; i++) {
		struct text path = path_text(file->directory, file->channels[i].path);
		add(c->facts, CHANGE_COMMAND, true, &path, "channels.%s", file->channels[i].name);
	}
	for (char **line = file->environment; line && *line; line++) {
		const char *equals = strchr(*line, '=');
		struct text value = string_text(equals + 1);
		add(c->facts, CHANGE_COMMAND, true, &value, "env.%.*s", (int)(equals - *line),
			*line);
	}
}

static void add_outcomes(struct collector *c)
{
	for (enum outcome o = OUTCOME_OK; o < OUTCOMES; o++) {
		const struct outcome_rule *rule = &c->file->outcomes[o];
		struct text value = TEXT_EMPTY;
		if (!rule->given)
			continue;
		text_print(&value, "{\"then\": \"%s\"", outcome_action_name(rule->then));
		if (rule->own_retries && rule->retries >= 0)
			text_print(&value, ", \"retries\": %lld", (long long)rule->retries);
		text_add(&value, "}");
		add(c->facts, CHANGE_TAKEN, true, &value, "outcomes.%s", outcome_name(o));
	}
}

static void add_isolation(struct collector *c)
{
	const struct job_file *file = c->file;

	add_key(c, CHANGE_TAKEN, SECTION_FILE, NULL, "network",
		string_text(file->no_network ? "none" : "host"));
	add_key(c, CHANGE_TAKEN, SECTION_FILE, NULL, "memory",
		file->memory_bytes > 0 ? size_text(file->memory_bytes) : null_text());
	if (file->env_file != NULL)
		add_key(c, CHANGE_TAKEN, SECTION_FILE, NULL, "env_file",
			string_text(file->env_file));
}

static void add_limits(struct collector *c)
{
	const struct job_file *file = c->file;

	add_key(c, CHANGE_TAKEN, SECTION_FILE, NULL, "retries", number_text((double)file->retries));
	add_key(c, CHANGE_TAKEN, SECTION_FILE, NULL, "timeout",
		optional_duration(file->timeout_us));
	add_key(c, CHANGE_TAKEN, SECTION_FILE, NULL, "grace", duration_text(file->grace_us));
	add_key(c, CHANGE_TAKEN, SECTION_FILE, NULL, "log_max", size_text(file->log_max_bytes));
	add_key(c, CHANGE_TAKEN, SECTION_FILE, NULL, "backoff", duration_text(file->backoff_us));
	add_isolation(c);
	add_outcomes(c);
	for (size_t i = 0; i < file->n_failures; i++) {
		struct text rule = TEXT_EMPTY;
		text_add(&rule, "{\"pattern\": ");
		text_add_json_string(&rule, file->failures[i].pattern);
		text_print(&rule, ", \"class\": \"%s\", \"retry\": %s}", file->failures[i].outcome,
			file->failures[i].retry ? "true" : "false");
		add(c->facts, CHANGE_TAKEN, true, &rule, "failures.%zu", i);
	}
}

static void add_keep(struct collector *c)
{
	const struct job_keep *keep = &c->file->keep;

	add_key(c, CHANGE_TAKEN, SECTION_KEEP, "keep", "best", optional_number((double)keep->best));
	add_key(c, CHANGE_TAKEN, SECTION_KEEP, "keep", "last",
		keep->best > 0 ? number_text((double)keep->last) : null_text());
	add_key(c, CHANGE_TAKEN, SECTION_KEEP, "keep", "disk",
		keep->disk_bytes > 0 ? size_text(keep->disk_bytes) : null_text());
}

static void add_parent(struct collector *c, size_t i)
{
	const struct job_file *file = c->file;
	const struct warm_parent *parent = &file->warm_start.parents[i];
	struct text value = TEXT_EMPTY, missing = TEXT_EMPTY;
	const char *separator = ", \"missing\": {";

	text_add(&value, "{");
	if (parent->db != NULL) {
		struct text db = path_text(file->directory, parent->db);
		text_print(&value, "\"db\": %s, ", db.bytes);
		text_finish(&db);
	}
	text_add(&value, "\"job\": ");
	text_add_json_string(&value, parent->job);
	for (size_t p = 0; p < file->space.d; p++) {
		if (isnan(parent->missing[p]))
			continue;
		text_add(&missing, separator);
		text_add_json_string(&missing, file->space.parameters[p].name);
		text_add(&missing, ": ");
		configuration_value_json(file, p, parent->missing[p], &missing);
		separator = ", ";
	}
	if (missing.length > 0)
		text_print(&value, "%s}", missing.bytes);
	if (parent->ignore[0] != NULL) {
		text_add(&value, ", \"ignore\": ");
		strings_json(parent->ignore, &value);
	}
	text_add(&value, "}");
	c->facts->failed |= text_failed(&missing);
	text_finish(&missing);
	add(c->facts, CHANGE_WARM_START, true, &value, "warm_start.jobs.%zu", i);
}

static void add_warm_start(struct collector *c)
{
	const struct job_warm_start *warm_start = &c->file->warm_start;

	if (warm_start->n == 0)
		return;
	add_key(c, CHANGE_WARM_START, SECTION_WARM_START, "warm_start", "as",
		string_text(warm_as_name(warm_start->as)));
	if (warm_start->as == WARM_FIRST)
		add_key(c, CHANGE_WARM_START, SECTION_WARM_START, "warm_start", "best",
			number_text((double)warm_start->best));
	for (size_t i = 0; i < warm_start->n; i++)
		add_parent(c, i);
}

static struct text gpus_text(const struct job_host *host)
{
	struct text text = TEXT_EMPTY;

	if (host->gpus_auto || host->n_gpus == 0)
		return string_text(host->gpus_auto ? "auto" : "none");
	for (size_t i = 0; i < host->n_gpus; i++)
		text_print(&text, "%s%d", i ? ", " : "[", host->gpus[i]);
	text_add(&text, "]");
	return text;
}

static void add_slurm(struct collector *c, const struct job_host *host, const cJSON *node, size_t i)
{
	const struct slurm_settings *s = &host->slurm->settings;
	const struct {
		const char *name, *value;
	} strings[] = { { "url", s->url }, { "user", s->user }, { "token_file", s->token_file },
		{ "directory", host->slurm->directory }, { "partition", s->partition },
		{ "gres", s->gres }, { "account", s->account }, { "qos", s->qos },
		{ "constraint", s->constraint } };
	const struct {
		const char *name;
		char *const *value;
	} lists[] = { { "token_command", s->token_command }, { "script_lines", s->script_lines } };
	struct text cores = number_text(s->cores), ahead = number_text(host->slurm->ahead);

	for (size_t k = 0; k < sizeof(strings) / sizeof(*strings); k++) {
		if (strings[k].value == NULL)
			continue;
		struct text value = string_text(strings[k].value);
		add(c->facts, CHANGE_TAKEN, child_of(node, strings[k].name), &value, "hosts.%zu.%s",
			i, strings[k].name);
	}
	for (size_t k = 0; k < sizeof(lists) / sizeof(*lists); k++) {
		struct text value = TEXT_EMPTY;
		if (lists[k].value == NULL)
			continue;
		strings_json(lists[k].value, &value);
		add(c->facts, CHANGE_TAKEN, true, &value, "hosts.%zu.%s", i, lists[k].name);
	}
	add(c->facts, CHANGE_TAKEN, child_of(node, "cores"), &cores, "hosts.%zu.cores", i);
	add(c->facts, CHANGE_TAKEN, child_of(node, "ahead"), &ahead, "hosts.%zu.ahead", i);
	if (s->memory_bytes > 0) {
		struct text memory = number_text((double)s->memory_bytes);
		add(c->facts, CHANGE_TAKEN, true, &memory, "hosts.%zu.memory", i);
	}
	if (s->time_limit_us > 0) {
		struct text limit = number_text((double)s->time_limit_us / 1e6);
		add(c->facts, CHANGE_TAKEN, true, &limit, "hosts.%zu.time_limit", i);
	}
}

static void add_ssh(struct collector *c, const struct job_ssh *ssh, const cJSON *node, size_t i)
{
	char span[NUMBER_TEXT];
	const struct {
		const char *name, *value;
	} strings[] = { { "address", ssh->address }, { "user", ssh->user },
		{ "directory", ssh->directory }, { "sync", ssh->sync ? "rsync" : "none" },
		{ "host_timeout", number_from_duration_us(ssh->host_timeout_us, span) } };

	for (size_t k = 0; k < sizeof(strings) / sizeof(*strings); k++) {
		if (strings[k].value[0] == '\0')
			continue;
		struct text value = string_text(strings[k].value);
		add(c->facts, CHANGE_TAKEN, child_of(node, strings[k].name), &value, "hosts.%zu.%s",
			i, strings[k].name);
	}
	if (ssh->port > 0) {
		struct text port = number_text(ssh->port);
		add(c->facts, CHANGE_TAKEN, true, &port, "hosts.%zu.port", i);
	}
	if (ssh->lease_us > 0) {
		struct text lease = string_text(number_from_duration_us(ssh->lease_us, span));
		add(c->facts, CHANGE_TAKEN, true, &lease, "hosts.%zu.lease", i);
	}
	if (ssh->options != NULL) {
		struct text options = TEXT_EMPTY;
		strings_json(ssh->options, &options);
		add(c->facts, CHANGE_TAKEN, true, &options, "hosts.%zu.ssh_options", i);
	}
}

static void add_hosts(struct collector *c)
{
	const cJSON *array = child_of(c->root, "hosts");

	for (size_t i = 0; i < c->file->n_hosts; i++) {
		const struct job_host *host = &c->file->hosts[i];
		const cJSON *node = cJSON_GetArrayItem(array, (int)i);
		struct text backend = string_text(host->backend), gpus = gpus_text(host);
		struct text per_trial = number_text(host->gpus_per_trial), prefix = TEXT_EMPTY;
		add(c->facts, CHANGE_TAKEN, child_of(node, "backend"), &backend,
			"hosts.%zu.backend", i);
		if (host->name[0] != '\0') {
			struct text name = string_text(host->name);
			add(c->facts, CHANGE_TAKEN, true, &name, "hosts.%zu.name", i);
		}
		if (host->slots > 0) {
			struct text slots = number_text(host->slots);
			add(c->facts, CHANGE_TAKEN, true, &slots, "hosts.%zu.slots", i);
		}
		if (host->price > 0) {
			struct text price = number_text(host->price);
			add(c->facts, CHANGE_TAKEN, true, &price, "hosts.%zu.price", i);
		}
		if (host->priority != 0) {
			struct text priority = number_text((double)host->priority);
			add(c->facts, CHANGE_TAKEN, true, &priority, "hosts.%zu.priority", i);
		}
		if (host->slurm != NULL) {
			add_slurm(c, host, node, i);
			text_finish(&gpus);
		} else {
			add(c->facts, CHANGE_TAKEN, child_of(node, "gpus"), &gpus, "hosts.%zu.gpus",
				i);
		}
		if (host->gpus_per_trial > 0)
			add(c->facts, CHANGE_TAKEN, child_of(node, "gpus_per_trial"), &per_trial,
				"hosts.%zu.gpus_per_trial", i);
		else
			text_finish(&per_trial);
		if (host->trials_per_gpu > 1) {
			struct text sharing = host->packs ? string_text("auto")
							  : number_text(host->trials_per_gpu);
			add(c->facts, CHANGE_TAKEN, true, &sharing, "hosts.%zu.trials_per_gpu", i);
		}
		if (host->uses_busy_gpus) {
			struct text use = string_text("use");
			add(c->facts, CHANGE_TAKEN, true, &use, "hosts.%zu.busy_gpus", i);
		}
		if (host->prefix != NULL) {
			strings_json(host->prefix, &prefix);
			add(c->facts, CHANGE_TAKEN, true, &prefix, "hosts.%zu.prefix", i);
		}
		if (host->ssh != NULL)
			add_ssh(c, host->ssh, node, i);
	}
}

bool facts_create(const struct job_file *file, struct facts *ret)
{
	struct json_document *document = NULL;
	struct tuner_error ignored;

	*ret = (struct facts){ 0 };
	if (!json_parse("", file->text, strlen(file->text), &document, &ignored))
		return false; /* it was parsed before, so only memory can be missing */
	struct collector c = { .file = file, .root = json_root(document), .facts = ret };
	add_objective(&c);
	add_metrics(&c);
	add_space(&c);
	add_strategy(&c);
	add_budget(&c);
	add_stopping(&c);
	add_command(&c);
	add_limits(&c);
	add_keep(&c);
	add_warm_start(&c);
	add_hosts(&c);
	json_destroy(document);
	return !ret->failed;
}
