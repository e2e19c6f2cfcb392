/* Reading and writing to the end, whatever signals and short counts come in between. Libc only: the supervisor
 * is made of it, too. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* All n bytes. False with errno: some of them may have been written. */
bool io_write(int fd, const void *bytes, size_t n);

/* Up to `size` bytes; fewer only at the end of the file. -1 with errno: what came before the fault is not the
 * file, and is worth nothing. */
ssize_t io_read(int fd, void *ret, size_t size);

/* The beginning of a small file, as a string of at most size - 1 bytes. False with errno: it is missing or cannot
 * be read, and ret is "". Never waits for the other end of a pipe. */
bool io_read_small(const char *path, char *ret, size_t size);

#endif
