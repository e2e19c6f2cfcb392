#include "scheduler/classify.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- fixture ---- */

static const struct failure_rule own_rules[] = {
	{ "[Ll]oss is (nan|inf), stopping", "diverged", false },
	{ "^license server$", "crashed", true },
	{ "known bug", "crashed", false },
};

static int make_rules(void **state)
{
	struct failure_rules *rules = NULL;
	struct tuner_error err;
	size_t bad;

	if (!failure_rules_create(own_rules, COUNT(own_rules), &rules, &bad, &err))
		fail_msg("%s", err.message);
	*state = rules;
	return 0;
}

static int destroy_rules(void **state)
{
	failure_rules_destroy(*state);
	return 0;
}

static const struct exit_record exit_0 = { .kind = EXIT_CODE, .code = 0, .signal = -1 };
static const struct exit_record exit_1 = { .kind = EXIT_CODE, .code = 1, .signal = -1 };
static const struct exit_record exit_137 = { .kind = EXIT_CODE, .code = 137, .signal = -1 };
static const struct exit_record segv = { .kind = EXIT_SIGNAL, .code = -1, .signal = SIGSEGV };
static const struct exit_record killed = { .kind = EXIT_SIGNAL, .code = -1, .signal = SIGKILL };
static const struct exit_record oom = {
	.kind = EXIT_SIGNAL, .code = -1, .signal = SIGKILL, .out_of_memory = true
};
static const struct exit_record oom_child = {
	.kind = EXIT_CODE, .code = 0, .signal = -1, .out_of_memory = true
};
static const struct exit_record lost_0 = {
	.kind = EXIT_CODE, .code = 0, .signal = -1, .output_lost = 5000
};
static const struct exit_record lost_late = {
	.kind = EXIT_TIMEOUT, .code = 0, .signal = -1, .output_lost = 5000
};
static const struct exit_record lost_stopped = {
	.kind = EXIT_STOPPED, .code = 0, .signal = -1, .stop_signal = SIGTERM, .output_lost = 5000
};
static const struct exit_record late = {
	.kind = EXIT_TIMEOUT, .code = 0, .signal = -1, .started_us = 0, .ended_us = 90000000
};
static const struct exit_record heavy = {
	.kind = EXIT_MEMORY, .code = -1, .signal = SIGKILL, .message = "it had 9 MiB"
};
static const struct exit_record stopped_143 = {
	.kind = EXIT_STOPPED, .code = 143, .signal = -1, .stop_signal = SIGTERM
};
static const struct exit_record stopped_0 = {
	.kind = EXIT_STOPPED, .code = 0, .signal = -1, .stop_signal = SIGTERM
};
static const struct exit_record no_start = {
	.kind = EXIT_NO_START, .code = -1, .signal = -1, .message = "python9: not found in PATH"
};

static struct verdict classified(void **state, const struct exit_record *exit,
	enum objective_seen objective, const char *stopping, const char *tail)
{
	struct verdict verdict;

	classify(*state, exit, objective, stopping, tail, strlen(tail), &verdict);
	return verdict;
}

static void assert_message(void **state, const struct exit_record *exit,
	enum objective_seen objective, const char *tail, const char *message)
{
	assert_string_equal(classified(state, exit, objective, NULL, tail).message, message);
}

/* ---- outcomes ---- */

static void the_table_of_outcomes(void **state)
{
	static const struct {
		const struct exit_record *exit;
		enum objective_seen objective;
		const char *stopping, *tail, *outcome;
		bool retry;
	} cases[] = {
		{ &exit_0, OBJECTIVE_FINITE, NULL, "", "ok" },
		{ &exit_0, OBJECTIVE_FINITE, NULL, "CUDA out of memory, batch halved\n", "ok" },
		{ &exit_0, OBJECTIVE_FINITE, NULL, "known bug\n", "ok" },
		{ &oom_child, OBJECTIVE_FINITE, NULL, "", "ok" },
		{ &exit_0, OBJECTIVE_NAN, NULL, "", "nan" },
		{ &exit_0, OBJECTIVE_NAN, NULL, "CUDA out of memory, batch halved\n", "nan" },
		{ &exit_0, OBJECTIVE_NAN, NULL, "Loss is nan, stopping\n", "diverged" },
		{ &exit_0, OBJECTIVE_MISSING, NULL, "", "no-metric" },
		{ &exit_0, OBJECTIVE_MISSING, NULL, "RuntimeError: CUDA out of memory.\n",
			"oom-gpu" },
		{ &oom_child, OBJECTIVE_MISSING, NULL, "", "oom-host" },

		/* What was lost may have been the objective's last value. */
		{ &lost_0, OBJECTIVE_FINITE, NULL, "", "disk-full" },
		{ &lost_0, OBJECTIVE_MISSING, NULL, "", "disk-full" },
		{ &lost_late, OBJECTIVE_MISSING, NULL, "", "disk-full" },
		{ &lost_stopped, OBJECTIVE_FINITE, "early-stopped", "", "early-stopped" },

		{ &exit_1, OBJECTIVE_FINITE, NULL, "", "crashed" },
		{ &exit_1, OBJECTIVE_MISSING, NULL, "", "crashed" },
		{ &segv, OBJECTIVE_FINITE, NULL, "", "crashed" },
		{ &killed, OBJECTIVE_FINITE, NULL, "", "oom-host" },
		{ &oom, OBJECTIVE_FINITE, NULL, "", "oom-host" },
		{ &late, OBJECTIVE_FINITE, NULL, "known bug\n", "timeout" },
		{ &heavy, OBJECTIVE_FINITE, NULL, "Killed\n", "crashed" },
		{ &no_start, OBJECTIVE_MISSING, NULL, "", "launch-failed" },
		{ &no_start, OBJECTIVE_MISSING, "user-stopped", "", "launch-failed" },

		/* Signalled by us, by others, or too late to matter. */
		{ &stopped_143, OBJECTIVE_FINITE, "early-stopped", "", "early-stopped" },
		{ &stopped_0, OBJECTIVE_FINITE, "user-stopped", "", "user-stopped" },
		{ &killed, OBJECTIVE_FINITE, "interrupted", "", "interrupted" },
		{ &exit_0, OBJECTIVE_FINITE, "early-stopped", "", "ok" },
		{ &exit_1, OBJECTIVE_MISSING, "early-stopped", "", "crashed" },
		{ &segv, OBJECTIVE_FINITE, "early-stopped", "", "crashed" },
		{ &late, OBJECTIVE_FINITE, "early-stopped", "", "timeout" },
		{ &stopped_143, OBJECTIVE_FINITE, NULL, "", "preempted" },
		{ &stopped_0, OBJECTIVE_FINITE, NULL, "", "preempted" },
		{ &exit_137, OBJECTIVE_FINITE, NULL, "", "oom-host" },

		/* The job's rules come before the built-in ones, and in their order. */
		{ &exit_1, OBJECTIVE_FINITE, NULL, "x\nlicense server\ny\n", "crashed", true },
		{ &exit_1, OBJECTIVE_FINITE, NULL, "the license server\n", "crashed", false },
		{ &exit_1, OBJECTIVE_FINITE, NULL, "known bug\nlicense server\n", "crashed", true },
		{ &exit_1, OBJECTIVE_FINITE, NULL, "CUDA out of memory\nknown bug\n", "crashed" },
		{ &oom, OBJECTIVE_FINITE, NULL, "known bug\n", "crashed" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct verdict verdict = classified(
			state, cases[i].exit, cases[i].objective, cases[i].stopping, cases[i].tail);
		if (strcmp(verdict.outcome, cases[i].outcome) != 0 ||
			verdict.retry != cases[i].retry)
			fail_msg("case %zu: %s%s, not %s: %s", i, verdict.outcome,
				verdict.retry ? " with retry" : "", cases[i].outcome,
				verdict.message);
	}
}

/* Lines as the libraries print them. */
static void built_in_patterns_know_the_libraries(void **state)
{
	static const struct {
		const char *line, *outcome;
	} cases[] = {
		{ "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB "
		  "(GPU 0; 79.15 GiB total capacity)",
			"oom-gpu" },
		{ "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB", "oom-gpu" },
		{ "RuntimeError: HIP out of memory. Tried to allocate 20.00 MiB", "oom-gpu" },
		{ "RuntimeError: CUDA error: out of memory", "oom-gpu" },
		{ "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling "
		  "`cublasCreate(handle)`",
			"oom-gpu" },
		{ "RuntimeError: cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "oom-gpu" },
		{ "tensorflow.python.framework.errors_impl.ResourceExhaustedError: Graph execution "
		  "error: OOM when allocating tensor with shape[64,128] and type float on "
		  "/job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc",
			"oom-gpu" },
		{ "failed to allocate 9.00G (9663676416 bytes) from device: "
		  "CUDA_ERROR_OUT_OF_MEMORY: out of memory",
			"oom-gpu" },
		{ "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while "
		  "trying to allocate 4294967296 bytes.",
			"oom-gpu" },
		{ "MemoryError", "oom-host" },
		{ "MemoryError: Unable to allocate internal buffer.", "oom-host" },
		{ "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB for an "
		  "array with shape (1000000000,)",
			"oom-host" },
		{ "[rank0]: numpy.core._exceptions.MemoryError: Unable to allocate", "oom-host" },
		{ "terminate called after throwing an instance of 'std::bad_alloc'", "oom-host" },
		{ "RuntimeError: [enforce fail at alloc_cpu.cpp:66] . DefaultCPUAllocator: can't "
		  "allocate memory: you tried to allocate 8000000000 bytes.",
			"oom-host" },
		{ "OOM when allocating tensor with shape[64,128] and type float on "
		  "/job:localhost/replica:0/task:0/device:CPU:0 by allocator cpu",
			"oom-host" },
		{ "RuntimeError: DataLoader worker (pid 4242) is killed by signal: Killed. ",
			"oom-host" },
		{ "OSError: [Errno 12] Cannot allocate memory", "oom-host" },
		{ "slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch.", "oom-host" },
		{ "OSError: [Errno 28] No space left on device: '/tmp/x'", "disk-full" },
		{ "OSError: [Errno 122] Disk quota exceeded", "disk-full" },
		{ "train.sh: line 3:  4242 Killed                  python3 train.py", "oom-host" },
		{ "Killed", "oom-host" },
		{ "RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error. It is "
		  "possible that dataloader's workers are out of shared memory. ... insufficient "
		  "shared memory (shm)",
			"oom-host" },
		{ "slurmstepd: error: *** JOB 12 ON n3 CANCELLED AT 2025-03-01T10:00:00 DUE TO "
		  "PREEMPTION ***",
			"preempted" },
		{ "RuntimeError: CUDA error: uncorrectable ECC error encountered", "lost" },
		{ "NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.", "lost" },
		{ "RuntimeError: CUDA error: all CUDA-capable devices are busy or unavailable",
			"lost" },
		{ "CUDA error: CUDA-capable device(s) is/are busy or unavailable", "lost" },
		{ "Failed to initialize NVML: Driver/library version mismatch", "lost" },
		{ "RuntimeError: NCCL error in: ProcessGroupNCCL.cpp:1269, unhandled system error",
			"lost" },
		{ "ncclSystemError: System call (e.g. socket, malloc) or external library call "
		  "failed",
			"lost" },
		{ "OSError: [Errno 116] Stale file handle: '/data/x'", "lost" },
		{ "OSError: [Errno 5] Input/output error", "lost" },

		/* What only looks like it. */
		{ "    except MemoryError:", "crashed" },
		{ "ImportError: libgomp.so.1: cannot allocate memory in static TLS block",
			"crashed" },
		{ "MyMemoryErrors: none", "crashed" },
		{ "Killed 3 stale workers", "crashed" },
		{ "FileNotFoundError: [Errno 2] No such file or directory", "crashed" },
		{ "ncclRemoteError: A call failed possibly due to a network error or a remote "
		  "process exiting prematurely.",
			"crashed" },
		{ "GPU memory: 12 GiB of 80 used", "crashed" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char tail[512];
		snprintf(tail, sizeof(tail), "epoch 1\n%s\nlast words\n", cases[i].line);
		const struct verdict verdict =
			classified(state, &exit_1, OBJECTIVE_MISSING, NULL, tail);
		if (strcmp(verdict.outcome, cases[i].outcome) != 0)
			fail_msg(
				"%s, not %s: %s", verdict.outcome, cases[i].outcome, cases[i].line);
	}
}

static void patterns_see_through_colours_and_progress_bars(void **state)
{
	assert_string_equal(classified(state, &exit_1, OBJECTIVE_MISSING, NULL,
				    "10%|#  |\r\x1b[31mMemory\x1b[0mError\x1b[0m\r\n")
				    .outcome,
		"oom-host");
}

static void only_the_last_64_kib_are_searched(void **state)
{
	const size_t size = FAILURE_TAIL_MAX + 100;
	char *tail = malloc(size);
	struct verdict verdict;

	assert_non_null(tail);
	memset(tail, 'x', size);
	memcpy(tail, "known bug", 9);
	memcpy(tail + 101, "\nNo space left on device\n", 25);
	classify(*state, &exit_1, OBJECTIVE_MISSING, NULL, tail, size, &verdict);
	assert_string_equal(verdict.outcome, "disk-full");
	free(tail);
}

/* ---- messages ---- */

static void a_crash_is_told_by_the_last_traceback(void **state)
{
	assert_message(state, &exit_1, OBJECTIVE_MISSING,
		"Traceback (most recent call last):\n"
		"  File \"train.py\", line 1, in <module>\n"
		"    import torch\n"
		"ImportError: No module named 'torch'\n",
		"exit status 1: ImportError: No module named 'torch'");
	assert_message(state, &exit_1, OBJECTIVE_MISSING,
		"Traceback (most recent call last):\n"
		"  File \"a.py\", line 1\n"
		"KeyError: 'a'\n"
		"\n"
		"During handling of the above exception, another exception occurred:\n"
		"\n"
		"Traceback (most recent call last):\n"
		"  File \"a.py\", line 3\n"
		"\n"
		"  [Previous line repeated 996 more times]\n"
		"ValueError: bad\n"
		"value\n"
		"cleaning up\n",
		"exit status 1: ValueError: bad");
	assert_message(state, &exit_1, OBJECTIVE_MISSING,
		"[rank1]: Traceback (most recent call last):\n"
		"[rank1]:   File \"a.py\", line 1\n"
		"[rank0]: going on\n"
		"[rank1]: RuntimeError: boom\n"
		"bye\n",
		"exit status 1: RuntimeError: boom");
}

static void without_a_traceback_the_last_words_tell(void **state)
{
	assert_message(state, &exit_1, OBJECTIVE_MISSING,
		"usage: train.py [-h]\n  train.py: error: unrecognized arguments: --wd 0.1  \n\n "
		"\n",
		"exit status 1: train.py: error: unrecognized arguments: --wd 0.1");
	assert_message(state, &exit_1, OBJECTIVE_MISSING,
		"Traceback (most recent call last):\n  File \"a.py\", line 1\n",
		"exit status 1: File \"a.py\", line 1");
	assert_message(state, &exit_1, OBJECTIVE_MISSING, "Traceback (most recent call last):",
		"exit status 1: Traceback (most recent call last):");
	assert_message(state, &exit_1, OBJECTIVE_MISSING, "", "exit status 1");
	assert_message(state, &exit_1, OBJECTIVE_MISSING, "\n\r\n", "exit status 1");
}

static void a_rule_is_told_by_the_line_it_matched(void **state)
{
	assert_message(state, &exit_1, OBJECTIVE_MISSING,
		"epoch 1\n  RuntimeError: CUDA out of memory. Tried\nsrun: error: node7\n",
		"exit status 1: RuntimeError: CUDA out of memory. Tried");
}

static void every_way_to_end_has_its_words(void **state)
{
	assert_message(state, &exit_0, OBJECTIVE_FINITE, "x", "");
	assert_message(
		state, &exit_0, OBJECTIVE_NAN, "x", "exit status 0, but the objective is NaN");
	assert_message(state, &exit_0, OBJECTIVE_MISSING, "done\n",
		"exit status 0, but no objective in the output: done");
	assert_message(state, &segv, OBJECTIVE_MISSING, "", "ended by signal 11 (SIGSEGV)");
	assert_message(state, &exit_137, OBJECTIVE_MISSING, "",
		"SIGKILL, not sent by tuner: most likely out of memory; exit status 137 "
		"(128 + SIGKILL)");
	assert_message(
		state, &late, OBJECTIVE_MISSING, "x", "ended at its time limit, after 1m 30s");
	assert_message(state, &no_start, OBJECTIVE_MISSING, "", "python9: not found in PATH");
	assert_message(state, &stopped_143, OBJECTIVE_MISSING, "",
		"SIGTERM came from outside; exit status 143 (128 + SIGTERM)");
	assert_message(state, &oom, OBJECTIVE_MISSING, "",
		"the kernel ended it: out of memory; ended by signal 9 (SIGKILL)");
}

static void a_message_is_one_printable_line_whatever_the_output(void **state)
{
	char tail[2000];
	struct verdict verdict;

	assert_message(state, &exit_1, OBJECTIVE_MISSING,
		"a\tb\x01"
		"c\xff\xc3\xa9\x7f|",
		"exit status 1: a b c?é |");
	for (size_t shift = 0; shift < 4; shift++) {
		memset(tail, 'x', shift);
		for (size_t i = shift; i + 3 <= sizeof(tail); i += 3)
			memcpy(tail + i, "€", 3);
		classify(*state, &exit_1, OBJECTIVE_MISSING, NULL, tail, sizeof(tail), &verdict);
		assert_in_range(strlen(verdict.message), 250, 255);
		assert_string_equal(verdict.message + strlen(verdict.message) - 3, "€");
	}
	/* Where it is cut there is a blank, or no character. */
	for (size_t shift = 230; shift < 250; shift++) {
		memset(tail, 'x', sizeof(tail));
		memset(tail + shift, shift % 2 == 0 ? '\t' : '\xff', 3);
		classify(*state, &exit_1, OBJECTIVE_MISSING, NULL, tail, sizeof(tail), &verdict);
		assert_int_equal(strlen(verdict.message), 255);
	}
	for (size_t i = 0; i < sizeof(tail); i++)
		tail[i] = (char)(i * 37);
	classify(*state, &exit_1, OBJECTIVE_MISSING, NULL, tail, sizeof(tail), &verdict);
	assert_true(strlen(verdict.message) < 256);
}

/* ---- rules ---- */

static void assert_refused(const struct failure_rule *rule, const char *reason)
{
	const struct failure_rule rules[] = { { "x", "crashed", false }, *rule };
	struct failure_rules *made = NULL;
	struct tuner_error err;
	size_t bad = 99;

	assert_false(failure_rules_create(rules, 2, &made, &bad, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_int_equal(bad, 1);
	if (strstr(err.message, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, reason);
}

static void a_rule_may_end_the_job(void **state)
{
	const struct failure_rule rule = { "license expired", "end", false };
	struct failure_rules *made = NULL;
	struct tuner_error err;
	struct verdict verdict;
	size_t bad;

	if (!failure_rules_create(&rule, 1, &made, &bad, &err))
		fail_msg("%s", err.message);
	classify(made, &exit_1, OBJECTIVE_MISSING, NULL, "license expired\n", 16, &verdict);
	assert_string_equal(verdict.outcome, "crashed");
	assert_true(verdict.end && !verdict.retry);
	classify(made, &exit_1, OBJECTIVE_MISSING, NULL, "license\n", 8, &verdict);
	assert_false(verdict.end);
	failure_rules_destroy(made);
}

static void rules_that_cannot_work_are_refused(void **state)
{
	char longer[FAILURE_PATTERN_BYTES_MAX + 2];

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_refused(&(struct failure_rule){ "(", "crashed", false }, "at byte 1");
	assert_refused(&(struct failure_rule){ "x*", "crashed", false }, "empty string");
	assert_refused(&(struct failure_rule){ "x", "ok", false }, "no class");
	assert_refused(&(struct failure_rule){ "x", "early-stopped", false }, "no class");
	assert_refused(&(struct failure_rule){ "x", "oom-gpu", true }, "only the class");
	assert_refused(&(struct failure_rule){ longer, "crashed", false }, "501 bytes");
}

static void hostile_rules_end(void **state)
{
	const struct failure_rule rules[] = { { "^(x+)+$", "diverged", false },
		{ "(*NO_JIT)^(x+)+$", "diverged", false }, { "(x.*){30}y", "diverged", false } };
	struct failure_rules *made = NULL;
	struct tuner_error err;
	struct verdict verdict;
	char tail[FAILURE_TAIL_MAX];
	size_t bad;

	if (!failure_rules_create(rules, COUNT(rules), &made, &bad, &err))
		fail_msg("%s", err.message);
	memset(tail, 'x', sizeof(tail));
	tail[sizeof(tail) - 1] = '!';
	classify(made, &exit_1, OBJECTIVE_MISSING, NULL, tail, sizeof(tail), &verdict);
	assert_string_equal(verdict.outcome, "crashed");
	failure_rules_destroy(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_outcomes),
		cmocka_unit_test(built_in_patterns_know_the_libraries),
		cmocka_unit_test(patterns_see_through_colours_and_progress_bars),
		cmocka_unit_test(only_the_last_64_kib_are_searched),
		cmocka_unit_test(a_crash_is_told_by_the_last_traceback),
		cmocka_unit_test(without_a_traceback_the_last_words_tell),
		cmocka_unit_test(a_rule_is_told_by_the_line_it_matched),
		cmocka_unit_test(every_way_to_end_has_its_words),
		cmocka_unit_test(a_message_is_one_printable_line_whatever_the_output),
		cmocka_unit_test(a_rule_may_end_the_job),
		cmocka_unit_test(rules_that_cannot_work_are_refused),
		cmocka_unit_test(hostile_rules_end),
	};

	return cmocka_run_group_tests(tests, make_rules, destroy_rules);
}
