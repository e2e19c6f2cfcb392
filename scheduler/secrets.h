/* The file that "env_file" of a job names: what its command is given in private. Libc only: the supervisor, which reads it at
 * each launch, has it, and so has "tuner check". */
#ifndef SCHEDULER_SECRETS_H
#define SCHEDULER_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRETS_WHY_MAX = 128 };

struct secrets {
	char *bytes; /* that the entries point into */
	char **entries; /* NAME=VALUE in the order of the lines; of one name there may be several, the last of which counts */
	size_t n;
};

/* The lines NAME=VALUE of a file; blank lines and those that begin with # are left out, and a pair of quotes around a value.
 * A file that others than its owner may read or write, one of more than 256 KiB, and a line that is none of these are
 * refused: then *ret_why is what to put behind the file's name, which says a line's number and never what is in it.
 * The caller frees; after a failure there is nothing to free. */
bool secrets_read(const char *path, struct secrets *ret, char ret_why[SECRETS_WHY_MAX]);

void secrets_free(struct secrets *secrets);

#endif
