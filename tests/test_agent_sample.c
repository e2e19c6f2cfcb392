/* When the sampling of an attempt's GPUs ends, and what it leaves. */
#include "scheduler/agent_sample.h"

#include "base/file.h"
#include "scheduler/attempt_files.h"
#include "scheduler/gpu_totals.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static char directory[32], old_path[4096];

static void write_file(const char *name, const char *text)
{
	char path[200];
	struct tuner_error err;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_true(file_write_atomic(path, text, strlen(text), 0700, false, &err));
	assert_int_equal(chmod(path, 0700), 0);
}

static bool is_there(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return access(path, F_OK) == 0;
}

/* The attempt's directory also holds nvidia-smi. At its third sample the attempt ends. */
static int set_up(void **state)
{
	char path[8192];

	snprintf(directory, sizeof(directory), "/tmp/tuner-test-XXXXXX");
	assert_non_null(mkdtemp(directory));
	write_file("nvidia-smi",
		"#!/bin/sh\n"
		"cd \"${0%/*}\" || exit\n"
		"echo x >>asked\n"
		"case $1 in\n"
		"--query-gpu=index*) if [ -e slow ]; then rm slow; exit 9; fi; echo '0, GPU-a-1, "
		"H, 81559'; echo '1, GPU-b-1, H, 81559' ;;\n"
		"--query-gpu=uuid*) echo x >>samples\n"
		"  echo 'GPU-a-1, 10, 2000, 81559, 90, 40'; echo 'GPU-b-1, 30, 3000, 81559, 90, "
		"50'\n"
		"  [ \"$(wc -l <samples)\" -lt 3 ] || : >exit.json ;;\n"
		"esac\n");
	snprintf(old_path, sizeof(old_path), "%s", getenv("PATH"));
	snprintf(path, sizeof(path), "%s:%s", directory, old_path);
	setenv("PATH", path, 1);
	setenv("CUDA_VISIBLE_DEVICES", "1", 1);
	return 0;
}

static int tear_down(void **state)
{
	struct tuner_error err;

	setenv("PATH", old_path, 1);
	unsetenv("CUDA_VISIBLE_DEVICES");
	assert_true(directory_remove(directory, &err));
	return 0;
}

static void the_gpus_that_the_job_has_are_sampled_until_the_attempt_ends(void **state)
{
	struct gpu_totals totals;

	write_file(ATTEMPT_HEARTBEAT, "");
	agent_sample(directory, "k", 10000);
	assert_true(gpu_totals_read(directory, &totals));
	assert_int_equal(totals.samples, 3);
	assert_true(totals.utilisation_mean == 30 && totals.temperature_max_c == 50);
	assert_int_equal(totals.memory_peak_bytes, INT64_C(3000) << 20);
}

static void gpus_of_which_nothing_was_heard_at_first_are_sampled_too(void **state)
{
	struct gpu_totals totals;

	write_file(ATTEMPT_HEARTBEAT, "");
	write_file("slow", "");
	agent_sample(directory, "k", 10000);
	assert_true(gpu_totals_read(directory, &totals));
	assert_int_equal(totals.samples, 3);
}

static void without_gpus_of_its_own_nothing_is_sampled(void **state)
{
	unsetenv("CUDA_VISIBLE_DEVICES");
	agent_sample(directory, "k", 10000);
	assert_false(is_there("asked"));
	setenv("CUDA_VISIBLE_DEVICES", "7", 1); /* there is none */
	agent_sample(directory, "k", 10000);
	assert_false(is_there("samples"));
}

static void of_an_attempt_that_has_ended_nothing_is_sampled(void **state)
{
	write_file(ATTEMPT_EXIT, "{}");
	agent_sample(directory, "k", 10000);
	assert_false(is_there("samples"));
}

static void the_sampling_does_not_outlast_a_supervisor_that_is_gone(void **state)
{
	const struct timespec long_ago[2] = { { .tv_sec = time(NULL) - 3600 },
		{ .tv_sec = time(NULL) - 3600 } };
	char path[200];

	write_file(ATTEMPT_HEARTBEAT, "");
	snprintf(path, sizeof(path), "%s/%s", directory, ATTEMPT_HEARTBEAT);
	assert_int_equal(utimensat(AT_FDCWD, path, long_ago, 0), 0);
	agent_sample(directory, "k", 10000);
	assert_false(is_there("samples"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_gpus_that_the_job_has_are_sampled_until_the_attempt_ends),
		TEST(gpus_of_which_nothing_was_heard_at_first_are_sampled_too),
		TEST(without_gpus_of_its_own_nothing_is_sampled),
		TEST(of_an_attempt_that_has_ended_nothing_is_sampled),
		TEST(the_sampling_does_not_outlast_a_supervisor_that_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
