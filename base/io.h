/* Complete reads and writes, despite signals and short counts. Uses libc only, because the
 * supervisor uses it too. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Writes all n bytes. False with errno; some of them may have been written. */
bool io_write(int fd, const void *bytes, size_t n);

/* Reads up to `size` bytes; fewer only at the end of the file. -1 with errno: bytes read before the
 * fault are to be discarded. */
ssize_t io_read(int fd, void *ret, size_t size);

/* Reads the beginning of a small file as a string of at most size - 1 bytes. False with errno if it
 * is missing or cannot be read; ret is then "". Never waits for the other end of a pipe. */
bool io_read_small(const char *path, char *ret, size_t size);

#endif
