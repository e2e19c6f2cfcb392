/* What this machine has: cores, GPUs, and the slots that follow. */
#ifndef SCHEDULER_MACHINE_H
#define SCHEDULER_MACHINE_H

#include "scheduler/gpu_source.h"

enum { GPUS_MAX = 64, SLOTS_MAX = 1024, SLOT_GPUS_MAX = 16 };

/* A GPU, or one of the slices that it is divided into (MIG). */
struct gpu {
	int index; /* by PCI bus, as CUDA_DEVICE_ORDER=PCI_BUS_ID counts; of a slice: its GPU's */
	char uuid[64];
	char name[96];
	int64_t memory_bytes; /* 0: not known, as of a slice */
};

bool gpu_is_slice(const struct gpu *gpu);

/* Cores that we may use: CPU affinity, cut by the cgroup's quota (v2 cpu.max, v1 cfs_quota_us),
 * rounded up; at least 1. */
unsigned machine_cores(void);

/* Why there are no GPUs. */
enum gpu_lack {
	GPUS_THERE,
	GPUS_WITHOUT_DRIVER, /* neither NVML nor nvidia-smi: none to miss */
	GPUS_BROKEN,
	GPUS_HIDDEN, /* by CUDA_VISIBLE_DEVICES */
};

/* GPUs by gpu_source.h (`nvml`: path of tuner-nvml, or NULL; it takes 10 s for the start and 10 s for each of two
 * answers at most), in the place of divided ones their slices, bounded by a CUDA_VISIBLE_DEVICES that we were given
 * (indices or UUIDs, in that order). ret_reason says in words what *ret_lack says; "" if there are some. */
TUNER_MUST_CHECK
bool machine_gpus(const char *nvml, struct gpu ret_gpus[GPUS_MAX], size_t *ret_n,
	enum gpu_lack *ret_lack, char ret_reason[GPU_REASON_MAX], struct tuner_error *err);

/* The CPU's model name, at most 63 bytes ("AMD EPYC 7B13"). */
void machine_cpu_name(char ret_name[64]);

/* What a host has to give. */
struct machine {
	unsigned cores;
	struct gpu gpus[GPUS_MAX];
	size_t n_gpus;
	char no_gpus
		[GPU_REASON_MAX]; /* why none can be used although there may be some; "" otherwise */
};

/* This one. machine_gpus' bounds and times. */
TUNER_MUST_CHECK
bool machine_look(bool with_gpus, const char *nvml, struct machine *ret, struct tuner_error *err);

/* One place that can run one trial. */
struct slot {
	unsigned cores; /* threads that one trial may use */
	size_t n_gpus;
	struct gpu gpus[SLOT_GPUS_MAX];
};

/* The slots of the local host. gpus_per_trial 0: slots without GPUs, as many as `parallel` (0: half
 * the cores, at least 1). Otherwise n_gpus / gpus_per_trial slots, at most `parallel` if that is
 * not 0. Cores are shared out evenly, at least 1 each. TUNER_USAGE if not one slot fits. */
TUNER_MUST_CHECK
bool machine_slots(unsigned cores, const struct gpu *gpus, size_t n_gpus, unsigned gpus_per_trial,
	unsigned parallel, struct slot ret_slots[SLOTS_MAX], size_t *ret_n,
	struct tuner_error *err);

#endif
