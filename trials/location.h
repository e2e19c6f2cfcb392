/* Where a database may live. Internal. */
#ifndef TRIALS_LOCATION_H
#define TRIALS_LOCATION_H

#include "base/error.h"

/* The name of a file system that is shared over a network, by its magic number (statfs); NULL for a
 * local one. A WAL database there would be corrupted: its index is memory shared by mmap, which no
 * network file system keeps coherent between hosts. FUSE counts as local: it is both. */
const char *location_network_name(unsigned long magic);

/* Checks that `path` can hold a database: its directory exists and, with `write`, it and the file
 * (if there is one) are writable. *ret_network: the name of the network file system that it is on;
 * NULL: none. Errors: TUNER_USAGE. */
TUNER_MUST_CHECK
bool location_check(
	const char *path, bool write, const char **ret_network, struct tuner_error *err);

/* The file that `path` means, absolute, with all links followed, its own included. Two names of one
 * database must lead to one lock, and SQLite too puts the WAL beside the target. A directory that
 * does not exist leaves the path as it is. TUNER_USAGE for a dangling link. The caller frees
 * *ret. */
TUNER_MUST_CHECK
bool location_resolve(const char *path, char **ret, struct tuner_error *err);

#endif
