/* A short name for bytes: FNV-1a, 64 bits (Fowler, Noll and Vo). It is the same on every machine
 * and never changes: files and directories are named by it. It distinguishes inputs that differ by
 * chance, not inputs made to collide on purpose; for that use sha256.h. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t n);

/* The same for a string, without its terminator. */
uint64_t hash_string(const char *string);

#endif
