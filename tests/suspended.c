/* Linked into a supervisor of its own (test_attempt.c): as soon as the file $SUSPENDED is there, the machine has been asleep
 * for an hour. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	const char *const path = getenv("SUSPENDED");
	const int status = __real_clock_gettime(clock, ret);

	if (clock != CLOCK_MONOTONIC && path != NULL && access(path, F_OK) == 0)
		ret->tv_sec += 3600;
	return status;
}
