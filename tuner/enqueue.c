#include "tuner/enqueue.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static bool is_word(const char *word, const char *bytes, size_t length)
{
	return strlen(word) == length && memcmp(word, bytes, length) == 0;
}

/* The parameter's listed value with this spelling; NULL: there is none. */
static const char *listed_value(const struct job_file *file, const char *name, size_t name_length,
	const char *bytes, size_t length)
{
	size_t i = 0;

	while (i < file->space.d && !is_word(file->space.parameters[i].name, name, name_length))
		i++;
	for (size_t k = 0; i < file->space.d && k < file->values[i].n; k++)
		if (is_word(file->values[i].text[k], bytes, length))
			return file->values[i].json[k];
	return NULL;
}

/* A value as the parameter lists it, where a version 3.10 is not a number; otherwise as for --set:
 * JSON if it is valid JSON, else a string. */
static void add_value(struct text *json, const char *listed, const char *bytes, size_t length)
{
	struct json_document *document = NULL;
	struct tuner_error ignored;

	if (listed != NULL) {
		text_add(json, listed);
	} else if (json_parse("value", bytes, length, &document, &ignored)) {
		text_add_bytes(json, bytes, length);
		json_destroy(document);
	} else {
		text_add_json_bytes(json, bytes, length);
	}
}

/* NAME=VALUE,NAME=VALUE as a JSON object. */
static bool pairs_to_json(
	const struct job_file *file, const char *pairs, struct text *json, struct tuner_error *err)
{
	text_add(json, "{");
	for (const char *at = pairs; *at != '\0';) {
		const size_t length = strcspn(at, ",");
		const char *equals = memchr(at, '=', length);
		if (equals == NULL || equals == at)
			return tuner_fail(err, TUNER_USAGE,
				"expected NAME=VALUE,... or a JSON object, found \"%.*s\"",
				(int)(length < 100 ? length : 100), at);
		const size_t name = (size_t)(equals - at), value = length - name - 1;
		text_add(json, at == pairs ? "" : ", ");
		text_add_json_bytes(json, at, name);
		text_add(json, ": ");
		add_value(json, listed_value(file, at, name, equals + 1, value), equals + 1, value);
		at += length;
		at += *at == ',';
	}
	text_add(json, "}");
	return !text_failed(json) || tuner_fail_memory(err);
}

bool configuration_typed(const struct job_file *file, const char *typed, struct text *ret_json,
	struct tuner_error *err)
{
	if (typed[strspn(typed, " \t\n")] != '{')
		return pairs_to_json(file, typed, ret_json, err);
	text_add(ret_json, typed);
	return !text_failed(ret_json) || tuner_fail_memory(err);
}

bool enqueue_allowed(const struct job_file *file, struct tuner_error *err)
{
	return file->n_arms == 0 || tuner_fail(err, TUNER_USAGE,
					    "the job compares arms, which must all try the same: "
					    "put it into \"first\" of the job file");
}

bool enqueue_requested(struct store *store, int64_t job_id, const struct job_file *file,
	const cJSON *argument, struct tuner_error *err)
{
	double values[SPACE_PARAMETERS_MAX];
	int64_t id;
	if (!enqueue_allowed(file, err))
		return false;
	char *parameters = json_print(cJSON_GetObjectItemCaseSensitive(argument, "parameters"), 0);
	if (parameters == NULL)
		return tuner_fail_memory(err);
	const bool ok =
		configuration_parse(file, parameters, false, values, err) &&
		queue_add(store, job_id, "", 0, "enqueue", parameters, clock_wall_us(), &id, err);
	free(parameters);
	return ok;
}

bool enqueue_waiting(
	struct store *store, int64_t job_id, int64_t *ret_others, struct tuner_error *err)
{
	struct queue_list queue;

	*ret_others = -1; /* it is there, too */
	if (!queue_select(store, job_id, &queue, err))
		return false;
	for (size_t i = 0; i < queue.n; i++)
		*ret_others += !queue.items[i].taken;
	queue_list_finish(&queue);
	return true;
}

bool enqueue_turn(struct store *store, int64_t job_id, struct text *ret, struct tuner_error *err)
{
	int64_t others;

	if (!enqueue_waiting(store, job_id, &others, err))
		return false;
	if (others == 0)
		text_add(ret, "it is next in line");
	else
		text_print(ret, "it is queued after %lld other%s", (long long)others,
			others == 1 ? "" : "s");
	return true;
}
