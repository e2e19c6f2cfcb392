/* tuner-agent --sample DIRECTORY KEY PERIOD: agent_sample.h.
 *
 * tuner-agent DIRECTORY JOB SUPERVISOR: the local backend's counterpart on a host that tuner
 * reaches by ssh. It starts, watches and signals supervisors below DIRECTORY/JOB, and sends what
 * they write. message.h defines the protocol. It lives as long as the connection does, or rather
 * the one that it serves; what it has started does not notice its end. Like the supervisor it needs
 * nothing but libc, because it is copied to hosts of which we know nothing else. It holds no state
 * of its own but the locks of GPUs: everything else is in the attempt directories, so the next agent
 * continues where this one stopped. */
#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "scheduler/agent_gpus.h"
#include "scheduler/agent_sample.h"
#include "scheduler/attempt_files.h"
#include "scheduler/backend.h"
#include "scheduler/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	TICK_MS = 100, /* between two checks for output */
	OUTBOX_MAX = 256 << 10, /* more output is read once this has been sent */
	SILENCE_US = 120000000, /* after this long without a ping the other side counts as gone */
	UNREAD_US = 60000000, /* how long reading output is retried */
	RIVAL_US = 240000000, /* an agent that has served for this long is the only one, see
			      may_fail */
	DESCRIPTORS_MAX = 8,
};

struct watched {
	int64_t id;
	char *directory; /* absolute */
	char key[MESSAGE_KEY_MAX];
	int64_t offset; /* of the output sent so far */
	bool ended, told;
	bool lived; /* it was to be reported as failed, but something of it ran */
	int64_t unread_us; /* since when its output has been unreadable; 0: it is readable */
	struct backend_event end;
};

struct agent {
	const char *root, *job; /* root/job holds the attempts */
	struct backend *backend;
	struct wire wire;
	struct watched *items;
	size_t n, capacity;
	int64_t began_us, heard_us;
	int64_t told_us; /* when the last end was sent */
	size_t report_left; /* bytes of the outbox up to the end of the last report on GPUs */
	struct agent_gpus gpus;
};

/* What cannot be determined is not reported: the connection ends, ssh carries the reason to tuner,
 * and the next agent tries again. */
static _Noreturn void leave(const struct tuner_error *err)
{
	dprintf(2, "tuner-agent: %s\n", err->message);
	exit(71);
}

/* ---- sending ---- */

static void send_bytes(struct agent *agent, enum message_kind kind, int64_t attempt, int64_t number,
	const char *bytes, size_t n)
{
	const struct message message = {
		.kind = kind, .attempt = attempt, .number = number, .bytes = bytes, .n = n
	};
	if (!message_write(&agent->wire.outbox, &message))
		exit(71); /* no memory: the next agent finds everything as it is */
}

static void send_text(
	struct agent *agent, enum message_kind kind, int64_t attempt, const char *text)
{
	send_bytes(agent, kind, attempt, 0, text, strlen(text));
}

static void fact(struct buffer *facts, const char *name, const char *value)
{
	if (value != NULL && !entry_write(facts, ENTRY_FACT, name, value, strlen(value)))
		exit(71);
}

static bool is_on_path(const char *name, const char *path)
{
	char file[4096];

	for (; path != NULL; path = strchr(path, ':')) {
		path += *path == ':';
		const int n = (int)strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/%s", n, path, name);
		if (n > 0 && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

static void add_machine(struct buffer *facts)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	struct tuner_error err = { TUNER_OK, "" };
	char line[256];

	if (machine == NULL || !machine_look(true, NULL, machine, &err))
		exit(71);
	snprintf(line, sizeof(line), "%u", machine->cores);
	fact(facts, "cores", line);
	for (size_t i = 0; i < machine->n_gpus; i++) {
		const struct gpu *gpu = &machine->gpus[i];
		snprintf(line, sizeof(line), "%d %s %lld %s", gpu->index, gpu->uuid,
			(long long)gpu->memory_bytes, gpu->name);
		fact(facts, "gpu", line);
	}
	fact(facts, "no_gpus", machine->no_gpus);
	free(machine);
}

/* Reports which code is present: a host whose disk was emptied by a restart no longer has any. */
static void add_codes(const struct agent *agent, struct buffer *facts)
{
	char *path = path_join(agent->root, agent->job);
	DIR *stream = path != NULL ? opendir(path) : NULL;
	const struct dirent *entry;

	while (stream != NULL && (entry = readdir(stream)) != NULL)
		if (strncmp(entry->d_name, "code", 4) == 0)
			fact(facts, "code", entry->d_name);
	if (stream != NULL)
		closedir(stream);
	free(path);
}

static void say_hello(struct agent *agent)
{
	struct message hello = { .kind = MESSAGE_HELLO, .number = MESSAGE_VERSION };
	struct buffer facts = { 0 };
	const char *path = getenv("PATH");
	char clock[32];

	add_machine(&facts);
	fact(&facts, "path", path);
	fact(&facts, "home", getenv("HOME"));
	fact(&facts, "ld_library_path", getenv("LD_LIBRARY_PATH"));
	fact(&facts, "gpu_locks", agent->gpus.locks);
	fact(&facts, "rsync", is_on_path("rsync", path) ? "yes" : "no");
	add_codes(agent, &facts);
	snprintf(clock, sizeof(clock), "%lld", (long long)clock_wall_us());
	fact(&facts, "clock", clock);
	snprintf(hello.directory, sizeof(hello.directory), "%s", agent->root);
	hello.bytes = facts.memory + facts.from;
	hello.n = buffer_size(&facts);
	if (!message_write(&agent->wire.outbox, &hello))
		exit(71);
	buffer_finish(&facts);
}

/* ---- attempts ---- */

static struct watched *find(struct agent *agent, int64_t id)
{
	for (size_t i = 0; i < agent->n; i++)
		if (agent->items[i].id == id)
			return &agent->items[i];
	return NULL;
}

static void forget(struct agent *agent, int64_t id)
{
	struct watched *watched = find(agent, id);

	agent->backend->ops->forget(agent->backend, id);
	if (watched == NULL)
		return;
	free(watched->directory);
	*watched = agent->items[--agent->n];
}

/* DIRECTORY/JOB/0007/1 for "JOB/0007/1", which must be among the job's attempts. Caller frees. */
static char *place_of(const struct agent *agent, const char *relative)
{
	const size_t n = strlen(agent->job);

	if (!path_is_below(relative) || strncmp(relative, agent->job, n) != 0 || relative[n] != '/')
		return NULL;
	return path_join(agent->root, relative);
}

static bool make_checkpoint(const char *directory, struct tuner_error *err)
{
	char *trial = path_directory(directory);
	char *checkpoint = trial != NULL ? path_join(trial, "checkpoint") : NULL;
	const bool ok =
		checkpoint != NULL ? directory_make(checkpoint, 0700, err) : tuner_fail_memory(err);
	free(trial);
	free(checkpoint);
	return ok;
}

static bool make_link(const char *path, const struct entry *entry, struct tuner_error *err)
{
	char target[4096];

	if (entry->n >= sizeof(target))
		return tuner_fail(err, TUNER_USAGE, "the target of %s is too long", path);
	snprintf(target, sizeof(target), "%.*s", (int)entry->n, entry->bytes);
	if (symlink(target, path) == 0 ||
		(errno == EEXIST && unlink(path) == 0 && symlink(target, path) == 0))
		return true;
	return tuner_fail_errno(err, errno, "cannot make the link %s", path);
}

static bool make_entry(const char *directory, const struct entry *entry, struct tuner_error *err)
{
	char *path = path_is_below(entry->name) ? path_join(directory, entry->name) : NULL;
	bool ok = false;

	if (path == NULL)
		return tuner_fail(err, TUNER_FATAL,
			"\"%.200s\" is no place in an attempt's directory", entry->name);
	if (entry->kind == ENTRY_DIRECTORY)
		ok = directory_make(path, 0700, err);
	else if (entry->kind == ENTRY_FILE)
		ok = file_write_atomic(path, entry->bytes, entry->n, 0600, false, err);
	else if (entry->kind == ENTRY_LINK)
		ok = make_link(path, entry, err);
	else
		tuner_fail(err, TUNER_FATAL, "\"%.200s\" is no file", entry->name);
	free(path);
	return ok;
}

/* Makes the tree that tuner has prepared. */
static bool make_tree(const char *directory, const struct message *message, struct tuner_error *err)
{
	struct entry entry;
	size_t at = 0;

	if (!directory_make(directory, 0700, err) || !make_checkpoint(directory, err))
		return false;
	while (entry_read(message->bytes, message->n, &at, &entry))
		if (!make_entry(directory, &entry, err))
			return false;
	return at == message->n ||
	       tuner_fail(err, TUNER_FATAL, "what came with the attempt cannot be read");
}

/* A database that was restored from a copy knows less than exists here: a directory in the
 * attempt's place may then be of another configuration. */
static bool is_anothers(const char *directory, const char *key)
{
	struct tuner_error err = { TUNER_OK, "" };
	enum launch_owner owner;

	return launch_look(directory, key, &owner, &err) && owner == LAUNCH_ANOTHERS;
}

/* False: nothing of it has run so far, and err says why it will not. */
static bool begin(struct agent *agent, const struct message *message, const char *directory,
	struct tuner_error *err)
{
	struct attempt_status status;

	if (is_anothers(directory, message->key))
		return tuner_fail(err, TUNER_RETRY,
			"in its place there, %.60s, is an attempt of another database, or of a "
			"later "
			"state of this one: remove .hosts/id in the job's directory here, and it "
			"gets another",
			message->directory);
	if (!attempt_look(directory, &status, err))
		leave(err);
	if (status.life == ATTEMPT_NEVER_RAN && message->kind == MESSAGE_ADOPT)
		return tuner_fail(err, TUNER_RETRY, "it had not been started there");
	if (status.life == ATTEMPT_NEVER_RAN && !make_tree(directory, message, err))
		return false;
	if (agent->backend->ops->start(
		    agent->backend, message->attempt, directory, message->key, err))
		return true;
	if (status.life != ATTEMPT_NEVER_RAN)
		leave(err);
	return false;
}

static struct watched *watch(struct agent *agent, const struct message *message, char *directory)
{
	if (!array_reserve(&agent->items, agent->n, &agent->capacity, sizeof(*agent->items)))
		exit(71);
	struct watched *watched = &agent->items[agent->n++];
	*watched = (struct watched){ .id = message->attempt,
		.directory = directory,
		.offset = message->number > 0 ? message->number : 0 };
	snprintf(watched->key, sizeof(watched->key), "%s", message->key);
	return watched;
}

static void take_start(struct agent *agent, const struct message *message)
{
	struct tuner_error err = { TUNER_OK, "" };
	char *directory = place_of(agent, message->directory);

	if (directory == NULL) {
		send_text(agent, MESSAGE_FAILED, message->attempt,
			"its directory is not one of this job");
	} else if (find(agent, message->attempt) != NULL) {
		free(directory);
	} else if (begin(agent, message, directory, &err)) {
		watch(agent, message, directory);
	} else {
		struct watched *watched = watch(agent, message, directory);
		watched->ended = true;
		watched->end.kind = BACKEND_FAILED;
		snprintf(watched->end.message, sizeof(watched->end.message), "%s", err.message);
	}
}

/* An attempt that was to be reported as failed has begun. */
static void take_over(struct agent *agent, struct watched *watched)
{
	struct tuner_error err = { TUNER_OK, "" };

	agent->backend->ops->forget(agent->backend, watched->id);
	if (!agent->backend->ops->start(
		    agent->backend, watched->id, watched->directory, watched->key, &err))
		leave(&err);
	watched->ended = false;
}

/* It may have begun nevertheless, in a directory that was removed, or under the job's earlier name
 * here, before tuner's record of the name (DATABASE.d/JOB/.hosts) was lost. So processes that carry
 * its key are killed, and are gone before it is reported. */
static bool nothing_lives(struct watched *watched)
{
	static const struct attempt_status unknown;
	struct tuner_error err = { TUNER_OK, "" };

	if (!attempt_fence(watched->directory, watched->key, &unknown, &err)) {
		if (err.code != TUNER_RETRY)
			leave(&err);
		watched->lived = true;
		return false;
	}
	if (watched->lived) {
		watched->end.kind = BACKEND_LOST;
		snprintf(watched->end.message, sizeof(watched->end.message),
			"its directory on the host is gone; what still ran of it was ended");
	}
	return true;
}

/* "Failed" says that nothing of it has run, and the trial is launched again. But the order to start
 * it may also be on its way to the agent of an earlier connection, which would then execute it
 * after us. So its start is forbidden first. If that is impossible (for example because of a full
 * disk, on which the other agent could not start it either), it is retried until that agent is
 * gone: it exits after SILENCE_US without a message, and what the network has held back for it
 * arrives at most two minutes after this connection began, between two TCP retransmissions. */
static bool may_fail(struct agent *agent, struct watched *watched)
{
	struct tuner_error err = { TUNER_OK, "" };
	struct attempt_status status;
	bool begun = false;

	if (is_anothers(watched->directory, watched->key))
		return true;
	if (!directory_make(watched->directory, 0700, &err) ||
		!attempt_forbid(watched->directory, &begun, &err))
		return clock_monotonic_us() - agent->began_us >= RIVAL_US;
	if (!begun)
		return nothing_lives(watched);
	if (!attempt_look(watched->directory, &status, &err))
		leave(&err);
	if (status.life == ATTEMPT_ORPHANED && status.supervisor_pid == 0)
		return nothing_lives(watched); /* `started` is empty: it is our own, which forbids
						  the start */
	take_over(agent, watched);
	return false;
}

/* ---- the lease: an attempt lives as long as somebody asks for it ---- */

static void touch_leases(const struct agent *agent)
{
	for (size_t i = 0; i < agent->n; i++) {
		char *lease = path_join(agent->items[i].directory, ATTEMPT_LEASE);
		if (lease != NULL)
			utimensat(AT_FDCWD, lease, NULL, 0);
		free(lease);
	}
}

/* ---- GPUs ---- */

static void take_claim(struct agent *agent, const struct message *message)
{
	struct message answer = { .kind = MESSAGE_CLAIMED };
	char owner[GPU_OWNER_MAX], who[GPU_OWNER_MAX];

	snprintf(owner, sizeof(owner), "%.*s",
		(int)(message->n < GPU_OWNER_MAX ? message->n : GPU_OWNER_MAX - 1),
		message->n > 0 ? message->bytes : "");
	answer.number = agent_gpus_claim(&agent->gpus, message->key, owner, who);
	snprintf(answer.key, sizeof(answer.key), "%s", message->key);
	answer.bytes = who;
	answer.n = strlen(who);
	if (!message_write(&agent->wire.outbox, &answer))
		exit(71);
}

/* Whether it was asked after the last end was sent matters to tuner: until then, memory that is in
 * use on a GPU may have been a trial's. A link that is slower than the reports gets the newest one
 * when the last has left: they would delay ever more what trials print. */
static void send_gpus(struct agent *agent)
{
	struct text report = TEXT_EMPTY;
	int64_t asked_us;

	if (agent->report_left == 0 && agent_gpus_take(&agent->gpus, &asked_us, &report) &&
		!text_failed(&report)) {
		send_bytes(agent, MESSAGE_GPUS, 0, asked_us > agent->told_us, report.bytes,
			report.length);
		agent->report_left = buffer_size(&agent->wire.outbox);
	}
	text_finish(&report);
}

/* ---- what comes ---- */

static void take_message(struct agent *agent, const struct message *message)
{
	struct tuner_error err = { TUNER_OK, "" };

	agent->heard_us = clock_monotonic_us();
	switch (message->kind) {
	case MESSAGE_START:
	case MESSAGE_ADOPT:
		take_start(agent, message);
		break;
	case MESSAGE_SIGNAL:
		(void)!agent->backend->ops->signal(
			agent->backend, message->attempt, (int)message->number, &err);
		break;
	case MESSAGE_FORGET:
		forget(agent, message->attempt);
		break;
	case MESSAGE_PING:
		touch_leases(agent);
		send_bytes(agent, MESSAGE_PONG, 0, message->number, NULL, 0);
		break;
	case MESSAGE_WATCH:
		agent_gpus_watch(&agent->gpus, message->number);
		break;
	case MESSAGE_CLAIM:
		take_claim(agent, message);
		break;
	case MESSAGE_RELEASE:
		agent_gpus_release(&agent->gpus, message->key);
		break;
	default:
		exit(76); /* the other side is not one of ours */
	}
}

/* False: the connection is over. */
static bool take_messages(struct agent *agent)
{
	static struct message message;
	size_t used;

	const bool open = wire_fill(&agent->wire);
	for (;;) {
		switch (message_read(&agent->wire.inbox, &message, &used)) {
		case MESSAGE_READ:
			take_message(agent, &message);
			buffer_take(&agent->wire.inbox, used);
			break;
		case MESSAGE_PART:
			return open;
		default:
			return false;
		}
	}
}

/* ---- what goes ---- */

/* True if there is, or may be, an entry other than `but`: an unreadable directory does not count as
 * empty. */
static bool has_entries(const char *directory, const char *below, const char *but)
{
	char *path = path_join(directory, below);
	DIR *stream = path != NULL ? opendir(path) : NULL;
	const struct dirent *entry;
	bool found = stream == NULL && errno != ENOENT && errno != ENOTDIR;

	while (stream != NULL && !found && (errno = 0, entry = readdir(stream)) != NULL)
		found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			strcmp(entry->d_name, but) != 0;
	if (stream != NULL) {
		found = found || errno != 0;
		closedir(stream);
	}
	free(path);
	return found;
}

static bool has_results(const char *directory)
{
	return has_entries(directory, "model", "") || has_entries(directory, "output", "data") ||
	       has_entries(directory, "output/data", "") ||
	       has_entries(directory, "../checkpoint", "");
}

static bool read_record(
	const struct watched *watched, const char *name, struct text *ret, struct tuner_error *err)
{
	char *path = path_join(watched->directory, name);
	const bool ok =
		path != NULL ? file_read(path, RECORD_BYTES_MAX, ret, err) : tuner_fail_memory(err);

	free(path);
	return ok;
}

/* Reports that it is alive, or was a moment ago. */
static void send_started(struct agent *agent, const struct watched *watched)
{
	struct tuner_error err = { TUNER_OK, "" };
	struct text bytes = TEXT_EMPTY;

	if (!read_record(watched, ATTEMPT_STARTED, &bytes, &err))
		leave(&err);
	send_bytes(agent, MESSAGE_STARTED, watched->id, 0, bytes.bytes, bytes.length);
	text_finish(&bytes);
}

static void send_exit(struct agent *agent, const struct watched *watched)
{
	struct tuner_error err = { TUNER_OK, "" };
	struct text bytes = TEXT_EMPTY;
	const bool results = has_results(watched->directory);

	if (read_record(watched, ATTEMPT_EXIT, &bytes, &err))
		send_bytes(agent, MESSAGE_EXIT, watched->id, results, bytes.bytes, bytes.length);
	else
		send_text(agent, MESSAGE_LOST, watched->id,
			"its directory on the host cannot be read any more");
	text_finish(&bytes);
}

static void send_end(struct agent *agent, struct watched *watched)
{
	if (watched->end.kind == BACKEND_FAILED && !may_fail(agent, watched))
		return;
	watched->told = true;
	agent->told_us = clock_monotonic_us();
	if (watched->end.kind == BACKEND_LOST)
		send_bytes(agent, MESSAGE_LOST, watched->id, has_results(watched->directory),
			watched->end.message, strlen(watched->end.message));
	else if (watched->end.kind == BACKEND_ENDED)
		send_exit(agent, watched);
	else
		send_text(agent, MESSAGE_FAILED, watched->id, watched->end.message);
}

/* Output that stays unreadable is reported as a loss: reporting an end without it would lose it
 * silently. */
static bool is_given_up(struct agent *agent, struct watched *watched, const struct tuner_error *err)
{
	const int64_t now_us = clock_monotonic_us();

	if (watched->unread_us == 0)
		watched->unread_us = now_us;
	if (!watched->ended || now_us - watched->unread_us < UNREAD_US)
		return false;
	watched->told = true;
	agent->told_us = now_us;
	send_text(agent, MESSAGE_LOST, watched->id, err->message);
	return false;
}

/* False: there is more, but no room for it now, or it cannot be read at the moment. */
static bool send_output(struct agent *agent, struct watched *watched)
{
	static char bytes[MESSAGE_OUTPUT_MAX];
	struct tuner_error err = { TUNER_OK, "" };

	while (buffer_size(&agent->wire.outbox) < OUTBOX_MAX) {
		int64_t offset;
		size_t n;
		if (!output_read(watched->directory, watched->offset, bytes, sizeof(bytes), &offset,
			    &n, &err))
			return is_given_up(agent, watched, &err);
		watched->unread_us = 0;
		if (n == 0)
			return true;
		send_bytes(agent, MESSAGE_OUTPUT, watched->id, offset, bytes, n);
		watched->offset = offset + (int64_t)n;
	}
	return false;
}

static void take_events(struct agent *agent)
{
	struct tuner_error err = { TUNER_OK, "" };
	struct backend_event event;
	bool got;

	for (;;) {
		/* Otherwise one attempt that cannot be inspected would hide the events of all after
		 * it. */
		if (!agent->backend->ops->next(agent->backend, &event, &got, &err))
			leave(&err);
		if (!got)
			return;
		struct watched *watched = find(agent, event.attempt);
		if (watched == NULL)
			continue;
		if (event.kind == BACKEND_STARTED) {
			send_started(agent, watched);
		} else {
			watched->ended = true;
			watched->end = event;
		}
	}
}

/* An end is reported only after all output. A failed attempt has none, and is not given up for lack
 * of it (may_fail). */
static void send_news(struct agent *agent)
{
	for (size_t i = 0; i < agent->n; i++) {
		struct watched *watched = &agent->items[i];
		const bool ended = watched->ended; /* before the output is read */
		const bool failed = ended && watched->end.kind == BACKEND_FAILED;
		if (!watched->told && (failed || send_output(agent, watched)) && ended)
			send_end(agent, watched);
	}
}

static int wait_ms(const struct agent *agent)
{
	const int backend_ms = agent->backend->ops->wait_ms(agent->backend);
	const bool busy = agent->n > 0 || agent->gpus.watch != NULL;
	const int own_ms = busy ? TICK_MS : 10 * TICK_MS;

	return backend_ms >= 0 && backend_ms < own_ms ? backend_ms : own_ms;
}

static void wait_for_something(struct agent *agent)
{
	struct pollfd fds[DESCRIPTORS_MAX];
	size_t n = 0;

	fds[n++] = (struct pollfd){ .fd = agent->wire.in, .events = POLLIN };
	if (buffer_size(&agent->wire.outbox) > 0)
		fds[n++] = (struct pollfd){ .fd = agent->wire.out, .events = POLLOUT };
	n += agent->backend->ops->descriptors(agent->backend, fds + n, DESCRIPTORS_MAX - n);
	poll(fds, n, wait_ms(agent));
}

/* False: the connection is over. */
static bool flush(struct agent *agent)
{
	const size_t before = buffer_size(&agent->wire.outbox);
	const bool open = wire_flush(&agent->wire);
	const size_t sent = before - buffer_size(&agent->wire.outbox);

	agent->report_left -= sent < agent->report_left ? sent : agent->report_left;
	return open;
}

static void serve(struct agent *agent)
{
	agent->began_us = agent->heard_us = clock_monotonic_us();
	agent_gpus_begin(&agent->gpus);
	say_hello(agent);
	while (flush(agent) && take_messages(agent) &&
		clock_monotonic_us() - agent->heard_us < SILENCE_US) {
		take_events(agent);
		send_news(agent);
		send_gpus(agent);
		if (!flush(agent))
			break;
		wait_for_something(agent);
	}
	agent_gpus_end(&agent->gpus);
}

int main(int argc, char **argv)
{
	static struct agent agent;
	struct tuner_error err = { TUNER_OK, "" };

	if (argc == 5 && strcmp(argv[1], "--sample") == 0) {
		agent_sample(argv[2], argv[3], strtoll(argv[4], NULL, 10));
		return 0;
	}
	if (argc != 4) {
		dprintf(2, "usage: tuner-agent DIRECTORY JOB SUPERVISOR\n"
			   "       tuner-agent --sample DIRECTORY KEY PERIOD\n"
			   "Serves `tuner run` on a host of its, and is started over ssh; or "
			   "beside an "
			   "attempt, whose GPUs it samples.\n");
		return 64;
	}
	signal(SIGPIPE, SIG_IGN);
	fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
	fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
	agent = (struct agent){ .root = argv[1], .job = argv[2], .wire = { .in = 0, .out = 1 } };
	if (!backend_local_open(argv[3], &agent.backend, &err)) {
		dprintf(2, "tuner-agent: %s\n", err.message);
		return 70;
	}
	serve(&agent);
	agent.backend->ops->close(agent.backend);
	return 0;
}
