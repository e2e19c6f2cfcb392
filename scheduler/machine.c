#include "scheduler/machine.h"

#include "base/io.h"
#include "base/number.h"
#include "base/text.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SMALL_FILE_MAX = 64 * 1024,
	LISTING_TRIES = 2,
};

/* ---- cores ---- */

/* Cores of a quota in cgroup v2's "MAX PERIOD" ("max 100000": no quota); 0: none. */
static double quota_v2(const char *directory)
{
	char path[4200], text[64];
	double quota, period;
	snprintf(path, sizeof(path), "%s/cpu.max", directory);
	if (io_read_small(path, text, sizeof(text)) &&
		sscanf(text, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0)
		return quota / period;
	return 0;
}

static double quota_v1(const char *directory)
{
	char path[4200], quota_text[64], period_text[64];
	double quota, period;
	snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", directory);
	const bool has_quota = io_read_small(path, quota_text, sizeof(quota_text));
	snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", directory);
	if (has_quota && io_read_small(path, period_text, sizeof(period_text)) &&
		sscanf(quota_text, "%lf", &quota) == 1 &&
		sscanf(period_text, "%lf", &period) == 1 && quota > 0 && period > 0)
		return quota / period;
	return 0;
}

/* The tightest quota from our cgroup up to the root; 0: none. In a container the path of our cgroup
 * may be the host's: a missing directory counts as without quota. */
static double tightest(const char *root, const char *group, double (*quota)(const char *directory))
{
	char path[4096];
	double tight = 0;
	const size_t bottom = strlen(root);
	if ((size_t)snprintf(path, sizeof(path), "%s%s", root, group) >= sizeof(path))
		return 0;
	for (;;) {
		const double cores = quota(path);
		if (cores > 0 && (tight == 0 || cores < tight))
			tight = cores;
		char *slash = strrchr(path, '/');
		if (strlen(path) <= bottom || slash == NULL)
			return tight;
		*slash = '\0';
		if (strlen(path) < bottom)
			return tight;
	}
}

/* One line of /proc/self/cgroup: "ID:CONTROLLERS:PATH", v2 with ID 0 and no controllers. */
static double quota_of_line(char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;
	if (path == NULL)
		return 0;
	*path++ = '\0';
	controllers++;
	if (*controllers == '\0')
		return tightest("/sys/fs/cgroup", path, quota_v2);
	char *rest = NULL;
	for (char *name = strtok_r(controllers, ",", &rest); name != NULL;
		name = strtok_r(NULL, ",", &rest))
		if (strcmp(name, "cpu") == 0)
			return tightest("/sys/fs/cgroup/cpu", path, quota_v1);
	return 0;
}

static double cgroup_quota(void)
{
	char text[SMALL_FILE_MAX], *rest = NULL;
	double tight = 0;
	(void)io_read_small("/proc/self/cgroup", text, sizeof(text));
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		const double cores = quota_of_line(line);
		if (cores > 0 && (tight == 0 || cores < tight))
			tight = cores;
	}
	return tight;
}

unsigned machine_cores(void)
{
	cpu_set_t set;
	unsigned cores = 1;
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cores = (unsigned)CPU_COUNT(&set);
	else if (sysconf(_SC_NPROCESSORS_ONLN) > 0)
		cores = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	const double quota = cgroup_quota();
	const unsigned bound = quota > 0 && quota < cores ? (unsigned)(quota + 0.999) : cores;
	return bound > 0 ? bound : 1;
}

void machine_cpu_name(char ret_name[64])
{
	char line[256];
	FILE *file = fopen("/proc/cpuinfo", "re");
	snprintf(ret_name, 64, "unknown");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		const char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) != 0 || colon == NULL)
			continue;
		snprintf(ret_name, 64, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
		break;
	}
	if (file != NULL)
		fclose(file);
}

/* ---- GPUs ---- */

/* "0, GPU-5f3e..., NVIDIA H200, 143771" */
static bool read_gpu(const char *line, struct gpu *ret)
{
	long long mebibytes = 0;
	char index[16];
	*ret = (struct gpu){ 0 };
	if (sscanf(line, " %15[0-9] , %63[^, ] , %95[^,\n] , %lld", index, ret->uuid, ret->name,
		    &mebibytes) < 3)
		return false;
	ret->index = atoi(index);
	ret->memory_bytes = mebibytes * 1024 * 1024; /* 0 for "[N/A]" */
	return true;
}

static size_t read_gpus(const char *text, struct gpu ret_gpus[GPUS_MAX])
{
	size_t n = 0;
	for (; *text != '\0' && n < GPUS_MAX; text += strcspn(text, "\n")) {
		text += strspn(text, "\n");
		if (read_gpu(text, &ret_gpus[n]))
			n++;
	}
	return n;
}

/* ---- slices ---- */

bool gpu_is_slice(const struct gpu *gpu)
{
	return strncmp(gpu->uuid, "MIG-", 4) == 0;
}

/* "  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4...)" */
static bool read_slice(const char *line, const struct gpu *whole, struct gpu *ret)
{
	char profile[24];
	*ret = (struct gpu){ .index = whole->index };
	if (sscanf(line, " MIG %23s Device %*d : (UUID: %63[^) \n])", profile, ret->uuid) != 2 ||
		!gpu_is_slice(ret))
		return false;
	snprintf(ret->name, sizeof(ret->name), "%.60s MIG %s", whole->name, profile);
	return true;
}

/* The slices in the lines below "GPU 0: NVIDIA A100 (UUID: GPU-5d5b...)", up to the next GPU's, as many as fit. */
static size_t read_slices(
	const char *listing, const struct gpu *whole, struct gpu *ret, size_t size)
{
	bool below = false;
	size_t n = 0;
	while (*listing != '\0') {
		const size_t length = strcspn(listing, "\n");
		int index;
		if (sscanf(listing, "GPU %d:", &index) == 1)
			below = index == whole->index;
		else if (below && n < size && read_slice(listing, whole, &ret[n]))
			n++;
		listing += length + (listing[length] == '\n');
	}
	return n;
}

/* A divided GPU cannot be used as a whole: its slices take its place. */
static size_t split_gpus(const char *listing, struct gpu gpus[GPUS_MAX], size_t n)
{
	struct gpu split[GPUS_MAX];
	size_t n_split = 0;
	for (size_t i = 0; i < n && n_split < GPUS_MAX; i++) {
		const size_t slices =
			read_slices(listing, &gpus[i], &split[n_split], GPUS_MAX - n_split);
		if (slices == 0)
			split[n_split] = gpus[i];
		n_split += slices > 0 ? slices : 1;
	}
	memcpy(gpus, split, n_split * sizeof(*gpus));
	return n_split;
}

/* No answer means no slices: most GPUs are whole, and some drivers that answer the other questions
 * do not know this one. The question is repeated, because a driver may fail for a moment, and a
 * divided GPU would then be used as a whole for the entire run. */
static bool look_for_slices(
	struct gpu_source *source, struct gpu gpus[GPUS_MAX], size_t *n, struct tuner_error *err)
{
	struct text listing = TEXT_EMPTY;
	enum gpu_answer answer = GPU_NO_ANSWER;
	char reason[GPU_REASON_MAX];
	bool ok = true;

	for (int i = 0; ok && answer != GPU_ANSWERED && i < LISTING_TRIES; i++)
		ok = gpu_source_ask(source, GPU_QUESTION_LISTING, &listing, &answer, reason, err);
	if (ok && answer == GPU_ANSWERED)
		*n = split_gpus(listing.bytes, gpus, *n);
	text_finish(&listing);
	return ok;
}

/* ---- those that we may use ---- */

static bool is_named(const struct gpu *gpu, const char *name, size_t length)
{
	char index[16];
	snprintf(index, sizeof(index), "%d", gpu->index);
	if (strlen(index) == length && strncmp(index, name, length) == 0)
		return true;
	/* CUDA accepts a prefix of a UUID. */
	return length > 4 && strncmp(gpu->uuid, name, length) == 0;
}

static bool is_among(const struct gpu *gpu, const struct gpu *gpus, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (gpus[i].index == gpu->index && strcmp(gpus[i].uuid, gpu->uuid) == 0)
			return true;
	return false;
}

/* As CUDA reads it: in its order, up to the first invalid entry. An index means all slices of its
 * GPU. A GPU named twice counts once: nobody means two trials on one GPU by it. */
static size_t bound_gpus(const char *visible, struct gpu gpus[GPUS_MAX], size_t n)
{
	struct gpu chosen[GPUS_MAX];
	size_t n_chosen = 0;
	for (;;) {
		visible += strspn(visible, " ");
		const size_t length = strcspn(visible, ", ");
		bool found = false;
		for (size_t i = 0; i < n && length > 0; i++) {
			if (!is_named(&gpus[i], visible, length))
				continue;
			found = true;
			if (!is_among(&gpus[i], chosen, n_chosen))
				chosen[n_chosen++] = gpus[i];
			if (!gpu_is_slice(&gpus[i]))
				break;
		}
		visible += strcspn(visible, ",");
		if (!found || *visible == '\0')
			break;
		visible++;
	}
	memcpy(gpus, chosen, n_chosen * sizeof(*gpus));
	return n_chosen;
}

/* Chooses the usable ones among the existing GPUs. */
static enum gpu_lack choose_gpus(
	struct gpu gpus[GPUS_MAX], size_t *n, char ret_reason[GPU_REASON_MAX])
{
	const char *visible = getenv("CUDA_VISIBLE_DEVICES");

	if (*n == 0) {
		snprintf(ret_reason, GPU_REASON_MAX, "the driver lists none");
		return GPUS_BROKEN;
	}
	if (visible != NULL && (*n = bound_gpus(visible, gpus, *n)) == 0) {
		snprintf(ret_reason, GPU_REASON_MAX, "CUDA_VISIBLE_DEVICES hides them");
		return GPUS_HIDDEN;
	}
	return GPUS_THERE;
}

static bool list_gpus(struct gpu_source *source, struct gpu ret_gpus[GPUS_MAX], size_t *ret_n,
	enum gpu_answer *ret_answer, char ret_reason[GPU_REASON_MAX], struct tuner_error *err)
{
	struct text list = TEXT_EMPTY;
	bool ok = gpu_source_ask(source, GPU_QUESTION_GPUS, &list, ret_answer, ret_reason, err);

	if (ok && *ret_answer == GPU_ANSWERED) {
		*ret_n = read_gpus(list.bytes, ret_gpus);
		ok = *ret_n == 0 || look_for_slices(source, ret_gpus, ret_n, err);
	}
	text_finish(&list);
	return ok;
}

bool machine_gpus(const char *nvml, struct gpu ret_gpus[GPUS_MAX], size_t *ret_n,
	enum gpu_lack *ret_lack, char ret_reason[GPU_REASON_MAX], struct tuner_error *err)
{
	enum gpu_answer answer = GPU_NO_ANSWER;
	struct gpu_source *source = NULL;

	*ret_n = 0;
	ret_reason[0] = '\0';
	const bool ok = gpu_source_create(nvml, GPU_SOURCE_WAIT_US, &source, err) &&
			list_gpus(source, ret_gpus, ret_n, &answer, ret_reason, err);
	gpu_source_destroy(source);
	if (ok && answer == GPU_ANSWERED)
		*ret_lack = choose_gpus(ret_gpus, ret_n, ret_reason);
	else
		*ret_lack = answer == GPU_NO_DRIVER ? GPUS_WITHOUT_DRIVER : GPUS_BROKEN;
	return ok;
}

bool machine_look(bool with_gpus, const char *nvml, struct machine *ret, struct tuner_error *err)
{
	char reason[GPU_REASON_MAX];
	enum gpu_lack lack;

	*ret = (struct machine){ .cores = machine_cores() };
	if (!with_gpus)
		return true;
	if (!machine_gpus(nvml, ret->gpus, &ret->n_gpus, &lack, reason, err))
		return false;
	if (lack == GPUS_BROKEN || lack == GPUS_HIDDEN)
		snprintf(ret->no_gpus, sizeof(ret->no_gpus), "%s", reason);
	return true;
}

/* ---- slots ---- */

static unsigned at_least_one(unsigned n)
{
	return n > 0 ? n : 1;
}

bool machine_slots(unsigned cores, const struct gpu *gpus, size_t n_gpus, unsigned gpus_per_trial,
	unsigned parallel, struct slot ret_slots[SLOTS_MAX], size_t *ret_n, struct tuner_error *err)
{
	size_t n = parallel > 0 ? parallel : at_least_one(cores / 2);

	if (gpus_per_trial > SLOT_GPUS_MAX || (gpus_per_trial > 0 && gpus_per_trial > n_gpus))
		return tuner_fail(err, TUNER_USAGE,
			"a trial asks for %u GPUs; this machine has %zu to give (at most %d each)",
			gpus_per_trial, n_gpus, SLOT_GPUS_MAX);
	if (gpus_per_trial > 0) {
		const size_t fit = n_gpus / gpus_per_trial;
		n = parallel > 0 && parallel < fit ? parallel : fit;
	}
	if (n > SLOTS_MAX)
		return tuner_fail(
			err, TUNER_USAGE, "%zu slots are asked for; at most %d work", n, SLOTS_MAX);
	for (size_t i = 0; i < n; i++) {
		ret_slots[i] = (struct slot){ .cores = at_least_one(cores / (unsigned)n),
			.n_gpus = gpus_per_trial };
		for (unsigned k = 0; k < gpus_per_trial; k++)
			ret_slots[i].gpus[k] = gpus[i * gpus_per_trial + k];
	}
	*ret_n = n;
	return true;
}
