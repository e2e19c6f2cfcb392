/* What an attempt directory holds after anything: `started` and exit.json of any bytes. Looking at it ends, says the
 * same twice, and what it says can be shown and stored. Nothing is signalled here: a fence would believe the pids.
 *
 * The input is exit.json; behind a NUL comes `started`, and behind another one the output's end. */
#include "tests/fuzz_directory.h"

#include "base/text.h"
#include "scheduler/attempt.h"
#include "scheduler/attempt_files.h"
#include "scheduler/classify.h"

#include <string.h>
#include <unistd.h>

const char *const fuzz_words[] = { "{", "}", "[", "]", ",", ":", "\"version\":1",
	"\"kind\":\"code\"", "\"kind\":\"signal\"", "\"kind\":\"timeout\"", "\"kind\":\"stopped\"",
	"\"kind\":\"no-start\"", "\"code\":", "\"signal\":", "\"stop_signal\":", "\"message\":\"",
	"\"started_us\":", "\"ended_us\":", "\"user_us\":", "\"system_us\":", "\"max_rss_bytes\":",
	"\"output_bytes\":", "\"output_lost\":", "\"out_of_memory\":true", "\"boot_id\":\"",
	"\"supervisor_pid\":", "\"command_pid\":", "\"command_start\":", "\"session\":", "null",
	"Traceback", NULL };

static void remove_piece(const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", fuzz_directory(), name);
	unlink(path);
}

/* Writes the piece up to the next NUL, or removes the file if there is no such piece. */
static void place_piece(const char *name, const char **bytes, size_t *size)
{
	if (*bytes == NULL) {
		remove_piece(name);
		return;
	}
	const char *end = memchr(*bytes, '\0', *size);
	const size_t length = end != NULL ? (size_t)(end - *bytes) : *size;
	fuzz_directory_write(name, *bytes, length);
	*bytes = end != NULL ? end + 1 : NULL;
	*size -= end != NULL ? length + 1 : length;
}

static void check_text(const char *message)
{
	size_t length = strlen(message);
	while (length > 0) {
		const size_t n = text_utf8_character(message, length);
		CHECK(n > 0);
		message += n;
		length -= n;
	}
}

static void check_exit(const struct exit_record *exit)
{
	CHECK(exit->kind <= EXIT_NO_START);
	CHECK(exit->code >= -1 && exit->code <= 255);
	CHECK(exit->signal >= -1 && exit->signal <= 64);
	CHECK(exit->stop_signal >= 0 && exit->stop_signal <= 64);
	CHECK(exit->started_us >= 0 && exit->ended_us >= exit->started_us);
	CHECK(exit->user_us >= 0 && exit->system_us >= 0 && exit->max_rss_bytes >= 0);
	CHECK(exit->output_bytes >= 0 && exit->output_lost >= 0);
	check_text(exit->message);
}

static void check_verdict(const struct exit_record *exit)
{
	static struct failure_rules *rules;
	struct text tail = TEXT_EMPTY;
	struct tuner_error err;
	struct verdict verdict;
	size_t bad;

	if (rules == NULL)
		CHECK(failure_rules_create(NULL, 0, &rules, &bad, &err));
	CHECK(output_tail(fuzz_directory(), 200, &tail, &err));
	for (int seen = OBJECTIVE_MISSING; seen <= OBJECTIVE_FINITE; seen++) {
		classify(rules, exit, (enum objective_seen)seen, NULL, tail.bytes, tail.length,
			&verdict);
		CHECK(verdict.outcome != NULL && verdict.outcome[0] != '\0');
		check_text(verdict.message);
	}
	text_finish(&tail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct attempt_status status, again;
	const char *bytes = (const char *)data;
	struct tuner_error err;

	place_piece(ATTEMPT_EXIT, &bytes, &size);
	place_piece(ATTEMPT_STARTED, &bytes, &size);
	place_piece(ATTEMPT_OUTPUT, &bytes, &size);
	memset(&status, 0, sizeof(status));
	memset(&again, 0, sizeof(again));
	CHECK(attempt_look(fuzz_directory(), &status, &err));
	CHECK(attempt_look(fuzz_directory(), &again, &err));
	CHECK(status.life == again.life && status.command_pid == again.command_pid);
	CHECK(status.life == ATTEMPT_FINISHED || status.life == ATTEMPT_ORPHANED);
	CHECK(status.supervisor_pid >= 0 && status.command_pid >= 0 && status.session >= 0);
	CHECK(status.supervisor_start >= 0 && status.command_start >= 0 && status.started_us >= 0);
	CHECK(strnlen(status.boot_id, sizeof(status.boot_id)) < sizeof(status.boot_id));
	attempt_is_of_this_boot(&status);
	if (status.life == ATTEMPT_FINISHED) {
		check_exit(&status.exit);
		check_verdict(&status.exit);
	}
	return 0;
}
