/* Handles a connection that comes and goes, and the consequences for attempts. */
#include "scheduler/ssh_inside.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "scheduler/attempt_files.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t PING_US = 5000000;
static const int64_t PAUSE_MAX_US = 15000000;
/* Steps are at most a second apart, unless there is no connection: then up to the next try. */
static const int64_t ABSENCE_US = 3000000;

/* ---- what earlier processes have left ---- */

/* Where an ID was drawn. A copy of the directory would have the same ID, and both would send their
 * code and start their attempts in one place on the host. So the ID's owner is recorded beside it;
 * if the record names another directory that still exists, ours is a copy. */
static bool describe_place(const char *hosts, struct text *ret, struct tuner_error *err)
{
	char *whole = realpath(hosts, NULL);
	struct stat info;
	const bool ok = whole != NULL && stat(whole, &info) == 0;

	if (ok)
		text_print(ret, "%llu %llu %s", (unsigned long long)info.st_dev,
			(unsigned long long)info.st_ino, whole);
	free(whole);
	return (ok || tuner_fail_errno(err, errno, "%s", hosts)) &&
	       (!text_failed(ret) || tuner_fail_memory(err));
}

static bool is_copied(const struct text *noted, const struct text *now)
{
	struct text there = TEXT_EMPTY;
	struct tuner_error ignored;
	int at = 0;
	const bool named = sscanf(noted->bytes, "%*u %*u %n", &at) == 0 && at > 0;
	const bool copied = named && strcmp(noted->bytes, now->bytes) != 0 &&
			    describe_place(noted->bytes + at, &there, &ignored) &&
			    strcmp(there.bytes, noted->bytes) == 0;

	text_finish(&there);
	return copied;
}

static bool draw_id(const char *path, struct tuner_error *err)
{
	struct text id = TEXT_EMPTY;
	unsigned char bytes[8];
	bool ok = getrandom(bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes) ||
		  tuner_fail_errno(err, errno, "cannot draw a number");

	for (size_t i = 0; ok && i < sizeof(bytes); i++)
		text_print(&id, "%02x", bytes[i]);
	ok = ok && file_write_atomic(path, id.bytes, id.length, 0600, true, err);
	text_finish(&id);
	return ok;
}

/* Makes sure that the ID exists and is ours. */
static bool settle_id(const char *hosts, const char *path, struct tuner_error *err)
{
	struct text now = TEXT_EMPTY, noted = TEXT_EMPTY;
	char *place = path_join(hosts, ".place");
	bool ok = (place != NULL || tuner_fail_memory(err)) && directory_make(hosts, 0700, err) &&
		  describe_place(hosts, &now, err) &&
		  (access(place, F_OK) != 0 || file_read(place, 2 * PATH_MAX, &noted, err));

	if (ok && (access(path, F_OK) != 0 || is_copied(&noted, &now)))
		ok = draw_id(path, err);
	if (ok && strcmp(noted.bytes, now.bytes) != 0)
		ok = file_write_atomic(place, now.bytes, now.length, 0600, true, err);
	text_finish(&now);
	text_finish(&noted);
	free(place);
	return ok;
}

/* JOB-ID, where ID was drawn for this job of this database: on the host, other databases may have a
 * job of this name. The ID is stored among the attempts, so that it moves with them. */
static bool name_job(struct ssh *ssh, struct tuner_error *err)
{
	struct text id = TEXT_EMPTY, name = TEXT_EMPTY;
	char *hosts = path_join(ssh->mirror, ".hosts"),
	     *path = hosts ? path_join(hosts, "id") : NULL;
	const bool ok = (path != NULL || tuner_fail_memory(err)) && settle_id(hosts, path, err) &&
			file_read(path, 64, &id, err);

	if (ok)
		text_print(&name, "%s-%.*s", path_name(ssh->mirror), (int)strcspn(id.bytes, "\n/ "),
			id.bytes);
	ssh->job = ok ? text_take(&name) : NULL;
	if (ssh->job != NULL)
		ssh_gpus_name_owner(ssh);
	text_finish(&name);
	text_finish(&id);
	free(path);
	free(hosts);
	return ok && (ssh->job != NULL || tuner_fail_memory(err));
}

static bool take_pending(struct ssh *ssh, const struct pending *pending, struct tuner_error *err)
{
	struct text directory = TEXT_EMPTY;
	struct ssh_attempt *attempt = NULL;

	if (pending->kind == PENDING_FETCH)
		return !ssh->starts || ssh_copy_add(ssh, COPY_RESULTS, pending, err);
	text_print(&directory, "%s/%s/%s", ssh->mirror, pending->trial, pending->number);
	if (!text_failed(&directory))
		attempt = ssh_keep(ssh, pending->id, directory.bytes);
	text_finish(&directory);
	if (attempt == NULL || !ssh_name_attempt(ssh, attempt, pending->key, err))
		return attempt != NULL || tuner_fail_memory(err);
	attempt->fenced = true;
	return true;
}

/* Loads the work that earlier processes left. */
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

/* A directory of our own for the socket of the connection that the copies share, with the same name
 * each time, so that killed processes do not leave directories behind. ssh adds 17 bytes while it
 * makes the socket. Without it the copies use connections of their own. */
static void make_control(struct ssh *ssh)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat info;
	char directory[80];

	if (runtime == NULL || strlen(runtime) > 40 || access(runtime, W_OK) != 0)
		runtime = "/tmp";
	snprintf(directory, sizeof(directory), "%s/tuner-%016" PRIx64, runtime,
		hash_string(ssh->pending));
	if ((mkdir(directory, 0700) == 0 || errno == EEXIST) && lstat(directory, &info) == 0 &&
		S_ISDIR(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 077) == 0)
		snprintf(ssh->control, sizeof(ssh->control), "%s/c", directory);
}

/* Prepares what the first connection needs; not earlier, since only now no other process handles
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
	/* A killed process leaves its socket. */
	if (ssh->control[0] != '\0')
		unlink(ssh->control);
	if (link_open(&ssh->link, &target, ssh->directory, ssh->job, ssh->images, &failed))
		return true;
	ssh->next_try_us = clock_monotonic_us() + PAUSE_MAX_US;
	return ssh_tell_down(ssh, failed.message, err);
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
	ssh_recall_signals(ssh);
	for (size_t i = 0; i < ssh->n; i++)
		ssh->attempts[i].sent = false;
	return ssh_tell_down(ssh, reason, err);
}

static void ping(struct ssh *ssh)
{
	const int64_t now_us = clock_monotonic_us();
	const int64_t often_us = ssh->lease_us / 4;

	if (!ssh->greeted || now_us < ssh->ping_us)
		return;
	ssh_send_number(ssh, MESSAGE_PING, 0, now_us);
	ssh->ping_us = now_us + (often_us > 0 && often_us < PING_US ? often_us : PING_US);
}

/* The host stays away: gives up what runs there. That it is to be killed is recorded before the
 * loss is reported. */
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
		const struct pending fence = ssh_pending_of(attempt, PENDING_FENCE);
		if (attempt->fenced || attempt->ended)
			continue;
		if (ssh_is_prepared(attempt) && !pending_add(ssh->pending, &fence, err))
			return false;
		if (!ssh_tell_text(ssh, BACKEND_LOST, attempt->id, message, err))
			return false;
		attempt->fenced = true;
		attempt->quiet = false;
		attempt->signal = SUPERVISE_KILL;
	}
	return true;
}

/* Whether trials may be started: the code is there, and no lost attempt is still alive. */
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
		return ssh_tell_down(ssh,
			"it has no rsync: install it there; or if it has the working directory at "
			"the "
			"same path, say \"sync\": \"none\"",
			err);
	if (ssh->greeted && ssh->copy_fault[0] != '\0')
		return ssh_tell_down(ssh, ssh->copy_fault, err);
	return ssh->told == TOLD_UP || !is_ready(ssh) || ssh_tell_up(ssh, err);
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
	if (!ssh_take_messages(ssh, err) || !ssh_send_attempts(ssh, err))
		return false;
	ping(ssh);
	if (ssh->link.state == LINK_BROKEN && !disconnect(ssh, err))
		return false;
	if (!send_code(ssh, err) || !ssh_copies_step(ssh, err) || !give_up(ssh, err) ||
		!tell_state(ssh, err))
		return false;
	/* Sends this step's messages at once. */
	if (ssh->link.state == LINK_OPEN)
		wire_flush(&ssh->link.wire);
	return true;
}

/* After a suspended machine, a stopped program or a busy loop: nobody could have answered while we
 * did not look, so that time does not count as the host's absence. */
static void discount_absence(struct ssh *ssh)
{
	const int64_t expected_us =
		ssh->link.state == LINK_CLOSED && ssh->next_try_us > ssh->looked_us
			? ssh->next_try_us
			: ssh->looked_us;
	const int64_t absence_us = clock_monotonic_us() - expected_us;

	if (absence_us <= ABSENCE_US)
		return;
	ssh->heard_us += absence_us;
	ssh->link.alive_us += absence_us;
}

bool ssh_step(struct ssh *ssh, struct tuner_error *err)
{
	discount_absence(ssh);
	const bool ok = step(ssh, err);
	ssh->looked_us = clock_monotonic_us();
	return ok;
}
