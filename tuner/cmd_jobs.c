#include "tuner/command.h"

#include "tuner/confirmation.h"
#include "tuner/objective.h"
#include "tuner/report_json.h"
#include "tuner/table.h"
#include "tuner/trial_report.h"

/* What the list shows for one job. */
struct line {
	struct report report;
	int64_t counts[TRIAL_STATES], trials;
	struct trial best;
	bool has_best;
};

static bool read_line(
	struct store *store, int64_t job_id, struct line *ret, struct tuner_error *err)
{
	*ret = (struct line){ 0 };
	if (!report_load(store, job_id, &ret->report, err) ||
		!trial_count_own(store, job_id, ret->counts, err) ||
		!report_best(&ret->report, &ret->best, &ret->has_best, err))
		return false;
	for (int i = 0; i < TRIAL_STATES; i++)
		ret->trials += ret->counts[i];
	return true;
}

static void finish_line(struct line *line)
{
	if (line->has_best)
		trial_finish(&line->best);
	report_close(&line->report);
}

/* Where its job file is; a confirmation's was made from its search's. */
static void add_file(struct table *table, const struct job_list *jobs, const struct job *job)
{
	const struct job *search = confirmation_search(jobs, job);

	if (search != NULL)
		table_add(table, "(confirms %s)", search->name);
	else
		table_add(table, "%s", job->path[0] ? job->path : "(standard input)");
}

static void add_row(struct table *table, const struct job_list *jobs, const struct line *line)
{
	const struct job *job = &line->report.job;
	char created[32];
	time_text(job->created_us, created);
	table_add(table, "%s", job->name);
	table_add(table, "%s", job_state_name(job->state));
	table_add(table,
		line->trials > line->report.budget ? "%lld (budget: %lld)" : "%lld of %lld",
		(long long)line->trials, (long long)line->report.budget);
	table_add(table, "%s", objective_label(line->report.metric));
	if (line->has_best)
		table_add(table, "%.6g", line->best.objective);
	else
		table_add(table, "-");
	table_add(table, "%s", created);
	add_file(table, jobs, job);
	if (job->state == JOB_FAILED)
		table_style(table, TABLE_RED);
}

static cJSON *line_json(const struct line *line)
{
	const struct job *job = &line->report.job;
	cJSON *object = cJSON_CreateObject();
	if (json_add_string(object, "job", job->name) &&
		json_add_string(object, "state", job_state_name(job->state)) &&
		json_add_string(object, "reason", job->reason) &&
		json_add_integer(object, "trials", line->trials) &&
		json_add_integer(object, "done", line->counts[TRIAL_DONE]) &&
		json_add_integer(object, "budget", line->report.budget) &&
		json_add_string(object, "metric", line->report.metric) &&
		json_add_string(object, "goal", line->report.maximize ? "maximize" : "minimize") &&
		(line->has_best ? json_add_number(object, "best", line->best.objective) &&
					  json_add_integer(object, "best_trial", line->best.number)
				: cJSON_AddNullToObject(object, "best") != NULL &&
					  cJSON_AddNullToObject(object, "best_trial") != NULL) &&
		json_add_time(object, "created", job->created_us) &&
		json_add_time(object, "ended", job->ended_us) &&
		json_add_duration(object, "runtime_s", job->runtime_us) &&
		json_add_string(object, "file", job->path) &&
		json_add_string(object, "directory", job->directory))
		return object;
	cJSON_Delete(object);
	return NULL;
}

/* Adds every job to the table or to the array, whichever is not NULL. */
static bool add_jobs(struct store *store, const struct job_list *jobs, struct table *table,
	cJSON *array, struct tuner_error *err)
{
	bool ok = true;
	for (size_t i = 0; ok && i < jobs->n; i++) {
		struct line line;
		ok = read_line(store, jobs->items[i].id, &line, err);
		if (ok && array != NULL)
			ok = json_append(array, line_json(&line)) || tuner_fail_memory(err);
		else if (ok)
			add_row(table, jobs, &line);
		finish_line(&line);
	}
	return ok;
}

static bool print_json(struct store *store, const struct job_list *jobs, struct tuner_error *err)
{
	cJSON *array = cJSON_CreateArray();
	if (array == NULL)
		return tuner_fail_memory(err);
	if (add_jobs(store, jobs, NULL, array, err))
		return json_out(array, err);
	cJSON_Delete(array);
	return false;
}

static bool print_table(const struct invocation *call, struct store *store,
	const struct job_list *jobs, struct tuner_error *err)
{
	static const char *const columns[] = { "job", "state", "-trials", "metric", "-best",
		"created", "file" };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	const bool ok = add_jobs(store, jobs, table, NULL, err) &&
			table_print(table, table_width(), call->color, stdout, err);
	table_destroy(table);
	return ok;
}

int cmd_jobs(const struct invocation *call, struct tuner_error *err)
{
	struct store *store = NULL;
	struct job_list jobs = { 0 };
	bool ok = command_open(call, STORE_READ, &store, err) && job_list(store, &jobs, err);
	if (ok)
		command_say_age(call, store);
	if (ok && call->json)
		ok = print_json(store, &jobs, err);
	else if (ok && jobs.n == 0)
		printf("The database \"%s\" has no job yet: \"tuner run FILE\" starts one.\n",
			call->db);
	else if (ok)
		ok = print_table(call, store, &jobs, err);
	job_list_finish(&jobs);
	store_close(store);
	return ok ? EXIT_DONE : -1;
}
