/* A database may be copied while it is in use, with or without its directory. The attempts that ran
 * then belong to the original alone; in the copy they look like those of a killed supervisor, or
 * like removed directories. */
#ifndef SCHEDULER_ELSEWHERE_H
#define SCHEDULER_ELSEWHERE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the attempt with this key is alive in a directory other than `directory`, beside a
 * database other than ours: if so, it is not ours to end, and ret_where names that directory. Asks
 * the processes that carry the key where they were started; a directory renamed since is not
 * found. */
bool attempt_lives_elsewhere(const char *directory, const char *key, char *ret_where, size_t size);

#endif
