#include "scheduler/environment.h"

#include "base/file.h"
#include "base/hash.h"

#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Below the usual range of ephemeral ports (32768 on), so that no outgoing connection uses these
 * ports. */
enum { PORT_FIRST = 20000, PORTS = 10000, PORT_TRIES = 64 };

/* SageMaker's name for the only machine of a training job, and its network interface. */
static const char HOST[] = "algo-1", INTERFACE[] = "lo";

char *attempt_path(const struct command_request *request, const char *name)
{
	return path_join(request->directory, name);
}

char *attempt_checkpoint(const struct command_request *request)
{
	return request->checkpoint_directory != NULL ? strdup(request->checkpoint_directory)
						     : attempt_path(request, "checkpoint");
}

void slot_gpus(const struct slot *slot, struct text *ret)
{
	bool slices = false;

	for (size_t i = 0; i < slot->n_gpus; i++)
		slices |= gpu_is_slice(&slot->gpus[i]);
	for (size_t i = 0; i < slot->n_gpus; i++) {
		text_add(ret, i > 0 ? "," : "");
		if (slices)
			text_add(ret, slot->gpus[i].uuid);
		else
			text_print(ret, "%d", slot->gpus[i].index);
	}
}

/* ---- JSON values ---- */

void arguments_json(const struct argument *arguments, size_t n, bool as_strings, struct text *ret)
{
	const char *separator = "{";

	for (size_t i = 0; i < n; i++) {
		if (arguments[i].text == NULL)
			continue;
		text_add(ret, separator);
		separator = ",";
		text_add_json_string(ret, arguments[i].name);
		text_add(ret, ":");
		if (as_strings)
			text_add_json_string(ret, arguments[i].text);
		else
			text_add(ret, arguments[i].json);
	}
	text_add(ret, *separator == '{' ? "{}" : "}");
}

/* The arguments with which SageMaker's toolkit would have called the script, whatever "arguments"
 * says. */
static void user_args_json(const struct command_request *request, struct text *ret)
{
	struct text name = TEXT_EMPTY;
	const char *separator = "";

	text_add(ret, "[");
	for (size_t i = 0; i < request->n_arguments; i++) {
		if (request->arguments[i].text == NULL)
			continue;
		text_clear(&name);
		text_print(&name, "--%s", request->arguments[i].name);
		text_add(ret, separator);
		separator = ",";
		text_add_json_string(ret, name.bytes);
		text_add(ret, ",");
		text_add_json_string(ret, request->arguments[i].text);
	}
	text_add(ret, "]");
	ret->failed |= text_failed(&name);
	text_finish(&name);
}

static void channel_names_json(const struct command_request *request, struct text *ret)
{
	text_add(ret, "[");
	for (size_t i = 0; i < request->n_channels; i++) {
		text_add(ret, i > 0 ? "," : "");
		text_add_json_string(ret, request->channels[i].name);
	}
	text_add(ret, "]");
}

/* {"train": PATH} or, as SageMaker's input configuration, {"train": {...}}. */
static void channels_json(const struct command_request *request, bool paths, struct text *ret)
{
	text_add(ret, "{");
	for (size_t i = 0; i < request->n_channels; i++) {
		text_add(ret, i > 0 ? "," : "");
		text_add_json_string(ret, request->channels[i].name);
		text_add(ret, ":");
		if (paths)
			text_add_json_string(ret, request->channels[i].path);
		else
			text_add(ret, "{\"TrainingInputMode\":\"File\",\"S3DistributionType\":"
				      "\"FullyReplicated\",\"RecordWrapperType\":\"None\"}");
	}
	text_add(ret, "}");
}

static void resources_json(struct text *ret)
{
	text_print(ret,
		"{\"current_host\":\"%s\",\"hosts\":[\"%s\"],\"network_interface_name\":\"%s\"}",
		HOST, HOST, INTERFACE);
}

/* ---- groups of variables ---- */

struct builder {
	const struct command_request *request;
	struct strings *strings;
	struct text text; /* for one value at a time */
	char *model, *output, *output_data, *input, *input_config, *checkpoint, *parameters;
};

/* Puts what has been written to builder->text. */
static void put_written(struct builder *builder, const char *name)
{
	strings_put_text(builder->strings, name, builder->text.bytes);
	builder->strings->failed |= text_failed(&builder->text);
	text_clear(&builder->text);
}

/* PREFIX + NAME in capitals; `plain`: letters, digits and _ only, as shells can read. */
static void put_capitals(struct builder *builder, const char *prefix, const char *name, bool plain,
	const char *value)
{
	struct text variable = TEXT_EMPTY;

	text_add(&variable, prefix);
	for (const char *c = name; *c != '\0'; c++)
		text_add_char(&variable, plain && !isalnum((unsigned char)*c)
						 ? '_'
						 : (char)toupper((unsigned char)*c));
	if (strchr(variable.bytes, '=') == NULL)
		strings_put_text(builder->strings, variable.bytes, value);
	builder->strings->failed |= text_failed(&variable);
	text_finish(&variable);
}

/* Both spellings, the exact one last, so that it keeps its value if both "a-b" and "a_b" exist. */
static void put_parameters(struct builder *builder, const char *prefix)
{
	const struct command_request *request = builder->request;

	for (int plain = 1; plain >= 0; plain--)
		for (size_t i = 0; i < request->n_arguments; i++)
			if (request->arguments[i].text != NULL)
				put_capitals(builder, prefix, request->arguments[i].name,
					plain != 0, request->arguments[i].text);
}

static void put_channels(struct builder *builder, const char *prefix)
{
	const struct command_request *request = builder->request;

	for (int plain = 1; plain >= 0; plain--)
		for (size_t i = 0; i < request->n_channels; i++)
			put_capitals(builder, prefix, request->channels[i].name, plain != 0,
				request->channels[i].path);
}

/* SM_TRAINING_ENV: everything once more, as one object. */
static void put_training_env(struct builder *builder)
{
	const struct command_request *request = builder->request;
	struct text *text = &builder->text;
	const struct {
		const char *key, *value;
	} paths[] = {
		{ "input_config_dir", builder->input_config },
		{ "input_dir", builder->input },
		{ "model_dir", builder->model },
		{ "output_data_dir", builder->output_data },
		{ "output_dir", builder->output },
		{ "current_host", HOST },
		{ "network_interface_name", INTERFACE },
		{ "job_name", request->job },
	};

	text_add(text, "{\"channel_input_dirs\":");
	channels_json(request, true, text);
	text_add(text, ",\"hyperparameters\":");
	arguments_json(request->arguments, request->n_arguments, false, text);
	text_add(text, ",\"input_data_config\":");
	channels_json(request, false, text);
	text_add(text, ",\"resource_config\":");
	resources_json(text);
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		text_print(text, ",\"%s\":", paths[i].key);
		text_add_json_string(text, paths[i].value);
	}
	text_print(text, ",\"hosts\":[\"%s\"],\"log_level\":20,\"num_cpus\":%u,\"num_gpus\":%zu}",
		HOST, request->slot->cores, request->slot->n_gpus);
	put_written(builder, "SM_TRAINING_ENV");
}

/* The variables that a script written for SageMaker expects: sagemaker-training-toolkit,
 * ENVIRONMENT_VARIABLES.md. */
static void put_sagemaker(struct builder *builder)
{
	const struct command_request *request = builder->request;
	struct strings *strings = builder->strings;

	put_parameters(builder, "SM_HP_");
	put_channels(builder, "SM_CHANNEL_");
	strings_put_text(strings, "SM_MODEL_DIR", builder->model);
	strings_put_text(strings, "SM_OUTPUT_DIR", builder->output);
	strings_put_text(strings, "SM_OUTPUT_DATA_DIR", builder->output_data);
	strings_put_text(strings, "SM_INPUT_DIR", builder->input);
	strings_put_text(strings, "SM_INPUT_CONFIG_DIR", builder->input_config);
	strings_put_text(strings, "SM_CHECKPOINT_DIR", builder->checkpoint);
	strings_put(strings, "SM_NUM_GPUS", "%zu", request->slot->n_gpus);
	strings_put(strings, "SM_NUM_CPUS", "%u", request->slot->cores);
	strings_put(strings, "SM_HOSTS", "[\"%s\"]", HOST);
	strings_put_text(strings, "SM_CURRENT_HOST", HOST);
	strings_put_text(strings, "SM_NETWORK_INTERFACE_NAME", INTERFACE);
	strings_put_text(strings, "SM_LOG_LEVEL", "20"); /* Python's logging.INFO */
	arguments_json(request->arguments, request->n_arguments, false, &builder->text);
	put_written(builder, "SM_HPS");
	user_args_json(request, &builder->text);
	put_written(builder, "SM_USER_ARGS");
	channel_names_json(request, &builder->text);
	put_written(builder, "SM_CHANNELS");
	channels_json(request, false, &builder->text);
	put_written(builder, "SM_INPUT_DATA_CONFIG");
	resources_json(&builder->text);
	put_written(builder, "SM_RESOURCE_CONFIG");
	put_training_env(builder);
}

static void put_ours(struct builder *builder)
{
	const struct command_request *request = builder->request;
	struct strings *strings = builder->strings;

	put_parameters(builder, "TUNER_PARAM_");
	put_channels(builder, "TUNER_CHANNEL_");
	strings_put_text(strings, "TUNER_PARAMS", builder->parameters);
	strings_put_text(strings, "TUNER_JOB", request->job);
	strings_put(strings, "TUNER_TRIAL", "%lld", (long long)request->trial);
	strings_put(strings, "TUNER_ATTEMPT", "%lld", (long long)request->attempt);
	strings_put_text(strings, ATTEMPT_KEY_VARIABLE, request->key);
	strings_put_text(strings, "TUNER_HOST", request->host != NULL ? request->host : "");
	strings_put(strings, "TUNER_SEED", "%llu", (unsigned long long)request->training_seed);
	strings_put_text(strings, "TUNER_ATTEMPT_DIR", request->directory);
	strings_put_text(strings, "TUNER_CHECKPOINT_DIR", builder->checkpoint);
	strings_put_text(strings, "TUNER_MODEL_DIR", builder->model);
	strings_put_text(strings, "TUNER_OUTPUT_DIR", builder->output_data);
	strings_put(strings, "TUNER_NUM_GPUS", "%zu", request->slot->n_gpus);
	strings_put(strings, "TUNER_NUM_CPUS", "%u", request->slot->cores);
}

static void put_gpus(struct builder *builder)
{
	if (builder->request->slot->n_gpus == 0)
		return;
	if (builder->request->engine_environment) {
		strings_put_text(builder->strings, "CUDA_DEVICE_ORDER", "PCI_BUS_ID");
		return;
	}
	slot_gpus(builder->request->slot, &builder->text);
	put_written(builder, "CUDA_VISIBLE_DEVICES");
	strings_put_text(builder->strings, "CUDA_DEVICE_ORDER", "PCI_BUS_ID");
}

static bool port_is_free(unsigned port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_ANY) };
	const int reuse = 1;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return true; /* unknown: use it */
	/* As the rendezvous of PyTorch will bind it. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
	const bool free_now = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return free_now;
}

/* The search begins at a port derived from the key, so that two attempts that start at the same
 * moment do not find the same port; a free port is found, not reserved. */
static unsigned rendezvous_port(const char *key)
{
	const unsigned first = (unsigned)(hash_string(key) % PORTS);

	for (unsigned i = 0; i < PORT_TRIES; i++) {
		const unsigned port = PORT_FIRST + (first + i) % PORTS;
		if (port_is_free(port))
			return port;
	}
	return PORT_FIRST + first;
}

static void put_unless_set(struct strings *strings, const char *name, const char *value)
{
	if (strings_get(strings, name) == NULL)
		strings_put_text(strings, name, value);
}

static void put_defaults(struct builder *builder)
{
	struct strings *strings = builder->strings;

	put_unless_set(strings, "PYTHONUNBUFFERED", "1");
	put_unless_set(strings, "MASTER_ADDR", "127.0.0.1");
	if (strings_get(strings, "OMP_NUM_THREADS") == NULL)
		strings_put(strings, "OMP_NUM_THREADS", "%u", builder->request->slot->cores);
	if (strings_get(strings, "MASTER_PORT") == NULL)
		strings_put(strings, "MASTER_PORT", "%u", rendezvous_port(builder->request->key));
}

static bool put_job_variables(
	char *const *variables, struct strings *strings, struct tuner_error *err)
{
	static const char reserved[] = ATTEMPT_KEY_VARIABLE "=";

	for (; variables != NULL && *variables != NULL; variables++) {
		const char *equals = strchr(*variables, '=');
		if (equals == NULL || equals == *variables)
			return tuner_fail(err, TUNER_USAGE,
				"\"%.80s\" in the job's environment is not NAME=VALUE", *variables);
		/* Orphaned commands are found and ended by this variable. */
		if (strncmp(*variables, reserved, strlen(reserved)) == 0)
			return tuner_fail(err, TUNER_USAGE,
				ATTEMPT_KEY_VARIABLE " cannot be set in the job's environment");
		strings_put_pair(strings, *variables);
	}
	return true;
}

static bool builder_init(
	struct builder *builder, const struct command_request *request, struct strings *strings)
{
	*builder = (struct builder){
		.request = request,
		.strings = strings,
		.text = TEXT_EMPTY,
		.model = attempt_path(request, "model"),
		.output = attempt_path(request, "output"),
		.output_data = attempt_path(request, "output/data"),
		.input = attempt_path(request, "input"),
		.input_config = attempt_path(request, "input/config"),
		.parameters = attempt_path(request, "parameters.json"),
		.checkpoint = attempt_checkpoint(request),
	};
	return builder->model != NULL && builder->output != NULL && builder->output_data != NULL &&
	       builder->input != NULL && builder->input_config != NULL &&
	       builder->parameters != NULL && builder->checkpoint != NULL;
}

static void builder_finish(struct builder *builder)
{
	text_finish(&builder->text);
	free(builder->model);
	free(builder->output);
	free(builder->output_data);
	free(builder->input);
	free(builder->input_config);
	free(builder->parameters);
	free(builder->checkpoint);
}

bool environment_build(
	const struct command_request *request, struct strings *ret, struct tuner_error *err)
{
	struct builder builder;
	bool ok = false;

	if (!builder_init(&builder, request, ret)) {
		tuner_fail_memory(err);
		goto out;
	}
	for (char *const *given = request->inherited; given != NULL && *given != NULL; given++)
		strings_put_pair(ret, *given);
	put_sagemaker(&builder);
	put_ours(&builder);
	put_gpus(&builder);
	if (!put_job_variables(request->variables, ret, err))
		goto out;
	put_defaults(&builder);
	ok = !strings_failed(ret) || tuner_fail_memory(err);
out:
	builder_finish(&builder);
	return ok;
}
