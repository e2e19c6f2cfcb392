/* The slots that a job file's hosts give on this machine. */
#ifndef TUNER_SLOTS_H
#define TUNER_SLOTS_H

#include "tuner/jobfile.h"

struct slot_list {
	struct slot items[SLOTS_MAX];
	size_t n;
	unsigned cores;
	size_t n_gpus;
	char note
		[300]; /* what the user should know: fewer slots than asked for, GPUs that cannot be
			   used and why; "" if nothing */
};

/* Looks at the machine. TUNER_USAGE if what the file asks for is not there. */
TUNER_MUST_CHECK
bool slots_find(const struct job_file *file, struct slot_list *ret, struct tuner_error *err);

/* "2 slots: 1 core each", "4 slots: 1 GPU (NVIDIA H200) and 4 cores each". */
void slots_text(const struct slot_list *list, struct text *ret);

#endif
