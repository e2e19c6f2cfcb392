/* tuner ask-tell: answers JSON lines (ask_tell_line.h) until the input ends, for programs in any language. */
#include "tuner/command.h"

#include "base/json.h"
#include "tuner/ask_job.h"
#include "tuner/ask_tell_line.h"
#include "tuner/signals.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CHUNK = 64 * 1024,
	SERVE_MS = 200, /* how often to check for requests of other processes while idle */
};

/* Standard input, cut into lines. */
struct input {
	char *bytes;
	size_t begin, end, capacity; /* bytes not taken yet */
	size_t searched; /* up to here there is no line break */
	size_t dropped; /* bytes of the line at `end` that were not kept */
	bool closed;
};

struct talk {
	struct ask_job job;
	struct signals signals;
	struct input input;
	struct text answer;
	int status; /* EXIT_DONE, or by a signal */
	bool ended;
};

/* ---- lines ---- */

static bool make_room(struct input *input, struct tuner_error *err)
{
	if (input->begin > 0)
		memmove(input->bytes, input->bytes + input->begin, input->end - input->begin);
	input->end -= input->begin;
	input->searched -= input->begin;
	input->begin = 0;
	if (input->capacity - input->end >= CHUNK)
		return true;
	char *bytes = realloc(input->bytes, input->capacity + 2 * CHUNK);
	if (bytes == NULL)
		return tuner_fail_memory(err);
	input->bytes = bytes;
	input->capacity += 2 * CHUNK;
	return true;
}

/* Reads what has arrived, without waiting. */
static bool read_more(struct input *input, struct tuner_error *err)
{
	if (!make_room(input, err))
		return false;
	const ssize_t n = read(STDIN_FILENO, input->bytes + input->end, CHUNK);
	if (n < 0 && errno != EINTR && errno != EAGAIN)
		return tuner_fail_errno(err, errno, "cannot read standard input");
	input->closed = n == 0;
	input->end += n > 0 ? (size_t)n : 0;
	return true;
}

/* Takes the next whole line, or at the end what is left; false if there is none yet. Of a line
 * longer than JSON may be, the rest is skipped, though counted: it is refused for its length. */
static bool take_line(struct input *input, const char **ret_line, size_t *ret_length)
{
	const char *lf = NULL;
	if (input->end > input->searched)
		lf = memchr(input->bytes + input->searched, '\n', input->end - input->searched);
	if (lf == NULL && input->end - input->begin > 2 * JSON_BYTES_MAX) {
		const size_t kept_end = input->begin + JSON_BYTES_MAX + 1;
		input->dropped += input->end - kept_end;
		input->end = kept_end;
	}
	input->searched = input->end;
	if (lf == NULL && (!input->closed || input->begin == input->end))
		return false;
	const size_t end = lf ? (size_t)(lf - input->bytes) : input->end;
	*ret_line = input->bytes + input->begin;
	*ret_length = end - input->begin + input->dropped;
	input->dropped = 0;
	input->begin = input->searched = lf ? end + 1 : end;
	return true;
}

static bool is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (memchr(" \t\r", line[i], 3) == NULL)
			return false;
	return true;
}

/* ---- answers ---- */

static bool write_answer(struct text *answer, struct tuner_error *err)
{
	text_add_char(answer, '\n');
	if (text_failed(answer))
		return tuner_fail_memory(err);
	if (fwrite(answer->bytes, 1, answer->length, stdout) < answer->length ||
		fflush(stdout) != 0)
		return tuner_fail_errno(err, errno, "cannot write the answer");
	return true;
}

static bool answer_line(struct talk *talk, const char *line, size_t length, struct tuner_error *err)
{
	struct tuner_error warning;
	if (length <= JSON_BYTES_MAX && is_blank(line, length))
		return true;
	text_clear(&talk->answer);
	if (!ask_tell_answer(talk->job.ask_tell, line, length, &talk->answer, err) ||
		!write_answer(&talk->answer, err))
		return false;
	if (talk->job.store != NULL && !store_checkpoint(talk->job.store, &warning))
		fprintf(stderr, "tuner: warning: %s\n", warning.message);
	return true;
}

static bool answer_lines(struct talk *talk, struct tuner_error *err)
{
	const char *line;
	size_t length;
	while (take_line(&talk->input, &line, &length))
		if (!answer_line(talk, line, length, err))
			return false;
	talk->ended = talk->ended || talk->input.closed;
	return true;
}

/* ---- waiting ---- */

static void read_signals(struct talk *talk)
{
	for (int signal; (signal = signals_next(&talk->signals)) != 0;) {
		talk->ended = true;
		talk->status = signal == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
	}
}

static bool wait_for_input(struct talk *talk, struct tuner_error *err)
{
	struct pollfd fds[] = { { .fd = talk->signals.fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN } };
	const int n = poll(fds, 2, talk->job.store != NULL ? SERVE_MS : -1);
	if (n < 0 && errno != EINTR)
		return tuner_fail_errno(err, errno, "cannot wait for input");
	read_signals(talk);
	if (talk->ended || n < 0)
		return true;
	return fds[1].revents == 0 || read_more(&talk->input, err);
}

static bool converse(struct talk *talk, struct tuner_error *err)
{
	while (!talk->ended)
		if (!wait_for_input(talk, err) || !ask_tell_serve(talk->job.ask_tell, err) ||
			!answer_lines(talk, err))
			return false;
	return true;
}

static bool begin(const struct invocation *call, struct talk *talk, struct tuner_error *err)
{
	if (strcmp(call->arguments[0], "-") == 0)
		return tuner_fail(err, TUNER_USAGE,
			"standard input carries the questions: the job needs a file of its own");
	/* TUNER_DB is ignored: without --db nothing is written. */
	return invocation_option(call, "db") != NULL
		       ? ask_job_open(call, &talk->job, err)
		       : ask_job_open_in_memory(call, &talk->job, err);
}

int cmd_ask_tell(const struct invocation *call, struct tuner_error *err)
{
	struct talk talk = { .answer = TEXT_EMPTY };
	bool ok = false;
	if (begin(call, &talk, err) && signals_open(&talk.signals, err)) {
		ok = converse(&talk, err);
		signals_close(&talk.signals);
	}
	ask_job_close(&talk.job);
	text_finish(&talk.answer);
	free(talk.input.bytes);
	return ok ? talk.status : -1;
}
