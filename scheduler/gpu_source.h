/* Who is asked about the GPUs of this machine: NVML, where it can be loaded, else nvidia-smi. One of the two, for
 * as long as the source lives, so that they cannot disagree.
 *
 *     gpu_source_create -> gpu_source_ask, any number of times -> gpu_source_destroy
 *
 * NVML is loaded by tuner-nvml, a process that lives on between questions, so that the driver is opened once.
 * It is not loaded here: a call may hang in the driver of a broken GPU for ever, where not even SIGKILL ends
 * it; a process that has such a thread can end no more, and goes on holding its locks. tuner-nvml gets its
 * time, is killed, and if that is in vain left alone: no second one is started before it is gone.
 *
 * Nothing happens before the first question. One thread, one source: tuner-nvml dies with the thread that first
 * asked. */
#ifndef SCHEDULER_GPU_SOURCE_H
#define SCHEDULER_GPU_SOURCE_H

#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

enum { GPU_SOURCE_WAIT_US = 10000000, GPU_REASON_MAX = 200 };

/* What is asked, and answered in the lines of nvml.h. */
enum gpu_question {
	GPU_QUESTION_GPUS,
	GPU_QUESTION_SAMPLES,
	GPU_QUESTION_PROCESSES,
	GPU_QUESTION_LISTING,
};

enum gpu_answer {
	GPU_ANSWERED,
	GPU_NO_DRIVER, /* there is neither NVML nor nvidia-smi: no GPUs to miss */
	GPU_NO_ANSWER, /* something is wrong */
};

struct gpu_source;

/* `helper`: path of tuner-nvml, copied; NULL: nvidia-smi alone. An answer may take `wait_us`. */
TUNER_MUST_CHECK
bool gpu_source_create(
	const char *helper, int64_t wait_us, struct gpu_source **ret, struct tuner_error *err);

/* Does not wait, but for a tuner-nvml that hangs: two seconds at most. NULL is fine. */
void gpu_source_destroy(struct gpu_source *source);

/* Into *ret, emptied first: lines, of which what does not parse is to be left out. ret_reason: why there is no
 * answer, "" if there is one. The first question takes NVML's start, too, which has as long as an answer. False
 * only without memory or descriptors. */
TUNER_MUST_CHECK
bool gpu_source_ask(struct gpu_source *source, enum gpu_question question, struct text *ret,
	enum gpu_answer *ret_answer, char ret_reason[GPU_REASON_MAX], struct tuner_error *err);

#endif
