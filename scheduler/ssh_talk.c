/* Events to the loop, messages to the agent, and messages from it. */
#include "scheduler/ssh_inside.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "scheduler/attempt_files.h"
#include "scheduler/mirror.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The rest of a message is its head, a directory and a key. */
enum { TREE_BYTES_MAX = MESSAGE_BYTES_MAX - MESSAGE_DIRECTORY_MAX - MESSAGE_KEY_MAX - 64 };

static const int64_t CLOCK_SLACK_US = 5000000;

/* Between two reports about a host that stays away for changing reasons. */
static const int64_t SAY_AGAIN_US = 60000000;

/* ---- events ---- */

bool ssh_tell(struct ssh *ssh, const struct backend_event *event)
{
	if (!array_reserve(
		    &ssh->events, ssh->n_events, &ssh->events_capacity, sizeof(*ssh->events)))
		return false;
	ssh->events[ssh->n_events++] = *event;
	return true;
}

bool ssh_tell_text(struct ssh *ssh, enum backend_event_kind kind, int64_t attempt,
	const char *message, struct tuner_error *err)
{
	struct backend_event event = { .kind = kind, .attempt = attempt };

	snprintf(event.message, sizeof(event.message), "%s", message);
	return ssh_tell(ssh, &event) || tuner_fail_memory(err);
}

bool ssh_tell_up(struct ssh *ssh, struct tuner_error *err)
{
	ssh->told = TOLD_UP;
	return ssh_tell_text(ssh, BACKEND_HOST_UP, 0, "", err);
}

bool ssh_tell_down(struct ssh *ssh, const char *reason, struct tuner_error *err)
{
	const int64_t now_us = clock_monotonic_us();

	if (ssh->told == TOLD_DOWN &&
		(strcmp(ssh->told_reason, reason) == 0 || now_us - ssh->told_us < SAY_AGAIN_US))
		return true;
	ssh->told = TOLD_DOWN;
	ssh->told_us = now_us;
	snprintf(ssh->told_reason, sizeof(ssh->told_reason), "%s", reason);
	return ssh_tell_text(ssh, BACKEND_HOST_DOWN, 0, reason, err);
}

/* Converts a time by the host's clock to ours, so that a trial that moves between hosts keeps its
 * duration, and nothing seems to have started in the future. 0: none. */
static int64_t our_time(const struct ssh *ssh, int64_t us)
{
	return us != 0 ? us + ssh->clock_behind_us : 0;
}

/* Reports what the mirror shows now. */
bool ssh_tell_started(struct ssh *ssh, struct ssh_attempt *attempt,
	const struct attempt_status *status, struct tuner_error *err)
{
	struct backend_event event = { .kind = BACKEND_STARTED,
		.attempt = attempt->id,
		.started_us = our_time(ssh, status->started_us) };

	if (attempt->started || attempt->fenced || status->started_us == 0)
		return true;
	attempt->started = true;
	return ssh_tell(ssh, &event) || tuner_fail_memory(err);
}

bool ssh_tell_ended(struct ssh *ssh, struct ssh_attempt *attempt,
	const struct attempt_status *status, struct tuner_error *err)
{
	struct backend_event event = { .kind = attempt->fenced ? BACKEND_LATE : BACKEND_ENDED,
		.attempt = attempt->id,
		.exit = status->exit };

	event.exit.started_us = our_time(ssh, event.exit.started_us);
	event.exit.ended_us = our_time(ssh, event.exit.ended_us);
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
	return ssh_tell_text(ssh, attempt->fenced ? BACKEND_LATE : kind, attempt->id, message, err);
}

/* ---- to the agent ---- */

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

/* Adds what command_prepare has made. */
static bool add_directory(
	struct buffer *tree, const char *directory, const char *below, struct tuner_error *err)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry;
	bool ok = true;

	if (stream == NULL)
		return tuner_fail_errno(err, errno, "cannot list %s", directory);
	while (ok && (errno = 0, entry = readdir(stream)) != NULL)
		if (entry->d_name[0] != '.')
			ok = add_entry(tree, directory, below, entry->d_name, err);
	/* With only a part of it a command might run without its parameters. */
	if (ok && errno != 0)
		ok = tuner_fail_errno(err, errno, "cannot list %s", directory);
	closedir(stream);
	return ok;
}

/* Whether it was prepared here, and so may have been started there. */
bool ssh_is_prepared(const struct ssh_attempt *attempt)
{
	char *launch = path_join(attempt->directory, ATTEMPT_LAUNCH);
	const bool is_there = launch != NULL && access(launch, F_OK) == 0;

	free(launch);
	return is_there;
}

/* Files that the mirror has received since are sent, too, but not written there: only an attempt
 * that never ran is. */
static bool add_tree(
	struct buffer *tree, const struct ssh_attempt *attempt, struct tuner_error *err)
{
	if (!add_directory(tree, attempt->directory, "", err))
		return false;
	return buffer_size(tree) <= TREE_BYTES_MAX ||
	       tuner_fail(err, TUNER_USAGE, "what is in %s has %zu bytes, and at most %d are sent",
		       attempt->directory, buffer_size(tree), (int)TREE_BYTES_MAX);
}

/* Makes the files that are needed to start it there; false: only to be taken over. An agent that
 * has nothing to take over makes sure that it never starts (agent.c), so this is also requested for
 * an attempt that cannot be read here but may run there. */
static bool make_tree(struct buffer *tree, const struct ssh_attempt *attempt, bool *ret_starts,
	struct tuner_error *err)
{
	struct attempt_status status;
	bool ok = attempt_look(attempt->directory, &status, err);

	*ret_starts = ok && attempt->starts && !attempt->fenced && status.started_us == 0 &&
		      ssh_is_prepared(attempt);
	if (*ret_starts)
		ok = *ret_starts = add_tree(tree, attempt, err);
	return ok || attempt->asked || attempt->fenced;
}

/* Whether it was launched under another name of the job on the host: then this database is a copy
 * of the one for which it runs. Without its launch file that is unknown, and the agent ends what it
 * finds of it. */
static bool is_of_another_job(const struct ssh *ssh, const struct ssh_attempt *attempt)
{
	static const char begin[] = "eTUNER_ATTEMPT_DIR=/";
	struct text launch = TEXT_EMPTY, place = TEXT_EMPTY;
	struct tuner_error ignored;
	char *path = path_join(attempt->directory, ATTEMPT_LAUNCH);
	const char *found = NULL;

	text_print(&place, "/%s/%s/%s", ssh->job, attempt->trial, attempt->number);
	if (path != NULL && file_read(path, LAUNCH_BYTES_MAX, &launch, &ignored))
		found = memmem(launch.bytes, launch.length, begin, sizeof(begin) - 1);
	const size_t length = found != NULL ? strlen(found) : 0;
	const bool is =
		length > place.length && strcmp(found + length - place.length, place.bytes) != 0;
	text_finish(&launch);
	text_finish(&place);
	free(path);
	return is;
}

static bool send_attempt(struct ssh *ssh, struct ssh_attempt *attempt, struct tuner_error *err)
{
	static const struct message none;
	struct message message = none;
	struct tuner_error ignored;
	struct buffer tree = { 0 };
	bool starts = false;
	const bool ok = make_tree(&tree, attempt, &starts, err);

	message.kind = starts ? MESSAGE_START : MESSAGE_ADOPT;
	message.attempt = attempt->id;
	/* From the beginning if the offset is unknown: bytes already here are skipped
	 * (mirror.c). */
	(void)!output_end(attempt->directory, &message.number, &ignored);
	snprintf(message.directory, sizeof(message.directory), "%s/%s/%s", ssh->job, attempt->trial,
		attempt->number);
	snprintf(message.key, sizeof(message.key), "%s", attempt->key);
	if (starts) {
		message.bytes = tree.memory + tree.from;
		message.n = buffer_size(&tree);
	}
	if (ok)
		link_send(&ssh->link, &message);
	attempt->sent = ok;
	attempt->asked |= ok;
	buffer_finish(&tree);
	return ok;
}

void ssh_send_number(struct ssh *ssh, enum message_kind kind, int64_t attempt, int64_t number)
{
	static const struct message none;
	struct message message = none;

	message.kind = kind;
	message.attempt = attempt;
	message.number = number;
	link_send(&ssh->link, &message);
}

void ssh_send_signal(struct ssh *ssh, struct ssh_attempt *attempt)
{
	if (attempt->signal == 0 || !attempt->sent || !ssh->greeted)
		return;
	ssh_send_number(ssh, MESSAGE_SIGNAL, attempt->id, attempt->signal);
	attempt->sent_signal = attempt->signal;
	attempt->signal_us = clock_monotonic_us();
	attempt->signal = 0;
	ssh->ping_us = 0; /* the answer proves the signal's arrival */
}

/* Everything sent before that ping has arrived. */
static void take_pong(struct ssh *ssh, int64_t pinged_us)
{
	for (size_t i = 0; i < ssh->n; i++)
		if (ssh->attempts[i].signal_us <= pinged_us)
			ssh->attempts[i].sent_signal = 0;
}

void ssh_recall_signals(struct ssh *ssh)
{
	for (size_t i = 0; i < ssh->n; i++) {
		struct ssh_attempt *attempt = &ssh->attempts[i];
		if (attempt->signal == 0)
			attempt->signal = attempt->sent_signal;
		attempt->sent_signal = 0;
	}
}

/* Whether it may be started there, but would not find its code. */
static bool waits_for_code(const struct ssh *ssh, const struct ssh_attempt *attempt)
{
	return ssh->code_missing && ssh->starts && attempt->starts && !attempt->started &&
	       !attempt->fenced;
}

/* Sends all that this connection's agent does not know yet. An attempt that cannot even be read
 * here has failed; the others continue. */
bool ssh_send_attempts(struct ssh *ssh, struct tuner_error *err)
{
	for (size_t i = 0; i < ssh->n && ssh->greeted; i++) {
		struct ssh_attempt *attempt = &ssh->attempts[i];
		struct tuner_error failed = { TUNER_OK, "" };
		if (attempt->sent || attempt->waits || attempt->quiet ||
			waits_for_code(ssh, attempt) || (attempt->ended && !attempt->fenced))
			continue;
		if (is_of_another_job(ssh, attempt)) {
			if (!tell_gone(ssh, attempt, BACKEND_LOST,
				    "this is a copy of its database: it runs on there", err))
				return false;
			continue;
		}
		/* Nothing is started before the code is there; attempts started earlier are only
		 * taken over, and need none. */
		if (!send_attempt(ssh, attempt, &failed)) {
			if (!tell_gone(ssh, attempt, BACKEND_FAILED, failed.message, err))
				return false;
			continue;
		}
		ssh_send_signal(ssh, attempt);
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

/* Synchronized clocks differ by less than a message takes, and are not corrected. In whole seconds,
 * so that the value is the same for each connection. */
static void take_clock(struct ssh *ssh, const char *value)
{
	const int64_t behind_us = clock_wall_us() - strtoll(value, NULL, 10);

	ssh->clock_behind_us =
		llabs(behind_us) < CLOCK_SLACK_US
			? 0
			: (behind_us + (behind_us < 0 ? -500000 : 500000)) / 1000000 * 1000000;
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
	else if (strcmp(name, "clock") == 0)
		take_clock(ssh, value);
	else if (strcmp(name, "code") == 0)
		ssh->code_missing &= strcmp(value, ssh->code_name) != 0;
	else if (strcmp(name, "gpu_locks") == 0)
		text_add(&ssh->gpu_locks, value);
	else if (strcmp(name, "path") == 0)
		strings_put_text(&ssh->environment, "PATH", value);
	else if (strcmp(name, "home") == 0)
		strings_put_text(&ssh->environment, "HOME", value);
	else if (strcmp(name, "ld_library_path") == 0)
		strings_put_text(&ssh->environment, "LD_LIBRARY_PATH", value);
}

static bool take_facts(struct ssh *ssh, const struct message *message, struct tuner_error *err)
{
	const bool was_missing = ssh->code_missing;
	const size_t gpus_before = ssh->machine.n_gpus;
	struct entry entry;
	size_t at = 0;

	ssh->machine.cores = 1;
	ssh->machine.n_gpus = 0;
	ssh->machine.no_gpus[0] = '\0';
	ssh->has_rsync = false;
	text_clear(&ssh->gpu_locks);
	ssh->code_missing = ssh->code != NULL;
	while (entry_read(message->bytes, message->n, &at, &entry)) {
		char *value = strndup(entry.bytes, entry.n);
		if (value == NULL)
			return tuner_fail_memory(err);
		take_fact(ssh, entry.name, value);
		free(value);
	}
	/* Of GPUs that it had before, an unanswered question says nothing: trials are not to go on
	 * with the CPU because of one. */
	if (ssh->machine.n_gpus == 0 && ssh->machine.no_gpus[0] != '\0' && gpus_before > 0) {
		ssh->machine.n_gpus = gpus_before;
		ssh->machine.no_gpus[0] = '\0';
	}
	/* The host's disk may have been emptied while it was away. Code sent only in part still
	 * counts as missing. */
	ssh->code_missing = ssh->code != NULL && (was_missing || ssh->code_missing);
	ssh->code_sent &= !ssh->code_missing;
	text_clear(&ssh->root);
	text_add(&ssh->root, message->directory);
	text_clear(&ssh->site_directory);
	text_print(&ssh->site_directory, "%s/%s", message->directory, ssh->job);
	text_clear(&ssh->site_code);
	text_print(&ssh->site_code, "%s/%s", ssh->site_directory.bytes, ssh->code_name);
	free(ssh->environment_vector);
	ssh->environment_vector = strings_vector(&ssh->environment);
	return (ssh->environment_vector != NULL && !text_failed(&ssh->root) &&
		       !text_failed(&ssh->site_directory) && !text_failed(&ssh->site_code) &&
		       !text_failed(&ssh->gpu_locks)) ||
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
	ssh_gpus_greeted(ssh);
	ssh->pause_us = PAUSE_FIRST_US;
	ssh->ping_us = 0;
	for (size_t i = 0; i < ssh->n; i++) {
		ssh->attempts[i].sent = false;
		if (ssh->attempts[i].fenced)
			ssh->attempts[i].signal = SUPERVISE_KILL;
	}
	return ssh_send_attempts(ssh, err);
}

/* Recorded before the end is reported and before exit.json is here, since after that nobody asks
 * the host again. Results written by a lost attempt, while another host may have had the trial, are
 * not fetched. */
static bool fetch(struct ssh *ssh, struct ssh_attempt *attempt, const struct message *message,
	struct tuner_error *err)
{
	const struct pending fetch = ssh_pending_of(attempt, PENDING_FETCH);

	if (message->number == 0 || ssh->code == NULL || attempt->fenced || attempt->quiet)
		return true;
	/* It is already listed if the end was received before but could not be recorded here (a
	 * full disk). */
	return pending_add(ssh->pending, &fetch, err) &&
	       (ssh_copies_results(ssh, attempt->id) ||
		       ssh_copy_add(ssh, COPY_RESULTS, &fetch, err));
}

static bool take_exit(struct ssh *ssh, struct ssh_attempt *attempt, const struct message *message,
	struct tuner_error *err)
{
	struct attempt_status status;

	if (attempt->quiet || attempt->ended)
		return true;
	if (!fetch(ssh, attempt, message, err) ||
		!mirror_record(attempt->directory, ATTEMPT_EXIT, message->bytes, message->n, err) ||
		!attempt_look(attempt->directory, &status, err))
		return false;
	if (status.life != ATTEMPT_FINISHED)
		return tell_gone(ssh, attempt, BACKEND_LOST, "its exit.json cannot be read", err);
	return ssh_tell_ended(ssh, attempt, &status, err);
}

static bool take_started(struct ssh *ssh, struct ssh_attempt *attempt,
	const struct message *message, struct tuner_error *err)
{
	struct attempt_status status;

	return mirror_record(
		       attempt->directory, ATTEMPT_STARTED, message->bytes, message->n, err) &&
	       attempt_look(attempt->directory, &status, err) &&
	       ssh_tell_started(ssh, attempt, &status, err);
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
		return fetch(ssh, attempt, message, err) &&
		       tell_gone(ssh, attempt, BACKEND_LOST, why, err);
	default:
		/* An attempt that is known to have run and has left nothing is lost: its directory
		 * was removed, or the disk emptied by a restart. */
		return attempt->started ? tell_gone(ssh, attempt, BACKEND_LOST,
						  "its directory on the host is gone", err)
					: tell_gone(ssh, attempt, BACKEND_FAILED, why, err);
	}
}

/* Failing to write here ends the connection, not the attempt: the host keeps everything. */
static bool take_message(struct ssh *ssh, const struct message *message, struct tuner_error *err)
{
	struct ssh_attempt *attempt = ssh_find(ssh, message->attempt);
	struct tuner_error failed = { TUNER_OK, "" };

	ssh->heard_us = clock_monotonic_us();
	if (message->kind == MESSAGE_HELLO)
		return take_hello(ssh, message, err);
	if (message->kind == MESSAGE_PONG)
		take_pong(ssh, message->number);
	if (message->kind == MESSAGE_GPUS)
		return ssh_gpus_take_report(ssh, message, err);
	if (message->kind == MESSAGE_CLAIMED)
		ssh_gpus_take_claim(ssh, message);
	if (message->kind == MESSAGE_PONG || message->kind == MESSAGE_CLAIMED || attempt == NULL)
		return true;
	if (message->kind < MESSAGE_HELLO || !ssh->greeted)
		link_break(&ssh->link, "tuner-agent says what nobody understands");
	else if (!take_of_attempt(ssh, attempt, message, &failed))
		link_break(&ssh->link, "%.250s", failed.message);
	return true;
}

bool ssh_take_messages(struct ssh *ssh, struct tuner_error *err)
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
