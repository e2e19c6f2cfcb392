/* "warm_start": the earlier jobs that a job begins with. Whether they exist, and fit, is checked
 * when they are read (warm_start.h): a stored job may outlive them. */
#include "tuner/jobfile_reader.h"

#include "base/file.h"
#include "tuner/configuration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEST_DEFAULT = 5 };

const char *warm_as_name(enum warm_as as)
{
	static const char *const names[] = { "trials", "first", "related" };

	return names[as];
}

static void strings_free(char **strings)
{
	for (char **string = strings; string != NULL && *string != NULL; string++)
		free(*string);
	free(strings);
}

void warm_parents_destroy(struct job_warm_start *warm_start)
{
	for (size_t i = 0; i < warm_start->n; i++) {
		struct warm_parent *parent = &warm_start->parents[i];
		free(parent->db);
		free(parent->job);
		free(parent->missing);
		strings_free(parent->ignore);
	}
	free(warm_start->parents);
	*warm_start = (struct job_warm_start){ 0 };
}

static void read_missing(struct reader *reader, const cJSON *map, double *ret_values)
{
	const struct job_file *file = reader->file;
	struct text problem = TEXT_EMPTY;

	for (size_t i = 0; i < file->space.d; i++)
		ret_values[i] = NAN;
	for (const cJSON *node = map ? map->child : NULL; node; node = node->next) {
		const size_t i = space_find(&file->space, node->string);
		text_clear(&problem);
		if (i == file->space.d) {
			configuration_unknown(file, node->string, &problem);
			report_error(reader, node, AT_KEY, "%s", problem.bytes);
		} else if (!is_faulty(&file->space.parameters[i]) &&
			   !configuration_value(file, i, node, false, &ret_values[i], &problem)) {
			report_error(reader, node, AT_VALUE, "%s", problem.bytes);
		}
	}
	text_finish(&problem);
}

static bool read_parent(struct reader *reader, const cJSON *node, struct tuner_error *err)
{
	struct job_file *file = reader->file;
	struct job_warm_start *warm_start = &file->warm_start;
	struct warm_parent *parent = &warm_start->parents[warm_start->n];
	const cJSON *job = member(node, SECTION_PARENT, "job");
	const cJSON *db = member(node, SECTION_PARENT, "db");
	const cJSON *ignore = member(node, SECTION_PARENT, "ignore");
	static const cJSON none = { .type = cJSON_Array };

	if (job == NULL)
		return true;
	warm_start->n++;
	parent->job = strdup(job->valuestring);
	parent->ignore = copy_strings(ignore ? ignore : &none);
	parent->missing = calloc(file->space.d + 1, sizeof(*parent->missing));
	parent->db = db ? path_join(file->directory, db->valuestring) : NULL;
	if (parent->job == NULL || parent->ignore == NULL || parent->missing == NULL ||
		(db != NULL && parent->db == NULL))
		return tuner_fail_memory(err);
	read_missing(reader, member(node, SECTION_PARENT, "missing"), parent->missing);
	if (db == NULL && strcmp(parent->job, file->name) == 0)
		report_error(reader, node, AT_VALUE,
			"expected another job than \"%.100s\" itself: give this one another "
			"\"name\", or say in which \"db\" that one is",
			file->name);
	return true;
}

static void check_best(struct reader *reader, const cJSON *object)
{
	const struct job_file *file = reader->file;
	const struct job_warm_start *warm_start = &file->warm_start;
	const cJSON *best = member(object, SECTION_WARM_START, "best");

	if (warm_start->as == WARM_TRIALS && best != NULL)
		report_error(reader, best, AT_KEY,
			"has no effect as \"trials\": all that fit are taken");
	if (warm_start->as == WARM_RELATED && best != NULL)
		report_error(reader, best, AT_KEY,
			"has no effect as \"related\": all that fit are learnt from");
	if (warm_start->as == WARM_FIRST && best != NULL &&
		warm_start->best + (int64_t)file->n_first > file->budget.trials)
		report_warning(reader, best, AT_VALUE,
			"%lld configurations to be tried first, with those of \"first\", but "
			"budget.trials is %lld",
			(long long)warm_start->best + (long long)file->n_first,
			(long long)file->budget.trials);
}

static bool has_model(const struct job_file *file)
{
	bool any = file->n_arms == 0 && file->strategy.name == STRATEGY_BAYESIAN;

	for (size_t i = 0; i < file->n_arms; i++)
		any = any || file->arms[i].strategy.name == STRATEGY_BAYESIAN;
	return any;
}

/* Only a model of one objective can learn from related jobs. */
static void check_related(struct reader *reader, const cJSON *object)
{
	const struct job_file *file = reader->file;
	const cJSON *as = member(object, SECTION_WARM_START, "as");

	if (file->warm_start.as != WARM_RELATED)
		return;
	if (!has_model(file))
		report_error(reader, as, AT_VALUE,
			"\"related\" is for a model, which only strategy \"bayesian\" has: use "
			"it, or \"first\"");
	if (file->objective.n_also > 0)
		report_error(reader, as, AT_VALUE,
			"\"related\" is for one objective, and this job has several "
			"(objective.also): use \"first\"");
	if (file->warm_start.n > SUGGEST_RELATED_MAX)
		report_error(reader, member(object, SECTION_WARM_START, "jobs"), AT_VALUE,
			"%zu jobs as \"related\" are more than %d: leave out those that have least "
			"in common with this one",
			file->warm_start.n, SUGGEST_RELATED_MAX);
}

bool read_warm_start(struct reader *reader, struct tuner_error *err)
{
	const cJSON *object = member(reader->root, SECTION_FILE, "warm_start");
	const cJSON *jobs = member(object, SECTION_WARM_START, "jobs");
	const cJSON *best = member(object, SECTION_WARM_START, "best");
	struct job_warm_start *warm_start = &reader->file->warm_start;

	if (jobs == NULL)
		return true;
	warm_start->as = (enum warm_as)member_word(object, SECTION_WARM_START, "as");
	warm_start->best = best ? (int64_t)best->valuedouble : BEST_DEFAULT;
	warm_start->parents = calloc(WARM_PARENTS_MAX, sizeof(*warm_start->parents));
	if (warm_start->parents == NULL)
		return tuner_fail_memory(err);
	for (const cJSON *node = jobs->child; node; node = node->next)
		if ((cJSON_IsObject(node) || cJSON_IsString(node)) &&
			!read_parent(reader, node, err))
			return false;
	check_best(reader, object);
	check_related(reader, object);
	return true;
}
