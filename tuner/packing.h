/* How many trials of a job may share a GPU, by the memory and time of earlier ones
 * ("trials_per_gpu": "auto").
 *
 * Memory: each trial is assumed to need PACKING_SURE times the largest peak measured so far, and
 * PACKING_FILL of the device is used. Nothing is packed before PACKING_MEASURED peaks are known;
 * each further PACKING_MEASURED allow one more trial, up to PACKING_MOST.
 *
 * Speed: k trials together must be faster than one after the other. If the median time of trials
 * that were k on their GPU is above k times the median of those alone (at least PACKING_MEASURED of
 * each), fewer than k are packed.
 *
 * Out of memory: once PACKING_MEASURED of the trials that were k on their GPU ran out, fewer than k
 * are packed. */
#ifndef TUNER_PACKING_H
#define TUNER_PACKING_H

#include "trials/gpu_use.h"

enum { PACKING_MOST = 8, PACKING_MEASURED = 3, PACKING_KEPT = 64 };

#define PACKING_SURE 1.1
#define PACKING_FILL 0.95

/* All zero: nothing is known yet. */
struct packing {
	int64_t n_peaks, peak_bytes; /* number of peaks measured, and the largest */
	unsigned out_of_memory[PACKING_MOST + 1]; /* by the number of trials together */
	int64_t took_us[PACKING_MOST + 1]
		       [PACKING_KEPT]; /* of trials with an objective: the newest */
	size_t n_took[PACKING_MOST + 1]; /* ever */
};

/* Adds an attempt that has ended. */
void packing_add(struct packing *packing, const struct gpu_ended *ended);

/* Trials that may share a device with this much memory (0: unknown): 1 to PACKING_MOST. */
unsigned packing_limit(const struct packing *packing, int64_t memory_bytes);

#endif
