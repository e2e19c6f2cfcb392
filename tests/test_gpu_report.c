/* What nvidia-smi says of GPUs and of who computes on them. */
#include "scheduler/gpu_report.h"

#include "base/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void samples_are_read_and_what_is_not_said_is_nan(void **state)
{
	struct gpu_sample samples[GPUS_MAX];
	const size_t n = gpu_samples_parse("GPU-a-1, 35, 1234, 81559, 123.45, 45\n"
					   "GPU-b-1,[N/A] , [N/A], [Not Supported], [N/A], 0\n"
					   "Unable to determine the device handle\n"
					   "GPU-c-1, 1, 2\n"
					   "\n"
					   "GPU-d-1, 100, 0, 1, 700, 90",
		samples);
	assert_int_equal(n, 3);
	assert_string_equal(samples[0].uuid, "GPU-a-1");
	assert_true(samples[0].utilisation == 35 && samples[0].power_w == 123.45 &&
		    samples[0].temperature_c == 45);
	assert_int_equal(samples[0].memory_used_bytes, INT64_C(1234) << 20);
	assert_int_equal(samples[0].memory_bytes, INT64_C(81559) << 20);
	assert_true(isnan(samples[1].utilisation) && isnan(samples[1].power_w));
	assert_int_equal(samples[1].memory_used_bytes, -1);
	assert_int_equal(samples[1].memory_bytes, -1);
	assert_string_equal(samples[2].uuid, "GPU-d-1");
}

static void processes_are_read_with_their_memory(void **state)
{
	struct gpu_app apps[GPU_APPS_MAX];
	const size_t n = gpu_apps_parse("GPU-a-1, 4242, 512\n"
					"GPU-a-1, 4243, [N/A]\n"
					"GPU-a-1, -3, 1\n"
					"GPU-a-1, 99999999999, 1\n"
					"GPU-a-1, x, 1\n"
					"No running processes found\n",
		apps);
	assert_int_equal(n, 2);
	assert_int_equal(apps[0].pid, 4242);
	assert_int_equal(apps[0].memory_bytes, INT64_C(512) << 20);
	assert_int_equal(apps[1].memory_bytes, -1);
}

static void more_lines_than_fit_are_left_out(void **state)
{
	struct gpu_app apps[GPU_APPS_MAX];
	struct gpu_sample samples[GPUS_MAX];
	struct text text = TEXT_EMPTY;
	for (int i = 0; i < GPU_APPS_MAX + 5; i++)
		text_print(&text, "GPU-a-1, %d, 1\n", i + 1);
	assert_int_equal(gpu_apps_parse(text.bytes, apps), GPU_APPS_MAX);
	text_clear(&text);
	for (int i = 0; i < GPUS_MAX + 5; i++)
		text_print(&text, "GPU-%d, 1, 1, 1, 1, 1\n", i);
	assert_int_equal(gpu_samples_parse(text.bytes, samples), GPUS_MAX);
	text_clear(&text);
	for (int i = 0; i < 1000; i++)
		text_add(&text, "GPU-a,");
	assert_int_equal(gpu_samples_parse(text.bytes, samples), 1);
	text_finish(&text);
}

/* What is left of a process that has ended and that nobody has waited for. */
static pid_t begin_zombie(void)
{
	siginfo_t info;
	const pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return pid;
}

/* Our own process stands for a trial's: its environment at its start has no key. */
static void whose_a_process_is_its_environment_says(void **state)
{
	char directory[] = "/tmp/tuner-report-XXXXXX", path[8192];
	static struct gpu_report report;
	struct tuner_error err;
	char *old = strdup(getenv("PATH"));
	struct gpu_source *source;
	const pid_t zombie = begin_zombie();

	assert_true(gpu_source_create(NULL, GPU_SOURCE_WAIT_US, &source, &err));
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/nvidia-smi", directory);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"#!/bin/sh\ncase \"$1\" in --query-gpu*) echo 'GPU-a-1, 1, 2, 3, 4, 5' ;;\n"
		"*) TUNER_ATTEMPT_KEY=abc sleep 5 <&- >&- 2>&- & echo \"GPU-a-1, $!, 7\"; sleep "
		"0.1\n"
		"echo 'GPU-a-1, %d, 8'; echo 'GPU-a-1, 2147483647, 9'; echo 'GPU-a-1, %d, 9' ;; "
		"esac\n",
		(int)getpid(), (int)zombie);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(path, sizeof(path), "%s:%s", directory, old);
	setenv("PATH", path, 1);
	assert_true(gpu_report_read(source, &report, &err));
	assert_true(report.ok);
	assert_int_equal(report.n_samples, 1);
	assert_int_equal(report.n_apps, 4);
	assert_true(report.apps[0].seen && strcmp(report.apps[0].key, "abc") == 0);
	assert_true(report.apps[1].seen && report.apps[1].key[0] == '\0');
	assert_false(report.apps[2].seen);
	assert_false(report.apps[3].seen);
	assert_int_equal(waitpid(zombie, NULL, 0), zombie);
	assert_non_null(gpu_report_find(&report, "GPU-a-1"));
	assert_null(gpu_report_find(&report, "GPU-b-1"));

	snprintf(path, sizeof(path), "%s/nvidia-smi", directory);
	assert_int_equal(unlink(path), 0);
	setenv("PATH", directory, 1);
	assert_true(gpu_report_read(source, &report, &err));
	assert_false(report.ok);
	assert_int_equal(report.n_apps, 0);
	gpu_source_destroy(source);
	setenv("PATH", old, 1);
	free(old);
	assert_true(directory_remove(directory, &err));
}

static void a_report_travels_as_text(void **state)
{
	struct gpu_report *sent = calloc(1, sizeof(*sent)), *got = calloc(1, sizeof(*got));
	struct text text = TEXT_EMPTY;

	assert_true(sent != NULL && got != NULL);
	sent->ok = sent->apps_known = true;
	sent->n_samples = gpu_samples_parse("GPU-a-1, 35, 1234, 81559, 123.45, 45\n"
					    "GPU-b-1, [N/A], [N/A], [N/A], [N/A], 0\n",
		sent->samples);
	sent->n_apps = gpu_apps_parse("GPU-a-1, 4242, 512\nGPU-b-1, 7, [N/A]\n", sent->apps);
	sent->apps[0].seen = true;
	snprintf(sent->apps[0].key, sizeof(sent->apps[0].key), "%s",
		"0123456789abcdef0123456789abcdef");
	gpu_report_print(sent, &text);
	gpu_report_parse(text.bytes, got);
	assert_true(got->ok && got->apps_known);
	assert_int_equal(got->n_samples, 2);
	assert_string_equal(got->samples[0].uuid, "GPU-a-1");
	assert_true(got->samples[0].utilisation == 35 && got->samples[0].power_w == 123.45 &&
		    got->samples[0].temperature_c == 45);
	assert_int_equal(got->samples[0].memory_used_bytes, INT64_C(1234) << 20);
	assert_int_equal(got->samples[0].memory_bytes, INT64_C(81559) << 20);
	assert_true(isnan(got->samples[1].utilisation) && isnan(got->samples[1].power_w));
	assert_int_equal(got->samples[1].memory_used_bytes, -1);
	assert_int_equal(got->n_apps, 2);
	assert_int_equal(got->apps[0].pid, 4242);
	assert_int_equal(got->apps[0].memory_bytes, INT64_C(512) << 20);
	assert_true(got->apps[0].seen && !got->apps[1].seen);
	assert_string_equal(got->apps[0].key, sent->apps[0].key);
	assert_int_equal(got->apps[1].memory_bytes, -1);
	assert_string_equal(got->apps[1].key, "");
	text_finish(&text);
	free(sent);
	free(got);
}

static void a_report_without_an_answer_travels_as_such(void **state)
{
	struct gpu_report *sent = calloc(1, sizeof(*sent)), *got = calloc(1, sizeof(*got));
	struct text text = TEXT_EMPTY;

	assert_true(sent != NULL && got != NULL);
	sent->n_samples =
		gpu_samples_parse("GPU-a-1, 35, 1234, 81559, 123.45, 45\n", sent->samples);
	gpu_report_print(sent, &text);
	got->ok = got->apps_known = true;
	gpu_report_parse(text.bytes, got);
	assert_true(!got->ok && !got->apps_known && got->n_samples == 0);
	sent->ok = true; /* only who computes there is not known */
	gpu_report_print(sent, &text);
	gpu_report_parse(text.bytes, got);
	assert_true(got->ok && !got->apps_known && got->n_samples == 1 && got->n_apps == 0);
	text_finish(&text);
	free(sent);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_read_and_what_is_not_said_is_nan),
		cmocka_unit_test(processes_are_read_with_their_memory),
		cmocka_unit_test(more_lines_than_fit_are_left_out),
		cmocka_unit_test(whose_a_process_is_its_environment_says),
		cmocka_unit_test(a_report_travels_as_text),
		cmocka_unit_test(a_report_without_an_answer_travels_as_such),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
