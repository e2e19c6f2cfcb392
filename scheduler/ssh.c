#include "scheduler/ssh_inside.h"

#include "base/clock.h"
#include "base/file.h"
#include "scheduler/attempt_files.h"
#include "scheduler/mirror.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t PING_US = 5000000;
static const int64_t PAUSE_FIRST_US = 500000, PAUSE_MAX_US = 15000000;
/* Between two words about a host that stays away, for changing reasons. */
static const int64_t SAY_AGAIN_US = 60000000;

static struct ssh *ssh_of(struct backend *backend)
{
	return (struct ssh *)backend;
}

/* ---- attempts ---- */

struct ssh_attempt *ssh_find(const struct ssh *ssh, int64_t id)
{
	for (size_t i = 0; i < ssh->n; i++)
		if (ssh->attempts[i].id == id)
			return &ssh->attempts[i];
	return NULL;
}

/* NULL without memory. */
static struct ssh_attempt *keep(struct ssh *ssh, int64_t id, const char *directory)
{
	if (ssh->n == ssh->capacity) {
		const size_t capacity = ssh->capacity > 0 ? 2 * ssh->capacity : 16;
		struct ssh_attempt *attempts = realloc(ssh->attempts, capacity * sizeof(*attempts));
		if (attempts == NULL)
			return NULL;
		ssh->attempts = attempts;
		ssh->capacity = capacity;
	}
	char *copy = strdup(directory);
	if (copy == NULL)
		return NULL;
	struct ssh_attempt *attempt = &ssh->attempts[ssh->n++];
	*attempt = (struct ssh_attempt){ .id = id, .directory = copy };
	return attempt;
}

static void drop(struct ssh *ssh, struct ssh_attempt *attempt)
{
	free(attempt->directory);
	*attempt = ssh->attempts[--ssh->n];
}

static struct pending pending_of(const struct ssh_attempt *attempt, enum pending_kind kind)
{
	struct pending pending = { .kind = kind, .id = attempt->id };

	memcpy(pending.trial, attempt->trial, sizeof(pending.trial));
	memcpy(pending.number, attempt->number, sizeof(pending.number));
	memcpy(pending.key, attempt->key, sizeof(pending.key));
	return pending;
}

/* MIRROR/0007/1. */
static bool name_attempt(const struct ssh *ssh, struct ssh_attempt *attempt, const char *key,
	struct tuner_error *err)
{
	const size_t n = strlen(ssh->mirror);
	const char *below = attempt->directory + n;
	char end;

	snprintf(attempt->key, sizeof(attempt->key), "%s", key);
	if (strncmp(attempt->directory, ssh->mirror, n) == 0 &&
		sscanf(below, "/%31[0-9]/%31[0-9]%c", attempt->trial, attempt->number, &end) == 2)
		return true;
	return tuner_fail(err, TUNER_FATAL, "%s is no attempt's directory in %s",
		attempt->directory, ssh->mirror);
}

/* ---- events ---- */

bool ssh_tell(struct ssh *ssh, const struct backend_event *event)
{
	if (ssh->n_events == ssh->events_capacity) {
		const size_t capacity = ssh->events_capacity > 0 ? 2 * ssh->events_capacity : 16;
		struct backend_event *events = realloc(ssh->events, capacity * sizeof(*events));
		if (events == NULL)
			return false;
		ssh->events = events;
		ssh->events_capacity = capacity;
	}
	ssh->events[ssh->n_events++] = *event;
	return true;
}

static bool tell(struct ssh *ssh, enum backend_event_kind kind, int64_t attempt,
	const char *message, struct tuner_error *err)
{
	struct backend_event event = { .kind = kind, .attempt = attempt };

	snprintf(event.message, sizeof(event.message), "%s", message);
	return ssh_tell(ssh, &event) || tuner_fail_memory(err);
}

static bool tell_up(struct ssh *ssh, struct tuner_error *err)
{
	ssh->told = TOLD_UP;
	return tell(ssh, BACKEND_HOST_UP, 0, "", err);
}

static bool tell_down(struct ssh *ssh, const char *reason, struct tuner_error *err)
{
	const int64_t now_us = clock_monotonic_us();

	if (ssh->told == TOLD_DOWN &&
		(strcmp(ssh->told_reason, reason) == 0 || now_us - ssh->told_us < SAY_AGAIN_US))
		return true;
	ssh->told = TOLD_DOWN;
	ssh->told_us = now_us;
	snprintf(ssh->told_reason, sizeof(ssh->told_reason), "%s", reason);
	return tell(ssh, BACKEND_HOST_DOWN, 0, reason, err);
}

/* What the mirror says now. */
static bool tell_started(struct ssh *ssh, struct ssh_attempt *attempt,
	const struct attempt_status *status, struct tuner_error *err)
{
	struct backend_event event = {
		.kind = BACKEND_STARTED, .attempt = attempt->id, .started_us = status->started_us
	};

	if (attempt->started || attempt->fenced || status->started_us == 0)
		return true;
	attempt->started = true;
	return ssh_tell(ssh, &event) || tuner_fail_memory(err);
}

static bool tell_ended(struct ssh *ssh, struct ssh_attempt *attempt,
	const struct attempt_status *status, struct tuner_error *err)
{
	struct backend_event event = { .kind = attempt->fenced ? BACKEND_LATE : BACKEND_ENDED,
		.attempt = attempt->id,
		.exit = status->exit };

	attempt->ended = attempt->quiet = true;
	return ssh_tell(ssh, &event) || tuner_fail_memory(err);
}

/* It ended without a record. */
static bool tell_gone(struct ssh *ssh, struct ssh_attempt *attempt, enum backend_event_kind kind,
	const char *message, struct tuner_error *err)
{
	if (attempt->quiet || (attempt->ended && !attempt->fenced))
		return true;
	attempt->ended = attempt->quiet = true;
	return tell(ssh, attempt->fenced ? BACKEND_LATE : kind, attempt->id, message, err);
}

/* ---- to the agent ---- */

struct ssh_target ssh_target_of(const struct ssh *ssh)
{
	return (struct ssh_target){ ssh->address, ssh->user, ssh->port, ssh->options,
		ssh->control[0] != '\0' ? ssh->control : NULL };
}

static bool add_file(
	struct buffer *tree, const char *path, const char *name, struct tuner_error *err)
{
	struct text bytes = TEXT_EMPTY;
	const bool ok = file_read(path, LAUNCH_BYTES_MAX, &bytes, err) &&
			(entry_write(tree, ENTRY_FILE, name, bytes.bytes, bytes.length) ||
				tuner_fail_memory(err));
	text_finish(&bytes);
	return ok;
}

static bool add_link(
	struct buffer *tree, const char *path, const char *name, struct tuner_error *err)
{
	char target[4096];
	const ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0 || n == sizeof(target))
		return tuner_fail_errno(err, errno, "cannot read the link %s", path);
	return entry_write(tree, ENTRY_LINK, name, target, (size_t)n) || tuner_fail_memory(err);
}

static bool add_directory(
	struct buffer *tree, const char *directory, const char *below, struct tuner_error *err);

static bool add_entry(struct buffer *tree, const char *directory, const char *below,
	const char *entry, struct tuner_error *err)
{
	char *path = path_join(directory, entry), *name = path_join(below, entry);
	struct stat info;
	bool ok = path != NULL && name != NULL;

	if (!ok)
		tuner_fail_memory(err);
	else if (lstat(path, &info) != 0)
		ok = tuner_fail_errno(err, errno, "cannot look at %s", path);
	else if (S_ISDIR(info.st_mode))
		ok = (entry_write(tree, ENTRY_DIRECTORY, name, NULL, 0) ||
			     tuner_fail_memory(err)) &&
		     add_directory(tree, path, name, err);
	else if (S_ISLNK(info.st_mode))
		ok = add_link(tree, path, name, err);
	else if (S_ISREG(info.st_mode))
		ok = add_file(tree, path, name, err);
	free(path);
	free(name);
	return ok;
}

/* What command_prepare has made. */
static bool add_directory(
	struct buffer *tree, const char *directory, const char *below, struct tuner_error *err)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	bool ok = true;

	if (stream == NULL)
		return tuner_fail_errno(err, errno, "cannot list %s", directory);
	while (ok && (entry = readdir(stream)) != NULL)
		if (entry->d_name[0] != '.')
			ok = add_entry(tree, directory, below, entry->d_name, err);
	closedir(stream);
	return ok;
}

/* Whether it was prepared here, and so may have been started there. */
static bool is_prepared(const struct ssh_attempt *attempt)
{
	char *launch = path_join(attempt->directory, ATTEMPT_LAUNCH);
	const bool is_there = launch != NULL && access(launch, F_OK) == 0;

	free(launch);
	return is_there;
}

/* What the mirror has got since goes with it, and is not written there: only what never ran is. */
static bool send_attempt(struct ssh *ssh, struct ssh_attempt *attempt, struct tuner_error *err)
{
	static const struct message none;
	struct message message = none;
	struct buffer tree = { 0 };
	struct attempt_status status;
	bool ok = true;

	if (!attempt_look(attempt->directory, &status, err))
		return false;
	message.kind = attempt->starts && !attempt->fenced && status.started_us == 0
			       ? MESSAGE_START
			       : MESSAGE_ADOPT;
	message.attempt = attempt->id;
	message.number = output_end(attempt->directory);
	snprintf(message.directory, sizeof(message.directory), "%s/%s/%s", ssh->job, attempt->trial,
		attempt->number);
	snprintf(message.key, sizeof(message.key), "%s", attempt->key);
	if (message.kind == MESSAGE_START && !is_prepared(attempt))
		message.kind = MESSAGE_ADOPT;
	if (message.kind == MESSAGE_START) {
		ok = add_directory(&tree, attempt->directory, "", err);
		message.bytes = tree.memory + tree.from;
		message.n = buffer_size(&tree);
	}
	if (ok)
		link_send(&ssh->link, &message);
	attempt->sent = ok;
	buffer_finish(&tree);
	return ok;
}

static void send_number(struct ssh *ssh, enum message_kind kind, int64_t attempt, int64_t number)
{
	static const struct message none;
	struct message message = none;

	message.kind = kind;
	message.attempt = attempt;
	message.number = number;
	link_send(&ssh->link, &message);
}

static void send_signal(struct ssh *ssh, struct ssh_attempt *attempt)
{
	if (attempt->signal == 0 || !attempt->sent || !ssh->greeted)
		return;
	send_number(ssh, MESSAGE_SIGNAL, attempt->id, attempt->signal);
	attempt->signal = 0;
}

/* All that the agent of this connection does not know yet. One that cannot even be read here has failed;
 * the others go on. */
static bool send_attempts(struct ssh *ssh, struct tuner_error *err)
{
	for (size_t i = 0; i < ssh->n && ssh->greeted; i++) {
		struct ssh_attempt *attempt = &ssh->attempts[i];
		struct tuner_error failed = { TUNER_OK, "" };
		if (attempt->sent || attempt->waits || attempt->quiet ||
			(attempt->ended && !attempt->fenced))
			continue;
		/* Nothing runs there before the code is there; what was started before is only taken
		 * over, and needs none. */
		if (!send_attempt(ssh, attempt, &failed)) {
			if (!tell_gone(ssh, attempt, BACKEND_FAILED, failed.message, err))
				return false;
			continue;
		}
		send_signal(ssh, attempt);
	}
	return true;
}

/* ---- from the agent ---- */

static void take_gpu(struct ssh *ssh, const char *line)
{
	struct machine *machine = &ssh->machine;
	long long bytes = 0;
	int length = 0;

	if (machine->n_gpus == GPUS_MAX)
		return;
	struct gpu *gpu = &machine->gpus[machine->n_gpus];
	*gpu = (struct gpu){ 0 };
	if (sscanf(line, "%d %63s %lld %n", &gpu->index, gpu->uuid, &bytes, &length) < 3)
		return;
	gpu->memory_bytes = bytes;
	snprintf(gpu->name, sizeof(gpu->name), "%s", line + length);
	machine->n_gpus++;
}

static void take_fact(struct ssh *ssh, const char *name, const char *value)
{
	if (strcmp(name, "cores") == 0)
		ssh->machine.cores = atoi(value) > 0 ? (unsigned)atoi(value) : 1;
	else if (strcmp(name, "gpu") == 0)
		take_gpu(ssh, value);
	else if (strcmp(name, "no_gpus") == 0)
		snprintf(ssh->machine.no_gpus, sizeof(ssh->machine.no_gpus), "%s", value);
	else if (strcmp(name, "rsync") == 0)
		ssh->has_rsync = strcmp(value, "yes") == 0;
	else if (strcmp(name, "path") == 0)
		strings_put_text(&ssh->environment, "PATH", value);
	else if (strcmp(name, "home") == 0)
		strings_put_text(&ssh->environment, "HOME", value);
	else if (strcmp(name, "ld_library_path") == 0)
		strings_put_text(&ssh->environment, "LD_LIBRARY_PATH", value);
}

static bool take_facts(struct ssh *ssh, const struct message *message, struct tuner_error *err)
{
	struct entry entry;
	size_t at = 0;

	ssh->machine = (struct machine){ .cores = 1 };
	ssh->has_rsync = false;
	while (entry_read(message->bytes, message->n, &at, &entry)) {
		char *value = strndup(entry.bytes, entry.n);
		if (value == NULL)
			return tuner_fail_memory(err);
		take_fact(ssh, entry.name, value);
		free(value);
	}
	text_clear(&ssh->root);
	text_add(&ssh->root, message->directory);
	text_clear(&ssh->site_directory);
	text_print(&ssh->site_directory, "%s/%s", message->directory, ssh->job);
	text_clear(&ssh->site_code);
	text_print(&ssh->site_code, "%s/code", ssh->site_directory.bytes);
	free(ssh->environment_vector);
	ssh->environment_vector = strings_vector(&ssh->environment);
	return (ssh->environment_vector != NULL && !text_failed(&ssh->root) &&
		       !text_failed(&ssh->site_directory) && !text_failed(&ssh->site_code)) ||
	       tuner_fail_memory(err);
}

static bool take_hello(struct ssh *ssh, const struct message *message, struct tuner_error *err)
{
	if (message->number != MESSAGE_VERSION || message->directory[0] != '/') {
		link_break(&ssh->link, "its tuner-agent speaks another version");
		return true;
	}
	if (!take_facts(ssh, message, err))
		return false;
	ssh->greeted = true;
	ssh->pause_us = PAUSE_FIRST_US;
	ssh->ping_us = 0;
	for (size_t i = 0; i < ssh->n; i++) {
		ssh->attempts[i].sent = false;
		if (ssh->attempts[i].fenced)
			ssh->attempts[i].signal = SUPERVISE_KILL;
	}
	return send_attempts(ssh, err);
}

static bool take_exit(struct ssh *ssh, struct ssh_attempt *attempt, const struct message *message,
	struct tuner_error *err)
{
	const struct pending fetch = pending_of(attempt, PENDING_FETCH);
	const bool fetches = message->number != 0 && ssh->code != NULL && !attempt->fenced;
	struct attempt_status status;

	if (attempt->quiet || attempt->ended)
		return true;
	/* Noted first: where exit.json is, nobody asks the host again. */
	if ((fetches && !pending_add(ssh->pending, &fetch, err)) ||
		!mirror_record(attempt->directory, ATTEMPT_EXIT, message->bytes, message->n, err) ||
		!attempt_look(attempt->directory, &status, err))
		return false;
	if (status.life != ATTEMPT_FINISHED)
		return tell_gone(ssh, attempt, BACKEND_LOST, "its exit.json cannot be read", err);
	return (!fetches || ssh_copy_add(ssh, COPY_RESULTS, &fetch, err)) &&
	       tell_ended(ssh, attempt, &status, err);
}

static bool take_started(struct ssh *ssh, struct ssh_attempt *attempt,
	const struct message *message, struct tuner_error *err)
{
	struct attempt_status status;

	return mirror_record(
		       attempt->directory, ATTEMPT_STARTED, message->bytes, message->n, err) &&
	       attempt_look(attempt->directory, &status, err) &&
	       tell_started(ssh, attempt, &status, err);
}

static bool take_of_attempt(struct ssh *ssh, struct ssh_attempt *attempt,
	const struct message *message, struct tuner_error *err)
{
	char why[200];

	snprintf(why, sizeof(why), "%.*s", (int)(message->n < 190 ? message->n : 190),
		message->n > 0 ? message->bytes : "");
	switch (message->kind) {
	case MESSAGE_STARTED:
		return take_started(ssh, attempt, message, err);
	case MESSAGE_OUTPUT:
		return mirror_output(attempt->directory, message->number, message->bytes,
			message->n, ssh->log_max_bytes, err);
	case MESSAGE_EXIT:
		return take_exit(ssh, attempt, message, err);
	case MESSAGE_LOST:
		return tell_gone(ssh, attempt, BACKEND_LOST, why, err);
	default:
		return tell_gone(ssh, attempt, BACKEND_FAILED, why, err);
	}
}

/* What cannot be written here ends the connection, not the attempt: the host keeps it all. */
static bool take_message(struct ssh *ssh, const struct message *message, struct tuner_error *err)
{
	struct ssh_attempt *attempt = ssh_find(ssh, message->attempt);
	struct tuner_error failed = { TUNER_OK, "" };

	ssh->heard_us = clock_monotonic_us();
	if (message->kind == MESSAGE_HELLO)
		return take_hello(ssh, message, err);
	if (message->kind == MESSAGE_PONG || attempt == NULL)
		return true;
	if (message->kind < MESSAGE_HELLO || !ssh->greeted)
		link_break(&ssh->link, "tuner-agent says what nobody understands");
	else if (!take_of_attempt(ssh, attempt, message, &failed))
		link_break(&ssh->link, "%.250s", failed.message);
	return true;
}

static bool take_messages(struct ssh *ssh, struct tuner_error *err)
{
	struct message *message = malloc(sizeof(*message));
	size_t used;
	bool ok = message != NULL || tuner_fail_memory(err);

	while (ok && link_next(&ssh->link, message, &used)) {
		ok = take_message(ssh, message, err);
		link_taken(&ssh->link, used);
	}
	free(message);
	return ok;
}

/* ---- what earlier processes have left ---- */

/* JOB-ID, where ID was drawn for this job of this database: on the host, others may have a job of this name. It
 * lies among the attempts, so that it moves with them. */
static bool name_job(struct ssh *ssh, struct tuner_error *err)
{
	struct text id = TEXT_EMPTY, name = TEXT_EMPTY;
	char *hosts = path_join(ssh->mirror, ".hosts"),
	     *path = hosts ? path_join(hosts, "id") : NULL;
	unsigned char bytes[8];
	bool ok = false;

	if (path == NULL) {
		tuner_fail_memory(err);
		goto out;
	}
	if (access(path, F_OK) != 0) {
		if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
			tuner_fail_errno(err, errno, "cannot draw a number");
			goto out;
		}
		for (size_t i = 0; i < sizeof(bytes); i++)
			text_print(&id, "%02x", bytes[i]);
		if (!directory_make(hosts, 0700, err) ||
			!file_write_atomic(path, id.bytes, id.length, 0600, true, err))
			goto out;
	}
	if (!file_read(path, 64, &id, err))
		goto out;
	text_print(
		&name, "%s-%.*s", path_name(ssh->mirror), (int)strcspn(id.bytes, "\n/ "), id.bytes);
	ssh->job = text_take(&name);
	ok = ssh->job != NULL || tuner_fail_memory(err);
out:
	text_finish(&name);
	text_finish(&id);
	free(path);
	free(hosts);
	return ok;
}

static bool take_pending(struct ssh *ssh, const struct pending *pending, struct tuner_error *err)
{
	struct text directory = TEXT_EMPTY;
	struct ssh_attempt *attempt = NULL;

	if (pending->kind == PENDING_FETCH)
		return !ssh->starts || ssh_copy_add(ssh, COPY_RESULTS, pending, err);
	text_print(&directory, "%s/%s/%s", ssh->mirror, pending->trial, pending->number);
	if (!text_failed(&directory))
		attempt = keep(ssh, pending->id, directory.bytes);
	text_finish(&directory);
	if (attempt == NULL || !name_attempt(ssh, attempt, pending->key, err))
		return attempt != NULL || tuner_fail_memory(err);
	attempt->fenced = true;
	return true;
}

/* What earlier processes left to do. */
static bool load_pending(struct ssh *ssh, struct tuner_error *err)
{
	struct pending *items;
	size_t n;

	if (!pending_list(ssh->pending, &items, &n, err))
		return false;
	bool ok = true;
	for (size_t i = 0; i < n && ok; i++)
		ok = take_pending(ssh, &items[i], err);
	free(items);
	return ok;
}

/* A directory of our own for the socket of the connection that the copies share, of the same name each time, so that
 * a process that was killed leaves none for ever. ssh adds 17 bytes while it makes the socket. Without one
 * the copies have connections of their own. */
static void make_control(struct ssh *ssh)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	uint64_t hash = 14695981039346656037u;
	struct stat info;
	char directory[80];

	if (runtime == NULL || strlen(runtime) > 40 || access(runtime, W_OK) != 0)
		runtime = "/tmp";
	for (const char *c = ssh->pending; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	snprintf(directory, sizeof(directory), "%s/tuner-%016" PRIx64, runtime, hash);
	if ((mkdir(directory, 0700) == 0 || errno == EEXIST) && lstat(directory, &info) == 0 &&
		S_ISDIR(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 077) == 0)
		snprintf(ssh->control, sizeof(ssh->control), "%s/c", directory);
}

/* What needs to be known before the first connection; not earlier, since only then no other process looks after
 * this job. */
static bool prepare(struct ssh *ssh, struct tuner_error *err)
{
	if (ssh->job != NULL)
		return true;
	make_control(ssh);
	return load_pending(ssh, err) && name_job(ssh, err);
}

/* ---- the connection ---- */

static bool connect_host(struct ssh *ssh, struct tuner_error *err)
{
	const struct ssh_target target = ssh_target_of(ssh);
	struct tuner_error failed = { TUNER_OK, "" };

	if (ssh->link.state != LINK_CLOSED || clock_monotonic_us() < ssh->next_try_us)
		return true;
	/* One that was killed leaves its socket. */
	if (ssh->control[0] != '\0')
		unlink(ssh->control);
	if (link_open(&ssh->link, &target, ssh->directory, ssh->job, ssh->images, &failed))
		return true;
	ssh->next_try_us = clock_monotonic_us() + PAUSE_MAX_US;
	return tell_down(ssh, failed.message, err);
}

static bool disconnect(struct ssh *ssh, struct tuner_error *err)
{
	char reason[sizeof(ssh->link.reason)];

	memcpy(reason, ssh->link.reason, sizeof(reason));
	ssh->greeted = false;
	ssh_copies_interrupt(ssh);
	link_close(&ssh->link, false);
	ssh->next_try_us = clock_monotonic_us() + ssh->pause_us;
	ssh->pause_us = 2 * ssh->pause_us < PAUSE_MAX_US ? 2 * ssh->pause_us : PAUSE_MAX_US;
	for (size_t i = 0; i < ssh->n; i++)
		ssh->attempts[i].sent = false;
	return tell_down(ssh, reason, err);
}

static void ping(struct ssh *ssh)
{
	const int64_t now_us = clock_monotonic_us();
	const int64_t often_us = ssh->lease_us / 4;

	if (!ssh->greeted || now_us < ssh->ping_us)
		return;
	send_number(ssh, MESSAGE_PING, 0, now_us);
	ssh->ping_us = now_us + (often_us > 0 && often_us < PING_US ? often_us : PING_US);
}

/* The host stays away: what runs there is given up. That it is to be killed is noted before it is told. */
static bool give_up(struct ssh *ssh, struct tuner_error *err)
{
	char message[200], span[32];

	if (ssh->greeted || clock_monotonic_us() < ssh->heard_us + ssh->host_timeout_us)
		return true;
	snprintf(span, sizeof(span), "%" PRId64, ssh->host_timeout_us / 1000000);
	snprintf(
		message, sizeof(message), "host %.100s has not answered for %s s", ssh->name, span);
	for (size_t i = 0; i < ssh->n; i++) {
		struct ssh_attempt *attempt = &ssh->attempts[i];
		const struct pending fence = pending_of(attempt, PENDING_FENCE);
		if (attempt->fenced || attempt->ended)
			continue;
		if (is_prepared(attempt) && !pending_add(ssh->pending, &fence, err))
			return false;
		if (!tell(ssh, BACKEND_LOST, attempt->id, message, err))
			return false;
		attempt->fenced = true;
		attempt->quiet = false;
		attempt->signal = SUPERVISE_KILL;
	}
	return true;
}

/* Whether trials may be started: the code is there, and nothing lives that should not. */
static bool is_ready(const struct ssh *ssh)
{
	if (!ssh->greeted || (ssh->starts && ssh->code != NULL && !ssh->code_sent))
		return false;
	for (size_t i = 0; i < ssh->n; i++)
		if (ssh->attempts[i].fenced)
			return false;
	return true;
}

static bool tell_state(struct ssh *ssh, struct tuner_error *err)
{
	if (ssh->greeted && ssh->starts && ssh->code != NULL && !ssh->has_rsync)
		return tell_down(ssh,
			"it has no rsync: install it there; or if it has the working directory at "
			"the "
			"same path, say \"sync\": \"none\"",
			err);
	if (ssh->greeted && ssh->copy_fault[0] != '\0')
		return tell_down(ssh, ssh->copy_fault, err);
	return ssh->told == TOLD_UP || !is_ready(ssh) || tell_up(ssh, err);
}

static bool send_code(struct ssh *ssh, struct tuner_error *err)
{
	if (!ssh->greeted || !ssh->starts || ssh->code == NULL || ssh->code_sent || !ssh->has_rsync)
		return true;
	for (size_t i = 0; i < ssh->n_copies; i++)
		if (ssh->copies[i].kind == COPY_CODE)
			return true;
	return ssh_copy_add(ssh, COPY_CODE, NULL, err);
}

static bool step(struct ssh *ssh, struct tuner_error *err)
{
	if (!prepare(ssh, err) || !connect_host(ssh, err))
		return false;
	link_step(&ssh->link, ssh->images);
	if (!take_messages(ssh, err) || !send_attempts(ssh, err))
		return false;
	ping(ssh);
	if (ssh->link.state == LINK_BROKEN && !disconnect(ssh, err))
		return false;
	if (!send_code(ssh, err) || !ssh_copies_step(ssh, err) || !give_up(ssh, err) ||
		!tell_state(ssh, err))
		return false;
	/* What this step has to say, so that nobody waits for it. */
	if (ssh->link.state == LINK_OPEN)
		wire_flush(&ssh->link.wire);
	return true;
}

/* ---- the operations ---- */

/* Without the host, from what is here already: it ended before the last process could note that. */
static bool adopt_ended(
	struct ssh *ssh, struct ssh_attempt *attempt, bool *ret_ended, struct tuner_error *err)
{
	struct attempt_status status;

	if (!attempt_look(attempt->directory, &status, err))
		return false;
	*ret_ended = status.life == ATTEMPT_FINISHED;
	if (!*ret_ended)
		return tell_started(ssh, attempt, &status, err);
	return (status.exit.kind == EXIT_NO_START || tell_started(ssh, attempt, &status, err)) &&
	       tell_ended(ssh, attempt, &status, err);
}

static bool enter(struct ssh *ssh, int64_t id, const char *directory, const char *key, bool starts,
	struct tuner_error *err)
{
	struct ssh_attempt *attempt = ssh_find(ssh, id);
	struct pending fence;
	bool ended = false;

	if (attempt != NULL) /* its fence, whose loss was never committed */
		drop(ssh, attempt);
	attempt = keep(ssh, id, directory);
	if (attempt == NULL)
		return tuner_fail_memory(err);
	attempt->starts = starts;
	if (!name_attempt(ssh, attempt, key, err) || !adopt_ended(ssh, attempt, &ended, err)) {
		drop(ssh, attempt);
		return false;
	}
	fence = pending_of(attempt, PENDING_FENCE);
	pending_remove(ssh->pending, &fence);
	if (ended || !starts || !ssh_needs_checkpoint(ssh, attempt))
		return true;
	const struct pending copy = pending_of(attempt, PENDING_FETCH);
	attempt->waits = !attempt->started;
	return !attempt->waits || ssh_copy_add(ssh, COPY_CHECKPOINT, &copy, err);
}

void ssh_checkpoint_sent(struct ssh *ssh, int64_t id, const char *fault)
{
	struct ssh_attempt *attempt = ssh_find(ssh, id);
	struct backend_event event = { .kind = BACKEND_FAILED, .attempt = id };

	if (attempt == NULL || !attempt->waits)
		return;
	attempt->waits = false;
	if (fault[0] == '\0' || attempt->fenced)
		return;
	snprintf(event.message, sizeof(event.message),
		"its checkpoints cannot be sent there: %.200s", fault);
	attempt->ended = attempt->quiet = true;
	if (!ssh_tell(ssh, &event))
		attempt->ended = attempt->quiet = false; /* started without them, then */
}

/* The lease's file is what the supervisor looks at; it goes with the others. */
static bool make_lease(const struct ssh *ssh, const char *directory, struct tuner_error *err)
{
	char *path = ssh->lease_us > 0 ? path_join(directory, ATTEMPT_LEASE) : NULL;
	const bool ok = ssh->lease_us == 0 ||
			(path != NULL ? file_write_atomic(path, "", 0, 0600, false, err)
				      : tuner_fail_memory(err));
	free(path);
	return ok;
}

static bool ssh_start(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	struct ssh *ssh = ssh_of(backend);

	return make_lease(ssh, directory, err) && enter(ssh, id, directory, key, true, err) &&
	       send_attempts(ssh, err);
}

static bool ssh_adopt(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	struct ssh *ssh = ssh_of(backend);

	return enter(ssh, id, directory, key, ssh->starts, err);
}

static bool ssh_signal(struct backend *backend, int64_t id, int signal, struct tuner_error *err)
{
	struct ssh *ssh = ssh_of(backend);
	struct ssh_attempt *attempt = ssh_find(ssh, id);

	(void)err;
	if (attempt == NULL || attempt->ended || attempt->fenced)
		return true;
	if (attempt->signal != SUPERVISE_KILL)
		attempt->signal = signal == SIGKILL ? SUPERVISE_KILL : signal;
	send_signal(ssh, attempt);
	return true;
}

static bool ssh_read_output(struct backend *backend, int64_t id, int64_t offset, char *ret_bytes,
	size_t size, int64_t *ret_offset, size_t *ret_size, struct tuner_error *err)
{
	const struct ssh_attempt *attempt = ssh_find(ssh_of(backend), id);

	if (attempt != NULL)
		return output_read(
			attempt->directory, offset, ret_bytes, size, ret_offset, ret_size, err);
	*ret_offset = offset;
	*ret_size = 0;
	return true;
}

static size_t ssh_descriptors(struct backend *backend, struct pollfd *ret_fds, size_t size)
{
	struct ssh *ssh = ssh_of(backend);
	const struct child_process *child = &ssh->link.ssh;
	const bool connected = ssh->link.state != LINK_CLOSED && ssh->link.state != LINK_BROKEN;
	size_t n = 0;

	if (connected && size >= 3) {
		if (ssh->link.dying_us == 0)
			ret_fds[n++] = (struct pollfd){ .fd = child->out, .events = POLLIN };
		if (child->errors >= 0)
			ret_fds[n++] = (struct pollfd){ .fd = child->errors, .events = POLLIN };
		if (buffer_size(&ssh->link.wire.outbox) > 0)
			ret_fds[n++] = (struct pollfd){ .fd = child->in, .events = POLLOUT };
	}
	return n + ssh_copies_descriptors(ssh, ret_fds + n, size - n);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int ssh_wait_ms(struct backend *backend)
{
	const struct ssh *ssh = ssh_of(backend);
	const int64_t now_us = clock_monotonic_us();
	int64_t due_us = ssh_copies_due_us(ssh);

	if (ssh->first_event < ssh->n_events)
		return 0;
	if (ssh->link.state == LINK_CLOSED)
		due_us = earlier(due_us, ssh->next_try_us);
	else if (ssh->link.state == LINK_BROKEN)
		return 0;
	else
		due_us = earlier(due_us, now_us + (ssh->link.dying_us ? 20000 : 1000000));
	if (ssh->greeted)
		due_us = earlier(due_us, ssh->ping_us);
	else
		for (size_t i = 0; i < ssh->n; i++)
			if (!ssh->attempts[i].ended && !ssh->attempts[i].fenced)
				due_us = earlier(due_us, ssh->heard_us + ssh->host_timeout_us);
	if (due_us == INT64_MAX)
		return -1;
	const int64_t left_us = due_us - now_us;
	return left_us <= 0 ? 0 : left_us > 60000000 ? 60000 : (int)(left_us / 1000 + 1);
}

static bool ssh_machine(struct backend *backend, struct machine *ret, struct tuner_error *err)
{
	(void)err;
	*ret = ssh_of(backend)->machine;
	return true;
}

static bool ssh_site(struct backend *backend, struct backend_site *ret)
{
	const struct ssh *ssh = ssh_of(backend);

	if (ssh->root.length == 0)
		return false;
	*ret = (struct backend_site){ .directory = ssh->site_directory.bytes,
		.code = ssh->code != NULL ? ssh->site_code.bytes : NULL,
		.environment = ssh->environment_vector };
	return true;
}

static bool ssh_is_busy(struct backend *backend)
{
	const struct ssh *ssh = ssh_of(backend);

	return ssh->link.state != LINK_CLOSED && ssh_copies_results(ssh);
}

static bool ssh_next(
	struct backend *backend, struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	struct ssh *ssh = ssh_of(backend);

	*ret_got = false;
	if (ssh->first_event == ssh->n_events) {
		ssh->first_event = ssh->n_events = 0;
		if (!step(ssh, err))
			return tuner_fail_in(err, "host %s: ", ssh->name);
	}
	if (ssh->first_event == ssh->n_events)
		return true;
	*ret = ssh->events[ssh->first_event++];
	*ret_got = true;
	return true;
}

/* A lost one stays until it has turned up. */
static void ssh_forget(struct backend *backend, int64_t id)
{
	struct ssh *ssh = ssh_of(backend);
	struct ssh_attempt *attempt = ssh_find(ssh, id);

	if (attempt == NULL || (attempt->fenced && !attempt->quiet))
		return;
	const struct pending fence = pending_of(attempt, PENDING_FENCE);
	if (attempt->fenced)
		pending_remove(ssh->pending, &fence);
	if (ssh->greeted && attempt->sent)
		send_number(ssh, MESSAGE_FORGET, id, 0);
	drop(ssh, attempt);
}

static void free_options(char **options)
{
	for (char **option = options; option != NULL && *option != NULL; option++)
		free(*option);
	free(options);
}

static void remove_control(struct ssh *ssh)
{
	if (ssh->control[0] == '\0')
		return;
	unlink(ssh->control);
	char *directory = path_directory(ssh->control);
	if (directory != NULL)
		rmdir(directory);
	free(directory);
}

static void ssh_close(struct backend *backend)
{
	struct ssh *ssh = ssh_of(backend);

	ssh_copies_finish(ssh);
	link_close(&ssh->link, ssh->link.state == LINK_OPEN);
	remove_control(ssh);
	while (ssh->n > 0)
		drop(ssh, &ssh->attempts[0]);
	for (size_t i = 0; i < IMAGES; i++)
		image_finish(&ssh->images[i]);
	text_finish(&ssh->root);
	text_finish(&ssh->site_directory);
	text_finish(&ssh->site_code);
	strings_finish(&ssh->environment);
	free(ssh->environment_vector);
	free_options(ssh->options);
	free(ssh->attempts);
	free(ssh->events);
	free(ssh->name);
	free(ssh->address);
	free(ssh->user);
	free(ssh->directory);
	free(ssh->mirror);
	free(ssh->code);
	free(ssh->database);
	free(ssh->pending);
	free(ssh->job);
	free(ssh);
}

static const struct backend_ops ssh_ops = {
	.name = "ssh",
	.remote = true,
	.start = ssh_start,
	.adopt = ssh_adopt,
	.signal = ssh_signal,
	.read_output = ssh_read_output,
	.descriptors = ssh_descriptors,
	.wait_ms = ssh_wait_ms,
	.machine = ssh_machine,
	.site = ssh_site,
	.is_busy = ssh_is_busy,
	.next = ssh_next,
	.forget = ssh_forget,
	.close = ssh_close,
};

/* ---- opening ---- */

/* ssh begins in the home directory. */
static const char *below_home(const char *directory)
{
	if (strcmp(directory, "~") == 0)
		return ".";
	return strncmp(directory, "~/", 2) == 0 ? directory + 2 : directory;
}

static bool copy_options(struct ssh *ssh, char *const *options)
{
	size_t n = 0;

	while (options != NULL && options[n] != NULL)
		n++;
	ssh->options = calloc(n + 1, sizeof(*ssh->options));
	for (size_t i = 0; ssh->options != NULL && i < n; i++)
		if ((ssh->options[i] = strdup(options[i])) == NULL)
			return false;
	return ssh->options != NULL;
}

static bool copy_settings(struct ssh *ssh, const struct ssh_settings *settings)
{
	char *hosts = path_join(settings->mirror, ".hosts");

	ssh->name = strdup(settings->name);
	ssh->address = strdup(settings->address);
	ssh->user = strdup(settings->user);
	ssh->port = settings->port;
	ssh->directory = strdup(below_home(settings->directory));
	ssh->mirror = strdup(settings->mirror);
	ssh->code = settings->code != NULL ? strdup(settings->code) : NULL;
	ssh->database = strdup(settings->database);
	ssh->pending = hosts != NULL ? path_join(hosts, settings->name) : NULL;
	ssh->host_timeout_us = settings->host_timeout_us;
	ssh->lease_us = settings->lease_us;
	ssh->log_max_bytes = settings->log_max_bytes;
	ssh->starts = settings->starts;
	free(hosts);
	return ssh->name && ssh->address && ssh->user && ssh->directory && ssh->mirror &&
	       (ssh->code || settings->code == NULL) && ssh->database && ssh->pending &&
	       copy_options(ssh, settings->options);
}

static bool read_images(struct ssh *ssh, const char *supervisor, struct tuner_error *err)
{
	char *directory = path_directory(supervisor);
	char *agent = directory != NULL ? path_join(directory, "tuner-agent") : NULL;
	const bool ok = agent != NULL
				? image_read(agent, "agent", &ssh->images[0], err) &&
					  image_read(supervisor, "supervise", &ssh->images[1], err)
				: tuner_fail_memory(err);
	free(directory);
	free(agent);
	return ok;
}

bool backend_ssh_open(
	const struct ssh_settings *settings, struct backend **ret, struct tuner_error *err)
{
	struct ssh *ssh = calloc(1, sizeof(*ssh));

	if (ssh == NULL)
		return tuner_fail_memory(err);
	ssh->backend.ops = &ssh_ops;
	ssh->root = ssh->site_directory = ssh->site_code = TEXT_EMPTY;
	ssh->link.ssh = (struct child_process){ .in = -1, .out = -1, .errors = -1 };
	ssh->heard_us = clock_monotonic_us();
	ssh->pause_us = PAUSE_FIRST_US;
	if ((!copy_settings(ssh, settings) && !tuner_fail_memory(err)) ||
		!read_images(ssh, settings->supervisor, err)) {
		ssh_close(&ssh->backend);
		return false;
	}
	*ret = &ssh->backend;
	return true;
}
