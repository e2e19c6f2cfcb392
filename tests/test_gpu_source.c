/* scheduler/gpu_source.h: NVML, by tuner-nvml and a library of ours (tests/nvml), and nvidia-smi, by a script of ours,
 * both from the same files.
 *
 * TUNER_NVML names the program, FAKE_NVML_NEW and FAKE_NVML_OLD the directories of the libraries. */
#include "scheduler/gpu_source.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/gpu_report.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define A "GPU-aaaa0000-0000"
#define B "GPU-bbbb0000-0000"

static const int64_t PATIENCE_US = 60000000, SHORT_US = 300000;

/* A process that not even SIGKILL ends, as we see it. */
static bool nobody_dies;

pid_t waitpid(pid_t pid, int *status, int options)
{
	return nobody_dies ? 0 : (pid_t)syscall(SYS_wait4, pid, status, options, NULL);
}

static char directory[64], old_path[4096];
static struct tuner_error err;

static void write_file(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void write_smi(void)
{
	char path[256], script[1024];
	snprintf(script, sizeof(script),
		"#!/bin/sh\ncd '%s'\ncase \"$1\" in\n--query-gpu=index,*) cat gpus ;;\n"
		"--query-gpu=uuid,*) cat loads ;;\n--query-compute-apps=*) cat apps ;;\nesac\n",
		directory);
	write_file("nvidia-smi", script);
	snprintf(path, sizeof(path), "%s/nvidia-smi", directory);
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", directory);
	setenv("PATH", path, 1);
}

static int set_up(void **state)
{
	strcpy(directory, "/tmp/tuner-source-XXXXXX");
	snprintf(old_path, sizeof(old_path), "%s", getenv("PATH"));
	if (mkdtemp(directory) == NULL)
		return -1;
	setenv("FAKE_NVML", directory, 1);
	setenv("LD_LIBRARY_PATH", getenv("FAKE_NVML_NEW"), 1);
	unsetenv("FAKE_NVML_FAULT");
	unsetenv("CUDA_VISIBLE_DEVICES");
	setenv("PATH", "/nonexistent", 1);
	write_file("gpus", "0, " A ", NVIDIA H0, 10000\n1, " B ", NVIDIA H0, 20000\n");
	write_file(
		"loads", A ", 50, 400, 10000, 200.50, 60\n" B ", [N/A], 3, 20000, [N/A], [N/A]\n");
	write_file("apps", A ", 4242, 300\n" B ", 4243, [N/A]\n" A ", 4244, 70\n");
	return 0;
}

static int tear_down(void **state)
{
	setenv("PATH", old_path, 1);
	unsetenv("LD_LIBRARY_PATH");
	return directory_remove(directory, &err) ? 0 : -1;
}

static struct gpu_source *create(const char *helper, int64_t wait_us)
{
	struct gpu_source *source = NULL;
	if (!gpu_source_create(helper, wait_us, &source, &err))
		fail_msg("%s", err.message);
	return source;
}

static struct gpu_source *nvml(void)
{
	return create(getenv("TUNER_NVML"), PATIENCE_US);
}

static char reason[GPU_REASON_MAX];

static enum gpu_answer ask(struct gpu_source *source, enum gpu_question question, struct text *ret)
{
	enum gpu_answer answer;
	if (!gpu_source_ask(source, question, ret, &answer, reason, &err))
		fail_msg("%s", err.message);
	return answer;
}

static void assert_same(double a, double b)
{
	assert_true(a == b || (isnan(a) && isnan(b)));
}

static void assert_same_report(const struct gpu_report *a, const struct gpu_report *b)
{
	assert_true(a->ok && b->ok);
	assert_int_equal(a->n_samples, b->n_samples);
	for (size_t i = 0; i < a->n_samples; i++) {
		const struct gpu_sample *x = &a->samples[i], *y = &b->samples[i];
		assert_string_equal(x->uuid, y->uuid);
		assert_same(x->utilisation, y->utilisation);
		assert_same(x->power_w, y->power_w);
		assert_same(x->temperature_c, y->temperature_c);
		assert_int_equal(x->memory_used_bytes, y->memory_used_bytes);
		assert_int_equal(x->memory_bytes, y->memory_bytes);
	}
	assert_int_equal(a->n_apps, b->n_apps);
	for (size_t i = 0; i < a->n_apps; i++) {
		const struct gpu_app *x = &a->apps[i], *y = NULL;
		for (size_t k = 0; k < b->n_apps && y == NULL; k++)
			if (b->apps[k].pid == x->pid)
				y = &b->apps[k];
		assert_non_null(y);
		assert_string_equal(x->uuid, y->uuid);
		assert_int_equal(x->memory_bytes, y->memory_bytes);
	}
}

/* Asked twice, so that what lives on between two questions is seen to. */
static void assert_agree(void)
{
	static struct gpu_report by_nvml, by_smi;
	static struct gpu a[GPUS_MAX], b[GPUS_MAX];
	struct gpu_source *one = nvml(), *other = create(NULL, PATIENCE_US);
	enum gpu_lack lack;
	size_t n = 0, m = 0;

	write_smi();
	for (int i = 0; i < 2; i++) {
		assert_true(gpu_report_read(one, &by_nvml, &err));
		assert_true(gpu_report_read(other, &by_smi, &err));
		assert_same_report(&by_nvml, &by_smi);
	}
	gpu_source_destroy(one);
	gpu_source_destroy(other);
	assert_true(machine_gpus(getenv("TUNER_NVML"), a, &n, &lack, reason, &err));
	assert_int_equal(lack, GPUS_THERE);
	assert_true(machine_gpus(NULL, b, &m, &lack, reason, &err));
	assert_int_equal(n, 2);
	assert_int_equal(m, 2);
	assert_memory_equal(a, b, 2 * sizeof(*a));
}

static void nvml_says_what_nvidia_smi_says(void **state)
{
	assert_agree();
}

static void so_does_the_library_of_an_old_driver(void **state)
{
	setenv("LD_LIBRARY_PATH", getenv("FAKE_NVML_OLD"), 1);
	assert_agree();
}

static void so_does_one_whose_entries_are_wider_than_their_version_says(void **state)
{
	setenv("FAKE_NVML_FAULT", "wide", 1);
	assert_agree();
}

static void nvml_needs_no_nvidia_smi_and_tells_what_it_can(void **state)
{
	struct text text = TEXT_EMPTY;
	setenv("FAKE_NVML_FAULT", "power", 1);
	struct gpu_source *source = nvml();
	assert_int_equal(ask(source, GPU_QUESTION_GPUS, &text), GPU_ANSWERED);
	assert_int_equal(ask(source, GPU_QUESTION_SAMPLES, &text), GPU_ANSWERED);
	assert_non_null(strstr(text.bytes, A ", 50, 400, 10000, [N/A], 60\n"));
	gpu_source_destroy(source);
	text_finish(&text);
}

static void a_gpu_that_is_lost_is_left_out_and_the_others_stay(void **state)
{
	struct gpu gpus[GPUS_MAX];
	enum gpu_lack lack;
	size_t n;
	setenv("FAKE_NVML_FAULT", "lost", 1);
	assert_true(machine_gpus(getenv("TUNER_NVML"), gpus, &n, &lack, reason, &err));
	assert_int_equal(n, 1);
	assert_string_equal(gpus[0].uuid, B);
	assert_int_equal(gpus[0].index, 1);
}

static void slices_are_listed_below_their_gpu(void **state)
{
	struct text text = TEXT_EMPTY;
	struct gpu gpus[GPUS_MAX];
	enum gpu_lack lack;
	size_t n;
	setenv("FAKE_NVML_FAULT", "divided", 1);
	struct gpu_source *source = nvml();
	assert_int_equal(ask(source, GPU_QUESTION_LISTING, &text), GPU_ANSWERED);
	assert_string_equal(text.bytes, "GPU 0: NVIDIA H0 (UUID: " A ")\n"
					"  MIG 1g.5gb       Device  0: (UUID: MIG-1)\n"
					"  MIG 3g.5gb       Device  1: (UUID: MIG-3)\n"
					"GPU 1: NVIDIA H0 (UUID: " B ")\nend\n");
	gpu_source_destroy(source);
	assert_true(machine_gpus(getenv("TUNER_NVML"), gpus, &n, &lack, reason, &err));
	assert_int_equal(n, 3);
	assert_string_equal(gpus[1].uuid, "MIG-3");
	assert_string_equal(gpus[1].name, "NVIDIA H0 MIG 3g.5gb");
	assert_string_equal(gpus[2].uuid, B);
	setenv("LD_LIBRARY_PATH", getenv("FAKE_NVML_OLD"), 1);
	source = nvml();
	assert_int_equal(ask(source, GPU_QUESTION_LISTING, &text), GPU_ANSWERED);
	assert_string_equal(text.bytes, "GPU 0: NVIDIA H0 (UUID: " A ")\n"
					"GPU 1: NVIDIA H0 (UUID: " B ")\nend\n");
	gpu_source_destroy(source);
	text_finish(&text);
}

/* ---- which of the two is asked ---- */

static void without_the_library_or_its_driver_nvidia_smi_is_asked(void **state)
{
	struct text text = TEXT_EMPTY;
	static const char *const faults[] = { "no-driver", "init", "none", "none" };
	void *real = dlopen("libnvidia-ml.so.1", RTLD_LAZY);

	write_smi();
	for (int i = 0; i < 4; i++) {
		if (i == 2 && real != NULL)
			continue; /* this machine has one */
		setenv("FAKE_NVML_FAULT", faults[i], 1);
		if (i == 2)
			setenv("LD_LIBRARY_PATH", "/nonexistent", 1);
		struct gpu_source *source =
			create(i < 3 ? getenv("TUNER_NVML") : "/nonexistent", PATIENCE_US);
		/* What only the script says. */
		write_file("gpus", "7, " A ", From nvidia-smi, 1\n");
		assert_int_equal(ask(source, GPU_QUESTION_GPUS, &text), GPU_ANSWERED);
		assert_string_equal(text.bytes, "7, " A ", From nvidia-smi, 1\n");
		gpu_source_destroy(source);
	}
	text_finish(&text);
}

static void where_neither_is_there_is_nothing_to_miss(void **state)
{
	struct text text = TEXT_EMPTY;
	setenv("FAKE_NVML_FAULT", "no-driver", 1);
	struct gpu_source *source = nvml();
	assert_int_equal(ask(source, GPU_QUESTION_GPUS, &text), GPU_NO_DRIVER);
	assert_non_null(strstr(reason, "no nvidia-smi"));
	gpu_source_destroy(source);
	text_finish(&text);
}

static void what_is_wrong_with_nvml_is_said_where_it_is_all_there_is(void **state)
{
	struct text text = TEXT_EMPTY;
	setenv("FAKE_NVML_FAULT", "init", 1);
	struct gpu_source *source = nvml();
	assert_int_equal(ask(source, GPU_QUESTION_GPUS, &text), GPU_NO_ANSWER);
	assert_string_equal(reason, "NVML fails: Driver/library version mismatch");
	gpu_source_destroy(source);
	setenv("FAKE_NVML_FAULT", "count", 1);
	source = nvml();
	assert_int_equal(ask(source, GPU_QUESTION_SAMPLES, &text), GPU_NO_ANSWER);
	assert_string_equal(reason, "NVML fails: Driver/library version mismatch");
	gpu_source_destroy(source);
	text_finish(&text);
}

/* ---- what hangs or crashes ---- */

static void assert_answers(struct gpu_source *source)
{
	struct text text = TEXT_EMPTY;
	unsetenv("FAKE_NVML_FAULT");
	assert_int_equal(ask(source, GPU_QUESTION_SAMPLES, &text), GPU_ANSWERED);
	assert_non_null(strstr(text.bytes, A));
	text_finish(&text);
}

static int pid_of_helper(void)
{
	char path[256];
	int pid = 0;
	snprintf(path, sizeof(path), "%s/pid", directory);
	FILE *file = fopen(path, "r");
	if (file != NULL) {
		if (fscanf(file, "%d", &pid) != 1)
			pid = 0;
		fclose(file);
	}
	return pid;
}

/* Nobody else is killed for it, and the next question has an answer again: by a source that has time. */
static void a_call_that_hangs_costs_the_time_of_one_answer(void **state)
{
	static const char *const faults[] = { "hang", "hang-init" };
	struct text text = TEXT_EMPTY;

	write_smi();
	for (int i = 0; i < 2; i++) {
		struct gpu_source *source = create(getenv("TUNER_NVML"), SHORT_US);
		const int64_t began_us = clock_monotonic_us();
		setenv("FAKE_NVML_FAULT", faults[i], 1);
		enum gpu_answer answer = ask(source, GPU_QUESTION_SAMPLES, &text);
		assert_int_equal(answer, GPU_NO_ANSWER);
		assert_non_null(strstr(reason, "NVML does not answer"));
		assert_true(clock_monotonic_us() - began_us < PATIENCE_US);
		const int pid = pid_of_helper();
		assert_true(pid == 0 || kill(pid, 0) != 0);
		gpu_source_destroy(source);
	}
	text_finish(&text);
}

static void beside_one_that_does_not_die_no_second_one_is_started(void **state)
{
	struct gpu_source *source = create(getenv("TUNER_NVML"), SHORT_US);
	struct text text = TEXT_EMPTY;
	char path[256];

	setenv("FAKE_NVML_FAULT", "hang-init", 1);
	nobody_dies = true;
	assert_int_equal(ask(source, GPU_QUESTION_SAMPLES, &text), GPU_NO_ANSWER);
	assert_non_null(strstr(reason, "NVML does not answer"));
	snprintf(path, sizeof(path), "%s/pid", directory);
	unlink(path);
	assert_int_equal(ask(source, GPU_QUESTION_SAMPLES, &text), GPU_NO_ANSWER);
	assert_non_null(strstr(reason, "NVML hangs in the driver (process "));
	assert_int_equal(pid_of_helper(), 0);
	nobody_dies = false;
	ask(source, GPU_QUESTION_SAMPLES, &text);
	assert_null(strstr(reason, "hangs in the driver"));
	gpu_source_destroy(source);
	text_finish(&text);
}

static void after_a_crash_it_is_started_again(void **state)
{
	struct text text = TEXT_EMPTY;
	struct gpu_source *source = nvml();

	setenv("FAKE_NVML_FAULT", "crash", 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(source, GPU_QUESTION_SAMPLES, &text), GPU_NO_ANSWER);
		assert_string_equal(reason, "NVML crashes");
	}
	assert_answers(source);
	const int pid = pid_of_helper();
	assert_int_equal(kill(pid, 0), 0);
	assert_answers(source);
	assert_int_equal(pid_of_helper(), pid);
	gpu_source_destroy(source);
	assert_int_not_equal(kill(pid, 0), 0);
	text_finish(&text);
}

/* Also while it hangs, when it does not see its input end. */
static void it_dies_with_who_has_started_it(void **state)
{
	struct text text = TEXT_EMPTY;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		setenv("FAKE_NVML_FAULT", "hang-init", 1);
		ask(nvml(), GPU_QUESTION_SAMPLES, &text);
		_exit(1);
	}
	for (int i = 0; i < 6000 && pid_of_helper() == 0; i++)
		usleep(10000);
	const int pid = pid_of_helper();
	assert_true(pid > 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	for (int i = 0; i < 6000; i++) {
		char path[64], state_of[512] = "";
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		FILE *file = fopen(path, "r");
		if (file == NULL)
			return;
		const bool seen = fgets(state_of, sizeof(state_of), file) != NULL;
		fclose(file);
		if (!seen || strstr(state_of, ") Z ") != NULL)
			return;
		usleep(10000);
	}
	fail_msg("process %d lives on", pid);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nvml_says_what_nvidia_smi_says),
		TEST(so_does_the_library_of_an_old_driver),
		TEST(so_does_one_whose_entries_are_wider_than_their_version_says),
		TEST(nvml_needs_no_nvidia_smi_and_tells_what_it_can),
		TEST(a_gpu_that_is_lost_is_left_out_and_the_others_stay),
		TEST(slices_are_listed_below_their_gpu),
		TEST(without_the_library_or_its_driver_nvidia_smi_is_asked),
		TEST(where_neither_is_there_is_nothing_to_miss),
		TEST(what_is_wrong_with_nvml_is_said_where_it_is_all_there_is),
		TEST(a_call_that_hangs_costs_the_time_of_one_answer),
		TEST(beside_one_that_does_not_die_no_second_one_is_started),
		TEST(after_a_crash_it_is_started_again),
		TEST(it_dies_with_who_has_started_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
