#include "trials/inbox.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "trials/sql.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FILE_BYTES_MAX = 1 << 20,
	TRIES = 100, /* for several askers in the same microsecond */
	AT_ONCE = 256, /* requests per call; the others wait for the next */
};

static const int64_t ANSWER_US = INT64_C(3600) * 1000000; /* nobody waits that long */

static bool inbox_path(const struct store *store, char **ret, struct tuner_error *err)
{
	return asprintf(ret, "%s.requests", store->file) >= 0 || tuner_fail_memory(err);
}

static char *file_path(const char *inbox, int64_t id, const char *end)
{
	char *path = NULL;

	return asprintf(&path, "%s/%" PRId64 "%s", inbox, id, end) < 0 ? NULL : path;
}

/* ---- the asker ---- */

static void print_request(
	struct text *text, int64_t job_id, const char *verb, const char *argument, int64_t now_us)
{
	text_print(text, "{\"job\": %" PRId64 ", \"created_us\": %" PRId64 ", \"verb\": ", job_id,
		now_us);
	text_add_json_string(text, verb);
	text_add(text, ", \"argument\": ");
	text_add_json_string(text, argument != NULL ? argument : "{}");
	text_add(text, "}\n");
}

/* link(2) refuses a name that is taken, where a rename would replace it. */
static bool claim(const char *draft, const char *inbox, int64_t *id, struct tuner_error *err)
{
	for (int i = 0; i < TRIES; i++, ++*id) {
		char *const path = file_path(inbox, *id, ".request");

		if (path == NULL)
			return tuner_fail_memory(err);
		const int error = link(draft, path) == 0 ? 0 : errno;

		free(path);
		if (error == 0)
			return true;
		if (error != EEXIST)
			return tuner_fail_errno(
				err, error, "%s: no request can be put there", inbox);
	}
	return tuner_fail(err, TUNER_RETRY, "%s: too many requests at once", inbox);
}

bool inbox_add(struct store *store, int64_t job_id, const char *verb, const char *argument,
	int64_t now_us, int64_t *ret_id, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;
	char *inbox = NULL, *draft = NULL;
	bool ok = false;

	if (!inbox_path(store, &inbox, err))
		return false;
	print_request(&text, job_id, verb, argument, now_us);
	*ret_id = now_us;
	if (text_failed(&text) || asprintf(&draft, "%s/.%d-%" PRId64 ".draft", inbox, getpid(),
					  clock_monotonic_us()) < 0) {
		draft = NULL;
		tuner_fail_memory(err);
		goto out;
	}
	ok = directory_make(inbox, 0700, err) &&
	     file_write_atomic(draft, text.bytes, text.length, 0600, true, err) &&
	     claim(draft, inbox, ret_id, err);
	unlink(draft);
out:
	text_finish(&text);
	free(draft);
	free(inbox);
	return ok;
}

/* Opening a directory makes the client ask the file server whether it has changed; otherwise a new
 * name may seem to be missing for half a minute. */
static void look_anew(const char *directory)
{
	DIR *const open = opendir(directory);

	if (open != NULL)
		closedir(open);
}

static bool read_object(const char *path, struct json_document **ret, struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY;
	const bool ok = file_read(path, FILE_BYTES_MAX, &bytes, err) &&
			json_parse(path, bytes.bytes, bytes.length, ret, err);

	text_finish(&bytes);
	return ok;
}

bool inbox_load(
	struct store *store, int64_t request_id, struct request *ret, struct tuner_error *err)
{
	struct json_document *document = NULL;
	char *inbox = NULL, *path = NULL;
	bool ok = false;

	*ret = (struct request){ .id = request_id };
	if (!inbox_path(store, &inbox, err))
		return false;
	look_anew(inbox);
	path = file_path(inbox, request_id, ".answer");
	if (path == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	if (access(path, F_OK) != 0) {
		ok = true;
		goto out;
	}
	if (!read_object(path, &document, err))
		goto out;
	const cJSON *answer = cJSON_GetObjectItemCaseSensitive(json_root(document), "answer");

	ret->refused =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json_root(document), "refused"));
	ret->answer = strdup(cJSON_IsString(answer) ? answer->valuestring : "");
	ok = ret->answer != NULL || tuner_fail_memory(err);
	unlink(path);
out:
	json_destroy(document);
	free(path);
	free(inbox);
	return ok;
}

/* ---- the process that is asked ---- */

/* The id in a file name; 0 for other names. */
static int64_t id_of(const char *name, const char *end)
{
	char digits[24];
	const size_t length = strlen(name), tail = strlen(end);
	int64_t id = 0;

	if (length <= tail || length - tail >= sizeof(digits) ||
		strcmp(name + length - tail, end) != 0)
		return 0;
	memcpy(digits, name, length - tail);
	digits[length - tail] = '\0';
	return number_to_int64(digits, &id) && id > 0 ? id : 0;
}

static bool insert(struct store *store, int64_t id, const cJSON *request, bool *ret_bad,
	struct tuner_error *err)
{
	const cJSON *job = cJSON_GetObjectItemCaseSensitive(request, "job");
	const cJSON *created = cJSON_GetObjectItemCaseSensitive(request, "created_us");
	const cJSON *verb = cJSON_GetObjectItemCaseSensitive(request, "verb");
	const cJSON *argument = cJSON_GetObjectItemCaseSensitive(request, "argument");
	int64_t known = 0, job_id = 0, created_us = 0;
	struct query query;

	*ret_bad = !json_whole(job, 1, JSON_WHOLE_MAX, &job_id) ||
		   !json_whole(created, 0, JSON_WHOLE_MAX, &created_us) || !cJSON_IsString(verb) ||
		   !cJSON_IsString(argument) || strlen(verb->valuestring) - 1 > 63;
	if (*ret_bad)
		return true;
	query_open(&query, store, "SELECT count(*) FROM job WHERE id = ?1 AND json_valid(?2)");
	query_bind_int(&query, job_id);
	query_bind_text(&query, argument->valuestring);
	if (!query_scalar(&query, 0, &known, err))
		return false;
	*ret_bad = known == 0;
	if (*ret_bad)
		return true;
	if (!store_begin(store, STORE_DURABLE, err))
		return false;
	query_open(&query, store,
		"INSERT INTO request (id, job, verb, argument, created_us) VALUES (?1, ?2, ?3, ?4, "
		"?5)");
	query_bind_int(&query, id);
	query_bind_int(&query, job_id);
	query_bind_text(&query, verb->valuestring);
	query_bind_text(&query, argument->valuestring);
	query_bind_int(&query, created_us);
	if (query_run(&query, err) && store_commit(store, err))
		return true;
	store_rollback(store);
	return false;
}

static bool take_in(struct store *store, const char *path, int64_t id, struct tuner_error *err)
{
	struct json_document *document = NULL;
	struct tuner_error unreadable;
	char *out_of_the_way = NULL;
	bool bad = !read_object(path, &document, &unreadable);
	const bool ok = bad || insert(store, id, json_root(document), &bad, err);

	json_destroy(document);
	if (bad && access(path, F_OK) == 0 && asprintf(&out_of_the_way, "%s.bad", path) >= 0) {
		(void)!rename(path, out_of_the_way);
		free(out_of_the_way);
	}
	return ok;
}

static bool tell(
	const char *inbox, const char *path, const struct request *request, struct tuner_error *err)
{
	struct text text = TEXT_EMPTY;
	char *const answer = file_path(inbox, request->id, ".answer");

	text_print(&text, "{\"refused\": %s, \"answer\": ", request->refused ? "true" : "false");
	text_add_json_string(&text, request->answer);
	text_add(&text, "}\n");
	const bool ok =
		answer == NULL || text_failed(&text)
			? tuner_fail_memory(err)
			: file_write_atomic(answer, text.bytes, text.length, 0600, false, err);

	text_finish(&text);
	free(answer);
	if (ok)
		unlink(path);
	return ok;
}

static bool serve(struct store *store, const char *inbox, int64_t id, struct tuner_error *err)
{
	char *const path = file_path(inbox, id, ".request");
	struct request request = { 0 };
	int64_t known = 0;
	struct query query;
	bool ok;

	if (path == NULL)
		return tuner_fail_memory(err);
	query_open(&query, store, "SELECT count(*) FROM request WHERE id = ?1");
	query_bind_int(&query, id);
	ok = query_scalar(&query, 0, &known, err);
	if (ok && known == 0)
		ok = take_in(store, path, id, err);
	else if (ok)
		ok = request_load(store, id, &request, err) &&
		     (request.answer == NULL || tell(inbox, path, &request, err));
	request_finish(&request);
	free(path);
	return ok;
}

static void remove_old(const char *inbox, const char *name)
{
	const int64_t id = id_of(name, ".answer");
	char *path;

	if (id == 0 || id > clock_wall_us() - ANSWER_US)
		return;
	path = file_path(inbox, id, ".answer");
	if (path != NULL)
		unlink(path);
	free(path);
}

bool inbox_serve(struct store *store, struct tuner_error *err)
{
	int64_t ids[AT_ONCE];
	size_t n = 0;
	const struct dirent *entry;
	char *inbox = NULL;
	bool ok = true;

	if (!inbox_path(store, &inbox, err))
		return false;
	DIR *const directory = opendir(inbox);

	while (directory != NULL && (entry = readdir(directory)) != NULL && n < AT_ONCE) {
		const int64_t id = id_of(entry->d_name, ".request");

		if (id > 0)
			ids[n++] = id;
		remove_old(inbox, entry->d_name);
	}
	if (directory != NULL)
		closedir(directory);
	for (size_t i = 0; ok && i < n; i++)
		ok = serve(store, inbox, ids[i], err);
	free(inbox);
	return ok;
}
