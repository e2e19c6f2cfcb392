/* What is searched for and how: metrics, strategy, seed, budget, early stopping. */
#include "tuner/jobfile_reader.h"

#include "base/clock.h"
#include "tuner/jobfile_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS_DEFAULT = 30 };

static bool copy(const char *string, char **ret, struct tuner_error *err)
{
	*ret = strdup(string);
	return *ret ? true : tuner_fail_memory(err);
}

/* ---- metrics ---- */

static void check_regex(
	struct reader *reader, const cJSON *node, const struct metric_pattern *metric)
{
	struct metric_patterns *compiled = NULL;
	struct tuner_error err;
	size_t bad;

	if (metric->regex == NULL || strlen(metric->name) > SCRAPE_NAME_MAX) /* which was told */
		return;
	if (!metric_patterns_create(metric, 1, &compiled, &bad, &err))
		report_error(reader, member_raw(node, "regex"), AT_VALUE, "%s", err.message);
	metric_patterns_destroy(compiled);
}

static void check_metric_name(struct reader *reader, const cJSON *name)
{
	const struct job_file *file = reader->file;

	if (strlen(name->valuestring) > SCRAPE_NAME_MAX)
		report_error(reader, name, AT_VALUE, "expected at most %d bytes", SCRAPE_NAME_MAX);
	if (!metric_name_is_text(name->valuestring))
		report_error(reader, name, AT_VALUE, "expected a name without control characters");
	for (size_t i = 0; i < file->n_metrics; i++)
		if (strcmp(file->metrics[i].name, name->valuestring) == 0)
			report_error(reader, name, AT_VALUE,
				"expected each metric once, found \"%.100s\" again",
				name->valuestring);
}

static bool add_metric(struct reader *reader, const cJSON *node, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	const cJSON *name = member(node, SECTION_METRIC, "name");
	const cJSON *regex = member(node, SECTION_METRIC, "regex");
	struct metric_pattern *metric = &file->metrics[file->n_metrics];
	char *copied = NULL;

	if (name == NULL)
		return true;
	check_metric_name(reader, name);
	file->n_metrics++;
	if (!copy(name->valuestring, &copied, err))
		return false;
	metric->name = copied;
	if (regex != NULL && !copy(regex->valuestring, &copied, err))
		return false;
	metric->regex = regex ? copied : NULL;
	check_regex(reader, node, metric);
	return true;
}

static bool read_metrics(struct reader *reader, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	const cJSON *array = member(reader->root, SECTION_FILE, "metrics");

	file->metrics = calloc(SCRAPE_PATTERNS_MAX + 1, sizeof(*file->metrics));
	if (file->metrics == NULL)
		return tuner_fail_memory(err);
	for (const cJSON *item = array ? array->child : NULL; item; item = item->next)
		if (!add_metric(reader, item, err))
			return false;
	if (!has_member(reader->root, "metrics") || array != NULL)
		check_objective_metrics(reader);
	return true;
}

/* ---- strategy ---- */

static void refuse_for(struct reader *reader, const cJSON *object, const char *name, bool applies,
	const char *what, const char *chosen)
{
	const cJSON *node = member_raw(object, name);

	if (node != NULL && !applies)
		report_error(reader, node, AT_KEY, "has no effect on the %s \"%s\"", what, chosen);
}

/* Settings of one acquisition have no effect on another. */
static void check_acquisition(
	struct reader *reader, const cJSON *object, const struct strategy *strategy)
{
	const char *chosen = strategy_acquisition_name(strategy->acquisition);
	const bool is_ei = strategy->acquisition == STRATEGY_EI;

	if (has_member(object, "acquisition") &&
		member(object, SECTION_STRATEGY, "acquisition") == NULL)
		return;
	refuse_for(reader, object, "ucb_beta", strategy->acquisition == STRATEGY_UCB, "acquisition",
		chosen);
	refuse_for(reader, object, "incumbent", is_ei, "acquisition", chosen);
	refuse_for(reader, object, "cost_aware", is_ei, "acquisition", chosen);
	refuse_for(reader, object, "hyperparameters", is_ei, "acquisition", chosen);
}

static void check_hyperparameters(
	struct reader *reader, const cJSON *object, const struct strategy *strategy)
{
	if (strategy->hyperparameters == STRATEGY_MARGINAL && strategy->warp == STRATEGY_WARP_AXES)
		report_error(reader, member(object, SECTION_STRATEGY, "hyperparameters"), AT_VALUE,
			"does not go with warp \"axes\", whose shapes are chosen when the most "
			"likely hyperparameters are: take warp \"free\" or \"none\"");
}

static void read_acquisition(const cJSON *object, struct strategy *strategy)
{
	strategy->acquisition =
		(enum strategy_acquisition)member_word(object, SECTION_STRATEGY, "acquisition");
	strategy->ucb_beta = member_number(object, SECTION_STRATEGY, "ucb_beta");
	strategy->incumbent =
		(enum strategy_incumbent)member_word(object, SECTION_STRATEGY, "incumbent");
	strategy->cost_aware = member_boolean(object, SECTION_STRATEGY, "cost_aware");
	strategy->hyperparameters = (enum strategy_hyperparameters)member_word(
		object, SECTION_STRATEGY, "hyperparameters");
}

/* A bend is learnt from the whole slope, which ranks flatten, and pays where trials are made beyond
 * the best result (docs/surrogate.md, "The published surface"). */
static void suit_free_warp(const cJSON *object, struct strategy *strategy)
{
	if (strategy->warp != STRATEGY_WARP_FREE)
		return;
	if (!has_member(object, "transform"))
		strategy->transform = TRANSFORM_NONE;
	if (!has_member(object, "incumbent"))
		strategy->incumbent = STRATEGY_INCUMBENT_BEST;
}

static void read_strategy(struct reader *reader, const cJSON *object, struct strategy *strategy)
{
	static const char *const of_bayesian[] = { "deterministic", "warp", "transform",
		"acquisition", "ucb_beta", "incumbent", "cost_aware", "hyperparameters",
		"trust_region" };
	static const enum strategy_name names[] = { STRATEGY_BAYESIAN, STRATEGY_SOBOL,
		STRATEGY_RANDOM, STRATEGY_GRID };
	const int word = member_word(object, SECTION_STRATEGY, "name");
	const cJSON *initial = member(object, SECTION_STRATEGY, "initial");
	char chosen[WORD_BYTES];

	strategy->name = names[word];
	words_get(key_get(SECTION_STRATEGY, "name")->words, (size_t)word, chosen);
	strategy->initial = initial ? (size_t)initial->valuedouble : 0;
	strategy->deterministic = member_boolean(object, SECTION_STRATEGY, "deterministic");
	strategy->warp = (enum strategy_warp)member_word(object, SECTION_STRATEGY, "warp");
	strategy->transform =
		(enum transform_kind)member_word(object, SECTION_STRATEGY, "transform");
	strategy->trust_region =
		(enum strategy_trust_region)member_word(object, SECTION_STRATEGY, "trust_region");
	read_acquisition(object, strategy);
	suit_free_warp(object, strategy);
	strategy->grid_points = (size_t)member_integer(object, SECTION_STRATEGY, "points");
	if (has_member(object, "name") && member(object, SECTION_STRATEGY, "name") == NULL)
		return;
	const bool bayesian = strategy->name == STRATEGY_BAYESIAN;
	for (size_t i = 0; i < sizeof(of_bayesian) / sizeof(*of_bayesian); i++)
		refuse_for(reader, object, of_bayesian[i], bayesian, "strategy", chosen);
	refuse_for(reader, object, "initial", bayesian || strategy->name == STRATEGY_RANDOM,
		"strategy", chosen);
	refuse_for(reader, object, "points", strategy->name == STRATEGY_GRID, "strategy", chosen);
	if (bayesian) {
		check_acquisition(reader, object, strategy);
		check_hyperparameters(reader, object, strategy);
	}
}

static void read_seed(struct reader *reader)
{
	const cJSON *seed = member(reader->root, SECTION_FILE, "seed");

	if (seed == NULL || !value_seed(seed, &reader->file->seed))
		reader->file->seed = (uint64_t)member_integer(NULL, SECTION_FILE, "seed");
}

/* ---- budget ---- */

static int64_t optional_duration(const cJSON *object, const char *name)
{
	return member(object, SECTION_BUDGET, name)
		       ? member_duration_us(object, SECTION_BUDGET, name)
		       : 0;
}

static int64_t optional_integer(const cJSON *object, const char *name)
{
	const cJSON *value = member(object, SECTION_BUDGET, name);

	return value ? (int64_t)value->valuedouble : 0;
}

static void read_deadline(struct reader *reader, const cJSON *object)
{
	const cJSON *deadline = member(object, SECTION_BUDGET, "deadline");
	int64_t *us = &reader->file->budget.deadline_us;

	if (deadline != NULL && value_time(deadline, us) && *us <= clock_wall_us())
		report_warning(reader, deadline, AT_VALUE, "has passed already");
}

/* "trials" is for each search of a comparison, "parallel" and "start_failures" are for all of them. */
static void check_budget(struct reader *reader)
{
	const cJSON *object = member(reader->root, SECTION_FILE, "budget");
	const struct job_budget *budget = &reader->file->budget;
	const int64_t trials = budget->trials * job_file_searches(reader->file);

	if (budget->parallel > trials)
		report_warning(reader, member_raw(object, "parallel"), AT_VALUE,
			"%lld at the same time, but %lld trial%s in all",
			(long long)budget->parallel, (long long)trials, trials == 1 ? "" : "s");
	if (budget->start_failures > trials && has_member(object, "start_failures"))
		report_warning(reader, member_raw(object, "start_failures"), AT_VALUE,
			"is above %s, %lld: it cannot be reached",
			reader->file->n_arms > 0 ? "the trials of all arms" : "\"trials\"",
			(long long)trials);
	if ((int64_t)reader->file->n_first > budget->trials)
		report_warning(reader, member_raw(reader->root, "first"), AT_KEY,
			"has %zu configurations, but budget.trials is %lld", reader->file->n_first,
			(long long)budget->trials);
}

static void read_budget(struct reader *reader)
{
	const cJSON *object = member(reader->root, SECTION_FILE, "budget");
	const cJSON *target = member(object, SECTION_BUDGET, "target");
	struct job_budget *budget = &reader->file->budget;

	budget->runtime_us = optional_duration(object, "runtime");
	read_deadline(reader, object);
	budget->trials = optional_integer(object, "trials");
	if (budget->trials == 0)
		budget->trials = has_member(object, "runtime") || has_member(object, "deadline")
					 ? (int64_t)key_get(SECTION_BUDGET, "trials")->max
					 : TRIALS_DEFAULT;
	budget->parallel = optional_integer(object, "parallel");
	budget->has_target = target != NULL;
	budget->target = target ? target->valuedouble : 0;
	const cJSON *cost = member(object, SECTION_BUDGET, "cost");
	budget->cost = cost ? cost->valuedouble : 0;
	budget->not_improving = optional_integer(object, "not_improving");
	budget->converged = member_boolean(object, SECTION_BUDGET, "converged");
	budget->failures = member_integer(object, SECTION_BUDGET, "failures");
	budget->start_failures = member_integer(object, SECTION_BUDGET, "start_failures");
}

/* ---- early stopping ---- */

static const enum stopping_rule rules[] = { STOPPING_NONE, STOPPING_MEDIAN, STOPPING_ASHA,
	STOPPING_THRESHOLD };

const char *stopping_rule_settings(enum stopping_rule rule)
{
	static const char *const settings[] = {
		[STOPPING_NONE] = "",
		[STOPPING_MEDIAN] = "max_step|grace|min_trials|top|patience|margin",
		[STOPPING_ASHA] = "max_step|min_step|eta|min_trials|top|margin",
		[STOPPING_THRESHOLD] = "bound|max_step|grace|patience|margin",
	};

	return settings[rule];
}

static double optional_step(const cJSON *object, const char *name)
{
	const cJSON *value = member(object, SECTION_STOPPING, name);

	return value ? value->valuedouble : 0;
}

static void check_settings(struct reader *reader, const cJSON *object)
{
	const enum stopping_rule rule = reader->file->stopping.rule;

	for (const cJSON *child = object->child; child; child = child->next) {
		const struct key *key = key_find(SECTION_STOPPING, child->string);
		if (key && strcmp(key->name, "rule") != 0 &&
			words_index(stopping_rule_settings(rule), key->name) < 0)
			report_error(reader, child, AT_KEY, "has no effect on the rule \"%s\"",
				stopping_rule_name(rule));
	}
	if (rule == STOPPING_THRESHOLD && !has_member(object, "bound"))
		report_error(reader, object, AT_VALUE,
			"\"bound\" is missing: the rule \"threshold\" needs it");
}

static void check_steps(struct reader *reader, const cJSON *object)
{
	const struct stopping_settings *s = &reader->file->stopping;

	if (s->max_step > 0 && s->grace >= s->max_step)
		report_error(reader, member_raw(object, "grace"), AT_VALUE,
			"expected less than \"max_step\", %g: else the rule has no effect",
			s->max_step);
	if (s->max_step > 0 && s->min_step >= s->max_step)
		report_error(reader, member_raw(object, "min_step"), AT_VALUE,
			"expected less than \"max_step\", %g: else there is no rung", s->max_step);
}

/* Only a model can expect nothing more. */
static void check_converged(struct reader *reader)
{
	const cJSON *budget = member(reader->root, SECTION_FILE, "budget");

	if (reader->file->budget.converged && reader->file->n_arms == 0 &&
		reader->file->strategy.name != STRATEGY_BAYESIAN)
		report_error(reader, member_raw(budget, "converged"), AT_KEY,
			"needs a model: the strategy \"%s\" has none",
			strategy_name(reader->file->strategy.name));
}

static void read_stopping(struct reader *reader)
{
	const cJSON *object = member(reader->root, SECTION_FILE, "early_stopping");
	const cJSON *rule = member(object, SECTION_STOPPING, "rule");
	const cJSON *bound = member(object, SECTION_STOPPING, "bound");
	struct stopping_settings *s = &reader->file->stopping;
	const struct key *key = key_get(SECTION_STOPPING, "rule");

	if (rule == NULL)
		return;
	s->rule = rules[words_index(key->words, rule->valuestring)];
	s->max_step = optional_step(object, "max_step");
	s->grace = optional_step(object, "grace");
	s->min_curves = (size_t)member_integer(object, SECTION_STOPPING, "min_trials");
	s->top = (size_t)member_integer(object, SECTION_STOPPING, "top");
	s->no_top = s->top == 0;
	s->patience = (size_t)member_integer(object, SECTION_STOPPING, "patience");
	s->margin = member_number(object, SECTION_STOPPING, "margin");
	s->bound = bound ? bound->valuedouble : 0;
	s->min_step = optional_step(object, "min_step");
	s->eta = member_number(object, SECTION_STOPPING, "eta");
	if (cJSON_IsString(object) && s->rule == STOPPING_THRESHOLD)
		report_error(reader, object, AT_VALUE,
			"\"threshold\" needs a bound: {\"rule\": \"threshold\", \"bound\": ...}");
	if (!cJSON_IsObject(object))
		return;
	check_settings(reader, object);
	check_steps(reader, object);
}

/* ---- arms ---- */

/* What ends a search by its best trial. */
static const char *const ends_by_best[] = { "target", "not_improving", "converged" };

enum { ENDS_BY_BEST = sizeof(ends_by_best) / sizeof(*ends_by_best) };

/* A limit that ends one arm's search before another's would leave nothing to compare. */
static void check_budget_of_arms(struct reader *reader)
{
	const cJSON *budget = member(reader->root, SECTION_FILE, "budget");

	for (size_t i = 0; i < ENDS_BY_BEST; i++)
		if (has_member(budget, ends_by_best[i]))
			report_error(reader, member_raw(budget, ends_by_best[i]), AT_KEY,
				"does not go with \"arms\": a comparison needs all trials of each");
}

/* All arms begin with the same number of points of the repeat's design. */
static void share_initial(struct job_file *file)
{
	size_t initial = suggest_design_size(file->space.d, (size_t)file->budget.trials);

	for (size_t i = 0; i < file->n_arms; i++)
		if (file->arms[i].strategy.initial > initial)
			initial = file->arms[i].strategy.initial;
	for (size_t i = 0; i < file->n_arms; i++)
		if (file->arms[i].strategy.initial == 0 &&
			(file->arms[i].strategy.name == STRATEGY_BAYESIAN ||
				file->arms[i].strategy.name == STRATEGY_RANDOM))
			file->arms[i].strategy.initial = initial;
}

/* Arms that never get beyond their common points find the same, however good their strategies are. */
static void check_initial(struct reader *reader)
{
	const struct job_file *file = reader->file;
	size_t alike = 0, initial = 0;

	for (size_t i = 0; i < file->n_arms; i++) {
		const struct strategy *strategy = &file->arms[i].strategy;
		if (strategy->name != STRATEGY_SOBOL &&
			(strategy->name == STRATEGY_GRID ||
				(int64_t)strategy->initial < file->budget.trials))
			continue;
		alike++;
		if (strategy->initial > initial)
			initial = strategy->initial;
	}
	if (alike > 1 && initial > 0)
		report_warning(reader, member_raw(reader->root, "arms"), AT_KEY,
			"%zu of them begin with the same %zu trials (\"initial\"), and "
			"budget.trials "
			"is %lld: they find the same",
			alike, initial, (long long)file->budget.trials);
}

static void read_arm(struct reader *reader, const cJSON *node)
{
	struct job_file *file = reader->file;
	struct job_arm *arm = &file->arms[file->n_arms++];
	const cJSON *strategy = cJSON_IsString(node) ? node : member(node, SECTION_ARM, "strategy");

	if (!is_name(node->string) || strlen(node->string) >= sizeof(arm->name))
		report_error(reader, node, AT_KEY,
			"expected letters, digits, '.', '_' and '-', at most %d, and neither '.' "
			"nor '-' in front",
			ARM_NAME_BYTES - 1);
	else
		snprintf(arm->name, sizeof(arm->name), "%s", node->string);
	read_strategy(reader, strategy, &arm->strategy);
}

static void read_arms(struct reader *reader)
{
	const cJSON *map = member(reader->root, SECTION_FILE, "arms");
	struct job_file *file = reader->file;

	file->repeats = member_integer(reader->root, SECTION_FILE, "repeats");
	if (map == NULL) {
		if (has_member(reader->root, "repeats") && !has_member(reader->root, "arms"))
			report_error(reader, member_raw(reader->root, "repeats"), AT_KEY,
				"has no effect without \"arms\", which it repeats");
		file->repeats = 1;
		return;
	}
	if (has_member(reader->root, "strategy"))
		report_error(reader, member_raw(reader->root, "strategy"), AT_KEY,
			"has no effect with \"arms\": each has its own");
	check_budget_of_arms(reader);
	for (const cJSON *node = map->child; node && file->n_arms < ARMS_MAX; node = node->next)
		read_arm(reader, node);
	share_initial(file);
	check_initial(reader);
}

/* ---- several objectives ---- */

/* What goes by the best trial, or by one curve, has no meaning where objectives are traded off. */
static void check_several_objectives(struct reader *reader)
{
	const cJSON *budget = member(reader->root, SECTION_FILE, "budget");

	if (reader->file->objective.n_also == 0)
		return;
	for (size_t i = 0; i < ENDS_BY_BEST; i++)
		if (member(budget, SECTION_BUDGET, ends_by_best[i]) != NULL &&
			!cJSON_IsFalse(member(budget, SECTION_BUDGET, ends_by_best[i])))
			report_error(reader, member_raw(budget, ends_by_best[i]), AT_KEY,
				"does not go with \"objective.also\": with several objectives "
				"there is no best trial to go by");
	if (reader->file->stopping.rule != STOPPING_NONE)
		report_error(reader, member_raw(reader->root, "early_stopping"), AT_KEY,
			"does not go with \"objective.also\": a trial that is bad in one "
			"objective may be good in another");
}

bool read_search(struct reader *reader, struct tuner_error *err)
{
	if (!read_objective(reader, err) || !read_metrics(reader, err))
		return false;
	read_strategy(
		reader, member(reader->root, SECTION_FILE, "strategy"), &reader->file->strategy);
	read_seed(reader);
	read_budget(reader);
	read_arms(reader);
	check_budget(reader);
	check_priors(reader);
	check_converged(reader);
	read_stopping(reader);
	check_several_objectives(reader);
	return true;
}
