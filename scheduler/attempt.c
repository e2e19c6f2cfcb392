#include "scheduler/attempt.h"

#include "base/file.h"
#include "scheduler/attempt_files.h"
#include "scheduler/flat_json.h"
#include "scheduler/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
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
	if (launch->secrets != NULL)
		add_record(&bytes, LAUNCH_SECRETS, launch->secrets);
	if (launch->memory_bytes > 0)
		add_number(&bytes, LAUNCH_MEMORY, launch->memory_bytes);
	if (launch->no_network)
		add_record(&bytes, LAUNCH_NO_NETWORK, "");
	if (launch->gpu_locks != NULL)
		add_vector(&bytes, LAUNCH_GPU_LOCK, launch->gpu_locks);
	if (launch->gpu_owner != NULL)
		add_record(&bytes, LAUNCH_GPU_OWNER, launch->gpu_owner);
	if (launch->lease_us > 0)
		add_number(&bytes, LAUNCH_LEASE, launch->lease_us);
	if (launch->inherits)
		add_record(&bytes, LAUNCH_INHERIT, "1");
	if (launch->heartbeat_us > 0)
		add_number(&bytes, LAUNCH_HEARTBEAT, launch->heartbeat_us);
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

/* Its key; NULL if there is none. `bytes` ends with a NUL (text.h). */
static const char *key_of(const struct text *bytes)
{
	const char *record = bytes->bytes, *const end = bytes->bytes + bytes->length;
	if (bytes->length < sizeof(LAUNCH_MAGIC) ||
		memcmp(record, LAUNCH_MAGIC, sizeof(LAUNCH_MAGIC)) != 0)
		return NULL;
	while (record < end && *record != LAUNCH_KEY)
		record += strlen(record) + 1;
	return record < end ? record + 1 : NULL;
}

bool launch_look(
	const char *directory, const char *key, enum launch_owner *ret, struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY;
	char *path = path_join(directory, ATTEMPT_LAUNCH);
	bool ok = path != NULL || tuner_fail_memory(err);
	*ret = LAUNCH_NOBODYS;
	if (ok && access(path, F_OK) == 0) {
		ok = file_read(path, LAUNCH_BYTES_MAX, &bytes, err);
		const char *found = ok ? key_of(&bytes) : NULL;
		if (found != NULL)
			*ret = strcmp(found, key) == 0 ? LAUNCH_OWN : LAUNCH_ANOTHERS;
	}
	text_finish(&bytes);
	free(path);
	return ok;
}

/* ---- looking ---- */

enum { STATUS_MAX = 255, SIGNAL_MAX = 64 };
static const int64_t COUNT_MAX = INT64_C(1) << 53; /* for bytes, and for microseconds since 1970 */

/* A member between `low` and `high`; `otherwise` if it is missing. *whole becomes false for any
 * other value, which no supervisor has written. */
static int64_t number_of(const char *record, const char *name, int64_t low, int64_t high,
	int64_t otherwise, bool *whole)
{
	double value = 0;
	const enum flat_json found = flat_json_number(record, name, &value);

	if (found == FLAT_JSON_MISSING)
		return otherwise;
	if (found == FLAT_JSON_NUMBER && value >= (double)low && value <= (double)high)
		return (int64_t)value;
	*whole = false;
	return otherwise;
}

static int64_t count_of(const char *record, const char *name, bool *whole)
{
	return number_of(record, name, 0, COUNT_MAX, 0, whole);
}

/* As much as fits, in whole characters. */
static void string_of(const char *record, const char *name, char *ret, size_t size)
{
	char string[RECORD_BYTES_MAX];
	flat_json_string(record, name, string, sizeof(string));
	size_t left = strlen(string), length = 0, n;

	while ((n = text_utf8_character(string + length, left)) > 0 && length + n < size) {
		length += n;
		left -= n;
	}
	memcpy(ret, string, length);
	ret[length] = '\0';
}

/* A file that cannot be checked does not count as missing: something may have run. */
static bool find_file(const char *path, bool *ret_there, struct tuner_error *err)
{
	*ret_there = access(path, F_OK) == 0;
	return *ret_there || errno == ENOENT || errno == ENOTDIR ||
	       tuner_fail_errno(err, errno, "cannot find out whether there is %s", path);
}

/* *ret NULL: the file is missing or, after a power failure, torn; *ret_there tells which. */
static bool read_record(const char *directory, const char *name, char **ret, bool *ret_there,
	struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY;
	struct tuner_error torn;
	char *path = path_join(directory, name);
	bool ok = true;

	*ret = NULL;
	if (path == NULL)
		return tuner_fail_memory(err);
	if (!find_file(path, ret_there, err)) {
		ok = false;
	} else if (*ret_there && !file_read(path, (1 << 20), &bytes, err)) {
		/* A whole attempt directory may be removed at any time. */
		ok = find_file(path, ret_there, &torn) && !*ret_there;
	} else if (*ret_there && bytes.length <= RECORD_BYTES_MAX &&
		   memchr(bytes.bytes, '\0', bytes.length) == NULL &&
		   flat_json_is_whole(bytes.bytes)) {
		*ret = text_take(&bytes);
		ok = *ret != NULL || tuner_fail_memory(err);
	}
	text_finish(&bytes);
	free(path);
	return ok;
}

static bool read_kind(const char *record, enum exit_kind *ret)
{
	static const char *const names[] = EXIT_KIND_NAMES;
	char name[16];
	string_of(record, "kind", name, sizeof(name));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum exit_kind)i;
			return true;
		}
	return false;
}

/* False: torn. */
static bool read_exit(const char *record, struct exit_record *ret)
{
	if (!read_kind(record, &ret->kind))
		return false;
	bool whole = true;
	ret->code = (int)number_of(record, "code", -1, STATUS_MAX, -1, &whole);
	ret->signal = (int)number_of(record, "signal", -1, SIGNAL_MAX, -1, &whole);
	ret->stop_signal = (int)number_of(record, "stop_signal", 0, SIGNAL_MAX, 0, &whole);
	string_of(record, "message", ret->message, sizeof(ret->message));
	ret->started_us = count_of(record, "started_us", &whole);
	ret->ended_us = count_of(record, "ended_us", &whole);
	ret->user_us = count_of(record, "user_us", &whole);
	ret->system_us = count_of(record, "system_us", &whole);
	ret->max_rss_bytes = count_of(record, "max_rss_bytes", &whole);
	ret->output_bytes = count_of(record, "output_bytes", &whole);
	ret->output_lost = count_of(record, "output_lost", &whole);
	ret->out_of_memory = flat_json_true(record, "out_of_memory");
	if (ret->ended_us < ret->started_us) /* the clock was set back in between */
		ret->ended_us = ret->started_us;
	return whole;
}

/* A damaged record is ignored: a pid in it might be any process's. */
static void read_started(const char *record, struct attempt_status *ret)
{
	struct attempt_status read = *ret;
	bool whole = true;

	read.supervisor_pid = number_of(record, "supervisor_pid", 0, INT_MAX, 0, &whole);
	read.supervisor_start = count_of(record, "supervisor_start", &whole);
	read.command_pid = number_of(record, "command_pid", 0, INT_MAX, 0, &whole);
	read.command_start = count_of(record, "command_start", &whole);
	read.session = number_of(record, "session", 0, INT_MAX, 0, &whole);
	read.started_us = count_of(record, "started_us", &whole);
	string_of(record, "host", read.host, sizeof(read.host));
	string_of(record, "boot_id", read.boot_id, sizeof(read.boot_id));
	string_of(record, "cgroup", read.cgroup, sizeof(read.cgroup));
	if (whole)
		*ret = read;
}

/* A shared lock, so that readers do not mistake one another for a supervisor. A supervisor that
 * starts meanwhile waits a moment for it. */
struct held {
	int fd; /* -1: the lock file does not exist yet, or a supervisor holds the lock */
	bool by_supervisor;
	bool impossible; /* a file system without locks: the process that `started` names is checked
			    instead */
};

static bool hold_lock(const char *directory, struct held *ret, struct tuner_error *err)
{
	char *path = path_join(directory, ATTEMPT_LOCK);
	if (path == NULL)
		return tuner_fail_memory(err);
	*ret = (struct held){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	free(path);
	if (ret->fd < 0)
		return errno == ENOENT || errno == ENOTDIR ||
		       tuner_fail_errno(err, errno, "cannot open the lock in %s", directory);
	if (flock(ret->fd, LOCK_SH | LOCK_NB) == 0)
		return true;
	const int error = errno;
	ret->impossible = error == ENOLCK || error == EOPNOTSUPP || error == ENOSYS;
	if (ret->impossible)
		return true;
	close(ret->fd);
	ret->fd = -1;
	ret->by_supervisor = error == EWOULDBLOCK;
	return ret->by_supervisor ||
	       tuner_fail_errno(err, error, "cannot test the lock in %s", directory);
}

static void release_lock(const struct held *held)
{
	if (held->fd >= 0)
		close(held->fd);
}

/* Reads both records. *ret_any: at least one exists, even if torn. */
static bool read_records(
	const char *directory, struct attempt_status *ret, bool *ret_any, struct tuner_error *err)
{
	char *started = NULL, *exit = NULL;
	bool has_started = false, has_exit = false;

	const bool ok = read_record(directory, ATTEMPT_STARTED, &started, &has_started, err) &&
			read_record(directory, ATTEMPT_EXIT, &exit, &has_exit, err);
	if (ok && started != NULL)
		read_started(started, ret);
	if (ok && exit != NULL && read_exit(exit, &ret->exit))
		ret->life = ATTEMPT_FINISHED;
	*ret_any = has_started || has_exit;
	free(started);
	free(exit);
	return ok;
}

static bool is_elsewhere(const struct attempt_status *status)
{
	char host[HOST_NAME_MAX + 1] = "";

	(void)gethostname(host, sizeof(host) - 1);
	return status->host[0] != '\0' && strcmp(status->host, host) != 0;
}

/* Whether the supervisor that `started` names is alive. On another machine, or in a container with
 * its own host name and pids, that is unknown here, so it may be. */
static bool supervisor_lives(const struct attempt_status *status)
{
	return is_elsewhere(status) ||
	       (attempt_is_of_this_boot(status) &&
		       process_lives(status->supervisor_pid, status->supervisor_start));
}

/* One look. *ret_sure false: a supervisor may have begun, and even ended, while we looked. */
static bool look_once(
	const char *directory, struct attempt_status *ret, bool *ret_sure, struct tuner_error *err)
{
	struct held held = { .fd = -1 };
	bool any = false;

	*ret = (struct attempt_status){ .life = ATTEMPT_NEVER_RAN };
	if (!hold_lock(directory, &held, err))
		return false;
	const bool ok = read_records(directory, ret, &any, err);
	if (ret->life != ATTEMPT_FINISHED &&
		(held.by_supervisor || (held.impossible && supervisor_lives(ret))))
		ret->life = ATTEMPT_LIVES;
	else if (ret->life != ATTEMPT_FINISHED && any)
		ret->life = ATTEMPT_ORPHANED;
	*ret_sure = ret->life != ATTEMPT_ORPHANED || held.fd >= 0;
	release_lock(&held);
	return ok;
}

bool attempt_look(const char *directory, struct attempt_status *ret, struct tuner_error *err)
{
	struct tuner_error failed = { TUNER_OK, "" };
	bool sure = false;

	/* No lock twice: somebody has removed it. */
	for (int i = 0; i < 2 && !sure; i++)
		if (!look_once(directory, ret, &sure, &failed)) {
			*err = failed;
			return false;
		}
	return true;
}

bool attempt_forbid(const char *directory, bool *ret_begun, struct tuner_error *err)
{
	char *started = path_join(directory, ATTEMPT_STARTED);

	*ret_begun = false;
	if (started == NULL)
		return tuner_fail_memory(err);
	const int fd = open(started, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	*ret_begun = fd < 0 && errno == EEXIST;
	const bool ok = fd >= 0 || *ret_begun || errno == ENOENT || errno == ENOTDIR ||
			tuner_fail_errno(err, errno, "cannot write %s", started);
	if (fd >= 0)
		close(fd);
	free(started);
	return ok;
}

/* ---- from another machine ---- */

/* A client of a network file system may believe for a minute that a name does not exist; opening
 * the directory makes it ask the server whether that has changed. */
static void refresh(const char *directory)
{
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
}

bool attempt_look_afar(const char *directory, struct attempt_status *ret, struct tuner_error *err)
{
	bool any = false;

	refresh(directory);
	*ret = (struct attempt_status){ .life = ATTEMPT_NEVER_RAN };
	if (!read_records(directory, ret, &any, err))
		return false;
	if (ret->life != ATTEMPT_FINISHED && any)
		ret->life = ATTEMPT_LIVES;
	return true;
}

/* Opens the file, so that the server is asked. False with errno. */
static bool changed_at(int directory, const char *name, int flags, int64_t *ret_us)
{
	struct stat info;
	const int fd = openat(directory, name, flags | O_CLOEXEC, 0600);
	bool ok = fd >= 0;

	if (ok && (flags & O_CREAT))
		ok = futimens(fd, NULL) == 0; /* no times given: the server's present time */
	ok = ok && fstat(fd, &info) == 0;
	if (ok)
		*ret_us = info.st_mtim.tv_sec * INT64_C(1000000) + info.st_mtim.tv_nsec / 1000;
	if (fd >= 0)
		close(fd);
	return ok;
}

bool attempt_silence(const char *directory, int64_t *ret_us)
{
	const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t beat_us = 0, now_us = 0;

	*ret_us = -1;
	if (fd < 0)
		return errno == ENOENT;
	bool known = changed_at(fd, ATTEMPT_HEARTBEAT, O_RDONLY, &beat_us);
	if (!known) {
		known = errno == ENOENT;
	} else {
		known = changed_at(fd, ATTEMPT_CLOCK, O_WRONLY | O_CREAT, &now_us);
		if (known)
			*ret_us = now_us > beat_us ? now_us - beat_us : 0;
	}
	close(fd);
	return known;
}

bool attempt_ask_to_stop(const char *directory, int signal, struct tuner_error *err)
{
	char number[16], *path = path_join(directory, ATTEMPT_STOP);
	const int n = snprintf(number, sizeof(number), "%d\n", signal);
	const bool ok = path != NULL ? file_write_atomic(path, number, (size_t)n, 0600, false, err)
				     : tuner_fail_memory(err);
	free(path);
	return ok;
}

/* ---- fencing ---- */

bool attempt_is_of_this_boot(const struct attempt_status *status)
{
	char now[BOOT_ID_MAX];

	process_boot_id(now);
	return now[0] == '\0' || status->boot_id[0] == '\0' || strcmp(now, status->boot_id) == 0;
}

/* By what the command's processes can be recognized, besides the key. */
struct trail {
	const struct attempt_status *status;
	const char *key;
	bool group, session; /* these numbers cannot have been reused yet */
};

/* The kernel gives no number to a new process that still names a group or a session. So while the
 * number is no process's pid, or its old owner's, a group of that number is the old one; but once
 * the whole group has ended, the number may have been reused by a group whose leader has ended,
 * too. The start time, and another attempt's key, guard against that. */
static bool is_still(int64_t pid, int64_t start)
{
	struct process process;
	return pid > 1 && (!process_look(pid, &process) || process.start == start);
}

static void find_trail(const struct attempt_status *status, const char *key, struct trail *ret)
{
	*ret = (struct trail){ .status = status,
		.key = key,
		.group = is_still(status->command_pid, status->command_start),
		/* The session counts only if our supervisor itself began it. */
		.session = status->session == status->supervisor_pid &&
			   is_still(status->supervisor_pid, status->supervisor_start) };
}

/* The command itself, what is left of its group and session, and every process that carries the key:
 * children that left the group have inherited it. */
static bool belongs(int64_t pid, const struct process *process, const struct trail *trail)
{
	const struct attempt_status *status = trail->status;
	bool carries_other = false;

	if (process->state == 'Z' || process->state == 'X')
		return false;
	if (pid == status->command_pid && process->start == status->command_start)
		return true;
	if (process_has_variable(pid, ATTEMPT_KEY_VARIABLE, trail->key, &carries_other))
		return true;
	if (carries_other || process->start < status->command_start)
		return false;
	return (trail->group && process->group == status->command_pid) ||
	       (trail->session && process->session == status->session);
}

/* Sends SIGKILL to all processes left; returns their number. */
static size_t kill_rest(DIR *proc, const struct trail *trail)
{
	struct process process;
	const struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(proc)) != NULL) {
		char *end;
		const long pid = strtol(entry->d_name, &end, 10);
		if (*end != '\0' || pid <= 1 || pid == getpid() || !process_look(pid, &process) ||
			!belongs(pid, &process, trail))
			continue;
		const int pidfd = process_open(pid, process.start);
		n++;
		process_signal(pidfd, pid, process.start, SIGKILL);
		if (pidfd >= 0)
			close(pidfd);
	}
	return n;
}

/* The cgroup that `started` names, or else the one that we would make for the key; "": none. */
static void find_cgroup(
	const struct attempt_status *status, const char *key, char ret[CGROUP_PATH_MAX])
{
	char group[CGROUP_PATH_MAX], why[CGROUP_WHY_MAX];

	snprintf(ret, CGROUP_PATH_MAX, "%s", status->cgroup);
	if (!cgroup_is_of(ret, key) &&
		(!cgroup_find_ours(group, why) || !cgroup_name(group, key, ret)))
		ret[0] = '\0';
	if (ret[0] != '\0' && access(ret, F_OK) != 0)
		ret[0] = '\0';
}

/* Killed processes are gone a moment later: then it is removed. */
static bool empty_cgroup(const char *cgroup)
{
	if (cgroup[0] == '\0')
		return true;
	if (!cgroup_is_empty(cgroup))
		return false;
	cgroup_remove(cgroup);
	return true;
}

bool attempt_fence(const char *directory, const char *key, const struct attempt_status *status,
	struct tuner_error *err)
{
	char cgroup[CGROUP_PATH_MAX];
	struct trail trail;
	struct held held = { .fd = -1 };

	if (!hold_lock(directory, &held, err))
		return false;
	if (held.by_supervisor || (held.impossible && supervisor_lives(status))) {
		release_lock(&held);
		return tuner_fail(err, TUNER_RETRY, "a supervisor lives in %s", directory);
	}
	if (!attempt_is_of_this_boot(status)) {
		release_lock(&held);
		return true;
	}
	DIR *proc = opendir("/proc");
	if (proc == NULL) {
		release_lock(&held);
		return tuner_fail_errno(err, errno, "cannot list the processes of this machine");
	}
	find_trail(status, key, &trail);
	find_cgroup(status, key, cgroup);
	if (cgroup[0] != '\0')
		cgroup_kill(cgroup);
	const size_t left = kill_rest(proc, &trail);
	const bool emptied = left == 0 && empty_cgroup(cgroup);
	closedir(proc);
	release_lock(&held);
	if (left > 0)
		return tuner_fail(err, TUNER_RETRY,
			"%zu processes of %s are not gone yet after SIGKILL", left, directory);
	return emptied ||
	       tuner_fail(err, TUNER_RETRY,
		       "processes in the cgroup of %s are not gone yet after SIGKILL", directory);
}

/* ---- tidying ---- */

void attempt_tidy(const char *directory)
{
	char *unfinished = path_join(directory, ATTEMPT_EXIT_NEW);
	char *input = path_join(directory, "input/config");
	if (unfinished != NULL)
		unlink(unfinished);
	if (input != NULL)
		file_remove_temporaries(input);
	file_remove_temporaries(directory);
	free(unfinished);
	free(input);
}
