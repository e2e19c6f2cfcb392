/* tuner hosts: the hosts of a job, what runs there, and which of them are out of use. */
#include "tuner/command.h"

#include "base/clock.h"
#include "base/number.h"
#include "trials/host.h"
#include "tuner/hosts_add.h"
#include "tuner/hosts_gpus.h"
#include "tuner/job_hosts.h"
#include "tuner/job_open.h"
#include "tuner/report_json.h"
#include "tuner/request_send.h"
#include "tuner/store_wait.h"
#include "tuner/table.h"
#include "tuner/trial_report.h"

#include <string.h>
#include <unistd.h>

enum { ANSWER_WAIT_MS = 10000 };

/* ---- looking ---- */

/* One host, from the job file or, if no longer there, from the attempts that ran on it. */
struct line {
	const char *name, *backend, *state, *message;
	int64_t priority;
	bool named; /* in the job file */
	struct host_use use;
};

struct view {
	struct job_file *file;
	struct host_use_list uses;
	struct host_event_list uses_changed, answers;
	struct gpu_known_list gpus;
	bool watched; /* somebody runs it, or another job of the database */
	char machine[256];
};

static void view_finish(struct view *view)
{
	job_file_destroy(view->file);
	host_use_list_finish(&view->uses);
	host_event_list_finish(&view->uses_changed);
	host_event_list_finish(&view->answers);
	gpu_known_list_finish(&view->gpus);
}

static bool view_load(
	struct store *store, const struct job *job, struct view *ret, struct tuner_error *err)
{
	snprintf(ret->machine, sizeof(ret->machine), "localhost");
	gethostname(ret->machine, sizeof(ret->machine) - 1);
	int64_t holder = 0;
	if (!store_holder(store_path(store), &holder, err))
		return false;
	ret->watched = holder != 0;
	return job_stored_file(job, &ret->file, err) &&
	       gpu_known_select(store, job->id, &ret->gpus, err) &&
	       host_uses_select(store, job->id, &ret->uses, err) &&
	       host_events_select(store, job->id, true, &ret->uses_changed, err) &&
	       host_events_select(store, job->id, false, &ret->answers, err);
}

static const struct host_event *find_event(const struct host_event_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

static bool is_draining(const struct view *view, const char *name)
{
	const struct host_event *event = find_event(&view->uses_changed, name);
	return event != NULL && strcmp(event->state, "draining") == 0;
}

/* Sets what is known without asking anybody. */
static void set_state(const struct view *view, struct line *line)
{
	const struct host_event *answer = find_event(&view->answers, line->name);
	line->message = "";
	if (answer != NULL && strcmp(answer->state, "down") == 0) {
		line->state = "down";
		line->message = answer->message;
	} else if (!line->named) {
		line->state = "gone";
	} else if (is_draining(view, line->name)) {
		line->state = line->use.open > 0 ? "draining" : "drained";
	} else {
		line->state = "in use";
	}
}

static bool belongs(const struct line *line, const struct host_use *use)
{
	return strcmp(use->backend, line->backend) == 0 && strcmp(use->name, line->name) == 0;
}

static const char *entry_name(const struct view *view, const struct job_host *entry)
{
	return job_host_label(entry, view->machine);
}

/* The i-th host: those of the file first, then others on which something ran. False after the
 * last. */
static bool view_line(const struct view *view, size_t i, struct line *ret)
{
	const size_t n = view->file->n_hosts;
	*ret = (struct line){ .named = i < n };
	if (i < n) {
		const struct job_host *entry = &view->file->hosts[i];
		ret->name = entry_name(view, entry);
		ret->backend = entry->backend;
		ret->priority = entry->priority;
		for (size_t k = 0; k < view->uses.n; k++)
			if (belongs(ret, &view->uses.items[k]))
				ret->use = view->uses.items[k];
		set_state(view, ret);
		return true;
	}
	for (size_t k = 0, at = n; k < view->uses.n; k++) {
		const struct host_use *use = &view->uses.items[k];
		struct line named = { 0 };
		bool known = strcmp(use->backend, ATTEMPT_CALLER) == 0 ||
			     strcmp(use->backend, ATTEMPT_REUSED) == 0;
		for (size_t h = 0; h < n && !known; h++)
			known = view_line(view, h, &named) && belongs(&named, use);
		if (known || at++ < i)
			continue;
		ret->name = use->name;
		ret->backend = use->backend;
		ret->use = *use;
		set_state(view, ret);
		return true;
	}
	return false;
}

static void add_row(struct table *table, const struct line *line)
{
	char mean[NUMBER_TEXT];

	table_add(table, "%s", line->name);
	table_add(table, "%s", line->backend);
	table_add(table, "%s", line->state);
	table_add(table, "%lld", (long long)line->priority);
	table_add(table, "%lld", (long long)line->use.open);
	table_add(table, "%lld", (long long)line->use.done);
	table_add(table, "%lld", (long long)line->use.failed);
	if (line->use.done > 0)
		table_add(table, "%s",
			number_from_duration_us(line->use.done_us / line->use.done, mean));
	else
		table_add(table, "-");
	table_add(table, "%s", line->message);
	if (strcmp(line->state, "down") == 0)
		table_style(table, TABLE_RED);
	else if (strcmp(line->state, "in use") != 0)
		table_style(table, TABLE_FAINT);
}

static bool print_table(
	const struct invocation *call, const struct view *view, struct tuner_error *err)
{
	static const char *const columns[] = { "host", "backend", "state", "-priority", "-running",
		"-done", "-failures of its own", "-mean", "" };
	struct table *table = table_create(columns, sizeof(columns) / sizeof(*columns));
	struct line line;
	for (size_t i = 0; view_line(view, i, &line); i++)
		add_row(table, &line);
	const bool ok = table_print(table, table_width(), call->color, stdout, err);
	table_destroy(table);
	return ok && hosts_gpus_print(call, &view->gpus, view->watched, err);
}

static cJSON *line_json(const struct view *view, const struct line *line)
{
	cJSON *object = cJSON_CreateObject();
	const int64_t mean_us = line->use.done > 0 ? line->use.done_us / line->use.done : -1;
	if (json_add_string(object, "host", line->name) &&
		json_add_string(object, "backend", line->backend) &&
		json_add_string(object, "state", line->state) &&
		json_add_string(object, "message", line->message) &&
		json_add_integer(object, "priority", line->priority) &&
		json_add_integer(object, "running", line->use.open) &&
		json_add_integer(object, "attempts", line->use.attempts) &&
		json_add_integer(object, "done", line->use.done) &&
		json_add_integer(object, "failed", line->use.failed) &&
		json_add_duration(object, "mean_s", mean_us) &&
		json_add_item(
			object, "gpus", hosts_gpus_json(&view->gpus, line->name, view->watched)))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static bool print_json(const struct view *view, struct tuner_error *err)
{
	cJSON *array = cJSON_CreateArray();
	struct line line;
	bool ok = array != NULL;
	for (size_t i = 0; ok && view_line(view, i, &line); i++)
		ok = json_append(array, line_json(view, &line));
	if (ok)
		return json_out(array, err);
	cJSON_Delete(array);
	return tuner_fail_memory(err);
}

static bool show(const struct invocation *call, struct store *store, const struct job *job,
	struct tuner_error *err)
{
	struct view view = { 0 };
	const bool ok = view_load(store, job, &view, err) &&
			(call->json ? print_json(&view, err) : print_table(call, &view, err));
	view_finish(&view);
	return ok;
}

/* ---- draining ---- */

static bool is_known(const struct view *view, const char *name)
{
	for (size_t i = 0; i < view->file->n_hosts; i++)
		if (strcmp(entry_name(view, &view->file->hosts[i]), name) == 0)
			return true;
	return false;
}

static bool refuse_unknown(const struct invocation *call, const struct job *job, const char *name,
	struct tuner_error *err)
{
	struct text self = TEXT_EMPTY;
	job_reference(call, job->name, &self);
	tuner_fail(err, TUNER_USAGE, "job %s has no host \"%.100s\": \"tuner hosts %s\" lists them",
		job->name, name, self.bytes);
	text_finish(&self);
	return false;
}

/* Nobody runs the job: drained here, for the next run. */
static bool drain_here(const struct invocation *call, struct store *store, const struct job *job,
	const char *name, bool drain, struct tuner_error *err)
{
	struct view view = { 0 };
	bool ok = view_load(store, job, &view, err);
	if (ok && !is_known(&view, name))
		ok = refuse_unknown(call, job, name, err);
	view_finish(&view);
	if (!ok || !store_begin(store, STORE_DURABLE, err))
		return false;
	if (!host_event_add(store, job->id, name, drain ? "draining" : "resumed", "",
		    clock_wall_us(), err)) {
		store_rollback(store);
		return false;
	}
	if (!store_commit(store, err))
		return false;
	printf("job %s: the next run %s %s\n", job->name, drain ? "starts nothing on" : "uses",
		name);
	return true;
}

static bool ask(const struct invocation *call, const struct job *job, const char *name, bool drain,
	struct tuner_error *err)
{
	struct text argument = TEXT_EMPTY, answer = TEXT_EMPTY;

	text_add(&argument, "{\"host\": ");
	text_add_json_string(&argument, name);
	text_print(&argument, ", \"drain\": %s}", drain ? "true" : "false");
	const bool ok =
		request_tell(call, job->id, "drain", &argument, ANSWER_WAIT_MS, &answer, err);
	if (ok)
		printf("job %s: %s\n", job->name, answer.bytes);
	text_finish(&argument);
	text_finish(&answer);
	return ok;
}

static bool change(const struct invocation *call, const struct job *job, const char *name,
	bool drain, struct tuner_error *err)
{
	struct store *store = NULL;
	bool ok = false;
	if (store_open_soon(call->db, STORE_GLANCE_MS, &store, err))
		ok = drain_here(call, store, job, name, drain, err);
	else if (err->code == TUNER_RETRY)
		ok = ask(call, job, name, drain, err);
	store_close(store);
	return ok;
}

static bool is_verb(const struct invocation *call, const char *verb)
{
	return call->n_arguments > 0 && strcmp(call->arguments[0], verb) == 0;
}

int cmd_hosts(const struct invocation *call, struct tuner_error *err)
{
	const bool drain = is_verb(call, "drain"), adds = is_verb(call, "add");
	const bool changes = drain || adds || is_verb(call, "resume");
	const size_t at = changes ? 2 : 0;
	struct store *store = NULL;
	struct job job = { 0 };
	bool ok = false;

	if (changes && call->n_arguments < 2) {
		tuner_fail(err, TUNER_USAGE, "%s: which %s?", call->arguments[0],
			adds ? "job file" : "host");
		return -1;
	}
	if (call->n_arguments > at + 1) {
		tuner_fail(err, TUNER_USAGE, "unexpected argument \"%.100s\"",
			call->arguments[at + 1]);
		return -1;
	}
	if (!adds && invocation_option(call, "set") != NULL) {
		tuner_fail(err, TUNER_USAGE, "--set goes with \"tuner hosts add FILE\"");
		return -1;
	}
	if (changes && call->json) {
		tuner_fail(err, TUNER_USAGE,
			"--json goes with the list: \"tuner hosts [JOB] --json\"");
		return -1;
	}
	if (adds)
		return hosts_add(call, err) ? EXIT_DONE : -1;
	if (!command_open(call, STORE_READ, &store, err) ||
		!command_job(store, call->n_arguments > at ? call->arguments[at] : NULL, &job, err))
		goto out;
	if (!changes) {
		command_say_age(call, store);
		ok = show(call, store, &job, err);
	} else {
		store_close(store);
		store = NULL;
		ok = change(call, &job, call->arguments[1], drain, err);
	}
out:
	job_finish(&job);
	store_close(store);
	return ok ? EXIT_DONE : -1;
}
