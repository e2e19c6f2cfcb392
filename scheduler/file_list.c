#include "scheduler/file_list.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 64, CHUNK = 65536 };

/* A file may change twice within one tick of the file system's clock, which is 10 ms at the coarsest: a
 * sum taken so soon after the change is not trusted the next time. */
#define TICK_NS INT64_C(100000000)

const struct file_limits code_limits = {
	.files_max = 20000, .file_bytes_max = 8 << 20, .bytes_max = 256 << 20
};
const struct file_limits data_limits = {
	.files_max = 100000, .file_bytes_max = 1 << 20, .bytes_max = 64 << 20
};

bool file_list_init(struct file_list *list, const char *root, const struct file_limits *limits,
	struct tuner_error *err)
{
	*list = (struct file_list){ .root = strdup(root), .files_max = limits->files_max };
	return list->root != NULL || tuner_fail_memory(err);
}

void file_list_finish(struct file_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].path);
	free(list->items);
	free(list->root);
	*list = (struct file_list){ 0 };
}

bool file_list_add(struct file_list *list, const char *path, size_t length, bool marked,
	struct tuner_error *err)
{
	if (list->n == list->files_max) {
		list->cut = true;
		return true;
	}
	if (!array_reserve(&list->items, list->n, &list->capacity, sizeof(*list->items)))
		return tuner_fail_memory(err);
	char *copy = strndup(path, length);
	if (copy == NULL)
		return tuner_fail_memory(err);
	list->items[list->n++] = (struct listed_file){ .path = copy, .marked = marked };
	return true;
}

/* ---- walking ---- */

struct walk {
	struct file_list *list;
	struct text path; /* from the root */
	unsigned depth;
};

static bool walk_entry(
	struct walk *walk, int directory, const struct dirent *entry, struct tuner_error *err);

/* Takes over `fd`. */
static bool walk_directory(struct walk *walk, int fd, struct tuner_error *err)
{
	DIR *directory = fdopendir(fd);
	bool ok = true;

	if (directory == NULL) {
		close(fd);
		return true;
	}
	walk->depth++;
	for (struct dirent *entry; ok && !walk->list->cut && (entry = readdir(directory));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ok = walk_entry(walk, dirfd(directory), entry, err);
	walk->depth--;
	closedir(directory);
	return ok;
}

static bool walk_entry(
	struct walk *walk, int directory, const struct dirent *entry, struct tuner_error *err)
{
	const size_t before = walk->path.length;
	bool ok = true;
	int fd = -1;

	text_print(&walk->path, "%s%s", before ? "/" : "", entry->d_name);
	if (text_failed(&walk->path))
		return tuner_fail_memory(err);
	if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
		fd = openat(directory, entry->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && walk->depth < DEPTH_MAX)
		ok = walk_directory(walk, fd, err);
	else if (fd >= 0)
		close(fd);
	else if (entry->d_type != DT_DIR)
		ok = file_list_add(walk->list, walk->path.bytes, walk->path.length, false, err);
	struct text shorter = TEXT_EMPTY;
	text_add_bytes(&shorter, walk->path.bytes, before);
	text_finish(&walk->path);
	walk->path = shorter;
	return ok;
}

bool file_list_walk(struct file_list *list, const char *path, struct tuner_error *err)
{
	struct walk walk = { .list = list, .path = TEXT_EMPTY };
	char *full = path_join(list->root, path);

	if (full == NULL)
		return tuner_fail_memory(err);
	const int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	text_add(&walk.path, path);
	const bool ok = fd < 0 || walk_directory(&walk, fd, err);
	text_finish(&walk.path);
	free(full);
	return ok;
}

/* ---- sums ---- */

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct listed_file *)a)->path, ((const struct listed_file *)b)->path);
}

static int64_t nanoseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

static bool is_same_state(const struct listed_file *a, const struct listed_file *b)
{
	return a->kind == b->kind && a->size == b->size && a->inode == b->inode &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* Fills in what lstat returns. False: the file does not count. */
static bool look_at(int root, struct listed_file *file)
{
	struct stat status;

	if (fstatat(root, file->path, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
		(!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)))
		return false;
	file->kind = S_ISLNK(status.st_mode)      ? FILE_LINK
		     : (status.st_mode & S_IXUSR) ? FILE_EXECUTABLE
						  : FILE_PLAIN;
	file->size = status.st_size;
	file->inode = status.st_ino;
	file->mtime_ns = nanoseconds(&status.st_mtim);
	file->ctime_ns = nanoseconds(&status.st_ctim);
	return true;
}

/* Drops duplicates and missing files. */
static void settle(int root, struct file_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct listed_file *file = &list->items[i];
		const bool again = kept > 0 && strcmp(list->items[kept - 1].path, file->path) == 0;
		if (again || !look_at(root, file)) {
			free(file->path);
			continue;
		}
		list->bytes += file->size;
		list->items[kept++] = *file;
	}
	list->n = kept;
}

/* False: it cannot be read completely. */
static bool sum_content(int root, const struct listed_file *file, struct sha256 *sum)
{
	char bytes[CHUNK];
	ssize_t n = 1;
	const int fd = openat(root, file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	int64_t left =
		file->size; /* a file that grows while it is read is a new state, seen the next
			       time */
	while (left > 0 && (n = io_read(fd, bytes, sizeof(bytes))) > 0) {
		sha256_add(sum, bytes, (size_t)n);
		left -= n;
	}
	close(fd);
	return n >= 0;
}

static bool sum_link(int root, const struct listed_file *file, struct sha256 *sum)
{
	char target[4096];
	const ssize_t n = readlinkat(root, file->path, target, sizeof(target));

	if (n >= 0)
		sha256_add(sum, target, (size_t)n);
	return n >= 0;
}

static void sum_file(int root, struct listed_file *file, bool by_content)
{
	struct sha256 sum;

	sha256_begin(&sum);
	if (file->kind == FILE_LINK)
		file->by_content = sum_link(root, file, &sum);
	else if (by_content)
		file->by_content = sum_content(root, file, &sum);
	if (!file->by_content) {
		char state[64];
		const int n = snprintf(state, sizeof(state), "%lld %lld", (long long)file->size,
			(long long)file->mtime_ns);
		sha256_begin(&sum);
		sha256_add(&sum, state, (size_t)n);
	}
	sha256_end(&sum, file->sum);
}

static void make_fingerprint(struct file_list *list)
{
	static const char letters[] = {
		[FILE_PLAIN] = 'f', [FILE_EXECUTABLE] = 'x', [FILE_LINK] = 'l'
	};
	struct sha256 sum;

	sha256_begin(&sum);
	for (size_t i = 0; i < list->n; i++) {
		const struct listed_file *file = &list->items[i];
		sha256_add(&sum, &letters[file->kind], 1);
		sha256_add(&sum, file->by_content ? "=" : "~", 1);
		sha256_add(&sum, file->sum, SHA256_TEXT - 1);
		sha256_add(&sum, file->path, strlen(file->path) + 1);
	}
	sha256_end(&sum, list->fingerprint);
}

/* Both lists are sorted: *at advances along with them. */
static const struct listed_file *find_earlier(
	const struct file_list *earlier, size_t *at, const char *path)
{
	while (earlier != NULL && *at < earlier->n && strcmp(earlier->items[*at].path, path) < 0)
		++*at;
	return earlier != NULL && *at < earlier->n && strcmp(earlier->items[*at].path, path) == 0
		       ? &earlier->items[*at]
		       : NULL;
}

static void sum_files(int root, struct file_list *list, const struct file_list *earlier,
	const struct file_limits *limits)
{
	const int64_t now_ns = clock_wall_us() * 1000;
	int64_t left = limits->bytes_max;
	size_t at = 0;

	for (size_t i = 0; i < list->n; i++) {
		struct listed_file *file = &list->items[i];
		const struct listed_file *known = find_earlier(earlier, &at, file->path);
		/* Decided by sizes only, so that the fingerprint of the same files is the same
		 * whether or not they were read before. */
		const bool by_content = file->size <= limits->file_bytes_max && file->size <= left;
		left -= by_content ? file->size : 0;
		if (known != NULL && known->by_content == by_content &&
			is_same_state(known, file)) {
			file->by_content = by_content;
			memcpy(file->sum, known->sum, sizeof(file->sum));
		} else {
			sum_file(root, file, by_content);
		}
		list->not_read += !file->by_content;
		if (file->ctime_ns > now_ns - TICK_NS)
			file->inode = 0; /* matches nothing the next time */
	}
}

bool file_list_sum(struct file_list *list, const struct file_list *earlier,
	const struct file_limits *limits, struct tuner_error *err)
{
	const int root = open(list->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return tuner_fail_errno(err, errno, "cannot look at %s", list->root);
	if (list->n > 0)
		qsort(list->items, list->n, sizeof(*list->items), compare_files);
	settle(root, list);
	sum_files(root, list, earlier, limits);
	close(root);
	make_fingerprint(list);
	return true;
}

const struct listed_file *file_list_find(const struct file_list *list, const char *path)
{
	const struct listed_file wanted = { .path = (char *)path };

	return list->n > 0 ? bsearch(&wanted, list->items, list->n, sizeof(wanted), compare_files)
			   : NULL;
}
