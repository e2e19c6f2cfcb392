/* Samples the GPUs of one attempt, beside it, where no agent of a connection does: in a job of
 * Slurm. */
#ifndef SCHEDULER_AGENT_SAMPLE_H
#define SCHEDULER_AGENT_SAMPLE_H

#include <stdint.h>

/* Until the attempt in `directory` has ended, or shows no sign of life, samples the GPUs that our
 * CUDA_VISIBLE_DEVICES names every period_us, and keeps their totals in its gpus.json
 * (gpu_totals.h). `key` is the attempt's. Returns at once if there are no such GPUs. */
void agent_sample(const char *directory, const char *key, int64_t period_us);

#endif
