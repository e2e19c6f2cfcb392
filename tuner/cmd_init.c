#include "tuner/command.h"

#include "base/file.h"
#include "base/json.h"
#include "tuner/init.h"
#include "tuner/shell_words.h"

#include <string.h>
#include <unistd.h>

static bool check_target(const struct invocation *call, struct tuner_error *err)
{
	const char *path = call->arguments[0];

	if (strcmp(path, "-") == 0 || invocation_option(call, "force") != NULL ||
		access(path, F_OK) != 0)
		return true;
	return tuner_fail(err, TUNER_USAGE,
		"%s already exists: --force replaces it, another name keeps it", path);
}

static bool make_file(const struct invocation *call, const char *name, struct text *ret_file,
	struct text *ret_notes, struct tuner_error *err)
{
	const char *from = invocation_option(call, "from");
	struct text request = TEXT_EMPTY;

	if (from != NULL && call->rest != NULL)
		return tuner_fail(err, TUNER_USAGE,
			"a job file is made from a request (--from) or a command (--), not both");
	if (from != NULL && !file_read(from, JSON_BYTES_MAX, &request, err))
		return false;
	const struct init_request what = { .name = name,
		.command = call->rest,
		.request = from ? request.bytes : NULL,
		.request_length = request.length,
		.request_name = from };
	const bool ok = init_write(&what, ret_file, ret_notes, err);
	text_finish(&request);
	return ok;
}

static bool put_file(const char *path, const struct text *file, struct tuner_error *err)
{
	if (strcmp(path, "-") == 0) {
		fputs(file->bytes, stdout);
		return true;
	}
	if (!file_write_atomic(path, file->bytes, file->length, 0666, false, err))
		return false;
	struct text word = TEXT_EMPTY;
	text_add_shell_word(&word, path);
	printf("wrote %s: look it over, then \"tuner check %s\" and \"tuner run %s\"\n", path,
		word.bytes, word.bytes);
	text_finish(&word);
	return true;
}

int cmd_init(const struct invocation *call, struct tuner_error *err)
{
	struct text name = TEXT_EMPTY, file = TEXT_EMPTY, notes = TEXT_EMPTY;

	init_job_name(call->arguments[0], &name);
	const bool ok = check_target(call, err) &&
			make_file(call, name.bytes, &file, &notes, err) &&
			put_file(call->arguments[0], &file, err);
	if (ok)
		fputs(notes.bytes, stderr);
	text_finish(&name);
	text_finish(&file);
	text_finish(&notes);
	return ok ? EXIT_DONE : -1;
}
