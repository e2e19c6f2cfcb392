/* A directory for a fuzzer's files, in memory where that is possible: made once, removed at the end. */
#ifndef TESTS_FUZZ_DIRECTORY_H
#define TESTS_FUZZ_DIRECTORY_H

#include "base/file.h"
#include "tests/fuzz_driver.h"

#include <string.h>
#include <unistd.h>

static char fuzz_directory_path[64];

static void fuzz_directory_remove(void)
{
	struct tuner_error err;

	if (!directory_remove(fuzz_directory_path, &err))
		fprintf(stderr, "%s\n", err.message);
}

static inline const char *fuzz_directory(void)
{
	if (fuzz_directory_path[0] == '\0') {
		snprintf(fuzz_directory_path, sizeof(fuzz_directory_path), "%s/tuner-fuzz-XXXXXX",
			access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		CHECK(mkdtemp(fuzz_directory_path) != NULL);
		atexit(fuzz_directory_remove);
	}
	return fuzz_directory_path;
}

/* Makes, or replaces, a file in it. */
static inline void fuzz_directory_write(const char *name, const void *bytes, size_t size)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", fuzz_directory(), name);
	FILE *file = fopen(path, "we");
	CHECK(file != NULL && fwrite(bytes, 1, size, file) == size);
	fclose(file);
}

#endif
