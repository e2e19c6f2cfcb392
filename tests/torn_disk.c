/* The C library's calls are defined here under their own names, for both sizes of offsets. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include "torn_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAME_MAX_ = 64, FILES_MAX = 256, DESCRIPTORS_MAX = 1024, SECTOR = 512, PAGE = 4096 };

enum kind { CREATE, RENAME, UNLINK, WRITE, TRUNCATE, SYNC, SYNC_DIRECTORY };

struct call {
	enum kind kind;
	size_t file;
	char name[NAME_MAX_], to[NAME_MAX_];
	uint64_t offset, length;
	unsigned char *bytes;
};

struct name {
	char name[NAME_MAX_];
	size_t file;
};

struct names {
	struct name items[FILES_MAX];
	size_t n;
};

struct bytes {
	unsigned char *at;
	uint64_t length, room;
};

enum { NO_FILE = FILES_MAX, DIRECTORY = FILES_MAX + 1 };

/* A program has one C library, and so this has one state. */
static struct {
	bool on, ignore_syncs;
	char root[200];
	struct call *calls;
	size_t n, capacity;
	struct names names, first_names; /* now, and when the recording began */
	struct bytes first[FILES_MAX]; /* content then */
	size_t n_files;
	size_t of[DESCRIPTORS_MAX]; /* file of a descriptor, + 1; 0: none of ours */
} disk;

static void *must(void *memory)
{
	if (memory == NULL)
		abort();
	return memory;
}

/* ---- noting ---- */

/* The name below the recorded directory; NULL if it lies elsewhere. */
static const char *name_below(const char *path)
{
	const size_t length = strlen(disk.root);

	if (!disk.on || path == NULL || strncmp(path, disk.root, length) != 0)
		return NULL;
	if (path[length] == '\0')
		return "";
	return path[length] == '/' && strlen(path + length + 1) < NAME_MAX_ ? path + length + 1
									    : NULL;
}

static struct name *find(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i].name, name) == 0)
			return &names->items[i];
	return NULL;
}

static void put(struct names *names, const char *name, size_t file)
{
	struct name *item = find(names, name);

	if (item == NULL) {
		if (names->n == FILES_MAX)
			abort();
		item = &names->items[names->n++];
		snprintf(item->name, sizeof item->name, "%s", name);
	}
	item->file = file;
}

static void drop(struct names *names, const char *name)
{
	struct name *const item = find(names, name);

	if (item != NULL)
		*item = names->items[--names->n];
}

static struct call *note(enum kind kind, size_t file, const char *name)
{
	if (disk.n == disk.capacity) {
		disk.capacity = disk.capacity ? 2 * disk.capacity : 1024;
		disk.calls = must(realloc(disk.calls, disk.capacity * sizeof *disk.calls));
	}
	struct call *const call = &disk.calls[disk.n++];

	*call = (struct call){ .kind = kind, .file = file };
	snprintf(call->name, sizeof call->name, "%s", name);
	return call;
}

static const char *name_of(size_t file)
{
	for (size_t i = 0; i < disk.names.n; i++)
		if (disk.names.items[i].file == file)
			return disk.names.items[i].name;
	return "(removed)";
}

static size_t *of_descriptor(int fd)
{
	return disk.on && fd >= 0 && fd < DESCRIPTORS_MAX ? &disk.of[fd] : NULL;
}

/* Of a descriptor's file; NO_FILE. */
static size_t file_of(int fd)
{
	const size_t *const of = of_descriptor(fd);

	return of != NULL && *of > 0 && *of - 1 < FILES_MAX ? *of - 1 : NO_FILE;
}

static void note_open(int fd, const char *name, int flags)
{
	struct name *const known = find(&disk.names, name);

	if (fd >= DESCRIPTORS_MAX || disk.n_files == FILES_MAX)
		abort();
	if (*name == '\0') {
		disk.of[fd] = DIRECTORY + 1;
		return;
	}
	const size_t file = known ? known->file : disk.n_files++;

	disk.of[fd] = file + 1;
	if (known == NULL) {
		put(&disk.names, name, file);
		note(CREATE, file, name);
	} else if (flags & O_TRUNC) {
		note(TRUNCATE, file, name);
	}
}

static int open_noted(int directory, const char *path, int flags, mode_t mode)
{
	const bool in_root = directory >= 0 && of_descriptor(directory) != NULL &&
			     *of_descriptor(directory) == DIRECTORY + 1 && path[0] != '/';
	const int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
	const char *const name = in_root ? path : name_below(path);

	if (fd >= 0 && name != NULL) {
		const int saved = errno;

		note_open(fd, name, flags);
		errno = saved;
	}
	return fd;
}

static void note_write(int fd, const void *bytes, ssize_t length, off_t offset)
{
	const size_t file = file_of(fd);

	if (file == NO_FILE || length <= 0)
		return;
	struct call *const call = note(WRITE, file, name_of(file));

	call->offset = (uint64_t)offset;
	call->length = (uint64_t)length;
	call->bytes = must(malloc((size_t)length));
	memcpy(call->bytes, bytes, (size_t)length);
}

static ssize_t pwrite_noted(int fd, const void *bytes, size_t length, off_t offset)
{
	const ssize_t written = syscall(SYS_pwrite64, fd, bytes, length, offset);

	note_write(fd, bytes, written, offset);
	return written;
}

static int truncate_noted(int fd, off_t length)
{
	const int status = (int)syscall(SYS_ftruncate, fd, length);
	const size_t file = file_of(fd);

	if (status == 0 && file != NO_FILE)
		note(TRUNCATE, file, name_of(file))->length = (uint64_t)length;
	return status;
}

/* To the disk it is on the disk anyway, sooner or later: a test need not wait for it. */
static int sync_noted(int fd)
{
	const size_t *const of = of_descriptor(fd);

	if (of == NULL || *of == 0)
		return (int)syscall(SYS_fsync, fd);
	if (!disk.ignore_syncs)
		note(*of == DIRECTORY + 1 ? SYNC_DIRECTORY : SYNC, *of - 1,
			*of == DIRECTORY + 1 ? "" : name_of(*of - 1));
	return 0;
}

static void note_rename(const char *from, const char *to)
{
	const struct name *const item = from != NULL ? find(&disk.names, from) : NULL;

	if (item == NULL || to == NULL)
		return;
	const size_t file = item->file;

	snprintf(note(RENAME, file, from)->to, NAME_MAX_, "%s", to);
	drop(&disk.names, from);
	put(&disk.names, to, file);
}

static void note_unlink(const char *name)
{
	const struct name *const item = name != NULL ? find(&disk.names, name) : NULL;

	if (item == NULL)
		return;
	note(UNLINK, item->file, name);
	drop(&disk.names, name);
}

/* ---- the calls ---- */

int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
int openat(int directory, const char *path, int flags, ...);
int openat64(int directory, const char *path, int flags, ...);
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset);
int ftruncate64(int fd, off64_t length);

#define MODE_OF(flags)                                                                             \
	mode_t mode = 0;                                                                           \
	if ((flags) & (O_CREAT | O_TMPFILE)) {                                                     \
		va_list args;                                                                      \
		va_start(args, flags);                                                             \
		mode = va_arg(args, mode_t);                                                       \
		va_end(args);                                                                      \
	}

int open(const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_noted(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_noted(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_noted(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_noted(directory, path, flags, mode);
}

int close(int fd)
{
	size_t *const of = of_descriptor(fd);

	if (of != NULL)
		*of = 0;
	return (int)syscall(SYS_close, fd);
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	const off_t offset =
		file_of(fd) != NO_FILE ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
	const ssize_t written = syscall(SYS_write, fd, bytes, length);

	note_write(fd, bytes, written, offset);
	return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
	return pwrite_noted(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
	return pwrite_noted(fd, bytes, length, offset);
}

int ftruncate(int fd, off_t length)
{
	return truncate_noted(fd, length);
}

int ftruncate64(int fd, off64_t length)
{
	return truncate_noted(fd, length);
}

int fsync(int fd)
{
	return sync_noted(fd);
}

int fdatasync(int fd)
{
	return sync_noted(fd);
}

int rename(const char *from, const char *to)
{
	const int status = (int)syscall(SYS_rename, from, to);

	if (status == 0)
		note_rename(name_below(from), name_below(to));
	return status;
}

int renameat(int directory, const char *from, int other, const char *to)
{
	const int status = (int)syscall(SYS_renameat, directory, from, other, to);

	if (status == 0 && of_descriptor(directory) != NULL &&
		*of_descriptor(directory) == DIRECTORY + 1)
		note_rename(from, to);
	return status;
}

int unlink(const char *path)
{
	const int status = (int)syscall(SYS_unlink, path);

	if (status == 0)
		note_unlink(name_below(path));
	return status;
}

/* ---- content ---- */

static void grow(struct bytes *bytes, uint64_t length)
{
	if (length > bytes->room) {
		bytes->room = 2 * length;
		bytes->at = must(realloc(bytes->at, bytes->room));
	}
	if (length > bytes->length) {
		memset(bytes->at + bytes->length, 0, length - bytes->length);
		bytes->length = length;
	}
}

static void apply_part(struct bytes *bytes, const struct call *call, uint64_t from, uint64_t to)
{
	if (from >= to)
		return;
	grow(bytes, to);
	memcpy(bytes->at + from, call->bytes + (from - call->offset), to - from);
}

static void apply(struct bytes *bytes, const struct call *call)
{
	if (call->kind == WRITE) {
		apply_part(bytes, call, call->offset, call->offset + call->length);
	} else if (call->kind == TRUNCATE) {
		if (call->length < bytes->length)
			bytes->length = call->length;
		grow(bytes, call->length);
	}
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Blocks of the file, of which each is there or not. */
static void apply_blocks(
	struct bytes *bytes, const struct call *call, uint64_t block, uint64_t *random)
{
	const uint64_t end = call->offset + call->length;

	if (call->kind != WRITE) {
		if (draw(random) & 1)
			apply(bytes, call);
		return;
	}
	for (uint64_t from = call->offset, to; from < end; from = to) {
		to = (from / block + 1) * block;
		if (to > end)
			to = end;
		if (draw(random) & 1)
			apply_part(bytes, call, from, to);
	}
}

static void apply_torn(struct bytes *bytes, const struct call *call, uint64_t *random)
{
	const uint64_t end = call->offset + call->length;
	const uint64_t sectors = end / SECTOR - call->offset / SECTOR + 1;
	const uint64_t to = (call->offset / SECTOR + draw(random) % sectors) * SECTOR;

	if (call->kind == WRITE)
		apply_part(bytes, call, call->offset, to < end ? to : end);
}

static void apply_unsynced(struct bytes *bytes, const struct call *call, bool is_last,
	enum loss loss, uint64_t *random)
{
	switch (loss) {
	case LOSS_OF_ALL:
		break;
	case LOSS_IN_LAST_CALL:
		if (is_last) {
			apply_torn(bytes, call, random);
			break;
		}
		apply(bytes, call);
		break;
	case LOSS_OF_CALLS:
		if (draw(random) & 1)
			apply(bytes, call);
		break;
	case LOSS_OF_SECTORS:
		apply_blocks(bytes, call, SECTOR, random);
		break;
	case LOSS_OF_PAGES:
		apply_blocks(bytes, call, PAGE, random);
		break;
	default:
		apply(bytes, call);
	}
}

/* The last sync of this file or (DIRECTORY) of the names, among the first n calls; 0 without one: the call itself
 * counts as one more. */
static size_t synced_up_to(size_t file, size_t n)
{
	while (n > 0) {
		const struct call *const call = &disk.calls[--n];

		if (file == DIRECTORY ? call->kind == SYNC_DIRECTORY
				      : call->kind == SYNC && call->file == file)
			return n + 1;
	}
	return 0;
}

static void restore_content(
	size_t file, size_t n, enum loss loss, uint64_t *random, struct bytes *ret)
{
	const size_t synced = synced_up_to(file, n);

	ret->length = 0;
	grow(ret, disk.first[file].length);
	if (disk.first[file].length > 0)
		memcpy(ret->at, disk.first[file].at, disk.first[file].length);
	for (size_t i = 0; i < n; i++) {
		if (disk.calls[i].file != file)
			continue;
		if (i < synced)
			apply(ret, &disk.calls[i]);
		else
			apply_unsynced(ret, &disk.calls[i], i + 1 == n, loss, random);
	}
}

/* ---- names ---- */

static bool survives(enum loss loss, uint64_t *random)
{
	if (loss == LOSS_OF_ALL)
		return false;
	return loss == LOSS_OF_NOTHING || loss == LOSS_IN_LAST_CALL || draw(random) & 1;
}

static void restore_names(size_t n, enum loss loss, uint64_t *random, struct names *ret)
{
	const size_t synced = synced_up_to(DIRECTORY, n);

	*ret = disk.first_names;
	for (size_t i = 0; i < n; i++) {
		const struct call *const call = &disk.calls[i];

		if (call->kind > UNLINK || (i >= synced && !survives(loss, random)))
			continue;
		if (call->kind != CREATE)
			drop(ret, call->name);
		if (call->kind != UNLINK)
			put(ret, call->kind == RENAME ? call->to : call->name, call->file);
	}
}

static void write_file(const char *directory, const char *name, const struct bytes *bytes)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		abort();
	for (uint64_t done = 0; done < bytes->length;) {
		const ssize_t n = write(fd, bytes->at + done, bytes->length - done);

		if (n <= 0)
			abort();
		done += (uint64_t)n;
	}
	close(fd);
}

void disk_restore(size_t n, enum loss loss, uint64_t seed, const char *directory)
{
	struct bytes bytes = { 0 };
	struct names names;
	uint64_t random = seed;

	if (disk.on)
		abort();
	restore_names(n, loss, &random, &names);
	for (size_t i = 0; i < names.n; i++) {
		restore_content(names.items[i].file, n, loss, &random, &bytes);
		write_file(directory, names.items[i].name, &bytes);
	}
	free(bytes.at);
}

/* ---- beginning and end ---- */

static void read_first(const char *name)
{
	char path[300];
	struct stat status;

	snprintf(path, sizeof path, "%s/%s", disk.root, name);
	const int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &status) != 0)
		abort();
	if (S_ISREG(status.st_mode)) {
		struct bytes *const first = &disk.first[disk.n_files];

		put(&disk.names, name, disk.n_files++);
		grow(first, (uint64_t)status.st_size);
		if (status.st_size > 0 &&
			pread(fd, first->at, first->length, 0) != (ssize_t)first->length)
			abort();
	}
	close(fd);
}

void disk_record(const char *directory, bool ignore_syncs)
{
	DIR *const stream = must(opendir(directory));
	const struct dirent *entry;

	snprintf(disk.root, sizeof disk.root, "%s", directory);
	while ((entry = readdir(stream)) != NULL)
		if (entry->d_name[0] != '.')
			read_first(entry->d_name);
	closedir(stream);
	disk.first_names = disk.names;
	disk.ignore_syncs = ignore_syncs;
	disk.on = true;
}

void disk_stop(void)
{
	disk.on = false;
}

void disk_forget(void)
{
	for (size_t i = 0; i < disk.n; i++)
		free(disk.calls[i].bytes);
	for (size_t i = 0; i < FILES_MAX; i++)
		free(disk.first[i].at);
	free(disk.calls);
	memset(&disk, 0, sizeof disk);
}

size_t disk_calls(void)
{
	return disk.n;
}

const char *disk_call_text(size_t i, char ret[160])
{
	static const char *const words[] = { "create", "rename", "unlink", "write", "truncate",
		"sync", "sync the directory" };
	const struct call *const call = &disk.calls[i];
	int used = snprintf(ret, 160, "%s %s", words[call->kind], call->name);

	if (call->kind == WRITE)
		snprintf(ret + used, 160 - (size_t)used, " %llu+%llu",
			(unsigned long long)call->offset, (unsigned long long)call->length);
	else if (call->kind == TRUNCATE)
		snprintf(ret + used, 160 - (size_t)used, " %llu", (unsigned long long)call->length);
	else if (call->kind == RENAME)
		snprintf(ret + used, 160 - (size_t)used, " %s", call->to);
	return ret;
}

const char *loss_name(enum loss loss)
{
	static const char *const names[] = { "all", "nothing", "last", "calls", "sectors",
		"pages" };

	return names[loss];
}
