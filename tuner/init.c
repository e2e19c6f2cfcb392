#include "tuner/init_write.h"

#include "base/file.h"
#include "tuner/jobfile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- the template ---- */

static const char before_command[] =
	"  // What to make as good as possible. The command reports it, line by line, as in\n"
	"  //   @tuner {\"step\": 3, \"accuracy\": 0.71}\n"
	"  // or in its own words, which \"metrics\" finds.\n"
	"  \"objective\": {\"metric\": \"accuracy\", \"goal\": \"maximize\"},\n"
	"  // \"metrics\": [{\"name\": \"accuracy\", \"regex\": \"accuracy=([0-9.]+)\"}],\n"
	"\n"
	"  // What may be varied, by the names of the command's options. Types: float, int,\n"
	"  // categorical, ordinal (in order), bool. Scales: auto, linear, log, reverse-log.\n"
	"  \"parameters\": {\n"
	"    \"learning_rate\": {\"type\": \"float\", \"min\": 0.0001, \"max\": 0.1, \"scale\": "
	"\"log\"},\n"
	"    \"momentum\": {\"type\": \"float\", \"min\": 0, \"max\": 0.99, \"scale\": "
	"\"reverse-log\"},\n"
	"    \"layers\": {\"type\": \"int\", \"min\": 1, \"max\": 8},\n"
	"    \"optimizer\": {\"type\": \"categorical\", \"values\": [\"sgd\", \"adam\"]}\n"
	"  },\n"
	"  // Further options of the command, the same in every trial.\n"
	"  // \"fixed\": {\"epochs\": 10},\n"
	"\n"
	"  // Configurations to try first, such as the defaults; a partial one is completed.\n"
	"  \"first\": [{\"learning_rate\": 0.01, \"momentum\": 0.9}],\n"
	"\n"
	"  // bayesian (a Gaussian process), sobol, random or grid.\n"
	"  \"strategy\": \"bayesian\",\n"
	"  \"seed\": 1,\n"
	"\n"
	"  // When the job ends. \"parallel\" is left out: as many at a time as fit.\n"
	"  \"budget\": {\"trials\": 30 /* , \"runtime\": \"2h\", \"target\": 0.99 */},\n"
	"\n"
	"  // \"median\" ends a trial that is worse than the earlier ones were at its step.\n"
	"  // \"early_stopping\": \"median\",\n"
	"\n"
	"  // The training command, word by word, run in this file's directory. Parameters are\n"
	"  // appended as --learning_rate 0.01, or put where {learning_rate} stands.\n";

static const char after_command[] =
	"\n"
	"  // Data: the command finds the path in the variable SM_CHANNEL_TRAIN.\n"
	"  // \"channels\": {\"train\": \"data\"},\n"
	"  // A trial takes at most so long; failures of the machine are tried again.\n"
	"  // \"timeout\": \"1h\", \"retries\": 2,\n"
	"  // One trial on each GPU of this machine, or on the CPU if it has none.\n"
	"  \"hosts\": [{\"backend\": \"local\", \"gpus\": \"auto\", \"gpus_per_trial\": 1}]\n"
	"}\n";

void init_literal(const char *word, size_t length, struct text *ret)
{
	size_t open = 0;

	for (const char *c = word; c < word + length; c++) {
		text_add_char(ret, *c);
		if (*c == '{' || (*c == '}' && open > 0)) {
			text_add_char(ret, *c);
			open = *c == '{' ? open + 1 : open - 1;
		}
	}
}

static void add_command(char *const *command, struct text *ret)
{
	text_add(ret, "  \"command\": [");
	for (size_t i = 0; command && command[i]; i++) {
		struct text word = TEXT_EMPTY;
		init_literal(command[i], strlen(command[i]), &word);
		text_add(ret, i ? ", " : "");
		text_add_json_bytes(ret, word.bytes, word.length);
		ret->failed |= text_failed(&word);
		text_finish(&word);
	}
	text_add(ret, command ? "],\n" : "\"python3\", \"train.py\"],\n");
}

void init_template(const char *name, char *const *command, struct text *ret_file)
{
	text_add(ret_file,
		"// A job file of tuner: JSON with comments. Check it with   tuner check "
		"FILE\n// and start it with   tuner run FILE\n{\n  \"name\": ");
	text_add_json_string(ret_file, name);
	text_add(ret_file, ",\n\n");
	text_add(ret_file, before_command);
	add_command(command, ret_file);
	text_add(ret_file, after_command);
}

/* ---- names ---- */

void init_job_name(const char *path, struct text *ret)
{
	const char *name = path_name(path);
	size_t length = job_stem_length(name);

	if (length > 100)
		length = 100;
	for (size_t i = 0; i < length; i++) {
		const bool good = isalnum((unsigned char)name[i]) ||
				  (i > 0 && strchr("._-", name[i]) != NULL);
		text_add_char(ret, good ? name[i] : i ? '-' : 'x');
	}
	if (length == 0)
		text_add(ret, "job");
}

/* ---- all three ---- */

/* What the reader says of a file that was made of somebody else's values. */
static bool add_faults(const struct text *file, struct text *ret_notes, struct tuner_error *err)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct job_file *parsed = NULL;

	if (list == NULL)
		return tuner_fail_memory(err);
	const bool ok = job_file_parse("the new file", "/", file->bytes, file->length, NULL,
		COMMAND_IGNORED, &parsed, list, err);
	if (ok)
		diagnostics_print(list, "the new file", ret_notes);
	job_file_destroy(parsed);
	free(list);
	return ok;
}

bool init_write(const struct init_request *request, struct text *ret_file, struct text *ret_notes,
	struct tuner_error *err)
{
	struct text file = TEXT_EMPTY;
	bool ok = true;

	if (request->request != NULL)
		ok = init_from_sagemaker(request, &file, ret_notes, err);
	else if (request->command != NULL)
		ok = init_from_command(request, &file, ret_notes, err);
	else
		init_template(request->name, NULL, &file);
	ok = ok && add_faults(&file, ret_notes, err);
	text_add(ret_file, file.bytes);
	if (ok && (text_failed(&file) || text_failed(ret_file) || text_failed(ret_notes)))
		ok = tuner_fail_memory(err);
	text_finish(&file);
	return ok;
}
