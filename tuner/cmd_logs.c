#include "tuner/command.h"

#include "base/file.h"
#include "scheduler/attempt.h"
#include "tuner/trial_report.h"

#include <stdlib.h>
#include <time.h>

enum { CHUNK = 64 * 1024, LOOK_MS = 200, TAIL_MAX = 1000000, ATTEMPT_MAX = 1000000 };

struct log_reader {
	struct report report;
	struct trial trial;
	int64_t attempt_number; /* asked for; 0: the newest */
	int64_t attempt_id;
	char *directory;
	int64_t offset;
};

static void reader_finish(struct log_reader *reader)
{
	free(reader->directory);
	trial_finish(&reader->trial);
	report_close(&reader->report);
}

/* Finds the attempt; *ret_ended tells whether its output is complete. */
static bool find_attempt(struct log_reader *reader, bool *ret_ended, struct tuner_error *err)
{
	struct attempt_list list;
	const struct attempt *found = NULL;
	if (!attempt_select(
		    reader->report.store, reader->report.job.id, reader->trial.id, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++)
		if (reader->attempt_id != 0
				? list.items[i].id == reader->attempt_id
				: reader->attempt_number == 0 ||
					  list.items[i].number == reader->attempt_number)
			found = &list.items[i];
	bool ok = true;
	if (found == NULL) {
		ok = reader->attempt_number == 0
			     ? tuner_fail(err, TUNER_USAGE,
				       "trial %lld has not been launched yet: there is no output",
				       (long long)reader->trial.number)
			     : tuner_fail(err, TUNER_USAGE,
				       "trial %lld has %zu attempts, there is no attempt %lld",
				       (long long)reader->trial.number, list.n,
				       (long long)reader->attempt_number);
	} else if (reader->directory == NULL) {
		reader->attempt_id = found->id;
		reader->directory =
			path_join(store_directory(reader->report.store), found->directory);
		ok = reader->directory != NULL || tuner_fail_memory(err);
	}
	*ret_ended = found != NULL && found->state == ATTEMPT_ENDED;
	attempt_list_finish(&list);
	return ok;
}

/* What is new, as the command wrote it. */
static bool print_new(struct log_reader *reader, bool *ret_gone, struct tuner_error *err)
{
	char *bytes = malloc(CHUNK);
	size_t size = 0;
	bool ok = bytes != NULL || tuner_fail_memory(err);
	do {
		int64_t offset = reader->offset;
		ok = ok && output_read(reader->directory, reader->offset, bytes, CHUNK, &offset,
				   &size, err);
		if (!ok)
			break;
		if (offset > reader->offset)
			printf("[%lld bytes are no longer kept]\n",
				(long long)(offset - reader->offset));
		reader->offset = offset + (int64_t)size;
		*ret_gone = fwrite(bytes, 1, size, stdout) < size;
	} while (size > 0 && !*ret_gone);
	*ret_gone = fflush(stdout) != 0 || *ret_gone;
	free(bytes);
	return ok;
}

/* Ends when the attempt has ended and all is printed, or when nobody reads us any more. */
static bool follow(struct log_reader *reader, struct tuner_error *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	bool ended = false, gone = false;
	for (;;) {
		/* In this order: after its end nothing more is written. */
		if (!find_attempt(reader, &ended, err) || !print_new(reader, &gone, err))
			return false;
		if (ended || gone)
			return true;
		nanosleep(&pause, NULL);
	}
}

static bool print_tail(struct log_reader *reader, int64_t lines, struct tuner_error *err)
{
	struct text tail = TEXT_EMPTY;
	const bool ok = output_tail(reader->directory, (unsigned)lines, &tail, err);
	if (ok)
		printf("%s%s", tail.bytes,
			tail.length > 0 && tail.bytes[tail.length - 1] != '\n' ? "\n" : "");
	text_finish(&tail);
	return ok;
}

static bool print_log(
	const struct invocation *call, struct log_reader *reader, struct tuner_error *err)
{
	int64_t lines;
	bool ended, gone;
	const bool follows = invocation_option(call, "follow") != NULL;
	if (!invocation_integer(call, "attempt", 1, ATTEMPT_MAX, 0, &reader->attempt_number, err) ||
		!invocation_integer(call, "tail", 1, TAIL_MAX, 0, &lines, err) ||
		!find_attempt(reader, &ended, err))
		return false;
	if (lines > 0 && follows)
		return tuner_fail(err, TUNER_USAGE, "--tail and --follow exclude each other");
	if (lines > 0)
		return print_tail(reader, lines, err);
	return follows ? follow(reader, err) : print_new(reader, &gone, err);
}

int cmd_logs(const struct invocation *call, struct tuner_error *err)
{
	struct log_reader reader = { 0 };
	const char *job, *trial;
	report_arguments(call, &job, &trial);
	const bool ok = report_open(call, job, &reader.report, err) &&
			report_trial(&reader.report, trial, &reader.trial, err) &&
			print_log(call, &reader, err);
	reader_finish(&reader);
	return ok ? EXIT_DONE : -1;
}
