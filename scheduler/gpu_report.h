/* What the GPUs of this machine are doing, according to NVML or nvidia-smi (gpu_source.h). */
#ifndef SCHEDULER_GPU_REPORT_H
#define SCHEDULER_GPU_REPORT_H

#include "base/text.h"
#include "scheduler/machine.h"

enum { GPU_APPS_MAX = 512 };

struct gpu_sample {
	char uuid[64];
	double utilisation, power_w, temperature_c; /* percent; NaN: not reported */
	int64_t memory_used_bytes, memory_bytes; /* -1: it does not say */
};

/* A process that computes on a GPU. */
struct gpu_app {
	char uuid[64]; /* the GPU's */
	int64_t pid;
	int64_t memory_bytes; /* -1: it does not say */
	bool seen; /* the process is visible to us; false: it has ended or is just ending, or is in
		      another pid namespace */
	char key[40]; /* of the attempt that it belongs to; "": none, as far as we may read
			 environments */
};

struct gpu_report {
	int64_t asked_us; /* monotonic: before anything was asked */
	bool ok; /* false: there was no answer, and the rest is empty */
	bool apps_known; /* false: the processes were not reported, and there may be others than
			    `apps` */
	struct gpu_sample samples[GPUS_MAX];
	size_t n_samples;
	struct gpu_app apps[GPU_APPS_MAX]; /* more are left out */
	size_t n_apps;
};

/* Asks the source two questions, each within its time limit. False only if memory or descriptors
 * run out. */
TUNER_MUST_CHECK
bool gpu_report_read(struct gpu_source *source, struct gpu_report *ret, struct tuner_error *err);

/* The lines of
 *     nvidia-smi --query-gpu=uuid,utilization.gpu,memory.used,memory.total,power.draw,temperature.gpu
 *     nvidia-smi --query-compute-apps=gpu_uuid,pid,used_memory
 * with --format=csv,noheader,nounits. What does not parse is left out. */
size_t gpu_samples_parse(const char *text, struct gpu_sample ret[GPUS_MAX]);
size_t gpu_apps_parse(const char *text, struct gpu_app ret[GPU_APPS_MAX]);

/* The report as text from which gpu_report_parse makes it again, without asked_us. It has a line
 * for each sample and process, in the formats above; a process's line has two more fields, `seen`
 * (1 or 0) and `key`. What does not parse is left out. */
void gpu_report_print(const struct gpu_report *report, struct text *ret);
void gpu_report_parse(const char *text, struct gpu_report *ret);

/* The GPU's sample; NULL: not in the report. */
const struct gpu_sample *gpu_report_find(const struct gpu_report *report, const char *uuid);

#endif
