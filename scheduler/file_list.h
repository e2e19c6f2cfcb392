/* Files below a directory, and a fingerprint that shows whether any of them has changed.
 *
 *     file_list_init -> file_list_add, once per file -> file_list_sum -> ... -> file_list_finish
 *
 * The fingerprint covers each file's path, kind (executable or not; a link and its target) and
 * content. Content is read once: as long as size, inode and both times stay the same, the sum from
 * an earlier list is reused, so summing an unchanged tree costs one lstat per file. For files that
 * are too large, and for all files after the limit on bytes read per list, size and modification
 * time stand in for the content. */
#ifndef SCHEDULER_FILE_LIST_H
#define SCHEDULER_FILE_LIST_H

#include "base/sha256.h"
#include "base/text.h"

struct file_limits {
	size_t files_max; /* file_list_add adds no more, and sets `cut` */
	int64_t file_bytes_max; /* larger files count by size and time */
	int64_t bytes_max; /* of content, in total */
};

/* The limits in use. Fingerprints of the same files are equal only under the same limits. */
extern const struct file_limits code_limits, data_limits;

enum file_kind { FILE_PLAIN, FILE_EXECUTABLE, FILE_LINK };

struct listed_file {
	char *path; /* from the root, without a leading slash */
	enum file_kind kind;
	bool marked; /* for the caller; in a code list: git does not track it */
	bool by_content; /* otherwise `sum` covers size and time */
	int64_t size, mtime_ns, ctime_ns;
	uint64_t inode;
	char sum[SHA256_TEXT];
};

struct file_list {
	char *root; /* absolute; NULL: not yet */
	struct listed_file *items; /* after file_list_sum: sorted by path, each once, existing ones
				      only */
	size_t n, capacity;
	size_t files_max;
	bool cut; /* there are more files than listed */
	int64_t bytes; /* sum of the sizes */
	size_t not_read; /* files that count by size and time, not by content */
	char fingerprint[SHA256_TEXT];
};

/* Copies `root`. */
TUNER_MUST_CHECK
bool file_list_init(struct file_list *list, const char *root, const struct file_limits *limits,
	struct tuner_error *err);
void file_list_finish(struct file_list *list); /* zeroed: does nothing */

/* Beyond files_max nothing is added, and list->cut is set. */
TUNER_MUST_CHECK
bool file_list_add(struct file_list *list, const char *path, size_t length, bool marked,
	struct tuner_error *err);

/* Sorts, drops duplicates, missing files and what is neither a file nor a link, sums, and makes the
 * fingerprint. `earlier` (NULL: none) is an earlier list of the same root. */
TUNER_MUST_CHECK
bool file_list_sum(struct file_list *list, const struct file_list *earlier,
	const struct file_limits *limits, struct tuner_error *err);

/* Adds everything below root/path (path "": root itself) except directories, also what is in hidden
 * or linked directories. Unreadable directories are left out. */
TUNER_MUST_CHECK
bool file_list_walk(struct file_list *list, const char *path, struct tuner_error *err);

/* The file with this path; NULL if there is none. Only after file_list_sum. */
const struct listed_file *file_list_find(const struct file_list *list, const char *path);

#endif
