/* tuner gc: removes files of a job that are no longer needed, or says what would be removed. */
#include "tuner/command.h"

#include "tuner/gc.h"
#include "tuner/job_open.h"
#include "tuner/report_json.h"
#include "tuner/request_send.h"
#include "tuner/store_wait.h"
#include "tuner/table.h"
#include "tuner/text_width.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_WAIT_MS = 5000, BEST_MAX = 1000000 };

static bool is_set(const struct invocation *call, const char *option)
{
	return invocation_option(call, option) != NULL;
}

/* The job file's `keep`, unless --best says otherwise. */
static bool read_wish(const struct invocation *call, const struct job *job, struct gc_wish *ret,
	struct tuner_error *err)
{
	struct job_file *file = NULL;
	int64_t best;

	if (!invocation_integer(call, "best", 1, BEST_MAX, 0, &best, err) ||
		!job_stored_file(job, &file, err))
		return false;
	*ret = (struct gc_wish){
		.keep = file->keep, .logs = is_set(call, "logs"), .unknown = is_set(call, "unknown")
	};
	if (best > 0)
		ret->keep = (struct job_keep){ .best = best };
	job_file_destroy(file);
	return true;
}

/* ---- output ---- */

static bool goes(const struct gc_wish *wish, enum gc_class class)
{
	return (class != GC_LOGS || wish->logs) && (class != GC_UNKNOWN || wish->unknown);
}

static int64_t sum(const struct gc_wish *wish, const struct gc_report *report)
{
	int64_t bytes = 0;

	for (int i = 0; i < GC_CLASSES; i++)
		if (goes(wish, (enum gc_class)i))
			bytes += report->of[i].bytes;
	return bytes;
}

static cJSON *report_json(const struct invocation *call, const struct job *job,
	const struct gc_wish *wish, const struct gc_report *report)
{
	cJSON *object = cJSON_CreateObject();
	bool ok = json_add_string(object, "job", job->name) &&
		  cJSON_AddBoolToObject(object, "dry_run", is_set(call, "dry-run")) != NULL &&
		  json_add_integer(object, "bytes", sum(wish, report)) &&
		  json_add_integer(object, "pending", report->pending) &&
		  json_add_integer(object, "failed", report->failed);
	cJSON *classes = ok ? cJSON_AddObjectToObject(object, "classes") : NULL;
	ok = classes != NULL;
	for (int i = 0; ok && i < GC_CLASSES; i++) {
		cJSON *class = cJSON_AddObjectToObject(classes, gc_class_name((enum gc_class)i));
		ok = class != NULL && json_add_integer(class, "count", report->of[i].n) &&
		     json_add_integer(class, "bytes", report->of[i].bytes) &&
		     cJSON_AddBoolToObject(class, "removed", goes(wish, (enum gc_class)i)) != NULL;
	}
	if (ok)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static void add_class(const struct gc_wish *wish, const struct gc_report *report,
	enum gc_class class, struct text *out)
{
	static const char *const what[GC_CLASSES] = { "of trials that are not kept",
		"models and output of attempts that are not kept", "of programs that were killed",
		"of attempts that failed", "directories unknown to the database" };
	char size[BYTES_TEXT];

	if (report->of[class].n == 0)
		return;
	text_print(out, "  %-12s %6lld  %8s  %s", gc_class_name(class),
		(long long)report->of[class].n, bytes_text(report->of[class].bytes, size),
		what[class]);
	if (!goes(wish, class))
		text_print(out, "; only with --%s", gc_class_name(class));
	text_add(out, "\n");
}

static void add_lines(const char *before, const char *lines, struct text *out)
{
	while (*lines != '\0') {
		const size_t length = strcspn(lines, "\n");
		char *line = strndup(lines, length);
		text_add(out, before);
		if (line != NULL)
			text_add_visible(out, line);
		text_add(out, "\n");
		free(line);
		lines += length + (lines[length] == '\n');
	}
}

static void add_report(const struct invocation *call, const struct job *job,
	const struct gc_wish *wish, const struct gc_report *report, struct text *out)
{
	char size[BYTES_TEXT];

	text_print(out, "job %s: %s %s\n", job->name,
		is_set(call, "dry-run") ? "would free" : "freed",
		bytes_text(sum(wish, report), size));
	for (int i = 0; i < GC_CLASSES; i++)
		add_class(wish, report, (enum gc_class)i, out);
	add_lines("    ", report->names.bytes, out);
	if (report->pending > 0)
		text_print(out, "%lld attempt%s not been examined yet and %s not counted\n",
			(long long)report->pending, report->pending == 1 ? " has" : "s have",
			report->pending == 1 ? "is" : "are");
	if (wish->keep.best == 0)
		text_add(out, "all models and checkpoints are kept: the job file has no keep.best; "
			      "--best N keeps only those of the N best trials\n");
	if (report->failed > 0)
		text_print(out, "%lld could not be removed:\n", (long long)report->failed);
	add_lines("    ", report->failures.bytes, out);
}

static bool print(const struct invocation *call, const struct job *job, const struct gc_wish *wish,
	const struct gc_report *report, struct tuner_error *err)
{
	struct text out = TEXT_EMPTY;

	if (call->json)
		return json_out(report_json(call, job, wish, report), err);
	add_report(call, job, wish, report, &out);
	return lines_out(&out, err);
}

/* ---- ways ---- */

static bool look(const struct invocation *call, struct store *store, const struct job *job,
	const struct gc_wish *wish, struct tuner_error *err)
{
	struct gc_report report;
	const bool ok =
		gc_look(store, job, wish, &report, err) && print(call, job, wish, &report, err);

	gc_report_finish(&report);
	return ok;
}

static bool remove_here(const struct invocation *call, struct store *store, const struct job *job,
	const struct gc_wish *wish, bool *ret_failed, struct tuner_error *err)
{
	struct gc_report report;
	const bool ok =
		gc_remove(store, job, wish, &report, err) && print(call, job, wish, &report, err);

	*ret_failed = report.failed > 0;
	gc_report_finish(&report);
	return ok;
}

/* Asks the process that runs the job, which decides what may be removed, and removes it between two
 * trials. */
static bool ask(const struct invocation *call, const struct job *job, const struct gc_wish *wish,
	struct tuner_error *err)
{
	struct text argument = TEXT_EMPTY, answer = TEXT_EMPTY;

	if (wish->logs || wish->unknown || call->json)
		return tuner_fail(err, TUNER_USAGE,
			"while a tuner holds the database, gc only asks it to remove what --best N "
			"does not keep: --logs, --unknown and --json need a job at rest (tuner "
			"stop); --dry-run works now");
	if (wish->keep.best == 0)
		return tuner_fail(err, TUNER_USAGE,
			"a tuner holds the database, and the job file has no keep.best: --best N "
			"asks it to keep only the files of the N best trials");
	text_print(&argument, "{\"best\": %lld, \"last\": %lld}", (long long)wish->keep.best,
		(long long)wish->keep.last);
	const bool ok = request_tell(call, job->id, "gc", &argument, ANSWER_WAIT_MS, &answer, err);
	if (ok)
		printf("job %s: %s\n", job->name, answer.bytes);
	text_finish(&argument);
	text_finish(&answer);
	return ok;
}

int cmd_gc(const struct invocation *call, struct tuner_error *err)
{
	struct store *store = NULL;
	struct job job = { 0 };
	struct gc_wish wish;
	bool ok = false, failed = false;

	if (!command_open(call, STORE_READ, &store, err) ||
		!command_job(store, call->n_arguments > 0 ? call->arguments[0] : NULL, &job, err) ||
		!read_wish(call, &job, &wish, err))
		goto out;
	if (is_set(call, "dry-run")) {
		ok = look(call, store, &job, &wish, err);
		goto out;
	}
	store_close(store);
	store = NULL;
	if (store_open_soon(call->db, STORE_GLANCE_MS, &store, err))
		ok = remove_here(call, store, &job, &wish, &failed, err);
	else if (err->code == TUNER_RETRY)
		ok = ask(call, &job, &wish, err);
out:
	job_finish(&job);
	store_close(store);
	return !ok ? -1 : failed ? EXIT_GATE : EXIT_DONE;
}
