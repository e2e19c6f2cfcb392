/* base/io.h, over a read and a write that give less than was asked for, and fail in between. */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* What the next calls do: so many bytes at most each, after so many calls this error. */
static size_t piece;
static int calls_left, error;

static bool fails(void)
{
	if (error == 0 || calls_left-- > 0)
		return false;
	errno = error;
	if (error == EINTR)
		error = 0;
	return true;
}

ssize_t read(int fd, void *ret, size_t size)
{
	return fails() ? -1 : (ssize_t)syscall(SYS_read, fd, ret, size < piece ? size : piece);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	return fails() ? -1 : (ssize_t)syscall(SYS_write, fd, bytes, size < piece ? size : piece);
}

static void give(size_t bytes, int after, int error_number)
{
	piece = bytes;
	calls_left = after;
	error = error_number;
}

static int open_file(char path[32])
{
	strcpy(path, "/tmp/tuner-io-XXXXXX");
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	return fd;
}

static void what_is_written_in_pieces_is_whole(void **state)
{
	char path[32], again[64];
	const int fd = open_file(path);

	give(3, 2, EINTR);
	assert_true(io_write(fd, "0123456789", 10));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	give(4, 1, EINTR);
	assert_int_equal(io_read(fd, again, sizeof(again)), 10);
	assert_memory_equal(again, "0123456789", 10);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	give(100, 0, 0);
	assert_int_equal(io_read(fd, again, 7), 7);
	close(fd);
	unlink(path);
}

static void a_fault_is_never_the_end_of_the_file(void **state)
{
	char path[32], again[64];
	const int fd = open_file(path);

	give(100, 0, 0);
	assert_true(io_write(fd, "0123456789", 10));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	give(4, 1, EIO);
	assert_int_equal(io_read(fd, again, sizeof(again)), -1);
	assert_int_equal(errno, EIO);
	give(4, 1, EIO);
	assert_false(io_read_small(path, again, sizeof(again)));
	assert_int_equal(errno, EIO);
	assert_string_equal(again, "");
	give(4, 1, ENOSPC);
	assert_false(io_write(fd, "0123456789", 10));
	assert_int_equal(errno, ENOSPC);
	close(fd);
	unlink(path);
}

static void of_a_small_file_what_fits_is_a_string(void **state)
{
	char path[32], again[8];
	const int fd = open_file(path);

	give(2, 0, 0);
	assert_true(io_write(fd, "0123456789", 10));
	assert_true(io_read_small(path, again, sizeof(again)));
	assert_string_equal(again, "0123456");
	close(fd);
	unlink(path);
	assert_false(io_read_small(path, again, sizeof(again)));
	assert_int_equal(errno, ENOENT);
	assert_string_equal(again, "");
	assert_false(io_read_small("/tmp", again, sizeof(again)));
	assert_int_equal(errno, EISDIR);
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody will ever write into it */
	assert_true(io_read_small(path, again, sizeof(again)));
	assert_string_equal(again, "");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_in_pieces_is_whole),
		cmocka_unit_test(a_fault_is_never_the_end_of_the_file),
		cmocka_unit_test(of_a_small_file_what_fits_is_a_string),
	};

	piece = SIZE_MAX;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
