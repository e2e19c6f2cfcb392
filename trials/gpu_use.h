/* How attempts used their GPUs: how many shared one, and samples of the device meanwhile. */
#ifndef TRIALS_GPU_USE_H
#define TRIALS_GPU_USE_H

#include "trials/trial.h"

/* NaN: not measured. Utilisation, power and temperature are those of the whole device, whoever used
 * it; for several devices the mean, or the highest for fields named max. */
struct gpu_use {
	int64_t together; /* most trials on its GPU at a time; 1: it was alone; 0: there is no
			     row */
	int64_t samples;
	double utilisation_mean, utilisation_max; /* percent */
	double power_mean_w, temperature_max_c;
	int64_t memory_peak_bytes; /* attempt.gpu_memory_peak_bytes */
};

/* Writes the values known so far, in an open transaction. */
TUNER_MUST_CHECK
bool gpu_use_put(struct store *store, int64_t attempt_id, const struct gpu_use *use,
	struct tuner_error *err);

/* ret->together is 0 if nothing was written. */
TUNER_MUST_CHECK
bool gpu_use_load(
	struct store *store, int64_t attempt_id, struct gpu_use *ret, struct tuner_error *err);

/* An ended attempt that had a GPU. */
struct gpu_ended {
	char host[256];
	enum outcome outcome;
	int64_t together, memory_peak_bytes, took_us;
};

struct gpu_ended_list {
	struct gpu_ended *items;
	size_t n, capacity;
};

/* The job's newest such attempts, at most `most`, in the order of their launches. */
TUNER_MUST_CHECK
bool gpu_ended_select(struct store *store, int64_t job_id, int64_t most, struct gpu_ended_list *ret,
	struct tuner_error *err);
void gpu_ended_list_finish(struct gpu_ended_list *list);

#endif
