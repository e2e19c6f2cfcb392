/* Files below a directory, and one number that tells whether any of them has changed: a fingerprint.
 *
 *     file_list_init -> file_list_add, for each -> file_list_sum -> ... -> file_list_finish
 *
 * A file counts with its path, its kind (executable or not, a link and where to) and its content. Content is
 * read once: as long as size, inode and both times stay the same, the sum of an earlier list is taken. Files
 * that are too large, and all behind the bound on bytes read in one list, count with size and time of
 * change instead. So summing an unchanged tree costs one lstat a file. */
#ifndef SCHEDULER_FILE_LIST_H
#define SCHEDULER_FILE_LIST_H

#include "base/sha256.h"
#include "base/text.h"

struct file_limits {
	size_t files_max; /* file_list_add takes no more; the list says so */
	int64_t file_bytes_max; /* longer ones count with size and time */
	int64_t bytes_max; /* of content, all together */
};

/* Fingerprints of the same files are equal only under the same limits: these are the ones in use. */
extern const struct file_limits code_limits, data_limits;

enum file_kind { FILE_PLAIN, FILE_EXECUTABLE, FILE_LINK };

struct listed_file {
	char *path; /* from the root, without a leading slash */
	enum file_kind kind;
	bool marked; /* the caller's: of a code list, that git does not track it */
	bool by_content; /* otherwise sum is of size and time */
	int64_t size, mtime_ns, ctime_ns;
	uint64_t inode;
	char sum[SHA256_TEXT];
};

struct file_list {
	char *root; /* absolute; NULL: not yet */
	struct listed_file *items; /* after file_list_sum: by path, each once, those that exist */
	size_t n, capacity;
	size_t files_max;
	bool cut; /* there are more files than are listed */
	int64_t bytes; /* sum of the sizes */
	size_t not_read; /* files that count with size and time, not by content */
	char fingerprint[SHA256_TEXT];
};

/* Copies `root`. */
TUNER_MUST_CHECK
bool file_list_init(struct file_list *list, const char *root, const struct file_limits *limits,
	struct tuner_error *err);
void file_list_finish(struct file_list *list); /* of a zeroed one nothing */

/* Beyond files_max nothing is added, and list->cut is set. */
TUNER_MUST_CHECK
bool file_list_add(struct file_list *list, const char *path, size_t length, bool marked,
	struct tuner_error *err);

/* Sorts, drops what is listed twice, is missing or is neither a file nor a link, sums and makes the
 * fingerprint. `earlier` (NULL: none) is an earlier list of the same root. */
TUNER_MUST_CHECK
bool file_list_sum(struct file_list *list, const struct file_list *earlier,
	const struct file_limits *limits, struct tuner_error *err);

/* Adds all files below directory/path that are no directories ("": the directory itself), those in
 * hidden or linked directories, too. What cannot be read is left out. */
TUNER_MUST_CHECK
bool file_list_walk(struct file_list *list, const char *path, struct tuner_error *err);

/* The file of this path; NULL if there is none. After file_list_sum. */
const struct listed_file *file_list_find(const struct file_list *list, const char *path);

#endif
