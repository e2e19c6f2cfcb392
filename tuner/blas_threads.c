#include "tuner/blas_threads.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static const char VARIABLE[] = "OPENBLAS_NUM_THREADS", OURS[] = "TUNER_OPENBLAS_NUM_THREADS";

static bool addresses_are_limited(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

static void take_away(void)
{
	unsetenv(VARIABLE);
	unsetenv(OURS);
}

void blas_threads_prevent(char **argv)
{
	if (getenv(OURS) != NULL) {
		take_away();
		return;
	}
	if (getenv(VARIABLE) != NULL || !addresses_are_limited())
		return;
	if (setenv(VARIABLE, "1", 1) == 0 && setenv(OURS, "1", 1) == 0)
		execv("/proc/self/exe", argv);
	take_away(); /* it goes on with those threads */
}
