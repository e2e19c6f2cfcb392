/* Preloaded, it shifts the wall clock of a program by so many seconds as the file $CLOCK_SHIFT says at the moment, and lets
 * a thread's own clock run $CLOCK_CPU_TIMES times as fast. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	static int (*real)(clockid_t, struct timespec *);
	const char *const path = getenv("CLOCK_SHIFT");
	const char *const faster = getenv("CLOCK_CPU_TIMES");
	const long long times = faster != NULL ? atol(faster) : 1;
	char text[32] = "";

	if (real == NULL)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	const int status = real(clock, ret);
	if (clock == CLOCK_THREAD_CPUTIME_ID && times > 1) {
		const long long ns = (ret->tv_sec * 1000000000LL + ret->tv_nsec) * times;
		*ret = (struct timespec){ ns / 1000000000, ns % 1000000000 };
	}
	const int fd =
		path != NULL && clock == CLOCK_REALTIME ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return status;
	if (read(fd, text, sizeof(text) - 1) > 0)
		ret->tv_sec += atol(text);
	close(fd);
	return status;
}
