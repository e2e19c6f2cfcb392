/* libnvidia-ml.so.1 of tests. GPUs, loads and processes stand in the files of directory $FAKE_NVML, in the lines that
 * nvidia-smi prints (tests/gpu.bats): gpus, loads, apps and app-*. What $FAKE_NVML_FAULT names goes wrong:
 *
 *     init, count     fails
 *     no-driver       there is no driver
 *     lost            GPU 0 is lost
 *     power           is not told
 *     hang-init, hang a call does not return
 *     crash           a call ends the process
 *     divided         GPU 0 has two slices, the second and fourth of seven places
 *     wide            entries of processes have 32 bytes, as in the first drivers of series 535
 *
 * Our pid goes to $FAKE_NVML/pid. With OLD_DRIVER it has what the library had before 2020, under the old names. */
#include <glob.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SUCCESS,
	INVALID_ARGUMENT = 2,
	NOT_SUPPORTED = 3,
	NOT_FOUND = 6,
	INSUFFICIENT_SIZE = 7,
	DRIVER_NOT_LOADED = 9,
	GPU_IS_LOST = 15,
	VERSION_MISMATCH = 18
};
enum { GPUS = 64, LINE = 256 };

struct device {
	unsigned index;
	unsigned slice; /* 0: the whole GPU */
};
static struct device devices[GPUS];

#ifdef OLD_DRIVER
#define NAME(name) name
#else
#define NAME(name) name##_v2
#endif

int NAME(nvmlInit)(void);
int nvmlShutdown(void);
const char *nvmlErrorString(int error);
int NAME(nvmlDeviceGetCount)(unsigned *ret);
int NAME(nvmlDeviceGetHandleByIndex)(unsigned index, struct device **ret);
int nvmlDeviceGetUUID(struct device *device, char *ret, unsigned size);
int nvmlDeviceGetName(struct device *device, char *ret, unsigned size);
int nvmlDeviceGetUtilizationRates(struct device *device, unsigned ret[2]);
int nvmlDeviceGetPowerUsage(struct device *device, unsigned *ret);
int nvmlDeviceGetTemperature(struct device *device, int sensor, unsigned *ret);

static int has_fault(const char *name)
{
	const char *fault = getenv("FAKE_NVML_FAULT");
	return fault != NULL && strcmp(fault, name) == 0;
}

static FILE *open_file(const char *name, const char *mode)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", getenv("FAKE_NVML"), name);
	return fopen(path, mode);
}

/* Field `field` of line `line`, from 0; "" if there is none. */
static void field_of(const char *file, unsigned line, unsigned field, char ret[LINE])
{
	char text[LINE];
	FILE *in = open_file(file, "re");
	unsigned n = 0;

	ret[0] = '\0';
	while (in != NULL && fgets(text, sizeof(text), in) != NULL) {
		char *rest = NULL, *word = strtok_r(text, ",\n", &rest);
		for (unsigned k = 0; word != NULL && k < field; k++)
			word = strtok_r(NULL, ",\n", &rest);
		if (n++ == line && word != NULL)
			snprintf(ret, LINE, "%s", word + strspn(word, " "));
	}
	if (in != NULL)
		fclose(in);
}

static double load_of(const struct device *device, unsigned field, int *ret_error)
{
	char text[LINE], *end = text;
	field_of("loads", device->index, field, text);
	const double value = strtod(text, &end);
	*ret_error = end == text ? NOT_SUPPORTED : SUCCESS;
	return value;
}

static void hang(void)
{
	for (;;)
		pause();
}

/* ---- what all drivers have ---- */

int NAME(nvmlInit)(void)
{
	FILE *out = open_file("pid", "we");
	if (out != NULL) {
		fprintf(out, "%d\n", (int)getpid());
		fclose(out);
	}
	if (has_fault("hang-init"))
		hang();
	return has_fault("init")        ? VERSION_MISMATCH
	       : has_fault("no-driver") ? DRIVER_NOT_LOADED
					: SUCCESS;
}

int nvmlShutdown(void)
{
	return SUCCESS;
}

const char *nvmlErrorString(int error)
{
	return error == VERSION_MISMATCH ? "Driver/library version mismatch" : "Unknown Error";
}

int NAME(nvmlDeviceGetCount)(unsigned *ret)
{
	char text[LINE];
	if (has_fault("count"))
		return VERSION_MISMATCH;
	for (*ret = 0; field_of("gpus", *ret, 1, text), text[0] != '\0'; (*ret)++)
		;
	return SUCCESS;
}

int NAME(nvmlDeviceGetHandleByIndex)(unsigned index, struct device **ret)
{
	if (index >= GPUS)
		return INVALID_ARGUMENT;
	if (index == 0 && has_fault("lost"))
		return GPU_IS_LOST;
	devices[index].index = index;
	*ret = &devices[index];
	return SUCCESS;
}

static int copy_field(struct device *device, unsigned field, char *ret, unsigned size)
{
	char text[LINE];
	field_of("gpus", device->index, field, text);
	const int n = device->slice == 0 ? snprintf(ret, size, "%s", text)
		      : field == 1       ? snprintf(ret, size, "MIG-%u", device->slice)
				   : snprintf(ret, size, "%s MIG %ug.5gb", text, device->slice);
	return n < (int)size ? SUCCESS : INSUFFICIENT_SIZE;
}

int nvmlDeviceGetUUID(struct device *device, char *ret, unsigned size)
{
	return copy_field(device, 1, ret, size);
}

int nvmlDeviceGetName(struct device *device, char *ret, unsigned size)
{
	return copy_field(device, 2, ret, size);
}

int nvmlDeviceGetUtilizationRates(struct device *device, unsigned ret[2])
{
	int error;
	if (has_fault("hang"))
		hang();
	if (has_fault("crash"))
		kill(getpid(), SIGKILL);
	ret[0] = (unsigned)load_of(device, 1, &error);
	ret[1] = 1;
	return error;
}

int nvmlDeviceGetPowerUsage(struct device *device, unsigned *ret)
{
	int error;
	*ret = (unsigned)(load_of(device, 4, &error) * 1000 + 0.5);
	return has_fault("power") ? NOT_SUPPORTED : error;
}

int nvmlDeviceGetTemperature(struct device *device, int sensor, unsigned *ret)
{
	int error;
	*ret = (unsigned)load_of(device, 5, &error);
	return sensor == 0 ? error : INVALID_ARGUMENT;
}

static int memory_of(
	struct device *device, unsigned long long *ret_total, unsigned long long *ret_used)
{
	char text[LINE], *end = text;
	int error;
	field_of("gpus", device->index, 3, text);
	*ret_total = strtoull(text, &end, 10) << 20;
	*ret_used = (unsigned long long)load_of(device, 2, &error) << 20;
	return end == text ? NOT_SUPPORTED : SUCCESS;
}

/* Entries of `size` bytes, by the offsets of the published structures. */
static int list_processes(struct device *device, unsigned *n, void *ret, size_t size)
{
	char uuid[LINE], app[LINE], pattern[4096], pid[LINE], mebibytes[LINE];
	unsigned char *entry = ret;
	const unsigned room = *n;
	glob_t files = { 0 };

	nvmlDeviceGetUUID(device, uuid, sizeof(uuid));
	snprintf(pattern, sizeof(pattern), "%s/app*", getenv("FAKE_NVML"));
	glob(pattern, 0, NULL, &files);
	*n = 0;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *file = strrchr(files.gl_pathv[i], '/') + 1;
		for (unsigned line = 0; field_of(file, line, 0, app), app[0] != '\0'; line++) {
			field_of(file, line, 1, pid);
			field_of(file, line, 2, mebibytes);
			if (strcmp(app, uuid) != 0 || ++*n > room)
				continue;
			const unsigned number = (unsigned)atoi(pid), instance = UINT32_MAX;
			const unsigned long long zero = 0,
						 used = mebibytes[0] == '['
								? UINT64_MAX
								: strtoull(mebibytes, NULL, 10)
									  << 20;
			memcpy(entry, &number, 4);
			memcpy(entry + 8, &used, 8);
			if (size >= 24) {
				memcpy(entry + 16, &instance, 4);
				memcpy(entry + 20, &instance, 4);
			}
			if (size >= 32)
				memcpy(entry + 24, &zero, 8);
			entry += size;
		}
	}
	globfree(&files);
	return *n > room ? INSUFFICIENT_SIZE : SUCCESS;
}

/* ---- what depends on the driver ---- */

int nvmlDeviceGetMemoryInfo(struct device *device, unsigned long long ret[3]);
int nvmlDeviceGetComputeRunningProcesses(struct device *device, unsigned *n, void *ret);

/* Here what the driver keeps for itself is in use, too. */
int nvmlDeviceGetMemoryInfo(struct device *device, unsigned long long ret[3])
{
	const int error = memory_of(device, &ret[0], &ret[2]);
#ifndef OLD_DRIVER
	ret[2] += 600ull << 20;
#endif
	ret[1] = ret[0] - ret[2];
	return error;
}

int nvmlDeviceGetComputeRunningProcesses(struct device *device, unsigned *n, void *ret)
{
	return list_processes(device, n, ret, 16);
}

#ifndef OLD_DRIVER

static struct device slices[8];

int nvmlDeviceGetMaxMigDeviceCount(struct device *device, unsigned *ret);
int nvmlDeviceGetMigDeviceHandleByIndex(struct device *device, unsigned place, struct device **ret);

int nvmlDeviceGetMaxMigDeviceCount(struct device *device, unsigned *ret)
{
	*ret = device->index == 0 && has_fault("divided") ? 7 : 0;
	return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(struct device *device, unsigned place, struct device **ret)
{
	if (!has_fault("divided") || (place != 1 && place != 3))
		return NOT_FOUND;
	slices[place] = (struct device){ .index = device->index, .slice = place };
	*ret = &slices[place];
	return SUCCESS;
}

struct memory_v2 {
	unsigned version;
	unsigned long long total, reserved, free, used;
};

int nvmlDeviceGetMemoryInfo_v2(struct device *device, struct memory_v2 *ret);
int nvmlDeviceGetComputeRunningProcesses_v2(struct device *device, unsigned *n, void *ret);
int nvmlDeviceGetComputeRunningProcesses_v3(struct device *device, unsigned *n, void *ret);

int nvmlDeviceGetMemoryInfo_v2(struct device *device, struct memory_v2 *ret)
{
	if (ret->version != (40 | 2 << 24))
		return INVALID_ARGUMENT;
	ret->reserved = 600ull << 20;
	const int error = memory_of(device, &ret->total, &ret->used);
	ret->free = ret->total - ret->used - ret->reserved;
	return error;
}

int nvmlDeviceGetComputeRunningProcesses_v2(struct device *device, unsigned *n, void *ret)
{
	return list_processes(device, n, ret, 24);
}

int nvmlDeviceGetComputeRunningProcesses_v3(struct device *device, unsigned *n, void *ret)
{
	return list_processes(device, n, ret, has_fault("wide") ? 32 : 24);
}

#endif
