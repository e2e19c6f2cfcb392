#include "scheduler/ssh_inside.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "scheduler/attempt_files.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
struct ssh_attempt *ssh_keep(struct ssh *ssh, int64_t id, const char *directory)
{
	if (!array_reserve(&ssh->attempts, ssh->n, &ssh->capacity, sizeof(*ssh->attempts)))
		return NULL;
	char *copy = strdup(directory);
	if (copy == NULL)
		return NULL;
	struct ssh_attempt *attempt = &ssh->attempts[ssh->n++];
	*attempt = (struct ssh_attempt){ .id = id, .directory = copy };
	return attempt;
}

void ssh_drop(struct ssh *ssh, struct ssh_attempt *attempt)
{
	free(attempt->directory);
	*attempt = ssh->attempts[--ssh->n];
}

struct pending ssh_pending_of(const struct ssh_attempt *attempt, enum pending_kind kind)
{
	struct pending pending = { .kind = kind, .id = attempt->id };

	memcpy(pending.trial, attempt->trial, sizeof(pending.trial));
	memcpy(pending.number, attempt->number, sizeof(pending.number));
	memcpy(pending.key, attempt->key, sizeof(pending.key));
	return pending;
}

/* MIRROR/0007/1. */
bool ssh_name_attempt(const struct ssh *ssh, struct ssh_attempt *attempt, const char *key,
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

struct ssh_target ssh_target_of(const struct ssh *ssh)
{
	return (struct ssh_target){ ssh->address, ssh->user, ssh->port, ssh->options,
		ssh->control[0] != '\0' ? ssh->control : NULL };
}

/* ---- the operations ---- */

/* Adopts without the host, from the files here: the attempt ended before the last process could
 * record that. */
static bool adopt_ended(
	struct ssh *ssh, struct ssh_attempt *attempt, bool *ret_ended, struct tuner_error *err)
{
	struct attempt_status status;

	if (!attempt_look(attempt->directory, &status, err))
		return false;
	*ret_ended = status.life == ATTEMPT_FINISHED;
	if (!*ret_ended)
		return ssh_tell_started(ssh, attempt, &status, err);
	return (status.exit.kind == EXIT_NO_START ||
		       ssh_tell_started(ssh, attempt, &status, err)) &&
	       ssh_tell_ended(ssh, attempt, &status, err);
}

static bool enter(struct ssh *ssh, int64_t id, const char *directory, const char *key, bool starts,
	bool adopted, struct tuner_error *err)
{
	struct ssh_attempt *attempt = ssh_find(ssh, id);
	struct pending fence;
	bool ended = false;

	if (attempt != NULL) /* a fence, whose loss was never committed */
		ssh_drop(ssh, attempt);
	attempt = ssh_keep(ssh, id, directory);
	if (attempt == NULL)
		return tuner_fail_memory(err);
	attempt->starts = starts;
	attempt->asked = adopted;
	attempt_tidy(directory); /* only we write there, and an earlier process may have been killed
				    while writing */
	if (!ssh_name_attempt(ssh, attempt, key, err) || !adopt_ended(ssh, attempt, &ended, err)) {
		ssh_drop(ssh, attempt);
		return false;
	}
	fence = ssh_pending_of(attempt, PENDING_FENCE);
	pending_remove(ssh->pending, &fence);
	if (ended || !starts || !ssh_needs_checkpoint(ssh, attempt))
		return true;
	const struct pending copy = ssh_pending_of(attempt, PENDING_FETCH);
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
	/* An earlier order may have started it: the host only reports what runs, and starts
	 * nothing. */
	if (attempt->asked) {
		attempt->starts = false;
		return;
	}
	snprintf(event.message, sizeof(event.message),
		"its checkpoints cannot be sent there: %.200s", fault);
	attempt->ended = attempt->quiet = true;
	if (!ssh_tell(ssh, &event))
		attempt->ended = attempt->quiet = false; /* it is then started without them */
}

/* The file that the supervisor checks for its lease; it is sent with the others. */
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

	return make_lease(ssh, directory, err) &&
	       enter(ssh, id, directory, key, true, false, err) && ssh_send_attempts(ssh, err);
}

static bool ssh_adopt(struct backend *backend, int64_t id, const char *directory, const char *key,
	struct tuner_error *err)
{
	struct ssh *ssh = ssh_of(backend);

	return enter(ssh, id, directory, key, ssh->starts, true, err);
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
	ssh_send_signal(ssh, attempt);
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
		.environment = ssh->environment_vector,
		.gpu_locks = ssh->gpu_locks.length > 0 ? ssh->gpu_locks.bytes : NULL,
		.gpu_owner = ssh->gpu_owner };
	return true;
}

/* How long a connection that broke at a job's end may stay away before results to fetch and
 * attempts to end there are left to the next run. */
static const int64_t BRIEF_ABSENCE_US = 30000000;

/* None if the list cannot be read: the first step then fails, too, and reports it. */
static struct backend_left ssh_left(struct backend *backend)
{
	const struct ssh *ssh = ssh_of(backend);
	struct backend_left left = { 0, 0 };
	struct tuner_error ignored;
	struct pending *items;
	size_t n = 0;

	if (!pending_list(ssh->pending, &items, &n, &ignored))
		return left;
	for (size_t i = 0; i < n; i++) {
		left.results += ssh->starts && items[i].kind == PENDING_FETCH;
		left.lost += items[i].kind == PENDING_FENCE;
	}
	free(items);
	return left;
}

static bool awaits_lost(const struct ssh *ssh)
{
	for (size_t i = 0; i < ssh->n; i++)
		if (ssh->attempts[i].fenced && !ssh->attempts[i].quiet)
			return true;
	return false;
}

static bool ssh_is_busy(struct backend *backend)
{
	const struct ssh *ssh = ssh_of(backend);
	const int64_t away_us = clock_monotonic_us() - ssh->heard_us;
	const bool recent = away_us < BRIEF_ABSENCE_US;

	if (ssh->job == NULL) {
		const struct backend_left left = ssh_left(backend);
		return left.results + left.lost > 0;
	}
	return (ssh_awaits_results(ssh) && (recent || ssh->link.state != LINK_CLOSED)) ||
	       (awaits_lost(ssh) && (ssh->greeted || (recent && away_us < ssh->host_timeout_us)));
}

/* Before the first step, what earlier processes left is unknown. */
static bool ssh_is_fetching(struct backend *backend, int64_t attempt)
{
	const struct ssh *ssh = ssh_of(backend);

	return ssh->job == NULL || ssh_copies_results(ssh, attempt);
}

static bool ssh_next(
	struct backend *backend, struct backend_event *ret, bool *ret_got, struct tuner_error *err)
{
	struct ssh *ssh = ssh_of(backend);

	*ret_got = false;
	if (ssh->first_event == ssh->n_events) {
		ssh->first_event = ssh->n_events = 0;
		if (!ssh_step(ssh, err))
			return tuner_fail_in(err, "host %s: ", ssh->name);
	}
	if (ssh->first_event == ssh->n_events)
		return true;
	*ret = ssh->events[ssh->first_event++];
	*ret_got = true;
	return true;
}

/* A lost attempt stays until it has turned up. */
static void ssh_forget(struct backend *backend, int64_t id)
{
	struct ssh *ssh = ssh_of(backend);
	struct ssh_attempt *attempt = ssh_find(ssh, id);

	if (attempt == NULL || (attempt->fenced && !attempt->quiet))
		return;
	const struct pending fence = ssh_pending_of(attempt, PENDING_FENCE);
	if (attempt->fenced)
		pending_remove(ssh->pending, &fence);
	if (ssh->greeted && attempt->sent)
		ssh_send_number(ssh, MESSAGE_FORGET, id, 0);
	ssh_drop(ssh, attempt);
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
		ssh_drop(ssh, &ssh->attempts[0]);
	for (size_t i = 0; i < IMAGES; i++)
		image_finish(&ssh->images[i]);
	text_finish(&ssh->root);
	text_finish(&ssh->site_directory);
	text_finish(&ssh->site_code);
	text_finish(&ssh->gpu_locks);
	free(ssh->gpu_report);
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
	free(ssh->secrets);
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
	.gpus = ssh_gpus,
	.claim_gpu = ssh_claim_gpu,
	.release_gpu = ssh_release_gpu,
	.is_busy = ssh_is_busy,
	.is_fetching = ssh_is_fetching,
	.left = ssh_left,
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
	ssh->secrets = settings->secrets != NULL ? strdup(settings->secrets) : NULL;
	ssh->pending = hosts != NULL ? path_join(hosts, settings->name) : NULL;
	ssh->host_timeout_us = settings->host_timeout_us;
	ssh->lease_us = settings->lease_us;
	ssh->log_max_bytes = settings->log_max_bytes;
	ssh->gpu_look_us = settings->gpu_look_us;
	ssh->starts = settings->starts;
	free(hosts);
	return ssh->name && ssh->address && ssh->user && ssh->directory && ssh->mirror &&
	       (ssh->code || settings->code == NULL) && ssh->database &&
	       (ssh->secrets || settings->secrets == NULL) && ssh->pending &&
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

bool backend_ssh_freeze(struct backend *backend, const char *code, struct tuner_error *err)
{
	struct ssh *ssh = ssh_of(backend);
	char *copy = ssh->code != NULL ? strdup(code) : NULL;

	if (ssh->code == NULL)
		return true;
	if (copy == NULL)
		return tuner_fail_memory(err);
	free(ssh->code);
	ssh->code = copy;
	/* Named after its content. */
	snprintf(ssh->code_name, sizeof(ssh->code_name), "code-%016" PRIx64, hash_string(code));
	ssh->frozen = true;
	return true;
}

bool backend_ssh_open(
	const struct ssh_settings *settings, struct backend **ret, struct tuner_error *err)
{
	struct ssh *ssh = calloc(1, sizeof(*ssh));

	if (ssh == NULL)
		return tuner_fail_memory(err);
	ssh->backend.ops = &ssh_ops;
	ssh->root = ssh->site_directory = ssh->site_code = ssh->gpu_locks = TEXT_EMPTY;
	ssh->link.ssh = (struct child_process){ .in = -1, .out = -1, .errors = -1 };
	ssh->heard_us = ssh->looked_us = clock_monotonic_us();
	ssh->pause_us = PAUSE_FIRST_US;
	snprintf(ssh->code_name, sizeof(ssh->code_name), "code");
	if ((!copy_settings(ssh, settings) && !tuner_fail_memory(err)) ||
		!read_images(ssh, settings->supervisor, err)) {
		ssh_close(&ssh->backend);
		return false;
	}
	*ret = &ssh->backend;
	return true;
}
