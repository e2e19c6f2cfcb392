/* Lines of any bytes to `tuner ask-tell`: each is answered with one JSON object, a wrong one with an error that changes
 * nothing, and the database stays sound. */
#include "tests/fuzz_directory.h"

#include "trials/store.h"
#include "trials/verify.h"
#include "tuner/ask_tell_line.h"
#include "tuner/job_open.h"

#include <gsl/gsl_errno.h>
#include <sqlite3.h>

const char *const fuzz_words[] = { "\n", "{", "}", "[", ":", ",", "{\"ask\": 1}\n",
	"{\"ask\": ", "{\"tell\": 1, \"value\": 0.5}\n",
	"{\"tell\": ", "\"value\": ", "\"failed\": \"nan\"", "\"failed\": \"timeout\"",
	"\"failed\": \"", "\"step\": ", "{\"add\": {\"x\": 0.5, \"k\": \"a\"}, ",
	"\"metrics\": {\"lag\": 0.25}",
	"\"metrics\": {\"lag\": ", "\"lag\": ", "\"x\": ", "\"k\": \"b\"", "\"y\": 3", "NaN",
	"-Infinity", "null", "true", "1e999", NULL };

#define LIMITS   ", \"limits\": [\"lag <= 0.5\", \"loss <= 2\"]"
#define STOPPING "\"early_stopping\": {\"rule\": \"median\", \"grace\": 1},"
#define ALSO     ", \"also\": [{\"maximize\": \"log(lag) - loss\"}]"

/* Of the jobs, which take turns; a job with further objectives has no early stopping. */
static const struct {
	const char *objective, *stopping;
} kinds[] = { { "", STOPPING }, { LIMITS, STOPPING }, { ALSO, "" }, { LIMITS ALSO, "" } };

static const char job[] =
	"{\"objective\": {\"metric\": \"loss\", \"goal\": \"minimize\"%s},"
	" \"parameters\": {\"x\": {\"type\": \"float\", \"min\": 0, \"max\": 1},"
	"  \"k\": {\"type\": \"categorical\", \"values\": [\"a\", \"b\"]},"
	"  \"y\": {\"type\": \"int\", \"min\": 1, \"max\": 4, \"when\": {\"k\": \"b\"}}},"
	" %s \"strategy\": {\"name\": \"sobol\"}, \"budget\": {\"trials\": 100}}";

enum { LINES_MAX = 24, JOBS_A_DATABASE = 200 };

/* Jobs share a database, until it is looked through and begun anew. */
static struct store *store;
static unsigned jobs;

static void check_sound(void)
{
	struct violation_list list = { 0 };
	struct tuner_error err;

	CHECK(store_verify(store, 0, &list, &err));
	if (list.n > 0)
		fprintf(stderr, "%s: %s\n", list.items[0].check, list.items[0].what);
	CHECK(list.n == 0);
	violation_list_finish(&list);
}

static void close_store(void)
{
	if (store == NULL)
		return;
	check_sound();
	store_close(store);
	store = NULL;
}

static struct store *a_store(void)
{
	char path[128];
	struct tuner_error err;

	if (jobs++ % JOBS_A_DATABASE != 0)
		return store;
	if (jobs == 1) {
		gsl_set_error_handler_off();
		fuzz_directory(); /* its removal is to come after the closing */
		atexit(close_store);
	}
	close_store();
	snprintf(path, sizeof(path), "%s/tuner.db", fuzz_directory());
	unlink(path);
	CHECK(store_open(path, STORE_WRITE, &store, &err));
	return store;
}

static struct job_file *a_job(void)
{
	struct job_file *file = NULL;
	struct diagnostics list = { .n = 0 };
	struct tuner_error err;
	char name[32], text[sizeof(job) + 128];

	snprintf(name, sizeof(name), "job-%u", jobs);
	snprintf(text, sizeof(text), job, kinds[jobs % 4].objective, kinds[jobs % 4].stopping);
	CHECK(job_file_parse(
		name, "/", text, strlen(text), NULL, COMMAND_IGNORED, &file, &list, &err));
	CHECK(file != NULL);
	return file;
}

/* A line that is refused leaves no event. */
static void answer(struct ask_tell *ask_tell, const char *line, size_t length)
{
	struct text text = TEXT_EMPTY;
	struct json_document *document = NULL;
	struct tuner_error err;

	const bool ok = ask_tell_answer(ask_tell, line, length, &text, &err);
	if (!ok)
		fprintf(stderr, "%s\n", err.message);
	CHECK(ok);
	CHECK(json_parse("answer", text.bytes, text.length, &document, &err));
	CHECK(cJSON_IsObject(json_root(document)));
	CHECK(strchr(text.bytes, '\n') == NULL);
	json_destroy(document);
	text_finish(&text);
}

static void answer_lines(struct ask_tell *ask_tell, const char *bytes, size_t size)
{
	for (int i = 0; i < LINES_MAX && size > 0; i++) {
		const char *end = memchr(bytes, '\n', size);
		const size_t length = end != NULL ? (size_t)(end - bytes) : size;
		answer(ask_tell, bytes, length);
		bytes += length + (end != NULL);
		size -= length + (end != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job_opening opening;
	struct ask_tell *ask_tell = NULL;
	struct tuner_error err;
	struct store *const open = a_store();
	struct job_file *file = a_job();

	CHECK(job_open(open, file, false, NULL, &opening, &err));
	const struct ask_tell_settings settings = {
		.file = file, .store = open, .job_id = opening.job_id, .host = "test"
	};
	CHECK(ask_tell_open(&settings, &ask_tell, &err));
	answer_lines(ask_tell, (const char *)data, size);
	ask_tell_close(ask_tell);
	text_finish(&opening.changes);
	job_file_destroy(file);
	return 0;
}
