#include "scheduler/agent_sample.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/attempt.h"
#include "scheduler/attempt_files.h"
#include "scheduler/gpu_totals.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOK_MS = 1000 };

/* Without a sign of life for this long the supervisor is gone: it gives one every 5 s. */
static const int64_t SILENCE_US = 60000000;

struct sampling {
	const char *directory, *key;
	char *exit_json;
	int64_t began_us;
	struct gpu gpus[GPUS_MAX];
	const char *uuids[GPUS_MAX];
	size_t n;
	struct gpu_totals totals;
	struct gpu_report report;
};

static bool has_ended(const struct sampling *sampling)
{
	return access(sampling->exit_json, F_OK) == 0 || access(sampling->directory, W_OK) != 0;
}

/* Before the first sign of life, our own beginning counts as one. */
static bool lives(const struct sampling *sampling)
{
	int64_t silence_us;

	if (!attempt_silence(sampling->directory, &silence_us) || silence_us < 0)
		silence_us = clock_monotonic_us() - sampling->began_us;
	return silence_us < SILENCE_US;
}

/* Looks often whether the attempt has ended, so that the node is left to the next job. */
static bool outlasts(const struct sampling *sampling, int64_t period_us)
{
	const int64_t until_us = clock_monotonic_us() + period_us;

	for (int64_t left_us; !has_ended(sampling);) {
		if ((left_us = until_us - clock_monotonic_us()) <= 0)
			return lives(sampling);
		poll(NULL, 0,
			left_us < LOOK_MS * INT64_C(1000) ? (int)(left_us / 1000 + 1) : LOOK_MS);
	}
	return false;
}

static void sample(struct sampling *sampling, struct gpu_source *source)
{
	struct tuner_error ignored;

	/* Slurm gives a GPU to one job. */
	if (gpu_report_read(source, &sampling->report, &ignored) && sampling->report.ok &&
		gpu_totals_add(&sampling->totals, &sampling->report, sampling->uuids, sampling->n,
			sampling->key, true))
		(void)!gpu_totals_write(sampling->directory, &sampling->totals, &ignored);
}

/* False: there are none. Whether there are may not be known yet: the driver of a node that was
 * idle takes long to wake. */
static bool may_have_gpus(struct sampling *sampling)
{
	char reason[GPU_REASON_MAX];
	struct tuner_error ignored;
	enum gpu_lack lack;

	if (!machine_gpus(NULL, sampling->gpus, &sampling->n, &lack, reason, &ignored))
		lack = GPUS_BROKEN;
	if (lack != GPUS_THERE)
		sampling->n = 0;
	for (size_t i = 0; i < sampling->n; i++)
		sampling->uuids[i] = sampling->gpus[i].uuid;
	return lack == GPUS_THERE || lack == GPUS_BROKEN;
}

void agent_sample(const char *directory, const char *key, int64_t period_us)
{
	struct sampling *sampling = calloc(1, sizeof(*sampling));
	char *exit_json = path_join(directory, ATTEMPT_EXIT);
	struct gpu_source *source = NULL;
	struct tuner_error ignored;
	bool goes_on;

	if (getenv("CUDA_VISIBLE_DEVICES") == NULL || sampling == NULL || exit_json == NULL ||
		!gpu_source_create(NULL, GPU_SOURCE_WAIT_US, &source, &ignored))
		goto out;
	*sampling = (struct sampling){ .directory = directory,
		.key = key,
		.exit_json = exit_json,
		.began_us = clock_monotonic_us(),
		.totals = GPU_TOTALS_NONE };
	goes_on = may_have_gpus(sampling);
	while (goes_on && outlasts(sampling, period_us)) {
		if (sampling->n > 0)
			sample(sampling, source);
		else
			goes_on = may_have_gpus(sampling);
	}
out:
	gpu_source_destroy(source);
	free(exit_json);
	free(sampling);
}
