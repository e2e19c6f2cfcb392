/* What this machine has: cores, GPUs, and the slots that result. */
#ifndef SCHEDULER_MACHINE_H
#define SCHEDULER_MACHINE_H

#include "scheduler/gpu_source.h"

enum { GPUS_MAX = 64, SLOTS_MAX = 1024, SLOT_GPUS_MAX = 16 };

/* A GPU, or one of the slices that it is divided into (MIG). */
struct gpu {
	int index; /* by PCI bus, as with CUDA_DEVICE_ORDER=PCI_BUS_ID; for a slice: its GPU's */
	char uuid[64];
	char name[96];
	int64_t memory_bytes; /* 0: unknown, as for a slice */
};

bool gpu_is_slice(const struct gpu *gpu);

/* Cores that we may use: CPU affinity, limited by the cgroup's quota (v2 cpu.max, v1 cfs_quota_us)
 * rounded up; at least 1. */
unsigned machine_cores(void);

/* Why there are no GPUs. */
enum gpu_lack {
	GPUS_THERE,
	GPUS_WITHOUT_DRIVER, /* neither NVML nor nvidia-smi exists: no GPUs to miss */
	GPUS_BROKEN,
	GPUS_HIDDEN, /* by CUDA_VISIBLE_DEVICES */
};

/* The GPUs that gpu_source.h finds (`nvml`: path of tuner-nvml, or NULL; takes at most 10 s for the
 * start and 10 s for each of two answers), divided GPUs replaced by their slices, restricted to our
 * CUDA_VISIBLE_DEVICES if set (indices or UUIDs, in its order). ret_reason says in words what
 * *ret_lack says; "" if there are GPUs. */
TUNER_MUST_CHECK
bool machine_gpus(const char *nvml, struct gpu ret_gpus[GPUS_MAX], size_t *ret_n,
	enum gpu_lack *ret_lack, char ret_reason[GPU_REASON_MAX], struct tuner_error *err);

/* The CPU's model name, at most 63 bytes ("AMD EPYC 7B13"). */
void machine_cpu_name(char ret_name[64]);

/* The resources of a host. */
struct machine {
	unsigned cores;
	struct gpu gpus[GPUS_MAX];
	size_t n_gpus;
	char no_gpus[GPU_REASON_MAX]; /* why no GPU can be used although there may be some; ""
				     otherwise */
};

/* Inspects this machine, with machine_gpus' limits and times. */
TUNER_MUST_CHECK
bool machine_look(bool with_gpus, const char *nvml, struct machine *ret, struct tuner_error *err);

/* A place that can run one trial. */
struct slot {
	unsigned cores; /* threads that one trial may use */
	size_t n_gpus;
	struct gpu gpus[SLOT_GPUS_MAX];
};

/* The slots of the local host. gpus_per_trial 0: slots without GPUs, as many as `parallel` (0: half
 * the cores, at least 1). Otherwise n_gpus / gpus_per_trial slots, at most `parallel` if that is
 * not 0. Cores are divided evenly, at least 1 each. TUNER_USAGE if not even one slot fits. */
TUNER_MUST_CHECK
bool machine_slots(unsigned cores, const struct gpu *gpus, size_t n_gpus, unsigned gpus_per_trial,
	unsigned parallel, struct slot ret_slots[SLOTS_MAX], size_t *ret_n,
	struct tuner_error *err);

#endif
