/* tuner rescore: scores the trials of a job by another objective, without training again. */
#include "tuner/command.h"

#include "surrogate/expression.h"
#include "base/clock.h"
#include "base/number.h"
#include "surrogate/expression.h"
#include "tuner/job_open.h"
#include "tuner/report_json.h"
#include "tuner/reported.h"
#include "tuner/rescore.h"
#include "tuner/rescore_vary.h"
#include "tuner/store_wait.h"
#include "tuner/trial_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- which objective ---- */

/* Reads the job file from the disk, with what was edited there. */
static bool read_path(const struct job *job, struct job_file **ret, struct tuner_error *err)
{
	static const struct job_overrides none = { 0 };
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct text lines = TEXT_EMPTY;

	if (list == NULL)
		return tuner_fail_memory(err);
	bool ok =
		job->path[0] != '\0' || tuner_fail(err, TUNER_USAGE,
						"job \"%s\" has no job file of its own: give the "
						"new objective by --set objective.expression='...'",
						job->name);
	ok = ok && job_file_read(job->path, &none, COMMAND_IGNORED, ret, list, err);
	if (ok && list->errors > 0) {
		diagnostics_print(list, job->path, &lines);
		ok = tuner_fail(err, TUNER_USAGE, "%.*s",
			(int)(lines.length < 700 ? lines.length - 1 : 700), lines.bytes);
	}
	text_finish(&lines);
	free(list);
	return ok;
}

/* The objective by --set on the stored file, or as edited in the job file. */
static bool wanted_file(const struct invocation *call, const struct job *job, bool as_stored,
	struct job_file **ret, struct tuner_error *err)
{
	const char *sets[OPTIONS_MAX];
	const size_t n = invocation_options(call, "set", sets, OPTIONS_MAX);
	struct job_file *from = NULL;
	const bool ok = (n > 0 || as_stored ? job_stored_file(job, &from, err)
					    : read_path(job, &from, err)) &&
			rescore_file(job, sets, n, from, ret, err);

	job_file_destroy(from);
	return ok;
}

static bool check_differs(const struct invocation *call, const struct job *job,
	const struct job_file *file, struct tuner_error *err)
{
	struct job_file *stored = NULL;
	unsigned kinds = CHANGE_NONE;
	struct text lines = TEXT_EMPTY;

	if (!job_stored_file(job, &stored, err))
		return false;
	job_file_compare(stored, file, &kinds, &lines);
	job_file_destroy(stored);
	text_finish(&lines);
	return (kinds & CHANGE_OBJECTIVE) != 0 ||
	       tuner_fail(err, TUNER_USAGE, "job \"%s\" already has this objective: %s %s%s",
		       job->name, file->maximize ? "maximize" : "minimize", file->metric,
		       invocation_option(call, "set") != NULL
			       ? ""
			       : ". Edit \"objective\" in the job file first, or use --set "
				 "objective.expression='...'");
}

/* ---- telling ---- */

static const struct rescored_trial *best_of(
	const struct rescored_list *list, const struct job_file *file, bool by_score)
{
	const struct rescored_trial *best = NULL;
	double value = NAN;

	for (size_t i = 0; i < list->n; i++) {
		const struct rescored_trial *item = &list->items[i];
		const double its = by_score ? item->score.objective : item->trial.objective;
		const enum trial_state state = by_score ? item->score.state : item->trial.state;
		if (state != TRIAL_DONE ||
			!(best == NULL || (file->maximize ? its > value : its < value)))
			continue;
		best = item;
		value = its;
	}
	return best;
}

static void add_missing(const struct invocation *call, const struct job *job,
	const struct rescored_list *list, struct text *out)
{
	const size_t launched = list->missing - list->unlaunched;

	text_print(out, "%zu %s without one: %s was not reported", list->missing,
		list->missing == 1 ? "stays" : "stay", list->missing_metrics);
	if (launched > 0) {
		text_add(out, " (\"tuner retry ");
		job_reference(call, job->name, out);
		text_add(out, " --class no-metric\" runs ");
	}
	if (launched > 0 && list->unlaunched > 0)
		text_print(out, "%zu of ", launched);
	if (launched > 0)
		text_print(out, "%s again)", list->missing == 1 ? "it" : "them");
	else
		text_print(
			out, ", and nothing here launched %s", list->missing == 1 ? "it" : "them");
	text_add(out, "\n");
}

static bool same_also(const struct job_file *a, const struct job_file *b)
{
	const struct job_objective *x = &a->objective, *y = &b->objective;
	bool same = x->n_also == y->n_also;

	for (size_t i = 0; same && i < x->n_also; i++)
		same = x->also[i].maximize == y->also[i].maximize &&
		       strcmp(expression_text(x->also[i].formula),
			       expression_text(y->also[i].formula)) == 0;
	return same;
}

static bool same_limits(const struct job_file *a, const struct job_file *b)
{
	bool same = a->objective.n_limits == b->objective.n_limits;

	for (size_t i = 0; same && i < a->objective.n_limits; i++)
		same = strcmp(expression_text(a->objective.limits[i]),
			       expression_text(b->objective.limits[i])) == 0;
	return same;
}

/* NULL: none. */
static void add_best(
	const struct rescored_trial *was, const struct rescored_trial *is, struct text *out)
{
	if (is == NULL)
		return;
	text_print(out, "the best is trial %lld, %.8g", (long long)is->trial.number,
		is->score.objective);
	if (was == is)
		text_add(out, ", as before");
	else if (was != NULL)
		text_print(out, "; it was trial %lld", (long long)was->trial.number);
	text_add(out, "\n");
}

/* Of an objective of the same name and goal. */
static const char *what_differs(const struct job_file *before, const struct job_file *file)
{
	if (!same_also(file, before))
		return file->objective.n_also > 0 ? "with other objectives beside it"
						  : "with no other objective beside it";
	return !same_limits(file, before) ? "with other limits" : "by another \"reduce\"";
}

static void add_words(const struct invocation *call, const struct job *job,
	const struct job_file *before, const struct job_file *file,
	const struct rescored_list *list, struct text *out)
{
	text_print(out, "job %s: %s %s", job->name, file->maximize ? "maximize" : "minimize",
		file->metric);
	if (file->maximize == before->maximize && strcmp(file->metric, before->metric) == 0)
		text_print(out, " as before, %s\n", what_differs(before, file));
	else
		text_print(out, ", until now %s %s\n", before->maximize ? "maximize" : "minimize",
			before->metric);
	text_print(out, "%zu of %zu ended trials have this objective", list->done, list->n);
	if (list->gained > 0)
		text_print(out, ", %zu of them had none before", list->gained);
	if (list->over > 0)
		text_print(out, ", %zu %s a limit", list->over,
			list->over == 1 ? "is over" : "are over");
	text_add(out, "\n");
	if (list->missing > 0)
		add_missing(call, job, list, out);
	if (file->objective.n_also == 0)
		add_best(best_of(list, before, false), best_of(list, file, true), out);
}

/* A change by --set is not yet in the job file. */
static bool print_words(const struct invocation *call, const struct job *job,
	const struct job_file *before, const struct job_file *file,
	const struct rescored_list *list, struct tuner_error *err)
{
	char *definition = job_file_objective(file);
	struct text out = TEXT_EMPTY;

	add_words(call, job, before, file, list, &out);
	if (definition != NULL && invocation_option(call, "set") != NULL)
		text_print(&out,
			"put this into the job file before the next \"tuner %s\": \"objective\": "
			"%s\n",
			file->command != NULL ? "run" : "ask", definition);
	const bool ok = (definition != NULL && !text_failed(&out)) || tuner_fail_memory(err);
	if (ok)
		fputs(out.bytes, stdout);
	free(definition);
	text_finish(&out);
	return ok;
}

static cJSON *list_json(
	const struct job *job, const struct job_file *file, const struct rescored_list *list)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *trials = cJSON_AddArrayToObject(root, "trials");
	bool ok = trials != NULL && json_add_string(root, "job", job->name) &&
		  json_add_string(root, "metric", file->metric) &&
		  json_add_string(root, "goal", file->maximize ? "maximize" : "minimize");

	for (size_t i = 0; ok && i < list->n; i++) {
		const struct rescored_trial *item = &list->items[i];
		cJSON *object = cJSON_CreateObject();
		ok = object != NULL && cJSON_AddItemToArray(trials, object) &&
		     json_add_integer(object, "trial", item->trial.number) &&
		     json_add_string(object, "state", trial_state_name(item->score.state)) &&
		     json_add_string(object, "outcome", outcome_name(item->score.outcome)) &&
		     json_add_optional(object, "objective", item->score.objective) &&
		     json_add_string(object, "state_before", trial_state_name(item->trial.state)) &&
		     json_add_optional(object, "objective_before", item->trial.objective);
	}
	if (ok)
		return root;
	cJSON_Delete(root);
	return NULL;
}

/* ---- what no trial has reported ---- */

/* NULL if any trial has a result by the new objective: then it is what was meant. Trials without
 * reported metrics were told by a caller, whose metric's name is not stored. */
static const char *unreported(const struct job_file *before, const struct job_file *file,
	const struct rescored_list *list, const struct metric_names *names)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].complete)
			return NULL;
	for (size_t m = 0; names->n > 0 && m < file->objective.n; m++) {
		const char *metric = file->objective.metrics[m].name;
		if (strcmp(metric, before->metric) != 0 && !reported_has(names, metric))
			return metric;
	}
	return NULL;
}

static bool fail_unreported(const char *job, const char *metric, const struct job_file *before,
	const struct metric_names *names, struct tuner_error *err)
{
	struct text guess = TEXT_EMPTY;

	/* Its pattern may well match what they printed. */
	if (!rescore_looked_for(before, metric))
		return tuner_fail(err, TUNER_USAGE,
			"no trial of job \"%.100s\" has reported \"%.80s\", which is new in "
			"\"metrics\": what trials printed before is not read again. Either edit "
			"only "
			"\"metrics\" and let \"tuner run\" make more trials, then edit "
			"\"objective\", "
			"rescore, and launch the earlier ones again by \"tuner retry --class "
			"no-metric\"; or use another --name for a new job",
			job, metric);

	reported_guess(names, metric, &guess);
	tuner_fail(err, TUNER_USAGE,
		"no trial of job \"%s\" has reported \"%.80s\": %.400s (Use another --name for a "
		"job whose trials will report it.)",
		job, metric, guess.bytes);
	text_finish(&guess);
	return false;
}

/* Refuses an objective that no trial has reported, which would remove every result of the job: it
 * is misspelt. */
static bool check_reported(struct store *store, const struct job *job,
	const struct job_file *before, const struct job_file *file,
	const struct rescored_list *list, struct tuner_error *err)
{
	struct metric_names names;

	if (!metric_names_select(store, job->id, &names, err))
		return false;
	const char *metric = unreported(before, file, list, &names);
	const bool ok = metric == NULL || fail_unreported(job->name, metric, before, &names, err);
	metric_names_finish(&names);
	return ok;
}

/* ---- doing ---- */

static bool rescore(struct store *store, const struct job *job, const struct job_file *before,
	const struct job_file *file, struct rescored_list *ret, struct tuner_error *err)
{
	if (!store_begin(store, STORE_DURABLE, err))
		return false;
	if (rescore_trials(store, job, file, ret, err) &&
		check_reported(store, job, before, file, ret, err) &&
		rescore_store(store, job, file, ret, clock_wall_us(), err) &&
		store_commit(store, err))
		return true;
	store_rollback(store);
	return false;
}

static bool open_for(const struct invocation *call, const char *name, struct store **ret,
	struct tuner_error *err)
{
	if (store_open_soon(call->db, STORE_INSTANT_MS, ret, err))
		return true;
	if (err->code != TUNER_RETRY)
		return false;
	struct text self = TEXT_EMPTY;
	job_reference(call, name, &self);
	tuner_fail(err, TUNER_USAGE,
		"another process is using this database, and holds the results in memory: \"tuner "
		"stop %s\" ends its run; then rescore, and \"tuner run\" continues with the new "
		"objective",
		self.bytes);
	text_finish(&self);
	return false;
}

/* Only the job's id is used from before: other processes could change the job until we held the
 * database. */
static bool rescore_job(
	const struct invocation *call, int64_t id, const char *name, struct tuner_error *err)
{
	struct store *store = NULL;
	struct job job = { 0 };
	struct job_file *before = NULL, *file = NULL;
	struct rescored_list list = { 0 };
	const bool ok = open_for(call, name, &store, err) && job_load(store, id, &job, err) &&
			job_stored_file(&job, &before, err) &&
			wanted_file(call, &job, false, &file, err) &&
			check_differs(call, &job, file, err) &&
			rescore(store, &job, before, file, &list, err) &&
			(call->json ? json_out(list_json(&job, file, &list), err)
				    : print_words(call, &job, before, file, &list, err));

	rescored_list_finish(&list);
	job_file_destroy(file);
	job_file_destroy(before);
	job_finish(&job);
	store_close(store);
	return ok;
}

static bool vary_job(const struct invocation *call, struct store *store, const struct job *job,
	const char *vary, struct tuner_error *err)
{
	struct job_file *file = NULL;
	const bool ok = wanted_file(call, job, true, &file, err) &&
			rescore_vary(store, job, file, vary, call->json, err);

	job_file_destroy(file);
	return ok;
}

int cmd_rescore(const struct invocation *call, struct tuner_error *err)
{
	const char *vary = invocation_option(call, "vary");
	struct store *store = NULL;
	struct job job = { 0 };
	bool ok = false;

	if (!command_open(call, STORE_READ, &store, err) ||
		!command_job(store, call->n_arguments > 0 ? call->arguments[0] : NULL, &job, err))
		goto out;
	if (vary != NULL) {
		ok = vary_job(call, store, &job, vary, err);
		goto out;
	}
	store_close(store); /* reopened for writing */
	store = NULL;
	ok = rescore_job(call, job.id, job.name, err);
out:
	job_finish(&job);
	store_close(store);
	return ok ? EXIT_DONE : -1;
}
