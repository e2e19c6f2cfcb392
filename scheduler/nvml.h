/* NVIDIA's management library, loaded at run time: the GPUs of this machine and their state, in the
 * lines that nvidia-smi prints.
 *
 *     nvml_open -> nvml_print_..., any number of times -> nvml_close
 *
 * Used only by tuner-nvml (nvml_main.c), a separate process, because a call into the library may
 * hang in the driver for ever, or crash. Nothing from NVIDIA is needed to build it. Libc only. */
#ifndef SCHEDULER_NVML_H
#define SCHEDULER_NVML_H

#include <stdbool.h>
#include <stdio.h>

enum { NVML_WHY_MAX = 160 };

struct nvml;

/* *ret NULL with ret_why "": this machine has no such library or no driver, and none is expected.
 * Any other failure: *ret NULL, and ret_why says why. Waits for the driver without limit. */
void nvml_open(struct nvml **ret, char ret_why[NVML_WHY_MAX]);
void nvml_close(struct nvml *nvml); /* NULL is fine */

/* The lines of `nvidia-smi --format=csv,noheader,nounits` with
 *     --query-gpu=index,uuid,name,memory.total
 *     --query-gpu=uuid,utilization.gpu,memory.used,memory.total,power.draw,temperature.gpu
 *     --query-compute-apps=gpu_uuid,pid,used_memory
 * and of `nvidia-smi -L`, which lists the slices of a divided GPU (MIG) below it; [N/A] for what
 * the library does not report. A lost GPU is left out. False, with ret_why, if no GPU can be
 * queried. */
bool nvml_print_gpus(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX]);
bool nvml_print_samples(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX]);
bool nvml_print_processes(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX]);
bool nvml_print_listing(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX]);

#endif
