#include "tuner/rescore.h"

#include "base/json.h"
#include "trials/event.h"
#include "tuner/job_open.h"
#include "tuner/jobfile_value.h"
#include "tuner/objective.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the changed file ---- */

static const char *const kinds[] = { "metric", "expression", "cost" };

static bool is_under(const char *set, const char *kind)
{
	char prefix[64];
	const int length = snprintf(prefix, sizeof(prefix), "objective.%s", kind);

	return strncmp(set, prefix, (size_t)length) == 0 &&
	       (set[length] == '=' || set[length] == '.');
}

/* Another kind of objective replaces the old one, whose "reduce" no longer applies. */
static void make_way(cJSON *objective, const char *set)
{
	for (size_t k = 0; k < 3; k++) {
		if (!is_under(set, kinds[k]) ||
			cJSON_GetObjectItemCaseSensitive(objective, kinds[k]) != NULL)
			continue;
		for (size_t i = 0; i < 3; i++)
			cJSON_DeleteItemFromObjectCaseSensitive(objective, kinds[i]);
		cJSON_DeleteItemFromObjectCaseSensitive(objective, "per");
		cJSON_DeleteItemFromObjectCaseSensitive(objective, "reduce");
		if (strcmp(kinds[k], "cost") == 0)
			cJSON_DeleteItemFromObjectCaseSensitive(objective, "goal");
	}
	/* Its settings for metrics may no longer fit. */
	if (is_under(set, "expression") || is_under(set, "metric"))
		if (cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(objective, "reduce")))
			cJSON_DeleteItemFromObjectCaseSensitive(objective, "reduce");
}

static bool add_base(char *definition, const char *const *sets, size_t n, struct text *ret,
	struct tuner_error *err)
{
	cJSON *objective = cJSON_Parse(definition);

	for (size_t i = 0; i < n; i++)
		make_way(objective, sets[i]);
	char *json = objective != NULL ? json_print(objective, 0) : NULL;
	cJSON_Delete(objective);
	if (json == NULL)
		return tuner_fail_memory(err);
	text_print(ret, "objective=%s", json);
	free(json);
	return !text_failed(ret) || tuner_fail_memory(err);
}

static bool check_sets(const char *const *sets, size_t n, struct tuner_error *err)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(sets[i], "objective.", 10) != 0 &&
			strncmp(sets[i], "objective=", 10) != 0)
			return tuner_fail(err, TUNER_USAGE,
				"--set %.100s: only the objective can be changed for trials that "
				"have "
				"run: objective.metric, objective.expression, objective.cost ...",
				sets[i]);
	return true;
}

static bool parse(const struct job *job, const char *stored, const struct job_overrides *overrides,
	struct job_file **ret, struct tuner_error *err)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct text lines = TEXT_EMPTY;

	if (list == NULL)
		return tuner_fail_memory(err);
	bool ok = job_file_parse(job->name, job->directory, stored, strlen(stored), overrides,
		COMMAND_IGNORED, ret, list, err);
	if (ok && list->errors > 0) {
		diagnostics_print(list, job->name, &lines);
		ok = tuner_fail(err, TUNER_USAGE, "%.*s",
			(int)(lines.length < 700 ? lines.length - 1 : 700), lines.bytes);
	}
	text_finish(&lines);
	free(list);
	return ok;
}

/* Whoever edits several objectives into a job file takes out of it what goes by one best trial. As the
 * next run compares the file with what is stored here, that goes with the new objective. */
static char *stored_text(
	const struct job *job, const struct job_file *edited, struct tuner_error *err)
{
	static const char *const ends_by_best[] = { "target", "not_improving", "converged" };
	struct json_document *document = NULL;
	cJSON *root = NULL;
	char *text = NULL;

	if (edited == NULL || edited->objective.n_also == 0) {
		text = strdup(job->file);
	} else if (!json_parse(job->name, job->file, strlen(job->file), &document, err)) {
		return NULL;
	} else {
		root = cJSON_Duplicate(json_root(document), true);
		cJSON_DeleteItemFromObjectCaseSensitive(root, "early_stopping");
		for (size_t i = 0; i < sizeof(ends_by_best) / sizeof(*ends_by_best); i++)
			cJSON_DeleteItemFromObjectCaseSensitive(
				cJSON_GetObjectItemCaseSensitive(root, "budget"), ends_by_best[i]);
		text = root != NULL ? json_print(root, 2) : NULL;
	}
	cJSON_Delete(root);
	json_destroy(document);
	if (text == NULL)
		tuner_fail_memory(err);
	return text;
}

bool rescore_looked_for(const struct job_file *file, const char *metric)
{
	return file->n_metrics == 0 || job_file_lists_metric(file, metric);
}

/* The metrics that only the edited file lists, each as a --set behind those of the stored one: "@tuner"
 * lines may have reported them all along. *ret_n of *ret; the caller frees them even after a failure. */
static bool new_metrics(const struct job *job, const struct job_file *edited, char ***ret,
	size_t *ret_n, struct tuner_error *err)
{
	struct job_file *stored = NULL;
	bool ok = job_stored_file(job, &stored, err);

	*ret = ok ? calloc(edited->n_metrics + 1, sizeof(**ret)) : NULL;
	*ret_n = 0;
	if (ok && *ret == NULL)
		ok = tuner_fail_memory(err);
	for (size_t i = 0; ok && stored->n_metrics > 0 && i < edited->n_metrics; i++) {
		const struct metric_pattern *metric = &edited->metrics[i];
		struct text set = TEXT_EMPTY;

		if (job_file_lists_metric(stored, metric->name))
			continue;
		text_print(&set, "metrics.%zu={\"name\": ", stored->n_metrics + *ret_n);
		text_add_json_string(&set, metric->name);
		if (metric->regex != NULL) {
			text_add(&set, ", \"regex\": ");
			text_add_json_string(&set, metric->regex);
		}
		text_add(&set, "}");
		(*ret)[*ret_n] = text_take(&set);
		ok = (*ret)[*ret_n] != NULL || tuner_fail_memory(err);
		*ret_n += ok;
	}
	job_file_destroy(stored);
	return ok;
}

/* It may have been reported all the same, but the job file has to say that it is looked for. */
static bool fail_unlisted(struct tuner_error *err)
{
	if (strstr(err->message, JOB_NOT_AMONG_METRICS) == NULL)
		return false;

	const struct tuner_error fault = *err;

	return tuner_fail(err, fault.code,
		"%s. To take another one, add it to \"metrics\" of the job file, edit "
		"\"objective\" there, "
		"and call \"tuner rescore\" without --set",
		fault.message);
}

bool rescore_file(const struct job *job, const char *const *sets, size_t n_sets,
	const struct job_file *from, struct job_file **ret, struct tuner_error *err)
{
	char *stored = stored_text(job, n_sets > 0 ? NULL : from, err);
	char **metrics = NULL;
	size_t n_metrics = 0;
	const char **all = NULL, **options = NULL;
	char *definition = job_file_objective(from);
	struct text base = TEXT_EMPTY;
	bool ok = false;

	*ret = NULL;
	if (stored == NULL || (n_sets == 0 && !new_metrics(job, from, &metrics, &n_metrics, err)))
		goto out;
	all = calloc(n_sets + n_metrics + 1, sizeof(*all));
	options = calloc(n_sets + n_metrics + 1, sizeof(*all));
	if (all == NULL || options == NULL || definition == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	if (!check_sets(sets, n_sets, err) || !add_base(definition, sets, n_sets, &base, err))
		goto out;
	all[0] = base.bytes;
	options[0] = n_sets > 0 ? "the stored objective" : "the edited objective";
	if (n_sets > 0)
		memcpy(all + 1, sets, n_sets * sizeof(*sets));
	for (size_t i = 0; i < n_metrics; i++) {
		all[1 + i] = metrics[i];
		options[1 + i] = "the edited metrics";
	}
	ok = parse(job, stored,
		&(struct job_overrides){
			.set = all, .options = options, .n_set = n_sets + n_metrics + 1 },
		ret, err);
	if (!ok && n_sets > 0)
		fail_unlisted(err);
out:
	for (size_t i = 0; i < n_metrics; i++)
		free(metrics[i]);
	free(metrics);
	text_finish(&base);
	free(stored);
	free(definition);
	free(options);
	free(all);
	return ok;
}

/* ---- one trial ---- */

/* A value that a caller told for a trial, without a step, is not a metric's row, and neither is one
 * taken over from an earlier job: it is a value of the objective at that time. */
struct told {
	char *metric, *definition; /* of the objective; NULL: not told */
	bool taken_over; /* from an earlier job: its curve, which that objective reduced, was not
			    copied */
};

static void told_finish(struct told *told)
{
	free(told->metric);
	free(told->definition);
}

static bool was_taken_over(
	struct store *store, const struct trial *trial, bool *ret, struct tuner_error *err)
{
	struct event_list events;

	*ret = false;
	if (strcmp(trial->source, "added") != 0)
		return true;
	if (!event_select_trial(store, trial->id, &events, err))
		return false;
	for (size_t i = 0; i < events.n; i++)
		*ret |= strcmp(events.items[i].kind, "warm-start") == 0;
	event_list_finish(&events);
	return true;
}

/* The objective, also of a trial over a limit. */
static double result_of(const struct trial *trial)
{
	return trial->judgement.n_limits > 0 ? trial->judgement.objective : trial->objective;
}

/* How often trials and the job were scored anew until now. */
struct past {
	struct rescoring *of_trials;
	int64_t *of_job;
	size_t n_of_trials, n_of_job;
};

static bool past_read(
	struct store *store, const struct job *job, struct past *ret, struct tuner_error *err)
{
	*ret = (struct past){ 0 };
	return trial_rescorings(store, job->id, &ret->of_trials, &ret->n_of_trials, err) &&
	       job_rescorings(store, job->id, &ret->of_job, &ret->n_of_job, err);
}

static void past_finish(struct past *past)
{
	free(past->of_trials);
	free(past->of_job);
}

/* *ret_unlaunched: evaluated by the caller that asked for it, or observed elsewhere. */
static bool read_told(struct store *store, const struct past *past, const struct trial *trial,
	struct told *ret, bool *ret_unlaunched, struct tuner_error *err)
{
	struct attempt_list attempts;

	if (!attempt_select(store, trial->job_id, trial->id, &attempts, err))
		return false;
	*ret_unlaunched = attempts.n > 0 &&
			  strcmp(attempts.items[attempts.n - 1].backend, ATTEMPT_CALLER) == 0;
	attempt_list_finish(&attempts);
	if (!*ret_unlaunched || isnan(result_of(trial)))
		return true;
	return was_taken_over(store, trial, &ret->taken_over, err) &&
	       ((trial->state == TRIAL_STOPPED && !ret->taken_over) ||
		       job_objective_at(store, trial->job_id, past->of_job, past->n_of_job,
			       trial->ended_event, &ret->metric, &ret->definition, err));
}

/* Whether that objective had the same "reduce". False without memory. */
static bool was_reduced_so(const struct told *told, const struct text *reduce)
{
	cJSON *then = cJSON_Parse(told->definition), *now = cJSON_Parse(reduce->bytes);
	const bool same =
		cJSON_Compare(cJSON_GetObjectItemCaseSensitive(then, "reduce"), now, true);

	cJSON_Delete(then);
	cJSON_Delete(now);
	return same;
}

/* Whether a told value may stand for the new objective or (i below n) for its i-th metric. */
static bool may_stand(const struct told *told, const struct job_objective *objective, size_t i)
{
	struct text reduce = TEXT_EMPTY;

	if (!told->taken_over)
		return true;
	if (i == objective->n) {
		objective_reduce_json(objective, &reduce);
	} else {
		text_add_char(&reduce, '"');
		value_reduce_text(
			objective->metrics[i].reduce, objective->metrics[i].last, &reduce);
		text_add_char(&reduce, '"');
	}
	const bool may = !text_failed(&reduce) && was_reduced_so(told, &reduce);
	text_finish(&reduce);
	return may;
}

/* A told value is also one of its metric, which a formula, a limit or a
 * further objective may name. */
static bool put_told(struct objective_curves *curves, const struct job_objective *objective,
	const struct told *told, double value, struct tuner_error *err)
{
	const bool has_parts =
		objective->formula != NULL || objective->n_limits > 0 || objective->n_also > 0;
	const size_t i = has_parts && told->metric != NULL ? objective_find(objective, told->metric)
							   : objective->n;

	if (i == objective->n || (curves->parts != NULL && curves->parts[i].n > 0) ||
		!may_stand(told, objective, i))
		return true;
	return objective_curves_put(curves, objective, told->metric, 0, value) ||
	       tuner_fail_memory(err);
}

/* `trial`: as at its end. */
static bool evaluate(struct store *store, const struct job_file *file, const struct past *past,
	const struct trial *trial, double *ret_value, struct rescored_trial *ret,
	struct text *ret_missing, struct tuner_error *err)
{
	const struct job_objective *objective = &file->objective;
	struct objective_curves curves = { 0 };
	struct told told = { 0 };
	const bool ok =
		objective_curves_load(&curves, objective, file->metric, store, trial->id, err) &&
		read_told(store, past, trial, &told, &ret->unlaunched, err) &&
		put_told(&curves, objective, &told, result_of(trial), err);

	if (ok) {
		const bool whole = told.metric != NULL && strcmp(told.metric, file->metric) == 0 &&
				   may_stand(&told, objective, objective->n);

		*ret_value = whole ? result_of(trial)
				   : objective_value(&curves, objective, file->maximize);
		ret->score.judgement =
			objective_judge(&curves, objective, *ret_value, file->maximize);
		ret->complete = whole ? ret->score.judgement.n_limits == objective->n_limits &&
						ret->score.judgement.n_also == objective->n_also
				      : objective_complete(&curves, objective);
		if (judgement_lacks_objective(&ret->score.judgement))
			*ret_value = NAN;
		objective_missing(&curves, objective, ret_missing);
	}
	told_finish(&told);
	objective_curves_finish(&curves);
	return ok;
}

/* By the table of outcomes in architecture.md, section 5, except that a missing metric which was
 * not asked for then is not the configuration's failure. */
static struct score score_of(
	const struct trial *trial, double value, bool complete, const struct judgement *judgement)
{
	const bool ended_well =
		trial->state == TRIAL_DONE ||
		(trial->state == TRIAL_FAILED &&
			(trial->outcome == OUTCOME_NO_METRIC || trial->outcome == OUTCOME_NAN ||
				trial->outcome == OUTCOME_OVER_LIMIT));

	if (trial->state == TRIAL_STOPPED)
		return (struct score){ TRIAL_STOPPED, trial->outcome, complete ? value : NAN };
	if (ended_well && complete && isnan(value))
		return (struct score){ TRIAL_FAILED, OUTCOME_NAN, NAN };
	if (ended_well && complete)
		return judgement_is_over(judgement)
			       ? (struct score){ TRIAL_FAILED, OUTCOME_OVER_LIMIT, NAN, *judgement }
			       : (struct score){ TRIAL_DONE, OUTCOME_OK, value, *judgement };
	if (trial->state == TRIAL_DONE || trial->outcome == OUTCOME_OVER_LIMIT)
		return (struct score){ TRIAL_STOPPED, OUTCOME_NO_METRIC, NAN };
	return (struct score){ trial->state, trial->outcome, NAN };
}

/* ---- all of them ---- */

static bool name_limits(
	const struct job_file *file, struct rescored_trial *item, struct tuner_error *err)
{
	char message[LIMITS_MESSAGE_BYTES];

	objective_limits_message(&file->objective, file->metric, &item->score.judgement, message);
	item->message = strdup(message);
	return item->message != NULL || tuner_fail_memory(err);
}

static bool score(struct store *store, const struct job_file *file, const struct past *past,
	struct rescored_list *list, struct rescored_trial *item, struct tuner_error *err)
{
	struct trial end = item->trial;
	struct text missing = TEXT_EMPTY;
	double value = NAN;

	rescorings_undo(past->of_trials, past->n_of_trials, 0, 0, &end);
	if (!evaluate(store, file, past, &end, &value, item, &missing, err))
		return false;

	const struct judgement judgement = item->score.judgement;

	item->score = score_of(&end, value, item->complete, &judgement);
	if (item->score.outcome == OUTCOME_OVER_LIMIT && !name_limits(file, item, err)) {
		text_finish(&missing);
		return false;
	}
	list->over += item->score.outcome == OUTCOME_OVER_LIMIT;
	const bool was = item->trial.state == TRIAL_DONE, is = item->score.state == TRIAL_DONE;
	list->done += is;
	list->lost += was && !is;
	list->gained += is && !was;
	if ((end.state == TRIAL_DONE || end.outcome == OUTCOME_OVER_LIMIT) && !item->complete) {
		list->unlaunched += item->unlaunched;
		if (list->missing++ == 0)
			snprintf(list->missing_metrics, sizeof(list->missing_metrics), "%.190s",
				missing.bytes);
	}
	text_finish(&missing);
	return true;
}

bool rescore_trials(struct store *store, const struct job *job, const struct job_file *file,
	struct rescored_list *ret, struct tuner_error *err)
{
	const struct trial_filter ended = { .job_id = job->id,
		.repeat = -1,
		.states = 1u << TRIAL_DONE | 1u << TRIAL_FAILED | 1u << TRIAL_STOPPED,
		.without_values = true };
	struct trial_list trials = { 0 };
	struct past past;

	*ret = (struct rescored_list){ 0 };
	bool ok = past_read(store, job, &past, err) && trial_select(store, &ended, &trials, err);
	ret->items = ok ? calloc(trials.n + 1, sizeof(*ret->items)) : NULL;
	if (ok && ret->items == NULL)
		ok = tuner_fail_memory(err);
	for (size_t i = 0; ok && i < trials.n; i++) {
		ret->items[i].trial = trials.items[i]; /* now owned by the list */
		trials.items[i] = (struct trial){ 0 };
		ret->n++;
		ok = score(store, file, &past, ret, &ret->items[i], err);
	}
	trial_list_finish(&trials);
	past_finish(&past);
	if (!ok)
		rescored_list_finish(ret);
	return ok;
}

void rescored_list_finish(struct rescored_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		trial_finish(&list->items[i].trial);
		free(list->items[i].message);
	}
	free(list->items);
	*list = (struct rescored_list){ 0 };
}

static bool is_same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool are_same(const double *a, const double *b, size_t n)
{
	size_t i = 0;

	while (i < n && is_same(a[i], b[i]))
		i++;
	return i == n;
}

static bool is_judged_the_same(const struct judgement *a, const struct judgement *b)
{
	return a->n_limits == b->n_limits && a->n_also == b->n_also &&
	       (a->n_limits == 0 || is_same(a->objective, b->objective)) &&
	       are_same(a->excess, b->excess, a->n_limits) && are_same(a->also, b->also, a->n_also);
}

static bool changes(const struct rescored_trial *item)
{
	return item->trial.state != item->score.state ||
	       item->trial.outcome != item->score.outcome ||
	       !is_same(item->trial.objective, item->score.objective) ||
	       !is_judged_the_same(&item->trial.judgement, &item->score.judgement);
}

bool rescore_store(struct store *store, const struct job *job, const struct job_file *file,
	const struct rescored_list *list, int64_t now_us, struct tuner_error *err)
{
	char *definition = job_file_objective(file);
	int64_t version = 0;

	if (definition == NULL)
		return tuner_fail_memory(err);
	bool ok = job_add_objective_version(store, job->id, file->metric,
		file->maximize ? "maximize" : "minimize", definition, now_us, &version, err);
	free(definition);
	for (size_t i = 0; ok && i < list->n; i++)
		ok = !changes(&list->items[i]) ||
		     trial_rescore(store, &list->items[i].trial, version, &list->items[i].score,
			     list->items[i].message, now_us, err);
	/* It failed without a result, and has some now: the next run decides how it ends. */
	if (ok && job->state == JOB_FAILED && list->gained > 0 && list->gained == list->done &&
		list->lost == 0)
		ok = job_set_state(store, job->id, JOB_OPEN, "", now_us, err);
	return ok && job_rescored(store, job->id, version, now_us, err) &&
	       job_set_file(
		       store, job->id, file->text, job->path, job->directory, job->trial_cap, err);
}
