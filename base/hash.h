/* A short name for bytes: FNV-1a, 64 bits (Fowler, Noll and Vo). The same on every machine, and for ever: files and
 * directories are named by it. It tells apart what is different by chance, not what somebody has made alike on purpose;
 * for that there is sha256.h. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t n);

/* The same of a string, without its end. */
uint64_t hash_string(const char *string);

#endif
