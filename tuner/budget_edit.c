#include "tuner/budget_edit.h"

#include "base/json.h"
#include "tuner/job_open.h"
#include "tuner/request_send.h"
#include "tuner/store_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_WAIT_MS = 5000 };

/* ---- for the process that runs the job ---- */

bool budget_edit_read(const struct job *job, const char *budget, struct job_file **ret_old,
	struct job_file **ret_new, struct text *ret_changes, struct tuner_error *err)
{
	struct text set = TEXT_EMPTY;
	unsigned kinds;

	text_print(&set, "budget=%s", budget);
	bool ok = !text_failed(&set) || tuner_fail_memory(err);
	ok = ok && job_stored_file(job, ret_old, err) &&
	     job_stored_file_with(job, set.bytes, ret_new, err);
	if (ok) {
		job_file_compare(*ret_old, *ret_new, &kinds, ret_changes);
		ok = !text_failed(ret_changes) || tuner_fail_memory(err);
	}
	text_finish(&set);
	return ok;
}

/* ---- for the one that hands it over ---- */

/* As JSON, {} if the file has none; NULL without memory. The caller frees. */
static char *budget_json(const struct job_file *file)
{
	struct json_document *document = NULL;
	struct tuner_error ignored;
	char *json = NULL;

	if (json_parse("", file->text, strlen(file->text), &document, &ignored)) {
		const cJSON *budget =
			cJSON_GetObjectItemCaseSensitive(json_root(document), "budget");
		json = budget != NULL ? json_print(budget, 0) : strdup("{}");
	}
	json_destroy(document);
	return json;
}

static bool all_of_budget(const char *lines)
{
	static const char budget[] = "budget.";

	for (const char *line = lines; *line != '\0'; line = strchr(line, '\n') + 1)
		if (strncmp(line, budget, sizeof(budget) - 1) != 0)
			return false;
	return lines[0] != '\0';
}

/* Whether a run of the job lives, and only its budget was edited. *ret_changes: the lines. */
static bool is_wanted(const struct invocation *call, const struct job_file *file, int64_t *ret_job,
	bool *ret_wanted, struct text *ret_changes, struct tuner_error *err)
{
	struct store *store = NULL;
	struct job job = { 0 };
	struct job_file *old = NULL;
	int64_t holder = 0;
	unsigned kinds;
	bool found = false;
	bool ok = command_open(call, STORE_READ, &store, err) &&
		  job_find(store, file->name, &job, &found, err) &&
		  (!found || store_job_holder(store, job.id, &holder, err));

	*ret_wanted = ok && found && holder > 0 && job_stored_file(&job, &old, err);
	if (*ret_wanted) {
		job_file_compare(old, file, &kinds, ret_changes);
		*ret_job = job.id;
		*ret_wanted = !text_failed(ret_changes) && all_of_budget(ret_changes->bytes);
	}
	job_file_destroy(old);
	job_finish(&job);
	store_close(store);
	return ok;
}

/* What was asked stays asked: who is told only that the database is in use would be surprised by it later. */
static bool fail_unanswered(
	const struct invocation *call, const char *name, int64_t job, struct tuner_error *err)
{
	struct tuner_error ignored;
	struct store *store = NULL;
	int64_t holder = 0;
	char who[40] = "another process", resume[100] = "";

	if (command_open(call, STORE_READ, &store, &ignored))
		(void)!store_job_holder(store, job, &holder, &ignored);
	store_close(store);
	if (holder == 0)
		return true; /* the run has ended */
	if (holder > 0) {
		snprintf(who, sizeof(who), "process %lld", (long long)holder);
		snprintf(resume, sizeof(resume),
			"; if it was suspended, \"kill -CONT %lld\" resumes it", (long long)holder);
	}
	return tuner_fail(err, TUNER_RETRY,
		"%s, which runs job %s, has not answered for %d s: it takes the edited budget when "
		"it goes on%s",
		who, name, ANSWER_WAIT_MS / 1000, resume);
}

bool budget_edit_send(const struct invocation *call, const struct job_file *file, bool *ret_taken,
	struct tuner_error *err)
{
	struct text changes = TEXT_EMPTY, argument = TEXT_EMPTY, answer = TEXT_EMPTY;
	struct tuner_error ignored;
	int64_t job = 0, holder = 0;
	bool wanted = false, ok = true;

	*ret_taken = false;
	/* A run that begins says itself what is wrong with the database. */
	if (!store_holder(call->db, &holder, &ignored) || holder == 0 ||
		!is_wanted(call, file, &job, &wanted, &changes, &ignored) || !wanted)
		goto out;
	char *budget = budget_json(file);
	text_print(&argument, "{\"budget\": %s}", budget != NULL ? budget : "");
	ok = (budget != NULL && !text_failed(&argument)) || tuner_fail_memory(err);
	free(budget);
	ok = ok && request_send(call, job, "budget", argument.bytes, ANSWER_WAIT_MS, ret_taken,
			   &answer, err);
	ok = ok && (*ret_taken || fail_unanswered(call, file->name, job, err));
	if (ok && *ret_taken)
		printf("%sjob %s: %s\n", changes.bytes, file->name, answer.bytes);
out:
	text_finish(&changes);
	text_finish(&argument);
	text_finish(&answer);
	return ok;
}
