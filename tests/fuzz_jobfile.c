/* Job files of any bytes: read to an end, with faults that have their places, the same each time; and what is
 * accepted can be shown, stored and read back. */
#include "tests/fuzz_driver.h"

#include "tuner/jobfile.h"

#include <string.h>

const char *const fuzz_words[] = { "[", "{\"a\":", "{", "}", "]", ",", ":", "//", "/*", "*/",
	"true", "false", "null", "\"objective\"", "\"metric\"", "\"goal\": \"minimize\"",
	"\"parameters\"", "\"type\": \"float\"", "\"type\": \"int\"", "\"type\": \"categorical\"",
	"\"min\": ", "\"max\": ", "\"step\": ", "\"values\": [1, \"a\", true]", "\"prior\": [1, 2]",
	"\"prior\": {\"a\": 2}", "\"scale\": \"log\"", "\"scale\": \"reverse-log\"",
	"\"when\": {\"a\": 1}", "\"constraints\": [\"", "a + b ", "log(", "a ** ", "not ", " and ",
	"<= ", "if ", "\"first\": [{", "\"fixed\": {", "\"strategy\": {", "\"name\": \"bayesian\"",
	"\"budget\": {\"trials\": ", "\"early_stopping\": {", "\"rule\": \"asha\"", "\"hosts\": [{",
	"\"gpus\": ", "\"metrics\": [{", "\"regex\": \"(",
	"\"outcomes\": {\"lost\": ", "\"failures\": [{\"pattern\": \"", "\"env\": {",
	"\"channels\": {", "\"command\": [\"", "{a}", "{{", "\"timeout\": \"1h\"",
	"\"log_max\": \"64 MiB\"",
	"\"backoff\": ", "\"retries\": ", "\"seed\": ", "\"directory\": \"", NULL };

struct reading {
	struct job_file *file;
	struct diagnostics list;
};

static struct reading *read_file(const char *bytes, size_t size, enum command_need need)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	struct tuner_error err;

	CHECK(reading != NULL);
	CHECK(job_file_parse(
		"fuzz.jsonc", "/", bytes, size, NULL, need, &reading->file, &reading->list, &err));
	CHECK((reading->file != NULL) == (reading->list.errors == 0));
	return reading;
}

static void end(struct reading *reading)
{
	job_file_destroy(reading->file);
	free(reading);
}

/* It goes to a terminal: whole characters, and nothing but line breaks that would do something to it. */
static void check_printed(const struct diagnostics *list)
{
	struct text printed = TEXT_EMPTY;
	size_t lines = 0;

	diagnostics_print(list, "fuzz.jsonc", &printed);
	CHECK(!text_failed(&printed));
	for (size_t at = 0, n; at < printed.length; at += n) {
		const unsigned char c = (unsigned char)printed.bytes[at];
		n = text_utf8_character(printed.bytes + at, printed.length - at);
		lines += c == '\n';
		CHECK(n > 0 && (c >= 0x20 || c == '\n') && c != 0x7f);
	}
	CHECK(lines == list->n || lines == list->n + 1); /* and how many more */
	text_finish(&printed);
}

static void check_faults(const struct reading *reading, const char *bytes, size_t size)
{
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += bytes[i] == '\n' || bytes[i] == '\r';
	CHECK(reading->list.n <= DIAGNOSTICS_MAX);
	for (size_t i = 0; i < reading->list.n; i++) {
		const struct diagnostic *item = &reading->list.items[i];
		CHECK((item->place.line == 0) == (item->place.column == 0));
		CHECK(item->place.line <= lines && item->place.column <= size + 1);
		CHECK(item->message[0] != '\0');
	}
	check_printed(&reading->list);
}

static void check_same(const struct reading *one, const struct reading *other)
{
	CHECK(one->list.n == other->list.n && one->list.errors == other->list.errors);
	for (size_t i = 0; i < one->list.n; i++) {
		CHECK(strcmp(one->list.items[i].message, other->list.items[i].message) == 0);
		CHECK(one->list.items[i].place.line == other->list.items[i].place.line);
	}
}

/* What the database keeps of it can be read back, and means the same. */
static void check_stored(const struct job_file *file)
{
	struct parameter_list parameters = { 0 }, parameters_again = { 0 };
	struct job_file *restored = NULL;
	struct tuner_error err;
	char *space = NULL, *again = NULL;
	char *objective = job_file_objective(file), *strategy = job_file_strategy(file);

	CHECK(objective != NULL && strategy != NULL);
	CHECK(job_file_space(file, &space, &parameters, &err));
	CHECK(job_file_restore(space, strategy, &restored, &err));
	CHECK(restored != NULL && restored->space.d == file->space.d);
	CHECK(job_file_space(restored, &again, &parameters_again, &err));
	CHECK(strcmp(space, again) == 0);
	job_file_destroy(restored);
	parameter_list_finish(&parameters);
	parameter_list_finish(&parameters_again);
	free(space);
	free(again);
	free(objective);
	free(strategy);
}

static void check_shown(const struct job_file *file)
{
	struct text shown = TEXT_EMPTY, json = TEXT_EMPTY, lines = TEXT_EMPTY;
	struct json_document *document = NULL;
	struct tuner_error err;
	unsigned kinds = 1;

	job_file_describe(file, &shown);
	CHECK(!text_failed(&shown) && shown.length > 0);
	job_file_describe_json(file, &json);
	CHECK(json_parse("describe", json.bytes, json.length, &document, &err));
	job_file_compare(file, file, &kinds, &lines);
	CHECK(kinds == CHANGE_NONE && lines.length == 0);
	json_destroy(document);
	text_finish(&shown);
	text_finish(&json);
	text_finish(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const bytes = (const char *)data;
	struct reading *reading = read_file(bytes, size, COMMAND_IGNORED);
	struct reading *again = read_file(bytes, size, COMMAND_IGNORED);
	struct reading *needed = read_file(bytes, size, COMMAND_NEEDED);

	check_faults(reading, bytes, size);
	check_faults(needed, bytes, size);
	check_same(reading, again);
	CHECK(needed->file == NULL || reading->file != NULL);
	if (reading->file != NULL) {
		check_stored(reading->file);
		check_shown(reading->file);
	}
	end(reading);
	end(again);
	end(needed);
	return 0;
}
