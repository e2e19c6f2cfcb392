/* NVIDIA's management library, loaded at run time: what the GPUs of this machine are and do, in the lines that
 * nvidia-smi prints.
 *
 *     nvml_open -> nvml_print_..., any number of times -> nvml_close
 *
 * Only tuner-nvml (nvml_main.c) uses it, a process of its own: a call into the library may hang in the driver for
 * ever, or crash. Nothing of NVIDIA's is needed to build it. Libc only. */
#ifndef SCHEDULER_NVML_H
#define SCHEDULER_NVML_H

#include <stdbool.h>
#include <stdio.h>

enum { NVML_WHY_MAX = 160 };

struct nvml;

/* *ret NULL with ret_why "": this machine has no such library, or no driver, and none to miss. *ret NULL and why not
 * otherwise. Waits for the driver, without an end. */
void nvml_open(struct nvml **ret, char ret_why[NVML_WHY_MAX]);
void nvml_close(struct nvml *nvml); /* NULL is fine */

/* The lines of `nvidia-smi --format=csv,noheader,nounits` with
 *     --query-gpu=index,uuid,name,memory.total
 *     --query-gpu=uuid,utilization.gpu,memory.used,memory.total,power.draw,temperature.gpu
 *     --query-compute-apps=gpu_uuid,pid,used_memory
 * and of `nvidia-smi -L`, where the slices of a divided GPU (MIG) stand below it; with [N/A] for what the library does
 * not tell. A GPU that is lost is left out. False, and why, if none can be asked. */
bool nvml_print_gpus(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX]);
bool nvml_print_samples(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX]);
bool nvml_print_processes(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX]);
bool nvml_print_listing(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX]);

#endif
