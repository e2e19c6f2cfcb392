/* The null backend: attempts without processes, in virtual time. */
#include "scheduler/backend.h"

#include "base/array.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 64 };

struct null_attempt {
	int64_t id, start_ms;
	struct null_step steps[STEPS_MAX];
	size_t n, done;
	struct text output;
	int signal; /* that ended it; 0: none */
	bool ended;
};

struct null_backend {
	struct backend backend;
	size_t (*script)(void *context, int64_t attempt, const char *directory,
		struct null_step *ret_steps, size_t size);
	void *context;
	int64_t now_ms;
	struct null_attempt **attempts;
	size_t n, capacity;
};

static struct null_backend *null_of(struct backend *backend)
{
	return (struct null_backend *)backend;
}

static struct null_attempt *find(const struct null_backend *null, int64_t id)
{
	for (size_t i = 0; i < null->n; i++)
		if (null->attempts[i]->id == id)
			return null->attempts[i];
	return NULL;
}

static bool null_start(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	struct null_backend *null = null_of(backend);
	struct null_attempt *attempt = calloc(1, sizeof(*attempt));

	(void)key;
	if (attempt == NULL)
		return tuner_fail_memory(err);
	if (!array_reserve(&null->attempts, null->n, &null->capacity, sizeof(*null->attempts))) {
		free(attempt);
		return tuner_fail_memory(err);
	}
	attempt->id = id;
	attempt->start_ms = null->now_ms;
	attempt->output = TEXT_EMPTY;
	attempt->n = null->script(null->context, id, directory, attempt->steps, STEPS_MAX);
	tuner_assert(attempt->n <= STEPS_MAX);
	null->attempts[null->n++] = attempt;
	return true;
}

/* A known attempt reports all its events again, as to a new process. */
static bool null_adopt(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	struct null_attempt *attempt = find(null_of(backend), id);

	if (attempt == NULL)
		return null_start(backend, id, directory, key, err);
	attempt->done = 0;
	attempt->ended = false;
	text_clear(&attempt->output);
	return true;
}

static bool is_end(int signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT || signal == SIGKILL;
}

static bool null_signal(struct backend *backend, int64_t id, int signal, struct tuner_error *err)
{
	struct null_attempt *attempt = find(null_of(backend), id);
	(void)err;
	if (attempt != NULL && !attempt->ended && is_end(signal))
		attempt->signal = signal;
	return true;
}

static bool null_read_output(struct backend *backend, int64_t id, int64_t offset, char *ret_bytes,
	size_t size, int64_t *ret_offset, size_t *ret_size, struct tuner_error *err)
{
	const struct null_attempt *attempt = find(null_of(backend), id);
	if (attempt == NULL)
		return tuner_fail(err, TUNER_FATAL, "attempt %lld is not known", (long long)id);
	if (text_failed(&attempt->output))
		return tuner_fail_memory(err);
	*ret_offset = offset;
	*ret_size = 0;
	if ((uint64_t)offset < attempt->output.length) {
		const size_t left = attempt->output.length - (size_t)offset;
		*ret_size = left < size ? left : size;
		memcpy(ret_bytes, attempt->output.bytes + offset, *ret_size);
	}
	return true;
}

static size_t null_descriptors(struct backend *backend, struct pollfd *ret_fds, size_t size)
{
	(void)backend;
	(void)ret_fds;
	(void)size;
	return 0;
}

static bool step_is_due(const struct null_backend *null, const struct null_attempt *attempt)
{
	return attempt->done < attempt->n &&
	       attempt->start_ms + attempt->steps[attempt->done].at_ms <= null->now_ms;
}

static bool is_due(const struct null_backend *null, const struct null_attempt *attempt)
{
	return !attempt->ended && (attempt->signal != 0 || step_is_due(null, attempt));
}

static int null_wait_ms(struct backend *backend)
{
	const struct null_backend *null = null_of(backend);
	for (size_t i = 0; i < null->n; i++)
		if (is_due(null, null->attempts[i]))
			return 0;
	return -1;
}

static void fill_exit(const struct null_backend *null, const struct null_attempt *attempt,
	struct exit_record *ret)
{
	*ret = (struct exit_record){ .code = -1,
		.signal = -1,
		.started_us = 1 + attempt->start_ms * 1000,
		.ended_us = 1 + null->now_ms * 1000,
		.output_bytes = (int64_t)attempt->output.length };
}

static void stopped_event(
	const struct null_backend *null, struct null_attempt *attempt, struct backend_event *ret)
{
	attempt->ended = true;
	*ret = (struct backend_event){ .kind = BACKEND_ENDED, .attempt = attempt->id };
	if (attempt->done == 0) { /* as a job that is taken out of a queue */
		ret->kind = BACKEND_FAILED;
		snprintf(ret->message, sizeof(ret->message), "ended before it began");
		return;
	}
	fill_exit(null, attempt, &ret->exit);
	ret->exit.kind = EXIT_STOPPED;
	ret->exit.signal = ret->exit.stop_signal = attempt->signal;
}

/* Takes one step; true if it is an event. */
static bool take_step(const struct null_backend *null, struct null_attempt *attempt,
	const struct null_step *step, struct backend_event *ret)
{
	*ret = (struct backend_event){ .attempt = attempt->id };
	switch (step->what) {
	case NULL_OUTPUT:
		text_add(&attempt->output, step->output);
		return false;
	case NULL_START:
		ret->kind = BACKEND_STARTED;
		ret->started_us = 1 + null->now_ms * 1000;
		return true;
	case NULL_EXIT:
		ret->kind = BACKEND_ENDED;
		fill_exit(null, attempt, &ret->exit);
		ret->exit.kind = EXIT_CODE;
		ret->exit.code = step->code;
		break;
	case NULL_LOSE:
		ret->kind = BACKEND_LOST;
		snprintf(ret->message, sizeof(ret->message), "lost by its script");
		break;
	case NULL_FAIL:
		ret->kind = BACKEND_FAILED;
		snprintf(ret->message, sizeof(ret->message), "failed by its script");
		break;
	}
	attempt->ended = true;
	return true;
}

static bool attempt_next(
	const struct null_backend *null, struct null_attempt *attempt, struct backend_event *ret)
{
	if (attempt->ended)
		return false;
	while (step_is_due(null, attempt))
		if (take_step(null, attempt, &attempt->steps[attempt->done++], ret))
			return true;
	if (attempt->signal == 0)
		return false;
	stopped_event(null, attempt, ret);
	return true;
}

static bool null_next(
	struct backend *backend, struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	struct null_backend *null = null_of(backend);
	(void)err;
	*ret_got = false;
	for (size_t i = 0; i < null->n && !*ret_got; i++)
		*ret_got = attempt_next(null, null->attempts[i], ret);
	return true;
}

static void attempt_destroy(struct null_attempt *attempt)
{
	text_finish(&attempt->output);
	free(attempt);
}

static void null_forget(struct backend *backend, int64_t id)
{
	struct null_backend *null = null_of(backend);
	for (size_t i = 0; i < null->n; i++) {
		if (null->attempts[i]->id != id)
			continue;
		attempt_destroy(null->attempts[i]);
		null->n--;
		memmove(null->attempts + i, null->attempts + i + 1,
			(null->n - i) * sizeof(*null->attempts));
		return;
	}
}

static void null_close(struct backend *backend)
{
	struct null_backend *null = null_of(backend);
	for (size_t i = 0; i < null->n; i++)
		attempt_destroy(null->attempts[i]);
	free(null->attempts);
	free(null);
}

static const struct backend_ops null_ops = {
	.name = "null",
	.start = null_start,
	.adopt = null_adopt,
	.signal = null_signal,
	.read_output = null_read_output,
	.descriptors = null_descriptors,
	.wait_ms = null_wait_ms,
	.next = null_next,
	.forget = null_forget,
	.close = null_close,
};

bool backend_null_open(size_t (*script)(void *context, int64_t attempt, const char *directory,
			       struct null_step *ret_steps, size_t size),
	void *context, struct backend **ret, struct tuner_error *err)
{
	struct null_backend *null = calloc(1, sizeof(*null));
	if (null == NULL)
		return tuner_fail_memory(err);
	null->backend.ops = &null_ops;
	null->script = script;
	null->context = context;
	*ret = &null->backend;
	return true;
}

void backend_null_advance(struct backend *backend, int64_t ms)
{
	null_of(backend)->now_ms += ms;
}
