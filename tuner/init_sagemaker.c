/* A job file from a SageMaker CreateHyperParameterTuningJob request, the JSON of the call in boto3 or
 * of `aws sagemaker create-hyper-parameter-tuning-job --cli-input-json`. */
#include "tuner/init_range.h"
#include "tuner/init_write.h"

#include "base/json.h"
#include "base/number.h"
#include "surrogate/space.h"
#include "tuner/jobfile_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what becomes of each key ---- */

/* Paths below "HyperParameterTuningJobConfig." and "TrainingJobDefinition." begin with "C." and
 * "T.". A row without a note is converted, or its members are examined if they have rows. */
static const struct meaning {
	const char *path, *note;
} meanings[] = {
	{ "HyperParameterTuningJobName", NULL },
	{ "HyperParameterTuningJobConfig", NULL },
	{ "TrainingJobDefinition", NULL },
	{ "TrainingJobDefinitions", NULL },
	{ "Tags", NULL },
	{ "WarmStartConfig", NULL },
	{ "WarmStartConfig.ParentHyperParameterTuningJobs", NULL },
	{ "WarmStartConfig.WarmStartType", NULL },
	{ "Autotune", "nothing is chosen for you but what a job file leaves out" },
	{ "C.Strategy", NULL },
	{ "C.StrategyConfig", NULL },
	{ "C.StrategyConfig.HyperbandStrategyConfig", NULL },
	{ "C.StrategyConfig.HyperbandStrategyConfig.MinResource", NULL },
	{ "C.StrategyConfig.HyperbandStrategyConfig.MaxResource", NULL },
	{ "C.HyperParameterTuningJobObjective", NULL },
	{ "C.HyperParameterTuningJobObjective.Type", NULL },
	{ "C.HyperParameterTuningJobObjective.MetricName", NULL },
	{ "C.ResourceLimits", NULL },
	{ "C.ResourceLimits.MaxNumberOfTrainingJobs", NULL },
	{ "C.ResourceLimits.MaxParallelTrainingJobs", NULL },
	{ "C.ResourceLimits.MaxRuntimeInSeconds", NULL },
	{ "C.ParameterRanges", NULL },
	{ "C.ParameterRanges.IntegerParameterRanges", NULL },
	{ "C.ParameterRanges.ContinuousParameterRanges", NULL },
	{ "C.ParameterRanges.CategoricalParameterRanges", NULL },
	{ "C.ParameterRanges.AutoParameters", NULL },
	{ "C.TrainingJobEarlyStoppingType", NULL },
	{ "C.TuningJobCompletionCriteria", NULL },
	{ "C.TuningJobCompletionCriteria.TargetObjectiveMetricValue", NULL },
	{ "C.TuningJobCompletionCriteria.BestObjectiveNotImproving", NULL },
	{ "C.TuningJobCompletionCriteria.BestObjectiveNotImproving."
	  "MaxNumberOfTrainingJobsNotImproving",
		NULL },
	{ "C.TuningJobCompletionCriteria.ConvergenceDetected", NULL },
	{ "C.TuningJobCompletionCriteria.ConvergenceDetected.CompleteOnConvergence", NULL },
	{ "C.RandomSeed", NULL },
	{ "T.DefinitionName", "one definition needs no name" },
	{ "T.TuningObjective", NULL },
	{ "T.TuningObjective.Type", NULL },
	{ "T.TuningObjective.MetricName", NULL },
	{ "T.HyperParameterRanges", NULL },
	{ "T.HyperParameterRanges.IntegerParameterRanges", NULL },
	{ "T.HyperParameterRanges.ContinuousParameterRanges", NULL },
	{ "T.HyperParameterRanges.CategoricalParameterRanges", NULL },
	{ "T.HyperParameterRanges.AutoParameters", NULL },
	{ "T.StaticHyperParameters", NULL },
	{ "T.AlgorithmSpecification", NULL },
	{ "T.AlgorithmSpecification.MetricDefinitions", NULL },
	{ "T.AlgorithmSpecification.TrainingImage",
		"commands run on this machine; a container's \"exec\" can go into the host's "
		"\"prefix\"" },
	{ "T.AlgorithmSpecification.AlgorithmName",
		"commands run on this machine: say in \"command\" which" },
	{ "T.AlgorithmSpecification.TrainingInputMode", "data is read where it lies" },
	{ "T.InputDataConfig", "the data must be here: say where in \"channels\"" },
	{ "T.OutputDataConfig", "results stay in the attempts' directories" },
	{ "T.ResourceConfig", "trials run on this machine, as \"hosts\" says" },
	{ "T.HyperParameterTuningResourceConfig", "trials run on this machine, as \"hosts\" says" },
	{ "T.StoppingCondition", NULL },
	{ "T.StoppingCondition.MaxRuntimeInSeconds", NULL },
	{ "T.StoppingCondition.MaxWaitTimeInSeconds", "there are no spot instances to wait for" },
	{ "T.StoppingCondition.MaxPendingTimeInSeconds", "there is no queue to wait in" },
	{ "T.RetryStrategy", NULL },
	{ "T.RetryStrategy.MaximumRetryAttempts", NULL },
	{ "T.Environment", NULL },
	{ "T.RoleArn", "no cloud account is needed" },
	{ "T.VpcConfig", "the network is this machine's" },
	{ "T.EnableNetworkIsolation", NULL },
	{ "T.EnableInterContainerTrafficEncryption", "there are no containers" },
	{ "T.EnableManagedSpotTraining", "there are no spot instances" },
	{ "T.CheckpointConfig",
		"the script finds its directory in SM_CHECKPOINT_DIR, also without this" },
};

static const struct meaning *find_meaning(const char *path)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (strcmp(meanings[i].path, path) == 0)
			return &meanings[i];
	return NULL;
}

/* Whether some row lies below this path. */
static bool has_members(const char *path)
{
	const size_t length = strlen(path);

	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (strncmp(meanings[i].path, path, length) == 0 && meanings[i].path[length] == '.')
			return true;
	return false;
}

/* Lists each member that is not converted. `shown` is the path as in the request. */
static void note_members(
	const cJSON *object, const char *path, const char *shown, struct text *ret_notes)
{
	for (const cJSON *child = cJSON_IsObject(object) ? object->child : NULL; child;
		child = child->next) {
		struct text at = TEXT_EMPTY, name = TEXT_EMPTY;
		text_print(&at, "%s%s", path, child->string);
		text_print(&name, "%s%s", shown, child->string);
		const struct meaning *meaning = find_meaning(at.bytes);
		if (meaning == NULL)
			text_print(ret_notes, "%s: not known, left out\n", name.bytes);
		else if (meaning->note != NULL)
			text_print(ret_notes, "%s: left out, %s\n", name.bytes, meaning->note);
		else if (has_members(at.bytes)) {
			text_add(&at, ".");
			text_add(&name, ".");
			note_members(child, at.bytes, name.bytes, ret_notes);
		}
		text_finish(&at);
		text_finish(&name);
	}
}

/* ---- reading the request ---- */

struct parts {
	const cJSON *root, *config, *definition;
	struct text *file, *notes;
};

static const cJSON *child_of(const cJSON *object, const char *name)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

static const char *string_of(const cJSON *object, const char *name)
{
	const cJSON *child = child_of(object, name);

	return cJSON_IsString(child) ? child->valuestring : NULL;
}

static bool find_parts(const cJSON *root, struct parts *ret, struct tuner_error *err)
{
	const cJSON *list = child_of(root, "TrainingJobDefinitions");
	const int n = cJSON_GetArraySize(list);

	if (n > 1)
		return tuner_fail(err, TUNER_USAGE,
			"TrainingJobDefinitions has %d definitions, and several in one job are not "
			"built yet: keep one of them a request",
			n);
	ret->root = root;
	ret->config = child_of(root, "HyperParameterTuningJobConfig");
	if (ret->config == NULL && child_of(root, "ParameterRanges") != NULL)
		ret->config = root; /* the config alone, as boto3 users keep it */
	ret->definition = n == 1 ? list->child : child_of(root, "TrainingJobDefinition");
	if (ret->config == NULL && ret->definition == NULL)
		return tuner_fail(err, TUNER_USAGE,
			"expected a CreateHyperParameterTuningJob request with "
			"\"HyperParameterTuningJobConfig\" and \"TrainingJobDefinition\"");
	return true;
}

/* ---- values ---- */

/* The request has its numbers as strings. What is not a number stays a string, and the check
 * reports it. */
static void add_number(const cJSON *node, struct text *ret)
{
	double value;

	if (cJSON_IsNumber(node))
		text_add_json_double(ret, node->valuedouble);
	else if (cJSON_IsString(node) && number_to_double(node->valuestring, &value) &&
		 isfinite(value))
		text_add_json_double(ret, value);
	else
		text_add_json_string(ret, cJSON_IsString(node) ? node->valuestring : "");
}

/* A static hyperparameter: a number where that keeps its spelling ("0.10" stays a string), and the
 * string inside of one that the Python SDK has quoted once more ("\"resnet\""). */
static void add_static(const char *string, struct text *ret)
{
	char text[NUMBER_TEXT];
	const size_t length = strlen(string);
	double value;

	if (number_to_double(string, &value) && isfinite(value) &&
		strcmp(number_from_double(value, text), string) == 0) {
		text_add(ret, string);
		return;
	}
	if (strcmp(string, "true") == 0 || strcmp(string, "false") == 0) {
		text_add(ret, string);
		return;
	}
	cJSON *inner = length > 1 && string[0] == '"' ? cJSON_Parse(string) : NULL;
	text_add_json_string(ret, cJSON_IsString(inner) ? inner->valuestring : string);
	cJSON_Delete(inner);
}

static void add_comma(bool *first, const char *indent, struct text *ret)
{
	text_print(ret, "%s\n%s", *first ? "" : ",", indent);
	*first = false;
}

/* ---- parameters ---- */

static const char *scale_of(const char *scaling)
{
	if (strcmp(scaling, "Linear") == 0)
		return "linear";
	if (strcmp(scaling, "Logarithmic") == 0)
		return "log";
	return strcmp(scaling, "ReverseLogarithmic") == 0 ? "reverse-log" : "auto";
}

static void add_range(const cJSON *item, const char *type, struct text *ret)
{
	struct text min = TEXT_EMPTY, max = TEXT_EMPTY;
	const char *scaling = string_of(item, "ScalingType");

	add_number(child_of(item, "MinValue"), &min);
	add_number(child_of(item, "MaxValue"), &max);
	if (strcmp(min.bytes, max.bytes) == 0)
		text_print(ret, "{\"type\": \"fixed\", \"value\": %s}", min.bytes);
	else
		text_print(ret, "{\"type\": \"%s\", \"min\": %s, \"max\": %s, \"scale\": \"%s\"}",
			type, min.bytes, max.bytes, scale_of(scaling ? scaling : "Auto"));
	ret->failed |= text_failed(&min) || text_failed(&max);
	text_finish(&min);
	text_finish(&max);
}

static void add_category(const cJSON *item, const char *type, struct text *ret)
{
	bool first = true;

	text_add(ret, "{\"type\": \"categorical\", \"values\": [");
	for (const cJSON *value = cJSON_IsArray(child_of(item, "Values"))
					  ? child_of(item, "Values")->child
					  : NULL;
		value; value = value->next) {
		text_add(ret, first ? "" : ", ");
		text_add_json_string(ret, cJSON_IsString(value) ? value->valuestring : "");
		first = false;
	}
	text_add(ret, "]}");
}

/* "AutoParameters": the range is ours to choose, from a hint. */
static void add_auto(const cJSON *item, const char *type, struct text *ret)
{
	const char *name = string_of(item, "Name"), *hint = string_of(item, "ValueHint");

	if (!init_range(name ? name : "", hint ? hint : "", ret)) {
		text_add(ret, "{\"type\": \"fixed\", \"value\": ");
		add_static(hint ? hint : "", ret);
		text_add(ret, "}");
	}
}

static size_t add_ranges(const cJSON *ranges, struct text *ret)
{
	static const struct {
		const char *key, *type;
		void (*add)(const cJSON *item, const char *type, struct text *ret);
	} kinds[] = {
		{ "ContinuousParameterRanges", "float", add_range },
		{ "IntegerParameterRanges", "int", add_range },
		{ "CategoricalParameterRanges", "categorical", add_category },
		{ "AutoParameters", "", add_auto },
	};
	bool first = true;
	size_t n = 0;

	text_add(ret, "{");
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		const cJSON *list = child_of(ranges, kinds[k].key);
		for (const cJSON *item = cJSON_IsArray(list) ? list->child : NULL; item;
			item = item->next, n++) {
			const char *name = string_of(item, "Name");
			add_comma(&first, "    ", ret);
			text_add_json_string(ret, name ? name : "");
			text_add(ret, ": ");
			kinds[k].add(item, kinds[k].type, ret);
		}
	}
	text_add(ret, "\n  }");
	return n;
}

static bool write_parameters(struct parts *parts, struct tuner_error *err)
{
	const cJSON *ranges = child_of(parts->config, "ParameterRanges");

	if (ranges == NULL)
		ranges = child_of(parts->definition, "HyperParameterRanges");
	text_add(parts->file, ",\n  \"parameters\": ");
	if (add_ranges(ranges, parts->file) > 0)
		return true;
	return tuner_fail(err, TUNER_USAGE, "the request has no parameter ranges");
}

/* What the Python SDK adds for its own use. */
static bool is_internal(const char *name)
{
	return strncmp(name, "sagemaker_", 10) == 0 || name[0] == '_';
}

static void write_fixed(struct parts *parts)
{
	const cJSON *map = child_of(parts->definition, "StaticHyperParameters");
	struct text fixed = TEXT_EMPTY;
	bool first = true;

	for (const cJSON *item = cJSON_IsObject(map) ? map->child : NULL; item; item = item->next) {
		if (!cJSON_IsString(item))
			continue;
		if (is_internal(item->string)) {
			if (strcmp(item->string, "sagemaker_program") != 0)
				text_print(parts->notes,
					"TrainingJobDefinition.StaticHyperParameters.%s: left out, "
					"it "
					"is the SDK's own\n",
					item->string);
			continue;
		}
		add_comma(&first, "    ", &fixed);
		text_add_json_string(&fixed, item->string);
		text_add(&fixed, ": ");
		add_static(item->valuestring, &fixed);
	}
	if (!first)
		text_print(parts->file, ",\n  \"fixed\": {%s\n  }", fixed.bytes);
	parts->file->failed |= text_failed(&fixed);
	text_finish(&fixed);
}

/* ---- objective and metrics ---- */

static void write_objective(struct parts *parts)
{
	const cJSON *objective = child_of(parts->config, "HyperParameterTuningJobObjective");

	if (objective == NULL)
		objective = child_of(parts->definition, "TuningObjective");
	const char *type = string_of(objective, "Type");
	const char *metric = string_of(objective, "MetricName");
	if (metric == NULL)
		text_add(parts->notes,
			"The request names no objective: say which metric, and which way.\n");
	else if (type == NULL || (strcmp(type, "Maximize") != 0 && strcmp(type, "Minimize") != 0))
		text_add(parts->notes, "The objective's Type is neither Maximize nor Minimize: say "
				       "which way is better.\n");
	text_add(parts->file, ",\n  \"objective\": {\"metric\": ");
	text_add_json_string(parts->file, metric ? metric : "loss");
	text_print(parts->file, ", \"goal\": \"%s\"}",
		type && strcmp(type, "Maximize") == 0 ? "maximize" : "minimize");
}

static void write_metrics(struct parts *parts)
{
	const cJSON *list = child_of(
		child_of(parts->definition, "AlgorithmSpecification"), "MetricDefinitions");
	bool first = true;

	if (!cJSON_IsArray(list) || list->child == NULL) {
		text_add(parts->notes,
			"There are no MetricDefinitions: the script must print @tuner "
			"lines, or \"metrics\" needs patterns.\n");
		return;
	}
	text_add(parts->file, ",\n  \"metrics\": [");
	for (const cJSON *item = list->child; item; item = item->next) {
		const char *name = string_of(item, "Name"), *regex = string_of(item, "Regex");
		add_comma(&first, "    ", parts->file);
		text_add(parts->file, "{\"name\": ");
		text_add_json_string(parts->file, name ? name : "");
		text_add(parts->file, ", \"regex\": ");
		text_add_json_string(parts->file, regex ? regex : "");
		text_add(parts->file, "}");
	}
	text_add(parts->file, "\n  ]");
}

/* ---- search ---- */

static void write_strategy(struct parts *parts)
{
	static const char *const names[][2] = { { "Bayesian", "bayesian" }, { "Random", "random" },
		{ "Grid", "grid" }, { "Hyperband", "bayesian" } };
	const char *strategy = string_of(parts->config, "Strategy");
	const cJSON *seed = child_of(parts->config, "RandomSeed");

	for (size_t i = 0; strategy && i < 4; i++)
		if (strcmp(strategy, names[i][0]) == 0)
			text_print(parts->file, ",\n  \"strategy\": \"%s\"", names[i][1]);
	if (seed != NULL) {
		text_add(parts->file, ",\n  \"seed\": ");
		add_number(seed, parts->file);
	}
}

static void add_limit(
	const cJSON *object, const char *theirs, const char *ours, bool *first, struct text *ret)
{
	const cJSON *value = child_of(object, theirs);

	if (value == NULL)
		return;
	text_print(ret, "%s\"%s\": ", *first ? "" : ", ", ours);
	add_number(value, ret);
	*first = false;
}

/* Convergence is the model's: without a model there is nothing to wait for. */
static void add_converged(struct parts *parts, const cJSON *ends, bool first)
{
	const char *complete =
		string_of(child_of(ends, "ConvergenceDetected"), "CompleteOnConvergence");
	const char *strategy = string_of(parts->config, "Strategy");

	if (complete == NULL || strcmp(complete, "Enabled") != 0)
		return;
	if (strategy != NULL && (strcmp(strategy, "Random") == 0 || strcmp(strategy, "Grid") == 0))
		text_print(parts->notes,
			"HyperParameterTuningJobConfig.TuningJobCompletionCriteria."
			"ConvergenceDetected: left out, the strategy %s has no model\n",
			strategy);
	else
		text_print(parts->file, "%s\"converged\": true", first ? "" : ", ");
}

static void write_budget(struct parts *parts)
{
	const cJSON *limits = child_of(parts->config, "ResourceLimits");
	const cJSON *ends = child_of(parts->config, "TuningJobCompletionCriteria");
	bool first = true;

	text_add(parts->file, ",\n  \"budget\": {");
	add_limit(limits, "MaxNumberOfTrainingJobs", "trials", &first, parts->file);
	add_limit(limits, "MaxParallelTrainingJobs", "parallel", &first, parts->file);
	add_limit(limits, "MaxRuntimeInSeconds", "runtime", &first, parts->file);
	add_limit(ends, "TargetObjectiveMetricValue", "target", &first, parts->file);
	add_limit(child_of(ends, "BestObjectiveNotImproving"),
		"MaxNumberOfTrainingJobsNotImproving", "not_improving", &first, parts->file);
	add_converged(parts, ends, first);
	text_add(parts->file, "}");
}

/* Hyperband's brackets are not ours; successive halving on the model's proposals is the nearest. */
static void write_stopping(struct parts *parts)
{
	const char *strategy = string_of(parts->config, "Strategy");
	const char *stopping = string_of(parts->config, "TrainingJobEarlyStoppingType");
	const cJSON *settings =
		child_of(child_of(parts->config, "StrategyConfig"), "HyperbandStrategyConfig");
	bool first = false;

	if (strategy && strcmp(strategy, "Hyperband") == 0) {
		text_add(parts->file, ",\n  \"early_stopping\": {\"rule\": \"asha\"");
		add_limit(settings, "MinResource", "min_step", &first, parts->file);
		add_limit(settings, "MaxResource", "max_step", &first, parts->file);
		text_add(parts->file, "}");
		text_add(parts->notes, "HyperParameterTuningJobConfig.Strategy: Hyperband became "
				       "\"bayesian\" with early stopping \"asha\"\n");
	} else if (stopping && strcmp(stopping, "Auto") == 0) {
		text_add(parts->file, ",\n  \"early_stopping\": \"median\"");
	}
}

/* The names are kept, since the jobs may well have the same names in tuner. */
static void write_warm_start(struct parts *parts)
{
	const cJSON *warm_start = child_of(parts->root, "WarmStartConfig");
	const cJSON *list = child_of(warm_start, "ParentHyperParameterTuningJobs");
	const char *type = string_of(warm_start, "WarmStartType");
	const bool transfer = type != NULL && strcmp(type, "TransferLearning") == 0;
	struct text jobs = TEXT_EMPTY;

	for (const cJSON *item = cJSON_IsArray(list) ? list->child : NULL; item;
		item = item->next) {
		const char *name = string_of(item, "HyperParameterTuningJobName");
		text_add(&jobs, jobs.length > 0 ? ", " : "");
		text_add_json_string(&jobs, name ? name : "");
	}
	if (jobs.length > 0) {
		text_print(parts->file, ",\n  \"warm_start\": {\"jobs\": [%s], \"as\": \"%s\"}",
			jobs.bytes, transfer ? "related" : "trials");
		text_add(parts->notes,
			"WarmStartConfig: the earlier jobs are looked for in this job's own "
			"database; write {\"db\": PATH, \"job\": NAME} where another has them, or "
			"take \"warm_start\" out\n");
	}
	parts->file->failed |= text_failed(&jobs);
	text_finish(&jobs);
}

/* ---- what runs ---- */

static void write_command(struct parts *parts)
{
	const char *program = string_of(
		child_of(parts->definition, "StaticHyperParameters"), "sagemaker_program");
	struct text script = TEXT_EMPTY, word = TEXT_EMPTY;

	if (program != NULL && program[0] == '"') { /* quoted once more by the SDK */
		cJSON *inner = cJSON_Parse(program);
		text_add(&script, cJSON_IsString(inner) ? inner->valuestring : "train.py");
		cJSON_Delete(inner);
	} else {
		text_add(&script, program ? program : "train.py");
	}
	if (program == NULL)
		text_add(parts->notes,
			"The request has no script: \"command\" has \"train.py\" for it.\n");
	init_literal(script.bytes, script.length, &word);
	text_add(parts->file, ",\n  \"command\": [\"python3\", ");
	text_add_json_string(parts->file, word.bytes);
	text_add(parts->file, "]");
	parts->file->failed |= text_failed(&script) || text_failed(&word);
	text_finish(&script);
	text_finish(&word);
}

static const char *source_of(const cJSON *channel)
{
	const cJSON *source = child_of(channel, "DataSource");
	const char *uri = string_of(child_of(source, "S3DataSource"), "S3Uri");

	return uri ? uri : string_of(child_of(source, "FileSystemDataSource"), "DirectoryPath");
}

/* As a comment: a channel whose path is not there would be an error. */
static void write_channels(struct parts *parts)
{
	const cJSON *list = child_of(parts->definition, "InputDataConfig");

	if (!cJSON_IsArray(list) || list->child == NULL)
		return;
	text_add(
		parts->file, "\n  // Where the data lies on this machine:\n  // , \"channels\": {");
	for (const cJSON *item = list->child; item; item = item->next) {
		const char *name = string_of(item, "ChannelName"), *source = source_of(item);
		text_print(parts->file, "%s\n  //   ", item == list->child ? "" : ",");
		text_add_json_string(parts->file, name ? name : "");
		text_add(parts->file, ": \"PATH\"");
		if (source != NULL) {
			text_add(parts->file, " /* ");
			text_add_json_string(parts->file, source);
			text_add(parts->file, " there */");
		}
	}
	text_add(parts->file, "\n  // }");
}

static void write_environment(struct parts *parts)
{
	const cJSON *map = child_of(parts->definition, "Environment");
	bool first = true;

	if (!cJSON_IsObject(map) || map->child == NULL)
		return;
	text_add(parts->file, ",\n  \"env\": {");
	for (const cJSON *item = map->child; item; item = item->next) {
		add_comma(&first, "    ", parts->file);
		text_add_json_string(parts->file, item->string);
		text_add(parts->file, ": ");
		text_add_json_string(parts->file, cJSON_IsString(item) ? item->valuestring : "");
	}
	text_add(parts->file, "\n  }");
}

static void write_network(struct parts *parts)
{
	if (cJSON_IsTrue(child_of(parts->definition, "EnableNetworkIsolation")))
		text_add(parts->file, ",\n  \"network\": \"none\"");
}

static void write_limits(struct parts *parts)
{
	const cJSON *timeout =
		child_of(child_of(parts->definition, "StoppingCondition"), "MaxRuntimeInSeconds");
	const cJSON *retries =
		child_of(child_of(parts->definition, "RetryStrategy"), "MaximumRetryAttempts");

	if (timeout != NULL) {
		text_add(parts->file, ",\n  \"timeout\": ");
		add_number(timeout, parts->file);
	}
	if (retries != NULL) {
		text_add(parts->file, ",\n  \"retries\": ");
		add_number(retries, parts->file);
	}
}

/* ---- all of it ---- */

static void write_name(struct parts *parts, const char *otherwise)
{
	const char *name = string_of(parts->root, "HyperParameterTuningJobName");

	text_add(parts->file, "{\n  \"name\": ");
	text_add_json_string(parts->file, name ? name : otherwise);
}

static void write_tags(struct parts *parts)
{
	const cJSON *list = child_of(parts->root, "Tags");
	bool first = true;

	if (!cJSON_IsArray(list) || list->child == NULL)
		return;
	text_add(parts->file, ",\n  \"tags\": [");
	for (const cJSON *item = list->child; item; item = item->next) {
		struct text tag = TEXT_EMPTY;
		const char *key = string_of(item, "Key"), *value = string_of(item, "Value");
		text_print(&tag, "%s=%s", key ? key : "", value ? value : "");
		text_add(parts->file, first ? "" : ", ");
		text_add_json_bytes(parts->file, tag.bytes, tag.length);
		first = false;
		text_finish(&tag);
	}
	text_add(parts->file, "]");
}

static void note_rest(struct parts *parts)
{
	note_members(parts->root == parts->config ? NULL : parts->root, "", "", parts->notes);
	note_members(parts->config, "C.",
		parts->root == parts->config ? "" : "HyperParameterTuningJobConfig.", parts->notes);
	note_members(parts->definition, "T.", "TrainingJobDefinition.", parts->notes);
}

static bool write_all(struct parts *parts, const char *name, struct tuner_error *err)
{
	write_name(parts, name);
	write_tags(parts);
	write_objective(parts);
	write_metrics(parts);
	if (!write_parameters(parts, err))
		return false;
	write_fixed(parts);
	write_strategy(parts);
	write_budget(parts);
	write_stopping(parts);
	write_warm_start(parts);
	write_command(parts);
	write_environment(parts);
	write_network(parts);
	write_limits(parts);
	write_channels(parts); /* last: a comment has no comma behind it */
	text_add(parts->file, "\n}\n");
	note_rest(parts);
	return true;
}

bool init_from_sagemaker(const struct init_request *request, struct text *ret_file,
	struct text *ret_notes, struct tuner_error *err)
{
	struct json_document *document = NULL;
	struct parts parts = { .file = ret_file, .notes = ret_notes };
	bool ok = false;

	if (!json_parse(request->request_name, request->request, request->request_length, &document,
		    err))
		goto out;
	ok = find_parts(json_root(document), &parts, err) && write_all(&parts, request->name, err);
	if (!ok && err->code == TUNER_USAGE)
		tuner_fail_in(err, "%s: ", request->request_name);
out:
	json_destroy(document);
	return ok;
}
