/* A database may be copied while it is used, with its directory or without. What ran then runs for the first one alone; in the
 * copy it looks like what a killed supervisor has left, or a removed directory. */
#ifndef SCHEDULER_ELSEWHERE_H
#define SCHEDULER_ELSEWHERE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the attempt with this key lives in another directory than this one, which ret_where names, beside another database
 * than ours: then it is not ours to end. Asks the processes that carry the key where they were started; a directory that was renamed since is not
 * found. */
bool attempt_lives_elsewhere(const char *directory, const char *key, char *ret_where, size_t size);

#endif
