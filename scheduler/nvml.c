#include "scheduler/nvml.h"

#include <ctype.h>
#include <dlfcn.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- the library's interface, after its reference ---- */

/* nvmlReturn_t: an int, of which these matter. */
enum { SUCCESS = 0, DRIVER_NOT_LOADED = 9, LIBRARY_NOT_FOUND = 12 };

enum {
	SENSOR_GPU = 0,
	TEXT_BYTES = 96, /* a name, a UUID */
	PROCESSES_MAX = 1024,
};

typedef struct nvmlDevice_st *device_handle;

struct memory {
	unsigned long long total, free,
		used; /* bytes; used: includes memory reserved by the driver */
};

/* Since driver 510; nvidia-smi shows these values since then. */
struct memory_v2 {
	unsigned version; /* set by the caller */
	unsigned long long total, reserved, free, used; /* used: by programs */
};
static const unsigned MEMORY_VERSION_2 = sizeof(struct memory_v2) | 2u << 24;

struct utilisation {
	unsigned gpu, memory; /* percent */
};

/* The common beginning of all versions of the list of processes. */
struct process_head {
	unsigned pid;
	unsigned long long used_bytes;
};
static const unsigned long long NOT_AVAILABLE = ULLONG_MAX;

struct nvml {
	void *library;
	int (*init)(void);
	int (*shutdown)(void);
	const char *(*error_text)(int);
	int (*count)(unsigned *);
	int (*by_index)(unsigned, device_handle *);
	int (*uuid)(device_handle, char *, unsigned);
	int (*name)(device_handle, char *, unsigned);
	int (*memory)(device_handle, struct memory *);
	int (*memory_v2)(device_handle, struct memory_v2 *);
	int (*utilisation)(device_handle, struct utilisation *);
	int (*power_mw)(device_handle, unsigned *);
	int (*temperature)(device_handle, int, unsigned *);
	int (*processes)(device_handle, unsigned *, void *);
	int (*slices_max)(device_handle, unsigned *);
	int (*slice)(device_handle, unsigned, device_handle *);
};

/* Newest first. What an old driver's library lacks is not reported. */
static const struct {
	size_t place;
	bool needed;
	const char *names[3];
} functions[] = {
	{ offsetof(struct nvml, init), true, { "nvmlInit_v2", "nvmlInit" } },
	{ offsetof(struct nvml, shutdown), false, { "nvmlShutdown" } },
	{ offsetof(struct nvml, error_text), false, { "nvmlErrorString" } },
	{ offsetof(struct nvml, count), true, { "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount" } },
	{ offsetof(struct nvml, by_index), true,
		{ "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex" } },
	{ offsetof(struct nvml, uuid), true, { "nvmlDeviceGetUUID" } },
	{ offsetof(struct nvml, name), false, { "nvmlDeviceGetName" } },
	{ offsetof(struct nvml, memory), false, { "nvmlDeviceGetMemoryInfo" } },
	{ offsetof(struct nvml, memory_v2), false, { "nvmlDeviceGetMemoryInfo_v2" } },
	{ offsetof(struct nvml, utilisation), false, { "nvmlDeviceGetUtilizationRates" } },
	{ offsetof(struct nvml, power_mw), false, { "nvmlDeviceGetPowerUsage" } },
	{ offsetof(struct nvml, temperature), false, { "nvmlDeviceGetTemperature" } },
	{ offsetof(struct nvml, processes), false,
		{ "nvmlDeviceGetComputeRunningProcesses_v3",
			"nvmlDeviceGetComputeRunningProcesses_v2",
			"nvmlDeviceGetComputeRunningProcesses" } },
	{ offsetof(struct nvml, slices_max), false, { "nvmlDeviceGetMaxMigDeviceCount" } },
	{ offsetof(struct nvml, slice), false, { "nvmlDeviceGetMigDeviceHandleByIndex" } },
};

/* ---- opening ---- */

/* Returns the first needed one that is missing. */
static const char *find_functions(struct nvml *nvml)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		void *found = NULL;
		for (size_t k = 0; k < 3 && found == NULL && functions[i].names[k] != NULL; k++)
			found = dlsym(nvml->library, functions[i].names[k]);
		if (found == NULL && functions[i].needed)
			return functions[i].names[0];
		/* POSIX: the bits of the one are those of the other. */
		memcpy((char *)nvml + functions[i].place, &found, sizeof(found));
	}
	return NULL;
}

static void explain(const struct nvml *nvml, int error, char ret_why[NVML_WHY_MAX])
{
	const char *text = nvml->error_text != NULL ? nvml->error_text(error) : NULL;

	if (text != NULL)
		snprintf(ret_why, NVML_WHY_MAX, "%.120s", text);
	else
		snprintf(ret_why, NVML_WHY_MAX, "error %d", error);
}

/* False on failure; ret_why is "" if no GPUs are expected. */
static bool begin(struct nvml *nvml, char ret_why[NVML_WHY_MAX])
{
	nvml->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
	if (nvml->library == NULL)
		return false;
	const char *missing = find_functions(nvml);
	if (missing != NULL) {
		snprintf(ret_why, NVML_WHY_MAX, "libnvidia-ml.so.1 has no %s", missing);
		return false;
	}
	const int error = nvml->init();
	if (error != SUCCESS && error != DRIVER_NOT_LOADED && error != LIBRARY_NOT_FOUND)
		explain(nvml, error, ret_why);
	return error == SUCCESS;
}

void nvml_open(struct nvml **ret, char ret_why[NVML_WHY_MAX])
{
	struct nvml *nvml = calloc(1, sizeof(*nvml));

	ret_why[0] = '\0';
	*ret = NULL;
	if (nvml == NULL) {
		snprintf(ret_why, NVML_WHY_MAX, "out of memory");
	} else if (begin(nvml, ret_why)) {
		*ret = nvml;
	} else {
		if (nvml->library != NULL)
			dlclose(nvml->library);
		free(nvml);
	}
}

void nvml_close(struct nvml *nvml)
{
	if (nvml == NULL)
		return;
	if (nvml->shutdown != NULL)
		nvml->shutdown();
	dlclose(nvml->library);
	free(nvml);
}

/* ---- asking ---- */

/* Removes characters that would end a field of a line. */
static void tidy(char *text)
{
	text[TEXT_BYTES - 1] = '\0';
	for (; *text != '\0'; text++)
		if (*text == ',' || iscntrl((unsigned char)*text))
			*text = ' ';
}

/* False: the GPU is lost, or does not exist. */
static bool find(
	const struct nvml *nvml, unsigned index, device_handle *ret, char ret_uuid[TEXT_BYTES])
{
	memset(ret_uuid, 0, TEXT_BYTES);
	if (nvml->by_index(index, ret) != SUCCESS ||
		nvml->uuid(*ret, ret_uuid, TEXT_BYTES) != SUCCESS)
		return false;
	tidy(ret_uuid);
	return ret_uuid[0] != '\0';
}

static bool count(const struct nvml *nvml, unsigned *ret, char ret_why[NVML_WHY_MAX])
{
	const int error = nvml->count(ret);

	if (error != SUCCESS)
		explain(nvml, error, ret_why);
	return error == SUCCESS;
}

static void print_mebibytes(FILE *out, bool known, unsigned long long bytes)
{
	if (known)
		fprintf(out, ", %llu", bytes >> 20);
	else
		fputs(", [N/A]", out);
}

static bool find_memory(const struct nvml *nvml, device_handle device, struct memory *ret)
{
	struct memory_v2 newer = { .version = MEMORY_VERSION_2 };

	if (nvml->memory_v2 != NULL && nvml->memory_v2(device, &newer) == SUCCESS) {
		*ret = (struct memory){ newer.total, newer.free, newer.used };
		return true;
	}
	return nvml->memory != NULL && nvml->memory(device, ret) == SUCCESS;
}

static void find_name(const struct nvml *nvml, device_handle device, char ret[TEXT_BYTES])
{
	if (nvml->name == NULL || nvml->name(device, ret, TEXT_BYTES) != SUCCESS)
		snprintf(ret, TEXT_BYTES, "NVIDIA GPU");
	tidy(ret);
}

bool nvml_print_gpus(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX])
{
	char uuid[TEXT_BYTES], name[TEXT_BYTES];
	struct memory memory = { 0 };
	device_handle device;
	unsigned n = 0;

	if (!count(nvml, &n, ret_why))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!find(nvml, i, &device, uuid))
			continue;
		find_name(nvml, device, name);
		fprintf(out, "%u, %s, %s", i, uuid, name);
		const bool known = find_memory(nvml, device, &memory);
		print_mebibytes(out, known, memory.total);
		fputc('\n', out);
	}
	return true;
}

bool nvml_print_samples(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX])
{
	char uuid[TEXT_BYTES];
	unsigned n = 0, value = 0;
	device_handle device;

	if (!count(nvml, &n, ret_why))
		return false;
	for (unsigned i = 0; i < n; i++) {
		struct utilisation utilisation = { 0 };
		struct memory memory = { 0 };
		if (!find(nvml, i, &device, uuid))
			continue;
		fputs(uuid, out);
		if (nvml->utilisation != NULL && nvml->utilisation(device, &utilisation) == SUCCESS)
			fprintf(out, ", %u", utilisation.gpu);
		else
			fputs(", [N/A]", out);
		const bool known = find_memory(nvml, device, &memory);
		print_mebibytes(out, known, memory.used);
		print_mebibytes(out, known, memory.total);
		if (nvml->power_mw != NULL && nvml->power_mw(device, &value) == SUCCESS)
			fprintf(out, ", %u.%02u", value / 1000, value % 1000 / 10);
		else
			fputs(", [N/A]", out);
		if (nvml->temperature != NULL &&
			nvml->temperature(device, SENSOR_GPU, &value) == SUCCESS)
			fprintf(out, ", %u\n", value);
		else
			fputs(", [N/A]\n", out);
	}
	return true;
}

/* ---- processes ---- */

/* An entry has 16 bytes in the first version, 24 in the second; in the third 24, but 32 in the
 * first drivers of series 535, under the same name. So its size is inferred from what the library
 * has written: all versions end with a field that is written completely, and whose value is never
 * UNWRITTEN in every byte. */
enum { ENTRY_BYTES_MAX = 32, UNWRITTEN = 0xa5 };

static size_t entry_size(const unsigned char *bytes, unsigned n)
{
	size_t end = (size_t)PROCESSES_MAX * ENTRY_BYTES_MAX;

	while (end > 0 && bytes[end - 1] == UNWRITTEN)
		end--;
	for (size_t size = 16; size <= ENTRY_BYTES_MAX; size += 8)
		if (end == n * size)
			return size;
	return 0;
}

static void print_processes_of(
	const struct nvml *nvml, device_handle device, const char *uuid, FILE *out)
{
	static _Alignas(16) unsigned char bytes[PROCESSES_MAX * ENTRY_BYTES_MAX];
	unsigned n = PROCESSES_MAX;

	memset(bytes, UNWRITTEN, sizeof(bytes));
	if (nvml->processes(device, &n, bytes) != SUCCESS || n > PROCESSES_MAX)
		return;
	const size_t size = entry_size(bytes, n);
	for (unsigned i = 0; size > 0 && i < n; i++) {
		struct process_head head;
		memcpy(&head, bytes + i * size, sizeof(head));
		fprintf(out, "%s, %u", uuid, head.pid);
		print_mebibytes(out, head.used_bytes != NOT_AVAILABLE, head.used_bytes);
		fputc('\n', out);
	}
}

bool nvml_print_processes(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX])
{
	char uuid[TEXT_BYTES];
	device_handle device;
	unsigned n = 0;

	if (!count(nvml, &n, ret_why))
		return false;
	for (unsigned i = 0; nvml->processes != NULL && i < n; i++)
		if (find(nvml, i, &device, uuid))
			print_processes_of(nvml, device, uuid, out);
	return true;
}

/* ---- slices ---- */

/* Indices of slices have gaps. The profile ends the name: "NVIDIA A100-SXM4-40GB MIG 3g.20gb". */
static void print_slices_of(const struct nvml *nvml, device_handle device, FILE *out)
{
	char uuid[TEXT_BYTES], name[TEXT_BYTES];
	unsigned n = 0, found = 0;
	device_handle slice;

	if (nvml->slices_max == NULL || nvml->slice == NULL ||
		nvml->slices_max(device, &n) != SUCCESS)
		return;
	for (unsigned i = 0; i < n; i++) {
		memset(uuid, 0, sizeof(uuid));
		if (nvml->slice(device, i, &slice) != SUCCESS ||
			nvml->uuid(slice, uuid, TEXT_BYTES) != SUCCESS)
			continue;
		tidy(uuid);
		find_name(nvml, slice, name);
		const char *profile = strstr(name, " MIG ");
		fprintf(out, "  MIG %-12s Device %2u: (UUID: %s)\n",
			profile != NULL ? profile + strlen(" MIG ") : "slice", found++, uuid);
	}
}

bool nvml_print_listing(const struct nvml *nvml, FILE *out, char ret_why[NVML_WHY_MAX])
{
	char uuid[TEXT_BYTES], name[TEXT_BYTES];
	device_handle device;
	unsigned n = 0;

	if (!count(nvml, &n, ret_why))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!find(nvml, i, &device, uuid))
			continue;
		find_name(nvml, device, name);
		fprintf(out, "GPU %u: %s (UUID: %s)\n", i, name, uuid);
		print_slices_of(nvml, device, out);
	}
	return true;
}
