/* What is kept of an environment, and which interpreter a command names. */
#include "scheduler/surroundings.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static struct tuner_error err;

static void names_that_speak_of_secrets(void **state)
{
	static const char *const secret[] = { "HF_TOKEN", "DB_PASSWORDS", "WANDB_API_KEY",
		"AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "db_password", "PGPASSWORD", "MYTOKEN=x",
		"NCCL_AUTH", "GPG_PASSPHRASE", "SESSION_COOKIE", "KEY", "SSH_PRIVATE" };
	static const char *const harmless[] = { "TOKENIZERS_PARALLELISM", "KEYBOARD", "PATH",
		"PYTHONHASHSEED", "OMP_NUM_THREADS", "X=my_token" };

	for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++)
		if (!variable_is_secret(secret[i]))
			fail_msg("%s", secret[i]);
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (variable_is_secret(harmless[i]))
			fail_msg("%s", harmless[i]);
}

static void only_known_variables_are_kept_and_of_the_jobs_own_all(void **state)
{
	char *inherited[] = { (char *)"HOME=/home/u", (char *)"CUDA_HOME=/opt/cuda",
		(char *)"HF_TOKEN=hf_abc", (char *)"OMP_NUM_THREADS=3", (char *)"TF_VAR_x=secret",
		(char *)"HF_ENDPOINT=https://u:pw@host/a?x=b@c", (char *)"odd", NULL };
	char *own[] = { (char *)"MODE=fast", (char *)"OMP_NUM_THREADS=4", (char *)"MY_KEY=k",
		(char *)"LIST=a,b://c:d@e/f b://g@h", NULL };
	const struct surroundings_request request = { .inherited = inherited, .variables = own };
	struct text text = TEXT_EMPTY;

	surroundings_environment(&request, &text);
	assert_string_equal(text.bytes,
		"{\"CUDA_HOME\":\"/opt/cuda\",\"HF_ENDPOINT\":\"https://***@host/a?x=b@c\","
		"\"MODE\":\"fast\",\"OMP_NUM_THREADS\":\"4\",\"MY_KEY\":null,"
		"\"LIST\":\"a,b://***@e/f b://***@h\"}");
	text_finish(&text);
}

/* ---- the interpreter ---- */

static char directory[64];

static int set_up(void **state)
{
	strcpy(directory, "/tmp/tuner-test-XXXXXX");
	return mkdtemp(directory) == NULL;
}

static int tear_down(void **state)
{
	return !directory_remove(directory, &err);
}

static void put(const char *name, const char *content)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_true(file_write_atomic(path, content, strlen(content), 0700, false, &err));
}

/* The end of the path of the interpreter of "prefix | command", words by blanks; "" if there is none. */
static void assert_python(const char *prefix, const char *command, const char *expected)
{
	char words[2][256], *vectors[2][16];
	char *found = NULL;

	snprintf(words[0], sizeof(words[0]), "%s", prefix);
	snprintf(words[1], sizeof(words[1]), "%s", command);
	for (int k = 0; k < 2; k++) {
		size_t n = 0;
		char *rest = NULL;
		for (char *word = strtok_r(words[k], " ", &rest); word;
			word = strtok_r(NULL, " ", &rest))
			vectors[k][n++] = word;
		vectors[k][n] = NULL;
	}
	const struct surroundings_request request = {
		.prefix = vectors[0], .command = vectors[1], .directory = directory
	};
	assert_true(surroundings_python(&request, &found, &err));
	if (found == NULL ? *expected != '\0' : *expected == '\0' || !strstr(found, expected))
		fail_msg("%s | %s: %s", prefix, command, found ? found : "none");
	free(found);
}

static void the_interpreter_is_found_by_name_and_by_the_script(void **state)
{
	put("python3.99", "#!/bin/sh\n");
	put("train", "#!/usr/bin/env ./python3.99\nprint(1)\n");
	put("other", "#!/bin/sh\necho\n");
	put("plain", "no script\n");
	assert_python("", "./python3.99 train.py", "/python3.99");
	assert_python("", "./train --x 1", "/python3.99");
	assert_python("", "env A=1 nice ./python3.99 -m train", "/python3.99");
	assert_python("env A=1", "./python3.99", "/python3.99");
	assert_python("", "./other ./python3.99", "");
	assert_python("", "./plain", "");
	assert_python("", "./gone", "");
	assert_python("", "python-config", "");
}

/* A stand-in tells what it was asked, and prints what a real one would. */
static void packages_are_those_that_the_interpreter_lists(void **state)
{
	char *command[] = { (char *)"./python3", NULL };
	char *own[] = { (char *)"MINE=1", NULL };
	char *inherited[] = { getenv("PATH") ? getenv("PATH") - 5 : (char *)"PATH=/bin", NULL };
	const struct surroundings_request request = {
		.command = command, .inherited = inherited, .variables = own, .directory = directory
	};
	struct text text = TEXT_EMPTY;

	put("python3",
		"#!/bin/sh\necho "
		"\"{\\\"version\\\":\\\"$MINE\\\",\\\"packages\\\":{\\\"a\\\":\\\"1\\\"}}\"\n");
	assert_true(surroundings_versions(&request, &text, &err));
	cJSON *object = cJSON_Parse(text.bytes);
	assert_non_null(object);
	cJSON *python = cJSON_GetObjectItem(object, "python");
	assert_string_equal(cJSON_GetObjectItem(python, "version")->valuestring, "1");
	assert_non_null(cJSON_GetObjectItem(object, "libc"));
	cJSON_Delete(object);
	text_clear(&text);
	put("python3", "#!/bin/sh\necho it is broken >&2; exit 1\n");
	assert_true(surroundings_versions(&request, &text, &err));
	object = cJSON_Parse(text.bytes);
	assert_non_null(object);
	python = cJSON_GetObjectItem(object, "python");
	assert_string_equal(cJSON_GetObjectItem(python, "error")->valuestring, "it is broken");
	cJSON_Delete(object);
	text_finish(&text);
}

/* Of the versions that are found where `path` is PATH and `home` CUDA_HOME. */
static void assert_cuda(const char *path, const char *home, const char *name, const char *expected)
{
	char *command[] = { (char *)"true", NULL };
	char *none[] = { NULL };
	const struct surroundings_request request = {
		.command = command, .inherited = none, .variables = none, .directory = directory
	};
	char *const before = strdup(getenv("PATH"));
	struct text text = TEXT_EMPTY;

	setenv("PATH", path, 1);
	setenv("CUDA_HOME", home, 1);
	const bool ok = surroundings_versions(&request, &text, &err);
	setenv("PATH", before, 1);
	unsetenv("CUDA_HOME");
	free(before);
	assert_true(ok);
	cJSON *object = cJSON_Parse(text.bytes);
	const cJSON *item = cJSON_GetObjectItem(object, name);
	assert_non_null(item);
	if (expected == NULL ? !cJSON_IsNull(item)
			     : !cJSON_IsString(item) || strcmp(item->valuestring, expected) != 0)
		fail_msg("%s: %s", name, text.bytes);
	cJSON_Delete(object);
	text_finish(&text);
}

static void the_versions_of_cuda_are_those_that_its_programs_tell(void **state)
{
	char empty[128];

	snprintf(empty, sizeof(empty), "%s/empty", directory);
	assert_int_equal(mkdir(empty, 0700), 0);
	put("nvidia-smi",
		"#!/bin/sh\n"
		"echo '| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4   "
		"  |'\n"
		"echo '|                                                     N/A 1.5 |'\n");
	put("nvcc", "#!/bin/sh\n"
		    "echo 'Copyright (c) 2005-2023 NVIDIA Corporation'\n"
		    "echo 'Cuda compilation tools, release 12.2, V12.2.140'\n");
	if (access("/proc/driver/nvidia/version", R_OK) != 0)
		assert_cuda(directory, empty, "nvidia_driver", "550.54.15");
	assert_cuda(directory, empty, "cuda_of_driver", "12.4");
	if (access("/usr/local/cuda/version.json", R_OK) != 0) {
		assert_cuda(directory, empty, "cuda_toolkit", "12.2");
		assert_cuda(empty, empty, "cuda_toolkit", NULL);
	}
	/* The toolkit's own word goes before whatever nvcc is in PATH; its parts have versions, too. */
	put("version.json",
		"{\n\"cuda_cccl\" : {\n\"name\" : \"CCCL\",\n\"version\" : \"9.9.9\"\n},\n"
		"\"cuda\" : {\n\"name\" : \"CUDA SDK\",\n\"version\" : \"12.3.20231024\"\n}\n}\n");
	assert_cuda(directory, directory, "cuda_toolkit", "12.3.20231024");
	/* A driver without CUDA, and one whose programs fail: nothing is known, least of all of another line. */
	put("nvidia-smi", "#!/bin/sh\n"
			  "echo '| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA "
			  "Version: N/A      |'\n"
			  "echo '| 1.5 |'\n");
	assert_cuda(directory, empty, "cuda_of_driver", NULL);
	put("nvidia-smi", "#!/bin/sh\necho 'CUDA Version: 12.4'; exit 9\n");
	assert_cuda(directory, empty, "cuda_of_driver", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_speak_of_secrets),
		cmocka_unit_test(only_known_variables_are_kept_and_of_the_jobs_own_all),
		cmocka_unit_test_setup_teardown(
			the_interpreter_is_found_by_name_and_by_the_script, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			packages_are_those_that_the_interpreter_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_versions_of_cuda_are_those_that_its_programs_tell, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
