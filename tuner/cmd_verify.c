#include "tuner/command.h"

#include "tuner/artifact_check.h"
#include "tuner/report_json.h"
#include "tuner/table.h"
#include "tuner/text_width.h"
#include "trials/verify.h"

/* ---- JSON ---- */

static bool add_violations(cJSON *object, const struct violation_list *list)
{
	cJSON *violations = cJSON_AddArrayToObject(object, "violations");
	bool ok = violations != NULL;
	for (size_t i = 0; ok && i < list->n; i++) {
		cJSON *item = cJSON_CreateObject();
		ok = json_append(violations, item) &&
		     json_add_string(item, "check", list->items[i].check) &&
		     json_add_string(item, "what", list->items[i].what) &&
		     json_add_string(item, "remedy", list->items[i].remedy);
	}
	return ok;
}

static bool print_json(
	const struct invocation *call, const struct violation_list *list, struct tuner_error *err)
{
	cJSON *object = cJSON_CreateObject();
	if (json_add_string(object, "database", call->db) &&
		json_add_integer(object, "checks", (int64_t)list->checks) &&
		cJSON_AddBoolToObject(object, "more", list->more) != NULL &&
		add_violations(object, list))
		return json_out(object, err);
	cJSON_Delete(object);
	return tuner_fail_memory(err);
}

/* ---- text ---- */

static bool print(
	const struct invocation *call, const struct violation_list *list, struct tuner_error *err)
{
	struct text out = TEXT_EMPTY;
	for (size_t i = 0; i < list->n; i++) {
		text_print(&out, "%s: ", list->items[i].check);
		text_add_visible(&out, list->items[i].what);
		text_print(&out, ". To do: %s\n", list->items[i].remedy);
	}
	if (list->more)
		text_print(&out, "and more: only the first %d of each check are listed\n",
			VIOLATIONS_MAX);
	if (list->n == 0)
		text_print(&out, "%s: %zu checks, nothing is wrong\n", call->db, list->checks);
	return lines_out(&out, err);
}

/* Unlike in the reading commands, no job means all jobs. */
static bool find_job(const struct invocation *call, struct store *store, int64_t *ret_id,
	struct tuner_error *err)
{
	struct job job;
	*ret_id = 0;
	if (call->n_arguments == 0)
		return true;
	if (!command_job(store, call->arguments[0], &job, err))
		return false;
	*ret_id = job.id;
	job_finish(&job);
	return true;
}

int cmd_verify(const struct invocation *call, struct tuner_error *err)
{
	struct store *store = NULL;
	struct violation_list list = { 0 };
	int64_t job_id;
	const bool ok = command_open(call, STORE_READ, &store, err) &&
			find_job(call, store, &job_id, err) &&
			store_verify(store, job_id, &list, err) &&
			artifacts_check(store, job_id, invocation_option(call, "hashes") != NULL,
				&list, err) &&
			(call->json ? print_json : print)(call, &list, err);
	const int status = list.n > 0 ? EXIT_GATE : EXIT_DONE;
	if (ok)
		command_say_age(call, store);
	violation_list_finish(&list);
	store_close(store);
	return ok ? status : -1;
}
