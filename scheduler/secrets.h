/* The file that a job's "env_file" names: variables that its command gets in private. Libc only,
 * since the supervisor, which reads the file at each launch, uses this as well as "tuner check". */
#ifndef SCHEDULER_SECRETS_H
#define SCHEDULER_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRETS_WHY_MAX = 128 };

struct secrets {
	char *bytes; /* the entries point into it */
	char **entries; /* NAME=VALUE in the order of the lines; a name may repeat, and its last
			   entry counts */
	size_t n;
};

/* Reads the lines NAME=VALUE of a file, without blank lines, lines that begin with #, and a pair of
 * quotes around a value. Refused are a file that others than its owner may read or write, a file of
 * more than 256 KiB, and any other line: ret_why is then text to append to the file's name, which
 * may give a line's number but never its content. The caller frees; after a failure there is
 * nothing to free. */
bool secrets_read(const char *path, struct secrets *ret, char ret_why[SECRETS_WHY_MAX]);

void secrets_free(struct secrets *secrets);

#endif
