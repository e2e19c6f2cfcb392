#include "scheduler/attempt.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "scheduler/attempt_files.h"
#include "scheduler/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* ---- launch ---- */

static void add_record(struct text *bytes, char tag, const char *value)
{
	text_add_char(bytes, tag);
	text_add_bytes(bytes, value, strlen(value) + 1);
}

static void add_number(struct text *bytes, char tag, int64_t value)
{
	char number[32];
	snprintf(number, sizeof(number), "%lld", (long long)value);
	add_record(bytes, tag, number);
}

static void add_vector(struct text *bytes, char tag, char *const *vector)
{
	for (; *vector != NULL; vector++)
		add_record(bytes, tag, *vector);
}

bool launch_write(const char *directory, const struct launch *launch, struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY;
	char *path = path_join(directory, ATTEMPT_LAUNCH);
	bool ok = false;

	text_add_bytes(&bytes, LAUNCH_MAGIC, sizeof(LAUNCH_MAGIC));
	add_record(&bytes, LAUNCH_KEY, launch->key);
	add_record(&bytes, LAUNCH_DIRECTORY, launch->working_directory);
	add_number(&bytes, LAUNCH_TIMEOUT, launch->timeout_us);
	add_number(&bytes, LAUNCH_GRACE, launch->grace_us);
	add_number(&bytes, LAUNCH_LOG, launch->log_max_bytes);
	add_vector(&bytes, LAUNCH_ARGUMENT, launch->arguments);
	add_vector(&bytes, LAUNCH_ENVIRONMENT, launch->environment);
	add_record(&bytes, LAUNCH_END, "");
	if (path == NULL || text_failed(&bytes))
		tuner_fail_memory(err);
	else if (bytes.length > LAUNCH_BYTES_MAX)
		tuner_fail(err, TUNER_USAGE,
			"the command's arguments and environment are %zu bytes, more than %d",
			bytes.length, (int)LAUNCH_BYTES_MAX);
	else
		ok = file_write_atomic(path, bytes.bytes, bytes.length, 0600, false, err);
	text_finish(&bytes);
	free(path);
	return ok;
}

/* ---- looking ---- */

static int64_t number_of(const cJSON *object, const char *name, int64_t otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : otherwise;
}

static void string_of(const cJSON *object, const char *name, char *ret, size_t size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	snprintf(ret, size, "%s", cJSON_IsString(item) ? item->valuestring : "");
}

/* *ret NULL: the file is missing or, after a power failure, torn; *ret_there tells which. */
static bool read_record(const char *directory, const char *name, struct json_document **ret,
	bool *ret_there, struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY;
	struct tuner_error torn;
	char *path = path_join(directory, name);
	bool ok = true;

	*ret = NULL;
	if (path == NULL)
		return tuner_fail_memory(err);
	*ret_there = access(path, F_OK) == 0;
	if (*ret_there && !file_read(path, RECORD_BYTES_MAX, &bytes, err)) {
		/* A whole attempt directory may be removed at any time. */
		*ret_there = access(path, F_OK) == 0;
		ok = !*ret_there;
	} else if (*ret_there && !json_parse(name, bytes.bytes, bytes.length, ret, &torn)) {
		*ret = NULL;
	}
	text_finish(&bytes);
	free(path);
	return ok;
}

static bool read_kind(const cJSON *object, enum exit_kind *ret)
{
	static const char *const names[] = EXIT_KIND_NAMES;
	char name[16];
	string_of(object, "kind", name, sizeof(name));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum exit_kind)i;
			return true;
		}
	return false;
}

/* False: torn. */
static bool read_exit(const cJSON *object, struct exit_record *ret)
{
	if (!read_kind(object, &ret->kind))
		return false;
	ret->code = (int)number_of(object, "code", -1);
	ret->signal = (int)number_of(object, "signal", -1);
	ret->stop_signal = (int)number_of(object, "stop_signal", 0);
	string_of(object, "message", ret->message, sizeof(ret->message));
	ret->started_us = number_of(object, "started_us", 0);
	ret->ended_us = number_of(object, "ended_us", 0);
	ret->user_us = number_of(object, "user_us", 0);
	ret->system_us = number_of(object, "system_us", 0);
	ret->max_rss_bytes = number_of(object, "max_rss_bytes", 0);
	ret->output_bytes = number_of(object, "output_bytes", 0);
	ret->output_lost = number_of(object, "output_lost", 0);
	ret->out_of_memory =
		cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "out_of_memory"));
	return true;
}

static void read_started(const cJSON *object, struct attempt_status *ret)
{
	ret->supervisor_pid = number_of(object, "supervisor_pid", 0);
	ret->supervisor_start = number_of(object, "supervisor_start", 0);
	ret->command_pid = number_of(object, "command_pid", 0);
	ret->command_start = number_of(object, "command_start", 0);
	ret->started_us = number_of(object, "started_us", 0);
	string_of(object, "boot_id", ret->boot_id, sizeof(ret->boot_id));
}

/* Held by a supervisor. Our own test holds it, shared, for a moment: it tries again. */
static bool is_locked(const char *directory, bool *ret_locked, struct tuner_error *err)
{
	char *path = path_join(directory, ATTEMPT_LOCK);
	if (path == NULL)
		return tuner_fail_memory(err);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	*ret_locked = false;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       tuner_fail_errno(err, errno, "cannot open the lock in %s", directory);
	const int error = flock(fd, LOCK_SH | LOCK_NB) != 0 ? errno : 0;
	close(fd);
	*ret_locked = error == EWOULDBLOCK;
	return error == 0 || *ret_locked ||
	       tuner_fail_errno(err, error, "cannot test the lock in %s", directory);
}

bool attempt_look(const char *directory, struct attempt_status *ret, struct tuner_error *err)
{
	struct json_document *started = NULL, *exit = NULL;
	struct tuner_error failed = { TUNER_OK, "" };
	bool locked = false, has_started = false, has_exit = false;

	*ret = (struct attempt_status){ .life = ATTEMPT_NEVER_RAN };
	/* The lock first: once it is free, the files stay as they are. */
	const bool ok = is_locked(directory, &locked, &failed) &&
			read_record(directory, ATTEMPT_STARTED, &started, &has_started, &failed) &&
			read_record(directory, ATTEMPT_EXIT, &exit, &has_exit, &failed);
	if (ok && started != NULL)
		read_started(json_root(started), ret);
	if (ok && locked)
		ret->life = ATTEMPT_LIVES;
	else if (ok && exit != NULL && read_exit(json_root(exit), &ret->exit))
		ret->life = ATTEMPT_FINISHED;
	else if (ok && (has_started || has_exit))
		ret->life = ATTEMPT_ORPHANED;
	json_destroy(started);
	json_destroy(exit);
	if (!ok)
		*err = failed;
	return ok;
}

/* ---- fencing ---- */

static bool same_boot(const struct attempt_status *status)
{
	struct text now = TEXT_EMPTY;
	struct tuner_error ignored;
	bool same = true;
	if (status->boot_id[0] != '\0' &&
		file_read("/proc/sys/kernel/random/boot_id", 64, &now, &ignored))
		same = strncmp(now.bytes, status->boot_id, strlen(status->boot_id)) == 0;
	text_finish(&now);
	return same;
}

/* The command itself, whoever is in its group while it leads it, and every process that carries the
 * key: children that left the group have inherited it. */
static bool belongs(int64_t pid, const struct process *process, const char *key,
	const struct attempt_status *status, bool leads)
{
	if (process->state == 'Z' || process->state == 'X')
		return false;
	if (pid == status->command_pid && process->start == status->command_start)
		return true;
	return (leads && process->group == status->command_pid) ||
	       process_has_variable(pid, ATTEMPT_KEY_VARIABLE, key);
}

/* Sends SIGKILL to all that is left; returns how many there were. */
static size_t kill_rest(DIR *proc, const char *key, const struct attempt_status *status)
{
	struct process process;
	const bool leads = status->command_pid > 0 && process_look(status->command_pid, &process) &&
			   process.start == status->command_start;
	const struct dirent *entry;
	size_t n = 0;

	rewinddir(proc);
	while ((entry = readdir(proc)) != NULL) {
		char *end;
		const long pid = strtol(entry->d_name, &end, 10);
		if (*end != '\0' || pid <= 1 || pid == getpid() || !process_look(pid, &process) ||
			!belongs(pid, &process, key, status, leads))
			continue;
		process_kill(pid, &process);
		n++;
	}
	return n;
}

bool attempt_fence(const char *directory, const char *key, const struct attempt_status *status,
	int wait_ms, struct tuner_error *err)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	const int64_t until_us = clock_monotonic_us() + wait_ms * INT64_C(1000);
	size_t left;

	if (!same_boot(status))
		return true;
	DIR *proc = opendir("/proc");
	if (proc == NULL)
		return tuner_fail_errno(err, errno, "cannot list the processes of this machine");
	while ((left = kill_rest(proc, key, status)) > 0 && clock_monotonic_us() < until_us)
		nanosleep(&pause, NULL);
	closedir(proc);
	return left == 0 ||
	       tuner_fail(err, TUNER_RETRY, "%zu processes of %s are not gone yet after SIGKILL",
		       left, directory);
}
