/* How many trials of a job may share a GPU, by what its earlier ones needed and took ("trials_per_gpu": "auto").
 *
 * Memory: PACKING_SURE times the largest peak measured so far is taken for what each needs, and PACKING_FILL of the
 * device is given out. Nothing is packed before PACKING_MEASURED peaks are known, and each further as many allow one
 * trial more, up to PACKING_MOST.
 *
 * Speed: k trials together must be faster than one after the other. Where the median time of those that were k on
 * their GPU is above k times the median of those alone (of PACKING_MEASURED each), fewer than k are packed.
 *
 * Out of memory: PACKING_MEASURED of those that were k on their GPU, and fewer than k are packed. */
#ifndef TUNER_PACKING_H
#define TUNER_PACKING_H

#include "trials/gpu_use.h"

enum { PACKING_MOST = 8, PACKING_MEASURED = 3, PACKING_KEPT = 64 };

#define PACKING_SURE 1.1
#define PACKING_FILL 0.95

/* All zero: nothing is known. */
struct packing {
	int64_t n_peaks, peak_bytes; /* measured, and the largest */
	unsigned out_of_memory[PACKING_MOST + 1]; /* by how many were together */
	int64_t took_us[PACKING_MOST + 1]
		       [PACKING_KEPT]; /* of those with an objective: the newest */
	size_t n_took[PACKING_MOST + 1]; /* ever */
};

/* An attempt has ended. */
void packing_add(struct packing *packing, const struct gpu_ended *ended);

/* Trials that may be on a device of so much memory (0: not known) at a time: 1 to PACKING_MOST. */
unsigned packing_limit(const struct packing *packing, int64_t memory_bytes);

#endif
