#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool io_write(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		const ssize_t put = write(fd, at, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			errno = put < 0 ? errno : EIO;
			return false;
		}
		at += put;
		n -= (size_t)put;
	}
	return true;
}

ssize_t io_read(int fd, void *ret, size_t size)
{
	size_t length = 0;

	while (length < size) {
		const ssize_t got = read(fd, (char *)ret + length, size - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

bool io_read_small(const char *path, char *ret, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const ssize_t n = fd >= 0 ? io_read(fd, ret, size - 1) : -1;
	const int error = errno;

	if (fd >= 0)
		close(fd);
	ret[n > 0 ? n : 0] = '\0';
	errno = error;
	return n >= 0;
}
