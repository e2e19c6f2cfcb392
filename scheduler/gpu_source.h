/* Where information about the GPUs of this machine comes from: NVML if it can be loaded, else
 * nvidia-smi. One of the two for the source's whole life, so that answers cannot disagree.
 *
 *     gpu_source_create -> gpu_source_ask, any number of times -> gpu_source_destroy
 *
 * NVML is loaded by tuner-nvml, a process that stays alive between questions, so that the driver is
 * opened once. It is not loaded here because a call may hang for ever in the driver of a broken
 * GPU, where not even SIGKILL ends it; a process with such a thread cannot exit, and keeps its
 * locks. When tuner-nvml exceeds its time limit it is killed and, if that does not end it, left
 * alone: no second one is started until it is gone.
 *
 * Nothing is started before the first question. Use a source from one thread only: tuner-nvml dies
 * with the thread that first asked. */
#ifndef SCHEDULER_GPU_SOURCE_H
#define SCHEDULER_GPU_SOURCE_H

#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

enum { GPU_SOURCE_WAIT_US = 10000000, GPU_REASON_MAX = 200 };

/* Questions; the answers are lines as in nvml.h. */
enum gpu_question {
	GPU_QUESTION_GPUS,
	GPU_QUESTION_SAMPLES,
	GPU_QUESTION_PROCESSES,
	GPU_QUESTION_LISTING,
};

enum gpu_answer {
	GPU_ANSWERED,
	GPU_NO_DRIVER, /* neither NVML nor nvidia-smi exists: there are no GPUs to miss */
	GPU_NO_ANSWER, /* something is wrong */
};

struct gpu_source;

/* `helper`: path of tuner-nvml, copied; NULL: use nvidia-smi only. `wait_us`: time limit for an
 * answer. */
TUNER_MUST_CHECK
bool gpu_source_create(
	const char *helper, int64_t wait_us, struct gpu_source **ret, struct tuner_error *err);

/* Does not wait, except up to two seconds for a tuner-nvml that hangs. NULL is fine. */
void gpu_source_destroy(struct gpu_source *source);

/* From another thread, once, at the end: kills an nvidia-smi that runs, or that another question
 * would start: one that hangs would outlive us. (tuner-nvml dies with us.) */
void gpu_source_cancel(struct gpu_source *source);

/* Puts the answer's lines into *ret, emptied first; the caller is to skip lines that do not parse.
 * ret_reason: why there is no answer, "" if there is one. The first question also waits for NVML's
 * start, which has the same time limit as an answer. False only if memory or descriptors run
 * out. */
TUNER_MUST_CHECK
bool gpu_source_ask(struct gpu_source *source, enum gpu_question question, struct text *ret,
	enum gpu_answer *ret_answer, char ret_reason[GPU_REASON_MAX], struct tuner_error *err);

#endif
