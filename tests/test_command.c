#include "scheduler/command.h"

#include "base/file.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define VECTOR(...)  ((char *const *)(const char *const[]){ __VA_ARGS__, NULL })

/* ---- fixture ---- */

static const struct argument arguments[] = {
	{ "learning_rate", "0.1", "0.1" },
	{ "batch-size", "1024", "1024" },
	{ "nesterov", "true", "true" },
	{ "optimizer", "sgd \"x\" é", "\"sgd \\\"x\\\" é\"" },
	{ "wd", "-1e-05", "-1e-05" },
};

static const struct channel channels[] = {
	{ "train", "/data/cifar 10" },
	{ "val-2", "/data/validation" },
};

static const struct slot plain_slot = { .cores = 3 };

static struct command_request request_for(char *const *command)
{
	return (struct command_request){
		.command = command,
		.arguments = arguments,
		.n_arguments = COUNT(arguments),
		.channels = channels,
		.n_channels = COUNT(channels),
		.directory = "/tmp/a/0007/1",
		.working_directory = "/home/u/job",
		.key = "0123456789abcdef",
		.job = "cifar10",
		.host = "here",
		.trial = 7,
		.attempt = 2,
		.training_seed = 12345,
		.slot = &plain_slot,
		.timeout_us = 1000000,
		.grace_us = 2000000,
		.log_max_bytes = 3000000,
	};
}

static struct command build(const struct command_request *request)
{
	struct command command = { 0 };
	struct tuner_error err;

	if (!command_build(request, &command, &err))
		fail_msg("%s", err.message);
	return command;
}

/* The value of NAME in the environment, which must hold it at most once; NULL if not at all. */
static const char *value_of(const struct command *command, const char *name)
{
	const size_t length = strlen(name);
	const char *value = NULL;

	for (char *const *v = command->launch.environment; *v != NULL; v++) {
		if (strncmp(*v, name, length) == 0 && (*v)[length] == '=') {
			assert_null(value);
			value = *v + length + 1;
		}
	}
	return value;
}

static void assert_variable(const struct command *command, const char *name, const char *expected)
{
	const char *value = value_of(command, name);

	if (value == NULL)
		fail_msg("%s is not set", name);
	if (strcmp(value, expected) != 0)
		fail_msg("%s is \"%s\", not \"%s\"", name, value, expected);
}

static void assert_vector(char *const *vector, char *const *expected)
{
	for (; *expected != NULL; vector++, expected++) {
		assert_non_null(*vector);
		assert_string_equal(*vector, *expected);
	}
	assert_null(*vector);
}

static void assert_arguments(const struct command_request *request, char *const *expected)
{
	struct command command = build(request);

	assert_vector(command.launch.arguments, expected);
	command_finish(&command);
}

/* ---- argument vectors ---- */

static void parameters_follow_the_command_in_their_order(void **state)
{
	const struct command_request request = request_for(VECTOR("python3", "train.py", "-v"));

	assert_arguments(&request, VECTOR("python3", "train.py", "-v", "--learning_rate", "0.1",
					   "--batch-size", "1024", "--nesterov", "true",
					   "--optimizer", "sgd \"x\" é", "--wd", "-1e-05"));
}

static void each_style_has_its_form(void **state)
{
	struct command_request request = request_for(VECTOR("train"));

	request.n_arguments = 2;
	request.style = ARGUMENTS_EQUALS;
	assert_arguments(&request, VECTOR("train", "--learning_rate=0.1", "--batch-size=1024"));
	request.style = ARGUMENTS_BARE;
	assert_arguments(&request, VECTOR("train", "learning_rate=0.1", "batch-size=1024"));
	request.style = ARGUMENTS_NONE;
	assert_arguments(&request, VECTOR("train"));
}

static void with_a_placeholder_nothing_is_appended(void **state)
{
	const struct command_request request =
		request_for(VECTOR("train", "lr={learning_rate},bs={batch-size}", "{optimizer}"));

	assert_arguments(&request, VECTOR("train", "lr=0.1,bs=1024", "sgd \"x\" é"));
}

/* The second parameter is not active. */
static void what_a_trial_goes_without_is_nowhere(void **state)
{
	static const struct argument some[] = { { "lr", "0.1", "0.1" }, { "momentum", NULL, NULL },
		{ "model", "a", "\"a\"" } };
	struct command_request request = request_for(VECTOR("train"));

	request.arguments = some;
	request.n_arguments = COUNT(some);
	assert_arguments(&request, VECTOR("train", "--lr", "0.1", "--model", "a"));
	struct command command = build(&request);

	assert_null(value_of(&command, "SM_HP_MOMENTUM"));
	assert_null(value_of(&command, "TUNER_PARAM_MOMENTUM"));
	assert_variable(&command, "TUNER_PARAM_MODEL", "a");
	assert_variable(&command, "SM_HPS", "{\"lr\":0.1,\"model\":\"a\"}");
	assert_variable(&command, "SM_USER_ARGS", "[\"--lr\",\"0.1\",\"--model\",\"a\"]");
	command_finish(&command);
	request.command = VECTOR("train", "--m={momentum}", "{lr}", "{momentum}{model}", "-m");
	assert_arguments(&request, VECTOR("train", "0.1", "-m"));
	request.n_arguments = 2;
	request.arguments = some + 1;
	request.command = VECTOR("train");
	command = build(&request);
	assert_variable(&command, "SM_HPS", "{\"model\":\"a\"}");
	command_finish(&command);
	request.n_arguments = 1;
	command = build(&request);
	assert_variable(&command, "SM_HPS", "{}");
	assert_variable(&command, "SM_USER_ARGS", "[]");
	command_finish(&command);
}

static void the_attempt_has_placeholders_too(void **state)
{
	static const struct slot slot = { .n_gpus = 2, .gpus = { { .index = 2 }, { .index = 5 } } };
	struct command_request request = request_for(
		VECTOR("{trial}", "{gpus}", "{attempt_dir}/x", "{checkpoint_dir}", "{model_dir}"));

	assert_arguments(&request, VECTOR("7", "", "/tmp/a/0007/1/x", "/tmp/a/0007/1/checkpoint",
					   "/tmp/a/0007/1/model"));
	request.slot = &slot;
	request.checkpoint_directory = "/tmp/a/0007/checkpoint";
	assert_arguments(&request, VECTOR("7", "2,5", "/tmp/a/0007/1/x", "/tmp/a/0007/checkpoint",
					   "/tmp/a/0007/1/model"));
}

static void a_parameter_goes_before_a_placeholder_of_ours(void **state)
{
	static const struct argument own[] = { { "trial", "long", "\"long\"" } };
	struct command_request request = request_for(VECTOR("{trial}"));

	request.arguments = own;
	request.n_arguments = 1;
	assert_arguments(&request, VECTOR("long"));
}

static void doubled_braces_stand_for_themselves(void **state)
{
	static const struct {
		const char *given, *expected;
	} cases[] = {
		{ "{{wd}}", "{wd}" },
		{ "{{{wd}}}", "{-1e-05}" },
		{ "{{{{ x }}}}", "{{ x }}" },
		{ "{\"a\": {\"b\": 1}}", "{\"a\": {\"b\": 1}}" },
		{ "{\"a\":{}}", "{\"a\":{}}" },
		{ "{\"lr\": {wd}}", "{\"lr\": -1e-05}" },
		{ "a{2,3} {1} {} { wd } {wd", "a{2,3} {1} {} { wd } {wd" },
		{ "}} }", "}} }" },
		{ "awk {{print $1}}", "awk {print $1}" },
		{ "{{", "{" },
		{ "{", "{" },
		{ "", "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		/* {wd} in another argument keeps the parameters from being appended. */
		const struct command_request request = request_for(VECTOR("{wd}", cases[i].given));
		assert_arguments(&request, VECTOR("-1e-05", cases[i].expected));
	}
}

static void escaped_braces_alone_are_no_placeholder(void **state)
{
	struct command_request request = request_for(VECTOR("train", "{{wd}}"));

	request.n_arguments = 1;
	assert_arguments(&request, VECTOR("train", "{wd}", "--learning_rate", "0.1"));
}

static void the_prefix_goes_first_and_is_left_alone(void **state)
{
	struct command_request request = request_for(VECTOR("train", "{wd}"));

	request.prefix = VECTOR("conda", "run", "-n", "{env}");
	assert_arguments(&request, VECTOR("conda", "run", "-n", "{env}", "train", "-1e-05"));
}

static void assert_unknown(const char *argument, const char *advice)
{
	static const char *const names[] = { "learning_rate", "batch-size" };
	struct tuner_error err;
	bool used;

	assert_false(command_check(VECTOR("train", argument), names, COUNT(names), &used, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	if (strstr(err.message, advice) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, advice);

	const struct command_request request = request_for(VECTOR("train", argument));
	struct command command;
	assert_false(command_build(&request, &command, &err));
	assert_int_equal(err.code, TUNER_USAGE);
}

static void unknown_placeholders_are_refused_with_the_nearest_known(void **state)
{
	assert_unknown("--lr={learning-rate}", "did you mean {learning_rate}?");
	assert_unknown("{lerning_rate}", "did you mean {learning_rate}?");
	assert_unknown("{atempt_dir}", "did you mean {attempt_dir}?");
	assert_unknown("{zzzzzz}", "write {{zzzzzz}}");
	assert_unknown("echo ${HOME}", "write {{HOME}}");
}

static void a_check_says_whether_placeholders_are_there(void **state)
{
	static const char *const names[] = { "lr" };
	struct tuner_error err;
	bool used = true;

	assert_true(command_check(VECTOR("a", "{{lr}}", "{1}"), names, 1, &used, &err));
	assert_false(used);
	assert_true(command_check(VECTOR("a", "x{lr}"), names, 1, &used, &err));
	assert_true(used);
	assert_true(command_check(VECTOR("a", "{gpus}"), NULL, 0, &used, &err));
	assert_true(used);
}

/* ---- environments ---- */

static void the_launch_carries_what_was_asked(void **state)
{
	const struct command_request request = request_for(VECTOR("train"));
	struct command command = build(&request);

	assert_string_equal(command.launch.key, "0123456789abcdef");
	assert_string_equal(command.launch.working_directory, "/home/u/job");
	assert_int_equal(command.launch.timeout_us, 1000000);
	assert_int_equal(command.launch.grace_us, 2000000);
	assert_int_equal(command.launch.log_max_bytes, 3000000);
	command_finish(&command);
	assert_null(command.memory);
	command_finish(&command);
}

static void every_variable_has_its_value(void **state)
{
	static const char *const expected[][2] = {
		{ "TUNER_PARAM_LEARNING_RATE", "0.1" },
		{ "TUNER_PARAM_BATCH_SIZE", "1024" },
		{ "TUNER_PARAM_BATCH-SIZE", "1024" },
		{ "TUNER_PARAM_NESTEROV", "true" },
		{ "TUNER_PARAM_OPTIMIZER", "sgd \"x\" é" },
		{ "TUNER_PARAM_WD", "-1e-05" },
		{ "TUNER_CHANNEL_TRAIN", "/data/cifar 10" },
		{ "TUNER_CHANNEL_VAL_2", "/data/validation" },
		{ "TUNER_PARAMS", "/tmp/a/0007/1/parameters.json" },
		{ "TUNER_JOB", "cifar10" },
		{ "TUNER_TRIAL", "7" },
		{ "TUNER_ATTEMPT", "2" },
		{ "TUNER_ATTEMPT_KEY", "0123456789abcdef" },
		{ "TUNER_HOST", "here" },
		{ "TUNER_SEED", "12345" },
		{ "TUNER_ATTEMPT_DIR", "/tmp/a/0007/1" },
		{ "TUNER_CHECKPOINT_DIR", "/tmp/a/0007/1/checkpoint" },
		{ "TUNER_MODEL_DIR", "/tmp/a/0007/1/model" },
		{ "TUNER_OUTPUT_DIR", "/tmp/a/0007/1/output/data" },
		{ "TUNER_NUM_GPUS", "0" },
		{ "TUNER_NUM_CPUS", "3" },
		{ "SM_HP_LEARNING_RATE", "0.1" },
		{ "SM_HP_BATCH_SIZE", "1024" },
		{ "SM_HP_BATCH-SIZE", "1024" },
		{ "SM_CHANNEL_TRAIN", "/data/cifar 10" },
		{ "SM_CHANNEL_VAL_2", "/data/validation" },
		{ "SM_CHANNEL_VAL-2", "/data/validation" },
		{ "SM_CHANNELS", "[\"train\",\"val-2\"]" },
		{ "SM_MODEL_DIR", "/tmp/a/0007/1/model" },
		{ "SM_CHECKPOINT_DIR", "/tmp/a/0007/1/checkpoint" },
		{ "SM_OUTPUT_DIR", "/tmp/a/0007/1/output" },
		{ "SM_OUTPUT_DATA_DIR", "/tmp/a/0007/1/output/data" },
		{ "SM_INPUT_DIR", "/tmp/a/0007/1/input" },
		{ "SM_INPUT_CONFIG_DIR", "/tmp/a/0007/1/input/config" },
		{ "SM_NUM_GPUS", "0" },
		{ "SM_NUM_CPUS", "3" },
		{ "SM_HOSTS", "[\"algo-1\"]" },
		{ "SM_CURRENT_HOST", "algo-1" },
		{ "SM_NETWORK_INTERFACE_NAME", "lo" },
		{ "SM_LOG_LEVEL", "20" },
		{ "SM_HPS", "{\"learning_rate\":0.1,\"batch-size\":1024,\"nesterov\":true,"
			    "\"optimizer\":\"sgd \\\"x\\\" é\",\"wd\":-1e-05}" },
		{ "SM_USER_ARGS", "[\"--learning_rate\",\"0.1\",\"--batch-size\",\"1024\","
				  "\"--nesterov\",\"true\",\"--optimizer\",\"sgd \\\"x\\\" é\","
				  "\"--wd\",\"-1e-05\"]" },
		{ "PYTHONUNBUFFERED", "1" },
		{ "OMP_NUM_THREADS", "3" },
		{ "MASTER_ADDR", "127.0.0.1" },
	};
	const struct command_request request = request_for(VECTOR("train"));
	struct command command = build(&request);

	for (size_t i = 0; i < COUNT(expected); i++)
		assert_variable(&command, expected[i][0], expected[i][1]);
	assert_null(value_of(&command, "CUDA_VISIBLE_DEVICES"));
	command_finish(&command);
}

static const char *member(const cJSON *object, const char *name)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return value != NULL ? value : "";
}

static void the_training_environment_is_one_object(void **state)
{
	const struct command_request request = request_for(VECTOR("train"));
	struct command command = build(&request);
	cJSON *all = cJSON_Parse(value_of(&command, "SM_TRAINING_ENV"));
	const cJSON *paths = cJSON_GetObjectItem(all, "channel_input_dirs");
	const cJSON *values = cJSON_GetObjectItem(all, "hyperparameters");
	const cJSON *config = cJSON_GetObjectItem(all, "input_data_config");
	const cJSON *resources = cJSON_GetObjectItem(all, "resource_config");

	assert_non_null(all);
	assert_string_equal(member(paths, "train"), "/data/cifar 10");
	assert_string_equal(member(paths, "val-2"), "/data/validation");
	assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(values, "learning_rate")) == 0.1);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(values, "nesterov")));
	assert_string_equal(
		member(cJSON_GetObjectItem(config, "train"), "TrainingInputMode"), "File");
	assert_string_equal(member(resources, "current_host"), "algo-1");
	assert_string_equal(member(all, "model_dir"), "/tmp/a/0007/1/model");
	assert_string_equal(member(all, "output_data_dir"), "/tmp/a/0007/1/output/data");
	assert_string_equal(member(all, "job_name"), "cifar10");
	assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(all, "num_cpus")), 3);
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetArrayItem(cJSON_GetObjectItem(all, "hosts"), 0)),
		"algo-1");
	cJSON_Delete(all);
	command_finish(&command);
}

static void gpus_are_named_by_index_and_slices_by_uuid(void **state)
{
	static const struct slot whole = { .cores = 1,
		.n_gpus = 2,
		.gpus = { { .index = 3, .uuid = "GPU-a" }, { .index = 1, .uuid = "GPU-b" } } };
	static const struct slot slice = {
		.cores = 1, .n_gpus = 1, .gpus = { { .index = 0, .uuid = "MIG-c" } }
	};
	struct command_request request = request_for(VECTOR("train"));

	request.inherited = VECTOR("CUDA_VISIBLE_DEVICES=1,3", "CUDA_DEVICE_ORDER=FASTEST_FIRST");
	request.slot = &whole;
	struct command command = build(&request);
	assert_variable(&command, "CUDA_VISIBLE_DEVICES", "3,1");
	assert_variable(&command, "CUDA_DEVICE_ORDER", "PCI_BUS_ID");
	assert_variable(&command, "SM_NUM_GPUS", "2");
	command_finish(&command);

	request.slot = &slice;
	command = build(&request);
	assert_variable(&command, "CUDA_VISIBLE_DEVICES", "MIG-c");
	command_finish(&command);

	request.slot = &plain_slot;
	command = build(&request);
	assert_variable(&command, "CUDA_VISIBLE_DEVICES", "1,3");
	assert_variable(&command, "CUDA_DEVICE_ORDER", "FASTEST_FIRST");
	command_finish(&command);
}

static void inherited_then_ours_then_the_jobs_own(void **state)
{
	struct command_request request = request_for(VECTOR("train"));

	request.inherited = VECTOR("HOME=/home/u", "TUNER_TRIAL=99", "EMPTY=", "A=1", "A=2");
	request.variables = VECTOR("A=3", "SM_LOG_LEVEL=10", "B=x=y");
	struct command command = build(&request);
	assert_variable(&command, "HOME", "/home/u");
	assert_variable(&command, "EMPTY", "");
	assert_variable(&command, "TUNER_TRIAL", "7");
	assert_variable(&command, "A", "3");
	assert_variable(&command, "B", "x=y");
	assert_variable(&command, "SM_LOG_LEVEL", "10");
	command_finish(&command);
}

static void defaults_give_way_to_what_is_set(void **state)
{
	struct command_request request = request_for(VECTOR("train"));

	request.inherited = VECTOR("OMP_NUM_THREADS=8", "PYTHONUNBUFFERED=", "MASTER_ADDR=::1");
	request.variables = VECTOR("MASTER_PORT=29500");
	struct command command = build(&request);
	assert_variable(&command, "OMP_NUM_THREADS", "8");
	assert_variable(&command, "PYTHONUNBUFFERED", "");
	assert_variable(&command, "MASTER_ADDR", "::1");
	assert_variable(&command, "MASTER_PORT", "29500");
	command_finish(&command);
}

static int bind_port(const char *port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtol(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_ANY) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void the_rendezvous_port_is_free_and_follows_the_key(void **state)
{
	struct command_request request = request_for(VECTOR("train"));
	struct command first = build(&request), again = build(&request);

	assert_variable(&again, "MASTER_PORT", value_of(&first, "MASTER_PORT"));
	command_finish(&again);

	const int fd = bind_port(value_of(&first, "MASTER_PORT"));
	again = build(&request);
	assert_string_not_equal(value_of(&again, "MASTER_PORT"), value_of(&first, "MASTER_PORT"));
	close(fd);
	command_finish(&again);

	request.key = "another";
	again = build(&request);
	assert_string_not_equal(value_of(&again, "MASTER_PORT"), value_of(&first, "MASTER_PORT"));
	command_finish(&again);
	command_finish(&first);
}

/* "a-b" and "a_b" both want A_B: the one that is spelled so gets it. */
static void the_exact_name_wins_over_the_plain_one(void **state)
{
	static const struct argument twins[] = { { "a_b", "1", "1" }, { "a-b", "2", "2" },
		{ "a=b", "3", "3" } };
	struct command_request request = request_for(VECTOR("train"));

	request.arguments = twins;
	request.n_arguments = COUNT(twins);
	struct command command = build(&request);
	assert_variable(&command, "SM_HP_A_B", "1");
	assert_variable(&command, "SM_HP_A-B", "2");
	assert_null(value_of(&command, "SM_HP_A"));
	command_finish(&command);
}

static void assert_build_fails(const struct command_request *request, const char *reason)
{
	struct command command = { 0 };
	struct tuner_error err;

	assert_false(command_build(request, &command, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	if (strstr(err.message, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, reason);
	assert_null(command.memory);
}

static void what_linux_or_we_cannot_pass_is_refused(void **state)
{
	struct command_request request = request_for(VECTOR("train"));
	char *big = malloc(COMMAND_STRING_MAX + 1);

	assert_non_null(big);
	memset(big, 'x', COMMAND_STRING_MAX);
	big[COMMAND_STRING_MAX] = '\0';
	request.variables = VECTOR("TUNER_ATTEMPT_KEY=mine");
	assert_build_fails(&request, "TUNER_ATTEMPT_KEY");
	request.variables = VECTOR("NOVALUE");
	assert_build_fails(&request, "not NAME=VALUE");
	request.variables = VECTOR("=x");
	assert_build_fails(&request, "not NAME=VALUE");
	request.variables = NULL;
	request.command = VECTOR("train", big);
	assert_build_fails(&request, "131072");
	request.command = VECTOR("train", big + 1);
	request.channels = (struct channel[]){ { "../up", "/data" } };
	request.n_channels = 1;
	assert_build_fails(&request, "channel");
	request.n_channels = 0;
	struct command command = build(&request);
	command_finish(&command);
	free(big);
}

/* ---- on disk ---- */

static int make_directory(void **state)
{
	char template[] = "/tmp/test_command.XXXXXX";

	*state = mkdtemp(template) != NULL ? strdup(template) : NULL;
	return *state == NULL;
}

static int remove_directory(void **state)
{
	struct tuner_error err;
	const bool ok = directory_remove(*state, &err);

	free(*state);
	return ok ? 0 : 1;
}

static void assert_file(const char *directory, const char *name, const char *expected)
{
	char *path = path_join(directory, name);
	struct text text = TEXT_EMPTY;
	struct tuner_error err;
	struct stat status;

	if (!file_read(path, 1 << 20, &text, &err))
		fail_msg("%s", err.message);
	if (expected != NULL)
		assert_string_equal(text.bytes, expected);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	text_finish(&text);
	free(path);
}

static void assert_directory(const char *base, const char *name)
{
	char *path = path_join(base, name);
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	assert_int_equal(status.st_mode & 0777, 0700);
	free(path);
}

static void an_attempt_is_prepared_and_prepared_again(void **state)
{
	struct command_request request = request_for(VECTOR("train"));
	char *directory = path_join(*state, "job/0007/1"), link[64] = "";
	struct tuner_error err;

	request.directory = directory;
	struct command command = build(&request);
	for (int i = 0; i < 2; i++) {
		if (!command_prepare(&request, &command, &err))
			fail_msg("%s", err.message);
		assert_directory(directory, "checkpoint");
		assert_directory(directory, "model");
		assert_directory(directory, "output/data");
		assert_file(directory, "launch", NULL);
		assert_file(directory, "parameters.json",
			"{\"learning_rate\":0.1,\"batch-size\":1024,\"nesterov\":true,"
			"\"optimizer\":\"sgd \\\"x\\\" é\",\"wd\":-1e-05}\n");
		assert_file(directory, "input/config/hyperparameters.json",
			"{\"learning_rate\":\"0.1\",\"batch-size\":\"1024\",\"nesterov\":\"true\","
			"\"optimizer\":\"sgd \\\"x\\\" é\",\"wd\":\"-1e-05\"}\n");
		assert_file(directory, "input/config/resourceconfig.json",
			"{\"current_host\":\"algo-1\",\"hosts\":[\"algo-1\"],"
			"\"network_interface_name\":\"lo\"}");
		assert_file(directory, "input/config/inputdataconfig.json", NULL);
		char *path = path_join(directory, "input/data/train");
		assert_int_equal(readlink(path, link, sizeof(link) - 1), strlen("/data/cifar 10"));
		assert_string_equal(link, "/data/cifar 10");
		free(path);
	}
	command_finish(&command);
	free(directory);
}

static void without_channels_there_is_no_input(void **state)
{
	struct command_request request = request_for(VECTOR("train"));
	char *directory = path_join(*state, "1"), *checkpoint = path_join(*state, "elsewhere");
	struct tuner_error err;

	request.directory = directory;
	request.checkpoint_directory = checkpoint;
	request.n_channels = 0;
	struct command command = build(&request);
	if (!command_prepare(&request, &command, &err))
		fail_msg("%s", err.message);
	assert_directory(*state, "elsewhere");
	assert_variable(&command, "TUNER_CHECKPOINT_DIR", checkpoint);
	char *input = path_join(directory, "input"), *own = path_join(directory, "checkpoint");
	assert_int_equal(access(input, F_OK), -1);
	assert_int_equal(access(own, F_OK), -1);
	command_finish(&command);
	free(input);
	free(own);
	free(directory);
	free(checkpoint);
}

/* ---- a script from SageMaker's examples ---- */

/* Runs the command as it is and returns its standard output. */
static char *output_of(const struct command *command)
{
	struct text text = TEXT_EMPTY;
	posix_spawn_file_actions_t actions;
	char bytes[4096];
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	assert_int_equal(posix_spawn(&pid, command->launch.arguments[0], &actions, NULL,
				 command->launch.arguments, command->launch.environment),
		0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while ((n = read(ends[0], bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR))
		text_add_bytes(&text, bytes, n > 0 ? (size_t)n : 0);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return text_take(&text);
}

/* The argument block of the public PyTorch examples, word for word in what it asks for. */
static const char sagemaker_script[] =
	"import argparse, json, os\n"
	"parser = argparse.ArgumentParser()\n"
	"parser.add_argument('--batch-size', type=int, default=64)\n"
	"parser.add_argument('--learning_rate', type=float, default=0.01)\n"
	"parser.add_argument('--nesterov', type=lambda s: s == 'true')\n"
	"parser.add_argument('--optimizer', type=str)\n"
	"parser.add_argument('--hosts', type=list, default=json.loads(os.environ['SM_HOSTS']))\n"
	"parser.add_argument('--current-host', type=str, default=os.environ['SM_CURRENT_HOST'])\n"
	"parser.add_argument('--model-dir', type=str, default=os.environ['SM_MODEL_DIR'])\n"
	"parser.add_argument('--data-dir', type=str, default=os.environ['SM_CHANNEL_TRAIN'])\n"
	"parser.add_argument('--output-data-dir', default=os.environ['SM_OUTPUT_DATA_DIR'])\n"
	"parser.add_argument('--num-gpus', type=int, default=os.environ['SM_NUM_GPUS'])\n"
	"a = parser.parse_args()\n"
	"env = json.loads(os.environ['SM_TRAINING_ENV'])\n"
	"assert env['hyperparameters'] == json.loads(os.environ['SM_HPS'])\n"
	"assert env['resource_config'] == json.loads(os.environ['SM_RESOURCE_CONFIG'])\n"
	"assert env['input_data_config'] == json.loads(os.environ['SM_INPUT_DATA_CONFIG'])\n"
	"assert list(env['channel_input_dirs']) == json.loads(os.environ['SM_CHANNELS'])\n"
	"assert json.loads(os.environ['SM_USER_ARGS'])[:2] == ['--learning_rate', '0.1']\n"
	"assert float(os.environ['SM_HP_LEARNING_RATE']) == a.learning_rate\n"
	"assert int(os.environ['SM_LOG_LEVEL']) == 20 and int(os.environ['SM_NUM_CPUS']) == 3\n"
	"print(a.batch_size, a.learning_rate, a.nesterov, ascii(a.optimizer), a.hosts,\n"
	"      a.current_host, a.model_dir, a.data_dir, a.output_data_dir, a.num_gpus)\n";

static void a_sagemaker_script_finds_what_it_asks_for(void **state)
{
	struct command_request request =
		request_for(VECTOR("/usr/bin/python3", "-c", sagemaker_script));

	if (access("/usr/bin/python3", X_OK) != 0)
		skip();
	request.n_arguments = 4;
	request.inherited = VECTOR("PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8");
	struct command command = build(&request);
	char *output = output_of(&command);
	assert_string_equal(output,
		"1024 0.1 True 'sgd \"x\" \\xe9' ['algo-1'] algo-1 /tmp/a/0007/1/model "
		"/data/cifar 10 /tmp/a/0007/1/output/data 0\n");
	free(output);
	command_finish(&command);
}

/* ---- finding the program ---- */

static void make_file(const char *directory, const char *name, mode_t mode)
{
	char *path = path_join(directory, name);
	struct tuner_error err;

	if (!file_write_atomic(path, "#!/bin/sh\n", 10, mode, false, &err))
		fail_msg("%s", err.message);
	free(path);
}

static void assert_exists(
	const char *argument, const char *directory, const char *path, const char *expected)
{
	char *found = NULL;
	struct tuner_error err;

	if (!command_exists(argument, directory, path, &found, &err))
		fail_msg("%s", err.message);
	char *full = path_join(directory, expected);
	assert_string_equal(found, full);
	free(full);
	free(found);
}

static void assert_missing(
	const char *argument, const char *directory, const char *path, const char *reason)
{
	char *found = NULL;
	struct tuner_error err;

	assert_false(command_exists(argument, directory, path, &found, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	assert_null(found);
	if (strstr(err.message, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.message, reason);
}

static void programs_are_found_as_exec_finds_them(void **state)
{
	const char *directory = *state;
	struct tuner_error err;
	char *bin = path_join(directory, "bin");

	assert_true(directory_make(bin, 0700, &err));
	make_file(directory, "run", 0700);
	make_file(directory, "text", 0600);
	make_file(bin, "tool", 0700);
	make_file(bin, "text", 0700);

	assert_exists("/bin/sh", directory, "", "/bin/sh");
	assert_exists(
		"sh", directory, NULL, access("/usr/bin/sh", X_OK) ? "/bin/sh" : "/usr/bin/sh");
	assert_exists("./run", directory, "/usr/bin", "./run");
	assert_exists("bin/tool", directory, "/usr/bin", "bin/tool");
	assert_exists("tool", directory, "/nowhere:bin", "bin/tool");
	assert_exists("tool", directory, bin, bin[0] == '/' ? "bin/tool" : "");
	assert_exists("run", directory, "bin:", "run"); /* an empty entry is here */
	assert_exists("text", directory, ":bin", "bin/text"); /* past the one that is no program */

	assert_missing("tool", directory, "/nowhere", "no program \"tool\" in PATH (/nowhere)");
	assert_missing("./tool", directory, bin, "no program");
	assert_missing("./text", directory, bin, "not an executable file");
	assert_missing("text", directory, "", "not an executable file");
	assert_missing("./bin", directory, bin, "not an executable file");
	assert_missing("~/run", directory, bin, "no program");
	assert_missing("", directory, bin, "no program");
	free(bin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_follow_the_command_in_their_order),
		cmocka_unit_test(each_style_has_its_form),
		cmocka_unit_test(with_a_placeholder_nothing_is_appended),
		cmocka_unit_test(what_a_trial_goes_without_is_nowhere),
		cmocka_unit_test(the_attempt_has_placeholders_too),
		cmocka_unit_test(a_parameter_goes_before_a_placeholder_of_ours),
		cmocka_unit_test(doubled_braces_stand_for_themselves),
		cmocka_unit_test(escaped_braces_alone_are_no_placeholder),
		cmocka_unit_test(the_prefix_goes_first_and_is_left_alone),
		cmocka_unit_test(unknown_placeholders_are_refused_with_the_nearest_known),
		cmocka_unit_test(a_check_says_whether_placeholders_are_there),
		cmocka_unit_test(the_launch_carries_what_was_asked),
		cmocka_unit_test(every_variable_has_its_value),
		cmocka_unit_test(the_training_environment_is_one_object),
		cmocka_unit_test(gpus_are_named_by_index_and_slices_by_uuid),
		cmocka_unit_test(inherited_then_ours_then_the_jobs_own),
		cmocka_unit_test(defaults_give_way_to_what_is_set),
		cmocka_unit_test(the_rendezvous_port_is_free_and_follows_the_key),
		cmocka_unit_test(the_exact_name_wins_over_the_plain_one),
		cmocka_unit_test(what_linux_or_we_cannot_pass_is_refused),
		cmocka_unit_test_setup_teardown(an_attempt_is_prepared_and_prepared_again,
			make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
			without_channels_there_is_no_input, make_directory, remove_directory),
		cmocka_unit_test(a_sagemaker_script_finds_what_it_asks_for),
		cmocka_unit_test_setup_teardown(
			programs_are_found_as_exec_finds_them, make_directory, remove_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
