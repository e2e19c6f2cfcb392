#include "tuner/confirmation.h"

#include "base/json.h"
#include "tuner/job_open.h"
#include "tuner/provenance_report.h"
#include "tuner/report_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL  0.95
#define POWER  0.8
#define SUFFIX "-confirm"

/* LOOKED_AT of the search's best trials are read, since several may have one configuration. "first"
 * holds no more than FIRST_MAX. */
enum { LOOKED_AT = 2000, FIRST_MAX = 1000 };

/* Any number other than the search's seed; below 2^53, so that JSON can hold it. */
static const uint64_t OTHER_SEED = 0x0c6f6e6669726d, SEED_MASK = ((uint64_t)1 << 53) - 1;

char *confirmation_name(const struct report *report)
{
	struct text name = TEXT_EMPTY;

	text_print(&name, "%s" SUFFIX, report->job.name);
	return text_take(&name);
}

/* Length of the search's name in that of a job of repeats; 0: not such a job. Its file is
 * generated, not read, so it has no path. */
static size_t search_length(const struct job *job)
{
	const size_t length = strlen(job->name), suffix = strlen(SUFFIX);
	const bool is_one = length > suffix && job->path[0] == '\0' &&
			    strcmp(job->name + length - suffix, SUFFIX) == 0;

	return is_one ? length - suffix : 0;
}

const struct job *confirmation_search(const struct job_list *jobs, const struct job *job)
{
	const size_t length = search_length(job);

	for (size_t i = 0; length > 0 && i < jobs->n; i++)
		if (strlen(jobs->items[i].name) == length &&
			strncmp(jobs->items[i].name, job->name, length) == 0)
			return &jobs->items[i];
	return NULL;
}

bool confirmation_search_name(
	struct store *store, const struct job *job, char **ret, struct tuner_error *err)
{
	struct job_list jobs;

	*ret = NULL;
	if (search_length(job) == 0)
		return true;
	if (!job_list(store, &jobs, err))
		return false;
	const struct job *search = confirmation_search(&jobs, job);
	*ret = search != NULL ? strdup(search->name) : NULL;
	const bool ok = search == NULL || *ret != NULL || tuner_fail_memory(err);
	job_list_finish(&jobs);
	return ok;
}

bool confirmation_open_search(const struct invocation *call, const char *argument,
	struct report *ret, struct tuner_error *err)
{
	if (!report_open(call, argument, ret, err))
		return false;
	const size_t length = search_length(&ret->job);
	if (length == 0)
		return true;
	char *name = strndup(ret->job.name, length);
	struct job job = { 0 };
	bool found = false;
	bool ok = name != NULL ? job_find(ret->store, name, &job, &found, err)
			       : tuner_fail_memory(err);
	job_finish(&job);
	if (!ok || found)
		report_close(ret);
	ok = ok && (!found || report_open(call, name, ret, err));
	if (ok && found)
		fprintf(stderr, "job %s, whose best it trains again\n", name);
	free(name);
	return ok;
}

/* ---- configurations ---- */

/* A configuration, and how often it is to be trained, or was. */
struct choice {
	char *parameters; /* as in the queue */
	int64_t trial;
	double seen;
	bool is_default;
	size_t wanted;
};

struct choices {
	struct choice items[CONFIRMED_MAX];
	size_t n;
};

static void choices_finish(struct choices *choices)
{
	for (size_t i = 0; i < choices->n; i++)
		free(choices->items[i].parameters);
	choices->n = 0;
}

static struct choice *find_choice(struct choices *choices, const char *parameters)
{
	for (size_t i = 0; i < choices->n; i++)
		if (strcmp(choices->items[i].parameters, parameters) == 0)
			return &choices->items[i];
	return NULL;
}

/* Takes `parameters` over. */
static bool add_choice(
	struct choices *choices, char *parameters, struct choice **ret, struct tuner_error *err)
{
	*ret = find_choice(choices, parameters);
	if (*ret != NULL) {
		free(parameters);
		return true;
	}
	if (choices->n == CONFIRMED_MAX) {
		free(parameters);
		return tuner_fail(err, TUNER_USAGE,
			"more than %d configurations would be confirmed: ask for fewer",
			(int)CONFIRMED_MAX);
	}
	*ret = &choices->items[choices->n++];
	**ret = (struct choice){ .parameters = parameters, .seen = NAN };
	return true;
}

/* The search's trials that have an objective, the best first, at most LOOKED_AT. */
static bool read_best(const struct report *report, struct trial_list *ret, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.order = TRIAL_BY_OBJECTIVE,
		.limit = LOOKED_AT,
		.without_values = true };

	return trial_select(report->store, &filter, ret, err);
}

static bool choose_top(const struct job_file *file, const struct trial_list *best, size_t top,
	size_t repeats, struct choices *ret, struct tuner_error *err)
{
	for (size_t i = 0; i < best->n && ret->n < top; i++) {
		char *parameters;
		struct choice *choice;
		if (!configuration_rewrite(file, best->items[i].parameters, true, &parameters, err))
			return false;
		if (parameters == NULL)
			continue;
		if (!add_choice(ret, parameters, &choice, err))
			return false;
		choice->wanted = repeats;
	}
	return true;
}

/* The first configuration that a person gave and that has an objective. */
static bool find_default(const struct report *report, const struct job_file *file,
	char **ret_parameters, struct tuner_error *err)
{
	const struct trial_filter filter = { .job_id = report->job.id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE,
		.own = true,
		.limit = LOOKED_AT,
		.without_values = true };
	struct trial_list trials;
	bool ok = true;

	*ret_parameters = NULL;
	if (!trial_select(report->store, &filter, &trials, err))
		return false;
	for (size_t i = 0; ok && i < trials.n; i++)
		if (strcmp(trials.items[i].branch, "user") == 0) {
			ok = configuration_rewrite(
				file, trials.items[i].parameters, true, ret_parameters, err);
			break;
		}
	trial_list_finish(&trials);
	return ok;
}

static bool choose_default(const struct report *report, const struct job_file *file, size_t repeats,
	struct choices *ret, struct tuner_error *err)
{
	char *parameters;
	struct choice *choice;

	if (!find_default(report, file, &parameters, err))
		return false;
	if (parameters == NULL)
		return true;
	if (!add_choice(ret, parameters, &choice, err))
		return false;
	choice->is_default = true;
	if (choice->wanted < repeats)
		choice->wanted = repeats;
	return true;
}

/* Where the repeats' job is; *ret_found false if there is none. */
static bool find_job(
	const struct report *report, struct job *ret, bool *ret_found, struct tuner_error *err)
{
	char *name = confirmation_name(report);
	const bool ok = name != NULL ? job_find(report->store, name, ret, ret_found, err)
				     : tuner_fail_memory(err);

	free(name);
	return ok;
}

/* A job of that name with a file of its own is a search that only has such a name. */
static bool is_of_repeats(const struct job *job)
{
	return job->path[0] == '\0';
}

static bool check_name(const struct job *job, struct tuner_error *err)
{
	return is_of_repeats(job) ||
	       tuner_fail(err, TUNER_USAGE,
		       "the repeats would be a job \"%s\", but there is one already, of %s: only a "
		       "search under another --name can be confirmed",
		       job->name, job->path);
}

/* What an earlier call asked for and began remains wanted, since its trials exist; so do unfinished
 * ones. */
static bool choose_begun(const struct report *report, const struct job *job,
	const struct job_file *file, struct choices *ret, size_t *ret_begun,
	struct tuner_error *err)
{
	struct queue_list queue;
	size_t begun[CONFIRMED_MAX] = { 0 };
	bool ok = true;

	*ret_begun = 0;
	if (!queue_select(report->store, job->id, &queue, err))
		return false;
	for (size_t i = 0; ok && i < queue.n; i++) {
		const struct queue_entry *entry = &queue.items[i];
		char *parameters = NULL;
		struct choice *choice;
		if (!entry->taken || strcmp(entry->queued.source, "first") != 0)
			continue;
		ok = configuration_rewrite(file, entry->queued.parameters, true, &parameters, err);
		*ret_begun += ok;
		if (!ok || parameters == NULL)
			continue;
		ok = add_choice(ret, parameters, &choice, err);
		if (ok && ++begun[choice - ret->items] > choice->wanted)
			choice->wanted = begun[choice - ret->items];
	}
	queue_list_finish(&queue);
	return ok;
}

/* ---- the job of the repeats ---- */

/* Round by round, so that the results are balanced whenever it is stopped. */
static bool add_first(cJSON *root, const struct choices *choices, size_t *ret_n)
{
	cJSON *first = cJSON_CreateArray();
	bool ok = true, any = true;

	*ret_n = 0;
	for (size_t round = 0; ok && any; round++) {
		any = false;
		for (size_t i = 0; ok && i < choices->n; i++) {
			if (round >= choices->items[i].wanted)
				continue;
			any = true;
			++*ret_n;
			ok = json_append(first, cJSON_Parse(choices->items[i].parameters));
		}
	}
	return json_add_item(root, "first", first) && ok;
}

/* Copies what in the search's budget is not about the length of the search. */
static bool add_budget(cJSON *root, size_t trials)
{
	static const char *const kept[] = { "parallel", "failures", "start_failures" };
	cJSON *old = cJSON_DetachItemFromObjectCaseSensitive(root, "budget");
	cJSON *budget = cJSON_CreateObject();
	bool ok = json_add_integer(budget, "trials", (int64_t)trials);

	for (size_t i = 0; ok && i < sizeof(kept) / sizeof(*kept); i++) {
		cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(old, kept[i]);
		if (item != NULL)
			ok = json_add_item(budget, kept[i], item);
	}
	/* More at a time than there are trials is a warning. */
	const cJSON *parallel = cJSON_GetObjectItemCaseSensitive(budget, "parallel");
	if (cJSON_IsNumber(parallel) && parallel->valuedouble > (double)trials)
		cJSON_DeleteItemFromObjectCaseSensitive(budget, "parallel");
	cJSON_Delete(old);
	return json_add_item(root, "budget", budget) && ok;
}

static bool edit(cJSON *root, const struct job_file *file, const char *name,
	const struct choices *choices, struct tuner_error *err)
{
	static const char *const dropped[] = { "name", "seed", "arms", "repeats", "strategy",
		"early_stopping", "first", "warm_start" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(dropped) / sizeof(*dropped); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(root, dropped[i]);
	const bool ok =
		json_add_string(root, "name", name) &&
		json_add_integer(root, "seed", (int64_t)((file->seed ^ OTHER_SEED) & SEED_MASK)) &&
		json_add_string(root, "strategy", "random") && add_first(root, choices, &n) &&
		add_budget(root, n);
	if (!ok)
		return tuner_fail_memory(err);
	return n <= FIRST_MAX || tuner_fail(err, TUNER_USAGE,
					 "confirming this would take %zu trials, more than %d: ask "
					 "for fewer --repeats or a smaller --top",
					 n, (int)FIRST_MAX);
}

static bool parse(const struct report *report, const char *name, const char *text,
	struct job_file **ret, struct tuner_error *err)
{
	static const struct job_overrides none = { 0 };
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct text lines = TEXT_EMPTY;

	if (list == NULL)
		return tuner_fail_memory(err);
	bool ok = job_file_parse(name, report->job.directory, text, strlen(text), &none,
		COMMAND_NEEDED, ret, list, err);
	if (ok && list->errors > 0) {
		diagnostics_print(list, name, &lines);
		ok = tuner_fail(err, TUNER_USAGE, "job %s cannot be run again:\n%.200s",
			report->job.name, lines.bytes);
	}
	text_finish(&lines);
	free(list);
	return ok;
}

static bool make_file(const struct report *report, const struct job_file *file,
	const struct choices *choices, struct job_file **ret, struct tuner_error *err)
{
	struct json_document *document = NULL;
	cJSON *root = NULL;
	char *name = confirmation_name(report), *text = NULL;
	bool ok = false;

	if (name != NULL && strlen(name) > JOB_NAME_MAX_BYTES) {
		tuner_fail(err, TUNER_USAGE,
			"the repeats would be a job \"%s\", and a name has at most %d bytes: only "
			"a search "
			"with a shorter --name can be confirmed",
			name, (int)JOB_NAME_MAX_BYTES);
		goto out;
	}
	if (!json_parse(
		    report->job.name, report->job.file, strlen(report->job.file), &document, err))
		goto out;
	root = cJSON_Duplicate(json_root(document), true);
	if (root == NULL || name == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	if (!edit(root, file, name, choices, err))
		goto out;
	text = json_print(root, 2);
	ok = text != NULL ? parse(report, name, text, ret, err) : tuner_fail_memory(err);
out:
	json_destroy(document);
	cJSON_Delete(root);
	free(name);
	free(text);
	return ok;
}

/* Whether the job is not open any more, and all that is wanted of it has ended. */
static bool is_finished(const struct report *report, const struct job *job, size_t wanted,
	bool *ret_finished, struct tuner_error *err)
{
	int64_t counts[TRIAL_STATES];

	if (!trial_count(report->store, job->id, counts, err))
		return false;
	const int64_t ended = counts[TRIAL_DONE] + counts[TRIAL_FAILED] + counts[TRIAL_STOPPED];
	*ret_finished = job->state != JOB_OPEN && ended >= (int64_t)wanted &&
			counts[TRIAL_PROPOSED] + counts[TRIAL_RUNNING] == 0;
	return true;
}

static size_t count_wanted(const struct choices *choices)
{
	size_t n = 0;

	for (size_t i = 0; i < choices->n; i++)
		n += choices->items[i].wanted;
	return n;
}

static bool choose(const struct report *report, const struct job_file *file, size_t top,
	size_t repeats, struct choices *ret, bool *ret_left, struct tuner_error *err)
{
	struct trial_list best;
	struct job job = { 0 };
	bool found = false, finished = false;
	size_t begun = 0;

	if (!read_best(report, &best, err))
		return false;
	bool ok = (best.n > 0 || tuner_fail(err, TUNER_USAGE,
					 "no trial of job %s has a result that could be confirmed",
					 report->job.name)) &&
		  choose_top(file, &best, top, repeats, ret, err) &&
		  (ret->n > 0 || tuner_fail(err, TUNER_USAGE,
					 "no trial of job %s fits the edited parameters",
					 report->job.name)) &&
		  choose_default(report, file, repeats, ret, err) &&
		  find_job(report, &job, &found, err) && (!found || check_name(&job, err)) &&
		  (!found || choose_begun(report, &job, file, ret, &begun, err)) &&
		  (!found || is_finished(report, &job, count_wanted(ret), &finished, err));
	*ret_left = !finished;
	job_finish(&job);
	trial_list_finish(&best);
	return ok;
}

bool confirmation_plan(const struct report *report, int64_t top, int64_t repeats,
	struct job_file **ret, bool *ret_left, struct tuner_error *err)
{
	struct job_file *file = NULL;
	struct choices *choices = calloc(1, sizeof(*choices));
	bool ok = choices != NULL || tuner_fail_memory(err);

	*ret = NULL;
	ok = ok && job_stored_file(&report->job, &file, err) &&
	     (file->command != NULL || tuner_fail(err, TUNER_USAGE,
					       "job %s has no command: whoever asks and tells must "
					       "train the best again",
					       report->job.name)) &&
	     choose(report, file, (size_t)top, (size_t)repeats, choices, ret_left, err) &&
	     (!*ret_left || make_file(report, file, choices, ret, err));
	if (choices != NULL)
		choices_finish(choices);
	free(choices);
	job_file_destroy(file);
	return ok;
}

/* ---- what came of it ---- */

void confirmation_finish(struct confirmation *confirmation)
{
	for (size_t i = 0; i < confirmation->n; i++) {
		free(confirmation->items[i].parameters);
		free(confirmation->items[i].values);
	}
	free(confirmation->items);
	free(confirmation->name);
	free(confirmation->metric);
	*confirmation = (struct confirmation){ 0 };
}

static struct confirmed *find_confirmed(struct confirmation *confirmation, const char *parameters)
{
	for (size_t i = 0; i < confirmation->n; i++)
		if (strcmp(confirmation->items[i].parameters, parameters) == 0)
			return &confirmation->items[i];
	return NULL;
}

/* Takes the parameters over. */
static bool add_repeat(struct confirmation *confirmation, const struct trial *trial,
	char *parameters, struct tuner_error *err)
{
	struct confirmed *item = find_confirmed(confirmation, parameters);

	if (item != NULL) {
		free(parameters);
	} else if (confirmation->n < CONFIRMED_MAX) {
		item = &confirmation->items[confirmation->n++];
		*item = (struct confirmed){ .parameters = parameters, .seen = NAN };
		item->values = calloc(FIRST_MAX + 1, sizeof(*item->values));
		if (item->values == NULL)
			return tuner_fail_memory(err);
	} else {
		free(parameters);
		return true;
	}
	const bool ended = trial->state == TRIAL_DONE || trial->state == TRIAL_FAILED ||
			   trial->state == TRIAL_STOPPED;
	confirmation->wanted++;
	item->ended += ended;
	confirmation->ended += ended;
	/* An infinite objective has no finite mean, and the difference of two such means is NaN. */
	if (trial->state == TRIAL_DONE && isfinite(trial->objective) && item->n < FIRST_MAX)
		item->values[item->n++] = trial->objective;
	return true;
}

static bool read_repeats(const struct report *report, const struct job *job,
	const struct job_file *file, struct confirmation *ret, struct tuner_error *err)
{
	const struct trial_filter filter = {
		.job_id = job->id, .repeat = -1, .limit = 2 * FIRST_MAX, .without_values = true
	};
	struct trial_list trials;
	bool ok = true;

	ret->items = calloc(CONFIRMED_MAX, sizeof(*ret->items));
	if (ret->items == NULL)
		return tuner_fail_memory(err);
	if (!trial_select(report->store, &filter, &trials, err))
		return false;
	for (size_t i = 0; ok && i < trials.n; i++) {
		char *parameters = NULL;
		if (strcmp(trials.items[i].branch, "user") != 0)
			continue;
		ok = configuration_rewrite(
			     file, trials.items[i].parameters, true, &parameters, err) &&
		     (parameters == NULL || add_repeat(ret, &trials.items[i], parameters, err));
	}
	if (job->trial_cap > (int64_t)ret->wanted)
		ret->wanted = (size_t)job->trial_cap;
	trial_list_finish(&trials);
	return ok;
}

/* What the search had seen of each: its best trial with that configuration. By an objective other
 * than the repeats' it is not comparable. */
static bool read_seen(const struct report *report, const struct job_file *file,
	struct confirmation *ret, struct tuner_error *err)
{
	struct trial_list best;
	bool ok = true;

	if (!read_best(report, &best, err))
		return false;
	for (size_t i = 0; ok && i < best.n; i++) {
		char *parameters;
		ok = configuration_rewrite(file, best.items[i].parameters, true, &parameters, err);
		struct confirmed *item =
			ok && parameters != NULL ? find_confirmed(ret, parameters) : NULL;
		if (item != NULL && item->trial == 0) {
			item->trial = best.items[i].number;
			item->seen = ret->other_objective ? NAN : best.items[i].objective;
		}
		free(parameters);
	}
	trial_list_finish(&best);
	return ok;
}

static bool mark_default(const struct report *report, const struct job_file *file,
	struct confirmation *ret, struct tuner_error *err)
{
	char *parameters;

	if (!find_default(report, file, &parameters, err))
		return false;
	struct confirmed *item = parameters != NULL ? find_confirmed(ret, parameters) : NULL;
	if (item != NULL)
		item->is_default = true;
	free(parameters);
	return true;
}

static bool estimate(const struct confirmation *confirmation, struct confirmed *item, size_t number,
	struct tuner_error *err)
{
	const struct random_key key = { .seed = item->n, .number = (uint32_t)number + 1 };
	const double sign = confirmation->maximize ? 1 : -1;

	item->mean = paired_mean(item->values, item->n);
	if (!paired_interval(item->values, item->n, LEVEL, key, &item->interval, err))
		return false;
	item->deviation = paired_deviation(item->values, item->n);
	/* Adding 0 turns -0 into 0. */
	item->optimism = sign * (item->seen - item->mean) + 0.0;
	const double ends[2] = { sign * (item->seen - item->interval.low) + 0.0,
		sign * (item->seen - item->interval.high) + 0.0 };
	item->optimism_interval =
		(struct interval){ fmin(ends[0], ends[1]), fmax(ends[0], ends[1]) };
	return true;
}

static bool comes_before(const struct confirmation *confirmation, const struct confirmed *a,
	const struct confirmed *b)
{
	if (isnan(a->mean) || isnan(b->mean))
		return !isnan(a->mean) && isnan(b->mean);
	return confirmation->maximize ? a->mean > b->mean : a->mean < b->mean;
}

/* Few items: insertion sort, which is stable. */
static void sort(struct confirmation *confirmation)
{
	for (size_t i = 1; i < confirmation->n; i++) {
		const struct confirmed item = confirmation->items[i];
		size_t place = i;
		for (; place > 0 &&
			comes_before(confirmation, &item, &confirmation->items[place - 1]);
			place--)
			confirmation->items[place] = confirmation->items[place - 1];
		confirmation->items[place] = item;
	}
}

/* By how much a is better than b. */
static void compare(const struct confirmation *confirmation, const struct confirmed *a,
	const struct confirmed *b, struct group_difference *ret)
{
	const bool up = confirmation->maximize;

	two_groups_compare(up ? a->values : b->values, up ? a->n : b->n, up ? b->values : a->values,
		up ? b->n : a->n, LEVEL, ret);
}

static void compare_all(struct confirmation *confirmation)
{
	const struct confirmed *items = confirmation->items;

	if (confirmation->n >= 2 && items[1].n > 0) {
		confirmation->has_difference = true;
		compare(confirmation, &items[0], &items[1], &confirmation->difference);
	}
	for (size_t i = 1; i < confirmation->n; i++)
		if (items[i].is_default && items[i].n > 0) {
			confirmation->has_gain = true;
			compare(confirmation, &items[0], &items[i], &confirmation->gain);
		}
}

/* Whether the repeats' states have one that the search has not. */
static bool has_other(const struct state_list *repeats, const struct state_list *search)
{
	for (size_t i = 0; i < repeats->n; i++) {
		bool known = false;
		for (size_t k = 0; k < search->n && !known; k++)
			known = strcmp(repeats->items[i].fingerprint,
					search->items[k].fingerprint) == 0;
		if (!known)
			return true;
	}
	return false;
}

static bool compare_states(const struct report *report, const struct job *job,
	struct confirmation *ret, struct tuner_error *err)
{
	struct report repeats = { 0 };
	struct states theirs = { 0 }, ours = { 0 };
	const bool ok = report_load(report->store, job->id, &repeats, err) &&
			states_read(&repeats, &theirs, err) && states_read(report, &ours, err);

	/* Unknown if the search's code was never inspected. */
	ret->other_code = ok && ours.code.n > 0 && has_other(&theirs.code, &ours.code);
	ret->other_data = ok && ours.data.n > 0 && has_other(&theirs.data, &ours.data);
	states_finish(&theirs);
	states_finish(&ours);
	report_close(&repeats);
	return ok;
}

/* The repeats' objective, which "tuner rescore" of the search does not change. */
static bool read_objective(const struct report *report, const struct job *job,
	struct confirmation *ret, struct tuner_error *err)
{
	char *metric = NULL, *ours = NULL, *theirs = NULL;
	bool maximize;
	const bool ok = job_objective(report->store, job->objective_version, &ret->metric,
				&ret->maximize, &theirs, err) &&
			job_objective(report->store, report->job.objective_version, &metric,
				&maximize, &ours, err);

	ret->other_objective = ok && strcmp(ours, theirs) != 0;
	free(metric);
	free(ours);
	free(theirs);
	return ok;
}

bool confirmation_read(const struct report *report, struct confirmation *ret, bool *ret_found,
	struct tuner_error *err)
{
	struct job job = { 0 };
	struct job_file *file = NULL;

	*ret = (struct confirmation){ 0 };
	if (!find_job(report, &job, ret_found, err))
		return false;
	*ret_found = *ret_found && is_of_repeats(&job);
	if (!*ret_found) {
		job_finish(&job);
		return true;
	}
	ret->name = strdup(job.name);
	bool ok = (ret->name != NULL || tuner_fail_memory(err)) &&
		  read_objective(report, &job, ret, err) && job_stored_file(&job, &file, err) &&
		  read_repeats(report, &job, file, ret, err) && read_seen(report, file, ret, err) &&
		  mark_default(report, file, ret, err) && compare_states(report, &job, ret, err) &&
		  edits_read(report->store, report->job.id, EDITS_OF_RESULTS, &ret->edits, err);
	for (size_t i = 0; ok && i < ret->n; i++)
		ok = estimate(ret, &ret->items[i], i, err);
	if (ok) {
		sort(ret);
		compare_all(ret);
	} else {
		confirmation_finish(ret);
	}
	job_file_destroy(file);
	job_finish(&job);
	return ok;
}
