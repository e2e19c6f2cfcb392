#include "tuner/packing.h"

#include <stdlib.h>
#include <string.h>

void packing_add(struct packing *packing, const struct gpu_ended *ended)
{
	const size_t k = ended->together < 1              ? 1
			 : ended->together > PACKING_MOST ? PACKING_MOST
							  : (size_t)ended->together;

	/* A trial that exhausted the memory says nothing about what others need. */
	if (ended->outcome == OUTCOME_OOM_GPU) {
		packing->out_of_memory[k]++;
		return;
	}
	if (ended->memory_peak_bytes > 0) {
		packing->n_peaks++;
		if (ended->memory_peak_bytes > packing->peak_bytes)
			packing->peak_bytes = ended->memory_peak_bytes;
	}
	if (ended->outcome == OUTCOME_OK && ended->took_us > 0)
		packing->took_us[k][packing->n_took[k]++ % PACKING_KEPT] = ended->took_us;
}

static int by_time(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* 0: too few times are known. */
static double median_us(const struct packing *packing, size_t k)
{
	const size_t n =
		packing->n_took[k] < PACKING_KEPT ? packing->n_took[k] : (size_t)PACKING_KEPT;
	int64_t sorted[PACKING_KEPT];

	if (n < PACKING_MEASURED)
		return 0;
	memcpy(sorted, packing->took_us[k], n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_time);
	return ((double)sorted[(n - 1) / 2] + (double)sorted[n / 2]) / 2;
}

/* Whether k trials together are slower than one after the other. */
static bool is_slower(const struct packing *packing, size_t k)
{
	const double alone_us = median_us(packing, 1), packed_us = median_us(packing, k);
	return alone_us > 0 && packed_us > (double)k * alone_us;
}

unsigned packing_limit(const struct packing *packing, int64_t memory_bytes)
{
	unsigned limit = 1;

	if (packing->n_peaks < PACKING_MEASURED || memory_bytes <= 0)
		return 1;
	const double fit =
		PACKING_FILL * (double)memory_bytes / (PACKING_SURE * (double)packing->peak_bytes);
	const int64_t step = 1 + packing->n_peaks / PACKING_MEASURED;
	for (unsigned k = 2; k <= PACKING_MOST && (double)k <= fit && k <= step; k++) {
		if (is_slower(packing, k) || packing->out_of_memory[k] >= PACKING_MEASURED)
			break;
		limit = k;
	}
	return limit;
}
