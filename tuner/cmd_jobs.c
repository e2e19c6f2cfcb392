#include "tuner/command.h"

#include "tuner/table.h"
#include "tuner/trial_report.h"

#include <math.h>
#include <stdlib.h>

/* What the list says of one job. */
struct line {
	struct report report;
	int64_t counts[TRIAL_STATES], trials;
	struct trial best;
	bool has_best;
};

static bool read_line(
	const struct invocation *call, const char *name, struct line *ret, struct tuner_error *err)
{
	*ret = (struct line){ 0 };
	if (!report_open(call, name, &ret->report, err) ||
		!trial_count(ret->report.store, ret->report.job.id, ret->counts, err) ||
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

static void add_row(struct table *table, const struct line *line)
{
	const struct job *job = &line->report.job;
	char created[32];
	time_text(job->created_us, created);
	table_add(table, "%s", job->name);
	table_add(table, "%s", job_state_name(job->state));
	table_add(table, "%lld of %lld", (long long)line->trials, (long long)job->trial_cap);
	table_add(table, "%s", line->report.metric);
	if (line->has_best)
		table_add(table, "%.6g", line->best.objective);
	else
		table_add(table, "-");
	table_add(table, "%s", created);
	table_add(table, "%s", job->path[0] ? job->path : "(standard input)");
}

static bool add_json(cJSON *array, const struct line *line)
{
	const struct job *job = &line->report.job;
	cJSON *object = cJSON_CreateObject();
	if (object == NULL || !cJSON_AddItemToArray(array, object))
		return false;
	return cJSON_AddStringToObject(object, "job", job->name) &&
	       cJSON_AddStringToObject(object, "state", job_state_name(job->state)) &&
	       cJSON_AddStringToObject(object, "reason", job->reason) &&
	       cJSON_AddNumberToObject(object, "trials", (double)line->trials) &&
	       cJSON_AddNumberToObject(object, "budget", (double)job->trial_cap) &&
	       cJSON_AddStringToObject(object, "metric", line->report.metric) &&
	       cJSON_AddStringToObject(
		       object, "goal", line->report.maximize ? "maximize" : "minimize") &&
	       (line->has_best ? json_add_number(object, "best", line->best.objective)
			       : cJSON_AddNullToObject(object, "best") != NULL) &&
	       json_add_time(object, "created", job->created_us) &&
	       cJSON_AddStringToObject(object, "file", job->path);
}

int cmd_jobs(const struct invocation *call, struct tuner_error *err)
{
	static const char *const columns[] = { "job", "state", "-trials", "metric", "-best",
		"created", "file" };
	struct store *store = NULL;
	struct job_list jobs = { 0 };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	cJSON *array = cJSON_CreateArray();
	bool ok = command_open(call, STORE_READ, &store, err) && job_list(store, &jobs, err);

	for (size_t i = 0; ok && i < jobs.n; i++) {
		struct line line;
		ok = read_line(call, jobs.items[i].name, &line, err);
		if (ok && !add_json(array, &line))
			ok = tuner_fail_memory(err);
		if (ok)
			add_row(table, &line);
		finish_line(&line);
	}
	if (ok && call->json) {
		ok = json_out(array, err);
		array = NULL;
	} else if (ok && jobs.n == 0) {
		printf("The database \"%s\" has no job yet.\n", call->db);
	} else if (ok) {
		ok = table_print(table, table_width(), call->color, stdout, err);
	}
	cJSON_Delete(array);
	table_destroy(table);
	job_list_finish(&jobs);
	store_close(store);
	return ok ? EXIT_DONE : -1;
}
