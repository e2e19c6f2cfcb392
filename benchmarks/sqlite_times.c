/* Preloaded into `tuner run` by benchmarks/readers: how long its calls of SQLite took.
 *
 * At its end the process writes to the file SQLITE_TIMES.PID, if that variable is set, one line: the number of calls,
 * the longest of them in microseconds, and the longest without the time in which the thread could have run but had no
 * CPU (/proc/thread-self/schedstat). What is left then is work, the disk, and waiting for others' locks. */
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct {
	uint64_t calls;
	int64_t longest_us, longest_waiting_us;
} times; /* tuner calls SQLite from one thread */

static int64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Time in which it waited for a CPU. */
static int64_t delay_us(void)
{
	char line[128];
	long long delay_ns = 0;
	const int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : 0;

	if (fd >= 0)
		close(fd);
	line[n > 0 ? n : 0] = '\0';
	return sscanf(line, "%*d %lld", &delay_ns) == 1 ? delay_ns / 1000 : 0;
}

static void note(int64_t began_us, int64_t delay_before_us)
{
	const int64_t us = clock_us() - began_us, waiting_us = us - (delay_us() - delay_before_us);

	times.calls++;
	if (us > times.longest_us)
		times.longest_us = us;
	if (waiting_us > times.longest_waiting_us)
		times.longest_waiting_us = waiting_us;
}

int sqlite3_step(sqlite3_stmt *statement)
{
	static int (*real)(sqlite3_stmt *);
	const int64_t delay = delay_us(), began = clock_us();

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "sqlite3_step");
	const int status = real(statement);

	note(began, delay);
	return status;
}

int sqlite3_wal_checkpoint_v2(
	sqlite3 *db, const char *name, int mode, int *ret_pages, int *ret_done)
{
	static int (*real)(sqlite3 *, const char *, int, int *, int *);
	const int64_t delay = delay_us(), began = clock_us();

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "sqlite3_wal_checkpoint_v2");
	const int status = real(db, name, mode, ret_pages, ret_done);

	note(began, delay);
	return status;
}

__attribute__((destructor)) static void tell(void)
{
	const char *const path = getenv("SQLITE_TIMES");
	char name[4200];

	if (path == NULL || times.calls == 0)
		return;
	snprintf(name, sizeof name, "%.4096s.%d", path, (int)getpid());
	FILE *file = fopen(name, "we");

	if (file == NULL)
		return;
	fprintf(file, "%" PRIu64 " %" PRId64 " %" PRId64 "\n", times.calls, times.longest_us,
		times.longest_waiting_us);
	fclose(file);
}
