/* tuner logs: the output of a trial's command, unchanged. */
#include "tuner/command.h"

#include "scheduler/attempt.h"
#include "tuner/store_wait.h"
#include "tuner/trial_report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	CHUNK = 64 * 1024,
	LOOK_MS = 200,
	/* Looks after which to give up on a trial that waits for a tuner that no longer runs. */
	IDLE_LOOKS = 10,
	TAIL_MAX = 1000000,
	ATTEMPT_MAX = 1000000,
};

struct log_reader {
	const struct invocation *call;
	struct report report;
	struct trial trial;
	int64_t asked; /* --attempt; 0: the newest, and with --follow those after it */
	int64_t number; /* of the attempt being read; 0: none yet */
	char *directory; /* its */
	int64_t offset;
	char *bytes; /* CHUNK of them */
	bool gone; /* our output is no longer read */
};

static void reader_finish(struct log_reader *reader)
{
	free(reader->bytes);
	free(reader->directory);
	trial_finish(&reader->trial);
	report_close(&reader->report);
}

/* ---- which attempt ---- */

static bool none_such(const struct log_reader *reader, size_t attempts, struct tuner_error *err)
{
	const long long trial = (long long)reader->trial.number;
	if (attempts == 0)
		return tuner_fail(err, TUNER_USAGE,
			"trial %lld has not been launched yet: there is no output", trial);
	return tuner_fail(err, TUNER_USAGE,
		"trial %lld has %zu attempt%s: there is no attempt %lld", trial, attempts,
		attempts == 1 ? "" : "s", (long long)reader->asked);
}

/* Finds attempt `number`, or the newest (0). NULL if there is none. */
static const struct attempt *find_attempt(const struct attempt_list *list, int64_t number)
{
	if (number == 0)
		return list->n > 0 ? &list->items[list->n - 1] : NULL;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].number == number)
			return &list->items[i];
	return NULL;
}

static bool select_attempts(
	const struct log_reader *reader, struct attempt_list *ret, struct tuner_error *err)
{
	return attempt_select(
		reader->report.store, reader->report.job.id, reader->trial.id, ret, err);
}

/* Goes to the beginning of an attempt's output. */
static bool enter(struct log_reader *reader, const struct attempt *attempt, struct tuner_error *err)
{
	if (strcmp(attempt->backend, ATTEMPT_CALLER) == 0)
		return tuner_fail(err, TUNER_USAGE,
			"trial %lld was asked for and told, not launched: its output is with its "
			"caller, not here",
			(long long)reader->trial.number);
	if (strcmp(attempt->backend, ATTEMPT_REUSED) == 0)
		return tuner_fail(err, TUNER_USAGE, "trial %lld was not launched: %.180s",
			(long long)reader->trial.number, attempt->message);
	free(reader->directory);
	reader->directory = attempt_path_of(&reader->report, attempt);
	reader->number = attempt->number;
	reader->offset = 0;
	return reader->directory != NULL || tuner_fail_memory(err);
}

static bool enter_first(struct log_reader *reader, struct tuner_error *err)
{
	struct attempt_list list;
	if (!select_attempts(reader, &list, err))
		return false;
	const struct attempt *attempt = find_attempt(&list, reader->asked);
	const bool ok =
		attempt != NULL ? enter(reader, attempt, err) : none_such(reader, list.n, err);
	if (ok && list.n > 1)
		fprintf(stderr, "tuner: attempt %lld of %zu\n", (long long)reader->number, list.n);
	attempt_list_finish(&list);
	return ok;
}

/* ---- bytes ---- */

/* The next bytes; *ret_size 0 if there are none for now. */
static bool read_chunk(struct log_reader *reader, size_t *ret_size, struct tuner_error *err)
{
	int64_t offset = reader->offset;
	if (!output_read(reader->directory, reader->offset, reader->bytes, CHUNK, &offset, ret_size,
		    err))
		return false;
	if (offset > reader->offset)
		fprintf(stderr, "tuner: %lld bytes of the output are no longer kept\n",
			(long long)(offset - reader->offset));
	reader->offset = offset + (int64_t)*ret_size;
	return true;
}

static bool print_new(struct log_reader *reader, struct tuner_error *err)
{
	size_t size = 0;
	do {
		if (!read_chunk(reader, &size, err))
			return false;
		reader->gone = fwrite(reader->bytes, 1, size, stdout) < size;
	} while (size > 0 && !reader->gone);
	reader->gone = fflush(stdout) != 0 || reader->gone;
	return true;
}

/* Moves the reader to the beginning of the last `lines` lines. Reads everything once, keeping the
 * starts of the last `lines` lines in a ring. */
static bool skip_to_tail(struct log_reader *reader, int64_t lines, struct tuner_error *err)
{
	int64_t *starts = calloc((size_t)lines, sizeof(*starts));
	size_t size = 0;
	uint64_t n = 0;
	bool at_start = true, ok = starts != NULL || tuner_fail_memory(err);
	while (ok && (ok = read_chunk(reader, &size, err)) && size > 0) {
		const int64_t begin = reader->offset - (int64_t)size;
		for (size_t i = 0; i < size; i++) {
			if (at_start)
				starts[n++ % (uint64_t)lines] = begin + (int64_t)i;
			at_start = reader->bytes[i] == '\n';
		}
	}
	if (ok && n > 0)
		reader->offset = starts[n > (uint64_t)lines ? n % (uint64_t)lines : 0];
	free(starts);
	return ok;
}

/* ---- --follow ---- */

enum stage {
	STAGE_WRITES, /* more may come */
	STAGE_COMPLETE, /* the trial has ended, and the output is complete */
	STAGE_NEXT, /* this attempt has ended, and there is a later one */
	STAGE_WAITS, /* it has ended, and what the trial will do next is not yet known */
};

/* Whether it has ended in the database, or according to its supervisor, if no tuner has recorded
 * that yet. */
static bool has_ended(const struct log_reader *reader, const struct attempt *attempt, bool *ret,
	struct tuner_error *err)
{
	struct attempt_status status;
	*ret = attempt->state == ATTEMPT_ENDED;
	if (*ret)
		return true;
	if (!attempt_look(reader->directory, &status, err))
		return false;
	/* Locks here say nothing about a supervisor on another machine. */
	*ret = status.life == ATTEMPT_FINISHED ||
	       (status.life == ATTEMPT_ORPHANED && strcmp(attempt->backend, "local") == 0);
	return true;
}

static bool look(struct log_reader *reader, enum stage *ret, struct tuner_error *err)
{
	struct attempt_list list;
	struct trial trial;
	bool found = false, ended = false;
	if (!report_number(&reader->report, reader->trial.number, &trial, &found, err))
		return false;
	tuner_assert(found); /* trials are never deleted */
	const bool is_final = trial.ended_event != 0;
	trial_finish(&trial);
	if (!select_attempts(reader, &list, err))
		return false;
	const struct attempt *attempt = find_attempt(&list, reader->number);
	tuner_assert(attempt != NULL);
	const bool ok = has_ended(reader, attempt, &ended, err);
	if (!ended)
		*ret = STAGE_WRITES;
	else if (reader->asked == 0 && attempt != &list.items[list.n - 1])
		*ret = STAGE_NEXT;
	else
		*ret = reader->asked != 0 || is_final ? STAGE_COMPLETE : STAGE_WAITS;
	attempt_list_finish(&list);
	return ok;
}

static bool enter_next(struct log_reader *reader, struct tuner_error *err)
{
	struct attempt_list list;
	if (!select_attempts(reader, &list, err))
		return false;
	const struct attempt *attempt = find_attempt(&list, reader->number + 1);
	tuner_assert(attempt != NULL); /* numbered without gaps */
	fprintf(stderr, "tuner: attempt %lld\n", (long long)attempt->number);
	const bool ok = enter(reader, attempt, err);
	attempt_list_finish(&list);
	return ok;
}

/* Whether no process runs that could decide the trial's fate or launch it again. */
static bool is_abandoned(struct log_reader *reader, bool *ret, struct tuner_error *err)
{
	int64_t holder = 0;
	if (!report_refresh(&reader->report, err) ||
		!store_job_holder(reader->report.store, reader->report.job.id, &holder, err))
		return false;
	*ret = reader->report.job.state != JOB_OPEN || holder == 0;
	return true;
}

static bool follow(struct log_reader *reader, struct tuner_error *err)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	int idle = 0;
	for (;;) {
		enum stage stage;
		bool abandoned = false;
		/* In this order: an attempt writes nothing after its end. */
		if (!look(reader, &stage, err) || !print_new(reader, err))
			return false;
		if (stage == STAGE_COMPLETE || reader->gone)
			return true;
		if (stage == STAGE_NEXT) {
			if (!enter_next(reader, err))
				return false;
			continue;
		}
		if (stage == STAGE_WAITS && !is_abandoned(reader, &abandoned, err))
			return false;
		idle = abandoned ? idle + 1 : 0;
		if (idle > IDLE_LOOKS)
			return true;
		nanosleep(&pause, NULL);
	}
}

static bool print_log(struct log_reader *reader, struct tuner_error *err)
{
	int64_t lines;
	const struct invocation *call = reader->call;
	if (!invocation_integer(call, "attempt", 1, ATTEMPT_MAX, 0, &reader->asked, err) ||
		!invocation_integer(call, "tail", 1, TAIL_MAX, 0, &lines, err))
		return false;
	reader->bytes = malloc(CHUNK);
	if (reader->bytes == NULL)
		return tuner_fail_memory(err);
	return enter_first(reader, err) && (lines == 0 || skip_to_tail(reader, lines, err)) &&
	       (invocation_option(call, "follow") != NULL ? follow(reader, err)
							  : print_new(reader, err));
}

int cmd_logs(const struct invocation *call, struct tuner_error *err)
{
	struct log_reader reader = { .call = call };
	const char *job, *trial;
	report_arguments(call, &job, &trial);
	const bool ok = report_open(call, job, &reader.report, err) &&
			report_trial(&reader.report, trial, &reader.trial, err) &&
			print_log(&reader, err);
	reader_finish(&reader);
	return ok ? EXIT_DONE : -1;
}
