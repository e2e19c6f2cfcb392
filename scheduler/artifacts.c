#include "scheduler/artifacts.h"

#include "base/array.h"
#include "base/file.h"
#include "base/io.h"
#include "scheduler/attempt_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	DEPTH_MAX = 64, /* one open descriptor per level */
	BLOCK = 1 << 20, /* read at a time: determines how soon a cancelled scan ends */
	HOLES_GIB_MAX = 64, /* hashing this many zeros takes a core less than a minute */
};

#define CHECKPOINT "checkpoint"
#define SUMS_DRAFT ".tuner-sums.tmp" /* a fixed name: the next scan replaces what a kill has left */

/* ---- names ---- */

static bool begins_with(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static bool ends_with(const char *name, const char *with)
{
	const size_t n = strlen(name), m = strlen(with);
	return n >= m && strcmp(name + n - m, with) == 0;
}

bool artifacts_name_is_leftover(const char *name)
{
	return (begins_with(name, ".tuner-") && ends_with(name, ".tmp")) ||
	       strcmp(name, ATTEMPT_EXIT ".new") == 0;
}

bool artifacts_name_is_ours(const char *name)
{
	static const char *const ours[] = { ATTEMPT_HEARTBEAT, ATTEMPT_STOP, ATTEMPT_CLOCK,
		ATTEMPT_LEASE, ATTEMPT_JOB_SCRIPT, ATTEMPT_JOB_LOG, ATTEMPT_LAUNCH, ATTEMPT_LOCK,
		ATTEMPT_STARTED, ATTEMPT_EXIT, "parameters.json", "input", ARTIFACTS_SUMS };

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return artifacts_name_is_leftover(name) ||
	       (begins_with(name, OUTPUT_SEGMENT_PREFIX) && ends_with(name, OUTPUT_SEGMENT_SUFFIX));
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* ---- directories ---- */

static void close_quietly(int fd)
{
	const int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
}

/* The next entry. *ret_failed, with errno: there may be more entries, but the directory cannot be
 * read further. */
static const struct dirent *next_entry(DIR *stream, bool *ret_failed)
{
	errno = 0;
	const struct dirent *entry = readdir(stream);

	*ret_failed = entry == NULL && errno != 0;
	return entry;
}

static int open_directory_at(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A host's own directory may well be behind links; only its last component is ours. */
static int open_absolute(const char *path)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const size_t length = (size_t)(slash - path) + 1;

	if (length >= sizeof(parent)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(parent, sizeof(parent), "%.*s", (int)length, path);
	const int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int found = fd >= 0 ? open_directory_at(fd, slash + 1) : -1;
	close_quietly(fd);
	return found;
}

int artifacts_open_below(const char *root, const char *relative)
{
	if (*relative == '/')
		return open_absolute(relative);
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0 && *relative != '\0') {
		char name[NAME_MAX + 1];
		const size_t length = strcspn(relative, "/");
		snprintf(name, sizeof(name), "%.*s", (int)(length < NAME_MAX ? length : NAME_MAX),
			relative);
		if (length > NAME_MAX || is_dots(name) || length == 0)
			errno = EINVAL;
		const int next = length > NAME_MAX || is_dots(name) || length == 0
					 ? -1
					 : open_directory_at(fd, name);
		close_quietly(fd);
		fd = next;
		relative += length + (relative[length] == '/');
	}
	return fd;
}

/* "JOB/0007/1": the trial's directory, and the attempt's name in it. False without memory. */
static bool split(const char *relative, char **ret_trial, const char **ret_attempt)
{
	const char *slash = strrchr(relative, '/');

	*ret_attempt = slash != NULL ? slash + 1 : relative;
	*ret_trial = strndup(relative, slash != NULL ? (size_t)(slash - relative) : 0);
	return *ret_trial != NULL;
}

static bool fail_at(struct tuner_error *err, const char *what, const char *relative)
{
	const int number = errno;

	if (number == ELOOP || number == ENOTDIR)
		return tuner_fail(err, TUNER_USAGE,
			"%s %.150s: a part of it is a link or no directory, and links are not "
			"followed",
			what, relative);
	return tuner_fail_errno(err, number, "%s %.150s", what, relative);
}

/* ---- walking ---- */

struct walk {
	const atomic_bool *cancel;
	struct artifacts *artifacts; /* NULL: only `bytes` is computed */
	int64_t bytes;
	bool hash, out_of_memory;
	unsigned char *block;
	char path[PATH_MAX];
	size_t length; /* of path */
};

static bool is_cancelled(const struct walk *walk)
{
	return walk->out_of_memory || (walk->cancel != NULL && atomic_load(walk->cancel));
}

static void say(struct artifacts *artifacts, const char *format, ...) TUNER_PRINTF(2, 3);

/* The first message stays. */
static void say(struct artifacts *artifacts, const char *format, ...)
{
	va_list args;

	if (artifacts == NULL || artifacts->message[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(artifacts->message, sizeof(artifacts->message), format, args);
	va_end(args);
}

/* Hashes an open file. False with errno; errno 0: cancelled. */
static bool hash_file(int fd, unsigned char *block, const atomic_bool *cancel,
	char ret_sha256[SHA256_TEXT], int64_t *ret_bytes)
{
	struct sha256 sum;
	int64_t bytes = 0;

	sha256_begin(&sum);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	for (;;) {
		const ssize_t n = read(fd, block, BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		sha256_add(&sum, block, (size_t)n);
		bytes += n;
		if (cancel != NULL && atomic_load(cancel)) {
			errno = 0;
			return false;
		}
	}
	sha256_end(&sum, ret_sha256);
	*ret_bytes = bytes;
	return true;
}

static struct artifact *add_item(struct artifacts *artifacts, const char *path)
{
	if (!array_reserve(&artifacts->items, artifacts->n, &artifacts->capacity,
		    sizeof(*artifacts->items)))
		return NULL;
	struct artifact *item = &artifacts->items[artifacts->n];
	*item = (struct artifact){ .path = strdup(path) };
	if (item->path == NULL)
		return NULL;
	artifacts->n++;
	return item;
}

static void read_file(struct walk *walk, int directory, const char *name, struct artifact *item)
{
	const int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || !hash_file(fd, walk->block, walk->cancel, item->sha256, &item->bytes)) {
		item->sha256[0] = '\0';
		if (fd < 0 || errno != 0)
			say(walk->artifacts, "%.120s cannot be read: %s", walk->path,
				strerror(errno));
	}
	if (fd >= 0)
		close(fd);
}

/* A sparse file of a terabyte with a few written pages, such as a database's, would keep every run
 * from ending, since an interrupted hash starts over. */
static bool is_all_but_empty(struct walk *walk, const struct stat *status)
{
	const int64_t gib = (int64_t)1 << 30, holes = status->st_size - 512 * status->st_blocks;

	/* No blocks at all: the file system does not report them. */
	if (status->st_blocks == 0 || holes <= HOLES_GIB_MAX * gib ||
		holes < status->st_size / 4 * 3)
		return false;
	say(walk->artifacts, "%.120s is not hashed: %lld of its %lld GiB are holes", walk->path,
		(long long)(holes / gib), (long long)(status->st_size / gib));
	return true;
}

static void take_file(struct walk *walk, int directory, const char *name, const struct stat *status)
{
	const int64_t bytes = status->st_size;
	struct artifacts *artifacts = walk->artifacts;

	walk->bytes += bytes;
	if (artifacts == NULL)
		return;
	artifacts->files++;
	if (artifacts->n == ARTIFACTS_LISTED_MAX) {
		artifacts->bytes += bytes;
		return;
	}
	struct artifact *item = add_item(artifacts, walk->path);
	if (item == NULL) {
		walk->out_of_memory = true;
		return;
	}
	item->bytes = bytes;
	if (walk->hash && !is_all_but_empty(walk, status))
		read_file(walk, directory, name, item);
	artifacts->bytes += item->bytes;
}

static void walk_directory(struct walk *walk, int fd, unsigned depth);

static void walk_entry(struct walk *walk, int directory, const char *name, unsigned depth)
{
	const size_t before = walk->length;
	const int n = snprintf(walk->path + before, sizeof(walk->path) - before, "%s%s",
		before > 0 ? "/" : "", name);
	struct stat status;

	if (n < 0 || (size_t)n >= sizeof(walk->path) - before) {
		walk->path[before] = '\0';
		say(walk->artifacts, "%.120s: its paths are too long", walk->path);
		return;
	}
	walk->length = before + (size_t)n;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISREG(status.st_mode)) {
			take_file(walk, directory, name, &status);
		} else if (S_ISDIR(status.st_mode)) {
			const int fd = depth < DEPTH_MAX ? open_directory_at(directory, name) : -1;
			if (fd >= 0)
				walk_directory(walk, fd, depth + 1);
			else
				say(walk->artifacts, "%.120s cannot be looked through: %s",
					walk->path,
					depth < DEPTH_MAX ? strerror(errno) : "it lies too deep");
		}
	}
	walk->length = before;
	walk->path[before] = '\0';
}

/* Closes fd. Our own files are at depth 0 only. */
static void walk_directory(struct walk *walk, int fd, unsigned depth)
{
	DIR *stream = fdopendir(fd);
	const struct dirent *entry;
	bool failed = false;

	if (stream == NULL) {
		close_quietly(fd);
		say(walk->artifacts, "%.120s cannot be looked through: %s", walk->path,
			strerror(errno));
		return;
	}
	while (!is_cancelled(walk) && (entry = next_entry(stream, &failed)) != NULL)
		if (!is_dots(entry->d_name))
			walk_entry(walk, dirfd(stream), entry->d_name, depth);
	if (failed)
		say(walk->artifacts, "%.120s cannot be looked through to its end: %s", walk->path,
			strerror(errno));
	closedir(stream);
}

int64_t artifacts_bytes_at(int directory_fd, const char *name)
{
	struct walk walk = { 0 };

	walk_entry(&walk, directory_fd, name, 0);
	return walk.bytes;
}

/* The model first, so that it is among the listed files. Our own files are left out. */
static void walk_attempt(struct walk *walk, int fd)
{
	static const char *const first[] = { "model", "output" };
	DIR *stream;
	const struct dirent *entry;
	bool failed = false;
	const int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < 2 && !is_cancelled(walk); i++)
		walk_entry(walk, fd, first[i], 0);
	stream = again >= 0 ? fdopendir(again) : NULL;
	if (stream == NULL) {
		close_quietly(again);
		say(walk->artifacts, "the directory cannot be looked through: %s", strerror(errno));
		return;
	}
	while (!is_cancelled(walk) && (entry = next_entry(stream, &failed)) != NULL)
		if (!is_dots(entry->d_name) && !artifacts_name_is_ours(entry->d_name) &&
			strcmp(entry->d_name, first[0]) != 0 &&
			strcmp(entry->d_name, first[1]) != 0)
			walk_entry(walk, fd, entry->d_name, 0);
	if (failed)
		say(walk->artifacts, "the directory cannot be looked through to its end: %s",
			strerror(errno));
	closedir(stream);
}

static int64_t checkpoint_bytes(const char *root, const char *relative)
{
	char *trial = NULL;
	const char *attempt;
	int64_t bytes = 0;
	const int fd = split(relative, &trial, &attempt) ? artifacts_open_below(root, trial) : -1;

	if (fd >= 0) {
		bytes = artifacts_bytes_at(fd, CHECKPOINT);
		close(fd);
	}
	free(trial);
	return bytes;
}

/* ---- SHA256SUMS ---- */

/* A line as sha256sum writes it: a name with a line break or backslash is escaped, and the line
 * marked. */
static void add_sum(const struct artifact *item, struct text *ret)
{
	const bool escaped = strpbrk(item->path, "\n\r\\") != NULL;

	text_print(ret, "%s%s  ", escaped ? "\\" : "", item->sha256);
	for (const char *c = item->path; *c; c++) {
		if (*c == '\n')
			text_add(ret, "\\n");
		else if (*c == '\r')
			text_add(ret, "\\r");
		else if (*c == '\\')
			text_add(ret, "\\\\");
		else
			text_add_char(ret, *c);
	}
	text_add_char(ret, '\n');
}

/* Writes it into the open directory, replacing what is there, even a link. */
static bool write_sums(int directory, const struct text *sums)
{
	const int fd = openat(
		directory, SUMS_DRAFT, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && io_write(fd, sums->bytes, sums->length);

	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	ok = ok && renameat(directory, SUMS_DRAFT, directory, ARTIFACTS_SUMS) == 0;
	if (!ok && fd >= 0)
		unlinkat(directory, SUMS_DRAFT, 0);
	return ok;
}

static bool store_sums(int directory, struct artifacts *artifacts, struct tuner_error *err)
{
	struct text sums = TEXT_EMPTY;

	for (size_t i = 0; i < artifacts->n; i++)
		if (artifacts->items[i].sha256[0] != '\0')
			add_sum(&artifacts->items[i], &sums);
	const bool ok = !text_failed(&sums) || tuner_fail_memory(err);
	if (ok && sums.length > 0 && !write_sums(directory, &sums))
		say(artifacts, ARTIFACTS_SUMS " cannot be written: %s", strerror(errno));
	text_finish(&sums);
	return ok;
}

/* ---- the whole of an attempt ---- */

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct artifact *)a)->path, ((const struct artifact *)b)->path);
}

void artifacts_finish(struct artifacts *artifacts)
{
	for (size_t i = 0; i < artifacts->n; i++)
		free(artifacts->items[i].path);
	free(artifacts->items);
	*artifacts = (struct artifacts){ 0 };
}

static bool scan(int fd, struct walk *walk, struct tuner_error *err)
{
	struct artifacts *artifacts = walk->artifacts;

	walk_attempt(walk, fd);
	if (walk->out_of_memory)
		return tuner_fail_memory(err);
	if (is_cancelled(walk))
		return tuner_fail(err, TUNER_RETRY, "ended before all was read");
	if (artifacts->files > (int64_t)artifacts->n)
		say(artifacts, "%" PRId64 " more files are counted, but not listed",
			artifacts->files - (int64_t)artifacts->n);
	if (artifacts->n > 0)
		qsort(artifacts->items, artifacts->n, sizeof(*artifacts->items), compare_paths);
	if (!walk->hash)
		unlinkat(fd, SUMS_DRAFT, 0); /* left by a scan with hashes that was killed */
	return !walk->hash || store_sums(fd, artifacts, err);
}

bool artifacts_scan(const char *root, const char *relative, bool hash, const atomic_bool *cancel,
	struct artifacts *ret, struct tuner_error *err)
{
	struct artifacts artifacts = { 0 };
	struct walk walk = {
		.cancel = cancel, .artifacts = &artifacts, .hash = hash, .block = malloc(BLOCK)
	};
	bool ok = false;

	if (walk.block == NULL)
		return tuner_fail_memory(err);
	const int fd = artifacts_open_below(root, relative);
	if (fd < 0 && errno != ENOENT) {
		say(&artifacts, "the directory cannot be opened: %s", strerror(errno));
		ok = true;
	} else {
		ok = fd < 0 || scan(fd, &walk, err);
	}
	if (ok)
		artifacts.checkpoint_bytes = checkpoint_bytes(root, relative);
	close_quietly(fd);
	free(walk.block);
	if (ok)
		*ret = artifacts;
	else
		artifacts_finish(&artifacts);
	return ok;
}

bool artifacts_measure(const char *root, const char *relative, int64_t *ret_artifact_bytes,
	int64_t *ret_checkpoint_bytes, struct tuner_error *err)
{
	struct walk walk = { 0 };
	const int fd = artifacts_open_below(root, relative);

	if (fd < 0 && errno != ENOENT)
		return fail_at(err, "cannot measure", relative);
	if (fd >= 0) {
		walk_attempt(&walk, fd);
		close(fd);
	}
	*ret_artifact_bytes = walk.bytes;
	*ret_checkpoint_bytes = checkpoint_bytes(root, relative);
	return true;
}

/* ---- one file ---- */

/* Opens the directory of a file below an attempt's; *ret_name is the file's own name. */
static int open_parent(
	const char *root, const char *relative, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char *directory = NULL;
	int fd = -1;

	*ret_name = slash != NULL ? slash + 1 : path;
	if (asprintf(&directory, "%s%s%.*s", relative, slash != NULL ? "/" : "",
		    (int)(slash != NULL ? slash - path : 0), path) < 0) {
		errno = ENOMEM;
		return -1;
	}
	fd = artifacts_open_below(root, directory);
	free(directory);
	return fd;
}

bool artifact_size(const char *root, const char *relative, const char *path, int64_t *ret_bytes,
	struct tuner_error *err)
{
	const char *name;
	struct stat status;
	const int fd = open_parent(root, relative, path, &name);

	*ret_bytes = -1;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ||
		       fail_at(err, "cannot look at", path);
	if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
		*ret_bytes = status.st_size;
	close(fd);
	return true;
}

bool artifact_hash(const char *root, const char *relative, const char *path,
	char ret_sha256[SHA256_TEXT], int64_t *ret_bytes, struct tuner_error *err)
{
	const char *name;
	unsigned char *block = malloc(BLOCK);
	const int directory = open_parent(root, relative, path, &name);
	const int fd = directory >= 0 ? openat(directory, name,
						O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
				      : -1;
	bool ok = block != NULL || tuner_fail_memory(err);

	if (ok && (fd < 0 || !hash_file(fd, block, NULL, ret_sha256, ret_bytes))) {
		tuner_fail(err, TUNER_USAGE, "%.150s cannot be read: %s", path, strerror(errno));
		ok = false;
	}
	close_quietly(fd);
	close_quietly(directory);
	free(block);
	return ok;
}

/* ---- removing ---- */

/* A directory to be moved must itself be writable, because its ".." changes. False leaves errno. */
static bool make_writable(int parent, const char *name)
{
	struct stat status;
	const int saved = errno, fd = open_directory_at(parent, name);
	const bool made = fd >= 0 && fstat(fd, &status) == 0 && (status.st_mode & 0700) != 0700 &&
			  fchmod(fd, 0700) == 0;

	close_quietly(fd);
	errno = saved;
	return made;
}

/* An earlier one that could not be deleted may be in the way, so names are numbered. */
static bool move_aside(int from, const char *name, int to)
{
	char other[NAME_MAX + 1];

	for (unsigned k = 0; k < 1000; k++) {
		snprintf(other, sizeof(other), "%.200s.%u", name, k);
		if (renameat2(from, name, to, other, RENAME_NOREPLACE) == 0 || errno == ENOENT)
			return true;
		/* Not every file system knows the flag. */
		if (errno == EINVAL && faccessat(to, other, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
			return renameat(from, name, to, other) == 0 || errno == ENOENT;
		if (errno != EEXIST && errno != EINVAL &&
			!(errno == EACCES && make_writable(from, name)))
			return false;
	}
	return false;
}

/* Moves every entry that is not ours, and the sums, which no longer hold. An entry that cannot be
 * moved keeps no other from being moved. */
static bool move_artifacts(int attempt, int to)
{
	const int again = openat(attempt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again >= 0 ? fdopendir(again) : NULL;
	const struct dirent *entry;
	bool failed = false;
	int reason = 0;

	if (stream == NULL) {
		close_quietly(again);
		return false;
	}
	while ((entry = next_entry(stream, &failed)) != NULL) {
		const char *name = entry->d_name;
		if (is_dots(name) ||
			(artifacts_name_is_ours(name) && strcmp(name, ARTIFACTS_SUMS) != 0))
			continue;
		if (!move_aside(attempt, name, to) && reason == 0)
			reason = errno;
	}
	if (failed && reason == 0)
		reason = errno;
	closedir(stream);
	errno = reason;
	return reason == 0;
}

static bool set_aside(int trial, const char *attempt, bool artifacts, bool checkpoint)
{
	char name[64];
	int from = -1, to = -1, reason = 0;

	snprintf(name, sizeof(name), ARTIFACTS_SET_ASIDE "%.30s", attempt);
	if (mkdirat(trial, name, 0700) != 0 && errno != EEXIST)
		return false;
	to = open_directory_at(trial, name);
	if (to < 0)
		return false;
	if (checkpoint && !move_aside(trial, CHECKPOINT, to))
		reason = errno;
	if (artifacts) {
		from = open_directory_at(trial, attempt);
		if ((from >= 0 ? !move_artifacts(from, to) : errno != ENOENT) && reason == 0)
			reason = errno;
	}
	close_quietly(from);
	close_quietly(to);
	errno = reason;
	return reason == 0;
}

bool artifacts_set_aside(const char *root, const char *relative, bool artifacts, bool checkpoint,
	struct tuner_error *err)
{
	char *trial_directory = NULL;
	const char *attempt;

	if (!split(relative, &trial_directory, &attempt))
		return tuner_fail_memory(err);
	const int trial = artifacts_open_below(root, trial_directory);
	free(trial_directory);
	const bool ok =
		trial >= 0 ? set_aside(trial, attempt, artifacts, checkpoint) : errno == ENOENT;
	if (!ok)
		fail_at(err, "cannot remove the files of", relative);
	close_quietly(trial);
	return ok;
}

bool artifacts_delete_set_aside(const char *root, const char *relative, struct tuner_error *err)
{
	char *trial_directory = NULL;
	const char *attempt;
	char name[64];

	if (!split(relative, &trial_directory, &attempt))
		return tuner_fail_memory(err);
	const int trial = artifacts_open_below(root, trial_directory);
	free(trial_directory);
	if (trial < 0)
		return errno == ENOENT || fail_at(err, "cannot remove the files of", relative);
	snprintf(name, sizeof(name), ARTIFACTS_SET_ASIDE "%.30s", attempt);
	const bool ok =
		directory_remove_at(trial, name, err) || tuner_fail_in(err, "%.150s: ", relative);
	close(trial);
	return ok;
}

/* As move_aside numbers it. An attempt may have had a file "checkpoint.pt". */
static bool is_checkpoint_aside(const char *name)
{
	const char *number = name + strlen(CHECKPOINT ".");

	return strncmp(name, CHECKPOINT ".", strlen(CHECKPOINT ".")) == 0 &&
	       number[strspn(number, "0123456789")] == '\0';
}

/* Closes fd. */
static void count_set_aside(int fd, int64_t *bytes, int64_t *checkpoint_bytes)
{
	DIR *stream = fdopendir(fd);
	const struct dirent *entry;
	bool failed = false;

	if (stream == NULL) {
		close(fd);
		return;
	}
	while ((entry = next_entry(stream, &failed)) != NULL)
		if (!is_dots(entry->d_name))
			*(is_checkpoint_aside(entry->d_name) ? checkpoint_bytes : bytes) +=
				artifacts_bytes_at(fd, entry->d_name);
	closedir(stream);
}

void artifacts_count_set_aside(
	const char *root, const char *relative, int64_t *ret_bytes, int64_t *ret_checkpoint_bytes)
{
	char *trial_directory = NULL;
	const char *attempt;
	char name[64];

	*ret_bytes = *ret_checkpoint_bytes = 0;
	if (!split(relative, &trial_directory, &attempt))
		return;
	const int trial = artifacts_open_below(root, trial_directory);
	free(trial_directory);
	if (trial < 0)
		return;
	snprintf(name, sizeof(name), ARTIFACTS_SET_ASIDE "%.30s", attempt);
	const int fd = open_directory_at(trial, name);
	close(trial);
	if (fd >= 0)
		count_set_aside(fd, ret_bytes, ret_checkpoint_bytes);
}
