#include "scheduler/classify.h"

#include "base/number.h"
#include "scheduler/pattern.h"
#include "scheduler/terminal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rules ---- */

struct compiled_rule {
	struct pattern *pattern;
	const char *outcome;
	bool retry, end;
};

struct failure_rules {
	size_t n, n_own; /* all rules; the job's, which come first */
	struct compiled_rule items[];
};

/* What a rule may say. */
static const char *const classes[] = { "oom-gpu", "oom-host", "disk-full", "diverged", "nan",
	"preempted", "lost", "launch-failed", "no-metric", "crashed", "end" };

/* Each alternative is the wording of one library, in the versions of 2019 to 2025. An exception's
 * name that is also an ordinary word of programs must begin a line. Memory comes first: when one
 * rank runs out of it, the others lose their connections and report that as well. */
static const struct failure_rule builtin[] = {
	{ "(?:CUDA|HIP|XPU|MPS backend) out of memory" /* torch.cuda.OutOfMemoryError */
	  "|CUDA error: out of memory|CUDA_ERROR_OUT_OF_MEMORY" /* PyTorch, driver; TensorFlow */
	  "|cudaErrorMemoryAllocation|CU[A-Z]+_STATUS_ALLOC_FAILED"
	  "|OOM when allocating tensor.*(?:device:GPU|GPU_\\d+_bfc)" /* TensorFlow */
	  "|RESOURCE_EXHAUSTED: (?:Out of memory|Failed to allocate request)", /* XLA, JAX */
		"oom-gpu", false },
	{ "^(?:\\[rank\\d+\\]: )?(?:[\\w.]+\\.)?_?(?:Array)?MemoryError\\b" /* Python, NumPy */
	  "|std::bad_alloc|DefaultCPUAllocator: (?:can't|not enough memory)" /* C++, PyTorch */
	  "|OOM when allocating tensor.*device:CPU|java\\.lang\\.OutOfMemoryError"
	  "|\\[Errno 12\\] Cannot allocate memory"
	  "|DataLoader worker \\(pid[^)]*\\) is killed by signal: Killed"
	  "|insufficient shared memory \\(shm\\)" /* PyTorch in a container with a small /dev/shm */
	  "|Out of memory: Killed process|oom[_-]kill event" /* kernel log; Slurm */
	  "|^(?:.*: line \\d+:\\s+\\d+ )?Killed(?:\\s{3}|\\s*$)", /* a shell, of its child */
		"oom-host", false },
	{ "No space left on device|Disk quota exceeded", "disk-full", false },
	{ "CANCELLED AT .* DUE TO (?:PREEMPTION|NODE FAILURE)", "preempted", false }, /* Slurm */
	{ "uncorrectable ECC error|CUDA_ERROR_ECC_UNCORRECTABLE|cudaErrorECCUncorrectable"
	  "|NVRM: Xid|GPU has fallen off the bus|GPU is lost" /* the driver */
	  "|CUDA-capable device.* busy or unavailable|cudaErrorDevicesUnavailable"
	  "|Driver/library version mismatch|NVLink.*(?:fatal|uncorrectable)"
	  "|ncclSystemError|NCCL error.*unhandled system error" /* a network, not a peer */
	  "|\\[Errno (?:5|107|116)\\]", /* Python: input/output error, no endpoint, stale handle */
		"lost", false },
};

static const char *known_class(const char *name)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (strcmp(classes[i], name) == 0)
			return classes[i];
	return NULL;
}

static bool compile_rule(
	const struct failure_rule *rule, struct compiled_rule *ret, struct tuner_error *err)
{
	ret->outcome = known_class(rule->outcome);
	ret->retry = rule->retry;
	ret->end = strcmp(rule->outcome, "end") == 0;
	if (ret->end)
		ret->outcome = "crashed";
	if (ret->outcome == NULL)
		return tuner_fail(
			err, TUNER_USAGE, "\"%.80s\" is no class of failures", rule->outcome);
	if (rule->retry && strcmp(rule->outcome, "crashed") != 0)
		return tuner_fail(err, TUNER_USAGE,
			"only the class \"crashed\" can ask for a retry; \"%s\" has its own way",
			rule->outcome);
	return pattern_create(rule->pattern, PATTERN_LINES, &ret->pattern, err);
}

static bool compile_own(
	const struct failure_rule *rule, struct compiled_rule *ret, struct tuner_error *err)
{
	if (strlen(rule->pattern) > FAILURE_PATTERN_BYTES_MAX)
		return tuner_fail(err, TUNER_USAGE,
			"the pattern \"%.40s...\" has %zu bytes: at most %d are accepted",
			rule->pattern, strlen(rule->pattern), FAILURE_PATTERN_BYTES_MAX);
	return compile_rule(rule, ret, err);
}

bool failure_rules_create(const struct failure_rule *rules, size_t n, struct failure_rules **ret,
	size_t *ret_bad, struct tuner_error *err)
{
	const size_t n_builtin = sizeof(builtin) / sizeof(*builtin);

	*ret_bad = FAILURE_RULES_MAX;
	if (n > FAILURE_RULES_MAX)
		return tuner_fail(err, TUNER_USAGE, "%zu rules for failures: at most %d", n,
			FAILURE_RULES_MAX);
	struct failure_rules *made =
		calloc(1, sizeof(*made) + (n + n_builtin) * sizeof(*made->items));
	if (made == NULL)
		return tuner_fail_memory(err);
	made->n_own = n;
	while (made->n < n + n_builtin) {
		const size_t i = made->n++;
		const bool good = i < n ? compile_own(&rules[i], &made->items[i], err)
					: compile_rule(&builtin[i - n], &made->items[i], err);
		if (!good) {
			*ret_bad = i;
			failure_rules_destroy(made);
			return false;
		}
	}
	*ret = made;
	return true;
}

void failure_rules_destroy(struct failure_rules *rules)
{
	if (rules == NULL)
		return;
	for (size_t i = 0; i < rules->n; i++)
		pattern_destroy(rules->items[i].pattern);
	free(rules);
}

/* ---- lines of the tail ---- */

struct line {
	const char *bytes;
	size_t size;
};

/* The end of the output with \n as its only line end and no control sequences. */
struct tail {
	char *bytes; /* owned; NULL if there is none, or no memory for it */
	size_t size;
};

static void tail_init(struct tail *tail, const char *bytes, size_t size)
{
	*tail = (struct tail){ 0 };
	if (size > FAILURE_TAIL_MAX) {
		bytes += size - FAILURE_TAIL_MAX;
		size = FAILURE_TAIL_MAX;
	}
	if (size == 0 || (tail->bytes = malloc(size)) == NULL)
		return;
	tail->size = terminal_strip(bytes, size, tail->bytes);
	for (char *c = tail->bytes; c < tail->bytes + tail->size; c++)
		if (*c == '\r')
			*c = '\n';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static struct line trim(struct line line)
{
	while (line.size > 0 && is_space(line.bytes[line.size - 1]))
		line.size--;
	while (line.size > 0 && is_space(*line.bytes)) {
		line.bytes++;
		line.size--;
	}
	return line;
}

/* The whole line that holds the byte at `at`. */
static struct line line_around(const struct tail *tail, size_t at)
{
	size_t start = at, end = at;

	while (start > 0 && tail->bytes[start - 1] != '\n')
		start--;
	while (end < tail->size && tail->bytes[end] != '\n')
		end++;
	return (struct line){ tail->bytes + start, end - start };
}

static struct line last_line(const struct tail *tail)
{
	size_t end = tail->size;

	while (end > 0 && is_space(tail->bytes[end - 1]))
		end--;
	return end > 0 ? trim(line_around(tail, end - 1)) : (struct line){ "", 0 };
}

static const char TRACEBACK[] = "Traceback (most recent call last):";

/* Offset of the last traceback's first line; SIZE_MAX if there is none. */
static size_t last_traceback(const struct tail *tail)
{
	const size_t size = sizeof(TRACEBACK) - 1;
	const char *at = tail->bytes;
	size_t last = SIZE_MAX;

	while (at != NULL && (at = memmem(at, tail->size - (size_t)(at - tail->bytes), TRACEBACK,
				      size)) != NULL) {
		last = (size_t)(at - tail->bytes);
		at += size;
	}
	return last;
}

/* The line that ends the last Python traceback: the first after it that is not indented. The prefix
 * of the word "Traceback" ("[rank0]: ") must precede it too, and is removed; lines without the
 * prefix are other processes'. */
static bool exception_line(const struct tail *tail, struct line *ret)
{
	const size_t at = last_traceback(tail);

	if (at == SIZE_MAX)
		return false;
	struct line line = line_around(tail, at);
	const struct line prefix = { line.bytes, (size_t)(tail->bytes + at - line.bytes) };
	const char *const end = tail->bytes + tail->size;

	while (line.bytes + line.size < end) {
		line = line_around(tail, (size_t)(line.bytes + line.size + 1 - tail->bytes));
		if (line.size <= prefix.size || memcmp(line.bytes, prefix.bytes, prefix.size) != 0)
			continue;
		*ret = (struct line){ line.bytes + prefix.size, line.size - prefix.size };
		if (!is_space(*ret->bytes) && trim(*ret).size > 0) {
			*ret = trim(*ret);
			return true;
		}
	}
	return false;
}

static struct line telling_line(const struct tail *tail)
{
	struct line line;

	return exception_line(tail, &line) ? line : last_line(tail);
}

/* ---- messages ---- */

/* Appends ": " and a line of output, cut at a whole character, with unprintable characters
 * replaced. */
static void add_line(char message[256], struct line line)
{
	struct text text = TEXT_EMPTY;
	const size_t room = 255 - strlen(message);

	for (size_t i = 0; i < line.size;) {
		const size_t size = text_utf8_character(line.bytes + i, line.size - i);
		const size_t taken = size > 0 ? size : 1;
		if (text.length + taken + 2 > room)
			break;
		if (size == 0 || (size == 1 && ((unsigned char)line.bytes[i] < 0x20 ||
						       line.bytes[i] == 0x7f)))
			text_add_char(&text, size == 0 ? '?' : ' ');
		else
			text_add_bytes(&text, line.bytes + i, size);
		i += taken;
	}
	if (line.size > 0 && !text_failed(&text) && text.length + 2 <= room) {
		strcat(message, ": ");
		strcat(message, text.bytes);
	}
	text_finish(&text);
}

static const char *signal_name(int signal)
{
	const char *name = sigabbrev_np(signal);

	return name != NULL ? name : "?";
}

static void describe_exit(const struct exit_record *exit, char ret_message[256])
{
	if (exit->signal > 0)
		snprintf(ret_message, 256, "ended by signal %d (SIG%s)", exit->signal,
			signal_name(exit->signal));
	else if (exit->code > 128 && sigabbrev_np(exit->code - 128) != NULL)
		snprintf(ret_message, 256, "exit status %d (128 + SIG%s)", exit->code,
			signal_name(exit->code - 128));
	else
		snprintf(ret_message, 256, "exit status %d", exit->code);
}

/* ---- the decision ---- */

static void decide(struct verdict *verdict, const char *outcome, const char *message)
{
	verdict->outcome = outcome;
	snprintf(verdict->message, sizeof(verdict->message), "%s", message);
}

static bool ended_by_us(const struct exit_record *exit, const char *stopping)
{
	return stopping != NULL &&
	       (exit->kind == EXIT_STOPPED ||
		       (exit->kind == EXIT_SIGNAL &&
			       (exit->signal == SIGKILL || exit->signal == SIGTERM)));
}

/* Decides by the record alone, if possible. */
static bool by_record(const struct exit_record *exit, const char *stopping, struct verdict *ret)
{
	char how[256], span[NUMBER_TEXT];

	describe_exit(exit, how);
	if (exit->kind == EXIT_NO_START) {
		decide(ret, "launch-failed", exit->message);
	} else if (ended_by_us(exit, stopping)) {
		decide(ret, stopping, how);
	} else if (exit->kind == EXIT_STOPPED) {
		decide(ret, "preempted", "");
		if (exit->message[0] != '\0') /* the supervisor's own reason */
			snprintf(ret->message, sizeof(ret->message), "%s", exit->message);
		else
			snprintf(ret->message, sizeof(ret->message),
				"SIG%s came from outside; %.200s", signal_name(exit->stop_signal),
				how);
	} else if (exit->output_lost > 0) {
		/* The lost part may hold a metric: neither a number nor its absence can be
		 * trusted. */
		decide(ret, "disk-full", "");
		snprintf(ret->message, sizeof(ret->message),
			"%lld bytes of its output could not be stored: the disk was full; %.180s",
			(long long)exit->output_lost, how);
	} else if (exit->kind == EXIT_TIMEOUT) {
		decide(ret, "timeout", "");
		snprintf(ret->message, sizeof(ret->message), "ended at its time limit, after %s",
			number_from_duration_us(exit->ended_us - exit->started_us, span));
	} else if (exit->kind == EXIT_MEMORY) {
		/* The limit is the job's: exceeding it is the configuration's fault. */
		decide(ret, "crashed", exit->message);
	} else {
		return false;
	}
	return true;
}

/* Decides by the first matching rule of items[from .. to). */
static bool by_rules(const struct failure_rules *rules, size_t from, size_t to,
	const struct exit_record *exit, const struct tail *tail, struct verdict *ret)
{
	size_t start, end;
	char how[256];

	for (size_t i = from; i < to && tail->size > 0; i++) {
		const struct compiled_rule *rule = &rules->items[i];
		if (pattern_search(rule->pattern, tail->bytes, tail->size, 0) != PATTERN_FOUND ||
			!pattern_group(rule->pattern, 0, &start, &end))
			continue;
		describe_exit(exit, how);
		decide(ret, rule->outcome, how);
		add_line(ret->message, trim(line_around(tail, start)));
		ret->retry = rule->retry;
		ret->end = rule->end;
		return true;
	}
	return false;
}

/* Killed itself or, by a shell's exit status, its child. No program ends itself this way. */
static bool is_sigkill(const struct exit_record *exit)
{
	return (exit->kind == EXIT_SIGNAL && exit->signal == SIGKILL) ||
	       (exit->kind == EXIT_CODE && exit->code == 128 + SIGKILL);
}

static void by_status(const struct failure_rules *rules, const struct exit_record *exit,
	enum objective_seen objective, const struct tail *tail, struct verdict *ret)
{
	const bool good_exit = exit->kind == EXIT_CODE && exit->code == 0;
	char how[256];

	describe_exit(exit, how);
	if (good_exit && objective == OBJECTIVE_NAN) {
		decide(ret, "nan", "exit status 0, but the objective is NaN");
	} else if (by_rules(rules, rules->n_own, rules->n, exit, tail, ret)) {
		return;
	} else if (is_sigkill(exit)) {
		decide(ret, "oom-host", "");
		snprintf(ret->message, sizeof(ret->message),
			"SIGKILL, not sent by tuner: most likely out of memory; %.160s", how);
	} else if (good_exit) {
		decide(ret, "no-metric", "exit status 0, but no objective in the output");
		add_line(ret->message, last_line(tail));
	} else {
		decide(ret, "crashed", how);
		add_line(ret->message, telling_line(tail));
	}
}

void classify(const struct failure_rules *rules, const struct exit_record *exit,
	enum objective_seen objective, const char *stopping, const char *tail, size_t tail_size,
	struct verdict *ret)
{
	struct tail end;

	*ret = (struct verdict){ .outcome = "ok" };
	if (by_record(exit, stopping, ret))
		return;
	if (exit->kind == EXIT_CODE && exit->code == 0 && objective == OBJECTIVE_FINITE)
		return;
	tail_init(&end, tail, tail_size);
	if (by_rules(rules, 0, rules->n_own, exit, &end, ret)) {
		/* the job knows best */
	} else if (exit->out_of_memory) {
		char how[256];
		describe_exit(exit, how);
		decide(ret, "oom-host", "");
		snprintf(ret->message, sizeof(ret->message),
			"the kernel ended it: out of memory; %.200s", how);
	} else {
		by_status(rules, exit, objective, &end, ret);
	}
	free(end.bytes);
}
