#include "scheduler/slurm_rest.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const int slurm_rest_versions[] = { 44, 43, 42, 41, 40, 38, 0 };

enum {
	FIRST_NEW = 40,
	/* Slurm's error numbers. */
	ERROR_CONTROLLER = 1800, /* the controller cannot be reached: nothing has happened */
	ERROR_CONTROLLER_ANSWER = 1802, /* it was reached, but no answer came, or only a part */
	ERROR_CONTROLLER_CLOSE = 1803,
	ERROR_CONTROLLER_LAST = 1805,
	ERROR_SOCKET_FIRST = 5000, /* of the connection between slurmrestd and the controller */
	ERROR_NOTHING_CAME = 5005, /* most likely a bad token */
	ERROR_SOCKET_LAST = 5999,
	ERROR_AUTHENTICATION_FIRST = 1000,
	ERROR_ANSWER = 1003, /* the same, without saying whose answer */
	ERROR_CLOSE = 1004,
	ERROR_AUTHENTICATION_LAST = 1099,
	ERROR_TRY_AGAIN = 11,
	ERROR_UNSPECIFIED = -1,
};

/* A bad token fails at once; a controller that does not answer, after nine seconds. */
static const int64_t TOKEN_US = 5000000;

/* ---- what we say ---- */

/* A number as this version writes it. */
static cJSON *number_node(int version, double value)
{
	if (version < FIRST_NEW)
		return cJSON_CreateNumber(value);
	cJSON *node = cJSON_CreateObject();
	cJSON_AddBoolToObject(node, "set", true);
	cJSON_AddBoolToObject(node, "infinite", false);
	cJSON_AddNumberToObject(node, "number", value);
	return node;
}

static cJSON *environment_node(int version, char *const *environment)
{
	cJSON *node = version < FIRST_NEW ? cJSON_CreateObject() : cJSON_CreateArray();

	for (; node != NULL && *environment != NULL; environment++) {
		const char *equals = strchr(*environment, '=');
		char name[128];
		if (equals == NULL || (size_t)(equals - *environment) >= sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(equals - *environment), *environment);
		if (version < FIRST_NEW)
			cJSON_AddStringToObject(node, name, equals + 1);
		else
			cJSON_AddItemToArray(node, cJSON_CreateString(*environment));
	}
	return node;
}

static void add_string(cJSON *object, const char *name, const char *value)
{
	if (value != NULL)
		cJSON_AddStringToObject(object, name, value);
}

/* "gpu:2,shard:1" becomes "gres/gpu:2,gres/shard:1" where all trackable resources share one key. */
static void add_gres(int version, cJSON *job, const char *gres)
{
	struct text tres = TEXT_EMPTY;

	if (gres == NULL)
		return;
	if (version < FIRST_NEW) {
		cJSON_AddStringToObject(job, "gres", gres);
		return;
	}
	text_add(&tres, "gres/");
	for (; *gres != '\0'; gres++) {
		text_add_char(&tres, *gres);
		if (*gres == ',')
			text_add(&tres, "gres/");
	}
	cJSON_AddStringToObject(job, "tres_per_node", tres.bytes);
	text_finish(&tres);
}

static void add_job(cJSON *job, int version, const struct slurm_settings *settings,
	const struct slurm_request *request, char *const *environment)
{
	add_string(job, "name", request->name);
	add_string(job, "current_working_directory", request->directory);
	add_string(job, "standard_output", request->log);
	add_string(job, "standard_error", request->log);
	cJSON_AddItemToObject(job, "environment", environment_node(version, environment));
	cJSON_AddNumberToObject(job, "tasks", 1);
	if (settings->cores > 0)
		cJSON_AddNumberToObject(job, "cpus_per_task", settings->cores);
	add_string(job, "partition", settings->partition);
	add_gres(version, job, settings->gres);
	add_string(job, "account", settings->account);
	add_string(job, "qos", settings->qos);
	add_string(job, "constraints", settings->constraint);
	if (settings->time_limit_us > 0)
		cJSON_AddItemToObject(job, "time_limit",
			number_node(version,
				(double)((settings->time_limit_us + 59999999) / 60000000)));
	if (settings->memory_bytes > 0)
		cJSON_AddItemToObject(job, "memory_per_node",
			number_node(version, (double)((settings->memory_bytes + 1048575) >> 20)));
	if (version >= FIRST_NEW) { /* older versions accept and ignore it */
		cJSON_AddBoolToObject(job, "requeue", false);
		add_string(job, "script", request->script);
	}
}

char *slurm_rest_submit_body(int version, const struct slurm_settings *settings,
	const struct slurm_request *request, char *const *environment)
{
	cJSON *root = cJSON_CreateObject(), *job = cJSON_AddObjectToObject(root, "job");
	char *text = NULL;

	if (job != NULL) {
		add_job(job, version, settings, request, environment);
		if (version < FIRST_NEW)
			add_string(root, "script", request->script);
		text = cJSON_PrintUnformatted(root);
	}
	cJSON_Delete(root);
	return text;
}

/* ---- what it says ---- */

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* For jobs, restarts, errors, and seconds since 1970, which are multiplied. */
static const double NUMBER_MAX = 1e12;

/* A number in either format; `otherwise` for null, unset and infinite numbers, and for values that
 * Slurm cannot mean. */
static int64_t number_of(const cJSON *node, int64_t otherwise)
{
	if (cJSON_IsObject(node))
		return cJSON_IsFalse(member(node, "set")) || cJSON_IsTrue(member(node, "infinite"))
			       ? otherwise
			       : number_of(member(node, "number"), otherwise);
	return cJSON_IsNumber(node) && node->valuedouble >= ERROR_UNSPECIFIED &&
			       node->valuedouble <= NUMBER_MAX
		       ? (int64_t)node->valuedouble
		       : otherwise;
}

static const char *string_of(const cJSON *node)
{
	return cJSON_IsString(node) ? node->valuestring : "";
}

/* The relevant part of a base state and its flags: completing, or queued again, or else the
 * base. */
static enum slurm_state state_of(const cJSON *node)
{
	enum slurm_state state = slurm_state_named(string_of(node));
	const cJSON *item;

	if (!cJSON_IsArray(node))
		return state;
	cJSON_ArrayForEach(item, node)
	{
		const enum slurm_state found = slurm_state_named(string_of(item));
		if (found == SLURM_COMPLETING || found == SLURM_REQUEUED)
			return found;
		if (state == SLURM_UNKNOWN)
			state = found;
	}
	return state;
}

static void take_job(const cJSON *node, struct slurm_job *ret)
{
	*ret = (struct slurm_job){
		.id = number_of(member(node, "job_id"), 0),
		.state = state_of(member(node, "job_state")),
		.restarts = number_of(member(node, "restart_cnt"), 0),
		.submitted_s = number_of(member(node, "submit_time"), 0),
	};
	snprintf(ret->name, sizeof(ret->name), "%s", string_of(member(node, "name")));
	snprintf(ret->reason, sizeof(ret->reason), "%s", string_of(member(node, "state_reason")));
	snprintf(ret->nodes, sizeof(ret->nodes), "%s", string_of(member(node, "nodes")));
}

static bool take_jobs(const cJSON *root, struct slurm_reply *ret)
{
	const cJSON *jobs = member(root, "jobs"), *job;

	if (!cJSON_IsArray(jobs)) {
		ret->result = SLURM_UNCLEAR;
		snprintf(ret->message, sizeof(ret->message), "slurmrestd's reply has no \"jobs\"");
		return true;
	}
	ret->jobs = calloc((size_t)cJSON_GetArraySize(jobs) + 1, sizeof(*ret->jobs));
	if (ret->jobs == NULL)
		return false;
	cJSON_ArrayForEach(job, jobs) take_job(job, &ret->jobs[ret->n_jobs++]);
	return true;
}

/* The number has one of three names, depending on the call. */
static int64_t error_number(const cJSON *error)
{
	static const char *const names[] = { "error_number", "error_code", "errno" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (member(error, names[i]) != NULL)
			return number_of(member(error, names[i]), 0);
	return 0;
}

/* The request may have arrived: only the answer is missing for certain. */
static bool lacks_answer(int64_t number)
{
	return number == ERROR_CONTROLLER_ANSWER || number == ERROR_CONTROLLER_CLOSE ||
	       number == ERROR_ANSWER || number == ERROR_CLOSE;
}

static void judge_error(const struct slurm_rest_answer *answer, int64_t number,
	struct slurm_reply *ret, bool *ret_token)
{
	const bool at_once = answer->took_us < TOKEN_US;

	if (lacks_answer(number)) {
		ret->result = SLURM_UNCLEAR;
	} else if (number >= ERROR_AUTHENTICATION_FIRST && number <= ERROR_AUTHENTICATION_LAST) {
		ret->result = SLURM_UNREACHABLE;
		*ret_token = true;
	} else if (number == ERROR_NOTHING_CAME || number == ERROR_UNSPECIFIED) {
		ret->result = SLURM_UNCLEAR;
		*ret_token = at_once;
	} else if ((number >= ERROR_CONTROLLER && number <= ERROR_CONTROLLER_LAST) ||
		   number == ERROR_TRY_AGAIN) {
		ret->result = SLURM_UNREACHABLE;
	} else if (number >= ERROR_SOCKET_FIRST && number <= ERROR_SOCKET_LAST) {
		ret->result = SLURM_UNCLEAR;
	} else {
		ret->result = SLURM_REFUSED;
	}
}

static void take_error(const cJSON *error, const struct slurm_rest_answer *answer,
	struct slurm_reply *ret, bool *ret_token)
{
	const int64_t number = error_number(error);
	const char *what = string_of(member(error, "error"));
	const char *more = string_of(member(error, "description"));

	judge_error(answer, number, ret, ret_token);
	snprintf(ret->message, sizeof(ret->message), "%.120s%s%.80s (%lld)", what,
		*what != '\0' && *more != '\0' ? ": " : "", more, (long long)number);
}

static bool take_tree(const cJSON *root, const struct slurm_rest_answer *answer,
	struct slurm_reply *ret, bool *ret_token)
{
	const cJSON *errors = member(root, "errors");
	const cJSON *job = member(root, "job_id");

	ret->job = number_of(job != NULL ? job : member(member(root, "result"), "job_id"), 0);
	if (cJSON_GetArraySize(errors) > 0) {
		take_error(errors->child, answer, ret, ret_token);
		/* Queued, with the report that it will never run. */
		if (ret->kind == SLURM_SUBMIT && ret->job > 0)
			ret->result = SLURM_REFUSED;
		return true;
	}
	if (ret->kind == SLURM_SUBMIT && ret->job <= 0) {
		ret->result = SLURM_UNCLEAR;
		snprintf(ret->message, sizeof(ret->message),
			"slurmrestd's reply to a submit has no number of a job");
	}
	return ret->kind != SLURM_LIST || take_jobs(root, ret);
}

/* Whether the request was read and refused. Anything else that is not Slurm's answer (a failure of
 * the server itself, a good status with half a reply) leaves open whether a job is queued. */
static bool is_refusal(long status)
{
	static const long timeout = 408;

	return status >= 400 && status < 500 && status != timeout;
}

/* Takes plain text, from slurmrestd itself or a proxy before it. */
static void take_words(
	const struct slurm_rest_answer *answer, struct slurm_reply *ret, bool *ret_token)
{
	const bool turned_away = answer->status == 404 || answer->status == 429;

	*ret_token = answer->status == 401 || answer->status == 403;
	ret->result = *ret_token || turned_away || ret->kind != SLURM_SUBMIT ? SLURM_UNREACHABLE
		      : is_refusal(answer->status)                           ? SLURM_REFUSED
									     : SLURM_UNCLEAR;
	snprintf(ret->message, sizeof(ret->message), "HTTP status %ld: %.150s", answer->status,
		answer->size > 0 ? answer->body : "");
	ret->message[strcspn(ret->message, "\r\n")] = '\0';
}

bool slurm_rest_parse(
	const struct slurm_rest_answer *answer, struct slurm_reply *ret, bool *ret_token)
{
	cJSON *root = NULL;
	bool ok = true;

	*ret_token = false;
	ret->result = SLURM_OK;
	if (answer->status == 304) {
		ret->unchanged = true;
		return true;
	}
	if (answer->size > 0 && answer->body[0] == '{')
		root = cJSON_ParseWithLength(answer->body, answer->size);
	if (root != NULL)
		ok = take_tree(root, answer, ret, ret_token);
	else
		take_words(answer, ret, ret_token);
	cJSON_Delete(root);
	return ok;
}
