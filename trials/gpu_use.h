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

/* What a run knows of a GPU from now on; appends an event of kind "gpu". `state`: free; busy, left alone
 * since others compute there; taken, by another tuner; gone, the driver does not list it. */
TUNER_MUST_CHECK
bool gpu_event_add(struct store *store, int64_t job_id, const char *host, const char *uuid,
	int index, const char *name, const char *state, const char *message, int64_t now_us,
	struct tuner_error *err);

/* A GPU that a run of the job has seen, or that a trial was given. */
struct gpu_known {
	char *host, *uuid, *name; /* name: "" if it is not known */
	int64_t index; /* -1: not known */
	char *state, *message; /* of the last event; "" without one */
	int64_t since_us; /* of that event; 0 */
	int64_t attempts; /* that were given it */
	char *trials; /* those on it, as "[7, 9]" without blanks */
	/* The newest attempt on it that was measured: of all its GPUs. */
	int64_t measured_trial; /* its number; 0: none was */
	int64_t measured_gpus;
	double utilisation_mean; /* percent; NaN: not measured */
	int64_t memory_peak_bytes;
};

struct gpu_known_list {
	struct gpu_known *items;
	size_t n, capacity;
};

/* By host, then index. */
TUNER_MUST_CHECK
bool gpu_known_select(
	struct store *store, int64_t job_id, struct gpu_known_list *ret, struct tuner_error *err);
void gpu_known_list_finish(struct gpu_known_list *list);

#endif
