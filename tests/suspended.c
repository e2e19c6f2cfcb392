/* Linked into a supervisor of its own (test_attempt.c): as soon as the file $SUSPENDED is there, the machine has been asleep
 * for an hour; and for each byte of the file $HOURS an hour has passed by all clocks. */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	const char *const path = getenv("SUSPENDED");
	const char *const hours = getenv("HOURS");
	const int status = __real_clock_gettime(clock, ret);
	struct stat info;

	if (clock != CLOCK_MONOTONIC && path != NULL && access(path, F_OK) == 0)
		ret->tv_sec += 3600;
	if (hours != NULL && stat(hours, &info) == 0)
		ret->tv_sec += 3600 * info.st_size;
	return status;
}
