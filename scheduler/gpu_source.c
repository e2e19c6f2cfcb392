#include "scheduler/gpu_source.h"

#include "base/clock.h"
#include "scheduler/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { BYTES_MAX = 128 * 1024, WAIT_STEP_MS = 1, AFTER_KILL_STEPS = 2000 };

struct gpu_source {
	char *helper;
	int64_t wait_us;
	bool by_smi; /* for good: NVML is missing or unusable */
	char fault[GPU_REASON_MAX]; /* why NVML is unusable; "": it is missing */
	int fd; /* -1: no helper to ask */
	pid_t pid; /* the helper's; also of a killed helper that hangs and is not gone. 0: none */
	struct tool_running smi;
};

static const struct {
	const char *word, *query;
} questions[] = {
	[GPU_QUESTION_GPUS] = { "gpus\n", "--query-gpu=index,uuid,name,memory.total" },
	[GPU_QUESTION_SAMPLES] = { "samples\n",
		"--query-gpu=uuid,utilization.gpu,memory.used,memory.total,power.draw,"
		"temperature.gpu" },
	[GPU_QUESTION_PROCESSES] = { "processes\n",
		"--query-compute-apps=gpu_uuid,pid,used_memory" },
	[GPU_QUESTION_LISTING] = { "listing\n", "-L" },
};

bool gpu_source_create(
	const char *helper, int64_t wait_us, struct gpu_source **ret, struct tuner_error *err)
{
	struct gpu_source *source = calloc(1, sizeof(*source));

	if (source == NULL)
		return tuner_fail_memory(err);
	source->wait_us = wait_us;
	source->fd = -1;
	source->by_smi = helper == NULL;
	source->helper = helper != NULL ? strdup(helper) : NULL;
	if (helper != NULL && source->helper == NULL) {
		free(source);
		return tuner_fail_memory(err);
	}
	*ret = source;
	return true;
}

/* ---- the helper's life ---- */

static int spawn(const char *helper, int fd, pid_t *ret_pid)
{
	const char *const arguments[] = { helper, NULL };
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 0);
	posix_spawn_file_actions_adddup2(&actions, fd, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	const int failed = tool_spawn(arguments, NULL, &actions, ret_pid);
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* A helper that cannot be started counts as missing. */
static bool start(struct gpu_source *source, struct tuner_error *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return tuner_fail_errno(err, errno, "no socket for %s", source->helper);
	source->by_smi = spawn(source->helper, ends[1], &source->pid) != 0;
	close(ends[1]);
	if (source->by_smi) {
		close(ends[0]);
		source->pid = 0;
	} else {
		source->fd = ends[0];
	}
	return true;
}

static bool is_gone(struct gpu_source *source)
{
	if (source->pid != 0 && waitpid(source->pid, NULL, WNOHANG) != 0)
		source->pid = 0;
	return source->pid == 0;
}

/* A helper that hangs in the kernel is left alone. */
static void stop(struct gpu_source *source)
{
	if (source->fd < 0)
		return;
	close(source->fd);
	source->fd = -1;
	kill(source->pid, SIGKILL);
	for (int i = 0; i < AFTER_KILL_STEPS && !is_gone(source); i++)
		poll(NULL, 0, WAIT_STEP_MS);
}

void gpu_source_cancel(struct gpu_source *source)
{
	tool_cancel(&source->smi);
}

void gpu_source_destroy(struct gpu_source *source)
{
	if (source == NULL)
		return;
	stop(source);
	free(source->helper);
	free(source);
}

/* ---- asking NVML ---- */

/* How an answer of the helper ends. */
enum ending { ENDS_WELL, ENDS_NONE, ENDS_FAILED, ENDS_LATE, ENDS_SHORT };

/* Whether the line that ends an answer has arrived. */
static bool has_ended(const struct text *text, enum ending *ret, char ret_why[GPU_REASON_MAX])
{
	size_t begin = text->length;

	if (begin == 0 || text->bytes[--begin] != '\n')
		return false;
	while (begin > 0 && text->bytes[begin - 1] != '\n')
		begin--;
	const char *line = text->bytes + begin;
	if (strcmp(line, "end\n") == 0)
		*ret = ENDS_WELL;
	else if (strcmp(line, "none\n") == 0)
		*ret = ENDS_NONE;
	else if (strncmp(line, "fail ", 5) == 0)
		*ret = ENDS_FAILED;
	else
		return false;
	if (*ret == ENDS_FAILED)
		snprintf(ret_why, GPU_REASON_MAX, "NVML fails: %.*s", (int)strcspn(line + 5, "\n"),
			line + 5);
	return true;
}

static enum ending listen_to(
	const struct gpu_source *source, struct text *ret, char ret_why[GPU_REASON_MAX])
{
	const int64_t until_us = clock_monotonic_us() + source->wait_us;
	struct pollfd fd = { .fd = source->fd, .events = POLLIN };
	enum ending ending;
	char bytes[4096];

	while (!has_ended(ret, &ending, ret_why)) {
		const int64_t left_us = until_us - clock_monotonic_us();
		if (left_us <= 0) {
			snprintf(ret_why, GPU_REASON_MAX, "NVML does not answer within %lld s",
				(long long)(source->wait_us / 1000000));
			return ENDS_LATE;
		}
		if (poll(&fd, 1, (int)(left_us / 1000 + 1)) <= 0)
			continue;
		const ssize_t n = recv(source->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0 || text_failed(ret) || ret->length + (size_t)n > BYTES_MAX) {
			snprintf(ret_why, GPU_REASON_MAX, "NVML crashes");
			return ENDS_SHORT;
		}
		text_add_bytes(ret, bytes, (size_t)n);
	}
	return ending;
}

/* A helper that is late or has ended is not asked again. */
static enum ending hear(struct gpu_source *source, struct text *ret, char ret_why[GPU_REASON_MAX])
{
	const enum ending ending = listen_to(source, ret, ret_why);

	if (ending == ENDS_LATE || ending == ENDS_SHORT)
		stop(source);
	return ending;
}

/* Makes sure of a ready helper, or else decides for nvidia-smi, or says why there is no answer
 * now. */
static bool begin(
	struct gpu_source *source, char ret_reason[GPU_REASON_MAX], struct tuner_error *err)
{
	struct text greeting = TEXT_EMPTY;

	if (!is_gone(source)) {
		snprintf(ret_reason, GPU_REASON_MAX, "NVML hangs in the driver (process %d)",
			(int)source->pid);
		return true;
	}
	if (!start(source, err))
		return false;
	if (source->by_smi)
		return true;
	const enum ending ending = hear(source, &greeting, ret_reason);
	text_finish(&greeting);
	if (ending == ENDS_NONE || ending == ENDS_FAILED) {
		stop(source);
		source->by_smi = true;
		snprintf(source->fault, sizeof(source->fault), "%s", ret_reason);
		ret_reason[0] = '\0';
	}
	return true;
}

static void ask_nvml(struct gpu_source *source, enum gpu_question question, struct text *ret,
	char ret_reason[GPU_REASON_MAX])
{
	const char *word = questions[question].word;

	/* A helper that has ended accepts no question, and gives no answer. */
	if (send(source->fd, word, strlen(word), MSG_NOSIGNAL) < 0)
		errno = 0;
	hear(source, ret, ret_reason);
}

/* ---- asking nvidia-smi ---- */

/* nvidia-smi prints its errors to standard output: "Failed to initialize NVML: Driver/library
 * version mismatch". */
static void explain_smi(const struct text *said, char ret_reason[GPU_REASON_MAX])
{
	const size_t n = said->bytes != NULL ? strcspn(said->bytes, "\n") : 0;

	snprintf(ret_reason, GPU_REASON_MAX, "nvidia-smi fails%s%.*s", n > 0 ? ": " : "",
		(int)(n < 150 ? n : 150), n > 0 ? said->bytes : "");
}

static bool ask_smi(struct gpu_source *source, enum gpu_question question, struct text *ret,
	enum gpu_answer *ret_answer, char ret_reason[GPU_REASON_MAX], struct tuner_error *err)
{
	const char *const format =
		question == GPU_QUESTION_LISTING ? NULL : "--format=csv,noheader,nounits";
	const char *const arguments[] = { "nvidia-smi", questions[question].query, format, NULL };
	const struct tool smi = { .arguments = arguments,
		.running = &source->smi,
		.timeout_us = source->wait_us,
		.bytes_max = BYTES_MAX };
	struct tool_result result;

	if (!tool_run(&smi, ret, &result, err))
		return false;
	*ret_answer = GPU_NO_ANSWER;
	if (result.end == TOOL_DONE && result.status == 0)
		*ret_answer = GPU_ANSWERED;
	else if (result.end == TOOL_MISSING && source->fault[0] != '\0')
		snprintf(ret_reason, GPU_REASON_MAX, "%s", source->fault);
	else if (result.end == TOOL_MISSING)
		*ret_answer = GPU_NO_DRIVER;
	else if (result.end == TOOL_LATE)
		snprintf(ret_reason, GPU_REASON_MAX, "nvidia-smi does not answer within %lld s",
			(long long)(source->wait_us / 1000000));
	else
		explain_smi(ret, ret_reason);
	if (*ret_answer == GPU_NO_DRIVER)
		snprintf(ret_reason, GPU_REASON_MAX, "there is no nvidia-smi on PATH");
	return true;
}

bool gpu_source_ask(struct gpu_source *source, enum gpu_question question, struct text *ret,
	enum gpu_answer *ret_answer, char ret_reason[GPU_REASON_MAX], struct tuner_error *err)
{
	text_clear(ret);
	ret_reason[0] = '\0';
	if (!source->by_smi && source->fd < 0 && !begin(source, ret_reason, err))
		return false;
	if (source->by_smi)
		return ask_smi(source, question, ret, ret_answer, ret_reason, err);
	if (source->fd >= 0)
		ask_nvml(source, question, ret, ret_reason);
	*ret_answer = ret_reason[0] == '\0' ? GPU_ANSWERED : GPU_NO_ANSWER;
	return !text_failed(ret) || tuner_fail_memory(err);
}
