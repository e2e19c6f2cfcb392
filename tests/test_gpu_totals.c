/* Samples of GPUs that are added up, kept in a file, and taken beside an attempt. */
#include "scheduler/gpu_totals.h"

#include "base/file.h"
#include "scheduler/attempt.h"
#include "scheduler/attempt_files.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char *const both[] = { "GPU-a-1", "GPU-b-1" };

static struct gpu_report *report_of(const char *samples, const char *apps)
{
	static struct gpu_report report;

	report = (struct gpu_report){ .ok = true, .apps_known = true };
	report.n_samples = gpu_samples_parse(samples, report.samples);
	report.n_apps = gpu_apps_parse(apps, report.apps);
	return &report;
}

static void samples_become_means_and_peaks(void **state)
{
	struct gpu_totals totals = GPU_TOTALS_NONE;

	assert_true(gpu_totals_add(&totals,
		report_of("GPU-a-1, 20, 900, 9000, 100, 50\nGPU-b-1, 40, 900, 9000, 300, 60\n"
			  "GPU-c-1, 100, 900, 9000, 900, 99\n",
			"GPU-a-1, 7, 500, 1, mine\nGPU-b-1, 8, 600, 1, mine\n"
			"GPU-a-1, 9, 4000, 1, theirs\n"),
		both, 2, "mine", false));
	assert_true(gpu_totals_add(&totals,
		report_of("GPU-a-1, 90, 900, 9000, 200, 55\nGPU-b-1, 50, 900, 9000, [N/A], 40\n",
			"GPU-a-1, 7, 300, 1, mine\n"),
		both, 2, "mine", false));
	assert_int_equal(totals.samples, 2);
	assert_true(totals.utilisation_mean == 50 && totals.utilisation_max == 90);
	assert_true(totals.power_mean_w == 200 && totals.temperature_max_c == 60);
	assert_int_equal(totals.memory_peak_bytes, INT64_C(1100) << 20);
	assert_false(gpu_totals_add(
		&totals, report_of("GPU-c-1, 1, 1, 1, 1, 1\n", ""), both, 2, "mine", true));
	assert_int_equal(totals.samples, 2);
}

static void memory_of_unknown_processes_is_that_of_who_is_alone(void **state)
{
	static const char samples[] = "GPU-a-1, 1, 900, 9000, 100, 50\n";
	struct gpu_totals totals = GPU_TOTALS_NONE;

	assert_true(gpu_totals_add(&totals, report_of(samples, ""), both, 1, "mine", false));
	assert_int_equal(totals.memory_peak_bytes, 0);
	assert_true(gpu_totals_add(&totals, report_of(samples, "GPU-a-1, 7, [N/A], 1, mine\n"),
		both, 1, "mine", false));
	assert_int_equal(totals.memory_peak_bytes, 0);
	assert_true(gpu_totals_add(&totals, report_of("GPU-a-1, 1, 100, 9000, 100, 50\n", ""), both,
		1, "mine", true)); /* less than CUDA takes */
	assert_int_equal(totals.memory_peak_bytes, 0);
	assert_true(gpu_totals_add(&totals, report_of(samples, ""), both, 1, "mine", true));
	assert_int_equal(totals.memory_peak_bytes, INT64_C(900) << 20);
}

static void write_file(const char *directory, const char *name, const char *text)
{
	char path[200];
	struct tuner_error err;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_true(file_write_atomic(path, text, strlen(text), 0700, false, &err));
}

static void totals_are_kept_in_a_file(void **state)
{
	char directory[] = "/tmp/tuner-test-XXXXXX";
	struct gpu_totals totals = GPU_TOTALS_NONE, read;
	struct tuner_error err;

	assert_non_null(mkdtemp(directory));
	assert_false(gpu_totals_read(directory, &read));
	assert_true(read.samples == 0 && isnan(read.power_mean_w));
	assert_true(gpu_totals_write(directory, &totals, &err));
	assert_false(gpu_totals_read(directory, &read)); /* no sample yet */
	totals = (struct gpu_totals){ 3, 1.0 / 3, 99, NAN, 60.5, INT64_C(3) << 32 };
	assert_true(gpu_totals_write(directory, &totals, &err));
	assert_true(gpu_totals_read(directory, &read));
	assert_int_equal(read.samples, 3);
	assert_true(read.utilisation_mean == 1.0 / 3 && read.utilisation_max == 99);
	assert_true(isnan(read.power_mean_w) && read.temperature_max_c == 60.5);
	assert_int_equal(read.memory_peak_bytes, INT64_C(3) << 32);
	write_file(directory, ATTEMPT_GPUS, "{\"samples\": 3, \"utilisation_me");
	assert_false(gpu_totals_read(directory, &read));
	write_file(directory, ATTEMPT_GPUS,
		"{\"samples\": 2, \"memory_peak_bytes\": -5, \"power_mean_w\": true, "
		"\"utilisation_max\": 1e999}");
	assert_true(gpu_totals_read(directory, &read));
	assert_int_equal(read.samples, 2);
	assert_true(read.memory_peak_bytes == 0 && isnan(read.power_mean_w) &&
		    isnan(read.utilisation_max));
	assert_true(directory_remove(directory, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_become_means_and_peaks),
		cmocka_unit_test(memory_of_unknown_processes_is_that_of_who_is_alone),
		cmocka_unit_test(totals_are_kept_in_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
