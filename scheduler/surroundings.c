#include "scheduler/surroundings.h"

#include "base/file.h"
#include "scheduler/command.h"
#include "scheduler/machine.h"
#include "scheduler/strings.h"
#include "scheduler/tool.h"

#include <ctype.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	SMALL_FILE_MAX = 64 * 1024,
	SMI_US = 10000000,
	NVCC_US = 5000000,
	PYTHON_US = 20000000,
	PACKAGES_BYTES_MAX = 1 << 20,
	VALUE_BYTES_MAX = 4096,
};

/* ---- variables ---- */

static bool ends_in(const char *word, size_t length, const char *end)
{
	const size_t n = strlen(end);

	if (length < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (tolower((unsigned char)word[length - n + i]) != end[i])
			return false;
	return true;
}

bool variable_is_secret(const char *name)
{
	static const char *const ends[] = { "token", "tokens", "key", "keys", "secret", "secrets",
		"password", "passwords", "passwd", "passphrase", "pass", "pwd", "credential",
		"credentials", "auth", "cookie", "cookies", "private", "dsn", "cert" };

	for (const char *word = name; *word != '\0' && *word != '=';) {
		const size_t length = strcspn(word, "_=");
		for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
			if (ends_in(word, length, ends[i]))
				return true;
		word += length + (word[length] == '_');
	}
	return false;
}

/* Variables that change how programs compute, or which libraries they find. */
static bool is_known(const char *name)
{
	static const char *const names[] = { "PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH",
		"PYTHONHOME", "PYTHONHASHSEED", "PYTHONOPTIMIZE", "PYTHONNOUSERSITE", "VIRTUAL_ENV",
		"CONDA_PREFIX", "CONDA_DEFAULT_ENV", "LANG", "LC_ALL", "LC_NUMERIC", "TZ",
		"SLURM_JOB_ID", "SLURM_JOB_PARTITION", "R_LIBS", "R_LIBS_USER" };
	static const char *const beginnings[] = { "CUDA_", "CUDNN_", "CUBLAS_", "NCCL_", "NVIDIA_",
		"OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "NUMEXPR_", "TORCH",
		"PYTORCH_", "TF_CPP_", "TF_CUDNN_", "TF_DETERMINISTIC_", "TF_ENABLE_", "TF_FORCE_",
		"TF_GPU_", "TF_NUM_", "TF_XLA_", "XLA_", "JAX_", "HF_", "TRANSFORMERS_",
		"TOKENIZERS_", "HIP_", "ROCM_", "ROCR_", "MIOPEN_", "HSA_", "MALLOC_", "TRITON_",
		"UCX_", "JULIA_", "NVTE_" };
	const size_t length = strcspn(name, "=");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == length && strncmp(name, names[i], length) == 0)
			return true;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* user:password@ of a URL becomes ***@, anywhere in the value. */
static void add_without_passwords(const char *value, struct text *ret)
{
	for (const char *at = value; *at != '\0';) {
		const char *scheme = strstr(at, "://");
		if (scheme == NULL) {
			text_add(ret, at);
			return;
		}
		scheme += 3;
		text_add_bytes(ret, at, (size_t)(scheme - at));
		const size_t authority = strcspn(scheme, "/?# ,;'\"");
		const char *host = memrchr(scheme, '@', authority);
		if (host != NULL)
			text_add(ret, "***");
		at = host != NULL ? host : scheme;
	}
}

static void add_variable(const char *name, size_t name_length, const char *value, struct text *ret)
{
	struct text plain = TEXT_EMPTY;

	text_add(ret, ret->bytes[ret->length - 1] == '{' ? "" : ",");
	text_add_json_bytes(ret, name, name_length);
	text_add(ret, ":");
	if (value == NULL) {
		text_add(ret, "null");
		return;
	}
	add_without_passwords(value, &plain);
	text_add_json_bytes(
		ret, plain.bytes, plain.length < VALUE_BYTES_MAX ? plain.length : VALUE_BYTES_MAX);
	ret->failed |= text_failed(&plain);
	text_finish(&plain);
}

static bool is_set_by(char *const *variables, const char *pair)
{
	const size_t length = strcspn(pair, "=") + 1;

	for (; variables != NULL && *variables != NULL; variables++)
		if (strncmp(*variables, pair, length) == 0)
			return true;
	return false;
}

void surroundings_environment(const struct surroundings_request *request, struct text *ret)
{
	text_add(ret, "{");
	for (char *const *v = request->inherited; v != NULL && *v != NULL; v++) {
		const char *equals = strchr(*v, '=');
		if (equals != NULL && is_known(*v) && !variable_is_secret(*v) &&
			!is_set_by(request->variables, *v))
			add_variable(*v, (size_t)(equals - *v), equals + 1, ret);
	}
	for (char *const *v = request->variables; v != NULL && *v != NULL; v++) {
		const char *equals = strchr(*v, '=');
		if (equals != NULL)
			add_variable(*v, (size_t)(equals - *v),
				variable_is_secret(*v) ? NULL : equals + 1, ret);
	}
	text_add(ret, "}");
}

/* ---- the interpreter ---- */

static bool is_python(const char *program)
{
	static const char *const names[] = { "python", "pypy" };

	return path_is_program(program, names, sizeof(names) / sizeof(*names));
}

/* Programs that start the one after them in the same environment. */
static bool is_wrapper(const char *program)
{
	static const char *const names[] = { "env", "nice", "ionice", "taskset", "numactl",
		"timeout", "stdbuf", "nohup", "chrt", "setsid", "time", "srun" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(path_name(program), names[i]) == 0)
			return true;
	return false;
}

/* The interpreter of a script, by its first line: "#!/usr/bin/env python3". "" if there is none. */
static void read_interpreter(const char *path, char ret[256])
{
	char line[256] = "", first[256] = "", second[256] = "";
	FILE *file = fopen(path, "re");

	ret[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(line, sizeof(line), file) != NULL && line[0] == '#' && line[1] == '!' &&
		sscanf(line + 2, " %255s %255s", first, second) >= 1)
		snprintf(ret, 256, "%s", strcmp(path_name(first), "env") == 0 ? second : first);
	fclose(file);
}

/* Looks the word up; if it is a script, its interpreter. */
static bool resolve_python(const struct surroundings_request *request, const char *word, char **ret,
	struct tuner_error *err)
{
	struct tuner_error missing;
	char interpreter[256], *found = NULL;

	if (!command_exists(word, request->directory, getenv("PATH"), &found, &missing))
		return missing.code == TUNER_USAGE ||
		       tuner_fail(err, missing.code, "%s", missing.message);
	if (is_python(word)) {
		*ret = found;
		return true;
	}
	read_interpreter(found, interpreter);
	free(found);
	return !is_python(interpreter) || resolve_python(request, interpreter, ret, err);
}

static bool look_for_python(const struct surroundings_request *request, char *const *words,
	bool *ret_wrapped, char **ret, struct tuner_error *err)
{
	for (; words != NULL && *words != NULL; words++) {
		const bool first = !*ret_wrapped;
		*ret_wrapped = true;
		if (first && is_wrapper(*words))
			continue;
		if (first || is_python(*words))
			return resolve_python(request, *words, ret, err);
	}
	return true;
}

bool surroundings_python(
	const struct surroundings_request *request, char **ret, struct tuner_error *err)
{
	char *const *first = request->prefix != NULL && request->prefix[0] != NULL
				     ? request->prefix
				     : request->command;
	bool wrapped = false;

	*ret = NULL;
	if (first == NULL || first[0] == NULL)
		return true;
	/* A prefix is itself a wrapper. */
	if (first == request->prefix) {
		if (!look_for_python(request, request->prefix + 1, &(bool){ true }, ret, err))
			return false;
		if (*ret != NULL)
			return true;
	}
	return look_for_python(request, request->command, &wrapped, ret, err);
}

static bool add_python(const struct surroundings_request *request, const char *program,
	struct text *ret, struct tuner_error *err)
{
	/* Imports only what is part of Python itself. */
	static const char script[] =
		"import sys, json, platform\n"
		"packages = {}\n"
		"try:\n"
		"    from importlib.metadata import distributions\n"
		"    for d in distributions():\n"
		"        name = d.metadata['Name']\n"
		"        if name and name not in packages: packages[name] = d.version\n"
		"except ImportError: packages = None\n"
		"print(json.dumps({'program': sys.argv[1], 'version': platform.python_version(),\n"
		"    'implementation': platform.python_implementation(), 'prefix': sys.prefix,\n"
		"    'packages': packages}, sort_keys=True))\n";
	const char *const arguments[] = { program, "-B", "-c", script, program, NULL };
	struct strings environment = { 0 };
	struct text output = TEXT_EMPTY;
	struct tool_result result;
	char text[320];
	bool ok = false;

	for (char *const *v = request->inherited; v != NULL && *v != NULL; v++)
		strings_put_pair(&environment, *v);
	for (char *const *v = request->variables; v != NULL && *v != NULL; v++)
		strings_put_pair(&environment, *v);
	const char **vector = calloc(environment.n + 1, sizeof(*vector));
	if (vector == NULL || strings_failed(&environment)) {
		tuner_fail_memory(err);
		goto out;
	}
	for (size_t i = 0; i < environment.n; i++)
		vector[i] = strings_item(&environment, i);
	/* Runs in a directory without the user's files, since Python would look for modules there
	 * first. */
	const struct tool tool = { .arguments = arguments,
		.environment = vector,
		.directory = "/",
		.timeout_us = PYTHON_US,
		.bytes_max = PACKAGES_BYTES_MAX };
	if (!tool_run(&tool, &output, &result, err))
		goto out;
	if (result.end == TOOL_DONE && result.status == 0 && output.bytes[0] == '{') {
		text_add_bytes(ret, output.bytes, strcspn(output.bytes, "\n"));
	} else {
		text_add(ret, "{\"program\":");
		text_add_json_string(ret, program);
		text_add(ret, ",\"error\":");
		text_add_json_string(ret, tool_result_text(&result, text));
		text_add(ret, "}");
	}
	ok = true;
out:
	free(vector);
	strings_finish(&environment);
	text_finish(&output);
	return ok;
}

/* ---- CUDA ---- */

/* The first word after `label` that begins with a digit, up to the version's end. "" if there is
 * none. */
static void version_behind(const char *text, const char *label, char ret[64])
{
	const char *at = strstr(text, label);

	ret[0] = '\0';
	if (at == NULL)
		return;
	at += strlen(label);
	const char *line_end = at + strcspn(at, "\n");
	while (at < line_end && !isdigit((unsigned char)*at))
		at++;
	size_t n = 0;
	while (n < 63 && at + n < line_end && (isalnum((unsigned char)at[n]) || at[n] == '.'))
		n++;
	/* "x86_64" is not a version. */
	if (memchr(at, '.', n) == NULL && at + n < line_end) {
		struct text rest = TEXT_EMPTY;
		text_add_bytes(&rest, at + n, (size_t)(line_end - at) - n);
		version_behind(rest.bytes, "", ret);
		text_finish(&rest);
		return;
	}
	snprintf(ret, 64, "%.*s", (int)n, at);
}

static bool read_small(const char *path, struct text *ret)
{
	struct tuner_error ignored;

	return access(path, R_OK) == 0 && file_read(path, SMALL_FILE_MAX, ret, &ignored);
}

static void add_member(const char *name, const char *value, struct text *ret)
{
	text_print(ret, ",\"%s\":", name);
	if (value[0] != '\0')
		text_add_json_string(ret, value);
	else
		text_add(ret, "null");
}

/* Output of a program; empty if it does not exist or fails. */
static bool output_of(
	const char *const *arguments, int64_t timeout_us, struct text *ret, struct tuner_error *err)
{
	const struct tool tool = {
		.arguments = arguments, .timeout_us = timeout_us, .bytes_max = SMALL_FILE_MAX
	};
	struct tool_result result;

	if (!tool_run(&tool, ret, &result, err))
		return false;
	if (result.end != TOOL_DONE || result.status != 0)
		text_clear(ret);
	return true;
}

/* The version by the toolkit's version.json, else by its compiler. */
static bool find_toolkit(char ret[64], struct tuner_error *err)
{
	static const char *const nvcc[] = { "nvcc", "--version", NULL };
	const char *const places[] = { getenv("CUDA_HOME"), getenv("CUDA_PATH"),
		"/usr/local/cuda" };
	struct text text = TEXT_EMPTY;
	bool ok = true;

	ret[0] = '\0';
	for (size_t i = 0; i < 3 && ret[0] == '\0'; i++) {
		char *path = places[i] != NULL ? path_join(places[i], "version.json") : NULL;
		if (path != NULL && read_small(path, &text)) {
			const char *cuda = strstr(text.bytes, "\"cuda\"");
			version_behind(cuda != NULL ? cuda : "", "\"version\"", ret);
		}
		free(path);
	}
	text_clear(&text);
	if (ret[0] == '\0' && (ok = output_of(nvcc, NVCC_US, &text, err)))
		version_behind(text.bytes, "release", ret);
	text_finish(&text);
	return ok;
}

static bool add_cuda(struct text *ret, struct tuner_error *err)
{
	static const char *const smi[] = { "nvidia-smi", NULL };
	struct text text = TEXT_EMPTY;
	char driver[64] = "", supported[64] = "", toolkit[64];

	if (read_small("/proc/driver/nvidia/version", &text))
		version_behind(text.bytes, "Module", driver);
	text_clear(&text);
	if (!output_of(smi, SMI_US, &text, err) || !find_toolkit(toolkit, err)) {
		text_finish(&text);
		return false;
	}
	version_behind(text.bytes, "CUDA Version:", supported);
	if (driver[0] == '\0')
		version_behind(text.bytes, "Driver Version:", driver);
	text_finish(&text);
	add_member("nvidia_driver", driver, ret);
	add_member("cuda_of_driver", supported, ret);
	add_member("cuda_toolkit", toolkit, ret);
	return true;
}

/* ---- the machine ---- */

/* NAME="Debian GNU/Linux 12" of os-release. */
static void read_system(char ret[128])
{
	struct text text = TEXT_EMPTY;
	const char *at = NULL;

	snprintf(ret, 128, "Linux");
	if (read_small("/etc/os-release", &text) &&
		(at = strstr(text.bytes, "PRETTY_NAME=\"")) != NULL) {
		at += strlen("PRETTY_NAME=\"");
		snprintf(ret, 128, "%.*s", (int)strcspn(at, "\"\n"), at);
	}
	text_finish(&text);
}

bool surroundings_versions(
	const struct surroundings_request *request, struct text *ret, struct tuner_error *err)
{
	struct utsname name = { 0 };
	char system[128], cpu[64], *python = NULL;

	uname(&name);
	read_system(system);
	machine_cpu_name(cpu);
	text_add(ret, "{\"system\":");
	text_add_json_string(ret, system);
	add_member("kernel", name.release, ret);
	add_member("architecture", name.machine, ret);
	add_member("libc", gnu_get_libc_version(), ret);
	add_member("cpu", cpu, ret);
	text_print(ret, ",\"cores\":%u,\"memory_bytes\":%lld", machine_cores(),
		(long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
	if (!add_cuda(ret, err) || !surroundings_python(request, &python, err))
		return false;
	text_add(ret, ",\"python\":");
	bool ok = true;
	if (python != NULL)
		ok = add_python(request, python, ret, err);
	else
		text_add(ret, "null");
	free(python);
	text_add(ret, "}");
	return ok && (!text_failed(ret) || tuner_fail_memory(err));
}
