/* The slots of a job file's host. */
#ifndef TUNER_SLOTS_H
#define TUNER_SLOTS_H

#include "scheduler/machine.h"
#include "tuner/jobfile.h"

struct slot_list {
	struct slot items[SLOTS_MAX];
	size_t n;
	char note
		[300]; /* what the user should know: fewer slots than asked for, GPUs that cannot be
			   used and why; "" if nothing */
};

/* The slots that `machine` provides for this entry of "hosts"; `parallel` is the budget's.
 * TUNER_USAGE if the machine lacks what the file asks for. */
TUNER_MUST_CHECK
bool slots_of(const struct job_host *host, unsigned parallel, const struct machine *machine,
	struct slot_list *ret, struct tuner_error *err);

/* The entry of "hosts" that is this machine; NULL: none is. */
const struct job_host *slots_local_host(const struct job_file *file);

/* What this machine has, as far as this entry of "hosts" is concerned: GPUs are looked for only if it
 * uses them. */
TUNER_MUST_CHECK
bool slots_look(const struct job_host *host, struct machine *ret, struct tuner_error *err);

/* The slots of this machine, by the file's local host; none without a local host. */
TUNER_MUST_CHECK
bool slots_find(const struct job_file *file, struct slot_list *ret, struct tuner_error *err);

/* "2 slots: 1 core each", "4 slots: 1 GPU (NVIDIA H200) and 4 cores each", "4 slots: 1 GPU (NVIDIA
 * H200), shared by 2, and 4 cores each"; if measurements decide (`packs`) "1 GPU (NVIDIA H200),
 * shared by up to 8, ...". */
void slots_text(const struct slot *slots, size_t n, bool packs, struct text *ret);

#endif
