/* What an attempt did with its GPUs: samples of them (gpu_report.h), added up. */
#ifndef SCHEDULER_GPU_TOTALS_H
#define SCHEDULER_GPU_TOTALS_H

#include "scheduler/gpu_report.h"

#include <math.h>

/* NaN: not measured. Utilisation, power and temperature are those of whole devices, whoever used
 * them; of several, the mean, or the highest for fields named max. */
struct gpu_totals {
	int64_t samples;
	double utilisation_mean, utilisation_max; /* percent */
	double power_mean_w, temperature_max_c;
	int64_t memory_peak_bytes; /* of the attempt's own processes; 0: not seen */
};

#define GPU_TOTALS_NONE ((struct gpu_totals){ 0, NAN, NAN, NAN, NAN, 0 })

/* Adds a report's samples of the n GPUs with these UUIDs, if it has any: false if not. `key` is the
 * attempt's. If its processes cannot be identified (a container is not shown its own) and it is
 * `alone` on its GPUs, all memory used there counts. */
bool gpu_totals_add(struct gpu_totals *totals, const struct gpu_report *report,
	const char *const *uuids, size_t n, const char *key, bool alone);

/* Writes DIRECTORY/gpus.json, whole or not at all. */
TUNER_MUST_CHECK
bool gpu_totals_write(
	const char *directory, const struct gpu_totals *totals, struct tuner_error *err);

/* Reads it; false, and none, if there is no such file that can be read. */
bool gpu_totals_read(const char *directory, struct gpu_totals *ret);

#endif
