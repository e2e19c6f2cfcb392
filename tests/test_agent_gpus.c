/* What the agent does about its host's GPUs, where no thread can be started and where it can. */
#include "scheduler/agent_gpus.h"

#include "base/clock.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* The linker has the agent call this. */
static bool fails;
static int64_t period_us;
bool __wrap_gpu_watch_create(
	const char *nvml, int64_t period, struct gpu_watch **ret, struct tuner_error *err);
bool __real_gpu_watch_create(
	const char *nvml, int64_t period, struct gpu_watch **ret, struct tuner_error *err);

bool __wrap_gpu_watch_create(
	const char *nvml, int64_t period, struct gpu_watch **ret, struct tuner_error *err)
{
	period_us = period;
	return fails ? tuner_fail(err, TUNER_RETRY, "no thread")
		     : __real_gpu_watch_create(nvml, period, ret, err);
}

static struct agent_gpus *make(void)
{
	struct agent_gpus *gpus = calloc(1, sizeof(*gpus));
	assert_non_null(gpus);
	return gpus;
}

static void without_a_watch_one_report_says_that_there_is_no_answer(void **state)
{
	struct agent_gpus *gpus = make();
	struct text report = TEXT_EMPTY;
	int64_t asked_us = -1;

	assert_false(agent_gpus_take(gpus, &asked_us, &report));
	fails = true;
	agent_gpus_watch(gpus, 5000000);
	fails = false;
	assert_true(agent_gpus_take(gpus, &asked_us, &report));
	assert_true(asked_us > 0);
	assert_string_equal(report.bytes, "");
	assert_false(agent_gpus_take(gpus, &asked_us, &report));
	text_finish(&report);
	free(gpus);
}

static void a_watch_begins_once_and_not_too_often(void **state)
{
	struct agent_gpus *gpus = make();
	struct text report = TEXT_EMPTY;
	int64_t asked_us;

	agent_gpus_watch(gpus, 1);
	assert_int_equal(period_us, GPU_WATCH_LEAST_MS * 1000);
	struct gpu_watch *first = gpus->watch;
	agent_gpus_watch(gpus, 7000000);
	assert_ptr_equal(gpus->watch, first);
	assert_int_equal(period_us, GPU_WATCH_LEAST_MS * 1000);
	for (int i = 0; i < 3000 && !agent_gpus_take(gpus, &asked_us, &report); i++)
		usleep(10000);
	assert_true(asked_us > 0 && asked_us <= clock_monotonic_us());
	gpu_watch_destroy(gpus->watch);
	text_finish(&report);
	free(gpus);
}

static void no_more_locks_are_held_than_there_may_be_gpus(void **state)
{
	struct agent_gpus *gpus = make();
	struct tuner_error err;
	char directory[] = "/tmp/tuner-test-XXXXXX", uuid[80], who[GPU_OWNER_MAX];

	assert_non_null(mkdtemp(directory));
	setenv("TUNER_GPU_LOCKS", directory, 1);
	agent_gpus_begin(gpus);
	for (int i = 0; i < GPUS_MAX; i++) {
		snprintf(uuid, sizeof(uuid), "GPU-%d", i);
		assert_int_equal(agent_gpus_claim(gpus, uuid, "job@1", who), GPU_CLAIMED);
		assert_int_equal(agent_gpus_claim(gpus, uuid, "job@1", who), GPU_CLAIMED);
	}
	assert_int_equal(gpus->n_held, GPUS_MAX);
	assert_int_equal(agent_gpus_claim(gpus, "GPU-x", "job@1", who), GPU_UNLOCKABLE);
	assert_string_not_equal(who, "");
	agent_gpus_release(gpus, "GPU-nobody-has");
	assert_int_equal(gpus->n_held, GPUS_MAX);
	agent_gpus_release(gpus, "GPU-0");
	assert_int_equal(agent_gpus_claim(gpus, "GPU-x", "job@1", who), GPU_CLAIMED);
	memset(uuid, 'u', sizeof(uuid));
	uuid[sizeof(uuid) - 1] = '\0'; /* longer than any */
	agent_gpus_release(gpus, "GPU-1");
	assert_int_equal(agent_gpus_claim(gpus, uuid, "job@1", who), GPU_UNLOCKABLE);
	assert_int_equal(agent_gpus_claim(gpus, "../GPU-1", "job@1", who), GPU_UNLOCKABLE);
	while (gpus->n_held > 0)
		agent_gpus_release(gpus, gpus->held[0].uuid);
	unsetenv("TUNER_GPU_LOCKS");
	assert_true(directory_remove(directory, &err));
	free(gpus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_watch_one_report_says_that_there_is_no_answer),
		cmocka_unit_test(a_watch_begins_once_and_not_too_often),
		cmocka_unit_test(no_more_locks_are_held_than_there_may_be_gpus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
