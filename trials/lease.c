#include "trials/lease.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RECORD_BYTES = 640, /* fixed: a renewal overwrites the same number of bytes */
	TRIES = 50, /* for a lease that comes and goes between our checks */
};

static const int64_t RENEW_US = 2000000;

struct lease {
	char *database, *path; /* path: DATABASE.lease */
	char *own; /* DATABASE.lease.KEY: the file's first name, removed once it has the lease's
		      name */
	int fd; /* of that file: another owner's file cannot be reached through it */
	struct lease_owner self;
	int64_t renewed_us; /* clock_monotonic_us */
	bool lost;
};

/* ---- owners ---- */

static bool is_plain(const char *word)
{
	return word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				 "-._")] == '\0';
}

void lease_self(struct lease_owner *ret)
{
	struct process process;
	struct stat status;

	*ret = (struct lease_owner){ .pid = getpid() };
	if (gethostname(ret->host, sizeof(ret->host) - 1) != 0 || ret->host[0] == '\0' ||
		!is_plain(ret->host))
		strcpy(ret->host, "localhost");
	(void)io_read_small("/etc/machine-id", ret->machine, sizeof(ret->machine));
	ret->machine[strcspn(ret->machine, "\n")] = '\0';
	process_boot_id(ret->boot);
	if (!is_plain(ret->machine))
		ret->machine[0] = '\0';
	if (process_look(ret->pid, &process))
		ret->pid_start = process.start;
	if (stat("/proc/self/ns/pid", &status) == 0)
		ret->pid_namespace = (int64_t)status.st_ino;
}

/* Host names and even machine ids may be duplicate in clusters copied from one image. A foreign
 * boot id may then belong to another machine that is alive; but that machine would have renewed the
 * lease after we were booted. */
enum lease_life lease_judge(
	const struct lease_owner *owner, const struct lease_owner *self, int64_t booted_us)
{
	if (owner->key[0] == '\0' || strcmp(owner->host, self->host) != 0 ||
		strcmp(owner->machine, self->machine) != 0 || owner->boot[0] == '\0' ||
		self->boot[0] == '\0')
		return LEASE_UNKNOWN;
	if (strcmp(owner->boot, self->boot) != 0)
		return owner->renewed_us < booted_us ? LEASE_DEAD : LEASE_UNKNOWN;
	if (owner->pid_namespace != self->pid_namespace || owner->pid_start == 0)
		return LEASE_UNKNOWN; /* its pid means nothing in this container */
	return process_lives(owner->pid, owner->pid_start) ? LEASE_ALIVE : LEASE_DEAD;
}

enum lease_life lease_life(const struct lease_owner *owner)
{
	struct lease_owner self;

	lease_self(&self);
	return lease_judge(owner, &self, clock_wall_us() - clock_monotonic_us());
}

static void describe_age(int64_t then_us, char *ret, size_t size)
{
	const int64_t s = (clock_wall_us() - then_us) / 1000000;

	if (s < 0)
		snprintf(ret, size, "in the future");
	else if (s < 120)
		snprintf(ret, size, "%" PRId64 " s ago", s);
	else if (s < 7200)
		snprintf(ret, size, "%" PRId64 " min ago", s / 60);
	else
		snprintf(ret, size, "%" PRId64 " h ago", s / 3600);
}

void lease_describe(const struct lease_owner *owner, char *ret, size_t size)
{
	char since[40], renewed[40];

	if (owner->key[0] == '\0') {
		snprintf(ret, size, "a process whose name cannot be read");
		return;
	}
	describe_age(owner->since_us, since, sizeof(since));
	describe_age(owner->renewed_us, renewed, sizeof(renewed));
	snprintf(ret, size, "process %" PRId64 " on %s, which took it %s and was last heard of %s",
		owner->pid, owner->host, since, renewed);
}

/* ---- the record ---- */

static void print_record(const struct lease_owner *owner, char ret[RECORD_BYTES + 1])
{
	const int n = snprintf(ret, RECORD_BYTES + 1,
		"{\"key\": \"%s\", \"host\": \"%s\", \"machine\": \"%s\", \"boot\": \"%s\",\n"
		"\"pid_namespace\": %" PRId64 ", \"pid\": %" PRId64 ", \"pid_start\": %" PRId64
		",\n\"since_us\": %" PRId64 ", \"renewed_us\": %17" PRId64
		", \"copied_us\": %17" PRId64 "}",
		owner->key, owner->host, owner->machine, owner->boot, owner->pid_namespace,
		owner->pid, owner->pid_start, owner->since_us, owner->renewed_us, owner->copied_us);

	tuner_assert(n > 0 && n < RECORD_BYTES);
	memset(ret + n, ' ', (size_t)(RECORD_BYTES - n));
	ret[RECORD_BYTES - 1] = '\n';
	ret[RECORD_BYTES] = '\0';
}

static bool take_word(const cJSON *object, const char *name, char *ret, size_t size)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsString(item) || strlen(item->valuestring) >= size ||
		!is_plain(item->valuestring))
		return false;
	strcpy(ret, item->valuestring);
	return true;
}

static bool take_number(const cJSON *object, const char *name, int64_t *ret)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > 9e15)
		return false;
	*ret = (int64_t)item->valuedouble;
	return true;
}

static void parse_record(const char *bytes, size_t length, struct lease_owner *ret)
{
	struct json_document *document = NULL;
	struct tuner_error ignored;
	struct lease_owner owner;

	*ret = (struct lease_owner){ 0 };
	if (!json_parse("lease", bytes, length, &document, &ignored))
		return;
	const cJSON *root = json_root(document);

	if (take_word(root, "key", owner.key, sizeof(owner.key)) &&
		take_word(root, "host", owner.host, sizeof(owner.host)) &&
		take_word(root, "machine", owner.machine, sizeof(owner.machine)) &&
		take_word(root, "boot", owner.boot, sizeof(owner.boot)) &&
		take_number(root, "pid_namespace", &owner.pid_namespace) &&
		take_number(root, "pid", &owner.pid) &&
		take_number(root, "pid_start", &owner.pid_start) &&
		take_number(root, "since_us", &owner.since_us) &&
		take_number(root, "renewed_us", &owner.renewed_us) &&
		take_number(root, "copied_us", &owner.copied_us))
		*ret = owner;
	json_destroy(document);
}

/* By open(2), which asks the file server again; stat may be answered from a cache. ESTALE: the
 * cached file is gone, and the next open finds the file that has the name now. */
static bool read_owner(
	const char *path, bool *ret_there, struct lease_owner *ret, struct tuner_error *err)
{
	char bytes[RECORD_BYTES + 1];

	*ret_there = false;
	for (int i = 0; i < TRIES; i++) {
		const int fd = open(path, O_RDONLY | O_CLOEXEC);
		const ssize_t n = fd >= 0 ? read(fd, bytes, RECORD_BYTES) : -1;
		const int error = errno;

		if (fd >= 0)
			close(fd);
		if (n >= 0) {
			parse_record(bytes, (size_t)n, ret);
			*ret_there = true;
			return true;
		}
		if (error == ENOENT)
			return true;
		if (error != ESTALE && error != EINTR)
			return tuner_fail_errno(err, error, "%s cannot be read", path);
	}
	return tuner_fail(err, TUNER_RETRY, "%s comes and goes", path);
}

/* ---- names ---- */

static char *name_of(const char *path, const char *middle, const char *key)
{
	char *name = NULL;

	return asprintf(&name, "%s%s%s", path, middle, key) < 0 ? NULL : name;
}

bool lease_read(
	const char *database, bool *ret_there, struct lease_owner *ret, struct tuner_error *err)
{
	char *const path = name_of(database, ".lease", "");
	const bool ok =
		path != NULL ? read_owner(path, ret_there, ret, err) : tuner_fail_memory(err);

	free(path);
	return ok;
}

/* ---- our own file ---- */

static bool new_key(char ret[LEASE_KEY_BYTES], struct tuner_error *err)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return tuner_fail_errno(err, errno, "cannot draw a key");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

static bool write_record(struct lease *lease)
{
	char bytes[RECORD_BYTES + 1];

	lease->self.renewed_us = clock_wall_us();
	lease->renewed_us = clock_monotonic_us();
	print_record(&lease->self, bytes);
	return pwrite(lease->fd, bytes, RECORD_BYTES, 0) == RECORD_BYTES && fsync(lease->fd) == 0;
}

static void lease_destroy(struct lease *lease)
{
	if (lease == NULL)
		return;
	if (lease->fd >= 0) {
		unlink(lease->own);
		close(lease->fd);
	}
	free(lease->database);
	free(lease->path);
	free(lease->own);
	free(lease);
}

static bool make_own(const char *database, struct lease **ret, struct tuner_error *err)
{
	struct lease *lease = calloc(1, sizeof(*lease));

	if (lease == NULL)
		return tuner_fail_memory(err);
	lease->fd = -1;
	lease_self(&lease->self);
	if (!new_key(lease->self.key, err))
		goto failed;
	lease->self.since_us = clock_wall_us();
	lease->database = strdup(database);
	lease->path = name_of(database, ".lease", "");
	lease->own = name_of(database, ".lease.", lease->self.key);
	if (lease->database == NULL || lease->path == NULL || lease->own == NULL) {
		tuner_fail_memory(err);
		goto failed;
	}
	lease->fd = open(lease->own, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (lease->fd < 0) {
		tuner_fail(err, TUNER_USAGE, "%s: cannot be made: %s", lease->own, strerror(errno));
		goto failed;
	}
	if (!write_record(lease)) {
		tuner_fail_errno(err, errno, "%s: cannot be written", lease->own);
		goto failed;
	}
	*ret = lease;
	return true;
failed:
	lease_destroy(lease);
	return false;
}

/* Links our file to another name, which must be free. The answer of link(2) may be lost and its
 * repetition fail, so only the present owner of the name counts. */
static bool link_own(const struct lease *lease, const char *name, bool *ret_ours,
	struct lease_owner *ret_owner, bool *ret_there, struct tuner_error *err)
{
	const bool linked = link(lease->own, name) == 0;
	const int error = errno;

	if (!read_owner(name, ret_there, ret_owner, err))
		return false;
	*ret_ours = *ret_there && strcmp(ret_owner->key, lease->self.key) == 0;
	if (*ret_ours || linked || error == EEXIST || error == ENOENT)
		return true;
	return tuner_fail(err, error == EPERM || error == EOPNOTSUPP ? TUNER_USAGE : TUNER_FATAL,
		"%s: cannot be made (%s): on a network file system a database needs hard links. "
		"Name a file on a local disk with --db, for example --db /var/tmp/tuner.db",
		name, strerror(error));
}

/* ---- taking ---- */

static bool fail_taken(const char *path, const struct lease_owner *owner, struct tuner_error *err)
{
	const int length = (int)(strlen(path) - strlen(".lease"));
	const enum lease_life life = lease_life(owner);
	char who[240];

	lease_describe(owner, who, sizeof(who));
	return tuner_fail(err, TUNER_RETRY,
		"%.*s is in use by %s: wait for it, end its job with `tuner stop`, or name another "
		"database with --db%s",
		length, path, who,
		life == LEASE_UNKNOWN
			? ". If you know that it is dead, --take-over takes the database from it"
			: "");
}

/* Takes the right to replace the lease of `key`. The caller removes the file *ret_name when done,
 * and frees the name. NULL: another process was faster. */
static bool take_guard(
	struct lease *lease, const char *key, char **ret_name, struct tuner_error *err)
{
	struct lease_owner other, now;
	bool ours = false, there = false;
	char *name = name_of(lease->path, ".after-", key[0] != '\0' ? key : "unknown");

	*ret_name = NULL;
	if (name == NULL)
		return tuner_fail_memory(err);
	bool ok = link_own(lease, name, &ours, &other, &there, err);
	if (ok && !ours && there && lease_life(&other) == LEASE_DEAD)
		unlink(name); /* its owner was killed in the few steps in which it exists */
	if (ok && ours) {
		ok = read_owner(lease->path, &there, &now, err);
		if (ok && there && strcmp(now.key, key) == 0) {
			*ret_name = name;
			return true;
		}
		unlink(name);
	}
	free(name);
	return ok;
}

static bool replace(struct lease *lease, const char *key, bool *ret_ours, struct tuner_error *err)
{
	char *guard = NULL;

	*ret_ours = false;
	if (!take_guard(lease, key, &guard, err))
		return false;
	if (guard == NULL)
		return true;
	*ret_ours = rename(lease->own, lease->path) == 0;
	const bool ok =
		*ret_ours || tuner_fail_errno(err, errno, "%s cannot be replaced", lease->path);

	unlink(guard);
	free(guard);
	return ok;
}

/* A waiting process checks many times, so nothing is written while the lease has an owner. */
static bool is_free(const char *database, struct tuner_error *err)
{
	struct lease_owner owner;
	bool there = false, ok;
	char *const path = name_of(database, ".lease", "");

	if (path == NULL)
		return tuner_fail_memory(err);
	ok = read_owner(path, &there, &owner, err) &&
	     (!there || lease_life(&owner) == LEASE_DEAD || fail_taken(path, &owner, err));
	free(path);
	return ok;
}

bool lease_take(const char *database, struct lease **ret, struct tuner_error *err)
{
	struct lease *lease = NULL;
	struct lease_owner owner;
	bool ours = false, there = false, ok;

	if (!is_free(database, err) || !make_own(database, &lease, err))
		return false;
	ok = true;
	for (int i = 0; ok && !ours && i < TRIES; i++) {
		ok = link_own(lease, lease->path, &ours, &owner, &there, err);
		if (!ok || ours || !there)
			continue;
		ok = lease_life(&owner) == LEASE_DEAD ? replace(lease, owner.key, &ours, err)
						      : fail_taken(lease->path, &owner, err);
	}
	if (ok && !ours)
		ok = tuner_fail(
			err, TUNER_RETRY, "%s: others take it again and again", lease->path);
	if (!ok) {
		lease_destroy(lease);
		return false;
	}
	unlink(lease->own);
	*ret = lease;
	return true;
}

/* ---- keeping ---- */

bool lease_check(struct lease *lease, struct tuner_error *err)
{
	struct lease_owner owner;
	bool there = false;
	char who[240] = "and nobody has it now";

	if (!lease->lost && !read_owner(lease->path, &there, &owner, err))
		return false;
	if (!lease->lost && there && strcmp(owner.key, lease->self.key) == 0)
		return true;
	if (!lease->lost && there)
		lease_describe(&owner, who, sizeof(who));
	lease->lost = true;
	return tuner_fail(err, TUNER_FATAL,
		"%s is no longer ours: it was taken over (%s). This process writes nothing more; "
		"what it has started keeps running",
		lease->path, who);
}

void lease_renew(struct lease *lease)
{
	if (clock_monotonic_us() - lease->renewed_us >= RENEW_US)
		(void)!write_record(lease);
}

void lease_note_copy(struct lease *lease, int64_t copied_us)
{
	lease->self.copied_us = copied_us;
	(void)!write_record(lease);
}

bool lease_has_locks(const struct lease *lease)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };

	return fcntl(lease->fd, F_SETLK, &lock) == 0 ||
	       (errno != ENOLCK && errno != ENOSYS && errno != EOPNOTSUPP && errno != EINVAL);
}

/* ---- giving back ---- */

/* Removes the lease of `key`, unless another process is replacing it. The guard is a link to a new
 * file of our own, which no other process can have replaced. */
static bool remove_lease(
	const char *database, const char *key, bool *ret_removed, struct tuner_error *err)
{
	struct lease *guardian = NULL;
	char *guard = NULL;

	if (!make_own(database, &guardian, err))
		return false;
	const bool ok = take_guard(guardian, key, &guard, err);

	*ret_removed = guard != NULL;
	if (guard != NULL) {
		unlink(guardian->path);
		unlink(guard);
	}
	free(guard);
	lease_destroy(guardian);
	return ok;
}

void lease_release(struct lease *lease)
{
	struct tuner_error ignored;
	bool removed;

	if (lease != NULL && !lease->lost &&
		!remove_lease(lease->database, lease->self.key, &removed, &ignored)) {
		/* The next process on this machine finds it dead. */
	}
	lease_destroy(lease);
}

/* Removes the guard of a process on another machine that was killed while it took over a lease. */
static bool drop_guard(const char *database, const char *key, struct tuner_error *err)
{
	char *const name = name_of(database, ".lease.after-", key[0] != '\0' ? key : "unknown");

	if (name == NULL)
		return tuner_fail_memory(err);
	unlink(name);
	free(name);
	return true;
}

bool lease_revoke(const char *database, bool *ret_revoked, struct tuner_error *err)
{
	struct lease_owner owner;
	bool there = false;
	char who[240];

	*ret_revoked = false;
	if (!lease_read(database, &there, &owner, err))
		return false;
	if (!there)
		return true;
	if (lease_life(&owner) != LEASE_ALIVE)
		return remove_lease(database, owner.key, ret_revoked, err) &&
		       (*ret_revoked ||
			       (drop_guard(database, owner.key, err) &&
				       remove_lease(database, owner.key, ret_revoked, err)));
	lease_describe(&owner, who, sizeof(who));
	return tuner_fail(err, TUNER_USAGE,
		"%s is in use by %s. That process lives: end its job with `tuner stop`", database,
		who);
}
