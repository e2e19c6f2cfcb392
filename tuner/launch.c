#include "tuner/launch.h"

#include "base/file.h"
#include "base/random.h"
#include "scheduler/slurm.h"
#include "tuner/version.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef TUNER_LIBEXECDIR
#define TUNER_LIBEXECDIR "/usr/local/libexec/tuner"
#endif

extern char **environ;

char *attempt_relative_directory(const char *job, int64_t trial, int64_t attempt)
{
	struct text path = TEXT_EMPTY;
	/* A job's name is letters, digits, '.', '_' and '-', with neither '.' nor '-' in front: it
	 * is used as a directory's name unchanged, and no two jobs share it. */
	text_print(&path, "%s/%04lld/%lld", job, (long long)trial, (long long)attempt);
	return text_take(&path);
}

bool attempt_new_key(char ret_key[40], struct tuner_error *err)
{
	unsigned char bytes[16];
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return tuner_fail_errno(err, errno, "cannot draw an attempt's key");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret_key + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

uint64_t training_seed(uint64_t seed, int64_t repeat, int64_t number)
{
	struct random random;
	random_init(&random, (struct random_key){ .seed = seed,
				     .repeat = (uint32_t)repeat,
				     .number = (uint32_t)number,
				     .purpose = RANDOM_TRAINING_SEED });
	/* 31 bits: NumPy refuses seeds of 2^32 and more, and many programs read a signed int. */
	return random_u32(&random) >> 1;
}

bool directory_prepare(const char *directory, struct tuner_error *err)
{
	bool ok = false;
	char *path = path_join(directory, ".gitignore");
	if (path == NULL)
		return tuner_fail_memory(err);
	if (!directory_make(directory, 0700, err))
		goto out;
	file_remove_temporaries(directory);
	ok = access(path, F_OK) == 0 || file_write_atomic(path, "*\n", 2, 0600, false, err);
out:
	free(path);
	return ok;
}

/* A path in the working directory, which was sent there; others are the same there. NULL without memory. */
static char *path_there(const struct launch_site *site, const char *path)
{
	const char *directory = site->file->directory, *code = site->remote->code;
	const size_t n = strlen(directory);
	const bool frozen =
		site->working_directory != NULL && strcmp(site->working_directory, directory) != 0;

	/* Data need not be part of the frozen code. */
	if (code == NULL || frozen || strncmp(path, directory, n) != 0 ||
		(path[n] != '/' && path[n] != '\0'))
		return strdup(path);
	return path[n] == '/' ? path_join(code, path + n + 1) : strdup(code);
}

static bool place_channels(const struct launch_site *site, struct launch_request *request)
{
	const struct job_file *file = site->file;

	request->channels = calloc(file->n_channels + 1, sizeof(*request->channels));
	if (request->channels == NULL)
		return false;
	for (; request->n_channels < file->n_channels; request->n_channels++) {
		const struct channel *here = &file->channels[request->n_channels];
		const char *path = path_there(site, here->path);
		if (path == NULL)
			return false;
		request->channels[request->n_channels] = (struct channel){ here->name, path };
	}
	return true;
}

/* The same request with that machine's directories and environment. */
static bool on_another_machine(const struct launch_site *site, const struct live *live,
	struct launch_request *request, struct tuner_error *err)
{
	const struct backend_site *remote = site->remote;
	struct text trial = TEXT_EMPTY;

	text_print(&trial, "%s/%04lld", remote->directory, (long long)live->number);
	free(request->checkpoint);
	request->checkpoint = path_join(trial.bytes, "checkpoint");
	text_print(&trial, "/%lld", (long long)live->attempt_number);
	request->directory = text_take(&trial);
	if (request->checkpoint == NULL || request->directory == NULL ||
		!place_channels(site, request))
		return tuner_fail_memory(err);
	request->command.checkpoint_directory = request->checkpoint;
	request->command.prepared = live->directory;
	request->command.directory = request->directory;
	request->command.channels = request->channels;
	request->command.inherited = remote->environment;
	if (remote->code != NULL)
		request->command.working_directory = remote->code;
	if (site->entry->ssh != NULL)
		request->command.lease_us = site->entry->ssh->lease_us;
	return true;
}

/* The cluster provides the job's environment and assigns its GPUs; their number follows from the
 * request. */
static void under_slurm(const struct job_host *host, struct launch_request *request)
{
	request->command.inherited = NULL;
	request->command.engine_environment = true;
	request->command.heartbeat_us = SLURM_HEARTBEAT_S * INT64_C(1000000);
	request->slot.n_gpus = host->gpus_per_trial;
	for (size_t i = 0; i < request->slot.n_gpus; i++)
		request->slot.gpus[i] = (struct gpu){ .index = (int)i };
}

bool launch_request(const struct launch_site *site, const struct live *live,
	struct launch_request *ret, struct tuner_error *err)
{
	const struct job_file *file = site->file;
	const struct job_host *host = site->entry;
	char *trial_directory = path_directory(live->directory);

	*ret = (struct launch_request){
		.arguments = configuration_arguments(file, live->values),
		.n_arguments = file->space.d + file->n_fixed,
		.checkpoint = trial_directory ? path_join(trial_directory, "checkpoint") : NULL,
	};
	free(trial_directory);
	ret->slot = *site->slot;
	if (ret->arguments == NULL || ret->checkpoint == NULL)
		return tuner_fail_memory(err);
	ret->command = (struct command_request){
		.command = file->command,
		.prefix = host ? host->prefix : NULL,
		.style = file->style,
		.arguments = ret->arguments,
		.n_arguments = ret->n_arguments,
		.channels = file->channels,
		.n_channels = file->n_channels,
		.variables = file->environment,
		.inherited = environ,
		.directory = live->directory,
		.checkpoint_directory = ret->checkpoint,
		.working_directory =
			site->working_directory ? site->working_directory : file->directory,
		.key = live->key,
		.job = file->name,
		.host = site->host,
		.trial = live->number,
		.attempt = live->attempt_number,
		.training_seed = training_seed(file->seed, live->repeat, live->arm_number),
		.slot = &ret->slot,
		.gpu_locks = site->gpu_locks,
		.gpu_owner = site->gpu_owner,
		.timeout_us = file->timeout_us,
		.grace_us = file->grace_us,
		.log_max_bytes = file->log_max_bytes,
		.secrets = file->env_file,
		.memory_bytes = file->memory_bytes,
		.no_network = file->no_network,
	};
	if (host != NULL && host->slurm != NULL)
		under_slurm(host, ret);
	return site->remote == NULL || on_another_machine(site, live, ret, err);
}

void launch_request_finish(struct launch_request *request)
{
	arguments_free(request->arguments, request->n_arguments);
	for (size_t i = 0; i < request->n_channels; i++)
		free((char *)request->channels[i].path);
	free(request->channels);
	free(request->directory);
	free(request->checkpoint);
}

bool launch_arguments(const struct launch_site *site, const struct live *live, struct text *ret,
	struct tuner_error *err)
{
	struct launch_request request;
	const bool ok = launch_request(site, live, &request, err) &&
			command_arguments(&request.command, ret, err);

	launch_request_finish(&request);
	return ok;
}

bool launch_prepare(
	const struct launch_site *site, const struct live *live, struct tuner_error *err)
{
	struct launch_request request;
	struct command command = { 0 };
	const bool ok = launch_request(site, live, &request, err) &&
			command_build(&request.command, &command, err) &&
			command_prepare(&request.command, &command, err);

	command_finish(&command);
	launch_request_finish(&request);
	return ok;
}

static bool is_there(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0;
}

bool launch_make_way(
	const char *directory, int64_t attempt_number, char **ret_moved, struct tuner_error *err)
{
	enum { NAMES_MAX = 10000 };
	char *path = attempt_number == 1 ? path_directory(directory) : strdup(directory);
	struct text moved = TEXT_EMPTY;
	bool ok = path != NULL || tuner_fail_memory(err);

	*ret_moved = NULL;
	if (!ok || !is_there(path))
		goto out;
	for (int i = 1; i <= NAMES_MAX && (i == 1 || is_there(moved.bytes)); i++) {
		text_clear(&moved);
		text_print(&moved, i == 1 ? "%s.old" : "%s.old%d", path, i);
	}
	ok = !text_failed(&moved) || tuner_fail_memory(err);
	if (ok && rename(path, moved.bytes) != 0)
		ok = tuner_fail_errno(err, errno, "cannot move %s out of the way", path);
	else if (ok)
		ok = (*ret_moved = text_take(&moved)) != NULL || tuner_fail_memory(err);
out:
	text_finish(&moved);
	free(path);
	return ok;
}

/* Beside this program where the build or a package puts it, or where packages are installed. *ret NULL: nowhere. */
static bool find_beside(const char *name, char **ret, struct tuner_error *err)
{
	static const char *const beside[] = { "../scheduler", "../libexec/tuner", "." };
	char self[PATH_MAX], candidate[PATH_MAX + 64];

	*ret = NULL;
	const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[length > 0 ? length : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	for (size_t i = 0; slash != NULL && i < sizeof(beside) / sizeof(*beside); i++) {
		snprintf(candidate, sizeof(candidate), "%s/%s/%s", self, beside[i], name);
		if (access(candidate, X_OK) == 0) {
			*ret = realpath(candidate, NULL);
			return *ret != NULL || tuner_fail_memory(err);
		}
	}
	snprintf(candidate, sizeof(candidate), "%s/%s", TUNER_LIBEXECDIR, name);
	if (access(candidate, X_OK) != 0)
		return true;
	*ret = strdup(candidate);
	return *ret != NULL || tuner_fail_memory(err);
}

bool launch_is_possible(struct tuner_error *err)
{
	return access("/dev/null", R_OK | W_OK) == 0 ||
	       tuner_fail(err, TUNER_FATAL,
		       "/dev/null cannot be used (%s), and it is what every command reads at "
		       "first: "
		       "make it, by mknod -m 666 /dev/null c 1 3, or mount /dev",
		       strerror(errno));
}

bool find_supervisor(char **ret_path, struct tuner_error *err)
{
	const char *given = getenv("TUNER_SUPERVISE");
	if (given != NULL && given[0] != '\0') {
		*ret_path = strdup(given);
		return *ret_path != NULL || tuner_fail_memory(err);
	}
	if (!find_beside("tuner-supervise", ret_path, err))
		return false;
	if (*ret_path == NULL && access("/proc/self", F_OK) != 0)
		return tuner_fail(err, TUNER_USAGE,
			"tuner-supervise is not in %s, nor can it be looked for beside this "
			"program "
			"without /proc: mount that, or name it in TUNER_SUPERVISE",
			TUNER_LIBEXECDIR);
	return *ret_path != NULL ||
	       tuner_fail(err, TUNER_USAGE,
		       "tuner-supervise is neither beside this program nor in %s: build it with "
		       "ninja, or name it in TUNER_SUPERVISE",
		       TUNER_LIBEXECDIR);
}

bool find_nvml(char **ret_path, struct tuner_error *err)
{
	const char *given = getenv("TUNER_NVML");
	*ret_path = NULL;
	if (given == NULL || given[0] == '\0')
		return find_beside("tuner-nvml", ret_path, err);
	if (strcmp(given, "none") == 0)
		return true;
	*ret_path = strdup(given);
	return *ret_path != NULL || tuner_fail_memory(err);
}
