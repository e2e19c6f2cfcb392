/* This machine, with an nvidia-smi of ours on PATH. */
#include "base/file.h"
#include "scheduler/machine.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define FOUR_GPUS                                                                                  \
	"cat <<END\n"                                                                              \
	"0, GPU-aaaa0000-1111, NVIDIA H200, 143771\n"                                              \
	"1, GPU-bbbb0000-1111, NVIDIA H200, 143771\n"                                              \
	"2, GPU-cccc0000-1111, NVIDIA H200, 143771\n"                                              \
	"3, GPU-dddd0000-1111, NVIDIA H200, [N/A]\n"                                               \
	"END\n"

static char directory[64], old_path[4096];

/* PATH gets a directory in front, with this script as nvidia-smi. */
static void fake_smi(const char *script)
{
	char path[8192];
	snprintf(path, sizeof(path), "%s/nvidia-smi", directory);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s", script);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(path, sizeof(path), "%s:%s", directory, old_path);
	setenv("PATH", path, 1);
}

static int set_up(void **state)
{
	strcpy(directory, "/tmp/tuner-machine-XXXXXX");
	snprintf(old_path, sizeof(old_path), "%s", getenv("PATH"));
	unsetenv("CUDA_VISIBLE_DEVICES");
	return mkdtemp(directory) == NULL;
}

static int tear_down(void **state)
{
	struct tuner_error err;
	setenv("PATH", old_path, 1);
	unsetenv("CUDA_VISIBLE_DEVICES");
	return directory_remove(directory, &err) ? 0 : 1;
}

static struct gpu gpus[GPUS_MAX];
static char reason[GPU_REASON_MAX];
static enum gpu_lack lack;

static size_t look(void)
{
	struct tuner_error err;
	size_t n = 99;
	assert_true(machine_gpus(NULL, gpus, &n, &lack, reason, &err));
	return n;
}

static void gpus_are_read_with_index_uuid_name_and_memory(void **state)
{
	fake_smi(FOUR_GPUS);
	assert_int_equal(look(), 4);
	assert_int_equal(gpus[2].index, 2);
	assert_string_equal(gpus[2].uuid, "GPU-cccc0000-1111");
	assert_string_equal(gpus[2].name, "NVIDIA H200");
	assert_int_equal(gpus[2].memory_bytes, INT64_C(143771) << 20);
	assert_int_equal(gpus[3].memory_bytes, 0);
}

static void cuda_visible_devices_bounds_and_orders_them(void **state)
{
	fake_smi(FOUR_GPUS);
	setenv("CUDA_VISIBLE_DEVICES", "3,1", 1);
	assert_int_equal(look(), 2);
	assert_int_equal(gpus[0].index, 3);
	assert_int_equal(gpus[1].index, 1);
	setenv("CUDA_VISIBLE_DEVICES", "GPU-cccc, 0", 1);
	assert_int_equal(look(), 2);
	assert_int_equal(gpus[0].index, 2);
	/* As CUDA does: what is behind an unknown one does not count. */
	setenv("CUDA_VISIBLE_DEVICES", "1,9,2", 1);
	assert_int_equal(look(), 1);
	setenv("CUDA_VISIBLE_DEVICES", "2,0,2,GPU-cccc,0,1", 1);
	assert_int_equal(look(), 3);
	assert_int_equal(gpus[0].index, 2);
	assert_int_equal(gpus[1].index, 0);
	assert_int_equal(gpus[2].index, 1);
	setenv("CUDA_VISIBLE_DEVICES", "-1", 1);
	assert_int_equal(look(), 0);
	assert_int_equal(lack, GPUS_HIDDEN);
	assert_non_null(strstr(reason, "CUDA_VISIBLE_DEVICES"));
	setenv("CUDA_VISIBLE_DEVICES", "", 1);
	assert_int_equal(look(), 0);
}

static void a_failing_or_silent_nvidia_smi_gives_none_and_says_why(void **state)
{
	fake_smi("echo '0, GPU-a, X, 1'; exit 9\n");
	assert_int_equal(look(), 0);
	assert_int_equal(lack, GPUS_BROKEN);
	assert_non_null(strstr(reason, "nvidia-smi fails"));
	fake_smi("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18\n");
	assert_int_equal(look(), 0);
	assert_string_equal(reason,
		"nvidia-smi fails: Failed to initialize NVML: Driver/library version mismatch");
	fake_smi("exit 9\n");
	assert_int_equal(look(), 0);
	assert_string_equal(reason, "nvidia-smi fails");
	fake_smi("echo 'No devices were found'\n");
	assert_int_equal(look(), 0);
	assert_int_equal(lack, GPUS_BROKEN);
	assert_non_null(strstr(reason, "lists none"));
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(look(), 0);
	assert_int_equal(lack, GPUS_WITHOUT_DRIVER);
	assert_non_null(strstr(reason, "no nvidia-smi"));
}

#define DIVIDED_GPUS                                                                               \
	"case $1 in -L) cat <<END\n"                                                               \
	"GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa0000-1111)\n"                                 \
	"  MIG 3g.20gb     Device  0: (UUID: MIG-aaaa0000-2222)\n"                                 \
	"  MIG 4g.20gb     Device  1: (UUID: MIG-bbbb0000-2222)\n"                                 \
	"GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb0000-1111)\n"                                 \
	"GPU 2: NVIDIA A100-SXM4-40GB (UUID: GPU-cccc0000-1111)\n"                                 \
	"  MIG 1g.5gb      Device  0: (UUID: MIG-GPU-cccc0000-1111/7/0)\n"                         \
	"  MIG 1g.5gb      Device  1: (UUID: nonsense)\n"                                          \
	"END\n"                                                                                    \
	";; *) " FOUR_GPUS ";; esac\n"

/* A whole GPU beside the slices of others. */
static void slices_stand_in_the_place_of_their_gpu(void **state)
{
	fake_smi(DIVIDED_GPUS);
	assert_int_equal(look(), 5);
	assert_string_equal(gpus[0].uuid, "MIG-aaaa0000-2222");
	assert_string_equal(gpus[0].name, "NVIDIA H200 MIG 3g.20gb");
	assert_int_equal(gpus[1].index, 0);
	assert_true(gpu_is_slice(&gpus[1]));
	assert_string_equal(gpus[2].uuid, "GPU-bbbb0000-1111");
	assert_false(gpu_is_slice(&gpus[2]));
	assert_string_equal(gpus[3].uuid, "MIG-GPU-cccc0000-1111/7/0");
	assert_int_equal(gpus[4].index, 3);
	setenv("CUDA_VISIBLE_DEVICES", "MIG-bbbb,1", 1);
	assert_int_equal(look(), 2);
	assert_string_equal(gpus[0].uuid, "MIG-bbbb0000-2222");
	setenv("CUDA_VISIBLE_DEVICES", "3,0", 1);
	assert_int_equal(look(), 3);
	assert_string_equal(gpus[2].uuid, "MIG-bbbb0000-2222");
	fake_smi("case $1 in -L) exit 9;; *) " FOUR_GPUS ";; esac\n");
	unsetenv("CUDA_VISIBLE_DEVICES");
	assert_int_equal(look(), 4);
}

static void slices_whose_listing_fails_once_are_asked_for_again(void **state)
{
	fake_smi("case $1 in -L) [ -e \"$0.asked\" ] || { : >\"$0.asked\"; exit 9; };; "
		 "esac\n" DIVIDED_GPUS);
	assert_int_equal(look(), 5);
	assert_true(gpu_is_slice(&gpus[0]));
}

static void more_slices_than_fit_are_cut(void **state)
{
	fake_smi("case $1 in -L) echo 'GPU 0: X (UUID: GPU-a)'; i=0; while [ $i -lt 70 ]; do\n"
		 "echo \"  MIG 1g.5gb Device $i: (UUID: MIG-$i)\"; i=$((i+1)); done ;;\n"
		 "*) echo '0, GPU-a, X, 1'; echo '1, GPU-b, X, 1' ;; esac\n");
	assert_int_equal(look(), GPUS_MAX);
	assert_string_equal(gpus[GPUS_MAX - 1].uuid, "MIG-63");
}

static void more_gpus_than_fit_are_cut(void **state)
{
	fake_smi("i=0; while [ $i -lt 200 ]; do echo \"$i, GPU-$i, X, 1\"; i=$((i+1)); done\n");
	assert_int_equal(look(), GPUS_MAX);
}

static void slots_share_cores_and_never_a_gpu(void **state)
{
	struct slot slots[SLOTS_MAX];
	struct tuner_error err;
	size_t n;
	fake_smi(FOUR_GPUS);
	assert_int_equal(look(), 4);
	assert_true(machine_slots(16, gpus, 4, 2, 0, slots, &n, &err));
	assert_int_equal(n, 2);
	assert_int_equal(slots[0].cores, 8);
	assert_int_equal(slots[0].n_gpus, 2);
	assert_int_equal(slots[1].gpus[0].index, 2);
	assert_int_equal(slots[1].gpus[1].index, 3);
	assert_true(machine_slots(16, gpus, 4, 1, 3, slots, &n, &err));
	assert_int_equal(n, 3);
	assert_true(machine_slots(2, gpus, 4, 1, 0, slots, &n, &err));
	assert_int_equal(n, 4);
	assert_int_equal(slots[3].cores, 1);
}

static void slots_without_gpus_are_half_the_cores_or_as_asked(void **state)
{
	struct slot slots[SLOTS_MAX];
	struct tuner_error err;
	size_t n;
	assert_true(machine_slots(8, NULL, 0, 0, 0, slots, &n, &err));
	assert_int_equal(n, 4);
	assert_int_equal(slots[0].cores, 2);
	assert_true(machine_slots(1, NULL, 0, 0, 0, slots, &n, &err));
	assert_int_equal(n, 1);
	assert_true(machine_slots(2, NULL, 0, 0, 6, slots, &n, &err));
	assert_int_equal(n, 6);
	assert_false(machine_slots(8, NULL, 0, 1, 0, slots, &n, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_false(machine_slots(8, gpus, 4, SLOT_GPUS_MAX + 1, 0, slots, &n, &err));
	assert_false(machine_slots(8, NULL, 0, 0, SLOTS_MAX + 1, slots, &n, &err));
}

static void cores_follow_the_affinity(void **state)
{
	cpu_set_t old, one;
	assert_int_equal(sched_getaffinity(0, sizeof(old), &old), 0);
	assert_true(machine_cores() >= 1 && machine_cores() <= (unsigned)CPU_COUNT(&old));
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &old))
			CPU_SET(i, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(machine_cores(), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(old), &old), 0);
}

static void the_cpu_has_a_name(void **state)
{
	char name[64] = "";
	machine_cpu_name(name);
	assert_true(strlen(name) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			gpus_are_read_with_index_uuid_name_and_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			cuda_visible_devices_bounds_and_orders_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_failing_or_silent_nvidia_smi_gives_none_and_says_why, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_gpus_than_fit_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			slices_stand_in_the_place_of_their_gpu, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			slices_whose_listing_fails_once_are_asked_for_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_slices_than_fit_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			slots_share_cores_and_never_a_gpu, set_up, tear_down),
		cmocka_unit_test(slots_without_gpus_are_half_the_cores_or_as_asked),
		cmocka_unit_test(cores_follow_the_affinity),
		cmocka_unit_test(the_cpu_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
